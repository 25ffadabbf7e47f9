package dmclient_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmclient"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmsim"
)

// meter is a line that keeps what it was sent, byte by byte, and takes a random time over it.
type meter struct {
	mu   sync.Mutex
	got  []byte
	rand *rand.Rand
}

func (m *meter) Open(context.Context, dmserver.Line) (dmserver.Wire, error) {
	return &meterWire{m: m, closed: make(chan struct{})}, nil
}

type meterWire struct {
	m      *meter
	once   sync.Once
	closed chan struct{}
}

func (w *meterWire) Send(b []byte) (int, error) {
	w.m.mu.Lock()
	n := 1 + w.m.rand.IntN(len(b))
	d := time.Duration(w.m.rand.IntN(2000)) * time.Microsecond
	w.m.mu.Unlock()
	select {
	case <-time.After(d):
	case <-w.closed:
		return 0, net.ErrClosed
	}
	w.m.mu.Lock()
	defer w.m.mu.Unlock()
	select {
	case <-w.closed:
		return 0, net.ErrClosed
	default:
	}
	w.m.got = append(w.m.got, b[:n]...)
	return n, nil
}
func (w *meterWire) Recv([]byte) (int, error) { <-w.closed; return 0, net.ErrClosed }
func (w *meterWire) Set(dmserver.Settings)    {}
func (w *meterWire) Flush(bool, bool)         {}
func (w *meterWire) Close() error             { w.once.Do(func() { close(w.closed) }); return nil }

// A thousand times the link dies somewhere in a transfer, and each byte of it is in exactly one of three heaps: delivered,
// which the client knows; dropped and reported, which Write did not take; uncertain, which Unacked counts. What reached the
// line is everything delivered, in order and once, and some of the uncertain.
func TestThousandLosses(t *testing.T) {
	losses := 1000
	if testing.Short() {
		losses = 100
	}
	for seed := range losses {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(seed), 5))
			m := &meter{rand: rand.New(rand.NewPCG(uint64(seed), 6))}
			sim, err := dmsim.New(dmsim.Options{Backends: []dmserver.Backend{m}})
			if err != nil {
				t.Fatal(err)
			}
			ln := testnet.Listen()
			ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
			served := make(chan error, 1)
			go func() { served <- sim.Serve(ctx, ln) }()
			var conn *testnet.Conn
			l, err := dmclient.Dial(t.Context(), func(ctx context.Context, _, _ string) (net.Conn, error) {
				c, err := ln.Dial(ctx)
				if err == nil {
					conn = c.(*testnet.Conn)
				}
				return c, err
			}, "box:4606", dmclient.Options{})
			if err != nil {
				t.Fatal(err)
			}
			p, err := l.Open(t.Context(), 0, dmclient.Settings{})
			if err != nil {
				t.Fatal(err)
			}
			data := make([]byte, 1+r.IntN(60000))
			for i := range data {
				data[i] = byte(r.Uint32())
			}
			// The ways in which a link dies: at a moment, or after so many bytes of either direction.
			switch r.IntN(5) {
			case 0:
				conn.Out().CutAfter(int64(r.IntN(len(data) + 1000)))
			case 1:
				conn.In().CutAfter(int64(r.IntN(1 + len(data)/8)))
			case 2:
				time.AfterFunc(time.Duration(r.IntN(30000))*time.Microsecond, func() { conn.Peer().Close() })
			default:
				time.AfterFunc(time.Duration(r.IntN(30000))*time.Microsecond, conn.Reset)
			}
			p.SetDeadline(time.Now().Add(5 * time.Minute)) // a window that leaks is an error, not a wait
			taken, err := 0, error(nil)
			for taken < len(data) && err == nil {
				var n int
				n, err = p.Write(data[taken:min(len(data), taken+1+r.IntN(5000))])
				taken += n
			}
			if err == nil {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
				err = p.Drain(ctx)
				cancel()
			}
			if err != nil && !errors.Is(err, dmclient.ErrLinkDown) {
				t.Fatalf("loss %d: %v", seed, err)
			}
			uncertain := p.Unacked()
			delivered, dropped := taken-uncertain, len(data)-taken
			time.Sleep(time.Minute) // the box carries out what it has
			l.Close()
			cancel()
			<-served
			m.mu.Lock()
			defer m.mu.Unlock()
			if sum := delivered + dropped + uncertain; sum != len(data) || delivered < 0 || uncertain > devicemaster.Window {
				t.Fatalf("loss %d: %d delivered, %d dropped, %d uncertain of %d", seed, delivered, dropped, uncertain, len(data))
			}
			if n := len(m.got); n < delivered || n > taken || !bytes.Equal(m.got, data[:n]) {
				t.Fatalf("loss %d: the line got %d bytes; %d were delivered for sure and %d taken", seed, n, delivered, taken)
			}
			if err == nil && (uncertain != 0 || delivered != len(data)) {
				t.Fatalf("loss %d: drained, and %d of %d delivered", seed, delivered, len(data))
			}
			if c := p.Counts(); c.Out != uint64(taken) {
				t.Fatalf("loss %d: counted %d, taken %d", seed, c.Out, taken)
			}
			_, _ = io.Copy(io.Discard, p)
		})
	}
}
