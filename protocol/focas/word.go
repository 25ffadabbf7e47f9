package focas

import "encoding/binary"

// Word is a payload of one u16: the handle retrace state (0xe1), the T/M mode (0x98), a count (0xa4). (seen)
type Word struct {
	Value uint16
	Rest  []byte // after it; aliases the payload
}

// ParseWord reads the payload.
func ParseWord(payload []byte) (Word, error) {
	if len(payload) < 2 {
		return Word{}, short("word", payload, 2)
	}
	return Word{u16(payload), rest(payload, 2)}, nil
}

// Append appends the payload.
func (w Word) Append(b []byte) []byte { return append(appendWords(b, w.Value), w.Rest...) }

// U16 is a 16-bit item of a [List].
type U16 uint16

// Append appends the 2 bytes.
func (w U16) Append(b []byte) []byte { return binary.BigEndian.AppendUint16(b, uint16(w)) }

// U32 is a 32-bit item of a [List].
type U32 uint32

// Append appends the 4 bytes.
func (w U32) Append(b []byte) []byte { return binary.BigEndian.AppendUint32(b, uint32(w)) }

// Words is a payload of u16, one per axis or group.
type Words = List[U16]

// ParseWords reads the payload.
func ParseWords(payload []byte) (Words, error) {
	return parseList(payload, 2, func(b []byte) U16 { return U16(u16(b)) }), nil
}

// Longs is a payload of u32, one per axis.
type Longs = List[U32]

// ParseLongs reads the payload.
func ParseLongs(payload []byte) (Longs, error) {
	return parseList(payload, 4, func(b []byte) U32 { return U32(u32(b)) }), nil
}
