package simulate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/patchbay-io/patchbay/protocol/focas/focassim"
)

// FOCASScenario is a scenario file: what control it is, what happens to it, and what is wrong with it. docs/guide/simulator.md
// describes each key for users.
type FOCASScenario struct {
	Profile  string  `yaml:"profile"`
	Seed     uint64  `yaml:"seed"`
	Speed    float64 `yaml:"speed"`    // seconds of the machine in one second
	Sessions int     `yaml:"sessions"` // most connections at a time
	Protect  bool    `yaml:"protect"`  // memory protection
	// Period begins the events again; 0 plays them once. Times are the machine's.
	Period time.Duration `yaml:"period"`
	Events []FOCASEvent  `yaml:"events"`
	// Faults are on always, until an event brings others.
	Faults FOCASFaults `yaml:"faults"`
}

// FOCASEvent is one thing that happens at a time; exactly one of its keys besides At and For is given.
type FOCASEvent struct {
	At time.Duration `yaml:"at"`

	Alarm           *FOCASAlarm   `yaml:"alarm"`
	ClearAlarms     bool          `yaml:"clear-alarms"`
	Message         *FOCASMessage `yaml:"message"`
	HideMessage     int32         `yaml:"hide-message"`
	FeedHold        *bool         `yaml:"feed-hold"`
	FeedOverride    *int          `yaml:"feed-override"`
	RapidOverride   *int          `yaml:"rapid-override"`
	SpindleOverride *int          `yaml:"spindle-override"`
	Mode            string        `yaml:"mode"`
	EmergencyStop   *bool         `yaml:"emergency-stop"`
	Program         string        `yaml:"program"`
	Path            int           `yaml:"path"` // of Program, 0 is every path that has it
	Start           bool          `yaml:"start"`
	Reset           bool          `yaml:"reset"`
	PowerCycle      bool          `yaml:"power-cycle"`

	Faults *FOCASFaults  `yaml:"faults"`
	For    time.Duration `yaml:"for"` // how long Faults last; 0: until other ones come
}

// FOCASAlarm is an alarm as a file writes it.
type FOCASAlarm struct {
	Type   string `yaml:"type"`
	Number int32  `yaml:"number"`
	Axis   int16  `yaml:"axis"`
	Text   string `yaml:"text"`
}

// FOCASMessage is an operator message as a file writes it.
type FOCASMessage struct {
	Number int32  `yaml:"number"`
	Text   string `yaml:"text"`
}

// alarmTypes and modes are the words of a file.
var (
	alarmTypes = map[string]int16{"PS": focassim.AlarmPS, "OT": focassim.AlarmOT, "OH": focassim.AlarmOH, "SV": focassim.AlarmSV,
		"SP": focassim.AlarmSP, "EX": focassim.AlarmEX}
	modes = map[string]int16{"MDI": focassim.ModeMDI, "MEMORY": focassim.ModeMemory, "EDIT": focassim.ModeEdit,
		"HANDLE": focassim.ModeHandle, "JOG": focassim.ModeJog, "REFERENCE": focassim.ModeRef}
)

func words(m map[string]int16) string {
	var out []string
	for w := range m {
		out = append(out, w)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// ReadFOCASScenario reads a scenario file. Errors name the file and the line.
func ReadFOCASScenario(name string) (*FOCASScenario, error) {
	text, err := readScenario(name)
	if err != nil {
		return nil, err
	}
	return ParseFOCASScenario(name, text)
}

// ParseFOCASScenario reads the text of a scenario; name is used in errors.
func ParseFOCASScenario(name string, text []byte) (*FOCASScenario, error) {
	s := &FOCASScenario{Seed: 1, Speed: 1}
	if err := decodeFile(name, text, s); err != nil {
		return nil, err
	}
	line := func(path string) string { return placeOf(name, text, path) }
	if !(s.Speed > 0 && s.Speed <= 1000) {
		return nil, fmt.Errorf("%s: speed: %v is no number above 0, at most 1000", line("$.speed"), s.Speed)
	}
	if s.Sessions < 0 || s.Period < 0 {
		return nil, fmt.Errorf("%s: sessions and period are not below 0", name)
	}
	if err := s.Faults.Check(); err != nil {
		return nil, fmt.Errorf("%s: faults: %w", line("$.faults"), err)
	}
	for i := range s.Events {
		if err := s.checkEvent(&s.Events[i]); err != nil {
			return nil, fmt.Errorf("%s: event %d: %w", line(fmt.Sprintf("$.events[%d]", i)), i+1, err)
		}
	}
	slices.SortStableFunc(s.Events, func(a, b FOCASEvent) int { return int(a.At - b.At) })
	return s, nil
}

func (s *FOCASScenario) checkEvent(e *FOCASEvent) error {
	if e.At < 0 {
		return fmt.Errorf("at: %v is before the start", e.At)
	}
	if s.Period > 0 && e.At+e.For > s.Period {
		return fmt.Errorf("at %v it reaches beyond the period of %v", e.At+e.For, s.Period)
	}
	return e.Check()
}

// Check says what is wrong with an event.
func (e *FOCASEvent) Check() error {
	var given []string
	for _, k := range []struct {
		name string
		is   bool
	}{{"alarm", e.Alarm != nil}, {"clear-alarms", e.ClearAlarms}, {"message", e.Message != nil}, {"hide-message", e.HideMessage != 0},
		{"feed-hold", e.FeedHold != nil}, {"feed-override", e.FeedOverride != nil}, {"rapid-override", e.RapidOverride != nil},
		{"spindle-override", e.SpindleOverride != nil}, {"mode", e.Mode != ""}, {"emergency-stop", e.EmergencyStop != nil},
		{"program", e.Program != ""}, {"start", e.Start}, {"reset", e.Reset}, {"power-cycle", e.PowerCycle}, {"faults", e.Faults != nil}} {
		if k.is {
			given = append(given, k.name)
		}
	}
	switch {
	case len(given) == 0:
		return errors.New("nothing happens in it; give one of alarm, clear-alarms, message, hide-message, feed-hold, feed-override, " +
			"rapid-override, spindle-override, mode, emergency-stop, program, start, reset, power-cycle, faults")
	case len(given) > 1:
		return fmt.Errorf("%s stand in one event; write an event for each", strings.Join(given, " and "))
	case e.For != 0 && e.Faults == nil:
		return errors.New("for: says how long faults last, and this event has none")
	case e.For < 0:
		return fmt.Errorf("for: %v is below 0", e.For)
	case e.Path != 0 && e.Program == "" || e.Path < 0:
		return errors.New("path: is the number of the path that program is selected on, from 1")
	}
	for _, o := range []*int{e.FeedOverride, e.RapidOverride, e.SpindleOverride} {
		if o != nil && (*o < 0 || *o > 254) {
			return fmt.Errorf("an override of %d percent is not between 0 and 254", *o)
		}
	}
	if e.Alarm != nil {
		if _, ok := alarmTypes[strings.ToUpper(e.Alarm.Type)]; !ok {
			return fmt.Errorf("alarm: type %q is unknown; known: %s", e.Alarm.Type, words(alarmTypes))
		}
	}
	if _, ok := modes[strings.ToUpper(e.Mode)]; e.Mode != "" && !ok {
		return fmt.Errorf("mode: %q is unknown; known: %s", e.Mode, words(modes))
	}
	if e.Faults != nil {
		if err := e.Faults.Check(); err != nil {
			return fmt.Errorf("faults: %w", err)
		}
	}
	return nil
}

// machine is the event as the simulated machine knows it; false when it is about the connections or the power.
func (e *FOCASEvent) machine() (focassim.Event, bool) {
	out := focassim.Event{At: e.At}
	onOff := func(on bool, yes, no focassim.EventKind) focassim.EventKind {
		if on {
			return yes
		}
		return no
	}
	switch {
	case e.Alarm != nil:
		out.Kind = focassim.RaiseAlarm
		out.Alarm = focassim.Alarm{Type: alarmTypes[strings.ToUpper(e.Alarm.Type)], Number: e.Alarm.Number, Axis: e.Alarm.Axis, Text: e.Alarm.Text}
	case e.ClearAlarms:
		out.Kind = focassim.ClearAlarms
	case e.Message != nil:
		out.Kind, out.Message = focassim.ShowMessage, focassim.Message{Number: e.Message.Number, Text: e.Message.Text}
	case e.HideMessage != 0:
		out.Kind, out.Message.Number = focassim.HideMessage, e.HideMessage
	case e.FeedHold != nil:
		out.Kind = onOff(*e.FeedHold, focassim.FeedHoldOn, focassim.FeedHoldOff)
	case e.FeedOverride != nil:
		out.Kind, out.Value = focassim.FeedOverride, *e.FeedOverride
	case e.RapidOverride != nil:
		out.Kind, out.Value = focassim.RapidOverride, *e.RapidOverride
	case e.SpindleOverride != nil:
		out.Kind, out.Value = focassim.SpeedOverride, *e.SpindleOverride
	case e.Mode != "":
		out.Kind, out.Value = focassim.SetMode, int(modes[strings.ToUpper(e.Mode)])
	case e.EmergencyStop != nil:
		out.Kind = onOff(*e.EmergencyStop, focassim.EmergencyOn, focassim.EmergencyOff)
	case e.Program != "":
		out.Kind, out.Program, out.Value = focassim.SelectProgram, e.Program, e.Path
	case e.Start:
		out.Kind = focassim.PressStart
	case e.Reset:
		out.Kind = focassim.PressReset
	default:
		return out, false
	}
	return out, true
}
