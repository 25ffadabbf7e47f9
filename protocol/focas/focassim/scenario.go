package focassim

import (
	"fmt"
	"strings"
	"time"
)

// Event is something that happens to the machine at a time after power-on.
type Event struct {
	At   time.Duration
	Kind EventKind
	Alarm
	Message Message
	Value   int    // overrides in percent, the mode, the path
	Program string // SelectProgram
}

// EventKind says what an [Event] does.
type EventKind uint8

// The kinds.
const (
	RaiseAlarm  EventKind = iota + 1 // Alarm
	ClearAlarms                      // all
	ShowMessage                      // Message
	HideMessage                      // Message.Number
	FeedHoldOn
	FeedHoldOff
	FeedOverride  // Value in percent
	RapidOverride // Value in percent: 100, 50, 25 or less
	SpeedOverride // Value in percent
	SetMode       // Value is a Mode
	EmergencyOn
	EmergencyOff
	SelectProgram // Program becomes the main one of path Value, 1-based, or of every path that has it with 0; it is rewound
	PressStart    // the start button of every path
	PressReset    // the reset key
)

// Scenario is a list of events in order of time that begins again after each Period; with Period 0 it happens once.
type Scenario struct {
	Period time.Duration
	Events []Event
}

// Scenarios are the names that [ScenarioOf] takes.
func Scenarios() []string { return []string{"quiet", "shift", "trouble"} }

// ScenarioOf gives a scenario by name: "quiet" (nothing happens), "shift" (now and then a message, an override, a hold, an
// alarm) and "trouble" (something every few seconds, for trying out what a program does with it).
func ScenarioOf(name string) (Scenario, error) {
	coolant := Alarm{Type: AlarmEX, Number: 1005, Text: "COOLANT LEVEL LOW"}
	servo := Alarm{Type: AlarmSV, Number: 401, Axis: 1, Text: "V-READY OFF"}
	probe := Message{Number: 2011, Text: "CHECK WORKPIECE CLAMPING"}
	switch strings.ToLower(name) {
	case "", "quiet":
		return Scenario{}, nil
	case "shift":
		return Scenario{Period: 15 * time.Minute, Events: []Event{
			{At: 100 * time.Second, Kind: ShowMessage, Message: probe},
			{At: 130 * time.Second, Kind: HideMessage, Message: probe},
			{At: 180 * time.Second, Kind: FeedOverride, Value: 80},
			{At: 300 * time.Second, Kind: FeedOverride, Value: 100},
			{At: 420 * time.Second, Kind: FeedHoldOn},
			{At: 432 * time.Second, Kind: FeedHoldOff},
			{At: 540 * time.Second, Kind: RaiseAlarm, Alarm: coolant},
			{At: 575 * time.Second, Kind: ClearAlarms},
			{At: 700 * time.Second, Kind: SpeedOverride, Value: 110},
			{At: 800 * time.Second, Kind: SpeedOverride, Value: 100},
		}}, nil
	case "trouble":
		return Scenario{Period: 80 * time.Second, Events: []Event{
			{At: 8 * time.Second, Kind: ShowMessage, Message: probe},
			{At: 14 * time.Second, Kind: FeedOverride, Value: 50},
			{At: 18 * time.Second, Kind: FeedOverride, Value: 100},
			{At: 20 * time.Second, Kind: HideMessage, Message: probe},
			{At: 22 * time.Second, Kind: FeedHoldOn},
			{At: 26 * time.Second, Kind: FeedHoldOff},
			{At: 34 * time.Second, Kind: RaiseAlarm, Alarm: coolant},
			{At: 38 * time.Second, Kind: RaiseAlarm, Alarm: servo},
			{At: 42 * time.Second, Kind: ClearAlarms},
			{At: 50 * time.Second, Kind: EmergencyOn},
			{At: 55 * time.Second, Kind: EmergencyOff},
			{At: 65 * time.Second, Kind: SetMode, Value: int(ModeEdit)},
			{At: 70 * time.Second, Kind: SetMode, Value: int(ModeMemory)},
		}}, nil
	}
	return Scenario{}, fmt.Errorf("focassim: no scenario %q: take one of %s", name, strings.Join(Scenarios(), ", "))
}

func (m *machine) runScenario() {
	s := &m.scenario
	if len(s.Events) == 0 {
		return
	}
	at := m.elapsed()
	if s.Period > 0 {
		if round := uint64(at / s.Period); round != m.round {
			m.round, m.fired = round, 0
		}
		at %= s.Period
	}
	for m.fired < len(s.Events) && s.Events[m.fired].At <= at {
		m.happen(s.Events[m.fired])
		m.fired++
	}
}

func (m *machine) happen(e Event) {
	switch e.Kind {
	case RaiseAlarm:
		m.raise(e.Alarm)
	case ClearAlarms:
		m.clear(func(Alarm) bool { return true })
	case ShowMessage:
		m.show(e.Message)
	case HideMessage:
		m.hide(e.Message.Number)
	case FeedHoldOn, FeedHoldOff:
		m.pmc.setFeedHold(e.Kind == FeedHoldOn)
	case FeedOverride:
		m.pmc.setFeedOverride(e.Value)
	case RapidOverride:
		m.pmc.setRapidOverride(e.Value)
	case SpeedOverride:
		m.pmc.setSpindleOverride(e.Value)
	case SetMode:
		m.setMode(int16(e.Value))
	case EmergencyOn, EmergencyOff:
		m.pmc.setEmergency(e.Kind == EmergencyOn)
	case SelectProgram:
		m.selectProgram(e.Value, e.Program)
	case PressStart:
		m.startAll()
	case PressReset:
		m.resetKey()
	}
}

// selectProgram does what an operator does: reset, then select. A path that does not have the program goes on.
func (m *machine) selectProgram(path int, name string) {
	for i, p := range m.paths {
		if path != 0 && path != i+1 {
			continue
		}
		if f := p.store.lookup(name); f != nil {
			p.main = f
			p.reset(false)
		}
	}
}

func (m *machine) setMode(mode int16) { m.mode = mode }

func (m *machine) setOverrides(feed, rapid, spindle int) {
	m.pmc.setFeedOverride(feed)
	m.pmc.setRapidOverride(rapid)
	m.pmc.setSpindleOverride(spindle)
}
