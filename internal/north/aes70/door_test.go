package aes70

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
	"github.com/patchbay-io/patchbay/internal/north/northtest"
	"github.com/patchbay-io/patchbay/internal/oca"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaclient"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaws"
)

// gate lets everything through but what is named, and remembers what was recorded.
type gate struct {
	mu      sync.Mutex
	deny    device.Path
	refused []device.Path
}

func (g *gate) Login(context.Context, string, string, net.Addr) (driver.Who, error) {
	return driver.Who{}, errors.New("nobody signs in")
}

func (g *gate) Allow(_ driver.Who, a driver.Action) error {
	if a.Path == g.deny {
		return &north.WriteError{Code: "not-writable", Device: a.Device, Path: a.Path, Class: driver.Auth, Text: "the configuration does not allow it"}
	}
	return nil
}

func (g *gate) Done(_ driver.Who, a driver.Action, _ driver.Outcome) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refused = append(g.refused, a.Path)
}

// studio is a door over the fixed tree, with a meter beside.
type studio struct {
	t    *testing.T
	gw   *northtest.Gateway
	gate *gate
	door *Door
	nets map[string]*testnet.Listener
	// shown is what each device is told of its controllers.
	shown map[string]*shown
	mu    sync.Mutex
}

// named is a listener of an address.
type named struct {
	net.Listener
	addr string
}

func (n named) Addr() net.Addr { return testnet.Addr{Net: "tcp", Name: n.addr} }

const meter = device.Path("audio/meter")

func in(t *testing.T, f func(*studio)) {
	synctest.Test(t, func(t *testing.T) {
		s := &studio{t: t, gw: northtest.New(), gate: &gate{deny: "enum/switch"}, nets: map[string]*testnet.Listener{}, shown: map[string]*shown{}}
		s.gw.Tree.Apply(northtest.Mill, &device.Delta{Specs: []device.Spec{
			{Path: meter, Kind: device.Float, Rate: device.Meter, Access: device.R, Unit: "dBFS", Min: -128, Role: meterRole},
			{Path: "audio/gain", Kind: device.Float, Access: device.RW, Unit: "dB", Min: -80, Max: 6, Role: "audio.gain", Hazard: device.HazardLive},
		}, Samples: []device.Sample{{Path: meter, Quality: device.Bad, Reason: device.ReasonNotReported, Received: time.Now()},
			{Path: "audio/gain", Value: device.OfFloat(-20), Received: time.Now()}}})
		s.door = New(Config{Tree: s.gw.Tree, Writes: s.gw, Gate: s.gate, TLS: &tls.Config{Certificates: []tls.Certificate{testnet.MustCertificate()}}, Listen: func(_ context.Context, _, addr string) (net.Listener, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.nets[addr] = testnet.Listen()
			return named{s.nets[addr], addr}, nil
		}, Clients: func(dev string) (driver.Sink, func(driver.Commander)) {
			sh := &shown{values: map[device.Path]string{}}
			s.shown[dev] = sh
			return sh, func(c driver.Commander) { sh.commander = c }
		}})
		o := oca.Defaults()
		o.TLS, o.WS, o.Allow, o.MaxClients = "127.0.0.1:8443", "127.0.0.1:8080", []string{"bool/*", "int/*", "string/*", "enum/*", "slow/*", "no/*"}, 3
		down := oca.Defaults()
		down.Listen = "127.0.0.1:65001"
		s.door.Set([]Device{{northtest.Mill, o}, {northtest.Down, down}})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.door.Run(ctx) }()
		defer func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		f(s)
	})
}

// controller connects and finds all objects by their role paths.
func (s *studio) controller(addr string, o ocaclient.Options) (*ocaclient.Client, map[string]*ocaclient.Object) {
	s.t.Helper()
	s.mu.Lock()
	l := s.nets[addr]
	s.mu.Unlock()
	conn, err := l.DialContext(s.t.Context(), "tcp", addr)
	switch {
	case err != nil:
	case addr == "127.0.0.1:8443":
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	case addr == "127.0.0.1:8080":
		conn, err = ocaws.Dial(s.t.Context(), l.DialContext, addr, ocaws.DialOptions{})
	}
	if err != nil {
		s.t.Fatal(err)
	}
	c := ocaclient.New(conn, "mill", o)
	root, err := c.Tree(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	at := map[string]*ocaclient.Object{}
	root.Walk(func(o *ocaclient.Object) bool { at[o.RolePath()] = o; return true })
	return c, at
}

// told is a change of a property, which a controller hears of.
type told struct {
	object ocp1.ONo
	value  string
}

func tell(to chan<- told) func(ocaclient.Event) {
	return func(e ocaclient.Event) { to <- told{e.Source.Emitter, string(e.Change.Value)} }
}

// Any device is a tree of objects by role path, over TLS and WebSocket, and each controller sees what another one changes.
func TestControllersShareADevice(t *testing.T) {
	in(t, func(s *studio) {
		heard := make(chan told, 16)
		a, at := s.controller("127.0.0.1:8443", ocaclient.Options{Events: tell(heard)})
		defer a.Close()
		b, bt := s.controller("127.0.0.1:8080", ocaclient.Options{})
		defer b.Close()
		for path, class := range map[string]ocp1.ClassID{"bool/yes": ocp1.ClassBooleanActuator, "int/override": ocp1.ClassInt32Actuator, "int/max": ocp1.ClassInt32Sensor,
			"float/position": ocp1.ClassFloat32Sensor, "string/unicode": ocp1.ClassStringActuator, "enum/switch": ocp1.ClassSwitch, string(meter): ocp1.ClassLevelSensor, "audio/gain": ocp1.ClassGain} {
			if at[path] == nil || bt[path] == nil || at[path].Class.Class != class || at[path].ONo != bt[path].ONo {
				s.t.Fatalf("%s is %+v and %+v", path, at[path], bt[path])
			}
		}
		if at["_link/state"] != nil || at["list/alarms"] != nil {
			s.t.Error("what is no object is shown")
		}
		if v, err := b.Label(bt["int/override"].ONo).Get(s.t.Context()); err != nil || v != "Feed override" {
			s.t.Errorf("%q, %v", v, err)
		}
		if errs, err := a.Subscribe(s.t.Context(), at["int/override"].ONo); err != nil || errs[0] != nil {
			s.t.Fatal(errs, err)
		}
		if err := b.Int32(bt["int/override"].ONo).Set(s.t.Context(), 70); err != nil {
			s.t.Fatal(err)
		}
		if v, err := b.Int32(bt["int/override"].ONo).Get(s.t.Context()); err != nil || v != 70 {
			s.t.Errorf("what was set is %v, %v", v, err)
		}
		if e := <-heard; e != (told{at["int/override"].ONo, "\x00\x00\x00\x46"}) {
			s.t.Errorf("%+v", e)
		}
		if pt, _ := s.gw.Tree.Point(northtest.Mill, "int/override"); pt.Sample.Value.Int() != 70 {
			s.t.Errorf("the device has %v", pt.Sample.Value)
		}
		if log := s.gw.WriteLog(northtest.Mill, 0, 0); len(log) != 1 || log[0].Who.Door != Name || log[0].Who.User != "" {
			s.t.Errorf("%+v", log)
		}
	})
}

// Whatever is not carried out is refused with the status that says why.
func TestRefusals(t *testing.T) {
	in(t, func(s *studio) {
		c, at := s.controller("127.0.0.1:65000", ocaclient.Options{})
		defer c.Close()
		set := func(path string, f func(ocp1.ONo) error, want ocp1.Status) {
			s.t.Helper()
			if err := f(at[path].ONo); !errors.Is(err, &ocp1.Error{Status: want}) {
				s.t.Errorf("%s: %v, want %v", path, err, want)
			}
		}
		one := func(o ocp1.ONo) error { return c.Int32(o).Set(s.t.Context(), 10) }
		set("int/override", func(o ocp1.ONo) error { return c.Int32(o).Set(s.t.Context(), 210) }, ocp1.StatusParameterOutOfRange)
		set("int/offset", one, ocp1.StatusPermissionDenied)                                                                // a hazard, which the wildcard does not name
		set("audio/gain", func(o ocp1.ONo) error { return c.Gain(o).Set(s.t.Context(), -3) }, ocp1.StatusPermissionDenied) // not in allow
		for range 3 {
			set("enum/switch", func(o ocp1.ONo) error { return c.Switch(o).Set(s.t.Context(), 1) }, ocp1.StatusPermissionDenied) // the gate says no
		}
		set("enum/execution", func(o ocp1.ONo) error { return c.Switch(o).Set(s.t.Context(), 1) }, ocp1.StatusPermissionDenied) // read-only
		set("int/max", one, ocp1.StatusBadMethod)                                                                               // a sensor has no setter
		set("no/thanks", one, ocp1.StatusParameterError)                                                                        // the device refuses
		if v, err := c.Switch(at["enum/switch"].ONo).Get(s.t.Context()); err != nil || v != 0 {
			s.t.Errorf("after a refusal: %v, %v", v, err)
		}
		if len(s.gate.refused) != 3 {
			s.t.Errorf("the audit has %v; each kind of refusal belongs there once", s.gate.refused)
		}
		o, down := s.controller("127.0.0.1:65001", ocaclient.Options{})
		defer o.Close()
		for path, x := range down {
			if x.Class.Class.IsA(ocp1.ClassBlock) {
				continue
			}
			if on, err := o.Enabled(x.ONo).Get(s.t.Context()); err != nil || on {
				s.t.Errorf("%s of a device that is away is in use: %v", path, err)
			}
		}
	})
}

// A meter is produced while a controller has subscribed to it.
func TestMeters(t *testing.T) {
	in(t, func(s *studio) {
		heard := make(chan told, 16)
		c, at := s.controller("127.0.0.1:65000", ocaclient.Options{Events: tell(heard)})
		defer c.Close()
		if on, err := c.Enabled(at[string(meter)].ONo).Get(s.t.Context()); err != nil || !on {
			s.t.Errorf("a meter that nobody watches cannot be used: %v", err)
		}
		if s.gw.Tree.Wanted(northtest.Mill, meter) {
			s.t.Error("the meter is produced for nobody")
		}
		if _, err := c.Subscribe(s.t.Context(), at[string(meter)].ONo); err != nil {
			s.t.Fatal(err)
		}
		time.Sleep(2 * metersEvery)
		if !s.gw.Tree.Wanted(northtest.Mill, meter) {
			s.t.Fatal("the meter is not produced")
		}
		s.gw.Tree.Apply(northtest.Mill, &device.Delta{Samples: []device.Sample{{Path: meter, Value: device.OfFloat(-12), Received: time.Now()}}})
		if e := <-heard; e.value != "\xc1\x40\x00\x00" {
			s.t.Errorf("%+v", e)
		}
		if _, err := c.Unsubscribe(s.t.Context(), at[string(meter)].ONo); err != nil {
			s.t.Fatal(err)
		}
		time.Sleep(2 * metersEvery)
		if s.gw.Tree.Wanted(northtest.Mill, meter) {
			s.t.Error("the meter is produced though nobody wants it any more")
		}
	})
}

// Points that come, go and change are objects that do.
func TestTheTreeChanges(t *testing.T) {
	in(t, func(s *studio) {
		c, at := s.controller("127.0.0.1:65000", ocaclient.Options{})
		defer c.Close()
		gain := at["audio/gain"].ONo
		s.gw.Tree.Apply(northtest.Mill, &device.Delta{Gone: []device.Path{"bool"}, Specs: []device.Spec{{Path: "new", Kind: device.Bool, Access: device.RW},
			{Path: "audio/gain", Kind: device.Float, Access: device.RW, Unit: "dB", Min: -40, Max: 0}}})
		synctest.Wait()
		root, err := c.Tree(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		now := map[string]*ocaclient.Object{}
		root.Walk(func(o *ocaclient.Object) bool { now[o.RolePath()] = o; return true })
		if now["bool/yes"] != nil || now["new"] == nil || now["audio/gain"] == nil || now["audio/gain"].ONo != gain {
			s.t.Errorf("bool %v, new %v, gain %v", now["bool/yes"], now["new"], now["audio/gain"])
		}
		if v, err := c.Gain(gain).GetRanged(s.t.Context()); err != nil || v.Min != -40 || v.Max != 0 || v.Value != -20 {
			s.t.Errorf("%+v, %v", v, err)
		}
	})
}

// What a write has brought in is not taken back by what was read before it.
func TestNewer(t *testing.T) {
	f := New(Config{}).newFace("desk", oca.Defaults())
	point := func(seq uint64, v float64) []device.Point {
		return []device.Point{{Spec: &device.Spec{Path: "gain"}, Sample: device.Sample{Value: device.OfFloat(v)}, Seq: seq}}
	}
	for _, row := range []struct {
		seq  uint64
		news int
	}{{5, 1}, {4, 0}, {5, 1}, {6, 1}, {5, 0}} {
		if got := f.newer(point(row.seq, 1)); len(got) != row.news {
			t.Errorf("after %v: %v", row, got)
		}
	}
}

// shown is what a device is told of its controllers.
type shown struct {
	mu        sync.Mutex
	values    map[device.Path]string
	commander driver.Commander
}

func (s *shown) Apply(c *driver.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(c.Gone, device.ClientsRoot) {
		clear(s.values)
	}
	for _, gone := range c.Gone {
		maps.DeleteFunc(s.values, func(p device.Path, _ string) bool { return p.Under(gone) })
	}
	for _, v := range c.Samples {
		s.values[v.Path] = v.Value.String()
	}
}

// forget empties what was told, and gives it.
func (s *shown) forget() map[device.Path]string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.values
	s.values = map[device.Path]string{}
	return out
}

// The controllers of a device are points of it, with a command that ends their connection. A device that is configured anew is told again.
func TestControllersArePoints(t *testing.T) {
	in(t, func(s *studio) {
		c, at := s.controller("127.0.0.1:8443", ocaclient.Options{})
		defer c.Close()
		if err := c.Int32(at["int/override"].ONo).Set(s.t.Context(), 70); err != nil {
			s.t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		mill := s.shown[northtest.Mill]
		got := mill.forget()
		for p, want := range map[device.Path]string{"_clients/aes70-count": "1", "_clients/aes70-forwarded": "1", "_clients/aes70-refused": "0", "_clients/aes70-error": "",
			"_clients/aes70-listen": "tcp 127.0.0.1:65000, tls 127.0.0.1:8443, ws 127.0.0.1:8080", "_clients/aes70-1/refused": "0"} {
			if v, ok := got[p]; !ok || v != want {
				s.t.Errorf("%s is %q, want %q", p, v, want)
			}
		}
		if got["_clients/aes70-1/address"] == "" || got["_clients/aes70-1/requests"] == "0" {
			s.t.Errorf("%v", got)
		}
		same := *maps.Collect(s.door.faces.All())[northtest.Mill].opts
		s.door.Set([]Device{{northtest.Mill, &same}})
		time.Sleep(time.Second)
		if d := cmp.Diff(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(mill.forget()))); d != "" {
			s.t.Errorf("told again: %s", d)
		}
		if _, o := mill.commander.Do(s.t.Context(), "_clients/aes70-1/disconnect", nil); o.Stage != driver.Acked {
			s.t.Errorf("%+v", o)
		}
		synctest.Wait()
		if c.Err() == nil {
			s.t.Error("the controller is connected still")
		}
		s.door.Set(nil)
		if got := mill.forget(); len(got) != 0 || mill.commander != nil {
			s.t.Errorf("a device that is not served any more: %v", got)
		}
	})
}

// Why controllers cannot connect is a point too, until they can.
func TestNoListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, sh := northtest.New(), &shown{values: map[device.Path]string{}}
		taken := true
		d := New(Config{Tree: g.Tree, Writes: g, Gate: &gate{}, Listen: func(context.Context, string, string) (net.Listener, error) {
			if taken {
				taken = false
				return nil, errors.New("in use")
			}
			return testnet.Listen(), nil
		}, Clients: func(string) (driver.Sink, func(driver.Commander)) { return sh, func(driver.Commander) {} }})
		d.Set([]Device{{northtest.Mill, oca.Defaults()}})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- d.Run(ctx) }()
		time.Sleep(2 * time.Second)
		if got := sh.forget(); got["_clients/aes70-error"] != "tcp in use" || got["_clients/aes70-listen"] != "" {
			t.Errorf("%v", got)
		}
		time.Sleep(again)
		if got := sh.forget(); got["_clients/aes70-error"] != "" || !strings.HasPrefix(got["_clients/aes70-listen"], "tcp ") {
			t.Errorf("%v", got)
		}
		cancel()
		<-done
	})
}

// A device that stays the same in a new configuration keeps its controllers; one that is taken out loses them.
func TestSet(t *testing.T) {
	in(t, func(s *studio) {
		c, _ := s.controller("127.0.0.1:65000", ocaclient.Options{})
		defer c.Close()
		d, _ := s.controller("127.0.0.1:65001", ocaclient.Options{})
		defer d.Close()
		same := *maps.Collect(s.door.faces.All())[northtest.Mill].opts
		s.door.Set([]Device{{northtest.Mill, &same}})
		synctest.Wait()
		if c.Err() != nil {
			s.t.Errorf("the connection ended: %v", c.Err())
		}
		if d.Err() == nil {
			s.t.Error("a device that is not served any more has a controller")
		}
		got := map[string]float64{}
		s.door.Measures(func(m north.Measure) { got[m.Name] += m.Value })
		if got["aes70_controllers"] != 1 {
			s.t.Errorf("%v", got)
		}
		for range 2 {
			x, _ := s.controller("127.0.0.1:65000", ocaclient.Options{})
			defer x.Close()
		}
		conn, err := s.nets["127.0.0.1:65000"].DialContext(s.t.Context(), "tcp", "")
		if err != nil {
			s.t.Fatal(err)
		}
		x := ocaclient.New(conn, "mill", ocaclient.Options{})
		defer x.Close()
		if _, err := x.Tree(s.t.Context()); err == nil {
			s.t.Error("more controllers than max_clients")
		}
	})
}

// The local network is told of listeners that it reaches, for as long as they are there, and of no others.
func TestAnnounce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		told := map[string]bool{}
		g := northtest.New()
		d := New(Config{Tree: g.Tree, Writes: g, Gate: &gate{}, TLS: &tls.Config{}, Listen: func(_ context.Context, _, addr string) (net.Listener, error) {
			return new(testnet.Network).MustListen(addr), nil
		}, Announce: func(ctx context.Context, a driver.Announcement) error {
			what := a.Type + " " + a.Instance + " " + a.Addr.String()
			mu.Lock()
			told[what] = true
			mu.Unlock()
			<-ctx.Done()
			mu.Lock()
			delete(told, what)
			mu.Unlock()
			return nil
		}})
		o := oca.Defaults()
		o.TLS, o.WS, o.Announce = "192.0.2.5:8443", "192.0.2.5:8080", true
		quiet := oca.Defaults()
		quiet.Listen = "192.0.2.5:65001"
		d.Set([]Device{{northtest.Mill, o}, {northtest.Down, quiet}})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- d.Run(ctx) }()
		synctest.Wait()
		mu.Lock()
		if len(told) != 2 || !told["_ocaws._tcp mill1 192.0.2.5:8080"] || !told["_ocasec._tcp mill1 192.0.2.5:8443"] {
			t.Errorf("%v", told)
		}
		mu.Unlock()
		d.Set(nil)
		synctest.Wait()
		if len(told) != 0 {
			t.Errorf("after the end: %v", told)
		}
		cancel()
		<-done
	})
}
