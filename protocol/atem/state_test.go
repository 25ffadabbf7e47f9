package atem

import (
	"bytes"
	"slices"
	"testing"
)

func apply(s *State, m Message) Effect {
	f, _, err := Next(m.Append(nil, s.Version()))
	if err != nil {
		panic(err)
	}
	return s.Apply(&f)
}

// A recorded dump that went through a State comes out as it was, padding included, but for fields that say the same thing
// again: the recordings have overwritten ids among their sources.
func TestStateKeepsRecordings(t *testing.T) {
	doubles := 0
	for name, payloads := range recordings(t) {
		var s State
		var want [][]byte
		double := 0
		for _, p := range payloads {
			for f := range Fields(p) {
				whole, _ := f.Append(nil)
				switch e := s.Apply(&f); e {
				case Added, Reset:
					want = append(want, whole)
				case Changed, Same:
					double++
					i := slices.IndexFunc(want, func(w []byte) bool { return bytes.Equal(w[4:10], whole[4:10]) })
					if want[i] = whole; f.Code != CodeInPr {
						t.Errorf("%s: %v is there twice: %x", name, f.Code, f.Body)
					}
				case Passing:
				default:
					t.Errorf("%s: %v: %v", name, f.Code, e)
				}
			}
		}
		if !s.Complete() || s.Version() == 0 || s.Dropped() != 0 {
			t.Errorf("%s: complete %t, version %v, %d dropped", name, s.Complete(), s.Version(), s.Dropped())
		}
		doubles += double
		var got [][]byte
		packets := s.Dump(1410)
		for i, p := range packets {
			if len(p) > 1410 || i+1 < len(packets) && len(p) < 1410-1408 {
				t.Errorf("%s: packet %d of %d bytes", name, i, len(p))
			}
			for f, err := range Fields(p) {
				if err != nil {
					t.Fatal(err)
				}
				whole, _ := f.Append(nil)
				got = append(got, whole)
			}
		}
		if last := got[len(got)-1]; !bytes.Equal(last, []byte("\x00\x0c\x00\x00InCm\x01\x00\x00\x00")) {
			t.Errorf("%s ends with %x", name, last)
		}
		if got = got[:len(got)-1]; !slices.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("%s came out differently", name)
		}
		clone := s.Clone()
		if a, b := s.Dump(1410), clone.Dump(1410); !slices.EqualFunc(a, b, bytes.Equal) || clone.Size() != s.Size() {
			t.Errorf("%s: the clone differs", name)
		}
	}
	if doubles != 57 {
		t.Errorf("%d doubles", doubles)
	}
}

func codes(s *State) string {
	var b []byte
	for f := range s.Fields() {
		b = append(b, f.Code.String()...)
		if len(f.Body) > 1 {
			b = append(b, ':', '0'+f.Body[0]%10, '0'+f.Body[1]%10)
		}
		b = append(b, ' ')
	}
	return string(b)
}

func unknown(code string, body ...byte) *Field {
	c, _ := ParseCode(code)
	return &Field{Code: c, Body: body}
}

func TestState(t *testing.T) {
	var s State
	steps := []struct {
		name string
		do   func() Effect
		want Effect
		all  string
	}{
		{"nothing is known before _ver", func() Effect { return apply(&s, &ProgramSource{ME: 1, Source: 1}) }, Added, "PrgI:10 "},
		{"_ver begins anew", func() Effect { return apply(&s, &ProtocolVersion{2, 30}) }, Reset, "_ver:02 "},
		{"a second M/E", func() Effect {
			apply(&s, &ProgramSource{ME: 0, Source: 1})
			apply(&s, &PreviewSource{ME: 0, Source: 2})
			return apply(&s, &ProgramSource{ME: 1, Source: 3})
		}, Added, "_ver:02 PrgI:00 PrvI:00 PrgI:10 "},
		{"the same again", func() Effect { return apply(&s, &ProgramSource{ME: 0, Source: 1}) }, Same, "_ver:02 PrgI:00 PrvI:00 PrgI:10 "},
		{"a change", func() Effect { return apply(&s, &ProgramSource{ME: 0, Source: 4}) }, Changed, "_ver:02 PrgI:00 PrvI:00 PrgI:10 "},
		{"a command", func() Effect { return apply(&s, &SetProgramSource{ME: 0, Source: 9}) }, Passing, "_ver:02 PrgI:00 PrvI:00 PrgI:10 "},
		{"time", func() Effect { return apply(&s, &Timecode{Hour: 1}) }, Passing, "_ver:02 PrgI:00 PrvI:00 PrgI:10 "},
		{"unknown codes of a dump stay as they are", func() Effect {
			s.Apply(unknown("ABCD", 1, 2, 3))
			s.Apply(unknown("ABCD", 1, 2, 4))
			return s.Apply(unknown("EFGH", 1))
		}, Added, "_ver:02 PrgI:00 PrvI:00 PrgI:10 ABCD:12 ABCD:12 EFGH "},
		{"a strip", func() Effect {
			apply(&s, &FairlightStrip{Source: 1, StripID: -65280})
			apply(&s, &FairlightStripEQBand{Source: 1, StripID: -65280, Band: 1})
			apply(&s, &FairlightStrip{Source: 1, StripID: -255})
			return apply(&s, &RecordingDisk{Disk: 7, Volume: "one"})
		}, Added, "_ver:02 PrgI:00 PrvI:00 PrgI:10 ABCD:12 ABCD:12 EFGH FASP:01 AEBP:01 FASP:01 RTMD:00 "},
		{"the end", func() Effect { return apply(&s, &InitComplete{Value: 1}) }, Passing,
			"_ver:02 PrgI:00 PrvI:00 PrgI:10 ABCD:12 ABCD:12 EFGH FASP:01 AEBP:01 FASP:01 RTMD:00 "},
		{"something new stands beside its like", func() Effect { return apply(&s, &PreviewSource{ME: 1, Source: 2}) }, Added,
			"_ver:02 PrgI:00 PrvI:00 PrvI:10 PrgI:10 ABCD:12 ABCD:12 EFGH FASP:01 AEBP:01 FASP:01 RTMD:00 "},
		{"an unknown code that is there once", func() Effect { return s.Apply(unknown("EFGH", 5, 6)) }, Changed,
			"_ver:02 PrgI:00 PrvI:00 PrvI:10 PrgI:10 ABCD:12 ABCD:12 EFGH:56 FASP:01 AEBP:01 FASP:01 RTMD:00 "},
		{"one that is there twice", func() Effect { return s.Apply(unknown("ABCD", 1, 2, 5)) }, Changed,
			"_ver:02 PrgI:00 PrvI:00 PrvI:10 PrgI:10 ABCD:12 ABCD:12 EFGH:56 FASP:01 AEBP:01 FASP:01 RTMD:00 "},
		{"and a third", func() Effect { return s.Apply(unknown("ABCD", 7, 7)) }, Added,
			"_ver:02 PrgI:00 PrvI:00 PrvI:10 PrgI:10 ABCD:12 ABCD:12 ABCD:77 EFGH:56 FASP:01 AEBP:01 FASP:01 RTMD:00 "},
		{"a strip goes, with its equaliser", func() Effect { return apply(&s, &FairlightStripRemoved{Source: 1, StripID: -65280}) }, Removed,
			"_ver:02 PrgI:00 PrvI:00 PrvI:10 PrgI:10 ABCD:12 ABCD:12 ABCD:77 EFGH:56 FASP:01 RTMD:00 "},
		{"a strip that is not there", func() Effect { return apply(&s, &FairlightStripRemoved{Source: 1, StripID: -65280}) }, Same,
			"_ver:02 PrgI:00 PrvI:00 PrvI:10 PrgI:10 ABCD:12 ABCD:12 ABCD:77 EFGH:56 FASP:01 RTMD:00 "},
		{"another strip stands beside the one that is left", func() Effect { return apply(&s, &FairlightStrip{Source: 2, StripID: -65280}) }, Added,
			"_ver:02 PrgI:00 PrvI:00 PrvI:10 PrgI:10 ABCD:12 ABCD:12 ABCD:77 EFGH:56 FASP:01 FASP:02 RTMD:00 "},
		{"the last of its code goes", func() Effect { return apply(&s, &FairlightStripRemoved{Source: 2, StripID: -65280}) }, Removed,
			"_ver:02 PrgI:00 PrvI:00 PrvI:10 PrgI:10 ABCD:12 ABCD:12 ABCD:77 EFGH:56 FASP:01 RTMD:00 "},
		{"and a new one comes", func() Effect {
			apply(&s, &FairlightStrip{Source: 3, StripID: -65280})
			return apply(&s, &FairlightStripRemoved{Source: 3, StripID: -65280})
		}, Removed, "_ver:02 PrgI:00 PrvI:00 PrvI:10 PrgI:10 ABCD:12 ABCD:12 ABCD:77 EFGH:56 FASP:01 RTMD:00 "},
		{"a disk goes", func() Effect { return apply(&s, &RecordingDisk{Disk: 7, Status: DiskStateRemoved}) }, Removed,
			"_ver:02 PrgI:00 PrvI:00 PrvI:10 PrgI:10 ABCD:12 ABCD:12 ABCD:77 EFGH:56 FASP:01 "},
	}
	for _, step := range steps {
		revision, before := s.Revision(), codes(&s)
		e := step.do()
		if e != step.want {
			t.Errorf("%s: effect %d, want %d", step.name, e, step.want)
		}
		if got := codes(&s); got != step.all {
			t.Errorf("%s:\n%s, want\n%s", step.name, got, step.all)
		}
		if (e == Same || e == Passing) && before == step.all && s.Revision() != revision {
			t.Errorf("%s: another revision", step.name)
		}
		size := 0
		for f := range s.Fields() {
			size += f.Size()
		}
		if size != s.Size() {
			t.Errorf("%s: %d bytes, counted %d", step.name, size, s.Size())
		}
	}
	if p, ok := Get[ProgramSource](&s, 0); !ok || p.Source != 4 {
		t.Errorf("program of M/E 1: %+v, %t", p, ok)
	}
	if _, ok := Get[ProgramSource](&s, 2); ok {
		t.Error("there is a third M/E")
	}
	var sources []SourceID
	for p := range All[ProgramSource](&s) {
		sources = append(sources, p.Source)
	}
	if !slices.Equal(sources, []SourceID{4, 3}) {
		t.Errorf("programs %d", sources)
	}
	for range All[Timecode](&s) {
		t.Error("the time is part of the state")
	}
}

// The key of a box has a SuperSource in it, which older switchers do not send.
func TestStateKeysOfOlderLayouts(t *testing.T) {
	for _, ver := range []Version{MakeVersion(2, 27), MakeVersion(2, 28)} {
		var s State
		apply(&s, &ProtocolVersion{uint16(ver >> 16), uint16(ver)})
		for box := range uint8(4) {
			if e := apply(&s, &SuperSourceBox{Box: box, Source: SourceID(box) + 1}); e != Added {
				t.Errorf("%v: box %d: effect %d", ver, box, e)
			}
		}
		if b, ok := Get[SuperSourceBox](&s, 0, 2); !ok || b.Source != 3 {
			t.Errorf("%v: box 3 is %+v, %t", ver, b, ok)
		}
	}
}

func TestStateIsBounded(t *testing.T) {
	var s State
	apply(&s, &ProtocolVersion{2, 30})
	for i := range MaxStateFields + 10 {
		apply(&s, &FairlightStrip{StripID: int64(i)})
	}
	if s.Len() != MaxStateFields || s.Dropped() != 11 {
		t.Errorf("%d fields, %d dropped", s.Len(), s.Dropped())
	}
	apply(&s, &ProtocolVersion{2, 30})
	for range 200 {
		s.Apply(unknown("ABCD", make([]byte, 65000)...))
	}
	if s.Size() > MaxStateBytes || s.Dropped() != 11+200-uint64(s.Len()-1) {
		t.Errorf("%d bytes, %d fields, %d dropped", s.Size(), s.Len(), s.Dropped())
	}
	apply(&s, &ProtocolVersion{2, 30})
	s.Apply(unknown("ABCD", 0, 0))
	s.Apply(unknown("ABCD", 0, 1))
	apply(&s, &InitComplete{})
	for i := range 3 * maxUnknown {
		s.Apply(unknown("ABCD", byte(i>>8)+1, byte(i)))
	}
	if s.Len() != maxUnknown+1 {
		t.Errorf("%d fields of an unknown code", s.Len()-1)
	}
}
