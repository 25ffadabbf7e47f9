package decode

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"sort"

	"github.com/patchbay-io/patchbay/transcript"
)

// printer writes one form of output.
type printer interface {
	begin(h *transcript.Header, r *Result) error
	event(e *transcript.Event) error // remarks; bytes come as messages
	message(m *transcript.Message) error
	end(r *Result) error
}

type textPrinter struct {
	w     io.Writer
	brief bool
	buf   []byte
}

func (t *textPrinter) begin(h *transcript.Header, r *Result) error {
	b := t.buf[:0]
	how := ""
	if r.Guessed {
		how = " (guessed)"
	}
	b = fmt.Appendf(b, "protocol %s%s\n", r.Protocol, how)
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

func (t *textPrinter) event(e *transcript.Event) error {
	switch e.Kind {
	case transcript.Comment:
		return t.flush(fmt.Appendf(t.buf[:0], "# %s\n", e.Text))
	case transcript.Open, transcript.Close, transcript.Reset, transcript.Note:
		return t.flush(fmt.Appendf(t.buf[:0], "%c %d +%.6f %v %s\n", e.Dir, e.Flow, e.Offset.Seconds(), e.Kind, e.Text))
	}
	return nil
}

// shownBytes is how many bytes of a field stand on its line.
const shownBytes = 8

func (t *textPrinter) message(m *transcript.Message) error {
	f := &m.Frame
	b := fmt.Appendf(t.buf[:0], "%c %d +%.6f %s (%d bytes)\n", m.Dir, m.Flow, m.Offset.Seconds(), f.Summary, f.Length)
	if f.Err != nil {
		b = fmt.Appendf(b, "    error: %v\n", f.Err)
	}
	if t.brief {
		return t.flush(b)
	}
	for _, l := range linesOf(f) {
		b = fmt.Appendf(b, "    %04x  ", l.Offset)
		part := m.Raw[min(l.Offset, len(m.Raw)):min(l.Offset+l.Length, len(m.Raw))]
		for i := range shownBytes {
			switch {
			case i >= len(part):
				b = append(b, "   "...)
			case i == shownBytes-1 && len(part) > shownBytes:
				b = append(b, ".. "...)
			default:
				b = fmt.Appendf(b, "%02x ", part[i])
			}
		}
		b = fmt.Appendf(b, " %-24s", l.Name)
		if l.Value != "" {
			b = fmt.Appendf(b, " %s", l.Value)
		}
		if l.Text != "" && l.Text != l.Value {
			b = fmt.Appendf(b, "  %s", l.Text)
		}
		if l.Grade != "" && l.Grade != transcript.GradeSeen {
			b = fmt.Appendf(b, "  [%s]", l.Grade)
		}
		b = append(b, '\n')
	}
	return t.flush(b)
}

// linesOf are the fields and the unknown bytes, by offset.
func linesOf(f *transcript.Frame) []transcript.Field {
	lines := append([]transcript.Field(nil), f.Fields...)
	for _, u := range f.Unknown {
		lines = append(lines, transcript.Field{Name: "?", Offset: u.Offset, Length: u.Length, Value: fmt.Sprintf("%d unknown bytes", u.Length)})
	}
	sort.SliceStable(lines, func(i, j int) bool { return lines[i].Offset < lines[j].Offset })
	return lines
}

func (t *textPrinter) end(r *Result) error {
	return t.flush(fmt.Appendf(t.buf[:0], "%d frames, %d faulty; %d of %d bytes decoded, %.1f %%\n", r.Frames, r.Faulty,
		r.Share.Decoded, r.Share.Bytes, r.Share.Percent()))
}

// The lines of JSON output. Type tells them apart.
type (
	jsonRecording struct {
		Type     string `json:"type"` // "recording"
		Protocol string `json:"protocol"`
		Guessed  bool   `json:"guessed"`
		Device   string `json:"device,omitempty"`
		Client   string `json:"client,omitempty"` // who produced the bytes
		Server   string `json:"server,omitempty"`
		Evidence struct {
			Client bool `json:"client"`
			Server bool `json:"server"`
		} `json:"evidence"`
	}
	jsonFrame struct {
		Type    string      `json:"type"` // "frame"
		Flow    uint32      `json:"flow"`
		From    string      `json:"from"`
		Time    float64     `json:"time"`   // seconds since the start
		Offset  int64       `json:"offset"` // bytes, within what this side sent
		Length  int         `json:"length"`
		Summary string      `json:"summary"`
		Error   string      `json:"error,omitempty"`
		Fields  []jsonField `json:"fields,omitempty"`
		Unknown [][2]int    `json:"unknown,omitempty"` // offset and length
		Hex     string      `json:"hex"`
	}
	jsonField struct {
		Name   string `json:"name"`
		Offset int    `json:"offset"`
		Length int    `json:"length"`
		Value  string `json:"value,omitempty"`
		Text   string `json:"text,omitempty"`
		Grade  string `json:"grade,omitempty"`
	}
	jsonSummary struct {
		Type    string  `json:"type"` // "summary"
		Frames  int     `json:"frames"`
		Faulty  int     `json:"faulty"`
		Bytes   int64   `json:"bytes"`
		Decoded int64   `json:"decoded"`
		Percent float64 `json:"percent"`
	}
)

type jsonPrinter struct {
	enc   *json.Encoder
	brief bool
}

func newJSONPrinter(w io.Writer, brief bool) *jsonPrinter {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return &jsonPrinter{enc, brief}
}

func (j *jsonPrinter) begin(h *transcript.Header, r *Result) error {
	l := jsonRecording{Type: "recording", Protocol: r.Protocol, Guessed: r.Guessed, Device: h.Device}
	if h.Client.Producer != 0 {
		l.Client = h.Client.Producer.String()
	}
	if h.Server.Producer != 0 {
		l.Server = h.Server.Producer.String()
	}
	l.Evidence.Client, l.Evidence.Server = h.Evidence()
	return j.enc.Encode(l)
}

func (j *jsonPrinter) event(*transcript.Event) error { return nil }

func (j *jsonPrinter) message(m *transcript.Message) error {
	f := &m.Frame
	l := jsonFrame{Type: "frame", Flow: m.Flow, From: m.Dir.String(), Time: m.Offset.Seconds(), Offset: f.Offset, Length: f.Length,
		Summary: f.Summary, Hex: hex.EncodeToString(m.Raw)}
	if f.Err != nil {
		l.Error = f.Err.Error()
	}
	if !j.brief {
		for _, fd := range f.Fields {
			l.Fields = append(l.Fields, jsonField(fd))
		}
	}
	for _, u := range f.Unknown {
		l.Unknown = append(l.Unknown, [2]int{u.Offset, u.Length})
	}
	return j.enc.Encode(l)
}

func (j *jsonPrinter) end(r *Result) error {
	return j.enc.Encode(jsonSummary{"summary", r.Frames, r.Faulty, r.Share.Bytes, r.Share.Decoded, r.Share.Percent()})
}
