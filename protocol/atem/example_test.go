package atem_test

import (
	"fmt"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

// A payload as it comes from a switcher, taken apart by types.
func Example() {
	payload := []byte("\x00\x0c\x00\x00_ver\x00\x02\x00\x1e" + "\x00\x0c\x01\x01PrgI\x00\x0c\x0b\xc2")
	var ver atem.Version
	for f, err := range atem.Fields(payload) {
		if err != nil {
			fmt.Println(err)
			return
		}
		switch f.Code {
		case atem.CodeVer:
			var v atem.ProtocolVersion
			if v.Parse(0, f.Body) == nil {
				ver = atem.MakeVersion(v.Major, v.Minor)
			}
		case atem.CodePrgI:
			var p atem.ProgramSource
			if p.Parse(ver, f.Body) == nil {
				fmt.Printf("M/E %d shows %v\n", p.ME+1, p.Source)
			}
		}
	}
	// Output: M/E 1 shows media-player-1
}

// Two commands that take effect in the same frame: they go in one packet.
func ExampleSetProgramSource_Append() {
	ver := atem.MakeVersion(2, 30)
	packet := (&atem.SetProgramSource{ME: 0, Source: 3}).Append(nil, ver)
	packet = (&atem.SetAuxSource{Mask: atem.SetAuxSourceMaskSource, Aux: 1, Source: atem.SourceIDME1Program}).Append(packet, ver)
	fmt.Printf("%x\n", packet)
	// Output: 000c00004350674900000003000c0000434175530101271a
}

// Everything that a switcher has said, and one thing of it.
func ExampleState() {
	var s atem.State
	say := func(m atem.Message) {
		f, _, _ := atem.Next(m.Append(nil, s.Version()))
		s.Apply(&f)
	}
	say(&atem.ProtocolVersion{Major: 2, Minor: 30})
	say(&atem.InputProperties{Source: 1, Name: "Stage left", Label: "STG"})
	say(&atem.ColourGenerator{Generator: 1, Hue: 1234, Saturation: 500, Luma: 500})
	say(&atem.InitComplete{Value: 1})
	if in, ok := atem.Get[atem.InputProperties](&s, 1); ok {
		fmt.Println(in.Name)
	}
	l, _ := atem.LayoutOf(atem.CodeColV, s.Version(), s.Body(atem.CodeColV, 1))
	for v := range l.Values(s.Body(atem.CodeColV, 1)) {
		fmt.Printf("%s: %s (%s)\n", v.Name(), v, v.Text())
	}
	// Output:
	// Stage left
	// generator: 1 ()
	// hue: 1234 (123.4 deg)
	// saturation: 500 (50 %)
	// luma: 500 (50 %)
}
