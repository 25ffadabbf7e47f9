package simulate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/patchbay-io/patchbay/internal/lab/fault"
	"github.com/patchbay-io/patchbay/protocol/focas/focassim"
)

// FOCAS is a simulated FANUC control with its scenario and its faults. All methods may be called at the same time; make it
// with [NewFOCAS].
type FOCAS struct {
	sim   *focassim.Sim
	conns *fault.Set
	speed float64
	fixed Scenario // what cannot change while it runs: profile, seed, speed, sessions

	mu      sync.Mutex
	base    Faults // always
	passing *Faults
	drain   func(net.Addr, []byte) // not nil: nothing is answered
	began   time.Time              // of the machine's time
	start   time.Duration          // machine time at which a scenario without period began
	s       *Scenario              // nil: none from a file
	changed chan struct{}
}

// NewFOCAS makes a control with options; it starts nothing. s is nil, or the scenario, whose profile, seed, speed, sessions
// and protection the options hold already (see [Scenario.Options]). The options' WrapConn goes next to the wire, so that a
// recorder sees what faults do.
func NewFOCAS(o focassim.Options, s *Scenario) (*FOCAS, error) {
	d := &FOCAS{conns: fault.New(o.Seed), speed: o.Speed, changed: make(chan struct{})}
	if d.speed <= 0 {
		d.speed = 1
	}
	wrap := o.WrapConn
	o.WrapConn = func(c net.Conn) net.Conn {
		wire := c
		if wrap != nil {
			c = wrap(c)
		}
		return d.conns.Conn(c, func() { fault.Reset(wire) })
	}
	d.began = time.Now()
	sim, err := focassim.New(o)
	if err != nil {
		return nil, err
	}
	d.sim = sim
	if s != nil {
		d.fixed = *s
		d.take(s)
	}
	return d, nil
}

// Options are the simulator's options that a scenario file names.
func (s *Scenario) Options() focassim.Options {
	return focassim.Options{Profile: s.Profile, Seed: s.Seed, Speed: s.Speed, MaxSessions: s.Sessions, Protect: s.Protect}
}

// Reload plays another scenario from now on. The error names what would need a restart; then nothing changes.
func (d *FOCAS) Reload(s *Scenario) error {
	for _, f := range []struct {
		key  string
		same bool
	}{{"profile", s.Profile == d.fixed.Profile}, {"seed", s.Seed == d.fixed.Seed}, {"speed", s.Speed == d.fixed.Speed},
		{"sessions", s.Sessions == d.fixed.Sessions}} {
		if !f.same {
			return fmt.Errorf("%s cannot change while the simulator runs; start it again for that", f.key)
		}
	}
	d.sim.Protect(s.Protect)
	d.take(s)
	return nil
}

// take makes s the scenario: the machine plays its own events, Serve the others.
func (d *FOCAS) take(s *Scenario) {
	events := focassim.Scenario{Period: s.Period}
	for i := range s.Events {
		if e, ok := s.Events[i].machine(); ok {
			events.Events = append(events.Events, e)
		}
	}
	d.sim.Run(events)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.s, d.base, d.passing, d.start = s, s.Faults, nil, 0
	if s.Period == 0 {
		d.start = d.elapsed()
	}
	d.apply()
	close(d.changed)
	d.changed = make(chan struct{})
}

// elapsed is the machine's time since it was switched on.
func (d *FOCAS) elapsed() time.Duration { return time.Duration(float64(time.Since(d.began)) * d.speed) }

// apply puts the faults in force. The caller holds mu.
func (d *FOCAS) apply() {
	f := d.base
	if d.passing != nil {
		f = *d.passing
	}
	own := f.focas()
	own.Drain, own.Drained = d.drain != nil, d.drain
	d.sim.SetFaults(own)
	d.conns.Set(f.Connection)
}

// Faults are those in force.
func (d *FOCAS) Faults() Faults {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.passing != nil {
		return *d.passing
	}
	return d.base
}

// SetFaults puts faults in force now and until other ones come.
func (d *FOCAS) SetFaults(f Faults) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.base, d.passing = f, nil
	d.apply()
}

// ChangeFaults changes the faults that a YAML or JSON mapping names, now and until other ones come.
func (d *FOCAS) ChangeFaults(text []byte) (Faults, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.base
	if d.passing != nil {
		f = *d.passing
	}
	if err := f.Change(text); err != nil {
		return f, err
	}
	d.base, d.passing = f, nil
	d.apply()
	return f, nil
}

// Drain answers nothing any more and hands what clients send to f, whose calls may come at the same time.
func (d *FOCAS) Drain(f func(from net.Addr, p []byte)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drain = f
	d.apply()
}

// Do makes an event happen now. Events about faults are for [FOCAS.SetFaults].
func (d *FOCAS) Do(e *Event) error {
	if err := e.Check(); err != nil {
		return err
	}
	if m, ok := e.machine(); ok {
		d.sim.Do(m)
		return nil
	}
	if e.Faults != nil {
		return errors.New("faults are changed with PATCH /faults, not by an event")
	}
	d.sim.PowerCycle()
	return nil
}

// Serve serves the control on l and plays its scenario until ctx ends.
func (d *FOCAS) Serve(ctx context.Context, l net.Listener) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return d.sim.Serve(ctx, l) })
	g.Go(func() error { d.play(ctx); return nil })
	return g.Wait()
}

// change is a moment at which the faults change or the power goes off.
type change struct {
	at     time.Duration
	faults *Faults // nil with power false: back to those that are always on
	power  bool
}

// changes are the moments of a scenario that the machine does not know, in order of time.
func (s *Scenario) changes() []change {
	var out []change
	for i := range s.Events {
		switch e := &s.Events[i]; {
		case e.PowerCycle:
			out = append(out, change{at: e.At, power: true})
		case e.Faults != nil:
			out = append(out, change{at: e.At, faults: e.Faults})
			if e.For > 0 {
				out = append(out, change{at: e.At + e.For})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b change) int { return int(a.at - b.at) })
	return out
}

// play makes the changes of the scenario at their time, and begins again when there is another one.
func (d *FOCAS) play(ctx context.Context) {
	for ctx.Err() == nil {
		d.mu.Lock()
		s, start, changed := d.s, d.start, d.changed
		d.mu.Unlock()
		if s == nil || d.playOne(ctx, s, start, changed) {
			select {
			case <-ctx.Done():
			case <-changed:
			}
		}
	}
}

// playOne reports whether the scenario came to its end, rather than being replaced.
func (d *FOCAS) playOne(ctx context.Context, s *Scenario, start time.Duration, changed <-chan struct{}) bool {
	list := s.changes()
	if len(list) == 0 {
		return true
	}
	now := d.elapsed() - start
	var round time.Duration
	if s.Period > 0 {
		round = now / s.Period * s.Period
	}
	for {
		for _, c := range list {
			at := round + c.at
			if at < now {
				continue // before this scenario was taken
			}
			t := time.NewTimer(time.Duration(float64(at-(d.elapsed()-start)) / d.speed))
			select {
			case <-t.C:
			case <-changed:
				t.Stop()
				return false
			case <-ctx.Done():
				t.Stop()
				return false
			}
			d.make(c, s)
		}
		if s.Period == 0 {
			return true
		}
		round += s.Period
	}
}

func (d *FOCAS) make(c change, of *Scenario) {
	if c.power {
		d.sim.PowerCycle()
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.s == of {
		d.passing = c.faults
		d.apply()
	}
}
