package fcxml

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/patchbay-io/patchbay/transcript"
)

// NewDissector takes a recorded session apart, or a discovery, whose datagrams hold one frame each. It learns the controls of
// a device from its arrival, so that values are shown with their paths.
func NewDissector() transcript.Dissector { return &dissector{schemas: map[string]*Schema{}} }

type dissector struct {
	sides   [2]side
	schemas map[string]*Schema
}

type side struct {
	buf    []byte
	offset int64 // of buf[0]
}

func sideOf(dir transcript.Direction) int {
	if dir == transcript.FromServer {
		return 1
	}
	return 0
}

// Feed implements transcript.Dissector.
func (d *dissector) Feed(dir transcript.Direction, b []byte) []transcript.Frame {
	s := &d.sides[sideOf(dir)]
	s.buf = append(s.buf, b...)
	var out []transcript.Frame
	for len(s.buf) > 0 {
		f, rest, err := ParseFrame(s.buf)
		if err == nil {
			out = append(out, s.take(d.frame(f, len(s.buf)-len(rest))))
			continue
		}
		if err == ErrTooShort && bytes.HasPrefix([]byte(mark), s.buf[:min(len(s.buf), len(mark))]) {
			break
		}
		n := nextHeader(s.buf)
		if n < 0 {
			break // what follows decides how long the nonsense is
		}
		out = append(out, s.take(transcript.Frame{Length: n, Summary: fmt.Sprintf("%d bytes outside of a frame", n), Err: ErrNoFrame}))
	}
	return out
}

// nextHeader is where the next header begins, after the first byte; -1 when none has come yet.
func nextHeader(b []byte) int {
	for n := 1; n+HeaderSize <= len(b) && n <= maxJunk; n++ {
		if _, _, err := ParseHeader(b[n:]); err == nil {
			return n
		}
	}
	if len(b) >= maxJunk+HeaderSize {
		return maxJunk
	}
	return -1
}

func (s *side) take(f transcript.Frame) transcript.Frame {
	f.Offset = s.offset
	s.offset += int64(f.Length)
	s.buf = s.buf[f.Length:]
	return f
}

// End implements transcript.Dissector.
func (d *dissector) End(dir transcript.Direction) []transcript.Frame {
	s := &d.sides[sideOf(dir)]
	if len(s.buf) == 0 {
		return nil
	}
	return []transcript.Frame{s.take(transcript.Frame{Length: len(s.buf), Summary: fmt.Sprintf("%d bytes of an unfinished frame", len(s.buf)), Err: ErrTooShort})}
}

func (d *dissector) frame(f Frame, n int) transcript.Frame {
	out := transcript.Frame{Length: n, Fields: []transcript.Field{
		{Name: "length", Offset: len(mark), Length: 6, Value: strconv.Itoa(len(f.Payload)), Text: "bytes of UTF-8", Grade: transcript.GradeSeen}}}
	m, err := Parse(f.Payload)
	if err != nil {
		out.Err, out.Summary = err, "a frame that cannot be read"
		return out
	}
	name, _, _ := bytes.Cut(bytes.TrimPrefix(f.Payload, []byte("<")), []byte(" "))
	name = bytes.TrimRight(name, "/>")
	if n := bytes.IndexAny(name, "/>"); n >= 0 {
		name = name[:n]
	}
	word := transcript.Field{Name: "message", Offset: HeaderSize + 1, Length: len(name), Value: string(name), Grade: transcript.GradeSeen}
	if _, ok := m.(Unknown); ok {
		word.Text = "not known"
	}
	out.Fields = append(out.Fields, word)
	switch m := m.(type) {
	case Set:
		out.Summary = fmt.Sprintf("set, device %s, %d items", m.Device, len(m.Items))
		d.items(&out, f.Payload, m)
		return out
	case DeviceArrival:
		var names []string
		for _, e := range m.Devices {
			names = append(names, fmt.Sprintf("%s as %s", e.Attr("model"), e.Attr("id")))
			if s, err := NewSchema(e); err == nil {
				d.schemas[s.ID] = s
				names[len(names)-1] += fmt.Sprintf(", %d items", len(s.Items))
			}
		}
		out.Summary = "device-arrival: " + strings.Join(names, "; ")
		out.Fields = append(out.Fields, transcript.Field{Name: "devices", Offset: HeaderSize, Length: len(f.Payload), Value: strconv.Itoa(len(m.Devices)), Grade: transcript.GradeSeen})
		return out
	case Unknown:
		out.Summary = m.Root.Name + ", which is not known"
		out.Unknown = []transcript.Range{{Offset: HeaderSize, Length: len(f.Payload)}}
		return out
	}
	root, err := ParseElement(f.Payload)
	if err != nil {
		out.Err = err
		return out
	}
	out.Summary = root.Name
	for _, a := range root.Attrs {
		out.Summary += fmt.Sprintf(" %s=%s", a.Name, a.Value)
		at, length := find(f.Payload, 0, a.Name)
		out.Fields = append(out.Fields, transcript.Field{Name: a.Name, Offset: HeaderSize + at, Length: length, Value: a.Value, Grade: transcript.GradeSeen})
	}
	return out
}

// items are the fields of a set. They lie in the payload in the order of the message, between those that are left out of it.
func (d *dissector) items(out *transcript.Frame, payload []byte, m Set) {
	schema := d.schemas[m.Device]
	at, end := 0, 0
	for _, it := range m.Items {
		for numbered := false; !numbered; numbered = hasID(payload[at:end], it.ID) {
			n := bytes.Index(payload[end:], []byte("<item"))
			if n < 0 {
				return
			}
			at = end + n
			end = len(payload)
			if n = bytes.IndexByte(payload[at:], '>'); n >= 0 {
				end = at + n + 1
			}
		}
		f := transcript.Field{Name: "item " + strconv.FormatUint(uint64(it.ID), 10), Offset: HeaderSize + at, Length: end - at,
			Value: it.Value, Grade: transcript.GradeSeen}
		if schema != nil {
			if known := schema.ByID(it.ID); known != nil {
				f.Text, f.Grade = known.Path, transcript.GradeInferred
			}
		}
		out.Fields = append(out.Fields, f)
	}
}

// hasID reports whether a tag has this number as its id.
func hasID(tag []byte, id uint32) bool {
	at, length := find(tag, 0, "id")
	value := tag[at : at+length]
	number := strconv.FormatUint(uint64(id), 10)
	return len(value) == len("id=''")+len(number) && string(value[len("id='"):len(value)-1]) == number
}

// find is where an attribute stands in a payload, from its name to its closing quote.
func find(payload []byte, from int, name string) (at, length int) {
	n := bytes.Index(payload[from:], []byte(" "+name+"="))
	if n < 0 {
		return 0, len(payload)
	}
	at = from + n + 1
	quote := at + len(name) + 1
	if quote >= len(payload) {
		return at, len(payload) - at
	}
	end := bytes.IndexByte(payload[quote+1:], payload[quote])
	if end < 0 {
		return at, len(payload) - at
	}
	return at, quote + 1 + end + 1 - at
}
