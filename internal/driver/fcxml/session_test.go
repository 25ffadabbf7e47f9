package fcxml

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/fcxml"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcclient"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcsim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// studio is a simulated server with a session, whose points are watched.
type studio struct {
	*testing.T
	net *testnet.Network
	sim *fcsim.Sim
	s   *session

	mu        sync.Mutex
	specs     map[device.Path]device.Spec
	labels    map[string]device.LabelSet
	samples   map[device.Path]device.Sample
	condition driver.Condition
	changes   int
}

// Apply implements driver.Sink.
func (st *studio) Apply(c *driver.Change) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.changes++
	if c.Full {
		st.specs, st.samples, st.labels = map[device.Path]device.Spec{}, map[device.Path]device.Sample{}, map[string]device.LabelSet{}
	}
	for _, l := range c.Labels {
		st.labels[l.ID] = l
	}
	for _, sp := range c.Specs {
		st.specs[sp.Path] = sp
	}
	for _, s := range c.Samples {
		st.samples[s.Path] = s
	}
	if c.Condition != nil {
		st.condition = *c.Condition
	}
}

// store is a KeyStore in memory.
type store map[string][]byte

func (k store) Load(name string) ([]byte, error) {
	if b, ok := k[name]; ok {
		return b, nil
	}
	return nil, fs.ErrNotExist
}

func (k store) Store(name string, b []byte) error { k[name] = b; return nil }

func in(t *testing.T, o fcsim.Options, change func(*Options), f func(st *studio)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sim, err := fcsim.New(o)
		if err != nil {
			t.Fatal(err)
		}
		st := &studio{T: t, net: new(testnet.Network), sim: sim}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()
		l := st.net.MustListen("192.0.2.40:49152")
		wg.Go(func() { _ = sim.Serve(ctx, l) })
		opts := defaults()
		opts.ClientKey, opts.Hostname = driver.NewSecret("key-1"), "studio test"
		if change != nil {
			change(opts)
		}
		u, _ := url.Parse("fcxml://192.0.2.40:49152")
		s, err := New().Open(ctx, driver.Env{Dial: st.net.Dial, Log: slog.New(slog.DiscardHandler)}, driver.Target{Name: "desk", URL: u, Options: opts})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		st.s = s.(*session)
		wg.Go(func() { _ = s.Watch(ctx, driver.Everything{}, st) })
		synctest.Wait()
		f(st)
	})
}

func (st *studio) write(path device.Path, v device.Value) driver.Outcome {
	st.Helper()
	out, err := st.s.Write(st.Context(), []driver.Write{{Path: path, Value: v}})
	if err != nil {
		st.Fatal(err)
	}
	synctest.Wait()
	return out[0]
}

// settle lets a second pass and everything come to rest.
func (st *studio) settle() {
	time.Sleep(time.Second)
	synctest.Wait()
}

func (st *studio) sample(path device.Path) device.Sample {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.samples[path]
}

func (st *studio) spec(path device.Path) device.Spec {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.specs[path]
}

func TestPoints(t *testing.T) {
	in(t, fcsim.Options{Approved: true, MeterEvery: -1}, nil, func(st *studio) {
		for path, want := range map[device.Path]struct {
			kind         device.Kind
			unit, role   string
			min, max     float64
			hazard       string
			access       device.Access
			rate         device.Rate
			quality      device.Quality
			reason, text string
		}{
			"model":                         {kind: device.String, role: "id.model", access: device.R, text: "Scarlett 18i20"},
			"firmware":                      {kind: device.String, role: "id.version", access: device.R, rate: device.Normal, text: "1605"},
			"inputs/analogue-1/air":         {kind: device.Bool, role: "audio.air", hazard: "live", access: device.RW, rate: device.Normal, quality: device.Uncertain, reason: "assumed-default", text: "false"},
			"inputs/analogue-1/mode":        {kind: device.Enum, role: "audio.line-mode", hazard: "live", access: device.RW, rate: device.Normal, text: "0"},
			"inputs/analogue-1/name":        {kind: device.String, role: "audio.name", access: device.RW, rate: device.Normal, quality: device.Uncertain, reason: "assumed-default"},
			"inputs/analogue-1/meter":       {kind: device.Float, role: "audio.meter", unit: "dBFS", min: -128, access: device.R, rate: device.Meter, text: "-128"},
			"outputs/line-output-5/gain":    {kind: device.Float, role: "audio.gain", unit: "dB", min: -128, hazard: "live", access: device.RW, rate: device.Normal, text: "0"},
			"outputs/monitor-output-1/gain": {kind: device.Float, role: "audio.gain", unit: "dB", min: -128, hazard: "live", access: device.R, rate: device.Normal, text: "0"},
			"outputs/line-output-5/mute":    {kind: device.Bool, role: "audio.mute", hazard: "live", access: device.RW, rate: device.Normal, quality: device.Uncertain, reason: "assumed-default", text: "false"},
			"mixer/mixes/a/inputs/3/gain":   {kind: device.Float, role: "audio.mix.gain", unit: "dB", min: -128, max: 6, hazard: "live", access: device.RW, rate: device.Normal, text: "-128"},
			"mixer/mixes/a/inputs/3/pan":    {kind: device.Int, hazard: "live", access: device.RW, rate: device.Normal, quality: device.Uncertain, reason: "assumed-default", text: "0"},
			"monitoring/level":              {kind: device.Float, role: "audio.monitor.level", unit: "dB", min: -128, access: device.R, rate: device.Normal, text: "-20"},
			"monitoring/dim":                {kind: device.Bool, role: "audio.monitor.dim", hazard: "live", access: device.RW, rate: device.Normal, quality: device.Uncertain, reason: "assumed-default", text: "false"},
			"monitoring/talkback":           {kind: device.Bool, role: "audio.monitor.talkback", hazard: "live", access: device.RW, rate: device.Normal, text: "false"},
			"clock/sample-rate":             {kind: device.Enum, hazard: "hazard", access: device.RW, rate: device.Normal, text: "1"},
			"clock/locked":                  {kind: device.Bool, role: "audio.clock.locked", access: device.R, rate: device.Normal, text: "true"},
			"preset":                        {kind: device.Enum, hazard: "hazard", access: device.RW, rate: device.Normal, text: "0"},
			"settings/phantom-persistence":  {kind: device.Bool, hazard: "hazard", access: device.RW, rate: device.Normal, text: "false"},
		} {
			sp, sm := st.spec(path), st.sample(path)
			if sp.Kind != want.kind || sp.Unit != want.unit || sp.Role != want.role || sp.Min != want.min || sp.Max != want.max || sp.Hazard != want.hazard || sp.Access != want.access || sp.Rate != want.rate {
				t.Errorf("%s: %+v", path, sp)
			}
			if sm.Quality != want.quality || sm.Reason != want.reason || sm.Value.String() != want.text {
				t.Errorf("%s is %v (%v %s), want %s (%v %s)", path, sm.Value, sm.Quality, sm.Reason, want.text, want.quality, want.reason)
			}
		}
		for _, path := range []device.Path{"reset-device", "save-snapshot", "firmware/update-firmware", "firmware/restore-factory", "mixer/inputs/remove-input", "inputs/analogue-1"} {
			if _, ok := st.specs[path]; ok {
				t.Errorf("%s is a point", path)
			}
		}
		sources := st.labels[st.spec("outputs/line-output-5/source").Labels]
		if l, ok := sources.ByValue(st.sample("outputs/line-output-5/source").Value.Int()); !ok || l.Key != "playback-5" || l.Text != "Playback 5" {
			t.Errorf("line output 5 is fed from %+v", l)
		}
		if a := st.spec("inputs/analogue-1/air").Attributes; a["name"] != "Analogue 1" || a["item"] == "" || a["element"] != "air" {
			t.Errorf("attributes: %v", a)
		}
		if st.condition.Code != "" {
			t.Errorf("%+v", st.condition)
		}
	})
}

func TestTrustedDefaultsAreGood(t *testing.T) {
	in(t, fcsim.Options{Model: "solo"}, func(o *Options) { o.TrustDefaults = true }, func(st *studio) {
		if sm := st.sample("inputs/analogue-1/air"); sm.Quality != device.Good || sm.Reason != "" || sm.Value.Bool() {
			t.Errorf("%+v", sm)
		}
	})
}

func TestApprovalIsACondition(t *testing.T) {
	in(t, fcsim.Options{Model: "2i2"}, nil, func(st *studio) {
		if st.condition.Code != "waiting-for-approval" || !strings.Contains(st.condition.Text, `"studio test"`) {
			t.Errorf("%+v", st.condition)
		}
		o := st.write("inputs/analogue-1/air", device.OfBool(true))
		if o.Stage != driver.Refused || driver.ClassOf(o.Err) != driver.Auth || !strings.Contains(driver.HintOf(o.Err), "Approve") {
			t.Errorf("%+v", o)
		}
		st.sim.Approve("key-1", true)
		st.settle()
		if st.condition.Code != "" {
			t.Errorf("after approval: %+v", st.condition)
		}
		if o := st.write("inputs/analogue-1/air", device.OfBool(true)); o.Stage != driver.Acked {
			t.Errorf("%+v", o)
		}
		if sm := st.sample("inputs/analogue-1/air"); sm.Quality != device.Good || !sm.Value.Bool() {
			t.Errorf("%+v", sm)
		}
	})
}

// A device that is unplugged takes its points along, and brings them back under other numbers.
func TestUnplugAndPlug(t *testing.T) {
	in(t, fcsim.Options{Model: "4i4", Approved: true}, nil, func(st *studio) {
		n := len(st.specs)
		st.sim.Unplug()
		st.settle()
		if len(st.specs) != 0 || st.condition.Code != "device-unplugged" {
			t.Errorf("%d points, %+v", len(st.specs), st.condition)
		}
		if o := st.write("inputs/analogue-1/air", device.OfBool(true)); o.Stage != driver.Refused {
			t.Errorf("%+v", o)
		}
		st.sim.Plug()
		st.settle()
		if len(st.specs) != n || st.condition.Code != "" {
			t.Errorf("%d points, want %d, %+v", len(st.specs), n, st.condition)
		}
		if o := st.write("inputs/analogue-1/air", device.OfBool(true)); o.Stage != driver.Acked {
			t.Errorf("%+v", o)
		}
	})
}

// A server that tells again of a device that is there begins with it anew; nothing may stand still because of it.
func TestAnnouncedAgain(t *testing.T) {
	in(t, fcsim.Options{Model: "4i4", Approved: true}, nil, func(st *studio) {
		n := len(st.specs)
		st.sim.Plug()
		st.settle()
		if len(st.specs) != n || st.condition.Code != "" {
			t.Errorf("%d points, want %d, %+v", len(st.specs), n, st.condition)
		}
		if err := st.sim.Turn("inputs/analogue-1/air", "true"); err != nil {
			t.Fatal(err)
		}
		st.settle()
		if sm := st.sample("inputs/analogue-1/air"); sm.Quality != device.Good || !sm.Value.Bool() {
			t.Errorf("what changes on the device: %+v", sm)
		}
		if o := st.write("inputs/analogue-2/air", device.OfBool(true)); o.Stage != driver.Acked {
			t.Errorf("%+v", o)
		}
	})
}

// A monitor gets at most max_step louder at once, from wherever it is; down is always free.
func TestMaxStep(t *testing.T) {
	in(t, fcsim.Options{Model: "8i6", Approved: true}, func(o *Options) { o.MaxStep = 6 }, func(st *studio) {
		gain := device.Path("outputs/monitor-output-1/gain")
		if a := st.spec(gain).Attributes; a["max-step"] != "6" {
			t.Errorf("nobody is told of max_step: %v", a)
		}
		for _, c := range []struct {
			to    float64
			stage driver.Stage
		}{{-128, driver.Acked}, {-30, driver.Refused}, {-40, driver.Acked}, {-34, driver.Acked}, {-20, driver.Refused}, {-28, driver.Acked}, {-60, driver.Acked}} {
			o := st.write(gain, device.OfFloat(c.to))
			if o.Stage != c.stage {
				t.Errorf("to %v: %v, %v", c.to, o.Stage, o.Err)
			}
			if o.Stage == driver.Refused && !strings.Contains(driver.HintOf(o.Err), "max_step") {
				t.Errorf("hint: %s", driver.HintOf(o.Err))
			}
		}
		both := func(first, second float64) driver.Stage {
			out, err := st.s.Write(st.Context(), []driver.Write{{Path: gain, Value: device.OfFloat(first)}, {Path: gain, Value: device.OfFloat(second)}})
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			return out[1].Stage
		}
		st.write(gain, device.OfFloat(-40))
		st.write(gain, device.OfFloat(-34))
		if both(-60, -34) != driver.Acked {
			t.Error("a step above the level below which nothing hurts is refused")
		}
		if both(-60, -30) != driver.Refused || both(-59, -53) != driver.Acked {
			t.Error("down and up in one message is more than a step")
		}
		if o := st.write("outputs/headphones-1/gain", device.OfFloat(-128)); o.Stage != driver.Acked {
			t.Errorf("%+v", o)
		}
		if o := st.write("outputs/headphones-1/gain", device.OfFloat(0)); o.Stage != driver.Acked {
			t.Errorf("headphones are no monitor: %+v", o)
		}
	})
}

// A level that the knob owns cannot be written; when the output is taken from the knob it can.
func TestHardwareOwnsLevel(t *testing.T) {
	in(t, fcsim.Options{Approved: true}, nil, func(st *studio) {
		gain := device.Path("outputs/monitor-output-1/gain")
		if o := st.write(gain, device.OfFloat(-3)); o.Stage != driver.Refused || !errors.Is(o.Err, errOwned) {
			t.Errorf("%+v", o)
		}
		if st.spec(gain).Attributes[device.AttrReadOnly] == "" || st.spec("monitoring/level").Attributes[device.AttrReadOnly] == "" {
			t.Error("a level that the knob has does not say so")
		}
		if o := st.write("outputs/monitor-output-1/hardware-control", device.OfBool(false)); o.Stage != driver.Acked {
			t.Errorf("%+v", o)
		}
		if s := st.spec(gain); s.Access != device.RW || s.Attributes[device.AttrReadOnly] != "" {
			t.Errorf("it stays read-only: %+v", s)
		}
		if o := st.write(gain, device.OfFloat(-3)); o.Stage != driver.Acked {
			t.Errorf("%+v", o)
		}
	})
}

func TestLinkedPairShowsTheLeftChannel(t *testing.T) {
	in(t, fcsim.Options{Model: "8i6", Approved: true}, nil, func(st *studio) {
		st.write("outputs/headphones-1/stereo", device.OfBool(true))
		st.write("outputs/headphones-1/gain", device.OfFloat(-9))
		if sm := st.sample("outputs/headphones-2/gain"); sm.Value.Float() != -9 {
			t.Errorf("the right channel is %+v", sm)
		}
		if o := st.write("outputs/headphones-2/gain", device.OfFloat(-12)); o.Stage != driver.Acked {
			t.Errorf("%+v", o)
		}
		if v, _ := st.sim.Value("outputs/headphones-1/gain"); v != "-12" {
			t.Errorf("the left channel is at %s", v)
		}
	})
}

func TestSelectsByModelAndSerial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, err := fcsim.New(fcsim.Options{Model: "solo", Serial: "T1"})
		if err != nil {
			t.Fatal(err)
		}
		n := new(testnet.Network)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		l := n.MustListen("192.0.2.40:50001")
		wg.Go(func() { _ = sim.Serve(ctx, l) })
		pc, _ := n.ListenPacket(ctx, "udp", "192.0.2.40:30098")
		wg.Go(func() { _ = sim.Announce(ctx, pc, 50001) })
		u, _ := url.Parse("fcxml://192.0.2.40")
		keys := store{}
		open := func(change func(*Options)) (driver.Session, error) {
			o := defaults()
			change(o)
			return New().Open(ctx, driver.Env{Dial: n.Dial, Keys: keys, Log: slog.New(slog.DiscardHandler)}, driver.Target{Name: "desk", URL: u, Options: o})
		}
		// Without a port in the URL the server is found by its discovery, and the identity is made once.
		for range 2 {
			s, err := open(func(o *Options) { o.Serial = "T1" })
			if err != nil {
				t.Fatal(err)
			}
			s.Close()
		}
		if len(sim.Clients()) != 1 || len(keys) != 1 || string(keys[identityName]) != sim.Clients()[0].Key || len(sim.Clients()[0].Key) != 36 {
			t.Errorf("clients %+v, keys %q", sim.Clients(), keys)
		}
		_, err = open(func(o *Options) { o.Model = "Scarlett 2i2" })
		if !errors.Is(err, errNoDevice) || driver.ClassOf(err) != driver.Unreachable || driver.HintOf(err) == "" {
			t.Errorf("%v", err)
		}
		cancel()
		wg.Wait()
	})
}

func TestLocateFallsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, _ := url.Parse("fcxml://192.0.2.41")
		_, err := New().Open(t.Context(), driver.Env{Dial: new(testnet.Network).Dial}, driver.Target{Name: "desk", URL: u})
		if driver.ClassOf(err) != driver.RefusedConn || !strings.Contains(err.Error(), "192.0.2.41:49152") || driver.HintOf(err) == "" {
			t.Errorf("%v", err)
		}
	})
}

func TestOptions(t *testing.T) {
	for name, change := range map[string]func(*Options){"timeout": func(o *Options) { o.Timeout = 0 }, "max_step": func(o *Options) { o.MaxStep = -1 },
		"hostname": func(o *Options) { o.Hostname = "" }} {
		o := defaults()
		change(o)
		if err := o.Validate(); err == nil || !strings.HasPrefix(err.Error(), name+":") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*ServeOptions){"listen": func(o *ServeOptions) { o.Listen = "x" }, "max_clients": func(o *ServeOptions) { o.MaxClients = 0 },
		"allow": func(o *ServeOptions) { o.Listen, o.Allow = ":49152", []string{"*"} }} {
		o := serveDefaults()
		change(o)
		if err := o.Validate(); err == nil || !strings.HasPrefix(err.Error(), name+":") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What devices say that makes no sense does not become a value.
func TestOddValues(t *testing.T) {
	e, err := fcxml.ParseElement([]byte(`<device id="1" model="M` + "\xff" + `"><inputs><analogue id="2" name="A"><air id="3"/><meter id="4"/><mode id="5"><enum value="x"/></mode></analogue></inputs><new id="6"/></device>`))
	if err != nil {
		t.Fatal(err)
	}
	schema, err := fcxml.NewSchema(e)
	if err != nil {
		t.Fatal(err)
	}
	tb := newTable(schema)
	for id, bad := range map[uint32]string{3: "maybe", 4: "loud", 5: "y"} {
		p := &tb.points[tb.byID[id]]
		if v, ok := tb.value(p, bad); ok {
			t.Errorf("%s: %q became %v", p.spec.Path, bad, v)
		}
		if _, ok := tb.format(p, device.OfString("x")); ok {
			t.Errorf("%s takes a text", p.spec.Path)
		}
	}
	if p := &tb.points[tb.byPath["new"]]; p.spec.Kind != device.String || p.spec.Access != device.R || p.spec.Grade != device.GradeGuess {
		t.Errorf("%+v", p.spec)
	}
	if v := tb.points[tb.byPath["model"]].fixed.Str(); v != "M\uFFFD" {
		t.Errorf("%q", v)
	}
	if _, ok := tb.format(&tb.points[tb.byID[5]], device.OfEnum(9)); ok {
		t.Error("a label that there is not")
	}
}

// shutStore is a KeyStore that does not give what it has.
type shutStore struct{ store }

func (shutStore) Load(string) ([]byte, error) { return nil, fs.ErrPermission }

// An identity that cannot be had is said, and stays what it is.
func TestIdentityIsNotReplaced(t *testing.T) {
	for _, row := range []struct {
		name string
		was  string
		keys func(store) driver.KeyStore
		want error
	}{
		{"not readable", "as it was", func(k store) driver.KeyStore { return shutStore{k} }, fs.ErrPermission},
		{"empty", "", func(k store) driver.KeyStore { return k }, errNoIdentity},
	} {
		keys := store{identityName: []byte(row.was)}
		key, err := identity(driver.Env{Keys: row.keys(keys)}, defaults())
		if !errors.Is(err, row.want) || key != "" || string(keys[identityName]) != row.was {
			t.Errorf("%s: %q, %v, and it is %q", row.name, key, err, keys[identityName])
		}
	}
}

// Numbers that a server makes up are not kept, also when nobody watches.
func TestMadeUpNumbersAreNotKept(t *testing.T) {
	e, err := fcxml.ParseElement([]byte(`<device id="1"><inputs><analogue id="2" name="A"><air id="3"/></analogue></inputs></device>`))
	if err != nil {
		t.Fatal(err)
	}
	schema, err := fcxml.NewSchema(e)
	if err != nil {
		t.Fatal(err)
	}
	s := &session{opts: defaults(), wake: make(chan struct{}, 1), dirty: map[uint32]struct{}{}}
	s.adopt(schema)
	for id := range uint32(1000) {
		s.hear(fcclient.Event{Device: "1", Values: []fcxml.Assign{{ID: id, Value: "true"}}})
	}
	if _, ok := s.dirty[3]; !ok || len(s.dirty) != 1 {
		t.Errorf("%d numbers are kept, the control among them: %v", len(s.dirty), ok)
	}
}
