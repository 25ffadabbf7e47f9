package focassim

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Codes of opAux that are no M code.
const (
	auxS = -1
	auxT = -2
)

// acceleration along the path and its decay when the machine is stopped hard, mm/s^2.
const (
	acceleration = 600.0
	hardStop     = 4000.0
)

// pathState is one path: its program, its axes and its offsets.
type pathState struct {
	m       *machine
	no      int
	cfg     *pathConfig
	store   *store
	main    *stored
	rapid   vector // mm/s
	cutting vector // mm/s

	pos      vector // machine coordinates
	velocity vector
	origin   vector    // where relative coordinates are 0
	work     [7]vector // external, G54 to G59
	tools    toolTable
	life     []toolGroup
	load     vector // percent, signed by direction
	temp     vector // degrees above the room

	run     int16
	hard    bool // stop with the hard deceleration
	rewind  bool // forget the program as soon as the axes stand
	mod     modal
	tool    int // in the spindle
	coolant bool
	prog    *program
	index   int // of the next block
	stack   []call
	cur     plan
	op      int // index in cur.ops
	next    *plan
	along   float64 // mm in the present move
	speed   float64 // along the path, mm/s
	blocks  int32   // executed since start
	idle    float64 // seconds since the cycle stopped
}

func newPathState(m *machine, no int, at time.Time) *pathState {
	cfg := &m.prof.paths[no]
	p := &pathState{m: m, no: no, cfg: cfg, store: newStore(no, cfg.programs, at), mod: newModal(), tools: newToolTable(), life: newToolLife()}
	p.main = p.store.files[cfg.programs[0]]
	for i, a := range cfg.axes {
		p.rapid[i], p.cutting[i] = a.rapid/60, a.cutting/60
	}
	offset := map[byte]float64{'X': -400, 'Y': -250, 'Z': -350}
	if cfg.lathe {
		offset = map[byte]float64{'X': -180, 'Z': -420}
		p.mod.g[gPlane] = 1
	}
	for i, a := range cfg.axes {
		p.work[1][i] = offset[a.letter]
		p.work[2][i] = offset[a.letter] / 2
	}
	p.prog = p.main.prog
	p.idle = restartPause - 0.5
	return p
}

// shift is where the zero of the work coordinates lies in machine coordinates, tool length included.
func (p *pathState) shift(m *modal) vector {
	v := p.workZero(m)
	if z := p.cfg.axis('Z'); z >= 0 && m.code(gLength) != 490 {
		if t := p.tools.get(m.h); t != nil {
			length := float64(t.geometryH+t.wearH) / 1000
			if m.code(gLength) == 440 {
				length = -length
			}
			v[z] += length
		}
	}
	return v
}

func (p *pathState) workZero(m *modal) vector {
	v := p.work[0]
	w := p.work[min(1+m.g[gOffset], 6)]
	for i := range v {
		v[i] += w[i]
	}
	return v
}

// stopping reports that a reset has not come to its end: the axes still move.
func (p *pathState) stopping() bool { return p.rewind && p.speed > 0 }

// start begins or continues the program. While a reset stops the axes it does nothing.
func (p *pathState) start() {
	if p.stopping() {
		return
	}
	if p.run == runReset {
		p.rewind, p.along, p.mod.m = false, 0, [3]int{}
		p.prog, p.index, p.stack = p.main.prog, 0, nil
		p.cur, p.next, p.op = plan{}, nil, 0
		p.blocks = 0
		p.m.timers.cycle = 0
	}
	p.run, p.hard = runStart, false
}

// reset rewinds the program; the axes come to a stop first.
func (p *pathState) reset(hard bool) {
	p.run, p.hard, p.rewind, p.idle = runReset, hard, true, 0
}

func (p *pathState) step(dt float64) {
	if p.run != runStart && p.m.auto && p.m.ready() && p.speed == 0 {
		p.idle += dt
		if p.idle >= restartPause {
			p.start()
		}
	}
	before, speed := p.pos, p.speed
	p.advance(dt)
	if p.rewind && p.speed == 0 {
		p.rewind = false
		p.cur, p.next, p.op, p.along = plan{}, nil, 0, 0
		p.stack, p.index, p.prog = nil, 0, p.main.prog
		p.mod.m = [3]int{}
	}
	p.loads(dt, before, speed)
}

// loads lets load and temperature follow the motion.
func (p *pathState) loads(dt float64, before vector, speed float64) {
	accel := math.Abs(p.speed-speed) / dt
	for i, a := range p.cfg.axes {
		v := (p.pos[i] - before[i]) / dt
		p.velocity[i] = v
		share := 0.0
		if p.speed > 0 {
			share = min(1, math.Abs(v)/p.speed)
		}
		load := a.load + 10*math.Abs(v)/p.rapid[i] + 30*share*accel/acceleration + 0.8*p.m.rng.noise()
		if p.cuttingNow() {
			load += 12 * share
		}
		if v < 0 {
			load = -load
		}
		p.load[i] += (load - p.load[i]) * dt / 0.12
		p.temp[i] += (math.Abs(p.load[i])*0.5 - p.temp[i]) * dt / 300
	}
	if p.cuttingNow() && p.speed > 0 {
		s := &p.m.spindles[p.cfg.spindle]
		s.cut = max(s.cut, min(1, p.speed*60/2000))
	}
}

// current is the step that is being done, or nil.
func (p *pathState) current() *op {
	if p.op < len(p.cur.ops) {
		return &p.cur.ops[p.op]
	}
	return nil
}

// cuttingNow reports that the path moves at cutting feed.
func (p *pathState) cuttingNow() bool {
	o := p.current()
	return o != nil && o.kind == opMove && !o.move.rapid && p.run == runStart
}

// maxSteps bounds the steps of one tick, for programs of empty blocks.
const maxSteps = 16

func (p *pathState) advance(dt float64) {
	left := dt
	for n := 0; n < maxSteps && left > 1e-9; n++ {
		o := p.current()
		if o == nil {
			if p.run != runStart || !p.fetch() {
				p.speed = 0
				return
			}
			continue
		}
		used, done := p.do(o, left)
		left -= used
		if !done {
			return
		}
		p.op++
		p.finish(o)
	}
}

// fetch makes the next block the present one.
func (p *pathState) fetch() bool {
	if p.next != nil && p.next.index == p.index {
		p.cur, p.next = *p.next, nil
	} else {
		if p.index >= len(p.prog.blocks) {
			p.endProgram()
			return false
		}
		pl, alarm := p.prepare(&p.prog.blocks[p.index], p.index, p.mod, p.pos)
		if alarm != nil {
			p.m.raise(*alarm)
			return false
		}
		p.cur = pl
	}
	p.op, p.along = 0, 0
	p.mod = p.cur.after
	p.index++
	p.blocks++
	p.next = nil
	if p.index < len(p.prog.blocks) && !p.cur.turns() {
		if pl, alarm := p.prepare(&p.prog.blocks[p.index], p.index, p.mod, p.cur.end); alarm == nil {
			p.next = &pl
		}
	}
	return true
}

// turns reports whether the block leads elsewhere than to the next one.
func (pl *plan) turns() bool {
	return slices.ContainsFunc(pl.ops, func(o op) bool { return o.kind == opTurn })
}

// do works on a step for up to dt seconds.
func (p *pathState) do(o *op, dt float64) (used float64, done bool) {
	switch o.kind {
	case opMove:
		return p.move(&o.move, dt)
	case opDwell, opAux:
		if p.run != runStart {
			return dt, false
		}
		if o.kind == opAux && (o.code == 3 || o.code == 4) {
			s := &p.m.spindles[p.cfg.spindle]
			if s.dir = 1; o.code == 4 {
				s.dir = -1
			}
			s.command = p.mod.rpm
			if !s.atSpeed(p.m.pmc.spindleOverride(p.no)) {
				return dt, false
			}
		}
		used = min(o.seconds, dt)
		o.seconds -= used
		return used, o.seconds <= 0
	}
	return 0, p.run == runStart
}

// move goes along the path, accelerating and braking.
func (p *pathState) move(s *segment, dt float64) (used float64, done bool) {
	accel, target := acceleration, 0.0
	if p.hard {
		accel = hardStop
	}
	remaining := s.length - p.along
	if p.run == runStart {
		if s.rapid {
			target = s.rate * p.m.pmc.rapidOverride(p.no)
		} else {
			target = min(s.rate*p.m.pmc.feedOverride(p.no), s.limit)
		}
		exit := 0.0
		if p.op == len(p.cur.ops)-1 && p.next != nil && len(p.next.ops) > 0 && p.next.ops[0].kind == opMove {
			exit = exitSpeed(s, &p.next.ops[0].move, acceleration)
		}
		// The speed from which the rest of this tick and the braking after it just fit into what remains.
		v := -acceleration*dt/2 + math.Sqrt(acceleration*acceleration*dt*dt/4+2*acceleration*remaining+exit*exit)
		target = min(target, max(v, exit, 1))
	}
	before := p.speed
	p.speed = approach(p.speed, target, accel*dt)
	way := (before + p.speed) / 2 * dt
	if way >= remaining {
		if p.speed > 0 && way > 0 {
			used = dt * remaining / way
		}
		p.along, p.pos = s.length, s.to
		return used, true
	}
	p.along += way
	p.pos = s.at(p.along)
	return dt, false
}

// finish does what follows from a step that is done.
func (p *pathState) finish(o *op) {
	s := &p.m.spindles[p.cfg.spindle]
	switch o.kind {
	case opMove:
		next := p.current()
		if next == nil && p.next != nil && len(p.next.ops) > 0 {
			next = &p.next.ops[0]
		}
		if next == nil || next.kind != opMove || exitSpeed(&o.move, &next.move, acceleration) == 0 {
			p.speed = 0
		}
		p.along = 0
	case opAux:
		switch o.code {
		case auxS:
			s.command = float64(o.arg)
		case auxT:
			if p.cfg.lathe {
				p.changeTool(o.arg / 100)
			}
		case 0:
			p.run, p.idle = runStop, 0
		case 5:
			s.dir = 0
		case 6:
			p.changeTool(p.mod.tool)
		case 8:
			p.coolant = true
		case 9:
			p.coolant = false
		}
	case opTurn:
		p.turn(o)
	}
}

func (p *pathState) changeTool(n int) {
	p.tool = n
	for i := range p.life {
		p.life[i].use(n)
	}
}

// maxNesting is how deep subprograms may call each other.
const maxNesting = 10

func (p *pathState) turn(o *op) {
	switch o.code {
	case 98:
		sub := p.store.byNumber(o.arg)
		switch {
		case sub == nil:
			p.m.raise(alarmNoSub)
			return
		case len(p.stack) >= maxNesting:
			p.m.raise(alarmNesting)
			return
		}
		p.stack = append(p.stack, call{p.prog, p.index, o.repeat - 1})
		p.prog, p.index = sub.prog, 0
	case 99:
		if len(p.stack) == 0 {
			p.index = 0
			return
		}
		top := &p.stack[len(p.stack)-1]
		if top.left > 0 {
			top.left--
			p.index = 0
			return
		}
		p.prog, p.index = top.prog, top.index
		p.stack = p.stack[:len(p.stack)-1]
	case 2, 30:
		p.m.partDone(p)
		p.endProgram()
	}
}

// endProgram rewinds after the last block.
func (p *pathState) endProgram() {
	p.m.timers.lastCycle = p.m.timers.cycle
	p.m.spindles[p.cfg.spindle].dir = 0
	p.coolant = false
	p.reset(false)
}

// feed is the actual path feed, mm/min.
func (p *pathState) feed() float64 { return p.speed * 60 }

// remaining is the distance to go per axis.
func (p *pathState) remaining() vector {
	var v vector
	if o := p.current(); o != nil && o.kind == opMove {
		for i := range v {
			v[i] = o.move.to[i] - p.pos[i]
		}
	}
	return v
}

// sequence is the N number of the block that runs, or of the last one that had one.
func (p *pathState) sequence() int32 {
	for i := min(p.cur.index, len(p.prog.blocks)-1); i >= 0 && p.cur.block != nil; i-- {
		if n := p.prog.blocks[i].n; n != 0 {
			return int32(n)
		}
	}
	return 0
}

// running is the program in which the present block is.
func (p *pathState) running() string {
	if p.prog.name != "" {
		return p.prog.name
	}
	return programName(p.prog.number)
}

// motionWord is the motion word of cnc_statinfo.
func (p *pathState) motionWord() int16 {
	o := p.current()
	switch {
	case p.speed > 0:
		return 1
	case o != nil && o.kind == opDwell && p.run == runStart:
		return 2
	}
	return 0
}

// finWord is the mstb word of cnc_statinfo.
func (p *pathState) finWord() int16 {
	if o := p.current(); o != nil && o.kind == opAux && p.run == runStart {
		return 1
	}
	return 0
}

func (p *pathState) String() string {
	return fmt.Sprintf("path %d %s N%d run %d at %v", p.no+1, p.running(), p.sequence(), p.run, p.pos)
}
