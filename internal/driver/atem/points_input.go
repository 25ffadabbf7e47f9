package atem

import (
	"fmt"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/atem"
)

var (
	defTally = def{kind: device.Enum, rate: device.Fast, labels: labelsTally, title: "Tally", role: "av.tally",
		doc: "the switcher's own: on which buses the source is seen, also through keyers and SuperSources; during a transition both sources are on program"}
	defAvailable  = def{kind: device.Bool, rate: device.Static, title: "Available", doc: "it can be chosen on an M/E", role: "av.input.available"}
	defInputName  = def{kind: device.String, rate: device.Slow, title: "Name", doc: "at most 20 bytes", role: "av.input.name"}
	defInputLabel = def{kind: device.String, rate: device.Slow, title: "Label", doc: "short name, as on a button; at most 4 bytes", role: "av.input.label"}
)

// The room that names have in the protocol, in bytes.
const (
	maxName  = 20
	maxLabel = 4
)

func inputPath(id atem.SourceID, what string) device.Path {
	return device.Join("inputs", sourceSegment(id), what)
}

func takeInput(b *board, v *atem.InputProperties) {
	id := v.Source
	b.seen.inputs[id] = *v
	b.label(labelsSources, device.Label{Value: int64(id), Key: sourceSegment(id), Text: v.Name, Short: v.Label})
	b.put(inputPath(id, "available"), &defAvailable, device.OfBool(v.UsableOnME != 0), nil)
	b.put(inputPath(id, "name"), &defInputName, device.OfString(v.Name), func(_ *board, v device.Value) ([]atem.Message, error) {
		if err := fits(v.Str(), maxName); err != nil {
			return nil, err
		}
		return one(&atem.SetInputProperties{Mask: atem.SetInputPropertiesMaskName, Source: id, Name: v.Str()}), nil
	})
	b.put(inputPath(id, "label"), &defInputLabel, device.OfString(v.Label), func(_ *board, v device.Value) ([]atem.Message, error) {
		if err := fits(v.Str(), maxLabel); err != nil {
			return nil, err
		}
		return one(&atem.SetInputProperties{Mask: atem.SetInputPropertiesMaskLabel, Source: id, Label: v.Str()}), nil
	})
	if t := b.points[inputPath(id, "tally")]; t != nil {
		b.attributes(t, inputWords(v))
	}
}

func inputWords(v *atem.InputProperties) map[string]string {
	return map[string]string{"name": valid(v.Name), "label": valid(v.Label), "kind": v.InternalPort.String()}
}

// fits refuses a text that has no room.
func fits(s string, most int) error {
	if len(s) > most {
		return fmt.Errorf("%q has %d bytes and there is room for %d", s, len(s), most)
	}
	return nil
}

// takeTallyByInput holds the inputs in their order; the n-th has the source id n.
func takeTallyByInput(b *board, v *atem.TallyByInput) {
	for i, t := range v.Inputs {
		b.tally(atem.SourceID(i+1), t)
	}
}

func takeTallyBySource(b *board, v *atem.TallyBySource) {
	for _, s := range v.Sources {
		b.tally(s.Source, s.Tally)
	}
}

func (b *board) tally(id atem.SourceID, t atem.Tally) {
	old, had := b.seen.tallies[id]
	if had && old == t {
		return
	}
	b.seen.tallies[id] = t
	p := b.put(inputPath(id, "tally"), &defTally, device.OfEnum(int64(t)&tallyBoth), nil)
	if in, ok := b.seen.inputs[id]; ok && !had {
		b.attributes(p, inputWords(&in))
	}
}

// usable refuses a source that the switcher says cannot be chosen there; a source that it does not list may be.
func (b *board) usable(v device.Value, where string, may func(*atem.InputProperties) bool) error {
	in, ok := b.seen.inputs[atem.SourceID(v.Int())]
	if ok && !may(&in) {
		return fmt.Errorf("%s (%d) cannot be used on %s", in.Name, v.Int(), where)
	}
	return nil
}

// onME tells the sources that can be chosen on an M/E.
func onME(me uint8) func(*atem.InputProperties) bool {
	return func(in *atem.InputProperties) bool { return me > 7 || in.UsableOnME&(1<<me) != 0 }
}
