package rfc2217

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Code is a sub-command of option 44. The client's codes are 0 to 12; a server's answer is the code plus 100.
type Code byte

// The sub-commands, by their names in RFC 2217.
const (
	Signature          Code = 0  // text; empty asks for the peer's
	SetBaudRate        Code = 1  // 4 bytes; 0 asks
	SetDataSize        Code = 2  // 5 to 8; 0 asks
	SetParity          Code = 3  // [Parity]; 0 asks
	SetStopSize        Code = 4  // [StopSize]; 0 asks
	SetControl         Code = 5  // [Control]
	NotifyLineState    Code = 6  // [LineState]
	NotifyModemState   Code = 7  // [ModemState]
	FlowControlSuspend Code = 8  // stop sending data
	FlowControlResume  Code = 9  // go on
	SetLineStateMask   Code = 10 // which changes are told; 0 at first
	SetModemStateMask  Code = 11 // which changes are told; 255 at first
	PurgeData          Code = 12 // [Purge]

	// FromServer is added to the code in what a server says.
	FromServer Code = 100
)

// Parity is the value of SET-PARITY.
type Parity byte

// The parities.
const (
	ParityNone  Parity = 1
	ParityOdd   Parity = 2
	ParityEven  Parity = 3
	ParityMark  Parity = 4
	ParitySpace Parity = 5
)

// StopSize is the value of SET-STOPSIZE. Note the order.
type StopSize byte

// The numbers of stop bits.
const (
	Stop1     StopSize = 1
	Stop2     StopSize = 2
	Stop1Half StopSize = 3
)

// Control is the value of SET-CONTROL. It is four settings in one number, each with a question.
type Control byte

// The values.
const (
	ControlFlowAsk     Control = 0
	ControlFlowNone    Control = 1
	ControlFlowXonXoff Control = 2
	ControlFlowRtsCts  Control = 3
	ControlBreakAsk    Control = 4
	ControlBreakOn     Control = 5
	ControlBreakOff    Control = 6
	ControlDTRAsk      Control = 7
	ControlDTROn       Control = 8
	ControlDTROff      Control = 9
	ControlRTSAsk      Control = 10
	ControlRTSOn       Control = 11
	ControlRTSOff      Control = 12
	ControlInAsk       Control = 13 // flow control of what comes in, when it differs
	ControlInNone      Control = 14
	ControlInXonXoff   Control = 15
	ControlInRtsCts    Control = 16
	ControlFlowDCD     Control = 17 // what goes out waits for carrier
	ControlInDTR       Control = 18
	ControlFlowDSR     Control = 19
)

// Topic is which of its settings a Control is about, named by the value that asks for it.
func (c Control) Topic() Control {
	switch {
	case c <= ControlFlowRtsCts, c == ControlFlowDCD, c == ControlFlowDSR:
		return ControlFlowAsk
	case c <= ControlBreakOff:
		return ControlBreakAsk
	case c <= ControlDTROff:
		return ControlDTRAsk
	case c <= ControlRTSOff:
		return ControlRTSAsk
	}
	return ControlInAsk
}

// LineState are bits of NOTIFY-LINESTATE.
type LineState byte

// The bits.
const (
	LineDataReady    LineState = 1
	LineOverrun      LineState = 2
	LineParity       LineState = 4
	LineFraming      LineState = 8
	LineBreak        LineState = 16
	LineHoldingEmpty LineState = 32
	LineShiftEmpty   LineState = 64
	LineTimeout      LineState = 128
	LineErrors                 = LineOverrun | LineParity | LineFraming | LineBreak
)

// ModemState are bits of NOTIFY-MODEMSTATE: the upper half is how the lines are, the lower which changed.
type ModemState byte

// The bits.
const (
	ModemCD       ModemState = 128
	ModemRI       ModemState = 64
	ModemDSR      ModemState = 32
	ModemCTS      ModemState = 16
	ModemDeltaCD  ModemState = 8
	ModemTrailRI  ModemState = 4 // RI went off
	ModemDeltaDSR ModemState = 2
	ModemDeltaCTS ModemState = 1
)

// Lines are the lines themselves, without what changed.
func (m ModemState) Lines() ModemState { return m & 0xf0 }

// Since is the state of the lines with the bits of what changed against before.
func (m ModemState) Since(before ModemState) ModemState {
	now, was := m.Lines(), before.Lines()
	delta := (now ^ was) >> 4 &^ ModemTrailRI
	if was&ModemRI != 0 && now&ModemRI == 0 {
		delta |= ModemTrailRI
	}
	return now | delta
}

// Purge is the value of PURGE-DATA.
type Purge byte

// What is thrown away.
const (
	PurgeReceive  Purge = 1 // what came from the line
	PurgeTransmit Purge = 2 // what was to go to it
	PurgeBoth     Purge = 3
)

// Message is one sub-negotiation of option 44.
type Message struct {
	Code   Code   // without FromServer
	Server bool   // said by the server
	Value  uint32 // of every code that has a number; see Empty
	Empty  bool   // the number is absent, which only [NotifyLineState] and [NotifyModemState] of a client may be
	Text   []byte // Signature; and what stands behind a number, which nobody should send but which is not lost
}

var errEmpty = errors.New("a sub-negotiation of option 44 without a sub-command")

// ParseError is a sub-negotiation that is none of RFC 2217.
type ParseError struct {
	Code Code // as on the wire
	Len  int  // bytes behind the code
	Want int  // bytes that the code needs; -1: the code is not known
}

// Error says what is wrong.
func (e *ParseError) Error() string {
	if e.Want < 0 {
		return fmt.Sprintf("sub-command %d of option 44 is not known", e.Code)
	}
	return fmt.Sprintf("%v has %d bytes; it needs %d", e.Code, e.Len, e.Want)
}

// size is how many bytes a number has; ok is false for codes that RFC 2217 does not have.
func (c Code) size() (n int, ok bool) {
	switch c {
	case SetBaudRate:
		return 4, true
	case Signature, FlowControlSuspend, FlowControlResume:
		return 0, true
	case SetDataSize, SetParity, SetStopSize, SetControl, NotifyLineState, NotifyModemState, SetLineStateMask, SetModemStateMask, PurgeData:
		return 1, true
	}
	return 0, false
}

// ParseMessage takes the payload of a sub-negotiation of option 44 apart: [Item.Data] of a [Sub]. Text aliases payload.
func ParseMessage(payload []byte) (Message, error) {
	if len(payload) == 0 {
		return Message{}, errEmpty
	}
	m := Message{Code: Code(payload[0])}
	rest := payload[1:]
	if m.Code >= FromServer {
		m.Code, m.Server = m.Code-FromServer, true
	}
	n, ok := m.Code.size()
	switch {
	case !ok:
		return Message{}, &ParseError{Code: Code(payload[0]), Len: len(rest), Want: -1}
	case len(rest) < n && len(rest) == 0 && !m.Server && (m.Code == NotifyLineState || m.Code == NotifyModemState):
		m.Empty = true
		return m, nil
	case len(rest) < n:
		return Message{}, &ParseError{Code: Code(payload[0]), Len: len(rest), Want: n}
	case n == 4:
		m.Value = binary.BigEndian.Uint32(rest)
	case n == 1:
		m.Value = uint32(rest[0])
	}
	if len(rest) > n {
		m.Text = rest[n:]
	}
	return m, nil
}

// AppendTo appends the whole sub-negotiation, IAC SB to IAC SE.
func (m *Message) AppendTo(dst []byte) []byte {
	code := m.Code
	if m.Server {
		code += FromServer
	}
	dst = append(dst, IAC, SB, OptComPort, byte(code))
	if n, _ := m.Code.size(); !m.Empty {
		switch n {
		case 4:
			for shift := 24; shift >= 0; shift -= 8 {
				dst = appendByte(dst, byte(m.Value>>shift))
			}
		case 1:
			dst = appendByte(dst, byte(m.Value))
		}
	}
	return append(AppendData(dst, m.Text, false), IAC, SE)
}

func appendByte(dst []byte, b byte) []byte {
	if b == IAC {
		dst = append(dst, IAC)
	}
	return append(dst, b)
}
