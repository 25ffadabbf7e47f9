package oca

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaclient"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
)

// The points of any driver make a device for AES70 controllers, which follows their changes.
func TestMirror(t *testing.T) {
	type wish struct {
		path  device.Path
		value device.Value
	}
	var wishes []wish
	var m *Mirror
	m = NewMirror("desk", func(_ context.Context, _ *ocaserver.Conn, p device.Path, v device.Value) error {
		wishes = append(wishes, wish{p, v})
		if p == "inputs/analogue-1/pad" {
			return &ocp1.Error{Status: ocp1.StatusPermissionDenied}
		}
		m.Took(p, v)
		return nil
	})
	sample := func(p device.Path, v device.Value) device.Sample {
		return device.Sample{Path: p, Value: v, Received: time.Unix(1, 0)}
	}
	m.Apply(&driver.Change{Full: true,
		Labels: []device.LabelSet{{ID: "rates", Items: []device.Label{{Value: 44100, Text: "44.1 kHz"}, {Value: 48000, Text: "48 kHz"}}}},
		Specs: []device.Spec{
			{Path: "model", Kind: device.String, Access: device.R, Role: "id.model"},
			{Path: "inputs/analogue-1/gain", Kind: device.Float, Access: device.RW, Unit: "dB", Min: -80, Max: 6, Role: "audio.gain", Attributes: map[string]string{"label": "Vocals"}},
			{Path: "inputs/analogue-1/pad", Kind: device.Bool, Access: device.RW, Role: "audio.pad"},
			{Path: "inputs/analogue-1/meter", Kind: device.Float, Access: device.R, Unit: "dBFS", Rate: device.Meter, Role: "audio.meter"},
			{Path: "outputs/1/mute", Kind: device.Bool, Access: device.RW, Role: "audio.mute"},
			{Path: "mixer/a/inputs/1/pan", Kind: device.Float, Access: device.RW, Role: "audio.mix.pan", Min: -1, Max: 1},
			{Path: "clock/sample-rate", Kind: device.Enum, Access: device.RW, Labels: "rates"},
			{Path: "identify", Kind: device.Bool, Access: device.RW, Title: "Blink"},
			{Path: "buffer", Kind: device.Int, Access: device.RW, Min: 16, Max: 1024},
			{Path: "alarms", Kind: device.List, Access: device.R},
			{Path: "_link/state", Kind: device.Int, Access: device.R},
		},
		Samples: []device.Sample{sample("model", device.OfString("8i6")), sample("inputs/analogue-1/gain", device.OfFloat(-6)), sample("clock/sample-rate", device.OfEnum(48000)),
			sample("outputs/1/mute", device.OfBool(true)), sample("buffer", device.OfInt(64)), {Path: "inputs/analogue-1/pad", Quality: device.Bad, Reason: "not-reported", Received: time.Unix(1, 0)}},
	})
	synctest.Test(t, func(t *testing.T) {
		near, far := testnet.Pipe(64 << 10)
		done := make(chan error)
		go func() { done <- ocaserver.New(m.Device, ocaserver.Options{}).ServeConn(t.Context(), far) }()
		c := ocaclient.New(near, "desk", ocaclient.Options{})
		ctx := t.Context()
		root, err := c.Tree(ctx)
		if err != nil {
			t.Fatal(err)
		}
		at := map[string]*ocaclient.Object{}
		root.Walk(func(o *ocaclient.Object) bool { at[o.RolePath()] = o; return true })
		for path, class := range map[string]ocp1.ClassID{"model": ocp1.ClassStringSensor, "inputs/analogue-1/gain": ocp1.ClassGain, "inputs/analogue-1/pad": ocp1.ClassBooleanActuator,
			"inputs/analogue-1/meter": ocp1.ClassLevelSensor, "outputs/1/mute": ocp1.ClassMute, "mixer/a/inputs/1/pan": ocp1.ClassPanBalance, "clock/sample-rate": ocp1.ClassSwitch, "buffer": ocp1.ClassInt32Actuator,
			"identify": ocp1.ClassIdentifier} {
			if at[path] == nil || at[path].Class.Class != class {
				t.Fatalf("%s is %+v", path, at[path])
			}
		}
		if at["alarms"] != nil || at["_link"] != nil {
			t.Error("a list or the gateway's own points are shown")
		}
		if v, err := c.Gain(at["inputs/analogue-1/gain"].ONo).GetRanged(ctx); err != nil || v != (ocaclient.Ranged[float32]{Value: -6, Min: -80, Max: 6}) {
			t.Errorf("%+v, %v", v, err)
		}
		if v, err := c.Label(at["inputs/analogue-1/gain"].ONo).Get(ctx); err != nil || v != "Vocals" {
			t.Errorf("%q, %v", v, err)
		}
		if v, err := c.Label(at["identify"].ONo).Get(ctx); err != nil || v != "Blink" {
			t.Errorf("%q, %v", v, err)
		}
		if v, err := c.Switch(at["clock/sample-rate"].ONo).GetRanged(ctx); err != nil || v != (ocaclient.Ranged[uint16]{Value: 1, Min: 0, Max: 1}) {
			t.Errorf("%+v, %v", v, err)
		}
		if v, err := c.Enabled(at["inputs/analogue-1/pad"].ONo).Get(ctx); err != nil || v {
			t.Errorf("a point without a value is in use: %v", err)
		}
		if m, err := c.Model(ctx); err != nil || m.Name != "8i6" {
			t.Errorf("%+v, %v", m, err)
		}
		if err := c.Switch(at["clock/sample-rate"].ONo).Set(ctx, 0); err != nil {
			t.Error(err)
		}
		if v, err := c.Switch(at["clock/sample-rate"].ONo).Get(ctx); err != nil || v != 0 {
			t.Errorf("what was set: %v, %v", v, err)
		}
		if err := c.Gain(at["inputs/analogue-1/gain"].ONo).Set(ctx, -24.1); err != nil || wishes[1].value != device.OfFloat(-24.1) {
			t.Errorf("%v %v", wishes, err)
		}
		if err := c.Boolean(at["inputs/analogue-1/pad"].ONo).Set(ctx, true); !errors.Is(err, &ocp1.Error{Status: ocp1.StatusPermissionDenied}) {
			t.Errorf("%v", err)
		}
		if len(wishes) != 3 || wishes[0] != (wish{"clock/sample-rate", device.OfEnum(44100)}) || wishes[2].path != "inputs/analogue-1/pad" {
			t.Errorf("%v", wishes)
		}
		if errs, err := c.Subscribe(ctx, at["inputs/analogue-1/meter"].ONo); err != nil || errs[0] != nil || !m.Watched()["inputs/analogue-1/meter"] {
			t.Errorf("the meter is not asked for: %v %v", errs, err)
		}
		gain := at["inputs/analogue-1/gain"].ONo
		m.Apply(&driver.Change{Gone: []device.Path{"outputs"}, Specs: []device.Spec{{Path: "inputs/analogue-1/gain", Kind: device.Float, Access: device.R, Unit: "dB", Min: -40, Max: 6}},
			Samples: []device.Sample{sample("inputs/analogue-1/gain", device.OfFloat(-7))}})
		if v, err := c.Gain(gain).GetRanged(ctx); err != nil || v != (ocaclient.Ranged[float32]{Value: -7, Min: -40, Max: 6}) {
			t.Errorf("after a change: %+v, %v", v, err)
		}
		if _, err := c.Mute(at["outputs/1/mute"].ONo).Get(ctx); !errors.Is(err, &ocp1.Error{Status: ocp1.StatusBadONo}) {
			t.Errorf("what is gone: %v", err)
		}
		c.Close()
		<-done
	})
}

// A point that has points below it goes into their block, whichever of them comes first.
func TestPointThatIsABlock(t *testing.T) {
	m := NewMirror("desk", nil)
	m.Apply(&driver.Change{Full: true, Specs: []device.Spec{{Path: "firmware", Kind: device.String}, {Path: "firmware/due", Kind: device.Bool}}})
	if m.Len() != 2 {
		t.Fatalf("%d points", m.Len())
	}
	for path, role := range map[device.Path]string{"firmware": "value", "firmware/due": "due"} {
		if got := m.shown[path].object.Role(); got != role {
			t.Errorf("%s is called %q, want %q", path, got, role)
		}
	}
	if n := m.Device.Len(); n != 6 { // two managers, two blocks, two objects
		t.Errorf("%d objects", n)
	}
}
