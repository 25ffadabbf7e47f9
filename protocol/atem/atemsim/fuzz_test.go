package atemsim

import (
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

// Whatever a client sends, the switcher goes on, and what it tells is what it is.
func FuzzCommands(f *testing.F) {
	ver := atem.MakeVersion(2, 30)
	for _, m := range []atem.Message{
		&atem.Cut{}, &atem.Auto{}, &atem.SetTransitionPosition{Position: 5000}, &atem.FadeToBlackAuto{}, &atem.DownstreamKeyAuto{},
		&atem.MacroAction{Macro: 0}, &atem.RecordMacro{Macro: 3, Name: "a"}, &atem.Lock{Locked: true},
		&atem.StartUpload{Transfer: 1, Size: 64, Mode: atem.TransferModeStill}, &atem.TransferData{Transfer: 1, Data: make([]byte, 64)},
		&atem.FileDescription{Transfer: 1, Name: "still"}, &atem.StartDownload{Transfer: 2, Kind: atem.DownloadStill},
		&atem.SendFairlightLevels{On: true}, &atem.SetFairlightInput{Mask: 1, Source: 1, Config: atem.FairlightInputConfigDualMono},
		&atem.SetVideoStandard{Mode: atem.VideoMode1080i50}, &atem.SetCameraControl{Camera: 1, Count8: 3, Values: []byte{1, 2, 3}},
		&atem.SetStreaming{Streaming: true}, &atem.SetDVEKey{Mask: 0xffffffff, Width: 9},
	} {
		f.Add(m.Append(nil, ver))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		b := newBench(t, Options{Model: "mini-extreme-iso"})
		b.sw.Command(b.w, payload)
		b.pass(100 * time.Millisecond)
		b.sw.Command(b.w, payload)
		b.same()
		if m := b.sw.m; len(m.macros) > 100 || m.st.Dropped() != 0 {
			t.Errorf("%d macros, %d dropped", len(m.macros), m.st.Dropped())
		}
	})
}
