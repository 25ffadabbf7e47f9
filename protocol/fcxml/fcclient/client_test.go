package fcclient

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/fcxml"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcserver"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcsim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const addr = "192.0.2.40:49152"

// world is a simulated server in a network in memory.
type world struct {
	*testing.T
	net    *testnet.Network
	sim    *fcsim.Sim
	mu     sync.Mutex
	events []Event
}

func within(t *testing.T, o fcsim.Options, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sim, err := fcsim.New(o)
		if err != nil {
			t.Fatal(err)
		}
		w := &world{T: t, net: new(testnet.Network), sim: sim}
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		l := w.net.MustListen(addr)
		go func() { served <- sim.Serve(ctx, l) }()
		f(w)
		cancel()
		<-served
	})
}

func (w *world) options() Options {
	return Options{Key: "key-1", OnEvent: func(e Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(e.Values) > 0 && !e.Snapshot {
			return // mostly meters
		}
		w.events = append(w.events, e)
	}}
}

// open connects and subscribes to the one device.
func (w *world) open() (*Client, *fcxml.Schema) {
	w.Helper()
	c, err := Dial(w.Context(), w.net.Dial, addr, w.options())
	if err != nil {
		w.Fatal(err)
	}
	s, err := c.Device(w.Context(), func(*fcxml.Schema) bool { return true })
	if err != nil {
		w.Fatal(err)
	}
	if err := c.Subscribe(w.Context(), s); err != nil {
		w.Fatal(err)
	}
	return c, s
}

func (w *world) set(c *Client, s *fcxml.Schema, path, value string) Result {
	w.Helper()
	it := s.ByPath(path)
	if it == nil {
		w.Fatalf("no item %s", path)
	}
	return c.Set(w.Context(), s, []Write{{it, value}})[0]
}

func TestValues(t *testing.T) {
	within(t, fcsim.Options{Model: "8i6", Approved: true}, func(w *world) {
		c, s := w.open()
		defer c.Close()
		for path, want := range map[string]struct {
			value string
			state State
		}{
			"inputs/analogue-1/mode":        {"Line", Reported},
			"inputs/analogue-1/air":         {"false", Assumed},
			"outputs/monitor-output-1/gain": {"0", Reported},
			"mixer/mixes/a/inputs/1/pan":    {"0", Assumed},
			"reset-device":                  {"", Unknown},
			"inputs/analogue-1":             {"", Unknown},
		} {
			if v, st := c.Value(s, s.ByPath(path)); v != want.value || st != want.state {
				t.Errorf("%s is %q, %v; want %q, %v", path, v, st, want.value, want.state)
			}
		}
		if err := w.sim.Turn("inputs/analogue-2/air", "true"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if v, st := c.Value(s, s.ByPath("inputs/analogue-2/air")); v != "true" || st != Reported {
			t.Errorf("after a hand on the device: %q, %v", v, st)
		}
		time.Sleep(time.Second)
		meters := 0
		for i := range s.Items {
			if s.Items[i].Name() == "meter" {
				if v, _ := c.Value(s, &s.Items[i]); v != "-128" {
					meters++
				}
			}
		}
		if meters < 20 {
			t.Errorf("%d meters have moved in a second", meters)
		}
	})
}

// Nothing can be known before the snapshot: what rests is not assumed then.
func TestNothingIsAssumedBeforeTheSnapshot(t *testing.T) {
	within(t, fcsim.Options{Model: "solo"}, func(w *world) {
		c, err := Dial(w.Context(), w.net.Dial, addr, w.options())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		s, err := c.Device(w.Context(), func(*fcxml.Schema) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		if v, st := c.Value(s, s.ByPath("inputs/analogue-1/air")); st != Unknown {
			t.Errorf("%q, %v", v, st)
		}
	})
}

func TestSetIsConfirmed(t *testing.T) {
	within(t, fcsim.Options{Model: "8i6", Approved: true}, func(w *world) {
		c, s := w.open()
		defer c.Close()
		for _, x := range [][2]string{{"inputs/analogue-1/air", "true"}, {"inputs/analogue-1/mode", "Inst"}, {"outputs/monitor-output-1/gain", "-12.500"},
			{"outputs/monitor-output-1/gain", "-128"}, {"mixer/mixes/a/inputs/1/gain", "3"}, {"inputs/analogue-1/nickname", "Björk & <co> \"x\""}} {
			if r := w.set(c, s, x[0], x[1]); r.Err != nil || !r.Sent {
				t.Errorf("%s = %s: %+v", x[0], x[1], r)
			}
			v, st := c.Value(s, s.ByPath(x[0]))
			if st != Reported || !fcxml.SameValue(s.ByPath(x[0]).Kind, v, x[1]) {
				t.Errorf("%s is %q, %v after %q", x[0], v, st, x[1])
			}
		}
		if v, _ := fcxml.ParseDecibel("-128"); !math.IsInf(v, -1) {
			t.Error("-128 is a number")
		}
		many := c.Set(w.Context(), s, []Write{{s.ByPath("inputs/analogue-1/air"), "false"}, {s.ByPath("inputs/analogue-2/air"), "true"}, {s.ByPath("clock/locked"), "false"}})
		if many[0].Err != nil || many[1].Err != nil || !errors.Is(many[2].Err, ErrUnconfirmed) || !many[2].Sent {
			t.Errorf("%+v", many)
		}
		if r := c.Set(w.Context(), s, nil); len(r) != 0 {
			t.Errorf("%+v", r)
		}
	})
}

// A level that the knob owns, a value that there is not: the server says nothing, and the client says that.
func TestUnconfirmed(t *testing.T) {
	within(t, fcsim.Options{Approved: true}, func(w *world) {
		c, s := w.open()
		defer c.Close()
		for _, x := range [][2]string{{"monitoring/level", "-3"}, {"clock/sample-rate", "1 kHz"}, {"reset-device", "true"}} {
			began := time.Now()
			r := w.set(c, s, x[0], x[1])
			if !errors.Is(r.Err, ErrUnconfirmed) || !r.Sent || errors.Is(r.Err, ErrNotApproved) {
				t.Errorf("%s = %s: %+v", x[0], x[1], r)
			}
			if d := time.Since(began); d != time.Second {
				t.Errorf("it took %v to give up", d)
			}
		}
		if r := w.set(c, s, "monitoring/level", "-3"); !strings.Contains(r.Err.Error(), `"-20"`) {
			t.Errorf("it does not say what the level is: %v", r.Err)
		}
		if w.sim.Sets() != 0 {
			t.Errorf("%d values were changed", w.sim.Sets())
		}
	})
}

// A server has nothing to say to a wish for what there is already; one that is gone has nothing to say either.
func TestSetToWhatThereIs(t *testing.T) {
	within(t, fcsim.Options{Approved: true, MeterEvery: -1}, func(w *world) {
		c, s := w.open()
		defer c.Close()
		for range 2 {
			if r := w.set(c, s, "monitoring/dim", "true"); r.Err != nil {
				t.Errorf("%+v", r)
			}
		}
		c.conn.(*testnet.Conn).In().Stall()
		began := time.Now()
		if r := w.set(c, s, "monitoring/dim", "true"); !errors.Is(r.Err, ErrUnconfirmed) || !r.Sent || time.Since(began) != time.Second {
			t.Errorf("the network is silent: %+v after %v", r, time.Since(began))
		}
	})
}

func TestApproval(t *testing.T) {
	within(t, fcsim.Options{Model: "2i2"}, func(w *world) {
		w.sim.Approve("somebody-else", true)
		c, s := w.open()
		defer c.Close()
		if c.Approval() != ApprovalWaiting {
			t.Errorf("a new key is %v", c.Approval())
		}
		r := w.set(c, s, "inputs/analogue-1/air", "true")
		if !errors.Is(r.Err, ErrNotApproved) || r.Sent {
			t.Errorf("%+v", r)
		}
		w.sim.Approve("key-1", true)
		synctest.Wait()
		time.Sleep(time.Second)
		if c.Approval() != ApprovalGiven {
			t.Errorf("after approval: %v", c.Approval())
		}
		if r := w.set(c, s, "inputs/analogue-1/air", "true"); r.Err != nil {
			t.Errorf("%+v", r)
		}
		w.sim.Approve("key-1", false)
		time.Sleep(time.Second)
		if r := w.set(c, s, "inputs/analogue-1/air", "false"); !errors.Is(r.Err, ErrNotApproved) {
			t.Errorf("%+v", r)
		}
		var states []ApprovalState
		for _, e := range w.events {
			if e.Approval != 0 {
				states = append(states, e.Approval)
			}
		}
		if len(states) < 3 || states[0] != ApprovalWaiting || states[len(states)-2] != ApprovalGiven || states[len(states)-1] != ApprovalWaiting {
			t.Errorf("approval events: %v", states)
		}
	})
}

// While a pair is linked, the left channel counts for both.
func TestStereoPair(t *testing.T) {
	within(t, fcsim.Options{Model: "8i6", Approved: true}, func(w *world) {
		c, s := w.open()
		defer c.Close()
		if r := w.set(c, s, "outputs/monitor-output-2/gain", "-3"); r.Err != nil {
			t.Error(r.Err)
		}
		if r := w.set(c, s, "outputs/monitor-output-1/stereo", "true"); r.Err != nil {
			t.Error(r.Err)
		}
		if r := w.set(c, s, "outputs/monitor-output-2/gain", "-6"); r.Err != nil {
			t.Error(r.Err)
		}
		if v, _ := w.sim.Value("outputs/monitor-output-1/gain"); v != "-6" {
			t.Errorf("the left channel is at %s", v)
		}
		if v, _ := w.sim.Value("outputs/monitor-output-2/gain"); v != "-3" {
			t.Errorf("the right channel is at %s", v)
		}
		if v, st := c.Value(s, s.ByPath("outputs/monitor-output-2/gain")); v != "-6" || st != Reported {
			t.Errorf("the right channel shows %s, %v", v, st)
		}
	})
}

func TestUnplug(t *testing.T) {
	within(t, fcsim.Options{Model: "4i4", Approved: true}, func(w *world) {
		c, s := w.open()
		defer c.Close()
		w.sim.Unplug()
		synctest.Wait()
		if n := len(c.Devices()); n != 0 {
			t.Errorf("%d devices after it was unplugged", n)
		}
		if r := w.set(c, s, "inputs/analogue-1/air", "true"); !errors.Is(r.Err, ErrGone) || r.Sent {
			t.Errorf("%+v", r)
		}
		if err := c.Subscribe(w.Context(), s); !errors.Is(err, ErrGone) {
			t.Error(err)
		}
		w.sim.Plug()
		again, err := c.Device(w.Context(), func(x *fcxml.Schema) bool { return x.Serial == s.Serial })
		if err != nil || again.ID == s.ID {
			t.Fatalf("%v, number %s again", err, again.ID)
		}
		if err := c.Subscribe(w.Context(), again); err != nil {
			t.Fatal(err)
		}
		if _, st := c.Value(s, s.ByPath("clock/locked")); st != Unknown {
			t.Error("the old schema still has values")
		}
	})
}

// Faults of servers: frames joined, cut, in upper case. A length in characters loses one message and not the session.
func TestFaults(t *testing.T) {
	for name, f := range map[string]fcserver.Faults{"joined": {Join: true}, "cut": {Cut: 997}, "upper": {Upper: true}, "characters": {Characters: true}} {
		t.Run(name, func(t *testing.T) {
			within(t, fcsim.Options{Model: "8i6", Approved: true, Faults: f, MeterEvery: -1}, func(w *world) {
				c, s := w.open()
				defer c.Close()
				if err := w.sim.Turn("inputs/analogue-1/nickname", "Grüße"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				if err := w.sim.Turn("inputs/analogue-1/air", "true"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Second)
				if v, _ := c.Value(s, s.ByPath("inputs/analogue-1/air")); v != "true" {
					t.Errorf("air is %q", v)
				}
				st := c.Stats()
				if f.Characters != (st.Junk > 0) || f.Characters != (st.Unreadable > 0) {
					t.Errorf("%+v", st)
				}
				if c.Err() != nil {
					t.Error(c.Err())
				}
			})
		})
	}
	within(t, fcsim.Options{Model: "solo", Faults: fcserver.Faults{ResetAfter: 4}}, func(w *world) {
		c, err := Dial(w.Context(), w.net.Dial, addr, w.options())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		<-c.Done()
		if c.Err() == nil {
			t.Error("no cause")
		}
	})
}

func TestSilentServerIsGivenUp(t *testing.T) {
	within(t, fcsim.Options{Model: "solo", MeterEvery: -1}, func(w *world) {
		c, _ := w.open()
		defer c.Close()
		time.Sleep(time.Minute)
		if c.Err() != nil {
			t.Fatalf("a server that echoes was given up: %v", c.Err())
		}
		c.conn.(*testnet.Conn).In().Stall()
		began := time.Now()
		<-c.Done()
		if d := time.Since(began); d > 15*time.Second || !errors.Is(c.Err(), ErrSilent) {
			t.Errorf("after %v: %v", d, c.Err())
		}
	})
}

func TestDialFails(t *testing.T) {
	within(t, fcsim.Options{Model: "solo"}, func(w *world) {
		if _, err := Dial(w.Context(), w.net.Dial, addr, Options{}); err == nil {
			t.Error("a client without a key")
		}
		for name, f := range map[string]func(net.Conn){
			"silent": func(c net.Conn) { io.Copy(io.Discard, c) },
			"http":   func(c net.Conn) { io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n"); io.Copy(io.Discard, c) },
			"closes": func(c net.Conn) { io.ReadFull(c, make([]byte, 1)) }, // when the greeting has begun, which is in one write
		} {
			at := "192.0.2.41:" + map[string]string{"silent": "1", "http": "2", "closes": "3"}[name]
			l := w.net.MustListen(at)
			done := make(chan struct{})
			go func() {
				defer close(done)
				c, err := l.Accept()
				if err != nil {
					return
				}
				defer c.Close()
				f(c)
			}()
			_, err := Dial(w.Context(), w.net.Dial, at, w.options())
			want := map[string]error{"silent": context.DeadlineExceeded, "http": fcxml.ErrNoFrame, "closes": io.EOF}[name]
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
			l.Close()
			<-done
		}
	})
}

func TestCloseWhileSetting(t *testing.T) {
	within(t, fcsim.Options{Approved: true}, func(w *world) {
		c, s := w.open()
		got := make(chan Result, 1)
		go func() { got <- w.set(c, s, "monitoring/level", "-3") }()
		synctest.Wait()
		c.Close()
		if r := <-got; !errors.Is(r.Err, net.ErrClosed) || !r.Sent {
			t.Errorf("%+v", r)
		}
		if r := w.set(c, s, "monitoring/dim", "true"); !errors.Is(r.Err, net.ErrClosed) || r.Sent {
			t.Errorf("%+v", r)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestProbe(t *testing.T) {
	within(t, fcsim.Options{Model: "solo"}, func(w *world) {
		conn, err := w.net.Dial(w.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if err := Probe(w.Context(), conn); err != nil {
			t.Error(err)
		}
		if n := len(w.sim.Clients()); n != 0 {
			t.Errorf("a probe left %d programs for approval", n)
		}
	})
}

func TestDiscover(t *testing.T) {
	within(t, fcsim.Options{Model: "solo"}, func(w *world) {
		pc, err := w.net.ListenPacket(w.Context(), "udp", "192.0.2.40:30097")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(w.Context(), 5*time.Second)
		defer cancel()
		announced := make(chan error, 1)
		go func() { announced <- w.sim.Announce(ctx, pc, 49152) }()
		me, err := w.net.ListenPacket(w.Context(), "udp", "192.0.2.9:0")
		if err != nil {
			t.Fatal(err)
		}
		var got []Found
		if err := Discover(ctx, me, []string{"192.0.2.40"}, func(f Found) { got = append(got, f) }); err != nil {
			t.Error(err)
		}
		if len(got) != 1 || got[0].Addr != addr || got[0].Hostname != "simulator" {
			t.Errorf("%+v", got)
		}
		<-announced
	})
}
