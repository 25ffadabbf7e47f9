package focas

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Class says which half of the control a block is for.
type Class uint16

// The classes.
const (
	ClassCNC Class = 1
	ClassPMC Class = 2
)

// String is the name, or the number when there is none.
func (c Class) String() string {
	switch c {
	case ClassCNC:
		return "CNC"
	case ClassPMC:
		return "PMC"
	}
	return fmt.Sprintf("class(%d)", uint16(c))
}

// Sizes of a block without its data, in bytes.
const (
	RequestBlockSize = 28
	ReplyBlockSize   = 16
)

// Request is one request block of a data frame.
//
//	0       2       4       6       8 .. 24          26      28
//	| size  | class | path  | func  | 4 x i32 args | flag  | n     | n bytes
//
// Path is the path number (1-based) for [ClassCNC] and the PMC unit (1-based) for [ClassPMC]. Data aliases the buffer
// that it was parsed from.
type Request struct {
	Class Class
	Path  uint16
	Func  Func
	Args  [4]int32
	Flag  uint16
	Data  []byte
}

// cncRequest is a block without data for a path.
func cncRequest(path uint16, f Func, args ...int32) Request {
	q := Request{Class: ClassCNC, Path: path, Func: f}
	copy(q.Args[:], args)
	return q
}

// Size is the number of bytes that the block takes.
func (q *Request) Size() int { return RequestBlockSize + len(q.Data) }

// Append appends the block.
func (q *Request) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(q.Size()))
	b = binary.BigEndian.AppendUint16(b, uint16(q.Class))
	b = binary.BigEndian.AppendUint16(b, q.Path)
	b = binary.BigEndian.AppendUint16(b, uint16(q.Func))
	for _, a := range q.Args {
		b = binary.BigEndian.AppendUint32(b, uint32(a))
	}
	b = binary.BigEndian.AppendUint16(b, q.Flag)
	b = binary.BigEndian.AppendUint16(b, uint16(len(q.Data)))
	return append(b, q.Data...)
}

// Reply is one reply block of a data frame.
//
//	0       2       4       6       8       10      12      14      16
//	| size  | class | path  | func  | error | det 1 | det 2 | n     | n bytes
//
// Class, Path and Func echo the request. Payload aliases the buffer that it was parsed from.
type Reply struct {
	Class   Class
	Path    uint16
	Func    Func
	Code    Code
	Detail  [2]int16
	Payload []byte
}

// Size is the number of bytes that the block takes.
func (p *Reply) Size() int { return ReplyBlockSize + len(p.Payload) }

// Append appends the block.
func (p *Reply) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(p.Size()))
	b = binary.BigEndian.AppendUint16(b, uint16(p.Class))
	b = binary.BigEndian.AppendUint16(b, p.Path)
	b = binary.BigEndian.AppendUint16(b, uint16(p.Func))
	b = binary.BigEndian.AppendUint16(b, uint16(p.Code))
	b = binary.BigEndian.AppendUint16(b, uint16(p.Detail[0]))
	b = binary.BigEndian.AppendUint16(b, uint16(p.Detail[1]))
	b = binary.BigEndian.AppendUint16(b, uint16(len(p.Payload)))
	return append(b, p.Payload...)
}

// Err is nil for code 0, else an *[Error] about this block's function.
func (p *Reply) Err() error {
	if p.Code == 0 {
		return nil
	}
	return &Error{Func: p.Func, Code: p.Code, Detail: p.Detail}
}

// ErrBlocks is the cause when the blocks of a data frame do not add up to its body.
var ErrBlocks = errors.New("blocks do not add up to the frame's body")

// MaxBlocks is the largest number of blocks that a body within any version's limit can hold.
const MaxBlocks = 4950 / ReplyBlockSize

// Blocks walks over the blocks of a data frame's body without allocating.
type Blocks struct {
	rest  []byte
	count int
	min   int
	index int
}

// RequestBlocks walks over the body of a request; ReplyBlocks over that of a reply.
func RequestBlocks(body []byte) (Blocks, error) { return blocksOf(body, RequestBlockSize) }

// ReplyBlocks walks over the body of a reply.
func ReplyBlocks(body []byte) (Blocks, error) { return blocksOf(body, ReplyBlockSize) }

func blocksOf(body []byte, min int) (Blocks, error) {
	if len(body) < 2 {
		return Blocks{}, fmt.Errorf("%w: body of %d bytes has no block count", ErrBlocks, len(body))
	}
	return Blocks{rest: body[2:], count: int(binary.BigEndian.Uint16(body)), min: min}, nil
}

// Count is the number of blocks that the frame announces.
func (bs *Blocks) Count() int { return bs.count }

func (bs *Blocks) next() ([]byte, bool, error) {
	if bs.index == bs.count {
		if len(bs.rest) != 0 {
			return nil, false, fmt.Errorf("%w: %d bytes after block %d, the last", ErrBlocks, len(bs.rest), bs.count)
		}
		return nil, false, nil
	}
	bs.index++
	if len(bs.rest) < bs.min {
		return nil, false, fmt.Errorf("%w: block %d of %d: %d bytes left, at least %d needed", ErrBlocks, bs.index, bs.count, len(bs.rest), bs.min)
	}
	size := int(binary.BigEndian.Uint16(bs.rest))
	if size < bs.min || size > len(bs.rest) {
		return nil, false, fmt.Errorf("%w: block %d of %d says %d bytes, %d left", ErrBlocks, bs.index, bs.count, size, len(bs.rest))
	}
	block := bs.rest[:size:size]
	bs.rest = bs.rest[size:]
	return block, true, nil
}

// NextRequest is the next request block; ok is false after the last one. A data length that disagrees with the block is
// an error.
func (bs *Blocks) NextRequest() (q Request, ok bool, err error) {
	b, ok, err := bs.next()
	if !ok {
		return q, false, err
	}
	q = Request{Class: Class(u16(b[2:])), Path: u16(b[4:]), Func: Func(u16(b[6:])), Flag: u16(b[24:])}
	for i := range q.Args {
		q.Args[i] = int32(binary.BigEndian.Uint32(b[8+4*i:]))
	}
	if n := int(u16(b[26:])); n != len(b)-RequestBlockSize {
		return q, false, fmt.Errorf("%w: block %d (%v) announces %d data bytes and has %d", ErrBlocks, bs.index, q.Func, n, len(b)-RequestBlockSize)
	}
	if len(b) > RequestBlockSize {
		q.Data = b[RequestBlockSize:]
	}
	return q, true, nil
}

// NextReply is the next reply block; ok is false after the last one. A payload length that disagrees with the block is
// an error.
func (bs *Blocks) NextReply() (p Reply, ok bool, err error) {
	b, ok, err := bs.next()
	if !ok {
		return p, false, err
	}
	p = Reply{Class: Class(u16(b[2:])), Path: u16(b[4:]), Func: Func(u16(b[6:])), Code: Code(u16(b[8:])),
		Detail: [2]int16{int16(u16(b[10:])), int16(u16(b[12:]))}}
	if n := int(u16(b[14:])); n != len(b)-ReplyBlockSize {
		return p, false, fmt.Errorf("%w: block %d (%v) announces %d payload bytes and has %d", ErrBlocks, bs.index, p.Func, n, len(b)-ReplyBlockSize)
	}
	if len(b) > ReplyBlockSize {
		p.Payload = b[ReplyBlockSize:]
	}
	return p, true, nil
}

// AppendRequests appends a whole data frame with the blocks, as a client sends it.
func AppendRequests(b []byte, blocks []Request) []byte {
	b, at := BeginFrame(b, Version(RequestVersion), TypeData, DirRequest)
	b = binary.BigEndian.AppendUint16(b, uint16(len(blocks)))
	for i := range blocks {
		b = blocks[i].Append(b)
	}
	return EndFrame(b, at)
}

// AppendReplies appends a whole data frame with the blocks, as a control of version v sends it.
func AppendReplies(b []byte, v Version, blocks []Reply) []byte {
	b, at := BeginFrame(b, v, TypeData, DirReply)
	b = binary.BigEndian.AppendUint16(b, uint16(len(blocks)))
	for i := range blocks {
		b = blocks[i].Append(b)
	}
	return EndFrame(b, at)
}

func u16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
