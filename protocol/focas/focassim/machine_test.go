package focassim

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// run steps the machine tick by tick for d and calls look after each.
func run(m *machine, d time.Duration, look func()) {
	end := m.elapsed() + d
	for m.elapsed() < end {
		m.advanceTo(m.elapsed() + tick)
		look()
	}
}

func TestMachineRunsItsPrograms(t *testing.T) {
	for _, name := range Profiles() {
		t.Run(name, func(t *testing.T) {
			s, _ := newSim(t, Options{Profile: name})
			m := s.m
			parts := m.params.value(6711)
			type seen struct{ cut, rapid, dwell, aux bool }
			saw := make([]seen, len(m.paths))
			last := make([]vector, len(m.paths))
			speed := make([]float64, len(m.paths))
			for i, p := range m.paths {
				last[i] = p.pos
			}
			dt := tick.Seconds()
			run(m, 12*time.Minute, func() {
				for i, p := range m.paths {
					for k, a := range p.cfg.axes {
						v := math.Abs(p.pos[k]-last[i][k]) / dt
						if v > p.rapid[k]*1.001 {
							t.Fatalf("%v: axis %c moves at %.1f mm/s, its rapid rate is %.1f", p, a.letter, v, p.rapid[k])
						}
						if p.pos[k] < a.low || p.pos[k] > a.high {
							t.Fatalf("%v: axis %c is outside its stroke", p, a.letter)
						}
					}
					if grown := p.speed - speed[i]; grown > acceleration*dt*1.001 {
						t.Fatalf("%v: path speed grows by %.2f mm/s in one tick", p, grown)
					}
					if p.cuttingNow() {
						saw[i].cut = true
						if limit := p.mod.feed * m.pmc.feedOverride(p.no); p.feed() > limit*1.001+1 {
							t.Fatalf("%v: feed %.1f, commanded %.1f", p, p.feed(), limit)
						}
					} else if p.speed > 0 {
						saw[i].rapid = true
					}
					saw[i].dwell = saw[i].dwell || p.motionWord() == 2
					saw[i].aux = saw[i].aux || p.finWord() == 1
					last[i], speed[i] = p.pos, p.speed
				}
				if len(m.alarms) > 0 {
					t.Fatalf("%v: %+v", m.paths, m.alarms)
				}
			})
			for i, x := range saw {
				if !x.cut || !x.rapid || !x.aux || !x.dwell && name != "31i" {
					t.Errorf("path %d: saw %+v", i+1, x)
				}
			}
			if got := m.params.value(6711) - parts; got < 3 || got > 30 {
				t.Errorf("%d parts in 12 minutes", got)
			}
		})
	}
}

// TestTimeCanBeCutAnyWay: the machine is a function of the elapsed time.
func TestTimeCanBeCutAnyWay(t *testing.T) {
	scenario, err := ScenarioOf("trouble")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Seed: 7, Scenario: scenario}
	a, clockA := newSim(t, o)
	b, clockB := newSim(t, o)
	clockA.add(3 * time.Minute)
	for left := 3 * time.Minute; left > 0; {
		d := min(left, 1234567*time.Nanosecond+left/50)
		clockB.add(d)
		left -= d
		b.Advance(0)
	}
	a.Advance(0)
	state := func(s *Sim) any {
		p := s.m.paths[0]
		return []any{p.pos, p.speed, p.load, p.blocks, p.run, s.m.spindles[0].rpm, s.m.spindles[0].load, s.m.timers, s.m.alarms, s.m.rng.state}
	}
	if diff := cmp.Diff(state(a), state(b), cmp.AllowUnexported(timers{})); diff != "" {
		t.Error(diff)
	}
	c, _ := newSim(t, Options{Seed: 8})
	c.Advance(3 * time.Minute)
	if c.m.paths[0].load == a.m.paths[0].load {
		t.Error("another seed gives the same loads")
	}
}

func TestOverridesAndHold(t *testing.T) {
	s, _ := newSim(t, Options{})
	m, p := s.m, s.m.paths[0]
	cutting := func() bool { return p.cuttingNow() && p.mod.feed == 1500 && p.feed() > 1499 }
	stepUntil := func(what string, ok func() bool) {
		t.Helper()
		for range int(2 * time.Minute / tick) {
			if ok() {
				return
			}
			m.advanceTo(m.elapsed() + tick)
		}
		t.Fatalf("never: %s", what)
	}
	stepUntil("full feed", cutting)
	s.Do(Event{Kind: FeedOverride, Value: 50})
	stepUntil("half feed", func() bool { return math.Abs(p.feed()-750) < 1 })
	s.Do(Event{Kind: SpeedOverride, Value: 120})
	stepUntil("faster spindle", func() bool { return math.Abs(m.spindles[0].rpm-3840) < 1 })
	s.Do(Event{Kind: FeedHoldOn})
	stepUntil("standstill", func() bool { return p.speed == 0 })
	if p.run != runHold {
		t.Errorf("run is %d in feed hold", p.run)
	}
	at := p.pos
	run(m, 10*time.Second, func() {})
	if p.pos != at {
		t.Error("moves in feed hold")
	}
	s.Do(Event{Kind: FeedHoldOff})
	stepUntil("moving again", func() bool { return p.speed > 0 && p.run == runStart })
	s.Do(Event{Kind: EmergencyOn})
	stepUntil("standstill", func() bool { return p.speed == 0 && m.spindles[0].rpm == 0 })
	if p.run != runReset || !m.emergency() {
		t.Errorf("run %d in emergency stop", p.run)
	}
	s.Do(Event{Kind: EmergencyOff})
	stepUntil("a new cycle", func() bool { return p.run == runStart && p.sequence() == 20 })
}

func TestAlarmStopsAndClears(t *testing.T) {
	s, clock := newSim(t, Options{})
	clock.add(20 * time.Second)
	s.Do(Event{Kind: RaiseAlarm, Alarm: Alarm{Type: AlarmSV, Number: 401, Axis: 1, Text: "V-READY OFF"}})
	clock.add(5 * time.Second)
	s.Advance(0)
	p := s.m.paths[0]
	if p.run != runStop || p.speed != 0 || s.m.alarmBits() != 1<<6 {
		t.Errorf("%v with an alarm, bits %x", p, s.m.alarmBits())
	}
	s.Reset()
	clock.add(5 * time.Second)
	s.Advance(0)
	if p.run != runStart || len(s.m.alarms) != 0 {
		t.Errorf("%v after reset", p)
	}
}

func TestManualControlWaitsForStart(t *testing.T) {
	s, clock := newSim(t, Options{Manual: true})
	clock.add(time.Minute)
	s.Advance(0)
	if s.m.paths[0].run != runReset {
		t.Error("starts by itself")
	}
	s.CycleStart()
	clock.add(time.Second)
	s.Advance(0)
	if s.m.paths[0].run != runStart {
		t.Error("does not start")
	}
}

func TestBadBlocksRaiseProgramAlarms(t *testing.T) {
	for _, tt := range []struct {
		name, block string
		alarm       int32
	}{
		{"no feed", "G1 X10.", 11},
		{"arc ends off the circle", "G2 X10. Y0. I1. J0. F100", 20},
		{"radius too small", "G2 X100. Y0. R2. F100", 20},
		{"arc without centre", "G2 X10. Y10. F100", 22},
		{"no such subprogram", "M98 P4711", 78},
		{"calls itself", "M98 P5000", 77},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, clock := newSim(t, Options{Manual: true})
			if err := s.AddProgram(1, "O5000\nG90 G54\n"+tt.block+"\nM30\n"); err != nil {
				t.Fatal(err)
			}
			s.m.paths[0].main = s.m.paths[0].store.byNumber(5000)
			s.CycleStart()
			clock.add(20 * time.Second)
			s.Advance(0)
			if len(s.m.alarms) != 1 || s.m.alarms[0].Number != tt.alarm {
				t.Errorf("alarms %+v, want %d", s.m.alarms, tt.alarm)
			}
		})
	}
}

func TestFullCircleReturnsToItsStart(t *testing.T) {
	from := vector{45, 0}
	for _, clockwise := range []bool{true, false} {
		s := circle(from, from, 0, 1, 0, 0, clockwise, 10, &vector{100, 100, 100})
		if math.Abs(s.length-2*math.Pi*45) > 1e-6 {
			t.Errorf("length %v", s.length)
		}
		quarter := s.at(s.length / 4)
		want := 45.0
		if clockwise {
			want = -45
		}
		if math.Abs(quarter[0]) > 1e-6 || math.Abs(quarter[1]-want) > 1e-6 {
			t.Errorf("clockwise %v: a quarter ends at %v", clockwise, quarter)
		}
	}
}

func TestUnknownNamesAreNamed(t *testing.T) {
	if _, err := New(Options{Profile: "21i"}); err == nil {
		t.Error("unknown profile is taken")
	}
	if _, err := ScenarioOf("war"); err == nil {
		t.Error("unknown scenario is taken")
	}
	for _, n := range Scenarios() {
		if _, err := ScenarioOf(n); err != nil {
			t.Error(err)
		}
	}
}

func BenchmarkMachineMinute(b *testing.B) {
	s, err := New(Options{Now: newClock().now})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		s.Advance(time.Minute)
	}
}

// TestOperatorsKeys selects another program, presses reset and start, as scenarios do.
func TestOperatorsKeys(t *testing.T) {
	s, _ := newSim(t, Options{Manual: true, Profile: "31i"})
	p := s.m.paths[1]
	before := s.m.paths[0].main
	s.Do(Event{Kind: SelectProgram, Program: "O1001"})
	if p.main.name != "O1001" || p.run != runReset {
		t.Errorf("path 2 has %s, run %d", p.main.name, p.run)
	}
	if s.m.paths[0].main != before {
		t.Error("path 1 lost its program for one that it does not have")
	}
	s.Do(Event{Kind: SelectProgram, Program: "4000", Value: 1})
	if p.main.name != "O1001" {
		t.Error("a program was selected on another path")
	}
	s.Do(Event{Kind: PressStart})
	if p.run != runStart || p.prog.number != 1001 {
		t.Errorf("after start: run %d, program %d", p.run, p.prog.number)
	}
	s.Do(Event{Kind: PressReset})
	if p.run != runReset {
		t.Errorf("after reset: run %d", p.run)
	}
}
