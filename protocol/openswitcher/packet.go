package openswitcher

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

// Port is the TCP port that a client uses when none is named (seen); the relay's document has none.
const Port = 4532

// Sizes in bytes.
const (
	HeaderSize = 2         // u16: how many bytes follow
	MaxPacket  = 1<<16 - 1 // of a packet without its header
	// MaxHandshake is the longest packet that is taken in before the handshake is over: room for a hundred devices.
	MaxHandshake = 8 << 10
	// DumpPacket is how much of a dump goes into one packet. Clients take any; the existing relay sends about 1000.
	DumpPacket = 16 << 10
)

// ErrTooLong says that a packet is longer than it may be in this place.
var ErrTooLong = errors.New("the packet is too long")

// AppendPacket adds a packet with the fields of payload to b. The error is [ErrTooLong].
func AppendPacket(b, payload []byte) ([]byte, error) {
	if len(payload) > MaxPacket {
		return b, fmt.Errorf("%d bytes: %w", len(payload), ErrTooLong)
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(payload)))
	return append(b, payload...), nil
}

// Packets makes packets of a payload that may be longer than one: it is cut at the borders of its fields. The error is that of
// [atem.Split]; the packets before it are returned.
func Packets(payload []byte) ([][]byte, error) {
	parts, err := atem.Split(payload, MaxPacket)
	out := make([][]byte, len(parts))
	for i, part := range parts {
		out[i], _ = AppendPacket(make([]byte, 0, HeaderSize+len(part)), part)
	}
	return out, err
}

// Reader reads packets. It asks for two bytes and then for as many as they say, so it does not matter how the stream is cut
// up; put a bufio.Reader under it.
type Reader struct {
	r      io.Reader
	header [HeaderSize]byte
	buf    []byte
}

// NewReader reads from r.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

// Next returns the payload of the next packet, which is valid until the next call; it may be empty. A packet longer than limit
// is [ErrTooLong], and nothing of it is read. The error is io.EOF between two packets and io.ErrUnexpectedEOF inside one.
func (r *Reader) Next(limit int) ([]byte, error) {
	if _, err := io.ReadFull(r.r, r.header[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(r.header[:]))
	if n > limit {
		return nil, fmt.Errorf("%d bytes, %d at most: %w", n, limit, ErrTooLong)
	}
	if cap(r.buf) < n {
		r.buf = make([]byte, max(n, 1024))
	}
	b := r.buf[:n]
	if _, err := io.ReadFull(r.r, b); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return b, nil
}
