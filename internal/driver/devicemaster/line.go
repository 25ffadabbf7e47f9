package devicemaster

import (
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmclient"
)

// merge is s with what l names. What a box does not have (5 data bits, mark parity, one and a half stop bits) stays as it is,
// and whole is false.
func merge(s dmclient.Settings, l driver.Line) (out dmclient.Settings, whole bool) {
	out, whole = s, true
	line := devicemaster.LineSettings(0)
	if s.Line != nil {
		line = *s.Line
	}
	if l.Baud != 0 {
		out.Baud = l.Baud
	}
	data, parity, stop := line.Data(), line.Parity(), line.Stop()
	if l.Data != 0 {
		data = l.Data
	}
	if l.Parity != 0 {
		parity = l.Parity
	}
	if l.HalfStops != 0 {
		if stop = l.HalfStops / 2; l.HalfStops%2 != 0 {
			stop = 0
		}
	}
	if f, ok := devicemaster.Format(data, parity, stop); ok {
		line = line.WithFormat(f)
	} else {
		whole = false
	}
	switch l.Flow {
	case driver.FlowNone:
		line = line.WithFlow(0)
	case driver.FlowXonXoff:
		line = line.WithFlow(devicemaster.XonXoff)
	case driver.FlowRtsCts:
		line = line.WithFlow(devicemaster.RTSCTS)
	}
	out.Line = &line
	if l.Mode != "" {
		if m, ok := modeOf(l.Mode); ok {
			out.Mode = m
		} else {
			whole = false
		}
	}
	if l.RTS != nil || l.DTR != nil || l.Break != nil {
		var o devicemaster.Outputs
		if s.Outputs != nil {
			o = *s.Outputs
		}
		for _, x := range []struct {
			want *bool
			bit  devicemaster.Outputs
		}{{l.RTS, devicemaster.RTS}, {l.DTR, devicemaster.DTR}, {l.Break, devicemaster.Break}} {
			switch {
			case x.want == nil:
			case *x.want:
				o |= x.bit
			default:
				o &^= x.bit
			}
		}
		out.Outputs = &o
	}
	return out, whole
}

// lineOf is what the settings are.
func lineOf(s dmclient.Settings) driver.Line {
	l := driver.Line{Baud: s.Baud, Mode: s.Mode.String()}
	if s.Line != nil {
		l.Data, l.Parity, l.HalfStops, l.Flow = s.Line.Data(), s.Line.Parity(), 2*s.Line.Stop(), flow(*s.Line)
	}
	if s.Outputs != nil {
		rts, dtr, brk := *s.Outputs&devicemaster.RTS != 0, *s.Outputs&devicemaster.DTR != 0, *s.Outputs&devicemaster.Break != 0
		l.RTS, l.DTR, l.Break = &rts, &dtr, &brk
	}
	return l
}

func flow(s devicemaster.LineSettings) driver.Flow {
	switch {
	case s&devicemaster.RTSCTS != 0:
		return driver.FlowRtsCts
	case s&devicemaster.XonXoff != 0:
		return driver.FlowXonXoff
	}
	return driver.FlowNone
}

// news is what differs between two settings, so that only that is sent.
func news(from, to dmclient.Settings) dmclient.Settings {
	var out dmclient.Settings
	if to.Baud != from.Baud {
		out.Baud = to.Baud
	}
	if to.Mode != from.Mode {
		out.Mode = to.Mode
	}
	if to.Line != nil && (from.Line == nil || *to.Line != *from.Line) {
		out.Line = to.Line
	}
	if to.Outputs != nil && (from.Outputs == nil || *to.Outputs != *from.Outputs) {
		out.Outputs = to.Outputs
	}
	return out
}

func event(e dmclient.Event, before devicemaster.Inputs) driver.LineEvent {
	return driver.LineEvent{
		CTS: e.Inputs&devicemaster.CTS != 0, DSR: e.Inputs&devicemaster.DSR != 0, CD: e.Inputs&devicemaster.CD != 0, RI: e.Inputs&devicemaster.RI != 0,
		Break: e.Errors&devicemaster.BreakError != 0, Framing: e.Errors&devicemaster.FramingError != 0, Parity: e.Errors&devicemaster.ParityError != 0,
		Overrun: e.Errors&devicemaster.Overflow != 0, Ringed: e.Inputs&^before&devicemaster.RI != 0, Idle: e.Idle}
}
