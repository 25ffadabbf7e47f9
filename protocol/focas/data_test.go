package focas

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/wire"
)

// Every payload of a fixed layout: typed value, bytes, what follows is kept, what is cut is refused.
func TestDataPayloads(t *testing.T) {
	classic := func(b []byte) (Record, error) { return ParseRecord(Classic, b) }
	name := strings.Repeat("00", ProgramNameSize-5)
	for _, row := range []payloadCase{
		{"counter", "0000002a", as(ParseCounter), Counter{N: 42}, 4},
		{"negative counter", "fffffffe", as(ParseCounter), Counter{N: -2}, 4},
		{"number range", "00000001 00007147 0000145a", as(ParseNumberRange), NumberRange{Min: 1, Max: 28999, Total: 5210}, 12},
		{"values", "000004d2 000a 0003 00000000 000a ffff", as(ParseValues), Values{Items: []Value{Decimal(1234, 3), Vacant(Series30i)}}, 0},
		{"number infos", "00001a36 00001a38 00001a37 00000083", as(ParseNumberInfos),
			NumberInfos{6710, 6712, List[NumberInfo]{Items: []NumberInfo{{6711, 0x83}}}}, 8},
		{"number infos 2", "00001a36 00001a38 00001a37 0003 0001 0002 0003 0004 0005 0006 0007", as(ParseNumberInfos2),
			NumberInfos2{6710, 6712, List[NumberInfo2]{Items: []NumberInfo2{{6711, 3, 1, 2, 3, 4, 5, 6, 7}}}}, 8},
		{"doubles", "3ff8000000000000 c002000000000000", as(ParseDoubles), List[Double]{Items: []Double{1.5, -2.25}}, 0},
		{"macro info", "00000021 00000258", as(ParseMacroInfo), MacroInfo{Local: 33, Common: 600}, 8},
		{"program number", "00bc614e 000003e8", as(ParseProgramNum), ProgramNum{Running: 12345678, Main: 1000}, 8},
		{"running program", "00000bb8 4f33303030" + name, as(ParseExecProgram), ExecProgram{Number: 3000, Name: MakeProgramName("O3000")}, 40},
		{"running text", "0000002a 4f33303030 0a", as(ParseExecText), ExecText{42, []byte("O3000\n")}, 4},
		{"MDI pointer", "00000001 00000002", as(ParseMDIPointer), MDIPointer{Program: 1, Pointer: 2}, 8},
		{"execution pointer", "00000bb8 0000002a", as(ParseActPoint), ActPoint{Program: 3000, Block: 42}, 8},
		{"program memory", "0000000c 00000184 00001000 0007d000", as(ParseProgramInfo), ProgramInfo{12, 388, 4096, 512000, nil}, 16},
		{"folder count", "00000002 00000005", as(ParseDirCount), DirCount{Dirs: 2, Files: 5}, 8},
		{"folders", "00000001 4f33303030" + name, as(ParseSubDirs), List[SubDir]{Items: []SubDir{{1, MakeProgramName("O3000")}}}, 0},
		{"drives", "434e435f4d454d0000000000", as(ParseDrives), List[DriveName]{Items: []DriveName{{'C', 'N', 'C', '_', 'M', 'E', 'M'}}}, 0},
		{"tool offset info", "0000 0002 0190", as(ParseToolOffsetInfo), ToolOffsetInfo{Count: 2, Memory: 400}, 6},
		{"tool group", "00000001 00000004 00000003 000001f4 00000002 00000025", as(ParseToolGroup), ToolGroup{1, 4, 3, 500, 2, 37, nil}, 24},
		{"tool group in use", "00000002 00000001 00000003", as(ParseUseGroup), UseGroup{2, 1, 3, nil}, 12},
		{"tool number", "00000001 00000002 00000065", as(ParseToolNum), ToolNum{1, 2, 101, nil}, 12},
		{"tool life", "00000001 00000065 00000009 00000005 00000006 00000001", as(ParseToolLife), ToolLife{1, 101, 9, 5, 6, 1, nil}, 24},
		{"tool life info", "00000000 00000080 00000200 0000000a 00000014", as(ParseToolLifeInfo), ToolLifeInfo{0, 128, 512, 10, 20, nil}, 20},
		{"tool groups of a 30i", "00000004 00000003 000001f4 00000025 00000001 00000002 000001cf 00000007 00000008", as(ParseToolGroups30i),
			List[ToolGroup30i]{Items: []ToolGroup30i{{4, 3, 500, 37, 1, 2, 463, 7, 8}}}, 0},
		{"PMC unit types", "00000001 00000003", as(ParsePMCUnitTypes), List[PMCUnitType]{Items: []PMCUnitType{1, 3}}, 0},
		{"parameter, classic", "00001a37 0000 0003 00001267 fffffff9", as(classic),
			Record{Dialect: Classic, Number: 6711, Type: 3, Count: 2, Slots: [MaxSlots]Value{{Mantissa: 4711}, {Mantissa: -7}}}, 8},
	} {
		t.Run(row.name, func(t *testing.T) { checkCutPayload(t, row) })
	}
}

// checkCutPayload is checkPayload for payloads that grow by whole items: cut ones are refused below the fixed part only.
func checkCutPayload(t *testing.T, row payloadCase) {
	t.Helper()
	b := unhex(t, row.bytes)
	got, err := row.parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(row.want, got); d != "" {
		t.Error(d)
	}
	for _, in := range [][]byte{b, append(bytes.Clone(b), 0xc0, 0xff, 0xee)} {
		if got, err := row.parse(in); err != nil || !bytes.Equal(got.Append(nil), in) {
			t.Errorf("%x came back as %x, %v", in, got.Append(nil), err)
		}
	}
	for n := range len(b) {
		_, err := row.parse(b[:n:n])
		if refused := err != nil; refused != (n < row.fixed) {
			t.Errorf("cut to %d bytes: %v, want an error below %d", n, err, row.fixed)
		}
		if err != nil && !errors.Is(err, wire.ErrShort) {
			t.Errorf("cut to %d bytes: %v does not wrap wire.ErrShort", n, err)
		}
	}
}

func TestRecord30i(t *testing.T) {
	r, err := ParamRecord(Series30i, 3, 1241, 2, ParamReal, Decimal(-15500, 3))
	if err != nil {
		t.Fatal(err)
	}
	b := r.Append(nil)
	if len(b) != RecordSize(Series30i, MaxSlots) || len(b) != 264 {
		t.Errorf("%d bytes, want 264", len(b))
	}
	got, err := ParseRecord(Series30i, b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(r, got); d != "" {
		t.Error(d)
	}
	longer := append(bytes.Clone(b), make([]byte, 20)...)
	if got, err := ParseRecord(Series30i, longer); err != nil || got.Count != MaxSlots || !bytes.Equal(got.Append(nil), longer) {
		t.Errorf("with more than %d slots: count %d, %v", MaxSlots, got.Count, err)
	}
	if n := len(got.Values()); n != MaxSlots {
		t.Errorf("%d values", n)
	}
}

func TestParseRecords(t *testing.T) {
	a, _ := ParamRecord(Classic, 3, 20, EveryAxis, ParamWord, RawValue(1), RawValue(2), RawValue(-3))
	b, _ := ParamRecord(Classic, 3, 21, EveryAxis, ParamWord, RawValue(4))
	payload := append(b.Append(a.Append(nil)), 1, 2)
	l, err := ParseRecords(Classic, 3, payload)
	if err != nil || len(l.Items) != 2 || l.Items[1].Number != 21 || l.Items[0].Slots[2].Mantissa != -3 || !bytes.Equal(l.Rest, []byte{1, 2}) {
		t.Errorf("%+v, %v", l, err)
	}
	for _, slots := range []int{-1, 0, MaxSlots + 1} {
		if _, err := ParseRecords(Classic, slots, payload); err == nil {
			t.Errorf("%d slots: no error", slots)
		}
	}
}

func TestParamRecordRefuses(t *testing.T) {
	for _, row := range []struct {
		name   string
		slots  int
		axis   int16
		typ    ParamType
		values []Value
	}{
		{"no value", 8, 0, ParamByte, nil},
		{"too many values", 2, EveryAxis, ParamByte, []Value{{}, {}, {}}},
		{"two values for one axis", 8, 1, ParamByte, []Value{{}, {}}},
		{"no slots", 0, 0, ParamByte, []Value{{}}},
		{"too many slots", 33, 0, ParamByte, []Value{{}}},
		{"unknown type", 8, 0, 5, []Value{{}}},
		{"bits above 255", 8, 0, ParamBit, []Value{Decimal(256, 0)}},
		{"negative bits", 8, 0, ParamBit, []Value{Decimal(-1, 0)}},
		{"byte above 255", 8, 0, ParamByte, []Value{Decimal(256, 0)}},
		{"word above 32767", 8, 0, ParamWord, []Value{Decimal(32768, 0)}},
		{"word below -32768", 8, 0, ParamWord, []Value{Decimal(-32769, 0)}},
		{"decimals in an integer", 8, 0, ParamTwoWord, []Value{Decimal(15, 1)}},
		{"real that is not decimal", 8, 0, ParamReal, []Value{{Mantissa: 1, Base: 2}}},
	} {
		if r, err := ParamRecord(Classic, row.slots, 20, row.axis, row.typ, row.values...); err == nil {
			t.Errorf("%s: no error, %+v", row.name, r)
		}
	}
}

func TestDataTypes(t *testing.T) {
	wide := Value{Mantissa: -127, Base: 10}
	for _, row := range []struct {
		got  Value
		want int32
	}{
		{ParamBit.Of(wide), 129}, {ParamByte.Of(wide), -127}, {ParamByte.Of(Value{Mantissa: 0x181}), -127},
		{ParamWord.Of(Value{Mantissa: 0x18000}), -32768}, {ParamTwoWord.Of(Value{Mantissa: math.MinInt32}), math.MinInt32},
		{DiagBit.Of(wide), 129}, {DiagByte.Of(wide), -127}, {DiagWord.Of(Value{Mantissa: 0x18000}), -32768}, {DiagTwoWord.Of(wide), -127},
	} {
		if row.got.Mantissa != row.want {
			t.Errorf("%v, want %d", row.got, row.want)
		}
	}
	real := Decimal(-15500, 3)
	if ParamReal.Of(real) != real || ParamType(9).Of(real) != real || DiagTwoWord.Of(real) != real || DiagType(9).Of(wide) != wide {
		t.Error("values with decimals and values of unknown types must stay as they are")
	}
	if s := ParamType(7).String() + ParamReal.String() + DiagType(8).String() + DiagBit.String(); s != "type(7)realtype(8)bit" {
		t.Error(s)
	}
}

func TestBinary(t *testing.T) {
	for _, row := range []struct{ in, want Value }{
		{Decimal(1234, 3), Value{0x4ef9db22, 2, 30}}, // seen, as are the next five
		{Decimal(1, 0), Value{0x40000000, 2, 30}},
		{Decimal(25, 1), Value{0x50000000, 2, 29}},
		{Decimal(777, 1), Value{0x4db33333, 2, 24}},
		{Decimal(0, 0), Value{0, 2, 0}},
		{Vacant(Series30i), Value{0, 2, -1}},
		{Decimal(-1234, 3), Value{-0x4ef9db22, 2, 30}},
		{Decimal(math.MaxInt32, 0), Value{math.MaxInt32, 2, 0}},
		{Decimal(math.MinInt32, 0), Value{-0x40000000, 2, -1}},
		{Decimal(1, 19), Value{0x760f253e, 2, 94}},
		{RawValue(3), Value{0x60000000, 2, 29}},
		{Value{7, 2, 3}, Value{7, 2, 3}},
		{Value{1, 10, math.MinInt16}, Value{math.MaxInt32, 2, math.MinInt16}},
		{Value{-1, 10, math.MinInt16}, Value{-math.MaxInt32, 2, math.MinInt16}},
		{Value{1, 10, math.MaxInt16}, Value{0, 2, 0}},
	} {
		if got := row.in.Binary(); got != row.want {
			t.Errorf("%+v: %#x %d %d, want %#x %d %d", row.in, got.Mantissa, got.Base, got.Exponent, row.want.Mantissa, row.want.Base, row.want.Exponent)
		}
	}
}

// The conversion keeps 31 bits of every decimal number.
func FuzzBinary(f *testing.F) {
	f.Add(int32(1234), int16(3))
	f.Add(int32(math.MinInt32), int16(0))
	f.Add(int32(7), int16(25))
	f.Fuzz(func(t *testing.T, m int32, e int16) {
		v := Decimal(m, e)
		b := v.Binary()
		if v.IsVacant() || e < 0 || e > 250 {
			return
		}
		if want, got := v.Float(), b.Float(); math.Abs(got-want) > math.Abs(want)/(1<<29) {
			t.Errorf("%d/10^%d = %v became %v", m, e, want, got)
		}
		if m != 0 && e < 20 && (b.Mantissa > -1<<30 && b.Mantissa < 1<<30) {
			t.Errorf("%d/10^%d: mantissa %#x is not of 31 bits", m, e, b.Mantissa)
		}
	})
}

func TestDecimalOf(t *testing.T) {
	for _, row := range []struct {
		in   float64
		want Value
	}{
		{0, Decimal(0, 0)}, {1.234, Decimal(1234, 3)}, {-0.5, Decimal(-5, 1)}, {123456789, Decimal(123456789, 0)},
		{1.0 / 3, Decimal(333333333, 9)}, {1234.56789, Decimal(123456789, 5)}, {12345.678901, Decimal(123456789, 4)},
		{100, Decimal(100, 0)}, {1e-9, Decimal(1, 9)}, {0.1, Decimal(1, 1)}, {1e-12, Decimal(0, 9)},
	} {
		if got, err := DecimalOf(row.in); err != nil || got != row.want {
			t.Errorf("%v: %+v, want %+v (%v)", row.in, got, row.want, err)
		}
	}
	for _, f := range []float64{math.NaN(), math.Inf(1), 1e10, -1e10} {
		if v, err := DecimalOf(f); err == nil {
			t.Errorf("%v: no error, %v", f, v)
		}
	}
}

func TestNamedMacros(t *testing.T) {
	var second MacroName
	copy(second[:], "SECOND")
	m := NamedMacros{Items: []NamedMacro{{Value: 1.5}, {Value: -2.25, Name: second}}, Rest: []byte{9}}
	b := m.Append(nil)
	got, err := ParseNamedMacros(b)
	if err != nil || len(b) != 81 {
		t.Fatal(err, len(b))
	}
	if d := cmp.Diff(m, got); d != "" {
		t.Error(d)
	}
	if got.Items[1].Name.String() != "SECOND" {
		t.Error(got.Items[1].Name)
	}
}

func TestProgramEntry(t *testing.T) {
	date := Date{2026, 5, 14, 12, 34, 0}
	dated := MakeProgramEntry(DirDates, 1000, 1234, "(MAIN)", date)
	sized := MakeProgramEntry(DirSizes, 3000, 55, strings.Repeat("C", 80), date)
	l, err := ParseProgramDir(append(sized.Append(dated.Append(nil)), 7))
	if err != nil || len(l.Items) != 2 || len(l.Rest) != 1 {
		t.Fatalf("%+v, %v", l, err)
	}
	if e := l.Items[0]; e.Comment(DirDates) != "(MAIN)" || e.Date() != date || e.Number != 1000 || e.Size != 1234 {
		t.Errorf("%+v", e)
	}
	if e := l.Items[1]; e.Comment(DirSizes) != strings.Repeat("C", 64) {
		t.Errorf("comment %q", e.Comment(DirSizes))
	}
}

func TestAllDir(t *testing.T) {
	e := DirEntry{Kind: EntryFile, Date: Date{2026, 5, 14, 12, 34, 56}, Skip: [6]byte{1, 2, 3, 4, 5, 6}, Size: 1234, Attribute: 9,
		Name: MakeProgramName(strings.Repeat("N", 40)), Time: [12]byte{11: 5}}
	copy(e.Comment[:], "(MAIN)")
	b := e.Append(nil)
	l, err := ParseAllDir(append(b, b[:100]...))
	if err != nil || len(b) != DirEntrySize || len(l.Items) != 1 || len(l.Rest) != 100 {
		t.Fatalf("%d bytes, %d items, %d left, %v", len(b), len(l.Items), len(l.Rest), err)
	}
	if d := cmp.Diff(e, l.Items[0]); d != "" {
		t.Error(d)
	}
	if l.Items[0].CommentText() != "(MAIN)" || len(l.Items[0].Name.String()) != ProgramNameSize-1 {
		t.Errorf("%q %q", l.Items[0].CommentText(), l.Items[0].Name)
	}
}

func TestPaths(t *testing.T) {
	p := MakePathText("//CNC_MEM/")
	if len(p) != PathSize || p.String() != "//CNC_MEM/" {
		t.Errorf("%d bytes, %q", len(p), p)
	}
	if long := MakePathText(strings.Repeat("x", 300)); len(long) != PathSize {
		t.Errorf("%d bytes", len(long))
	}
	if got, err := ParsePathText(p); err != nil || !slices.Equal(got, p) {
		t.Error(got, err)
	}
}

func TestTransferStart(t *testing.T) {
	s, err := MakeTransferStart(TransferProgram, 2, NamedFile("//CNC_MEM/USER/"))
	if err != nil {
		t.Fatal(err)
	}
	frame, left, err := ParseFrame(AppendUploadStart(nil, &s))
	if err != nil || len(left) != 0 || frame.Type != TypeUploadStart || frame.Dir != DirRequest {
		t.Fatalf("%+v, %v", frame.Header, err)
	}
	got, err := ParseTransferStart(frame.Body)
	if err != nil || got != s || got.Spec() != "N://CNC_MEM/USER/" || got.Path != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	for _, n := range []int{0, 515, 517} {
		if _, err := ParseTransferStart(make([]byte, n)); err == nil {
			t.Errorf("%d bytes: no error", n)
		}
	}
	if _, err := MakeTransferStart(TransferProgram, 1, strings.Repeat("x", FileSpecSize)); err == nil {
		t.Error("a specification without room for its NUL was taken")
	}
	if NumberedFiles(1234, 1299) != "O1234-O1299" || TransferKind(9).String() != "kind(0x0009)" {
		t.Error(NumberedFiles(1234, 1299), TransferKind(9))
	}
}
