package focassim

import "math"

// opKind is what a step of a block does.
type opKind uint8

const (
	opMove opKind = iota
	opDwell
	opAux  // M, S, T: waits for the machine's FIN
	opTurn // M30, M98, M99: where to go on
)

// op is one step of a block.
type op struct {
	kind    opKind
	move    segment
	seconds float64 // opDwell, opAux: what is left
	code    int     // opAux: M code, or -1 for S, -2 for T; opTurn: M code
	arg     int     // opTurn M98: program; opAux S and T: the number
	repeat  int
}

// plan is a block made ready to run.
type plan struct {
	ops   []op
	after modal  // in force when the block runs
	end   vector // machine position after it
	block *block
	index int
}

// call is a place in a program to return to.
type call struct {
	prog  *program
	index int
	left  int // repetitions left
}

// The alarms that a block can raise.
var (
	alarmCode    = Alarm{Type: AlarmPS, Number: 10, Text: "IMPROPER G-CODE"}
	alarmFeed    = Alarm{Type: AlarmPS, Number: 11, Text: "FEED ZERO (COMMAND)"}
	alarmArc     = Alarm{Type: AlarmPS, Number: 20, Text: "OVER TOLERANCE OF RADIUS"}
	alarmRadius  = Alarm{Type: AlarmPS, Number: 22, Text: "R OR I,J,K COMMAND NOT FOUND"}
	alarmNoSub   = Alarm{Type: AlarmPS, Number: 78, Text: "SEQUENCE NUMBER NOT FOUND"}
	alarmNesting = Alarm{Type: AlarmPS, Number: 77, Text: "TOO MANY SUB,MACRO NESTING"}
)

// prepare turns a block into a plan that starts at position from with the modal state mod.
func (p *pathState) prepare(b *block, index int, mod modal, from vector) (plan, *Alarm) {
	pl := plan{after: mod, end: from, block: b, index: index}
	m := &pl.after
	m.n = b.n
	var before, after []op
	mcodes := 0
	for _, w := range b.words {
		switch w.letter {
		case 'G':
			if g, i, ok := groupOf(w.code); ok {
				m.g[g] = i
			}
		case 'F':
			m.feed = w.value
		case 'H':
			m.h = int(w.value)
		case 'D':
			m.d = int(w.value)
		case 'S':
			m.rpm = w.value
			before = append(before, op{kind: opAux, code: auxS, arg: int(w.value), seconds: 0.05})
		case 'T':
			m.tool = int(w.value)
			before = append(before, op{kind: opAux, code: auxT, arg: int(w.value), seconds: 0.1})
		case 'M':
			code := w.code / 10
			if mcodes < len(m.m) {
				if mcodes == 0 {
					m.m = [3]int{}
				}
				m.m[mcodes] = code
				mcodes++
			}
			switch code {
			case 2, 30, 98, 99:
				o := op{kind: opTurn, code: code, repeat: 1}
				if v, ok := b.find('P'); ok {
					o.arg = int(v.value)
				}
				if v, ok := b.find('L'); ok {
					o.repeat = max(1, int(v.value))
				}
				after = append(after, o)
			case 5, 9, 0, 1:
				after = append(after, op{kind: opAux, code: code, seconds: 0.1})
			case 6:
				after = append(after, op{kind: opAux, code: code, seconds: 4})
			default:
				before = append(before, op{kind: opAux, code: code, seconds: 0.1})
			}
		}
	}
	pl.ops = append(pl.ops, before...)
	if alarm := p.prepareMove(b, &pl); alarm != nil {
		return pl, alarm
	}
	pl.ops = append(pl.ops, after...)
	return pl, nil
}

// prepareMove appends what the block's coordinates mean.
func (p *pathState) prepareMove(b *block, pl *plan) *Alarm {
	m := &pl.after
	if b.hasG(40) {
		seconds := 0.0
		if w, ok := b.find('X'); ok {
			seconds = w.length()
		} else if w, ok := b.find('P'); ok {
			seconds = w.value / 1000
		}
		pl.ops = append(pl.ops, op{kind: opDwell, seconds: seconds})
		return nil
	}
	target, moved := p.target(b, m, pl.end, b.hasG(530))
	switch {
	case b.hasG(280):
		if !moved {
			return nil
		}
		home := target
		for i, a := range p.cfg.axes {
			if _, ok := b.find(a.letter); ok {
				home[i] = 0
			}
		}
		pl.move(line(pl.end, target, true, 0, &p.rapid))
		pl.move(line(target, home, true, 0, &p.rapid))
		return nil
	case !moved:
		return nil
	}
	switch motion := m.code(gMotion); motion {
	case 0:
		pl.move(line(pl.end, target, true, 0, &p.rapid))
	case 10:
		if m.feed <= 0 {
			return &alarmFeed
		}
		pl.move(line(pl.end, target, false, m.feed/60, &p.cutting))
	case 20, 30:
		if m.feed <= 0 {
			return &alarmFeed
		}
		s, alarm := p.arc(b, m, pl.end, target, motion == 20)
		if alarm != nil {
			return alarm
		}
		pl.move(s)
	default:
		return &alarmCode
	}
	return nil
}

func (pl *plan) move(s segment) {
	if s.length > 0 {
		pl.ops = append(pl.ops, op{kind: opMove, move: s})
	}
	pl.end = s.to
}

// target is the machine position that the block's coordinates name; moved is false when it names none.
func (p *pathState) target(b *block, m *modal, from vector, machine bool) (v vector, moved bool) {
	v = from
	shift := p.shift(m)
	for i, a := range p.cfg.axes {
		w, ok := b.find(a.letter)
		if !ok {
			continue
		}
		moved = true
		switch {
		case machine:
			v[i] = w.length()
		case m.code(gDistance) == 910:
			v[i] = from[i] + w.length()
		default:
			v[i] = w.length() + shift[i]
		}
	}
	return v, moved
}

// arc makes the move of G02 and G03 with a centre (I, J, K) or a radius (R) in the selected plane.
func (p *pathState) arc(b *block, m *modal, from, to vector, clockwise bool) (segment, *Alarm) {
	first, second, i, j := byte('X'), byte('Y'), byte('I'), byte('J')
	switch m.code(gPlane) {
	case 180:
		first, second, i, j = 'Z', 'X', 'K', 'I'
	case 190:
		first, second, i, j = 'Y', 'Z', 'J', 'K'
	}
	pa, qa := p.cfg.axis(first), p.cfg.axis(second)
	if pa < 0 || qa < 0 {
		return segment{}, &alarmCode
	}
	var cp, cq float64
	if w, ok := b.find('R'); ok {
		r := w.length()
		dx, dy := to[pa]-from[pa], to[qa]-from[qa]
		d := math.Hypot(dx, dy)
		if d == 0 || d > 2*math.Abs(r)+0.01 {
			return segment{}, &alarmArc
		}
		h := math.Sqrt(max(0, r*r-d*d/4))
		if clockwise == (r > 0) {
			h = -h
		}
		cp, cq = from[pa]+dx/2-h*dy/d, from[qa]+dy/2+h*dx/d
	} else {
		wi, okI := b.find(i)
		wj, okJ := b.find(j)
		if !okI && !okJ {
			return segment{}, &alarmRadius
		}
		cp, cq = from[pa]+wi.length(), from[qa]+wj.length()
		if math.Abs(math.Hypot(from[pa]-cp, from[qa]-cq)-math.Hypot(to[pa]-cp, to[qa]-cq)) > 0.02 {
			return segment{}, &alarmArc
		}
	}
	return circle(from, to, pa, qa, cp, cq, clockwise, m.feed/60, &p.cutting), nil
}
