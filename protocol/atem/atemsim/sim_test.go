package atemsim

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

// watcher is a client with a state of its own and a list of everything since the dump.
type watcher struct {
	st      atem.State
	heard   []atem.Field
	packets int
}

func (w *watcher) Send(payloads ...[]byte) error {
	for _, p := range payloads {
		w.packets++
		for f, err := range atem.Fields(p) {
			if err != nil {
				panic(err)
			}
			w.st.Apply(&f)
			w.heard = append(w.heard, atem.Field{Code: f.Code, Body: bytes.Clone(f.Body)})
		}
	}
	return nil
}

func (w *watcher) forget() { w.heard = w.heard[:0] }

// all are the messages of a type that were heard.
func all[T any, P interface {
	*T
	atem.Message
}](w *watcher) (list []T) {
	for _, f := range w.heard {
		var v T
		if P(&v).Code() == f.Code && P(&v).Parse(w.st.Version(), f.Body) == nil {
			list = append(list, v)
		}
	}
	return list
}

// bench is a switcher with a client and a clock that is moved by hand.
type bench struct {
	*testing.T
	sw  *Switcher
	w   *watcher
	now time.Time
}

func newBench(t *testing.T, o Options) *bench {
	b := &bench{T: t, w: &watcher{}, now: time.Unix(1000, 0)}
	o.Now = func() time.Time { return b.now }
	sw, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	b.sw = sw
	sw.Join(b.w)
	b.w.forget()
	return b
}

func (b *bench) do(commands ...atem.Message) {
	var p []byte
	for _, c := range commands {
		p = c.Append(p, b.w.st.Version())
	}
	b.sw.Command(b.w, p)
}

// pass lets time pass frame by frame.
func (b *bench) pass(d time.Duration) {
	for end := b.now.Add(d); b.now.Before(end); {
		b.now = b.now.Add(min(5*time.Millisecond, end.Sub(b.now)))
		b.sw.mu.Lock()
		b.sw.advance()
		b.sw.mu.Unlock()
	}
}

func get[T any, P interface {
	*T
	atem.Message
}](b *bench, keys ...int64) T {
	b.Helper()
	v, ok := atem.Get[T, P](&b.w.st, keys...)
	if !ok {
		b.Fatalf("there is no %v %d", P(&v).Code(), keys)
	}
	return v
}

// same checks that the client knows what the switcher is.
func (b *bench) same() {
	b.Helper()
	a, c := b.sw.State().Dump(1410), b.w.st.Dump(1410)
	if !slices.EqualFunc(a, c, bytes.Equal) {
		b.Error("the client's state is not the switcher's")
	}
}

func (b *bench) tally(want string) {
	b.Helper()
	got := ""
	for _, t := range get[atem.TallyByInput](b).Inputs {
		got += string("-pPB"[t&3])
	}
	got = got[:min(len(got), len(want))]
	if want := want; got != want { // "-" off, "p" program, "P" preview, "B" both
		b.Errorf("tally %s, want %s", got, want)
	}
}

func TestModels(t *testing.T) {
	if _, err := New(Options{Model: "nothing"}); err == nil {
		t.Error("a model that is none is taken")
	}
	for _, name := range Models() {
		b := newBench(t, Options{Model: name})
		for f := range b.sw.State().Fields() {
			if _, ok := atem.LayoutOf(f.Code, b.w.st.Version(), f.Body); !ok {
				t.Errorf("%s: no layout fits %v of %d bytes", name, f.Code, len(f.Body))
			}
		}
		if top := get[atem.Topology](b); int(top.Sources) != len(slices.Collect(atem.All[atem.InputProperties](&b.w.st))) {
			t.Errorf("%s says it has %d sources", name, top.Sources)
		}
		b.same()
		b.do(&atem.SetProgramSource{Source: 3})
		b.same()
		b.tally("-Pp")
	}
}

func TestCutAndBuses(t *testing.T) {
	b := newBench(t, Options{})
	b.tally("pP---")
	b.do(&atem.Cut{})
	b.tally("Pp---")
	if len(b.w.heard) == 0 || b.w.heard[0].Code != atem.CodeTime {
		t.Error("the time is not first")
	}
	b.do(&atem.SetPreviewSource{Source: 5}, &atem.SetProgramSource{Source: 4})
	b.tally("---pP")
	b.do(&atem.SetProgramSource{Source: 999}, &atem.SetProgramSource{ME: 7, Source: 1}, &atem.SetPreviewSource{Source: 7001}, &atem.SetAuxSource{Mask: 1, Source: 999})
	b.tally("---pP")
	if aux := get[atem.AuxSource](b, 0); aux.Source != atem.SourceIDME1Program {
		t.Errorf("aux shows %v", aux.Source)
	}
	b.do(&atem.SetAuxSource{Mask: 1, Source: 3})
	if aux := get[atem.AuxSource](b, 0); aux.Source != 3 {
		t.Errorf("aux shows %v", aux.Source)
	}
	b.do(&atem.SetProgramSource{Source: atem.SourceIDME1Program + 10}) // M/E 2 shows 1
	b.tally("p---P")
	b.do(&atem.SetProgramSource{Source: atem.SourceIDSuperSource1}) // boxes 1 and 2
	b.tally("pp--P")
	b.do(&atem.SetSuperSourceBox{Mask: atem.SetSuperSourceBoxMaskEnabled | atem.SetSuperSourceBoxMaskSource, Box: 2, Enabled: true, Source: 4})
	b.tally("pp-pP")
	b.same()
}

func TestAuto(t *testing.T) {
	b := newBench(t, Options{})
	b.do(&atem.SetTransitionSelection{Mask: 3, NextStyle: atem.TransitionStyleMix, NextLayers: atem.TransitionLayersBackground | atem.TransitionLayersKey1},
		&atem.SetMixSettings{Rate: 10}, &atem.SetDownstreamKeyTie{DSK: 1, Tie: true})
	b.w.forget()
	b.do(&atem.Auto{})
	b.tally("pB---")
	b.do(&atem.Auto{}) // does nothing
	b.pass(time.Second)
	positions := all[atem.TransitionPosition](b.w)
	if len(positions) != 11 {
		t.Fatalf("%d positions: %+v", len(positions), positions)
	}
	for i, p := range positions[:10] {
		if !p.InTransition || int(p.FramesLeft) != 10-i || int(p.Position) != i*1000 {
			t.Errorf("frame %d: %+v", i, p)
		}
	}
	if last := positions[10]; last.InTransition || last.Position != 0 || last.FramesLeft != 10 {
		t.Errorf("at the end: %+v", last)
	}
	if get[atem.ProgramSource](b, 0).Source != 2 || get[atem.PreviewSource](b, 0).Source != 1 {
		t.Error("program and preview are not swapped")
	}
	if !get[atem.KeyOnAir](b, 0, 0).OnAir || get[atem.KeyOnAir](b, 0, 1).OnAir {
		t.Error("the keyer of the layers is not the one that is on air")
	}
	if !get[atem.DownstreamKeyState](b, 1).OnAir || get[atem.DownstreamKeyState](b, 0).OnAir {
		t.Error("the downstream keyer that is tied is not the one that is on air")
	}
	b.tally("Pp---")
	b.same()
}

func TestHandle(t *testing.T) {
	b := newBench(t, Options{})
	b.do(&atem.SetTransitionPosition{Position: 5000})
	b.tally("pB---")
	if p := get[atem.TransitionPosition](b, 0); !p.InTransition || p.Position != 5000 || p.FramesLeft != 25 {
		t.Errorf("%+v", p)
	}
	b.do(&atem.SetTransitionPosition{Position: 0})
	b.tally("pP---")
	b.do(&atem.SetTransitionPosition{Position: 9000}, &atem.SetTransitionPosition{Position: 10000})
	b.tally("Pp---")
	b.do(&atem.SetTransitionPreview{Preview: true}, &atem.SetTransitionPosition{Position: 5000})
	b.tally("Pp---")
	b.do(&atem.SetTransitionPosition{Position: 10000})
	b.tally("Pp---")
	b.do(&atem.SetTransitionPreview{}, &atem.SetTransitionPosition{Position: 5000}, &atem.SetMixSettings{Rate: 10}, &atem.Auto{})
	b.w.forget()
	b.pass(time.Second)
	if n := len(all[atem.TransitionPosition](b.w)); n != 5 {
		t.Errorf("auto from the middle took %d frames", n)
	}
	b.tally("pP---")
	b.same()
}

func TestFadeToBlack(t *testing.T) {
	b := newBench(t, Options{})
	b.do(&atem.SetFadeToBlackRate{Mask: 1, Rate: 20}, &atem.FadeToBlackAuto{})
	b.w.forget()
	b.pass(time.Second)
	states := all[atem.FadeToBlackState](b.w)
	if len(states) != 20 || states[0].FramesLeft != 19 || !states[0].InTransition || !states[19].FullyBlack || states[19].InTransition {
		t.Errorf("%d states: %+v", len(states), states)
	}
	b.do(&atem.FadeToBlackAuto{})
	if s := get[atem.FadeToBlackState](b, 0); s.FullyBlack || !s.InTransition {
		t.Errorf("on the way back: %+v", s)
	}
	b.pass(100 * time.Millisecond) // five frames
	b.do(&atem.FadeToBlackAuto{})  // and into black again
	b.pass(120 * time.Millisecond)
	if s := get[atem.FadeToBlackState](b, 0); !s.FullyBlack {
		t.Errorf("turned round: %+v", s)
	}
	b.do(&atem.FadeToBlackCut{})
	if s := get[atem.FadeToBlackState](b, 0); s.FullyBlack || s.InTransition {
		t.Errorf("cut: %+v", s)
	}
	b.same()
}

func TestDownstreamKeyer(t *testing.T) {
	for _, model := range []string{"1me-4k", "2me-4k"} { // before and after 2.29's other layout
		b := newBench(t, Options{Model: model})
		b.do(&atem.SetDownstreamKeyRate{Rate: 10}, &atem.SetDownstreamKeyFillSource{FillSource: 4}, &atem.DownstreamKeyAuto{})
		if s := get[atem.DownstreamKeyState](b, 0); !s.OnAir || !s.InTransition || !s.AutoRunning || s.FramesLeft != 10 || !s.TowardOnAir {
			t.Errorf("%s: %+v", model, s)
		}
		b.tally("pP-p")
		b.pass(time.Second)
		if s := get[atem.DownstreamKeyState](b, 0); !s.OnAir || s.InTransition || s.TowardOnAir {
			t.Errorf("%s: %+v", model, s)
		}
		b.do(&atem.DownstreamKeyAuto{Mask: 1, TowardOnAir: true}) // is there already
		b.pass(100 * time.Millisecond)
		if s := get[atem.DownstreamKeyState](b, 0); s.InTransition {
			t.Errorf("%s: %+v", model, s)
		}
		b.do(&atem.DownstreamKeyAuto{})
		b.pass(time.Second)
		b.tally("pP--")
		b.do(&atem.SetDownstreamKeyOnAir{OnAir: true})
		b.tally("pP-p")
		b.same()
	}
}

func TestKeyersAndValues(t *testing.T) {
	b := newBench(t, Options{})
	b.do(&atem.SetKeyFillSource{Keyer: 1, FillSource: 6}, &atem.SetKeyOnAir{Keyer: 1, OnAir: true})
	b.tally("pP---B")
	b.do(&atem.SetDVEKey{Mask: atem.SetDVEKeyMaskX | atem.SetDVEKeyMaskBorderOpacity, X: -4000, Y: 1, BorderOpacity: 30})
	if k := get[atem.DVEKey](b, 0, 0); k.X != -4000 || k.Y != 0 || k.BorderOpacity != 30 || k.Width != 500 {
		t.Errorf("%+v", k)
	}
	b.do(&atem.SetColourGenerator{Mask: atem.SetColourGeneratorMaskHue, Generator: 1, Hue: 5000, Luma: 1})
	if c := get[atem.ColourGenerator](b, 1); c.Hue != 3599 || c.Luma != 500 {
		t.Errorf("%+v", c) // kept within its range
	}
	b.do(&atem.StoreFlyKeyFrame{KeyFrame: atem.FlyFrameA}, &atem.SetDVEKey{Mask: atem.SetDVEKeyMaskX, X: 5}, &atem.RunFlyKey{KeyFrame: atem.FlyTargetA})
	if k := get[atem.DVEKey](b, 0, 0); k.X != -4000 {
		t.Errorf("%+v", k)
	}
	b.do(&atem.SetMediaPlayerSource{Mask: atem.SetMediaPlayerSourceMaskStill, Still: 3}, &atem.SetMediaPlayerSource{Mask: atem.SetMediaPlayerSourceMaskStill, Still: 200})
	if p := get[atem.MediaPlayerSource](b, 0); p.Still != 3 {
		t.Errorf("%+v", p)
	}
	b.do(&atem.SetInputProperties{Mask: atem.SetInputPropertiesMaskName | atem.SetInputPropertiesMaskLabel, Source: 3, Name: "Roof", Label: "ROOF"})
	if in := get[atem.InputProperties](b, 3); in.Name != "Roof" || in.Label != "ROOF" || in.NamesAreDefault {
		t.Errorf("%+v", in)
	}
	b.do(&atem.ResetInputNames{Source: 3})
	if in := get[atem.InputProperties](b, 3); in.Name != "Wide" || !in.NamesAreDefault {
		t.Errorf("%+v", in)
	}
	b.do(&atem.SetCameraControl{Camera: 2, Category: 0, Parameter: 2, Type: atem.CameraTypeFixed16, Count16: 1, Values: []byte{8, 0}},
		&atem.SetCameraControl{Camera: 2, Category: 0, Parameter: 2, Relative: true, Type: atem.CameraTypeFixed16, Count16: 1, Values: []byte{0, 9}})
	if c := get[atem.CameraControl](b, 2, 0, 2); !bytes.Equal(c.Values, []byte{8, 9}) {
		t.Errorf("%+v", c)
	}
	before := b.sw.State().Revision()
	junk, _ := atem.ParseCode("ZZZZ")
	f := atem.Field{Code: junk, Body: []byte{1, 2, 3}}
	p, _ := f.Append(nil)
	b.sw.Command(b.w, append(p, 0, 3, 0, 0, 'D', 'C', 'u', 't'))
	if b.sw.State().Revision() != before {
		t.Error("nonsense changes something")
	}
	b.same()
}

func TestAudioInputSplits(t *testing.T) {
	b := newBench(t, Options{Model: "mini"})
	b.do(&atem.SetFairlightInput{Mask: atem.SetFairlightInputMaskConfig, Source: 2, Config: atem.FairlightInputConfigDualMono})
	var ids []int64
	for s := range atem.All[atem.FairlightStrip](&b.w.st) {
		if s.Source == 2 {
			ids = append(ids, s.StripID)
		}
	}
	if !slices.Equal(ids, []int64{leftStrip, rightStrip}) && !slices.Equal(ids, []int64{rightStrip, leftStrip}) {
		t.Errorf("strips %d", ids)
	}
	b.do(&atem.SetFairlightStrip{Mask: atem.SetFairlightStripMaskFader | atem.SetFairlightStripMaskMix, Source: 2, StripID: leftStrip, Fader: -1250, Mix: atem.FairlightMixOn})
	if s := get[atem.FairlightStrip](b, 2, leftStrip); s.Fader != -1250 || s.Mix != atem.FairlightMixOn {
		t.Errorf("%+v", s)
	}
	b.same()
}

func TestMeters(t *testing.T) {
	for _, model := range []string{"mini", "1me-4k"} {
		b := newBench(t, Options{Model: model})
		other := &watcher{}
		b.sw.Join(other)
		other.forget()
		b.pass(time.Second)
		if len(b.w.heard) != 0 {
			t.Fatalf("%s: something is said unasked: %v", model, b.w.heard[0].Code)
		}
		b.do(&atem.SendFairlightLevels{On: true}, &atem.SendClassicLevels{On: true})
		b.pass(time.Second)
		strips := len(slices.Collect(atem.All[atem.FairlightStrip](&b.w.st)))
		if n := len(all[atem.FairlightStripLevels](b.w)); strips > 0 && n != 10*strips {
			t.Errorf("%s: %d meters of %d strips", model, n, strips)
		}
		if n := len(all[atem.ClassicLevels](b.w)); strips == 0 && n != 0 && n != 10 {
			t.Errorf("%s: %d meters", model, n)
		}
		if len(other.heard) != 0 {
			t.Errorf("%s: the other is told %v", model, other.heard[0].Code)
		}
		b.do(&atem.SendFairlightLevels{}, &atem.SendClassicLevels{})
		b.pass(200 * time.Millisecond)
		b.w.forget()
		b.pass(time.Second)
		if len(b.w.heard) != 0 {
			t.Errorf("%s: meters go on", model)
		}
	}
}

func TestMacros(t *testing.T) {
	b := newBench(t, Options{})
	b.do(&atem.MacroAction{Macro: 2, Action: atem.MacroActionKindRun}) // waits for the operator
	if r := get[atem.MacroRunState](b); !r.Running || !r.Waiting || r.Macro != 2 {
		t.Errorf("%+v", r)
	}
	b.tally("-B")
	b.do(&atem.MacroAction{Macro: noMacro, Action: atem.MacroActionKindContinue})
	if r := get[atem.MacroRunState](b); r.Running || r.Macro != noMacro {
		t.Errorf("%+v", r)
	}
	b.tally("pP")
	b.do(&atem.RecordMacro{Macro: 9, Name: "Own", Description: "made here"}, &atem.SetProgramSource{Source: 4}, &atem.MacroSleep{Frames: 50},
		&atem.SetProgramSource{Source: 5}, &atem.MacroAction{Macro: noMacro, Action: atem.MacroActionKindStopRecording})
	if p := get[atem.MacroProperties](b, 9); !p.Used || p.Name != "Own" || p.Description != "made here" {
		t.Errorf("%+v", p)
	}
	b.tally("-P--p")
	b.do(&atem.SetProgramSource{Source: 1}, &atem.MacroAction{Macro: 9, Action: atem.MacroActionKindRun})
	b.tally("-P-p-")
	b.pass(900 * time.Millisecond)
	b.tally("-P-p-")
	b.pass(200 * time.Millisecond)
	b.tally("-P--p")
	if r := get[atem.MacroRunState](b); r.Running {
		t.Errorf("%+v", r)
	}
	b.do(&atem.SetMacroLoop{Mask: 1, Loop: true}, &atem.MacroAction{Macro: 9, Action: atem.MacroActionKindRun})
	b.pass(1010 * time.Millisecond)
	b.tally("-P--p")
	b.pass(50 * time.Millisecond)
	b.tally("-P-p-")
	b.do(&atem.MacroAction{Macro: noMacro, Action: atem.MacroActionKindStop}, &atem.MacroAction{Macro: 9, Action: atem.MacroActionKindDelete})
	if r, p := get[atem.MacroRunState](b), get[atem.MacroProperties](b, 9); r.Running || p.Used {
		t.Errorf("%+v %+v", r, p)
	}
	b.pass(2 * time.Second)
	b.tally("-P-p-")
	b.same()
}

func TestStreamAndRecord(t *testing.T) {
	b := newBench(t, Options{Model: "mini-extreme-iso"})
	b.do(&atem.SetStreaming{Streaming: true}, &atem.SetRecording{Recording: true})
	if s, r := get[atem.StreamingState](b), get[atem.RecordingState](b); s.Status != atem.StreamStateConnecting || r.Status&atem.RecordStateRecording == 0 {
		t.Errorf("%+v %+v", s, r)
	}
	b.pass(5 * time.Second)
	if s := get[atem.StreamingState](b); s.Status != atem.StreamStateStreaming {
		t.Errorf("%+v", s)
	}
	if s := get[atem.StreamingStatistics](b); s.Bitrate < 5000000 || s.Bitrate > 5500000 {
		t.Errorf("%+v", s)
	}
	b.do(&atem.RequestStreamingTime{}, &atem.RequestRecordingTime{})
	if s, r := get[atem.StreamingTime](b), get[atem.RecordingTime](b); s.Second != 3 || r.Second != 5 {
		t.Errorf("%+v %+v", s, r)
	}
	if r := get[atem.RecordingState](b); r.SecondsLeft != 7195 {
		t.Errorf("%+v", r)
	}
	b.do(&atem.SwitchRecordingDisk{})
	if d := get[atem.RecordingDisk](b, 2); d.Status != atem.DiskStateActive|atem.DiskStateRecording {
		t.Errorf("%+v", d)
	}
	b.do(&atem.SetStreaming{}, &atem.SetRecording{})
	if s, r, d := get[atem.StreamingState](b), get[atem.RecordingState](b), get[atem.RecordingDisk](b, 2); s.Status != atem.StreamStateIdle ||
		r.Status != atem.RecordStateMediaOk || d.Status != atem.DiskStateActive|atem.DiskStateIdle {
		t.Errorf("%+v %+v %+v", s, r, d)
	}
	b.sw.Set(&atem.RecordingState{SecondsLeft: 2})
	b.do(&atem.SetRecording{Recording: true})
	if r := get[atem.RecordingState](b); r.Status != 0 {
		t.Errorf("without a medium: %+v", r)
	}
	b.sw.Set(&atem.RecordingState{Status: atem.RecordStateMediaOk, SecondsLeft: 2})
	b.do(&atem.SetRecording{Recording: true})
	b.pass(3 * time.Second)
	if r := get[atem.RecordingState](b); r.Status != atem.RecordStateFull || r.SecondsLeft != 0 {
		t.Errorf("%+v", r)
	}
	b.same()
}
