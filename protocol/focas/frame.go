package focas

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Mark begins every frame.
const Mark uint32 = 0xa0a0a0a0

// HeaderSize is the size of a frame's header in bytes.
const HeaderSize = 10

// RequestVersion is the version word of every frame that a client sends, whatever the control speaks.
const RequestVersion uint16 = 1

// MaxRequestBody is the largest body in bytes that FANUC's library builds, for every version.
const MaxRequestBody = 1450

// Channels of a session.
const (
	ChannelTransfer uint16 = 1 // programs and files, frame types 0x11 to 0x18
	ChannelData     uint16 = 2 // everything else, frame type 0x21
)

// Type is what a frame is about.
type Type uint8

// The frame types. Names are ours; FANUC publishes none.
const (
	TypeOpen          Type = 0x01
	TypeClose         Type = 0x02
	TypeDownloadStart Type = 0x11
	TypeDownloadData  Type = 0x12
	TypeDownloadEnd   Type = 0x13
	TypeUploadStart   Type = 0x15
	TypeUploadData    Type = 0x16
	TypeUploadEnd     Type = 0x17
	TypeUploadCancel  Type = 0x18
	TypeData          Type = 0x21
)

var typeNames = map[Type]string{TypeOpen: "open", TypeClose: "close", TypeDownloadStart: "download-start",
	TypeDownloadData: "download-data", TypeDownloadEnd: "download-end", TypeUploadStart: "upload-start",
	TypeUploadData: "upload-data", TypeUploadEnd: "upload-end", TypeUploadCancel: "upload-cancel", TypeData: "data"}

// String is the name, or the number when there is none.
func (t Type) String() string {
	if s, ok := typeNames[t]; ok {
		return s
	}
	return fmt.Sprintf("type(%#02x)", uint8(t))
}

// Direction is the role of a frame in its exchange.
type Direction uint8

// The directions.
const (
	DirRequest Direction = 1
	DirReply   Direction = 2
	DirError   Direction = 3
	DirPush    Direction = 4 // data without acknowledgement
)

// String is the name, or the number when there is none.
func (d Direction) String() string {
	switch d {
	case DirRequest:
		return "request"
	case DirReply:
		return "reply"
	case DirError:
		return "error"
	case DirPush:
		return "push"
	}
	return fmt.Sprintf("direction(%d)", uint8(d))
}

// Version is the version word of a control's frames.
type Version uint16

// Dialect is the set of function codes that a control understands.
type Dialect uint8

// The dialects.
const (
	Classic   Dialect = iota // 16i, 18i, 21i, 0i-A to C: version words 1 and 2
	Series30i                // 30i, 31i, 32i, 0i-D, 0i-F: version words 3 and above
)

// String is "classic" or "30i".
func (d Dialect) String() string {
	if d == Classic {
		return "classic"
	}
	return "30i"
}

// Dialect selects by the version word of the open reply.
func (v Version) Dialect() Dialect {
	if v <= 2 {
		return Classic
	}
	return Series30i
}

// MaxBody is the largest body in bytes that FANUC's library accepts in a frame of this version; one byte more is
// EW_PROTOCOL there.
func (v Version) MaxBody() int {
	switch {
	case v <= 2:
		return 1450
	case v == 3:
		return 2910
	case v == 4:
		return 3470
	}
	return 4950
}

// Header is the first 10 bytes of a frame after the mark has been checked.
type Header struct {
	Version Version
	Type    Type
	Dir     Direction
	Length  uint16 // of the body, in bytes
}

// Errors of framing. A stream that gave one of them cannot be trusted any more: close it.
var (
	ErrMark      = errors.New("frame does not begin with a0a0a0a0: the peer does not speak FOCAS, or the stream is out of step")
	ErrDirection = errors.New("frame direction is not 1 to 4")
	ErrTooLong   = errors.New("frame body is longer than its version allows")
	ErrShort     = errors.New("frame ends too early")
)

// ParseHeader checks and reads a header from the first 10 bytes of b.
func ParseHeader(b []byte) (Header, error) {
	if len(b) < HeaderSize {
		return Header{}, ErrShort
	}
	if binary.BigEndian.Uint32(b) != Mark {
		return Header{}, ErrMark
	}
	h := Header{
		Version: Version(binary.BigEndian.Uint16(b[4:])),
		Type:    Type(b[6]),
		Dir:     Direction(b[7]),
		Length:  binary.BigEndian.Uint16(b[8:]),
	}
	if h.Dir < DirRequest || h.Dir > DirPush {
		return h, fmt.Errorf("%w: %d", ErrDirection, h.Dir)
	}
	if max := h.Version.MaxBody(); int(h.Length) > max {
		return h, fmt.Errorf("%w: %d bytes, limit %d for version %d", ErrTooLong, h.Length, max, h.Version)
	}
	return h, nil
}

// AppendHeader appends the 10 bytes of a header whose body is length bytes.
func AppendHeader(b []byte, v Version, t Type, d Direction, length int) []byte {
	b = binary.BigEndian.AppendUint32(b, Mark)
	b = binary.BigEndian.AppendUint16(b, uint16(v))
	b = append(b, byte(t), byte(d))
	return binary.BigEndian.AppendUint16(b, uint16(length))
}

// Frame is one whole frame. Body aliases the buffer that it was read from.
type Frame struct {
	Header
	Body []byte
}

// ParseFrame reads one frame from the start of b and returns what follows it.
func ParseFrame(b []byte) (f Frame, rest []byte, err error) {
	h, err := ParseHeader(b)
	if err != nil {
		return Frame{Header: h}, b, err
	}
	if len(b)-HeaderSize < int(h.Length) {
		return Frame{Header: h}, b, ErrShort
	}
	end := HeaderSize + int(h.Length)
	return Frame{Header: h, Body: b[HeaderSize:end:end]}, b[end:], nil
}

// Append appends the frame; Header.Length is set from the body.
func (f Frame) Append(b []byte) []byte {
	b = AppendHeader(b, f.Version, f.Type, f.Dir, len(f.Body))
	return append(b, f.Body...)
}

// BeginFrame appends a header whose length is not known yet and returns where it begins; write the body, then call
// [EndFrame] with that offset.
func BeginFrame(b []byte, v Version, t Type, d Direction) ([]byte, int) {
	at := len(b)
	return AppendHeader(b, v, t, d, 0), at
}

// EndFrame puts the length of the body that was appended since [BeginFrame] into the header at offset at.
func EndFrame(b []byte, at int) []byte {
	binary.BigEndian.PutUint16(b[at+8:], uint16(len(b)-at-HeaderSize))
	return b
}

// FrameReader reads frames from a stream into a buffer of its own. It is not safe for concurrent use.
type FrameReader struct {
	r   io.Reader
	buf []byte
}

// NewFrameReader reads from r.
func NewFrameReader(r io.Reader) *FrameReader { return &FrameReader{r: r} }

// Next reads one frame. Its body is valid until the next call. io.EOF means that the stream ended between two frames;
// io.ErrUnexpectedEOF that it ended inside one. The buffer grows only after the header's length has been checked.
func (fr *FrameReader) Next() (Frame, error) {
	if cap(fr.buf) < HeaderSize {
		fr.buf = make([]byte, 2048)
	}
	head := fr.buf[:HeaderSize]
	if _, err := io.ReadFull(fr.r, head); err != nil {
		return Frame{}, err
	}
	h, err := ParseHeader(head)
	if err != nil {
		return Frame{Header: h}, err
	}
	n := int(h.Length)
	if cap(fr.buf) < n {
		fr.buf = make([]byte, n)
	}
	body := fr.buf[:n]
	if _, err := io.ReadFull(fr.r, body); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return Frame{Header: h}, err
	}
	return Frame{Header: h, Body: body}, nil
}
