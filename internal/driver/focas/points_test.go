package focas

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focassim"
)

// Every point of every profile is good, but those that a machine of this kind leaves empty.
func TestEveryProfileReportsItsPoints(t *testing.T) {
	empty := map[string]bool{"path/1/modal/d": true, "path/1/modal/b": true, "path/1/modal/h": true, "path/2/modal/d": true, "path/2/modal/b": true, "path/2/modal/h": true}
	for _, profile := range []string{"16i", "0i-d", "0i-f", "30i", "31i"} {
		t.Run(profile, func(t *testing.T) {
			withControl(t, profile, nil, func(ctx context.Context, r *rig) {
				time.Sleep(20 * time.Second)
				for p, s := range r.readAll(ctx) {
					sp := r.spec(p)
					switch {
					case empty[string(p)]:
					case s.Quality != device.Good:
						r.t.Errorf("%s is %v: %s", p, s.Quality, s.Reason)
					case s.Value.Kind != sp.Kind:
						r.t.Errorf("%s holds a %v, its spec says %v", p, s.Value.Kind, sp.Kind)
					}
				}
			})
		})
	}
}

// A sweep of all default points takes as few frames as a reply budget of 1450 bytes allows.
func TestFramesOfASweep(t *testing.T) {
	for profile, want := range map[string]uint64{"30i": 4, "0i-f": 4, "16i": 3} {
		withControl(t, profile, nil, func(ctx context.Context, r *rig) {
			time.Sleep(20 * time.Second)
			before := r.s.client.Stats()
			r.readAll(ctx)
			after := r.s.client.Stats()
			frames, blocks := after.Exchanges-before.Exchanges, after.BlocksSent-before.BlocksSent
			if frames != want {
				t.Errorf("%s: a sweep takes %d frames for %d blocks, want %d", profile, frames, blocks, want)
			}
			if blocks < 10*frames {
				t.Errorf("%s: %d reads in %d frames, want at least ten times fewer frames than reads", profile, blocks, frames)
			}
		})
	}
}

// Positions have the control's digits, unit and kind: those of functions 26 kinds 0 to 3, not 4 and 6.
func TestPositionsEqualTheScreen(t *testing.T) {
	for _, profile := range []string{"30i", "16i"} {
		withControl(t, profile, nil, func(ctx context.Context, r *rig) {
			r.sim.Do(focassim.Event{Kind: focassim.FeedHoldOn})
			time.Sleep(20 * time.Second)
			screen, err := r.s.client.Path(1).Positions(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for i, a := range []string{"x", "y", "z"} {
				for kind, want := range map[string]focas.Reading{"absolute": screen[i].Absolute, "machine": screen[i].Machine,
					"relative": screen[i].Relative, "distance-to-go": screen[i].Distance} {
					p := device.Join("path/1/axes", a, kind)
					got, spec := r.at(ctx, p), r.spec(p)
					if got.Value.Float() != want.Value.Float() || spec.Decimals != want.Value.Decimals() || spec.Unit != want.Unit.String() {
						t.Errorf("%s %s is %v %s with %d decimals, the screen has %v %v", profile, p, got.Value, spec.Unit, spec.Decimals, want.Value, want.Unit)
					}
				}
			}
		})
	}
}

// An axis that the control's screen hides keeps its value and says so; inches and degrees arrive as such.
func TestHiddenAxisAndUnits(t *testing.T) {
	withControl(t, "30i", nil, func(ctx context.Context, r *rig) {
		answer := func(text string) {
			a, err := focassim.ParseAnswers(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			r.sim.SetAnswers(a)
		}
		answer("0xa3 = 00000007 00000001 00000007\n0x88 1 = 00010001 00020002 00000000\n0x88 2 = 00010001 00020002 00000000")
		time.Sleep(r.s.opts.Slow)
		if s := r.at(ctx, "path/1/axes/y/absolute"); s.Quality != device.Uncertain || s.Reason != reasonHidden || s.Value.IsZero() {
			t.Errorf("a hidden position is %v %q %v", s.Quality, s.Reason, s.Value)
		}
		if s := r.at(ctx, "path/1/axes/y/machine"); s.Quality != device.Good {
			t.Errorf("a shown position is %v %q", s.Quality, s.Reason)
		}
		for p, want := range map[device.Path]string{"path/1/axes/x/absolute": "in", "path/1/axes/y/machine": "deg", "path/1/axes/z/relative": "mm"} {
			if got := r.spec(p).Unit; got != want {
				t.Errorf("%s is in %q, want %q", p, got, want)
			}
		}
	})
}

// What a control lacks is unsupported, spoils nothing else, and is not asked again.
func TestMissingFunctions(t *testing.T) {
	withControl(t, "30i", nil, func(ctx context.Context, r *rig) {
		a, err := focassim.ParseAnswers(strings.NewReader("0x35 ! 1\n0xcf ! 1\n0x97 ! 6\n0x1d ! 13"))
		if err != nil {
			t.Fatal(err)
		}
		r.sim.SetAnswers(a)
		got := r.readAll(ctx)
		for p, want := range map[device.Path]string{"path/1/program/block-count": "unsupported", "path/1/program/sequence": "refused: EW_REJECT"} {
			if s := got[p]; s.Quality != device.Bad || s.Reason != want {
				t.Errorf("%s is %v %q, want bad %q", p, s.Quality, s.Reason, want)
			}
		}
		for _, p := range []device.Path{"path/1/program/running", "path/1/tool", "path/1/execution"} {
			if s := got[p]; s.Quality != device.Good {
				t.Errorf("%s is %v %q", p, s.Quality, s.Reason)
			}
		}
		r.sim.SetAnswers(nil)
		if s := r.at(ctx, "path/1/program/block-count"); s.Reason != "unsupported" {
			t.Errorf("a missing function is asked again: %v", s)
		}
		if s := r.at(ctx, "path/1/program/sequence"); s.Quality != device.Good {
			t.Errorf("a refusal of the moment sticks: %v", s)
		}
	})
}

// Alarms read as the control writes them, newest first, and keep the time at which they were met.
func TestAlarms(t *testing.T) {
	for profile, want := range map[string][]string{
		"30i": {"SV0401 (X) V-READY OFF", "EX1005 COOLANT LEVEL LOW"},
		"16i": {"401 V-READY OFF", "1005 COOLANT LEVEL LOW"},
	} {
		withControl(t, profile, nil, func(ctx context.Context, r *rig) {
			raise := func(typ int16, number int32, axis int16, text string) {
				r.sim.Do(focassim.Event{Kind: focassim.RaiseAlarm, Alarm: focassim.Alarm{Type: typ, Number: number, Axis: axis, Text: text}})
			}
			raise(focassim.AlarmEX, 1005, 0, "COOLANT LEVEL LOW")
			first := r.at(ctx, "alarms").Value.Rows()[0][7]
			time.Sleep(time.Second)
			raise(focassim.AlarmSV, 401, 1, "V-READY OFF")
			rows := r.at(ctx, "alarms").Value.Rows()
			if len(rows) != 2 || rows[0][3].Str() != want[0] || rows[1][3].Str() != want[1] {
				t.Fatalf("%s: alarms are %v, want %v", profile, rows, want)
			}
			if !rows[1][7].Equal(first) {
				t.Errorf("first-seen moved from %v to %v", first, rows[1][7])
			}
			if n := r.at(ctx, "alarm-count").Value.Int(); n != 2 {
				t.Errorf("alarm-count is %d", n)
			}
			r.sim.Do(focassim.Event{Kind: focassim.ClearAlarms})
			if rows := r.at(ctx, "alarms"); len(rows.Value.Rows()) != 0 || rows.Quality != device.Good {
				t.Errorf("alarms stay: %v", rows)
			}
		})
	}
}

// With several paths the lists of the device hold what each path reports, also when only the list is read.
func TestListsOfSeveralPaths(t *testing.T) {
	withControl(t, "31i", nil, func(ctx context.Context, r *rig) {
		r.sim.Do(focassim.Event{Kind: focassim.ShowMessage, Message: focassim.Message{Number: 2011, Text: "CHECK CLAMPING"}})
		v := r.at(ctx, "messages").Value
		if rows := v.Rows(); len(rows) == 0 || rows[0][1].Str() != "CHECK CLAMPING" {
			t.Errorf("messages are %v", v)
		}
		if n := len(r.s.table.sources[r.s.table.byPoint["messages"]].needs); n != 1 {
			t.Errorf("the list asks %d other paths, want 1", n)
		}
	})
}

func TestMTConnectWords(t *testing.T) {
	for run, want := range map[uint16]int64{0: execReady, 1: execStopped, 2: execInterrupted, 3: execActive, 4: execActive} {
		if got, ok := executionOf(run); !ok || got != want {
			t.Errorf("run %d is %d, %v", run, got, ok)
		}
	}
	if _, ok := executionOf(9); ok {
		t.Error("an unknown run word has an execution")
	}
	for aut, want := range map[uint16]int64{0: modeMDI, 1: modeAutomatic, 10: modeAutomatic, 3: modeEdit, 4: modeManual, 5: modeManual, 6: modeManual, 7: modeManual, 8: modeManual, 9: modeManual} {
		if got, ok := controllerModeOf(aut); !ok || got != want {
			t.Errorf("aut %d is %d, %v", aut, got, ok)
		}
	}
	for _, aut := range []uint16{2, 11, 65535} {
		if _, ok := controllerModeOf(aut); ok {
			t.Errorf("aut %d has a controller mode", aut)
		}
	}
	for word, want := range map[uint16]int64{0: eStopArmed, 1: eStopTriggered, 2: eStopArmed, 3: eStopTriggered} {
		if got := emergencyOf(word); got != want {
			t.Errorf("emergency %d is %d", word, got)
		}
	}
}

func TestOverridesAreThePMCSignals(t *testing.T) {
	withControl(t, "30i", nil, func(ctx context.Context, r *rig) {
		r.sim.Do(focassim.Event{Kind: focassim.FeedOverride, Value: 70})
		r.sim.Do(focassim.Event{Kind: focassim.SpeedOverride, Value: 110})
		r.sim.Do(focassim.Event{Kind: focassim.RapidOverride, Value: 25})
		for p, want := range map[device.Path]int64{"path/1/feed/override": 70, "spindles/1/override": 110, "path/1/rapid/override": 25} {
			if s := r.at(ctx, p); s.Value.Int() != want || s.Quality != device.Good {
				t.Errorf("%s is %v %v", p, s.Value, s.Reason)
			}
		}
	})
	if overrideOf(255) != 0 || overrideOf(254) != 254 || overrideOf(0) != 0 {
		t.Error("override bytes")
	}
}

func TestTextOfOtherCodePages(t *testing.T) {
	for in, want := range map[string]string{"ABC": "ABC", "\xb1\xb2": "±²", "Gr\xc3\xbc\xc3\x9fe": "Grüße"} {
		if got := text([]byte(in)); got != want {
			t.Errorf("%x is %q, want %q", in, got, want)
		}
	}
}

func TestSplitBlocks(t *testing.T) {
	for in, want := range map[string][2]string{"": {"", ""}, "O1\nN10 G1 X1.\n%": {"O1", "N10 G1 X1."}, "\n\nM30": {"M30", ""}} {
		if b, a := splitBlocks(in); b != want[0] || a != want[1] {
			t.Errorf("%q gives %q and %q", in, b, a)
		}
	}
}
