package decode

import (
	"encoding/hex"
	"encoding/json"
	"io"

	"github.com/patchbay-io/patchbay/transcript"
)

// The lines of JSON output. Type tells them apart.
type (
	jsonRecording struct {
		Type     string `json:"type"` // "recording"
		File     string `json:"file,omitempty"`
		Protocol string `json:"protocol"`
		Guessed  bool   `json:"guessed"`
		Capture  bool   `json:"capture,omitempty"` // the protocol is that of each frame
		Device   string `json:"device,omitempty"`
		Client   string `json:"client,omitempty"` // who produced the bytes
		Server   string `json:"server,omitempty"`
		Evidence struct {
			Client bool `json:"client"`
			Server bool `json:"server"`
		} `json:"evidence"`
	}
	// jsonGap says that a capture lacks bytes of one side, in front of what follows.
	jsonGap struct {
		Type    string  `json:"type"` // "gap"
		Flow    uint32  `json:"flow"`
		From    string  `json:"from"`
		Time    float64 `json:"time"`
		Missing int64   `json:"missing"` // bytes
	}
	// jsonEvent is anything else that happened: open, close, reset, note, comment.
	jsonEvent struct {
		Type string  `json:"type"` // "event"
		Flow uint32  `json:"flow,omitempty"`
		From string  `json:"from,omitempty"`
		Time float64 `json:"time"`
		Kind string  `json:"kind"`
		Text string  `json:"text,omitempty"`
	}
	jsonFrame struct {
		Type    string      `json:"type"`               // "frame"
		By      string      `json:"protocol,omitempty"` // in a capture, and of what is carried
		Level   int         `json:"level,omitempty"`    // how many protocols carry it; it belongs to the frame of one level less before it
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
		Type       string  `json:"type"` // "summary"
		Frames     int     `json:"frames"`
		Faulty     int     `json:"faulty"`
		Bytes      int64   `json:"bytes"`
		Decoded    int64   `json:"decoded"`
		Percent    float64 `json:"percent"`
		Gaps       int     `json:"gaps,omitempty"`
		Missing    int64   `json:"missing,omitempty"` // bytes in all gaps
		OtherFlows int     `json:"other_flows,omitempty"`
		OtherBytes int64   `json:"other_bytes,omitempty"`
		Damage     string  `json:"damage,omitempty"` // why the input ended early
	}
)

type jsonPrinter struct {
	enc     *json.Encoder
	brief   bool
	name    string
	capture bool
}

func newEncoder(w io.Writer) *json.Encoder {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc
}

func newJSONPrinter(w io.Writer, o Options) *jsonPrinter {
	return &jsonPrinter{enc: newEncoder(w), brief: o.Brief, name: o.Name}
}

func (j *jsonPrinter) begin(h *transcript.Header, r *Result) error {
	j.capture = r.Capture
	return j.enc.Encode(recordingLine(h, r, j.name))
}

func recordingLine(h *transcript.Header, r *Result, name string) jsonRecording {
	l := jsonRecording{Type: "recording", File: name, Protocol: r.Protocol, Guessed: r.Guessed, Capture: r.Capture, Device: h.Device}
	if h.Client.Producer != 0 {
		l.Client = h.Client.Producer.String()
	}
	if h.Server.Producer != 0 {
		l.Server = h.Server.Producer.String()
	}
	l.Evidence.Client, l.Evidence.Server = h.Evidence()
	return l
}

func (j *jsonPrinter) event(e *record) error {
	if e.missing > 0 {
		return j.enc.Encode(jsonGap{"gap", e.Flow, e.Dir.String(), e.Offset.Seconds(), e.missing})
	}
	l := jsonEvent{Type: "event", Flow: e.Flow, Time: e.Offset.Seconds(), Kind: e.Kind.String(), Text: e.Text}
	if e.Dir == transcript.FromClient || e.Dir == transcript.FromServer {
		l.From = e.Dir.String()
	}
	return j.enc.Encode(l)
}

func (j *jsonPrinter) message(m *transcript.Message, by *Protocol) error {
	f := &m.Frame
	l := jsonFrame{Type: "frame", Flow: m.Flow, From: m.Dir.String(), Time: m.Offset.Seconds(), Offset: f.Offset, Length: f.Length,
		Summary: f.Summary, Hex: hex.EncodeToString(m.Raw)}
	if j.capture || m.Level > 0 {
		l.By, l.Level = by.Name, m.Level
	}
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

func (j *jsonPrinter) end(r *Result, _ []string, damage error) error {
	return j.enc.Encode(summaryLine(r, damage))
}

func summaryLine(r *Result, damage error) jsonSummary {
	l := jsonSummary{Type: "summary", Frames: r.Frames, Faulty: r.Faulty, Bytes: r.Share.Bytes, Decoded: r.Share.Decoded, Percent: r.Share.Percent(),
		Gaps: r.Gaps, Missing: r.Missing, OtherFlows: r.OtherFlows, OtherBytes: r.OtherBytes}
	if damage != nil {
		l.Damage = damage.Error()
	}
	return l
}
