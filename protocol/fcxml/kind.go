package fcxml

import (
	"math"
	"strconv"
	"strings"
)

// Kind is what the text of a value means. The wire does not say; it follows from the name of the element (inferred from the
// recorded devices).
type Kind uint8

// The kinds.
const (
	KindUnknown   Kind = iota // an element that nobody knows: its text is shown, and not written
	KindBool                  // "true", "false"
	KindDecibel               // a number as C's %.5g writes it; -128 is silence
	KindEnum                  // one of Item.Enum, letter by letter
	KindReference             // the number of a source, "0" for none: see Schema.Source
	KindText                  // free text
	KindInteger               // decimal
	KindPan                   // small integers whose unit nobody knows
	KindCommand               // never reported; writing it does something
	KindSource                // the element stands for a source: its number is what a reference holds; it has no value
)

var kindNames = [...]string{"unknown", "bool", "decibel", "enum", "reference", "text", "integer", "pan", "command", "source"}

// String is the word for it.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "kind(" + strconv.Itoa(int(k)) + ")"
}

// kindOf goes by the element's name; the children say whether there is a list of values.
func kindOf(e *Element) Kind {
	if e.Child("enum") != nil {
		return KindEnum
	}
	switch e.Name {
	case "available", "mute", "solo", "stereo", "air", "pad", "dim", "alt", "alt-enable", "talkback", "locked", "seal-broken",
		"phantom-persistence", "msd-mode", "enable-preview-mode", "clock-master", "hardware-control", "talkback-available",
		"needs-update", "phantom", "inst", "temperature-supported", "fan-high-speed":
		return KindBool
	case "gain", "meter", "source-attenuation":
		return KindDecibel
	case "mode", "preset", "clock-source", "sample-rate", "good-meter-colour", "pre-clip-meter-colour", "clipping-meter-colour":
		return KindEnum // without a list: nothing can be written
	case "source", "assign-mix", "talkback-input-source":
		return KindReference
	case "nickname":
		return KindText
	case "version", "free-inputs", "buffer-size", "firmware-progress", "temperature-value":
		return KindInteger
	case "pan":
		return KindPan
	case "snapshot", "save-snapshot", "reset-device", "add-input", "add-input-without-reset", "add-stereo-input", "remove-input",
		"update-firmware", "restore-factory":
		return KindCommand
	}
	return KindUnknown
}

// sparse are the values that a server leaves out because they are at rest: everything that is off, pans in the middle, names
// that nobody has given. Some booleans are always said.
func sparse(it *Item) (string, bool) {
	switch it.Kind {
	case KindBool:
		switch it.Element.Name {
		case "available", "msd-mode", "phantom-persistence", "talkback", "locked":
			return "", false
		}
		return "false", true
	case KindPan:
		return "0", true
	case KindText:
		return "", true
	}
	return "", false
}

// Silence is the decibel value that stands for nothing at all, and mutes.
const Silence = -128

// ParseDecibel reads a decibel value; Silence and below are minus infinity.
func ParseDecibel(s string) (float64, bool) {
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 1) {
		return 0, false
	}
	if v <= Silence {
		v = math.Inf(-1)
	}
	return v, true
}

// FormatDecibel writes a decibel value with five digits, as servers do; minus infinity is Silence.
func FormatDecibel(v float64) string {
	if math.IsInf(v, -1) || math.IsNaN(v) || v < Silence {
		v = Silence
	}
	return strconv.FormatFloat(v, 'g', 5, 64)
}

// ParseBool reads "true" and "false".
func ParseBool(s string) (v, ok bool) { return s == "true", s == "true" || s == "false" }

// SameValue reports whether two texts mean the same value of a kind: decibels may be written in several ways.
func SameValue(k Kind, a, b string) bool {
	if a == b {
		return true
	}
	if k != KindDecibel {
		return false
	}
	x, ok := ParseDecibel(a)
	y, ok2 := ParseDecibel(b)
	return ok && ok2 && (x == y || math.Abs(x-y) <= 0.5e-3)
}
