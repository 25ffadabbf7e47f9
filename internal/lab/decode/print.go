package decode

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/patchbay-io/patchbay/internal/plural"
	"github.com/patchbay-io/patchbay/transcript"
)

// printer writes one form of output.
type printer interface {
	begin(h *transcript.Header, r *Result) error
	event(r *record) error // remarks and gaps; bytes come as messages
	message(m *transcript.Message, by *Protocol) error
	// end sums up. others are the flows that were left out, damage is why the input ended early.
	end(r *Result, others []string, damage error) error
}

// gradeLine says what stands behind fields that carry no mark.
const gradeLine = "fields were seen on the maker's own products, except those marked [spec], [inferred] or [guess]\n"

type textPrinter struct {
	w     io.Writer
	brief bool
	buf   []byte
	lines []transcript.Field // of the message at hand
}

func (t *textPrinter) begin(h *transcript.Header, r *Result) error {
	b := t.buf[:0]
	how := ""
	if r.Guessed {
		how = " (guessed)"
	}
	switch {
	case r.Capture && r.Protocol == "":
		b = append(b, "capture; the protocol of each flow is found by its port and its bytes\n"...)
	case r.Capture:
		b = fmt.Appendf(b, "capture; protocol %s\n", r.Protocol)
	default:
		b = fmt.Appendf(b, "protocol %s%s\n", r.Protocol, how)
	}
	b = append(b, gradeLine...)
	client, server := h.Evidence()
	for _, s := range []struct {
		name   string
		origin transcript.Origin
		proves bool
	}{{"client", h.Client, client}, {"server", h.Server, server}} {
		if s.origin.Producer != 0 {
			b = fmt.Appendf(b, "%s bytes by %v", s.name, s.origin.Producer)
			if s.origin.Text != "" {
				b = fmt.Appendf(b, ", %s", s.origin.Text)
			}
			if !s.proves {
				b = append(b, ": no evidence about the maker's product"...)
			}
			b = append(b, '\n')
		}
	}
	return t.flush(b)
}

func (t *textPrinter) flush(b []byte) error {
	t.buf = b
	_, err := t.w.Write(b)
	return err
}

func (t *textPrinter) event(e *record) error {
	switch e.Kind {
	case transcript.Comment:
		return t.flush(fmt.Appendf(t.buf[:0], "# %s\n", e.Text))
	case transcript.Open, transcript.Close, transcript.Reset, transcript.Note:
		return t.flush(fmt.Appendf(t.buf[:0], "%c %d +%.6f %v %s\n", e.Dir, e.Flow, e.Offset.Seconds(), e.Kind, e.Text))
	}
	return nil
}

// shownBytes is how many bytes of a field stand on its line, nameWidth how wide its name is at least.
const (
	shownBytes = 8
	nameWidth  = 24
)

// message writes what is carried deeper than what carries it. Of the latter nothing is said in brief, unless it is faulty.
func (t *textPrinter) message(m *transcript.Message, by *Protocol) error {
	f := &m.Frame
	if t.brief && m.Carries && f.Err == nil {
		return nil
	}
	b := t.buf[:0]
	deeper := strings.Repeat("  ", m.Level)
	if t.brief {
		deeper = ""
	}
	name := ""
	if m.Level > 0 && by.Name != "" {
		name = by.Name + ": "
	}
	b = fmt.Appendf(b, "%s%c %d +%.6f %s%s (%s)\n", deeper, m.Dir, m.Flow, m.Offset.Seconds(), name, shorter(f.Summary), plural.Of(f.Length, "byte"))
	if f.Err != nil {
		b = fmt.Appendf(b, "%s    error: %v\n", deeper, f.Err)
	}
	if t.brief {
		return t.flush(b)
	}
	t.lines = linesOf(t.lines[:0], f)
	for i := range t.lines {
		b = append(b, deeper...)
		b = appendLine(b, &t.lines[i], m.Raw)
		if t.lines[i].Name == unknownName {
			b = appendUnknown(b, deeper, &t.lines[i], m.Raw)
		}
	}
	return t.flush(b)
}

// maxSummary is how much of a summary stands on a line, in bytes. Lists can be long; the whole is in the fields, and in JSON.
const maxSummary = 200

func shorter(s string) string {
	if len(s) <= maxSummary {
		return s
	}
	n := maxSummary
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// unknownName stands in place of the name of bytes that no field explains.
const unknownName = "?"

// unknownRow is how many unknown bytes stand on a line of their own.
const unknownRow = 16

// appendUnknown is all bytes of an unknown stretch, as hex and as text, unless they have stood on the line before.
func appendUnknown(b []byte, deeper string, l *transcript.Field, raw []byte) []byte {
	part := raw[min(l.Offset, len(raw)):min(l.Offset+l.Length, len(raw))]
	if len(part) <= shownBytes {
		return b
	}
	for at := 0; at < len(part); at += unknownRow {
		row := part[at:min(at+unknownRow, len(part))]
		b = fmt.Appendf(b, "%s    %04x  % -*x  |", deeper, l.Offset+at, 3*unknownRow-1, row)
		for _, c := range row {
			if c < ' ' || c > '~' {
				c = '.'
			}
			b = append(b, c)
		}
		b = append(b, "|\n"...)
	}
	return b
}

const hexDigits = "0123456789abcdef"

// appendLine is one field: offset, bytes, name, value, text and grade.
func appendLine(b []byte, l *transcript.Field, raw []byte) []byte {
	b = append(b, "    "...)
	for shift := 12; shift >= 0 && l.Offset <= 0xffff; shift -= 4 {
		b = append(b, hexDigits[l.Offset>>shift&15])
	}
	if l.Offset > 0xffff {
		b = strconv.AppendInt(b, int64(l.Offset), 16)
	}
	b = append(b, "  "...)
	part := raw[min(l.Offset, len(raw)):min(l.Offset+l.Length, len(raw))]
	for i := range shownBytes {
		switch {
		case i >= len(part):
			b = append(b, "   "...)
		case i == shownBytes-1 && len(part) > shownBytes:
			b = append(b, ".. "...)
		default:
			b = append(b, hexDigits[part[i]>>4], hexDigits[part[i]&15], ' ')
		}
	}
	b = append(b, ' ')
	b = append(b, l.Name...)
	for n := len(l.Name); n < nameWidth; n++ {
		b = append(b, ' ')
	}
	if l.Value != "" {
		b = append(append(b, ' '), l.Value...)
	}
	if l.Text != "" && l.Text != l.Value {
		b = append(append(b, "  "...), l.Text...)
	}
	if l.Grade != "" && l.Grade != transcript.GradeSeen {
		b = append(append(append(b, "  ["...), l.Grade...), ']')
	}
	return append(b, '\n')
}

// linesOf appends the fields and the unknown bytes, by offset.
func linesOf(lines []transcript.Field, f *transcript.Frame) []transcript.Field {
	lines = append(lines, f.Fields...)
	for _, u := range f.Unknown {
		lines = append(lines, transcript.Field{Name: unknownName, Offset: u.Offset, Length: u.Length, Value: fmt.Sprintf("%d unknown bytes", u.Length)})
	}
	slices.SortStableFunc(lines, func(a, b transcript.Field) int { return cmp.Compare(a.Offset, b.Offset) })
	return lines
}

func (t *textPrinter) end(r *Result, others []string, damage error) error {
	return t.flush(appendSummary(t.buf[:0], r, others, damage))
}

func appendSummary(b []byte, r *Result, others []string, damage error) []byte {
	b = fmt.Appendf(b, "%s, %d faulty; %d of %s decoded, %.1f %%\n", plural.Of(r.Frames, "frame"), r.Faulty,
		r.Share.Decoded, plural.Of(r.Share.Bytes, "byte"), r.Share.Percent())
	if r.Gaps > 0 {
		b = fmt.Appendf(b, "%s bytes are missing in %d places\n", thousands(r.Missing), r.Gaps)
	}
	if len(others) > 0 {
		b = fmt.Appendf(b, "left out: %s\n", strings.Join(others, "; "))
	}
	if damage != nil {
		b = fmt.Appendf(b, "not complete: %v\n", damage)
	}
	return b
}

// otherTexts are the flows that were left out, largest first.
func (s *stream) otherTexts() []string {
	keys := slices.SortedFunc(maps.Keys(s.others), func(a, b string) int {
		return cmp.Or(cmp.Compare(s.others[b].bytes, s.others[a].bytes), strings.Compare(a, b))
	})
	var out []string
	for i, k := range keys {
		if i == maxOthersShown {
			out = append(out, fmt.Sprintf("and %d more", len(keys)-i))
			break
		}
		out = append(out, fmt.Sprintf("%s: %d flows with %s bytes", k, s.others[k].flows, thousands(s.others[k].bytes)))
	}
	return out
}

const maxOthersShown = 8
