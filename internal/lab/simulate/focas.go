package simulate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/patchbay-io/patchbay/internal/lab/fault"
	"github.com/patchbay-io/patchbay/internal/lab/replay"
	"github.com/patchbay-io/patchbay/protocol/focas/focassim"
)

// focasKind is how the simulated FANUC control is made by name.
func focasKind() Kind {
	return Kind{
		Driver: "focas", Settings: []string{"profile", "scenario", "seed", "speed"},
		New: func(settings url.Values) (Device, error) {
			o, sc, err := FOCASOptions(settings)
			if err != nil {
				return Device{}, err
			}
			d, err := NewFOCAS(o, sc)
			if err != nil {
				return Device{}, err
			}
			return d.Device(), nil
		},
		Replay: func(file string) (Device, error) {
			r, err := replay.ReadFOCAS(file)
			if err != nil {
				return Device{}, err
			}
			return Device{Services: []Service{{Network: "tcp", Port: focasPort, Stream: r.Serve}}}, nil
		},
	}
}

const focasPort = 8193

// FOCAS is a simulated FANUC control with its scenario and its faults. All methods may be called at the same time; make it
// with [NewFOCAS].
type FOCAS struct {
	sim   *focassim.Sim
	conns *fault.Set
	speed float64
	fixed FOCASScenario // what cannot change while it runs: profile, seed, speed, sessions

	mu      sync.Mutex
	base    FOCASFaults // always
	passing *FOCASFaults
	drain   func(net.Addr, []byte) // not nil: nothing is answered
	began   time.Time              // of the machine's time
	start   time.Duration          // machine time at which a scenario without period began
	s       *FOCASScenario         // nil: none from a file
	changed chan struct{}
}

// NewFOCAS makes a control with options; it starts nothing. s is nil, or the scenario, whose profile, seed, speed, sessions
// and protection the options hold already (see [FOCASScenario.Options]). The options' WrapConn goes next to the wire, so that a
// recorder sees what faults do.
func NewFOCAS(o focassim.Options, s *FOCASScenario) (*FOCAS, error) {
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

// FOCASOptions reads the settings of a simulated FANUC control: profile, seed, speed, and scenario, which is a name or a
// file. Other settings win over what the file says. The scenario is nil unless it came from a file.
func FOCASOptions(settings url.Values) (o focassim.Options, sc *FOCASScenario, err error) {
	if s := settings.Get("scenario"); IsFile(s) {
		if sc, err = ReadFOCASScenario(s); err != nil {
			return o, nil, err
		}
		o = sc.Options()
	} else if o.Scenario, err = focassim.ScenarioOf(s); err != nil {
		return o, nil, fmt.Errorf("scenario: %w; or the name of a file that ends in .yaml", err)
	}
	if s := settings.Get("profile"); s != "" {
		o.Profile = s
	}
	if s := settings.Get("seed"); s != "" {
		if o.Seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			return o, nil, fmt.Errorf("seed: %q is no whole number from 0", s)
		}
	}
	if s := settings.Get("speed"); s != "" {
		if o.Speed, err = strconv.ParseFloat(s, 64); err != nil || !(o.Speed > 0 && o.Speed <= 1000) {
			return o, nil, fmt.Errorf("speed: %q is no number above 0, at most 1000", s)
		}
	}
	return o, sc, nil
}

// Device is what the control serves.
func (d *FOCAS) Device() Device {
	return Device{Services: []Service{{Network: "tcp", Port: focasPort, Stream: d.Serve}}}
}

// Options are the simulator's options that a scenario file names.
func (s *FOCASScenario) Options() focassim.Options {
	return focassim.Options{Profile: s.Profile, Seed: s.Seed, Speed: s.Speed, MaxSessions: s.Sessions, Protect: s.Protect}
}

// Reload plays another scenario from now on. The error names what would need a restart; then nothing changes.
func (d *FOCAS) Reload(s *FOCASScenario) error {
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
func (d *FOCAS) take(s *FOCASScenario) {
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
func (d *FOCAS) Faults() FOCASFaults {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.passing != nil {
		return *d.passing
	}
	return d.base
}

// SetFaults puts faults in force now and until other ones come.
func (d *FOCAS) SetFaults(f FOCASFaults) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.base, d.passing = f, nil
	d.apply()
}

// FaultsJSON implements [Controlled].
func (d *FOCAS) FaultsJSON() ([]byte, error) {
	f := d.Faults()
	return f.JSON()
}

// PatchFaults implements [Controlled]: the faults stay until other ones come.
func (d *FOCAS) PatchFaults(text []byte) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.base
	if d.passing != nil {
		f = *d.passing
	}
	if err := f.Change(text); err != nil {
		return nil, err
	}
	d.base, d.passing = f, nil
	d.apply()
	return f.JSON()
}

// Happen implements [Controlled].
func (d *FOCAS) Happen(text []byte) error {
	var e FOCASEvent
	if err := decodeStrict(text, &e); err != nil {
		return err
	}
	if e.At != 0 || e.For != 0 {
		return errors.New("an event of POST /events happens now: leave at and for out")
	}
	return d.Do(&e)
}

// Drain answers nothing any more and hands what clients send to f, whose calls may come at the same time.
func (d *FOCAS) Drain(f func(from net.Addr, p []byte)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.drain = f
	d.apply()
}

// Do makes an event happen now. Events about faults are for [FOCAS.SetFaults].
func (d *FOCAS) Do(e *FOCASEvent) error {
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
	faults *FOCASFaults // nil with power false: back to those that are always on
	power  bool
}

// changes are the moments of a scenario that the machine does not know, in order of time.
func (s *FOCASScenario) changes() []change {
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
func (d *FOCAS) playOne(ctx context.Context, s *FOCASScenario, start time.Duration, changed <-chan struct{}) bool {
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

func (d *FOCAS) make(c change, of *FOCASScenario) {
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
