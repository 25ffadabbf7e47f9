package gateway

import (
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// state is where a link stands.
type state int64

const (
	connecting state = iota
	up
	waiting // the session lives and the device wants something from a person
	down
	stopped
)

const stateLabels = "_link-state"

func linkLabels() []device.LabelSet {
	return []device.LabelSet{{ID: stateLabels, Items: []device.Label{
		{Value: int64(connecting), Key: "connecting", Text: "connecting"},
		{Value: int64(up), Key: "up", Text: "up"},
		{Value: int64(waiting), Key: "waiting", Text: "waiting"},
		{Value: int64(down), Key: "down", Text: "down"},
		{Value: int64(stopped), Key: "stopped", Text: "stopped"},
	}}}
}

// linkSpecs are the points that the gateway itself keeps for each device, from before the first connection.
func linkSpecs() []device.Spec {
	spec := func(name string, kind device.Kind, title, doc string) device.Spec {
		return device.Spec{Path: device.LinkRoot.Child(name), Kind: kind, Rate: device.Normal, Access: device.R,
			Title: title, Doc: doc, Grade: device.GradeSpec}
	}
	s := []device.Spec{
		spec("state", device.Enum, "Link", "state of the connection to the device"),
		spec("error", device.String, "Error", "why the connection is not up; empty while it is"),
		spec("error-class", device.String, "Error class", "kind of the error, for programs"),
		spec("hint", device.String, "What to do", "what a person can do about the error"),
		spec("since", device.String, "Since", "since when the device is, or is not, connected, RFC 3339"),
		spec("next-attempt", device.String, "Next attempt", "time of the next attempt to connect, RFC 3339; empty when none is due"),
		spec("attempts", device.Int, "Attempts", "attempts to connect"),
		spec("connects", device.Int, "Connects", "times the link came up"),
		spec("condition", device.String, "Condition", "what the device waits for, for programs"),
		spec("condition-text", device.String, "Condition", "what the device waits for"),
		spec("last-data", device.String, "Last data", "time of the last data from the device, RFC 3339, at most a second old"),
		spec("changes", device.Int, "Changes", "changes of points"),
		spec("suppressed", device.Int, "Unchanged", "samples that said what was known already"),
		spec("decode-failures", device.Int, "Not understood", "values and whole replies from the device that made no sense"),
		spec("unknown", device.Int, "Unknown", "things that the device said about points it does not have"),
	}
	s[0].Labels, s[0].Role = stateLabels, "link.state"
	s[1].Role = "link.error"
	return s
}

// own reports whether the gateway keeps the point itself.
func own(p device.Path) bool {
	switch p {
	case "_link/state", "_link/error", "_link/error-class", "_link/hint", "_link/since", "_link/next-attempt", "_link/attempts",
		"_link/connects", "_link/condition", "_link/condition-text", "_link/last-data", "_link/changes", "_link/suppressed",
		"_link/decode-failures", "_link/unknown":
		return true
	}
	return p.Under(device.ClientsRoot) || p.Under(device.StreamsRoot)
}

// status is the content of a link's own points.
type status struct {
	state               state
	err                 error // of the last attempt; nil while up
	since, next         time.Time
	attempts, connects  int64
	condition           driver.Condition
	lastData            time.Time
	changes, suppressed int64
	decodeFailures      int64
	unknown             int64
}

func (s *status) samples(now time.Time) []device.Sample {
	var text, class, hint string
	if s.err != nil {
		text, class, hint = s.err.Error(), driver.ClassOf(s.err).String(), driver.HintOf(s.err)
	}
	values := [...]struct {
		name  string
		value device.Value
	}{
		{"state", device.OfEnum(int64(s.state))},
		{"error", device.OfString(text)},
		{"error-class", device.OfString(class)},
		{"hint", device.OfString(hint)},
		{"since", stamp(s.since)},
		{"next-attempt", stamp(s.next)},
		{"attempts", device.OfInt(s.attempts)},
		{"connects", device.OfInt(s.connects)},
		{"condition", device.OfString(s.condition.Code)},
		{"condition-text", device.OfString(s.condition.Text)},
		{"last-data", stamp(s.lastData)},
		{"changes", device.OfInt(s.changes)},
		{"suppressed", device.OfInt(s.suppressed)},
		{"decode-failures", device.OfInt(s.decodeFailures)},
		{"unknown", device.OfInt(s.unknown)},
	}
	out := make([]device.Sample, len(values))
	for i, v := range values {
		out[i] = device.Sample{Path: device.LinkRoot.Child(v.name), Value: v.value, Received: now}
	}
	return out
}

func stamp(t time.Time) device.Value {
	if t.IsZero() {
		return device.OfString("")
	}
	return device.OfString(t.UTC().Format("2006-01-02T15:04:05.000Z07:00"))
}
