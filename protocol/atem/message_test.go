package atem

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"testing"
)

// messages are fields as they travel, with what they mean: state as hardware sent it, leftovers included, and commands.
var messages = []struct {
	name string
	ver  Version
	hex  string
	want Message
	own  bool // Append makes the same bytes; else the field has leftovers
}{
	{"version", 0, "000c05ae5f766572 0002001e", &ProtocolVersion{Major: 2, Minor: 30}, false},
	{"program with junk", MakeVersion(2, 30), "000c010150726749 000c0001", &ProgramSource{ME: 0, Source: 1}, false},
	{"preview with junk", MakeVersion(2, 30), "0010654350727649 000c0001006d706c", &PreviewSource{ME: 0, Source: 1}, false},
	{"tally", MakeVersion(2, 30), "00100100546c496e 0004030000000047", &TallyByInput{Inputs: []Tally{3, 0, 0, 0}}, false},
	{"fade to black rate", MakeVersion(2, 30), "000c645046746250 00194241", &FadeToBlackRate{Rate: 25}, false},
	{"no macro runs", MakeVersion(2, 30), "000c00314d525072 0000ffff", &MacroRunState{Macro: 0xffff}, false},
	{"macro waits", MakeVersion(2, 30), "000c00004d525072 03010007", &MacroRunState{Running: true, Waiting: true, Loop: true, Macro: 7}, true},
	{"program 3", MakeVersion(2, 30), "000c000043506749 00000003", &SetProgramSource{Source: 3}, true},
	{"preview of M/E 2", MakeVersion(2, 30), "000c000043507649 010003e8", &SetPreviewSource{ME: 1, Source: SourceIDColorBars}, true},
	{"cut", MakeVersion(2, 30), "000c000044437574 00000000", &Cut{}, true},
	{"next is a wipe of two layers", MakeVersion(2, 30), "000c000043545470 03000203", &SetTransitionSelection{
		Mask: SetTransitionSelectionMaskNextStyle | SetTransitionSelectionMaskNextLayers, NextStyle: TransitionStyleWipe,
		NextLayers: TransitionLayersBackground | TransitionLayersKey1}, true},
	{"handle at half", MakeVersion(2, 30), "000c000043545073 00001388", &SetTransitionPosition{Position: 5000}, true},
	{"aux 1", MakeVersion(2, 30), "000c000043417553 0100271a", &SetAuxSource{Mask: SetAuxSourceMaskSource, Source: SourceIDME1Program}, true},
	{"downstream keyer before 2.29", MakeVersion(2, 28), "000c000044447341 01000000", &DownstreamKeyAuto{DSK: 1}, true},
	{"downstream keyer from 2.29", MakeVersion(2, 29), "000c000044447341 00010000", &DownstreamKeyAuto{DSK: 1}, true},
	{"downstream keyer toward on air", 0, "000c000044447341 01010100", &DownstreamKeyAuto{Mask: 1, DSK: 1, TowardOnAir: true}, true},
	{"stop the macro", MakeVersion(2, 30), "000c00004d416374 ffff0100", &MacroAction{Macro: 0xffff, Action: MacroActionKindStop}, true},
	{"colour", MakeVersion(2, 30), "00100000 43436c56 0700070803e801f4", &SetColourGenerator{Mask: 7, Hue: 1800, Saturation: 1000, Luma: 500}, true},
	{"no-op", MakeVersion(2, 30), "0008000054695271", &RequestTime{}, true},
	{"lock", MakeVersion(2, 30), "000c00004c4f434b 00000100", &Lock{Locked: true}, true},
	{"multiviewer before 2.28: masks have other bits", MakeVersion(2, 27), "00100000434d7650 0501020001000000",
		&SetMultiviewerLayout{Mask: SetMultiviewerLayoutMaskLayoutV1 | SetMultiviewerLayoutMaskSwapPgmPvw, Multiviewer: 1, LayoutV1: 2, SwapPgmPvw: true}, true},
	{"bits of a mask without a name stay", MakeVersion(2, 27), "00100000434d7650 3530303030303030",
		&SetMultiviewerLayout{Mask: SetMultiviewerLayoutMaskLayoutV1 | SetMultiviewerLayoutMaskSwapPgmPvw, Multiviewer: 0x30, LayoutV1: 0x30}, false},
	{"and from 2.28 on", MakeVersion(2, 28), "000c0000434d7650 03010c01",
		&SetMultiviewerLayout{Mask: SetMultiviewerLayoutMaskLayout | SetMultiviewerLayoutMaskSwapPgmPvw, Multiviewer: 1, Layout: 12, SwapPgmPvw: true}, true},
	{"topology of 2.21", MakeVersion(2, 21), "001c00005f746f70 0218020602010408030201ff 0000000000000000",
		&Topology{MEs: 2, Sources: 24, DSKs: 2, Auxes: 6, MediaPlayers: 2, SerialPorts: 1, HyperDecks: 4, DVEs: 8, Stingers: 3, SuperSources: 2}, false},
	{"topology of 2.22 has the same size", MakeVersion(2, 22), "001c00005f746f70 0218020604020104080302ff 0000000000000000",
		&Topology{MEs: 2, Sources: 24, DSKs: 2, Auxes: 6, MixMinusOutputs: 4, MediaPlayers: 2, SerialPorts: 1, HyperDecks: 4, DVEs: 8, Stingers: 3, SuperSources: 2}, false},
	{"names of a macro", MakeVersion(2, 30), "001800004d507270 000501000003000361626378797a0000",
		&MacroProperties{Macro: 5, Used: true, Name: "abc", Description: "xyz"}, true},
	{"a macro's recording leaves two bytes", MakeVersion(2, 30), "001400004d535263 0002000100014142 00000000", &RecordMacro{Macro: 2, Name: "A", Description: "B"}, true},
	{"camera", MakeVersion(2, 30), "00200000 43436450 01000280000000010000000000000000 2e00000000000000",
		&CameraControl{Camera: 1, Parameter: 2, Type: CameraTypeFixed16, Count16: 1, Values: []byte{0x2e, 0}}, true},
	{"text to its NUL", MakeVersion(2, 30), "002c0000 496e5072 0bc2 4d6564696100706c617965720000000000000000 4d5031007801 0100 0100 04ff 1f03",
		&InputProperties{Source: SourceIDMediaPlayer1, Name: "Media", Label: "MP1", NamesAreDefault: false, PortsAvailable: 0x0100, Port: 0x0100, InternalPort: 4, UsableIn: 0x1f, UsableOnME: 3}, false},
	{"meters", MakeVersion(2, 30), "004000004 14d4c76 0001 0001 00000001000000020000000300000004 00000005000000060000000700000008 0007 0000 00000009 0000000a 0000000b 0000000c",
		&ClassicLevels{MasterLeft: 1, MasterRight: 2, MasterLeftPeak: 3, MasterRightPeak: 4, MonitorLeft: 5, MonitorRight: 6, MonitorLeftPeak: 7, MonitorRightPeak: 8,
			Sources: []AudioSource{7}, Levels: []ClassicLevel{{9, 10, 11, 12}}}, true},
	{"a second count that differs stays", 0, "002c0000 414d4c76 0000 0009 00000001000000020000000300000004 00000005000000060000000700000008",
		&ClassicLevels{MasterLeft: 1, MasterRight: 2, MasterLeftPeak: 3, MasterRightPeak: 4, MonitorLeft: 5, MonitorRight: 6, MonitorLeftPeak: 7, MonitorRightPeak: 8}, false},
	{"data", MakeVersion(2, 30), "000f000046544461 00050003010203", &TransferData{Transfer: 5, Data: []byte{1, 2, 3}}, true},
}

func TestMessages(t *testing.T) {
	for _, row := range messages {
		whole := unhex(t, row.hex)
		f, rest, err := Next(whole)
		if err != nil || len(rest) > 0 {
			t.Errorf("%s: %v, %d bytes left", row.name, err, len(rest))
			continue
		}
		got := New(f.Code)
		if err := got.Parse(row.ver, f.Body); err != nil || !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s: %+v, %v", row.name, got, err)
		}
		fresh := row.want.Append([]byte{1}, row.ver)
		if row.own && !bytes.Equal(fresh[1:], whole) || len(fresh) != len(whole)+1 || fresh[0] != 1 {
			t.Errorf("%s: written %x", row.name, fresh[1:])
		}
		again := bytes.Clone(f.Body)
		if err := got.Put(row.ver, again); err != nil || !bytes.Equal(again, f.Body) {
			t.Errorf("%s: written over %x: %x, %v", row.name, f.Body, again, err)
		}
		if _, ok := LayoutOf(f.Code, row.ver, f.Body); !ok {
			t.Errorf("%s: the tables know no layout", row.name)
		}
	}
}

// A body that no layout fits stays raw, whatever its size.
func TestNoLayout(t *testing.T) {
	for i := range codeRows {
		m := New(codeRows[i].code)
		if m == nil {
			continue
		}
		for _, n := range []int{0, 1, 3, 5, 7, 1999} {
			body := make([]byte, n)
			l, ok := LayoutOf(m.Code(), 0, body)
			err := m.Parse(0, body)
			if ok != (err == nil) || err != nil && !errors.Is(err, ErrNoLayout) {
				t.Errorf("%v of %d bytes: by the tables %t, by the type %v", m.Code(), n, ok, err)
			}
			if err := m.Put(0, body); ok != (err == nil) && l.lay != nil && l.lay.size >= 0 {
				t.Errorf("%v of %d bytes: written %v", m.Code(), n, err)
			}
		}
	}
}

// A count or length beyond the end of the body fits no layout, by the tables and by the types.
func TestLengthsBeyondTheEnd(t *testing.T) {
	for _, text := range []string{
		"0010 0000 546c496e 0009 0000 0000 0000", "0010 0000 546c5372 0003 000100 000000", "0014 0000 4d507270 0000 0100 0005 0000 41424344",
		"0010 0000 46544461 0001 0005 41424344", "0020 0000 43436d64 00000000 80000000 0000 0005 0000 000000000000 00000000",
		"0010 0000 414d4c76 0001 0001 00000000", "000c 0000 5f564d43 ffff 0000",
	} {
		whole := unhex(t, text)
		f, rest, err := Next(append(whole, make([]byte, max(0, int(whole[1])-len(whole)))...))
		if err != nil || len(rest) > 0 {
			t.Fatalf("%s: %v, %d bytes left", text, err, len(rest))
		}
		_, ok := LayoutOf(f.Code, 0, f.Body)
		if err := New(f.Code).Parse(0, f.Body); ok || !errors.Is(err, ErrNoLayout) {
			t.Errorf("%v %x: by the tables %t, by the type %v", f.Code, f.Body, ok, err)
		}
	}
}

// Text that is shorter than what stood there is ended, and what follows stays.
func TestPutShorterText(t *testing.T) {
	body := bytes.Repeat([]byte{'z'}, 36)
	if err := (&InputProperties{Name: "ab", Label: "long label"}).Put(0, body); err != nil || string(body[2:8]) != "ab\x00zzz" || string(body[22:26]) != "long" {
		t.Errorf("%q, %v", body, err)
	}
}

// What is too long is cut, so that every field can be sent.
func TestAppendCuts(t *testing.T) {
	long := string(bytes.Repeat([]byte("a"), 70000))
	for _, m := range []Message{
		&MacroProperties{Name: long, Description: long}, &InputProperties{Name: long}, &TransferData{Data: []byte(long)}, &OSWUser{User: long},
		&OSWUpload{Data: []byte(long), Name: long}, &TallyBySource{Sources: make([]TallySource, 70000)}, &MediaPoolFrames{Hashes: []byte(long)},
		&ClassicLevels{Sources: make([]AudioSource, 70000), Levels: make([]ClassicLevel, 3)}, &SetCameraControl{Values: []byte(long)},
	} {
		b := m.Append(nil, 0)
		f, rest, err := Next(b)
		if err != nil || len(rest) > 0 {
			t.Errorf("%v: %v, %d bytes left", m.Code(), err, len(rest))
			continue
		}
		if _, camera := m.(*SetCameraControl); camera {
			continue // its counts say how much there is
		}
		if err := New(m.Code()).Parse(0, f.Body); err != nil {
			t.Error(err)
		}
	}
}

func TestValues(t *testing.T) {
	for _, row := range []struct{ got, want string }{
		{TransitionStyleDVE.String(), "dve"}, {TransitionStyle(77).String(), "77"}, {SourceID(3011).String(), "media-player-1-key"},
		{SourceID(1234).String(), "1234"}, {(TransitionLayersBackground | TransitionLayersKey2).String(), "background+key-2"},
		{TransitionLayers(0x81).String(), "background+0x80"}, {TransitionLayers(0).String(), "0"}, {VideoMode1080p5994.String(), "1080p59.94"},
		{UsableInAll.String(), "all"}, {(RecordStateRecording | RecordStateMediaOk).String(), "recording+media-ok"},
		{MakeVersion(2, 30).String(), "2.30"}, {HMSF{1, 2, 3, 4}.String(), "01:02:03:04"}, {IPv4{192, 0, 2, 1}.String(), "192.0.2.1"},
		{CodeAMmO.String(), "AMmO"},
	} {
		if row.got != row.want {
			t.Errorf("%q, want %q", row.got, row.want)
		}
	}
}

// The generic decoder says what things are.
func TestLayoutValues(t *testing.T) {
	for _, row := range []struct {
		m                           Message
		item, str, text, unit, name string
		float                       float64
	}{
		{&ClassicInput{Source: 1, Gain: 16384}, "gain", "16384", "-6.02 dB", "dB", "gain", -6.0206},
		{&ClassicInput{Source: 1}, "gain", "0", "-Inf dB", "dB", "gain", math.Inf(-1)},
		{&FairlightStrip{Fader: -10000}, "fader", "-10000", "-Inf dB", "dB", "fader", math.Inf(-1)},
		{&FairlightStrip{Fader: -350}, "fader", "-350", "-3.5 dB", "dB", "fader", -3.5},
		{&SuperSourceBoxBorder{WidthInTop: 65535}, "width_in_top", "65535", "16.00", "", "width_in_top", 16},
		{&SetDVEKey{Mask: SetDVEKeyMaskX | SetDVEKeyMaskRate}, "mask", "33554436", "x rate", "", "mask", 33554436},
		{&ProgramSource{Source: 2001}, "source", "2001", "color-1", "", "source", 2001},
		{&TallyBySource{Sources: []TallySource{{1, 0}, {2, 3}}}, "sources 2.tally", "3", "program+preview", "", "", 3},
		{&StreamingService{Bitrates: [2]uint32{1, 2}}, "bitrates 2", "2", "2 bit/s", "bit/s", "", 2},
		{&Power{PSU2: true}, "psu2", "true", "", "", "psu2", 1},
	} {
		f, _, _ := Next(row.m.Append(nil, 0))
		l, ok := LayoutOf(f.Code, 0, f.Body)
		if !ok {
			t.Fatal(f.Code)
		}
		found := false
		for v := range l.Values(f.Body) {
			if v.Name() != row.item {
				continue
			}
			found = true
			if v.String() != row.str || v.Text() != row.text || v.Unit() != row.unit || math.Abs(v.Float()-row.float) > 0.001 {
				t.Errorf("%v %s: %q %q %q %v", f.Code, row.item, v.String(), v.Text(), v.Unit(), v.Float())
			}
			n := v.Int()
			v.SetInt(n ^ 1)
			if v.Int() == n {
				t.Errorf("%v %s stays %d", f.Code, row.item, n)
			}
		}
		if _, ok := l.Value(f.Body, row.name); !found || ok != (row.name != "") {
			t.Errorf("%v has no %s", f.Code, row.item)
		}
	}
	if info, ok := Lookup(CodeCPgI); !ok || info.Sets != CodePrgI || !info.ToServer || info.ToClient || info.Name != "SetProgramSource" || info.Grade != "inferred" {
		t.Errorf("%+v", info)
	}
	if _, ok := Lookup(0x41414141); ok {
		t.Error("AAAA is known")
	}
	n := 0
	for range Catalogue() {
		n++
	}
	if n != 324 {
		t.Errorf("%d codes", n)
	}
}

// Types and tables read the same, and nothing that was read is lost.
func FuzzMessages(f *testing.F) {
	for _, row := range messages {
		b := unhex(f, row.hex)
		f.Add(uint32(row.ver), b)
	}
	f.Fuzz(func(t *testing.T, ver uint32, payload []byte) {
		for fd, err := range Fields(payload) {
			if err != nil {
				return
			}
			m := New(fd.Code)
			l, ok := LayoutOf(fd.Code, Version(ver), fd.Body)
			if m == nil {
				if ok {
					t.Fatalf("%v has a layout and no type", fd.Code)
				}
				continue
			}
			err := m.Parse(Version(ver), fd.Body)
			if ok != (err == nil) {
				t.Fatalf("%v %x: by the tables %t, by the type %v", fd.Code, fd.Body, ok, err)
			}
			if err != nil {
				continue
			}
			for v := range l.Values(fd.Body) {
				_ = v.Name() + v.String() + v.Text()
				_ = v.Bytes()
			}
			again := bytes.Clone(fd.Body)
			if err := m.Put(Version(ver), again); err != nil || !bytes.Equal(again, fd.Body) {
				t.Fatalf("%v %x written over: %x, %v", fd.Code, fd.Body, again, err)
			}
			fresh, other := m.Append(nil, Version(ver)), New(fd.Code)
			if err := other.Parse(Version(ver), fresh[HeaderSize:]); err != nil {
				t.Fatalf("%v: %v", fd.Code, err)
			}
			if second := other.Append(nil, Version(ver)); !bytes.Equal(second, fresh) {
				t.Fatalf("%v: %x, then %x", fd.Code, fresh, second)
			}
			var s State
			s.ver = Version(ver)
			s.Apply(&fd)
			s.Apply(&fd)
			_, _ = s.Result(&fd)
			r := fd
			Redact(&r, Version(ver))
			if len(r.Body) != len(fd.Body) {
				t.Fatalf("%v: redacted to another size", fd.Code)
			}
		}
	})
}
