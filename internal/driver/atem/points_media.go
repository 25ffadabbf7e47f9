package atem

import (
	"cmp"
	"strings"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/atem"
)

// firstClip is the value of the first clip in the set of labels of what a media player can show; stills begin at 1.
const firstClip = 1001

var (
	defPlayerSource = def{kind: device.Enum, rate: device.Normal, labels: labelsMedia, title: "Media player", doc: "the still or clip that it shows", role: "av.media.source", hazard: device.HazardLive}
	defPlaying      = def{kind: device.Bool, rate: device.Normal, title: "Playing", doc: "the clip runs", hazard: device.HazardLive}
	defLoop         = def{kind: device.Bool, rate: device.Normal, title: "Loop", doc: "the clip begins again at its end", hazard: device.HazardLive}
	defMediaName    = def{kind: device.String, rate: device.Slow, title: "Name", role: "av.media.name"}
	defMediaUsed    = def{kind: device.Bool, rate: device.Slow, title: "Used", doc: "there is something in this place"}
	defClipFrames   = def{kind: device.Int, rate: device.Slow, unit: "frames", title: "Length"}
)

func mediaLabel(kind string, first int64, slot uint16, name string) device.Label {
	key := kind + "-" + number(slot)
	return device.Label{Value: first + int64(slot), Key: key, Text: cmp.Or(name, title(key))}
}

func takeMediaPlayer(b *board, v *atem.MediaPlayerSource) {
	n := v.Player
	now := int64(v.Still) + 1
	if v.Kind == atem.MediaKindClip {
		now = int64(v.Clip) + firstClip
	}
	b.put(device.Join("media/players", number(n), "source"), &defPlayerSource, device.OfEnum(now), func(_ *board, v device.Value) ([]atem.Message, error) {
		m := &atem.SetMediaPlayerSource{Mask: atem.SetMediaPlayerSourceMaskKind | atem.SetMediaPlayerSourceMaskStill, Player: n, Kind: atem.MediaKindStill, Still: uint8(v.Int() - 1)}
		if v.Int() >= firstClip {
			m = &atem.SetMediaPlayerSource{Mask: atem.SetMediaPlayerSourceMaskKind | atem.SetMediaPlayerSourceMaskClip, Player: n, Kind: atem.MediaKindClip, Clip: uint8(v.Int() - firstClip)}
		}
		return one(m), nil
	})
}

func takeClipPlayer(b *board, v *atem.ClipPlayer) {
	n := v.Player
	b.put(device.Join("media/players", number(n), "playing"), &defPlaying, device.OfBool(v.Playing), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetClipPlayer{Mask: atem.SetClipPlayerMaskPlaying, Player: n, Playing: v.Bool()}), nil
	})
	b.put(device.Join("media/players", number(n), "loop"), &defLoop, device.OfBool(v.Loop), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetClipPlayer{Mask: atem.SetClipPlayerMaskLoop, Player: n, Loop: v.Bool()}), nil
	})
}

func takeStill(b *board, v *atem.MediaPoolStill) {
	if v.Bank != atem.MediaBankStill {
		return // a frame of a clip
	}
	at := device.Join("media/stills", number(v.Slot))
	b.label(labelsMedia, mediaLabel("still", 1, v.Slot, v.Name))
	b.put(at.Child("name"), &defMediaName, device.OfString(v.Name), nil)
	b.put(at.Child("used"), &defMediaUsed, device.OfBool(v.Used), nil)
}

func takeClip(b *board, v *atem.MediaPoolClip) {
	at := device.Join("media/clips", number(v.Slot))
	b.label(labelsMedia, mediaLabel("clip", firstClip, uint16(v.Slot), v.Name))
	b.put(at.Child("name"), &defMediaName, device.OfString(v.Name), nil)
	b.put(at.Child("used"), &defMediaUsed, device.OfBool(v.Used), nil)
	b.put(at.Child("frames"), &defClipFrames, device.OfInt(int64(v.FrameCount)), nil)
}

var (
	defMacroName      = def{kind: device.String, rate: device.Slow, title: "Name", role: "av.macro.name"}
	defMacroUsed      = def{kind: device.Bool, rate: device.Slow, title: "Used", doc: "there is a macro in this place"}
	defMacroRunning   = def{kind: device.Enum, rate: device.Fast, labels: labelsMacros, title: "Macro running", role: "av.macro.running"}
	defMacroWaiting   = def{kind: device.Bool, rate: device.Fast, title: "Macro waits", doc: "the macro that runs waits to be continued"}
	defMacroLoop      = def{kind: device.Bool, rate: device.Normal, title: "Loop", doc: "macros begin again at their end"}
	defMacroRecording = def{kind: device.Enum, rate: device.Normal, labels: labelsMacros, title: "Macro recording", role: "av.macro.recording"}
)

// noMacro is the number of no macro.
const noMacro = 0xffff

func takeMacro(b *board, v *atem.MacroProperties) {
	n := v.Macro
	at := device.Join("macros", number(n))
	b.put(at.Child("name"), &defMacroName, device.OfString(v.Name), nil)
	p := b.put(at.Child("used"), &defMacroUsed, device.OfBool(v.Used), nil)
	words := map[string]string(nil)
	if v.Description != "" {
		words = map[string]string{"description": strings.Join(strings.Fields(v.Description), " ")}
	}
	b.attributes(p, words)
	b.label(labelsMacros, device.Label{Value: int64(n), Key: "macro-" + number(n), Text: cmp.Or(v.Name, "Macro "+number(n))})
	b.seen.macros[n] = *v
	if !v.Used {
		b.removeCommand(at.Child("run"))
		b.removeCommand(at.Child("delete"))
		return
	}
	b.command(command{Command: device.Command{Path: at.Child("run"), Title: "Run macro", Doc: "what it does may be on air", Hazard: device.HazardLive, Grade: device.GradeInferred},
		do: func([]device.Value) []atem.Message {
			return one(&atem.MacroAction{Macro: n, Action: atem.MacroActionKindRun})
		},
		shows: []atem.Code{atem.CodeMRPr}})
	b.command(command{Command: device.Command{Path: at.Child("delete"), Title: "Delete macro", Doc: "it cannot be brought back", Hazard: device.HazardMove, Grade: device.GradeInferred},
		do: func([]device.Value) []atem.Message {
			return one(&atem.MacroAction{Macro: n, Action: atem.MacroActionKindDelete})
		},
		shows: []atem.Code{atem.CodeMPrp}})
}

func takeMacroRun(b *board, v *atem.MacroRunState) {
	now := int64(none)
	if (v.Running || v.Waiting) && v.Macro != noMacro {
		now = int64(v.Macro)
	}
	b.put("macros/running", &defMacroRunning, device.OfEnum(now), nil)
	b.put("macros/waiting", &defMacroWaiting, device.OfBool(v.Waiting), nil)
	b.put("macros/loop", &defMacroLoop, device.OfBool(v.Loop), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetMacroLoop{Mask: atem.SetMacroLoopMaskLoop, Loop: v.Bool()}), nil
	})
	act := func(path device.Path, title, doc string, kind atem.MacroActionKind) {
		b.command(command{Command: device.Command{Path: path, Title: title, Doc: doc, Hazard: device.HazardLive, Grade: device.GradeInferred},
			do:    func([]device.Value) []atem.Message { return one(&atem.MacroAction{Macro: noMacro, Action: kind}) },
			shows: []atem.Code{atem.CodeMRPr}})
	}
	act("macros/stop", "Stop macro", "stops the macro that runs", atem.MacroActionKindStop)
	act("macros/continue", "Continue macro", "continues the macro that waits", atem.MacroActionKindContinue)
}

func takeMacroRecord(b *board, v *atem.MacroRecordState) {
	now := int64(none)
	if v.Recording && v.Macro != noMacro {
		now = int64(v.Macro)
	}
	b.put("macros/recording", &defMacroRecording, device.OfEnum(now), nil)
	b.command(command{Command: device.Command{Path: "macros/record", Title: "Record macro", Doc: "records what is done from now on, in the place of what the macro was",
		Args: []device.Spec{{Path: "macro", Kind: device.Int, Min: 1, Max: 100, Step: 1, Doc: "its number, from 1"}, {Path: "name", Kind: device.String, Doc: "what it is called"}}, Hazard: device.HazardMove, Grade: device.GradeInferred},
		do: func(a []device.Value) []atem.Message {
			return one(&atem.RecordMacro{Macro: uint16(a[0].Int() - 1), Name: a[1].Str()})
		},
		shows: []atem.Code{atem.CodeMRcS}})
	b.command(command{Command: device.Command{Path: "macros/stop-recording", Title: "Stop recording the macro", Hazard: device.HazardMove, Grade: device.GradeInferred},
		do: func([]device.Value) []atem.Message {
			return one(&atem.MacroAction{Macro: noMacro, Action: atem.MacroActionKindStopRecording})
		},
		shows: []atem.Code{atem.CodeMRcS}})
}
