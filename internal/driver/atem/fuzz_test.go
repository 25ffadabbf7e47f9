package atem

import (
	"fmt"
	"testing"
	"unicode/utf8"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/atem"
)

// strict is a sink that notices what no door could show.
type strict struct {
	t     *testing.T
	specs map[device.Path]device.Spec
}

// Apply implements driver.Sink.
func (s *strict) Apply(c *driver.Change) {
	if c.Full {
		clear(s.specs)
	}
	for _, g := range c.Gone {
		for p := range s.specs {
			if p.Under(g) {
				delete(s.specs, p)
			}
		}
	}
	for _, sp := range c.Specs {
		if _, err := device.ParsePath(string(sp.Path)); err != nil {
			s.t.Fatal(err)
		}
		s.specs[sp.Path] = sp
	}
	for _, x := range c.Samples {
		if sp, ok := s.specs[x.Path]; !ok || sp.Kind != x.Value.Kind {
			s.t.Fatalf("%s is %v, its spec %v", x.Path, x.Value.Kind, sp.Kind)
		}
		if x.Value.Kind == device.String && !utf8.ValidString(x.Value.Str()) {
			s.t.Fatalf("%s is no text: %q", x.Path, x.Value.Str())
		}
	}
}

// FuzzHandle lets a switcher say anything at all, after a dump and in place of one.
func FuzzHandle(f *testing.F) {
	junk := (&atem.TransitionSelection{ME: 0, Style: 200, NextStyle: 200, NextLayers: 255}).Append(nil, 0)
	for _, p := range [][]byte{junk, (&atem.Topology{MEs: 0}).Append(nil, 0), (&atem.FairlightStrip{StripID: 7}).Append(nil, 0), (&atem.ProtocolVersion{Major: 2, Minor: 22}).Append(nil, 0),
		(&atem.InputProperties{Source: 9, Name: "\xff\xfe", Label: "\x80"}).Append(nil, 0), {0, 8, 0, 0, 'I', 'n', 'C', 'm'}, {0, 3, 0, 0, 'P'}} {
		f.Add(p, true)
		f.Add(p, false)
	}
	sim, err := simulatedState()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, payload []byte, after bool) {
		s := newSession("x")
		s.sink = &strict{t, map[device.Path]device.Spec{}}
		if after {
			for _, p := range sim {
				s.handle(p)
			}
		}
		s.handle(payload)
		for _, p := range s.board.order {
			if p.write != nil { // what is written then makes a command, or is refused
				v := p.sample.Value
				messages, err := p.write(s.board, v)
				for _, m := range messages {
					if b := m.Append(nil, s.board.ver); err == nil && len(b) < atem.HeaderSize {
						t.Fatalf("%s makes %x", p.spec.Path, b)
					}
				}
			}
		}
	})
}

// A switcher that never stops telling of new sources fills no memory.
func TestPointsAreBounded(t *testing.T) {
	s := newSession("x")
	var payload []byte
	for id := range 1 << 16 {
		payload = (&atem.InputProperties{Source: atem.SourceID(id), Name: fmt.Sprint(id)}).Append(payload, 0)
	}
	s.handle((&atem.InitComplete{Value: 1}).Append(payload, 0))
	sink := &strict{t, map[device.Path]device.Spec{}}
	sink.Apply(s.board.all())
	if n := len(s.board.points); n > maxPoints || len(s.board.order) != n || len(sink.specs) != n {
		t.Errorf("%d points, %d in order, %d told", n, len(s.board.order), len(sink.specs))
	}
	if n := len(s.board.labels[labelsSources].Items); n > maxLabels {
		t.Errorf("%d labels", n)
	}
	if s.board.unread == 0 {
		t.Error("what had no room was not counted")
	}
}
