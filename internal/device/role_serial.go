package device

// serialRoles are those of serial ports.
var serialRoles = [...]Role{
	{"serial.state", Enum, "a port: closed, open, busy, lost"},
	{"serial.owner", String, "who writes to the port"},
	{"serial.baud", Int, "line speed"},
	{"serial.format", String, "data bits, parity and stop bits, as 8N1"},
	{"serial.flow", Enum, "flow control: none, RTS/CTS, XON/XOFF, …"},
	{"serial.mode", Enum, "RS-232, RS-422, RS-485"},
	{"serial.rts", Bool, "output line: request to send"},
	{"serial.dtr", Bool, "output line: data terminal ready"},
	{"serial.cts", Bool, "input line: clear to send"},
	{"serial.dsr", Bool, "input line: data set ready"},
	{"serial.cd", Bool, "input line: carrier detect"},
	{"serial.ri", Bool, "input line: ring indicator"},
	{"serial.break", Bool, "the output line is held in the break state"},
	{"serial.errors", Int, "errors of one kind on the line"},
	{"serial.bytes-in", Int, "bytes that came from the line"},
	{"serial.bytes-out", Int, "bytes that went to the line"},
	{"serial.outstanding", Int, "bytes sent whose arrival is not known"},
}
