package rfc2217

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/patchbay-io/patchbay/transcript"
)

// Dissector takes recorded telnet conversations with com-port control apart, one flow each. It implements
// [transcript.Dissector]. Runs of data are one frame for each piece that was recorded; every command is one.
type Dissector struct{ sides [2]dissectSide }

type dissectSide struct {
	dec  Decoder
	held []byte // a command that has begun
	off  int64
}

// NewDissector starts a flow.
func NewDissector() transcript.Dissector { return new(Dissector) }

func (d *Dissector) side(dir transcript.Direction) *dissectSide {
	if dir == transcript.FromServer {
		return &d.sides[1]
	}
	return &d.sides[0]
}

// Feed implements [transcript.Dissector].
func (d *Dissector) Feed(dir transcript.Direction, b []byte) []transcript.Frame {
	s := d.side(dir)
	var out []transcript.Frame
	rest := slices.Clone(b) // the decoder writes over it
	for len(rest) > 0 {
		was := len(rest)
		inside := len(s.held)
		var it Item
		it, rest = s.dec.Next(rest)
		took := b[len(b)-was : len(b)-len(rest)]
		if it.Kind == None {
			s.held = append(s.held, took...)
			continue
		}
		raw := took
		if inside > 0 {
			raw = append(s.held, took...)
			s.held = nil
		}
		out = append(out, s.frame(&it, raw))
	}
	return out
}

var errCut = errors.New("the recording ends inside a telnet command")

// End implements [transcript.Dissector].
func (d *Dissector) End(dir transcript.Direction) []transcript.Frame {
	s := d.side(dir)
	if len(s.held) == 0 {
		return nil
	}
	f := transcript.Frame{Offset: s.off, Length: len(s.held), Summary: "part of a telnet command", Err: errCut,
		Unknown: []transcript.Range{{Length: len(s.held)}}}
	s.off += int64(len(s.held))
	s.held = nil
	return []transcript.Frame{f}
}

// shownData is how many bytes of the line stand in a summary.
const shownData = 40

func (s *dissectSide) frame(it *Item, raw []byte) transcript.Frame {
	f := transcript.Frame{Offset: s.off, Length: len(raw)}
	s.off += int64(len(raw))
	put := func(name string, at, n int, value, text string) {
		f.Fields = append(f.Fields, transcript.Field{Name: name, Offset: at, Length: n, Value: value, Text: text, Grade: transcript.GradeSpec})
	}
	switch it.Kind {
	case Data:
		if n := len(it.Data); n > shownData {
			f.Summary = fmt.Sprintf("data %s… of %d bytes", strconv.QuoteToASCII(string(it.Data[:shownData])), n)
		} else {
			f.Summary = "data " + strconv.QuoteToASCII(string(it.Data))
		}
		put("data", 0, len(raw), fmt.Sprintf("% x", it.Data), "bytes of the line")
	case Negotiate:
		f.Summary = VerbName(it.Verb) + " " + OptionName(it.Option)
		put("command", 1, 1, strconv.Itoa(int(it.Verb)), VerbName(it.Verb))
		put("option", 2, 1, strconv.Itoa(int(it.Option)), OptionName(it.Option))
	case Command:
		f.Summary = VerbName(it.Verb)
		put("command", 1, 1, strconv.Itoa(int(it.Verb)), VerbName(it.Verb))
	case TooLong:
		f.Summary = "a sub-negotiation that is too long"
		f.Err = fmt.Errorf("a sub-negotiation of more than %d bytes", MaxSub)
	case Malformed:
		f.Summary = "a sub-negotiation without an end"
		f.Err = fmt.Errorf("IAC %s inside a sub-negotiation of %s", VerbName(it.Verb), OptionName(it.Option))
	case Sub:
		put("option", 2, 1, strconv.Itoa(int(it.Option)), OptionName(it.Option))
		if it.Option != OptComPort {
			f.Summary = OptionName(it.Option) + " sub-negotiation"
			put("payload", 3, len(raw)-5, fmt.Sprintf("% x", it.Data), "")
			break
		}
		m, err := ParseMessage(it.Data)
		if err != nil {
			f.Summary, f.Err = "a com-port message that makes no sense", err
			break
		}
		from := ""
		if m.Server {
			from = " (answer)"
		}
		put("code", 3, 1, strconv.Itoa(int(it.Data[0])), m.Code.String()+from)
		f.Summary = m.Code.String() + from
		n, _ := m.Code.size()
		switch {
		case m.Code == Signature:
			put("text", 4, len(raw)-6, strconv.Quote(string(m.Text)), "")
			if f.Summary += " " + strconv.Quote(string(m.Text)); len(m.Text) == 0 {
				f.Summary = m.Code.String() + from + " which?"
			}
		case n > 0 && !m.Empty:
			text := m.ValueText()
			put("value", 4, len(raw)-6, strconv.FormatUint(uint64(m.Value), 10), text)
			if text == "" {
				text = strconv.FormatUint(uint64(m.Value), 10)
			}
			f.Summary += " " + text
		}
	}
	if f.Err != nil {
		f.Unknown = []transcript.Range{{Length: len(raw)}}
	}
	return f
}
