package ocp1

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// Sync is the first byte of every message.
const Sync = 0x3b

// HeaderSize is the length in bytes of what is ahead of the PDUs, sync byte included.
const HeaderSize = 10

// Version1 is the protocol version that every peer understands; Wireshark's dissector knows no other.
const Version1 = 1

// MaxMessage is the default limit for a whole message in bytes. The standard has none below 4 GiB; the longest that a known program
// sends is about 8 KiB.
const MaxMessage = 1 << 20

// MaxPDUs is the largest number of PDUs in one message.
const MaxPDUs = 65535

// Type is the type of all PDUs of a message.
type Type uint8

// The types.
const (
	TypeCommand       Type = 0 // no answer wanted
	TypeCommandRrq    Type = 1 // response required
	TypeNotification  Type = 2 // EV1
	TypeResponse      Type = 3
	TypeKeepAlive     Type = 4
	TypeNotification2 Type = 5 // EV2
)

var typeNames = [...]string{"Command", "CommandRrq", "Notification", "Response", "KeepAlive", "Notification2"}

// String is the standard's name without its prefix, or the number.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "type " + strconv.Itoa(int(t))
}

// Errors of messages. A stream that gave one of them is out of step for good: close it.
var (
	ErrSync    = errors.New("message does not begin with 3b: the peer does not speak OCP.1, or the stream is out of step")
	ErrSize    = errors.New("message size is less than that of a header")
	ErrTooLong = errors.New("message is longer than the limit")
	ErrShort   = errors.New("message ends too early")
	ErrPDU     = errors.New("PDU does not fit its message")
	ErrCount   = errors.New("message holds more than its count of PDUs")
)

// Header is the start of a message.
type Header struct {
	Version uint16
	Size    uint32 // bytes after the sync byte
	Type    Type
	Count   uint16 // of PDUs
}

// Total is the length of the whole message in bytes.
func (h Header) Total() int64 { return int64(h.Size) + 1 }

// ParseHeader checks and reads a header from the first 10 bytes of b. A message that would be longer than limit bytes is
// [ErrTooLong]; 0 is [MaxMessage].
func ParseHeader(b []byte, limit int) (Header, error) {
	if len(b) > 0 && b[0] != Sync {
		return Header{}, ErrSync
	}
	if len(b) < HeaderSize {
		return Header{}, ErrShort
	}
	h := Header{
		Version: binary.BigEndian.Uint16(b[1:]),
		Size:    binary.BigEndian.Uint32(b[3:]),
		Type:    Type(b[7]),
		Count:   binary.BigEndian.Uint16(b[8:]),
	}
	if limit <= 0 {
		limit = MaxMessage
	}
	switch {
	case h.Size < HeaderSize-1:
		return h, fmt.Errorf("%w: %d", ErrSize, h.Size)
	case h.Total() > int64(limit):
		return h, fmt.Errorf("%w: %d bytes, limit %d", ErrTooLong, h.Total(), limit)
	}
	return h, nil
}

// Message is one whole message. Body is its PDUs and aliases the buffer that it was read from.
type Message struct {
	Header
	Body []byte
}

// ParseMessage reads one message from the start of b and returns what follows it. [ErrShort] means that more bytes are needed.
func ParseMessage(b []byte, limit int) (m Message, rest []byte, err error) {
	h, err := ParseHeader(b, limit)
	if err != nil {
		return Message{Header: h}, b, err
	}
	if int64(len(b)) < h.Total() {
		return Message{Header: h}, b, ErrShort
	}
	end := int(h.Total())
	return Message{Header: h, Body: b[HeaderSize:end:end]}, b[end:], nil
}

// Append appends the message; Size is set from the body.
func (m Message) Append(b []byte) []byte {
	b, at := BeginMessage(b, m.Version, m.Type)
	return EndMessage(append(b, m.Body...), at, int(m.Count))
}

// BeginMessage appends a header whose size and count are not known yet, and returns where it begins; append the PDUs, then
// call [EndMessage] with that offset.
func BeginMessage(b []byte, version uint16, t Type) ([]byte, int) {
	at := len(b)
	b = append(b, Sync, byte(version>>8), byte(version), 0, 0, 0, 0, byte(t), 0, 0)
	return b, at
}

// EndMessage puts the size and the count of the PDUs appended since [BeginMessage] into the header at offset at.
func EndMessage(b []byte, at, count int) []byte {
	binary.BigEndian.PutUint32(b[at+3:], uint32(len(b)-at-1))
	binary.BigEndian.PutUint16(b[at+8:], uint16(count))
	return b
}

// Reader reads messages from a stream into a buffer of its own. It is not safe for concurrent use.
type Reader struct {
	r     io.Reader
	limit int
	buf   []byte
}

// NewReader reads from r messages of limit bytes at most; 0 is [MaxMessage].
func NewReader(r io.Reader, limit int) *Reader { return &Reader{r: r, limit: limit} }

// readPiece is how far the buffer grows ahead of bytes that have not come yet.
const readPiece = 64 << 10

// Next reads one message. Its body is valid until the next call. io.EOF means that the stream ended between two messages;
// io.ErrUnexpectedEOF that it ended inside one. The buffer grows with what arrives, never by the header's word alone.
func (r *Reader) Next() (Message, error) {
	if cap(r.buf) < HeaderSize {
		r.buf = make([]byte, 2048)
	}
	b := r.buf[:HeaderSize]
	// The sync byte is looked at as soon as it is there, since what is no message may be shorter than one.
	n, err := io.ReadAtLeast(r.r, b, 1)
	if err != nil {
		return Message{}, err
	}
	if b[0] != Sync {
		return Message{}, ErrSync
	}
	if err := readRest(r.r, b[n:]); err != nil {
		return Message{}, err
	}
	h, err := ParseHeader(b, r.limit)
	if err != nil {
		return Message{Header: h}, err
	}
	for total := int(h.Total()); len(b) < total; {
		at := len(b)
		next := min(total, max(cap(b), at+readPiece))
		b = slices.Grow(b, next-at)[:next]
		r.buf = b
		if err := readRest(r.r, b[at:]); err != nil {
			return Message{Header: h}, err
		}
	}
	return Message{Header: h, Body: b[HeaderSize:len(b):len(b)]}, nil
}

// readRest fills b with the rest of a message that has begun.
func readRest(r io.Reader, b []byte) error {
	_, err := io.ReadFull(r, b)
	if err == io.EOF && len(b) > 0 {
		err = io.ErrUnexpectedEOF
	}
	return err
}
