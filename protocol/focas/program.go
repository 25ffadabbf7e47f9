package focas

import (
	"encoding/binary"

	"github.com/patchbay-io/patchbay/wire"
)

// ProgramNumRequest asks for the O numbers of the running and the main program, cnc_rdprgnum and cnc_rdprgnumo8,
// answered by [ProgramNum]. Seen.
func ProgramNumRequest(path uint16) Request { return cncRequest(path, FuncReadProgramNum) }

// ProgramNum is the payload of cnc_rdprgnum. Seen.
type ProgramNum struct {
	Running, Main int32
	Rest          []byte // aliases the payload
}

// ParseProgramNum reads the payload.
func ParseProgramNum(payload []byte) (ProgramNum, error) {
	if len(payload) < 8 {
		return ProgramNum{}, short("program number", payload, 8)
	}
	return ProgramNum{i32(payload), i32(payload[4:]), rest(payload, 8)}, nil
}

// Append appends the payload.
func (p ProgramNum) Append(b []byte) []byte {
	return append(appendI32(appendI32(b, p.Running), p.Main), p.Rest...)
}

// SequenceNumRequest asks for the running sequence number (N), cnc_rdseqnum, answered by [Counter]. Seen.
func SequenceNumRequest(path uint16) Request { return cncRequest(path, FuncReadSequenceNum) }

// BlockCountRequest asks how many blocks have been executed, cnc_rdblkcount, answered by [Counter]. Seen.
func BlockCountRequest(path uint16) Request { return cncRequest(path, FuncReadBlockCount) }

// ProgramNameSize is the size of a program's name in bytes, with its NUL.
const ProgramNameSize = 36

// ProgramName is a program's or a folder's name in the control's code page, padded with NUL.
type ProgramName [ProgramNameSize]byte

// String is the name up to its first NUL.
func (n ProgramName) String() string { return wire.Text(n[:]) }

// MakeProgramName cuts s to the size of a name.
func MakeProgramName(s string) (n ProgramName) {
	copy(n[:len(n)-1], s)
	return n
}

// ExecProgramRequest asks for the name of the running program, cnc_exeprgname, answered by [ExecProgram]. Seen.
func ExecProgramRequest(path uint16) Request { return cncRequest(path, FuncExecProgramName) }

// ExecProgram is the payload of cnc_exeprgname. Seen.
type ExecProgram struct {
	Number int32 // O number
	Name   ProgramName
	Rest   []byte // aliases the payload
}

// ParseExecProgram reads the payload.
func ParseExecProgram(payload []byte) (ExecProgram, error) {
	if len(payload) < 4+ProgramNameSize {
		return ExecProgram{}, short("running program", payload, 4+ProgramNameSize)
	}
	return ExecProgram{i32(payload), ProgramName(payload[4:]), rest(payload, 4+ProgramNameSize)}, nil
}

// Append appends the payload.
func (e ExecProgram) Append(b []byte) []byte {
	return append(append(appendI32(b, e.Number), e.Name[:]...), e.Rest...)
}

// ExecProgramPathRequest asks for the path of the running program, cnc_exeprgname2, answered by [PathText]. Seen.
func ExecProgramPathRequest(path uint16) Request { return cncRequest(path, FuncExecProgramName2) }

// PathSize is the size in bytes of the paths that requests carry and replies return.
const PathSize = 256

// PathText is a payload that is a path such as //CNC_MEM/USER/PATH1/O3000, in the control's code page and padded with
// NUL, 256 bytes as a rule. It aliases the payload. Seen.
type PathText []byte

// ParsePathText keeps the payload as it is.
func ParsePathText(payload []byte) (PathText, error) { return payload, nil }

// String is the path up to its first NUL.
func (p PathText) String() string { return wire.Text(p) }

// Append appends the payload.
func (p PathText) Append(b []byte) []byte { return append(b, p...) }

// MakePathText pads s with NUL to [PathSize] bytes; a longer one is cut.
func MakePathText(s string) PathText { return wire.AppendText(make([]byte, 0, PathSize), s, PathSize) }

// ExecTextRequest asks for up to length bytes of the running program's text, cnc_rdexecprog, answered by [ExecText].
// Seen.
func ExecTextRequest(path uint16, length int32) Request {
	return cncRequest(path, FuncReadExecProgram, length)
}

// ExecText is the payload of cnc_rdexecprog. Seen.
type ExecText struct {
	Block int32  // number of the block being executed
	Text  []byte // program text with LF line ends, from that block on; aliases the payload
}

// ParseExecText reads the payload.
func ParseExecText(payload []byte) (ExecText, error) {
	if len(payload) < 4 {
		return ExecText{}, short("running text", payload, 4)
	}
	return ExecText{i32(payload), payload[4:]}, nil
}

// Append appends the payload.
func (e ExecText) Append(b []byte) []byte { return append(appendI32(b, e.Block), e.Text...) }

// MDITextRequest asks for the MDI program, cnc_rdmdiprog; the layout of the answer is unknown. Seen as a request.
func MDITextRequest(path uint16) Request { return cncRequest(path, FuncReadMDIProgram) }

// MDIPointerRequest asks where the MDI program stands, cnc_rdmdipntr, answered by [MDIPointer]. Seen.
func MDIPointerRequest(path uint16) Request { return cncRequest(path, FuncReadMDIPointer) }

// MDIPointer is the payload of cnc_rdmdipntr. That it is two i32 is seen; their meaning is a guess after FANUC's names
// mdiprog and mdipntr.
type MDIPointer struct {
	Program, Pointer int32
	Rest             []byte // aliases the payload
}

// ParseMDIPointer reads the payload.
func ParseMDIPointer(payload []byte) (MDIPointer, error) {
	if len(payload) < 8 {
		return MDIPointer{}, short("MDI pointer", payload, 8)
	}
	return MDIPointer{i32(payload), i32(payload[4:]), rest(payload, 8)}, nil
}

// Append appends the payload.
func (m MDIPointer) Append(b []byte) []byte {
	return append(appendI32(appendI32(b, m.Program), m.Pointer), m.Rest...)
}

// ActPointRequest asks for the execution pointer, cnc_rdactpt, answered by [ActPoint]. Seen.
func ActPointRequest(path uint16) Request { return cncRequest(path, FuncReadActPoint) }

// WriteActPointRequest sets the execution pointer, cnc_wractpt. Seen as a request with all words 1; the third word,
// sent here as 1 too, is unknown.
func WriteActPointRequest(path uint16, program, block int32) Request {
	return cncRequest(path, FuncWriteActPoint, program, block, 1)
}

// ActPoint is the payload of cnc_rdactpt. Seen.
type ActPoint struct {
	Program, Block int32
	Rest           []byte // aliases the payload
}

// ParseActPoint reads the payload.
func ParseActPoint(payload []byte) (ActPoint, error) {
	if len(payload) < 8 {
		return ActPoint{}, short("execution pointer", payload, 8)
	}
	return ActPoint{i32(payload), i32(payload[4:]), rest(payload, 8)}, nil
}

// Append appends the payload.
func (a ActPoint) Append(b []byte) []byte {
	return append(appendI32(appendI32(b, a.Program), a.Block), a.Rest...)
}

// ProgramInfoRequest asks about program memory, cnc_rdproginfo, answered by [ProgramInfo]. Seen.
func ProgramInfoRequest(path uint16) Request { return cncRequest(path, FuncReadProgramInfo) }

// ProgramInfo is the payload of cnc_rdproginfo. Seen; memory is in the control's unit, characters as a rule (guess).
type ProgramInfo struct {
	Registered, Free       int32 // programs
	UsedMemory, FreeMemory int32
	Rest                   []byte // aliases the payload
}

// ParseProgramInfo reads the payload.
func ParseProgramInfo(payload []byte) (ProgramInfo, error) {
	if len(payload) < 16 {
		return ProgramInfo{}, short("program memory", payload, 16)
	}
	return ProgramInfo{i32(payload), i32(payload[4:]), i32(payload[8:]), i32(payload[12:]), rest(payload, 16)}, nil
}

// Append appends the payload.
func (p ProgramInfo) Append(b []byte) []byte {
	for _, n := range [...]int32{p.Registered, p.Free, p.UsedMemory, p.FreeMemory} {
		b = appendI32(b, n)
	}
	return append(b, p.Rest...)
}

// SearchRequest makes program number the main program, cnc_search. Seen.
func SearchRequest(path uint16, number int32) Request { return cncRequest(path, FuncSearch, number) }

// DeleteRequest deletes a program, cnc_delete. It cannot be undone. Seen.
func DeleteRequest(path uint16, number int32) Request { return cncRequest(path, FuncDelete, number) }

// RewindRequest puts the cursor at the head of the main program, cnc_rewind. Seen.
func RewindRequest(path uint16) Request { return cncRequest(path, FuncRewind) }

// Date is year, month, day, hour, minute, second as six u16; what a control does not report is 0.
type Date struct{ Year, Month, Day, Hour, Minute, Second uint16 }

func dateAt(b []byte) Date {
	return Date{u16(b), u16(b[2:]), u16(b[4:]), u16(b[6:]), u16(b[8:]), u16(b[10:])}
}

// Append appends the 12 bytes.
func (d Date) Append(b []byte) []byte {
	for _, w := range [...]uint16{d.Year, d.Month, d.Day, d.Hour, d.Minute, d.Second} {
		b = binary.BigEndian.AppendUint16(b, w)
	}
	return b
}
