package rfc2217

// Settings are those of a com port. In a request a zero field leaves the setting as it is, in an answer it is not known.
type Settings struct {
	Baud   uint32
	Data   uint8 // data bits, 5 to 8
	Parity Parity
	Stop   StopSize
	Flow   Control // ControlFlowNone, ControlFlowXonXoff, ControlFlowRtsCts; or ControlFlowDCD, ControlFlowDSR
	In     Control // ControlInNone … ControlInRtsCts, ControlInDTR: only when what comes in differs
	Break  Control // ControlBreakOn, ControlBreakOff
	DTR    Control // ControlDTROn, ControlDTROff
	RTS    Control // ControlRTSOn, ControlRTSOff
}

// Over is s with what it leaves open taken from base.
func (s Settings) Over(base Settings) Settings {
	pick(&s.Baud, base.Baud)
	pick(&s.Data, base.Data)
	pick(&s.Parity, base.Parity)
	pick(&s.Stop, base.Stop)
	pick(&s.Flow, base.Flow)
	pick(&s.In, base.In)
	pick(&s.Break, base.Break)
	pick(&s.DTR, base.DTR)
	pick(&s.RTS, base.RTS)
	return s
}

func pick[T comparable](to *T, other T) {
	var zero T
	if *to == zero {
		*to = other
	}
}

// Messages are the client's requests that put s into force, in the order that drivers of real ports want: the format first, then
// flow control, then the lines.
func (s Settings) Messages() []Message {
	var out []Message
	add := func(c Code, v uint32) {
		if v != 0 {
			out = append(out, Message{Code: c, Value: v})
		}
	}
	add(SetBaudRate, s.Baud)
	add(SetDataSize, uint32(s.Data))
	add(SetParity, uint32(s.Parity))
	add(SetStopSize, uint32(s.Stop))
	for _, c := range [...]Control{s.Flow, s.In, s.Break, s.DTR, s.RTS} {
		add(SetControl, uint32(c))
	}
	return out
}

// Knows reports whether a setting of SET-CONTROL is known; topic is the value that asks for it.
func (s *Settings) Knows(topic Control) bool { return *s.control(topic) != 0 }

// Take puts what one message asks for, or answers, into s. It returns false for messages that are no setting, and for values that
// RFC 2217 does not have.
func (s *Settings) Take(m *Message) bool {
	v := m.Value
	switch m.Code {
	case SetBaudRate:
		s.Baud = v
	case SetDataSize:
		if v > 8 || v != 0 && v < 5 {
			return false
		}
		s.Data = uint8(v)
	case SetParity:
		if Parity(v) > ParitySpace {
			return false
		}
		s.Parity = Parity(v)
	case SetStopSize:
		if StopSize(v) > Stop1Half {
			return false
		}
		s.Stop = StopSize(v)
	case SetControl:
		if Control(v) > ControlFlowDSR {
			return false
		}
		c := Control(v)
		at := s.control(c.Topic())
		if c == c.Topic() {
			c = 0
		}
		*at = c
	default:
		return false
	}
	return true
}

// control is the field that a control is about.
func (s *Settings) control(topic Control) *Control {
	switch topic {
	case ControlBreakAsk:
		return &s.Break
	case ControlDTRAsk:
		return &s.DTR
	case ControlRTSAsk:
		return &s.RTS
	case ControlInAsk:
		return &s.In
	}
	return &s.Flow
}

// Answer is what a server says to a request, with what is in force. A setting that is not known is answered with what was asked
// for: a client waits for an answer to everything it says, and gives up without one.
func (s Settings) Answer(asked *Message) Message {
	out := Message{Code: asked.Code, Server: true, Value: asked.Value}
	known := func(v uint32) {
		if v != 0 {
			out.Value = v
		}
	}
	switch asked.Code {
	case SetBaudRate:
		known(s.Baud)
	case SetDataSize:
		known(uint32(s.Data))
	case SetParity:
		known(uint32(s.Parity))
	case SetStopSize:
		known(uint32(s.Stop))
	case SetControl:
		topic := Control(asked.Value).Topic()
		if topic == ControlInAsk && s.In == 0 && asked.Value == uint32(ControlInAsk) { // the same as what goes out
			switch s.Flow {
			case ControlFlowNone, ControlFlowXonXoff, ControlFlowRtsCts:
				out.Value = uint32(s.Flow - ControlFlowNone + ControlInNone)
			}
			return out
		}
		known(uint32(*s.control(topic)))
	}
	return out
}
