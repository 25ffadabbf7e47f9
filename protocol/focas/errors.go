package focas

import "fmt"

// Code is the error code of a reply block, an error frame or a call: 0 is good, the others are FANUC's EW_ codes.
type Code int16

// The codes that a control or FANUC's library gives.
const (
	EWOK       Code = 0
	EWProtocol Code = -17
	EWSocket   Code = -16
	EWNoDLL    Code = -15
	EWBus      Code = -11
	EWSystem2  Code = -10
	EWHSSB     Code = -9
	EWHandle   Code = -8
	EWVersion  Code = -7
	EWUnexp    Code = -6
	EWSystem   Code = -5
	EWParity   Code = -4
	EWMMCSys   Code = -3
	EWReset    Code = -2
	EWBusy     Code = -1
	EWFunc     Code = 1
	EWLength   Code = 2
	EWNumber   Code = 3
	EWAttrib   Code = 4
	EWData     Code = 5
	EWNoOpt    Code = 6
	EWProt     Code = 7
	EWOvrFlow  Code = 8
	EWParam    Code = 9
	EWBuffer   Code = 10
	EWPath     Code = 11
	EWMode     Code = 12
	EWReject   Code = 13
	EWDtSrvr   Code = 14
	EWAlarm    Code = 15
	EWStop     Code = 16
	EWPasswd   Code = 17
	EWPMC      Code = 18
	EWPMCHndl  Code = 19
	EWRdOvr    Code = 20
	EWRdReset  Code = 21
)

type codeInfo struct {
	code          Code
	name, meaning string
	advice        string
}

var codes = [...]codeInfo{
	{EWProtocol, "EW_PROTOCOL", "protocol error", "the peer may not be a FANUC control, or another client shares the connection"},
	{EWSocket, "EW_SOCKET", "connection lost", "check the network and that the control is on"},
	{EWNoDLL, "EW_NODLL", "library file missing", ""},
	{EWBus, "EW_BUS", "bus error of the control", ""},
	{EWSystem2, "EW_SYSTEM2", "system error of the control (2)", ""},
	{EWHSSB, "EW_HSSB", "HSSB communication error", ""},
	{EWHandle, "EW_HANDLE", "handle is not valid", "open the connection again"},
	{EWVersion, "EW_VERSION", "versions of control and library do not match", ""},
	{EWUnexp, "EW_UNEXP", "abnormal error", ""},
	{EWSystem, "EW_SYSTEM", "system error of the control", ""},
	{EWParity, "EW_PARITY", "parity error of shared memory", ""},
	{EWMMCSys, "EW_MMCSYS", "driver of the library is not installed", ""},
	{EWReset, "EW_RESET", "reset or stop happened during the request", "ask again"},
	{EWBusy, "EW_BUSY", "the control is busy", "ask again"},
	{EWFunc, "EW_FUNC", "function is not available on this control", "this control or its options do not have the function"},
	{EWLength, "EW_LENGTH", "data length is wrong", "the amount of data does not fit this item on this control"},
	{EWNumber, "EW_NUMBER", "number or range is wrong", "check the number: this control does not have it"},
	{EWAttrib, "EW_ATTRIB", "attribute or type is wrong", "check the axis or data type"},
	{EWData, "EW_DATA", "data is wrong", "check the value, and whether the item exists"},
	{EWNoOpt, "EW_NOOPT", "option is missing", "the control lacks the option that this function needs"},
	{EWProt, "EW_PROT", "write-protected", "the memory protection key or parameter write enable (PWE) forbids it"},
	{EWOvrFlow, "EW_OVRFLOW", "overflow of the control's memory", "make room in program or tape memory"},
	{EWParam, "EW_PARAM", "a parameter of the control is set wrong", "check the control's parameters for this function"},
	{EWBuffer, "EW_BUFFER", "buffer is empty or full", "ask again"},
	{EWPath, "EW_PATH", "path is wrong", "check the path number"},
	{EWMode, "EW_MODE", "wrong mode", "switch the control to the mode that this function needs (often EDIT or MDI)"},
	{EWReject, "EW_REJECT", "the control rejected the request", "the control's present state does not allow it"},
	{EWDtSrvr, "EW_DTSRVR", "data server error", "check the data server of the control"},
	{EWAlarm, "EW_ALARM", "an alarm prevents it", "clear the alarm on the control"},
	{EWStop, "EW_STOP", "the control is stopped or in emergency stop", "release the stop on the control"},
	{EWPasswd, "EW_PASSWD", "protected by a password or data protection level", "unlock the protection on the control"},
	{EWPMC, "EW_PMC", "PMC error", ""},
	{EWPMCHndl, "EW_PMC_HANDLE", "PMC handle error", ""},
	{EWRdOvr, "EW_RD_OVER", "overwritten while reading a program", "read again"},
	{EWRdReset, "EW_RD_RESET", "reset while reading a program", "read again"},
}

func infoOf(c Code) codeInfo {
	for _, i := range codes {
		if i.code == c {
			return i
		}
	}
	return codeInfo{code: c}
}

// String is FANUC's name ("EW_NUMBER"), or the number when there is none.
func (c Code) String() string {
	if c == 0 {
		return "EW_OK"
	}
	if n := infoOf(c).name; n != "" {
		return n
	}
	return fmt.Sprintf("EW(%d)", int16(c))
}

// Meaning is the code in plain words; empty when unknown.
func (c Code) Meaning() string { return infoOf(c).meaning }

// Advice is what a person can do about it; may be empty.
func (c Code) Advice() string { return infoOf(c).advice }

// Error is what a control answered instead of data. Frame is set when the whole frame was refused (direction 3) rather
// than one block of it.
type Error struct {
	Func   Func
	Code   Code
	Detail [2]int16
	Frame  bool
}

// Error is "cnc_rdmacro: EW_NUMBER (3): number or range is wrong, detail 7, 9".
func (e *Error) Error() string {
	s := fmt.Sprintf("%v (%d)", e.Code, int16(e.Code))
	if e.Func != 0 { // a transfer has none
		s = fmt.Sprintf("%v: %s", e.Func, s)
	}
	if m := e.Code.Meaning(); m != "" {
		s += ": " + m
	}
	if e.Detail != [2]int16{} {
		s += fmt.Sprintf(", detail %d, %d", e.Detail[0], e.Detail[1])
	}
	return s
}

// Is compares codes, so that errors.Is(err, &Error{Code: EWNumber}) asks for the code alone.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && (t.Func == 0 || t.Func == e.Func)
}
