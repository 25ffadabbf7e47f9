package decode

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/patchbay-io/patchbay/internal/plural"
)

// diffWriter writes what a comparison finds.
type diffWriter struct {
	out  io.Writer
	json bool
	res  *DiffResult
}

func (w *diffWriter) write(line any, text string) error {
	if w.json {
		return newEncoder(w.out).Encode(line)
	}
	_, err := io.WriteString(w.out, text)
	return err
}

func (w *diffWriter) compare(k diffKey, a, b pending) error {
	w.res.Compared++
	field, offset, va, vb, ok := difference(a.msg, b.msg)
	if !ok {
		return nil
	}
	w.res.Different++
	return w.write(jsonDifference{"difference", k.flow, k.dir.String(), a.n, a.msg.Offset.Seconds(), b.msg.Offset.Seconds(), a.msg.Frame.Summary, field, offset, va, vb},
		fmt.Sprintf("%c %d message %d of the %v: %s\n    A +%.6f  %04x  %s  %s\n    B +%.6f  %04x  %s  %s\n", k.dir, k.flow, a.n, k.dir, a.msg.Frame.Summary,
			a.msg.Offset.Seconds(), offset, field, va, b.msg.Offset.Seconds(), offset, field, vb))
}

func (w *diffWriter) only(side int, k diffKey, p pending) error {
	if side == 0 {
		w.res.OnlyA++
	} else {
		w.res.OnlyB++
	}
	name := string(rune('A' + side))
	return w.write(jsonOnly{"only", string(rune('a' + side)), k.flow, k.dir.String(), p.n, p.msg.Offset.Seconds(), p.msg.Frame.Summary},
		fmt.Sprintf("%c %d message %d of the %v is in %s alone: +%.6f %s\n", k.dir, k.flow, p.n, k.dir, name, p.msg.Offset.Seconds(), p.msg.Frame.Summary))
}

// rest tells of messages that found no partner.
func (w *diffWriter) rest(side int, d *diffSide) error {
	keys := slices.SortedFunc(maps.Keys(d.wait), func(a, b diffKey) int {
		return cmp.Or(cmp.Compare(a.flow, b.flow), cmp.Compare(b.dir, a.dir))
	})
	for _, k := range keys {
		for _, p := range d.wait[k] {
			if err := w.only(side, k, p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *diffWriter) end() error {
	r := w.res
	return w.write(jsonDiffSummary{"summary", r.Compared, r.Different, r.OnlyA, r.OnlyB},
		fmt.Sprintf("%s compared, %d differ; %d in A alone, %d in B alone\n", plural.Of(r.Compared, "message"), r.Different, r.OnlyA, r.OnlyB))
}
