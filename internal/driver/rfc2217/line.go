package rfc2217

import (
	"context"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	wire "github.com/patchbay-io/patchbay/protocol/rfc2217"
	"github.com/patchbay-io/patchbay/protocol/rfc2217/rfc2217client"
)

// line is the client as a driver.Stream.
type line struct {
	c    *rfc2217client.Client
	addr string
}

func (l *line) Read(p []byte) (int, error)      { return l.c.Read(p) }
func (l *line) Write(p []byte) (int, error)     { return l.c.Write(p) }
func (l *line) Close() error                    { return l.c.Close() }
func (l *line) SetDeadline(t time.Time) error   { return l.c.SetDeadline(t) }
func (l *line) Unacked() int                    { return l.c.Unacked() }
func (l *line) Drain(ctx context.Context) error { return wrap("drain", l.addr, l.c.Drain(ctx)) }

func (l *line) Set(ctx context.Context, to driver.Line) (driver.Line, error) {
	in, err := l.c.Set(ctx, settings(to))
	return lineOf(in), wrap("set", l.addr, err)
}

func (l *line) Flush(ctx context.Context, in, out bool) error {
	var what wire.Purge
	if in {
		what |= wire.PurgeReceive
	}
	if out {
		what |= wire.PurgeTransmit
	}
	if what == 0 {
		return nil
	}
	return wrap("flush", l.addr, l.c.Purge(ctx, what))
}

func (l *line) Event(ctx context.Context) (driver.LineEvent, error) {
	e, err := l.c.Event(ctx)
	return driver.LineEvent{
		CTS: e.Modem&wire.ModemCTS != 0, DSR: e.Modem&wire.ModemDSR != 0, CD: e.Modem&wire.ModemCD != 0, RI: e.Modem&wire.ModemRI != 0,
		Ringed: e.Modem&wire.ModemTrailRI != 0, Break: e.Line&wire.LineBreak != 0, Framing: e.Line&wire.LineFraming != 0,
		Parity: e.Line&wire.LineParity != 0, Overrun: e.Line&wire.LineOverrun != 0,
	}, err
}

var parities = [...]struct {
	wire wire.Parity
	line byte
}{{wire.ParityNone, 'N'}, {wire.ParityOdd, 'O'}, {wire.ParityEven, 'E'}, {wire.ParityMark, 'M'}, {wire.ParitySpace, 'S'}}

var stops = [...]struct {
	wire wire.StopSize
	half uint8
}{{wire.Stop1, 2}, {wire.Stop1Half, 3}, {wire.Stop2, 4}}

var flows = [...]struct {
	wire wire.Control
	flow driver.Flow
}{{wire.ControlFlowNone, driver.FlowNone}, {wire.ControlFlowXonXoff, driver.FlowXonXoff}, {wire.ControlFlowRtsCts, driver.FlowRtsCts}}

// settings are l in the words of RFC 2217. The transceivers have no word there.
func settings(l driver.Line) wire.Settings {
	s := wire.Settings{Baud: l.Baud, Data: l.Data, Break: control(l.Break, wire.ControlBreakOn, wire.ControlBreakOff),
		DTR: control(l.DTR, wire.ControlDTROn, wire.ControlDTROff), RTS: control(l.RTS, wire.ControlRTSOn, wire.ControlRTSOff)}
	for _, p := range parities {
		if p.line == l.Parity {
			s.Parity = p.wire
		}
	}
	for _, x := range stops {
		if x.half == l.HalfStops {
			s.Stop = x.wire
		}
	}
	for _, f := range flows {
		if f.flow == l.Flow {
			s.Flow = f.wire
		}
	}
	return s
}

func control(b *bool, on, off wire.Control) wire.Control {
	switch {
	case b == nil:
		return 0
	case *b:
		return on
	}
	return off
}

// lineOf is the other way round.
func lineOf(s wire.Settings) driver.Line {
	l := driver.Line{Baud: s.Baud, Data: s.Data, Break: isOn(s.Break, wire.ControlBreakOn), DTR: isOn(s.DTR, wire.ControlDTROn), RTS: isOn(s.RTS, wire.ControlRTSOn)}
	for _, p := range parities {
		if p.wire == s.Parity {
			l.Parity = p.line
		}
	}
	for _, x := range stops {
		if x.wire == s.Stop {
			l.HalfStops = x.half
		}
	}
	for _, f := range flows {
		if f.wire == s.Flow {
			l.Flow = f.flow
		}
	}
	return l
}

func isOn(c, on wire.Control) *bool {
	if c == 0 {
		return nil
	}
	b := c == on
	return &b
}
