package ocaclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
)

// withDevice runs f with a client of a served device inside a bubble of simulated time.
func withDevice(t *testing.T, d *ocaserver.Device, o Options, f func(t *testing.T, c *Client, near *testnet.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		near, far := testnet.Pipe(256 << 10)
		s := ocaserver.New(d, ocaserver.Options{})
		done := make(chan error)
		go func() { done <- s.ServeConn(t.Context(), far) }()
		c := New(near, "desk", o)
		f(t, c, near)
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		<-done
		if !near.Closed() {
			t.Error("the connection is left open")
		}
	})
}

func newDevice() *ocaserver.Device {
	return ocaserver.NewDevice(ocaserver.Info{Model: ocp1.ModelDescription{Manufacturer: "Maker", Name: "Desk", Version: "1"}, Serial: "S1"})
}

func TestTree(t *testing.T) {
	d := newDevice()
	in := d.Root().Block("Inputs")
	for i := range 3 {
		b := in.Block(fmt.Sprint("Input", i+1))
		b.Gain("Gain", 0, -10, 10)
		b.Mute("Mute", false)
	}
	d.Root().Boolean("Dim", false)
	withDevice(t, d, Options{}, func(t *testing.T, c *Client, _ *testnet.Conn) {
		root, err := c.Tree(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		root.Walk(func(o *Object) bool {
			got = append(got, fmt.Sprintf("%d %v %s", o.ONo, o.Class.Class, o.RolePath()))
			return true
		})
		want := []string{"100 1.1.3 ", "4096 1.1.3 Inputs", "4097 1.1.3 Inputs/Input1", "4098 1.1.1.5 Inputs/Input1/Gain", "4099 1.1.1.2 Inputs/Input1/Mute",
			"4100 1.1.3 Inputs/Input2", "4101 1.1.1.5 Inputs/Input2/Gain", "4102 1.1.1.2 Inputs/Input2/Mute",
			"4103 1.1.3 Inputs/Input3", "4104 1.1.1.5 Inputs/Input3/Gain", "4105 1.1.1.2 Inputs/Input3/Mute", "4106 1.1.1.1.1 Dim"}
		if !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		n := 0
		root.Walk(func(*Object) bool { n++; return n < 3 })
		if n != 3 {
			t.Errorf("Walk goes on after false: %d", n)
		}
		if m, err := c.Model(t.Context()); err != nil || m.Name != "Desk" {
			t.Errorf("%+v, %v", m, err)
		}
		if s, err := c.DeviceText(t.Context(), id(3, 3)); err != nil || s != "S1" {
			t.Errorf("%q, %v", s, err)
		}
		if s, err := c.DeviceText(t.Context(), id(3, 99)); err != nil || s != "" {
			t.Errorf("a text that is not there: %q, %v", s, err)
		}
	})
}

func TestTypedObjects(t *testing.T) {
	d := newDevice()
	r := d.Root()
	gain, pan, mute := r.Gain("", -30, -80, 6), r.PanBalance("", 0), r.Mute("", false)
	sw, dim, text, num, level := r.Switch("", 0, "A", "B"), r.Boolean("", false), r.Text("", "x"), r.Uint16("", 1, 0, 9), r.Level("", -3, -128, 0)
	sensor := r.TextSensor("", "model")
	withDevice(t, d, Options{}, func(t *testing.T, c *Client, _ *testnet.Conn) {
		ctx := t.Context()
		if v, err := c.Gain(gain.ONo()).GetRanged(ctx); err != nil || v != (Ranged[float32]{-30, -80, 6}) {
			t.Errorf("%+v, %v", v, err)
		}
		for name, err := range map[string]error{
			"gain": c.Gain(gain.ONo()).Set(ctx, -24.5), "pan": c.PanBalance(pan.ONo()).Set(ctx, 0.5), "mute": c.Mute(mute.ONo()).Set(ctx, true),
			"switch": c.Switch(sw.ONo()).Set(ctx, 1), "boolean": c.Boolean(dim.ONo()).Set(ctx, true), "text": c.Text(text.ONo()).Set(ctx, "Björk"), "uint16": c.Uint16(num.ONo()).Set(ctx, 9),
		} {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if gain.Get() != -24.5 || pan.Get() != 0.5 || !mute.Get() || sw.Get() != 1 || !dim.Get() || text.Get() != "Björk" || num.Get() != 9 {
			t.Error("the device has other values")
		}
		if v, err := c.Mute(mute.ONo()).Get(ctx); err != nil || !v {
			t.Errorf("mute %v, %v", v, err)
		}
		if v, err := c.Level(level.ONo()).Get(ctx); err != nil || v != -3 {
			t.Errorf("level %v, %v", v, err)
		}
		if v, err := c.Text(sensor.ONo()).Get(ctx); err != nil || v != "model" {
			t.Errorf("sensor %v, %v", v, err)
		}
		if v, err := c.Enabled(gain.ONo()).Get(ctx); err != nil || !v {
			t.Errorf("enabled %v, %v", v, err)
		}
		if v, err := c.Label(gain.ONo()).Get(ctx); err != nil || v != "" {
			t.Errorf("label %q, %v", v, err)
		}
		if v, err := c.PositionNames(ctx, sw.ONo()); err != nil || !slices.Equal(v, []string{"A", "B"}) {
			t.Errorf("names %q, %v", v, err)
		}
		for _, row := range []struct {
			name string
			err  error
			want ocp1.Status
		}{
			{"out of range", c.Gain(gain.ONo()).Set(ctx, 7), ocp1.StatusParameterOutOfRange},
			{"a level", c.Level(level.ONo()).Set(ctx, 7), ocp1.StatusBadMethod},
			{"no object", c.Gain(9999).Set(ctx, 7), ocp1.StatusBadONo},
			{"unlock", c.Unlock(ctx, gain.ONo()), ocp1.StatusInvalidRequest},
		} {
			if !errors.Is(row.err, &ocp1.Error{Status: row.want}) {
				t.Errorf("%s: %v", row.name, row.err)
			}
		}
		if err := c.Lock(ctx, gain.ONo(), true); err != nil {
			t.Error(err)
		}
		if err := c.Unlock(ctx, gain.ONo()); err != nil {
			t.Error(err)
		}
		if c.Err() != nil || c.Stats().Answers == 0 || c.Stats().Odd != 0 {
			t.Errorf("%v, %+v", c.Err(), c.Stats())
		}
	})
}

// Events come in the form that the device has.
func TestSubscribe(t *testing.T) {
	for _, old := range []bool{false, true} {
		d := newDevice()
		gain := d.Root().Gain("Gain", 0, -80, 6)
		var mu sync.Mutex
		var got []string
		o := Options{Events: func(e Event) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, fmt.Sprintf("%d %v %x %v", e.Source.Emitter, e.Change.Property, e.Change.Value, e.Change.Change))
		}}
		withDevice(t, d, o, func(t *testing.T, c *Client, _ *testnet.Conn) {
			if old {
				c.events2.Store(ev1)
			}
			errs, err := c.Subscribe(t.Context(), gain.ONo(), 9999)
			if err != nil || len(errs) != 2 || errs[0] != nil || !errors.Is(errs[1], &ocp1.Error{Status: ocp1.StatusBadONo}) {
				t.Fatalf("%v, %v", errs, err)
			}
			if c.EV2() == old {
				t.Errorf("EV2 is %v", c.EV2())
			}
			gain.Set(-24.5)
			synctest.Wait()
			mu.Lock()
			if !slices.Equal(got, []string{"4096 4.1 c1c40000 current"}) {
				t.Errorf("%q", got)
			}
			got = nil
			mu.Unlock()
			if errs, err := c.Unsubscribe(t.Context(), gain.ONo()); err != nil || errs[0] != nil {
				t.Errorf("%v, %v", errs, err)
			}
			gain.Set(0)
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if len(got) != 0 {
				t.Errorf("%q after the end", got)
			}
		})
	}
}

// scripted runs f with a client of a device that is a function.
func scripted(t *testing.T, o Options, device func(r *ocp1.Reader, far *testnet.Conn), f func(t *testing.T, c *Client, near *testnet.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		near, far := testnet.Pipe(256 << 10)
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer far.Close()
			device(ocp1.NewReader(far, 0), far)
		}()
		c := New(near, "device", o)
		f(t, c, near)
		c.Close()
		<-done
	})
}

// commands calls f with each command until the connection ends.
func commands(r *ocp1.Reader, f func(m ocp1.Message, cmd ocp1.Command)) {
	for {
		m, err := r.Next()
		if err != nil {
			return
		}
		if m.Type != ocp1.TypeCommandRrq {
			continue
		}
		p := m.PDUs()
		for {
			cmd, ok := p.Command()
			if !ok {
				break
			}
			cmd.Params = bytes.Clone(cmd.Params)
			f(m, cmd)
		}
	}
}

// A device with the older events only is asked for the newer ones once.
func TestFallsBackToEV1(t *testing.T) {
	var asked []ocp1.ID
	scripted(t, Options{}, func(r *ocp1.Reader, far *testnet.Conn) {
		commands(r, func(_ ocp1.Message, cmd ocp1.Command) {
			asked = append(asked, cmd.Method)
			s := ocp1.StatusOK
			if cmd.Method == ocp1.MethodAddSubscription2 {
				s = ocp1.StatusNotImplemented
			}
			far.Write(ocp1.AppendResponses(nil, 1, ocp1.Response{Handle: cmd.Handle, Status: s}))
		})
	}, func(t *testing.T, c *Client, _ *testnet.Conn) {
		for range 2 {
			if errs, err := c.Subscribe(t.Context(), 5000, 5001); err != nil || errs[0] != nil {
				t.Fatal(errs, err)
			}
		}
		want := []ocp1.ID{ocp1.MethodAddSubscription2, ocp1.MethodAddSubscription, ocp1.MethodAddSubscription, ocp1.MethodAddSubscription, ocp1.MethodAddSubscription}
		if !slices.Equal(asked, want) {
			t.Errorf("%v", asked)
		}
	})
}

// Commands that are ready together share messages; no more than the window are unanswered; answers may come in any order.
func TestPipelining(t *testing.T) {
	const window, n = 16, 200
	messages, open, most := 0, 0, 0
	var held []ocp1.Command
	scripted(t, Options{Window: window, KeepAlive: -1}, func(r *ocp1.Reader, far *testnet.Conn) {
		for {
			m, err := r.Next()
			if err != nil {
				return
			}
			messages++
			p := m.PDUs()
			for {
				cmd, ok := p.Command()
				if !ok {
					break
				}
				cmd.Params = bytes.Clone(cmd.Params)
				held = append(held, cmd)
				open++
			}
			most = max(most, open)
			slices.Reverse(held)
			b, at := ocp1.BeginMessage(nil, 1, ocp1.TypeResponse)
			for _, cmd := range held {
				b = ocp1.Response{Handle: cmd.Handle, Count: 1, Params: cmd.Params}.Append(b)
			}
			b = ocp1.EndMessage(b, at, len(held))
			open, held = 0, nil
			far.Write(b)
		}
	}, func(t *testing.T, c *Client, _ *testnet.Conn) {
		calls := make([]Call, n)
		for i := range calls {
			calls[i] = Call{Target: 5000, Method: id(1, 5), Count: 1, Params: ocp1.AppendU32(nil, uint32(i))}
		}
		if err := c.DoAll(t.Context(), calls); err != nil {
			t.Fatal(err)
		}
		for i := range calls {
			if calls[i].Err != nil || !bytes.Equal(calls[i].Values, calls[i].Params) || calls[i].Returned != 1 {
				t.Fatalf("call %d: %+v", i, calls[i])
			}
		}
		if most > window || messages > n/window*4 {
			t.Errorf("%d messages, %d unanswered at most", messages, most)
		}
		if s := c.Stats(); s.Commands != n || s.Answers != n {
			t.Errorf("%+v", s)
		}
	})
}

// A call that is not answered in time fails and the session goes on; a late answer harms nobody.
func TestNoAnswer(t *testing.T) {
	var late []uint32
	var answer atomic.Bool
	scripted(t, Options{Timeout: time.Second, KeepAlive: -1}, func(r *ocp1.Reader, far *testnet.Conn) {
		commands(r, func(_ ocp1.Message, cmd ocp1.Command) {
			if !answer.Load() {
				late = append(late, cmd.Handle)
				return
			}
			for _, h := range late {
				far.Write(ocp1.AppendResponses(nil, 1, ocp1.Response{Handle: h, Count: 1, Params: []byte{9}}))
			}
			late = nil
			far.Write(ocp1.AppendResponses(nil, 1, ocp1.Response{Handle: cmd.Handle, Count: 1, Params: []byte{1}}))
		})
	}, func(t *testing.T, c *Client, _ *testnet.Conn) {
		start := time.Now()
		_, err := c.Do(t.Context(), 1, id(3, 6), 0, nil)
		if !errors.Is(err, ErrNoAnswer) || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a deadline of the caller's counts alone
		start = time.Now()
		if _, err := c.Do(ctx, 1, id(3, 6), 0, nil); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		cancel()
		if _, err := c.Do(ctx, 1, id(3, 6), 0, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after the deadline: %v", err)
		}
		answer.Store(true)
		if b, err := c.Do(t.Context(), 1, id(3, 6), 0, nil); err != nil || !bytes.Equal(b, []byte{1}) {
			t.Errorf("%x, %v", b, err)
		}
		if s := c.Stats(); s.Odd != 2 || c.Err() != nil {
			t.Errorf("%+v, %v", s, c.Err())
		}
		if len(c.slots) != 0 {
			t.Errorf("%d places of the window are lost", len(c.slots))
		}
	})
}

// A device that works slowly through many commands is not given up while it answers.
func TestSlowDevice(t *testing.T) {
	scripted(t, Options{Timeout: time.Second, Window: 100, KeepAlive: -1}, func(r *ocp1.Reader, far *testnet.Conn) {
		commands(r, func(_ ocp1.Message, cmd ocp1.Command) {
			time.Sleep(100 * time.Millisecond)
			far.Write(ocp1.AppendResponses(nil, 1, ocp1.Response{Handle: cmd.Handle}))
		})
	}, func(t *testing.T, c *Client, _ *testnet.Conn) {
		calls := make([]Call, 100)
		for i := range calls {
			calls[i] = Call{Target: 1, Method: id(1, 5)}
		}
		if err := c.DoAll(t.Context(), calls); err != nil {
			t.Error(err)
		}
	})
}

// The ends of a session: each with its cause, and all who wait are told.
func TestEnds(t *testing.T) {
	for _, row := range []struct {
		name   string
		device func(far *testnet.Conn)
		want   error
	}{
		{"closed", func(far *testnet.Conn) { far.Close() }, io.EOF},
		{"reset", func(far *testnet.Conn) { far.Reset() }, nil},
		{"garbage", func(far *testnet.Conn) { far.Write([]byte("HTTP/1.1 400 Bad Request\r\n")) }, ocp1.ErrSync},
		{"a huge message", func(far *testnet.Conn) { far.Write([]byte{0x3b, 0, 1, 0xff, 0, 0, 0, 3, 0, 1}) }, ocp1.ErrTooLong},
		{"a response that ends too early", func(far *testnet.Conn) { far.Write([]byte{0x3b, 0, 1, 0, 0, 0, 9, 3, 0, 1}) }, ocp1.ErrPDU},
		{"half a message", func(far *testnet.Conn) { far.Write([]byte{0x3b, 0}); far.Close() }, io.ErrUnexpectedEOF},
		{"an odd keep-alive", func(far *testnet.Conn) { far.Write([]byte{0x3b, 0, 1, 0, 0, 0, 12, 4, 0, 1, 0, 0, 1}) }, ocp1.ErrPDU},
	} {
		scripted(t, Options{KeepAlive: -1}, func(r *ocp1.Reader, far *testnet.Conn) {
			commands(r, func(ocp1.Message, ocp1.Command) { row.device(far) })
		}, func(t *testing.T, c *Client, near *testnet.Conn) {
			calls := make([]Call, 5)
			for i := range calls {
				calls[i] = Call{Target: 1, Method: id(3, 6)}
			}
			err := c.DoAll(t.Context(), calls)
			for _, err := range []error{err, calls[0].Err, calls[4].Err} {
				if !errors.Is(err, net.ErrClosed) || row.want != nil && !errors.Is(err, row.want) {
					t.Errorf("%s: %v", row.name, err)
				}
			}
			<-c.Done()
			if row.want != nil && !errors.Is(c.Err(), row.want) {
				t.Errorf("%s: %v", row.name, c.Err())
			}
			start := time.Now()
			if _, err := c.Do(t.Context(), 1, id(3, 6), 0, nil); !errors.Is(err, net.ErrClosed) || time.Since(start) != 0 {
				t.Errorf("%s: afterwards %v", row.name, err)
			}
			if !near.Closed() {
				t.Errorf("%s: the connection is open", row.name)
			}
		})
	}
}

// What is odd and harmless is counted.
func TestOddMessages(t *testing.T) {
	events := 0
	scripted(t, Options{Events: func(Event) { events++ }}, func(r *ocp1.Reader, far *testnet.Conn) {
		commands(r, func(_ ocp1.Message, cmd ocp1.Command) {
			far.Write(ocp1.AppendCommands(nil, 1, true, cmd))
			far.Write(ocp1.Message{Header: ocp1.Header{Version: 1, Type: 7, Count: 1}}.Append(nil))
			far.Write(ocp1.AppendResponses(nil, 1, ocp1.Response{Handle: 4711}))
			far.Write(ocp1.AppendNotifications2(nil, 1, ocp1.Notification2{Event: ocp1.Event{Emitter: 1, ID: ocp1.PropertyChanged}, Data: []byte{1}}))
			far.Write(ocp1.AppendNotifications2(nil, 1, ocp1.Notification2{Event: ocp1.Event{Emitter: 1, ID: ocp1.PropertyChanged}, Exception: 1}))
			far.Write(ocp1.AppendResponses(nil, 1, ocp1.Response{Handle: cmd.Handle}))
		})
	}, func(t *testing.T, c *Client, _ *testnet.Conn) {
		if _, err := c.Do(t.Context(), 1, id(3, 6), 0, nil); err != nil {
			t.Fatal(err)
		}
		if s := c.Stats(); s.Odd != 4 || s.Events != 2 || events != 1 {
			t.Errorf("%+v, %d events", s, events)
		}
	})
}

// A device that promised to be heard and is not ends the session. One that promised nothing may be silent as long as it answers, and also while
// it is busy with a command.
func TestSilentDevice(t *testing.T) {
	for _, row := range []struct {
		name              string
		promises, answers bool
		busy              bool // a command waits for its answer
		dies              bool
		least, limit      time.Duration
	}{
		{"promised", true, false, false, true, 3 * time.Second, 4 * time.Second},
		{"answers", false, true, false, false, 0, 0},
		{"promised nothing and is gone", false, false, false, true, 20 * time.Second, 21 * time.Second},
		{"busy", false, false, true, false, 0, 0},
	} {
		t.Log(row.name)
		scripted(t, Options{}, func(r *ocp1.Reader, far *testnet.Conn) {
			for first := true; ; first = false {
				m, err := r.Next()
				if err != nil {
					return
				}
				if m.Type == ocp1.TypeKeepAlive && first && row.promises {
					far.Write(m.Append(nil))
				}
				if m.Type != ocp1.TypeCommandRrq || !row.answers {
					continue
				}
				p := m.PDUs()
				if cmd, ok := p.Command(); ok {
					far.Write(ocp1.AppendResponses(nil, m.Version, ocp1.Response{Handle: cmd.Handle}))
				}
			}
		}, func(t *testing.T, c *Client, _ *testnet.Conn) {
			start := time.Now()
			timer := time.NewTimer(time.Minute)
			defer timer.Stop()
			if row.busy {
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
				defer cancel()
				go func() { _, _ = c.Do(ctx, 1, id(3, 6), 0, nil) }()
			}
			select {
			case <-c.Done():
				if d := time.Since(start); !row.dies || !errors.Is(c.Err(), ErrSilent) || d < row.least || d > row.limit {
					t.Errorf("%s: ended after %v: %v", row.name, d, c.Err())
				}
			case <-timer.C:
				if row.dies {
					t.Errorf("%s: the session goes on", row.name)
				}
				if s := c.Stats(); s.MessagesOut < 58 {
					t.Errorf("%s: heard %d times in a minute", row.name, s.MessagesOut)
				}
			}
		})
	}
}

// Two devices that lie about their trees.
func TestBadTrees(t *testing.T) {
	member := ocp1.ObjectIdentification{ONo: 100, Class: ocp1.ClassIdentification{Class: ocp1.ClassBlock, Version: 2}}
	child := ocp1.ObjectIdentification{ONo: 4096, Class: member.Class}
	answers := map[string]func(cmd ocp1.Command) ocp1.Response{
		"a circle": func(cmd ocp1.Command) ocp1.Response {
			if cmd.Method == id(1, 5) {
				return ocp1.Response{Count: 1, Params: ocp1.AppendString(nil, "x")}
			}
			return ocp1.Response{Count: 1, Params: ocp1.AppendList(nil, []ocp1.ObjectIdentification{member, child, child}, ocp1.AppendObjectIdentification)}
		},
		"no roles, and a block that says no": func(cmd ocp1.Command) ocp1.Response {
			if cmd.Target == 100 {
				return ocp1.Response{Count: 1, Params: ocp1.AppendList(nil, []ocp1.ObjectIdentification{child}, ocp1.AppendObjectIdentification)}
			}
			return ocp1.Response{Status: ocp1.StatusNotImplemented}
		},
		"bad: no root":    func(ocp1.Command) ocp1.Response { return ocp1.Response{Status: ocp1.StatusBadONo} },
		"bad: cut answer": func(ocp1.Command) ocp1.Response { return ocp1.Response{Count: 1, Params: []byte{0, 9, 1}} },
	}
	for name, answer := range answers {
		scripted(t, Options{}, func(r *ocp1.Reader, far *testnet.Conn) {
			commands(r, func(_ ocp1.Message, cmd ocp1.Command) {
				a := answer(cmd)
				a.Handle = cmd.Handle
				far.Write(ocp1.AppendResponses(nil, 1, a))
			})
		}, func(t *testing.T, c *Client, _ *testnet.Conn) {
			root, err := c.Tree(t.Context())
			if bad := name[:3] == "bad"; bad != (err != nil) {
				t.Errorf("%s: %v", name, err)
			} else if !bad && (len(root.Members) != 1 || len(root.Members[0].Members) != 0) {
				t.Errorf("%s: %+v", name, root)
			}
		})
	}
}

// A write that does not go out ends the session.
func TestStuckWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := testnet.Pipe(16)
		c := New(near, "device", Options{Timeout: time.Second, KeepAlive: -1})
		start := time.Now()
		_, err := c.Do(t.Context(), 1, id(3, 6), 1, make([]byte, 1000))
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second || c.Err() == nil {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		c.Close()
		far.Close()
	})
}

func TestDial(t *testing.T) {
	refused := errors.New("refused")
	if _, err := Dial(t.Context(), func(context.Context, string, string) (net.Conn, error) { return nil, refused }, "host:1", Options{}); !errors.Is(err, refused) {
		t.Errorf("%v", err)
	}
	synctest.Test(t, func(t *testing.T) {
		ln := testnet.Listen()
		c, err := Dial(t.Context(), ln.DialContext, ln.Addr().String(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		ln.Close()
	})
}

// Answers that have all come count, also when the caller has lost patience by then.
func TestAnswersBeforeACancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 { // a select takes either
		b := &batch{done: make(chan struct{})}
		b.left.Store(1)
		if err := (&Client{}).wait(ctx, nil, nil, b); err != nil {
			t.Fatal(err)
		}
	}
}
