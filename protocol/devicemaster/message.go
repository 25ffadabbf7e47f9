package devicemaster

import (
	"encoding/binary"
	"fmt"
)

// Message is one message or tool request. Which fields mean something is told by Op.
type Message struct {
	Op Op
	// Port is the selected port, for messages with [Op.PortScope] and for [OpSelect] itself, and only if Selected: no port
	// is selected before the first OpSelect of a direction.
	Port     uint8
	Selected bool
	// Value is the number that follows the first byte: a total, a mask, a rate, a time, a mode, a status, the number of
	// bytes of a block. Of a tool request it is the address.
	Value uint32
	// Inputs are those of [OpStatus] from a device when Value is [Opened].
	Inputs Inputs
	// Data are the bytes of a block, the six of [OpChars], or what follows the header of a tool request.
	Data []byte
	// Raw is the whole message.
	Raw []byte
}

// Chars are the bytes of [OpChars].
func (m *Message) Chars() Chars {
	if len(m.Data) < 6 {
		return Chars{}
	}
	return Chars{m.Data[0], m.Data[1], m.Data[2], m.Data[3], m.Data[4], m.Data[5]}
}

// String is one line for people.
func (m *Message) String() string {
	s := m.Op.String()
	switch m.Op {
	case OpSelect:
		return fmt.Sprintf("%s port %d", s, m.Value)
	case OpData:
		s += fmt.Sprintf(" %d byte", len(m.Data))
		if len(m.Data) != 1 {
			s += "s"
		}
	case OpTotal:
		s += fmt.Sprintf(" %d", m.Value)
	case OpLine:
		s += " " + LineSettings(m.Value).String()
	case OpOutputs:
		s += " " + Outputs(m.Value).String()
	case OpInputs:
		s += " " + Inputs(m.Value).String()
	case OpAction, OpActionDone:
		s += " " + Action(m.Value).String()
	case OpErrors:
		s += " " + LineErrors(m.Value).String()
	case OpBaud:
		s += fmt.Sprintf(" %d", m.Value)
	case OpMode:
		s += " " + Mode(m.Value).String()
	case OpChars:
		s += fmt.Sprintf(" % x", m.Data)
	case OpStatus:
		switch {
		case m.Value < uint32(Opened):
			s += " " + Ask(m.Value).String()
		case Status(m.Value) == Opened:
			s += " opened, " + m.Inputs.String()
		default:
			s += " " + Status(m.Value).String()
		}
	case OpLinkTimeout:
		s += fmt.Sprintf(" %d s", m.Value)
	case OpIdleTimeout, OpScanPeriod, OpRetransmit:
		s += fmt.Sprintf(" %d ms", m.Value)
	}
	if m.Op.PortScope() {
		if !m.Selected {
			return s + " (no port is selected)"
		}
		return fmt.Sprintf("port %d: %s", m.Port, s)
	}
	return s
}

// The Append functions append one message each to b and return the result. Those of a port are about the port that was
// selected last.

// AppendSelect selects a port, counted from 0.
func AppendSelect(b []byte, port uint8) []byte { return append(b, byte(OpSelect), port) }

// AppendTotal acknowledges: the receiver has consumed so many bytes since the port was opened, modulo 65536.
func AppendTotal(b []byte, total uint16) []byte { return append16(b, OpTotal, total) }

// AppendData sends a block of at most 65535 bytes; a longer one is cut.
func AppendData(b, data []byte) []byte {
	if len(data) > 0xffff {
		data = data[:0xffff]
	}
	return append(append16(b, OpData, uint16(len(data))), data...)
}

// AppendLine sets the character format and flow control.
func AppendLine(b []byte, s LineSettings) []byte { return append16(b, OpLine, uint16(s)) }

// AppendOutputs sets RTS, DTR, break and the internal loopback.
func AppendOutputs(b []byte, o Outputs) []byte { return append16(b, OpOutputs, uint16(o)) }

// AppendInputs tells the modem inputs.
func AppendInputs(b []byte, i Inputs) []byte { return append16(b, OpInputs, uint16(i)) }

// AppendAction asks for actions; the device answers with [AppendActionDone].
func AppendAction(b []byte, a Action) []byte { return append16(b, OpAction, uint16(a)) }

// AppendActionDone tells that actions were carried out.
func AppendActionDone(b []byte, a Action) []byte { return append16(b, OpActionDone, uint16(a)) }

// AppendBaud sets the line speed in bits per second.
func AppendBaud(b []byte, baud uint32) []byte { return append32(b, OpBaud, baud) }

// AppendChars sets the special characters.
func AppendChars(b []byte, c Chars) []byte {
	return append(b, byte(OpChars), c.RxXon, c.RxXoff, c.TxXon, c.TxXoff, c.ErrorChar, c.EventChar)
}

// AppendErrors tells what went wrong while receiving.
func AppendErrors(b []byte, e LineErrors) []byte { return append16(b, OpErrors, uint16(e)) }

// AppendAssign begins a session.
func AppendAssign(b []byte) []byte { return append(b, byte(OpAssign)) }

// AppendAssigned tells that the session has begun.
func AppendAssigned(b []byte) []byte { return append(b, byte(OpAssigned)) }

// AppendMode sets the electrical mode.
func AppendMode(b []byte, m Mode) []byte { return append(b, byte(OpMode), byte(m)) }

// AppendAsk asks to open or close the port.
func AppendAsk(b []byte, a Ask) []byte { return append(b, byte(OpStatus), byte(a)) }

// AppendStatus answers that; inputs go along only when s is [Opened].
func AppendStatus(b []byte, s Status, inputs Inputs) []byte {
	b = append(b, byte(OpStatus), byte(s))
	if s == Opened {
		b = binary.LittleEndian.AppendUint16(b, uint16(inputs))
	}
	return b
}

// AppendLinkTimeout sets after how many seconds without a ping the device takes the driver for gone.
func AppendLinkTimeout(b []byte, seconds uint32) []byte { return append32(b, OpLinkTimeout, seconds) }

// AppendRelease takes the port from whoever has it; the device answers [Released].
func AppendRelease(b []byte) []byte { return append(b, byte(OpRelease)) }

// AppendIdleTimeout sets after how many milliseconds of silence on the line the device sends [OpIdle]; 0 is never (inferred).
func AppendIdleTimeout(b []byte, ms uint32) []byte { return append32(b, OpIdleTimeout, ms) }

// AppendIdle tells that nothing was received for the time of [OpIdleTimeout].
func AppendIdle(b []byte) []byte { return append(b, byte(OpIdle)) }

// AppendScanPeriod sets how often the device looks at its ports.
func AppendScanPeriod(b []byte, ms uint8) []byte { return append(b, byte(OpScanPeriod), ms) }

// AppendRetransmit sets a timer of the raw Ethernet transport, which the maker's Linux driver sends over TCP as well.
func AppendRetransmit(b []byte, ms uint8) []byte { return append(b, byte(OpRetransmit), ms) }

// AppendPing asks whether the other side is there, or answers that.
func AppendPing(b []byte) []byte { return append(b, byte(OpPing)) }

func append16(b []byte, o Op, v uint16) []byte { return append(b, byte(o), byte(v), byte(v>>8)) }

func append32(b []byte, o Op, v uint32) []byte {
	return binary.LittleEndian.AppendUint32(append(b, byte(o)), v)
}

// Append appends the message as its fields say, without Raw and without selecting its port.
func (m *Message) Append(b []byte) []byte {
	switch {
	case m.Op.Tool():
		return ToolRequest{Command: m.Op, Index: m.index(), Address: m.Value, Data: m.Data}.Append(b)
	case m.Op == OpData:
		return AppendData(b, m.Data)
	case m.Op == OpChars:
		return AppendChars(b, m.Chars())
	case m.Op == OpStatus && len(m.Raw) != 2: // a request that says the same as a status has no inputs
		return AppendStatus(b, Status(m.Value), m.Inputs)
	}
	switch max(sizes[ToDevice][m.Op], sizes[FromDevice][m.Op]) {
	case 2:
		return append(b, byte(m.Op), byte(m.Value))
	case 3:
		return append16(b, m.Op, uint16(m.Value))
	case 5:
		return append32(b, m.Op, m.Value)
	}
	return append(b, byte(m.Op))
}

func (m *Message) index() uint8 {
	if len(m.Raw) > 1 {
		return m.Raw[1]
	}
	return 0
}

// ToolHeaderSize is the size of a tool request without data.
const ToolHeaderSize = 8

// ToolRequest is what tools and drivers ask before a session. Its header is the command, an index that counts up while
// loading, the length of the whole request (u16) and an address (u32).
type ToolRequest struct {
	Command Op
	Index   uint8
	Address uint32
	Data    []byte
}

// Append appends the request; Data must fit 65527 bytes.
func (t ToolRequest) Append(b []byte) []byte {
	b = append(b, byte(t.Command), t.Index)
	b = binary.LittleEndian.AppendUint16(b, uint16(ToolHeaderSize+len(t.Data)))
	b = binary.LittleEndian.AppendUint32(b, t.Address)
	return append(b, t.Data...)
}
