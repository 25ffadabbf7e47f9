package focas

import (
	"bytes"
	"math"
	"testing"
)

func TestValue(t *testing.T) {
	for _, row := range []struct {
		bytes    string
		value    Value
		float    float64
		decimals int
		text     string
		vacant   bool
	}{
		{"0001e240 000a 0003", Decimal(123456, 3), 123.456, 3, "123.456", false},
		{"ffffa460 000a 0003", Decimal(-23456, 3), -23.456, 3, "-23.456", false},
		{"000004d2 000a 0000", Decimal(1234, 0), 1234, 0, "1234", false},
		{"00000000 000a ffff", Value{0, 10, -1}, 0, 0, "vacant", true},
		{"00000000 0002 ffff", Value{0, 2, -1}, 0, 0, "vacant", true},
		{"4ef9db22 0002 001e", Value{0x4ef9db22, 2, 30}, 1.233999999240, 0, "", false},
		{"40000000 0002 001e", Value{1 << 30, 2, 30}, 1, 0, "1", false},
		{"00003039 0000 ffff", RawValue(12345), 12345, 0, "12345", false},
		{"00000003 000a fffe", Value{3, 10, -2}, 300, 0, "300", false},
		{"00000003 0007 0001", Value{3, 7, 1}, 1.5, 0, "1.5", false}, // every base but 10 is 2
		{"00000001 000a 001e", Value{1, 10, 30}, 1e-30, 30, "0.000000000000000000000000000001", false},
	} {
		t.Run(row.bytes, func(t *testing.T) {
			b := unhex(t, row.bytes)
			v, err := ParseValue(b)
			if err != nil || v != row.value {
				t.Fatalf("ParseValue = %+v, %v; want %+v", v, err, row.value)
			}
			if !bytes.Equal(v.Append(nil), b) {
				t.Errorf("appended %x", v.Append(nil))
			}
			if math.Abs(v.Float()-row.float) > 1e-9*math.Abs(row.float) {
				t.Errorf("Float() = %v, want %v", v.Float(), row.float)
			}
			if v.Decimals() != row.decimals || v.IsVacant() != row.vacant {
				t.Errorf("decimals %d, vacant %v", v.Decimals(), v.IsVacant())
			}
			if row.text != "" && v.String() != row.text {
				t.Errorf("String() = %q, want %q", v.String(), row.text)
			}
		})
	}
	if _, err := ParseValue(make([]byte, 7)); err == nil {
		t.Error("seven bytes are accepted")
	}
	if Vacant(Classic) != (Value{0, 2, -1}) || Vacant(Series30i) != (Value{0, 10, -1}) {
		t.Error("vacant values of the dialects")
	}
}

// The digits of a position are those of the control, without the noise of binary fractions.
func TestValueExact(t *testing.T) {
	for _, row := range []struct {
		v    Value
		want float64
	}{{Decimal(123456, 3), 123.456}, {Decimal(1, 1), 0.1}, {Decimal(-7, 4), -0.0007}, {Decimal(2147483647, 9), 2.147483647}} {
		if got := row.v.Float(); got != row.want {
			t.Errorf("%+v is %v, want %v", row.v, got, row.want)
		}
	}
}
