package atem

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// Sizes of the UDP transport, in bytes.
const (
	// PacketHeaderSize is the header of a datagram: u16 flags and length, u16 session, u16 acknowledged number, u16 wanted
	// number, u16 without known meaning, u16 number.
	PacketHeaderSize = 12
	// HandshakeSize is a datagram that opens or closes a session (seen).
	HandshakeSize = 20
	// MaxPacket is the longest datagram that the 11 bits of the length can say.
	MaxPacket = 1<<11 - 1
	// MaxSent is the longest datagram that the maker's software and switchers take in; they do not acknowledge one byte
	// more (seen).
	MaxSent = 1422
	// MaxPayload is what the longest datagram that may be sent has room for.
	MaxPayload = MaxSent - PacketHeaderSize
	// DumpPayload is how much of a dump goes into one datagram: a little less than the most, as other programs do.
	DumpPayload = 1416 - PacketHeaderSize
)

// Port is the UDP port that switchers listen on.
const Port = 9910

// Flags are the upper five bits of a datagram's first byte.
type Flags uint8

// The flags.
const (
	FlagNumbered  Flags = 0x08 // the packet has a number, and its receiver must acknowledge it
	FlagHandshake Flags = 0x10 // the payload is a [Handshake]
	FlagResent    Flags = 0x20 // sent before
	FlagWanted    Flags = 0x40 // please send again, from Wanted on
	FlagAck       Flags = 0x80 // everything up to Ack has arrived
)

// String names the flags: "numbered+ack".
func (f Flags) String() string {
	var out []string
	for _, x := range []struct {
		flag Flags
		name string
	}{{FlagNumbered, "numbered"}, {FlagHandshake, "handshake"}, {FlagResent, "resent"}, {FlagWanted, "wanted"}, {FlagAck, "ack"}} {
		if f&x.flag != 0 {
			out = append(out, x.name)
		}
	}
	if out == nil {
		return "none"
	}
	return strings.Join(out, "+")
}

// NumberMask are the bits of a packet number: 15, so 0x7fff is followed by 0. Switchers may write 0x8000 for 0 (seen by
// the authors of atem-connection), so numbers are masked when they are compared, not when they are read.
const NumberMask = 0x7fff

// EstablishedBit is set in the session number of every packet after the opening, and clear in the one that a client opens
// with.
const EstablishedBit = 0x8000

// Packet is one datagram. The fields that their flag does not vouch for are kept as they came.
type Packet struct {
	Flags   Flags
	Session uint16
	Ack     uint16 // with FlagAck: the last number that has arrived, and everything before it
	Wanted  uint16 // with FlagWanted: the first number that is missing
	Unknown uint16 // no known meaning; the maker's software varies it, zero works
	Number  uint16 // with FlagNumbered
	Payload []byte // fields, or a handshake
}

// The mistakes of a datagram.
var (
	ErrPacketShort  = errors.New("shorter than a packet's header")
	ErrPacketLength = errors.New("the length in the packet is not that of the datagram")
	ErrPacketLong   = errors.New("more than 2047 bytes")
	ErrHandshake    = errors.New("an opening or closing packet has 20 bytes")
)

// ParsePacket reads a datagram. The payload points into it. A packet whose length does not agree with the datagram's is
// refused, as other programs do, and so is a handshake too short to hold its session.
func ParsePacket(b []byte) (p Packet, err error) {
	if len(b) < PacketHeaderSize {
		return p, fmt.Errorf("%d bytes: %w", len(b), ErrPacketShort)
	}
	first := binary.BigEndian.Uint16(b)
	p = Packet{Flags: Flags(first>>8) &^ 7, Session: binary.BigEndian.Uint16(b[2:]), Ack: binary.BigEndian.Uint16(b[4:]),
		Wanted: binary.BigEndian.Uint16(b[6:]), Unknown: binary.BigEndian.Uint16(b[8:]), Number: binary.BigEndian.Uint16(b[10:]),
		Payload: b[PacketHeaderSize:len(b):len(b)]}
	switch {
	case int(first&MaxPacket) != len(b):
		return p, fmt.Errorf("%d instead of %d: %w", first&MaxPacket, len(b), ErrPacketLength)
	case p.Flags&FlagHandshake != 0 && len(b) < HandshakeSize:
		return p, fmt.Errorf("%d bytes: %w", len(b), ErrHandshake)
	}
	return p, nil
}

// Append adds the datagram to b.
func (p *Packet) Append(b []byte) ([]byte, error) {
	n := PacketHeaderSize + len(p.Payload)
	if n > MaxPacket {
		return b, fmt.Errorf("packet of %d bytes: %w", n, ErrPacketLong)
	}
	b = binary.BigEndian.AppendUint16(b, uint16(p.Flags&^7)<<8|uint16(n))
	for _, v := range [...]uint16{p.Session, p.Ack, p.Wanted, p.Unknown, p.Number} {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return append(b, p.Payload...), nil
}

// Step is what a handshake packet says.
type Step uint8

// The steps.
const (
	StepOpen    Step = 1 // a client would like a session
	StepAccept  Step = 2 // it has one
	StepReject  Step = 3 // all are taken
	StepClosing Step = 4 // this side ends the session
	StepClosed  Step = 5 // the answer to closing
)

// String is the step in a word.
func (s Step) String() string {
	switch s {
	case StepOpen:
		return "open"
	case StepAccept:
		return "accept"
	case StepReject:
		return "reject"
	case StepClosing:
		return "closing"
	case StepClosed:
		return "closed"
	}
	return fmt.Sprintf("step %d", uint8(s))
}

// Handshake is the payload of a packet with [FlagHandshake]: u8 step, u8 zero, u16 the number that the switcher gives to
// the session (in an accept; zero else), four bytes zero.
type Handshake struct {
	Step  Step
	Given uint16
}

// Handshake reads the payload of a handshake packet.
func (p *Packet) Handshake() Handshake {
	return Handshake{Step: Step(p.Payload[0]), Given: binary.BigEndian.Uint16(p.Payload[2:])}
}

// Append adds the datagram of a handshake to b; flags may hold [FlagResent].
func (h Handshake) Append(b []byte, session uint16, flags Flags) []byte {
	b = append(b, byte(FlagHandshake|flags), HandshakeSize, byte(session>>8), byte(session), 0, 0, 0, 0, 0, 0, 0, 0)
	return append(b, byte(h.Step), 0, byte(h.Given>>8), byte(h.Given), 0, 0, 0, 0)
}

// Split cuts a payload at the borders of its fields into pieces of at most limit bytes, in order; the pieces point into it.
// A payload that fits comes back whole, so the fields of one packet stay together wherever they can. The error is that of
// [Next], or [ErrFieldTooLong] when a field alone is longer than the limit; the pieces before it are returned.
func Split(payload []byte, limit int) ([][]byte, error) {
	if len(payload) <= limit {
		return [][]byte{payload}, nil
	}
	var out [][]byte
	start, at := 0, 0
	for f, err := range Fields(payload) {
		if err == nil && f.Size() > limit {
			err = fmt.Errorf("field %v of %d bytes: %w", f.Code, f.Size(), ErrFieldTooLong)
		}
		if at > start && (err != nil || at+f.Size()-start > limit) {
			out = append(out, payload[start:at:at])
			start = at
		}
		if err != nil {
			return out, err
		}
		at += f.Size()
	}
	return append(out, payload[start:at:at]), nil
}

// ErrFieldTooLong says that a field does not fit into one packet; fields never span packets.
var ErrFieldTooLong = errors.New("the field does not fit into one packet")
