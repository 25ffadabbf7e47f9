package atem

import (
	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/atem"
)

var (
	defKeyOnAir = def{kind: device.Bool, rate: device.Fast, title: "Keyer on air", role: "av.keyer.on-air", hazard: device.HazardLive}
	defKeyType  = def{kind: device.Enum, rate: device.Normal, labels: labelsKeyType, title: "Keyer type", role: "av.keyer.type", hazard: device.HazardLive}
	defKeyFill  = def{kind: device.Enum, rate: device.Normal, labels: labelsSources, title: "Fill", role: "av.keyer.fill", hazard: device.HazardLive}
	defKeyKey   = def{kind: device.Enum, rate: device.Normal, labels: labelsSources, title: "Key", role: "av.keyer.key", hazard: device.HazardLive}
	defKeyFly   = def{kind: device.Bool, rate: device.Normal, title: "Fly", doc: "the key is moved by a DVE", hazard: device.HazardLive}

	defDSKOnAir   = def{kind: device.Bool, rate: device.Fast, title: "Downstream keyer on air", role: "av.dsk.on-air", hazard: device.HazardLive}
	defDSKRunning = def{kind: device.Bool, rate: device.Fast, title: "In transition", role: "av.dsk.running"}
	defDSKLeft    = def{kind: device.Int, rate: device.Fast, unit: "frames", title: "Frames left", doc: "of the keyer's transition"}
	defDSKTie     = def{kind: device.Bool, rate: device.Normal, title: "Tie", doc: "it goes with the next transition", role: "av.dsk.tie", hazard: device.HazardLive}
	defDSKRate    = def{kind: device.Int, rate: device.Normal, unit: "frames", min: 0, max: maxRate, step: 1, title: "Rate", role: "av.dsk.rate"}
	defDSKFill    = def{kind: device.Enum, rate: device.Normal, labels: labelsSources, title: "Fill", role: "av.dsk.fill", hazard: device.HazardLive}
	defDSKKey     = def{kind: device.Enum, rate: device.Normal, labels: labelsSources, title: "Key", role: "av.dsk.key", hazard: device.HazardLive}
)

func keyPath(me, keyer uint8, what string) device.Path {
	return device.Join("me", number(me), "keyers", number(keyer), what)
}

// hasKeyer reports whether a keyer is there.
func (b *board) hasKeyer(me, keyer uint8) bool {
	n, ok := b.seen.keyers[me]
	return b.hasME(me) && (!ok || keyer < n)
}

func takeKeyOnAir(b *board, v *atem.KeyOnAir) {
	me, keyer := v.ME, v.Keyer
	if !b.hasKeyer(me, keyer) {
		return
	}
	b.put(keyPath(me, keyer, "on-air"), &defKeyOnAir, device.OfBool(v.OnAir), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetKeyOnAir{ME: me, Keyer: keyer, OnAir: v.Bool()}), nil
	})
}

func takeKeyBase(b *board, v *atem.KeyBase) {
	me, keyer := v.ME, v.Keyer
	if !b.hasKeyer(me, keyer) {
		return
	}
	b.put(keyPath(me, keyer, "type"), &defKeyType, device.OfEnum(int64(v.KeyType)), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetKeyType{Mask: atem.SetKeyTypeMaskKeyType, ME: me, Keyer: keyer, KeyType: atem.KeyType(v.Int())}), nil
	})
	b.put(keyPath(me, keyer, "fill"), &defKeyFill, device.OfEnum(int64(v.FillSource)), func(b *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetKeyFillSource{ME: me, Keyer: keyer, FillSource: atem.SourceID(v.Int())}), b.usable(v, "M/E "+number(me), onME(me))
	})
	b.put(keyPath(me, keyer, "key"), &defKeyKey, device.OfEnum(int64(v.KeySource)), func(b *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetKeyCutSource{ME: me, Keyer: keyer, KeySource: atem.SourceID(v.Int())}), b.usable(v, "a key", func(in *atem.InputProperties) bool {
			return in.UsableIn&atem.UsableInKeySource != 0
		})
	})
	if v.CanFly {
		b.put(keyPath(me, keyer, "fly"), &defKeyFly, device.OfBool(v.Fly), func(_ *board, v device.Value) ([]atem.Message, error) {
			return one(&atem.SetKeyType{Mask: atem.SetKeyTypeMaskFly, ME: me, Keyer: keyer, Fly: v.Bool()}), nil
		})
	}
}

func dskPath(dsk uint8, what string) device.Path { return device.Join("dsk", number(dsk), what) }

// hasDSK reports whether a downstream keyer is there.
func (b *board) hasDSK(dsk uint8) bool { return b.seen.top == nil || dsk < b.seen.top.DSKs }

func takeDSKSources(b *board, v *atem.DownstreamKeySources) {
	dsk := v.DSK
	if !b.hasDSK(dsk) {
		return
	}
	b.put(dskPath(dsk, "fill"), &defDSKFill, device.OfEnum(int64(v.FillSource)), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetDownstreamKeyFillSource{DSK: dsk, FillSource: atem.SourceID(v.Int())}), nil
	})
	b.put(dskPath(dsk, "key"), &defDSKKey, device.OfEnum(int64(v.KeySource)), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetDownstreamKeyCutSource{DSK: dsk, KeySource: atem.SourceID(v.Int())}), nil
	})
}

func takeDSKProperties(b *board, v *atem.DownstreamKeyProperties) {
	dsk := v.DSK
	if !b.hasDSK(dsk) {
		return
	}
	b.put(dskPath(dsk, "tie"), &defDSKTie, device.OfBool(v.Tie), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetDownstreamKeyTie{DSK: dsk, Tie: v.Bool()}), nil
	})
	b.put(dskPath(dsk, "rate"), &defDSKRate, device.OfInt(int64(v.Rate)), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetDownstreamKeyRate{DSK: dsk, Rate: uint8(v.Int())}), nil
	})
}

func takeDSKState(b *board, v *atem.DownstreamKeyState) {
	dsk := v.DSK
	if !b.hasDSK(dsk) {
		return
	}
	b.put(dskPath(dsk, "on-air"), &defDSKOnAir, device.OfBool(v.OnAir), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetDownstreamKeyOnAir{DSK: dsk, OnAir: v.Bool()}), nil
	})
	b.put(dskPath(dsk, "running"), &defDSKRunning, device.OfBool(v.InTransition), nil)
	b.put(dskPath(dsk, "frames-left"), &defDSKLeft, device.OfInt(int64(v.FramesLeft)), nil)
	b.command(command{Command: device.Command{Path: dskPath(dsk, "auto"), Title: "Auto", Doc: "fades the keyer in or out", Hazard: device.HazardLive, Grade: device.GradeInferred},
		do:    func([]device.Value) []atem.Message { return one(&atem.DownstreamKeyAuto{DSK: dsk}) },
		shows: []atem.Code{atem.CodeDskS}})
}
