package focas

import (
	"encoding/binary"
	"math"
	"strconv"
)

// ValueSize is the size of a [Value] on the wire, in bytes.
const ValueSize = 8

// Value is the 8-byte number of positions, speeds, loads and macro variables: i32 mantissa, u16 base, i16 exponent.
// It stands for Mantissa / Base^Exponent. Base is 10 or 2; every other base is treated as 2, as FANUC's library does.
// The three fields survive as they are, so that a value read and written again is the same bytes.
type Value struct {
	Mantissa int32
	Base     uint16
	Exponent int16
}

// Vacant is the value of a macro variable that holds nothing, in the 30i dialect.
var vacant = Value{Base: 10, Exponent: -1}

// Vacant is the value of a macro variable that holds nothing: in classic with base 2, else with base 10.
func Vacant(d Dialect) Value {
	if d == Classic {
		return Value{Base: 2, Exponent: -1}
	}
	return vacant
}

// RawValue is an integer in the least input increment, as offsets and non-real parameters are written.
func RawValue(m int32) Value { return Value{Mantissa: m, Exponent: -1} }

// Decimal is m with decimals digits after the point.
func Decimal(m int32, decimals int16) Value { return Value{Mantissa: m, Base: 10, Exponent: decimals} }

// IsVacant reports an empty macro variable: mantissa 0 and exponent -1.
func (v Value) IsVacant() bool { return v.Mantissa == 0 && v.Exponent == -1 }

// Float is the number. A vacant value is 0; a raw value is its mantissa.
func (v Value) Float() float64 {
	switch {
	case v.Exponent == 0 || v.Mantissa == 0 || v.Base == 0 && v.Exponent == -1:
		return float64(v.Mantissa)
	case v.Base == 10:
		if v.Exponent > 0 && v.Exponent < 23 {
			return float64(v.Mantissa) / pow10[v.Exponent]
		}
		return float64(v.Mantissa) * math.Pow(10, -float64(v.Exponent))
	}
	return math.Ldexp(float64(v.Mantissa), -int(v.Exponent))
}

// Decimals is how many digits after the point the control shows: the exponent of a base 10 value, else 0.
func (v Value) Decimals() int {
	if v.Base == 10 && v.Exponent > 0 {
		return int(v.Exponent)
	}
	return 0
}

// maxShown is how many digits after the point a text has; no control shows as many, and a peer may claim 32767.
const maxShown = 32

// String is the number as the control shows it, "vacant" for an empty variable.
func (v Value) String() string {
	if v.IsVacant() {
		return "vacant"
	}
	if v.Base == 10 && v.Exponent >= 0 && v.Exponent <= maxShown {
		return strconv.FormatFloat(v.Float(), 'f', int(v.Exponent), 64)
	}
	return strconv.FormatFloat(v.Float(), 'g', -1, 64)
}

// Append appends the 8 bytes.
func (v Value) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(v.Mantissa))
	b = binary.BigEndian.AppendUint16(b, v.Base)
	return binary.BigEndian.AppendUint16(b, uint16(v.Exponent))
}

// valueAt reads the value in the first 8 bytes of b, which must be there.
func valueAt(b []byte) Value {
	return Value{int32(binary.BigEndian.Uint32(b)), u16(b[4:]), int16(u16(b[6:]))}
}

// pow10 holds the powers of ten that a float64 represents exactly.
var pow10 = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}
