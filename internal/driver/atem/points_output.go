package atem

import (
	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/atem"
)

var (
	defAux = def{kind: device.Enum, rate: device.Fast, labels: labelsSources, title: "Auxiliary output", role: "av.aux.source", hazard: device.HazardLive}

	defHue        = def{kind: device.Float, rate: device.Slow, unit: "deg", min: 0, max: 359.9, step: 0.1, decimals: 1, title: "Hue", role: "av.colour"}
	defSaturation = def{kind: device.Float, rate: device.Slow, unit: "%", min: 0, max: 100, step: 0.1, decimals: 1, title: "Saturation", role: "av.colour"}
	defLuma       = def{kind: device.Float, rate: device.Slow, unit: "%", min: 0, max: 100, step: 0.1, decimals: 1, title: "Luma", role: "av.colour"}

	defBoxShown  = def{kind: device.Bool, rate: device.Normal, title: "Box shown", role: "av.supersource.box", hazard: device.HazardLive}
	defBoxSource = def{kind: device.Enum, rate: device.Normal, labels: labelsSources, title: "Box source", role: "av.supersource.source", hazard: device.HazardLive}
	defBoxX      = def{kind: device.Float, rate: device.Normal, min: -48, max: 48, step: 0.01, decimals: 2, title: "Across", doc: "place of the middle of the box; 16 is half the width", hazard: device.HazardLive}
	defBoxY      = def{kind: device.Float, rate: device.Normal, min: -34, max: 34, step: 0.01, decimals: 2, title: "Up", doc: "place of the middle of the box; 9 is half the height", hazard: device.HazardLive}
	defBoxSize   = def{kind: device.Float, rate: device.Normal, min: 0.07, max: 1, step: 0.001, decimals: 3, title: "Size", hazard: device.HazardLive}
	defBoxCrop   = def{kind: device.Bool, rate: device.Normal, title: "Cropped", hazard: device.HazardLive}
	defArtFill   = def{kind: device.Enum, rate: device.Normal, labels: labelsSources, title: "Art fill", doc: "what is behind or in front of the boxes", role: "av.supersource.source", hazard: device.HazardLive}
	defArtKey    = def{kind: device.Enum, rate: device.Normal, labels: labelsSources, title: "Art key", hazard: device.HazardLive}
)

// scaled is a value in the steps of the protocol.
func scaled[T ~uint16 | ~int16](v device.Value, steps float64) T {
	f := v.Float() * steps
	if f < 0 {
		return T(f - 0.5)
	}
	return T(f + 0.5)
}

func takeAux(b *board, v *atem.AuxSource) {
	aux := v.Aux
	b.put(device.Join("aux", number(aux), "source"), &defAux, device.OfEnum(int64(v.Source)), func(b *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetAuxSource{Mask: atem.SetAuxSourceMaskSource, Aux: aux, Source: atem.SourceID(v.Int())}),
			b.usable(v, "an auxiliary output", func(in *atem.InputProperties) bool {
				return in.UsableIn&(atem.UsableInAuxiliary|atem.UsableInAux1Output|atem.UsableInAux2Output|atem.UsableInWebcamOutput) != 0
			})
	})
}

func takeColour(b *board, v *atem.ColourGenerator) {
	n := v.Generator
	set := func(what string, d *def, raw uint16, make func(uint16) *atem.SetColourGenerator) {
		b.put(device.Join("colours", number(n), what), d, device.OfFloat(float64(raw)/10), func(_ *board, v device.Value) ([]atem.Message, error) {
			return one(make(scaled[uint16](v, 10))), nil
		})
	}
	set("hue", &defHue, v.Hue, func(x uint16) *atem.SetColourGenerator {
		return &atem.SetColourGenerator{Mask: atem.SetColourGeneratorMaskHue, Generator: n, Hue: x}
	})
	set("saturation", &defSaturation, v.Saturation, func(x uint16) *atem.SetColourGenerator {
		return &atem.SetColourGenerator{Mask: atem.SetColourGeneratorMaskSaturation, Generator: n, Saturation: x}
	})
	set("luma", &defLuma, v.Luma, func(x uint16) *atem.SetColourGenerator {
		return &atem.SetColourGenerator{Mask: atem.SetColourGeneratorMaskLuma, Generator: n, Luma: x}
	})
}

func takeSuperSourceArt(b *board, v *atem.SuperSourceArt) {
	n := v.SuperSource
	b.put(device.Join("supersource", number(n), "art/fill"), &defArtFill, device.OfEnum(int64(v.ArtFillSource)), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetSuperSourceArt{Mask: atem.SetSuperSourceArtMaskArtFillSource, SuperSource: n, ArtFillSource: atem.SourceID(v.Int())}), nil
	})
	b.put(device.Join("supersource", number(n), "art/key"), &defArtKey, device.OfEnum(int64(v.ArtKeySource)), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetSuperSourceArt{Mask: atem.SetSuperSourceArtMaskArtKeySource, SuperSource: n, ArtKeySource: atem.SourceID(v.Int())}), nil
	})
}

func takeSuperSourceBox(b *board, v *atem.SuperSourceBox) {
	n, box := v.SuperSource, v.Box
	set := func(what string, d *def, now device.Value, make func(*atem.SetSuperSourceBox, device.Value)) {
		b.put(device.Join("supersource", number(n), "boxes", number(box), what), d, now, func(_ *board, v device.Value) ([]atem.Message, error) {
			m := &atem.SetSuperSourceBox{SuperSource: n, Box: box}
			make(m, v)
			return one(m), nil
		})
	}
	set("shown", &defBoxShown, device.OfBool(v.Enabled), func(m *atem.SetSuperSourceBox, v device.Value) {
		m.Mask, m.Enabled = atem.SetSuperSourceBoxMaskEnabled, v.Bool()
	})
	set("source", &defBoxSource, device.OfEnum(int64(v.Source)), func(m *atem.SetSuperSourceBox, v device.Value) {
		m.Mask, m.Source = atem.SetSuperSourceBoxMaskSource, atem.SourceID(v.Int())
	})
	set("x", &defBoxX, device.OfFloat(float64(v.X)/100), func(m *atem.SetSuperSourceBox, v device.Value) {
		m.Mask, m.X = atem.SetSuperSourceBoxMaskX, scaled[int16](v, 100)
	})
	set("y", &defBoxY, device.OfFloat(float64(v.Y)/100), func(m *atem.SetSuperSourceBox, v device.Value) {
		m.Mask, m.Y = atem.SetSuperSourceBoxMaskY, scaled[int16](v, 100)
	})
	set("size", &defBoxSize, device.OfFloat(float64(v.Size)/1000), func(m *atem.SetSuperSourceBox, v device.Value) {
		m.Mask, m.Size = atem.SetSuperSourceBoxMaskSize, scaled[uint16](v, 1000)
	})
	set("cropped", &defBoxCrop, device.OfBool(v.Cropped), func(m *atem.SetSuperSourceBox, v device.Value) {
		m.Mask, m.Cropped = atem.SetSuperSourceBoxMaskCropped, v.Bool()
	})
}
