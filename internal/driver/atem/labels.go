package atem

import (
	"strings"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/atem"
)

// The label sets. Those of sources, media, macros and video modes follow the switcher.
const (
	labelsSources = "sources"
	labelsTally   = "tally"
	labelsStyle   = "transition-styles"
	labelsKeyType = "key-types"
	labelsMedia   = "media"
	labelsMacros  = "macros"
	labelsModes   = "video-modes"
	labelsMix     = "audio-mix"
	labelsStream  = "stream-states"
	labelsRecord  = "record-states"
)

// What a tally says; the bits of the protocol.
const (
	tallyOff     = 0
	tallyProgram = int64(atem.TallyProgram)
	tallyPreview = int64(atem.TallyPreview)
	tallyBoth    = tallyProgram | tallyPreview
)

// How an audio input is mixed, in both mixers.
const (
	mixOff = iota
	mixOn
	mixWithVideo
)

// The states of the stream.
const (
	streamIdle = iota
	streamConnecting
	streamOn
	streamStopping
	streamInvalid
	streamError
)

// The states of recording.
const (
	recordIdle = iota
	recordOn
	recordStopping
	recordFull
	recordMediaError
	recordUnformatted
	recordError
)

// none is the macro that does not run.
const none = -1

func fixedLabels() []device.LabelSet {
	set := func(id string, items ...device.Label) device.LabelSet { return device.LabelSet{ID: id, Items: items} }
	l := func(v int64, key, text string) device.Label { return device.Label{Value: v, Key: key, Text: text} }
	return []device.LabelSet{
		set(labelsTally, l(tallyOff, "off", "Off"), l(tallyProgram, "program", "Program"), l(tallyPreview, "preview", "Preview"),
			l(tallyBoth, "both", "Program and preview")),
		set(labelsStyle, l(int64(atem.TransitionStyleMix), "mix", "Mix"), l(int64(atem.TransitionStyleDip), "dip", "Dip"),
			l(int64(atem.TransitionStyleWipe), "wipe", "Wipe"), l(int64(atem.TransitionStyleDVE), "dve", "DVE"),
			l(int64(atem.TransitionStyleStinger), "stinger", "Stinger")),
		set(labelsKeyType, l(int64(atem.KeyTypeLuma), "luma", "Luma"), l(int64(atem.KeyTypeChroma), "chroma", "Chroma"),
			l(int64(atem.KeyTypePattern), "pattern", "Pattern"), l(int64(atem.KeyTypeDVE), "dve", "DVE")),
		set(labelsMix, l(mixOff, "off", "Off"), l(mixOn, "on", "On"), l(mixWithVideo, "with-video", "Audio follows video")),
		set(labelsStream, l(streamIdle, "idle", "Idle"), l(streamConnecting, "connecting", "Connecting"), l(streamOn, "streaming", "Streaming"),
			l(streamStopping, "stopping", "Stopping"), l(streamInvalid, "invalid", "Not possible now"), l(streamError, "error", "Error")),
		set(labelsRecord, l(recordIdle, "idle", "Idle"), l(recordOn, "recording", "Recording"), l(recordStopping, "stopping", "Stopping"),
			l(recordFull, "full", "Disk full"), l(recordMediaError, "media-error", "Disk error"), l(recordUnformatted, "unformatted", "Disk not formatted"),
			l(recordError, "error", "Error")),
		set(labelsMacros, l(none, "none", "None")),
	}
}

// title writes a value of the catalogue for people: "television-studio-hd" is "Television Studio HD".
func title(name string) string {
	words := strings.Split(name, "-")
	for i, w := range words {
		switch w {
		case "hd", "sdi", "iso":
			words[i] = strings.ToUpper(w)
		default:
			if w != "" {
				words[i] = strings.ToUpper(w[:1]) + w[1:]
			}
		}
	}
	return strings.Join(words, " ")
}
