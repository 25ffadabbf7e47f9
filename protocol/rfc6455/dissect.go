package rfc6455

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/patchbay-io/patchbay/transcript"
)

// Conversation is what the upgrade said about a connection; the texts are empty when the recording begins behind it.
type Conversation struct {
	Path     string // of the request
	Protocol string // the subprotocol that the server agreed to
}

// Inside is the protocol of the messages of a conversation. The zero Inside is none that is known.
type Inside struct {
	Protocol string
	Open     func() transcript.Dissector // text messages are fed as datagrams, binary ones as a stream
}

// Choose finds the protocol of the text messages of a conversation, or of its binary ones (op tells), by the first bytes of a
// side. It is asked again with what comes next while it finds none.
type Choose func(c Conversation, op Opcode, first []byte) Inside

// Errors of a side as a whole.
var (
	errMask    = errors.New("a client masks its frames, and a server does not; this one is the other way round")
	errOrder   = errors.New("a continuation without a beginning, or a new message inside another")
	errCut     = errors.New("the recording ends inside a frame")
	errLost    = errors.New("bytes behind a frame that is longer than the limit")
	errMessage = errors.New("a message that does not end, or is longer than the limit")
)

// NewDissector takes a recorded connection apart: requests and responses of HTTP, frames once the upgrade is done, and what is
// inside them as choose tells. A recording that begins behind the upgrade is read as frames.
func NewDissector(choose Choose) transcript.Dissector {
	return &dissector{choose: choose}
}

type dissector struct {
	choose Choose
	sides  [2]side
	conv   Conversation
	head   bool // the last request was HEAD
	inner  [2]inner
}

// inner is what is inside the text messages, or the binary ones.
type inner struct {
	protocol string
	d        *transcript.Dissection // nil: not known yet
}

// mode is what a side sends next.
type mode uint8

const (
	modeHead   mode = iota // a head, or frames when it is none
	modeBody               // so many bytes
	modeRest               // whatever comes until the end
	modeFrames             //
	modeLost               // nothing that can be told apart
)

type side struct {
	buf  []byte
	off  int64 // of buf[0]
	mode mode
	body int // bytes, in modeBody

	open     bool   // a message is unfinished
	op       Opcode // of that message
	packed   bool   // it is compressed
	message  []byte // of it, what has come and was not handed on
	over     bool   // it was longer than the limit
	window   []byte // the end of what was unpacked
	budget   int    // bytes that may still be unpacked; below 0 the spare is used up in part
	pending  []byte // binary, while nobody knows what it is
	loose    int64  // bytes that were shown as they are
	afterGap bool
}

func (d *dissector) side(dir transcript.Direction) *side {
	if dir == transcript.FromServer {
		return &d.sides[1]
	}
	return &d.sides[0]
}

// Feed implements transcript.Dissector.
func (d *dissector) Feed(dir transcript.Direction, b []byte) []transcript.Frame {
	s := d.side(dir)
	s.buf = append(s.buf, b...)
	var out []transcript.Frame
	for len(s.buf) > 0 {
		f, ok := d.next(dir, s)
		if !ok {
			break
		}
		f.Offset = s.off
		s.off += int64(f.Length)
		if s.buf = s.buf[f.Length:]; len(s.buf) == 0 {
			s.buf = nil
		}
		out = append(out, f)
	}
	return out
}

// next is the next frame of what a side has sent; false when more must come.
func (d *dissector) next(dir transcript.Direction, s *side) (transcript.Frame, bool) {
	switch s.mode {
	case modeHead:
		switch yes, more := BeginsHead(s.buf); {
		case yes:
			return d.http(dir, s)
		case more:
			return transcript.Frame{}, false
		}
		s.mode = modeFrames
	case modeBody:
		if len(s.buf) < s.body {
			return transcript.Frame{}, false
		}
		s.mode = modeHead
		return plain(s.body, "body", nil), true
	case modeRest:
		return plain(len(s.buf), "body", nil), true
	case modeLost:
		return plain(len(s.buf), "bytes", errLost), true
	}
	f, rest, err := ParseFrame(s.buf, 0)
	switch {
	case errors.Is(err, ErrShort):
		return transcript.Frame{}, false
	case errors.Is(err, ErrTooLong):
		s.mode = modeLost
		return plain(len(s.buf), "bytes", err), true
	}
	return d.frame(dir, s, f, len(s.buf)-len(rest), err), true
}

// plain is a stretch that nothing is known about.
func plain(n int, what string, err error) transcript.Frame {
	return transcript.Frame{Length: n, Summary: fmt.Sprintf("%s, %d bytes", what, n), Unknown: []transcript.Range{{Length: n}}, Err: err}
}

// maxBody is the longest body of a response that is kept as one.
const maxBody = 64 << 10

// http takes a head.
func (d *dissector) http(dir transcript.Direction, s *side) (transcript.Frame, bool) {
	h, n, err := ParseHead(s.buf)
	switch {
	case errors.Is(err, ErrShort):
		return transcript.Frame{}, false
	case err != nil:
		s.mode = modeRest
		return plain(len(s.buf), "bytes", err), true
	}
	f := transcript.Frame{Length: n, Summary: h.Line}
	put := func(name string, at, n int, value, text string) {
		f.Fields = append(f.Fields, transcript.Field{Name: name, Offset: at, Length: n, Value: value, Text: text, Grade: transcript.GradeSpec})
	}
	word := "response"
	if h.Request() {
		word = "request"
	}
	put(word, 0, len(h.Line)+2, h.Line, "")
	for _, l := range h.Lines {
		put(l.Name, l.Offset, l.Length, l.Value, "")
	}
	switch {
	case h.Request():
		d.head = strings.HasPrefix(h.Line, "HEAD ")
		if h.Upgrade() {
			d.conv = Conversation{Path: h.Path()}
			f.Summary += ", WebSocket"
		}
		s.bodyOf(&h, false)
	case h.Upgrade():
		d.conv.Protocol = h.Get("sec-websocket-protocol")
		d.sides[0].mode, d.sides[1].mode = modeFrames, modeFrames
		f.Summary += ", WebSocket"
	case !d.head:
		s.bodyOf(&h, h.Status() != "204" && h.Status() != "304" && !strings.HasPrefix(h.Status(), "1"))
	}
	return f, true
}

// bodyOf says what follows a head; without a length, a response goes on to the end of the connection.
func (s *side) bodyOf(h *Head, toEnd bool) {
	n, err := strconv.ParseUint(h.Get("content-length"), 10, 32)
	switch {
	case h.Get("transfer-encoding") != "", err == nil && n > maxBody, err != nil && toEnd:
		s.mode = modeRest
	case err == nil && n > 0:
		s.mode, s.body = modeBody, int(n)
	}
}

// frame takes a frame of n bytes; err is what is wrong with its header.
func (d *dissector) frame(dir transcript.Direction, s *side, f Frame, n int, err error) transcript.Frame {
	size := len(f.Payload)
	out := transcript.Frame{Length: n, Err: err, Summary: fmt.Sprintf("%v, %d bytes", f.Opcode, size)}
	put := func(name string, at, n int, value, text string) {
		out.Fields = append(out.Fields, transcript.Field{Name: name, Offset: at, Length: n, Value: value, Text: text, Grade: transcript.GradeSpec})
	}
	var bits []string
	if f.Fin {
		bits = append(bits, "final")
	}
	if f.Reserved != 0 {
		bits = append(bits, "reserved bits "+strconv.FormatUint(uint64(f.Reserved), 2))
	}
	put("opcode", 0, 1, strconv.Itoa(int(f.Opcode)), strings.Join(append([]string{f.Opcode.String()}, bits...), ", "))
	at := n - size
	if f.Masked {
		at -= 4
	}
	put("length", 1, at-1, strconv.Itoa(size), "")
	if f.Masked {
		put("mask", at, 4, fmt.Sprintf("%x", f.Mask), "")
	}
	if out.Err == nil && f.Masked != (dir == transcript.FromClient) {
		out.Err = errMask
	}
	switch {
	case err != nil && !errors.Is(err, ErrLength):
		if size > 0 {
			out.Unknown = append(out.Unknown, transcript.Range{Offset: n - size, Length: size})
		}
	case f.Opcode.Control():
		out.Err = errors.Join(out.Err, control(&out, f, n-size))
	default:
		out.Err = errors.Join(out.Err, d.data(dir, s, f, &out))
		out.Carried = size
	}
	return out
}

// control explains the payload of a control frame, at byte at.
func control(out *transcript.Frame, f Frame, at int) error {
	if f.Opcode != Close {
		if len(f.Payload) > 0 {
			out.Fields = append(out.Fields, transcript.Field{Name: "payload", Offset: at, Length: len(f.Payload), Value: fmt.Sprintf("%x", f.Payload),
				Text: "comes back in a pong", Grade: transcript.GradeSpec})
		}
		return nil
	}
	code, reason, err := ParseClose(f.Payload)
	if err != nil {
		return err
	}
	out.Summary = fmt.Sprintf("close, %d %s", code, CloseText(code))
	if len(f.Payload) > 0 {
		out.Fields = append(out.Fields, transcript.Field{Name: "code", Offset: at, Length: 2, Value: strconv.Itoa(int(code)), Text: CloseText(code), Grade: transcript.GradeSpec})
	}
	if reason != "" {
		out.Summary += ": " + reason
		out.Fields = append(out.Fields, transcript.Field{Name: "reason", Offset: at + 2, Length: len(reason), Value: reason, Grade: transcript.GradeSpec})
	}
	return nil
}
