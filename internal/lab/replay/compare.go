package replay

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/patchbay-io/patchbay/transcript"
)

// Difference is where the peer first did something else than in the recording.
type Difference struct {
	Flow    uint32
	Dir     transcript.Direction // who was to send it
	Message int                  // number of the message in this direction of the flow, from 1; 0: unknown
	Summary string               // of the recorded message
	Offset  int64                // of the first differing byte, counted over what this direction of the recorded flow sent
	Field   string               // its name; empty when the protocol is not known
	Want    []byte               // recorded, at most 32 bytes; empty: nothing more was recorded
	Got     []byte               // what came, at most 32 bytes; empty: the message ends before
}

// Error is one line.
func (d *Difference) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "flow %d: the %v's bytes differ from the recording at byte %d", d.Flow, d.Dir, d.Offset)
	if d.Message > 0 {
		fmt.Fprintf(&b, ", message %d", d.Message)
		if d.Summary != "" {
			fmt.Fprintf(&b, " (%s)", d.Summary)
		}
	}
	if d.Field != "" {
		fmt.Fprintf(&b, ", field %q", d.Field)
	}
	fmt.Fprintf(&b, ": recorded [% x], got [% x]", d.Want, d.Got)
	return b.String()
}

// clip is a copy of at most 32 bytes.
func clip(b []byte) []byte { return append([]byte(nil), b[:min(len(b), 32)]...) }

// recorded is the recording taken apart: the messages of each direction of each flow.
type recorded struct {
	proto    *protocol
	messages map[side][]transcript.Message
	after    []int // by event: how many messages its direction has completed then
}

type side struct {
	flow uint32
	dir  transcript.Direction
}

// takeApart dissects a recording. proto may be nil: then there are no messages.
func takeApart(t *transcript.Transcript, proto *protocol) *recorded {
	r := &recorded{proto: proto, messages: map[side][]transcript.Message{}, after: make([]int, len(t.Events))}
	if proto == nil {
		return r
	}
	d := transcript.NewDissection(proto.open)
	add := func(list []transcript.Message) {
		for _, m := range list {
			k := side{m.Flow, m.Dir}
			r.messages[k] = append(r.messages[k], m)
		}
	}
	for i := range t.Events {
		e := &t.Events[i]
		add(d.Feed(e))
		r.after[i] = len(r.messages[side{e.Flow, e.Dir}])
	}
	add(d.End())
	return r
}

// differ describes a difference at an offset of a direction.
func (r *recorded) differ(k side, offset int64, want, got []byte) *Difference {
	d := &Difference{Flow: k.flow, Dir: k.dir, Offset: offset, Want: clip(want), Got: clip(got)}
	for i := range r.messages[k] {
		m := &r.messages[k][i]
		at := offset - m.Frame.Offset
		if at < 0 || at >= int64(m.Frame.Length) {
			continue
		}
		d.Message, d.Summary = i+1, m.Frame.Summary
		best := -1
		for n, f := range m.Frame.Fields {
			if int(at) >= f.Offset && int(at) < f.Offset+f.Length && (best < 0 || f.Length < m.Frame.Fields[best].Length) {
				best = n
			}
		}
		if best >= 0 {
			d.Field = m.Frame.Fields[best].Name
		}
	}
	return d
}

// unnamed is the last part of the name of bytes that no field explains.
const unnamed = "unknown"

// piece is one field of a message, or bytes that no field explains.
type piece struct {
	name string
	at   int
	b    []byte
}

// pieces are the fields of a message in order, and what lies unknown between them.
func pieces(m *transcript.Message) []piece {
	var out []piece
	put := func(name string, at, n int) {
		if at >= 0 && n >= 0 && at+n <= len(m.Raw) {
			out = append(out, piece{name, at, m.Raw[at : at+n]})
		}
	}
	for _, f := range m.Frame.Fields {
		put(f.Name, f.Offset, f.Length)
	}
	for _, u := range m.Frame.Unknown {
		name, end := unnamed, -1
		for _, f := range m.Frame.Fields {
			if f.Offset+f.Length <= u.Offset && f.Offset+f.Length > end {
				end = f.Offset + f.Length
				if prefix, _, ok := strings.Cut(f.Name, "."); ok {
					name = prefix + "." + unnamed
				}
			}
		}
		put(name, u.Offset, u.Length)
	}
	return out
}

// tolerate compares two messages by rule. It returns the first difference, or how many fields were let differ by reason.
func (r *recorded) tolerate(want, got *transcript.Message, number int, ignore []string) (*Difference, map[string]int) {
	d := func(p *piece, other []byte, at int) *Difference {
		name := ""
		var b []byte
		if p != nil {
			name, b = p.name, p.b
		}
		return &Difference{Flow: want.Flow, Dir: want.Dir, Message: number, Summary: want.Frame.Summary,
			Offset: want.Frame.Offset + int64(at), Field: name, Want: clip(b), Got: clip(other)}
	}
	if want.Frame.Err != nil || got.Frame.Err != nil {
		if bytes.Equal(want.Raw, got.Raw) {
			return nil, nil
		}
		return d(&piece{b: want.Raw}, got.Raw, 0), nil
	}
	let := map[string]int{}
	keep := func(m *transcript.Message) (out []piece, free map[string][]byte) {
		free = map[string][]byte{}
		for _, p := range pieces(m) {
			why := r.proto.may(&m.Frame, p.name)
			if why == "" && matches(ignore, p.name) {
				why = mayIgnored
			}
			if why == "" {
				out = append(out, p)
			} else {
				free[why+"\x00"+p.name] = p.b
			}
		}
		return out, free
	}
	a, freeA := keep(want)
	b, freeB := keep(got)
	for i := range a {
		switch {
		case i == len(b):
			return d(&a[i], nil, a[i].at), nil
		case a[i].name != b[i].name:
			return d(&a[i], b[i].b, a[i].at), nil
		case !bytes.Equal(a[i].b, b[i].b):
			n := 0
			for n < min(len(a[i].b), len(b[i].b)) && a[i].b[n] == b[i].b[n] {
				n++
			}
			return d(&a[i], b[i].b, a[i].at+n), nil
		}
	}
	if len(b) > len(a) {
		return &Difference{Flow: want.Flow, Dir: want.Dir, Message: number, Summary: want.Frame.Summary,
			Offset: want.Frame.Offset + int64(want.Frame.Length), Field: b[len(a)].name, Got: clip(b[len(a)].b)}, nil
	}
	for k, v := range freeA {
		if other, ok := freeB[k]; !ok || !bytes.Equal(v, other) {
			why, _, _ := strings.Cut(k, "\x00")
			let[why]++
		}
	}
	return nil, let
}
