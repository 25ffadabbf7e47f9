package atemsim

import "github.com/patchbay-io/patchbay/protocol/atem"

// builder makes the state of a model, in the order of a dump.
type builder struct {
	*model
	st      *atem.State
	sources []atem.SourceID
	rate    uint8 // of everything that takes time: a second
}

func (b *builder) add(values ...atem.Message) {
	for _, v := range values {
		f, _, err := atem.Next(v.Append(nil, b.st.Version()))
		if err == nil {
			b.st.Apply(&f)
		}
	}
}

func (b *builder) build() {
	b.rate = uint8(min(frameRate(b.mode), 250))
	b.device()
	b.inputsAndOutputs()
	b.views()
	for me := range b.mes {
		b.mixEffect(me)
	}
	for d := range b.dsks {
		b.downstream(d)
	}
	for me := range b.mes {
		b.add(&atem.FadeToBlackRate{ME: me, Rate: b.rate}, &atem.FadeToBlackState{ME: me, FramesLeft: b.rate})
	}
	b.add(&atem.ColourGenerator{Generator: 0, Hue: 2200, Saturation: 800, Luma: 400}, &atem.ColourGenerator{Generator: 1, Hue: 300, Saturation: 900, Luma: 500})
	for aux := range b.auxes {
		b.add(&atem.AuxSource{Aux: aux, Source: atem.SourceIDME1Program})
	}
	b.media()
	for h := range uint16(b.hyperdecks) {
		b.add(&atem.HyperDeckSettings{HyperDeck: h, StorageMediaCount: 2}, &atem.HyperDeckTransport{HyperDeck: h, State: atem.HyperDeckStateIdle},
			&atem.HyperDeckStorage{HyperDeck: h, ActiveStorageMedia: -1, CurrentClipID: -1}, &atem.HyperDeckClipCount{HyperDeck: h})
	}
	for ss := range b.superSources {
		b.superSource(ss)
	}
	if b.fairlight {
		b.fairlightMixer()
	} else {
		b.classicMixer()
	}
	b.end()
}

func (b *builder) device() {
	b.add(&atem.ProtocolVersion{Major: 2, Minor: b.minor}, &atem.Product{Name: b.product, Model: b.model.model})
	stingers := uint8(0)
	if b.stinger {
		stingers = b.mes
	}
	talkback, serial := uint8(0), uint8(0)
	if b.talkback {
		talkback, serial = 1, 1
	}
	b.add(&atem.Topology{MEs: b.mes, Sources: uint8(len(b.sourceList())), DSKs: b.dsks, Auxes: b.auxes, MediaPlayers: b.players, Multiviewers: b.multiviewers,
		SerialPorts: serial, HyperDecks: b.hyperdecks, DVEs: 1, Stingers: stingers, SuperSources: b.superSources, TalkbackChannels: talkback,
		HasCameraControl: true, HasAdvancedChroma: b.advanced})
	for me := range b.mes {
		b.add(&atem.MixEffectConfig{ME: me, Keyers: b.keyers})
	}
	b.add(&atem.MediaPoolConfig{Stills: b.stills, Clips: b.clips})
	if b.multiviewers > 0 {
		b.add(&atem.MultiviewerConfig{Count: b.multiviewers, Windows: b.windows, CanChangeLayout: true, CanRoute: true, VUSupported: true, CanSafeArea: true,
			CanSwap: true, HasQuadrants: b.windows > 10})
	}
	for ss := range b.superSources {
		b.add(&atem.SuperSourceConfig{SuperSource: ss, Boxes: 4})
	}
	audio := uint8(len(b.inputs) + len(b.mics))
	if b.fairlight {
		b.add(&atem.FairlightMixerConfig{Inputs: audio, Monitors: 1}, &atem.FairlightEQConfig{Ranges: []atem.FairlightEQRangeLimits{
			{Range: atem.EQRangeLow, MinHz: 30, MaxHz: 395}, {Range: atem.EQRangeMidLow, MinHz: 100, MaxHz: 1480},
			{Range: atem.EQRangeMidHigh, MinHz: 450, MaxHz: 7910}, {Range: atem.EQRangeHigh, MinHz: 1400, MaxHz: 21700},
		}})
	} else {
		b.add(&atem.ClassicAudioConfig{Inputs: audio + b.players, Monitors: 1, Headphones: talkback})
	}
	modes := []atem.VideoMode{atem.VideoMode720p50, atem.VideoMode720p5994, atem.VideoMode1080i50, atem.VideoMode1080i5994, atem.VideoMode1080p25,
		atem.VideoMode1080p2997, atem.VideoMode1080p50, atem.VideoMode1080p5994}
	var list atem.VideoModeConfig
	for _, m := range modes {
		list.Modes = append(list.Modes, atem.VideoModeAbility{Mode: m, MultiviewModes: 1 << m, DownConvertModes: 1 << m})
	}
	b.add(&list, &atem.MacroPoolConfig{Macros: b.macros})
	b.add(&atem.DVEConfig{CanScaleUp: true, Styles: []atem.DVEEffect{atem.DVEEffectSqueezeLeft, atem.DVEEffectSqueezeRight, atem.DVEEffectPushLeft, atem.DVEEffectPushRight,
		atem.DVEEffectPushTop, atem.DVEEffectPushBottom}})
	b.add(&atem.Power{PSU1: true}, &atem.VideoStandard{Mode: b.mode}, &atem.AutoVideoMode{})
	if b.minor >= 30 {
		b.add(&atem.TimecodeMode{})
	}
	b.add(&atem.TimecodeLocked{})
}

// input is a source with where it may be used.
type input struct {
	id          atem.SourceID
	name, label string
	kind        atem.VideoPort
	internal    atem.InternalPort
	in          atem.UsableIn
	me          atem.UsableOnME
}

func (b *builder) sourceList() (list []input) {
	const everywhere = atem.UsableInAuxiliary | atem.UsableInMultiviewer | atem.UsableInSuperSourceArt | atem.UsableInSuperSourceBox | atem.UsableInKeySource
	const shown = atem.UsableInAuxiliary | atem.UsableInMultiviewer
	every := atem.UsableOnME(1<<b.mes - 1)
	internal := func(id atem.SourceID, name, label string, port atem.InternalPort, in atem.UsableIn, me atem.UsableOnME) {
		list = append(list, input{id, name, label, atem.VideoPortInternal, port, in, me})
	}
	internal(0, "Black", "BLK", atem.InternalPortBlack, everywhere, every)
	for i, p := range b.inputs {
		list = append(list, input{atem.SourceID(i + 1), p.name, p.label, p.kind, atem.InternalPortExternal, everywhere, every})
	}
	internal(1000, "Color Bars", "BARS", atem.InternalPortBars, everywhere, every)
	internal(2001, "Color 1", "COL1", atem.InternalPortColourGenerator, everywhere&^atem.UsableInKeySource, every)
	internal(2002, "Color 2", "COL2", atem.InternalPortColourGenerator, everywhere&^atem.UsableInKeySource, every)
	for p := range atem.SourceID(b.players) {
		n := string(rune('1' + p))
		internal(3010+10*p, "Media Player "+n, "MP"+n, atem.InternalPortMediaPlayerFill, everywhere, every)
		internal(3011+10*p, "Media Player "+n+" Key", "MP"+n+"K", atem.InternalPortMediaPlayerKey, everywhere, every)
	}
	for ss := range atem.SourceID(b.superSources) {
		internal(6000+ss, "SuperSource", "SSRC", atem.InternalPortSuperSource, everywhere&^atem.UsableInSuperSourceArt, every)
	}
	if b.masks {
		for k := range atem.SourceID(b.mes * b.keyers) {
			n := string(rune('1' + k))
			internal(4010+10*k, "Key "+n+" Mask", "K"+n+"M", atem.InternalPortMask, shown, 0)
		}
		for d := range atem.SourceID(b.dsks) {
			n := string(rune('1' + d))
			internal(5010+10*d, "DSK "+n+" Mask", "D"+n+"M", atem.InternalPortMask, shown, 0)
		}
	}
	for c := range atem.SourceID(b.clean) {
		n := string(rune('1' + c))
		internal(7001+c, "Clean Feed "+n, "CFD"+n, atem.InternalPortMEOutput, shown, 0)
	}
	for a := range atem.SourceID(b.auxes) {
		n := string(rune('1' + a))
		internal(8001+a, "Output "+n, "OUT"+n, atem.InternalPortAuxiliary, atem.UsableInMultiviewer, 0)
	}
	if b.webcam {
		internal(8200, "Webcam Out", "WEBC", atem.InternalPortAuxiliary, atem.UsableInMultiviewer, 0)
	}
	for v := range atem.SourceID(b.multiviewers) {
		n := string(rune('1' + v))
		internal(9001+v, "MultiView "+n, "MV"+n, atem.InternalPortMultiviewer, atem.UsableInAuxiliary, 0)
	}
	if b.recording {
		internal(9101, "Recording Status", "RECS", atem.InternalPortMultiviewer, atem.UsableInMultiviewer, 0)
		internal(9102, "Streaming Status", "STRS", atem.InternalPortMultiviewer, atem.UsableInMultiviewer, 0)
	}
	for me := range atem.SourceID(b.mes) {
		n := string(rune('1' + me))
		on := atem.UsableOnME(0)
		if me > 0 {
			on = atem.UsableOnMEME1
		}
		program, preview, l1, l2 := "M/E "+n+" Program", "M/E "+n+" Preview", "ME"+n+"P", "ME"+n+"V"
		if me == 0 {
			program, preview, l1, l2 = "Program", "Preview", "PGM", "PVW"
		}
		internal(10010+10*me, program, l1, atem.InternalPortMEOutput, shown, on)
		internal(10011+10*me, preview, l2, atem.InternalPortMEOutput, shown, on)
	}
	for d := range b.direct {
		p := b.inputs[d]
		list = append(list, input{11001 + atem.SourceID(d), p.name + " Direct", "DIR" + string(rune('1'+d)), p.kind, atem.InternalPortExternalDirect, atem.UsableInAuxiliary, 0})
	}
	return list
}

func (b *builder) inputsAndOutputs() {
	for _, in := range b.sourceList() {
		b.add(&atem.InputProperties{Source: in.id, Name: in.name, Label: in.label, NamesAreDefault: true, PortsAvailable: in.kind, Port: in.kind,
			InternalPort: in.internal, UsableIn: in.in, UsableOnME: in.me})
		if in.id < 8000 || in.id >= 10010 && in.id < 11000 {
			b.sources = append(b.sources, in.id)
		}
	}
}

func (b *builder) views() {
	for v := range b.multiviewers {
		b.add(&atem.MultiviewerLayout{Multiviewer: v, Layout: atem.MultiviewLayoutBottomLeftSmall | atem.MultiviewLayoutBottomRightSmall})
		for w := range b.windows {
			source := atem.SourceID(int(w)-1) % atem.SourceID(len(b.inputs)+1)
			switch w {
			case 0:
				source = atem.SourceIDME1Preview
			case 1:
				source = atem.SourceIDME1Program
			}
			b.add(&atem.MultiviewerWindow{Multiviewer: v, Window: w, Source: source, VUSupported: true, SafeAreaSupported: w == 0},
				&atem.WindowVUMeter{Multiviewer: v, Window: w}, &atem.WindowSafeArea{Multiviewer: v, Window: w})
			if b.minor >= 31 {
				b.add(&atem.WindowLabelSupport{Multiviewer: v, Window: w, LabelSupported: true},
					&atem.WindowOverlay{Multiviewer: v, Window: w, LabelVisible: true, BorderVisible: true})
			}
		}
		b.add(&atem.VUOpacity{Multiviewer: v, Opacity: 100})
		if b.minor >= 31 {
			b.add(&atem.MultiviewerBorderColour{Multiviewer: v, Red: 590, Green: 590, Blue: 590, Alpha: 1000})
		}
	}
}

func (b *builder) mixEffect(me uint8) {
	fill, key := atem.SourceIDMediaPlayer1, atem.SourceIDMediaPlayer1Key
	b.add(&atem.ProgramSource{ME: me, Source: 1}, &atem.PreviewSource{ME: me, Source: 2},
		&atem.TransitionSelection{ME: me, Layers: atem.TransitionLayersBackground, NextLayers: atem.TransitionLayersBackground},
		&atem.TransitionPreview{ME: me}, &atem.TransitionPosition{ME: me, FramesLeft: b.rate}, &atem.MixSettings{ME: me, Rate: b.rate},
		&atem.DipSettings{ME: me, Rate: b.rate, Input: atem.SourceIDColor1},
		&atem.WipeSettings{ME: me, Rate: b.rate, BorderInput: atem.SourceIDColor1, Symmetry: 5000, X: 5000, Y: 5000},
		&atem.DVESettings{ME: me, Rate: b.rate, LogoRate: b.rate, Style: atem.DVEEffectPushLeft, FillSource: fill, KeySource: key, Clip: 500, Gain: 700},
	)
	if b.stinger {
		b.add(&atem.StingerSettings{ME: me, Source: atem.StingerSourceMediaPlayer1, Premultiplied: true, Clip: 500, Gain: 700, ClipDuration: 60, TriggerPoint: 30, MixRate: 5})
	}
	for k := range b.keyers {
		b.keyer(me, k, fill, key)
	}
}

func (b *builder) keyer(me, k uint8, fill, key atem.SourceID) {
	b.add(&atem.KeyOnAir{ME: me, Keyer: k},
		&atem.KeyBase{ME: me, Keyer: k, KeyType: atem.KeyTypeLuma, CanFly: true, FillSource: fill, KeySource: key, MaskTop: 9000, MaskBottom: -9000, MaskLeft: -16000, MaskRight: 16000},
		&atem.LumaKey{ME: me, Keyer: k, Premultiplied: true, Clip: 500, Gain: 700})
	if b.advanced {
		b.add(&atem.AdvancedChromaKey{ME: me, Keyer: k, KeyEdge: 500, Saturation: 1000}, &atem.AdvancedChromaSample{ME: me, Keyer: k, CursorSize: 620})
	} else {
		b.add(&atem.ChromaKey{ME: me, Keyer: k, Hue: 1200, Gain: 600, YSuppress: 300, Lift: 0})
	}
	b.add(&atem.PatternKey{ME: me, Keyer: k, Pattern: atem.PatternCircleIris, Size: 5000, Symmetry: 5000, X: 5000, Y: 5000},
		&atem.DVEKey{ME: me, Keyer: k, Width: 500, Height: 500, BorderOpacity: 100, LightDirection: 360, LightAltitude: 25, MaskTop: 0, Rate: b.rate},
		&atem.FlyKeyState{ME: me, Keyer: k})
	for _, f := range []atem.FlyFrame{atem.FlyFrameA, atem.FlyFrameB} {
		b.add(&atem.FlyKeyFrame{ME: me, Keyer: k, KeyFrame: f, Width: 1000, Height: 1000, LightDirection: 360, LightAltitude: 25})
	}
}

func (b *builder) downstream(d uint8) {
	player := atem.SourceIDMediaPlayer1 + 10*atem.SourceID(d%b.players)
	b.add(&atem.DownstreamKeySources{DSK: d, FillSource: player, KeySource: player + 1},
		&atem.DownstreamKeyProperties{DSK: d, Rate: b.rate, Premultiplied: true, Clip: 500, Gain: 700, MaskTop: 9000, MaskBottom: -9000, MaskLeft: -16000, MaskRight: 16000},
		&atem.DownstreamKeyState{DSK: d, TowardOnAir: true, FramesLeft: b.rate})
}

func (b *builder) media() {
	names := []string{"Lower third", "Logo", "Slate", "Background"}
	if b.clips > 0 {
		sizes := atem.ClipSizes{}
		for c := range b.clips {
			sizes.MaxFrames[c] = 180
		}
		b.add(&sizes)
	}
	for c := range b.clips {
		b.add(&atem.MediaPoolClip{Slot: c}, &atem.MediaPoolAudio{Slot: c + 1})
	}
	for s := range uint16(b.stills) {
		still := atem.MediaPoolStill{Slot: s}
		if int(s) < len(names) {
			still.Used, still.Name, still.MD5 = true, names[s], [16]byte{0: byte(s) + 1, 15: 0x51}
		}
		b.add(&still)
	}
	for p := range b.players {
		b.add(&atem.MediaPlayerSource{Player: p, Kind: atem.MediaKindStill, Still: p})
		if b.clips > 0 {
			b.add(&atem.ClipPlayer{Player: p, AtBeginning: true})
		}
	}
}

func (b *builder) superSource(ss uint8) {
	b.add(&atem.SuperSourceArt{SuperSource: ss, ArtFillSource: atem.SourceIDColor1, ArtKeySource: atem.SourceIDMediaPlayer1Key, ArtClip: 500, ArtGain: 700},
		&atem.SuperSourceBorder{SuperSource: ss, LightDirection: 360, LightAltitude: 25})
	for box := range uint8(4) {
		x, y := int16(-800), int16(450)
		if box%2 == 1 {
			x = -x
		}
		if box >= 2 {
			y = -y
		}
		b.add(&atem.SuperSourceBox{SuperSource: ss, Box: box, Enabled: box < 2, Source: atem.SourceID(box) + 1, X: x, Y: y, Size: 500})
	}
}

func (b *builder) end() {
	b.add(&atem.LockState{Store: 0})
	for c := range uint16(b.clips) {
		b.add(&atem.LockState{Store: c + 1})
	}
	b.add(&atem.TallyConfig{Fixed: [4]byte{0, 1}, Inputs: uint8(len(b.inputs))}, &atem.TallyByInput{Inputs: make([]atem.Tally, len(b.inputs))})
	var by atem.TallyBySource
	var extra atem.TallyExtra
	for _, id := range b.sources {
		by.Sources = append(by.Sources, atem.TallySource{Source: id})
	}
	for i := range b.inputs {
		extra.Sources = append(extra.Sources, atem.TallyExtraEntry{Source: atem.SourceID(i + 1)})
	}
	b.add(&by, &extra, &atem.MacroRunState{Macro: noMacro}, &atem.MacroRecordState{})
	for n := range uint16(b.macros) {
		p := atem.MacroProperties{Macro: n}
		if int(n) < len(madeMacros) {
			p.Used, p.Name, p.Description = true, madeMacros[n].name, madeMacros[n].text
		}
		b.add(&p)
	}
	b.add(&atem.CameraControlInterval{Interval: 5000})
	if b.talkback {
		b.add(&atem.SerialPortMode{})
	}
	if b.recording {
		b.add(&atem.RecordingSettings{Name: "Show", Disk1: 1, Disk2: 2}, &atem.RecordingState{Status: atem.RecordStateMediaOk, SecondsLeft: 7200},
			&atem.RecordingDisk{Disk: 1, SecondsLeft: 7200, Status: atem.DiskStateActive | atem.DiskStateIdle, Volume: "SSD one"},
			&atem.RecordingDisk{Disk: 2, SecondsLeft: 3600, Status: atem.DiskStateIdle, Volume: "SSD two"},
			&atem.RecordingTime{}, &atem.ISORecording{})
	}
	if b.streaming {
		b.add(&atem.StreamingService{Service: "Example", URL: "rtmp://stream.example/live", StreamKey: "made-up", Bitrates: [2]uint32{4500000, 6000000}},
			&atem.StreamingAudioBitrates{Bitrates: [2]uint32{128000, 128000}}, &atem.StreamingState{Status: atem.StreamStateIdle},
			&atem.StreamingTime{}, &atem.StreamingStatistics{}, &atem.StreamingLogin{}, &atem.StreamingLowLatency{})
	}
}

// madeMacro is a macro that the models have from the start.
type madeMacro struct {
	name, text string
	steps      func(ver atem.Version) []step
}

// madeMacros are never changed.
var madeMacros = []madeMacro{
	{"Opening", "Fades up to source 1 with a title", func(ver atem.Version) []step {
		return []step{
			{command: (&atem.SetPreviewSource{Source: 1}).Append(nil, ver)},
			{command: (&atem.Auto{}).Append(nil, ver)},
			{frames: 25},
			{command: (&atem.SetDownstreamKeyOnAir{DSK: 0, OnAir: true}).Append(nil, ver)},
		}
	}},
	{"Titles off", "", func(ver atem.Version) []step {
		return []step{{command: (&atem.SetDownstreamKeyOnAir{DSK: 0}).Append(nil, ver)}}
	}},
	{"Two and back", "Waits for the operator between", func(ver atem.Version) []step {
		return []step{
			{command: (&atem.SetProgramSource{Source: 2}).Append(nil, ver)},
			{frames: -1},
			{command: (&atem.SetProgramSource{Source: 1}).Append(nil, ver)},
		}
	}},
}

// loadMacros gives the macros of the models their steps; macros of a loaded state have none.
func (m *machine) loadMacros() {
	for i, mm := range madeMacros {
		if p, ok := atem.Get[atem.MacroProperties](m.st, int64(i)); ok && p.Used && p.Name == mm.name && p.Description == mm.text {
			m.macros[uint16(i)] = mm.steps(m.ver)
		}
	}
}
