package focas

import (
	"bytes"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPMCAddress(t *testing.T) {
	for _, row := range []struct {
		in, out string
		want    PMCAddress
		first   int32
		last    int32
	}{
		{"D100:word", "D100:word", PMCAddress{'D', 9, 100, -1, PMCWord}, 100, 101},
		{"R10.3", "R10.3", PMCAddress{'R', 5, 10, 3, PMCByte}, 10, 10},
		{"x8", "X8", PMCAddress{'X', 3, 8, -1, PMCByte}, 8, 8},
		{"G0:byte", "G0", PMCAddress{'G', 0, 0, -1, PMCByte}, 0, 0},
		{"d0:long", "D0:long", PMCAddress{'D', 9, 0, -1, PMCLong}, 0, 3},
		{"E12:float32", "E12:float32", PMCAddress{'E', 12, 12, -1, PMCFloat32}, 12, 15},
		{"Z999999:float64", "Z999999:float64", PMCAddress{'Z', 13, 999999, -1, PMCFloat64}, 999999, 1000006},
		{"F007.0", "F7.0", PMCAddress{'F', 1, 7, 0, PMCByte}, 7, 7},
	} {
		a, err := ParsePMCAddress(row.in)
		if err != nil {
			t.Errorf("%s: %v", row.in, err)
			continue
		}
		if d := cmp.Diff(row.want, a); d != "" {
			t.Errorf("%s: %s", row.in, d)
		}
		if a.String() != row.out {
			t.Errorf("%s is written as %s", row.in, a)
		}
		if r := a.Range(); r.First != row.first || r.Last != row.last || r.Area != a.Code || r.Type != a.Type || r.Len() != int(row.last-row.first)+1 {
			t.Errorf("%s: %+v", row.in, r)
		}
	}
	for _, in := range []string{"", "D", "100", "Q100", "D-1", "D+1", "D1_0", "D1000000", "D99999999999999999999", "R10.8", "R10.", "R10.-1",
		"R10.3:word", "D100:", "D100:WORD", "D100:int", "D100 ", " D100", "D1.2.3", "Ä1", "D0x10"} {
		if a, err := ParsePMCAddress(in); err == nil {
			t.Errorf("%q: no error, %+v", in, a)
		}
	}
}

func TestPMCAreas(t *testing.T) {
	own := PMCAreas{{'E', 11}, {'Z', 12}}
	if a, err := own.Parse("e5"); err != nil || a.Code != 11 {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := own.Parse("D5"); err == nil {
		t.Error("a letter that is not in the table was taken")
	}
	for _, a := range DefaultPMCAreas() {
		if l, ok := DefaultPMCAreas().Letter(a.Code); !ok || l != a.Letter {
			t.Errorf("code %d is %c, want %c", a.Code, l, a.Letter)
		}
	}
	if _, ok := own.Letter(9); ok {
		t.Error("a code that is not in the table has a letter")
	}
}

func FuzzPMCAddress(f *testing.F) {
	for _, s := range []string{"D100:word", "R10.3", "X8", "", "D:", "D.", "d00.7"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParsePMCAddress(s)
		if err != nil {
			return
		}
		b, err := ParsePMCAddress(a.String())
		if err != nil || a != b {
			t.Errorf("%q is %+v, which is written %s and read as %+v, %v", s, a, a, b, err)
		}
	})
}

func TestPMCItems(t *testing.T) {
	for _, row := range []struct {
		typ PMCType
		f   float64
		hex string
	}{
		{PMCByte, 200, "c8"}, {PMCWord, -2, "fffe"}, {PMCLong, -70000, "fffeee90"}, {PMCFloat32, 1.5, "3fc00000"}, {PMCFloat64, -3.25, "c00a000000000000"},
	} {
		b, err := row.typ.AppendFloat(nil, row.f)
		if err != nil || !bytes.Equal(b, unhex(t, row.hex)) {
			t.Errorf("%v %v: %x, %v", row.typ, row.f, b, err)
		}
		if f, ok := row.typ.Float(b); !ok || f != row.f {
			t.Errorf("%v %x: %v, %v", row.typ, b, f, ok)
		}
		if _, ok := row.typ.Float(b[:len(b)-1]); ok {
			t.Errorf("%v: %d bytes are too few", row.typ, len(b)-1)
		}
	}
	for _, row := range []struct {
		typ PMCType
		f   float64
	}{
		{PMCByte, 256}, {PMCByte, -129}, {PMCByte, 1.5}, {PMCWord, 65536}, {PMCWord, -32769}, {PMCLong, 1 << 33}, {PMCLong, math.NaN()},
		{PMCByte, math.Inf(1)}, {3, 0},
	} {
		if b, err := row.typ.AppendFloat(nil, row.f); err == nil {
			t.Errorf("%v %v: no error, %x", row.typ, row.f, b)
		}
	}
	if b, err := PMCWord.AppendFloat(nil, 65535); err != nil || !bytes.Equal(b, []byte{0xff, 0xff}) {
		t.Errorf("word 65535: %x, %v", b, err)
	}
	if _, ok := PMCType(3).Float(make([]byte, 8)); ok || PMCType(3).Size() != 0 || PMCType(3).String() != "type(3)" {
		t.Error("type 3 is unknown")
	}
}

func TestPMCInfo(t *testing.T) {
	b := unhex(t, "00000001 0044 0007 00000000 0000270f")
	i, err := ParsePMCInfo(b)
	if err != nil || i.Items[0] != (PMCAreaInfo{'D', 7, 0, 9999}) || !bytes.Equal(i.Append(nil), b) {
		t.Errorf("%+v, %v", i, err)
	}
	for _, in := range []string{"", "000000", "00000001", "00000002 0044 0007 00000000 0000270f", "ffffffff 0044 0007 00000000 0000270f"} {
		if i, err := ParsePMCInfo(unhex(t, in)); err == nil {
			t.Errorf("%s: no error, %+v", in, i)
		}
	}
}

func TestPMCRange(t *testing.T) {
	r := PMCRange{Area: 9, Type: PMCWord, First: 100, Last: 103}
	if q := PMCRequest(2, r); ParsePMCRange(q) != r || q.Path != 2 || q.Class != ClassPMC {
		t.Errorf("%+v", q)
	}
	if q := WritePMCRequest(1, r, []byte{1, 2, 3, 4}); ParsePMCRange(q) != r || len(q.Data) != r.Len() {
		t.Errorf("%+v", q)
	}
	for _, r := range []PMCRange{{First: 5, Last: 4}, {First: math.MaxInt32, Last: math.MinInt32}} {
		if r.Len() != 0 {
			t.Errorf("%+v: %d bytes", r, r.Len())
		}
	}
}
