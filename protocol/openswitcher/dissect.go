package openswitcher

import (
	"encoding/binary"
	"errors"
	"strconv"

	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/transcript"
)

// Dissector takes recorded conversations apart, one flow each; each packet is a frame. It implements [transcript.Dissector].
// Passwords are not shown.
type Dissector struct {
	sides  [2]dissectSide
	fields atem.FieldDissector
}

type dissectSide struct {
	buf []byte
	off int64
}

// NewDissector starts a flow.
func NewDissector() transcript.Dissector { return new(Dissector) }

func (d *Dissector) side(dir transcript.Direction) *dissectSide {
	if dir == transcript.FromServer {
		return &d.sides[1]
	}
	return &d.sides[0]
}

// lengthSize is the size of the length in front of a packet, which does not count itself.
const lengthSize = 2

// Feed implements [transcript.Dissector].
func (d *Dissector) Feed(dir transcript.Direction, b []byte) []transcript.Frame {
	s := d.side(dir)
	s.buf = append(s.buf, b...)
	var out []transcript.Frame
	for len(s.buf) >= lengthSize {
		n := lengthSize + int(binary.BigEndian.Uint16(s.buf))
		if len(s.buf) < n {
			break
		}
		fr := transcript.Frame{Offset: s.off, Length: n, Fields: []transcript.Field{
			{Name: "length", Offset: 0, Length: lengthSize, Value: strconv.Itoa(n - lengthSize), Grade: transcript.GradeSpec}}}
		fr.Summary, fr.Err = d.fields.Dissect(&fr, s.buf[lengthSize:n], lengthSize)
		if fr.Summary == "" && fr.Err == nil {
			fr.Summary = "an empty packet"
		}
		if fr.Err != nil && fr.Summary == "" {
			fr.Summary = "no fields"
		}
		out = append(out, fr)
		s.buf = s.buf[n:]
		s.off += int64(n)
	}
	return out
}

var errCut = errors.New("the recording ends inside a packet")

// End implements [transcript.Dissector].
func (d *Dissector) End(dir transcript.Direction) []transcript.Frame {
	s := d.side(dir)
	if len(s.buf) == 0 {
		return nil
	}
	fr := transcript.Frame{Offset: s.off, Length: len(s.buf), Summary: "the beginning of a packet", Err: errCut}
	s.off += int64(len(s.buf))
	s.buf = nil
	return []transcript.Frame{fr}
}

// Looks says how much the beginning of a direction looks like this protocol: 0 not at all, 100 beyond doubt.
func Looks(b []byte) int {
	best := 0
	for range 4 {
		if len(b) < lengthSize {
			break
		}
		n := lengthSize + int(binary.BigEndian.Uint16(b))
		if n > len(b) {
			break
		}
		for f, err := range atem.Fields(b[lengthSize:n]) {
			if err != nil {
				return 0
			}
			if info, ok := atem.Lookup(f.Code); ok {
				best = max(best, 60)
				if info.OSW {
					best = 95
				}
			}
		}
		b = b[n:]
	}
	return best
}
