package focas

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/patchbay-io/patchbay/wire"
)

// roundTrip holds that every value of a payload type comes back from its bytes as it was, whatever stands in the buffer
// before and after it.
func roundTrip[T appender](t *testing.T, name string, draw *rapid.Generator[T], parse func([]byte) (T, error)) {
	t.Run(name, func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			want := draw.Draw(t, "value")
			b := want.Append([]byte("before"))
			if !bytes.HasPrefix(b, []byte("before")) {
				t.Fatalf("what was in the buffer is %q", b[:6])
			}
			b = b[6:]
			in := append(bytes.Clone(b), "behind"...)[:len(b):len(b)]
			got, err := parse(in)
			if err != nil {
				t.Fatalf("%x: %v", b, err)
			}
			if d := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateNaNs()); d != "" {
				t.Fatal(d)
			}
			if again := got.Append(nil); !bytes.Equal(again, b) {
				t.Fatalf("%x appends as %x", b, again)
			}
		})
	})
}

// listOf draws lists of up to 6 items of size bytes with less than one item's bytes left over.
func listOf[T appender](size int) *rapid.Generator[List[T]] {
	return rapid.Custom(func(t *rapid.T) List[T] {
		return List[T]{Items: rapid.SliceOfN(rapid.Make[T](), 0, 6).Draw(t, "items"), Rest: rapid.SliceOfN(rapid.Byte(), 0, size-1).Draw(t, "rest")}
	})
}

// field draws text fields of exactly size bytes.
func field(size int) *rapid.Generator[[]byte] { return rapid.SliceOfN(rapid.Byte(), size, size) }

func TestEveryPayloadComesBack(t *testing.T) {
	roundTrip(t, "Word", rapid.Make[Word](), ParseWord)
	roundTrip(t, "Counter", rapid.Make[Counter](), ParseCounter)
	roundTrip(t, "NumberRange", rapid.Make[NumberRange](), ParseNumberRange)
	roundTrip(t, "Status", rapid.Make[Status](), ParseStatus)
	roundTrip(t, "Status2", rapid.Custom(func(t *rapid.T) Status2 {
		s := rapid.Make[Status2]().Draw(t, "status")
		s.Status.Rest = nil // the words of 0xe2 follow at once
		return s
	}), ParseStatus2)
	roundTrip(t, "SysInfo", rapid.Make[SysInfo](), ParseSysInfo)
	roundTrip(t, "CNCID", rapid.Make[CNCID](), ParseCNCID)
	roundTrip(t, "CNCModel", rapid.Make[CNCModel](), ParseCNCModel)
	roundTrip(t, "EthernetInfo", rapid.Make[EthernetInfo](), ParseEthernetInfo)
	roundTrip(t, "AlarmBits", rapid.Make[AlarmBits](), ParseAlarmBits)
	roundTrip(t, "Clock", rapid.Make[Clock](), ParseClock)
	roundTrip(t, "OpSignal", rapid.Make[OpSignal](), ParseOpSignal)
	roundTrip(t, "MacroInfo", rapid.Make[MacroInfo](), ParseMacroInfo)
	roundTrip(t, "ProgramNum", rapid.Make[ProgramNum](), ParseProgramNum)
	roundTrip(t, "ExecProgram", rapid.Make[ExecProgram](), ParseExecProgram)
	roundTrip(t, "ExecText", rapid.Make[ExecText](), ParseExecText)
	roundTrip(t, "MDIPointer", rapid.Make[MDIPointer](), ParseMDIPointer)
	roundTrip(t, "ActPoint", rapid.Make[ActPoint](), ParseActPoint)
	roundTrip(t, "ProgramInfo", rapid.Make[ProgramInfo](), ParseProgramInfo)
	roundTrip(t, "DirCount", rapid.Make[DirCount](), ParseDirCount)
	roundTrip(t, "ToolOffsetInfo", rapid.Make[ToolOffsetInfo](), ParseToolOffsetInfo)
	roundTrip(t, "ToolGroup", rapid.Make[ToolGroup](), ParseToolGroup)
	roundTrip(t, "UseGroup", rapid.Make[UseGroup](), ParseUseGroup)
	roundTrip(t, "ToolNum", rapid.Make[ToolNum](), ParseToolNum)
	roundTrip(t, "ToolLife", rapid.Make[ToolLife](), ParseToolLife)
	roundTrip(t, "ToolLifeInfo", rapid.Make[ToolLifeInfo](), ParseToolLifeInfo)
	roundTrip(t, "ErrorBody", rapid.Make[ErrorBody](), ParseErrorBody)
	roundTrip(t, "Value", rapid.Make[Value](), ParseValue)
	for order, little := range map[TimerOrder]bool{TimerBigEndian: false, TimerLittleEndian: true} {
		roundTrip(t, fmt.Sprintf("Timer %d", order), rapid.Custom(func(t *rapid.T) Timer {
			x := rapid.Make[Timer]().Draw(t, "timer")
			x.Little = little
			return x
		}), func(b []byte) (Timer, error) { return ParseTimer(b, order) })
	}
}

func TestEveryListComesBack(t *testing.T) {
	roundTrip(t, "Values", listOf[Value](8), ParseValues)
	roundTrip(t, "Words", listOf[U16](2), ParseWords)
	roundTrip(t, "Longs", listOf[U32](4), ParseLongs)
	roundTrip(t, "Doubles", listOf[Double](8), ParseDoubles)
	roundTrip(t, "Names", listOf[Name](4), ParseNames)
	roundTrip(t, "NameSets", listOf[NameSet](16), ParseNameSets)
	roundTrip(t, "UnitPairs", listOf[UnitPair](4), ParseUnitPairs)
	roundTrip(t, "Auxes", listOf[Aux](8), ParseAuxes)
	roundTrip(t, "GCodes", listOf[GCode](12), ParseGCodes)
	roundTrip(t, "Commands", listOf[Command](12), ParseCommands)
	roundTrip(t, "ProgramDir", listOf[ProgramEntry](len(ProgramEntry{}.Append(nil))), ParseProgramDir)
	roundTrip(t, "Drives", listOf[DriveName](12), ParseDrives)
	roundTrip(t, "SubDirs", listOf[SubDir](SubDirSize), ParseSubDirs)
	roundTrip(t, "AllDir", listOf[DirEntry](DirEntrySize), ParseAllDir)
	roundTrip(t, "ToolGroups30i", listOf[ToolGroup30i](ToolGroup30iSize), ParseToolGroups30i)
	roundTrip(t, "PMCUnitTypes", listOf[PMCUnitType](4), ParsePMCUnitTypes)
	roundTrip(t, "NumberInfos", rapid.Custom(func(t *rapid.T) NumberInfos {
		return NumberInfos{rapid.Int32().Draw(t, "previous"), rapid.Int32().Draw(t, "next"), listOf[NumberInfo](8).Draw(t, "list")}
	}), ParseNumberInfos)
	roundTrip(t, "NumberInfos2", rapid.Custom(func(t *rapid.T) NumberInfos2 {
		return NumberInfos2{rapid.Int32().Draw(t, "previous"), rapid.Int32().Draw(t, "next"), listOf[NumberInfo2](NumberInfo2Size).Draw(t, "list")}
	}), ParseNumberInfos2)
	roundTrip(t, "Figures", rapid.Custom(func(t *rapid.T) Figures {
		return Figures{rapid.Uint32().Draw(t, "valid"), listOf[Figure](4).Draw(t, "list")}
	}), ParseFigures)
	roundTrip(t, "PMCInfo", rapid.Custom(func(t *rapid.T) PMCInfo {
		l := listOf[PMCAreaInfo](12).Draw(t, "list")
		return PMCInfo{rapid.Uint32Range(0, uint32(len(l.Items))).Draw(t, "count"), l}
	}), ParsePMCInfo)
	roundTrip(t, "NamedMacros", rapid.Custom(func(t *rapid.T) NamedMacros {
		return NamedMacros{rapid.SliceOfN(rapid.Make[NamedMacro](), 0, 6).Draw(t, "items"), rapid.SliceOfN(rapid.Byte(), 0, 39).Draw(t, "rest")}
	}), ParseNamedMacros)
	for _, size := range []int{0, AlarmText32, AlarmText64} {
		roundTrip(t, fmt.Sprintf("Alarms with texts of %d", size), rapid.Custom(func(t *rapid.T) (l Alarms) {
			for range rapid.IntRange(0, 5).Draw(t, "alarms") {
				i := rapid.Int32()
				l.Items = append(l.Items, Alarm{i.Draw(t, "number"), i.Draw(t, "type"), i.Draw(t, "axis"), i.Draw(t, "length"), field(size).Draw(t, "text")})
			}
			return l
		}), func(b []byte) (Alarms, error) { return ParseAlarms(b, size) })
	}
	for _, d := range []Dialect{Classic, Series30i} {
		for _, slots := range []int{1, 8, 32} {
			size := RecordSize(d, slots)
			roundTrip(t, fmt.Sprintf("Records of %d slots, %v", slots, d), rapid.Custom(func(t *rapid.T) (l List[Record]) {
				for range rapid.IntRange(0, 4).Draw(t, "records") {
					r := Record{Dialect: d, Number: rapid.Int32().Draw(t, "number"), Axis: rapid.Int16().Draw(t, "axis"),
						Type: rapid.Uint16().Draw(t, "type"), Count: slots}
					for i := range slots {
						r.Slots[i] = rapid.Make[Value]().Draw(t, "slot")
						if d == Classic {
							r.Slots[i] = Value{Mantissa: r.Slots[i].Mantissa}
						}
					}
					l.Items = append(l.Items, r)
				}
				l.Rest = rapid.SliceOfN(rapid.Byte(), 0, size-1).Draw(t, "rest")
				return l
			}), func(b []byte) (List[Record], error) { return ParseRecords(d, slots, b) })
		}
	}
}

// Frames and blocks with any content come back, however many share a frame.
func TestFramesOfBlocksComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var qs []Request
		var ps []Reply
		for range rapid.IntRange(1, 8).Draw(t, "blocks") {
			q := rapid.Custom(func(t *rapid.T) Request {
				q := rapid.Make[Request]().Draw(t, "request")
				q.Data = rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "data")
				return q
			}).Draw(t, "q")
			qs = append(qs, q)
			p := Reply{Class: q.Class, Path: q.Path, Func: q.Func, Code: Code(rapid.Int16().Draw(t, "code")), Payload: rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "payload")}
			ps = append(ps, p)
		}
		f, left, err := ParseFrame(AppendRequests(nil, qs))
		if err != nil || len(left) > 0 || f.Type != TypeData || f.Dir != DirRequest {
			t.Fatal(f.Header, len(left), err)
		}
		bs, err := RequestBlocks(f.Body)
		if err != nil || bs.Count() != len(qs) {
			t.Fatal(bs.Count(), err)
		}
		for i := range qs {
			q, ok, err := bs.NextRequest()
			if d := cmp.Diff(qs[i], q, cmpopts.EquateEmpty()); !ok || err != nil || d != "" {
				t.Fatal(ok, err, d)
			}
		}
		if _, ok, err := bs.NextRequest(); ok || err != nil {
			t.Fatal("one more", ok, err)
		}
		v := Version(rapid.Uint16Range(1, 9).Draw(t, "version"))
		if f, _, err = ParseFrame(AppendReplies(nil, v, ps)); err != nil || f.Version != v || f.Dir != DirReply {
			t.Fatal(f.Header, err)
		}
		got, err := readReplies(f.Body)
		if d := cmp.Diff(ps, got, cmpopts.EquateEmpty()); err != nil || d != "" {
			t.Fatal(err, d)
		}
	})
}

// Parsers keep no reference to more than they were given: what they keep cannot be appended into the caller's buffer.
func TestRestIsCapped(t *testing.T) {
	b := bytes.Repeat([]byte{1}, 600)
	for i, parse := range statusParsers() {
		x, err := parse(b[:599])
		if err != nil {
			t.Fatal(i, err)
		}
		v := reflect.ValueOf(x)
		if v.Kind() != reflect.Struct {
			continue
		}
		if rest := v.FieldByName("Rest"); rest.IsValid() && rest.Len() > 0 {
			_ = append(rest.Bytes(), 0xff)
		}
		if b[599] != 1 {
			t.Fatalf("%T: an append to what it keeps reaches the caller's buffer", x)
		}
	}
}

// A length that lies never reaches past the field, and text stops at a NUL wherever it stands.
func TestTextsOfFields(t *testing.T) {
	for _, row := range []struct {
		name  string
		field []byte
		want  string
	}{
		{"NUL in the middle", []byte("AB\x00CD"), "AB"}, {"NUL first", []byte("\x00AB"), ""}, {"full", []byte("ABCDE"), "ABCDE"},
		{"blanks at the end", []byte("AB   "), "AB"}, {"blanks in front", []byte("  AB "), "  AB"},
		{"Shift JIS is kept as bytes", []byte{0x83, 0x41, 0x83, 0x42}, "\x83\x41\x83\x42"}, {"umlaut of a code page", []byte{'T', 0x9a, 'R'}, "T\x9aR"},
	} {
		for _, length := range []int32{math.MinInt32, -1, int32(len(row.field)), 256, math.MaxInt32} {
			a, m := Alarm{Length: length, Field: row.field}, OpMessage{Length: length, Field: row.field}
			if a.Text() != row.want || m.Text() != row.want {
				t.Errorf("%s with length %d: %q and %q, want %q", row.name, length, a.Text(), m.Text(), row.want)
			}
		}
	}
	for _, row := range []struct {
		got  string
		want string
	}{
		{NewName("X\x00Y").String(), "X"}, {NewName("LONGER").String(), "LONG"}, {MakeProgramName("A\x00B").String(), "A"},
		{string(MakePathText("A\x00B")[:4]), "A\x00B\x00"}, {NewAlarm(1, 2, 3, "", 32).Text(), ""},
		{NewOpMessage(1, 2, strings.Repeat("M", 300)).Text(), strings.Repeat("M", 256)},
	} {
		if row.got != row.want {
			t.Errorf("%q, want %q", row.got, row.want)
		}
	}
}

// Every word that people read has a text, and a number that nobody knows is shown as that number.
func TestEveryString(t *testing.T) {
	for _, row := range []struct {
		got  fmt.Stringer
		want string
	}{
		{ClassCNC, "CNC"}, {ClassPMC, "PMC"}, {Class(9), "class(9)"},
		{TypeOpen, "open"}, {TypeClose, "close"}, {TypeDownloadStart, "download-start"}, {TypeDownloadData, "download-data"},
		{TypeDownloadEnd, "download-end"}, {TypeUploadStart, "upload-start"}, {TypeUploadData, "upload-data"}, {TypeUploadEnd, "upload-end"},
		{TypeUploadCancel, "upload-cancel"}, {TypeData, "data"}, {Type(0x22), "type(0x22)"}, {Type(0), "type(0x00)"},
		{DirRequest, "request"}, {DirReply, "reply"}, {DirError, "error"}, {DirPush, "push"}, {Direction(0), "direction(0)"}, {Direction(5), "direction(5)"},
		{Classic, "classic"}, {Series30i, "30i"}, {Family15i, "15i"}, {Family16i, "16i"}, {Family30i, "30i"},
		{DiagByte, "byte"}, {DiagWord, "word"}, {DiagTwoWord, "2-word"}, {DiagBit, "bit"}, {DiagType(4), "type(4)"},
		{ParamBit, "bit"}, {ParamByte, "byte"}, {ParamWord, "word"}, {ParamTwoWord, "2-word"}, {ParamReal, "real"}, {ParamType(5), "type(5)"},
		{PMCByte, "byte"}, {PMCWord, "word"}, {PMCLong, "long"}, {PMCFloat32, "float32"}, {PMCFloat64, "float64"}, {PMCType(3), "type(3)"},
		{UnitInch, "inch"}, {UnitMMPerMinute, "mm/min"}, {UnitInchPerMinute, "inch/min"}, {UnitRPM, "rpm"}, {UnitMMPerRevolution, "mm/rev"},
		{UnitInchPerRevolution, "inch/rev"}, {UnitPercent, "%"}, {Unit(10), "unit(10)"},
		{TransferProgram, "program"}, {TransferKind(6), "kind(0x0006)"}, {EWBusy, "EW_BUSY"}, {Code(-99), "EW(-99)"}, {Code(22), "EW(22)"},
		{FuncReadMacro, "cnc_rdmacro"}, {Func(0), "func(0x0000)"}, {Func(0xffff), "func(0xffff)"},
		{CNCID{ID: [4]uint32{1, 0xffffffff, 0x12345678, 0}}, "00000001-ffffffff-12345678-00000000"},
		{PMCAddress{Letter: 'D', Offset: 100, Bit: -1, Type: PMCWord}, "D100:word"}, {PMCAddress{Letter: 'R', Offset: 10, Bit: 3}, "R10.3"},
		{RawValue(-5), "-5"}, {Decimal(-5, 1), "-0.5"}, {Vacant(Classic), "vacant"},
	} {
		if got := row.got.String(); got != row.want {
			t.Errorf("%T %v, want %s", row.got, got, row.want)
		}
	}
}

// Extremes of the number on the wire: nothing panics, signs hold, and texts stay short.
func TestExtremeValues(t *testing.T) {
	for _, m := range []int32{math.MinInt32, -1, 0, 1, math.MaxInt32} {
		for _, base := range []uint16{0, 2, 3, 10, math.MaxUint16} {
			for _, e := range []int16{math.MinInt16, -309, -23, -1, 0, 1, 22, 23, 308, math.MaxInt16} {
				v := Value{m, base, e}
				f := v.Float()
				if math.IsNaN(f) || f != 0 && math.Signbit(f) != (m < 0) || m == 0 && f != 0 {
					t.Errorf("%+v is %v", v, f)
				}
				if s := v.String(); s == "" || len(s) > 64 {
					t.Errorf("%+v has a text of %d characters", v, len(s))
				}
				if got, err := ParseValue(v.Append(nil)); err != nil || got != v {
					t.Errorf("%+v comes back as %+v, %v", v, got, err)
				}
				if b := v.Binary(); base == 10 && !v.IsVacant() && f != 0 && b.Float() != 0 && math.Signbit(b.Float()) != math.Signbit(f) {
					t.Errorf("%+v as binary is %+v", v, b)
				}
			}
		}
	}
}

// PMC items at their limits, and one beyond.
func TestPMCItemLimits(t *testing.T) {
	for _, row := range []struct {
		typ PMCType
		f   float64
		hex string // empty: refused
	}{
		{PMCByte, -128, "80"}, {PMCByte, 255, "ff"}, {PMCByte, -129, ""}, {PMCByte, 256, ""}, {PMCByte, 0.5, ""},
		{PMCWord, -32768, "8000"}, {PMCWord, 65535, "ffff"}, {PMCWord, -32769, ""}, {PMCWord, 65536, ""},
		{PMCLong, math.MinInt32, "80000000"}, {PMCLong, math.MaxUint32, "ffffffff"}, {PMCLong, math.MinInt32 - 1, ""}, {PMCLong, math.MaxUint32 + 1, ""},
		{PMCLong, math.NaN(), ""}, {PMCByte, math.Inf(1), ""}, {PMCWord, math.Inf(-1), ""},
		{PMCFloat32, 1, "3f800000"}, {PMCFloat32, -0.5, "bf000000"}, {PMCFloat64, 1, "3ff0000000000000"}, {PMCFloat64, math.Inf(-1), "fff0000000000000"},
		{3, 1, ""}, {6, 0, ""}, {math.MaxUint16, 0, ""},
	} {
		b, err := row.typ.AppendFloat([]byte{9}, row.f)
		if got := fmt.Sprintf("%x", b[1:]); (err != nil) != (row.hex == "") || got != row.hex {
			t.Errorf("%v %v: %s, %v; want %s", row.typ, row.f, got, err, row.hex)
		}
		if size := row.typ.Size(); err == nil {
			back := row.f // bytes are read without a sign, words and longs with one
			switch {
			case row.typ == PMCByte && back < 0:
				back += 1 << 8
			case row.typ == PMCWord && back > math.MaxInt16:
				back -= 1 << 16
			case row.typ == PMCLong && back > math.MaxInt32:
				back -= 1 << 32
			}
			if f, ok := row.typ.Float(b[1:]); !ok || f != back {
				t.Errorf("%v %v reads back as %v, %v; want %v", row.typ, row.f, f, ok, back)
			}
			if _, ok := row.typ.Float(b[1:size]); ok {
				t.Errorf("%v is read from %d bytes", row.typ, size-1)
			}
		}
	}
	for _, row := range []struct{ first, last, want int32 }{{0, 0, 1}, {5, 4, 0}, {100, 103, 4}, {math.MaxInt32, math.MinInt32, 0}, {0, math.MaxInt32, 0}} {
		if got := (PMCRange{First: row.first, Last: row.last}).Len(); row.want != 0 && got != int(row.want) || row.want == 0 && got != 0 && row.last < row.first {
			t.Errorf("%d to %d has %d bytes", row.first, row.last, got)
		}
	}
}

// The errors of short payloads say which message, how long it is and how long it must be.
func TestShortPayloadsSayWhich(t *testing.T) {
	for _, row := range []struct {
		parse func([]byte) (appender, error)
		n     int
		says  []string
	}{
		{as(ParseStatus), 13, []string{"Status", "13", "14"}},
		{as(ParseSysInfo), 0, []string{"SysInfo", "addinfo", "byte 0"}},
		{as(ParseOpSignal), 25, []string{"OpSignal", "25", "26"}},
		{as(ParseCounter), 3, []string{"3", "4"}},
		{as(ParsePMCInfo), 3, []string{"PMC info", "3", "4"}},
		{as(ParseToolOffsetInfo), 5, []string{"tool offset info", "5", "6"}},
	} {
		_, err := row.parse(make([]byte, row.n))
		var e *wire.Error
		if !errors.Is(err, wire.ErrShort) || !errors.As(err, &e) {
			t.Errorf("%v", err)
			continue
		}
		for _, s := range row.says {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%q does not say %q", err, s)
			}
		}
	}
	if _, err := ParsePMCInfo([]byte{0, 0, 0, 2, 0, 'D', 0, 7, 0, 0, 0, 0, 0, 0, 0, 9}); err == nil || !strings.Contains(err.Error(), "2 areas announced, 1 present") {
		t.Errorf("%v", err)
	}
}
