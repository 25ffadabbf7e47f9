package is12

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/patchbay-io/patchbay/transcript"
)

// NewDissector takes recorded messages apart, each of which is fed as a whole. It keeps what was asked until it is answered.
func NewDissector() transcript.Dissector { return &dissector{asked: map[uint16]asked{}} }

type dissector struct {
	offsets [2]int64
	asked   map[uint16]asked
}

type asked struct {
	oid    uint32
	method ID
}

// Feed implements transcript.Dissector.
func (d *dissector) Feed(dir transcript.Direction, b []byte) []transcript.Frame {
	at := &d.offsets[0]
	if dir == transcript.FromServer {
		at = &d.offsets[1]
	}
	f := transcript.Frame{Offset: *at, Length: len(b)}
	*at += int64(len(b))
	m, err := Parse(b, 0)
	if err != nil {
		f.Err, f.Summary = err, fmt.Sprintf("%d bytes that are no message", len(b))
		f.Unknown = []transcript.Range{{Length: len(b)}}
		return []transcript.Frame{f}
	}
	d.message(&f, &m)
	return []transcript.Frame{f}
}

// End implements transcript.Dissector; messages are whole.
func (d *dissector) End(transcript.Direction) []transcript.Frame { return nil }

// message explains m. Where in the JSON a value stands is not kept: each field lies over the whole message.
func (d *dissector) message(f *transcript.Frame, m *Message) {
	put := func(name, value, text string) {
		f.Fields = append(f.Fields, transcript.Field{Name: name, Length: f.Length, Value: value, Text: text, Grade: transcript.GradeSpec})
	}
	put("type", strconv.Itoa(int(m.Type)), m.Type.String())
	var parts []string
	for i := range m.Commands {
		c := &m.Commands[i]
		d.asked[c.Handle] = asked{c.Oid, c.MethodID}
		name := methodName(c.MethodID)
		put(fmt.Sprintf("command %d.handle", i+1), strconv.Itoa(int(c.Handle)), "")
		put(fmt.Sprintf("command %d.oid", i+1), strconv.FormatUint(uint64(c.Oid), 10), "")
		put(fmt.Sprintf("command %d.method", i+1), c.MethodID.String(), name)
		put(fmt.Sprintf("command %d.arguments", i+1), string(c.Arguments), "")
		parts = append(parts, fmt.Sprintf("%d.%s(%s)", c.Oid, name, c.Arguments))
	}
	for i := range m.Responses {
		r := &m.Responses[i]
		put(fmt.Sprintf("response %d.handle", i+1), strconv.Itoa(int(r.Handle)), "")
		put(fmt.Sprintf("response %d.status", i+1), strconv.Itoa(int(r.Result.Status)), r.Result.Status.String())
		part := strconv.Itoa(int(r.Handle))
		if q, ok := d.asked[r.Handle]; ok {
			delete(d.asked, r.Handle)
			part = fmt.Sprintf("%d.%s", q.oid, methodName(q.method))
		}
		if !r.Result.Status.OK() {
			part += " " + r.Result.Status.String()
		}
		if len(r.Result.Value) > 0 {
			put(fmt.Sprintf("response %d.value", i+1), string(r.Result.Value), "")
			part += " = " + string(r.Result.Value)
		}
		if r.Result.ErrorMessage != "" {
			put(fmt.Sprintf("response %d.error", i+1), r.Result.ErrorMessage, "")
			part += ": " + r.Result.ErrorMessage
		}
		parts = append(parts, part)
	}
	for i := range m.Notifications {
		n := &m.Notifications[i]
		put(fmt.Sprintf("notification %d.oid", i+1), strconv.FormatUint(uint64(n.Oid), 10), "")
		put(fmt.Sprintf("notification %d.property", i+1), n.EventData.PropertyID.String(), "")
		put(fmt.Sprintf("notification %d.value", i+1), string(n.EventData.Value), "")
		parts = append(parts, fmt.Sprintf("%d.%v = %s", n.Oid, n.EventData.PropertyID, n.EventData.Value))
	}
	if m.Type == TypeSubscription || m.Type == TypeSubscriptionResponse {
		put("subscriptions", strings.Trim(fmt.Sprint(m.Subscriptions), "[]"), "")
		parts = append(parts, fmt.Sprint(m.Subscriptions))
	}
	if m.Type == TypeError {
		put("status", strconv.Itoa(int(m.Status)), m.Status.String())
		put("error", m.ErrorMessage, "")
		parts = append(parts, strings.TrimSpace(m.Status.String()+" "+m.ErrorMessage))
	}
	f.Summary = m.Type.String()
	if text := shorten(strings.Join(parts, "; ")); text != "" {
		f.Summary += ": " + text
	}
}

// maxSummary is the longest summary in characters; the rest stands in the fields.
const maxSummary = 160

func shorten(s string) string {
	if r := []rune(s); len(r) > maxSummary {
		return string(r[:maxSummary-1]) + "…"
	}
	return s
}

// methodName is the standard's name of a method that every object, block or class manager has, or its number. Two classes
// may have a method of the same number: those of level 3 are the class manager's, the only one of the standard with any.
func methodName(id ID) string {
	switch id {
	case MethodGet:
		return "Get"
	case MethodSet:
		return "Set"
	case MethodGetMemberDescriptors:
		return "GetMemberDescriptors"
	case MethodGetControlClass:
		return "GetControlClass"
	case MethodGetDatatype:
		return "GetDatatype"
	}
	return id.String()
}
