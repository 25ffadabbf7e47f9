package atem

import (
	"testing"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/atem/atemsim"
)

// BenchmarkDump makes the points of a 2 M/E out of everything that it says when a session begins.
func BenchmarkDump(b *testing.B) {
	sim, err := atemsim.New(atemsim.Options{Model: "2me-4k"})
	if err != nil {
		b.Fatal(err)
	}
	dump := sim.State().Dump(1400)
	size := 0
	for _, p := range dump {
		size += len(p)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		s := newSession("x")
		for _, p := range dump {
			s.handle(p)
		}
		s.board.all()
	}
}

// BenchmarkCut takes what a switcher says about one cut.
func BenchmarkCut(b *testing.B) {
	sim, err := atemsim.New(atemsim.Options{Model: "2me-4k"})
	if err != nil {
		b.Fatal(err)
	}
	s := newSession("x")
	for _, p := range sim.State().Dump(1400) {
		s.handle(p)
	}
	s.sink = sinkOf(func(*driver.Change) {})
	said := [2][]byte{cut(1, 2), cut(2, 1)}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.handle(said[i%2])
	}
}

func cut(program, preview atem.SourceID) (payload []byte) {
	for _, m := range []atem.Message{&atem.ProgramSource{Source: program}, &atem.PreviewSource{Source: preview},
		&atem.TallyBySource{Sources: []atem.TallySource{{Source: program, Tally: atem.TallyProgram}, {Source: preview, Tally: atem.TallyPreview}}}} {
		payload = m.Append(payload, atem.MakeVersion(2, 30))
	}
	return payload
}
