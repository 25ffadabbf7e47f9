package atem

import (
	"fmt"
	"strconv"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/atem"
)

// switcher is what points of several fields need to know of each other.
type switcher struct {
	top       *atem.Topology
	keyers    map[uint8]uint8 // by M/E
	selection map[uint8]*atem.TransitionSelection
	rates     map[uint8]*[5]uint16 // by M/E: of each transition style
	inputs    map[atem.SourceID]atem.InputProperties
	tallies   map[atem.SourceID]atem.Tally
	macros    map[uint16]atem.MacroProperties
	classic   map[atem.AudioSource]*gainMemory
	strips    map[stripKey]device.Path
	levels    map[device.Path]*meter
}

func newSwitcher() switcher {
	return switcher{keyers: map[uint8]uint8{}, selection: map[uint8]*atem.TransitionSelection{}, rates: map[uint8]*[5]uint16{},
		inputs: map[atem.SourceID]atem.InputProperties{}, tallies: map[atem.SourceID]atem.Tally{}, macros: map[uint16]atem.MacroProperties{},
		classic: map[atem.AudioSource]*gainMemory{}, strips: map[stripKey]device.Path{}, levels: map[device.Path]*meter{}}
}

var (
	defModel     = def{kind: device.String, rate: device.Static, title: "Model", role: "id.model"}
	defModelID   = def{kind: device.Int, rate: device.Static, title: "Model number"}
	defProtocol  = def{kind: device.String, rate: device.Static, title: "Protocol version", doc: "of the language the switcher speaks; not that of its product", role: "id.series"}
	defFirmware  = def{kind: device.String, rate: device.Static, title: "Software", role: "id.version", grade: device.GradeGuess}
	defPower     = def{kind: device.Bool, rate: device.Slow, title: "Power supply", doc: "it delivers"}
	defVideoMode = def{kind: device.Enum, rate: device.Slow, labels: labelsModes, title: "Video mode", doc: "when it changes, outputs go dark for a moment",
		role: "av.video-mode", hazard: device.HazardMove}
	defTimecode = def{kind: device.String, rate: device.Fast, title: "Time code", doc: "the switcher's own, as it came with its last change", role: "av.timecode"}
	defWarning  = def{kind: device.String, rate: device.Normal, title: "Warning", doc: "the last that the switcher gave", grade: device.GradeInferred}
)

// takeVersion is the first field of a dump. In the middle of a session it begins everything anew.
func takeVersion(b *board, v *atem.ProtocolVersion) {
	if b.complete {
		fields, unknown, unread := b.fields, b.unknown, b.unread
		*b = *newBoard()
		b.full = true
		b.fields, b.unknown, b.unread = fields, unknown, unread
	}
	b.ver = atem.MakeVersion(v.Major, v.Minor)
	b.put("identity/protocol", &defProtocol, device.OfString(b.ver.String()), nil)
}

func takeProduct(b *board, v *atem.Product) {
	b.put("identity/model", &defModel, device.OfString(v.Name), nil)
	b.put("identity/model-number", &defModelID, device.OfInt(int64(v.Model)), nil)
}

// takeTopology removes what a switcher does not have any more: some change their set of blocks with the video mode.
func takeTopology(b *board, v *atem.Topology) {
	old := b.seen.top
	b.seen.top = v
	if old == nil {
		return
	}
	for _, x := range []struct {
		under    string
		old, now uint8
	}{{"me", old.MEs, v.MEs}, {"ftb", old.MEs, v.MEs}, {"dsk", old.DSKs, v.DSKs}, {"aux", old.Auxes, v.Auxes},
		{"media/players", old.MediaPlayers, v.MediaPlayers}, {"supersource", old.SuperSources, v.SuperSources}} {
		for n := x.now; n < x.old; n++ {
			b.remove(device.Join(x.under, number(n)))
		}
	}
}

// hasME reports whether an M/E is there: some dumps hold blocks that the model does not have.
func (b *board) hasME(me uint8) bool { return b.seen.top == nil || me < b.seen.top.MEs }

func takeMixEffectConfig(b *board, v *atem.MixEffectConfig) { b.seen.keyers[v.ME] = v.Keyers }

func takePower(b *board, v *atem.Power) {
	b.put("power/1", &defPower, device.OfBool(v.PSU1), nil)
	b.put("power/2", &defPower, device.OfBool(v.PSU2), nil)
}

// takeVideoModes names the modes that the switcher has.
func takeVideoModes(b *board, v *atem.VideoModeConfig) {
	l := device.LabelSet{ID: labelsModes}
	for _, m := range v.Modes {
		l.Items = append(l.Items, modeLabel(m.Mode))
	}
	b.setLabels(l)
}

func modeLabel(m atem.VideoMode) device.Label {
	return device.Label{Value: int64(m), Key: m.String(), Text: m.String()}
}

func takeVideoStandard(b *board, v *atem.VideoStandard) {
	if _, ok := b.labels[labelsModes]; !ok {
		b.setLabels(device.LabelSet{ID: labelsModes, Items: []device.Label{modeLabel(v.Mode)}})
	}
	b.put("video-mode", &defVideoMode, device.OfEnum(int64(v.Mode)), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetVideoStandard{Mode: atem.VideoMode(v.Int())}), nil
	})
}

func takeSoftwareVersion(b *board, v *atem.SoftwareVersion) {
	b.put("identity/software", &defFirmware, device.OfString(v.Version), nil)
}

func takeTime(b *board, v *atem.Timecode) {
	b.put("timecode", &defTimecode, device.OfString(clock(v.Hour, v.Minute, v.Second, v.Frame)), nil)
}

func takeWarning(b *board, v *atem.Warning) {
	b.put("warning", &defWarning, device.OfString(v.Text), nil)
}

func takeComplete(b *board, _ *atem.InitComplete) { b.complete = true }

// clock is a time as people read it. The frames are left out when there are none to tell.
func clock(h, m, s uint8, frames ...uint8) string {
	out := fmt.Sprintf("%02d:%02d:%02d", h, m, s)
	for _, f := range frames {
		out += ":" + fmt.Sprintf("%02d", f)
	}
	return out
}

// one is a write that takes one command.
func one(m atem.Message) []atem.Message { return []atem.Message{m} }

// sourceSegment is the path segment of a source.
func sourceSegment[T ~uint16](id T) string { return strconv.Itoa(int(id)) }
