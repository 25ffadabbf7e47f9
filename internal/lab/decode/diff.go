package decode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/patchbay-io/patchbay/transcript"
)

// DiffResult sums up a comparison.
type DiffResult struct {
	Compared  int // pairs of messages
	Different int
	OnlyA     int // messages that have no partner
	OnlyB     int
}

// Same reports whether no difference was found.
func (d DiffResult) Same() bool { return d.Different == 0 && d.OnlyA == 0 && d.OnlyB == 0 }

// maxApart is how many messages one recording may be ahead of the other.
const maxApart = 10000

// ErrApart is the cause when two recordings cannot be compared message by message.
var ErrApart = errors.New("the recordings run too far apart to be compared")

// diffKey is a direction of a flow, flows counted in the order in which they began.
type diffKey struct {
	flow int
	dir  transcript.Direction
}

// pending is a message that waits for its partner.
type pending struct {
	n   int // of the message in its direction
	msg *transcript.Message
}

// diffSide is one of the two recordings.
type diffSide struct {
	s     *stream
	res   Result
	flows map[uint32]int
	count map[diffKey]int
	wait  map[diffKey][]pending
	held  int
	done  bool
	err   error
}

func openDiffSide(r io.Reader, o Options) (*diffSide, error) {
	d := &diffSide{flows: map[uint32]int{}, count: map[diffKey]int{}, wait: map[diffKey][]pending{}}
	var err error
	d.s, err = openStream(r, o, &d.res)
	return d, err
}

// next is the next message; ok is false at the end.
func (d *diffSide) next(ctx context.Context) (k diffKey, p pending, ok bool, err error) {
	for !d.done {
		it, err := d.s.next(ctx)
		switch {
		case err == io.EOF:
			d.done = true
		case errors.Is(err, ErrDamaged):
			d.done, d.err = true, err
		case err != nil:
			return k, p, false, err
		case it.msg != nil && it.msg.Frame.Carried == 0: // of what carries others, those are compared
			if _, known := d.flows[it.msg.Flow]; !known {
				d.flows[it.msg.Flow] = len(d.flows) + 1
			}
			k = diffKey{d.flows[it.msg.Flow], it.msg.Dir}
			d.count[k]++
			m := *it.msg
			return k, pending{d.count[k], &m}, true, nil
		}
	}
	return k, p, false, nil
}

// The lines of a JSON comparison.
type (
	jsonDifference struct {
		Type    string  `json:"type"` // "difference"
		Flow    int     `json:"flow"` // counted in the order in which flows begin
		From    string  `json:"from"`
		Message int     `json:"message"` // counted in its direction of the flow, from 1
		TimeA   float64 `json:"time_a"`
		TimeB   float64 `json:"time_b"`
		Summary string  `json:"summary"` // of A's message
		Field   string  `json:"field"`   // the first that differs
		Offset  int     `json:"offset"`  // of the first difference, within the message
		A       string  `json:"a"`
		B       string  `json:"b"`
	}
	jsonOnly struct {
		Type    string  `json:"type"` // "only"
		In      string  `json:"in"`   // "a" or "b"
		Flow    int     `json:"flow"`
		From    string  `json:"from"`
		Message int     `json:"message"`
		Time    float64 `json:"time"`
		Summary string  `json:"summary"`
	}
	jsonDiffSummary struct {
		Type      string `json:"type"` // "summary"
		Compared  int    `json:"compared"`
		Different int    `json:"different"`
		OnlyA     int    `json:"only_a"`
		OnlyB     int    `json:"only_b"`
	}
)

// Diff compares two recordings message by message: the first message of the client in the first flow of a with that of b,
// and so on. For each pair that differs it writes the first field that does. A damaged recording is compared as far as it
// can be read; the error then satisfies [ErrDamaged].
func Diff(ctx context.Context, a, b io.Reader, out io.Writer, o Options) (DiffResult, error) {
	var res DiffResult
	var sides [2]*diffSide
	for i, r := range []io.Reader{a, b} {
		d, err := openDiffSide(r, o)
		if err != nil {
			return res, fmt.Errorf("recording %c: %w", 'A'+i, err)
		}
		sides[i] = d
	}
	w := diffWriter{out: out, json: o.JSON, res: &res}
	for turn := 0; !sides[0].done || !sides[1].done; turn = 1 - turn {
		me, you := sides[turn], sides[1-turn]
		k, p, ok, err := me.next(ctx)
		if err != nil {
			return res, fmt.Errorf("recording %c: %w", 'A'+turn, err)
		}
		if !ok {
			continue
		}
		if q := you.wait[k]; len(q) > 0 {
			you.wait[k] = q[1:]
			you.held--
			pair := [2]pending{p, q[0]}
			if turn == 1 {
				pair[0], pair[1] = pair[1], pair[0]
			}
			if err := w.compare(k, pair[0], pair[1]); err != nil {
				return res, err
			}
			continue
		}
		if me.held++; me.held > maxApart && !you.done {
			return res, fmt.Errorf("%w: recording %c has %d messages more by now", ErrApart, 'A'+turn, maxApart)
		} else if me.held > maxApart {
			if err := w.only(turn, k, p); err != nil {
				return res, err
			}
			me.held--
			continue
		}
		me.wait[k] = append(me.wait[k], p)
	}
	for i, d := range sides {
		if err := w.rest(i, d); err != nil {
			return res, err
		}
	}
	if err := w.end(); err != nil {
		return res, err
	}
	for i, d := range sides {
		if d.err != nil {
			return res, fmt.Errorf("recording %c: %w", 'A'+i, d.err)
		}
	}
	return res, nil
}

// difference names the first field that differs; ok is false when the bytes are the same.
func difference(a, b *transcript.Message) (field string, offset int, va, vb string, ok bool) {
	if bytes.Equal(a.Raw, b.Raw) || masked(a) && masked(b) && a.Frame.Summary == b.Frame.Summary {
		return "", 0, "", "", false
	}
	at := 0
	for at < min(len(a.Raw), len(b.Raw)) && a.Raw[at] == b.Raw[at] {
		at++
	}
	fa, fb := a.Frame.Fields, b.Frame.Fields
	for i := range max(len(fa), len(fb)) {
		switch {
		case i >= len(fa):
			return fb[i].Name, fb[i].Offset, "not there", valueOf(&fb[i]), true
		case i >= len(fb):
			return fa[i].Name, fa[i].Offset, valueOf(&fa[i]), "not there", true
		case at < fa[i].Offset && unexplained(a, at):
			return fmt.Sprintf("unknown bytes at %#x", at), at, hexFrom(a.Raw, at), hexFrom(b.Raw, at), true
		case fa[i].Name != fb[i].Name:
			return fa[i].Name, fa[i].Offset, valueOf(&fa[i]), fb[i].Name + " " + valueOf(&fb[i]), true
		case fa[i].Length != fb[i].Length || !bytes.Equal(part(a.Raw, &fa[i]), part(b.Raw, &fb[i])):
			return fa[i].Name, fa[i].Offset, valueOf(&fa[i]), valueOf(&fb[i]), true
		}
	}
	return fmt.Sprintf("unknown bytes at %#x", at), at, hexFrom(a.Raw, at), hexFrom(b.Raw, at), true
}

// masked reports whether m is a frame of a WebSocket with a mask, which is random.
func masked(m *transcript.Message) bool {
	return slices.ContainsFunc(m.Frame.Fields, func(f transcript.Field) bool { return f.Name == "mask" })
}

// unexplained reports whether no field of m covers the byte at.
func unexplained(m *transcript.Message, at int) bool {
	for i := range m.Frame.Fields {
		if f := &m.Frame.Fields[i]; at >= f.Offset && at < f.Offset+f.Length {
			return false
		}
	}
	return true
}

func part(raw []byte, f *transcript.Field) []byte {
	return raw[min(f.Offset, len(raw)):min(f.Offset+f.Length, len(raw))]
}

func valueOf(f *transcript.Field) string {
	switch {
	case f.Text == "" || f.Text == f.Value:
		return f.Value
	case f.Value == "":
		return f.Text
	}
	return f.Value + " " + f.Text
}

func hexFrom(b []byte, at int) string {
	if at >= len(b) {
		return "the end"
	}
	return fmt.Sprintf("% x", b[at:min(at+8, len(b))])
}
