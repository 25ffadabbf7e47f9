package focas

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"strconv"

	"github.com/patchbay-io/patchbay/wire"
)

// Limits of macro calls that FANUC's library keeps. Seen.
const (
	MaxMacrosPerRequest = 179 // as many values as a reply body of 1450 bytes holds
	MaxMacrosPerCall    = 400
)

// MacroNameSize is the size in bytes of a variable's name in function 0x275.
const MacroNameSize = 32

// MacroRequest asks for the custom macro variables from..to, cnc_rdmacro and cnc_rdmacror, answered by [Values]. Seen.
func MacroRequest(path uint16, from, to int32) Request {
	return Request{Class: ClassCNC, Path: path, Func: FuncReadMacro, Args: [4]int32{from, to}}
}

// WriteMacroRequest writes the variables from number from on, cnc_wrmacro and cnc_wrmacror. The classic dialect takes
// base 2 values, so that decimal ones are converted with [Value.Binary]; 30i takes them as they are. Seen.
func WriteMacroRequest(d Dialect, path uint16, from int32, values []Value) Request {
	return writeValues(d, path, FuncWriteMacro, from, values)
}

// PMacroRequest asks for the P-code macro variables from..to, cnc_rdpmacro, answered by [Values]. Seen.
func PMacroRequest(path uint16, from, to int32) Request {
	return Request{Class: ClassCNC, Path: path, Func: FuncReadPMacro, Args: [4]int32{from, to}}
}

// WritePMacroRequest writes P-code macro variables, cnc_wrpmacro, like [WriteMacroRequest]. Seen.
func WritePMacroRequest(d Dialect, path uint16, from int32, values []Value) Request {
	return writeValues(d, path, FuncWritePMacro, from, values)
}

func writeValues(d Dialect, path uint16, f Func, from int32, values []Value) Request {
	data := make([]byte, 0, len(values)*ValueSize)
	for _, v := range values {
		if d == Classic {
			v = v.Binary()
		}
		data = v.Append(data)
	}
	return Request{Class: ClassCNC, Path: path, Func: f, Args: [4]int32{from, from + int32(len(values)) - 1}, Data: data}
}

// Binary is the value with base 2 and a mantissa of 31 bits, cut towards zero, as the classic dialect is written: 1.234
// becomes 4ef9db22 / 2^30. Zero has exponent 0, a vacant value keeps -1. A value of base 2 stays as it is. Seen for
// positive numbers.
func (v Value) Binary() Value {
	switch {
	case v.IsVacant():
		return Vacant(Classic)
	case v.Mantissa == 0:
		return Value{Base: 2}
	case v.Base == 0 && v.Exponent == -1:
		v = Value{Mantissa: v.Mantissa, Base: 10}
	case v.Base != 10:
		return v
	}
	if v.Exponent < 0 || int(v.Exponent) >= len(uintPow10) {
		return binaryFloat(v.Float())
	}
	m, div := uint64(max(v.Mantissa, -v.Mantissa)), uintPow10[v.Exponent]
	if v.Mantissa == math.MinInt32 {
		m = 1 << 31
	}
	// The shift that brings the quotient to 31 bits, or one more.
	k := 31 + bits.Len64(div) - bits.Len64(m)
	q := shiftDiv(m, k, div)
	for q >= 1<<31 {
		k--
		q = shiftDiv(m, k, div)
	}
	if v.Mantissa < 0 {
		return Value{Mantissa: -int32(q), Base: 2, Exponent: int16(k)}
	}
	return Value{Mantissa: int32(q), Base: 2, Exponent: int16(k)}
}

// shiftDiv is m * 2^k / div, cut. The quotient must fit 64 bits.
func shiftDiv(m uint64, k int, div uint64) uint64 {
	if k < 0 {
		return (m >> -k) / div
	}
	hi, lo := uint64(0), m
	if k >= 64 {
		hi, lo = m<<(k-64), 0
	} else if k > 0 {
		hi, lo = m>>(64-k), m<<k
	}
	q, _ := bits.Div64(hi, lo, div)
	return q
}

func binaryFloat(f float64) Value {
	switch {
	case math.IsInf(f, 1):
		return Value{Mantissa: math.MaxInt32, Base: 2, Exponent: math.MinInt16}
	case math.IsInf(f, -1):
		return Value{Mantissa: -math.MaxInt32, Base: 2, Exponent: math.MinInt16}
	case f == 0:
		return Value{Base: 2}
	}
	fr, e := math.Frexp(f) // 0.5 <= |fr| < 1
	return Value{Mantissa: int32(fr * (1 << 31)), Base: 2, Exponent: int16(31 - e)}
}

// uintPow10 holds the powers of ten that fit 64 bits.
var uintPow10 = [...]uint64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

// DecimalOf is the decimal value nearest to f that a macro variable can hold: at most nine digits, as few as name f
// exactly. NaN, infinities and numbers of more than nine digits before the point are errors.
func DecimalOf(f float64) (Value, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) || math.Abs(f) > 999999999 {
		return Value{}, fmt.Errorf("%v cannot be a macro variable: at most nine digits", f)
	}
	for decimals := 0; decimals <= 9; decimals++ {
		m := math.Round(f * pow10[decimals])
		if math.Abs(m) > 999999999 {
			m = math.Round(f * pow10[decimals-1])
			return Decimal(int32(m), int16(decimals-1)), nil
		}
		if g, err := strconv.ParseFloat(strconv.FormatFloat(m/pow10[decimals], 'f', decimals, 64), 64); err == nil && g == f {
			return Decimal(int32(m), int16(decimals)), nil
		}
	}
	return Decimal(int32(math.Round(f*1e9)), 9), nil
}

// Double is an IEEE-754 double on the wire.
type Double float64

// Append appends the 8 bytes.
func (f Double) Append(b []byte) []byte {
	return binary.BigEndian.AppendUint64(b, math.Float64bits(float64(f)))
}

func doubleAt(b []byte) Double { return Double(math.Float64frombits(binary.BigEndian.Uint64(b))) }

// MacroDoubleRequest asks for count variables from number from as doubles, cnc_rdmacror2, answered by a list of
// [Double]. Seen.
func MacroDoubleRequest(path uint16, from, count int32) Request {
	return Request{Class: ClassCNC, Path: path, Func: FuncReadMacroDouble, Args: [4]int32{from, count}}
}

// ParseDoubles reads a payload of doubles, and the data of a write of them.
func ParseDoubles(payload []byte) (List[Double], error) {
	return parseList(payload, 8, doubleAt), nil
}

// WriteMacroDoubleRequest writes variables as doubles, cnc_wrmacror2; their number is told by the data alone. Seen.
func WriteMacroDoubleRequest(path uint16, from int32, values []float64) Request {
	data := make([]byte, 0, 8*len(values))
	for _, f := range values {
		data = Double(f).Append(data)
	}
	return Request{Class: ClassCNC, Path: path, Func: FuncWriteMacroDouble, Args: [4]int32{from}, Data: data}
}

// MacroNamedRequest asks for count variables with their names, cnc_rdmacror3, answered by [NamedMacros]. Seen.
func MacroNamedRequest(path uint16, from, count int32) Request {
	return Request{Class: ClassCNC, Path: path, Func: FuncReadMacroNamed, Args: [4]int32{from, count}}
}

// MacroName is a name of up to 31 bytes in the control's code page, padded with NUL.
type MacroName [MacroNameSize]byte

// String is the name up to its first NUL.
func (n MacroName) String() string { return wire.Text(n[:]) }

// NamedMacro is one variable of a [NamedMacros].
type NamedMacro struct {
	Value Double
	Name  MacroName
}

// NamedMacros is the payload of function 0x275: first all values, then all names. Seen.
type NamedMacros struct {
	Items []NamedMacro
	Rest  []byte // aliases the payload
}

// ParseNamedMacros reads the payload; the number of variables follows from its length.
func ParseNamedMacros(payload []byte) (NamedMacros, error) {
	n := len(payload) / (8 + MacroNameSize)
	m := NamedMacros{Items: make([]NamedMacro, n), Rest: rest(payload, n*(8+MacroNameSize))}
	for i := range m.Items {
		m.Items[i].Value = doubleAt(payload[8*i:])
		copy(m.Items[i].Name[:], payload[8*n+MacroNameSize*i:])
	}
	return m, nil
}

// Append appends the payload.
func (m NamedMacros) Append(b []byte) []byte {
	for i := range m.Items {
		b = m.Items[i].Value.Append(b)
	}
	for i := range m.Items {
		b = append(b, m.Items[i].Name[:]...)
	}
	return append(b, m.Rest...)
}

// MacroInfoRequest asks how many variables are in use, cnc_rdmacroinfo, answered by [MacroInfo]. Seen.
func MacroInfoRequest(path uint16) Request {
	return Request{Class: ClassCNC, Path: path, Func: FuncReadMacroInfo}
}

// MacroInfo is the payload of cnc_rdmacroinfo. FANUC calls the two words use_no1 and use_no2. Seen; what they count
// (local and common variables) is a guess.
type MacroInfo struct {
	Local, Common uint32
	Rest          []byte // aliases the payload
}

// ParseMacroInfo reads the payload.
func ParseMacroInfo(payload []byte) (MacroInfo, error) {
	if len(payload) < 8 {
		return MacroInfo{}, short("macro info", payload, 8)
	}
	return MacroInfo{Local: u32(payload), Common: u32(payload[4:]), Rest: rest(payload, 8)}, nil
}

// Append appends the payload.
func (m MacroInfo) Append(b []byte) []byte {
	return append(appendU32(appendU32(b, m.Local), m.Common), m.Rest...)
}

// MacroByNameSize is the size in bytes of a name in function 0x29f.
const MacroByNameSize = 64

// MacroByNameRequest asks for the number of the variable with a name, cnc_rdmacronum; the layout of the answer is unknown. The
// name is NUL padded, and cut at 64 bytes. Seen as a request.
func MacroByNameRequest(path uint16, name string) Request {
	n := min(len(name), MacroByNameSize)
	return Request{Class: ClassCNC, Path: path, Func: FuncReadMacroByName, Args: [4]int32{int32(n)},
		Data: wire.AppendText(nil, name[:n], MacroByNameSize)}
}
