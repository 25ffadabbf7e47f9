package focas

import (
	"fmt"
	"strings"

	"github.com/patchbay-io/patchbay/wire"
)

// Alarm texts come in fields of 32 or 64 bytes, as asked for. (seen)
const (
	AlarmText32 = 32 // cnc_rdalmmsg, cnc_rdalminfo
	AlarmText64 = 64 // cnc_rdalmmsg2
	alarmHead   = 16
)

// AllAlarms as alarm type asks for every type.
const AllAlarms int32 = -1

// AlarmBitsRequest asks which types of alarm are present (cnc_alarm2, cnc_alarm): a [Longs] of one bit field. Which bit is
// which type is not known; cnc_alarm returns the low 16 bits. (seen)
func AlarmBitsRequest(path uint16) Request { return cncRequest(path, FuncAlarm) }

// AlarmBits is the payload of 0x1a.
type AlarmBits struct {
	Bits uint32
	Rest []byte // aliases the payload
}

// ParseAlarmBits reads the payload.
func ParseAlarmBits(payload []byte) (AlarmBits, error) {
	if len(payload) < 4 {
		return AlarmBits{}, short("AlarmBits", payload, 4)
	}
	return AlarmBits{u32(payload), rest(payload, 4)}, nil
}

// Append appends the payload.
func (a AlarmBits) Append(b []byte) []byte { return append(appendU32(b, a.Bits), a.Rest...) }

// AlarmsRequest asks for at most max alarms of a type or of [AllAlarms], with text fields of textSize bytes
// (cnc_rdalmmsg with 32, cnc_rdalmmsg2 with 64): function 0x23.
func AlarmsRequest(path uint16, typ, max int32, textSize int) Request {
	return cncRequest(path, FuncReadAlarmMessage, typ, max, 2, int32(textSize))
}

// AlarmInfoRequest asks for alarms as cnc_rdalminfo does: flag 1 is with text. The answer has text fields of 32 bytes.
func AlarmInfoRequest(path uint16, typ, max, flag int32) Request {
	return cncRequest(path, FuncReadAlarmMessage, typ, max, flag, AlarmText32)
}

// Alarm is one alarm that is present. (seen)
//
//	0        4      8      12            16
//	| number | type | axis | text length | text, 32 or 64 bytes
type Alarm struct {
	Number int32
	Type   int32  // see [AlarmTypeName]
	Axis   int32  // 1-based; 0 is none
	Length int32  // of the text, as the control counts it
	Field  []byte // the whole text field, 32 or 64 bytes in the control's code page; aliases the payload
}

// NewAlarm makes an alarm whose text field is textSize bytes.
func NewAlarm(number, typ, axis int32, text string, textSize int) Alarm {
	return Alarm{number, typ, axis, int32(min(len(text), textSize)), wire.AppendText(make([]byte, 0, textSize), text, textSize)}
}

// Text is the text as bytes of the control's code page, without padding.
func (a Alarm) Text() string { return fieldText(a.Field, a.Length) }

// Append appends the record.
func (a Alarm) Append(b []byte) []byte {
	b = appendI32(appendI32(b, a.Number), a.Type)
	b = appendI32(appendI32(b, a.Axis), a.Length)
	return append(b, a.Field...)
}

// Alarms is the payload of 0x23: no item when there is no alarm.
type Alarms = List[Alarm]

// ParseAlarms reads the payload of a request that asked for text fields of textSize bytes.
func ParseAlarms(payload []byte, textSize int) (Alarms, error) {
	if textSize < 0 {
		return Alarms{}, fmt.Errorf("alarms: text size %d is negative", textSize)
	}
	return parseList(payload, alarmHead+textSize, func(b []byte) Alarm {
		return Alarm{i32(b), i32(b[4:]), i32(b[8:]), i32(b[12:]), b[alarmHead:len(b):len(b)]}
	}), nil
}

// fieldText is a text field up to its length, its first NUL or its end, without trailing blanks.
func fieldText(field []byte, length int32) string {
	if length >= 0 && int(length) < len(field) {
		field = field[:length]
	}
	return strings.TrimRight(wire.Text(field), " ")
}

// ClearAlarmRequest asks to clear an alarm (cnc_clralm). It acts on the control.
func ClearAlarmRequest(path uint16, id int32) Request { return cncRequest(path, FuncClearAlarm, id) }

// Alarm type names by number; public, FANUC's manuals as quoted by the Ladder99 and iwtcode projects. Empty is unused.
var (
	alarms30i = []string{"SW", "PW", "IO", "PS", "OT", "OH", "SV", "SR", "MC", "SP", "DS", "IE", "BG", "SN", "", "EX", "", "", "", "PC"}
	alarms16i = []string{"P/S100", "P/S000", "P/S101", "P/S", "OT", "OH", "SV", "", "APC", "SP", "P/S5000", "LASER", "", "RIGID TAP", "", "EX"}
	alarms15i = []string{"BG", "PS", "OH", "SB", "SN", "SW", "OT", "PC", "EX", "", "SR", "", "SV", "IO", "PW", "", "EX", "EX", "EX", "MC", "SP"}
)

// AlarmTypeName is FANUC's abbreviation of an alarm type on a control of the family ("SV"); empty when unknown.
func AlarmTypeName(f Family, typ int32) string {
	names := alarms30i
	switch f {
	case Family16i:
		names = alarms16i
	case Family15i:
		names = alarms15i
	}
	if typ < 0 || int(typ) >= len(names) {
		return ""
	}
	return names[typ]
}

// Code is the alarm's name as the control writes it: "SV0401" on a 30i, "SV401" on a 15i, "401" on a 16i, whose numbers are
// unique without letters. (public: operator's manuals)
func (a Alarm) Code(f Family) string {
	switch name := AlarmTypeName(f, a.Type); {
	case f == Family16i:
		return fmt.Sprintf("%03d", a.Number)
	case name == "":
		return fmt.Sprintf("%04d", a.Number)
	case f == Family15i:
		return fmt.Sprintf("%s%03d", name, a.Number)
	default:
		return fmt.Sprintf("%s%04d", name, a.Number)
	}
}

// Format is the alarm's line as the control writes it; axis is the name of its axis, empty for none. "SV0401 (X) VRDY OFF" on
// a 30i and 15i, "401 SERVO ALARM: X AXIS VRDY OFF" on a 16i, where the control puts the axis into the text itself.
func (a Alarm) Format(f Family, axis string) string {
	parts := make([]string, 0, 3)
	parts = append(parts, a.Code(f))
	if axis != "" && f != Family16i {
		parts = append(parts, "("+axis+")")
	}
	if t := a.Text(); t != "" {
		parts = append(parts, t)
	}
	return strings.Join(parts, " ")
}

// AlarmHistoryCountRequest asks how many entries the alarm history has, cnc_rdalmhisno; the layout of the answer is unknown.
// Seen as a request.
func AlarmHistoryCountRequest(path uint16) Request { return cncRequest(path, FuncReadAlarmHistoryNum) }

// AlarmHistoryRequest asks for the entries first..last of the alarm history, cnc_rdalmhistry; the layout of the answer is
// unknown. Seen as a request.
func AlarmHistoryRequest(path uint16, first, last int32) Request {
	return Request{Class: ClassCNC, Path: path, Func: FuncReadAlarmHistory, Args: [4]int32{first, last, 1}}
}
