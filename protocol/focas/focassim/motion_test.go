package focassim

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

func TestLine(t *testing.T) {
	limits := vector{100, 50, 20}
	for _, row := range []struct {
		name                string
		from, to            vector
		rapid               bool
		rate                float64
		length, limit, runs float64 // mm, mm/s, mm/s
	}{
		{"along X", vector{}, vector{30}, false, 10, 30, 100, 10},
		{"backwards along Z", vector{2: 5}, vector{2: -5}, false, 10, 10, 20, 10},
		{"3-4-5", vector{}, vector{3, 4}, false, 10, 5, 62.5, 10},
		{"rapid along Y", vector{}, vector{1: 30}, true, 0, 30, 50, 50},
		{"rapid diagonal is held by the slowest axis", vector{}, vector{3, 0, 4}, true, 0, 5, 25, 25},
		{"nowhere", vector{1, 2, 3}, vector{1, 2, 3}, false, 10, 0, math.Inf(1), 10},
	} {
		s := line(row.from, row.to, row.rapid, row.rate, &limits)
		if !near(s.length, row.length, 1e-9) || s.limit != row.limit && !near(s.limit, row.limit, 1e-9) || !near(s.rate, row.runs, 1e-9) {
			t.Errorf("%s: length %v limit %v rate %v, want %v %v %v", row.name, s.length, s.limit, s.rate, row.length, row.limit, row.runs)
		}
		if s.at(0) != row.from || s.at(s.length) != row.to || s.at(s.length+1) != row.to {
			t.Errorf("%s: goes from %v to %v", row.name, s.at(0), s.at(s.length))
		}
	}
}

func TestCircle(t *testing.T) {
	limits := vector{100, 80, 20}
	for _, row := range []struct {
		name         string
		to           vector
		cp, cq       float64
		clockwise    bool
		radius, arcs float64 // mm, degrees
		half         vector
	}{
		{"quarter, counter-clockwise", vector{0, 10}, 0, 0, false, 10, 90, vector{10 * math.Sqrt2 / 2, 10 * math.Sqrt2 / 2}},
		{"three quarters, clockwise", vector{0, 10}, 0, 0, true, 10, 270, vector{-10 * math.Sqrt2 / 2, -10 * math.Sqrt2 / 2}},
		{"half, counter-clockwise", vector{-10, 0}, 0, 0, false, 10, 180, vector{0, 10}},
		{"half, clockwise", vector{-10, 0}, 0, 0, true, 10, 180, vector{0, -10}},
		{"whole, clockwise", vector{10, 0}, 0, 0, true, 10, 360, vector{-10, 0}},
		{"whole, counter-clockwise", vector{10, 0}, 4, 0, false, 6, 360, vector{-2, 0}},
		{"helix", vector{-10, 0, 8}, 0, 0, false, 10, 180, vector{0, 10, 4}},
	} {
		from := vector{10, 0}
		s := circle(from, row.to, 0, 1, row.cp, row.cq, row.clockwise, 5, &limits)
		flat := row.radius * row.arcs * math.Pi / 180
		if want := math.Hypot(flat, row.to[2]); !near(s.length, want, 1e-9) || !near(s.radius, row.radius, 1e-9) || s.limit != 80 {
			t.Errorf("%s: length %v, want %v; radius %v, limit %v", row.name, s.length, want, s.radius, s.limit)
		}
		if (s.sweep < 0) != row.clockwise {
			t.Errorf("%s: sweeps %v", row.name, s.sweep)
		}
		half := s.at(s.length / 2)
		for i := range 3 {
			if !near(half[i], row.half[i], 1e-9) {
				t.Errorf("%s: half way at %v, want %v", row.name, half, row.half)
			}
		}
		if s.at(s.length) != row.to {
			t.Errorf("%s: ends at %v", row.name, s.at(s.length))
		}
	}
}

// The direction is where the next millimetre leads, for lines and arcs alike.
func TestDirectionIsTheSlopeOfThePath(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		coordinate := rapid.Float64Range(-100, 100)
		from := vector{coordinate.Draw(t, "x"), coordinate.Draw(t, "y"), coordinate.Draw(t, "z")}
		limits := vector{100, 100, 100}
		var s segment
		if rapid.Bool().Draw(t, "arc") {
			angle := rapid.Float64Range(0, 6).Draw(t, "angle")
			radius := rapid.Float64Range(1, 50).Draw(t, "radius")
			start := rapid.Float64Range(0, 6).Draw(t, "start")
			cp, cq := from[0]-radius*math.Cos(start), from[1]-radius*math.Sin(start)
			to := vector{cp + radius*math.Cos(angle), cq + radius*math.Sin(angle), coordinate.Draw(t, "rise")}
			s = circle(from, to, 0, 1, cp, cq, rapid.Bool().Draw(t, "clockwise"), 5, &limits)
		} else {
			s = line(from, vector{coordinate.Draw(t, "tx"), coordinate.Draw(t, "ty"), coordinate.Draw(t, "tz")}, false, 5, &limits)
		}
		if s.length < 1 {
			return
		}
		d := rapid.Float64Range(0.1, 0.9).Draw(t, "part") * s.length
		const h = 1e-5
		a, b, dir := s.at(d-h), s.at(d+h), s.direction(d)
		norm := 0.0
		for i := range 3 {
			if slope := (b[i] - a[i]) / (2 * h); !near(slope, dir[i], 1e-4) {
				t.Fatalf("axis %d: slope %v, direction %v", i, slope, dir)
			}
			norm += dir[i] * dir[i]
		}
		if !near(norm, 1, 1e-6) {
			t.Fatalf("direction %v has length %v", dir, math.Sqrt(norm))
		}
	})
}

func TestExitSpeed(t *testing.T) {
	limits := vector{100, 100, 100}
	cut := func(from, to vector, rate float64) segment { return line(from, to, false, rate, &limits) }
	ahead := cut(vector{}, vector{10}, 20)
	for _, row := range []struct {
		name string
		next segment
		want float64
	}{
		{"straight on", cut(vector{10}, vector{30}, 20), 20},
		{"straight on but slower", cut(vector{10}, vector{30}, 5), 5},
		{"straight on but short", cut(vector{10}, vector{10.01}, 20), math.Sqrt(2 * 600 * 0.01)},
		{"a corner", cut(vector{10}, vector{10, 20}, 20), 0},
		{"back", cut(vector{10}, vector{}, 20), 0},
		{"rapid", line(vector{10}, vector{30}, true, 0, &limits), 0},
		{"a tangent arc", circle(vector{10}, vector{20, 10}, 0, 1, 10, 10, false, 20, &limits), 20},
	} {
		if got := exitSpeed(&ahead, &row.next, 600); !near(got, row.want, 1e-9) {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
	nowhere := segment{}
	if d := nowhere.direction(0); d != (vector{}) {
		t.Errorf("a move without length leads to %v", d)
	}
}

func TestApproach(t *testing.T) {
	for _, row := range [][4]float64{{0, 10, 3, 3}, {9, 10, 3, 10}, {10, 0, 3, 7}, {2, 0, 3, 0}, {5, 5, 1, 5}, {-4, 4, 2, -2}} {
		if got := approach(row[0], row[1], row[2]); got != row[3] {
			t.Errorf("from %v towards %v by %v is %v, want %v", row[0], row[1], row[2], got, row[3])
		}
	}
}

// A cutting move reaches its feed, keeps it, and stands at its end: the way gone is the way commanded.
func TestFeedIsReachedAndKept(t *testing.T) {
	for _, row := range []struct {
		name     string
		percent  int
		feed     float64 // mm/min wanted
		standing bool
	}{
		{"100 %", 100, 1200, false}, {"50 %", 50, 600, false}, {"200 %", 200, 2400, false}, {"10 %", 10, 120, false},
		{"254 %", 254, 3048, false}, {"more than there is", 300, 3048, false}, {"0 %", 0, 0, true}, {"less than nothing", -5, 0, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, _ := newSim(t, Options{Manual: true})
			s.Do(Event{Kind: FeedOverride, Value: row.percent})
			p := runProgram(t, s, "O5000\nG91 G1 X-200. F1200\nM30\n")
			fastest := 0.0
			run(s.m, 8e9, func() { fastest = max(fastest, p.feed()) })
			if row.standing {
				if fastest != 0 || p.pos[0] != 0 || p.run != runStart {
					t.Errorf("moves at %v to %v, run %d", fastest, p.pos, p.run)
				}
				return
			}
			if !near(fastest, row.feed, 1) {
				t.Errorf("the feed is %v, want %v", fastest, row.feed)
			}
			run(s.m, 150e9, func() {})
			if p.pos[0] != -200 || p.speed != 0 || p.run != runReset {
				t.Errorf("ends at %v with %v mm/s, run %d", p.pos, p.speed, p.run)
			}
		})
	}
}

func TestRapidOverrideSteps(t *testing.T) {
	for _, row := range []struct{ set, percent, rov int }{{100, 100, 0}, {150, 100, 0}, {99, 50, 1}, {50, 50, 1}, {49, 25, 2}, {25, 25, 2}, {24, 5, 3}, {0, 5, 3}} {
		s, _ := newSim(t, Options{Manual: true})
		s.Do(Event{Kind: RapidOverride, Value: row.set})
		if got := s.m.pmc.letter('G')[14] & 3; int(got) != row.rov {
			t.Errorf("%d %%: ROV is %d, want %d", row.set, got, row.rov)
		}
		p := runProgram(t, s, "O5000\nG91 G0 X-600.\nM30\n")
		fastest := 0.0
		run(s.m, 5e9, func() { fastest = max(fastest, p.feed()) })
		if want := float64(300 * row.percent); !near(fastest, want, 1) {
			t.Errorf("%d %%: the fastest is %v mm/min, want %v", row.set, fastest, want)
		}
	}
}

// An emergency stop brakes harder than a feed hold, and neither jumps.
func TestBraking(t *testing.T) {
	for _, row := range []struct {
		name string
		kind EventKind
		rate float64 // mm/s^2
	}{{"feed hold", FeedHoldOn, acceleration}, {"emergency stop", EmergencyOn, hardStop}} {
		s, _ := newSim(t, Options{Manual: true})
		p := runProgram(t, s, "O5000\nG91 G0 X-600.\nM30\n")
		run(s.m, 900e6, func() {})
		before := p.speed
		if before < 400 {
			t.Fatalf("%s: only %v mm/s", row.name, before)
		}
		s.Do(Event{Kind: row.kind})
		ticks := 0
		run(s.m, 2e9, func() {
			if p.speed > 0 {
				ticks++
			}
			if drop := before - p.speed; drop > row.rate*tick.Seconds()*1.001 {
				t.Fatalf("%s: %v mm/s lost in one tick", row.name, drop)
			}
			before = p.speed
		})
		if p.speed != 0 || ticks == 0 {
			t.Errorf("%s: %v mm/s after 2 s, %d ticks", row.name, p.speed, ticks)
		}
	}
}
