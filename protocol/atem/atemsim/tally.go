package atemsim

import "github.com/patchbay-io/patchbay/protocol/atem"

// looker finds out which sources are seen in a picture.
type looker struct {
	st   *atem.State
	seen map[atem.SourceID]bool
}

// source sees a source, and what it is made of.
func (l *looker) source(id atem.SourceID) {
	if l.seen[id] {
		return
	}
	l.seen[id] = true
	switch {
	case id >= atem.SourceIDME1Program && id < atem.SourceIDME1Program+40:
		me := uint8((id - atem.SourceIDME1Program) / 10)
		if id%10 == 0 {
			l.program(me)
		} else {
			l.preview(me)
		}
	case id == atem.SourceIDSuperSource1 || id == atem.SourceIDSuperSource2:
		l.boxes(uint8(id - atem.SourceIDSuperSource1))
	}
}

func (l *looker) boxes(ss uint8) {
	for b := range atem.All[atem.SuperSourceBox](l.st) {
		if b.SuperSource == ss && b.Enabled {
			l.source(b.Source)
		}
	}
	if art, ok := atem.Get[atem.SuperSourceArt](l.st, int64(ss)); ok {
		l.source(art.ArtFillSource)
		if art.ArtOption == atem.ArtOptionForeground {
			l.source(art.ArtKeySource)
		}
	}
}

// program sees what is on air on an M/E, both sides of a transition included.
func (l *looker) program(me uint8) {
	pos, _ := atem.Get[atem.TransitionPosition](l.st, int64(me))
	sel, _ := atem.Get[atem.TransitionSelection](l.st, int64(me))
	try, _ := atem.Get[atem.TransitionPreview](l.st, int64(me))
	moving := pos.InTransition && !try.Preview
	if p, ok := atem.Get[atem.ProgramSource](l.st, int64(me)); ok {
		l.source(p.Source)
	}
	if p, ok := atem.Get[atem.PreviewSource](l.st, int64(me)); ok && moving && sel.Layers&atem.TransitionLayersBackground != 0 {
		l.source(p.Source)
	}
	if moving {
		l.transition(me, sel.Style)
	}
	for keyer := range uint8(4) {
		on, ok := atem.Get[atem.KeyOnAir](l.st, int64(me), int64(keyer))
		if ok && (on.OnAir || moving && sel.Layers&(atem.TransitionLayersKey1<<keyer) != 0) {
			l.key(me, keyer)
		}
	}
	if me == 0 {
		l.downstream(func(s *atem.DownstreamKeyState, p *atem.DownstreamKeyProperties) bool {
			return s.OnAir || s.InTransition || moving && p.Tie
		})
	}
}

// transition sees what a transition itself shows.
func (l *looker) transition(me uint8, style atem.TransitionStyle) {
	switch style {
	case atem.TransitionStyleDip:
		if v, ok := atem.Get[atem.DipSettings](l.st, int64(me)); ok {
			l.source(v.Input)
		}
	case atem.TransitionStyleWipe:
		if v, ok := atem.Get[atem.WipeSettings](l.st, int64(me)); ok && v.BorderWidth > 0 {
			l.source(v.BorderInput)
		}
	case atem.TransitionStyleDVE:
		if v, ok := atem.Get[atem.DVESettings](l.st, int64(me)); ok && v.Style >= atem.DVEEffectGraphicCwSpin {
			l.source(v.FillSource)
			if v.EnableKey {
				l.source(v.KeySource)
			}
		}
	case atem.TransitionStyleStinger:
		if v, ok := atem.Get[atem.StingerSettings](l.st, int64(me)); ok && v.Source != atem.StingerSourceNone {
			l.source(atem.SourceIDMediaPlayer1 + 10*atem.SourceID(v.Source-1))
		}
	}
}

// key sees the sources of a keyer; chroma and pattern keys have a fill only.
func (l *looker) key(me, keyer uint8) {
	base, ok := atem.Get[atem.KeyBase](l.st, int64(me), int64(keyer))
	if !ok {
		return
	}
	l.source(base.FillSource)
	if base.KeyType == atem.KeyTypeLuma {
		l.source(base.KeySource)
	}
}

func (l *looker) downstream(on func(*atem.DownstreamKeyState, *atem.DownstreamKeyProperties) bool) {
	for s := range atem.All[atem.DownstreamKeyState](l.st) {
		p, _ := atem.Get[atem.DownstreamKeyProperties](l.st, int64(s.DSK))
		if b, ok := atem.Get[atem.DownstreamKeySources](l.st, int64(s.DSK)); ok && on(&s, &p) {
			l.source(b.FillSource)
			l.source(b.KeySource)
		}
	}
}

// preview sees what the next transition of an M/E would bring.
func (l *looker) preview(me uint8) {
	sel, _ := atem.Get[atem.TransitionSelection](l.st, int64(me))
	if p, ok := atem.Get[atem.PreviewSource](l.st, int64(me)); ok {
		l.source(p.Source)
	}
	for keyer := range uint8(4) {
		on, ok := atem.Get[atem.KeyOnAir](l.st, int64(me), int64(keyer))
		if ok && on.OnAir != (sel.NextLayers&(atem.TransitionLayersKey1<<keyer) != 0) {
			l.key(me, keyer)
		}
	}
	if me == 0 {
		l.downstream(func(s *atem.DownstreamKeyState, p *atem.DownstreamKeyProperties) bool { return p.Tie && !s.OnAir })
	}
}

// retally works out anew which sources are on program and preview of the first M/E.
func (m *machine) retally() {
	on, next := looker{m.st, map[atem.SourceID]bool{}}, looker{m.st, map[atem.SourceID]bool{}}
	on.program(0)
	next.preview(0)
	of := func(id atem.SourceID) (t atem.Tally) {
		if on.seen[id] {
			t |= atem.TallyProgram
		}
		if next.seen[id] {
			t |= atem.TallyPreview
		}
		return t
	}
	if old, ok := atem.Get[atem.TallyByInput](m.st); ok {
		for i := range old.Inputs {
			old.Inputs[i] = of(atem.SourceID(i) + 1)
		}
		m.set(&old)
	}
	if old, ok := atem.Get[atem.TallyBySource](m.st); ok {
		for i := range old.Sources {
			old.Sources[i].Tally = of(old.Sources[i].Source)
		}
		m.set(&old)
	}
}
