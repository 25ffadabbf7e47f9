package atemserver_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/atem/atemclient"
	"github.com/patchbay-io/patchbay/protocol/atem/atemserver"
)

// hub is a handler that gives a dump to each client and says to all what one of them says.
type hub struct {
	dump [][]byte

	mu       sync.Mutex
	clients  map[*atemserver.Conn]bool
	commands [][]byte
	closed   []error
	order    []string
}

func newHub(dump ...[]byte) *hub { return &hub{dump: dump, clients: map[*atemserver.Conn]bool{}} }

func (h *hub) Opened(c *atemserver.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clients[c] = true
	h.order = append(h.order, fmt.Sprint("opened ", c.ID()))
	c.Send(h.dump...)
}

func (h *hub) Command(_ *atemserver.Conn, payload []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.commands = append(h.commands, bytes.Clone(payload))
	h.say(bytes.Clone(payload))
}

func (h *hub) say(payload []byte) {
	for c := range h.clients {
		c.Send(payload)
	}
}

func (h *hub) Closed(c *atemserver.Conn, why error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.clients, c)
	h.closed = append(h.closed, why)
	h.order = append(h.order, fmt.Sprint("closed ", c.ID()))
}

func (h *hub) live() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.clients)
}

func (h *hub) ends() []error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]error(nil), h.closed...)
}

func field(code string, body ...byte) []byte {
	c, _ := atem.ParseCode(code)
	f := atem.Field{Code: c, Body: body}
	b, err := f.Append(nil)
	if err != nil {
		panic(err)
	}
	return b
}

const where = "192.0.2.10:9910"

// world is a server on a network in memory.
type world struct {
	t    *testing.T
	net  testnet.Network
	hub  *hub
	srv  *atemserver.Server
	pc   *testnet.PacketConn
	stop func()
}

func newWorld(t *testing.T, h *hub, o atemserver.Options) *world {
	t.Helper()
	w := &world{t: t, hub: h, srv: atemserver.New(h, o)}
	pc, err := w.net.ListenPacket(t.Context(), "udp", where)
	if err != nil {
		t.Fatal(err)
	}
	w.pc = pc.(*testnet.PacketConn)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.srv.Serve(ctx, pc) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Serve: %v", err)
		}
		if st := w.srv.Stats(); st.Active != 0 {
			t.Errorf("%d sessions are left", st.Active)
		}
	})
	return w
}

// collector keeps what a client is told.
type collector struct {
	mu  sync.Mutex
	all []byte
}

func (c *collector) handle(p []byte) {
	c.mu.Lock()
	c.all = append(c.all, p...)
	c.mu.Unlock()
}

func (c *collector) codes() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := ""
	for f, err := range atem.Fields(c.all) {
		if err != nil {
			return err.Error()
		}
		out += f.Code.String() + " "
	}
	return out
}

func (w *world) dial(o atemclient.Options) (*atemclient.Client, *collector) {
	w.t.Helper()
	got := &collector{}
	o.Handle = got.handle
	c, err := atemclient.Dial(w.t.Context(), w.net.ListenPacket, where, o)
	if err != nil {
		w.t.Fatal(err)
	}
	return c, got
}

func dump() [][]byte {
	return [][]byte{bytes.Join([][]byte{field("_ver", 0, 2, 0, 30), field("PrgI", 0, 0, 0, 1)}, nil), field("InCm", 1, 0, 0, 0)}
}

// A client opens, gets the dump, is ready, commands, hears what comes of it, and its place is free as soon as it closes.
func TestSessionThroughout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, newHub(dump()...), atemserver.Options{MaxSessions: 1})
		c, got := w.dial(atemclient.Options{})
		<-c.Ready()
		prg, _ := atem.ParseCode("CPgI")
		if err := c.Send(atem.Field{Code: prg, Body: []byte{0, 0, 0, 3}}, atem.Field{Code: prg, Body: []byte{1, 0, 0, 4}}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if s := got.codes(); s != "_ver PrgI InCm CPgI CPgI " {
			t.Errorf("the client got %s", s)
		}
		if len(w.hub.commands) != 1 {
			t.Errorf("%d packets of commands", len(w.hub.commands))
		}
		if _, err := atemclient.Dial(t.Context(), w.net.ListenPacket, where, atemclient.Options{}); !errors.Is(err, atem.ErrFull) {
			t.Errorf("a second client: %v", err)
		}
		time.Sleep(time.Minute)
		if c.Err() != nil || w.hub.live() != 1 {
			t.Fatalf("after a minute of nothing: %v", c.Err())
		}
		began := time.Now()
		c.Close()
		c.Close()
		if took := time.Since(began); took != 0 {
			t.Errorf("closing took %v", took)
		}
		if !errors.Is(c.Err(), net.ErrClosed) {
			t.Error(c.Err())
		}
		if err := c.SendPayload(field("CPgI")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("send after close: %v", err)
		}
		c2, _ := w.dial(atemclient.Options{})
		<-c2.Ready()
		if st := w.srv.Stats(); st.Opened != 2 || st.Rejected != 1 || st.Active != 1 || st.Malformed+st.Strangers+st.HalfOpen != 0 {
			t.Errorf("%+v", st)
		}
		w.stop() // tells the client
		<-c2.Done()
		if !errors.Is(c2.Err(), atem.ErrPeerClosed) {
			t.Error(c2.Err())
		}
		if got := fmt.Sprint(w.hub.order); got != "[opened 1 closed 1 opened 2 closed 2]" {
			t.Error(got)
		}
		if ends := w.hub.ends(); !errors.Is(ends[0], atem.ErrPeerClosed) || ends[1] != nil {
			t.Errorf("ends %v", ends)
		}
	})
}

// raw is a client without any manners of its own.
type raw struct {
	t  *testing.T
	pc net.PacketConn
	to net.Addr
}

func (w *world) raw() *raw {
	w.t.Helper()
	pc, err := w.net.ListenPacket(w.t.Context(), "udp", "")
	if err != nil {
		w.t.Fatal(err)
	}
	return &raw{w.t, pc, w.pc.LocalAddr()}
}

func (r *raw) send(b []byte) {
	r.t.Helper()
	if _, err := r.pc.WriteTo(b, r.to); err != nil {
		r.t.Fatal(err)
	}
}

func (r *raw) packet(p atem.Packet) {
	r.t.Helper()
	b, err := p.Append(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	r.send(b)
}

func (r *raw) step(session uint16, s atem.Step) {
	r.send(atem.Handshake{Step: s}.Append(nil, session, 0))
}

// within is what arrives within d, in short: "accept 1234>1", "numbered 8001 #2".
func (r *raw) within(d time.Duration) (out []string) {
	r.t.Helper()
	r.pc.SetReadDeadline(time.Now().Add(d))
	buf := make([]byte, 2048)
	for {
		n, _, err := r.pc.ReadFrom(buf)
		if err != nil {
			return out
		}
		p, err := atem.ParsePacket(buf[:n])
		if err != nil {
			r.t.Fatal(err)
		}
		switch {
		case p.Flags&atem.FlagHandshake != 0:
			text := fmt.Sprintf("%v %x", p.Handshake().Step, p.Session)
			if g := p.Handshake().Given; g != 0 {
				text += fmt.Sprintf(">%x", g)
			}
			if p.Flags&atem.FlagResent != 0 {
				text += " again"
			}
			out = append(out, text)
		case p.Flags&atem.FlagNumbered != 0:
			out = append(out, fmt.Sprintf("%x #%x +%d", p.Session, p.Number, len(p.Payload)))
		default:
			out = append(out, fmt.Sprintf("%v %x %x", p.Flags, p.Session, p.Ack))
		}
	}
}

const soon = 10 * time.Millisecond

// What programs do that are not as careful as they might be.
func TestCarelessClients(t *testing.T) {
	ack := func(session, number uint16) atem.Packet {
		return atem.Packet{Flags: atem.FlagAck, Session: session, Ack: number}
	}
	type talk = func(*testing.T, *world, *raw) string
	for _, row := range []struct {
		name string
		max  int
		do   talk
		want string
	}{
		{"takes a refusal for an acceptance", 1, func(_ *testing.T, w *world, r *raw) string {
			c, _ := w.dial(atemclient.Options{})
			defer c.Close()
			r.step(0x53ab, atem.StepOpen)
			out := r.within(soon)
			r.packet(ack(0x53ab, 0))
			return fmt.Sprint(out, r.within(time.Second), w.hub.live())
		}, "[reject 53ab] [] 1"},
		{"acknowledges nothing at first", 5, func(_ *testing.T, w *world, r *raw) string {
			r.step(0x1337, atem.StepOpen)
			r.packet(ack(0x1337, 0))
			out := r.within(soon) // the empty packet and the whole dump
			r.packet(ack(0x8001, 3))
			return fmt.Sprint(out, r.within(300*time.Millisecond))
		}, "[accept 1337>1 8001 #1 +0 8001 #2 +24 8001 #3 +12] []"},
		{"opens again from the same port without closing", 1, func(_ *testing.T, w *world, r *raw) string {
			r.step(0x53ab, atem.StepOpen)
			r.packet(ack(0x53ab, 0))
			r.within(soon)
			r.packet(ack(0x8001, 3))
			time.Sleep(time.Second)
			r.within(soon)
			r.step(0x53ab, atem.StepOpen)
			r.packet(ack(0x53ab, 0))
			return fmt.Sprint(r.within(soon), w.hub.order)
		}, "[accept 53ab>2 8002 #1 +0 8002 #2 +24 8002 #3 +12] [opened 1 closed 1 opened 2]"},
		{"a late copy of the open", 1, func(_ *testing.T, w *world, r *raw) string {
			r.step(0x53ab, atem.StepOpen)
			r.packet(ack(0x53ab, 0))
			r.within(soon)
			r.packet(ack(0x8001, 3))
			r.step(0x53ab, atem.StepOpen)
			return fmt.Sprint(r.within(soon), w.hub.live())
		}, "[] 1"},
		{"opens twice before it has the answer", 5, func(_ *testing.T, w *world, r *raw) string {
			r.step(0x53ab, atem.StepOpen)
			r.step(0x53ab, atem.StepOpen)
			return fmt.Sprint(r.within(soon), w.srv.Stats().Active)
		}, "[accept 53ab>1 accept 53ab>1 again] 1"},
		{"never confirms", 5, func(_ *testing.T, w *world, r *raw) string {
			r.step(0x53ab, atem.StepOpen)
			out := r.within(4 * time.Second)
			return fmt.Sprint(len(out), out[10:], w.srv.Stats().Active, w.hub.order)
		}, "13 [accept 53ab>1 again closing 8001 closing 8001 again] 0 []"},
		{"several sessions on one port", 5, func(_ *testing.T, w *world, r *raw) string {
			r.step(1, atem.StepOpen)
			r.step(2, atem.StepOpen)
			r.packet(ack(2, 0))
			r.packet(ack(1, 0))
			return fmt.Sprint(len(r.within(soon)), w.hub.live())
		}, "8 2"},
		{"a packet with somebody else's session", 5, func(_ *testing.T, w *world, r *raw) string {
			c, _ := w.dial(atemclient.Options{})
			defer c.Close()
			<-c.Ready()
			r.packet(atem.Packet{Flags: atem.FlagNumbered, Session: 0x8001, Number: 1, Payload: field("CPgI", 0, 0, 0, 9)})
			r.step(0x8001, atem.StepClosing)
			return fmt.Sprint(r.within(time.Second), len(w.hub.commands), w.hub.live(), w.srv.Stats().Strangers)
		}, "[] 0 1 2"},
		{"a session that never was", 5, func(_ *testing.T, w *world, r *raw) string {
			r.packet(ack(0x8777, 3))
			r.step(0x8777, atem.StepClosing)
			r.step(0x8777, atem.StepClosed)
			r.step(0x777, 9)
			return fmt.Sprint(r.within(time.Second), w.srv.Stats().Strangers)
		}, "[] 4"},
		{"no packets at all", 5, func(_ *testing.T, w *world, r *raw) string {
			r.send(nil)
			r.send([]byte("hello switcher"))
			r.send(make([]byte, 3000))
			return fmt.Sprint(r.within(time.Second), w.srv.Stats().Malformed)
		}, "[] 3"},
		{"closes, and closes again", 5, func(_ *testing.T, w *world, r *raw) string {
			r.step(0x53ab, atem.StepOpen)
			r.packet(ack(0x53ab, 0))
			r.within(soon)
			r.packet(ack(0x8001, 3))
			r.step(1, atem.StepClosing) // without the upper bit
			r.step(0x8001, atem.StepClosing)
			return fmt.Sprint(r.within(time.Second), w.hub.live(), w.srv.Stats().Active)
		}, "[closed 8001] 0 0"},
		{"counts with 16 bits", 5, func(t *testing.T, w *world, r *raw) string {
			r.step(0x53ab, atem.StepOpen)
			r.packet(ack(0x53ab, 0))
			r.within(soon)
			r.packet(ack(0x8001, 3))
			for n := uint16(1); n <= 0x8002; n++ {
				r.packet(atem.Packet{Flags: atem.FlagNumbered, Session: 0x8001, Number: n})
				if n%100 == 0 {
					synctest.Wait()
					r.within(time.Microsecond)
				}
			}
			synctest.Wait()
			r.within(time.Microsecond)
			r.packet(atem.Packet{Flags: atem.FlagNumbered, Session: 0x8001, Number: 0x8003, Payload: field("CPgI")})
			synctest.Wait()
			return fmt.Sprint(len(w.hub.commands), r.within(time.Microsecond)[:1])
		}, "1 [8001 #4 +8]"},
		{"fields that do not add up", 5, func(_ *testing.T, w *world, r *raw) string {
			r.step(0x53ab, atem.StepOpen)
			r.packet(ack(0x53ab, 0))
			r.within(soon)
			r.packet(atem.Packet{Flags: atem.FlagNumbered | atem.FlagAck, Ack: 3, Session: 0x8001, Number: 1, Payload: []byte{0, 0, 0, 0, 'A', 'B', 'C', 'D'}})
			return fmt.Sprint(r.within(soon), len(w.hub.commands)) // the handler's business
		}, "[8001 #4 +8] 1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, newHub(dump()...), atemserver.Options{MaxSessions: row.max})
				r := w.raw()
				if got := row.do(t, w, r); got != row.want {
					t.Errorf("got  %s\nwant %s", got, row.want)
				}
				w.stop()
			})
		})
	}
}

// Opens by the thousand from addresses that do not answer: the table stays as small as it may, and who answers gets in.
func TestOpensByTheThousand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, newHub(dump()...), atemserver.Options{MaxSessions: 20})
		kept, _ := w.dial(atemclient.Options{})
		r := w.raw()
		for i := range 5000 {
			r.step(uint16(i), atem.StepOpen)
			if i%50 == 0 {
				synctest.Wait()
				r.within(time.Microsecond)
			}
			if i == 2500 {
				c, _ := w.dial(atemclient.Options{})
				<-c.Ready()
				defer c.Close()
			}
		}
		synctest.Wait()
		st := w.srv.Stats()
		if st.HalfOpen < 4900 || st.Rejected != 0 || st.Opened != 2 {
			t.Errorf("%+v", st)
		}
		time.Sleep(5 * time.Second)
		if st := w.srv.Stats(); st.Active != 2 {
			t.Errorf("afterwards: %+v", st)
		}
		if kept.Err() != nil {
			t.Error(kept.Err())
		}
		kept.Close()
		w.stop()
	})
}

// A client that stalls is dropped when too much waits for it, and nobody waits with it.
func TestStalledClientIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, newHub(dump()...), atemserver.Options{Session: atem.SessionOptions{Backlog: 50}})
		good, got := w.dial(atemclient.Options{})
		<-good.Ready()
		r := w.raw()
		r.step(7, atem.StepOpen)
		r.packet(atem.Packet{Flags: atem.FlagAck, Session: 7})
		synctest.Wait()
		for i := range 60 {
			w.hub.mu.Lock()
			w.hub.say(field("PrgI", byte(i)))
			w.hub.mu.Unlock()
			synctest.Wait()
		}
		if w.hub.live() != 1 {
			t.Fatalf("%d live", w.hub.live())
		}
		if ends := w.hub.ends(); len(ends) != 1 || !errors.Is(ends[0], atem.ErrBacklog) {
			t.Errorf("ends %v", ends)
		}
		if n := len(bytes.Split([]byte(got.codes()), []byte(" "))); n != 3+60+1 {
			t.Errorf("the other client has %d fields", n-1)
		}
		// One that has vanished is dropped because it acknowledges nothing.
		r.step(8, atem.StepOpen)
		r.packet(atem.Packet{Flags: atem.FlagAck, Session: 8})
		time.Sleep(3 * time.Second)
		if ends := w.hub.ends(); len(ends) != 2 || !errors.Is(ends[1], atem.ErrUnacknowledged) {
			t.Errorf("ends %v", ends)
		}
		good.Close()
		w.stop()
	})
}

// The server ends sessions one by one, all at once, and without a word.
func TestEndingSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, newHub(dump()...), atemserver.Options{})
		var all []*atemclient.Client
		for range 4 {
			c, _ := w.dial(atemclient.Options{})
			<-c.Ready()
			all = append(all, c)
		}
		w.hub.mu.Lock()
		for c := range w.hub.clients {
			if c.ID() == 1 {
				if c.RemoteAddr().String() != all[0].LocalAddr().String() || c.Session() != 0x8001 || !c.Since().Equal(time.Now()) || c.Stats().Sent == 0 {
					t.Errorf("%v %x %v %+v", c.RemoteAddr(), c.Session(), c.Since(), c.Stats())
				}
				c.Close()
			}
		}
		w.hub.mu.Unlock()
		<-all[0].Done()
		synctest.Wait()
		if w.hub.live() != 3 {
			t.Errorf("%d live", w.hub.live())
		}
		w.srv.CloseAll()
		for _, c := range all {
			<-c.Done()
			if !errors.Is(c.Err(), atem.ErrPeerClosed) {
				t.Error(c.Err())
			}
		}
		synctest.Wait()
		if w.hub.live() != 0 || w.srv.Stats().Active != 0 {
			t.Errorf("%d live, %+v", w.hub.live(), w.srv.Stats())
		}
		c, _ := w.dial(atemclient.Options{})
		<-c.Ready()
		w.srv.Forget()
		synctest.Wait()
		if w.hub.live() != 0 || w.srv.Stats().Active != 0 {
			t.Errorf("%d live, %+v", w.hub.live(), w.srv.Stats())
		}
		began := time.Now()
		<-c.Done()
		if !errors.Is(c.Err(), atem.ErrUnacknowledged) || time.Since(began) > 4*time.Second {
			t.Errorf("%v after %v", c.Err(), time.Since(began))
		}
		w.stop()
	})
}
