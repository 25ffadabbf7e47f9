package focassim

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// at is a machine position with the mill's work offset G54: X-400 Y-250 Z-350.
func at54(x, y, z float64) vector { return vector{x - 400, y - 250, z - 350} }

// Where the axes stand when a program stops at its M0.
func TestWhereBlocksLead(t *testing.T) {
	for _, row := range []struct {
		name, blocks string
		want         vector
	}{
		{"machine coordinates", "G53 G0 X-10. Y-20. Z-30.", vector{-10, -20, -30}},
		{"G53 holds for its block", "G53 G0 X-10. Y-20. Z-30.\nX0. Y0. Z0.", at54(0, 0, 0)},
		{"work coordinates", "G0 X1. Y2. Z3.", at54(1, 2, 3)},
		{"no decimal point is micrometres", "G0 X1000 Y-2500 Z1", at54(1, -2.5, 0.001)},
		{"absolute after incremental", "G0 X0. Y0. Z0.\nG91 X5. Y5.\nX5.\nG90 Y1.", at54(10, 1, 0)},
		{"an axis that is not named stays", "G0 X0. Y0. Z0.\nX7.", at54(7, 0, 0)},
		{"G55 is half of G54", "G55 G0 X0. Y0. Z0.", vector{-200, -125, -175}},
		{"G56 is at the machine's zero", "G56 G0 X-1. Y-2. Z-3.", vector{-1, -2, -3}},
		{"G59", "G59 G0 X-1. Y-2. Z-3.", vector{-1, -2, -3}},
		{"back to G54", "G55 G0 X0.\nG54 X0. Y0. Z0.", at54(0, 0, 0)},
		{"tool length is added", "G0 X0. Y0.\nG43 H1 Z0.", at54(0, 0, 95)},
		{"tool length is subtracted", "G0 X0. Y0.\nG44 H1 Z0.", at54(0, 0, -95)},
		{"tool length of H0 is none", "G0 X0. Y0.\nG43 H0 Z0.", at54(0, 0, 0)},
		{"tool length with wear", "G0 X0. Y0.\nG43 H2 Z0.", at54(0, 0, 102.346)},
		{"tool length cancelled", "G0 X0. Y0.\nG43 H1 Z0.\nG49 Z0.", at54(0, 0, 0)},
		{"straight at feed", "G1 X4. Y3. Z2. F3000", at54(4, 3, 2)},
		{"quarter with a centre", "G0 X10. Y0. Z0.\nG3 X0. Y10. I-10. F2000", at54(0, 10, 0)},
		{"quarter with a radius", "G0 X10. Y0. Z0.\nG3 X0. Y10. R10. F2000", at54(0, 10, 0)},
		{"the long way with a negative radius", "G0 X10. Y0. Z0.\nG3 X0. Y10. R-10. F2000", at54(0, 10, 0)},
		{"incremental arc", "G0 X0. Y0. Z0.\nG91 G2 X5. Y5. R5. F2000", at54(5, 5, 0)},
		{"arc in ZX", "G0 X0. Y0. Z0.\nG18 G2 X10. Z10. K10. F2000", at54(10, 0, 10)},
		{"arc in YZ", "G0 X0. Y0. Z0.\nG19 G3 Y10. Z10. K10. F2000", at54(0, 10, 10)},
		{"the motion code stays in force", "G1 X1. Y1. Z1. F2000\nX2.\nY3.", at54(2, 3, 1)},
		{"reference point of one axis", "G0 X0. Y0. Z0.\nG28 Z0.", vector{-400, -250, 0}},
		{"reference point of two axes", "G0 X0. Y0. Z0.\nG91 G28 X0. Y0.", vector{0, 0, -350}},
		{"reference point of none", "G0 X0. Y0. Z0.\nG28", at54(0, 0, 0)},
		{"dwell moves nothing", "G0 X0. Y0. Z0.\nG4 X0.5", at54(0, 0, 0)},
		{"block skip is off", "G0 X0. Y0. Z0.\n/X5.", at54(5, 0, 0)},
		{"comments and blanks", "G0 ( TO ZERO ) X 0. Y0.Z0.(END)", at54(0, 0, 0)},
		{"subprogram", "G0 X0. Y0. Z0.\nM98 P6001", at54(1, 0, 0)},
		{"subprogram four times", "G0 X0. Y0. Z0.\nM98 P6001 L4", at54(4, 0, 0)},
		{"subprogram in a subprogram", "G0 X0. Y0. Z0.\nM98 P6002 L2", at54(6, 2, 0)},
		{"modal codes of a subprogram stay", "G0 X0. Y0. Z0.\nM98 P6003\nX3.", at54(4, 0, 0)},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, _ := newSim(t, Options{Manual: true})
			for _, sub := range []string{"O6001\nG91 G0 X1.\nG90\nM99\n", "O6002\nM98 P6001 L3\nG91 Y1.\nG90\nM99\n", "O6003\nG91 G0 X1.\nM99\n"} {
				if err := s.AddProgram(1, sub); err != nil {
					t.Fatal(err)
				}
			}
			p := runProgram(t, s, "O5000\nG90 G54\n"+row.blocks+"\nM0\n")
			for range int(time.Minute / tick) {
				if s.m.advanceTo(s.m.elapsed() + tick); p.run != runStart {
					break
				}
			}
			if p.run != runStop || len(s.m.alarms) > 0 {
				t.Fatalf("run %d with %v after a minute", p.run, s.m.alarms)
			}
			for i := range row.want {
				if !near(p.pos[i], row.want[i], 1e-9) {
					t.Fatalf("stands at %v, want %v", p.pos, row.want)
				}
			}
		})
	}
}

// A radius of an arc has a sign: the long way round is where the short one is not.
func TestRadiusSign(t *testing.T) {
	s, _ := newSim(t, Options{Manual: true})
	p := s.m.paths[0]
	mod := newModal()
	mod.feed = 1000
	for _, row := range []struct {
		block   string
		degrees float64
	}{{"X0. Y10. R10.", 90}, {"X0. Y10. R-10.", 270}, {"X-10. Y0. R10.", 180}} {
		for _, clockwise := range []bool{false, true} {
			b, _, err := parseBlock(row.block, 1)
			if err != nil {
				t.Fatal(err)
			}
			to := vector{b.words[0].value, b.words[1].value}
			seg, alarm := p.arc(&b, &mod, vector{10}, to, clockwise)
			if alarm != nil {
				t.Fatal(alarm)
			}
			if got := math.Abs(seg.sweep) * 180 / math.Pi; !near(got, row.degrees, 1e-6) || !near(seg.radius, 10, 1e-9) {
				t.Errorf("%s clockwise %v: %v degrees at radius %v, want %v", row.block, clockwise, got, seg.radius, row.degrees)
			}
			if seg.at(seg.length) != to {
				t.Errorf("%s: ends at %v", row.block, seg.at(seg.length))
			}
		}
	}
}

// What is in force after a block, and how long its steps take.
func TestModalAfterBlocks(t *testing.T) {
	for _, row := range []struct {
		block string
		check func(m *modal) (got, want any)
	}{
		{"G1 F1500", func(m *modal) (any, any) { return m.code(gMotion), 10 }},
		{"G90 F1500.5", func(m *modal) (any, any) { return m.feed, 1500.5 }},
		{"G91", func(m *modal) (any, any) { return m.code(gDistance), 910 }},
		{"G18", func(m *modal) (any, any) { return m.code(gPlane), 180 }},
		{"G59", func(m *modal) (any, any) { return m.code(gOffset), 590 }},
		{"G43 H7", func(m *modal) (any, any) { return [2]int{m.code(gLength), m.h}, [2]int{430, 7} }},
		{"D9", func(m *modal) (any, any) { return m.d, 9 }},
		{"S3200", func(m *modal) (any, any) { return m.rpm, 3200.0 }},
		{"T12", func(m *modal) (any, any) { return m.tool, 12 }},
		{"M8", func(m *modal) (any, any) { return m.m, [3]int{8} }},
		{"M3 M8 M41", func(m *modal) (any, any) { return m.m, [3]int{3, 8, 41} }},
		{"M3 M8 M41 M42", func(m *modal) (any, any) { return m.m, [3]int{3, 8, 41} }},
		{"N120 X1.", func(m *modal) (any, any) { return m.n, 120 }},
		{"X1.", func(m *modal) (any, any) { return m.n, 0 }},
		{"G4 X1.", func(m *modal) (any, any) { return m.g, newModal().g }},
		{"G0 G90 G17 G40 G49 G80 G54", func(m *modal) (any, any) { return m.g, newModal().g }},
	} {
		s, _ := newSim(t, Options{Manual: true})
		b, _, err := parseBlock(row.block, 1)
		if err != nil {
			t.Fatal(err)
		}
		pl, alarm := s.m.paths[0].prepare(&b, 0, newModal(), vector{})
		if alarm != nil {
			t.Fatalf("%s: %v", row.block, alarm)
		}
		if got, want := row.check(&pl.after); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", row.block, got, want)
		}
	}
}

func TestStepsOfABlock(t *testing.T) {
	for _, row := range []struct{ block, want string }{
		{"G4 X1.5", "dwell 1.5"},
		{"G4 X1500", "dwell 1.5"},
		{"G4 P250", "dwell 0.25"},
		{"G4", "dwell 0"},
		{"M8", "aux 8"},
		{"S1000 M3", "aux -1, aux 3"},
		{"T2 M6", "aux -2, aux 6"},
		{"G0 X5. M8", "aux 8, move"},
		{"G0 X5. M9", "move, aux 9"},
		{"G0 X5. M5", "move, aux 5"},
		{"G0 X5. M0", "move, aux 0"},
		{"M30", "turn 30"},
		{"G0 X5. M2", "move, turn 2"},
		{"M98 P1001 L4", "turn 98"},
		{"G0 X0.", ""},
		{"G28 X5.", "move, move"},
		{"G91 G28 X0.", ""},
		{"F100", ""},
	} {
		s, _ := newSim(t, Options{Manual: true})
		b, _, err := parseBlock(row.block, 1)
		if err != nil {
			t.Fatal(err)
		}
		p := s.m.paths[0]
		p.work[1] = vector{}
		pl, alarm := p.prepare(&b, 0, newModal(), vector{})
		if alarm != nil {
			t.Fatalf("%s: %v", row.block, alarm)
		}
		var steps []string
		for _, o := range pl.ops {
			switch o.kind {
			case opMove:
				steps = append(steps, "move")
			case opDwell:
				steps = append(steps, fmt.Sprintf("dwell %v", o.seconds))
			case opAux:
				steps = append(steps, fmt.Sprintf("aux %d", o.code))
			case opTurn:
				steps = append(steps, fmt.Sprintf("turn %d", o.code))
			}
		}
		if got := strings.Join(steps, ", "); got != row.want {
			t.Errorf("%s: %s, want %s", row.block, got, row.want)
		}
	}
}

// A block after one that leads elsewhere is not prepared: it may not be the next one.
func TestBlocksThatLeadElsewhere(t *testing.T) {
	s, _ := newSim(t, Options{Manual: true})
	// The subprogram's third block has the place at which the main program goes on; it must not run instead.
	if err := s.AddProgram(1, "O6001\nG91 G0 X-1. M99 M5\nX-500.\nM99\n"); err != nil {
		t.Fatal(err)
	}
	p := runProgram(t, s, "O5000\nM98 P6001\nM0\n")
	for range int(30 * time.Second / tick) {
		if s.m.advanceTo(s.m.elapsed() + tick); p.run != runStart {
			break
		}
	}
	if p.run != runStop || !near(p.pos[0], -1, 1e-9) {
		t.Errorf("%v after the subprogram, alarms %v", p, s.m.alarms)
	}
}

// M30 counts a part, rewinds, stops spindle and coolant; M2 too; M99 in a main program begins again and counts none.
func TestProgramEnd(t *testing.T) {
	for _, row := range []struct {
		end   string
		parts int32
		run   int16
	}{{"M30", 1, runReset}, {"M2", 1, runReset}, {"M99", 0, runStart}, {"", 0, runReset}} {
		t.Run("end "+row.end, func(t *testing.T) {
			s, _ := newSim(t, Options{Manual: true})
			counter, total := s.m.params.value(6711), s.m.params.value(6712)
			p := runProgram(t, s, "O5000\nG90 G53 G0 X-10.\nM8\nS500 M3\n"+row.end+"\n")
			run(s.m, 10*time.Second, func() {})
			if got := s.m.params.value(6711) - counter; got != row.parts {
				t.Errorf("%d parts, want %d", got, row.parts)
			}
			if got := s.m.params.value(6712) - total; got != row.parts {
				t.Errorf("%d parts in all, want %d", got, row.parts)
			}
			if p.run != row.run {
				t.Errorf("run %d, want %d", p.run, row.run)
			}
			if row.run == runReset && (p.index != 0 || p.coolant || s.m.spindles[0].dir != 0 || s.m.spindles[0].rpm != 0 || p.sequence() != 0) {
				t.Errorf("index %d, coolant %v, spindle %+v, N%d", p.index, p.coolant, s.m.spindles[0], p.sequence())
			}
			if row.run == runReset && s.m.timers.lastCycle == 0 {
				t.Error("the cycle took no time")
			}
		})
	}
}

func TestSpindleFollowsSAndM(t *testing.T) {
	s, _ := newSim(t, Options{Manual: true})
	p := runProgram(t, s, "O5000\nS3000 M3\nM0\nS99999\nM0\nM4\nM0\nM5\nM0\n")
	sp := &s.m.spindles[0]
	next := func() {
		for range int(30 * time.Second / tick) {
			if s.m.advanceTo(s.m.elapsed() + tick); p.run != runStart {
				break
			}
		}
		run(s.m, 10*time.Second, func() {})
	}
	for _, row := range []struct {
		what string
		rpm  float64
		dir  int
	}{{"M3", 3000, 1}, {"S above the largest speed", 12000, 1}, {"M4", 12000, -1}, {"M5", 0, 0}} {
		next()
		if !near(sp.rpm, row.rpm, 0.5) || sp.dir != row.dir {
			t.Errorf("%s: %v rpm, direction %d; want %v, %d", row.what, sp.rpm, sp.dir, row.rpm, row.dir)
		}
		s.CycleStart()
	}
	if sp.load > 0.5 {
		t.Errorf("a standing spindle carries %v %%", sp.load)
	}
}

func TestToolChangesCountLife(t *testing.T) {
	s, _ := newSim(t, Options{Manual: true})
	p := s.m.paths[0]
	p.life[0].count = 499
	p = runProgram(t, s, "O5000\nT101 M6\nT201 M6\nT5 M6\nM0\n")
	run(s.m, 30*time.Second, func() {})
	if g := p.life[0]; p.tool != 5 || g.at != 2 || g.count != 1 {
		t.Errorf("tool %d, group %+v: want tool 5, the third of the group, and a count that began again after 500", p.tool, g)
	}
	lathe, _ := newSim(t, Options{Manual: true, Profile: "31i"})
	q := runProgram(t, lathe, "O5000\nT1103\nM0\n")
	run(lathe.m, 5*time.Second, func() {})
	if q.tool != 11 {
		t.Errorf("T1103 of a lathe is tool %d, want 11", q.tool)
	}
}

func TestDwellTakesItsTime(t *testing.T) {
	s, _ := newSim(t, Options{Manual: true})
	p := runProgram(t, s, "O5000\nG4 X2.\nM0\n")
	waits := time.Duration(0)
	run(s.m, 5*time.Second, func() {
		if p.motionWord() == 2 {
			waits += tick
		}
	})
	if waits < 2*time.Second-2*tick || waits > 2*time.Second {
		t.Errorf("dwells for %v, want 2 s", waits)
	}
}

// Start right after reset begins the program once; while the axes still come to a stop it does nothing.
func TestStartAfterReset(t *testing.T) {
	s, _ := newSim(t, Options{Manual: true})
	p := runProgram(t, s, "O5000\nG91 G1 X-0.01 F600\nM0\n")
	s.Reset()
	s.CycleStart()
	run(s.m, time.Second, func() {})
	if p.run != runStop || !near(p.pos[0], -0.01, 1e-9) || p.blocks != 3 {
		t.Errorf("%v after %d blocks", p, p.blocks)
	}
	s, _ = newSim(t, Options{Manual: true})
	p = runProgram(t, s, "O5000\nN1 G53 G0 X-500.\nN2 G53 G0 X-100.\nM0\n")
	run(s.m, 500*time.Millisecond, func() {})
	s.Reset()
	s.CycleStart()
	if r := ask(s, cnc(focas.FuncStart)); p.run != runReset || r.Code != focas.EWReject {
		t.Errorf("run %d, %v: started while the axes still move", p.run, r.Code)
	}
	run(s.m, 2*time.Second, func() {})
	if r := ask(s, cnc(focas.FuncStart)); r.Code != 0 {
		t.Fatal(r.Code)
	}
	last := 0
	run(s.m, 10*time.Second, func() {
		if p.index < last {
			t.Fatalf("goes back from block %d to %d", last, p.index)
		}
		last = p.index
	})
	if p.run != runStop || p.pos[0] != -100 {
		t.Errorf("%v", p)
	}
}
