package focas

import (
	"fmt"

	"github.com/patchbay-io/patchbay/wire"
)

// List is a payload that is a row of items of equal size. Rest holds the bytes after the last whole item; it aliases
// the payload.
type List[T interface{ Append([]byte) []byte }] struct {
	Items []T
	Rest  []byte
}

// Append appends the items and the rest.
func (l List[T]) Append(b []byte) []byte {
	for i := range l.Items {
		b = l.Items[i].Append(b)
	}
	return append(b, l.Rest...)
}

// parseList reads items of size bytes each until fewer bytes than that are left. What it allocates is bounded by the
// payload, never by a count in it.
func parseList[T interface{ Append([]byte) []byte }](payload []byte, size int, item func([]byte) T) List[T] {
	n := len(payload) / size
	var l List[T]
	if n > 0 {
		l.Items = make([]T, n)
	}
	for i := range l.Items {
		l.Items[i] = item(payload[i*size : (i+1)*size])
	}
	l.Rest = rest(payload, n*size)
	return l
}

// rest is b without its first n bytes; nil when nothing is left. An append to it does not reach what lies behind b.
func rest(b []byte, n int) []byte {
	if len(b) <= n {
		return nil
	}
	return b[n:len(b):len(b)]
}

// short is the error of a payload that is smaller than its fixed part.
func short(message string, payload []byte, need int) error {
	return &wire.Error{Message: message, Field: "payload", Offset: len(payload),
		Err: fmt.Errorf("%w: %d bytes, at least %d needed", wire.ErrShort, len(payload), need)}
}

// Values are 8-byte numbers: macro variables and offsets. Seen.
type Values = List[Value]

// ParseValues reads a payload of 8-byte numbers.
func ParseValues(payload []byte) (Values, error) {
	return parseList(payload, ValueSize, valueAt), nil
}

// Counter is a payload of one number: the running sequence number, a count, a limit. Seen.
type Counter struct {
	N    int32
	Rest []byte // after the number; aliases the payload
}

// ParseCounter reads an i32.
func ParseCounter(payload []byte) (Counter, error) {
	if len(payload) < 4 {
		return Counter{}, short("counter", payload, 4)
	}
	return Counter{N: i32(payload), Rest: rest(payload, 4)}, nil
}

// Append appends the payload.
func (c Counter) Append(b []byte) []byte { return append(appendI32(b, c.N), c.Rest...) }

// NumberRange is the payload of cnc_rdparanum and cnc_rddiagnum: three u32. Seen.
type NumberRange struct {
	Min, Max uint32 // smallest and largest number
	Total    uint32 // how many numbers exist
	Rest     []byte // aliases the payload
}

// ParseNumberRange reads the payload.
func ParseNumberRange(payload []byte) (NumberRange, error) {
	if len(payload) < 12 {
		return NumberRange{}, short("number range", payload, 12)
	}
	return NumberRange{Min: u32(payload), Max: u32(payload[4:]), Total: u32(payload[8:]), Rest: rest(payload, 12)}, nil
}

// Append appends the payload.
func (n NumberRange) Append(b []byte) []byte {
	b = appendU32(appendU32(appendU32(b, n.Min), n.Max), n.Total)
	return append(b, n.Rest...)
}
