package focassim

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// Each event does one thing, and its opposite takes it back.
func TestEvents(t *testing.T) {
	servo := Alarm{Type: AlarmSV, Number: 401, Axis: 1, Text: "V-READY OFF"}
	note := Message{Type: 4, Number: 3006, Text: "TAKE THE PART OUT"}
	for _, row := range []struct {
		name    string
		on, off Event
		get     func(m *machine) any
		is, was any
	}{
		{"alarm", Event{Kind: RaiseAlarm, Alarm: servo}, Event{Kind: ClearAlarms}, func(m *machine) any { return len(m.alarms) }, 1, 0},
		{"message", Event{Kind: ShowMessage, Message: note}, Event{Kind: HideMessage, Message: note}, func(m *machine) any { return len(m.messages) }, 1, 0},
		{"feed hold", Event{Kind: FeedHoldOn}, Event{Kind: FeedHoldOff}, func(m *machine) any { return m.pmc.feedHold() }, true, false},
		{"feed override", Event{Kind: FeedOverride, Value: 70}, Event{Kind: FeedOverride, Value: 100}, func(m *machine) any { return m.pmc.feedPercent(0) }, 70, 100},
		{"rapid override", Event{Kind: RapidOverride, Value: 25}, Event{Kind: RapidOverride, Value: 100}, func(m *machine) any { return m.pmc.rapidPercent(0) }, 25, 100},
		{"spindle override", Event{Kind: SpeedOverride, Value: 120}, Event{Kind: SpeedOverride, Value: 100}, func(m *machine) any { return m.pmc.spindlePercent(0) }, 120, 100},
		{"mode", Event{Kind: SetMode, Value: int(ModeJog)}, Event{Kind: SetMode, Value: int(ModeMemory)}, func(m *machine) any { return m.mode }, ModeJog, ModeMemory},
		{"emergency", Event{Kind: EmergencyOn}, Event{Kind: EmergencyOff}, func(m *machine) any { return m.emergency() }, true, false},
		{"program", Event{Kind: SelectProgram, Program: "O8000"}, Event{Kind: SelectProgram, Program: "O1000"}, func(m *machine) any { return m.paths[0].main.name }, "O8000", "O1000"},
		{"start", Event{Kind: PressStart}, Event{Kind: PressReset}, func(m *machine) any { return m.paths[0].run }, runStart, runReset},
		{"nothing known", Event{Kind: 99}, Event{Kind: 0}, func(m *machine) any { return len(m.alarms) }, 0, 0},
	} {
		s, _ := newSim(t, Options{Manual: true})
		if got := row.get(s.m); got != row.was {
			t.Errorf("%s: begins as %v, want %v", row.name, got, row.was)
		}
		s.Do(row.on)
		if got := row.get(s.m); got != row.is {
			t.Errorf("%s: %v, want %v", row.name, got, row.is)
		}
		s.Do(row.off)
		if got := row.get(s.m); got != row.was {
			t.Errorf("%s: ends as %v, want %v", row.name, got, row.was)
		}
	}
}

// Start does nothing while something forbids it.
func TestWhatForbidsTheStart(t *testing.T) {
	for name, e := range map[string]Event{
		"emergency": {Kind: EmergencyOn}, "alarm": {Kind: RaiseAlarm, Alarm: Alarm{Type: AlarmPS, Number: 10}},
		"feed hold": {Kind: FeedHoldOn}, "mode": {Kind: SetMode, Value: int(ModeHandle)},
	} {
		s, _ := newSim(t, Options{Manual: true})
		s.Do(e)
		s.Do(Event{Kind: PressStart})
		s.Advance(5 * time.Second)
		if p := s.m.paths[0]; p.run == runStart || p.blocks != 0 {
			t.Errorf("%s: run %d after %d blocks", name, p.run, p.blocks)
		}
	}
}

// What takes the operator away from automatic operation, and what brings him back after his pause.
func TestOperatorStartsAgain(t *testing.T) {
	for _, row := range []struct {
		name    string
		on, off Event
		stopped int16
	}{
		{"feed hold", Event{Kind: FeedHoldOn}, Event{Kind: FeedHoldOff}, runHold},
		{"mode", Event{Kind: SetMode, Value: int(ModeMDI)}, Event{Kind: SetMode, Value: int(ModeMemory)}, runStop},
		{"alarm", Event{Kind: RaiseAlarm, Alarm: Alarm{Type: AlarmEX, Number: 1005}}, Event{Kind: ClearAlarms}, runStop},
		{"emergency", Event{Kind: EmergencyOn}, Event{Kind: EmergencyOff}, runReset},
	} {
		s, _ := newSim(t, Options{})
		p := s.m.paths[0]
		s.Advance(20 * time.Second)
		s.Do(row.on)
		s.Advance(10 * time.Second)
		if p.run != row.stopped || p.speed != 0 {
			t.Errorf("%s: run %d at %v mm/s", row.name, p.run, p.speed)
		}
		s.Do(row.off)
		started := time.Duration(0)
		for started < 10*time.Second && p.run != runStart {
			s.Advance(tick)
			started += tick
		}
		if started > restartPause*time.Second+tick {
			t.Errorf("%s: the operator took %v", row.name, started)
		}
	}
}

// A scenario happens at its times, once or in every period, however often someone looks.
func TestScenarioTimes(t *testing.T) {
	sc := Scenario{Events: []Event{
		{At: time.Second, Kind: FeedOverride, Value: 10}, {At: 2 * time.Second, Kind: FeedOverride, Value: 20},
		{At: 2 * time.Second, Kind: SpeedOverride, Value: 60}, {At: 3 * time.Second, Kind: FeedOverride, Value: 30}}}
	again := sc
	again.Period = 4 * time.Second
	for _, row := range []struct {
		name string
		sc   Scenario
		want string // feed override in every half second
	}{
		{"once", sc, "100 10 10 20 20 30 30 30 30 30 30 30 30"},
		{"again", again, "100 10 10 20 20 30 30 30 30 10 10 20 20"},
	} {
		s, _ := newSim(t, Options{Manual: true, Scenario: row.sc})
		var got []string
		for range 13 {
			s.Advance(500 * time.Millisecond)
			got = append(got, fmt.Sprint(s.m.pmc.feedPercent(0)))
		}
		if text := strings.Join(got, " "); text != row.want {
			t.Errorf("%s: %s, want %s", row.name, text, row.want)
		}
	}
	s, _ := newSim(t, Options{Manual: true})
	s.Advance(7 * time.Second)
	s.Run(sc) // begins now
	s.Advance(1500 * time.Millisecond)
	if got := s.m.pmc.feedPercent(0); got != 10 {
		t.Errorf("1.5 s after Run: %d %%", got)
	}
	s.Run(Scenario{})
	s.Advance(5 * time.Second)
	if got := s.m.pmc.feedPercent(0); got != 10 {
		t.Errorf("a scenario that was replaced goes on: %d %%", got)
	}
}

// Named scenarios have their events in order and within their period, and leave nothing behind.
func TestNamedScenarios(t *testing.T) {
	for _, name := range Scenarios() {
		sc, err := ScenarioOf(strings.ToUpper(name))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.IsSortedFunc(sc.Events, func(a, b Event) int { return int(a.At - b.At) }) {
			t.Errorf("%s: events are not in order", name)
		}
		for _, e := range sc.Events {
			if e.At < 0 || e.At >= sc.Period {
				t.Errorf("%s: event at %v of %v", name, e.At, sc.Period)
			}
		}
		s, _ := newSim(t, Options{Scenario: sc})
		for range 40 {
			s.Advance(max(sc.Period/20, 20*time.Second))
		}
		if len(s.m.messages) > 1 || len(s.m.alarms) > 2 || s.m.params.value(6711) == 137 && name != "trouble" {
			t.Errorf("%s: after two rounds %v, %v, %d parts", name, s.m.alarms, s.m.messages, s.m.params.value(6711))
		}
	}
	if _, err := ScenarioOf("war"); err == nil || !strings.Contains(err.Error(), "quiet, shift, trouble") {
		t.Errorf("an unknown one: %v", err)
	}
	if _, err := New(Options{Profile: "21i"}); err == nil || !strings.Contains(err.Error(), "30i, 16i, 0i-d, 0i-f, 31i") {
		t.Errorf("an unknown profile: %v", err)
	}
}

func TestAlarmList(t *testing.T) {
	s, _ := newSim(t, Options{Manual: true})
	list := func(typ, most int32, size int) (out []string) {
		l := read(t, s, focas.AlarmsRequest(1, typ, most, size), func(b []byte) (focas.Alarms, error) { return focas.ParseAlarms(b, size) })
		for _, a := range l.Items {
			out = append(out, fmt.Sprintf("%d/%d/%d %s", a.Type, a.Number, a.Axis, a.Text()))
		}
		return out
	}
	raise := func(a Alarm) { s.Do(Event{Kind: RaiseAlarm, Alarm: a}) }
	long := strings.Repeat("LONG ", 20)
	raise(Alarm{Type: AlarmSV, Number: 401, Axis: 1, Text: "V-READY OFF"})
	raise(Alarm{Type: AlarmSV, Number: 401, Axis: 1, Text: "V-READY OFF"}) // is on already
	raise(Alarm{Type: AlarmSV, Number: 401, Axis: 2, Text: "V-READY OFF"})
	raise(Alarm{Type: AlarmSP, Number: 9001, Text: long})
	for _, row := range []struct {
		name string
		typ  int32
		most int32
		size int
		want []string
	}{
		{"all", focas.AllAlarms, 10, 32, []string{"6/401/1 V-READY OFF", "6/401/2 V-READY OFF", "9/9001/0 " + long[:32]}},
		{"two", focas.AllAlarms, 2, 32, []string{"6/401/1 V-READY OFF", "6/401/2 V-READY OFF"}},
		{"none", focas.AllAlarms, 0, 32, nil},
		{"spindle alarms", int32(AlarmSP), 10, 64, []string{"9/9001/0 " + strings.TrimRight(long[:64], " ")}},
		{"overheat alarms", int32(AlarmOH), 10, 64, nil},
	} {
		if diff := cmp.Diff(row.want, list(row.typ, row.most, row.size)); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
	}
	if bits := read(t, s, focas.AlarmBitsRequest(1), focas.ParseAlarmBits); bits.Bits != 1<<6|1<<9 {
		t.Errorf("bits %#x", bits.Bits)
	}
	if r := ask(s, focas.ClearAlarmRequest(1, 401)); r.Code != 0 || len(s.m.alarms) != 1 {
		t.Errorf("after 401 was cleared: %v, %v", r.Code, s.m.alarms)
	}
	if r := ask(s, focas.ClearAlarmRequest(1, 4711)); r.Code != 0 || len(s.m.alarms) != 1 {
		t.Errorf("after one that is not on was cleared: %v, %v", r.Code, s.m.alarms)
	}
	if r := ask(s, focas.ClearAlarmRequest(1, 0)); r.Code != 0 || len(s.m.alarms) != 0 {
		t.Errorf("after all were cleared: %v, %v", r.Code, s.m.alarms)
	}
	for i := range int32(maxHistory + 10) {
		raise(Alarm{Type: AlarmEX, Number: 1000 + i})
	}
	if h := s.m.history; len(h) != maxHistory || h[len(h)-1].Number != 1000+maxHistory+9 {
		t.Errorf("%d alarms are remembered, the last is %+v", len(h), h[len(h)-1])
	}
}

func TestMessageList(t *testing.T) {
	s, _ := newSim(t, Options{Manual: true})
	list := func(q focas.Request) (out []string) {
		for _, m := range read(t, s, q, focas.ParseOpMessages).Items {
			out = append(out, fmt.Sprintf("%d/%d %s", m.Type, m.Number, m.Text()))
		}
		return out
	}
	show := func(typ int16, number int32, text string) {
		s.Do(Event{Kind: ShowMessage, Message: Message{Type: typ, Number: number, Text: text}})
	}
	if got := list(focas.OpMessages3Request(1, -1, 4)); len(got) != 1 || got[0] != "-1/-1 " {
		t.Errorf("no message is %q", got)
	}
	show(0, 2001, "FIRST")
	show(0, 2002, "SECOND")
	show(4, 3006, "FROM A MACRO")
	show(0, 2001, "FIRST AGAIN")
	for _, row := range []struct {
		name string
		q    focas.Request
		want []string
	}{
		{"all", focas.OpMessages3Request(1, -1, 9), []string{"0/2002 SECOND", "4/3006 FROM A MACRO", "0/2001 FIRST AGAIN"}},
		{"two", focas.OpMessages3Request(1, -1, 2), []string{"0/2002 SECOND", "4/3006 FROM A MACRO"}},
		{"of a type", focas.OpMessages3Request(1, 4, 9), []string{"4/3006 FROM A MACRO"}},
		{"of a type without any", focas.OpMessages3Request(1, 3, 9), []string{"3/-1 "}},
		{"in the old way, one", focas.OpMessageRequest(1, 0), []string{"0/2002 SECOND"}},
	} {
		if diff := cmp.Diff(row.want, list(row.q)); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
	}
}

// The signals of the PMC mean what FANUC's connection manuals say.
func TestSignals(t *testing.T) {
	s, _ := newSim(t, Options{Manual: true})
	f := func(at, bit int) bool { return s.m.pmc.bit('F', at, bit) }
	for _, row := range []struct {
		name    string
		do      func()
		at, bit int
		want    bool
	}{
		{"servos ready", func() {}, 0, 6, true},
		{"no operation", func() {}, 0, 7, false},
		{"control ready", func() {}, 1, 7, true},
		{"memory mode", func() {}, 3, 5, true},
		{"not in edit", func() {}, 3, 6, false},
		{"X at its reference point", func() {}, 94, 0, true},
		{"edit", func() { s.Do(Event{Kind: SetMode, Value: int(ModeEdit)}) }, 3, 6, true},
		{"no longer memory", func() {}, 3, 5, false},
		{"handle", func() { s.Do(Event{Kind: SetMode, Value: int(ModeHandle)}) }, 3, 1, true},
		{"jog", func() { s.Do(Event{Kind: SetMode, Value: int(ModeJog)}) }, 3, 2, true},
		{"MDI", func() { s.Do(Event{Kind: SetMode, Value: int(ModeMDI)}) }, 3, 3, true},
		{"alarm", func() { s.Do(Event{Kind: RaiseAlarm, Alarm: Alarm{Type: AlarmOT, Number: 500}}) }, 1, 0, true},
		{"no alarm", func() { s.Do(Event{Kind: ClearAlarms}) }, 1, 0, false},
		{"emergency", func() { s.Do(Event{Kind: EmergencyOn}) }, 0, 6, false},
		{"emergency over", func() { s.Do(Event{Kind: EmergencyOff}) }, 0, 6, true},
		{"cycle", func() {
			s.Do(Event{Kind: SetMode, Value: int(ModeMemory)})
			runProgram(t, s, "O5000\nS1200 T3 M8\nG53 G1 X-100. F3000\nM0\n")
			s.Advance(tick)
		}, 0, 5, true},
		{"operation", func() {}, 0, 7, true},
		{"strobe of S", func() {}, 7, 0, true},
		{"cutting", func() { s.Advance(time.Second) }, 2, 6, true},
		{"X is away from its reference point", func() {}, 94, 0, false},
		{"strobe over", func() {}, 7, 0, false},
		{"feed hold lamp", func() { s.Do(Event{Kind: FeedHoldOn}); s.Advance(time.Second) }, 0, 4, true},
		{"no cutting", func() {}, 2, 6, false},
		{"no cycle", func() {}, 0, 5, false},
		{"operation goes on", func() {}, 0, 7, true},
	} {
		row.do()
		if got := f(row.at, row.bit); got != row.want {
			t.Errorf("%s: F%d.%d is %v", row.name, row.at, row.bit, got)
		}
	}
	long := func(at int32) int32 {
		b := read(t, s, focas.PMCRequest(1, focas.PMCRange{Area: 1, Type: focas.PMCLong, First: at, Last: at + 3}), func(b []byte) ([]byte, error) { return b, nil })
		f, _ := focas.PMCLong.Float(b)
		return int32(f)
	}
	if m, sp, tool := long(10), long(22), long(26); m != 8 || sp != 1200 || tool != 3 {
		t.Errorf("M%d S%d T%d in F10, F22 and F26", m, sp, tool)
	}
}

// A program that writes the signals of G commands the machine, as a ladder does.
func TestMachineObeysG(t *testing.T) {
	s, _ := newSim(t, Options{Profile: "31i", Manual: true})
	set := func(at int32, v byte) {
		t.Helper()
		if r := ask(s, focas.WritePMCRequest(1, focas.PMCRange{Area: 0, First: at, Last: at}, []byte{v})); r.Code != 0 {
			t.Fatal(r.Code)
		}
	}
	set(12, ^byte(40))
	set(1012, ^byte(150))
	set(14, 2)
	set(1030, 70)
	for path, want := range map[uint16]focas.OpSignal{
		1: {Mode: 1, FeedOverride: 4, RapidOverride: 1, SpindleOverride: 10},
		2: {Mode: 1, FeedOverride: 15, RapidOverride: 3, SpindleOverride: 7},
	} {
		if diff := cmp.Diff(want, read(t, s, cncPath(focas.OpSignalRequest(path, -1), path), focas.ParseOpSignal)); diff != "" {
			t.Errorf("path %d: %s", path, diff)
		}
	}
	set(8, 0) // *ESP and *SP are 0: stopped
	sig := read(t, s, focas.OpSignalRequest(1, -1), focas.ParseOpSignal)
	st := read(t, s, focas.StatusRequest(2), focas.ParseStatus)
	if sig.FeedHold != 1 || st.Emergency != 1 {
		t.Errorf("feed hold %d, emergency %d", sig.FeedHold, st.Emergency)
	}
	s.Protect(true)
	if sig := read(t, s, focas.OpSignalRequest(1, -1), focas.ParseOpSignal); sig.MemoryProtect != 1 {
		t.Error("the protection key is not seen")
	}
}

func cncPath(q focas.Request, path uint16) focas.Request {
	q.Path = path
	return q
}

// After power-on the memory is there, and what the motion was is not.
func TestPowerCycle(t *testing.T) {
	s, _ := newSim(t, Options{Profile: "31i", Manual: true})
	s.CycleStart()
	s.Advance(20 * time.Second)
	s.Do(Event{Kind: ShowMessage, Message: Message{Number: 1, Text: "X"}})
	s.Do(Event{Kind: RaiseAlarm, Alarm: Alarm{Type: AlarmSV, Number: 401}})
	for _, n := range []int32{100, 199, 500} {
		if r := ask(s, focas.WriteMacroRequest(focas.Series30i, 1, n, []focas.Value{focas.Decimal(5, 0)})); r.Code != 0 {
			t.Fatal(r.Code)
		}
	}
	at := s.m.paths[0].pos
	s.PowerCycle()
	s.Advance(tick)
	for i, p := range s.m.paths {
		if p.speed != 0 || p.run != runReset || p.mod.code(gMotion) != 0 || p.mod.feed != 0 || p.index != 0 {
			t.Errorf("path %d: %v, modal %+v", i+1, p, p.mod)
		}
	}
	if s.m.paths[0].mod.code(gPlane) != 180 || s.m.paths[1].mod.code(gPlane) != 170 {
		t.Error("a lathe begins in G18, a mill in G17")
	}
	if len(s.m.alarms)+len(s.m.messages) != 0 || s.m.spindles[0].rpm != 0 || s.m.paths[0].pos != at {
		t.Errorf("%v %v %v, X moved from %v to %v", s.m.alarms, s.m.messages, s.m.spindles[0].rpm, at, s.m.paths[0].pos)
	}
	for n, want := range map[int32]bool{100: true, 199: true, 500: false} {
		if v := read(t, s, focas.MacroRequest(1, n, n), focas.ParseValues).Items[0]; v.IsVacant() != want {
			t.Errorf("#%d is %v after power-on", n, v)
		}
	}
}
