package is12

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/drivertest"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/is12"
)

func TestDriver(t *testing.T) {
	drivertest.Run(t, drivertest.Target{
		Driver: New(), URL: "is12+ws://192.0.2.50:8080",
		Far: func(*testing.T) drivertest.Far {
			d := newDouble()
			return drivertest.Far{
				Serve: d.Serve,
				Change: func() (device.Path, device.Value) {
					d.change(propKey{11, is12.ID{Level: 3, Index: 1}}, -20.5)
					return "stereo-gain/gain/gain-value", device.OfFloat(-20.5)
				},
				ChangeSpecs: func() {
					d.mu.Lock()
					d.extra = true
					d.tell(context.Background(), is12.Notification{Oid: 10, EventID: is12.PropertyChanged, EventData: is12.EventData{PropertyID: is12.PropertyMembers, ChangeType: is12.ItemAdded, Value: json.RawMessage("null")}})
					d.mu.Unlock()
				},
				Writes: func() int {
					d.mu.Lock()
					defer d.mu.Unlock()
					return d.writes
				},
			}
		},
		Points: []driver.Write{
			{Path: "device-manager/serial-number", Value: device.OfString("SN-1")},
			{Path: "stereo-gain/user-label", Value: device.OfString("Left")},
			{Path: "stereo-gain/gain/gain-value", Value: device.OfFloat(-6.5)},
			{Path: "stereo-gain/gain/curve", Value: device.OfEnum(1)},
			{Path: "stereo-gain/gain/enabled", Value: device.OfBool(true)},
			{Path: "stereo-gain/gain/presets", Value: device.OfString(`["A"]`)},
			{Path: "device-manager/manufacturer", Value: device.OfString(`{"name":"Maker"}`)},
		},
		Writes: []driver.Write{
			{Path: "stereo-gain/gain/gain-value", Value: device.OfFloat(3.5)},
			{Path: "stereo-gain/gain/curve", Value: device.OfEnum(0)},
			{Path: "device-manager/device-name", Value: device.OfString("Björk")},
		},
		Refused: &driver.Write{Path: "stereo-gain/gain/enabled", Value: device.OfBool(false)},
	})
}

func TestProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testnet.Listen()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- newDouble().Serve(ctx, l) }()
		f, err := Driver{}.Probe(t.Context(), driver.Env{Dial: l.DialContext, Log: slog.New(slog.DiscardHandler)}, "device:80")
		if err != nil || !f.Match || f.Reasons[0] != "NMOS IS-12 at /x-nmos/ncp/v1.0/connect, 5 objects" {
			t.Errorf("%+v, %v", f, err)
		}
		cancel()
		<-done
	})
}

// heard is a sink that keeps what it is told.
type heard struct {
	mu   sync.Mutex
	last map[device.Path]string
}

func (h *heard) Apply(c *driver.Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range c.Samples {
		h.last[s.Path] = s.Value.String()
	}
}

// A sequence of which a part has changed is asked for as a whole, and an object that the device does not tell of is asked at
// intervals.
func TestWatchAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testnet.Listen()
		ctx, cancel := context.WithCancel(t.Context())
		d := newDouble()
		d.silent = 2
		var wg sync.WaitGroup
		wg.Go(func() { _ = d.Serve(ctx, l) })
		u, _ := url.Parse("is12+ws://device")
		s, err := New().Open(ctx, driver.Env{Dial: l.DialContext, Log: slog.New(slog.DiscardHandler)}, driver.Target{URL: u, Options: defaults()})
		if err != nil {
			t.Fatal(err)
		}
		h := &heard{last: map[device.Path]string{}}
		wg.Go(func() { _ = s.Watch(ctx, driver.Everything{}, h) })
		synctest.Wait()
		want := func(path device.Path, v string) {
			t.Helper()
			h.mu.Lock()
			defer h.mu.Unlock()
			if h.last[path] != v {
				t.Errorf("%s is %s, want %s", path, h.last[path], v)
			}
		}
		want("stereo-gain/gain/presets", `["A"]`)
		d.add("B")
		synctest.Wait()
		want("stereo-gain/gain/presets", `["A","B"]`)
		d.change(propKey{2, is12.ID{Level: 3, Index: 4}}, "SN-2")
		synctest.Wait()
		want("device-manager/serial-number", "SN-1")
		time.Sleep(defaults().Poll)
		synctest.Wait()
		want("device-manager/serial-number", "SN-2")
		b := s.(*session).board
		if c := b.byPath["device-manager/device-name"].spec.Confirm; c != device.ByReadBack {
			t.Errorf("writes to an object that is not told of are confirmed by %v", c)
		}
		cancel()
		wg.Wait()
		s.Close()
	})
}

// What the device tells while many points are asked for is not taken back by an answer that came before it.
func TestAnswersAndEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testnet.Listen()
		ctx, cancel := context.WithCancel(t.Context())
		d := newDouble()
		var wg sync.WaitGroup
		wg.Go(func() { _ = d.Serve(ctx, l) })
		u, _ := url.Parse("is12+ws://device")
		opened, err := New().Open(ctx, driver.Env{Dial: l.DialContext, Log: slog.New(slog.DiscardHandler)}, driver.Target{URL: u, Options: defaults()})
		if err != nil {
			t.Fatal(err)
		}
		s := opened.(*session)
		h := &heard{last: map[device.Path]string{}}
		s.mu.Lock()
		s.sink = h
		gain, other := s.board.byPath["stereo-gain/gain/gain-value"], s.board.byPath["stereo-gain/user-label"]
		s.mu.Unlock()
		points := append([]*point{gain}, slices.Repeat([]*point{other}, batch)...) // which takes two messages
		messages := 0
		d.mu.Lock()
		d.values[propKey{11, gain.prop}] = -3.0
		d.asked = func() {
			if messages++; messages == 2 {
				d.tell(ctx, is12.Notification{Oid: 11, EventID: is12.PropertyChanged, EventData: is12.EventData{PropertyID: gain.prop, Value: json.RawMessage("-20.5")}})
			}
		}
		d.mu.Unlock()
		if err := s.again(ctx, points, h); err != nil {
			t.Error(err)
		}
		h.mu.Lock()
		if got := h.last[gain.spec.Path]; messages != 2 || got != "-20.5" {
			t.Errorf("after %d messages the gain is %s, want -20.5", messages, got)
		}
		h.mu.Unlock()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		cancel()
		wg.Wait()
	})
}

// What a point is made of: names, limits, labels, and what cannot be shown.
func TestPoints(t *testing.T) {
	c := &classes{types: typesOfDouble}
	b := newBoard()
	b.object("a", &is12.MemberDescriptor{Oid: 11, UserLabel: "Mic"}, classOfDouble(gainClass), c)
	b.object("m", &is12.MemberDescriptor{Oid: 2, ClassID: is12.ClassDeviceManager}, classOfDouble(is12.ClassDeviceManager), c)
	gain := b.byPath["a/gain-value"]
	if gain == nil || gain.spec.Kind != device.Float || gain.spec.Min != -80 || gain.spec.Max != 12 || gain.spec.Hazard != device.HazardLive || gain.spec.Title != "Mic gainValue" {
		t.Fatalf("%+v", gain)
	}
	if b.byPath["a/class-id"] != nil || b.byPath["m/members"] != nil {
		t.Error("the class or the tree is a point")
	}
	for path, typ := range map[device.Path]string{"m/manufacturer": "NcManufacturer", "a/presets": "sequence of NcString"} {
		if pt := b.byPath[path]; pt == nil || pt.spec.Kind != device.String || pt.spec.Access != device.R || pt.spec.Attributes["json"] != typ {
			t.Errorf("%s: %+v", path, pt)
		}
	}
	if s := b.byPath["m/serial-number"].spec; s.Role != "id.serial" || s.Access != device.R {
		t.Errorf("%+v", s)
	}
	for _, row := range []struct {
		path device.Path
		json string
		want device.Quality
	}{{"m/manufacturer", `{"x": [1 ]}`, device.Good}, {"m/manufacturer", `null`, device.Bad}, {"m/manufacturer", ``, device.Bad}, {"a/presets", `[]`, device.Good},
		{"a/presets", `["` + strings.Repeat("x", maxText) + `"]`, device.Bad}, {"a/gain-value", `-3`, device.Good}, {"a/gain-value", `"x"`, device.Bad}, {"a/curve", `1`, device.Good}, {"a/curve", `7`, device.Bad}, {"a/user-label", `null`, device.Bad}, {"a/enabled", `true`, device.Good}, {"a/enabled", ``, device.Bad}} {
		pt := b.byPath[row.path]
		pt.take(json.RawMessage(row.json), pt.sample.Received.AddDate(1, 0, 0))
		if pt.sample.Quality != row.want {
			t.Errorf("%s = %s: %+v", row.path, row.json, pt.sample)
		}
	}
	circle := &classes{types: map[string]is12.DatatypeDescriptor{"A": {Type: is12.DatatypeTypedef, ParentType: "A"}}}
	if _, _, ok := circle.resolve("A"); ok {
		t.Error("a type that is its own parent resolves")
	}
}

// Whoever cannot connect is told what to check.
func TestHints(t *testing.T) {
	for _, c := range []driver.Class{driver.RefusedConn, driver.Unreachable, driver.Timeout, driver.NotThisProtocol, driver.Closed} {
		if hint(c) == "" {
			t.Errorf("%v has no hint", c)
		}
	}
	if err := wrap("open", "device", syscall.ECONNREFUSED); driver.ClassOf(err) != driver.RefusedConn || driver.HintOf(err) == "" {
		t.Errorf("%v, %q", err, driver.HintOf(err))
	}
}

// Whoever takes the WebSocket and says nothing is no address without an answer.
func TestSilentWebSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := testnet.Listen()
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if c, err := websocket.Accept(w, r, nil); err == nil {
				defer c.CloseNow()
				for err == nil {
					_, _, err = c.Read(r.Context())
				}
			}
		})}
		done := make(chan error)
		go func() { done <- srv.Serve(l) }()
		u, _ := url.Parse("is12+ws://device")
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_, err := New().Open(ctx, driver.Env{Dial: l.DialContext, Log: slog.New(slog.DiscardHandler)}, driver.Target{URL: u, Options: defaults()})
		if driver.ClassOf(err) != driver.Timeout || !strings.HasPrefix(driver.HintOf(err), "It takes the WebSocket") {
			t.Errorf("%v, %q", err, driver.HintOf(err))
		}
		srv.Close()
		<-done
	})
}

func TestOptions(t *testing.T) {
	if err := defaults().Validate(); err != nil {
		t.Error(err)
	}
	for _, o := range []Options{{Timeout: 1, Poll: time.Second, Path: "/"}, {Timeout: time.Second, Poll: time.Second, Path: "x"}, {Timeout: time.Second, Path: "/"}} {
		if o.Validate() == nil {
			t.Errorf("%+v is good", o)
		}
	}
}
