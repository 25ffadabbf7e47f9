package devicemaster

import (
	"fmt"
	"strings"
)

// LineSettings is the mask of [OpLine]. 0 is 8 data bits, no parity, 1 stop bit, no flow control.
type LineSettings uint16

// The bits of LineSettings.
const (
	Stop2       LineSettings = 0x0001 // 2 stop bits; else 1
	Data7       LineSettings = 0x0002 // 7 data bits; else 8. There is no 5 or 6
	ParityEven  LineSettings = 0x0004
	ParityOdd   LineSettings = 0x0008
	parityMask  LineSettings = 0x000c
	RTSAuto     LineSettings = 0x0010 // RTS stops the far end when the receive buffer fills
	RTSHighTx   LineSettings = 0x0020 // RS-485: RTS on while transmitting
	RTSLowTx    LineSettings = 0x0040 // RS-485: RTS off while transmitting
	CTSFlow     LineSettings = 0x0080 // CTS controls the transmitter
	DTRAuto     LineSettings = 0x0100
	DSRFlow     LineSettings = 0x0200 // DSR controls the transmitter
	CDFlow      LineSettings = 0x0400 // CD controls the transmitter
	XonXoffTx   LineSettings = 0x0800 // XON and XOFF are obeyed
	XonXoffRx   LineSettings = 0x1000 // XON and XOFF are sent
	StripNull   LineSettings = 0x2000
	RTSOverride LineSettings = 0x4000
	AnyXon      LineSettings = 0x8000 // any character restarts the transmitter

	RTSCTS  = RTSAuto | CTSFlow     // hardware flow control both ways
	XonXoff = XonXoffTx | XonXoffRx // software flow control both ways
	flow    = RTSCTS | XonXoff      // what Flow sets and clears
	rts485  = RTSHighTx | RTSLowTx  // who drives RTS on a two-wire line
	format  = Stop2 | Data7 | parityMask
	known   = format | flow | rts485 | DTRAuto | DSRFlow | CDFlow | StripNull | RTSOverride | AnyXon
)

// Format makes the settings of a character: 7 or 8 data bits, parity 'N', 'E' or 'O', 1 or 2 stop bits. ok is false when
// the device has no such format.
func Format(data uint8, parity byte, stop uint8) (s LineSettings, ok bool) {
	switch data {
	case 7:
		s |= Data7
	case 8:
	default:
		return 0, false
	}
	switch parity {
	case 'N':
	case 'E':
		s |= ParityEven
	case 'O':
		s |= ParityOdd
	default:
		return 0, false
	}
	switch stop {
	case 1:
	case 2:
		s |= Stop2
	default:
		return 0, false
	}
	return s, true
}

// WithFormat is s with the character format of f.
func (s LineSettings) WithFormat(f LineSettings) LineSettings { return s&^format | f&format }

// WithFlow is s with the flow control of f, both ways.
func (s LineSettings) WithFlow(f LineSettings) LineSettings { return s&^flow | f&flow }

// Data is the number of data bits.
func (s LineSettings) Data() uint8 {
	if s&Data7 != 0 {
		return 7
	}
	return 8
}

// Stop is the number of stop bits.
func (s LineSettings) Stop() uint8 {
	if s&Stop2 != 0 {
		return 2
	}
	return 1
}

// Parity is 'N', 'E' or 'O'; both bits together, which no driver sends, are 'O'.
func (s LineSettings) Parity() byte {
	switch {
	case s&ParityOdd != 0:
		return 'O'
	case s&ParityEven != 0:
		return 'E'
	}
	return 'N'
}

// Bits is how many bits one character takes on the line, with start, parity and stop bits.
func (s LineSettings) Bits() int {
	n := 1 + int(s.Data()) + int(s.Stop())
	if s.Parity() != 'N' {
		n++
	}
	return n
}

// String is "8N1", followed by what else is set.
func (s LineSettings) String() string {
	out := fmt.Sprintf("%d%c%d", s.Data(), s.Parity(), s.Stop())
	rest := s &^ format
	if rest&RTSCTS == RTSCTS {
		out, rest = out+" rts/cts", rest&^RTSCTS
	}
	if rest&XonXoff == XonXoff {
		out, rest = out+" xon/xoff", rest&^XonXoff
	}
	if rest != 0 {
		out += " " + bitText(uint16(rest), lineBits)
	}
	return out
}

// Outputs is the mask of [OpOutputs].
type Outputs uint16

// The bits of Outputs.
const (
	RTS      Outputs = 0x01
	DTR      Outputs = 0x02
	Loopback Outputs = 0x04 // inside the device
	Break    Outputs = 0x08 // hold the line in the break condition
)

// Inputs is the mask of [OpInputs] and of [OpStatus] when a port was opened.
type Inputs uint16

// The bits of Inputs.
const (
	TxFlowedOff Inputs = 0x01 // the transmitter waits for flow control
	CD          Inputs = 0x08
	DSR         Inputs = 0x10
	CTS         Inputs = 0x20
	RI          Inputs = 0x40
	BreakSeen   Inputs = 0x80

	// AllInputs are those of a null modem whose far end has RTS and DTR on.
	AllInputs = CD | DSR | CTS
)

// Action is the mask of [OpAction] and [OpActionDone].
type Action uint16

// The bits of Action.
const (
	FlushInput  Action = 0x001 // drop what was received and not yet sent to the driver
	FlushOutput Action = 0x002 // drop what is not yet on the line
	ForceXoff   Action = 0x004
	ClearXoff   Action = 0x008
	SendXon     Action = 0x010
	SendXoff    Action = 0x020
	ModemReset  Action = 0x040
	NoRxFIFO    Action = 0x200

	Flush = FlushInput | FlushOutput
)

// LineErrors is the mask of [OpErrors].
type LineErrors uint16

// The bits of LineErrors.
const (
	FramingError LineErrors = 0x01
	ParityError  LineErrors = 0x02
	Overflow     LineErrors = 0x04
	BreakError   LineErrors = 0x08
)

type bitName struct {
	bit  uint16
	name string
}

var (
	lineBits = []bitName{{uint16(RTSAuto), "rts-auto"}, {uint16(RTSHighTx), "rts-on-transmit"}, {uint16(RTSLowTx), "rts-off-transmit"},
		{uint16(CTSFlow), "cts-flow"}, {uint16(DTRAuto), "dtr-auto"}, {uint16(DSRFlow), "dsr-flow"}, {uint16(CDFlow), "cd-flow"},
		{uint16(XonXoffTx), "xon/xoff-obeyed"}, {uint16(XonXoffRx), "xon/xoff-sent"}, {uint16(StripNull), "strip-null"},
		{uint16(RTSOverride), "rts-override"}, {uint16(AnyXon), "any-xon"}}
	outputBits = []bitName{{uint16(RTS), "rts"}, {uint16(DTR), "dtr"}, {uint16(Loopback), "loopback"}, {uint16(Break), "break"}}
	inputBits  = []bitName{{uint16(TxFlowedOff), "tx-flowed-off"}, {uint16(CD), "cd"}, {uint16(DSR), "dsr"}, {uint16(CTS), "cts"},
		{uint16(RI), "ri"}, {uint16(BreakSeen), "break"}}
	actionBits = []bitName{{uint16(FlushInput), "flush-input"}, {uint16(FlushOutput), "flush-output"}, {uint16(ForceXoff), "force-xoff"},
		{uint16(ClearXoff), "clear-xoff"}, {uint16(SendXon), "send-xon"}, {uint16(SendXoff), "send-xoff"},
		{uint16(ModemReset), "modem-reset"}, {uint16(NoRxFIFO), "no-rx-fifo"}}
	errorBits = []bitName{{uint16(FramingError), "framing"}, {uint16(ParityError), "parity"}, {uint16(Overflow), "overflow"}, {uint16(BreakError), "break"}}
)

// bitText names the bits that are set; those without a name are shown as their number. Nothing set is "none".
func bitText(mask uint16, names []bitName) string {
	if mask == 0 {
		return "none"
	}
	var out []string
	for _, n := range names {
		if mask&n.bit != 0 {
			out, mask = append(out, n.name), mask&^n.bit
		}
	}
	if mask != 0 {
		out = append(out, fmt.Sprintf("%#x", mask))
	}
	return strings.Join(out, " ")
}

// String names the bits.
func (o Outputs) String() string { return bitText(uint16(o), outputBits) }

// String names the bits.
func (i Inputs) String() string { return bitText(uint16(i), inputBits) }

// String names the bits.
func (a Action) String() string { return bitText(uint16(a), actionBits) }

// String names the bits.
func (e LineErrors) String() string { return bitText(uint16(e), errorBits) }

// Mode is the electrical mode of a port.
type Mode uint8

// The modes.
const (
	RS232       Mode = 0x32
	RS422       Mode = 0x22
	RS485       Mode = 0x85 // two wires
	RS485Slave  Mode = 0x86 // four wires
	RS485Master Mode = 0x87 // four wires
	ModeOff     Mode = 0xde
)

// String is the name, or the number when there is none.
func (m Mode) String() string {
	switch m {
	case RS232:
		return "rs-232"
	case RS422:
		return "rs-422"
	case RS485:
		return "rs-485"
	case RS485Slave:
		return "rs-485-slave"
	case RS485Master:
		return "rs-485-master"
	case ModeOff:
		return "off"
	}
	return fmt.Sprintf("mode(%#02x)", uint8(m))
}

// Ask is what a driver wants of a port with [OpStatus].
type Ask uint8

// The requests.
const (
	AskOpen  Ask = 0x01
	AskClose Ask = 0x02
)

// String is the name, or the number when there is none.
func (a Ask) String() string {
	switch a {
	case AskOpen:
		return "open"
	case AskClose:
		return "close"
	}
	return fmt.Sprintf("ask(%#02x)", uint8(a))
}

// Status is what a device says of a port with [OpStatus]. The high half repeats the request, the low half is 0 when it was
// granted (inferred).
type Status uint8

// The states. The maker's driver takes every value but Opened and Busy for "not yours".
const (
	Opened   Status = 0x10 // the port is yours; the modem inputs follow
	Busy     Status = 0x11 // another host has it
	Closed   Status = 0x20 // your release was accepted
	Released Status = 0x21 // the port is not yours: somebody released it, or it was never opened
)

// String is the name, or the number when there is none.
func (s Status) String() string {
	switch s {
	case Opened:
		return "opened"
	case Busy:
		return "busy"
	case Closed:
		return "closed"
	case Released:
		return "released"
	}
	return fmt.Sprintf("status(%#02x)", uint8(s))
}

// Chars are the bytes of [OpChars]. The last two are the characters that replace an error and that mark an event
// (inferred); the maker's Linux driver sends zeros.
type Chars struct{ RxXon, RxXoff, TxXon, TxXoff, ErrorChar, EventChar byte }

// DefaultChars are XON 0x11 and XOFF 0x13 both ways.
func DefaultChars() Chars { return Chars{0x11, 0x13, 0x11, 0x13, 0, 0} }

// BaudSlip reads a rate as printed in a published recording, in which 9600 stands one byte too far to the left
// (70 00 80 25 00 for 70 80 25 00 00, probably a slip of the pen): a value above 1,000,000 that is 256 times a standard rate
// is that rate. slip is true when it was one.
func BaudSlip(v uint32) (baud uint32, slip bool) {
	if v > 1_000_000 && v%256 == 0 {
		for _, r := range standardRates {
			if v/256 == r {
				return r, true
			}
		}
	}
	return v, false
}

var standardRates = [...]uint32{300, 600, 1200, 1800, 2400, 4800, 7200, 9600, 14400, 19200, 28800, 38400, 57600, 76800, 115200,
	153600, 230400, 460800, 921600}
