package devicemaster

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The ways in which a stream can be wrong.
var (
	ErrUnknownOp = errors.New("unknown message: where the next one begins cannot be told")
	ErrTooLong   = errors.New("block of data is longer than allowed")
	ErrToolSize  = errors.New("tool request is shorter than its header")
)

// DefaultMaxBlock is the longest block that a strict [Decoder] takes.
const DefaultMaxBlock = 4096

// DecoderOptions say how a [Decoder] reads. The zero value is the tolerant mode for live use.
type DecoderOptions struct {
	// Strict makes an unknown message and a block longer than MaxBlock an error that ends decoding. Else the rest of the
	// bytes at hand is dropped, as the maker's driver does, and decoding goes on with the next ones.
	Strict bool
	// MaxBlock is the longest block of data that Strict takes; 0 is [DefaultMaxBlock].
	MaxBlock int
	// SingleByteData reads each [OpData] as a sequence number and exactly one byte. That is how a first published
	// description of the protocol took it; tools made from that description send it, no device or driver does.
	SingleByteData bool
}

// Decoder takes the bytes of one direction of one connection apart. It remembers the selected port and an incomplete message
// across calls. It is not safe for concurrent use.
//
//	d.Feed(b)
//	for {
//		m, ok, err := d.Next()
//		if !ok { break }
//	}
type Decoder struct {
	dir      Direction
	opts     DecoderOptions
	in       []byte // not yet decoded
	carry    []byte // where what is left is kept between two Feeds
	held     bool   // in is all of carry
	port     uint8
	selected bool
	err      error
	stats    DecoderStats
}

// DecoderStats count what a decoder passed over.
type DecoderStats struct {
	Messages uint64
	Zeros    uint64 // zero bytes between messages, skipped
	Unknown  uint64 // times that an unknown message was met
	Dropped  uint64 // bytes dropped because of that
}

// NewDecoder decodes what is sent in direction dir.
func NewDecoder(dir Direction, o DecoderOptions) *Decoder {
	d := new(Decoder)
	d.Reset(dir, o)
	return d
}

// Reset makes the decoder new again and keeps its memory.
func (d *Decoder) Reset(dir Direction, o DecoderOptions) {
	if o.MaxBlock <= 0 {
		o.MaxBlock = DefaultMaxBlock
	}
	*d = Decoder{dir: dir, opts: o, carry: d.carry[:0]}
}

// Stats are what was passed over so far.
func (d *Decoder) Stats() DecoderStats { return d.stats }

// Selected is the port that the messages to come are about.
func (d *Decoder) Selected() (port uint8, ok bool) { return d.port, d.selected }

// Pending is how many bytes of an incomplete message are held.
func (d *Decoder) Pending() int { return len(d.in) }

// Feed takes the next bytes. They must stay as they are until Next has returned false; a decoder then holds one incomplete
// message at most, 65538 bytes. The messages of Next are valid until it returns false.
func (d *Decoder) Feed(b []byte) {
	if len(d.in) == 0 {
		d.in, d.held = b, false
		return
	}
	d.keep()
	d.carry = append(d.carry, b...)
	d.in = d.carry
}

// keep moves what is left into memory of the decoder's own.
func (d *Decoder) keep() {
	if len(d.in) > 0 && !d.held {
		d.carry = append(d.carry[:0], d.in...)
		d.in, d.held = d.carry, true
	}
}

// Next is the next message; ok is false when there is none yet. In the strict mode an error ends decoding for good. In the
// tolerant one an error wrapping [ErrUnknownOp] or [ErrToolSize] tells of bytes that were dropped, m.Raw, and the next call
// goes on.
func (d *Decoder) Next() (m Message, ok bool, err error) {
	if d.err != nil {
		return m, false, d.err
	}
	for len(d.in) > 0 && d.in[0] == 0 {
		d.in, d.held = d.in[1:], false
		d.stats.Zeros++
	}
	n, err := d.size()
	switch {
	case err != nil && d.opts.Strict:
		d.err = err
		return m, false, err
	case err != nil:
		m.Raw = d.in
		d.stats.Unknown++
		d.stats.Dropped += uint64(len(d.in))
		d.in = nil
		return m, false, err
	case n == 0 || n > len(d.in):
		d.keep()
		return m, false, nil
	}
	raw := d.in[:n:n]
	d.in, d.held = d.in[n:], false
	d.stats.Messages++
	d.message(&m, raw)
	return m, true, nil
}

// size is the length of the message at the start of what is there; 0 while it cannot be told.
func (d *Decoder) size() (int, error) {
	if len(d.in) == 0 {
		return 0, nil
	}
	op := Op(d.in[0])
	if n := int(sizes[d.dir][op]); n > 0 {
		return n, nil
	}
	switch {
	case op == OpData:
		if d.opts.SingleByteData {
			return 4, nil
		}
		if len(d.in) < 3 {
			return 0, nil
		}
		n := int(binary.LittleEndian.Uint16(d.in[1:]))
		if d.opts.Strict && n > d.opts.MaxBlock {
			return 0, fmt.Errorf("%w: %d bytes, limit %d", ErrTooLong, n, d.opts.MaxBlock)
		}
		return 3 + n, nil
	case op == OpStatus: // from a device; to a device its size is fixed
		if len(d.in) < 2 {
			return 0, nil
		}
		if Status(d.in[1]) == Opened {
			return 4, nil
		}
		return 2, nil
	case op.Tool() && d.dir == ToDevice:
		if len(d.in) < 4 {
			return 0, nil
		}
		n := int(binary.LittleEndian.Uint16(d.in[2:]))
		if n < ToolHeaderSize {
			return 0, fmt.Errorf("%w: %v with length %d", ErrToolSize, op, n)
		}
		return n, nil
	}
	return 0, &unknownOp{op: op, dir: d.dir}
}

// unknownOp is an ErrUnknownOp that says which.
type unknownOp struct {
	op  Op
	dir Direction
}

func (e *unknownOp) Error() string {
	return fmt.Sprintf("%v: %#02x %v", ErrUnknownOp, uint8(e.op), e.dir)
}
func (e *unknownOp) Unwrap() error { return ErrUnknownOp }

// message fills m from a whole message.
func (d *Decoder) message(m *Message, raw []byte) {
	m.Op, m.Raw = Op(raw[0]), raw
	switch {
	case m.Op == OpSelect:
		m.Value, d.port, d.selected = uint32(raw[1]), raw[1], true
	case m.Op == OpData:
		m.Value, m.Data = uint32(binary.LittleEndian.Uint16(raw[1:])), raw[3:]
	case m.Op == OpChars:
		m.Data = raw[1:]
	case m.Op == OpStatus:
		m.Value = uint32(raw[1])
		if len(raw) == 4 {
			m.Inputs = Inputs(binary.LittleEndian.Uint16(raw[2:]))
		}
	case m.Op.Tool():
		m.Value, m.Data = binary.LittleEndian.Uint32(raw[4:]), raw[ToolHeaderSize:]
	case len(raw) == 2:
		m.Value = uint32(raw[1])
	case len(raw) == 3:
		m.Value = uint32(binary.LittleEndian.Uint16(raw[1:]))
	case len(raw) == 5:
		m.Value = binary.LittleEndian.Uint32(raw[1:])
	}
	if m.Op == OpSelect || m.Op.PortScope() {
		m.Port, m.Selected = d.port, d.selected
	}
}
