package rfc2217

import (
	"fmt"
	"strconv"
	"strings"
)

var codeNames = [...]string{"SIGNATURE", "SET-BAUDRATE", "SET-DATASIZE", "SET-PARITY", "SET-STOPSIZE", "SET-CONTROL", "NOTIFY-LINESTATE",
	"NOTIFY-MODEMSTATE", "FLOWCONTROL-SUSPEND", "FLOWCONTROL-RESUME", "SET-LINESTATE-MASK", "SET-MODEMSTATE-MASK", "PURGE-DATA"}

// String is the name in RFC 2217, for the server's codes too.
func (c Code) String() string {
	if c >= FromServer && int(c-FromServer) < len(codeNames) {
		c -= FromServer
	}
	if int(c) < len(codeNames) {
		return codeNames[c]
	}
	return fmt.Sprintf("sub-command %d", byte(c))
}

var controlNames = [...]string{"flow control?", "no flow control", "XON/XOFF", "RTS/CTS", "break?", "break on", "break off", "DTR?", "DTR on",
	"DTR off", "RTS?", "RTS on", "RTS off", "inbound flow control?", "inbound: none", "inbound: XON/XOFF", "inbound: RTS/CTS",
	"outbound: DCD", "inbound: DTR", "outbound: DSR"}

// String is what the value means.
func (c Control) String() string { return named(controlNames[:], byte(c)) }

// String is the parity as people write it.
func (p Parity) String() string {
	return named([]string{"parity?", "none", "odd", "even", "mark", "space"}, byte(p))
}

// String is the number of stop bits.
func (s StopSize) String() string { return named([]string{"stop bits?", "1", "2", "1.5"}, byte(s)) }

// String is what is thrown away.
func (p Purge) String() string {
	return named([]string{"purge 0", "receive", "transmit", "receive and transmit"}, byte(p))
}

// String lists the bits.
func (l LineState) String() string {
	return bits(byte(l), [8]string{"data ready", "overrun", "parity", "framing", "break", "holding empty", "shift empty", "timeout"})
}

// String lists the bits.
func (m ModemState) String() string {
	return bits(byte(m), [8]string{"CTS changed", "DSR changed", "RI ended", "CD changed", "CTS", "DSR", "RI", "CD"})
}

func named(names []string, v byte) string {
	if int(v) < len(names) {
		return names[v]
	}
	return strconv.Itoa(int(v))
}

func bits(v byte, names [8]string) string {
	var on []string
	for i, name := range names {
		if v&(1<<i) != 0 {
			on = append(on, name)
		}
	}
	switch len(on) {
	case 0:
		return "none"
	case len(names):
		return "all"
	}
	return strings.Join(on, ", ")
}

// ValueText is what the number of a message means; "" when it says no more than the number.
func (m *Message) ValueText() string {
	v := byte(m.Value)
	switch m.Code {
	case SetBaudRate, SetDataSize, SetParity, SetStopSize:
		if m.Value == 0 {
			return "which?"
		}
	case NotifyLineState, NotifyModemState:
		if !m.Server {
			return "which?"
		}
	}
	switch m.Code {
	case SetParity:
		return Parity(v).String()
	case SetStopSize:
		return StopSize(v).String()
	case SetControl:
		return Control(v).String()
	case NotifyLineState, SetLineStateMask:
		return LineState(v).String()
	case NotifyModemState, SetModemStateMask:
		return ModemState(v).String()
	case PurgeData:
		return Purge(v).String()
	}
	return ""
}
