package focas

import (
	"errors"
	"testing"
)

// ok answers a request with what payload says.
func ok(q Request, payload appender) Reply {
	return Reply{Class: q.Class, Path: q.Path, Func: q.Func, Payload: payload.Append(nil)}
}

func refuse(p Reply, c Code) Reply {
	p.Code, p.Payload = c, nil
	return p
}

func values(n, pad int, at func(i int) Value) Values {
	var v Values
	for i := range pad {
		if i < n {
			v.Items = append(v.Items, at(i))
		} else {
			v.Items = append(v.Items, Decimal(0, 3))
		}
	}
	return v
}

// positions30i is what a 30i with two axes answers, the positions padded to 32.
func positions30i(kinds ...AxisKind) []Reply {
	var out []Reply
	for _, q := range PositionRequests(Series30i, 1, kinds...) {
		switch q.Func {
		case FuncReadCount:
			out = append(out, ok(q, Word{Value: 2}))
		case FuncReadAxisName:
			out = append(out, ok(q, NameSets{Items: []NameSet{{NewName("X"), NewName("X"), NewName("X1"), NewName("U")}, {NewName("B"), NewName("B"), NewName("B1"), NewName("B2")}}}))
		case FuncReadUnits:
			out = append(out, ok(q, UnitPairs{Items: []UnitPair{{UnitMM, UnitInch}, {UnitDegree, UnitDegree}}}))
		case FuncReadDisplayFlags:
			out = append(out, ok(q, Longs{Items: []U32{3, 1 << 2}}))
		case FuncReadAxis:
			out = append(out, ok(q, values(2, 32, func(i int) Value { return Decimal(1000*q.Args[0]+int32(i), 3) })))
		}
	}
	return out
}

func TestPositions30i(t *testing.T) {
	list, err := ParsePositions(Series30i, 0, positions30i())
	if err != nil || len(list) != 2 {
		t.Fatalf("%d axes, %v", len(list), err)
	}
	x, b := list[0], list[1]
	want := AxisPosition{
		Absolute: Reading{Decimal(0, 3), UnitMM, NewName("X"), true},
		Machine:  Reading{Decimal(1000, 3), UnitInch, NewName("X1"), true},
		Relative: Reading{Decimal(2000, 3), UnitMM, NewName("U"), true},
		Distance: Reading{Decimal(3000, 3), UnitMM, NewName("X"), false},
	}
	if x != want {
		t.Errorf("first axis %+v\nwant %+v", x, want)
	}
	if b.Distance != (Reading{Decimal(3001, 3), UnitDegree, NewName("B"), true}) || b.Absolute.Shown || b.Machine.Shown {
		t.Errorf("second axis %+v", b)
	}

	list, err = ParsePositions(Series30i, 0, positions30i(AxisDistance, AxisMachine, AxisDistance), AxisDistance, AxisMachine, AxisDistance)
	if err != nil || len(list) != 2 || list[0].Machine.Value != Decimal(1000, 3) || list[0].Distance.Value != Decimal(3000, 3) || list[0].Absolute != (Reading{}) {
		t.Errorf("two kinds: %+v, %v", list, err)
	}
}

func TestPositionsRefused(t *testing.T) {
	replies := positions30i()
	for _, i := range []int{1, 2, 3, 4} { // names, units, flags: the positions are worth having without
		replies[i] = refuse(replies[i], EWFunc)
	}
	list, err := ParsePositions(Series30i, 0, replies)
	if err != nil || len(list) != 2 || !list[1].Absolute.Shown || list[1].Absolute.Name.String() != "" {
		t.Errorf("without names, units and flags: %+v, %v", list, err)
	}
	for _, i := range []int{0, 5, 8, 9} {
		replies := positions30i()
		replies[i] = refuse(replies[i], EWNoOpt)
		if _, err := ParsePositions(Series30i, 0, replies); !errors.Is(err, &Error{Code: EWNoOpt}) {
			t.Errorf("block %d refused: %v", i+1, err)
		}
	}
	if _, err := ParsePositions(Series30i, 0, positions30i()[1:]); err == nil {
		t.Error("a missing block is accepted")
	}
	if _, err := ParsePositions(Series30i, 0, positions30i(AxisSkip), AxisSkip); err == nil {
		t.Error("skip positions are on no position screen")
	}
	short := positions30i()
	short[0].Payload = []byte{0}
	if _, err := ParsePositions(Series30i, 0, short); err == nil {
		t.Error("a count of one byte is accepted")
	}
}

// A count above what the control then sends costs nothing and gives what is there.
func TestPositionsOversizedCount(t *testing.T) {
	replies := positions30i()
	replies[0].Payload, replies[9].Payload = []byte{0xff, 0xff}, []byte{0xff, 0xff}
	list, err := ParsePositions(Series30i, 0, replies)
	if err != nil || len(list) != 32 {
		t.Errorf("%d axes, %v", len(list), err)
	}
	// The count changed while the control answered: the smaller one is safe.
	replies[9].Payload = []byte{0, 1}
	if list, err := ParsePositions(Series30i, 0, replies); err != nil || len(list) != 1 {
		t.Errorf("%d axes, %v", len(list), err)
	}
}

func classicReplies(aut uint16, hidden byte) []Reply {
	var out []Reply
	for _, q := range PositionRequests(Classic, 1) {
		switch q.Func {
		case FuncStatInfo:
			out = append(out, ok(q, Status{Aut: aut}))
		case FuncReadAxis:
			out = append(out, ok(q, values(2, 8, func(i int) Value { return Decimal(1000*q.Args[0]+int32(i), 3) })))
		case FuncReadAxisName:
			out = append(out, ok(q, NameSets{Items: []NameSet{{NewName("X"), NewName("X"), NewName("X1"), NewName("U")}}}))
		case FuncReadUnits:
			out = append(out, ok(q, UnitPairs{Items: []UnitPair{{UnitMM, UnitInch}, {UnitDegree, UnitDegree}}}))
		case FuncReadParamClassic:
			p := append(appendWords(appendI32(nil, displayParam), 0xffff, 1), 0, 0, 0, 0, 0, 0, 0, hidden)
			out = append(out, Reply{Class: q.Class, Path: q.Path, Func: q.Func, Payload: p})
		}
	}
	return out
}

func TestPositionsClassic(t *testing.T) {
	list, err := ParsePositions(Classic, 2, classicReplies(1, 1))
	if err != nil || len(list) != 2 {
		t.Fatalf("%d axes, %v", len(list), err)
	}
	if want := (Reading{Decimal(1000, 3), UnitInch, NewName("X1"), true}); list[0].Machine != want {
		t.Errorf("machine %+v, want %+v", list[0].Machine, want)
	}
	if want := (Reading{Decimal(3000, 3), UnitMM, NewName("X"), true}); list[0].Distance != want {
		t.Errorf("distance %+v, want %+v", list[0].Distance, want)
	}
	if list[1].Absolute.Shown || list[1].Machine.Unit != UnitDegree {
		t.Errorf("second axis, hidden by the parameter: %+v", list[1])
	}
	for aut, shown := range map[uint16]bool{0: true, 1: true, 10: true, 3: false, 5: false} {
		list, err := ParsePositions(Classic, 2, classicReplies(aut, 0))
		if err != nil || list[0].Distance.Value.IsVacant() == shown {
			t.Errorf("mode %d: distance %+v, %v", aut, list[0].Distance, err)
		}
	}
	bad := classicReplies(1, 0)
	bad[0] = refuse(bad[0], EWReject)
	if _, err := ParsePositions(Classic, 2, bad); !errors.Is(err, &Error{Code: EWReject}) {
		t.Errorf("refused status: %v", err)
	}
	if _, err := ParsePositions(Classic, 2, bad[1:]); err == nil {
		t.Error("a missing block is accepted")
	}
}

// answer gives every request the payload of its function; what is missing is refused.
func answer(qs []Request, payloads map[Func]appender) []Reply {
	var out []Reply
	for _, q := range qs {
		if p := payloads[q.Func]; p != nil {
			out = append(out, ok(q, p))
		} else {
			out = append(out, refuse(Reply{Class: q.Class, Path: q.Path, Func: q.Func}, EWFunc))
		}
	}
	return out
}

func TestMeters(t *testing.T) {
	loads := values(2, 8, func(i int) Value { return Decimal(int32(-3+10*i), 0) })
	payloads := map[Func]appender{FuncReadCount: Word{Value: 2}, FuncReadServo: loads, FuncReadSpindle: loads,
		FuncReadAxisName: Names{Items: []Name{NewName("X"), NewName("Y")}}, FuncReadSpindleName: Names{Items: []Name{NewName("S1"), NewName("S2")}}}
	for _, d := range []Dialect{Classic, Series30i} {
		axes, err := ParseServoMeter(d, 2, answer(ServoMeterRequests(d, 1), payloads))
		if err != nil || len(axes) != 2 || axes[0] != (AxisLoad{NewName("X"), Decimal(-3, 0)}) || axes[1].Name != NewName("Y") {
			t.Errorf("%v servo meter: %+v, %v", d, axes, err)
		}
		spindles, err := ParseSpindleMeter(d, 2, answer(SpindleMeterRequests(d, 1), payloads))
		if err != nil || len(spindles) != 2 || spindles[1] != (SpindleReading{NewName("S2"), Decimal(7, 0), Decimal(7, 0)}) {
			t.Errorf("%v spindle meter: %+v, %v", d, spindles, err)
		}
		all, err := ParseBracketedSpindles(d, AllAxes, 2, answer(BracketedSpindleRequests(d, 1, SpindleSpeed, AllAxes), payloads))
		if err != nil || len(all) != 2 {
			t.Errorf("%v spindle values: %+v, %v", d, all, err)
		}
		one, err := ParseBracketedSpindles(d, 2, 2, answer(BracketedSpindleRequests(d, 1, SpindleSpeed, 2), payloads))
		if err != nil || len(one) != 1 {
			t.Errorf("%v one spindle value: %+v, %v", d, one, err)
		}
		none := map[Func]appender{FuncReadCount: Word{Value: 2}}
		if _, err := ParseServoMeter(d, 2, answer(ServoMeterRequests(d, 1), none)); !errors.Is(err, &Error{Code: EWFunc}) {
			t.Errorf("%v refused servo meter: %v", d, err)
		}
		if _, err := ParseSpindleMeter(d, 2, answer(SpindleMeterRequests(d, 1), none)); !errors.Is(err, &Error{Code: EWFunc}) {
			t.Errorf("%v refused spindle meter: %v", d, err)
		}
		if _, err := ParseServoMeter(d, 2, nil); err == nil {
			t.Errorf("%v servo meter of nothing", d)
		}
		if _, err := ParseSpindleMeter(d, 2, nil); err == nil {
			t.Errorf("%v spindle meter of nothing", d)
		}
		if _, err := ParseBracketedSpindles(d, 1, 2, nil); err == nil {
			t.Errorf("%v spindle values of nothing", d)
		}
	}
}

func TestSpeeds(t *testing.T) {
	payloads := map[Func]appender{FuncReadCount: Word{Value: 1}, FuncActualFeed: Decimal(1500, 0), FuncActualSpindle: Decimal(3200, 0),
		FuncReadSpindleName: Names{Items: []Name{NewName("S1")}}, FuncReadUnits: UnitPairs{Items: []UnitPair{{First: UnitInchPerMinute}}}}
	s, err := ParseSpeeds(Series30i, answer(SpeedRequests(Series30i, 1), payloads))
	if err != nil || s.Feed != (Reading{Decimal(1500, 0), UnitInchPerMinute, NewName("F"), true}) || s.Spindle.Name != NewName("S1") || s.Count != 1 {
		t.Errorf("30i: %+v, %v", s, err)
	}
	payloads[FuncReadUnits] = UnitPairs{Items: []UnitPair{{First: 1}}}
	delete(payloads, FuncActualSpindle) // a 160i refuses it
	s, err = ParseSpeeds(Classic, answer(SpeedRequests(Classic, 1), payloads))
	if err != nil || s.Feed != (Reading{Decimal(1500, 0), UnitInchPerMinute, NewName("F"), true}) || s.Spindle.Shown {
		t.Errorf("classic: %+v, %v", s, err)
	}
	delete(payloads, FuncActualFeed)
	for _, d := range []Dialect{Classic, Series30i} {
		if _, err := ParseSpeeds(d, answer(SpeedRequests(d, 1), payloads)); !errors.Is(err, &Error{Func: FuncActualFeed, Code: EWFunc}) {
			t.Errorf("%v both refused: %v", d, err)
		}
		if _, err := ParseSpeeds(d, nil); err == nil {
			t.Errorf("%v speeds of nothing", d)
		}
	}
}

func TestDynamic(t *testing.T) {
	payloads := map[Func]appender{FuncAlarm: AlarmBits{Bits: 1}, FuncReadProgramNum: ProgramNum{Running: 1234, Main: 1000},
		FuncReadSequenceNum: Counter{N: 20}, FuncActualFeed: Decimal(1500, 0), FuncActualSpindle: Decimal(3200, 0),
		FuncReadAxis: values(1, 1, func(int) Value { return Decimal(7, 3) })}
	d, err := ParseDynamic(answer(DynamicRequests(1, 1), payloads))
	if err != nil || d.Alarm.Bits != 1 || d.Program.Running != 1234 || d.Sequence != 20 || d.Feed != Decimal(1500, 0) || len(d.Distance) != 1 {
		t.Errorf("%+v, %v", d, err)
	}
	delete(payloads, FuncActualSpindle)
	d, err = ParseDynamic(answer(DynamicRequests(1, 1), payloads))
	if !errors.Is(err, &Error{Func: FuncActualSpindle, Code: EWFunc}) || len(d.Absolute) != 1 || d.Absolute[0] != Decimal(7, 3) {
		t.Errorf("a refused part spoils the rest: %+v, %v", d, err)
	}
	if _, err := ParseDynamic(nil); err == nil {
		t.Error("dynamic data of nothing")
	}
}
