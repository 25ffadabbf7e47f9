package rfc6455

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Opcode says what a frame is.
type Opcode uint8

// The opcodes. The others are reserved.
const (
	Continuation Opcode = 0x0
	Text         Opcode = 0x1
	Binary       Opcode = 0x2
	Close        Opcode = 0x8
	Ping         Opcode = 0x9
	Pong         Opcode = 0xa
)

// String is a word, or the number of a reserved one.
func (o Opcode) String() string {
	switch o {
	case Continuation:
		return "continuation"
	case Text:
		return "text"
	case Binary:
		return "binary"
	case Close:
		return "close"
	case Ping:
		return "ping"
	case Pong:
		return "pong"
	}
	return "opcode " + strconv.Itoa(int(o))
}

// Control reports whether the frame may stand between the frames of a message.
func (o Opcode) Control() bool { return o&8 != 0 }

// Known reports whether the opcode is none of the reserved ones.
func (o Opcode) Known() bool { return o <= Binary || o >= Close && o <= Pong }

// Sizes in bytes.
const (
	// MaxHeader is the longest header of a frame.
	MaxHeader = 14
	// MaxControl is the longest payload of a control frame.
	MaxControl = 125
	// MaxPayload is the longest payload that is read when no other limit is given. The standard has none.
	MaxPayload = 4 << 20
)

// RSV1 is the reserved bit, in Header.Reserved, by which a message of permessage-deflate is told (RFC 7692).
const RSV1 = 4

// Errors of frames. Behind [ErrShort] more bytes may help.
var (
	ErrShort    = errors.New("a frame is not whole")
	ErrReserved = errors.New("a frame has a reserved opcode or bit")
	ErrControl  = errors.New("a control frame is in fragments, or longer than 125 bytes")
	ErrLength   = errors.New("the length of a frame has more bytes than it needs, or its highest bit")
	ErrTooLong  = errors.New("a frame is longer than the limit")
	ErrClose    = errors.New("the payload of a close frame is one byte, or its reason is no UTF-8")
)

// Header is what stands in front of a payload.
type Header struct {
	Fin      bool  // the last frame of its message
	Reserved uint8 // three bits; RSV1 is the highest
	Opcode   Opcode
	Masked   bool
	Mask     [4]byte // when Masked
	Length   uint64  // of the payload, in bytes
}

// ParseHeader reads a header and how many bytes it takes. On [ErrReserved], [ErrControl] and [ErrLength] both are what they
// say all the same, so that a reader may look for the frame behind it.
func ParseHeader(b []byte) (h Header, n int, err error) {
	if len(b) < 2 {
		return h, 0, ErrShort
	}
	h = Header{Fin: b[0]&0x80 != 0, Reserved: b[0] >> 4 & 7, Opcode: Opcode(b[0] & 0x0f), Masked: b[1]&0x80 != 0, Length: uint64(b[1] & 0x7f)}
	n, least := 2, uint64(0)
	switch h.Length {
	case 126:
		n, least = 4, 126
	case 127:
		n, least = 10, 1<<16
	}
	mask := n
	if h.Masked {
		n += 4
	}
	if len(b) < n {
		return Header{}, 0, ErrShort
	}
	switch mask {
	case 4:
		h.Length = uint64(binary.BigEndian.Uint16(b[2:]))
	case 10:
		h.Length = binary.BigEndian.Uint64(b[2:])
	}
	if h.Masked {
		copy(h.Mask[:], b[mask:])
	}
	switch {
	case !h.Opcode.Known(), h.Reserved&^RSV1 != 0, h.Reserved != 0 && (h.Opcode.Control() || h.Opcode == Continuation):
		err = ErrReserved
	case h.Opcode.Control() && (!h.Fin || h.Length > MaxControl):
		err = ErrControl
	case h.Length < least, h.Length>>63 != 0:
		err = ErrLength
	}
	return h, n, err
}

// Append appends the header in its shortest form.
func (h Header) Append(dst []byte) []byte {
	first, second := h.Reserved&7<<4|byte(h.Opcode&0x0f), byte(0)
	if h.Fin {
		first |= 0x80
	}
	if h.Masked {
		second = 0x80
	}
	switch {
	case h.Length < 126:
		dst = append(dst, first, second|byte(h.Length))
	case h.Length < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, first, second|126), uint16(h.Length))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, first, second|127), h.Length)
	}
	if h.Masked {
		dst = append(dst, h.Mask[:]...)
	}
	return dst
}

// Frame is a header and its payload, which is not masked any more.
type Frame struct {
	Header
	Payload []byte
}

// ParseFrame reads the first frame of b, with a payload of limit bytes at most; 0 is [MaxPayload]. The payload has memory of its
// own. The length is believed only within the limit. On [ErrReserved], [ErrControl] and [ErrLength] within the limit the frame is
// whole all the same.
func ParseFrame(b []byte, limit int) (f Frame, rest []byte, err error) {
	h, n, err := ParseHeader(b)
	if errors.Is(err, ErrShort) {
		return f, b, err
	}
	if limit <= 0 {
		limit = MaxPayload
	}
	if h.Length > uint64(limit) {
		return f, b, fmt.Errorf("%w: %d bytes, limit %d", ErrTooLong, h.Length, limit)
	}
	end := n + int(h.Length)
	if len(b) < end {
		return f, b, ErrShort
	}
	f = Frame{h, append([]byte(nil), b[n:end]...)}
	if h.Masked {
		Mask(h.Mask, 0, f.Payload)
	}
	return f, b[end:], err
}

// Append appends the frame; Length is that of the payload.
func (f Frame) Append(dst []byte) []byte {
	f.Length = uint64(len(f.Payload))
	dst = f.Header.Append(dst)
	at := len(dst)
	dst = append(dst, f.Payload...)
	if f.Masked {
		Mask(f.Mask, 0, dst[at:])
	}
	return dst
}

// Mask puts a mask on b in place, or takes it off. at is where in its payload b begins.
func Mask(mask [4]byte, at int, b []byte) {
	for i := range b {
		b[i] ^= mask[(at+i)&3]
	}
}

// NoStatus is the code of a close frame without payload. It is never sent.
const NoStatus = 1005

// ParseClose reads the payload of a close frame.
func ParseClose(payload []byte) (code uint16, reason string, err error) {
	switch {
	case len(payload) == 0:
		return NoStatus, "", nil
	case len(payload) == 1 || !utf8.Valid(payload[2:]):
		return 0, "", ErrClose
	}
	return binary.BigEndian.Uint16(payload), string(payload[2:]), nil
}

// CloseText is what a code of a close frame means; empty when the standard says nothing.
func CloseText(code uint16) string {
	switch code {
	case 1000:
		return "normal closure"
	case 1001:
		return "going away"
	case 1002:
		return "protocol error"
	case 1003:
		return "unsupported data"
	case NoStatus:
		return "no status"
	case 1007:
		return "invalid payload"
	case 1008:
		return "policy violation"
	case 1009:
		return "message too big"
	case 1010:
		return "extension is missing"
	case 1011:
		return "internal error"
	}
	return ""
}
