package atem

import (
	"fmt"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/atem"
)

// maxRate is the longest transition in frames.
const maxRate = 250

// fullPosition is the end of the way of a transition.
const fullPosition = 10000

var (
	defProgram  = def{kind: device.Enum, rate: device.Fast, labels: labelsSources, title: "Program", role: "av.program", hazard: device.HazardLive}
	defPreview  = def{kind: device.Enum, rate: device.Fast, labels: labelsSources, title: "Preview", role: "av.preview"}
	defStyle    = def{kind: device.Enum, rate: device.Normal, labels: labelsStyle, title: "Transition style", doc: "of the next transition", role: "av.transition.style"}
	defLayer    = def{kind: device.Bool, rate: device.Normal, title: "In next transition", doc: "the layer takes part in the next transition", role: "av.transition.layer"}
	defTryOut   = def{kind: device.Bool, rate: device.Normal, title: "Preview transition", doc: "the transition is shown on preview", role: "av.transition.preview"}
	defPosition = def{kind: device.Float, rate: device.Fast, min: 0, max: 1, decimals: 4, title: "Position", doc: "how far the transition is; 1 ends it, and the switcher goes back to 0",
		role: "av.transition.position", hazard: device.HazardLive, shows: []atem.Code{atem.CodeTrPs}}
	defRunning    = def{kind: device.Bool, rate: device.Fast, title: "Transition runs", role: "av.transition.running"}
	defFramesLeft = def{kind: device.Int, rate: device.Fast, unit: "frames", title: "Frames left", doc: "of the transition", role: "av.transition.frames-left"}
	defRate       = def{kind: device.Int, rate: device.Normal, unit: "frames", min: 0, max: maxRate, step: 1, title: "Rate",
		doc: "length of an automatic transition of the style that comes next", role: "av.transition.rate"}
	defStyleRate = def{kind: device.Int, rate: device.Slow, unit: "frames", min: 0, max: maxRate, step: 1, title: "Rate", doc: "length of an automatic transition of this style"}
	defDipSource = def{kind: device.Enum, rate: device.Slow, labels: labelsSources, title: "Dip source", doc: "what a dip goes through"}

	defBlack    = def{kind: device.Bool, rate: device.Fast, title: "Black", doc: "the output is faded to black", role: "av.ftb.black"}
	defFading   = def{kind: device.Bool, rate: device.Fast, title: "Fading", role: "av.ftb.running"}
	defFadeLeft = def{kind: device.Int, rate: device.Fast, unit: "frames", title: "Frames left", doc: "of the fade", role: "av.ftb.frames-left"}
	defFadeRate = def{kind: device.Int, rate: device.Normal, unit: "frames", min: 1, max: maxRate, step: 1, title: "Rate", doc: "length of a fade to black", role: "av.ftb.rate"}
)

func mePath(me uint8, what string) device.Path { return device.Join("me", number(me), what) }

func takeProgram(b *board, v *atem.ProgramSource) {
	me := v.ME
	if !b.hasME(me) {
		return
	}
	b.put(mePath(me, "program"), &defProgram, device.OfEnum(int64(v.Source)), func(b *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetProgramSource{ME: me, Source: atem.SourceID(v.Int())}), b.usable(v, "M/E "+number(me), onME(me))
	})
	b.command(command{Command: device.Command{Path: mePath(me, "cut"), Title: "Cut", Doc: "swaps program and preview at once", Hazard: device.HazardLive, Grade: device.GradeInferred},
		do:    func([]device.Value) []atem.Message { return one(&atem.Cut{ME: me}) },
		shows: []atem.Code{atem.CodePrgI, atem.CodePrvI, atem.CodeKeOn, atem.CodeDskS}})
	b.command(command{Command: device.Command{Path: mePath(me, "auto"), Title: "Auto", Doc: "runs the next transition", Hazard: device.HazardLive, Grade: device.GradeInferred},
		do:    func([]device.Value) []atem.Message { return one(&atem.Auto{ME: me}) },
		shows: []atem.Code{atem.CodeTrPs}})
}

func takePreview(b *board, v *atem.PreviewSource) {
	me := v.ME
	if !b.hasME(me) {
		return
	}
	b.put(mePath(me, "preview"), &defPreview, device.OfEnum(int64(v.Source)), func(b *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetPreviewSource{ME: me, Source: atem.SourceID(v.Int())}), b.usable(v, "M/E "+number(me), onME(me))
	})
}

func takeSelection(b *board, v *atem.TransitionSelection) {
	me := v.ME
	if !b.hasME(me) {
		return
	}
	b.seen.selection[me] = v
	b.put(mePath(me, "transition/style"), &defStyle, device.OfEnum(int64(v.NextStyle)), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetTransitionSelection{Mask: atem.SetTransitionSelectionMaskNextStyle, ME: me, NextStyle: atem.TransitionStyle(v.Int())}), nil
	})
	keyers, known := b.seen.keyers[me]
	if !known {
		keyers = 4
	}
	for n := range keyers + 1 {
		name := "background"
		if n > 0 {
			name = "key-" + number(n-1)
		}
		bit := atem.TransitionLayers(1) << n
		b.put(mePath(me, "transition/layers/"+name), &defLayer, device.OfBool(v.NextLayers&bit != 0), func(b *board, v device.Value) ([]atem.Message, error) {
			return b.setLayer(me, bit, v.Bool())
		})
	}
	b.nextRate(me)
}

// setLayer changes one layer. Several of one write build on each other, before the switcher has answered.
func (b *board) setLayer(me uint8, bit atem.TransitionLayers, on bool) ([]atem.Message, error) {
	sel := *b.seen.selection[me]
	if sel.NextLayers &^= bit; on {
		sel.NextLayers |= bit
	}
	if sel.NextLayers == 0 {
		return nil, fmt.Errorf("the next transition of M/E %s needs one layer at least; switch another on first", number(me))
	}
	b.seen.selection[me] = &sel
	return one(&atem.SetTransitionSelection{Mask: atem.SetTransitionSelectionMaskNextLayers, ME: me, NextLayers: sel.NextLayers}), nil
}

func takeTransitionPreview(b *board, v *atem.TransitionPreview) {
	me := v.ME
	if !b.hasME(me) {
		return
	}
	b.put(mePath(me, "transition/preview"), &defTryOut, device.OfBool(v.Preview), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetTransitionPreview{ME: me, Preview: v.Bool()}), nil
	})
}

func takePosition(b *board, v *atem.TransitionPosition) {
	me := v.ME
	if !b.hasME(me) {
		return
	}
	b.put(mePath(me, "transition/position"), &defPosition, device.OfFloat(min(float64(v.Position)/fullPosition, 1)), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetTransitionPosition{ME: me, Position: scaled[uint16](v, fullPosition)}), nil
	})
	b.put(mePath(me, "transition/running"), &defRunning, device.OfBool(v.InTransition), nil)
	b.put(mePath(me, "transition/frames-left"), &defFramesLeft, device.OfInt(int64(v.FramesLeft)), nil)
}

// setRate makes the command that sets the length of a style.
func setRate(me uint8, style atem.TransitionStyle, frames uint8) atem.Message {
	switch style {
	case atem.TransitionStyleDip:
		return &atem.SetDipSettings{Mask: atem.SetDipSettingsMaskRate, ME: me, Rate: frames}
	case atem.TransitionStyleWipe:
		return &atem.SetWipeSettings{Mask: atem.SetWipeSettingsMaskRate, ME: me, Rate: frames}
	case atem.TransitionStyleDVE:
		return &atem.SetDVESettings{Mask: atem.SetDVESettingsMaskRate, ME: me, Rate: frames}
	case atem.TransitionStyleStinger:
		return &atem.SetStingerSettings{Mask: atem.SetStingerSettingsMaskMixRate, ME: me, MixRate: uint16(frames)}
	}
	return &atem.SetMixSettings{ME: me, Rate: frames}
}

// rate takes the length of a style. Its own point is there as soon as the switcher has told it; that of the next transition
// follows the style.
func (b *board) rate(me uint8, style atem.TransitionStyle, frames uint16) {
	if !b.hasME(me) {
		return
	}
	r := b.seen.rates[me]
	if r == nil {
		r = new([5]uint16)
		b.seen.rates[me] = r
	}
	r[style] = frames
	b.put(mePath(me, "transition/"+style.String()+"/rate"), &defStyleRate, device.OfInt(int64(frames)), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(setRate(me, style, uint8(v.Int()))), nil
	})
	b.nextRate(me)
}

func (b *board) nextRate(me uint8) {
	sel, r := b.seen.selection[me], b.seen.rates[me]
	if sel == nil || r == nil || int(sel.NextStyle) >= len(r) {
		return
	}
	b.put(mePath(me, "transition/rate"), &defRate, device.OfInt(int64(r[sel.NextStyle])), func(b *board, v device.Value) ([]atem.Message, error) {
		return one(setRate(me, b.seen.selection[me].NextStyle, uint8(v.Int()))), nil
	})
}

func takeMix(b *board, v *atem.MixSettings) {
	b.rate(v.ME, atem.TransitionStyleMix, uint16(v.Rate))
}

func takeDip(b *board, v *atem.DipSettings) {
	me := v.ME
	b.rate(me, atem.TransitionStyleDip, uint16(v.Rate))
	if !b.hasME(me) {
		return
	}
	b.put(mePath(me, "transition/dip/source"), &defDipSource, device.OfEnum(int64(v.Input)), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetDipSettings{Mask: atem.SetDipSettingsMaskInput, ME: me, Input: atem.SourceID(v.Int())}), nil
	})
}

func takeWipe(b *board, v *atem.WipeSettings) {
	b.rate(v.ME, atem.TransitionStyleWipe, uint16(v.Rate))
}

func takeDVE(b *board, v *atem.DVESettings) { b.rate(v.ME, atem.TransitionStyleDVE, uint16(v.Rate)) }

func takeStinger(b *board, v *atem.StingerSettings) {
	b.rate(v.ME, atem.TransitionStyleStinger, v.MixRate)
}

func fadePath(me uint8, what string) device.Path { return device.Join("ftb", number(me), what) }

func takeFade(b *board, v *atem.FadeToBlackState) {
	me := v.ME
	if !b.hasME(me) {
		return
	}
	b.put(fadePath(me, "black"), &defBlack, device.OfBool(v.FullyBlack), nil)
	b.put(fadePath(me, "running"), &defFading, device.OfBool(v.InTransition), nil)
	b.put(fadePath(me, "frames-left"), &defFadeLeft, device.OfInt(int64(v.FramesLeft)), nil)
	b.command(command{Command: device.Command{Path: fadePath(me, "auto"), Title: "Fade to black", Doc: "fades to black, or back", Hazard: device.HazardLive, Grade: device.GradeInferred},
		do:    func([]device.Value) []atem.Message { return one(&atem.FadeToBlackAuto{ME: me}) },
		shows: []atem.Code{atem.CodeFtbS}})
}

func takeFadeRate(b *board, v *atem.FadeToBlackRate) {
	me := v.ME
	if !b.hasME(me) {
		return
	}
	b.put(fadePath(me, "rate"), &defFadeRate, device.OfInt(int64(v.Rate)), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetFadeToBlackRate{Mask: atem.SetFadeToBlackRateMaskRate, ME: me, Rate: uint8(v.Int())}), nil
	})
}
