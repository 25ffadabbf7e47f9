package drivertest

import (
	"context"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// writer opens a session that can write.
func (w *world) writer() (driver.Session, driver.Writer) {
	w.Helper()
	if len(w.target.Writes) == 0 {
		w.Skip("the target names no writes")
	}
	s := w.open()
	a := s.Abilities()
	if a.Writer == nil {
		w.Fatal("the target names writes, and the session cannot write")
	}
	return s, a.Writer
}

func (w *world) write(wr driver.Writer, writes ...driver.Write) []driver.Outcome {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), w.target.Patience)
	defer cancel()
	out, err := wr.Write(ctx, writes)
	if err != nil {
		w.Fatalf("Write: %v", err)
	}
	if len(out) != len(writes) {
		w.Fatalf("%d outcomes of %d writes", len(out), len(writes))
	}
	return out
}

func (w *world) wantRefused(o driver.Outcome, what string, classes ...driver.Class) {
	w.Helper()
	if o.Stage != driver.Refused {
		w.Errorf("%s: stage %v, want refused", what, o.Stage)
	}
	w.wantClass(what, o.Err, classes...)
}

func writeChecks() []check {
	return []check{
		{"round-trip", func(w *world) {
			s, wr := w.writer()
			for _, want := range w.target.Writes {
				before := 0
				if w.far.Writes != nil {
					before = w.far.Writes()
				}
				o := w.write(wr, want)[0]
				if o.Stage != driver.Acked && o.Stage != driver.Sent || o.Err != nil {
					w.Errorf("write %s = %v: %v, %v", want.Path, want.Value, o.Stage, o.Err)
				}
				if w.far.Writes != nil {
					if n := w.far.Writes() - before; n != 1 {
						w.Errorf("the device carried out %d writes of one", n)
					}
				}
				if got := w.read(s, want.Path)[0]; !got.Value.Equal(want.Value) {
					w.Errorf("%s reads %v after %v was written", want.Path, got.Value, want.Value)
				}
			}
		}},
		{"together", func(w *world) {
			s, wr := w.writer()
			for i, o := range w.write(wr, w.target.Writes...) {
				if o.Err != nil {
					w.Errorf("write %d of several: %v, %v", i, o.Stage, o.Err)
				}
			}
			for _, want := range w.target.Writes {
				if got := w.read(s, want.Path)[0]; !got.Value.Equal(want.Value) {
					w.Errorf("%s reads %v after %v was written", want.Path, got.Value, want.Value)
				}
			}
		}},
		{"refused-by-device", func(w *world) {
			if w.target.Refused == nil {
				w.Skip("the target names no write that the device refuses")
			}
			s, wr := w.writer()
			w.wantRefused(w.write(wr, *w.target.Refused)[0], "refused write", driver.DeviceSaidNo, driver.Unsupported, driver.Busy, driver.Auth)
			w.read(s, w.some(s)...)
		}},
		{"unknown-path", func(w *world) {
			s, wr := w.writer()
			out := w.write(wr, driver.Write{Path: "no/such/point", Value: device.OfInt(1)}, w.target.Writes[0])
			if out[0].Stage != driver.Refused || out[0].Err == nil {
				w.Errorf("a write to an unknown point: %v, %v", out[0].Stage, out[0].Err)
			}
			if out[1].Err != nil {
				w.Errorf("the write beside it: %v, %v", out[1].Stage, out[1].Err)
			}
			w.read(s, w.some(s)...)
		}},
		{"read-only-point", func(w *world) {
			s, wr := w.writer()
			tried := 0
			for _, spec := range w.survey(s).copySpecs() {
				if spec.Access != device.R || tried == 20 {
					continue
				}
				tried++
				if o := w.write(wr, driver.Write{Path: spec.Path, Value: device.OfInt(1)})[0]; o.Stage != driver.Refused || o.Err == nil {
					w.Errorf("a write to %s, which is read-only: %v, %v", spec.Path, o.Stage, o.Err)
				}
			}
			if tried == 0 {
				w.Skip("the device has no read-only point")
			}
		}},
		{"link-dies-after-sending", func(w *world) {
			if w.target.Real || w.far.Dial != nil {
				w.Skip("needs the network in memory")
			}
			_, wr := w.writer()
			done := make(chan driver.Outcome, 1)
			w.stall()
			go func() {
				out, _ := wr.Write(w.Context(), w.target.Writes[:1])
				if len(out) != 1 {
					w.Errorf("%d outcomes of one write", len(out))
					out = make([]driver.Outcome, 1)
				}
				done <- out[0]
			}()
			synctest.Wait()
			w.sever()
			var o driver.Outcome
			w.within(w.target.Patience, "Write on a dead link", func() { o = <-done })
			time.Sleep(settle(w))
			carried := 0
			if w.far.Writes != nil {
				carried = w.far.Writes()
			}
			switch {
			case carried > 1:
				w.Errorf("the device carried out %d writes of one", carried)
			case o.Err == nil:
				w.Errorf("the outcome of a write whose link died is %v without an error", o.Stage)
			case o.Stage == driver.Refused && carried == 0, o.Stage == driver.Uncertain:
			default:
				w.Errorf("the outcome of a write whose link died is %v, and the device carried out %d", o.Stage, carried)
			}
		}},
	}
}
