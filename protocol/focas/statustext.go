package focas

import (
	"slices"
	"strconv"
)

// Family is a generation of controls that shares the meaning of status words, alarm types and alarm texts.
type Family uint8

// The families.
const (
	Family30i Family = iota // 30i, 31i, 32i, 35i, 0i-D, 0i-F
	Family16i               // 16i, 18i, 21i, 0i-A to C, Power Mate i
	Family15i               // 15, 15i
)

// String is "30i", "16i" or "15i".
func (f Family) String() string {
	switch f {
	case Family16i:
		return "16i"
	case Family15i:
		return "15i"
	}
	return "30i"
}

// FamilyOf says which family a control is of, by its open reply and its own type text ("15", "31"). (seen for the open
// reply's words; that a 15i names itself 15 is public)
func FamilyOf(o *OpenReply, s SysInfo) Family {
	switch {
	case trimText(s.Type[:]) == "15", o.Dialect() == Classic && o.Family == 2:
		return Family15i
	case o.Dialect() == Classic:
		return Family16i
	}
	return Family30i
}

// StatusWord names a word of [Status] and [Status2].
type StatusWord uint8

// The words that have texts.
const (
	WordAut StatusWord = iota
	WordRun
	WordMotion
	WordMSTB
	WordEmergency
	WordAlarm
	WordEdit
)

// The texts are public: FANUC's manuals as quoted by the Ladder99 and iwtcode projects. An empty text means that the number
// is not used.
var (
	textAut       = []string{"MDI", "MEM", "none", "EDIT", "HANDLE", "JOG", "TEACH JOG", "TEACH HANDLE", "INC", "REF", "REMOTE"}
	textAut15     = []string{"none", "MDI", "TAPE", "MEM", "EDIT", "TEACH"}
	textRun       = []string{"reset", "STOP", "HOLD", "START", "MSTR"}
	textRun15     = []string{"STOP", "HOLD", "START", "MSTR", "RESTART", "PRSR", "NSRC", "RESTART blinking", "RESET", "", "", "", "", "HPCC"}
	textMotion    = []string{"none", "MOTION", "DWELL", "WAIT"}
	textMSTB      = []string{"none", "FIN"}
	textEmergency = []string{"none", "EMERGENCY", "RESET", "WAIT"}
	textAlarm     = []string{"none", "ALARM", "BATTERY LOW", "FAN", "PS WARNING", "FSSB WARNING", "INSULATION WARNING", "ENCODER WARNING", "PMC ALARM"}
	textEditM     = []string{"none", "EDIT", "SEARCH", "OUTPUT", "INPUT", "COMPARE", "LABEL SKIP", "RESTART"}
	textEditT     = []string{"none", "EDIT", "SEARCH", "OUTPUT", "INPUT", "COMPARE", "OFFSET", "WORK SHIFT"}
	textEdit15    = []string{"none", "EDIT", "SEARCH", "VERIFY", "CONDENSE", "READ", "PUNCH"}
)

func statusTexts(w StatusWord, f Family, lathe bool) []string {
	switch w {
	case WordAut:
		if f == Family15i {
			return textAut15
		}
		return textAut
	case WordRun:
		if f == Family15i {
			return textRun15
		}
		return textRun
	case WordMotion:
		return textMotion
	case WordMSTB:
		return textMSTB
	case WordEmergency:
		return textEmergency
	case WordAlarm:
		return textAlarm
	case WordEdit:
		switch {
		case f == Family15i:
			return textEdit15
		case lathe:
			return textEditT
		}
		return textEditM
	}
	return nil
}

// StatusText is what the value of a status word means on a control of the family, in FANUC's words; a lathe has other edit
// states than a machining centre. A value without a known text is its number: "12".
func StatusText(w StatusWord, value uint16, f Family, lathe bool) string {
	if t := statusTexts(w, f, lathe); int(value) < len(t) && t[value] != "" {
		return t[value]
	}
	return strconv.Itoa(int(value))
}

// StatusTexts are the known texts of a status word, indexed by its value; "" where a number is not used. The caller owns the
// slice.
func StatusTexts(w StatusWord, f Family, lathe bool) []string {
	return slices.Clone(statusTexts(w, f, lathe))
}
