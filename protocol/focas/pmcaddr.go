package focas

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// PMCArea is one letter of PMC addresses and its code in requests.
type PMCArea struct {
	Letter byte
	Code   int32
}

// PMCAreas is a table of letters. It is data, because controls may differ: a program can hand its own to
// [PMCAreas.Parse].
type PMCAreas []PMCArea

// DefaultPMCAreas is the known table: G to D from public code, M and N from other public code, E and Z guessed.
func DefaultPMCAreas() PMCAreas {
	return PMCAreas{{'G', 0}, {'F', 1}, {'Y', 2}, {'X', 3}, {'A', 4}, {'R', 5}, {'T', 6}, {'K', 7}, {'C', 8}, {'D', 9},
		{'M', 10}, {'N', 11}, {'E', 12}, {'Z', 13}}
}

// Code is the code of a letter, in either case.
func (as PMCAreas) Code(letter byte) (int32, bool) {
	if letter >= 'a' && letter <= 'z' {
		letter -= 'a' - 'A'
	}
	i := slices.IndexFunc(as, func(a PMCArea) bool { return a.Letter == letter })
	if i < 0 {
		return 0, false
	}
	return as[i].Code, true
}

// Letter is the letter of a code.
func (as PMCAreas) Letter(code int32) (byte, bool) {
	i := slices.IndexFunc(as, func(a PMCArea) bool { return a.Code == code })
	if i < 0 {
		return 0, false
	}
	return as[i].Letter, true
}

// PMCAddress is one item of the PMC as people write it: "D100:word", "R10.3", "X8".
type PMCAddress struct {
	Letter byte // upper case
	Code   int32
	Offset int32   // byte address
	Bit    int     // 0 to 7, or -1 for a whole item
	Type   PMCType // PMCByte for a bit
}

// maxPMCOffset bounds the byte address; no control known reaches a tenth of it.
const maxPMCOffset = 999999

// ParsePMCAddress reads an address with the default table.
func ParsePMCAddress(s string) (PMCAddress, error) { return DefaultPMCAreas().Parse(s) }

// Parse reads a letter, a byte address, and then either a bit (".3") or a type (":word"; without one it is a byte).
func (as PMCAreas) Parse(s string) (PMCAddress, error) {
	bad := func(format string, a ...any) (PMCAddress, error) {
		return PMCAddress{}, fmt.Errorf("PMC address %q: %s; write it like R10.3, D100:word or X8", s, fmt.Sprintf(format, a...))
	}
	if s == "" {
		return bad("it is empty")
	}
	a := PMCAddress{Letter: strings.ToUpper(s[:1])[0], Bit: -1}
	var ok bool
	if a.Code, ok = as.Code(s[0]); !ok {
		return bad("%q is no PMC area", s[:1])
	}
	number, typ, typed := strings.Cut(s[1:], ":")
	number, bit, bitted := strings.Cut(number, ".")
	n, err := digits(number, maxPMCOffset)
	if err != nil {
		return bad("the address %v", err)
	}
	a.Offset = int32(n)
	switch {
	case bitted && typed:
		return bad("a bit has no type")
	case bitted:
		if a.Bit, err = digits(bit, 7); err != nil {
			return bad("the bit %v", err)
		}
	case typed:
		if a.Type, ok = parsePMCType(typ); !ok {
			return bad("%q is no type: byte, word, long, float32 or float64", typ)
		}
	}
	return a, nil
}

// digits reads plain decimal digits only: no sign, no underscore.
func digits(s string, limit int) (int, error) {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, fmt.Errorf("%q is not a number", s)
		}
	}
	n, err := strconv.Atoi(s)
	if err != nil || n > limit {
		return 0, fmt.Errorf("%q is not a number from 0 to %d", s, limit)
	}
	return n, nil
}

func parsePMCType(s string) (PMCType, bool) {
	for _, t := range [...]PMCType{PMCByte, PMCWord, PMCLong, PMCFloat32, PMCFloat64} {
		if t.String() == s {
			return t, true
		}
	}
	return 0, false
}

// String is the address as Parse reads it; a byte has no type suffix.
func (a PMCAddress) String() string {
	b := strconv.AppendInt([]byte{a.Letter}, int64(a.Offset), 10)
	switch {
	case a.Bit >= 0:
		b = strconv.AppendInt(append(b, '.'), int64(a.Bit), 10)
	case a.Type != PMCByte:
		b = append(append(b, ':'), a.Type.String()...)
	}
	return string(b)
}

// Range is the bytes of the item.
func (a PMCAddress) Range() PMCRange {
	return PMCRange{Area: a.Code, Type: a.Type, First: a.Offset, Last: a.Offset + int32(max(1, a.Type.Size())) - 1}
}
