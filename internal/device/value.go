package device

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Kind is the type of a point. It never changes during the life of a path.
type Kind uint8

// The kinds. The zero Kind means "no value yet".
const (
	Bool Kind = iota + 1
	Int
	Float
	String
	Enum
	Bytes
	List
)

var kindNames = [...]string{"none", "bool", "int", "float", "string", "enum", "bytes", "list"}

// String is the name used in configuration, HTTP and documentation.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind(" + strconv.Itoa(int(k)) + ")"
}

// Value is one immutable value. Numbers, booleans and enums allocate nothing. Strings, [Rows] and bytes sit in ref and
// must not be changed after publication. The zero Value means "no value yet".
type Value struct {
	Kind Kind
	num  uint64
	ref  any
}

// Rows holds a List: one row for each alarm, message or client; the columns are Spec.Columns.
type Rows [][]Value

// OfBool makes a Bool.
func OfBool(v bool) Value {
	if v {
		return Value{Kind: Bool, num: 1}
	}
	return Value{Kind: Bool}
}

// OfInt makes an Int.
func OfInt(v int64) Value { return Value{Kind: Int, num: uint64(v)} }

// OfFloat makes a Float.
func OfFloat(v float64) Value { return Value{Kind: Float, num: math.Float64bits(v)} }

// OfEnum makes an Enum; v is a Label's Value.
func OfEnum(v int64) Value { return Value{Kind: Enum, num: uint64(v)} }

// OfString makes a String.
func OfString(s string) Value { return Value{Kind: String, ref: s} }

// OfBytes makes a Bytes; it takes ownership of b.
func OfBytes(b []byte) Value { return Value{Kind: Bytes, ref: b} }

// OfRows makes a List; it takes ownership of r.
func OfRows(r Rows) Value { return Value{Kind: List, ref: r} }

// IsZero reports whether there is no value yet.
func (v Value) IsZero() bool { return v.Kind == 0 }

// Bool is the value of a Bool; false for other kinds.
func (v Value) Bool() bool { return v.Kind == Bool && v.num != 0 }

// Int is the value of an Int or Enum, and a Bool as 0 or 1.
func (v Value) Int() int64 { return int64(v.num) }

// Float is the value of a Float; an Int, Enum or Bool is converted.
func (v Value) Float() float64 {
	if v.Kind == Float {
		return math.Float64frombits(v.num)
	}
	return float64(int64(v.num))
}

// Str is the value of a String.
func (v Value) Str() string { s, _ := v.ref.(string); return s }

// Bytes is the value of a Bytes; the caller must not change it.
func (v Value) Bytes() []byte { b, _ := v.ref.([]byte); return b }

// Rows is the value of a List; the caller must not change it.
func (v Value) Rows() Rows { r, _ := v.ref.(Rows); return r }

// Numeric reports whether the value is a Bool, Int, Float or Enum.
func (v Value) Numeric() bool { return v.Kind >= Bool && v.Kind <= Float || v.Kind == Enum }

// Equal compares kind and content; two NaN are equal, so that a NaN point does not change for ever.
func (v Value) Equal(w Value) bool {
	if v.Kind != w.Kind {
		return false
	}
	switch v.Kind {
	case String:
		return v.Str() == w.Str()
	case Bytes:
		return bytes.Equal(v.Bytes(), w.Bytes())
	case List:
		a, b := v.Rows(), w.Rows()
		if len(a) != len(b) {
			return false
		}
		for i := range a {
			if len(a[i]) != len(b[i]) {
				return false
			}
			for j := range a[i] {
				if !a[i][j].Equal(b[i][j]) {
					return false
				}
			}
		}
		return true
	case Float:
		return v.num == w.num || v.Float() == w.Float() || math.IsNaN(v.Float()) && math.IsNaN(w.Float())
	}
	return v.num == w.num
}

// String is the value as plain text: what a terminal shows and what a simple client reads. Enums print their number; use
// [Spec] with its labels for the key. Bytes print as hex.
func (v Value) String() string {
	switch v.Kind {
	case 0:
		return ""
	case Bool:
		return strconv.FormatBool(v.num != 0)
	case Int, Enum:
		return strconv.FormatInt(int64(v.num), 10)
	case Float:
		return strconv.FormatFloat(v.Float(), 'f', -1, 64)
	case String:
		return v.Str()
	case Bytes:
		return hex.EncodeToString(v.Bytes())
	case List:
		var b strings.Builder
		for i, row := range v.Rows() {
			if i > 0 {
				b.WriteByte('\n')
			}
			for j, c := range row {
				if j > 0 {
					b.WriteByte('\t')
				}
				b.WriteString(c.String())
			}
		}
		return b.String()
	}
	return fmt.Sprintf("%v(%d)", v.Kind, v.num)
}
