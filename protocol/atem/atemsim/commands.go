package atemsim

import "github.com/patchbay-io/patchbay/protocol/atem"

// commands carries out the commands of one packet of a client.
func (m *machine) commands(s *session, payload []byte) {
	for f, err := range atem.Fields(payload) {
		if err != nil {
			return
		}
		m.take(&f)
		m.command(s, &f)
	}
}

// read parses a command; a body that no layout fits is as good as no command.
func read[T any, P interface {
	*T
	atem.Message
}](m *machine, f *atem.Field) (v T, ok bool) {
	return v, P(&v).Parse(m.ver, f.Body) == nil
}

// command carries out one command. What is not known does nothing, as on a switcher.
func (m *machine) command(s *session, f *atem.Field) {
	switch f.Code {
	case atem.CodeCPgI, atem.CodeCPvI:
		if v, ok := read[atem.SetProgramSource](m, f); ok && m.usableOn(v.ME, v.Source) { // CPvI is arranged in the same way
			m.plain(f)
		}
	case atem.CodeDCut:
		if v, ok := read[atem.Cut](m, f); ok {
			m.cut(v.ME)
		}
	case atem.CodeDAut:
		if v, ok := read[atem.Auto](m, f); ok {
			m.auto(v.ME)
		}
	case atem.CodeCTPs:
		if v, ok := read[atem.SetTransitionPosition](m, f); ok {
			m.handle(v.ME, v.Position)
		}
	case atem.CodeCTTp:
		m.nextTransition(f)
	case atem.CodeFtbA:
		if v, ok := read[atem.FadeToBlackAuto](m, f); ok {
			m.black(v.ME)
		}
	case atem.CodeFCut:
		if v, ok := read[atem.FadeToBlackCut](m, f); ok {
			m.blackAtOnce(v.ME, v.FullyBlack)
		}
	case atem.CodeCDsL:
		if v, ok := read[atem.SetDownstreamKeyOnAir](m, f); ok {
			if x := m.dsks[v.DSK]; x != nil {
				x.running = false
			}
			if st, ok := atem.Get[atem.DownstreamKeyState](m.st, int64(v.DSK)); ok {
				p, _ := atem.Get[atem.DownstreamKeyProperties](m.st, int64(v.DSK))
				m.set(&atem.DownstreamKeyState{DSK: st.DSK, OnAir: v.OnAir, TowardOnAir: !v.OnAir, FramesLeft: p.Rate})
			}
		}
	case atem.CodeDDsA:
		if v, ok := read[atem.DownstreamKeyAuto](m, f); ok {
			if st, ok := atem.Get[atem.DownstreamKeyState](m.st, int64(v.DSK)); ok {
				toward := !st.OnAir
				if x := m.dsks[v.DSK]; x != nil && x.running {
					toward = !x.toward
				}
				if v.Mask&atem.DownstreamKeyAutoMaskTowardOnAir != 0 {
					toward = v.TowardOnAir
				}
				m.fadeKey(v.DSK, toward)
			}
		}
	case atem.CodeCInL:
		m.rename(f)
	case atem.CodeRInL:
		if v, ok := read[atem.ResetInputNames](m, f); ok {
			if in, ok := m.names[v.Source]; ok {
				m.set(&in)
			}
		}
	case atem.CodeSFKF:
		m.storeFlyFrame(f)
	case atem.CodeRFlK:
		m.runFlyKey(f)
	case atem.CodeCCmd:
		m.camera(f)
	case atem.CodeCFIP:
		m.audioInput(f)
	case atem.CodeStrR:
		if v, ok := read[atem.SetStreaming](m, f); ok {
			m.setStream(v.Streaming)
		}
	case atem.CodeRcTM:
		if v, ok := read[atem.SetRecording](m, f); ok {
			m.setRecord(v.Recording)
		}
	case atem.CodeRMSp:
		m.switchDisk()
	case atem.CodeSRDR, atem.CodeRMDR, atem.CodeTiRq, atem.CodeDSTR, atem.CodeSALN, atem.CodeSFLN:
		m.ask(s, f)
	default:
		if !m.macroCommand(f) && !m.mediaCommand(s, f) {
			m.plain(f)
			m.follow(f.Code)
		}
	}
}

// follow keeps the frames that are left of what stands still at its rate, after a command that may have set one (seen: so they
// are in every dump).
func (m *machine) follow(c atem.Code) {
	switch c {
	case atem.CodeCTMx, atem.CodeCTDp, atem.CodeCTWp, atem.CodeCTDv, atem.CodeCTSt:
		for p := range atem.All[atem.TransitionPosition](m.st) {
			if !p.InTransition {
				p.FramesLeft = uint8(m.rate(p.ME))
				m.set(&p)
			}
		}
	case atem.CodeFtbC:
		for s := range atem.All[atem.FadeToBlackState](m.st) {
			if p, ok := atem.Get[atem.FadeToBlackRate](m.st, int64(s.ME)); ok && !s.InTransition {
				s.FramesLeft = p.Rate
				m.set(&s)
			}
		}
	case atem.CodeCDsR:
		for s := range atem.All[atem.DownstreamKeyState](m.st) {
			if p, ok := atem.Get[atem.DownstreamKeyProperties](m.st, int64(s.DSK)); ok && !s.InTransition {
				s.FramesLeft = p.Rate
				m.set(&s)
			}
		}
	}
}

// plain carries out a command that only changes values of the state, of which there are many.
func (m *machine) plain(f *atem.Field) {
	l, ok := atem.LayoutOf(f.Code, m.ver, f.Body)
	if !ok {
		return
	}
	for v := range l.Values(f.Body) {
		if v.Set() == "SourceID" && !v.IsKey() && v.Length == 2 && l.Counts(f.Body, v.Name()) && !m.has(atem.SourceID(v.Int())) {
			return
		}
	}
	if result, ok := m.st.Result(f); ok {
		m.put(&result)
	}
}

func (m *machine) has(id atem.SourceID) bool {
	_, ok := atem.Get[atem.InputProperties](m.st, int64(id))
	return ok
}

// usableOn reports whether an M/E can show a source.
func (m *machine) usableOn(me uint8, id atem.SourceID) bool {
	in, ok := atem.Get[atem.InputProperties](m.st, int64(id))
	return ok && me < 8 && in.UsableOnME>>me&1 != 0
}

// nextTransition sets what the next transition is; while none runs, it is the one that is shown too.
func (m *machine) nextTransition(f *atem.Field) {
	v, ok := read[atem.SetTransitionSelection](m, f)
	sel, ok2 := atem.Get[atem.TransitionSelection](m.st, int64(v.ME))
	if !ok || !ok2 {
		return
	}
	if v.Mask&atem.SetTransitionSelectionMaskNextStyle != 0 {
		sel.NextStyle = v.NextStyle
	}
	if v.Mask&atem.SetTransitionSelectionMaskNextLayers != 0 && v.NextLayers != 0 {
		sel.NextLayers = v.NextLayers
	}
	if pos, _ := atem.Get[atem.TransitionPosition](m.st, int64(v.ME)); !pos.InTransition {
		sel.Style, sel.Layers = sel.NextStyle, sel.NextLayers
	}
	m.set(&sel)
	if pos, _ := atem.Get[atem.TransitionPosition](m.st, int64(v.ME)); !pos.InTransition {
		pos.FramesLeft = uint8(m.rate(v.ME))
		m.set(&pos)
	}
}

func (m *machine) rename(f *atem.Field) {
	v, ok := read[atem.SetInputProperties](m, f)
	in, ok2 := atem.Get[atem.InputProperties](m.st, int64(v.Source))
	if !ok || !ok2 {
		return
	}
	if v.Mask&atem.SetInputPropertiesMaskName != 0 {
		in.Name = v.Name
	}
	if v.Mask&atem.SetInputPropertiesMaskLabel != 0 {
		in.Label = v.Label
	}
	if v.Mask&atem.SetInputPropertiesMaskPort != 0 && in.PortsAvailable&v.Port != 0 {
		in.Port = v.Port
	}
	first := m.names[v.Source]
	in.NamesAreDefault = in.Name == first.Name && in.Label == first.Label
	m.set(&in)
}

// ask answers what a client wants to know, to it alone where that is not part of the state.
func (m *machine) ask(s *session, f *atem.Field) {
	switch f.Code {
	case atem.CodeSRDR:
		m.streamTime()
		if v, ok := atem.Get[atem.StreamingTime](m.st); ok {
			m.tell(s, &v)
		}
	case atem.CodeRMDR:
		m.recordTime()
		if v, ok := atem.Get[atem.RecordingTime](m.st); ok {
			m.tell(s, &v)
		}
	case atem.CodeTiRq:
		t := m.timecode()
		m.tell(s, &t)
	case atem.CodeDSTR:
		t := m.timecode()
		m.tell(s, &atem.DisplayClockTime{Time: atem.HMSF{Hour: t.Hour, Minute: t.Minute, Second: t.Second, Frame: t.Frame}})
	case atem.CodeSALN:
		if v, ok := read[atem.SendClassicLevels](m, f); ok {
			s.classic = v.On
			m.wantMeters()
		}
	case atem.CodeSFLN:
		if v, ok := read[atem.SendFairlightLevels](m, f); ok {
			s.fairlight = v.On
			m.wantMeters()
		}
	}
}

// storeFlyFrame keeps how a DVE key is as a key frame.
func (m *machine) storeFlyFrame(f *atem.Field) {
	v, ok := read[atem.StoreFlyKeyFrame](m, f)
	k, ok2 := atem.Get[atem.DVEKey](m.st, int64(v.ME), int64(v.Keyer))
	fly, _ := atem.Get[atem.FlyKeyState](m.st, int64(v.ME), int64(v.Keyer))
	frame, ok3 := atem.Get[atem.FlyKeyFrame](m.st, int64(v.ME), int64(v.Keyer), int64(v.KeyFrame))
	if !ok || !ok2 || !ok3 {
		return
	}
	frame.Width, frame.Height, frame.X, frame.Y, frame.Rotation = k.Width, k.Height, k.X, k.Y, k.Rotation
	frame.OuterWidth, frame.InnerWidth = k.BorderOuterWidth, k.BorderInnerWidth
	frame.OuterSoftness, frame.InnerSoftness = k.BorderOuterSoftness, k.BorderInnerSoftness
	frame.BorderHue, frame.BorderSaturation, frame.BorderLuma = k.BorderHue, k.BorderSaturation, k.BorderLuma
	frame.BorderOpacity, frame.LightDirection, frame.LightAltitude = k.BorderOpacity, k.LightDirection, k.LightAltitude
	m.set(&frame)
	if v.KeyFrame == atem.FlyFrameA {
		fly.AStored = true
	} else {
		fly.BStored = true
	}
	fly.ME, fly.Keyer = v.ME, v.Keyer
	m.set(&fly)
}

// runFlyKey takes a DVE key to a key frame or to full size, at once.
func (m *machine) runFlyKey(f *atem.Field) {
	v, ok := read[atem.RunFlyKey](m, f)
	k, ok2 := atem.Get[atem.DVEKey](m.st, int64(v.ME), int64(v.Keyer))
	fly, ok3 := atem.Get[atem.FlyKeyState](m.st, int64(v.ME), int64(v.Keyer))
	if !ok || !ok2 || !ok3 {
		return
	}
	switch v.KeyFrame {
	case atem.FlyTargetA, atem.FlyTargetB:
		frame, _ := atem.Get[atem.FlyKeyFrame](m.st, int64(v.ME), int64(v.Keyer), int64(v.KeyFrame))
		if v.KeyFrame == atem.FlyTargetA && !fly.AStored || v.KeyFrame == atem.FlyTargetB && !fly.BStored {
			return
		}
		k.Width, k.Height, k.X, k.Y, k.Rotation = frame.Width, frame.Height, frame.X, frame.Y, frame.Rotation
	case atem.FlyTargetFull:
		k.Width, k.Height, k.X, k.Y, k.Rotation = 1000, 1000, 0, 0, 0
	}
	m.set(&k)
	fly.RunningTo, fly.RunningToInfinity = v.KeyFrame, v.InfinityDirection
	m.set(&fly)
}

// camera keeps what a camera is told. What is relative is added to 16 bit numbers only.
func (m *machine) camera(f *atem.Field) {
	v, ok := read[atem.SetCameraControl](m, f)
	if !ok {
		return
	}
	out := atem.CameraControl{Camera: v.Camera, Category: v.Category, Parameter: v.Parameter, Type: v.Type,
		Count8: v.Count8, Count16: v.Count16, Count32: v.Count32, Count64: v.Count64, Values: append([]byte(nil), v.Values...)}
	if old, ok := atem.Get[atem.CameraControl](m.st, int64(v.Camera), int64(v.Category), int64(v.Parameter)); ok && v.Relative &&
		old.Type == v.Type && old.Count16 == v.Count16 && len(old.Values) == len(out.Values) && int(v.Count16)*2 == len(out.Values) {
		for i := 0; i+1 < len(out.Values); i += 2 {
			sum := uint16(old.Values[i])<<8 + uint16(old.Values[i+1]) + uint16(out.Values[i])<<8 + uint16(out.Values[i+1])
			out.Values[i], out.Values[i+1] = byte(sum>>8), byte(sum)
		}
	}
	m.set(&out)
}

// The strips of an audio input: one of both channels, or one each.
const (
	stereoStrip = -65280
	leftStrip   = -256
	rightStrip  = -255
)

// audioInput changes an audio input; one that is split or joined has other strips from then on.
func (m *machine) audioInput(f *atem.Field) {
	v, ok := read[atem.SetFairlightInput](m, f)
	old, ok2 := atem.Get[atem.FairlightInput](m.st, int64(v.Source))
	if !ok || !ok2 {
		return
	}
	m.plain(f)
	in, _ := atem.Get[atem.FairlightInput](m.st, int64(v.Source))
	split, was := in.Config == atem.FairlightInputConfigDualMono, old.Config == atem.FairlightInputConfigDualMono
	if split == was {
		return
	}
	gone, come := []int64{stereoStrip}, []int64{leftStrip, rightStrip}
	if was {
		gone, come = come, gone
	}
	var like atem.FairlightStrip
	for _, id := range gone {
		if s, ok := atem.Get[atem.FairlightStrip](m.st, int64(v.Source), id); ok {
			like = s
		}
		m.set(&atem.FairlightStripRemoved{Source: v.Source, StripID: id})
	}
	for _, id := range come {
		m.addStrip(like, v.Source, id)
	}
}
