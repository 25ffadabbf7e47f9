package focassim

import (
	"math"
	"testing"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// refusal is a question that the control answers with a code and nothing else.
type refusal struct {
	name string
	q    focas.Request
	code focas.Code
}

func checkRefusals(t *testing.T, s *Sim, rows []refusal) {
	t.Helper()
	for _, row := range rows {
		if r := ask(s, row.q); r.Code != row.code || len(r.Payload) != 0 {
			t.Errorf("%s: %v with %d bytes, want %v", row.name, r.Code, len(r.Payload), row.code)
		}
	}
}

func eights(n int) []byte { return make([]byte, 8*n) }

func TestRefusedReads(t *testing.T) {
	s, _ := newSim(t, Options{Manual: true})
	checkRefusals(t, s, []refusal{
		{"kind of a spindle reading", focas.SpindleRequest(1, 6, 1), focas.EWNumber},
		{"second spindle of a path with one", focas.SpindleRequest(1, focas.SpindleLoad, 2), focas.EWAttrib},
		{"spindle 0", focas.SpindleRequest(1, focas.SpindleLoad, 0), focas.EWAttrib},
		{"kind of a servo reading", focas.ServoRequest(1, 2), focas.EWNumber},
		{"axis 0", focas.AxisRequest(1, focas.AxisAbsolute, 0), focas.EWAttrib},
		{"axis -2", focas.AxisRequest(1, focas.AxisAbsolute, -2), focas.EWAttrib},
		{"axis kind 11", focas.AxisRequest(1, 11, 1), focas.EWNumber},
		{"names of axes of kind 1", cnc(focas.FuncReadAxisName, 1), focas.EWNumber},
		{"names of spindles of kind 2", focas.SpindleNamesRequest(1, 2), focas.EWNumber},
		{"names of spindles of kind -2", focas.SpindleNamesRequest(1, -2), focas.EWNumber},
		{"units of speeds in the classic way", focas.UnitsRequest(1, focas.UnitsClassicSpeed), focas.EWNumber},
		{"units of kind 5", focas.UnitsRequest(1, 5), focas.EWNumber},
		{"count of kind 4", focas.CountRequest(1, 4), focas.EWNumber},
		{"figure of kind 5", focas.FigureRequest(1, 5), focas.EWNumber},
		{"figure of kind -1", focas.FigureRequest(1, -1), focas.EWNumber},
		{"modal group 21", focas.ModalGRequest(1, 21, 0), focas.EWNumber},
		{"modal one-shot 104", focas.ModalGRequest(1, 104, 0), focas.EWNumber},
		{"modal block 3", focas.ModalGRequest(1, focas.ModalAll, 3), focas.EWData},
		{"modal block -1", focas.ModalGRequest(1, focas.ModalAll, -1), focas.EWData},
		{"address 29", focas.ModalAuxRequest(1, 29, 0), focas.EWNumber},
		{"address of the fourth axis of three", focas.ModalAuxRequest(1, 103, 0), focas.EWNumber},
		{"address in block 3", focas.ModalAuxRequest(1, 0, 3), focas.EWData},
		{"G codes of group 21", focas.GCodesRequest(1, 21, 0), focas.EWNumber},
		{"G codes of block 3", focas.GCodesRequest(1, focas.ModalAll, 3), focas.EWData},
		{"commands of block 3", focas.CommandsRequest(1, focas.ModalAll, 3), focas.EWData},
		{"alarms with texts of 33 bytes", focas.AlarmsRequest(1, focas.AllAlarms, 1, 33), focas.EWLength},
		{"messages of type 5", focas.OpMessageRequest(1, 5), focas.EWAttrib},
		{"messages of type -2", focas.OpMessages3Request(1, -2, 1), focas.EWAttrib},
		{"timer -1", focas.TimerRequest(1, -1), focas.EWNumber},
		{"clock 2", focas.ClockRequest(1, 2), focas.EWNumber},
		{"parameters the wrong way round", focas.ParamRequest(focas.Series30i, 1, 20, 0, 0), focas.EWAttrib},
		{"parameters of axis -2", focas.ParamRequest(focas.Series30i, 1, 1241, 1241, -2), focas.EWAttrib},
		{"parameters of axis 33", focas.ParamRequest(focas.Series30i, 1, 1241, 1241, 33), focas.EWAttrib},
		{"more parameters than a frame holds", focas.ParamRequest(focas.Series30i, 1, 0, math.MaxInt32, focas.EveryAxis), focas.EWLength},
		{"a setting that is a parameter only", focas.SettingRequest(focas.Series30i, 1, 6711, 6711, 0), focas.EWNumber},
		{"information about no parameter", focas.ParamInfoRequest(1, 0, 0), focas.EWNumber},
		{"information below 0", focas.ParamInfoRequest(1, -1, 1), focas.EWNumber},
		{"information behind the last", focas.ParamInfo2Request(1, 30000, 1, 0), focas.EWNumber},
		{"diagnosis behind the last", focas.DiagInfoRequest(1, 30000, 1), focas.EWNumber},
		{"diagnosis of no number", focas.DiagInfo2Request(1, 0, -1), focas.EWNumber},
		{"doubles of none", focas.MacroDoubleRequest(1, 100, 0), focas.EWLength},
		{"doubles of too many", focas.MacroDoubleRequest(1, 100, 400), focas.EWLength},
		{"doubles behind the local ones", focas.MacroDoubleRequest(1, 33, 2), focas.EWNumber},
		{"names of no variable", focas.MacroNamedRequest(1, 500, 0), focas.EWLength},
		{"names of too many", focas.MacroNamedRequest(1, 500, 300), focas.EWLength},
		{"names behind the common ones", focas.MacroNamedRequest(1, 999, 2), focas.EWNumber},
		{"P-code variable 9999", focas.PMacroRequest(1, 9999, 9999), focas.EWNumber},
		{"P-code variables behind the last", focas.PMacroRequest(1, 19999, 20000), focas.EWNumber},
		{"P-code variables the wrong way round", focas.PMacroRequest(1, 10001, 10000), focas.EWNumber},
		{"tool offsets behind the last", focas.ToolOffsetsRequest(1, 400, 401, 0), focas.EWNumber},
		{"tool offset 0", focas.ToolOffsetRequest(1, 0, 0), focas.EWNumber},
		{"tool offsets the wrong way round", focas.ToolOffsetsRequest(1, 2, 1, 0), focas.EWNumber},
		{"tool offsets of kind 4", focas.ToolOffsetsRequest(1, 1, 2, 4), focas.EWAttrib},
		{"tool offsets of kind -2", focas.ToolOffsetsRequest(1, 1, 2, -2), focas.EWAttrib},
		{"work offsets of axis 4", focas.WorkOffsetRequest(1, 1, 1, 4), focas.EWAttrib},
		{"work offsets of axis 0", focas.WorkOffsetRequest(1, 1, 1, 0), focas.EWAttrib},
		{"work offset -1", focas.WorkOffsetRequest(1, -1, 0, 1), focas.EWNumber},
		{"several work offsets of all axes", focas.WorkOffsetRequest(1, 1, 2, focas.AllAxes), focas.EWAttrib},
		{"work offsets the wrong way round", focas.WorkOffsetRequest(1, 2, 1, 1), focas.EWNumber},
		{"tool group 0", focas.ToolGroupRequest(1, 0, 0), focas.EWNumber},
		{"tool groups behind the last", focas.ToolGroupRequest(1, 3, 4), focas.EWNumber},
		{"tool groups the wrong way round", focas.ToolGroupRequest(1, 2, 1), focas.EWNumber},
		{"tool 4 of a group of three", focas.ToolNumRequest(1, 1, 4), focas.EWNumber},
		{"tool 0 of a group", focas.ToolNumRequest(1, 1, 0), focas.EWNumber},
		{"tool of no group", focas.ToolNumRequest(1, 9, 1), focas.EWNumber},
		{"life of tool 3 of a group of two", focas.ToolLifeRequest(1, 2, 3), focas.EWNumber},
		{"life of a tool of no group", focas.ToolLifeRequest(1, 0, 1), focas.EWNumber},
		{"no tool groups", focas.ToolGroups30iRequest(1, 1, 0), focas.EWLength},
		{"too many tool groups", focas.ToolGroups30iRequest(1, 1, 999), focas.EWLength},
		{"tool groups behind the last one", focas.ToolGroups30iRequest(1, 4, 1), focas.EWNumber},
		{"program text of no length", focas.ExecTextRequest(1, 0), focas.EWLength},
		{"program directory of numbers", focas.ProgramDirRequest(1, 1, 10, focas.DirNumbers), focas.EWAttrib},
		{"program directory of comments", focas.ProgramDirRequest(1, 1, 10, focas.DirComments), focas.EWAttrib},
		{"program directory of none", focas.ProgramDirRequest(1, 1, 0, focas.DirSizes), focas.EWLength},
		{"current folder of 3", focas.CurrentDirRequest(1, 3), focas.EWNumber},
		{"folders of a folder that is not there", focas.SubDirsRequest(1, "//CNC_MEM/NO/", 0, 1), focas.EWData},
		{"folders from -1", focas.SubDirsRequest(1, "//CNC_MEM/", -1, 1), focas.EWNumber},
		{"no folders", focas.SubDirsRequest(1, "//CNC_MEM/", 0, 0), focas.EWNumber},
		{"directory of a folder that is not there", focas.AllDirRequest(1, "//CNC_MEM/NO/", 0, 1, 1, 1), focas.EWData},
		{"directory from -1", focas.AllDirRequest(1, "//CNC_MEM/", -1, 1, 1, 1), focas.EWNumber},
		{"directory of none", focas.AllDirRequest(1, "//CNC_MEM/", 0, 0, 1, 1), focas.EWNumber},
		{"PMC bytes behind the area", focas.PMCRequest(1, focas.PMCRange{Area: 7, First: 99, Last: 100}), focas.EWNumber},
		{"PMC bytes the wrong way round", focas.PMCRequest(1, focas.PMCRange{Area: 9, First: 2, Last: 1}), focas.EWNumber},
		{"PMC bytes below 0", focas.PMCRequest(1, focas.PMCRange{Area: 9, First: -1, Last: 0}), focas.EWNumber},
		{"PMC data of type 3", focas.PMCRequest(1, focas.PMCRange{Area: 9, Type: 3, First: 0, Last: 3}), focas.EWAttrib},
		{"PMC type above 16 bits", focas.Request{Class: focas.ClassPMC, Path: 1, Func: focas.FuncReadPMC, Args: [4]int32{0, 0, 9, 1 << 16}}, focas.EWAttrib},
		{"more PMC bytes than a frame holds", focas.PMCRequest(1, focas.PMCRange{Area: 9, First: 0, Last: 9999}), focas.EWLength},
		{"PMC area that is not there", focas.PMCInfoRequest(1, 14), focas.EWAttrib},
		{"PMC areas of unit 2", focas.PMCInfoRequest(2, -1), focas.EWFunc},
		{"PMC unit 2", focas.SelectPMCUnitRequest(2), focas.EWNumber},
		{"title of the ladder", focas.PMCTitleRequest(1), focas.EWFunc},
		{"PMC alarms", focas.PMCAlarmRequest(1, 0, 1), focas.EWFunc},
		{"path 0", focas.StatusRequest(0), focas.EWPath},
		{"path 65535", focas.StatusRequest(65535), focas.EWPath},
	})
}

// Every function that writes checks sizes before it touches anything.
func TestRefusedWrites(t *testing.T) {
	s, _ := newSim(t, Options{Manual: true})
	writeParam := func(no int32, axis int16, typ focas.ParamType, v focas.Value) focas.Request {
		r := focas.Record{Dialect: focas.Series30i, Number: no, Axis: axis, Type: uint16(typ), Count: focas.MaxSlots}
		r.Slots[0] = v
		return focas.WriteParamRequest(1, r)
	}
	five := focas.Decimal(5, 0)
	rows := []refusal{
		{"macros with a value too few", with(cnc(focas.FuncWriteMacro, 100, 101), eights(1)), focas.EWLength},
		{"macros with a value too many", with(cnc(focas.FuncWriteMacro, 100, 101), eights(3)), focas.EWLength},
		{"macros with half a value", with(cnc(focas.FuncWriteMacro, 100, 100), make([]byte, 12)), focas.EWLength},
		{"macros without data", cnc(focas.FuncWriteMacro, 100, 100), focas.EWLength},
		{"macros the wrong way round", with(cnc(focas.FuncWriteMacro, 101, 100), eights(1)), focas.EWNumber},
		{"macros with a range of 2^32", with(cnc(focas.FuncWriteMacro, math.MinInt32, math.MaxInt32), eights(1)), focas.EWLength},
		{"macros over the end of the local ones", focas.WriteMacroRequest(focas.Series30i, 1, 33, []focas.Value{five, five}), focas.EWNumber},
		{"the millisecond clock", focas.WriteMacroRequest(focas.Series30i, 1, 3001, []focas.Value{five}), focas.EWProt},
		{"the modal G code", focas.WriteMacroRequest(focas.Series30i, 1, 4001, []focas.Value{five}), focas.EWProt},
		{"the program number", focas.WriteMacroRequest(focas.Series30i, 1, 4115, []focas.Value{five}), focas.EWProt},
		{"the offset of an axis that is not there", focas.WriteMacroRequest(focas.Series30i, 1, 5224, []focas.Value{five}), focas.EWNumber},
		{"P-code variables with too little", with(cnc(focas.FuncWritePMacro, 10000, 10001), eights(1)), focas.EWLength},
		{"P-code variables behind the last", focas.WritePMacroRequest(focas.Series30i, 1, 19999, []focas.Value{five, five}), focas.EWNumber},
		{"P-code variables the wrong way round", with(cnc(focas.FuncWritePMacro, 10001, 10000), eights(1)), focas.EWNumber},
		{"doubles of none", focas.WriteMacroDoubleRequest(1, 500, nil), focas.EWLength},
		{"half a double", with(cnc(focas.FuncWriteMacroDouble, 500), make([]byte, 12)), focas.EWLength},
		{"a double that is no number", focas.WriteMacroDoubleRequest(1, 500, []float64{math.NaN()}), focas.EWData},
		{"a double of ten digits", focas.WriteMacroDoubleRequest(1, 500, []float64{1e10}), focas.EWData},
		{"a double behind the last", focas.WriteMacroDoubleRequest(1, 999, []float64{1, 2}), focas.EWNumber},
		{"parameter that is not there", writeParam(4, 0, focas.ParamBit, five), focas.EWNumber},
		{"axis parameter without axis", writeParam(1241, 0, focas.ParamReal, five), focas.EWAttrib},
		{"axis parameter of axis 4", writeParam(1241, 4, focas.ParamReal, five), focas.EWAttrib},
		{"parameter without axes of all axes", writeParam(6711, -1, focas.ParamTwoWord, five), focas.EWAttrib},
		{"bits as byte", writeParam(0, 0, focas.ParamByte, five), focas.EWAttrib},
		{"bits above 255", writeParam(0, 0, focas.ParamBit, focas.RawValue(256)), focas.EWData},
		{"bits below 0", writeParam(0, 0, focas.ParamBit, focas.RawValue(-1)), focas.EWData},
		{"byte of 128", writeParam(6710, 0, focas.ParamByte, focas.RawValue(128)), focas.EWData},
		{"word of -32769", writeParam(20, 0, focas.ParamWord, focas.RawValue(-32769)), focas.EWData},
		{"2-word of ten digits", writeParam(6711, 0, focas.ParamTwoWord, focas.RawValue(1000000000)), focas.EWData},
		{"real of ten digits", writeParam(1241, 1, focas.ParamReal, focas.Decimal(1000000, 0)), focas.EWData},
		{"tool offset too large", focas.WriteToolOffsetRequest(1, 1, 0, maxOffset+1), focas.EWData},
		{"tool offset too small", focas.WriteToolOffsetRequest(1, 1, 0, -maxOffset-1), focas.EWData},
		{"tool offsets behind the last", focas.WriteToolOffsetsRequest(1, 400, 0, 1, 2), focas.EWNumber},
		{"tool offset 0", focas.WriteToolOffsetRequest(1, 0, 0, 1), focas.EWNumber},
		{"tool offset of kind 4", focas.WriteToolOffsetRequest(1, 1, 4, 1), focas.EWAttrib},
		{"every kind of a tool offset", focas.WriteToolOffsetsRequest(1, 1, focas.OffsetKindAll, 1), focas.EWAttrib},
		{"tool offsets without data", cnc(focas.FuncWriteToolOffset, 1, 1, 0), focas.EWLength},
		{"tool offsets the wrong way round", cnc(focas.FuncWriteToolOffset, 2, 1, 0), focas.EWNumber},
		{"work offset too large", focas.WriteWorkOffsetRequest(1, 1, 1, maxOffset+1), focas.EWData},
		{"work offset 7", focas.WriteWorkOffsetRequest(1, 7, 1, 1), focas.EWNumber},
		{"work offset of axis 4", focas.WriteWorkOffsetRequest(1, 1, 4, 1), focas.EWAttrib},
		{"work offset of all axes", focas.WriteWorkOffsetRequest(1, 1, focas.AllAxes, 1), focas.EWAttrib},
		{"work offset without data", cnc(focas.FuncWriteWorkOffset, 1, 1, 1), focas.EWLength},
		{"timer that is not there", focas.WriteTimerRequest(1, 5, focas.Timer{}), focas.EWNumber},
		{"timer of 7 bytes", with(cnc(focas.FuncWriteTimer, focas.TimerFree), make([]byte, 7)), focas.EWLength},
		{"timer of 9 bytes", with(cnc(focas.FuncWriteTimer, focas.TimerFree), make([]byte, 9)), focas.EWLength},
		{"timer of 60 seconds", focas.WriteTimerRequest(1, focas.TimerFree, focas.Timer{MSec: 60000}), focas.EWData},
		{"timer of negative milliseconds", focas.WriteTimerRequest(1, focas.TimerFree, focas.Timer{MSec: -1}), focas.EWData},
		{"timer of negative minutes", focas.WriteTimerRequest(1, focas.TimerFree, focas.Timer{Minute: -1}), focas.EWData},
		{"clock of 11 bytes", with(cnc(focas.FuncSetTimer, focas.ClockDate), make([]byte, 11)), focas.EWLength},
		{"clock of 13 bytes", with(cnc(focas.FuncSetTimer, focas.ClockDate), make([]byte, 13)), focas.EWLength},
		{"clock 2", with(cnc(focas.FuncSetTimer, 2), make([]byte, 12)), focas.EWNumber},
		{"month 13", focas.SetClockRequest(1, focas.ClockDate, focas.Clock{Year: 2026, Month: 13, Day: 1}), focas.EWData},
		{"day 0", focas.SetClockRequest(1, focas.ClockDate, focas.Clock{Year: 2026, Month: 5}), focas.EWData},
		{"29 February of a common year", focas.SetClockRequest(1, focas.ClockDate, focas.Clock{Year: 2027, Month: 2, Day: 29}), focas.EWData},
		{"year 1969", focas.SetClockRequest(1, focas.ClockDate, focas.Clock{Year: 1969, Month: 5, Day: 14}), focas.EWData},
		{"year 2100", focas.SetClockRequest(1, focas.ClockDate, focas.Clock{Year: 2100, Month: 5, Day: 14}), focas.EWData},
		{"24 o'clock", focas.SetClockRequest(1, focas.ClockTime, focas.Clock{Hour: 24}), focas.EWData},
		{"minute 60", focas.SetClockRequest(1, focas.ClockTime, focas.Clock{Minute: 60}), focas.EWData},
		{"second 60", focas.SetClockRequest(1, focas.ClockTime, focas.Clock{Second: 60}), focas.EWData},
		{"X is the machine's", focas.WritePMCRequest(1, focas.PMCRange{Area: 3, First: 0, Last: 0}, []byte{1}), focas.EWProt},
		{"too much PMC data", focas.WritePMCRequest(1, focas.PMCRange{Area: 9, First: 0, Last: 0}, []byte{1, 2}), focas.EWLength},
		{"PMC data of unit 3", focas.WritePMCRequest(3, focas.PMCRange{Area: 9, First: 0, Last: 0}, []byte{1}), focas.EWFunc},
		{"search of what is not there", focas.SearchRequest(1, 4711), focas.EWData},
		{"main program of another path's folder", focas.SelectMainRequest(1, "//CNC_MEM/USER/PATH2/O1000"), focas.EWData},
		{"main program that is not there", focas.SelectMainRequest(1, "//CNC_MEM/USER/PATH1/O4711"), focas.EWData},
		{"current folder that is not there", focas.SetCurrentDirRequest(1, focas.Foreground, "//CNC_MEM/NO/"), focas.EWData},
		{"current folder of 0", focas.SetCurrentDirRequest(1, 0, "//CNC_MEM/"), focas.EWNumber},
		{"file that exists", focas.AddFileRequest(1, "//CNC_MEM/USER/PATH1/O1000"), focas.EWData},
		{"file outside the paths", focas.AddFileRequest(1, "//CNC_MEM/SYSTEM/O1"), focas.EWData},
		{"delete outside the paths", focas.DeleteFileRequest(1, "//CNC_MEM/SYSTEM/O1"), focas.EWData},
		{"pointer of execution", focas.WriteActPointRequest(1, 1000, 2), focas.EWFunc},
		{"text of the MDI program", focas.MDITextRequest(1), focas.EWFunc},
	}
	before := snapshot(s)
	checkRefusals(t, s, rows)
	if after := snapshot(s); before != after {
		t.Errorf("refused writes changed the control:\n%s\n%s", before, after)
	}
}

// What a mode, the protection key or a running program forbids.
func TestWritesThatTheStateForbids(t *testing.T) {
	const file = "//CNC_MEM/USER/PATH1/O8000"
	writeParam := func() focas.Request {
		r, _ := focas.ParamRecord(focas.Series30i, 0, 6711, 0, focas.ParamTwoWord, focas.Decimal(1, 0))
		return focas.WriteParamRequest(1, r)
	}()
	timer := focas.WriteTimerRequest(1, focas.TimerFree, focas.Timer{Minute: 1})
	for _, row := range []struct {
		name string
		to   func(*Sim)
		rows []refusal
	}{
		{"memory mode", func(*Sim) {}, []refusal{
			{"delete a program", focas.DeleteRequest(1, 8000), focas.EWMode},
			{"delete a file", focas.DeleteFileRequest(1, file), focas.EWMode},
			{"add a file", focas.AddFileRequest(1, "//CNC_MEM/USER/PATH1/O1"), focas.EWMode}}},
		{"protection", func(s *Sim) { s.Protect(true); s.Do(Event{Kind: SetMode, Value: int(ModeEdit)}) }, []refusal{
			{"delete a program", focas.DeleteRequest(1, 8000), focas.EWProt},
			{"delete a file", focas.DeleteFileRequest(1, file), focas.EWProt},
			{"add a file", focas.AddFileRequest(1, "//CNC_MEM/USER/PATH1/O1"), focas.EWProt},
			{"a parameter", writeParam, focas.EWProt},
			{"a timer", timer, focas.EWProt}}},
		{"a running program", func(s *Sim) { s.CycleStart() }, []refusal{
			{"search", focas.SearchRequest(1, 8000), focas.EWReject},
			{"select", focas.SelectMainRequest(1, file), focas.EWReject},
			{"rewind", focas.RewindRequest(1), focas.EWReject}}},
		{"feed hold", func(s *Sim) { s.CycleStart(); s.Do(Event{Kind: FeedHoldOn}); s.m.advanceTo(s.m.elapsed() + tick) }, []refusal{
			{"search", focas.SearchRequest(1, 8000), focas.EWReject},
			{"rewind", focas.RewindRequest(1), focas.EWReject}}},
		{"emergency stop", func(s *Sim) { s.Do(Event{Kind: EmergencyOn}) }, []refusal{
			{"start", cnc(focas.FuncStart), focas.EWStop}}},
		{"an alarm", func(s *Sim) { s.Do(Event{Kind: RaiseAlarm, Alarm: Alarm{Type: AlarmOH, Number: 700}}) }, []refusal{
			{"start", cnc(focas.FuncStart), focas.EWAlarm}}},
		{"MDI mode", func(s *Sim) { s.Do(Event{Kind: SetMode, Value: int(ModeMDI)}) }, []refusal{
			{"start", cnc(focas.FuncStart), focas.EWMode}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, _ := newSim(t, Options{Manual: true})
			row.to(s)
			checkRefusals(t, s, row.rows)
		})
	}
}

// A classic control has other functions than a 30i, and neither has the other's.
func TestFunctionsOfTheOtherDialect(t *testing.T) {
	for f, e := range cncFuncs {
		for _, name := range []string{"16i", "30i"} {
			s, _ := newSim(t, Options{Profile: name, Manual: true})
			missing := e.in == only30i && name == "16i" || e.in == onlyClassic && name == "30i"
			if got := ask(s, cnc(f, 1, 1)).Code == focas.EWFunc; got != missing {
				t.Errorf("%v on a %s: refused as unknown %v", f, name, got)
			}
		}
		if f.Info().Name == "" {
			t.Errorf("%v is not in the table of functions", f)
		}
	}
}
