package atemsim

import "github.com/patchbay-io/patchbay/protocol/atem"

// Effects of a strip or of the master as they are at the start.

func bands() []atem.FairlightStripEQBand {
	const ends = atem.EQShapeLowShelf | atem.EQShapeLowPass | atem.EQShapeHighPass | atem.EQShapeHighShelf
	const middle = atem.EQShapeLowShelf | atem.EQShapeBandPass | atem.EQShapeNotch | atem.EQShapeHighShelf
	const every = atem.EQRangeLow | atem.EQRangeMidLow | atem.EQRangeMidHigh | atem.EQRangeHigh
	return []atem.FairlightStripEQBand{
		{Band: 0, ShapesSupported: ends, Shape: atem.EQShapeHighPass, RangesSupported: atem.EQRangeLow, Range: atem.EQRangeLow, Frequency: 46, Q: 71},
		{Band: 1, Enabled: true, ShapesSupported: middle, Shape: atem.EQShapeLowShelf, RangesSupported: every, Range: atem.EQRangeLow, Frequency: 50, Q: 100},
		{Band: 2, Enabled: true, ShapesSupported: middle, Shape: atem.EQShapeBandPass, RangesSupported: every, Range: atem.EQRangeMidLow, Frequency: 170, Q: 200},
		{Band: 3, Enabled: true, ShapesSupported: middle, Shape: atem.EQShapeBandPass, RangesSupported: every, Range: atem.EQRangeMidHigh, Frequency: 800, Q: 200},
		{Band: 4, Enabled: true, ShapesSupported: middle, Shape: atem.EQShapeHighShelf, RangesSupported: every, Range: atem.EQRangeHigh, Frequency: 7260, Q: 100},
		{Band: 5, ShapesSupported: ends, Shape: atem.EQShapeLowPass, RangesSupported: atem.EQRangeHigh, Range: atem.EQRangeHigh, Frequency: 12900, Q: 71},
	}
}

// strip is everything about a strip, in the order of a dump.
func strip(like atem.FairlightStrip, source atem.AudioSource, id int64) []atem.Message {
	like.Source, like.StripID, like.Kind = source, id, atem.FairlightStripKindStereo
	if id != stereoStrip {
		like.Kind = atem.FairlightStripKindMono
	}
	out := []atem.Message{&like}
	for _, band := range bands() {
		band.Source, band.StripID = source, id
		out = append(out, &band)
	}
	return append(out,
		&atem.FairlightStripExpander{Source: source, StripID: id, Threshold: -4500, Range: 1800, Ratio: 110, Attack: 140, Release: 9300},
		&atem.FairlightStripCompressor{Source: source, StripID: id, Threshold: -3500, Ratio: 200, Attack: 140, Release: 9300},
		&atem.FairlightStripLimiter{Source: source, StripID: id, Threshold: -1200, Attack: 71, Release: 9300})
}

func (m *machine) addStrip(like atem.FairlightStrip, source atem.AudioSource, id int64) {
	for _, v := range strip(like, source, id) {
		m.set(v)
	}
}

func (b *builder) fairlightMixer() {
	b.add(&atem.FairlightMixer{})
	var tally atem.FairlightTally
	add := func(id atem.AudioSource, in atem.FairlightInput, mixes atem.FairlightMix, delay uint8) {
		in.Source, in.ConfigsSupported, in.Config = id, atem.FairlightInputConfigStereo|atem.FairlightInputConfigDualMono, atem.FairlightInputConfigStereo
		b.add(&in)
		b.add(strip(atem.FairlightStrip{MaxDelayFrames: delay, EQBands: 6, EQEnabled: true, MixSupported: mixes, Mix: atem.FairlightMixOff}, id, stereoStrip)...)
		tally.Strips = append(tally.Strips, atem.FairlightTallyEntry{StripID: stereoStrip, Source: id})
	}
	const both = atem.FairlightMixOff | atem.FairlightMixOn
	for i, p := range b.inputs {
		add(atem.AudioSource(i+1), atem.FairlightInput{Port: atem.AudioPort(p.kind)}, both|atem.FairlightMixAudioFollowVideo, 0)
	}
	for _, mic := range b.mics {
		add(mic, atem.FairlightInput{InputType: atem.FairlightInputKindAudioIn, Port: atem.AudioPortTs,
			LevelsSupported: atem.AnalogueLevelMicrophone | atem.AnalogueLevelConsumerLine, Level: atem.AnalogueLevelMicrophone}, both, 8)
	}
	b.add(&tally, &atem.FairlightMaster{EQBands: 6, EQEnabled: true})
	for _, band := range bands() {
		b.add(&atem.FairlightMasterEQBand{Band: band.Band, Enabled: band.Enabled, ShapesSupported: band.ShapesSupported, Shape: band.Shape,
			RangesSupported: band.RangesSupported, Range: band.Range, Frequency: band.Frequency, Q: band.Q})
	}
	b.add(&atem.FairlightMasterCompressor{Threshold: -3500, Ratio: 200, Attack: 140, Release: 9300},
		&atem.FairlightMasterLimiter{Threshold: -1200, Attack: 71, Release: 9300},
		&atem.FairlightMonitor{Gain: -1500, InputMasterGain: -600, InputMasterEnabled: true, InputTalkbackGain: -6000, InputSidetoneGain: -6000},
		&atem.FairlightSolo{Source: 1, StripID: -1})
}

func (b *builder) classicMixer() {
	b.add(&atem.ClassicMixer{})
	var tally atem.ClassicTally
	add := func(id atem.AudioSource, kind atem.ClassicSourceKind, port atem.AudioPort) {
		b.add(&atem.ClassicInput{Source: id, Kind: kind, IndexOfSourceType: uint16(id), PortType: port, Gain: 32768})
		tally.Sources = append(tally.Sources, atem.ClassicTallyEntry{Source: id})
	}
	for i, p := range b.inputs {
		add(atem.AudioSource(i+1), atem.ClassicSourceKindExternalVideo, atem.AudioPort(p.kind))
	}
	for _, mic := range b.mics {
		port := atem.AudioPortXLR
		if mic == atem.AudioSourceRCA {
			port = atem.AudioPortRCA
		}
		add(mic, atem.ClassicSourceKindExternalAudio, port)
	}
	for p := range atem.AudioSource(b.players) {
		add(atem.AudioSourceMediaPlayer1+p, atem.ClassicSourceKindMediaPlayer, atem.AudioPortInternal)
	}
	b.add(&atem.ClassicMaster{Gain: 32768}, &atem.ClassicMonitor{Gain: 32768, SoloSource: 1, DimLevel: 2000}, &tally)
	if b.talkback {
		b.add(&atem.ClassicHeadphones{Gain: 32768, ProgramOutGain: 32768, TalkbackGain: 32768}, &atem.TalkbackMixer{})
	}
}
