package ocasim

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaclient"
)

// A controller finds the parts of an interface by their roles, and hears the meters move.
func TestInterface(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Inputs: 2, Outputs: 2, Mixes: 1, Objects: 150})
		ln := testnet.Listen()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 2)
		go func() { done <- s.Serve(ctx, ln) }()
		go func() { done <- s.Run(ctx) }()
		meters := make(chan float32, 100)
		c, err := ocaclient.Dial(t.Context(), ln.DialContext, ln.Addr().String(), ocaclient.Options{Events: func(e ocaclient.Event) {
			p := ocp1.NewParams("meter", e.Change.Value)
			meters <- p.F32("reading")
		}})
		if err != nil {
			t.Fatal(err)
		}
		root, err := c.Tree(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]*ocaclient.Object{}
		root.Walk(func(o *ocaclient.Object) bool { found[o.RolePath()] = o; return true })
		for path, class := range map[string]ocp1.ClassID{
			"Model": ocp1.ClassStringSensor, "Inputs/Analogue 2/Gain": ocp1.ClassGain, "Inputs/Analogue 1/Air Mode": ocp1.ClassSwitch, "Inputs/Analogue 1/48V": ocp1.ClassBooleanActuator,
			"Outputs/Monitor 2/Mute": ocp1.ClassMute, "Outputs/Line 4/Source": ocp1.ClassSwitch, "Mixer/Mixes/A/Inputs/2/Pan": ocp1.ClassPanBalance,
			"Monitoring/Dim": ocp1.ClassBooleanActuator, "Clock/Locked": ocp1.ClassBooleanSensor, "Bank 2/Gain 50": ocp1.ClassGain, "Inputs/Analogue 1/Meter": ocp1.ClassLevelSensor,
		} {
			if o := found[path]; o == nil || o.Class.Class != class {
				t.Errorf("%s: %+v", path, o)
			}
		}
		if errs, err := c.Subscribe(t.Context(), found["Inputs/Analogue 1/Meter"].ONo); err != nil || errs[0] != nil {
			t.Fatal(errs, err)
		}
		for range 25 {
			if v := <-meters; v < Silence || v > 0 {
				t.Errorf("meter at %v", v)
			}
		}
		c.Close()
		cancel()
		for range 2 {
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
	})
}

// What is set is heard.
func TestSignal(t *testing.T) {
	s := New(Options{Inputs: 2, Mixes: 1})
	in, mon := &s.Inputs[0], &s.Outputs[0]
	at := func(v interface{ Get() float32 }) float32 {
		s.signal[0], s.signal[1] = -50, -50
		s.Step()
		return v.Get()
	}
	quiet := at(in.Meter)
	in.Gain.Set(60)
	if loud := at(in.Meter); loud <= quiet || !in.Clip.Get() {
		t.Errorf("60 dB of gain: %v after %v, clip %v", loud, quiet, in.Clip.Get())
	}
	in.Gain.Set(20)
	s.Monitoring.Level.Set(0)
	open := at(mon.Meter)
	s.Monitoring.Dim.Set(true)
	if dim := at(mon.Meter); open-dim < 10 {
		t.Errorf("dim: %v after %v", dim, open)
	}
	s.Monitoring.Mute.Set(true)
	if v := at(mon.Meter); v != Silence {
		t.Errorf("muted: %v", v)
	}
	s.Monitoring.Mute.Set(false)
	s.Mixes[0].Channels[1].Solo.Set(true)
	s.Mixes[0].Channels[1].Gain.Set(Silence)
	if v := at(mon.Meter); v != Silence {
		t.Errorf("another channel alone, at silence: %v", v)
	}
	mon.Source.Set(1)
	if v := at(mon.Meter); v == Silence {
		t.Error("an input at the monitor is not heard")
	}
	mon.Source.Set(0)
	if v := at(mon.Meter); v != Silence {
		t.Errorf("no source: %v", v)
	}
}

func TestOptions(t *testing.T) {
	if err := (Options{}).Check(); err != nil {
		t.Error(err)
	}
	for _, o := range []Options{{Inputs: 65}, {Outputs: -1}, {Mixes: 27}, {Objects: MaxObjects + 1}} {
		if o.Check() == nil {
			t.Errorf("%+v is good", o)
		}
	}
}

// A device of 2018 has no events of the second kind.
func TestEV1(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{EV1: true})
		ln := testnet.Listen()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Serve(ctx, ln) }()
		events := make(chan ocaclient.Event, 1)
		c, err := ocaclient.Dial(t.Context(), ln.DialContext, ln.Addr().String(), ocaclient.Options{Events: func(e ocaclient.Event) { events <- e }})
		if err != nil {
			t.Fatal(err)
		}
		if errs, err := c.Subscribe(t.Context(), s.Monitoring.Dim.ONo()); err != nil || errs[0] != nil || c.EV2() {
			t.Fatal(errs, err, c.EV2())
		}
		s.Monitoring.Dim.Set(true)
		select {
		case e := <-events:
			if e.Source.Emitter != s.Monitoring.Dim.ONo() {
				t.Errorf("%+v", e)
			}
		case <-time.After(time.Second):
			t.Error("no event")
		}
		c.Close()
		cancel()
		<-done
	})
}
