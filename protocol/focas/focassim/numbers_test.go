package focassim

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

func records(t *testing.T, s *Sim, q focas.Request, slots int) []focas.Record {
	t.Helper()
	return read(t, s, q, func(b []byte) (focas.List[focas.Record], error) {
		return focas.ParseRecords(s.prof.dialect(), slots, b)
	}).Items
}

func slots(s *Sim) int {
	if s.prof.dialect() == focas.Classic {
		return s.prof.pad
	}
	return focas.MaxSlots
}

// Tables are sorted without duplicates, and each value lies within what may be written.
func TestTablesAreWhole(t *testing.T) {
	for _, profile := range Profiles() {
		s, _ := newSim(t, Options{Profile: profile, Manual: true})
		for name, table := range map[string]*paramTable{"parameters": s.m.params, "diagnosis": s.m.diag} {
			last := int32(-1)
			for _, n := range table.all {
				if n.number <= last {
					t.Errorf("%s: %s: %d comes after %d", profile, name, n.number, last)
				}
				last = n.number
				if n.axis && n.count() != s.prof.axisCount() || !n.axis && n.count() != 1 {
					t.Errorf("%s: %d has %d values", profile, n.number, n.count())
				}
				for i := range n.count() {
					if v := n.value(i); v < n.lo || v > n.hi {
						t.Errorf("%s: %d is %d, outside %d to %d", profile, n.number, v, n.lo, n.hi)
					}
				}
				if table.find(n.number) != n || table.all[table.from(n.number)] != n {
					t.Errorf("%s: %d is not found", profile, n.number)
				}
			}
		}
		if s.m.params.value(4711) != 0 || s.m.params.find(4711) != nil {
			t.Error("a number that is not there has a value")
		}
	}
}

// Whole tables read in one way agree with each number read alone.
func TestTableWalk(t *testing.T) {
	for _, profile := range []string{"30i", "16i", "31i"} {
		t.Run(profile, func(t *testing.T) {
			s, _ := newSim(t, Options{Profile: profile, Manual: true})
			for _, table := range []struct {
				name  string
				all   *paramTable
				read  func(d focas.Dialect, path uint16, from, to int32, axis int16) focas.Request
				infos func(from, count int32) focas.Request
				count focas.Request
			}{
				{"parameters", s.m.params, focas.ParamRequest, func(f, n int32) focas.Request { return focas.ParamInfoRequest(1, f, n) }, focas.ParamNumRequest(1)},
				{"diagnosis", s.m.diag, focas.DiagRequest, func(f, n int32) focas.Request { return focas.DiagInfoRequest(1, f, n) }, focas.DiagNumRequest(1)},
			} {
				size := read(t, s, table.count, focas.ParseNumberRange)
				if int(size.Total) != len(table.all.all) {
					t.Errorf("%s: %d in all, the table has %d", table.name, size.Total, len(table.all.all))
				}
				var seen []int32
				for from := int32(size.Min); ; {
					x := read(t, s, table.infos(from, 7), focas.ParseNumberInfos)
					for _, i := range x.Items {
						seen = append(seen, i.Number)
						n := table.all.find(i.Number)
						if int32(n.typ) != i.Type {
							t.Errorf("%s %d: type %d, want %d", table.name, i.Number, i.Type, n.typ)
						}
						axis := focas.NoAxis
						if n.axis {
							axis = focas.EveryAxis
						}
						r := records(t, s, table.read(s.prof.dialect(), 1, i.Number, i.Number, axis), slots(s))
						if len(r) != 1 || r[0].Number != i.Number || r[0].Type != n.typ || r[0].Slots[0].Mantissa != n.value(0) {
							t.Errorf("%s %d reads as %+v, want %d", table.name, i.Number, r, n.value(0))
						}
					}
					if next := x.Next; next > seen[len(seen)-1] {
						from = next
						continue
					}
					break
				}
				if len(seen) != int(size.Total) || !slices.IsSorted(seen) || seen[0] != int32(size.Min) || seen[len(seen)-1] != int32(size.Max) {
					t.Errorf("%s: walked over %d of %d: %v", table.name, len(seen), size.Total, seen)
				}
			}
		})
	}
}

func TestInfoOfNumbers(t *testing.T) {
	s, _ := newSim(t, Options{Manual: true})
	one := read(t, s, focas.ParamInfoRequest(1, 6711, 1), focas.ParseNumberInfos)
	if one.Previous != 6710 || one.Next != 6712 || len(one.Items) != 1 || one.Items[0] != (focas.NumberInfo{Number: 6711, Type: 3}) {
		t.Errorf("6711: %+v", one)
	}
	between := read(t, s, focas.ParamInfoRequest(1, 1242, 1), focas.ParseNumberInfos)
	if between.Items[0].Number != 1320 {
		t.Errorf("from a number that is not there: %+v", between)
	}
	first := read(t, s, focas.ParamInfoRequest(1, 0, 1), focas.ParseNumberInfos)
	if first.Previous != 0 {
		t.Errorf("before the first: %+v", first)
	}
	for _, row := range []struct {
		q            focas.Request
		number       int32
		array, shows uint16
	}{
		{focas.ParamInfo2Request(1, 1241, 1, 0), 1241, 1, 1}, {focas.ParamInfo2Request(1, 6711, 1, 1), 6711, 0, 1},
		{focas.DiagInfo2Request(1, 300, 1), 300, 1, 1}, {focas.SettingInfo2Request(1, 20, 1), 20, 0, 1},
	} {
		x := read(t, s, row.q, focas.ParseNumberInfos2)
		if len(x.Items) != 1 || x.Items[0].Number != row.number || x.Items[0].Array != row.array || x.Items[0].Display != row.shows {
			t.Errorf("%v%v: %+v", row.q.Func, row.q.Args, x)
		}
	}
	many := read(t, s, focas.ParamInfo2Request(1, 0, 1<<30, 0), focas.ParseNumberInfos2)
	if len(many.Items) == 0 || len(many.Append(nil)) > s.Version().MaxBody() {
		t.Errorf("%d numbers in %d bytes", len(many.Items), len(many.Append(nil)))
	}
}

// A range leaves out what does not fit the axis; a number alone is refused for the same reason.
func TestRangesOfNumbers(t *testing.T) {
	s, _ := newSim(t, Options{Manual: true})
	for _, row := range []struct {
		name     string
		from, to int32
		axis     int16
		want     []int32
	}{
		{"without axis", 6700, 6715, focas.NoAxis, []int32{6700, 6710, 6711, 6712, 6713}},
		{"axis parameters of axis 2", 1239, 1321, 2, []int32{1240, 1241, 1320, 1321}},
		{"every axis takes both", 1320, 1410, focas.EveryAxis, []int32{1320, 1321, 1401, 1410}},
		{"axis 1 leaves the others out", 1401, 1422, 1, []int32{1420}},
	} {
		var got []int32
		for _, r := range records(t, s, focas.ParamRequest(focas.Series30i, 1, row.from, row.to, row.axis), focas.MaxSlots) {
			got = append(got, r.Number)
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
	}
	var got []int32
	for _, r := range records(t, s, focas.SettingRequest(focas.Series30i, 1, 0, 9999, 0), focas.MaxSlots) {
		got = append(got, r.Number)
	}
	if diff := cmp.Diff([]int32{0, 20, 100}, got); diff != "" {
		t.Errorf("settings: %s", diff)
	}
}

// The timers of parameters and those of cnc_rdtimer are the same ones.
func TestTimersCount(t *testing.T) {
	s, _ := newSim(t, Options{Manual: true})
	timer := func(which int32) time.Duration {
		return read(t, s, focas.TimerRequest(1, which), func(b []byte) (focas.Timer, error) { return focas.ParseTimer(b, focas.TimerBigEndian) }).Duration()
	}
	param := func(no int32) time.Duration {
		return time.Duration(records(t, s, focas.ParamRequest(focas.Series30i, 1, no, no, 0), focas.MaxSlots)[0].Slots[0].Mantissa)
	}
	power, operating, cut := timer(focas.TimerPowerOn), timer(focas.TimerOperating), timer(focas.TimerCutting)
	runProgram(t, s, "O5000\nG91 G1 X-100. F6000\nG4 X4.\nM0\n")
	s.Advance(time.Minute)
	for _, row := range []struct {
		name  string
		which int32
		since time.Duration
		low   time.Duration
		high  time.Duration
	}{
		{"power on", focas.TimerPowerOn, power, time.Minute, time.Minute},
		{"operating", focas.TimerOperating, operating, 5 * time.Second, 6 * time.Second},
		{"cutting", focas.TimerCutting, cut, time.Second, 1500 * time.Millisecond},
		{"cycle", focas.TimerCycle, 0, 5 * time.Second, 6 * time.Second},
		{"free", focas.TimerFree, 0, 0, 0},
	} {
		if d := timer(row.which) - row.since; d < row.low || d > row.high {
			t.Errorf("%s: counted %v, want %v to %v", row.name, d, row.low, row.high)
		}
	}
	for name, pair := range map[string][2]time.Duration{
		"power on":  {param(6750) * time.Minute, timer(focas.TimerPowerOn).Truncate(time.Minute)},
		"operating": {param(6752)*time.Minute + param(6751)*time.Millisecond, timer(focas.TimerOperating)},
		"cutting":   {param(6754)*time.Minute + param(6753)*time.Millisecond, timer(focas.TimerCutting)},
		"cycle":     {param(6758)*time.Minute + param(6757)*time.Millisecond, timer(focas.TimerCycle)},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: parameters say %v, the timer %v", name, pair[0], pair[1])
		}
	}
	for which := range int32(5) {
		want := 2*time.Minute + 3*time.Second
		if r := ask(s, focas.WriteTimerRequest(1, which, focas.NewTimer(want))); r.Code != 0 {
			t.Fatalf("write timer %d: %v", which, r.Code)
		}
		if got := timer(which); got != want {
			t.Errorf("timer %d is %v after %v was written", which, got, want)
		}
	}
}

// Diagnosis numbers are the machine's state.
func TestDiagnosisIsLive(t *testing.T) {
	s := cutting(t, "30i")
	s.Advance(10 * tick)
	p := s.m.paths[0]
	diag := func(no int32, axis int16) int32 {
		return records(t, s, focas.DiagRequest(focas.Series30i, 1, no, no, axis), focas.MaxSlots)[0].Slots[0].Mantissa
	}
	if got := diag(0, focas.NoAxis); got != 2 {
		t.Errorf("waits for %#x while moving, want bit 1", got)
	}
	if got, want := diag(301, 1), microns(p.pos[0]); got != want {
		t.Errorf("position %d, want %d", got, want)
	}
	// 1500 mm/min is 25 mm/s; with a gain of 30 the axis lags 0.833 mm.
	if got := diag(300, 1); got > -820 || got < -846 {
		t.Errorf("servo error %d, want about -833", got)
	}
	for _, no := range []int32{308, 309} {
		if got := diag(no, 3); got < 20 || got > 60 {
			t.Errorf("temperature %d is %d", no, got)
		}
	}
	if a, b := diag(410, focas.NoAxis), diag(411, focas.NoAxis); a != b || a <= 0 || a > 100 {
		t.Errorf("spindle load %d and %d", a, b)
	}
	if got := diag(403, focas.NoAxis); got < 24 || got > 40 {
		t.Errorf("spindle motor has %d degrees", got)
	}
	dwell, _ := newSim(t, Options{Manual: true})
	runProgram(t, dwell, "O5000\nG4 X9.\nM0\n")
	dwell.Advance(time.Second)
	if got := records(t, dwell, focas.DiagRequest(focas.Series30i, 1, 0, 0, 0), focas.MaxSlots)[0].Slots[0].Mantissa; got != 4 {
		t.Errorf("waits for %#x while dwelling, want bit 2", got)
	}
}

// Parameters of the second path's axes are the second path's.
func TestParametersByPath(t *testing.T) {
	s, _ := newSim(t, Options{Profile: "31i", Manual: true})
	names := func(path uint16) (text string) {
		r := records(t, s, focas.ParamRequest(focas.Series30i, path, 1020, 1020, focas.EveryAxis), focas.MaxSlots)[0]
		for _, v := range r.Slots {
			if v.Mantissa != 0 {
				text += string(v.Mantissa)
			}
		}
		return text
	}
	if a, b := names(1), names(2); a != "XZ" || b != "XYZC" {
		t.Errorf("axes %q and %q", a, b)
	}
	rec, err := focas.ParamRecord(focas.Series30i, 0, 1221, 4, focas.ParamReal, focas.Decimal(90, 0))
	if err != nil {
		t.Fatal(err)
	}
	if r := ask(s, focas.WriteParamRequest(1, rec)); r.Code != focas.EWAttrib {
		t.Errorf("axis 4 of the path with two: %v", r.Code)
	}
	if r := ask(s, focas.WriteParamRequest(2, rec)); r.Code != 0 {
		t.Fatal(r.Code)
	}
	if s.m.paths[1].work[1][3] != 90 || s.m.paths[0].work[1] != (vector{-180, -420}) {
		t.Errorf("G54 is %v and %v", s.m.paths[0].work[1], s.m.paths[1].work[1])
	}
}

// Written through one function, read through another: offsets and counters are one memory.
func TestOneMemory(t *testing.T) {
	s, _ := newSim(t, Options{Manual: true})
	macro := func(n int32) float64 {
		return read(t, s, focas.MacroRequest(1, n, n), focas.ParseValues).Items[0].Float()
	}
	for k := range int32(7) {
		if r := ask(s, focas.WriteWorkOffsetRequest(1, k, 2, 1000*(k+1))); r.Code != 0 {
			t.Fatal(r.Code)
		}
		if got := macro(5202 + 20*k); got != float64(k+1) {
			t.Errorf("#%d is %v after work offset %d was written", 5202+20*k, got, k)
		}
		if r := ask(s, focas.WriteMacroRequest(focas.Series30i, 1, 5203+20*k, []focas.Value{focas.Decimal(-k, 1)})); r.Code != 0 {
			t.Fatal(r.Code)
		}
		if v := read(t, s, focas.WorkOffsetRequest(1, k, k, 3), focas.ParseValues).Items[0]; v != focas.Decimal(-100*k, 3) {
			t.Errorf("work offset %d of Z is %v", k, v)
		}
		rec := records(t, s, focas.ParamRequest(focas.Series30i, 1, 1220+k, 1220+k, focas.EveryAxis), focas.MaxSlots)[0]
		if rec.Slots[1] != focas.Decimal(1000*(k+1), 3) || rec.Slots[2] != focas.Decimal(-100*k, 3) {
			t.Errorf("parameter %d is %v", 1220+k, rec.Slots[:3])
		}
		all := read(t, s, focas.WorkOffsetRequest(1, k, k, focas.AllAxes), focas.ParseValues).Items
		if len(all) != s.prof.pad || all[1] != rec.Slots[1] {
			t.Errorf("work offset %d of all axes: %v", k, all[:3])
		}
	}
	for n, no := range map[int32]int32{3901: 6711, 3902: 6713} {
		if r := ask(s, focas.WriteMacroRequest(focas.Series30i, 1, n, []focas.Value{focas.Decimal(77, 0)})); r.Code != 0 || s.m.params.value(no) != 77 {
			t.Errorf("parameter %d is %d after #%d, %v", no, s.m.params.value(no), n, r.Code)
		}
	}
}

// Variables that stand for offsets and counters take no more than those do.
func TestSystemVariablesHaveLimits(t *testing.T) {
	s, _ := newSim(t, Options{Manual: true})
	for _, row := range []struct {
		n    int32
		v    focas.Value
		code focas.Code
	}{
		{5221, focas.Decimal(maxOffset, 3), 0}, {5221, focas.Decimal(-maxOffset, 3), 0},
		{5221, focas.Decimal(maxOffset+1, 3), focas.EWData}, {5221, focas.Decimal(-maxOffset-1, 3), focas.EWData},
		{5221, focas.Value{Mantissa: 1, Base: 10, Exponent: -32768}, focas.EWData},
		{3901, focas.Decimal(999999999, 0), 0}, {3901, focas.Decimal(1000000000, 0), focas.EWData},
		{3902, focas.Value{Mantissa: 1, Base: 10, Exponent: -400}, focas.EWData},
	} {
		before := snapshot(s)
		r := ask(s, focas.WriteMacroRequest(focas.Series30i, 1, row.n, []focas.Value{row.v}))
		if r.Code != row.code {
			t.Errorf("#%d = %v: %v, want %v", row.n, row.v, r.Code, row.code)
		}
		if row.code != 0 && snapshot(s) != before {
			t.Errorf("#%d = %v is refused and changes the control", row.n, row.v)
		}
	}
}
