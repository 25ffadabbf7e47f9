package atem

import (
	"math"
	"strconv"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/atem"
)

// silent is the level in dB that stands for no sound at all, in both mixers.
const silent = -100

var (
	defClassicGain = def{kind: device.Float, rate: device.Normal, unit: "dB", min: silent, max: 6, decimals: 2, title: "Gain", doc: "-100 is silence", role: "audio.gain", hazard: device.HazardLive}
	defFader       = def{kind: device.Float, rate: device.Normal, unit: "dB", min: silent, max: 10, step: 0.01, decimals: 2, title: "Fader", doc: "-100 is silence", role: "audio.gain", hazard: device.HazardLive}
	defInputGain   = def{kind: device.Float, rate: device.Normal, unit: "dB", min: silent, max: 6, step: 0.01, decimals: 2, title: "Input gain", doc: "-100 is silence", hazard: device.HazardLive}
	defBalance     = def{kind: device.Float, rate: device.Normal, min: -1, max: 1, decimals: 4, step: 0.0001, title: "Balance", doc: "left to right", role: "audio.balance", hazard: device.HazardLive}
	defMix         = def{kind: device.Enum, rate: device.Normal, labels: labelsMix, title: "Mixed", doc: "off, on, or on while its picture is on program", role: "audio.on", hazard: device.HazardLive}
	defDelay       = def{kind: device.Int, rate: device.Slow, unit: "frames", min: 0, max: 8, step: 1, title: "Delay", hazard: device.HazardLive}
	defFollowFade  = def{kind: device.Bool, rate: device.Slow, title: "Follows fade to black", doc: "the sound fades with the picture", hazard: device.HazardLive}
	defMeter       = def{kind: device.Float, rate: device.Meter, unit: "dB", min: silent, max: 0, decimals: 2, title: "Level", doc: "-100 is silence", role: "audio.meter", grade: device.GradeInferred}
)

// meter is the two points of a level.
type meter struct{ left, right device.Path }

// declareMeter makes the points of a level, which come only while they are wanted.
func (b *board) declareMeter(at device.Path) *meter {
	m := b.seen.levels[at]
	if m == nil {
		m = &meter{at.Child("meter/left"), at.Child("meter/right")}
		b.seen.levels[at] = m
		b.declare(m.left, &defMeter, nil)
		b.declare(m.right, &defMeter, nil)
	}
	return m
}

func (b *board) meter(at device.Path, left, right float64) {
	m := b.seen.levels[at]
	if m == nil {
		return // a level of something that the mixer does not have
	}
	b.put(m.left, &defMeter, device.OfFloat(left), nil)
	b.put(m.right, &defMeter, device.OfFloat(right), nil)
}

// named gives the points of an input the names of the source that it belongs to.
func (b *board) named(p *point, source atem.AudioSource) {
	words := map[string]string{"source": source.String()}
	if in, ok := b.seen.inputs[atem.SourceID(source)]; ok && int(source) < 1000 { // sources of sound have numbers of their own above
		words["name"], words["label"] = valid(in.Name), valid(in.Label)
	}
	b.attributes(p, words)
}

// The classic mixer's gain is linear: 32768 is 0 dB.
const unity = 32768

// gainMemory keeps what was written for a gain, since the switcher's steps are coarse where it is quiet: the value that was
// asked for stays what is shown.
type gainMemory struct {
	raw uint16
	db  float64
}

func (m *gainMemory) show(raw uint16) float64 {
	if raw != 0 && raw == m.raw {
		return m.db
	}
	return decibels(float64(raw), unity)
}

func (m *gainMemory) write(db float64) uint16 {
	m.db, m.raw = db, 0
	if db > silent {
		m.raw = uint16(min(math.Round(unity*math.Pow(10, db/20)), math.MaxUint16))
	}
	return m.raw
}

// decibels is 20 log10(raw/full), with two digits.
func decibels(raw, full float64) float64 {
	if raw <= 0 {
		return silent
	}
	return max(math.Round(2000*math.Log10(raw/full))/100, silent)
}

func hundredths[T ~int16 | ~int32](raw T) float64 { return max(float64(raw)/100, silent) }

// classicMaster is the key of the master among the memories.
const classicMaster atem.AudioSource = 0

func (b *board) memory(s atem.AudioSource) *gainMemory {
	m := b.seen.classic[s]
	if m == nil {
		m = new(gainMemory)
		b.seen.classic[s] = m
	}
	return m
}

// fullBalance is the balance at one end, in both mixers.
const fullBalance = 10000

func takeClassicInput(b *board, v *atem.ClassicInput) {
	s := v.Source
	at := device.Join("audio", sourceSegment(s))
	m := b.memory(s)
	p := b.put(at.Child("gain"), &defClassicGain, device.OfFloat(m.show(v.Gain)), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetClassicInput{Mask: atem.SetClassicInputMaskGain, Source: s, Gain: m.write(v.Float())}), nil
	})
	b.named(p, s)
	b.put(at.Child("balance"), &defBalance, device.OfFloat(float64(v.Balance)/fullBalance), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetClassicInput{Mask: atem.SetClassicInputMaskBalance, Source: s, Balance: scaled[int16](v, fullBalance)}), nil
	})
	b.put(at.Child("mix"), &defMix, device.OfEnum(int64(v.Mix)), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetClassicInput{Mask: atem.SetClassicInputMaskMix, Source: s, Mix: atem.ClassicMix(v.Int())}), nil
	})
	b.declareMeter(at)
}

func takeClassicMaster(b *board, v *atem.ClassicMaster) {
	m := b.memory(classicMaster)
	b.put("audio/master/gain", &defClassicGain, device.OfFloat(m.show(v.Gain)), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetClassicMaster{Mask: atem.SetClassicMasterMaskGain, Gain: m.write(v.Float())}), nil
	})
	b.put("audio/master/balance", &defBalance, device.OfFloat(float64(v.Balance)/fullBalance), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetClassicMaster{Mask: atem.SetClassicMasterMaskBalance, Balance: scaled[int16](v, fullBalance)}), nil
	})
	b.put("audio/master/follow-ftb", &defFollowFade, device.OfBool(v.FollowFTB), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetClassicMaster{Mask: atem.SetClassicMasterMaskFollowFTB, FollowFTB: v.Bool()}), nil
	})
	b.declareMeter("audio/master")
}

// fullLevel is 0 dB in the meters of the classic mixer.
const fullLevel = 8388608

func takeClassicLevels(b *board, v *atem.ClassicLevels) {
	b.meter("audio/master", decibels(float64(v.MasterLeft), fullLevel), decibels(float64(v.MasterRight), fullLevel))
	for i, l := range v.Levels {
		if i < len(v.Sources) {
			b.meter(device.Join("audio", sourceSegment(v.Sources[i])), decibels(float64(l.Left), fullLevel), decibels(float64(l.Right), fullLevel))
		}
	}
}

// stripKey is how the Fairlight mixer names a strip.
type stripKey struct {
	source atem.AudioSource
	id     int64
}

// The strips of an input: a stereo one, or two.
const (
	stripStereo int64 = -65280
	stripFirst  int64 = -256
	stripSecond int64 = -255
)

// stripPath is audio/1 for the strip of a stereo input, audio/1-1 and audio/1-2 for those of one that was taken apart.
func stripPath(k stripKey) device.Path {
	name := sourceSegment(k.source)
	switch k.id {
	case stripStereo:
	case stripFirst:
		name += "-1"
	case stripSecond:
		name += "-2"
	default:
		name += "-x" + strconv.FormatUint(uint64(k.id), 16)
	}
	return device.Join("audio", name)
}

func takeStrip(b *board, v *atem.FairlightStrip) {
	k := stripKey{v.Source, v.StripID}
	at := stripPath(k)
	b.seen.strips[k] = at
	set := func(what string, d *def, now device.Value, make func(*atem.SetFairlightStrip, device.Value)) *point {
		return b.put(at.Child(what), d, now, func(_ *board, v device.Value) ([]atem.Message, error) {
			m := &atem.SetFairlightStrip{Source: k.source, StripID: k.id}
			make(m, v)
			return one(m), nil
		})
	}
	p := set("gain", &defFader, device.OfFloat(hundredths(v.Fader)), func(m *atem.SetFairlightStrip, v device.Value) {
		m.Mask, m.Fader = atem.SetFairlightStripMaskFader, int32(math.Round(v.Float()*100))
	})
	b.named(p, k.source)
	set("input-gain", &defInputGain, device.OfFloat(hundredths(v.Gain)), func(m *atem.SetFairlightStrip, v device.Value) {
		m.Mask, m.Gain = atem.SetFairlightStripMaskGain, int32(math.Round(v.Float()*100))
	})
	set("balance", &defBalance, device.OfFloat(float64(v.Balance)/fullBalance), func(m *atem.SetFairlightStrip, v device.Value) {
		m.Mask, m.Balance = atem.SetFairlightStripMaskBalance, scaled[int16](v, fullBalance)
	})
	set("mix", &defMix, device.OfEnum(fairlightMix(v.Mix)), func(m *atem.SetFairlightStrip, v device.Value) {
		m.Mask, m.Mix = atem.SetFairlightStripMaskMix, [...]atem.FairlightMix{atem.FairlightMixOff, atem.FairlightMixOn, atem.FairlightMixAudioFollowVideo}[v.Int()%3]
	})
	if v.MaxDelayFrames > 0 {
		set("delay", &defDelay, device.OfInt(int64(v.DelayFrames)), func(m *atem.SetFairlightStrip, v device.Value) {
			m.Mask, m.DelayFrames = atem.SetFairlightStripMaskDelayFrames, uint8(v.Int())
		})
	}
	b.declareMeter(at)
}

func fairlightMix(m atem.FairlightMix) int64 {
	switch {
	case m&atem.FairlightMixAudioFollowVideo != 0:
		return mixWithVideo
	case m&atem.FairlightMixOn != 0:
		return mixOn
	}
	return mixOff
}

func takeStripRemoved(b *board, v *atem.FairlightStripRemoved) {
	k := stripKey{v.Source, v.StripID}
	if at, ok := b.seen.strips[k]; ok {
		delete(b.seen.strips, k)
		delete(b.seen.levels, at)
		b.remove(at)
	}
}

func takeFairlightMaster(b *board, v *atem.FairlightMaster) {
	b.put("audio/master/gain", &defFader, device.OfFloat(hundredths(v.Gain)), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetFairlightMaster{Mask: atem.SetFairlightMasterMaskGain, Gain: int32(math.Round(v.Float() * 100))}), nil
	})
	b.put("audio/master/follow-ftb", &defFollowFade, device.OfBool(v.FollowFTB), func(_ *board, v device.Value) ([]atem.Message, error) {
		return one(&atem.SetFairlightMaster{Mask: atem.SetFairlightMasterMaskFollowFTB, FollowFTB: v.Bool()}), nil
	})
	b.declareMeter("audio/master")
}

func takeStripLevels(b *board, v *atem.FairlightStripLevels) {
	if at, ok := b.seen.strips[stripKey{v.Source, v.StripID}]; ok {
		b.meter(at, hundredths(v.LeftLevel), hundredths(v.RightLevel))
	}
}

func takeMasterLevels(b *board, v *atem.FairlightMasterLevels) {
	b.meter("audio/master", hundredths(v.LeftLevel), hundredths(v.RightLevel))
}
