package aes70

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocasim"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaws"
)

// What a point is called, what it means and how grave a write is, by the device's words and its place.
func TestNames(t *testing.T) {
	d := ocaserver.NewDevice(ocaserver.Info{})
	r := d.Root()
	in := r.Block("Inputs").Block("Analogue 1")
	in.Gain("Gain", 0, 0, 69)
	in.Boolean("48V", false)
	in.Boolean("Hi-Z", false)
	in.Boolean("Air", false)
	in.Boolean("Pad", false)
	in.Switch("Mode", 0, "Line", "Inst")
	in.Level("Level", -128, -128, 0)
	in.Text("Nickname", "")
	in.Gain("Gain", 0, 0, 1) // a second of the same name
	out := r.Block("Outputs").Block("Monitor 1")
	out.Gain("Gain", 0, -128, 0)
	out.Mute("Mute", false)
	out.Switch("Source", 0, "Off")
	mon := r.Block("Monitor Section")
	mon.Gain("Volume", 0, -80, 6)
	mon.Mute("Mute", false)
	mon.Boolean("Dim", false)
	mix := r.Block("Mixer").Block("A").Block("Inputs").Block("1")
	mix.Gain("Gain", 0, -128, 6)
	mix.PanBalance("Pan", 0)
	mix.Mute("Mute", false)
	mix.Boolean("Solo", false)
	clock := r.Block("Clock")
	clock.Switch("Sample Rate", 0, "48 kHz")
	clock.Switch("Source", 0, "Internal")
	clock.BooleanSensor("Locked", true)
	r.Boolean("Factory Reset", false)
	r.Identify("Identify")
	r.Polarity("Ø", false)
	r.Delay("Delay", 0, 1)
	r.Custom(ocp1.ClassIdentification{Class: ocp1.ClassOf(1, 2, 0xffff, 0, 0x130e, 1), Version: 1}, "Agent", nil)
	want := map[device.Path]string{
		"inputs/analogue-1/gain": "audio.gain live", "inputs/analogue-1/phantom": "audio.phantom hazard", "inputs/analogue-1/instrument": "audio.instrument live",
		"inputs/analogue-1/air": "audio.air live", "inputs/analogue-1/pad": "audio.pad live", "inputs/analogue-1/mode": "audio.line-mode live",
		"inputs/analogue-1/meter": "audio.meter ", "inputs/analogue-1/name": "audio.name ", "inputs/analogue-1/gain-2": "audio.gain live",
		"outputs/monitor-1/gain": "audio.gain live", "outputs/monitor-1/mute": "audio.mute live", "outputs/monitor-1/source": "audio.output.source live",
		"monitor-section/volume": "audio.monitor.level live", "monitor-section/mute": "audio.monitor.mute live", "monitor-section/dim": "audio.monitor.dim live",
		"mixer/a/inputs/1/gain": "audio.mix.gain live", "mixer/a/inputs/1/pan": "audio.mix.pan live", "mixer/a/inputs/1/mute": "audio.mix.mute live", "mixer/a/inputs/1/solo": "audio.mix.solo live",
		"clock/sample-rate": "audio.sample-rate hazard", "clock/source": "audio.clock.source hazard", "clock/locked": "audio.clock.locked ",
		"factory-reset": " hazard", "identify": " ", "unnamed": " live", "delay": " live", "agent": " ",
	}
	synctest.Test(t, func(t *testing.T) {
		near, far := testnet.Pipe(64 << 10)
		done := make(chan error)
		go func() { done <- ocaserver.New(d, ocaserver.Options{}).ServeConn(t.Context(), far) }()
		opened, err := NewSession(t.Context(), near, "device", defaults())
		if err != nil {
			t.Fatal(err)
		}
		s := opened.(*session)
		got := map[device.Path]string{}
		for _, pt := range s.board.list {
			got[pt.spec.Path] = pt.spec.Role + " " + pt.spec.Hazard
			if role, ok := device.RoleOf(pt.spec.Role); ok && role.Kind != pt.spec.Kind {
				t.Errorf("%s is %v, its role is for %v", pt.spec.Path, pt.spec.Kind, role.Kind)
			}
		}
		for p, w := range want {
			if got[p] != w {
				t.Errorf("%s: %q, want %q", p, got[p], w)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%d points, want %d: %v", len(got), len(want), got)
		}
		if a := s.board.byPath["inputs/analogue-1/phantom"].spec.Attributes; a["role"] != "48V" || a["role-path"] != "Inputs/Analogue 1/48V" || a["class"] != "OcaBooleanActuator" || a["object-number"] == "" {
			t.Errorf("%v", a)
		}
		if v := s.board.byPath["agent"].sample.Value.Str(); v != "1.2.[00130e].1, a kind of OcaAgent" {
			t.Errorf("an unknown class says %q", v)
		}
		s.Close()
		<-done
	})
}

// events runs f with a session that is watched, and the device behind it.
func events(t *testing.T, f func(t *testing.T, sim *ocasim.Sim, s *session, next func() *driver.Change)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sim := ocasim.New(ocasim.Options{Inputs: 1, Mixes: 1})
		near, far := testnet.Pipe(64 << 10)
		done := make(chan error)
		go func() { done <- sim.Server.ServeConn(t.Context(), far) }()
		opened, err := NewSession(t.Context(), near, "device", defaults())
		if err != nil {
			t.Fatal(err)
		}
		changes := make(chan *driver.Change, 1000)
		ctx, cancel := context.WithCancel(t.Context())
		watched := make(chan error)
		go func() {
			watched <- opened.Watch(ctx, driver.Everything{}, sinkFunc(func(c *driver.Change) { changes <- c }))
		}()
		f(t, sim, opened.(*session), func() *driver.Change {
			t.Helper()
			synctest.Wait()
			select {
			case c := <-changes:
				return c
			default:
				t.Fatal("no change came")
				return nil
			}
		})
		cancel()
		<-watched
		opened.Close()
		<-done
	})
}

type sinkFunc func(*driver.Change)

func (f sinkFunc) Apply(c *driver.Change) { f(c) }

// Names of positions, availability and labels change while it runs.
func TestSpecsChange(t *testing.T) {
	events(t, func(t *testing.T, sim *ocasim.Sim, s *session, next func() *driver.Change) {
		next() // everything
		next() // the meters, for the first time
		sim.Inputs[0].AirMode.SetNames("Presence", "Drive", "Both")
		if c := next(); len(c.Labels) != 1 || len(c.Labels[0].Items) != 3 || c.Labels[0].Items[2] != (device.Label{Value: 2, Key: "both", Text: "Both"}) {
			t.Errorf("%+v", c)
		}
		sim.Inputs[0].AirMode.SetEnabled(false)
		if c := next(); len(c.Specs) != 1 || c.Specs[0].Access != device.R || c.Specs[0].Attributes["enabled"] != "false" || c.Specs[0].Attributes[device.AttrReadOnly] == "" {
			t.Errorf("%+v", c)
		}
		out, _ := s.Write(t.Context(), []driver.Write{{Path: "inputs/analogue-1/air-mode", Value: device.OfEnum(1)}})
		if out[0].Stage != driver.Refused || !errors.Is(out[0].Err, errNotInUse) {
			t.Errorf("%+v", out[0])
		}
		sim.Inputs[0].AirMode.SetEnabled(true)
		if c := next(); c.Specs[0].Access != device.RW || c.Specs[0].Attributes["enabled"] != "" {
			t.Errorf("%+v", c)
		}
		sim.Inputs[0].Gain.SetLabel("Vocals")
		if c := next(); c.Specs[0].Attributes["label"] != "Vocals" {
			t.Errorf("%+v", c)
		}
	})
}

// A monitor level rises in steps, whatever the writes are, and falls at once.
func TestMaxStep(t *testing.T) {
	events(t, func(t *testing.T, sim *ocasim.Sim, s *session, next func() *driver.Change) {
		level := func(v ...float64) []driver.Outcome {
			t.Helper()
			var w []driver.Write
			for _, v := range v {
				w = append(w, driver.Write{Path: "monitoring/level", Value: device.OfFloat(v)})
			}
			out, err := s.Write(t.Context(), w)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			return out
		}
		if a := s.board.byPath["monitoring/level"].spec.Attributes; a["max-step"] != "20" {
			t.Errorf("nobody is told of max_step: %v", a)
		}
		for i, row := range []struct {
			v    float64
			want driver.Stage
		}{{-9, driver.Refused}, {-10, driver.Acked}, {-100, driver.Acked}, {-79, driver.Refused}, {-80, driver.Acked}} {
			if o := level(row.v)[0]; o.Stage != row.want {
				t.Errorf("step %d: %v, %v", i, o.Stage, o.Err)
			}
		}
		if out := level(-65, -50, -30); out[0].Stage != driver.Acked || out[1].Stage != driver.Acked || out[2].Stage != driver.Acked {
			t.Errorf("three steps together: %v", out)
		}
		if out := level(-15, 6); out[1].Stage != driver.Refused {
			t.Errorf("a step that is too large behind one that is not: %v", out)
		}
		if v := sim.Monitoring.Level.Get(); v != -15 {
			t.Errorf("the level is %v", v)
		}
	})
}

func TestOptions(t *testing.T) {
	if err := defaults().Validate(); err != nil {
		t.Error(err)
	}
	for key, change := range map[string]func(*Options){
		"timeout": func(o *Options) { o.Timeout = 1 }, "poll": func(o *Options) { o.Poll = 0 }, "window": func(o *Options) { o.Window = 0 },
		"max_step": func(o *Options) { o.MaxStep = -1 }, "path": func(o *Options) { o.Path = "x" }, "fingerprint": func(o *Options) { o.Fingerprint = "ab:cd" },
	} {
		o := defaults()
		change(o)
		if err := o.Validate(); err == nil || !strings.HasPrefix(err.Error(), key+":") {
			t.Errorf("%s: %v", key, err)
		}
	}
	for key, change := range map[string]func(*ServeOptions){
		"listen": func(o *ServeOptions) { o.Listen = "" }, "ws": func(o *ServeOptions) { o.WS = "x" }, "max_clients": func(o *ServeOptions) { o.MaxClients = 0 },
		"announce": func(o *ServeOptions) { o.Announce = true },
		"allow":    func(o *ServeOptions) { o.Listen, o.Allow = "0.0.0.0:1", []string{"*"} },
	} {
		o := serveDefaults()
		change(o)
		if err := o.Validate(); err == nil || !strings.HasPrefix(err.Error(), key+":") {
			t.Errorf("serve.%s: %v", key, err)
		}
	}
	o := ServeOptions{Allow: []string{"inputs/*", "clock/source"}}
	if !o.Allow.Allow("inputs/1/gain", device.HazardLive) || o.Allow.Allow("inputs/1/phantom", device.HazardMove) || !o.Allow.Allow("clock/source", device.HazardMove) || o.Allow.Allow("outputs/1/gain", device.HazardLive) {
		t.Error("allows is wrong")
	}
}

// Over TLS the fingerprint decides; without one, what this computer trusts.
func TestTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cert := testnet.MustCertificate("desk.example")
		sum := sha256.Sum256(cert.Leaf.Raw)
		print := hex.EncodeToString(sum[:])
		l := testnet.Listen()
		sim := ocasim.New(ocasim.Options{Inputs: 1})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			done <- sim.Serve(ctx, tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}}))
		}()
		u, _ := url.Parse("aes70+tls://desk.example")
		open := func(fingerprint string) error {
			o := defaults()
			o.Fingerprint = fingerprint
			s, err := New().Open(t.Context(), driver.Env{Dial: l.DialContext, Log: slog.New(slog.DiscardHandler)}, driver.Target{Name: "desk", URL: u, Options: o})
			if err == nil {
				err = s.Close()
			}
			return err
		}
		var colons []string
		for i := 0; i < len(print); i += 2 {
			colons = append(colons, strings.ToUpper(print[i:i+2]))
		}
		for _, row := range []struct {
			name, fingerprint string
			want              driver.Class
			ok                bool
		}{{"its own", print, 0, true}, {"its own with colons", strings.Join(colons, ":"), 0, true}, {"another", strings.Repeat("0", 64), driver.Auth, false}, {"none", "", driver.Auth, false}} {
			err := open(row.fingerprint)
			if (err == nil) != row.ok || err != nil && (driver.ClassOf(err) != row.want || driver.HintOf(err) == "") {
				t.Errorf("%s: %v (%v)", row.name, err, driver.ClassOf(err))
			}
			if told := fmt.Sprint(err, driver.HintOf(err)); !row.ok && !strings.Contains(told, print) {
				t.Errorf("%s: what is told does not hold the fingerprint that may be put down: %s", row.name, told)
			}
		}
		cancel()
		<-done
	})
}

// Probing tells an AES70 device over TCP and over WebSocket from what is none.
func TestProbe(t *testing.T) {
	for _, kind := range []string{"tcp", "ws", "web"} {
		synctest.Test(t, func(t *testing.T) {
			sim := ocasim.New(ocasim.Options{Inputs: 1})
			l := testnet.Listen()
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			serve := map[string]func(context.Context, net.Listener) error{"tcp": sim.Serve,
				"ws":  ocaws.New(func(ctx context.Context, c net.Conn) { _ = sim.Server.ServeConn(ctx, c) }, ocaws.Options{}).Serve,
				"web": ocaws.New(func(_ context.Context, c net.Conn) { c.Close() }, ocaws.Options{}).Serve}[kind]
			go func() { done <- serve(ctx, l) }()
			f, err := Driver{}.Probe(t.Context(), driver.Env{Dial: l.DialContext, Log: slog.New(slog.DiscardHandler)}, "device:65000")
			if f.Match != (kind != "web") || (err == nil) != f.Match {
				t.Errorf("%s: %+v, %v", kind, f, err)
			}
			if kind == "ws" && !strings.Contains(f.Reasons[1], "aes70+ws://device:65000") {
				t.Errorf("%v", f.Reasons)
			}
			cancel()
			<-done
		})
	}
}
