package ocp1

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/patchbay-io/patchbay/transcript"
)

// Dissector takes recorded OCP.1 conversations apart, one flow each. It implements [transcript.Dissector]. It learns the
// classes of objects from the answers that list members, and keeps what is asked until it is answered.
type Dissector struct {
	sides   [2]dissectSide
	asked   map[uint32]asked
	classes map[ONo]ClassID
}

type dissectSide struct {
	buf []byte
	off int64
}

type asked struct {
	target ONo
	method ID
}

// What a flow may make the dissector keep.
const (
	maxAsked   = 1 << 14
	maxClasses = 1 << 17
)

// NewDissector starts a flow.
func NewDissector() transcript.Dissector {
	return &Dissector{asked: map[uint32]asked{}, classes: map[ONo]ClassID{
		DeviceManagerONo: ClassDeviceManager, SecurityManagerONo: ClassSecurityManager, FirmwareManagerONo: ClassFirmwareManager,
		SubscriptionManagerONo: ClassSubscriptionManager, NetworkManagerONo: ClassNetworkManager, RootBlockONo: ClassBlock}}
}

// errNoise is the Err of bytes between messages.
var errNoise = errors.New("bytes that are no OCP.1 message")

func (d *Dissector) side(dir transcript.Direction) *dissectSide {
	if dir == transcript.FromServer {
		return &d.sides[1]
	}
	return &d.sides[0]
}

// Feed implements [transcript.Dissector].
func (d *Dissector) Feed(dir transcript.Direction, b []byte) []transcript.Frame {
	s := d.side(dir)
	s.buf = append(s.buf, b...)
	var out []transcript.Frame
	for len(s.buf) > 0 {
		m, rest, err := ParseMessage(s.buf, 0)
		if errors.Is(err, ErrShort) {
			return out
		}
		if err != nil {
			n := nextSync(s.buf)
			out = append(out, s.noise(n, err))
			continue
		}
		n := len(s.buf) - len(rest)
		fr := transcript.Frame{Offset: s.off, Length: n}
		d.message(&fr, m, s.buf[:n])
		out = append(out, fr)
		s.take(n)
	}
	return out
}

// End implements [transcript.Dissector].
func (d *Dissector) End(dir transcript.Direction) []transcript.Frame {
	s := d.side(dir)
	if len(s.buf) == 0 {
		return nil
	}
	return []transcript.Frame{s.noise(len(s.buf), fmt.Errorf("the recording ends inside a message: %w", ErrShort))}
}

// nextSync is where the next message may begin behind the first byte, or the end of b.
func nextSync(b []byte) int {
	for at := 1; at < len(b); at++ {
		i := bytes.IndexByte(b[at:], Sync)
		if i < 0 {
			break
		}
		at += i
		if h, err := ParseHeader(b[at:], 0); err == nil && h.Type <= TypeNotification2 || errors.Is(err, ErrShort) {
			return at
		}
	}
	return len(b)
}

func (s *dissectSide) take(n int) {
	s.buf = s.buf[n:]
	s.off += int64(n)
	if len(s.buf) == 0 {
		s.buf = nil
	}
}

func (s *dissectSide) noise(n int, err error) transcript.Frame {
	if errors.Is(err, ErrSync) {
		err = errNoise
	}
	f := transcript.Frame{Offset: s.off, Length: n, Summary: fmt.Sprintf("%d bytes that are no message", n), Err: err,
		Unknown: []transcript.Range{{Offset: 0, Length: n}}}
	s.take(n)
	return f
}

// fields collects what is known about a message.
type fields struct {
	*transcript.Frame
	prefix string
}

func (f fields) put(name string, at, n int, value, text string) {
	f.Fields = append(f.Fields, transcript.Field{Name: f.prefix + name, Offset: at, Length: n, Value: value, Text: text, Grade: transcript.GradeSpec})
}

func (f fields) unknown(at, n int) {
	if n > 0 {
		f.Unknown = append(f.Unknown, transcript.Range{Offset: at, Length: n})
	}
}

func decimal[T ~uint8 | ~uint16 | ~uint32](v T) string { return strconv.FormatUint(uint64(v), 10) }

func (d *Dissector) message(fr *transcript.Frame, m Message, raw []byte) {
	p := fields{Frame: fr}
	p.put("sync", 0, 1, "3b", "")
	p.put("version", 1, 2, decimal(m.Version), "")
	p.put("size", 3, 4, decimal(m.Size), "")
	p.put("type", 7, 1, decimal(m.Type), m.Type.String())
	p.put("count", 8, 2, decimal(m.Count), "")
	fr.Summary = m.Type.String()
	if m.Type == TypeKeepAlive {
		interval, _, err := m.KeepAlive()
		if err != nil {
			fr.Err = err
			return
		}
		p.put("interval", HeaderSize, len(m.Body), interval.String(), "")
		fr.Summary += " " + interval.String()
		return
	}
	if m.Type > TypeNotification2 {
		p.unknown(HeaderSize, len(m.Body))
		return
	}
	if m.Count != 1 {
		fr.Summary += fmt.Sprintf(" x %d", m.Count)
	}
	pdus := m.PDUs()
	for i := 1; ; i++ {
		at := len(raw) - len(pdus.b)
		p.prefix = fmt.Sprintf("pdu %d.", i)
		text, ok := d.pdu(p, m.Type, &pdus, at)
		if !ok {
			break
		}
		switch {
		case i == 1:
			fr.Summary += ": " + text
		case i <= 3:
			fr.Summary += "; " + text
		case i == 4:
			fr.Summary += "; …"
		}
	}
	fr.Err = pdus.Err()
}

// pdu takes the next PDU, which begins at byte at, and says what it is.
func (d *Dissector) pdu(p fields, t Type, pdus *PDUs, at int) (string, bool) {
	switch t {
	case TypeCommand, TypeCommandRrq:
		c, ok := pdus.Command()
		if !ok {
			return "", false
		}
		return d.command(p, c, at, t == TypeCommandRrq), true
	case TypeResponse:
		r, ok := pdus.Response()
		if !ok {
			return "", false
		}
		return d.response(p, r, at), true
	case TypeNotification:
		n, ok := pdus.Notification()
		if !ok {
			return "", false
		}
		p.put("size", at, 4, decimal(uint32(NotificationSize+len(n.Context)+len(n.Data))), "")
		p.put("subscriber", at+4, 4, decimal(n.Subscriber), "")
		p.put("callback", at+8, 4, n.Method.String(), "") // a method of the subscriber, whose number the controller has chosen
		p.put("parameters", at+12, 1, decimal(n.Count), "")
		p.put("context", at+13, 2+len(n.Context), fmt.Sprintf("%x", n.Context), "")
		at += 15 + len(n.Context)
		return d.event(p, n.Event, n.Data, at, at+8), true
	}
	n, ok := pdus.Notification2()
	if !ok {
		return "", false
	}
	p.put("size", at, 4, decimal(uint32(Notification2Size+len(n.Data))), "")
	text := d.event(p, n.Event, n.Data, at+4, at+13)
	p.put("exception", at+12, 1, decimal(n.Exception), "")
	return text, true
}

func (d *Dissector) command(p fields, c Command, at int, rrq bool) string {
	name, info := d.methodName(c.Target, c.Method)
	p.put("size", at, 4, decimal(uint32(CommandSize+len(c.Params))), "")
	p.put("handle", at+4, 4, decimal(c.Handle), "")
	p.put("target", at+8, 4, decimal(c.Target), d.className(c.Target))
	p.put("method", at+12, 4, c.Method.String(), name)
	p.put("parameters", at+16, 1, decimal(c.Count), "")
	if rrq && len(d.asked) < maxAsked {
		d.asked[c.Handle] = asked{c.Target, c.Method}
	}
	text := fmt.Sprintf("%d.%s", c.Target, name)
	var in []Param
	if info != nil {
		in = info.In
	}
	return text + "(" + d.params(p, in, c.Params, at+CommandSize) + ")"
}

func (d *Dissector) response(p fields, r Response, at int) string {
	p.put("size", at, 4, decimal(uint32(ResponseSize+len(r.Params))), "")
	p.put("handle", at+4, 4, decimal(r.Handle), "")
	p.put("status", at+8, 1, decimal(r.Status), r.Status.String())
	p.put("parameters", at+9, 1, decimal(r.Count), "")
	q, known := d.asked[r.Handle]
	delete(d.asked, r.Handle)
	text := fmt.Sprintf("%d", r.Handle)
	var out []Param
	if known {
		name, info := d.methodName(q.target, q.method)
		text = fmt.Sprintf("%d.%s", q.target, name)
		if info != nil {
			out = info.Out
		}
		d.learn(q, r)
	}
	if r.Status != StatusOK {
		text += " " + r.Status.String()
	}
	if values := d.params(p, out, r.Params, at+ResponseSize); values != "" {
		text += " = " + values
	}
	return text
}

// learn keeps the classes that a list of members names.
func (d *Dissector) learn(q asked, r Response) {
	if q.method.Level != 3 || !d.classes[q.target].IsA(ClassBlock) || r.Status != StatusOK {
		return
	}
	ps := NewParams("members", r.Params)
	keep := func(o ObjectIdentification) {
		if len(d.classes) < maxClasses {
			d.classes[o.ONo] = o.Class.Class
		}
	}
	switch q.method.Index {
	case 5:
		for _, o := range ListOf(&ps, "Members", ps.ObjectIdentification) {
			keep(o)
		}
	case 6:
		for _, m := range ListOf(&ps, "Members", ps.BlockMember) {
			keep(m.Object)
		}
	case MethodFindByRole.Index, MethodFindByRoleRecursive.Index, MethodFindByLabelRecursive.Index, MethodFindByPath.Index:
		for _, r := range ListOf(&ps, "Result", ps.SearchResult) {
			if r.Class.Class.Len() > 0 { // else nobody wanted to know
				keep(ObjectIdentification{r.ONo, r.Class})
			}
		}
	}
}

// event says what an event is; the id of the event is at byte at, its data at byte data.
func (d *Dissector) event(p fields, e Event, b []byte, at, data int) string {
	p.put("emitter", at, 4, decimal(e.Emitter), d.className(e.Emitter))
	name := e.ID.String()
	if e.ID == PropertyChanged {
		name = "PropertyChanged"
	}
	p.put("event", at+4, 4, e.ID.String(), name)
	c, err := ParsePropertyChange(b)
	if e.ID != PropertyChanged || err != nil {
		p.unknown(data, len(b))
		return fmt.Sprintf("%d.%s", e.Emitter, name)
	}
	prop := c.Property.String()
	var ps []Param
	if info, ok := PropertyOf(d.classes[e.Emitter], c.Property); ok {
		prop = info.Name
		if info.Type != nil {
			ps = []Param{{info.Name, info.Type}}
		}
	}
	p.put("property", data, 4, c.Property.String(), prop)
	value := d.params(p, ps, c.Value, data+4)
	p.put("change", data+len(b)-1, 1, decimal(c.Change), c.Change.String())
	return fmt.Sprintf("%d.%s = %s", e.Emitter, prop, value)
}

// params explains encoded values; those that nobody can read are shown as they are, and marked unknown.
func (d *Dissector) params(p fields, ps []Param, b []byte, at int) string {
	if len(b) == 0 {
		return ""
	}
	text, err := Text(ps, b)
	if err != nil {
		p.put("values", at, len(b), "", "")
		p.unknown(at, len(b))
		return fmt.Sprintf("%x", b)
	}
	p.put("values", at, len(b), text, "")
	return text
}

func (d *Dissector) className(o ONo) string {
	id, ok := d.classes[o]
	if !ok {
		return ""
	}
	if c, ok := ClassByID(id); ok {
		return c.Name
	}
	return id.String()
}

func (d *Dissector) methodName(o ONo, m ID) (string, *MethodInfo) {
	id, ok := d.classes[o]
	if !ok && m.Level == 1 {
		id = ClassRoot // whatever it is, it is that
	}
	if info, ok := MethodOf(id, m); ok {
		return info.Name, info
	}
	return m.String(), nil
}
