package focassim

import "slices"

// Types of alarms whose numbers are the same in both dialects.
const (
	AlarmPS int16 = 3  // program
	AlarmOT int16 = 4  // overtravel
	AlarmOH int16 = 5  // overheat
	AlarmSV int16 = 6  // servo
	AlarmSP int16 = 9  // spindle
	AlarmEX int16 = 15 // from the machine builder
)

// Alarm is an alarm that is on. Axis is 0 when it concerns none, else 1-based.
type Alarm struct {
	Type   int16
	Number int32
	Axis   int16
	Text   string
}

// Message is an operator message. Type 0 to 3 are external messages, 4 is a macro message.
type Message struct {
	Type   int16
	Number int32
	Text   string
}

// maxHistory is how many alarms are remembered.
const maxHistory = 50

// raise turns an alarm on.
func (m *machine) raise(a Alarm) {
	if slices.Contains(m.alarms, a) {
		return
	}
	m.alarms = append(m.alarms, a)
	m.history = append(m.history, a)
	if len(m.history) > maxHistory {
		m.history = m.history[1:]
	}
	m.halt(runStop)
}

// clear turns off the alarms for which match is true. A program that raised a program alarm is rewound, as the reset key
// does.
func (m *machine) clear(match func(Alarm) bool) {
	before := len(m.alarms)
	m.alarms = slices.DeleteFunc(m.alarms, match)
	if len(m.alarms) < before {
		m.stopAll(false)
	}
}

// alarmBits is the bit field of function 0x1a: one bit for each type that is on. (guess)
func (m *machine) alarmBits() uint32 {
	var bits uint32
	for _, a := range m.alarms {
		bits |= 1 << uint(a.Type)
	}
	return bits
}

// show puts a message up in place of one with the same number.
func (m *machine) show(msg Message) {
	m.hide(msg.Number)
	m.messages = append(m.messages, msg)
}

func (m *machine) hide(number int32) {
	m.messages = slices.DeleteFunc(m.messages, func(x Message) bool { return x.Number == number })
}

// partDone counts a finished part.
func (m *machine) partDone(p *pathState) {
	if p.no != len(m.paths)-1 {
		return // the last path finishes the part
	}
	m.params.add(6711, 1)
	m.params.add(6712, 1)
}
