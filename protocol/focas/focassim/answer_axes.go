package focassim

import (
	"math"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// padded is one value per axis, filled up with zeros to what the control sends for all axes.
func (a *asked) padded(value func(i int) focas.Value) []byte {
	l := focas.Values{Items: make([]focas.Value, a.m.prof.pad)}
	for i := range l.Items {
		l.Items[i] = focas.Decimal(0, 3)
		if i < len(a.path.cfg.axes) {
			l.Items[i] = value(i)
		}
	}
	return l.Append(nil)
}

// axis is the index of axis n, 1-based; ok is false when the path does not have it.
func (a *asked) axis(n int32) (int, bool) {
	return int(n) - 1, n >= 1 && int(n) <= len(a.path.cfg.axes)
}

// absolute are the coordinates of the tool tip in the work coordinates.
func (p *pathState) absolute() vector {
	v, shift := p.pos, p.shift(&p.mod)
	for i := range v {
		v[i] -= shift[i]
	}
	return v
}

// coordinates gives the values of an axis kind; ok is false for a kind that the control does not have. The kinds of the
// old calls leave the tool length out.
func (p *pathState) coordinates(kind focas.AxisKind) (v vector, ok bool) {
	switch kind {
	case focas.AxisAbsolute:
		return p.absolute(), true
	case focas.AxisAbsoluteOld:
		v, zero := p.pos, p.workZero(&p.mod)
		for i := range v {
			v[i] -= zero[i]
		}
		return v, true
	case focas.AxisMachine:
		return p.pos, true
	case focas.AxisRelative, focas.AxisRelativeOld:
		v := p.pos
		for i := range v {
			v[i] -= p.origin[i]
		}
		return v, true
	case focas.AxisDistance, focas.AxisDistanceOld:
		return p.remaining(), true
	case focas.AxisSkip, focas.AxisAccDecDelay:
		return vector{}, true
	case focas.AxisServoDelay:
		var v vector
		for i := range v {
			v[i] = float64(p.delay(i)) / 1000
		}
		return v, true
	}
	return v, false
}

func (a *asked) axes() ([]byte, focas.Code) {
	v, ok := a.path.coordinates(focas.AxisKind(a.arg(1)))
	if !ok {
		return nil, focas.EWNumber
	}
	if a.arg(2) == focas.AllAxes {
		return a.padded(func(i int) focas.Value { return focas.Decimal(microns(v[i]), 3) }), 0
	}
	i, ok := a.axis(a.arg(2))
	if !ok {
		return nil, focas.EWAttrib
	}
	return focas.Decimal(microns(v[i]), 3).Append(nil), 0
}

func round(f float64) int32 { return int32(math.Round(f)) }

func (a *asked) feed() ([]byte, focas.Code) {
	return focas.Decimal(round(a.path.feed()), 0).Append(nil), 0
}

// own is the path's spindle.
func (a *asked) own() *spindle { return &a.m.spindles[a.path.cfg.spindle] }

func (a *asked) spindleSpeed() ([]byte, focas.Code) {
	return focas.Decimal(round(a.own().rpm), 0).Append(nil), 0
}

// spindle answers for the spindle of the path, which is its first and only one. A classic control fills up to two when
// asked for all.
func (a *asked) spindle() ([]byte, focas.Code) {
	s := a.own()
	var v float64
	switch a.arg(1) {
	case focas.SpindleLoad, focas.SpindleMeterLoad:
		v = s.load
	case focas.SpindleMaxRPM:
		v = s.max
	case focas.SpindleGear:
		v = 1
	case focas.SpindleSpeed, focas.SpindleMeterSpeed:
		v = s.rpm
	default:
		return nil, focas.EWNumber
	}
	l := focas.Values{Items: []focas.Value{focas.Decimal(round(v), 0)}}
	switch n := a.arg(2); {
	case n == -1 && a.classic():
		l.Items = append(l.Items, focas.Decimal(0, 0))
	case n != -1 && n != 1:
		return nil, focas.EWAttrib
	}
	return l.Append(nil), 0
}

func (a *asked) servo() ([]byte, focas.Code) {
	switch a.arg(1) {
	case focas.ServoLoad:
		return a.padded(func(i int) focas.Value { return focas.Decimal(round(a.path.load[i]), 0) }), 0
	case focas.ServoLoopGain:
		return a.padded(func(int) focas.Value { return focas.Decimal(3000, 0) }), 0
	}
	return nil, focas.EWNumber
}

// relativeName is the letter of incremental coordinates on the position screen.
func relativeName(letter byte) string {
	switch letter {
	case 'X':
		return "U"
	case 'Y':
		return "V"
	case 'Z':
		return "W"
	case 'C':
		return "H"
	}
	return string(rune(letter))
}

// axisNames are one name per axis, or four with argument -1. A classic control fills up to its largest number of axes.
func (a *asked) axisNames() ([]byte, focas.Code) {
	n := len(a.path.cfg.axes)
	if a.classic() {
		n = a.m.prof.pad
	}
	sets, names := focas.NameSets{}, focas.Names{}
	for i := range n {
		set := focas.NameSet{}
		if i < len(a.path.cfg.axes) {
			letter := a.path.cfg.axes[i].letter
			name := string(rune(letter))
			set = focas.NameSet{First: focas.NewName(name), Absolute: focas.NewName(name), Machine: focas.NewName(name + "1"), Relative: focas.NewName(relativeName(letter))}
		}
		sets.Items, names.Items = append(sets.Items, set), append(names.Items, set.First)
	}
	switch a.arg(1) {
	case 0:
		return names.Append(nil), 0
	case -1:
		return sets.Append(nil), 0
	}
	return nil, focas.EWNumber
}

func (a *asked) spindleNames() ([]byte, focas.Code) {
	if k := a.arg(1); k < -1 || k > 1 {
		return nil, focas.EWNumber
	}
	return focas.NewName(a.m.prof.spindles[a.path.cfg.spindle]).Append(nil), 0
}

// units answers 0x88. Machine positions have their unit in the second word, everything else in the first.
func (a *asked) units() ([]byte, focas.Code) {
	l := focas.UnitPairs{}
	kind := a.arg(1)
	switch {
	case kind == focas.UnitsClassicSpeed && a.classic():
		l.Items = make([]focas.UnitPair, 3) // as many bytes as FANUC's library was seen to accept
	case kind == focas.UnitsPosition && !a.classic(), kind == focas.UnitsMachine:
		n := len(a.path.cfg.axes)
		if a.classic() {
			n = a.m.prof.pad
		}
		l.Items = make([]focas.UnitPair, n)
		for i, x := range a.path.cfg.axes {
			if x.rotary {
				l.Items[i] = focas.UnitPair{First: focas.UnitDegree, Second: focas.UnitDegree}
			}
		}
	case kind == focas.UnitsFeed && !a.classic():
		l.Items = []focas.UnitPair{{First: focas.UnitMMPerMinute}}
	case kind == focas.UnitsSpindle && !a.classic():
		l.Items = []focas.UnitPair{{First: focas.UnitRPM}}
	default:
		return nil, focas.EWNumber
	}
	return l.Append(nil), 0
}

// displayFlags say that everything is on the screen: bits 0, 1 and 2.
func (a *asked) displayFlags() ([]byte, focas.Code) {
	l := focas.Longs{}
	for range a.path.cfg.axes {
		l.Items = append(l.Items, 7)
	}
	return l.Append(nil), 0
}

func (a *asked) count() ([]byte, focas.Code) {
	switch a.arg(1) {
	case focas.CountPosition, focas.CountServo:
		return focas.Word{Value: uint16(len(a.path.cfg.axes))}.Append(nil), 0
	case focas.CountSpindles, focas.CountSpeed:
		return focas.Word{Value: 1}.Append(nil), 0
	}
	return nil, focas.EWNumber
}

func (a *asked) figure() ([]byte, focas.Code) {
	f := focas.Figures{}
	n, dec := 1, uint16(3)
	switch a.arg(1) {
	case focas.FigureAxis, focas.FigureWorkOffset:
		n = len(a.path.cfg.axes)
	case focas.FigureToolOffset:
	case focas.FigureMacro:
		dec = 4
	case focas.FigureFeed:
		dec = 0
	default:
		return nil, focas.EWNumber
	}
	f.Valid = uint32(n)
	for range n {
		f.Items = append(f.Items, focas.Figure{In: dec, Out: dec})
	}
	return f.Append(nil), 0
}

// modalG gives the place of the code in its group in the high byte of a word: one group, all with -1, or the one-shot
// codes, of which none is ever in force between blocks.
func (a *asked) modalG() ([]byte, focas.Code) {
	which, block := a.arg(1), a.arg(2)
	if block < 0 || block > 2 {
		return nil, focas.EWData
	}
	l := focas.Words{}
	switch {
	case which == focas.ModalAll:
		for g := range gGroups {
			l.Items = append(l.Items, focas.U16(a.path.mod.g[g])<<8)
		}
	case which >= 0 && int(which) < len(gGroups):
		l.Items = []focas.U16{focas.U16(a.path.mod.g[which]) << 8}
	case which == focas.ModalSecond:
		l.Items = make([]focas.U16, 4)
	case which >= 100 && which < 104:
		l.Items = make([]focas.U16, 1)
	default:
		return nil, focas.EWNumber
	}
	return l.Append(nil), 0
}

// auxValue is what is commanded at an address, with its decimals.
func (a *asked) auxValue(letter string) (v, dec int32, commanded bool) {
	m := &a.path.mod
	switch letter {
	case "F":
		return round(m.feed), 0, m.feed > 0
	case "S":
		return round(m.rpm), 0, m.rpm > 0
	case "T":
		return int32(m.tool), 0, m.tool > 0
	case "M":
		return int32(m.m[0]), 0, m.m[0] > 0
	case "M2":
		return int32(m.m[1]), 0, m.m[1] > 0
	case "M3":
		return int32(m.m[2]), 0, m.m[2] > 0
	case "H":
		return int32(m.h), 0, m.h > 0
	case "D":
		return int32(m.d), 0, m.d > 0
	case "N":
		return int32(m.n), 0, m.n > 0
	case "O":
		return int32(a.path.prog.number), 0, true
	}
	if i := a.path.cfg.axis(letter[0]); i >= 0 && len(letter) == 1 {
		return microns(a.path.absolute()[i] + a.path.remaining()[i]), 3, true
	}
	return 0, 0, false
}

// auxItem is an item of 0x22: bit 6 of the first flag says that the address was commanded, the low bits count decimals.
// (guess)
func (a *asked) auxItem(letter string) focas.Aux {
	v, dec, commanded := a.auxValue(letter)
	x := focas.Aux{Value: v, Flag1: uint16(dec)}
	if commanded {
		x.Flag1 |= 0x40
	}
	return x
}

// auxCount is the number of address codes of 0x22.
const auxCount = 29

func (a *asked) modalAux() ([]byte, focas.Code) {
	which := a.arg(1)
	if b := a.arg(2); b < 0 || b > 2 {
		return nil, focas.EWData
	}
	l := focas.Auxes{}
	switch {
	case which == focas.ModalAll:
		for n := range int32(auxCount) {
			l.Items = append(l.Items, a.auxLetter(n))
		}
	case which == focas.ModalSecond:
		for i := range a.path.cfg.axes {
			l.Items = append(l.Items, a.auxItem(string(rune(a.path.cfg.axes[i].letter))))
		}
	case which >= 0 && which < auxCount:
		l.Items = append(l.Items, a.auxLetter(which))
	case which >= 100 && int(which) < 100+len(a.path.cfg.axes):
		l.Items = append(l.Items, a.auxItem(string(rune(a.path.cfg.axes[which-100].letter))))
	default:
		return nil, focas.EWNumber
	}
	return l.Append(nil), 0
}

func (a *asked) auxLetter(n int32) focas.Aux {
	letter := focas.AuxLetter(n)
	if letter == "" {
		return focas.Aux{}
	}
	return a.auxItem(letter)
}

func (a *asked) gCodes() ([]byte, focas.Code) {
	which, block := a.arg(1), a.arg(2)
	if block < 0 || block > 2 {
		return nil, focas.EWData
	}
	l := focas.GCodes{}
	for g := range gGroups {
		if which != focas.ModalAll && which != int32(g) {
			continue
		}
		c := focas.GCode{Group: uint16(g), Code: int32(a.path.mod.code(g))}
		if c.Code%10 == 0 {
			c.Code /= 10
		} else {
			c.Decimals = 1
		}
		l.Items = append(l.Items, c)
	}
	if l.Items == nil {
		return nil, focas.EWNumber
	}
	return l.Append(nil), 0
}

func (a *asked) commands() ([]byte, focas.Code) {
	if b := a.arg(2); b < 0 || b > 2 {
		return nil, focas.EWData
	}
	l := focas.Commands{}
	for _, letter := range [...]string{"S", "F", "T", "M", "M2", "M3", "H", "D", "N", "O"} {
		v, dec, commanded := a.auxValue(letter)
		if !commanded {
			continue
		}
		c := focas.Command{Letter: letter[0], Value: v, Decimals: dec}
		if len(letter) > 1 {
			c.Number = letter[1] - '0'
		}
		l.Items = append(l.Items, c)
	}
	return l.Append(nil), 0
}
