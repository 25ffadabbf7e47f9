package drivertest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/testnet"
)

// fate is what becomes of a datagram: what is delivered in its place, in that order.
type fate func(b []byte) [][]byte

func lose([]byte) [][]byte { return nil }

// unlucky loses, repeats and swaps datagrams, each with the given share of all.
func unlucky(seed uint64, lost, repeated, swapped float64) fate {
	rng := rand.New(rand.NewPCG(seed, 1))
	var held []byte
	return func(b []byte) [][]byte {
		var out [][]byte
		switch x := rng.Float64(); {
		case x < lost:
		case x < lost+repeated:
			out = [][]byte{b, b}
		case x < lost+repeated+swapped && held == nil:
			held = bytes.Clone(b)
			return nil
		default:
			out = [][]byte{b}
		}
		if held != nil && out != nil {
			out, held = append(out, held), nil
		}
		return out
	}
}

// disturbance decides over the datagrams of both directions; nil lets them pass.
type disturbance struct {
	mu                     sync.Mutex
	fromServer, fromClient fate
}

func (d *disturbance) set(fromServer, fromClient fate) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fromServer, d.fromClient = fromServer, fromClient
}

func (d *disturbance) of(server bool) func(b []byte, to net.Addr) [][]byte {
	return func(b []byte, _ net.Addr) [][]byte {
		d.mu.Lock()
		defer d.mu.Unlock()
		f := d.fromClient
		if server {
			f = d.fromServer
		}
		if f == nil {
			return [][]byte{b}
		}
		return f(b)
	}
}

// farPackets opens the packet connection of the far end.
func (w *world) farPackets() *testnet.PacketConn {
	w.Helper()
	p, err := w.net.ListenPacket(w.Context(), "udp", w.addr)
	if err != nil {
		w.Fatal(err)
	}
	c := p.(*testnet.PacketConn)
	c.Filter(w.disturb.of(true))
	return c
}

// listenInSilence takes what comes and says nothing.
func listenInSilence(ctx context.Context, p net.PacketConn) error {
	stop := context.AfterFunc(ctx, func() { p.Close() })
	defer stop()
	for {
		if _, _, err := p.ReadFrom(make([]byte, 2048)); err != nil {
			return nil
		}
	}
}

// watchPackets keeps a packet connection of the driver.
func (w *world) watchPackets(p *testnet.PacketConn) {
	p.Filter(w.disturb.of(false))
	w.mu.Lock()
	w.packets = append(w.packets, p)
	w.mu.Unlock()
}

func (w *world) listenPacket(ctx context.Context, network, addr string) (net.PacketConn, error) {
	p, err := w.net.ListenPacket(ctx, network, addr)
	if err == nil {
		w.watchPackets(p.(*testnet.PacketConn))
	}
	return p, err
}

// packetConns are the packet connections that the driver has opened so far.
func (w *world) packetConns() []*testnet.PacketConn {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]*testnet.PacketConn(nil), w.packets...)
}

// streams skips a check that is about connections.
func (w *world) streams() {
	if w.udp {
		w.Skip("it is about connections, not datagrams")
	}
}

// survives demands that a change of the device arrives, and a write too, while the datagrams meet their fates.
func (w *world) survives(fromServer, fromClient fate) {
	w.Helper()
	s := w.open()
	r, stop := w.watch(s, driver.Everything{})
	r.waitFull(w)
	w.disturb.set(fromServer, fromClient)
	if w.far.Change != nil {
		path, value := w.far.Change()
		r.wait(w, w.target.Patience, fmt.Sprintf("%s = %v", path, value), func() bool { return r.last[path].Value.Equal(value) })
	}
	if wr := s.Abilities().Writer; wr != nil {
		for _, want := range w.target.Writes {
			if o := w.write(wr, want)[0]; o.Err != nil {
				w.Errorf("write %s: %v, %v", want.Path, o.Stage, o.Err)
			}
		}
	}
	time.Sleep(settle(w)) // idle, and still alive
	for _, want := range w.target.Writes {
		if got := w.read(s, want.Path)[0]; !got.Value.Equal(want.Value) {
			w.Errorf("%s reads %v after %v was written", want.Path, got.Value, want.Value)
		}
	}
	w.disturb.set(nil, nil)
	stop()
}

// packetChecks are what happens to datagrams.
func packetChecks() []check {
	noise := func(seed uint64) [][]byte {
		rng := rand.New(rand.NewPCG(seed, 2))
		var out [][]byte
		for n := range 40 {
			b := make([]byte, n*n)
			for i := range b {
				b[i] = byte(rng.Uint32())
			}
			out = append(out, b)
		}
		return out
	}
	return []check{
		{"silent", func(w *world) {
			w.peer(func(net.Conn) {})
			w.failOpen(w.options(), driver.Timeout)
		}},
		{"another-protocol", func(w *world) {
			w.far = Far{ServePackets: func(ctx context.Context, p net.PacketConn) error {
				stop := context.AfterFunc(ctx, func() { p.Close() })
				defer stop()
				for {
					_, from, err := p.ReadFrom(make([]byte, 2048))
					if err != nil {
						return nil
					}
					p.WriteTo([]byte("SIP/2.0 400 Bad Request\r\n\r\n"), from)
				}
			}}
			w.serve()
			w.failOpen(w.options(), driver.NotThisProtocol, driver.Timeout)
		}},
		{"falls-silent", func(w *world) {
			s := w.open()
			r, _ := w.watch(s, driver.Everything{})
			r.waitFull(w)
			w.disturb.set(lose, nil)
			w.within(w.target.Patience, "Watch of a peer that fell silent", func() { <-r.ended })
			w.wantClass("Watch of a peer that fell silent", r.err, driver.Timeout, driver.Closed)
			if _, err := s.Read(w.Context(), w.some(s)); err == nil {
				w.Error("Read of a lost device succeeded: a session never reconnects")
			}
			n := len(w.packetConns())
			time.Sleep(settle(w))
			if more := len(w.packetConns()); more != n {
				w.Errorf("the session opened %d more packet connections: a session never reconnects", more-n)
			}
			r.report(w)
		}},
		{"goes-away", func(w *world) {
			s := w.open()
			r, _ := w.watch(s, driver.Everything{})
			r.waitFull(w)
			w.stop()
			w.stop = func() {}
			w.within(w.target.Patience, "Watch of a peer that went away", func() { <-r.ended })
			w.wantClass("Watch of a peer that went away", r.err, driver.Timeout, driver.Closed, driver.RefusedConn)
			if _, err := s.Read(w.Context(), w.some(s)); err == nil {
				w.Error("Read of a lost device succeeded: a session never reconnects")
			}
			r.report(w)
		}},
		{"loss", func(w *world) { w.survives(unlucky(1, 0.1, 0, 0), unlucky(2, 0.1, 0, 0)) }},
		{"repeats", func(w *world) { w.survives(unlucky(3, 0, 0.5, 0), unlucky(4, 0, 0.5, 0)) }},
		{"disorder", func(w *world) { w.survives(unlucky(5, 0, 0, 0.3), unlucky(6, 0, 0, 0.3)) }},
		{"noise", func(w *world) {
			bad := noise(7)
			w.survives(func(b []byte) [][]byte { return append(append([][]byte(nil), bad...), b) }, nil)
		}},
	}
}
