package replay

import (
	"bytes"
	"errors"

	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/rfc2217"
	"github.com/patchbay-io/patchbay/transcript"
)

// RFC2217 is what a telnet server with com-port control said in a recording: who it is, and what came from the line of its port.
// Each connection is one opening of the line.
type RFC2217 struct {
	Signature string // empty: it did not say
	Line      SerialLine
}

// ErrNoComPort is the cause when a recording holds no agreement on com-port control.
var ErrNoComPort = errors.New("the recording has no connection on which com-port control was agreed on")

// ReadRFC2217 reads a recording from a file.
func ReadRFC2217(name string) (*RFC2217, error) {
	return readFile(name, NewRFC2217)
}

// NewRFC2217 learns from a recording.
func NewRFC2217(t *transcript.Transcript) (*RFC2217, error) {
	if err := mustBe(t, "RFC 2217", "rfc2217"); err != nil {
		return nil, err
	}
	r := new(RFC2217)
	for _, f := range eachFlow(t, func(first *transcript.Event) *telnetFlow {
		return &telnetFlow{r: r, lineRecord: lineRecord{at: first.Offset}}
	}) {
		if f.agreed {
			r.Line.Openings = append(r.Line.Openings, f.Opening)
		}
	}
	if len(r.Line.Openings) == 0 {
		return nil, ErrNoComPort
	}
	return r, nil
}

// telnetFlow is one connection of a recording.
type telnetFlow struct {
	lineRecord
	r      *RFC2217
	decs   [2]rfc2217.Decoder // of the client, of the server
	agreed bool
	known  bool // the modem lines are
}

func (f *telnetFlow) feed(e *transcript.Event) {
	server := e.Dir == transcript.FromServer
	dec := &f.decs[0]
	if server {
		dec = &f.decs[1]
	}
	for rest := bytes.Clone(e.Data); len(rest) > 0; {
		var it rfc2217.Item
		it, rest = dec.Next(rest)
		switch {
		case it.Kind == rfc2217.Data && server:
			f.step(e.Offset, LineStep{Data: it.Data})
		case it.Kind == rfc2217.Data:
			f.client(e.Offset, len(it.Data))
		case it.Kind == rfc2217.Negotiate && it.Option == rfc2217.OptComPort:
			f.agreed = f.agreed || server && (it.Verb == rfc2217.DO || it.Verb == rfc2217.WILL)
		case it.Kind == rfc2217.Sub && it.Option == rfc2217.OptComPort && server:
			if m, err := rfc2217.ParseMessage(it.Data); err == nil {
				f.heard(e, &m)
			}
		}
	}
}

// heard takes a message of the server.
func (f *telnetFlow) heard(e *transcript.Event, m *rfc2217.Message) {
	switch m.Code {
	case rfc2217.Signature:
		if f.r.Signature == "" {
			f.r.Signature = string(m.Text)
		}
	case rfc2217.NotifyModemState:
		in := InputsOf(rfc2217.ModemState(m.Value))
		if !f.known {
			f.known, f.Inputs = true, in
			return
		}
		f.step(e.Offset, LineStep{Inputs: in, Changed: true})
	case rfc2217.NotifyLineState:
		var errs devicemaster.LineErrors
		for _, x := range lineErrors {
			if rfc2217.LineState(m.Value)&x.telnet != 0 {
				errs |= x.box
			}
		}
		if errs != 0 {
			f.step(e.Offset, LineStep{Errors: errs})
		}
	}
}

var lineErrors = [...]struct {
	telnet rfc2217.LineState
	box    devicemaster.LineErrors
}{{rfc2217.LineOverrun, devicemaster.Overflow}, {rfc2217.LineParity, devicemaster.ParityError}, {rfc2217.LineFraming, devicemaster.FramingError},
	{rfc2217.LineBreak, devicemaster.BreakError}}

var modemLines = [...]struct {
	telnet rfc2217.ModemState
	box    devicemaster.Inputs
}{{rfc2217.ModemCD, devicemaster.CD}, {rfc2217.ModemRI, devicemaster.RI}, {rfc2217.ModemDSR, devicemaster.DSR}, {rfc2217.ModemCTS, devicemaster.CTS}}

// InputsOf is the modem lines of RFC 2217 in the words of a line here.
func InputsOf(m rfc2217.ModemState) (in devicemaster.Inputs) {
	for _, x := range modemLines {
		if m&x.telnet != 0 {
			in |= x.box
		}
	}
	return in
}

// ModemStateOf is the other way round.
func ModemStateOf(in devicemaster.Inputs) (m rfc2217.ModemState) {
	for _, x := range modemLines {
		if in&x.box != 0 {
			m |= x.telnet
		}
	}
	return m
}

// LineStateOf is errors of a line in the words of RFC 2217.
func LineStateOf(e devicemaster.LineErrors) (l rfc2217.LineState) {
	for _, x := range lineErrors {
		if e&x.box != 0 {
			l |= x.telnet
		}
	}
	return l
}
