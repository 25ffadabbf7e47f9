package atemsim

import "github.com/patchbay-io/patchbay/protocol/atem"

// whole is the position of a transition that is through.
const whole = 10000

// mixEffect is a transition that runs.
type mixEffect struct {
	fade
	from int // position at which auto began
}

func (m *machine) mixEffect(me uint8) *mixEffect {
	x := m.mes[me]
	if x == nil {
		x = &mixEffect{}
		m.mes[me] = x
	}
	return x
}

// rate is how many frames the next transition of an M/E takes.
func (m *machine) rate(me uint8) int {
	sel, _ := atem.Get[atem.TransitionSelection](m.st, int64(me))
	rate := 0
	switch sel.NextStyle {
	case atem.TransitionStyleDip:
		v, _ := atem.Get[atem.DipSettings](m.st, int64(me))
		rate = int(v.Rate)
	case atem.TransitionStyleWipe:
		v, _ := atem.Get[atem.WipeSettings](m.st, int64(me))
		rate = int(v.Rate)
	case atem.TransitionStyleDVE:
		v, _ := atem.Get[atem.DVESettings](m.st, int64(me))
		rate = int(v.Rate)
	case atem.TransitionStyleStinger:
		v, _ := atem.Get[atem.StingerSettings](m.st, int64(me))
		rate = int(v.MixRate)
	default:
		v, _ := atem.Get[atem.MixSettings](m.st, int64(me))
		rate = int(v.Rate)
	}
	return min(max(rate, 1), 250)
}

// begin makes the next transition the one that is under way.
func (m *machine) begin(me uint8) {
	sel, ok := atem.Get[atem.TransitionSelection](m.st, int64(me))
	if ok && (sel.Style != sel.NextStyle || sel.Layers != sel.NextLayers) {
		sel.Style, sel.Layers = sel.NextStyle, sel.NextLayers
		m.set(&sel)
	}
}

func (m *machine) auto(me uint8) {
	pos, ok := atem.Get[atem.TransitionPosition](m.st, int64(me))
	x := m.mixEffect(me)
	if !ok || x.running {
		return
	}
	m.begin(me)
	x.running, x.rate, x.from = true, m.rate(me), int(pos.Position)
	x.left = max(x.rate*(whole-x.from)/whole, 1)
	m.set(&atem.TransitionPosition{ME: me, InTransition: true, FramesLeft: uint8(x.left), Position: pos.Position})
	m.start()
}

// stepMix moves an auto transition by a frame.
func (m *machine) stepMix(me uint8, x *mixEffect) bool {
	if !x.running {
		return false
	}
	if x.left--; x.left <= 0 {
		x.running = false
		m.finish(me)
		return false
	}
	m.set(&atem.TransitionPosition{ME: me, InTransition: true, FramesLeft: uint8(x.left), Position: uint16(whole - whole*x.left/x.rate)})
	return true
}

// handle moves a transition by hand.
func (m *machine) handle(me uint8, position uint16) {
	x := m.mixEffect(me)
	old, ok := atem.Get[atem.TransitionPosition](m.st, int64(me))
	if !ok {
		return
	}
	x.running = false
	if position >= whole {
		m.finish(me)
		return
	}
	rate := m.rate(me)
	if !old.InTransition && position > 0 {
		m.begin(me)
	}
	m.set(&atem.TransitionPosition{ME: me, InTransition: position > 0, FramesLeft: uint8(rate - rate*int(position)/whole), Position: position})
}

// finish is what a transition has changed when it is through.
func (m *machine) finish(me uint8) {
	preview, _ := atem.Get[atem.TransitionPreview](m.st, int64(me))
	if !preview.Preview {
		sel, _ := atem.Get[atem.TransitionSelection](m.st, int64(me))
		m.exchange(me, sel.Layers)
	}
	m.set(&atem.TransitionPosition{ME: me, FramesLeft: uint8(m.rate(me))})
}

// exchange swaps program and preview and switches keyers, as far as the layers say, and the downstream keyers that are tied.
func (m *machine) exchange(me uint8, layers atem.TransitionLayers) {
	if layers&atem.TransitionLayersBackground != 0 {
		program, ok := atem.Get[atem.ProgramSource](m.st, int64(me))
		preview, ok2 := atem.Get[atem.PreviewSource](m.st, int64(me))
		if ok && ok2 {
			m.set(&atem.ProgramSource{ME: me, Source: preview.Source})
			m.set(&atem.PreviewSource{ME: me, Source: program.Source})
		}
	}
	for keyer := range uint8(4) {
		if on, ok := atem.Get[atem.KeyOnAir](m.st, int64(me), int64(keyer)); ok && layers&(atem.TransitionLayersKey1<<keyer) != 0 {
			on.OnAir = !on.OnAir
			m.set(&on)
		}
	}
	if me != 0 {
		return
	}
	for p := range atem.All[atem.DownstreamKeyProperties](m.st) {
		if s, ok := atem.Get[atem.DownstreamKeyState](m.st, int64(p.DSK)); ok && p.Tie {
			s.OnAir = !s.OnAir
			s.TowardOnAir = !s.OnAir
			m.set(&s)
		}
	}
}

func (m *machine) cut(me uint8) {
	sel, ok := atem.Get[atem.TransitionSelection](m.st, int64(me))
	if !ok {
		return
	}
	x := m.mixEffect(me)
	x.running = false
	m.begin(me)
	m.exchange(me, sel.NextLayers)
	if pos, _ := atem.Get[atem.TransitionPosition](m.st, int64(me)); pos.InTransition {
		m.set(&atem.TransitionPosition{ME: me, FramesLeft: uint8(m.rate(me))})
	}
}

// black fades to black, or back from it; while it does, it turns round.
func (m *machine) black(me uint8) {
	s, ok := atem.Get[atem.FadeToBlackState](m.st, int64(me))
	p, _ := atem.Get[atem.FadeToBlackRate](m.st, int64(me))
	if !ok {
		return
	}
	x := m.ftbs[me]
	if x == nil {
		x = &fade{}
		m.ftbs[me] = x
	}
	rate := max(int(p.Rate), 1)
	switch {
	case x.running:
		x.toward, x.left = !x.toward, max(rate-x.left, 1)
	default:
		x.running, x.toward, x.left = true, !s.FullyBlack, rate
	}
	x.rate = rate
	m.set(&atem.FadeToBlackState{ME: me, InTransition: true, FramesLeft: uint8(x.left)})
	m.start()
}

func (m *machine) stepBlack(me uint8, x *fade) bool {
	if !x.running {
		return false
	}
	if x.left--; x.left > 0 {
		m.set(&atem.FadeToBlackState{ME: me, InTransition: true, FramesLeft: uint8(x.left)})
		return true
	}
	x.running = false
	m.set(&atem.FadeToBlackState{ME: me, FullyBlack: x.toward, FramesLeft: uint8(x.rate)})
	return false
}

func (m *machine) blackAtOnce(me uint8, on bool) {
	s, ok := atem.Get[atem.FadeToBlackState](m.st, int64(me))
	if !ok {
		return
	}
	if x := m.ftbs[me]; x != nil {
		x.running = false
	}
	p, _ := atem.Get[atem.FadeToBlackRate](m.st, int64(me))
	s.FullyBlack, s.InTransition, s.FramesLeft = on, false, p.Rate
	m.set(&s)
}

// fadeKey fades a downstream keyer in or out.
func (m *machine) fadeKey(dsk uint8, toward bool) {
	s, ok := atem.Get[atem.DownstreamKeyState](m.st, int64(dsk))
	p, _ := atem.Get[atem.DownstreamKeyProperties](m.st, int64(dsk))
	if !ok || s.OnAir == toward && !s.InTransition {
		return
	}
	x := m.dsks[dsk]
	if x == nil {
		x = &fade{}
		m.dsks[dsk] = x
	}
	rate := max(int(p.Rate), 1)
	left := rate
	if x.running {
		if x.toward == toward {
			return
		}
		left = max(rate-x.left, 1)
	}
	*x = fade{running: true, toward: toward, rate: rate, left: left}
	m.set(&atem.DownstreamKeyState{DSK: dsk, OnAir: true, InTransition: true, AutoRunning: true, TowardOnAir: toward, FramesLeft: uint8(left)})
	m.start()
}

func (m *machine) stepKey(dsk uint8, x *fade) bool {
	if !x.running {
		return false
	}
	if x.left--; x.left > 0 {
		m.set(&atem.DownstreamKeyState{DSK: dsk, OnAir: true, InTransition: true, AutoRunning: true, TowardOnAir: x.toward, FramesLeft: uint8(x.left)})
		return true
	}
	x.running = false
	m.set(&atem.DownstreamKeyState{DSK: dsk, OnAir: x.toward, TowardOnAir: !x.toward, FramesLeft: uint8(x.rate)})
	return false
}
