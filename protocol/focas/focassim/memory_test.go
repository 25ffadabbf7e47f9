package focassim

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

func TestMacrosAgree(t *testing.T) {
	for _, profile := range []string{"30i", "16i"} {
		t.Run(profile, func(t *testing.T) {
			_, _, c := start(t, Options{Profile: profile, Manual: true})
			p, ctx := c.Path(1), t.Context()
			for _, v := range []focas.Value{focas.Decimal(1234, 3), focas.Decimal(-5, 0), focas.Decimal(0, 0), focas.Vacant(c.Dialect())} {
				if err := p.WriteMacro(ctx, 110, v); err != nil {
					t.Fatal(err)
				}
				got, err := p.Macro(ctx, 110)
				if err != nil || got.IsVacant() != v.IsVacant() || abs(got.Float()-v.Float()) > 1e-8 {
					t.Errorf("wrote %v, read %v, %v", v, got, err)
				}
			}
			if err := p.WriteMacros(ctx, 500, focas.Decimal(1, 0), focas.Decimal(25, 1), focas.Vacant(c.Dialect())); err != nil {
				t.Fatal(err)
			}
			got, err := p.Macros(ctx, 500, 502)
			if err != nil || len(got) != 3 || got[1].Float() != 2.5 || !got[2].IsVacant() {
				t.Errorf("%v, %v", got, err)
			}
			_, err = p.Macro(ctx, 1695)
			wantCode(t, "a variable that does not exist", err, focas.EWNumber)
			wantCode(t, "writing one", p.WriteMacro(ctx, 1695, focas.Decimal(1, 0)), focas.EWNumber)
			wantCode(t, "writing a position", p.WriteMacro(ctx, 5021, focas.Decimal(1, 0)), focas.EWProt)
			if err := p.WritePMacro(ctx, 10007, focas.Decimal(42, 0)); err != nil {
				t.Fatal(err)
			}
			if v, err := p.PMacro(ctx, 10007); err != nil || v.Float() != 42 {
				t.Errorf("P-code variable %v, %v", v, err)
			}
			if err := p.WriteMacro(ctx, 3901, focas.Decimal(12, 0)); err != nil {
				t.Fatal(err)
			}
			if r, err := p.Param(ctx, 6711, 0); err != nil || r.Slots[0].Mantissa != 12 {
				t.Errorf("parameter 6711 is %v after writing #3901, %v", r.Slots[0], err)
			}
		})
	}
}

func abs(f float64) float64 { return max(f, -f) }

func TestMacroDoublesAndNames(t *testing.T) {
	_, _, c := start(t, Options{Manual: true})
	p, ctx := c.Path(1), t.Context()
	if err := p.WriteMacroDoubles(ctx, 500, 1.5, -2.25); err != nil {
		t.Fatal(err)
	}
	got, err := p.MacroDoubles(ctx, 500, 2)
	if diff := cmp.Diff([]float64{1.5, -2.25}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	named, err := p.NamedMacros(ctx, 500, 2)
	if err != nil || len(named) != 2 || named[0].Name.String() != "PART_COUNT" || float64(named[1].Value) != -2.25 {
		t.Errorf("%v, %v", named, err)
	}
}

func TestParametersAgree(t *testing.T) {
	for _, profile := range []string{"30i", "16i", "0i-d"} {
		t.Run(profile, func(t *testing.T) {
			s, _, c := start(t, Options{Profile: profile, Manual: true})
			p, ctx := c.Path(1), t.Context()
			write := func(no int32, axis int16, v ...focas.Value) {
				t.Helper()
				if err := p.WriteParam(ctx, no, axis, v...); err != nil {
					t.Errorf("write %d: %v", no, err)
				}
			}
			read := func(no int32, axis int16) []focas.Value {
				t.Helper()
				r, err := p.Param(ctx, no, axis)
				if err != nil {
					t.Errorf("read %d: %v", no, err)
				}
				return r.Values()
			}
			write(6711, 0, focas.Decimal(4712, 0))
			if v := read(6711, 0); v[0].Mantissa != 4712 {
				t.Errorf("6711 is %v", v[0])
			}
			write(20, 0, focas.Decimal(-7, 0))
			if v := read(20, 0); v[0].Mantissa != -7 {
				t.Errorf("20 is %v", v[0])
			}
			dec := int16(3)
			if profile == "16i" {
				dec = 0
			}
			write(1241, 2, focas.Decimal(-15501, dec))
			write(1240, focas.EveryAxis, focas.Decimal(1, dec), focas.Decimal(2, dec), focas.Decimal(3, dec))
			if v := read(1241, 2); v[0].Mantissa != -15501 || v[0].Exponent != dec {
				t.Errorf("1241 of axis 2 is %+v", v[0])
			}
			if v := read(1240, focas.EveryAxis); v[2].Mantissa != 3 {
				t.Errorf("1240 is %v", v)
			}
			write(1221, 1, focas.Decimal(-300500, dec))
			if v, err := p.WorkOffset(ctx, 1, 1); err != nil || v.Float() != -300.5 {
				t.Errorf("G54 of X is %v after writing parameter 1221, %v", v, err)
			}
			_, err := p.Param(ctx, 4, 0)
			wantCode(t, "no such parameter", err, focas.EWNumber)
			_, err = p.Param(ctx, 1241, 9)
			wantCode(t, "no such axis", err, focas.EWAttrib)
			_, err = p.Param(ctx, 6711, 1)
			wantCode(t, "axis of a number that has none", err, focas.EWAttrib)
			s.Protect(true)
			wantCode(t, "protected", p.WriteParam(ctx, 6711, 0, focas.Decimal(1, 0)), focas.EWProt)
			r, err := p.ParamNumbers(ctx)
			if err != nil || r.Max < 9968 {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
}

func TestWrongWritesAreRefused(t *testing.T) {
	_, _, c := start(t, Options{Manual: true})
	rec, err := focas.ParamRecord(c.Dialect(), 0, 6711, 0, focas.ParamTwoWord, focas.Decimal(5, 0))
	if err != nil {
		t.Fatal(err)
	}
	typed := rec
	typed.Type = uint16(focas.ParamWord)
	short := focas.WriteParamRequest(1, rec)
	short.Data = short.Data[:40]
	huge := rec
	huge.Number, huge.Type = 20, uint16(focas.ParamWord)
	huge.Slots[0] = focas.RawValue(70000)
	for _, tt := range []struct {
		name string
		q    focas.Request
		code focas.Code
	}{
		{"wrong type", focas.WriteParamRequest(1, typed), focas.EWAttrib},
		{"wrong length", short, focas.EWLength},
		{"value out of range", focas.WriteParamRequest(1, huge), focas.EWData},
		{"no such path", focas.StatusRequest(2), focas.EWPath},
		{"unknown function", focas.Request{Class: focas.ClassCNC, Path: 1, Func: 0x7777}, focas.EWFunc},
		{"unknown class", focas.Request{Class: 9, Path: 1, Func: focas.FuncStatInfo}, focas.EWFunc},
		{"classic function", focas.Request{Class: focas.ClassCNC, Path: 1, Func: focas.FuncReadParamClassic, Args: [4]int32{20, 20}}, focas.EWFunc},
		{"range the wrong way round", focas.MacroRequest(1, 200, 100), focas.EWNumber},
		{"range that overflows", focas.MacroRequest(1, -2147483648, 2147483647), focas.EWLength},
		{"huge range", focas.MacroRequest(1, 100, 900), focas.EWLength},
		{"no such axis", focas.AxisRequest(1, focas.AxisMachine, 4), focas.EWAttrib},
		{"no such kind", focas.AxisRequest(1, 5, 1), focas.EWNumber},
		{"PMC address", focas.PMCRequest(1, focas.PMCRange{Area: 9, First: 20000, Last: 20003}), focas.EWNumber},
		{"PMC area", focas.PMCRequest(1, focas.PMCRange{Area: 99, First: 0, Last: 0}), focas.EWAttrib},
		{"half a word", focas.PMCRequest(1, focas.PMCRange{Area: 9, Type: focas.PMCWord, First: 0, Last: 2}), focas.EWLength},
		{"PMC unit", focas.PMCRequest(2, focas.PMCRange{Area: 9, First: 0, Last: 0}), focas.EWFunc},
		{"F is the control's", focas.WritePMCRequest(1, focas.PMCRange{Area: 1, First: 0, Last: 0}, []byte{1}), focas.EWProt},
		{"too little PMC data", focas.WritePMCRequest(1, focas.PMCRange{Area: 9, First: 0, Last: 3}, []byte{1}), focas.EWLength},
		{"tool offset", focas.ToolOffsetRequest(1, 401, 0), focas.EWNumber},
		{"kind of tool offset", focas.ToolOffsetRequest(1, 1, 7), focas.EWAttrib},
		{"work offset", focas.WorkOffsetRequest(1, 7, 7, 1), focas.EWNumber},
		{"tool group", focas.ToolGroupRequest(1, 9, 9), focas.EWNumber},
		{"timer", focas.TimerRequest(1, 5), focas.EWNumber},
		{"delete outside EDIT", focas.DeleteRequest(1, 8000), focas.EWMode},
		{"delete of what is not there", focas.DeleteRequest(1, 4711), focas.EWData},
		{"make a folder", focas.AddFileRequest(1, "//CNC_MEM/USER/NEW/"), focas.EWNoOpt},
		{"no such folder", focas.DirCountRequest(1, "//CNC_MEM/NOWHERE/"), focas.EWData},
	} {
		replies, err := c.Exchange(t.Context(), []focas.Request{tt.q})
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if replies[0].Code != tt.code || len(replies[0].Payload) != 0 {
			t.Errorf("%s: code %v with %d bytes, want %v", tt.name, replies[0].Code, len(replies[0].Payload), tt.code)
		}
	}
}

func TestOffsetsAgree(t *testing.T) {
	_, _, c := start(t, Options{Manual: true})
	p, ctx := c.Path(1), t.Context()
	for kind := range int32(toolKinds) {
		if err := p.WriteToolOffsets(ctx, 3, kind, 100+kind, 200+kind); err != nil {
			t.Fatal(err)
		}
	}
	for kind := range int32(toolKinds) {
		v, err := p.ToolOffset(ctx, 4, kind)
		if err != nil || v.Mantissa != 200+kind {
			t.Errorf("kind %d is %v, %v", kind, v, err)
		}
	}
	before, err := p.Absolute(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.WriteWorkOffset(ctx, 1, 1, -500000); err != nil {
		t.Fatal(err)
	}
	after, err := p.Absolute(ctx)
	if err != nil || abs(after[0].Float()-before[0].Float()-100) > 1e-9 {
		t.Errorf("absolute X went from %v to %v when G54 moved by -100, %v", before[0], after[0], err)
	}
}

func TestPMCAgreesWithTheMachine(t *testing.T) {
	s, clock, c := start(t, Options{})
	pmc, ctx := c.PMC(1), t.Context()
	if err := pmc.Write(ctx, focas.PMCRange{Area: 9, Type: focas.PMCWord, First: 100, Last: 103}, []byte{1, 2, 3, 4}); err != nil {
		t.Fatal(err)
	}
	b, err := pmc.Read(ctx, focas.PMCRange{Area: 9, Type: focas.PMCWord, First: 100, Last: 103})
	if diff := cmp.Diff([]byte{1, 2, 3, 4}, b); diff != "" || err != nil {
		t.Error(diff, err)
	}
	b, err = pmc.Read(ctx, focas.PMCRange{Area: 9, First: 100, Last: 103})
	if diff := cmp.Diff([]byte{2, 1, 4, 3}, b); diff != "" || err != nil {
		t.Error("the low byte of a word is at the lower address:", diff, err)
	}
	// Feed override 60 % by G12, whose bits are inverted.
	if err := pmc.Write(ctx, focas.PMCRange{Area: 0, First: 12, Last: 12}, []byte{^byte(60)}); err != nil {
		t.Fatal(err)
	}
	sig, err := c.Path(1).OpSignals(ctx, -1)
	if err != nil || sig.FeedOverride != 6 || sig.SpindleOverride != 10 {
		t.Errorf("%+v, %v", sig, err)
	}
	// Feed hold by G8.5.
	if err := pmc.Write(ctx, focas.PMCRange{Area: 0, First: 8, Last: 8}, []byte{1 << 4}); err != nil {
		t.Fatal(err)
	}
	clock.add(5 * time.Second)
	st, err := c.Path(1).StatInfo(ctx)
	if err != nil || st.Run == 3 {
		t.Errorf("%+v, %v in feed hold", st, err)
	}
	s.Do(Event{Kind: FeedHoldOff})
	info, err := pmc.Info(ctx, 9)
	if err != nil || len(info.Items) != 1 || info.Items[0].Letter != 'D' || info.Items[0].Last != 9999 {
		t.Errorf("%+v, %v", info, err)
	}
	if info, err = pmc.Info(ctx, -1); err != nil || len(info.Items) != 14 {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestClockAndTimersCanBeSet(t *testing.T) {
	_, clock, c := start(t, Options{Manual: true})
	p, ctx := c.Path(1), t.Context()
	if err := p.SetClock(ctx, focas.ClockDate, focas.Clock{Year: 2030, Month: 1, Day: 31}); err != nil {
		t.Fatal(err)
	}
	if err := p.SetClock(ctx, focas.ClockTime, focas.Clock{Hour: 23, Minute: 59, Second: 58}); err != nil {
		t.Fatal(err)
	}
	clock.add(3 * time.Second)
	got, err := p.DateTime(ctx, time.UTC)
	if want := time.Date(2030, 2, 1, 0, 0, 1, 0, time.UTC); err != nil || !got.Equal(want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	wantCode(t, "30 February", p.SetClock(ctx, focas.ClockDate, focas.Clock{Year: 2030, Month: 2, Day: 30}), focas.EWData)
	if err := p.WriteTimer(ctx, focas.TimerFree, focas.Timer{Minute: 7, MSec: 8000}); err != nil {
		t.Fatal(err)
	}
	if tm, err := p.Timer(ctx, focas.TimerFree); err != nil || tm.Minute != 7 || tm.MSec != 8000 {
		t.Errorf("%+v, %v", tm, err)
	}
}

func TestAlarmsAndMessagesOnTheWire(t *testing.T) {
	s, _, c := start(t, Options{Manual: true})
	p, ctx := c.Path(1), t.Context()
	if l, err := p.Alarms2(ctx, focas.AllAlarms, 10); err != nil || len(l) != 0 {
		t.Errorf("%v, %v without an alarm", l, err)
	}
	s.Do(Event{Kind: RaiseAlarm, Alarm: Alarm{Type: AlarmSV, Number: 401, Axis: 1, Text: "V-READY OFF"}})
	s.Do(Event{Kind: RaiseAlarm, Alarm: Alarm{Type: AlarmEX, Number: 1005, Text: "COOLANT LEVEL LOW"}})
	s.Do(Event{Kind: ShowMessage, Message: Message{Number: 2001, Text: "TOOL CHANGE!"}})
	l, err := p.Alarms2(ctx, focas.AllAlarms, 10)
	if err != nil || len(l) != 2 || l[0].Number != 401 || l[0].Axis != 1 || l[1].Text() != "COOLANT LEVEL LOW" {
		t.Errorf("%+v, %v", l, err)
	}
	if l, err = p.Alarms(ctx, int32(AlarmEX), 10); err != nil || len(l) != 1 {
		t.Errorf("%+v, %v of one type", l, err)
	}
	msgs, err := p.OpMessages3(ctx, 0, 4)
	if err != nil || len(msgs) != 1 || msgs[0].Number != 2001 {
		t.Errorf("%+v, %v", msgs, err)
	}
	if err := p.ClearAlarm(ctx, 0); err != nil {
		t.Fatal(err)
	}
	if bits, err := p.AlarmBits(ctx); err != nil || bits != 0 {
		t.Errorf("%x, %v", bits, err)
	}
}

func TestProgramsAndModes(t *testing.T) {
	s, clock, c := start(t, Options{Manual: true})
	p, ctx := c.Path(1), t.Context()
	list, err := p.Programs(ctx, "")
	if err != nil || len(list) != 4 {
		t.Fatalf("%+v, %v", list, err)
	}
	if err := p.Search(ctx, 8000); err != nil {
		t.Fatal(err)
	}
	clock.add(time.Second)
	if main, err := p.MainProgram(ctx); err != nil || main != "//CNC_MEM/USER/PATH1/O8000" {
		t.Errorf("%q, %v", main, err)
	}
	s.Do(Event{Kind: SetMode, Value: int(ModeEdit)})
	wantCode(t, "deleting the main program", p.DeleteProgram(ctx, 8000), focas.EWReject)
	if err := p.DeleteFile(ctx, "//CNC_MEM/USER/PATH1/O9001"); err != nil {
		t.Fatal(err)
	}
	if err := p.AddFile(ctx, "//CNC_MEM/USER/PATH1/O7777"); err != nil {
		t.Fatal(err)
	}
	if list, err = p.Programs(ctx, ""); err != nil || len(list) != 4 {
		t.Errorf("%+v, %v", list, err)
	}
	s.Protect(true)
	wantCode(t, "deleting under protection", p.DeleteProgram(ctx, 1001), focas.EWProt)
	s.Do(Event{Kind: SetMode, Value: int(ModeMemory)})
	s.CycleStart()
	clock.add(5 * time.Second)
	wantCode(t, "search while running", p.Search(ctx, 1000), focas.EWReject)
	dirs, err := p.SubDirs(ctx, "//CNC_MEM/", 0, 10)
	if err != nil || len(dirs) != 3 {
		t.Errorf("%+v, %v", dirs, err)
	}
	if err := p.SetCurrentDir(ctx, focas.Foreground, "//CNC_MEM/USER/LIBRARY/"); err != nil {
		t.Fatal(err)
	}
	if dir, err := p.CurrentDir(ctx, focas.Foreground); err != nil || dir != "//CNC_MEM/USER/LIBRARY/" {
		t.Errorf("%q, %v", dir, err)
	}
}
