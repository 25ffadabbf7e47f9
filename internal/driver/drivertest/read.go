package drivertest

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// read reads and demands one sample for each path, in order.
func (w *world) read(s driver.Session, paths ...device.Path) []device.Sample {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), w.target.Patience)
	defer cancel()
	samples, err := s.Read(ctx, paths)
	if err != nil {
		w.Fatalf("Read: %v", err)
	}
	w.inOrder(samples, paths)
	return samples
}

func (w *world) inOrder(samples []device.Sample, paths []device.Path) {
	w.Helper()
	if len(samples) != len(paths) {
		w.Fatalf("%d samples for %d paths", len(samples), len(paths))
	}
	for i := range samples {
		if samples[i].Path != paths[i] {
			w.Fatalf("sample %d is of %s, not of %s", i, samples[i].Path, paths[i])
		}
	}
}

// some are paths that can be read: the target's points, else those of a survey.
func (w *world) some(s driver.Session) []device.Path {
	w.Helper()
	if len(w.target.Points) == 0 {
		w.Fatal("Target.Points is empty")
	}
	var out []device.Path
	for _, p := range w.target.Points {
		out = append(out, p.Path)
	}
	return out
}

func readChecks() []check {
	return []check{
		{"known-values", func(w *world) {
			s := w.open()
			for i, got := range w.read(s, w.some(s)...) {
				if want := w.target.Points[i]; got.Quality != device.Good || !got.Value.Equal(want.Value) {
					w.Errorf("%s is %v %v (%v %s), want %v %v", want.Path, got.Value.Kind, got.Value, got.Quality, got.Reason, want.Value.Kind, want.Value)
				}
			}
		}},
		{"every-point", func(w *world) {
			s := w.open()
			r := w.survey(s)
			if w.target.Real || w.far.Dial != nil {
				w.Skip("Watch may be called once in a session, and this target opens one")
			}
			s = w.reopen()
			paths := readable(r.copySpecs())
			slices.Sort(paths)
			for _, got := range w.read(s, paths...) {
				spec := r.specs[got.Path]
				if err := sampleFits(&spec, got); err != nil {
					w.Error(err)
				}
			}
		}},
		{"order-kept", func(w *world) {
			s := w.open()
			paths := w.some(s)
			slices.Reverse(paths)
			w.read(s, append(paths, paths...)...)
		}},
		{"nothing", func(w *world) { w.read(w.open()) }},
		{"unknown-path", func(w *world) {
			s := w.open()
			good := w.some(s)[0]
			got := w.read(s, "no/such/point", good)
			if got[0].Quality != device.Bad || got[0].Reason == "" {
				w.Errorf("an unknown point is %v with reason %q", got[0].Quality, got[0].Reason)
			}
			if got[1].Quality != device.Good {
				w.Errorf("%s was spoilt: %v %s", good, got[1].Quality, got[1].Reason)
			}
		}},
		{"concurrently", func(w *world) {
			s := w.open()
			paths := w.some(s)
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for range 3 {
						samples, err := s.Read(w.Context(), paths)
						if err != nil || len(samples) != len(paths) || samples[0].Path != paths[0] {
							w.Errorf("%d samples, %v", len(samples), err)
							return
						}
					}
				})
			}
			wg.Wait()
		}},
	}
}

// deadOrWell demands that a session either works or says that it is dead, within the target's patience.
func (w *world) deadOrWell(s driver.Session) (dead bool) {
	w.Helper()
	paths := w.some(s)
	w.within(w.target.Patience, "the next Read", func() {
		samples, err := s.Read(w.Context(), paths)
		if err == nil {
			w.inOrder(samples, paths)
			return
		}
		dead = true
		if c := driver.ClassOf(err); c == driver.Internal {
			w.Errorf("the next Read: class %v: %v", c, err)
		}
	})
	return dead
}

func cancelChecks() []check {
	return []check{
		{"before", func(w *world) {
			s := w.open()
			ctx, cancel := context.WithCancel(w.Context())
			cancel()
			w.within(time.Second, "Read with a dead context", func() {
				if _, err := s.Read(ctx, w.some(s)); !errors.Is(err, context.Canceled) && !errors.Is(err, net.ErrClosed) {
					w.Errorf("Read with a dead context: %v", err)
				}
			})
			w.deadOrWell(s)
		}},
		{"during", func(w *world) {
			s := w.open()
			resume := w.stall()
			ctx, cancel := context.WithCancel(w.Context())
			time.AfterFunc(10*time.Millisecond, cancel)
			w.within(2*time.Second, "Read after its context ended", func() {
				// It asks in another order than the next Read, so that a late reply cannot pass for the right one.
				paths := w.some(s)
				slices.Reverse(paths)
				if _, err := s.Read(ctx, paths); !errors.Is(err, context.Canceled) && !errors.Is(err, net.ErrClosed) {
					w.Errorf("cancelled Read: %v", err)
				}
			})
			resume()
			if !w.deadOrWell(s) {
				for i, got := range w.read(s, w.some(s)...) {
					if !got.Value.Equal(w.target.Points[i].Value) {
						w.Errorf("after a cancelled Read %s is %v, want %v: a late reply was taken for another", got.Path, got.Value, w.target.Points[i].Value)
					}
				}
			}
		}},
		{"after", func(w *world) {
			s := w.open()
			ctx, cancel := context.WithCancel(w.Context())
			if _, err := s.Read(ctx, w.some(s)); err != nil {
				w.Fatal(err)
			}
			cancel()
			w.read(s, w.some(s)...)
		}},
	}
}
