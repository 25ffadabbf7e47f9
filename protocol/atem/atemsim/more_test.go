package atemsim

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

func TestFrameRate(t *testing.T) {
	for mode, want := range map[atem.VideoMode]float64{
		atem.VideoMode525i5994Ntsc: 29.97, atem.VideoMode625i50169: 25, atem.VideoMode1080i50: 25, atem.VideoMode1080p5994: 59.94,
		atem.VideoMode2160p2398: 23.98, atem.VideoMode720p50: 50, 200: 25,
	} {
		if got := frameRate(mode); got != want {
			t.Errorf("%v: %v frames a second", mode, got)
		}
	}
	b := newBench(t, Options{})
	b.do(&atem.SetVideoStandard{Mode: atem.VideoMode1080i50}, &atem.SetMixSettings{Rate: 5}, &atem.Auto{})
	b.pass(190 * time.Millisecond)
	if p := get[atem.TransitionPosition](b, 0); !p.InTransition || p.FramesLeft != 1 {
		t.Errorf("after four frames of 40 ms: %+v", p)
	}
}

// Each style takes its own time, and shows its own sources on the way.
func TestStyles(t *testing.T) {
	for _, row := range []struct {
		style atem.TransitionStyle
		set   atem.Message
		tally string // while it runs
	}{
		{atem.TransitionStyleDip, &atem.SetDipSettings{Mask: 3, Rate: 7, Input: 5}, "pB--p"},
		{atem.TransitionStyleWipe, &atem.SetWipeSettings{Mask: atem.SetWipeSettingsMaskRate | atem.SetWipeSettingsMaskBorderInput | atem.SetWipeSettingsMaskBorderWidth, Rate: 7, BorderInput: 4, BorderWidth: 100}, "pB-p-"},
		{atem.TransitionStyleDVE, &atem.SetDVESettings{Mask: atem.SetDVESettingsMaskRate | atem.SetDVESettingsMaskStyle | atem.SetDVESettingsMaskFillSource | atem.SetDVESettingsMaskKeySource | atem.SetDVESettingsMaskEnableKey,
			Rate: 7, Style: atem.DVEEffectGraphicLogoWipe, FillSource: 3, KeySource: 4, EnableKey: true}, "pBpp-"},
		{atem.TransitionStyleStinger, &atem.SetStingerSettings{Mask: atem.SetStingerSettingsMaskMixRate, MixRate: 7}, "pB---"},
	} {
		b := newBench(t, Options{})
		b.do(row.set, &atem.SetTransitionSelection{Mask: 3, NextStyle: row.style, NextLayers: atem.TransitionLayersBackground}, &atem.Auto{})
		b.tally(row.tally)
		if p := get[atem.TransitionPosition](b, 0); p.FramesLeft != 7 {
			t.Errorf("%v takes %d frames", row.style, p.FramesLeft)
		}
		b.do(&atem.SetTransitionSelection{Mask: 1, NextStyle: atem.TransitionStyleMix}) // for the next one
		if s := get[atem.TransitionSelection](b, 0); s.Style != row.style || s.NextStyle != atem.TransitionStyleMix {
			t.Errorf("%+v", s)
		}
		if row.style == atem.TransitionStyleStinger {
			for _, s := range get[atem.TallyBySource](b).Sources {
				if s.Source == atem.SourceIDMediaPlayer1 && s.Tally != atem.TallyProgram {
					t.Errorf("the stinger's media player is %v", s.Tally)
				}
			}
		}
		b.pass(time.Second)
		b.tally("Pp---")
		b.do(&atem.Auto{})
		if s := get[atem.TransitionSelection](b, 0); s.Style != atem.TransitionStyleMix {
			t.Errorf("%+v", s)
		}
		b.same()
	}
}

// After a long sleep of the computer, not everything that would have happened is told.
func TestLongSleep(t *testing.T) {
	b := newBench(t, Options{Model: "1me-4k"})
	b.do(&atem.SendClassicLevels{On: true})
	b.w.forget()
	b.now = b.now.Add(time.Hour)
	b.do(&atem.Cut{})
	if n := len(all[atem.ClassicLevels](b.w)); n == 0 || n > 101 {
		t.Errorf("%d meters after an hour", n)
	}
	b.pass(time.Second)
	b.same()
}

func TestFramesLeftFollowRates(t *testing.T) {
	b := newBench(t, Options{})
	b.do(&atem.SetMixSettings{ME: 1, Rate: 12}, &atem.SetFadeToBlackRate{Mask: 1, Rate: 13}, &atem.SetDownstreamKeyRate{DSK: 1, Rate: 14}, &atem.SetDipSettings{Mask: 1, Rate: 99})
	if p, f, d := get[atem.TransitionPosition](b, 1), get[atem.FadeToBlackState](b, 0), get[atem.DownstreamKeyState](b, 1); p.FramesLeft != 12 || f.FramesLeft != 13 || d.FramesLeft != 14 {
		t.Errorf("%+v %+v %+v", p, f, d)
	}
	if p := get[atem.TransitionPosition](b, 0); p.FramesLeft != 50 {
		t.Errorf("the other M/E: %+v", p)
	}
}

func TestMediaAndMacroNames(t *testing.T) {
	b := newBench(t, Options{Model: "1me-4k"})
	b.do(&atem.SetStillName{Slot: 0, Name: "Other"}, &atem.SetStillName{Slot: 20, Name: "Nothing"}, &atem.CaptureStill{},
		&atem.SetClip{Three: 3, Slot: 1, Name: "Clip", Frames: 50}, &atem.SetClip{Slot: 9, Name: "None"},
		&atem.SetMacroProperties{Mask: 3, Macro: 1, Name: "New", Description: "Text"}, &atem.SetMacroProperties{Mask: 1, Macro: 50, Name: "None"})
	if s := get[atem.MediaPoolStill](b, 0, 0); s.Name != "Other" {
		t.Errorf("%+v", s)
	}
	if s := get[atem.MediaPoolStill](b, 0, 20); s.Used || s.Name != "" {
		t.Errorf("%+v", s)
	}
	if s := get[atem.MediaPoolStill](b, 0, 4); !s.Used || s.Name != "Capture 5" {
		t.Errorf("%+v", s)
	}
	if c := get[atem.MediaPoolClip](b, 1); !c.Used || c.FrameCount != 50 || c.Name != "Clip" {
		t.Errorf("%+v", c)
	}
	if _, ok := atem.Get[atem.MediaPoolClip](&b.w.st, 9); ok {
		t.Error("there is a tenth clip")
	}
	if p := get[atem.MacroProperties](b, 1); p.Name != "New" || p.Description != "Text" {
		t.Errorf("%+v", p)
	}
	if p := get[atem.MacroProperties](b, 50); p.Used {
		t.Errorf("%+v", p)
	}
	b.do(&atem.ClearClip{Slot: 1}, &atem.ClearClipAudio{Slot: 1}, &atem.ClearMediaPool{}, &atem.SlotLock{Store: 0})
	if c, s := get[atem.MediaPoolClip](b, 1), get[atem.MediaPoolStill](b, 0, 0); c.Used || s.Used {
		t.Errorf("%+v %+v", c, s)
	}
	if len(all[atem.LockObtained](b.w)) != 1 {
		t.Error("a free slot is not given")
	}
	b.do(&atem.RequestTime{}, &atem.RequestDisplayClockTime{})
	if len(all[atem.Timecode](b.w)) == 0 || len(all[atem.DisplayClockTime](b.w)) != 1 {
		t.Error("nobody says what time it is")
	}
	b.same()
}

func TestSaveAndLoad(t *testing.T) {
	b := newBench(t, Options{Model: "mini"})
	b.sw.Do(&atem.SetProgramSource{Source: 3})
	b.tally("-Pp")
	var file bytes.Buffer
	if err := b.sw.Save(&file, false); err != nil {
		t.Fatal(err)
	}
	st, err := atem.ReadDump(&file)
	if err != nil {
		t.Fatal(err)
	}
	again := newBench(t, Options{State: st})
	again.tally("-Pp")
	again.do(&atem.Cut{})
	again.tally("-pP")
	if b.sw.Clients() != 1 {
		t.Errorf("%d clients", b.sw.Clients())
	}
	if _, err := New(Options{State: new(atem.State)}); err == nil {
		t.Error("an empty state is begun with")
	}
}

// The states of real switchers behave too, and what a client is told of them stays whole.
func TestRecordings(t *testing.T) {
	names, _ := filepath.Glob("../../../../shared/testdata/atem/*.data")
	if len(names) == 0 {
		t.Skip("the recordings of switchers are not there")
	}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		st, err := atem.ReadDump(f)
		f.Close()
		if err != nil {
			t.Fatal(name, err)
		}
		b := newBench(t, Options{State: st, Dirty: true})
		before := get[atem.ProgramSource](b, 0).Source
		source := atem.SourceID(1)
		if before == source {
			source = 0
		}
		if in, ok := atem.Get[atem.InputProperties](st, int64(source)); !ok || in.UsableOnME&1 == 0 {
			t.Errorf("%s: source %v is not for M/E 1: %+v", filepath.Base(name), source, in)
			continue
		}
		b.do(&atem.SetPreviewSource{Source: source}, &atem.SetTransitionSelection{Mask: 3, NextLayers: atem.TransitionLayersBackground}, &atem.Auto{},
			&atem.FadeToBlackAuto{}, &atem.DownstreamKeyAuto{}, &atem.SetKeyOnAir{OnAir: true}, &atem.SendFairlightLevels{On: true}, &atem.SendClassicLevels{On: true})
		b.pass(11 * time.Second)
		if p, v := get[atem.ProgramSource](b, 0).Source, get[atem.PreviewSource](b, 0).Source; p != source || v != before {
			t.Errorf("%s: %v on program, %v on preview", filepath.Base(name), p, v)
		}
		if s := get[atem.FadeToBlackState](b, 0); !s.FullyBlack {
			t.Errorf("%s: %+v", filepath.Base(name), s)
		}
		if k := get[atem.KeyOnAir](b, 0, 0); !k.OnAir {
			t.Errorf("%s: %+v", filepath.Base(name), k)
		}
		if b.w.st.Dropped() != 0 || len(all[atem.TallyBySource](b.w)) == 0 {
			t.Errorf("%s: %d dropped, tally %d times", filepath.Base(name), b.w.st.Dropped(), len(all[atem.TallyBySource](b.w)))
		}
	}
}
