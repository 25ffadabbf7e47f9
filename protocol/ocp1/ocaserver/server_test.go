package ocaserver

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
)

// desk is a small device: gain 4097, mute 4098, switch 4099, text 4100 in block 4096; level 4101 in the root block.
type desk struct {
	*Device
	block  *Block
	gain   *Value[float32]
	mute   *Value[bool]
	source *Switch
	name   *Value[string]
	level  *Value[float32]
}

func newDesk() *desk {
	d := &desk{Device: NewDevice(Info{Model: ocp1.ModelDescription{Manufacturer: "Maker", Name: "Desk", Version: "1"}, Serial: "S1", Name: "desk"})}
	d.block = d.Root().Block("Input1")
	d.gain = d.block.Gain("Gain", -30, -80, 6)
	d.mute = d.block.Mute("Mute", false)
	d.source = d.block.Switch("Source", 0, "Mic", "Line")
	d.name = d.block.Text("Name", "one")
	d.level = d.Root().Level("Level", -60, -128, 0)
	return d
}

// peer is a controller that speaks bytes.
type peer struct {
	t *testing.T
	*testnet.Conn
	r *ocp1.Reader
}

// serveDesk runs f with a served desk inside a bubble of simulated time.
func serveDesk(t *testing.T, o Options, f func(d *desk, s *Server, dial func() *peer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		s := New(d.Device, o)
		ln := testnet.Listen()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Serve(ctx, ln) }()
		f(d, s, func() *peer {
			c, err := ln.Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return &peer{t, c.(*testnet.Conn), ocp1.NewReader(c, 0)}
		})
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Serve: %v", err)
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, o := range d.objects {
			if len(o.subs) > 0 || o.holder != nil {
				t.Errorf("object %d keeps %d subscriptions and a lock of %v", o.ono, len(o.subs), o.holder)
			}
		}
	})
}

func (p *peer) say(b []byte) {
	p.t.Helper()
	if _, err := p.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) next() ocp1.Message {
	p.t.Helper()
	p.SetReadDeadline(time.Now().Add(time.Minute))
	m, err := p.r.Next()
	if err != nil {
		p.t.Fatal(err)
	}
	m.Body = bytes.Clone(m.Body)
	return m
}

// ask sends one command and returns its response.
func (p *peer) ask(target ocp1.ONo, level, index uint16, count uint8, params []byte) ocp1.Response {
	p.t.Helper()
	p.say(ocp1.AppendCommands(nil, 1, true, ocp1.Command{Handle: 77, Target: target, Method: ocp1.ID{Level: level, Index: index}, Count: count, Params: params}))
	for {
		m := p.next()
		if m.Type != ocp1.TypeResponse {
			continue
		}
		q := m.PDUs()
		r, ok := q.Response()
		if !ok || r.Handle != 77 || m.Count != 1 {
			p.t.Fatalf("%+v, %v", m.Header, q.Err())
		}
		return r
	}
}

func f32s(v ...float32) (b []byte) {
	for _, x := range v {
		b = ocp1.AppendF32(b, x)
	}
	return b
}

// Every kind of question and every mistake has its answer.
func TestCommands(t *testing.T) {
	str := func(s string) []byte { return ocp1.AppendString(nil, s) }
	gainClass := ocp1.AppendClassIdentification(nil, ocp1.ClassIdentification{Class: ocp1.ClassGain, Version: 2})
	rows := []struct {
		name         string
		target       ocp1.ONo
		level, index uint16
		count        uint8
		params       []byte
		status       ocp1.Status
		returns      uint8
		values       []byte
	}{
		{"model", 1, 3, 6, 0, nil, 0, 1, ocp1.AppendModelDescription(nil, ocp1.ModelDescription{Manufacturer: "Maker", Name: "Desk", Version: "1"})},
		{"serial", 1, 3, 3, 0, nil, 0, 1, str("S1")},
		{"device name", 1, 3, 4, 0, nil, 0, 1, str("desk")},
		{"set device name", 1, 3, 5, 1, str("x"), ocp1.StatusPermissionDenied, 0, nil},
		{"state", 1, 3, 13, 0, nil, 0, 1, []byte{0, 1}},
		{"managers", 1, 3, 19, 0, nil, 0, 1, ocp1.AppendList(nil, []ocp1.ManagerDescriptor{
			{ONo: 1, Name: "DeviceManager", Class: ocp1.ClassDeviceManager, Version: 2}, {ONo: 4, Name: "SubscriptionManager", Class: ocp1.ClassSubscriptionManager, Version: 2}}, ocp1.AppendManagerDescriptor)},
		{"members", 4096, 3, 5, 0, nil, 0, 1, nil},
		{"members recursive", 100, 3, 6, 0, nil, 0, 1, nil},
		{"find by role without parameters", 100, 3, 17, 0, nil, ocp1.StatusBadFormat, 0, nil},
		{"signal paths recursive", 100, 3, 10, 0, nil, 0, 1, []byte{0, 0}},
		{"numbers of no prototype", 100, 3, 16, 0, nil, 0, 1, []byte{0, 0}},
		{"add a member", 100, 3, 3, 1, make([]byte, 4), ocp1.StatusBadMethod, 0, nil},
		{"clear reset cause", 1, 3, 16, 0, nil, ocp1.StatusPermissionDenied, 0, nil},
		{"role", 4097, 1, 5, 0, nil, 0, 1, str("Gain")},
		{"class", 4097, 1, 1, 0, nil, 0, 1, gainClass},
		{"lockable", 4097, 1, 2, 0, nil, 0, 1, []byte{1}},
		{"owner", 4097, 2, 10, 0, nil, 0, 1, ocp1.AppendONo(nil, 4096)},
		{"path", 4097, 2, 13, 0, nil, 0, 2, append(ocp1.AppendList(nil, []string{"Root", "Input1", "Gain"}, ocp1.AppendString), ocp1.AppendList(nil, []ocp1.ONo{100, 4096, 4097}, ocp1.AppendONo)...)},
		{"enabled", 4097, 2, 1, 0, nil, 0, 1, []byte{1}},
		{"set enabled", 4097, 2, 2, 1, []byte{0}, ocp1.StatusPermissionDenied, 0, nil},
		{"gain", 4097, 4, 1, 0, nil, 0, 3, f32s(-30, -80, 6)},
		{"set gain", 4097, 4, 2, 1, f32s(-24.5), 0, 0, nil},
		{"gain afterwards", 4097, 4, 1, 0, nil, 0, 3, f32s(-24.5, -80, 6)},
		{"gain too high", 4097, 4, 2, 1, f32s(6.1), ocp1.StatusParameterOutOfRange, 0, nil},
		{"gain too low", 4097, 4, 2, 1, f32s(-80.1), ocp1.StatusParameterOutOfRange, 0, nil},
		{"gain is no number", 4097, 4, 2, 1, f32s(float32(math.NaN())), ocp1.StatusParameterOutOfRange, 0, nil},
		{"gain, short", 4097, 4, 2, 1, []byte{1, 2, 3}, ocp1.StatusBadFormat, 0, nil},
		{"gain, long", 4097, 4, 2, 1, f32s(1, 2), ocp1.StatusBadFormat, 0, nil},
		{"gain without parameters", 4097, 4, 2, 0, nil, ocp1.StatusBadFormat, 0, nil},
		{"gain, count that lies", 4097, 4, 2, 2, f32s(1), ocp1.StatusBadFormat, 0, nil},
		{"getter with parameters", 4097, 4, 1, 1, []byte{1}, ocp1.StatusBadFormat, 0, nil},
		{"getter with bytes that are not counted", 4097, 4, 1, 0, []byte{1}, ocp1.StatusBadFormat, 0, nil},
		{"mute", 4098, 4, 1, 0, nil, 0, 1, []byte{2}},
		{"set mute", 4098, 4, 2, 1, []byte{1}, 0, 0, nil},
		{"muted", 4098, 4, 1, 0, nil, 0, 1, []byte{1}},
		{"mute to no state", 4098, 4, 2, 1, []byte{3}, ocp1.StatusParameterOutOfRange, 0, nil},
		{"position", 4099, 4, 1, 0, nil, 0, 3, []byte{0, 0, 0, 0, 0, 1}},
		{"set position", 4099, 4, 2, 1, []byte{0, 1}, 0, 0, nil},
		{"position out of range", 4099, 4, 2, 1, []byte{0, 2}, ocp1.StatusParameterOutOfRange, 0, nil},
		{"position name", 4099, 4, 3, 1, []byte{0, 1}, 0, 1, str("Line")},
		{"name of no position", 4099, 4, 3, 1, []byte{0, 2}, ocp1.StatusParameterOutOfRange, 0, nil},
		{"position names", 4099, 4, 5, 0, nil, 0, 1, ocp1.AppendList(nil, []string{"Mic", "Line"}, ocp1.AppendString)},
		{"positions enabled", 4099, 4, 9, 0, nil, 0, 1, []byte{0, 2, 1, 1}},
		{"set position names", 4099, 4, 6, 1, []byte{0, 0}, ocp1.StatusPermissionDenied, 0, nil},
		{"set position name", 4099, 4, 4, 2, append([]byte{0, 0}, str("x")...), ocp1.StatusPermissionDenied, 0, nil},
		{"enable position", 4099, 4, 8, 2, []byte{0, 0, 1}, ocp1.StatusPermissionDenied, 0, nil},
		{"text", 4100, 5, 1, 0, nil, 0, 1, str("one")},
		{"set text", 4100, 5, 2, 1, str("Björk"), 0, 0, nil},
		{"text afterwards", 4100, 5, 1, 0, nil, 0, 1, str("Björk")},
		{"text too long", 4100, 5, 2, 1, str(strings.Repeat("x", maxText+1)), ocp1.StatusParameterOutOfRange, 0, nil},
		{"text whose count lies", 4100, 5, 2, 1, []byte{0, 9, 'x'}, ocp1.StatusBadFormat, 0, nil},
		{"level", 4101, 4, 1, 0, nil, 0, 3, f32s(-60, -128, 0)},
		{"set level", 4101, 4, 2, 1, f32s(0), ocp1.StatusBadMethod, 0, nil},
		{"reading state", 4101, 3, 1, 0, nil, 0, 1, []byte{1}},
		{"no such object", 9999, 1, 5, 0, nil, ocp1.StatusBadONo, 0, nil},
		{"absent manager", 6, 3, 1, 0, nil, ocp1.StatusBadONo, 0, nil},
		{"no such method", 4097, 4, 99, 0, nil, ocp1.StatusBadMethod, 0, nil},
		{"no such level", 4097, 9, 1, 0, nil, ocp1.StatusBadMethod, 0, nil},
		{"latency", 4097, 2, 11, 0, nil, 0, 1, f32s(0)},
		{"set latency", 4097, 2, 12, 1, f32s(1), ocp1.StatusPermissionDenied, 0, nil},
		{"unlock what is not locked", 4097, 1, 4, 0, nil, ocp1.StatusInvalidRequest, 0, nil},
		{"subscribe to nothing", 4, 3, 8, 3, ocp1.Subscription2{Event: ocp1.Event{Emitter: 9999, ID: ocp1.PropertyChanged}, Delivery: 1}.Append(nil), ocp1.StatusBadONo, 0, nil},
		{"subscribe to another event", 4, 3, 8, 3, ocp1.Subscription2{Event: ocp1.Event{Emitter: 4097, ID: ocp1.ID{Level: 4, Index: 1}}, Delivery: 1}.Append(nil), ocp1.StatusParameterError, 0, nil},
		{"subscribe by datagram", 4, 3, 8, 3, ocp1.Subscription2{Event: ocp1.Event{Emitter: 4097, ID: ocp1.PropertyChanged}, Delivery: 2}.Append(nil), ocp1.StatusNotImplemented, 0, nil},
		{"subscribe with half the parameters", 4, 3, 8, 3, make([]byte, 5), ocp1.StatusBadFormat, 0, nil},
		{"subscribe with a long context", 4, 3, 1, 5, ocp1.Subscription{Event: ocp1.Event{Emitter: 4097, ID: ocp1.PropertyChanged}, Context: make([]byte, 65), Delivery: 1}.Append(nil), ocp1.StatusParameterOutOfRange, 0, nil},
		{"unsubscribe what is not subscribed", 4, 3, 9, 3, ocp1.Subscription2{Event: ocp1.Event{Emitter: 4097, ID: ocp1.PropertyChanged}, Delivery: 1}.Append(nil), ocp1.StatusInvalidRequest, 0, nil},
		{"longest context", 4, 3, 7, 0, nil, 0, 1, []byte{0, maxContext}},
	}
	serveDesk(t, Options{}, func(d *desk, s *Server, dial func() *peer) {
		p := dial()
		defer p.Close()
		for _, row := range rows {
			r := p.ask(row.target, row.level, row.index, row.count, row.params)
			if r.Status != row.status || r.Count != row.returns || row.values != nil && !bytes.Equal(r.Params, row.values) {
				t.Errorf("%s: %v, %d values %x; want %v, %d, %x", row.name, r.Status, r.Count, r.Params, row.status, row.returns, row.values)
			}
		}
		refused := 0
		for _, row := range rows {
			if row.status != 0 {
				refused++
			}
		}
		if c := s.Conns()[0]; c.Commands() != uint64(len(rows)) || c.Refused() != uint64(refused) {
			t.Errorf("%d commands, %d refused; want %d and %d", c.Commands(), c.Refused(), len(rows), refused)
		}
		if d.gain.Get() != -24.5 || !d.mute.Get() || d.source.Get() != 1 || d.name.Get() != "Björk" {
			t.Error("the values are not those that were set")
		}
	})
}

// Several commands in one message have their responses in one; a command that wants no response has none; the version is
// given back.
func TestBatches(t *testing.T) {
	serveDesk(t, Options{}, func(d *desk, _ *Server, dial func() *peer) {
		p := dial()
		defer p.Close()
		get := ocp1.Command{Handle: 0, Target: 4097, Method: ocp1.ID{Level: 4, Index: 1}}
		bad := ocp1.Command{Handle: 1, Target: 4711}
		p.say(ocp1.AppendCommands(nil, 4, false, ocp1.Command{Target: 4097, Method: ocp1.ID{Level: 4, Index: 2}, Count: 1, Params: f32s(1)}))
		p.say(ocp1.AppendCommands(nil, 4, true, get, bad, get))
		m := p.next()
		if m.Version != 4 || m.Count != 3 || m.Type != ocp1.TypeResponse {
			t.Fatalf("%+v", m.Header)
		}
		q := m.PDUs()
		if r, ok := q.Response(); !ok || r.Status != 0 || !bytes.Equal(r.Params, f32s(1, -80, 6)) {
			t.Errorf("%+v", r)
		}
		if r, ok := q.Response(); !ok || r.Status != ocp1.StatusBadONo || r.Handle != 1 {
			t.Errorf("%+v", r)
		}
		// 5,000 questions in one message: more than one message of answers.
		many := make([]ocp1.Command, 5000)
		for i := range many {
			many[i] = get
			many[i].Handle = uint32(i)
		}
		p.say(ocp1.AppendCommands(nil, 1, true, many...))
		n := 0
		for n < len(many) {
			q := p.next().PDUs()
			for {
				r, ok := q.Response()
				if !ok {
					break
				}
				if r.Handle != uint32(n) {
					t.Fatalf("answer %d has handle %d", n, r.Handle)
				}
				n++
			}
		}
	})
}

// What is no message ends the connection, and that one alone.
func TestBadMessagesEndTheConnection(t *testing.T) {
	for name, b := range map[string][]byte{
		"text":              []byte("hello\r\n"),
		"another sync byte": {0x3c, 0, 1, 0, 0, 0, 0x0b, 4, 0, 1, 0, 1},
		"size 8":            {0x3b, 0, 1, 0, 0, 0, 8, 4, 0, 1, 0, 1},
		"size 0":            {0x3b, 0, 1, 0, 0, 0, 0, 1, 0, 1},
		"over the limit":    {0x3b, 0, 1, 0xff, 0, 0, 0, 1, 0, 1},
		"PDU past the end":  {0x3b, 0, 1, 0, 0, 0, 0x0d, 1, 0, 1, 0, 0, 0, 99},
		"count too large":   ocp1.EndMessage(ocp1.AppendCommands(nil, 1, true, ocp1.Command{Target: 1, Method: ocp1.ID{Level: 3, Index: 6}}), 0, 2),
		"count too small":   ocp1.EndMessage(ocp1.AppendCommands(nil, 1, true, ocp1.Command{Target: 1, Method: ocp1.ID{Level: 3, Index: 6}}), 0, 0),
		"keep-alive of 3":   {0x3b, 0, 1, 0, 0, 0, 0x0c, 4, 0, 1, 0, 0, 1},
	} {
		serveDesk(t, Options{}, func(_ *desk, _ *Server, dial func() *peer) {
			other, p := dial(), dial()
			defer other.Close()
			p.say(b)
			p.SetReadDeadline(time.Now().Add(5 * time.Second))
			if left, err := io.ReadAll(p); err != nil {
				t.Errorf("%s: not closed: %v after %x", name, err, left)
			}
			if r := other.ask(4097, 1, 5, 0, nil); r.Status != 0 {
				t.Errorf("%s: another controller gets %v", name, r.Status)
			}
		})
	}
	// Responses, notifications and what nobody knows are left alone.
	serveDesk(t, Options{}, func(_ *desk, _ *Server, dial func() *peer) {
		p := dial()
		defer p.Close()
		p.say(ocp1.AppendResponses(nil, 1, ocp1.Response{Handle: 1}))
		p.say(ocp1.Message{Header: ocp1.Header{Version: 1, Type: 9, Count: 1}, Body: []byte{1}}.Append(nil))
		if r := p.ask(4097, 1, 5, 0, nil); r.Status != 0 {
			t.Errorf("%v", r.Status)
		}
	})
	// Half a message and no more.
	serveDesk(t, Options{}, func(_ *desk, _ *Server, dial func() *peer) {
		p := dial()
		start := time.Now()
		p.say([]byte{0x3b, 0, 1})
		if _, err := io.ReadAll(p); err != nil || time.Since(start) != 10*time.Second {
			t.Errorf("closed after %v, %v", time.Since(start), err)
		}
	})
}

func subscribe(p *peer, ev2 bool, o ocp1.ONo) {
	p.t.Helper()
	event := ocp1.Event{Emitter: o, ID: ocp1.PropertyChanged}
	var r ocp1.Response
	if ev2 {
		r = p.ask(4, 3, 8, 3, ocp1.Subscription2{Event: event, Delivery: 1}.Append(nil))
	} else {
		r = p.ask(4, 3, 1, 5, ocp1.Subscription{Event: event, Subscriber: ocp1.SubscriberMethod, Context: []byte{7}, Delivery: 1}.Append(nil))
	}
	if r.Status != 0 {
		p.t.Fatalf("subscribe: %v", r.Status)
	}
}

// Both kinds of events arrive in the form that was asked for, once each, also to the one who made the change.
func TestEvents(t *testing.T) {
	serveDesk(t, Options{}, func(d *desk, _ *Server, dial func() *peer) {
		one, two := dial(), dial()
		defer one.Close()
		defer two.Close()
		subscribe(one, false, 4097)
		subscribe(one, false, 4097) // twice is once
		subscribe(two, true, 4097)
		subscribe(two, true, 4096)
		d.gain.Set(-30) // no change
		two.say(ocp1.AppendCommands(nil, 1, false, ocp1.Command{Target: 4097, Method: ocp1.ID{Level: 4, Index: 2}, Count: 1, Params: f32s(-24.5)}))
		want := ocp1.PropertyChange{Property: ocp1.ID{Level: 4, Index: 1}, Value: f32s(-24.5), Change: ocp1.CurrentChanged}.Append(nil)
		m := one.next()
		q := m.PDUs()
		if n, ok := q.Notification(); !ok || m.Count != 1 || n.Subscriber != 1055 || n.Count != 2 || !bytes.Equal(n.Context, []byte{7}) || n.Event.Emitter != 4097 || !bytes.Equal(n.Data, want) {
			t.Errorf("EV1: %+v, %+v", m.Header, n)
		}
		m = two.next()
		q = m.PDUs()
		if n, ok := q.Notification2(); !ok || m.Count != 1 || n.Exception != 0 || n.Event.Emitter != 4097 || !bytes.Equal(n.Data, want) {
			t.Errorf("EV2: %+v, %+v", m.Header, n)
		}
		d.block.BooleanSensor("Clip", false)
		q = two.next().PDUs()
		n, _ := q.Notification2()
		c, err := ocp1.ParsePropertyChange(n.Data)
		if err != nil || n.Event.Emitter != 4096 || c.Property != propMembers {
			t.Errorf("members: %+v, %v", c, err)
		}
		// Labels and availability.
		d.gain.SetLabel("Vocals")
		d.gain.SetEnabled(false)
		synctest.Wait()
		got := map[ocp1.ID]bool{}
		for len(got) < 2 {
			q = one.next().PDUs()
			for {
				n, ok := q.Notification()
				if !ok {
					break
				}
				c, _ := ocp1.ParsePropertyChange(n.Data)
				got[c.Property] = true
			}
		}
		if !got[propLabel] || !got[propEnabled] {
			t.Errorf("%v", got)
		}
		// After taking it back there is silence.
		if r := two.ask(4, 3, 9, 3, ocp1.Subscription2{Event: ocp1.Event{Emitter: 4097, ID: ocp1.PropertyChanged}, Delivery: 1}.Append(nil)); r.Status != 0 {
			t.Errorf("unsubscribe: %v", r.Status)
		}
		if r := one.ask(4, 3, 3, 0, nil); r.Status != 0 {
			t.Errorf("disable: %v", r.Status)
		}
		d.gain.Set(0)
		synctest.Wait()
		for _, p := range []*peer{one, two} {
			p.SetReadDeadline(time.Now().Add(time.Second))
			if m, err := p.r.Next(); err == nil {
				t.Errorf("an event after the end: %+v", m.Header)
			}
		}
	})
}

// A subscription to one property hears of that one.
func TestPropertySubscription(t *testing.T) {
	serveDesk(t, Options{}, func(d *desk, _ *Server, dial func() *peer) {
		p := dial()
		defer p.Close()
		params := append(append(ocp1.AppendID(ocp1.AppendONo(nil, 4097), propLabel), 1), 0, 0)
		if r := p.ask(4, 3, 10, 4, params); r.Status != 0 {
			t.Fatal(r.Status)
		}
		d.gain.Set(1)
		d.gain.SetLabel("x")
		q := p.next().PDUs()
		n, _ := q.Notification2()
		if c, _ := ocp1.ParsePropertyChange(n.Data); c.Property != propLabel || q.Left() != 0 {
			t.Errorf("%+v, %d more", c, q.Left())
		}
		if r := p.ask(4, 3, 11, 4, params); r.Status != 0 {
			t.Error(r.Status)
		}
	})
}

// A controller that does not read gets the newest values when it does, and delays nobody.
func TestSlowController(t *testing.T) {
	serveDesk(t, Options{}, func(d *desk, s *Server, dial func() *peer) {
		slow, quick := dial(), dial()
		defer slow.Close()
		defer quick.Close()
		subscribe(slow, true, 4097)
		subscribe(slow, true, 4101)
		subscribe(quick, true, 4097)
		slow.In().Stall()
		for range 40 { // fills what the connection holds, so that the writer stands still
			slow.say(ocp1.AppendCommands(nil, 1, true, ocp1.Command{Target: 100, Method: ocp1.ID{Level: 3, Index: 6}}))
		}
		for i := range 100_000 {
			d.level.Set(float32(i%100) - 100)
		}
		d.gain.Set(-5)
		q := quick.next().PDUs()
		if n, ok := q.Notification2(); !ok || n.Event.Emitter != 4097 {
			t.Errorf("%+v", n)
		}
		slow.In().Resume()
		last := map[ocp1.ONo][]byte{}
		d.level.Set(-1)
		for last[4097] == nil || !bytes.Equal(last[4101], f32s(-1)) {
			m := slow.next()
			if m.Type != ocp1.TypeNotification2 {
				continue
			}
			q := m.PDUs()
			for {
				n, ok := q.Notification2()
				if !ok {
					break
				}
				c, _ := ocp1.ParsePropertyChange(n.Data)
				last[n.Event.Emitter] = bytes.Clone(c.Value)
			}
		}
		if !bytes.Equal(last[4097], f32s(-5)) {
			t.Errorf("gain is %x", last[4097])
		}
		for _, c := range s.Conns() {
			if c.Events()+c.Merged() > 0 && c.Events() > 100_002 {
				t.Errorf("%d events, %d merged", c.Events(), c.Merged())
			}
		}
	})
}

// Locks keep other controllers out, and end with their owner.
func TestLocks(t *testing.T) {
	serveDesk(t, Options{}, func(d *desk, _ *Server, dial func() *peer) {
		one, two := dial(), dial()
		defer two.Close()
		set := func(p *peer) ocp1.Status { return p.ask(4097, 4, 2, 1, f32s(1)).Status }
		get := func(p *peer) ocp1.Status { return p.ask(4097, 4, 1, 0, nil).Status }
		lock := func(p *peer, index uint16) ocp1.Status { return p.ask(4097, 1, index, 0, nil).Status }
		want := func(what string, got, want ocp1.Status) {
			t.Helper()
			if got != want {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}
		subscribe(two, true, 4097)
		want("lock writes", lock(one, 6), 0)
		want("the owner sets", set(one), 0)
		want("another sets", set(two), ocp1.StatusLocked)
		want("another gets", get(two), 0)
		want("another locks", lock(two, 3), ocp1.StatusLocked)
		want("another unlocks", lock(two, 4), ocp1.StatusLocked)
		want("lock reads too", lock(one, 3), 0)
		want("another gets then", get(two), ocp1.StatusLocked)
		want("another asks for the role", two.ask(4097, 1, 5, 0, nil).Status, 0)
		if r := two.ask(4097, 1, 7, 0, nil); !bytes.Equal(r.Params, []byte{2}) {
			t.Errorf("lock state %x", r.Params)
		}
		want("unlock", lock(one, 4), 0)
		want("another sets after", set(two), 0)
		want("lock again", lock(one, 3), 0)
		one.Close()
		synctest.Wait()
		want("the owner is gone", set(two), 0)
		d.block.Remove()
		want("the block is gone", get(two), ocp1.StatusBadONo)
		if d.Len() != 4 { // 1, 4, 100 and the level
			t.Errorf("%d objects are left", d.Len())
		}
	})
}

// A function decides about what controllers want.
func TestOnSet(t *testing.T) {
	serveDesk(t, Options{}, func(d *desk, _ *Server, dial func() *peer) {
		p := dial()
		defer p.Close()
		var answer error
		d.gain.OnSet(func(_ context.Context, c *Conn, v float32) error {
			if c.RemoteAddr() == nil || c.ID() != 1 {
				t.Error("the controller is not known")
			}
			if answer == nil {
				d.gain.Set(v / 2)
			}
			return answer
		})
		for _, row := range []struct {
			err  error
			want ocp1.Status
		}{{nil, 0}, {&ocp1.Error{Status: ocp1.StatusPermissionDenied}, ocp1.StatusPermissionDenied}, {io.EOF, ocp1.StatusProcessingFailed}, {context.DeadlineExceeded, ocp1.StatusTimeout}} {
			answer = row.err
			if r := p.ask(4097, 4, 2, 1, f32s(-8)); r.Status != row.want {
				t.Errorf("%v: %v, want %v", row.err, r.Status, row.want)
			}
		}
		if d.gain.Get() != -4 {
			t.Errorf("%v", d.gain.Get())
		}
	})
}

// Custom objects answer beside the connection, which goes on meanwhile.
func TestCustomObjects(t *testing.T) {
	serveDesk(t, Options{}, func(d *desk, _ *Server, dial func() *peer) {
		p := dial()
		defer p.Close()
		release := make(chan struct{})
		o := d.Root().Custom(ocp1.ClassIdentification{Class: ocp1.ClassOf(1, 2, 0xffff, 0, 0x130e, 1), Version: 1}, "Agent",
			func(ctx context.Context, _ *Conn, cmd ocp1.Command) (uint8, []byte, error) {
				if cmd.Method.Index == 9 {
					return 0, nil, &ocp1.Error{Status: ocp1.StatusBadMethod}
				}
				select {
				case <-release:
				case <-ctx.Done():
					return 0, nil, ctx.Err()
				}
				return cmd.Count, cmd.Params, nil
			})
		cmd := ocp1.Command{Handle: 1, Target: o.ONo(), Method: ocp1.ID{Level: 3, Index: 1}, Count: 1, Params: []byte{5}}
		for range maxLater {
			p.say(ocp1.AppendCommands(nil, 1, true, cmd))
		}
		p.say(ocp1.AppendCommands(nil, 1, true, cmd))
		q := p.next().PDUs()
		if r, _ := q.Response(); r.Status != ocp1.StatusBusy {
			t.Errorf("one too many: %v", r.Status)
		}
		if r := p.ask(4097, 1, 5, 0, nil); r.Status != 0 {
			t.Errorf("meanwhile: %v", r.Status)
		}
		if r := p.ask(o.ONo(), 2, 4, 0, nil); r.Status != 0 || r.Count != 2 {
			t.Errorf("path of an agent: %+v", r)
		}
		close(release)
		for range maxLater {
			q := p.next().PDUs()
			if r, _ := q.Response(); r.Status != 0 || !bytes.Equal(r.Params, []byte{5}) {
				t.Errorf("%+v", r)
			}
		}
		synctest.Wait()
		if r := p.ask(o.ONo(), 3, 9, 0, nil); r.Status != ocp1.StatusBadMethod {
			t.Errorf("%v", r.Status)
		}
	})
}

// Keep-alives are answered in their own interval and width; a controller that promised to be heard and is not is given up.
func TestKeepAlive(t *testing.T) {
	for _, row := range []struct {
		name string
		say  []byte
		want []byte
		dead time.Duration
	}{
		{"1 s", ocp1.AppendKeepAliveSeconds(nil, 1, time.Second), ocp1.AppendKeepAliveSeconds(nil, 1, time.Second), 3 * time.Second},
		{"1500 ms", ocp1.AppendKeepAliveMillis(nil, 4, 1500*time.Millisecond), ocp1.AppendKeepAliveMillis(nil, 4, 1500*time.Millisecond), 4500 * time.Millisecond},
		{"1 ms", ocp1.AppendKeepAliveMillis(nil, 1, time.Millisecond), ocp1.AppendKeepAliveMillis(nil, 1, 100*time.Millisecond), 300 * time.Millisecond},
	} {
		serveDesk(t, Options{}, func(_ *desk, _ *Server, dial func() *peer) {
			p := dial()
			start := time.Now()
			p.say(row.say)
			n := 0
			for ; ; n++ {
				m, err := p.r.Next()
				if err != nil {
					break
				}
				if got := m.Append(nil); !bytes.Equal(got, row.want) {
					t.Errorf("%s: %x, want %x", row.name, got, row.want)
				}
			}
			if d := time.Since(start); d < row.dead || d > row.dead+row.dead/3 {
				t.Errorf("%s: given up after %v, want %v", row.name, d, row.dead)
			}
			if n < 4 {
				t.Errorf("%s: heard %d times", row.name, n)
			}
		})
	}
}

func TestTypesOfObjects(t *testing.T) {
	serveDesk(t, Options{}, func(d *desk, _ *Server, dial func() *peer) {
		b := d.Root()
		p := dial()
		defer p.Close()
		for _, row := range []struct {
			o       *Object
			class   ocp1.ClassID
			level   uint16
			set     []byte
			then    []byte
			setting ocp1.Status
		}{
			{b.PanBalance("a", 0).Object, ocp1.ClassPanBalance, 4, f32s(0.5), f32s(0.5, -1, 1), 0},
			{b.Delay("a", 0, 1).Object, ocp1.ClassDelay, 4, f32s(0.5), f32s(0.5, 0, 1), 0},
			{b.Polarity("a", false).Object, ocp1.ClassPolarity, 4, []byte{2}, []byte{2}, 0},
			{b.Identify("a").Object, ocp1.ClassIdentifier, 4, []byte{1}, []byte{1}, 0},
			{b.Boolean("a", false).Object, ocp1.ClassBooleanActuator, 5, []byte{1}, []byte{1}, 0},
			{b.Uint16("a", 1, 0, 9).Object, ocp1.ClassUint16Actuator, 5, []byte{0, 9}, []byte{0, 9, 0, 0, 0, 9}, 0},
			{b.Int32("a", 1, -9, 9).Object, ocp1.ClassInt32Actuator, 5, []byte{255, 255, 255, 255}, []byte{255, 255, 255, 255, 255, 255, 255, 247, 0, 0, 0, 9}, 0},
			{b.Float32("a", 1, -9, 9).Object, ocp1.ClassFloat32Actuator, 5, f32s(2), f32s(2, -9, 9), 0},
			{b.BooleanSensor("a", true).Object, ocp1.ClassBooleanSensor, 5, []byte{0}, []byte{1}, ocp1.StatusBadMethod},
			{b.TextSensor("a", "x").Object, ocp1.ClassStringSensor, 5, nil, []byte{0, 1, 'x'}, ocp1.StatusBadFormat},
			{b.Int32Sensor("a", 5, 0, 9).Object, ocp1.ClassInt32Sensor, 5, nil, []byte{0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 9}, ocp1.StatusBadMethod},
			{b.Float32Sensor("a", 5, 0, 9).Object, ocp1.ClassFloat32Sensor, 5, nil, f32s(5, 0, 9), ocp1.StatusBadMethod},
			{b.AudioLevel("a", -3, -128, 0).Object, ocp1.ClassAudioLevelSensor, 4, nil, f32s(-3, -128, 0), ocp1.StatusBadMethod},
		} {
			if row.o.Class().Class != row.class {
				t.Errorf("%v, want %v", row.o.Class(), row.class)
			}
			if r := p.ask(row.o.ONo(), row.level, 2, 1, row.set); r.Status != row.setting {
				t.Errorf("%v: set: %v, want %v", row.class, r.Status, row.setting)
			}
			if r := p.ask(row.o.ONo(), row.level, 1, 0, nil); r.Status != 0 || !bytes.Equal(r.Params, row.then) {
				t.Errorf("%v: %v %x, want %x", row.class, r.Status, r.Params, row.then)
			}
		}
		d.source.SetNames("A", "B", "C")
		if r := p.ask(4099, 4, 1, 0, nil); !bytes.Equal(r.Params, []byte{0, 0, 0, 0, 0, 2}) {
			t.Errorf("after new names: %x", r.Params)
		}
		d.gain.SetRange(-10, 10)
		if r := p.ask(4097, 4, 2, 1, f32s(9)); r.Status != 0 {
			t.Errorf("after a new range: %v", r.Status)
		}
	})
}

func TestConnectedAndDrop(t *testing.T) {
	var closed int
	refuse := true
	o := Options{Connected: func(*Conn) error {
		if refuse {
			return net.ErrClosed
		}
		return nil
	}, Closed: func(*Conn) { closed++ }}
	serveDesk(t, o, func(_ *desk, s *Server, dial func() *peer) {
		if left, err := io.ReadAll(dial()); err != nil || len(left) > 0 {
			t.Errorf("a controller that is not let in: %x, %v", left, err)
		}
		refuse = false
		p := dial()
		p.ask(1, 1, 5, 0, nil)
		s.Drop(true)
		if _, err := p.r.Next(); err == nil {
			t.Error("still connected after Drop")
		}
		synctest.Wait()
		if closed != 1 || len(s.Conns()) != 0 {
			t.Errorf("%d ends, %d connections", closed, len(s.Conns()))
		}
		p = dial()
		p.ask(1, 1, 5, 0, nil)
		if err := s.Conns()[0].Close(); err != nil {
			t.Error(err)
		}
		if _, err := p.r.Next(); err == nil {
			t.Error("still connected after Close")
		}
	})
}
