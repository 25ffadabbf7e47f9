package focas

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focassim"
)

func address1(t *testing.T, s string) focas.PMCAddress {
	t.Helper()
	a, err := focas.ParsePMCAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// configured is options with one or more of everything that configuration can name.
func configured(t *testing.T) *Options {
	o := defaults()
	o.Macros = Numbers{{500, 502}}
	o.Parameters = Numbers{{6711, 6711}, {1320, 1320}, {99998, 99998}}
	o.Diagnosis = Numbers{{300, 300}}
	o.PMC = Addresses{address1(t, "D100:word"), address1(t, "R10.3"), address1(t, "D200:float32"), address1(t, "K5"), address1(t, "Y8.1")}
	o.ToolOffsets = Numbers{{1, 2}}
	o.WorkOffsets = Numbers{{0, 1}}
	return o
}

// What is written is read back, in both dialects, and has the weight that its kind of memory asks for.
func TestWritesReadBack(t *testing.T) {
	for _, profile := range []string{"30i", "16i", "31i"} {
		withControl(t, profile, configured(t), func(ctx context.Context, r *rig) {
			writes := []struct {
				path   device.Path
				value  device.Value
				hazard string
			}{
				{"macros/500", device.OfFloat(1.234), ""},
				{"macros/501", device.OfFloat(-7), ""},
				{"parameters/6711", device.OfFloat(4712), "hazard"},
				{"parameters/1320/x", device.OfFloat(400000), "hazard"},
				{"pmc/d100-word", device.OfInt(-258), ""},
				{"pmc/r10.3", device.OfBool(true), ""},
				{"pmc/d200-float32", device.OfFloat(1.5), ""},
				{"pmc/k5", device.OfInt(200), "hazard"},
				{"pmc/y8.1", device.OfBool(true), "hazard"},
				{"offsets/work/1/x", device.OfFloat(-100.125), ""},
			}
			for _, w := range writes {
				sp := r.spec(w.path)
				if sp.Access != device.RW || sp.Confirm != device.ByReadBack || sp.Hazard != w.hazard {
					t.Errorf("%s: %s has access %v, confirm %v, hazard %q", profile, w.path, sp.Access, sp.Confirm, sp.Hazard)
				}
				out, err := r.s.Write(ctx, []driver.Write{{Path: w.path, Value: w.value}})
				if err != nil || out[0].Stage != driver.Acked {
					t.Errorf("%s: writing %s: %v %v", profile, w.path, out, err)
					continue
				}
				got := r.at(ctx, w.path)
				if d := got.Value.Float() - w.value.Float(); d > 1e-8 || d < -1e-8 || got.Quality != device.Good {
					t.Errorf("%s: %s was written %v and reads %v %s", profile, w.path, w.value, got.Value, got.Reason)
				}
			}
			if got := r.at(ctx, "parameters/1320/z"); got.Value.Float() == 400000 {
				t.Errorf("%s: writing one axis of a parameter changed another", profile)
			}
			if got := r.at(ctx, "parameters/99998"); got.Reason != "refused: EW_NUMBER" {
				t.Errorf("%s: a parameter that does not exist is %v %q", profile, got.Quality, got.Reason)
			}
			if got := r.at(ctx, "diagnosis/300"); got.Quality != device.Good && r.at(ctx, "diagnosis/300/x").Quality != device.Good {
				t.Errorf("%s: diagnosis 300 is %v %q", profile, got.Quality, got.Reason)
			}
		})
	}
}

func TestVacantMacro(t *testing.T) {
	withControl(t, "30i", configured(t), func(ctx context.Context, r *rig) {
		if err := r.s.client.Path(1).WriteMacro(ctx, 502, focas.Vacant(focas.Series30i)); err != nil {
			t.Fatal(err)
		}
		if s := r.at(ctx, "macros/502"); s.Quality != device.Uncertain || s.Reason != reasonVacant || !s.Value.IsZero() {
			t.Errorf("an empty macro is %v %q %v", s.Quality, s.Reason, s.Value)
		}
	})
}

// Each way in which a write can go wrong ends in its own stage, and a write after the link died is never sent.
func TestWritesThatFail(t *testing.T) {
	withControl(t, "30i", configured(t), func(ctx context.Context, r *rig) {
		write := func(p device.Path, v device.Value) driver.Outcome {
			out, _ := r.s.Write(ctx, []driver.Write{{Path: p, Value: v}})
			return out[0]
		}
		if o := write("path/1/part-count", device.OfInt(1)); o.Stage != driver.Refused || driver.ClassOf(o.Err) != driver.Unsupported {
			t.Errorf("a read-only point: %v", o)
		}
		if o := write("pmc/d100-word", device.OfInt(70000)); o.Stage != driver.Refused || !strings.Contains(o.Err.Error(), "does not fit") {
			t.Errorf("a value out of range: %v", o)
		}
		r.sim.Protect(true)
		o := write("parameters/6711", device.OfFloat(1))
		if o.Stage != driver.Refused || !errors.Is(o.Err, &focas.Error{Code: focas.EWProt}) || driver.HintOf(o.Err) == "" {
			t.Errorf("a protected parameter: %v", o)
		}
		r.sim.Protect(false)

		r.sim.SetFaults(focassim.Faults{Silent: true})
		start := time.Now()
		out, err := r.s.Write(ctx, []driver.Write{{Path: "macros/500", Value: device.OfFloat(1)}, {Path: "macros/501", Value: device.OfFloat(2)}})
		if err == nil || driver.ClassOf(err) != driver.Timeout {
			t.Errorf("a silent control: %v", err)
		}
		if out[0].Stage != driver.Uncertain || out[1].Stage != driver.Refused {
			t.Errorf("the write that was sent is %v, the one after it %v", out[0].Stage, out[1].Stage)
		}
		if d := time.Since(start); d != r.s.opts.Timeout {
			t.Errorf("gave up after %v, want %v", d, r.s.opts.Timeout)
		}
	})
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"poll":         func(o *Options) { o.Poll = time.Microsecond },
		"timeout":      func(o *Options) { o.Timeout = time.Hour },
		"reply_budget": func(o *Options) { o.ReplyBudget = 10 },
		"macros":       func(o *Options) { o.Macros = Numbers{{1, 3000}} },
		"parameters":   func(o *Options) { o.Parameters = Numbers{{1, 100000}} },
	} {
		o := defaults()
		change(o)
		if err := o.Validate(); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := defaults().Validate(); err != nil {
		t.Error(err)
	}
}

func TestNumbers(t *testing.T) {
	for in, want := range map[string]string{"500": "500", "100-102, 500": "100-102,500", "": ""} {
		var n Numbers
		if err := n.UnmarshalYAML(func(v any) error { *v.(*any) = in; return nil }); err != nil || n.String() != want {
			t.Errorf("%q reads as %v, %v", in, n, err)
		}
	}
	for _, in := range []any{"a", "5-3", "1-2-3", -1, 1.5, []any{true}} {
		var n Numbers
		if err := n.UnmarshalYAML(func(v any) error { *v.(*any) = in; return nil }); err == nil {
			t.Errorf("%v reads as %v", in, n)
		}
	}
	if got := (Numbers{{1, 3}, {2, 4}}).All(); len(got) != 4 {
		t.Errorf("overlapping ranges give %v", got)
	}
}
