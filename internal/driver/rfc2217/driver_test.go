package rfc2217

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/drivertest"
	"github.com/patchbay-io/patchbay/internal/driver/serialport"
	"github.com/patchbay-io/patchbay/internal/testnet"
	wire "github.com/patchbay-io/patchbay/protocol/rfc2217"
	"github.com/patchbay-io/patchbay/protocol/rfc2217/rfc2217server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// farPort is a serial port of a terminal server whose line has a loop: what is sent comes back, RTS is CTS and DTR is DSR and CD.
type farPort struct {
	mu     sync.Mutex
	in     wire.Settings
	loop   *testnet.Conn
	end    *testnet.Conn
	events chan [2]byte
	sets   int
	purged wire.Purge
}

func newFarPort() *farPort {
	loop, end := testnet.Pipe(1 << 20)
	p := &farPort{loop: loop, end: end, events: make(chan [2]byte, 64),
		in: wire.Settings{Baud: 9600, Data: 8, Parity: wire.ParityNone, Stop: wire.Stop1, Flow: wire.ControlFlowNone, DTR: wire.ControlDTROn, RTS: wire.ControlRTSOn, Break: wire.ControlBreakOff}}
	p.tell(0)
	return p
}

func (p *farPort) tell(line wire.LineState) {
	var m wire.ModemState
	if p.in.RTS == wire.ControlRTSOn {
		m |= wire.ModemCTS
	}
	if p.in.DTR == wire.ControlDTROn {
		m |= wire.ModemDSR | wire.ModemCD
	}
	select {
	case p.events <- [2]byte{byte(m), byte(line)}:
	default:
	}
}

func (p *farPort) Read(b []byte) (int, error)  { return p.end.Read(b) }
func (p *farPort) Write(b []byte) (int, error) { return p.end.Write(b) }
func (p *farPort) Set(_ context.Context, s wire.Settings) (wire.Settings, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.Data == 5 || s.Data == 6 {
		s.Data = 0
	}
	if s != (wire.Settings{}) {
		if s.Parity == 0 && s.Stop == 0 { // a format is three requests
			p.sets++
		}
		p.in = s.Over(p.in)
		p.tell(0)
	}
	return p.in, nil
}
func (p *farPort) Purge(_ context.Context, what wire.Purge) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.purged |= what
	return nil
}
func (p *farPort) Event(ctx context.Context) (wire.ModemState, wire.LineState, error) {
	select {
	case e := <-p.events:
		return wire.ModemState(e[0]), wire.LineState(e[1]), nil
	case <-ctx.Done():
		return 0, 0, ctx.Err()
	}
}
func (p *farPort) close() { p.loop.Close(); p.end.Close() }

// serve is a terminal server that takes one client after the other, each with a port of its own.
func serve(ctx context.Context, l net.Listener, made func(*farPort)) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		conn, err := l.Accept()
		if err != nil {
			return ctx.Err()
		}
		p := newFarPort()
		if made != nil {
			made(p)
		}
		wg.Go(func() {
			io.Copy(p.loop, p.loop)
		})
		wg.Go(func() {
			rfc2217server.Serve(ctx, conn, p, rfc2217server.Options{Signature: "far"}, p.close)
		})
	}
}

// asking are options with which the server is asked who it is.
func asking() *Options {
	o := New().Options().(*Options)
	o.Signature = true
	return o
}

// Who asks for the signature is told what to do when the server goes; who does not is never the reason.
func TestSignatureIsNotAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, ask := range []bool{false, true} {
			client, server := testnet.Pipe(1 << 20)
			p := newFarPort()
			go rfc2217server.Serve(t.Context(), &hatesSignature{Conn: server}, p, rfc2217server.Options{Signature: "far"}, p.close)
			o := New().Options().(*Options)
			o.Signature = ask
			env := driver.Env{Dial: func(context.Context, string, string) (net.Conn, error) { return client, nil }}
			s, err := New().Open(t.Context(), env, driver.Target{Name: "far", URL: &url.URL{Scheme: "rfc2217", Host: "192.0.2.30:2217"}, Options: o})
			if ask {
				if driver.ClassOf(err) != driver.Closed || !strings.Contains(driver.HintOf(err), "signature") {
					t.Errorf("%v, hint %q", err, driver.HintOf(err))
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			s.Close()
		}
	})
}

// hatesSignature is the connection of a server that goes when it is asked who it is, as gensiot does.
type hatesSignature struct {
	net.Conn
	read []byte
}

func (h *hatesSignature) Read(b []byte) (int, error) {
	n, err := h.Conn.Read(b)
	if h.read = append(h.read, b[:n]...); bytes.Contains(h.read, []byte{255, 250, 44, 0, 255, 240}) {
		h.Close()
		return 0, io.EOF
	}
	return n, err
}

func TestDriver(t *testing.T) {
	drivertest.Run(t, drivertest.Target{
		Driver: New(), URL: "rfc2217://192.0.2.30:2217",
		Options: func() any { return asking() },
		Far: func(*testing.T) drivertest.Far {
			var mu sync.Mutex
			var last *farPort
			return drivertest.Far{
				Serve: func(ctx context.Context, l net.Listener) error {
					return serve(ctx, l, func(p *farPort) { mu.Lock(); defer mu.Unlock(); last = p })
				},
				Change: func() (device.Path, device.Value) {
					mu.Lock()
					defer mu.Unlock()
					last.events <- [2]byte{byte(wire.ModemRI), 0}
					return "ports/1/ri", device.OfBool(true)
				},
				Writes: func() int {
					mu.Lock()
					p := last
					mu.Unlock()
					if p == nil {
						return 0
					}
					p.mu.Lock()
					defer p.mu.Unlock()
					return p.sets
				},
			}
		},
		Points: []driver.Write{{Path: "ports/1/baud", Value: device.OfInt(9600)}, {Path: "ports/1/format", Value: device.OfString("8N1")},
			{Path: "ports/1/cts", Value: device.OfBool(true)}, {Path: "model", Value: device.OfString("far")}},
		Writes: []driver.Write{{Path: "ports/1/baud", Value: device.OfInt(115200)}, {Path: "ports/1/format", Value: device.OfString("7E2")},
			{Path: "ports/1/rts", Value: device.OfBool(false)}, {Path: "ports/1/flow", Value: device.OfEnum(int64(driver.FlowRtsCts))}},
		Echo: "ports/1", Line: driver.Line{Baud: 9600, Data: 8, HalfStops: 2, Parity: 'N', Flow: driver.FlowNone},
		Refused: &driver.Write{Path: "ports/1/format", Value: device.OfString("5N1")},
	})
}

// A stream has the bytes, settings, lines and counters of the port, and the next one starts clean.
func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := testnet.Pipe(1 << 20)
		far := newFarPort()
		done := make(chan struct{})
		go func() { defer close(done); io.Copy(far.loop, far.loop) }()
		served := make(chan struct{})
		go func() {
			defer close(served)
			rfc2217server.Serve(t.Context(), server, far, rfc2217server.Options{}, far.close)
		}()
		u, _ := url.Parse("rfc2217://x:1")
		s, err := New().Open(t.Context(), driver.Env{Dial: func(context.Context, string, string) (net.Conn, error) { return client, nil }}, driver.Target{URL: u})
		if err != nil {
			t.Fatal(err)
		}
		streamer := s.Abilities().Streamer
		if _, err := streamer.OpenStream(t.Context(), "ports/2", driver.Line{}); driver.ClassOf(err) != driver.Unsupported {
			t.Errorf("another port: %v", err)
		}
		st, err := streamer.OpenStream(t.Context(), serialport.Path, driver.Line{Baud: 300})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := streamer.OpenStream(t.Context(), serialport.Path, driver.Line{}); driver.ClassOf(err) != driver.Busy {
			t.Errorf("a second stream: %v", err)
		}
		if e, err := st.Event(t.Context()); err != nil || !e.CTS || !e.DSR {
			t.Errorf("%+v %v", e, err)
		}
		no := false
		in, err := st.Set(t.Context(), driver.Line{Data: 7, Parity: 'O', HalfStops: 4, Flow: driver.FlowXonXoff, RTS: &no})
		if err != nil || in.Baud != 300 || in.Format() != "7O2" || in.Flow != driver.FlowXonXoff || in.RTS == nil || *in.RTS || in.DTR == nil || !*in.DTR {
			t.Errorf("%+v %v", in, err)
		}
		if e, err := st.Event(t.Context()); err != nil || e.CTS || !e.DSR {
			t.Errorf("after RTS went off: %+v %v", e, err)
		}
		all := make([]byte, 100_000)
		for i := range all {
			all[i] = byte(i)
		}
		go st.Write(all)
		back := make([]byte, len(all))
		if _, err := io.ReadFull(st, back); err != nil || string(back) != string(all) {
			t.Errorf("%v", err)
		}
		if err := st.Drain(t.Context()); err != nil || st.Unacked() != 0 {
			t.Errorf("%v, %d", err, st.Unacked())
		}
		if err := errors.Join(st.Flush(t.Context(), true, true), st.Flush(t.Context(), false, false)); err != nil || far.purged != wire.PurgeBoth {
			t.Errorf("%v %v", err, far.purged)
		}
		st.SetDeadline(time.Now().Add(time.Second))
		if _, err := st.Read(back); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%v", err)
		}
		st.SetDeadline(time.Time{})
		st.Write([]byte("left over"))
		st.Close()
		st.Close()
		for _, err := range []error{st.Flush(t.Context(), true, true), st.Drain(t.Context())} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("after Close: %v", err)
			}
		}
		synctest.Wait()
		st, err = streamer.OpenStream(t.Context(), serialport.Path, driver.Line{})
		if err != nil {
			t.Fatal(err)
		}
		st.Write([]byte("new"))
		n, err := st.Read(back)
		if err != nil || string(back[:n]) != "new" {
			t.Errorf("the next stream reads %q, %v", back[:n], err)
		}
		samples, err := s.Read(t.Context(), []device.Path{"ports/1/bytes-in", "ports/1/bytes-out", "ports/1/state", "no/such"})
		if err != nil || samples[0].Value.Int() != 100_003 || samples[1].Value.Int() != 100_012 || samples[2].Value.Int() != 1 || samples[3].Quality != device.Bad {
			t.Errorf("%+v %v", samples, err)
		}
		server.Reset()
		if _, err := st.Read(back); driver.ClassOf(err) != driver.Closed {
			t.Errorf("the link is dead: %v", err)
		}
		s.Close()
		<-served
		<-done
	})
}

func TestProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for say, match := range map[string]bool{"\xff\xfe\x2c": false, "\xff\xfd\x2c": true, "SSH-2.0-x\r\n": false} {
			client, server := testnet.Pipe(4096)
			server.Write([]byte(say))
			f, err := Driver{}.Probe(t.Context(), driver.Env{Dial: func(context.Context, string, string) (net.Conn, error) { return client, nil }}, "x:1")
			if err != nil || f.Match != match || len(f.Reasons) == 0 {
				t.Errorf("%q: %+v %v", say, f, err)
			}
			// Some servers crash on questions: it sends nothing but the negotiation of options.
			for got, _ := io.ReadAll(server); len(got) > 0; got = got[3:] {
				if len(got) < 3 || got[0] != wire.IAC || got[1] < wire.WILL {
					t.Errorf("%q: it sends %x", say, got)
					break
				}
			}
			server.Close()
		}
	})
}

func TestURLs(t *testing.T) {
	for _, bad := range []string{"rfc2217:", "rfc2217:///x"} {
		u, _ := url.Parse(bad)
		if _, err := New().Open(t.Context(), driver.Env{}, driver.Target{URL: u}); err == nil || !strings.Contains(driver.HintOf(err), "rfc2217://HOST:PORT") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if (&Options{Timeout: time.Millisecond}).Validate() == nil {
		t.Error("a timeout of 1 ms passes")
	}
}
