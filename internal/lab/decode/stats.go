package decode

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/patchbay-io/patchbay/internal/plural"
	"github.com/patchbay-io/patchbay/transcript"
)

// statsPrinter counts instead of showing: how much is understood, with what evidence, what is not, and what to look at
// next. Its memory is bounded by the number of kinds, which is limited.
type statsPrinter struct {
	w      io.Writer
	enc    *json.Encoder // nil: text
	name   string
	head   jsonRecording
	sides  [2]struct{ frames, bytes int64 }
	kinds  map[statKey]*stat
	grades map[string]int64 // fields
	faults map[string]*stat
}

// maxKinds is how many kinds of messages are told apart; what comes later is counted together.
const maxKinds = 4096

// shownNext is how many things to look at next are listed.
const shownNext = 8

type statKey struct {
	from string // "client" or "server"
	kind string
}

// stat counts one kind of message, or one kind of fault.
type stat struct {
	Messages int64
	Bytes    int64
	Unknown  int64 // bytes
	Unnamed  bool
	flow     uint32 // of the first one with unknown bytes
	at       time.Duration
	seen     bool
}

func newStatsPrinter(w io.Writer, o Options) *statsPrinter {
	s := &statsPrinter{w: w, name: o.Name, kinds: map[statKey]*stat{}, grades: map[string]int64{}, faults: map[string]*stat{}}
	if o.JSON {
		s.enc = newEncoder(w)
	}
	return s
}

func (s *statsPrinter) begin(h *transcript.Header, r *Result) error {
	s.head = recordingLine(h, r, s.name)
	return nil
}

func (s *statsPrinter) event(*record) error { return nil }

func (s *statsPrinter) message(m *transcript.Message, by *Protocol) error {
	side := 0
	if m.Dir == transcript.FromServer {
		side = 1
	}
	s.sides[side].frames++
	s.sides[side].bytes += int64(m.Frame.Length - m.Frame.Carried)
	from := m.Dir.String()
	if m.Frame.Err != nil {
		text := m.Frame.Err.Error()
		if len(s.faults) >= maxKinds && s.faults[text] == nil {
			text = "further faults"
		}
		note(s.faults, text, m, int64(m.Frame.Length))
		return nil
	}
	fields := m.Frame.Fields
	for i := range fields {
		s.grades[cmp.Or(fields[i].Grade, "none")]++
	}
	// parts of the message are counted under the fields that name them; what stands before the first belongs to the message
	unknown := m.Frame.Unknown
	named := 0
	carried := m.Frame.Carried // counts as the bytes of what is carried; it stands at the end
	for i := range fields {
		f := &fields[i]
		if !names(by, f) {
			continue
		}
		end := m.Frame.Length
		for k := i + 1; k < len(fields); k++ {
			if names(by, &fields[k]) {
				end = fields[k].Offset
				break
			}
		}
		named++
		st := s.kind(statKey{from, cmp.Or(f.Text, f.Value)})
		st.Messages++
		st.Bytes += int64(end - f.Offset)
		if end == m.Frame.Length {
			st.Bytes -= int64(carried)
		}
		st.Unnamed = by.unnamed != nil && by.unnamed(f)
		for len(unknown) > 0 && (unknown[0].Offset < end || end == m.Frame.Length) {
			st.add(m, int64(unknown[0].Length))
			unknown = unknown[1:]
		}
	}
	if named == 0 {
		st := s.kind(statKey{from, "messages without a name"})
		st.Messages++
		for _, u := range unknown {
			st.add(m, int64(u.Length))
		}
	}
	return nil
}

func names(by *Protocol, f *transcript.Field) bool {
	return slices.Contains(by.names, f.Name[strings.LastIndexByte(f.Name, '.')+1:])
}

func (s *statsPrinter) kind(k statKey) *stat {
	if s.kinds[k] == nil {
		if len(s.kinds) >= maxKinds {
			k.kind = "further kinds"
		}
		if s.kinds[k] == nil {
			s.kinds[k] = &stat{}
		}
	}
	return s.kinds[k]
}

func (s *stat) add(m *transcript.Message, unknown int64) {
	s.Unknown += unknown
	if !s.seen {
		s.seen, s.flow, s.at = true, m.Flow, m.Offset
	}
}

func note(m map[string]*stat, key string, msg *transcript.Message, n int64) {
	if m[key] == nil {
		m[key] = &stat{}
	}
	m[key].Messages++
	m[key].add(msg, n)
}

// The lines of JSON statistics besides recording and summary.
type (
	jsonKind struct {
		Type     string `json:"type"` // "kind"
		From     string `json:"from"`
		Kind     string `json:"kind"`
		Messages int64  `json:"messages"`
		Bytes    int64  `json:"bytes"`
		Unknown  int64  `json:"unknown"` // bytes
		Unnamed  bool   `json:"unnamed,omitempty"`
	}
	jsonFault struct {
		Type     string `json:"type"` // "fault"
		Error    string `json:"error"`
		Messages int64  `json:"messages"`
		Bytes    int64  `json:"bytes"`
	}
	jsonGrades struct {
		Type   string           `json:"type"` // "evidence"
		Fields map[string]int64 `json:"fields"`
	}
	jsonNext struct {
		Type string  `json:"type"` // "next"
		Text string  `json:"text"`
		Flow uint32  `json:"flow"`
		Time float64 `json:"time"`
	}
)

func (s *statsPrinter) end(r *Result, others []string, damage error) error {
	s.head.Protocol = r.Protocol
	keys := slices.SortedFunc(maps.Keys(s.kinds), func(a, b statKey) int {
		return cmp.Or(cmp.Compare(s.kinds[b].Unknown, s.kinds[a].Unknown), cmp.Compare(s.kinds[b].Messages, s.kinds[a].Messages),
			strings.Compare(a.kind, b.kind), strings.Compare(a.from, b.from))
	})
	faults := slices.SortedFunc(maps.Keys(s.faults), func(a, b string) int {
		return cmp.Or(cmp.Compare(s.faults[b].Unknown, s.faults[a].Unknown), strings.Compare(a, b))
	})
	next := s.next(keys, faults, r)
	if s.enc != nil {
		return s.endJSON(r, damage, keys, faults, next)
	}
	var b []byte
	b = fmt.Appendf(b, "protocol %s\n", r.Protocol)
	b = appendSummary(b, r, others, damage)
	b = fmt.Appendf(b, "from the client %s with %s bytes, from the server %d with %s\n", plural.Of(s.sides[0].frames, "frame"), thousands(s.sides[0].bytes),
		s.sides[1].frames, thousands(s.sides[1].bytes))
	var grades []string
	for _, g := range slices.Sorted(maps.Keys(s.grades)) {
		grades = append(grades, fmt.Sprintf("%s %d", g, s.grades[g]))
	}
	b = fmt.Appendf(b, "evidence of the fields: %s\n", cmp.Or(strings.Join(grades, ", "), "none"))
	if len(keys) > 0 {
		b = fmt.Appendf(b, "\n%8s %10s %10s  %-6s %s\n", "messages", "bytes", "unknown", "from", "kind")
	}
	for _, k := range keys {
		st := s.kinds[k]
		mark := ""
		if st.Unnamed {
			mark = "  (no name yet)"
		}
		b = fmt.Appendf(b, "%8d %10d %10d  %-6s %s%s\n", st.Messages, st.Bytes, st.Unknown, k.from, k.kind, mark)
	}
	if len(faults) > 0 {
		b = append(b, "\nstretches that are no messages:\n"...)
	}
	for _, f := range faults {
		b = fmt.Appendf(b, "%8d %10d bytes  %s\n", s.faults[f].Messages, s.faults[f].Unknown, f)
	}
	b = append(b, "\nwhat to look at next:\n"...)
	for _, n := range next {
		b = fmt.Appendf(b, "  %s\n", n.Text)
	}
	if len(next) == 0 {
		b = append(b, "  nothing: every byte is explained\n"...)
	}
	_, err := s.w.Write(b)
	return err
}

func (s *statsPrinter) endJSON(r *Result, damage error, keys []statKey, faults []string, next []jsonNext) error {
	lines := []any{s.head}
	for _, k := range keys {
		st := s.kinds[k]
		lines = append(lines, jsonKind{"kind", k.from, k.kind, st.Messages, st.Bytes, st.Unknown, st.Unnamed})
	}
	for _, f := range faults {
		lines = append(lines, jsonFault{"fault", f, s.faults[f].Messages, s.faults[f].Unknown})
	}
	lines = append(lines, jsonGrades{"evidence", s.grades})
	for _, n := range next {
		lines = append(lines, n)
	}
	for _, l := range append(lines, summaryLine(r, damage)) {
		if err := s.enc.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

// next says what is worth a look, the largest unknown first.
func (s *statsPrinter) next(keys []statKey, faults []string, r *Result) []jsonNext {
	var out []jsonNext
	put := func(st *stat, format string, args ...any) {
		if len(out) < shownNext {
			out = append(out, jsonNext{"next", fmt.Sprintf(format, args...) + fmt.Sprintf(" (first in flow %d at +%.6f)", st.flow, st.at.Seconds()), st.flow, st.at.Seconds()})
		}
	}
	if r.Gaps > 0 {
		out = append(out, jsonNext{Type: "next", Text: fmt.Sprintf("%s bytes are missing; record again with patchbay tap, which loses nothing", thousands(r.Missing))})
	}
	for _, f := range faults {
		put(s.faults[f], "%s bytes in %d stretches are no messages: %s", thousands(s.faults[f].Unknown), s.faults[f].Messages, f)
	}
	for _, k := range keys {
		st := s.kinds[k]
		switch {
		case st.Unnamed:
			put(st, "%s from the %s has no name, %d times with %s unknown bytes: record it twice with one thing changed on the device, and compare with --diff", k.kind, k.from, st.Messages, thousands(st.Unknown))
		case st.Unknown > 0:
			put(st, "%s from the %s: %s of %s bytes are unexplained in %s", k.kind, k.from, thousands(st.Unknown), thousands(st.Bytes), plural.Of(st.Messages, "message"))
		}
	}
	return out
}
