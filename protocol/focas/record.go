package focas

import (
	"encoding/binary"
	"fmt"

	"github.com/patchbay-io/patchbay/wire"
)

// MaxSlots is the largest number of axes that a [Record] holds: 32, which is what the 30i dialect always sends.
const MaxSlots = 32

// ClassicSlots is how many axes a record of the classic dialect has when nothing else is known; the open reply's
// largest number of axes is the right figure. Seen as 8 with a control of 8 axes at most.
const ClassicSlots = 8

// recordHead is the size of a record without its slots, in bytes.
const recordHead = 8

// Axes that parameters, diagnosis data and settings are asked for; n from 1 is that axis.
const (
	NoAxis    int16 = 0  // the number is not of axis type
	EveryAxis int16 = -1 // one slot for each axis
)

// SlotSize is the size of one slot of a record: 4 bytes in the classic dialect, a right-aligned integer; 8 bytes in the
// 30i dialect, a [Value]. Seen.
func SlotSize(d Dialect) int {
	if d == Classic {
		return 4
	}
	return ValueSize
}

// RecordSize is the size in bytes of a record of slots slots.
func RecordSize(d Dialect, slots int) int { return recordHead + slots*SlotSize(d) }

// Record is one parameter, diagnosis number or setting, as it is read and as it is written.
//
//	0        4       6       8
//	| number | axis  | type  | slots: count x i32 (classic), count x Value (30i)
//	| i32    | i16   | u16   |
//
// With axis 0 or n the value is in the first slot; with axis -1 slot i belongs to axis i+1. In the classic dialect a
// slot is an integer and only Mantissa of its value is meaningful; it comes sign-extended. Seen.
type Record struct {
	Dialect Dialect
	Number  int32
	Axis    int16
	Type    uint16 // [ParamType] or [DiagType]
	Count   int    // slots present, at most MaxSlots
	Slots   [MaxSlots]Value
	Rest    []byte // after the last slot; aliases the payload
}

// ParseRecord reads a payload that is one record: every whole slot that is there, up to [MaxSlots].
func ParseRecord(d Dialect, payload []byte) (Record, error) {
	if len(payload) < recordHead {
		return Record{}, short("record", payload, recordHead)
	}
	return recordAt(d, payload, min((len(payload)-recordHead)/SlotSize(d), MaxSlots)), nil
}

func recordAt(d Dialect, b []byte, slots int) Record {
	r := Record{Dialect: d, Number: i32(b), Axis: int16(u16(b[4:])), Type: u16(b[6:]), Count: slots}
	at := recordHead
	for i := range slots {
		if d == Classic {
			r.Slots[i] = Value{Mantissa: i32(b[at:])}
		} else {
			r.Slots[i] = valueAt(b[at:])
		}
		at += SlotSize(d)
	}
	r.Rest = rest(b, at)
	return r
}

// ParseRecords reads the payload of a range: records of slots slots each, back to back.
func ParseRecords(d Dialect, slots int, payload []byte) (List[Record], error) {
	if slots < 1 || slots > MaxSlots {
		return List[Record]{}, &wire.Error{Message: "records", Field: "slots", Err: fmt.Errorf("%d slots, want 1 to %d", slots, MaxSlots)}
	}
	return parseList(payload, RecordSize(d, slots), func(b []byte) Record { return recordAt(d, b, slots) }), nil
}

// Append appends the record in its dialect.
func (r Record) Append(b []byte) []byte {
	b = appendI32(b, r.Number)
	b = binary.BigEndian.AppendUint16(b, uint16(r.Axis))
	b = binary.BigEndian.AppendUint16(b, r.Type)
	for i := range min(max(r.Count, 0), MaxSlots) {
		if r.Dialect == Classic {
			b = appendI32(b, r.Slots[i].Mantissa)
		} else {
			b = r.Slots[i].Append(b)
		}
	}
	return append(b, r.Rest...)
}

// Values are the slots that are present. The slice aliases r.
func (r *Record) Values() []Value { return r.Slots[:min(max(r.Count, 0), MaxSlots)] }

// recordRequest asks for the records of a range of numbers.
func recordRequest(path uint16, f Func, from, to int32, axis int16) Request {
	return Request{Class: ClassCNC, Path: path, Func: f, Args: [4]int32{from, to, int32(axis)}}
}

// NumberInfo is the type of one number, from function 0x10 or 0x31. Seen; which attributes the higher bits of Type
// stand for is unknown.
type NumberInfo struct {
	Number int32
	Type   int32
}

// Size is the data type, the low two bits of Type.
func (n NumberInfo) Size() uint16 { return uint16(n.Type) & 3 }

// Append appends the 8 bytes.
func (n NumberInfo) Append(b []byte) []byte { return appendI32(appendI32(b, n.Number), n.Type) }

// NumberInfos is the payload of cnc_rdparainfo and cnc_rddiaginfo.
type NumberInfos struct {
	Previous, Next int32 // nearest numbers that exist before and after the ones asked for
	List[NumberInfo]
}

// ParseNumberInfos reads the payload.
func ParseNumberInfos(payload []byte) (NumberInfos, error) {
	if len(payload) < 8 {
		return NumberInfos{}, short("number info", payload, 8)
	}
	return NumberInfos{i32(payload), i32(payload[4:]), parseList(payload[8:], 8, func(b []byte) NumberInfo {
		return NumberInfo{i32(b), i32(b[4:])}
	})}, nil
}

// Append appends the payload.
func (n NumberInfos) Append(b []byte) []byte {
	return n.List.Append(appendI32(appendI32(b, n.Previous), n.Next))
}

// NumberInfo2Size is the size of a [NumberInfo2] in bytes.
const NumberInfo2Size = 20

// NumberInfo2 describes one number, from function 0xa0, 0xa1 or 0xa2. The order of the fields is seen; the meaning of
// their values is not known, except that Size is the data type.
type NumberInfo2 struct {
	Number                                        int32
	Size, Array, Unit, Dim, Input, Display, Other uint16
	Pad                                           uint16
}

// Append appends the 20 bytes.
func (n NumberInfo2) Append(b []byte) []byte {
	b = appendI32(b, n.Number)
	for _, w := range [...]uint16{n.Size, n.Array, n.Unit, n.Dim, n.Input, n.Display, n.Other, n.Pad} {
		b = binary.BigEndian.AppendUint16(b, w)
	}
	return b
}

// NumberInfos2 is the payload of cnc_rdparainfo2, cnc_rdparainfo3, cnc_rdsetinfo2 and cnc_rddiaginfo2.
type NumberInfos2 struct {
	Previous, Next int32 // nearest numbers that exist before and after the ones asked for
	List[NumberInfo2]
}

// ParseNumberInfos2 reads the payload.
func ParseNumberInfos2(payload []byte) (NumberInfos2, error) {
	if len(payload) < 8 {
		return NumberInfos2{}, short("number info 2", payload, 8)
	}
	return NumberInfos2{i32(payload), i32(payload[4:]), parseList(payload[8:], NumberInfo2Size, func(b []byte) NumberInfo2 {
		return NumberInfo2{Number: i32(b), Size: u16(b[4:]), Array: u16(b[6:]), Unit: u16(b[8:]), Dim: u16(b[10:]),
			Input: u16(b[12:]), Display: u16(b[14:]), Other: u16(b[16:]), Pad: u16(b[18:])}
	})}, nil
}

// Append appends the payload.
func (n NumberInfos2) Append(b []byte) []byte {
	return n.List.Append(appendI32(appendI32(b, n.Previous), n.Next))
}

func i32(b []byte) int32  { return int32(binary.BigEndian.Uint32(b)) }
func u32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

func appendI32(b []byte, v int32) []byte  { return binary.BigEndian.AppendUint32(b, uint32(v)) }
func appendU32(b []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(b, v) }
