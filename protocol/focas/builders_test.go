package focas

import (
	"fmt"
	"testing"
)

// Each argument of a builder has its own place: they are measured with arguments of 1 elsewhere, and cannot be told apart
// there. A request is written here as class/path/function, arguments, flag, and data as hex or its length.
func TestBuildersKeepTheirArgumentsApart(t *testing.T) {
	text := func(q Request) string {
		s := fmt.Sprintf("%d/%d/%04x %d", q.Class, q.Path, uint16(q.Func), q.Args)
		if q.Flag != 0 {
			s += fmt.Sprintf(" flag %d", q.Flag)
		}
		if len(q.Data) > 40 {
			s += fmt.Sprintf(" %d bytes %.12q", len(q.Data), q.Data)
		} else if len(q.Data) > 0 {
			s += fmt.Sprintf(" %x", q.Data)
		}
		return s
	}
	record, err := ParamRecord(Classic, 2, 1241, 2, ParamTwoWord, RawValue(5))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		q    Request
		want string
	}{
		{SysInfoRequest(3), "1/3/0018 [0 0 0 0]"},
		{StatusRequest(3), "1/3/0019 [0 0 0 0]"},
		{Status2Request(3), "1/3/00e2 [0 0 0 0]"},
		{HandleRetraceRequest(3), "1/3/00e1 [0 0 0 0]"},
		{TMModeRequest(3), "1/3/0098 [0 0 0 0]"},
		{AxisRequest(3, AxisServoDelay, 4), "1/3/0026 [9 4 0 0]"},
		{CountRequest(3, CountSpeed), "1/3/00a4 [3 0 0 0]"},
		{AxisNamesRequest(3), "1/3/0089 [0 0 0 0]"},
		{NameSetsRequest(3), "1/3/0089 [-1 0 0 0]"},
		{UnitsRequest(3, UnitsSpindle), "1/3/0088 [4 0 0 0]"},
		{FigureRequest(3, FigureFeed), "1/3/001b [4 0 0 0]"},
		{SpindleRequest(3, SpindleGear, 5), "1/3/0040 [2 5 0 0]"},
		{SpindleNamesRequest(3, SpindleNamesSpeed), "1/3/008a [1 0 0 0]"},
		{ServoRequest(3, ServoLoad), "1/3/0056 [1 0 0 0]"},
		{FeedRequest(3), "1/3/0024 [0 0 0 0]"},
		{SpindleSpeedRequest(3), "1/3/0025 [0 0 0 0]"},
		{AlarmBitsRequest(3), "1/3/001a [0 0 0 0]"},
		{AlarmsRequest(3, 4, 5, 64), "1/3/0023 [4 5 2 64]"},
		{AlarmInfoRequest(3, 4, 5, 1), "1/3/0023 [4 5 1 32]"},
		{ClearAlarmRequest(3, 401), "1/3/0087 [401 0 0 0]"},
		{OpMessageRequest(3, 4), "1/3/0034 [4 0 0 0]"},
		{OpMessages3Request(3, 4, 5), "1/3/00d0 [0 4 5 0]"},
		{OpSignalRequest(3, 7), "1/3/005d [7 0 0 0]"},
		{OpModeRequest(3), "1/3/0057 [0 0 0 0]"},
		{ModalGRequest(3, 4, 1), "1/3/0021 [4 1 0 0]"},
		{ModalGRequest(3, ModalSecond, 2), "1/3/0021 [-2 2 0 0]"},
		{ModalAuxRequest(3, 4, 1), "1/3/0022 [4 1 0 0]"},
		{GCodesRequest(3, 4, 1), "1/3/0096 [4 1 0 0]"},
		{CommandsRequest(3, 4, 1), "1/3/0097 [4 1 0 0]"},
		{TimerRequest(3, TimerCycle), "1/3/0120 [3 0 0 0]"},
		{ClockRequest(3, ClockTime), "1/3/0045 [1 0 0 0]"},
		{ParamRequest(Series30i, 3, 4, 5, 6), "1/3/008d [4 5 6 0]"},
		{ParamRequest(Classic, 3, 4, 5, EveryAxis), "1/3/000e [4 5 -1 0]"},
		{WriteParamRequest(3, record), "1/3/000f [0 0 0 0] 000004d9000200030000000500000000"},
		{SettingRequest(Series30i, 3, 4, 5, 6), "1/3/0090 [4 5 6 0]"},
		{SettingRequest(Classic, 3, 4, 5, 6), "1/3/0029 [4 5 6 0]"},
		{DiagRequest(Series30i, 3, 4, 5, 6), "1/3/0093 [4 5 6 0]"},
		{DiagRequest(Classic, 3, 4, 5, 6), "1/3/0030 [4 5 6 0]"},
		{ParamInfoRequest(3, 4, 5), "1/3/0010 [4 5 0 0]"},
		{ParamInfo2Request(3, 4, 5, 1), "1/3/00a0 [4 5 0 0] flag 1"},
		{ParamTypeRequest(Classic, 3, 4), "1/3/0010 [4 1 0 0]"},
		{ParamTypeRequest(Series30i, 3, 4), "1/3/00a0 [4 1 0 0]"},
		{ParamNumRequest(3), "1/3/0011 [0 0 0 0]"},
		{SettingInfo2Request(3, 4, 5), "1/3/00a1 [4 5 0 0]"},
		{DiagInfoRequest(3, 4, 5), "1/3/0031 [4 5 0 0]"},
		{DiagInfo2Request(3, 4, 5), "1/3/00a2 [4 5 0 0]"},
		{DiagNumRequest(3), "1/3/0032 [0 0 0 0]"},
		{MacroRequest(3, 4, 5), "1/3/0015 [4 5 0 0]"},
		{WriteMacroRequest(Series30i, 3, 4, []Value{Decimal(1, 2), Decimal(3, 0)}), "1/3/0016 [4 5 0 0] 00000001000a000200000003000a0000"},
		{WriteMacroRequest(Classic, 3, 4, []Value{Decimal(1, 0)}), "1/3/0016 [4 4 0 0] 400000000002001e"},
		{PMacroRequest(3, 4, 5), "1/3/002d [4 5 0 0]"},
		{WritePMacroRequest(Series30i, 3, 4, []Value{Decimal(1, 2)}), "1/3/002e [4 4 0 0] 00000001000a0002"},
		{MacroDoubleRequest(3, 4, 5), "1/3/00a7 [4 5 0 0]"},
		{WriteMacroDoubleRequest(3, 4, []float64{1}), "1/3/00a8 [4 0 0 0] 3ff0000000000000"},
		{MacroNamedRequest(3, 4, 5), "1/3/0275 [4 5 0 0]"},
		{MacroInfoRequest(3), "1/3/0017 [0 0 0 0]"},
		{ToolOffsetRequest(3, 4, 2), "1/3/0008 [4 4 1002 0]"},
		{ToolOffsetsRequest(3, 4, 5, 2), "1/3/0008 [4 5 2 0]"},
		{WriteToolOffsetRequest(3, 4, 2, 5), "1/3/0009 [4 4 1002 0] 000000050000ffff"},
		{WriteToolOffsetsRequest(3, 4, 2, 5, 6), "1/3/0009 [4 5 2 0] 000000050000ffff000000060000ffff"},
		{WorkOffsetRequest(3, 4, 5, 2), "1/3/000b [4 5 2 0]"},
		{WriteWorkOffsetRequest(3, 4, 2, 5), "1/3/000c [4 4 2 0] 000000050000ffff"},
		{ToolOffsetInfoRequest(3), "1/3/000a [0 0 0 0]"},
		{WorkOffsetInfoRequest(3), "1/3/000d [0 0 0 0]"},
		{ToolGroupRequest(3, 4, 5), "1/3/008b [4 5 0 0]"},
		{ToolNumRequest(3, 4, 5), "1/3/004d [4 5 5 0]"},
		{ToolLifeRequest(3, 4, 5), "1/3/004f [4 5 0 0]"},
		{ToolLifeInfoRequest(Classic, 3), "1/3/004a [0 0 0 0] flag 1"},
		{ToolLifeInfoRequest(Series30i, 3), "1/3/01c4 [0 0 0 0]"},
		{ToolGroups30iRequest(3, 4, 5), "1/3/01c5 [4 5 0 0]"},
		{ExecTextRequest(3, 200), "1/3/0020 [200 0 0 0]"},
		{ActPointRequest(3), "1/3/0162 [0 0 0 0]"},
		{WriteActPointRequest(3, 4, 5), "1/3/0163 [4 5 1 0]"},
		{SearchRequest(3, 4), "1/3/0003 [4 0 0 0]"},
		{DeleteRequest(3, 4), "1/3/0005 [4 0 0 0]"},
		{RewindRequest(3), "1/3/001f [0 0 0 0]"},
		{ProgramDirRequest(3, 4, 5, DirDates), "1/3/0006 [4 5 3 0]"},
		{CurrentDirRequest(3, Background), "1/3/00b0 [2 0 0 0]"},
		{SetCurrentDirRequest(3, Background, "//CNC_MEM/"), `1/3/00b1 [2 0 0 0] 256 bytes "//CNC_MEM/\x00\x00"`},
		{SubDirsRequest(3, "//CNC_MEM/", 4, 5), `1/3/00b2 [4 5 0 0] 256 bytes "//CNC_MEM/\x00\x00"`},
		{AllDirRequest(3, "//CNC_MEM/", 4, 5, 6, 7), `1/3/00b3 [4 5 6 7] 256 bytes "//CNC_MEM/\x00\x00"`},
		{DirCountRequest(3, "//CNC_MEM/"), `1/3/00b4 [0 0 0 0] 256 bytes "//CNC_MEM/\x00\x00"`},
		{AddFileRequest(3, "//CNC_MEM/"), `1/3/00b5 [0 0 0 0] 256 bytes "//CNC_MEM/\x00\x00"`},
		{DeleteFileRequest(3, "//CNC_MEM/"), `1/3/00b6 [0 0 0 0] 256 bytes "//CNC_MEM/\x00\x00"`},
		{SelectMainRequest(3, "//CNC_MEM/"), `1/3/00ba [0 0 0 0] 256 bytes "//CNC_MEM/\x00\x00"`},
		{PMCRequest(3, PMCRange{Area: 9, Type: PMCWord, First: 4, Last: 7}), "2/3/8001 [4 7 9 1]"},
		{WritePMCRequest(3, PMCRange{Area: 9, Type: PMCWord, First: 4, Last: 5}, []byte{1, 2}), "2/3/8002 [4 5 9 1] 0102"},
		{PMCInfoRequest(3, 9), "2/3/8003 [9 0 0 0]"},
		{PMCCountRequest(3), "2/3/800e [0 0 0 0]"},
		{PMCUnitTypesRequest(3, 4), "2/3/800f [4 0 0 0]"},
		{SelectPMCUnitRequest(3), "2/1/800c [3 0 0 0]"},
		{PMCTitleRequest(3), "2/3/800b [0 0 0 0]"},
		{PMCAlarmRequest(3, 4, 5), "2/3/8010 [4 5 0 0]"},
		{AlarmHistoryCountRequest(3), "1/3/006b [0 0 0 0]"},
		{AlarmHistoryRequest(3, 4, 5), "1/3/006c [4 5 1 0]"},
		{MacroByNameRequest(3, "AB"), `1/3/029f [2 0 0 0] 64 bytes "AB\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"`},
	} {
		if got := text(row.q); got != row.want {
			t.Errorf("%v: %s, want %s", row.q.Func, got, row.want)
		}
		if r := ParsePMCRange(row.q); row.q.Func == FuncReadPMC && r != (PMCRange{Area: 9, Type: PMCWord, First: 4, Last: 7}) {
			t.Errorf("the range comes back as %+v", r)
		}
	}
}
