package devicemaster

import "fmt"

// Port is the TCP and UDP port of a box.
const Port = 4606

// MaxPorts is the largest number of ports of a box; boxes have 1, 2, 4, 8, 16 or 32.
const MaxPorts = 32

// Direction is who sends. The lengths of some messages differ by it.
type Direction uint8

// The directions.
const (
	ToDevice   Direction = iota // from a driver or tool
	FromDevice                  // from the box
)

// String is "to device" or "from device".
func (d Direction) String() string {
	if d == FromDevice {
		return "from device"
	}
	return "to device"
}

// Op is the first byte of a message or tool request.
type Op uint8

// The messages. The comment gives the maker's name, the direction, and what follows the first byte.
const (
	OpTotal         Op = 0x60 // QIN_STATUS, both: u16, data bytes consumed so far, modulo 65536
	OpData          Op = 0x61 // DATA_BLK, both: u16 n, n bytes
	OpSelect        Op = 0x62 // PORT_SET, both: u8 port, counted from 0
	OpLine          Op = 0x63 // CONTROL_SET, to device: u16 [LineSettings]
	OpOutputs       Op = 0x64 // MCR_SET, to device: u16 [Outputs]
	OpInputs        Op = 0x65 // MSR_SET, from device: u16 [Inputs]
	OpAction        Op = 0x66 // ACTION_SET, to device: u16 [Action]
	OpActionDone    Op = 0x67 // ACTION_ACK, from device: u16 [Action]
	OpBaud          Op = 0x70 // BAUD_SET, to device: u32 bits per second
	OpChars         Op = 0x71 // SPECIAL_CHAR_SET, to device: 6 bytes, see [Chars]
	OpErrors        Op = 0x72 // ESR_SET, from device: u16 [LineErrors]
	OpAssign        Op = 0x73 // ASSIGN_REQ, to device: begin a session
	OpAssigned      Op = 0x74 // ASSIGN_REPLY, from device: it has begun
	OpMode          Op = 0x75 // RSMODE_SET, to device: u8 [Mode]
	OpStatus        Op = 0x76 // REMOTE_STATUS, to device: u8 [Ask]; from device: u8 [Status], and u16 [Inputs] if it is [Opened]
	OpLinkTimeout   Op = 0x77 // TIMEOUT_SET, to device: u32 seconds
	OpRelease       Op = 0x78 // RELEASE_REQ, to device: take the port from whoever has it
	OpIdleTimeout   Op = 0x79 // IC_TIMEOUT_SET, to device: u32 milliseconds (inferred), 0 is off (inferred)
	OpIdle          Op = 0x7a // IC_TIMEOUT, from device: nothing was received for that long
	OpScanPeriod    Op = 0x7b // SCANPERIOD_SET, to device: u8 milliseconds
	OpRetransmit    Op = 0x7c // RETRANS_TIMER_SET, to device: u8 milliseconds; for the raw Ethernet transport, sent over TCP too
	OpPing          Op = 0xfd // CONNECT_CHECK, both: keep-alive and its answer
	opReply, opAsk  Op = 0xfe, 0xff
	firstOp, lastOp    = OpTotal, OpRetransmit
)

// The tool requests; see [ToolRequest]. Only the reply to ToolID is known.
const (
	ToolLoad      Op = 1
	ToolGet       Op = 2
	ToolGoto      Op = 3
	ToolMove      Op = 4
	ToolID        Op = 5
	ToolSet       Op = 6
	ToolEnv       Op = 7
	ToolPing      Op = 8
	ToolData      Op = 9
	ToolSetIP     Op = 10
	ToolEraseIP   Op = 11
	ToolDisableIP Op = 12
	ToolReset     Op = 13
)

var opNames = [256]string{
	OpTotal: "total", OpData: "data", OpSelect: "select", OpLine: "line", OpOutputs: "outputs", OpInputs: "inputs", OpAction: "action",
	OpActionDone: "action-done", OpBaud: "baud", OpChars: "chars", OpErrors: "errors", OpAssign: "assign", OpAssigned: "assigned",
	OpMode: "mode", OpStatus: "status", OpLinkTimeout: "link-timeout", OpRelease: "release", OpIdleTimeout: "idle-timeout", OpIdle: "idle",
	OpScanPeriod: "scan-period", OpRetransmit: "retransmit", OpPing: "ping", opReply: "connect-reply", opAsk: "connect-ask",
	ToolLoad: "tool load", ToolGet: "tool get", ToolGoto: "tool goto", ToolMove: "tool move", ToolID: "tool id", ToolSet: "tool set",
	ToolEnv: "tool env", ToolPing: "tool ping", ToolData: "tool data", ToolSetIP: "tool set-ip", ToolEraseIP: "tool erase-ip",
	ToolDisableIP: "tool disable-ip", ToolReset: "tool reset",
}

var makerNames = [256]string{
	OpTotal: "QIN_STATUS", OpData: "DATA_BLK", OpSelect: "PORT_SET", OpLine: "CONTROL_SET", OpOutputs: "MCR_SET", OpInputs: "MSR_SET",
	OpAction: "ACTION_SET", OpActionDone: "ACTION_ACK", OpBaud: "BAUD_SET", OpChars: "SPECIAL_CHAR_SET", OpErrors: "ESR_SET",
	OpAssign: "ASSIGN_REQ", OpAssigned: "ASSIGN_REPLY", OpMode: "RSMODE_SET", OpStatus: "REMOTE_STATUS", OpLinkTimeout: "TIMEOUT_SET",
	OpRelease: "RELEASE_REQ", OpIdleTimeout: "IC_TIMEOUT_SET", OpIdle: "IC_TIMEOUT", OpScanPeriod: "SCANPERIOD_SET",
	OpRetransmit: "RETRANS_TIMER_SET", OpPing: "CONNECT_CHECK", opReply: "CONNECT_REPLY", opAsk: "CONNECT_ASK",
}

// String is the name, or the number when there is none.
func (o Op) String() string {
	if s := opNames[o]; s != "" {
		return s
	}
	return fmt.Sprintf("op(%#02x)", uint8(o))
}

// MakerName is what the maker's driver calls a message; empty when unknown.
func (o Op) MakerName() string { return makerNames[o] }

// Tool reports whether o begins a tool request.
func (o Op) Tool() bool { return o >= ToolLoad && o <= ToolReset }

// PortScope reports whether a message is about the selected port.
func (o Op) PortScope() bool {
	switch o {
	case OpTotal, OpData, OpLine, OpOutputs, OpInputs, OpAction, OpActionDone, OpBaud, OpChars, OpErrors, OpMode, OpStatus,
		OpRelease, OpIdleTimeout, OpIdle:
		return true
	}
	return false
}

// sizes of the messages of fixed length, in bytes with the first one, by direction. 0: there is no such message that way,
// or its length is told by what follows.
var sizes = [2][256]uint8{
	ToDevice: {OpTotal: 3, OpSelect: 2, OpLine: 3, OpOutputs: 3, OpAction: 3, OpBaud: 5, OpChars: 7, OpAssign: 1, OpMode: 2, OpStatus: 2,
		OpLinkTimeout: 5, OpRelease: 1, OpIdleTimeout: 5, OpScanPeriod: 2, OpRetransmit: 2, OpPing: 1},
	FromDevice: {OpTotal: 3, OpSelect: 2, OpInputs: 3, OpActionDone: 3, OpErrors: 3, OpAssigned: 1, OpIdle: 1, OpPing: 1},
}
