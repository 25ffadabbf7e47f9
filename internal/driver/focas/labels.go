package focas

import (
	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/focas"
)

// Ids of the label sets that every FOCAS device has.
const (
	labelsExecution  = "execution"
	labelsController = "controller-mode"
	labelsEmergency  = "emergency-stop"
)

// Numbers of the MTConnect values below; only the keys leave the program.
const (
	execReady = iota
	execActive
	execInterrupted
	execStopped
)

const (
	modeAutomatic = iota
	modeManual
	modeMDI
	modeEdit
)

const (
	eStopArmed = iota
	eStopTriggered
)

func standardLabels() []device.LabelSet {
	return []device.LabelSet{
		{ID: labelsExecution, Items: []device.Label{
			{Value: execReady, Key: "READY", Text: "ready"},
			{Value: execActive, Key: "ACTIVE", Text: "running"},
			{Value: execInterrupted, Key: "INTERRUPTED", Text: "held"},
			{Value: execStopped, Key: "STOPPED", Text: "stopped"},
		}},
		{ID: labelsController, Items: []device.Label{
			{Value: modeAutomatic, Key: "AUTOMATIC", Text: "automatic"},
			{Value: modeManual, Key: "MANUAL", Text: "manual"},
			{Value: modeMDI, Key: "MANUAL_DATA_INPUT", Text: "manual data input"},
			{Value: modeEdit, Key: "EDIT", Text: "edit"},
		}},
		{ID: labelsEmergency, Items: []device.Label{
			{Value: eStopArmed, Key: "ARMED", Text: "not pressed"},
			{Value: eStopTriggered, Key: "TRIGGERED", Text: "emergency stop"},
		}},
	}
}

// executionOf maps FANUC's run word (all series but 15i) to MTConnect Execution: START and MSTR are ACTIVE, HOLD is
// INTERRUPTED, STOP (single block, M00) is STOPPED and the reset state is READY. ok is false for an unknown word.
func executionOf(run uint16) (v int64, ok bool) {
	switch run {
	case 0:
		return execReady, true
	case 1:
		return execStopped, true
	case 2:
		return execInterrupted, true
	case 3, 4:
		return execActive, true
	}
	return 0, false
}

// controllerModeOf maps FANUC's aut word (all series but 15i) to MTConnect ControllerMode. ok is false for "none" and for
// unknown words.
func controllerModeOf(aut uint16) (v int64, ok bool) {
	switch aut {
	case 0:
		return modeMDI, true
	case 1, 10: // MEM, REMOTE
		return modeAutomatic, true
	case 3:
		return modeEdit, true
	case 4, 5, 6, 7, 8, 9: // handle, jog, teach, increment, reference
		return modeManual, true
	}
	return 0, false
}

// emergencyOf maps FANUC's emergency word: 1 EMG and 3 WAIT are TRIGGERED, 0 and 2 (being reset) are ARMED.
func emergencyOf(word uint16) int64 {
	if word == 1 || word == 3 {
		return eStopTriggered
	}
	return eStopArmed
}

// screen is how the control's status line writes a status text; the others are written as they are. (public: operator's
// manuals)
var screen = map[focas.StatusWord]map[string]string{
	focas.WordAut:       {"none": "****", "HANDLE": "HND", "TEACH JOG": "TJOG", "TEACH HANDLE": "THND", "REMOTE": "RMT"},
	focas.WordRun:       {"reset": "****", "START": "STRT", "RESET": "****"},
	focas.WordMotion:    {"none": "***", "MOTION": "MTN", "DWELL": "DWL"},
	focas.WordMSTB:      {"none": "***"},
	focas.WordEmergency: {"none": "", "EMERGENCY": "--EMG--", "RESET": "-RESET-", "WAIT": "-WAIT-"},
	focas.WordAlarm:     {"none": "", "ALARM": "ALM", "BATTERY LOW": "BAT"},
	focas.WordEdit:      {"none": "****"},
}

// statusLabels is the label set of a status word: the key is FANUC's word, the text what the screen shows.
func statusLabels(id string, w focas.StatusWord, f focas.Family, lathe bool) device.LabelSet {
	set := device.LabelSet{ID: id}
	for value, text := range focas.StatusTexts(w, f, lathe) {
		if text == "" {
			continue
		}
		shown, ok := screen[w][text]
		if !ok {
			shown = text
		}
		set.Items = append(set.Items, device.Label{Value: int64(value), Key: text, Text: shown})
	}
	return set
}
