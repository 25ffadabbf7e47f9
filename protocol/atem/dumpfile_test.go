package atem

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestDumpFile(t *testing.T) {
	var s State
	for _, m := range []Message{
		&ProtocolVersion{2, 30}, &Product{Name: "ATEM Mini", Model: ModelMini}, &InputProperties{Source: 1, Name: "Ann's desk", Label: "ANN"},
		&SoftwareVersion{Version: "8.4"}, &StreamingLogin{Username: "ann", Password: "secret"}, &HyperDeckSettings{NetworkAddress: IPv4{192, 0, 2, 9}},
		&MacroProperties{Macro: 1, Used: true, Name: "Ann walks in", Description: "x.y"}, &MediaPoolStill{Used: true, Name: "Ann", MD5: [16]byte{1}},
		&CameraControl{Camera: 1, Type: CameraTypeString, Count8: 3, Values: []byte("Ann")}, &ColourGenerator{Hue: 9}, &TallyConfig{Fixed: [4]byte{0, 1}, Inputs: 4},
	} {
		apply(&s, m)
	}
	dirty := &Field{Code: CodePrgI, Pad: [2]byte{1, 2}, Body: []byte{0, 'A', 0, 1}}
	s.Apply(dirty)
	s.Apply(unknown("RXHI", 'a', 'b', 'c', 'd', 'e', 0, 'f', 'g', 1))
	s.Apply(unknown("WXYZ", 1, 'f', 'g', 2, 'A', 'n', 'n'))
	apply(&s, &InitComplete{Value: 1})

	var plain, redacted bytes.Buffer
	if s.WriteDump(&plain, false) != nil || s.WriteDump(&redacted, true) != nil {
		t.Fatal("not written")
	}
	back, err := ReadDump(strings.NewReader("# a comment\n\n" + plain.String()))
	if err != nil || !back.Complete() || !slices.EqualFunc(back.Dump(1410), s.Dump(1410), bytes.Equal) {
		t.Errorf("read again: %v", err)
	}
	r, err := ReadDump(&redacted)
	if err != nil || r.Len() != s.Len() {
		t.Fatalf("%d of %d fields, %v", r.Len(), s.Len(), err)
	}
	for f := range r.Fields() {
		if bytes.Contains(f.Body, []byte("nn")) || bytes.Contains(f.Body, []byte("secret")) || f.Pad != [2]byte{} {
			t.Errorf("%v says %q", f.Code, f.Body)
		}
	}
	pin, _ := Get[Product](r)
	in, _ := Get[InputProperties](r, 1)
	macro, _ := Get[MacroProperties](r, 1)
	deck, _ := Get[HyperDeckSettings](r, 0)
	colour, _ := Get[ColourGenerator](r, 0)
	if pin.Name != "ATEM Mini" || in.Name != "xxxxx xxxx" || in.Label != "xxx" || macro.Name != "xxx xxxxx xx" || macro.Description != "x.x" ||
		deck.NetworkAddress != (IPv4{}) || colour.Hue != 9 || !bytes.Equal(r.Body(CodePrgI, 0), []byte{0, 0, 0, 1}) || !bytes.Equal(r.Body(CodeTlC), []byte{0, 1, 0, 0, 4, 0, 0, 0}) {
		t.Errorf("%+v %+v %+v %+v %+v", pin, in, macro, deck, colour)
	}
	if b := r.Body(CodeRXHI, 'a'<<8|'b'); !bytes.Equal(b, []byte("abxxx\x00fg\x01")) {
		t.Errorf("RXHI is %q", b)
	}

	for _, bad := range []string{"", "zz\n", "000c000050726749 00000001\n", "000c000050726749\n", "000c00005f766572000200\n", "0000000041424344\n"} {
		if _, err := ReadDump(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
	if _, err := ReadDump(strings.NewReader("# nothing\n")); !errors.Is(err, ErrNoDump) {
		t.Error(err)
	}
}

// A recorded dump, written as a file and redacted, still has its layouts.
func TestRedactRecordings(t *testing.T) {
	for name, payloads := range recordings(t) {
		var s State
		for _, p := range payloads {
			for f := range Fields(p) {
				s.Apply(&f)
			}
		}
		for f := range s.Fields() {
			r := f
			Redact(&r, s.Version())
			_, before := LayoutOf(f.Code, s.Version(), f.Body)
			_, after := LayoutOf(r.Code, s.Version(), r.Body)
			if before != after || len(r.Body) != len(f.Body) {
				t.Errorf("%s: %v %x became %x", name, f.Code, f.Body, r.Body)
			}
		}
	}
}

func TestResult(t *testing.T) {
	var s State
	for _, m := range []Message{&ProtocolVersion{2, 30}, &ColourGenerator{Generator: 1, Hue: 100, Saturation: 200, Luma: 300}, &MediaPoolStill{Slot: 2},
		&SuperSourceBox{SuperSource: 0, Box: 2, X: 5}, &InputProperties{Source: 3, Name: "Old name", Label: "OLD"}, &StreamingAudioBitrates{}, &HyperDeckSettings{HyperDeck: 2}} {
		apply(&s, m)
	}
	for _, row := range []struct {
		name string
		cmd  Message
		want Message
	}{
		{"what the mask has not", &SetColourGenerator{Mask: 2, Generator: 1, Hue: 7, Saturation: 8, Luma: 9}, &ColourGenerator{Generator: 1, Hue: 100, Saturation: 8, Luma: 300}},
		{"beyond its range", &SetColourGenerator{Mask: 1, Generator: 1, Hue: 5000}, &ColourGenerator{Generator: 1, Hue: 3599, Saturation: 200, Luma: 300}},
		{"something that is not there", &SetColourGenerator{Mask: 1, Generator: 4}, nil},
		{"an own way of doing", &Cut{}, nil},
		{"another size and place", &SetSuperSourceBox{Mask: SetSuperSourceBoxMaskX, Box: 2, X: -4}, &SuperSourceBox{Box: 2, X: -4}},
		{"text", &SetInputProperties{Mask: SetInputPropertiesMaskName, Source: 3, Name: "New"}, &InputProperties{Source: 3, Name: "New", Label: "OLD"}},
		{"an array", &StreamingAudioBitrates{Bitrates: [2]uint32{5, 6}}, &StreamingAudioBitrates{Bitrates: [2]uint32{5, 6}}},
		{"an address", &SetHyperDeckSettings{Mask: 3, HyperDeck: 2, NetworkAddress: IPv4{1, 2, 3, 4}, Input: 7}, &HyperDeckSettings{HyperDeck: 2, NetworkAddress: IPv4{1, 2, 3, 4}, Input: 7}},
	} {
		cmd, _, _ := Next(row.cmd.Append(nil, s.Version()))
		got, ok := s.Result(&cmd)
		if ok != (row.want != nil) {
			t.Errorf("%s: %t", row.name, ok)
			continue
		}
		if ok {
			b, _ := got.Append(nil)
			if want := row.want.Append(nil, s.Version()); !bytes.Equal(b, want) {
				t.Errorf("%s: %x, want %x", row.name, b, want)
			}
		}
	}
}
