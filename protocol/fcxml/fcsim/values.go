package fcsim

import (
	"slices"
	"strconv"
	"strings"

	"github.com/patchbay-io/patchbay/protocol/fcxml"
)

// startValues are those of a device that has just been set up: playback on the outputs, everything else at rest.
func startValues(s *fcxml.Schema) map[uint32]string {
	v := map[uint32]string{}
	playback := func(n int) string {
		if it := s.ByPath("inputs/playback-" + strconv.Itoa(n)); it != nil {
			return strconv.FormatUint(uint64(it.ID), 10)
		}
		return "0"
	}
	outputs := 0
	for i := range s.Items {
		it := &s.Items[i]
		switch it.Kind {
		case fcxml.KindBool:
			v[it.ID] = strconv.FormatBool(it.Name() == "available" || it.Name() == "locked" || it.Name() == "talkback-available" || it.Name() == "hardware-control")
		case fcxml.KindDecibel:
			v[it.ID] = startLevel(it)
		case fcxml.KindEnum:
			v[it.ID] = startChoice(it)
		case fcxml.KindReference:
			v[it.ID] = "0"
			switch {
			case it.Name() == "source" && strings.HasPrefix(it.Path, "outputs/"):
				outputs++
				v[it.ID] = playback(outputs)
			case it.Name() == "source" && strings.HasPrefix(it.Path, "mixer/"):
				n, _ := strconv.Atoi(strings.Split(it.Path, "/")[2])
				if sources := s.Sources(); n > 0 {
					inputs := slices.DeleteFunc(sources, func(x *fcxml.Item) bool { return x.Parent.Name != "inputs" })
					v[it.ID] = strconv.FormatUint(uint64(inputs[(n-1)%len(inputs)].ID), 10)
				}
			}
		case fcxml.KindText:
			v[it.ID] = ""
		case fcxml.KindInteger:
			v[it.ID] = "0"
			if it.Path == "firmware/version" {
				v[it.ID] = "1605"
			}
		case fcxml.KindPan:
			v[it.ID] = "0"
		}
	}
	return v
}

func startLevel(it *fcxml.Item) string {
	switch {
	case it.Name() == "meter":
		return "-128"
	case it.Path == "monitoring/level":
		return "-20"
	case strings.HasPrefix(it.Path, "mixer/"):
		return "-128"
	}
	return "0"
}

func startChoice(it *fcxml.Item) string {
	switch {
	case len(it.Enum) == 0:
		return ""
	case it.Name() == "sample-rate":
		return it.Enum[1]
	}
	return it.Enum[0]
}

// takes reports whether the server carries a write out. Commands, numbers that are shown, and what the knob of the device
// owns disappear; so does the right half of a linked pair. The lock is held.
func (s *Sim) takes(it *fcxml.Item, value string) bool {
	if left, linked, ok := s.schema.Left(it); ok && left != it && s.values[linked.ID] == "true" {
		return false
	}
	switch it.Name() {
	case "available", "locked", "meter", "seal-broken", "needs-update", "talkback-available":
		return false
	}
	switch it.Kind {
	case fcxml.KindBool:
		_, ok := fcxml.ParseBool(value)
		return ok
	case fcxml.KindDecibel:
		v, ok := fcxml.ParseDecibel(value)
		return ok && it.Path != "monitoring/level" && v <= top(it)
	case fcxml.KindEnum:
		return slices.Contains(it.Enum, value)
	case fcxml.KindReference:
		n, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			return false
		}
		source := s.schema.ByID(uint32(n))
		return n == 0 || source != nil && source.Kind == fcxml.KindSource
	case fcxml.KindText:
		return len(value) <= 64
	case fcxml.KindPan:
		_, err := strconv.Atoi(value)
		return err == nil
	}
	return false
}

// top is the highest level of a gain.
func top(it *fcxml.Item) float64 {
	if strings.HasPrefix(it.Path, "mixer/") {
		return 6
	}
	return 0
}
