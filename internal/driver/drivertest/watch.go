package drivertest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// record is a Sink that keeps what it was told and notices what it should not have been told.
type record struct {
	mu      sync.Mutex
	first   bool
	specs   map[device.Path]device.Spec
	labels  map[string]device.LabelSet
	cmds    []device.Command
	streams map[device.Path]bool
	last    map[device.Path]device.Sample
	count   map[device.Path]int
	fulls   int
	faults  []string
	changed chan struct{}
	ended   chan struct{}
	err     error
}

func newRecord() *record {
	return &record{specs: map[device.Path]device.Spec{}, labels: map[string]device.LabelSet{}, last: map[device.Path]device.Sample{}, streams: map[device.Path]bool{},
		count: map[device.Path]int{}, changed: make(chan struct{}), ended: make(chan struct{})}
}

func (r *record) fault(format string, args ...any) {
	if len(r.faults) < 10 {
		r.faults = append(r.faults, fmt.Sprintf(format, args...))
	}
}

// Apply implements driver.Sink.
func (r *record) Apply(c *driver.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.first && !c.Full {
		r.fault("the first change is not Full")
	}
	r.first = true
	if c.Full {
		r.fulls++
		clear(r.specs)
		clear(r.labels)
		r.cmds = nil
	}
	for _, g := range c.Gone {
		for p := range r.specs {
			if p.Under(g) {
				delete(r.specs, p)
			}
		}
	}
	for _, p := range c.Streams {
		r.streams[p] = true
	}
	for _, l := range c.Labels {
		r.labels[l.ID] = l
	}
	named := map[device.Path]bool{}
	for _, s := range c.Specs {
		if named[s.Path] {
			r.fault("spec %s stands twice in one change", s.Path)
		}
		named[s.Path] = true
		r.specs[s.Path] = s
	}
	if c.Commands != nil {
		r.cmds = append([]device.Command(nil), c.Commands...)
	}
	clear(named)
	for _, s := range c.Samples {
		r.sample(s, named[s.Path])
		named[s.Path] = true
	}
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *record) sample(s device.Sample, twice bool) {
	spec, ok := r.specs[s.Path]
	switch {
	case twice:
		r.fault("sample of %s stands twice in one change", s.Path)
	case !ok:
		r.fault("sample of %s, which has no spec", s.Path)
	default:
		if err := sampleFits(&spec, s); err != nil {
			r.fault("%v", err)
		}
	}
	r.last[s.Path] = s
	r.count[s.Path]++
}

func sampleFits(spec *device.Spec, s device.Sample) error {
	switch {
	case s.Quality == device.Good && s.Value.Kind != spec.Kind:
		return fmt.Errorf("%s is %v, its spec says %v", s.Path, s.Value.Kind, spec.Kind)
	case s.Quality == device.Good && s.Reason != "":
		return fmt.Errorf("%s is good and has the reason %q", s.Path, s.Reason)
	case s.Quality == device.Bad && s.Reason == "":
		return fmt.Errorf("%s is bad without a reason", s.Path)
	case s.Received.IsZero():
		return fmt.Errorf("%s has no time of receipt", s.Path)
	}
	return nil
}

// watch starts a Watch; stop cancels it, checks how it ended, and reports what the record noticed.
func (w *world) watch(s driver.Session, want driver.Interest) (r *record, stop func()) {
	r = newRecord()
	ctx, cancel := context.WithCancel(w.Context())
	go func() {
		r.err = s.Watch(ctx, want, r)
		close(r.ended)
	}()
	return r, func() {
		w.Helper()
		cancel()
		w.within(5*time.Second, "Watch after its context ended", func() { <-r.ended })
		if !errors.Is(r.err, context.Canceled) {
			w.Errorf("Watch returned %v after its context ended; want ctx.Err()", r.err)
		}
		r.report(w)
	}
}

func (r *record) report(w *world) {
	w.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.faults {
		w.Error(f)
	}
}

// wait waits until ok, which is called with the lock held, or fails.
func (r *record) wait(w *world, d time.Duration, what string, ok func() bool) {
	w.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		r.mu.Lock()
		done, changed := ok(), r.changed
		r.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
		case <-r.ended:
			w.Fatalf("Watch ended with %v before %s", r.err, what)
		case <-timer.C:
			w.Fatalf("%s did not come within %v", what, d)
		}
	}
}

func (r *record) waitFull(w *world) {
	w.Helper()
	r.wait(w, w.target.Patience, "the first change", func() bool { return r.fulls > 0 })
}

func (r *record) copySpecs() []device.Spec {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []device.Spec
	for _, s := range r.specs {
		out = append(out, s)
	}
	return out
}

func watchChecks() []check {
	return []check{
		{"first-change", func(w *world) {
			r, stop := w.watch(w.open(), driver.Everything{})
			r.waitFull(w)
			specs := r.copySpecs()
			if len(specs) == 0 {
				w.Error("the first change has no specs")
			}
			r.wait(w, w.target.Patience, "a sample of every point that can be read", func() bool {
				for _, p := range readable(specs) {
					if r.count[p] == 0 && r.specs[p].Path == p {
						return false
					}
				}
				return true
			})
			stop()
		}},
		{"one-full-change", func(w *world) {
			r, stop := w.watch(w.open(), driver.Everything{})
			r.waitFull(w)
			time.Sleep(settle(w))
			r.mu.Lock()
			if r.fulls != 1 {
				w.Errorf("%d Full changes while nothing happened", r.fulls)
			}
			r.mu.Unlock()
			stop()
		}},
		{"change-arrives", func(w *world) {
			if w.far.Change == nil {
				w.Skip("the far end cannot change a point by itself")
			}
			r, stop := w.watch(w.open(), driver.Everything{})
			r.waitFull(w)
			path, value := w.far.Change()
			r.wait(w, w.target.Patience, fmt.Sprintf("%s = %v", path, value), func() bool { return r.last[path].Value.Equal(value) })
			stop()
		}},
		{"point-set-changes", func(w *world) {
			if w.far.ChangeSpecs == nil {
				w.Skip("the far end cannot change its set of points")
			}
			r, stop := w.watch(w.open(), driver.Everything{})
			r.waitFull(w)
			before := fmt.Sprint(len(r.copySpecs()))
			w.far.ChangeSpecs()
			r.wait(w, w.target.Patience, "another set of points", func() bool { return fmt.Sprint(len(r.specs)) != before })
			stop()
		}},
		{"cancel-before-the-first-change", func(w *world) {
			s := w.open()
			_, stop := w.watch(s, driver.Everything{})
			stop()
		}},
	}
}

// settle is a time in which a driver shows what it does when nothing happens.
func settle(w *world) time.Duration {
	if w.target.Real {
		return 2 * time.Second
	}
	return 10 * time.Second
}

// meters is an Interest in everything but, while off, the meters.
type meters struct {
	mu      sync.Mutex
	on      bool
	changed chan struct{}
}

// Every implements driver.Interest.
func (m *meters) Every(device.Path) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.on {
		return 0
	}
	return -1
}

// Changed implements driver.Interest.
func (m *meters) Changed() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

func (m *meters) turn(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.on = on
	close(m.changed)
	m.changed = make(chan struct{})
}

func interestChecks() []check {
	return []check{{"meters", func(w *world) {
		m := &meters{changed: make(chan struct{})}
		r, stop := w.watch(w.open(), m)
		defer stop()
		r.waitFull(w)
		samples := func() (n, points int) {
			r.mu.Lock()
			defer r.mu.Unlock()
			for p, s := range r.specs {
				if s.Rate == device.Meter {
					points++
					n += r.count[p]
				}
			}
			return n, points
		}
		time.Sleep(settle(w))
		n, points := samples()
		if points == 0 {
			w.Skip("the device has no meters")
		}
		if n != 0 {
			w.Errorf("%d meter samples came while nobody wanted them", n)
		}
		m.turn(true)
		time.Sleep(settle(w))
		wanted, _ := samples()
		if wanted < points {
			w.Errorf("%d samples of %d meters came in %v while they were wanted", wanted, points, settle(w))
		}
		m.turn(false)
		time.Sleep(time.Second)
		off, _ := samples()
		time.Sleep(settle(w))
		if n, _ := samples(); n != off {
			w.Errorf("%d meter samples came after the interest had ended", n-off)
		}
	}}}
}
