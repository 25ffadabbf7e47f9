package northtest

import (
	"math"
	"strings"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
)

// Names of the devices, and the moment at which everything in the tree was received.
const (
	Mill = "mill1" // every kind and edge value; some points may be written
	Down = "press" // no link: old values, all bad
)

// Moment is when the samples of the tree were received.
func Moment() time.Time { return time.Date(2026, 3, 14, 15, 9, 26, 535_897_932, time.UTC) }

// Tree makes a tree that holds [Mill] and [Down].
func Tree() *device.Tree {
	t := device.NewTree()
	t.Apply(Mill, &device.Delta{Full: true, Labels: labels(), Specs: append(millSpecs(), linkSpecs()...), Samples: append(millSamples(), linkSamples("up")...), Commands: commands()})
	t.Apply(Down, &device.Delta{Full: true, Labels: labels(), Specs: append(downSpecs(), linkSpecs()...), Samples: append(downSamples(), linkSamples("down")...)})
	t.MarkBad(Down, device.ReasonLinkDown)
	return t
}

func labels() []device.LabelSet {
	return []device.LabelSet{
		{ID: "execution", Items: []device.Label{{Value: 0, Key: "READY", Text: "Ready"}, {Value: 1, Key: "ACTIVE", Text: "Läuft ▶"}, {Value: 2, Key: "STOPPED", Text: "Stopped"}}},
		{ID: "on-off", Items: []device.Label{{Value: 0, Key: "off", Text: "Off"}, {Value: 1, Key: "on", Text: "On"}}},
		{ID: "link", Items: []device.Label{{Value: 0, Key: "connecting"}, {Value: 1, Key: "up"}, {Value: 2, Key: "waiting"}, {Value: 3, Key: "down"}, {Value: 4, Key: "stopped"}}},
	}
}

func millSpecs() []device.Spec {
	r, rw := device.R, device.RW
	return []device.Spec{
		{Path: "bool/yes", Kind: device.Bool, Access: rw, Confirm: device.ByReadBack, Rate: device.Fast},
		{Path: "int/max", Kind: device.Int, Access: r},
		{Path: "int/min", Kind: device.Int, Access: r},
		{Path: "int/override", Kind: device.Int, Access: rw, Unit: "%", Min: 0, Max: 200, Step: 10, Confirm: device.ByNotify, Role: "cnc.feed.override", Title: "Feed override"},
		{Path: "int/offset", Kind: device.Int, Access: rw, Hazard: device.HazardMove, Confirm: device.ByReadBack},
		{Path: "float/position", Kind: device.Float, Access: r, Unit: "mm", Decimals: 3, Role: "cnc.position.absolute", Rate: device.Fast, Grade: device.GradeSeen},
		{Path: "float/nan", Kind: device.Float, Access: r},
		{Path: "float/infinite", Kind: device.Float, Access: r},
		{Path: "float/minus-infinite", Kind: device.Float, Access: r},
		{Path: "float/tiny", Kind: device.Float, Access: r},
		{Path: "float/huge", Kind: device.Float, Access: r, Decimals: 2},
		{Path: "string/empty", Kind: device.String, Access: r},
		{Path: "string/unicode", Kind: device.String, Access: rw, Doc: "Text of any language."},
		{Path: "string/control", Kind: device.String, Access: r},
		{Path: "string/broken", Kind: device.String, Access: r},
		{Path: "string/long", Kind: device.String, Access: r},
		{Path: "enum/execution", Kind: device.Enum, Access: r, Labels: "execution", Role: "cnc.execution"},
		{Path: "enum/no-label", Kind: device.Enum, Access: r, Labels: "execution"},
		{Path: "enum/switch", Kind: device.Enum, Access: rw, Labels: "on-off", Confirm: device.ByReadBack},
		{Path: "bytes/some", Kind: device.Bytes, Access: r},
		{Path: "bytes/empty", Kind: device.Bytes, Access: r},
		{Path: "list/alarms", Kind: device.List, Access: r, Role: "cnc.alarms", Columns: []device.Spec{{Path: "code", Kind: device.String}, {Path: "number", Kind: device.Int}, {Path: "value", Kind: device.Float, Decimals: 1}}},
		{Path: "list/empty", Kind: device.List, Access: r, Columns: []device.Spec{{Path: "text", Kind: device.String}}},
		{Path: "none/yet", Kind: device.Float, Access: r},
		{Path: "bad/refused", Kind: device.Int, Access: r},
		{Path: "bad/old", Kind: device.Int, Access: r},
		{Path: "uncertain/assumed", Kind: device.Int, Access: r},
		{Path: "source/time", Kind: device.Int, Access: r},
		{Path: device.Path("long/" + strings.Repeat("x", 200)), Kind: device.Int, Access: r, Title: strings.Repeat("Long title ", 30)},
		{Path: "slow/confirm", Kind: device.Int, Access: rw, Confirm: device.ByNotify, Doc: "A write to it stays sent until Gateway.Release."},
		{Path: "no/thanks", Kind: device.Int, Access: rw, Doc: "The device refuses every write to it."},
	}
}

func millSamples() []device.Sample {
	at := Moment()
	good := func(path device.Path, v device.Value) device.Sample {
		return device.Sample{Path: path, Value: v, Received: at}
	}
	return []device.Sample{
		good("bool/yes", device.OfBool(true)),
		good("int/max", device.OfInt(math.MaxInt64)),
		good("int/min", device.OfInt(math.MinInt64)),
		good("int/override", device.OfInt(100)),
		good("int/offset", device.OfInt(-5)),
		good("float/position", device.OfFloat(123.4)),
		good("float/nan", device.OfFloat(math.NaN())),
		good("float/infinite", device.OfFloat(math.Inf(1))),
		good("float/minus-infinite", device.OfFloat(math.Inf(-1))),
		good("float/tiny", device.OfFloat(5e-324)),
		good("float/huge", device.OfFloat(1.7976931348623157e308)),
		good("string/empty", device.OfString("")),
		good("string/unicode", device.OfString("Größe 寸法 🛠 \u2028")),
		good("string/control", device.OfString("a\x00b\tc\nd\re\"f\\g<h>&\x7f")),
		good("string/broken", device.OfString("a\xff\xc3(b")),
		good("string/long", device.OfString(strings.Repeat("0123456789", 1000))),
		good("enum/execution", device.OfEnum(1)),
		good("enum/no-label", device.OfEnum(77)),
		good("enum/switch", device.OfEnum(0)),
		good("bytes/some", device.OfBytes([]byte{0, 0x0a, 0xff})),
		good("bytes/empty", device.OfBytes([]byte{})),
		good("list/alarms", device.OfRows(device.Rows{
			{device.OfString("SV0401 (X)"), device.OfInt(401), device.OfFloat(1.25)},
			{device.OfString("PS0010"), {}, device.OfFloat(math.NaN())},
		})),
		good("list/empty", device.OfRows(device.Rows{})),
		{Path: "bad/refused", Quality: device.Bad, Reason: device.ReasonRefused, Received: at},
		{Path: "bad/old", Value: device.OfInt(7), Quality: device.Bad, Reason: device.ReasonStale, Received: at},
		{Path: "uncertain/assumed", Value: device.OfInt(8), Quality: device.Uncertain, Reason: device.ReasonAssumedDefault, Received: at},
		{Path: "source/time", Value: device.OfInt(9), Source: at.Add(-time.Second), Received: at},
		good(device.Path("long/"+strings.Repeat("x", 200)), device.OfInt(1)),
		good("slow/confirm", device.OfInt(0)),
		good("no/thanks", device.OfInt(0)),
	}
}

func downSpecs() []device.Spec {
	return []device.Spec{{Path: "count", Kind: device.Int, Access: device.RW}}
}

func downSamples() []device.Sample {
	return []device.Sample{{Path: "count", Value: device.OfInt(3), Received: Moment()}}
}

func linkSpecs() []device.Spec {
	text := func(p device.Path) device.Spec { return device.Spec{Path: p, Kind: device.String, Access: device.R} }
	return []device.Spec{
		{Path: "_link/state", Kind: device.Enum, Access: device.R, Labels: "link", Role: "link.state"},
		text("_link/since"), text("_link/error"), text("_link/error-class"), text("_link/hint"), text("_link/next-attempt"), text("_link/last-data"),
		{Path: "_link/round-trip", Kind: device.Float, Access: device.R, Unit: "ms", Decimals: 2},
	}
}

func linkSamples(state string) []device.Sample {
	at := Moment()
	text := func(p device.Path, s string) device.Sample {
		return device.Sample{Path: p, Value: device.OfString(s), Received: at}
	}
	since := text("_link/since", "2026-03-14T15:00:00.000Z")
	if state == "up" {
		return []device.Sample{since, {Path: "_link/state", Value: device.OfEnum(1), Received: at},
			{Path: "_link/round-trip", Value: device.OfFloat(1.5), Received: at}, text("_link/last-data", "2026-03-14T15:09:26.535Z")}
	}
	return []device.Sample{since, {Path: "_link/state", Value: device.OfEnum(3), Received: at},
		text("_link/error", "dial 192.0.2.9:8193: connection refused"), text("_link/error-class", "refused"),
		text("_link/hint", "check the port"), text("_link/next-attempt", "2026-03-14T15:09:30.000Z")}
}

func commands() []device.Command {
	return []device.Command{{Path: "flush", Title: "Flush", Args: []device.Spec{{Path: "side", Kind: device.Enum, Labels: "on-off"}}}}
}
