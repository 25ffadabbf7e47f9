package focas

import "encoding/binary"

// OffsetKindAll, as the kind of [ToolOffsetsRequest], asks for every kind of each offset number. Seen as a request.
const OffsetKindAll int32 = -1

// offsetSingle is added to the kind by cnc_rdtofs and cnc_wrtofs, which work on one offset.
const offsetSingle = 1000

// ToolOffsetRequest asks for one tool offset, cnc_rdtofs, answered by one of [Values], an integer in the least input
// increment. The kind is FANUC's type word: which part of the offset (geometry or wear, length or radius) it stands for
// depends on the offset memory. Seen.
func ToolOffsetRequest(path uint16, number, kind int32) Request {
	return Request{Class: ClassCNC, Path: path, Func: FuncReadToolOffset, Args: [4]int32{number, number, offsetSingle + kind}}
}

// ToolOffsetsRequest asks for the tool offsets from..to, cnc_rdtofsr, answered by [Values]. Seen.
func ToolOffsetsRequest(path uint16, from, to, kind int32) Request {
	return Request{Class: ClassCNC, Path: path, Func: FuncReadToolOffset, Args: [4]int32{from, to, kind}}
}

// WriteToolOffsetRequest writes one tool offset, cnc_wrtofs; value is in the least input increment. Seen.
func WriteToolOffsetRequest(path uint16, number, kind, value int32) Request {
	return writeRaw(path, FuncWriteToolOffset, number, offsetSingle+kind, value)
}

// WriteToolOffsetsRequest writes tool offsets from number from on, cnc_wrtofsr. Seen.
func WriteToolOffsetsRequest(path uint16, from, kind int32, values ...int32) Request {
	return writeRaw(path, FuncWriteToolOffset, from, kind, values...)
}

// WorkOffsetRequest asks for the work zero offsets from..to of an axis (1 and up), cnc_rdzofs and cnc_rdzofsr, answered
// by [Values]. Number 0 is the external offset, 1 is G54. Seen; what the numbers stand for is from public code.
func WorkOffsetRequest(path uint16, from, to, axis int32) Request {
	return Request{Class: ClassCNC, Path: path, Func: FuncReadWorkOffset, Args: [4]int32{from, to, axis}}
}

// WriteWorkOffsetRequest writes work zero offsets from number from on, cnc_wrzofs. Seen for one value.
func WriteWorkOffsetRequest(path uint16, from, axis int32, values ...int32) Request {
	return writeRaw(path, FuncWriteWorkOffset, from, axis, values...)
}

func writeRaw(path uint16, f Func, from, third int32, values ...int32) Request {
	data := make([]byte, 0, len(values)*ValueSize)
	for _, m := range values {
		data = RawValue(m).Append(data)
	}
	return Request{Class: ClassCNC, Path: path, Func: f, Args: [4]int32{from, from + int32(len(values)) - 1, third}, Data: data}
}

// ToolOffsetInfoRequest asks how many tool offsets there are, cnc_rdtofsinfo, answered by [ToolOffsetInfo]. Seen.
func ToolOffsetInfoRequest(path uint16) Request {
	return Request{Class: ClassCNC, Path: path, Func: FuncReadToolOffsetInfo}
}

// ToolOffsetInfo is the payload of cnc_rdtofsinfo. FANUC's library gives Count and Memory out exchanged: it copies the
// two words as one 32-bit number. Seen; which word is which is inferred from that.
type ToolOffsetInfo struct {
	First  uint16 // unknown
	Count  uint16 // offsets in use
	Memory uint16 // type of the offset memory
	Rest   []byte // aliases the payload
}

// ParseToolOffsetInfo reads the payload.
func ParseToolOffsetInfo(payload []byte) (ToolOffsetInfo, error) {
	if len(payload) < 6 {
		return ToolOffsetInfo{}, short("tool offset info", payload, 6)
	}
	return ToolOffsetInfo{u16(payload), u16(payload[2:]), u16(payload[4:]), rest(payload, 6)}, nil
}

// Append appends the payload.
func (t ToolOffsetInfo) Append(b []byte) []byte {
	for _, w := range [...]uint16{t.First, t.Count, t.Memory} {
		b = binary.BigEndian.AppendUint16(b, w)
	}
	return append(b, t.Rest...)
}

// WorkOffsetInfoRequest asks for the largest number of a work zero offset, cnc_rdzofsinfo, answered by [Counter]. Seen.
func WorkOffsetInfoRequest(path uint16) Request {
	return Request{Class: ClassCNC, Path: path, Func: FuncReadWorkOffsetInfo}
}
