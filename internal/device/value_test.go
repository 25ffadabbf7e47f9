package device

import (
	"math"
	"testing"
)

func TestValueEqual(t *testing.T) {
	nan := OfFloat(math.NaN())
	rows := OfRows(Rows{{OfInt(1), OfString("a")}})
	for _, tt := range []struct {
		a, b Value
		want bool
	}{
		{Value{}, Value{}, true},
		{OfBool(true), OfBool(true), true},
		{OfBool(true), OfInt(1), false},
		{OfInt(1), OfEnum(1), false},
		{nan, nan, true},
		{OfFloat(0), OfFloat(math.Copysign(0, -1)), true},
		{OfFloat(1), OfFloat(2), false},
		{OfString("a"), OfString("a"), true},
		{OfString("a"), OfString("b"), false},
		{OfBytes([]byte{1}), OfBytes([]byte{1}), true},
		{OfBytes([]byte{1}), OfBytes(nil), false},
		{rows, OfRows(Rows{{OfInt(1), OfString("a")}}), true},
		{rows, OfRows(Rows{{OfInt(1)}}), false},
		{rows, OfRows(Rows{{OfInt(1), OfString("b")}}), false},
		{rows, OfRows(nil), false},
	} {
		if got := tt.a.Equal(tt.b); got != tt.want {
			t.Errorf("(%v %v).Equal(%v %v) = %v", tt.a.Kind, tt.a, tt.b.Kind, tt.b, got)
		}
	}
}

func TestNumbersAllocateNothing(t *testing.T) {
	var sink Value
	if n := testing.AllocsPerRun(100, func() {
		sink = OfInt(5)
		sink = OfFloat(5.5)
		sink = OfBool(true)
		sink = OfEnum(3)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	_ = sink
}

func TestTablesAreSound(t *testing.T) {
	seen := map[string]bool{}
	for _, u := range Units() {
		if seen[u.Symbol] || u.UCUM == "" || u.Meaning == "" {
			t.Errorf("unit %q is double or incomplete", u.Symbol)
		}
		seen[u.Symbol] = true
		if got, ok := UnitOf(u.Symbol); !ok || got != u {
			t.Errorf("UnitOf(%q) = %v, %v", u.Symbol, got, ok)
		}
	}
	clear(seen)
	for _, r := range Roles() {
		if seen[r.Name] || r.Kind == 0 || r.Meaning == "" {
			t.Errorf("role %q is double or incomplete", r.Name)
		}
		seen[r.Name] = true
		if got, ok := RoleOf(r.Name); !ok || got != r {
			t.Errorf("RoleOf(%q) = %v, %v", r.Name, got, ok)
		}
	}
	if _, ok := RoleOf("nothing"); ok {
		t.Error("RoleOf finds what is not there")
	}
	if Kind(99).String() != "kind(99)" || Quality(9).String() != "unknown" || RW.String() != "rw" || Meter.String() != "meter" {
		t.Error("names")
	}
}
