package focassim

import (
	"math"
	"time"
)

// tick is the step of the machine. Everything moves in whole ticks, so that the state depends on the elapsed time alone
// and not on how often someone looks.
const tick = 8 * time.Millisecond

// maxCatchUp bounds the work of one look: after a longer silence the machine has stood still in between.
const maxCatchUp = time.Hour

// restartPause is how long the operator takes to change the part, in seconds.
const restartPause = 3

// Modes of the control, as cnc_statinfo's aut says them.
const (
	ModeMDI    int16 = 0
	ModeMemory int16 = 1
	ModeEdit   int16 = 3
	ModeHandle int16 = 4
	ModeJog    int16 = 5
	ModeRef    int16 = 9
)

// The run words of cnc_statinfo.
const (
	runReset int16 = 0
	runStop  int16 = 1
	runHold  int16 = 2
	runStart int16 = 3
)

// machine is the whole state of a simulated control. It is not safe for concurrent use: [Sim] locks around it.
type machine struct {
	prof     *profile
	rng      rng
	ticks    uint64
	powerOn  time.Time     // the control's clock at tick 0
	clock    time.Duration // what setting the clock has added
	paths    []*pathState
	spindles []spindle
	pmc      *pmc
	params   *paramTable
	diag     *paramTable
	macros   macroMemory
	mode     int16
	auto     bool // the operator starts the next part by himself
	protect  bool // memory protection key and parameter write
	alarms   []Alarm
	history  []Alarm
	messages []Message
	scenario Scenario
	fired    int // events of the present round that have happened
	round    uint64
	timers   timers
}

// timers count in ticks.
type timers struct {
	power, operating, cutting, cycle, free uint64
	lastCycle                              uint64
}

func newMachine(p *profile, o Options) *machine {
	m := &machine{prof: p, rng: rng{state: o.Seed ^ 0x9e3779b97f4a7c15}, powerOn: o.Start, mode: ModeMemory,
		auto: !o.Manual, protect: o.Protect, scenario: o.Scenario, pmc: newPMC(len(p.paths))}
	m.timers.power = uint64(259490 * time.Minute / tick)
	m.timers.operating = uint64(81230*time.Minute/tick + 41*time.Second/tick)
	m.timers.cutting = uint64(60417*time.Minute/tick + 7*time.Second/tick)
	for i := range p.spindles {
		m.spindles = append(m.spindles, spindle{max: p.maxRPM[i]})
	}
	for i := range p.paths {
		m.paths = append(m.paths, newPathState(m, i, o.Start))
	}
	m.params, m.diag = newParams(m), newDiagnosis(m)
	m.macros = newMacros(m)
	m.setOverrides(100, 100, 100)
	m.signals()
	return m
}

// elapsed is the time since power-on.
func (m *machine) elapsed() time.Duration { return time.Duration(m.ticks) * tick }

// now is the control's clock.
func (m *machine) now() time.Time { return m.powerOn.Add(m.elapsed() + m.clock) }

// advanceTo steps until the time since power-on.
func (m *machine) advanceTo(t time.Duration) {
	target := uint64(t / tick)
	if target <= m.ticks {
		return
	}
	if limit := uint64(maxCatchUp / tick); target-m.ticks > limit {
		skipped := target - m.ticks - limit
		m.ticks += skipped
		m.timers.power += skipped
	}
	for m.ticks < target {
		m.ticks++
		m.step()
	}
	m.signals()
}

func (m *machine) step() {
	dt := tick.Seconds()
	m.timers.power++
	m.runScenario()
	if m.emergency() {
		m.stopAll(true)
	} else if len(m.alarms) > 0 {
		m.halt(runStop)
	} else if m.pmc.feedHold() {
		m.halt(runHold)
	} else if m.mode != ModeMemory {
		m.halt(runStop)
	}
	for i := range m.spindles {
		m.spindles[i].step(dt, m.pmc.spindleOverride(m.pathOfSpindle(i)), &m.rng)
	}
	operating, cutting := false, false
	for _, p := range m.paths {
		p.step(dt)
		operating = operating || p.run == runStart
		cutting = cutting || p.cuttingNow()
	}
	if operating {
		m.timers.operating++
		m.timers.cycle++
	}
	if cutting {
		m.timers.cutting++
	}
}

// ready reports whether automatic operation may run.
func (m *machine) ready() bool {
	return !m.emergency() && len(m.alarms) == 0 && m.mode == ModeMemory && !m.pmc.feedHold()
}

// pathOfSpindle is the index of the path whose override a spindle obeys.
func (m *machine) pathOfSpindle(spindle int) int {
	for i, p := range m.paths {
		if p.cfg.spindle == spindle {
			return i
		}
	}
	return 0
}

func (m *machine) emergency() bool { return m.pmc.emergency() }

// halt takes every running path into the given run state.
func (m *machine) halt(state int16) {
	for _, p := range m.paths {
		if p.run == runStart || p.run == runHold && state == runStop {
			p.run, p.idle = state, 0
		}
	}
}

// stopAll is a reset: programs are rewound and spindles stop.
func (m *machine) stopAll(hard bool) {
	for _, p := range m.paths {
		p.reset(hard)
	}
	for i := range m.spindles {
		m.spindles[i].dir = 0
	}
}

// rng is a small generator whose numbers depend on the seed alone (xorshift64*).
type rng struct{ state uint64 }

// noise is a number between -1 and 1.
func (r *rng) noise() float64 {
	if r.state == 0 {
		r.state = 1
	}
	r.state ^= r.state >> 12
	r.state ^= r.state << 25
	r.state ^= r.state >> 27
	return float64(int64(r.state*0x2545f4914f6cdd1d)) / (1 << 63)
}

// spindle is a spindle drive.
type spindle struct {
	max     float64 // rpm
	command float64 // S
	dir     int     // 1 M03, -1 M04, 0 stopped
	rpm     float64 // actual, not negative
	load    float64 // percent
	cut     float64 // 0 to 1: how hard the tool cuts, set by the path
	temp    float64 // degrees above the room
}

// target is the speed that the spindle goes for.
func (s *spindle) target(override float64) float64 {
	if s.dir == 0 {
		return 0
	}
	return min(s.command*override, s.max)
}

func (s *spindle) step(dt, override float64, r *rng) {
	before := s.rpm
	s.rpm = approach(s.rpm, s.target(override), s.max/2.5*dt)
	load := 0.0
	if s.rpm > 0 {
		load = 3 + 6*s.rpm/s.max + 38*s.cut + 90*max(0, s.rpm-before)/(s.max*dt)
		load += 1.5 * r.noise()
	}
	s.load += (max(0, load) - s.load) * dt / 0.15
	s.temp += (s.load*0.4 - s.temp) * dt / 240
	s.cut = 0
}

// atSpeed reports that the spindle has reached its speed.
func (s *spindle) atSpeed(override float64) bool {
	return math.Abs(s.rpm-s.target(override)) <= 0.02*s.max
}
