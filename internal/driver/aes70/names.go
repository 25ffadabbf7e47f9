package aes70

import (
	"strings"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
)

// canonical are segments for what makers call by several names. The device's own word is the attribute "role".
var canonical = map[string]string{
	"48v": "phantom", "phantom-power": "phantom", "phantom48v": "phantom", "48-v": "phantom",
	"inst": "instrument", "hi-z": "instrument", "hiz": "instrument",
	"nickname": "name", "samplerate": "sample-rate", "clipping": "clip", "airmode": "air-mode",
}

// segment is the path segment of an object that its device calls role.
func segment(role string, k *kind) string {
	s := device.Slug(role)
	if k == nil {
		return s
	}
	if c, ok := canonical[s]; ok {
		return c
	}
	if k.rate == device.Meter && (s == "level" || s == "level-meter" || s == "peak-meter") {
		return "meter"
	}
	return s
}

// place is the part of an audio device that an object belongs to.
type place uint8

const (
	elsewhere place = iota
	inputs
	outputs
	mixer
	monitoring
	clock
	settings
)

// placeOf is told by the segments of the blocks around an object. Inputs of a mix are the mixer's, outputs named monitor are outputs.
func placeOf(path device.Path) place {
	for seg := range strings.SplitSeq(string(path.Parent()), "/") {
		switch {
		case strings.HasPrefix(seg, "mix"):
			return mixer
		case strings.HasPrefix(seg, "output"):
			return outputs
		case strings.HasPrefix(seg, "input"), strings.HasPrefix(seg, "analogue"), strings.HasPrefix(seg, "preamp"):
			return inputs
		case strings.HasPrefix(seg, "monitor"):
			return monitoring
		case strings.HasPrefix(seg, "clock"), seg == "sync":
			return clock
		case strings.HasPrefix(seg, "setting"):
			return settings
		}
	}
	return elsewhere
}

// booleans are the roles of switches that are on or off, by segment.
var booleans = map[string]string{
	"air": "audio.air", "pad": "audio.pad", "phantom": "audio.phantom", "instrument": "audio.instrument", "solo": "audio.solo", "clip": "audio.clip",
	"auto-gain": "audio.auto-gain", "clip-safe": "audio.clip-safe", "mute": "audio.mute",
	"dim": "audio.monitor.dim", "alt": "audio.monitor.alt", "talkback": "audio.monitor.talkback", "locked": "audio.clock.locked",
}

// roleOf finds the semantic tag of a point, by what it is, where it is, and what it is called. Empty: none fits.
func roleOf(k *kind, path device.Path) string {
	at, seg := placeOf(path), path.Base()
	inMix := at == mixer && strings.Contains(string(path), "/inputs/")
	switch {
	case k.class == ocp1.ClassGain && at == monitoring:
		return "audio.monitor.level"
	case k.class == ocp1.ClassGain && inMix:
		return "audio.mix.gain"
	case k.class == ocp1.ClassGain:
		return "audio.gain"
	case k.class == ocp1.ClassPanBalance && at == mixer:
		return "audio.mix.pan"
	case k.class == ocp1.ClassPanBalance:
		return "audio.balance"
	case k.rate == device.Meter:
		return "audio.meter"
	case k.value == device.Bool && seg == "mute" && at == monitoring:
		return "audio.monitor.mute"
	case k.value == device.Bool && (seg == "mute" || seg == "solo") && inMix:
		return "audio.mix." + seg
	case k.class == ocp1.ClassMute:
		return "audio.mute"
	case k.value == device.Bool:
		return booleans[seg]
	case k.value == device.Enum:
		return enumRole(at, seg)
	case k.value == device.String && seg == "name":
		return "audio.name"
	}
	return ""
}

func enumRole(at place, seg string) string {
	switch {
	case seg == "air-mode":
		return "audio.air-mode"
	case seg == "mode" && at == inputs:
		return "audio.line-mode"
	case seg == "sample-rate":
		return "audio.sample-rate"
	case seg == "source" && at == clock, seg == "clock-source":
		return "audio.clock.source"
	case seg == "source" && at == mixer:
		return "audio.mix.source"
	case seg == "source" && at == outputs:
		return "audio.output.source"
	case seg == "preset" && at == monitoring:
		return "audio.monitor.preset"
	}
	return ""
}

// grave are words in a segment of what cannot be undone, or stops the work of others.
var grave = []string{"phantom", "firmware", "factory", "reset", "restore", "preset", "snapshot", "update", "reboot", "restart", "sample-rate", "clock-source", "format"}

// hazardOf weighs a write.
func hazardOf(k *kind, path device.Path) string {
	if !k.writable() {
		return device.HazardPlain
	}
	for _, w := range grave {
		if strings.Contains(path.Base(), w) {
			return device.HazardMove
		}
	}
	switch {
	case placeOf(path) == clock:
		return device.HazardMove
	case k.value == device.String, k.class == ocp1.ClassIdentifier:
		return device.HazardPlain
	}
	return device.HazardLive
}
