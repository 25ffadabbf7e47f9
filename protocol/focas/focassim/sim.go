package focassim

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasserver"
)

// Options of a simulated control. The zero value is a 30i that runs its program in real time.
type Options struct {
	// Profile is a name from [Profiles]; empty is "30i".
	Profile string
	// Seed selects the noise of loads. The same seed gives the same machine.
	Seed uint64
	// Now is where time comes from; nil is time.Now. The machine moves as far as this clock has since New.
	Now func() time.Time
	// Start is the control's clock at power-on; zero is Now.
	Start time.Time
	// Speed is how many seconds of the machine pass in one second; 0 is 1. Between two questions the machine works for an
	// hour of its time at most and stands still for the rest.
	Speed float64
	// Scenario is what happens to the machine, see [ScenarioOf].
	Scenario Scenario
	// Manual leaves starting cycles to [Sim.CycleStart]; else the operator starts the next part after a pause.
	Manual bool
	// Protect sets the memory protection: writes of parameters and changes of programs are refused with EW_PROT.
	Protect bool
	// MaxSessions is how many connections for data (channel 2) may be open; one more is reset. 0: no limit.
	MaxSessions int
	// Answers replace what the machine would answer, see [ParseAnswers].
	Answers Answers
	// WrapConn, when set, goes around each accepted connection, next to the wire: a recorder sees what faults do.
	WrapConn func(net.Conn) net.Conn
}

// Sim is a simulated control. All methods may be called at the same time.
type Sim struct {
	opts  Options
	prof  *profile
	began time.Time

	mu       sync.Mutex
	m        *machine
	sessions int
	answers  Answers
	dirs     map[uint64]string // current folder per connection

	faults faultState
	srvMu  sync.Mutex
	srvs   map[*focasserver.Server]struct{}
}

// New makes a control and switches it on; it starts nothing. The error is about the options.
func New(o Options) (*Sim, error) {
	if o.Profile == "" {
		o.Profile = "30i"
	}
	p, err := profileOf(o.Profile)
	if err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	began := o.Now()
	if o.Start.IsZero() {
		o.Start = began
	}
	if o.Speed <= 0 {
		o.Speed = 1
	}
	return &Sim{opts: o, prof: p, began: began, m: newMachine(p, o), answers: o.Answers,
		dirs: make(map[uint64]string), srvs: make(map[*focasserver.Server]struct{})}, nil
}

// Serve serves the control on ln until ctx ends or ln fails. It may be called for several listeners.
func (s *Sim) Serve(ctx context.Context, ln net.Listener) error {
	srv := focasserver.New(s.Handler(), focasserver.Options{DataOnTransfer: focasserver.MisplacedServe, WrapConn: func(c net.Conn) net.Conn {
		if s.opts.WrapConn != nil {
			c = s.opts.WrapConn(c)
		}
		return s.faults.wrap(c)
	}})
	s.srvMu.Lock()
	s.srvs[srv] = struct{}{}
	s.srvMu.Unlock()
	defer func() {
		s.srvMu.Lock()
		delete(s.srvs, srv)
		s.srvMu.Unlock()
	}()
	return srv.Serve(ctx, ln)
}

// Handler answers for the control, for a server of one's own. Faults that act on connections work with [Sim.Serve] only.
func (s *Sim) Handler() focasserver.Handler { return (*handler)(s) }

// do runs f on the machine as it is now.
func (s *Sim) do(f func(*machine)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.m.advanceTo(time.Duration(float64(s.opts.Now().Sub(s.began)) * s.opts.Speed))
	f(s.m)
	s.m.signals()
}

// Advance moves the machine on by d beyond its clock, at once.
func (s *Sim) Advance(d time.Duration) {
	s.mu.Lock()
	s.began = s.began.Add(-time.Duration(float64(d) / s.opts.Speed))
	s.mu.Unlock()
	s.do(func(*machine) {})
}

// Version is the version word of the control's frames.
func (s *Sim) Version() focas.Version { return s.prof.version }

// CycleStart presses the start button of every path.
func (s *Sim) CycleStart() { s.do((*machine).startAll) }

func (m *machine) startAll() {
	if m.ready() {
		for _, p := range m.paths {
			p.start()
		}
	}
}

// Auto says whether the operator starts the next part by himself.
func (s *Sim) Auto(on bool) { s.do(func(m *machine) { m.auto = on }) }

// Reset presses the reset key: alarms that can go away do, and programs are rewound.
func (s *Sim) Reset() { s.do((*machine).resetKey) }

func (m *machine) resetKey() {
	m.clear(func(Alarm) bool { return true })
	m.stopAll(false)
}

// Do makes an event happen now.
func (s *Sim) Do(e Event) { s.do(func(m *machine) { m.happen(e) }) }

// Run plays a scenario from now on in place of the one before.
func (s *Sim) Run(sc Scenario) {
	s.do(func(m *machine) {
		shift := m.elapsed()
		if sc.Period > 0 {
			shift %= sc.Period
		}
		m.scenario, m.fired, m.round = Scenario{Period: sc.Period}, 0, 0
		if sc.Period > 0 {
			m.round = uint64(m.elapsed() / sc.Period)
		}
		for _, e := range sc.Events {
			if sc.Period == 0 {
				e.At += shift
			}
			m.scenario.Events = append(m.scenario.Events, e)
		}
	})
}

// Protect sets or releases the memory protection.
func (s *Sim) Protect(on bool) { s.do(func(m *machine) { m.protect = on }) }

// SetAnswers replaces the exact answers.
func (s *Sim) SetAnswers(a Answers) {
	s.mu.Lock()
	s.answers = a
	s.mu.Unlock()
}

// AddProgram stores a program in a path's memory, 1-based, as an operator types it in. The error is a *focas.Error.
func (s *Sim) AddProgram(path int, text string) error {
	err := error(&focas.Error{Code: focas.EWPath})
	s.do(func(m *machine) {
		if path >= 1 && path <= len(m.paths) {
			_, err = m.paths[path-1].store.add(text, m.now())
		}
	})
	return err
}

// PowerCycle switches the control off and on: every connection is reset, the axes and spindles stand, alarms and messages
// are gone and the common variables 100 to 199 are empty; the rest of the memory keeps what it holds.
func (s *Sim) PowerCycle() {
	s.do((*machine).powerCycle)
	s.srvMu.Lock()
	defer s.srvMu.Unlock()
	for srv := range s.srvs {
		srv.Drop(true)
	}
}

func (m *machine) powerCycle() {
	m.alarms, m.messages = nil, nil
	m.stopAll(true)
	for i := range m.spindles {
		m.spindles[i].rpm, m.spindles[i].load = 0, 0
	}
	for _, p := range m.paths {
		p.speed, p.mod, p.velocity, p.load = 0, newModal(), vector{}, vector{}
		if p.cfg.lathe {
			p.mod.g[gPlane] = 1
		}
	}
	for n := int32(100); n < 200; n++ {
		delete(m.macros.common, n)
	}
}
