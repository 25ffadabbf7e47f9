package atem

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
)

// HeaderSize is the size of a field's header in bytes: u16 length of the whole field, two bytes without meaning, and the
// code.
const HeaderSize = 8

// MaxField is the size of the largest field in bytes, header included.
const MaxField = 1<<16 - 1

// Code is the four letters that say what a field is, "PrgI" or "_ver", as a big-endian number, so that it can be a constant
// and a case of a switch.
type Code uint32

// ParseCode is the code of four bytes of text; ok is false for any other number of bytes.
func ParseCode(s string) (c Code, ok bool) {
	if len(s) != 4 {
		return 0, false
	}
	return Code(s[0])<<24 | Code(s[1])<<16 | Code(s[2])<<8 | Code(s[3]), true
}

// String shows the letters; bytes that are no printable ASCII are shown as \x and two digits.
func (c Code) String() string {
	letters := [4]byte{byte(c >> 24), byte(c >> 16), byte(c >> 8), byte(c)}
	for _, b := range letters {
		if b < 0x20 || b > 0x7e {
			return escaped(letters)
		}
	}
	return string(letters[:])
}

func escaped(letters [4]byte) string {
	out := make([]byte, 0, 16)
	for _, b := range letters {
		if b < 0x20 || b > 0x7e {
			out = fmt.Appendf(out, `\x%02x`, b)
		} else {
			out = append(out, b)
		}
	}
	return string(out)
}

// Field is one coded message, as it travels over every transport. Pad holds the two header bytes without meaning, which real
// switchers fill with leftovers; a writer of its own leaves them zero, a relay keeps them.
type Field struct {
	Code Code
	Pad  [2]byte
	Body []byte
}

// Size is the length of the field in bytes, header included.
func (f *Field) Size() int { return HeaderSize + len(f.Body) }

// Append adds the field to b. The error is [ErrTooLong] when the body does not fit into a field.
func (f *Field) Append(b []byte) ([]byte, error) {
	if f.Size() > MaxField {
		return b, fmt.Errorf("field %v of %d bytes: %w", f.Code, f.Size(), ErrTooLong)
	}
	b = binary.BigEndian.AppendUint16(b, uint16(f.Size()))
	b = append(b, f.Pad[0], f.Pad[1])
	b = binary.BigEndian.AppendUint32(b, uint32(f.Code))
	return append(b, f.Body...), nil
}

// The mistakes of a payload.
var (
	ErrTooLong  = errors.New("more than 65535 bytes")
	ErrShort    = errors.New("the payload ends inside a field")
	ErrTooShort = errors.New("a field says that it is shorter than its header")
)

// Next takes the first field off a payload. The body points into the payload. After an error the rest of the payload
// cannot be trusted.
func Next(payload []byte) (f Field, rest []byte, err error) {
	if len(payload) < HeaderSize {
		return f, payload, fmt.Errorf("%d bytes, a header has %d: %w", len(payload), HeaderSize, ErrShort)
	}
	n := int(binary.BigEndian.Uint16(payload))
	copy(f.Pad[:], payload[2:])
	f.Code = Code(binary.BigEndian.Uint32(payload[4:]))
	switch {
	case n < HeaderSize:
		return f, payload, fmt.Errorf("field %v of %d bytes: %w", f.Code, n, ErrTooShort)
	case n > len(payload):
		return f, payload, fmt.Errorf("field %v of %d bytes, %d are there: %w", f.Code, n, len(payload), ErrShort)
	}
	f.Body = payload[HeaderSize:n:n]
	return f, payload[n:], nil
}

// Fields walks over the fields of a payload; bodies point into it. It ends after the first error.
func Fields(payload []byte) iter.Seq2[Field, error] {
	return func(yield func(Field, error) bool) {
		for len(payload) > 0 {
			f, rest, err := Next(payload)
			if !yield(f, err) || err != nil {
				return
			}
			payload = rest
		}
	}
}
