// Package wire is the byte cursor that the codecs share: a [Reader] whose first failure sticks, and the bounded append
// helpers that the standard library does not have. Everything is big-endian unless the name says LE. The package does no
// I/O and never allocates by a number that it has read.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrShort is the cause when the bytes end before the field does.
var ErrShort = errors.New("ends too early")

// Error says where decoding stopped making sense.
type Error struct {
	Message string // the message or structure being read
	Field   string // the field
	Offset  int    // where the field begins, in bytes from the start of the structure
	Err     error
}

// Error is "message.field at offset n: cause".
func (e *Error) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("%s at byte %d: %v", e.Message, e.Offset, e.Err)
	}
	return fmt.Sprintf("%s.%s at byte %d: %v", e.Message, e.Field, e.Offset, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Reader walks over a byte slice. After the first failure every read returns zero and Err stays what it was, so that a
// parser reads all its fields and checks once. It is a value type, is not safe for concurrent use and does not copy.
type Reader struct {
	msg string
	b   []byte
	off int
	err *Error
}

// NewReader reads b, naming message in errors.
func NewReader(message string, b []byte) Reader { return Reader{msg: message, b: b} }

// Err is the first failure, an *[Error], or nil.
func (r *Reader) Err() error {
	if r.err == nil {
		return nil
	}
	return r.err
}

// Len is how many bytes are left.
func (r *Reader) Len() int { return len(r.b) - r.off }

// Offset is how many bytes have been read.
func (r *Reader) Offset() int { return r.off }

// Fail records a failure of the parser's own at the current offset; the first one stays.
func (r *Reader) Fail(field string, err error) {
	if r.err == nil {
		r.err = &Error{Message: r.msg, Field: field, Offset: r.off, Err: err}
	}
}

func (r *Reader) take(field string, n int) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > len(r.b)-r.off {
		r.Fail(field, ErrShort)
		return nil
	}
	s := r.b[r.off : r.off+n : r.off+n]
	r.off += n
	return s
}

// Bytes is the next n bytes, not copied.
func (r *Reader) Bytes(field string, n int) []byte { return r.take(field, n) }

// Skip passes over n bytes.
func (r *Reader) Skip(field string, n int) { r.take(field, n) }

// Rest is everything that is left, not copied; nil when nothing is.
func (r *Reader) Rest() []byte {
	if r.err != nil || r.Len() == 0 {
		return nil
	}
	return r.take("rest", r.Len())
}

// U8 reads one byte.
func (r *Reader) U8(field string) uint8 {
	if s := r.take(field, 1); s != nil {
		return s[0]
	}
	return 0
}

// U16 reads two bytes.
func (r *Reader) U16(field string) uint16 {
	if s := r.take(field, 2); s != nil {
		return binary.BigEndian.Uint16(s)
	}
	return 0
}

// U32 reads four bytes.
func (r *Reader) U32(field string) uint32 {
	if s := r.take(field, 4); s != nil {
		return binary.BigEndian.Uint32(s)
	}
	return 0
}

// U64 reads eight bytes.
func (r *Reader) U64(field string) uint64 {
	if s := r.take(field, 8); s != nil {
		return binary.BigEndian.Uint64(s)
	}
	return 0
}

// I8 reads one signed byte.
func (r *Reader) I8(field string) int8 { return int8(r.U8(field)) }

// I16 reads two bytes, signed.
func (r *Reader) I16(field string) int16 { return int16(r.U16(field)) }

// I32 reads four bytes, signed.
func (r *Reader) I32(field string) int32 { return int32(r.U32(field)) }

// F32 reads an IEEE-754 single.
func (r *Reader) F32(field string) float32 { return math.Float32frombits(r.U32(field)) }

// F64 reads an IEEE-754 double.
func (r *Reader) F64(field string) float64 { return math.Float64frombits(r.U64(field)) }

// Text reads n bytes and returns them up to the first NUL, as they are.
func (r *Reader) Text(field string, n int) string { return Text(r.take(field, n)) }

// Text is b up to its first NUL.
func Text(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// AppendText appends s cut or padded with NUL to exactly n bytes.
func AppendText(b []byte, s string, n int) []byte {
	if len(s) > n {
		s = s[:n]
	}
	b = append(b, s...)
	return AppendZero(b, n-len(s))
}

// AppendZero appends n zero bytes.
func AppendZero(b []byte, n int) []byte {
	for ; n > 0; n-- {
		b = append(b, 0)
	}
	return b
}
