package device

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	modes = &LabelSet{ID: "modes", Items: []Label{{0, "auto", "Automatic", "AUT"}, {1, "manual", "Hand", ""}, {2, "mdi", "Hand", ""}, {7, "3010", "Input", "IN"}}}

	flag  = &Spec{Path: "flag", Kind: Bool}
	count = &Spec{Path: "count", Kind: Int, Min: 0, Max: 200, Step: 10, Unit: "%"}
	free  = &Spec{Path: "free", Kind: Int}
	level = &Spec{Path: "level", Kind: Float, Min: -60, Max: 12, Step: 0.5, Unit: "dB", Decimals: 1}
	name  = &Spec{Path: "name", Kind: String}
	mode  = &Spec{Path: "mode", Kind: Enum, Labels: "modes"}
	raw   = &Spec{Path: "raw", Kind: Bytes}
	list  = &Spec{Path: "list", Kind: List, Columns: []Spec{{Path: "code", Kind: String}, {Path: "n", Kind: Int}}}
)

func TestCoerce(t *testing.T) {
	for _, tt := range []struct {
		spec *Spec
		in   any
		want Value
		err  string
	}{
		{flag, true, OfBool(true), ""},
		{flag, "off", OfBool(false), ""},
		{flag, 1.0, OfBool(true), ""},
		{flag, 2.0, Value{}, "2 does not fit: write true or false"},
		{flag, "maybe", Value{}, `"maybe" does not fit: write true or false`},
		{flag, nil, Value{}, "null does not fit"},
		{count, 120.0, OfInt(120), ""},
		{count, json.Number("120"), OfInt(120), ""},
		{count, "120", OfInt(120), ""},
		{count, " 120 % ", OfInt(120), ""},
		{count, "0x64", OfInt(100), ""},
		{count, 300, Value{}, "300 is out of range: 0 to 200 %, in steps of 10"},
		{count, -10, Value{}, "out of range"},
		{count, 15, Value{}, "15 is not on a step: 0 to 200 %, in steps of 10"},
		{count, 1.5, Value{}, "it wants a whole number"},
		{count, "ten", Value{}, `"ten" does not fit: it wants a whole number`},
		{count, true, Value{}, "true does not fit"},
		{count, []any{1}, Value{}, "an array does not fit"},
		{free, json.Number("9223372036854775807"), OfInt(math.MaxInt64), ""},
		{free, 1e19, Value{}, "whole number"},
		{free, "010", OfInt(10), ""},
		{level, -12.5, OfFloat(-12.5), ""},
		{level, "-12.5 dB", OfFloat(-12.5), ""},
		{level, "-12,5", Value{}, "written like 12.5"},
		{level, 11.2, Value{}, "11.2 is not on a step: -60 to 12 dB, in steps of 0.5"},
		{level, 13, Value{}, "out of range"},
		{level, "NaN", Value{}, "finite"},
		{name, "", OfString(""), ""},
		{name, 5.0, Value{}, "it wants text"},
		{mode, "auto", OfEnum(0), ""},
		{mode, "AUTO", OfEnum(0), ""},
		{mode, "automatic", OfEnum(0), ""},
		{mode, "Hand", Value{}, "write the key: manual, mdi"},
		{mode, 2.0, OfEnum(2), ""},
		{mode, "2", OfEnum(2), ""},
		{mode, "3010", OfEnum(7), ""},
		{mode, 5.0, Value{}, "5 is not one of its values: it wants auto, manual, mdi, 3010"},
		{mode, "atuo", Value{}, `(did you mean "auto"?)`},
		{mode, 1.5, Value{}, "it wants auto"},
		{mode, "AUT", OfEnum(0), ""},
		{mode, "in", OfEnum(7), ""},
		{mode, "", Value{}, "not one of its values"},
		{mode, OfEnum(1), OfEnum(1), ""},
		{raw, "0a 1B", OfBytes([]byte{10, 27}), ""},
		{raw, "0a1", Value{}, "bytes in hex"},
		{list, []any{}, Value{}, "a list cannot be written"},
	} {
		got, err := Coerce(tt.spec, modes, tt.in)
		if tt.err == "" {
			if err != nil || !got.Equal(tt.want) {
				t.Errorf("%s from %#v: %v, %v; want %v", tt.spec.Path, tt.in, got, err, tt.want)
			}
			continue
		}
		var ve *ValueError
		if !errors.As(err, &ve) || !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s from %#v: error %v, want one with %q", tt.spec.Path, tt.in, err, tt.err)
		}
	}
	if v, err := Coerce(mode, nil, 12.0); err != nil || v.Int() != 12 {
		t.Errorf("an enum without labels takes its number: %v, %v", v, err)
	}
}

func TestCoerceTellsRangeFromType(t *testing.T) {
	for in, want := range map[any]bool{300: true, "x": false} {
		_, err := Coerce(count, nil, in)
		var ve *ValueError
		if !errors.As(err, &ve) || ve.OutOfRange != want {
			t.Errorf("%v: OutOfRange of %v, want %v", in, err, want)
		}
	}
}

func TestTextAndJSON(t *testing.T) {
	inf := OfFloat(math.Inf(1))
	rows := OfRows(Rows{{OfString("SV0401"), OfInt(401)}, {OfString("PS0010"), OfInt(10), OfBool(true)}})
	for _, tt := range []struct {
		spec *Spec
		v    Value
		text string
		json string
	}{
		{flag, OfBool(true), "true", `true`},
		{count, Value{}, "", `null`},
		{free, OfInt(math.MinInt64), "-9223372036854775808", `-9223372036854775808`},
		{level, OfFloat(-3), "-3.0", `-3`},
		{level, OfFloat(math.NaN()), "", `null`},
		{level, inf, "", `null`},
		{&Spec{Kind: Float}, OfFloat(0.1), "0.1", `0.1`},
		{&Spec{Kind: Float}, OfFloat(1e300), "1e+300", `1e+300`},
		{name, OfString("Ü\""), `Ü"`, `"Ü\""`},
		{mode, OfEnum(1), "Hand", `"manual"`},
		{mode, OfEnum(99), "99", `99`},
		{raw, OfBytes([]byte{0, 255}), "00ff", `"00ff"`},
		{list, rows, "SV0401\t401\nPS0010\t10\ttrue", `[{"code":"SV0401","n":401},{"code":"PS0010","column-3":true,"n":10}]`},
		{list, OfRows(nil), "", `[]`},
	} {
		if got := Text(tt.spec, modes, tt.v); got != tt.text {
			t.Errorf("Text of %v %v = %q, want %q", tt.v.Kind, tt.v, got, tt.text)
		}
		got, err := json.Marshal(JSON(tt.spec, modes, tt.v))
		if diff := cmp.Diff(tt.json, string(got)); err != nil || diff != "" {
			t.Errorf("JSON of %v %v: %v %s", tt.v.Kind, tt.v, err, diff)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"path/1/feed/override", "path/1/feed/actual", "macros/500"}
	for _, tt := range []struct{ in, want string }{
		{"path/1/feed/overide", "path/1/feed/override"},
		{"PATH/1/feed/actual", "path/1/feed/actual"},
		{"macros/501", "macros/500"},
		{"studio", ""},
		{"", ""},
		{strings.Repeat("x", 400), ""},
	} {
		if got, ok := Nearest(tt.in, words); got != tt.want || ok != (tt.want != "") {
			t.Errorf("Nearest(%q) = %q, %v", tt.in, got, ok)
		}
	}
}

func FuzzCoerce(f *testing.F) {
	for _, s := range []string{"on", "12.5", "0x1f", "auto", "1e309", "-0", "Hand", "0a1b"} {
		f.Add(s)
	}
	specs := []*Spec{flag, count, free, level, name, mode, raw, list}
	f.Fuzz(func(t *testing.T, in string) {
		for _, s := range specs {
			v, err := Coerce(s, modes, in)
			if err != nil {
				continue
			}
			if v.Kind != s.Kind {
				t.Fatalf("%s from %q has kind %v", s.Path, in, v.Kind)
			}
			again, err := Coerce(s, modes, JSON(s, modes, v))
			if err != nil || !again.Equal(v) {
				t.Fatalf("%s: %q became %v, and that became %v, %v", s.Path, in, v, again, err)
			}
		}
	})
}
