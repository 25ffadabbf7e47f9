package focassim

import (
	"math"
	"slices"
	"time"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// number is one parameter or diagnosis number.
type number struct {
	number  int32
	typ     uint16 // ParamType or DiagType
	axis    bool
	setting bool
	dec     int16 // decimals of a real
	values  []int32
	lo, hi  int32
	get     func(i int) int32    // when the value lives elsewhere
	set     func(i int, v int32) // with get
}

// paramTable is a sorted table of numbers.
type paramTable struct{ all []*number }

func (t *paramTable) find(n int32) *number {
	i, ok := slices.BinarySearchFunc(t.all, n, func(p *number, n int32) int { return int(p.number) - int(n) })
	if !ok {
		return nil
	}
	return t.all[i]
}

// from is the index of the first number that is n or more.
func (t *paramTable) from(n int32) int {
	i, _ := slices.BinarySearchFunc(t.all, n, func(p *number, n int32) int { return int(p.number) - int(n) })
	return i
}

func (t *paramTable) add(n, by int32) {
	if p := t.find(n); p != nil {
		p.values[0] += by
	}
}

func (t *paramTable) value(n int32) int32 {
	if p := t.find(n); p != nil {
		return p.value(0)
	}
	return 0
}

func (n *number) value(i int) int32 {
	if n.get != nil {
		return n.get(i)
	}
	return n.values[i]
}

// count is how many values there are: axes, spindles or one.
func (n *number) count() int { return len(n.values) }

// wire is value i as the control writes it.
func (n *number) wire(i int) focas.Value { return focas.Decimal(n.value(i), n.dec) }

// convert turns a written value into the table's integer; ok is false when it does not fit.
func (n *number) convert(v focas.Value) (int32, bool) {
	f := float64(v.Mantissa)
	if v.Base == 10 && v.Exponent >= 0 {
		f = v.Float() * math.Pow10(int(n.dec))
	}
	f = math.Round(f)
	if math.IsNaN(f) || f < float64(n.lo) || f > float64(n.hi) {
		return 0, false
	}
	return int32(f), true
}

func (n *number) store(i int, v int32) {
	if n.set != nil {
		n.set(i, v)
		return
	}
	n.values[i] = v
}

type tableBuilder struct {
	axes, spindles int
	classic        bool
	all            []*number
}

func (b *tableBuilder) put(n *number, size int, values []int32) *number {
	n.values = make([]int32, size)
	for i := range n.values {
		if len(values) > 0 {
			n.values[i] = values[min(i, len(values)-1)]
		}
	}
	if n.lo == 0 && n.hi == 0 {
		n.lo, n.hi = math.MinInt32, math.MaxInt32
	}
	b.all = append(b.all, n)
	return n
}

func (b *tableBuilder) bits(no int32, v ...int32) *number {
	return b.put(&number{number: no, typ: uint16(focas.ParamBit), hi: 255}, 1, v)
}
func (b *tableBuilder) bytes(no int32, v ...int32) *number {
	return b.put(&number{number: no, typ: uint16(focas.ParamByte), lo: -128, hi: 127}, 1, v)
}
func (b *tableBuilder) word(no int32, v ...int32) *number {
	return b.put(&number{number: no, typ: uint16(focas.ParamWord), lo: -32768, hi: 32767}, 1, v)
}
func (b *tableBuilder) long(no int32, v ...int32) *number {
	return b.put(&number{number: no, typ: uint16(focas.ParamTwoWord), lo: -999999999, hi: 999999999}, 1, v)
}
func (b *tableBuilder) axisBits(no int32, v ...int32) *number {
	return b.put(&number{number: no, typ: uint16(focas.ParamBit), axis: true, hi: 255}, b.axes, v)
}
func (b *tableBuilder) axisByte(no int32, v ...int32) *number {
	return b.put(&number{number: no, typ: uint16(focas.ParamByte), axis: true, lo: -128, hi: 127}, b.axes, v)
}

// axisReal is a real in the 30i dialect and a 2-word in least increments in the classic one.
func (b *tableBuilder) axisReal(no int32, v ...int32) *number {
	n := &number{number: no, typ: uint16(focas.ParamReal), axis: true, dec: 3, lo: -999999999, hi: 999999999}
	if b.classic {
		n.typ, n.dec = uint16(focas.ParamTwoWord), 0
	}
	return b.put(n, b.axes, v)
}

func (b *tableBuilder) table() *paramTable {
	slices.SortFunc(b.all, func(x, y *number) int { return int(x.number - y.number) })
	return &paramTable{all: b.all}
}

func newParams(m *machine) *paramTable {
	b := &tableBuilder{axes: m.prof.axisCount(), spindles: len(m.spindles), classic: m.prof.dialect() == focas.Classic}
	for _, no := range []int32{0, 3401, 3402, 3105, 3106, 3107, 1401, 3111, 6700, 9900, 9936, 8900} {
		b.bits(no)
	}
	b.find(0).setting, b.find(0).values[0] = true, 2
	b.find(3105).values[0] = 0x05 // actual feed and spindle speed are shown
	b.bits(100, 0x2a).setting = true
	b.bits(9968, 1) // bit 0: extended functions, which FANUC's library asks for
	b.word(20, 4).setting = true
	b.axisBits(1006)
	b.axisBits(3115)
	names := b.axisByte(1020)
	b.axisByte(1023)
	i := 0
	var rapid, low, high []int32
	for _, path := range m.paths {
		for _, a := range path.cfg.axes {
			names.values[i] = int32(a.letter)
			b.find(1023).values[i] = int32(i + 1)
			rapid = append(rapid, int32(a.rapid*1000))
			low, high = append(low, int32(a.low*1000)), append(high, int32(a.high*1000))
			i++
		}
	}
	b.axisReal(1240)
	b.axisReal(1241, -15500, 12250)
	b.axisReal(1320, high...)
	b.axisReal(1321, low...)
	b.axisReal(1420, rapid...)
	b.axisReal(1430, 12000000)
	for k := range 7 {
		n := b.axisReal(int32(1220 + k))
		n.get = func(i int) int32 { path, a := m.axis(i); return int32(math.Round(path.work[k][a] * 1000)) }
		n.set = func(i int, v int32) { path, a := m.axis(i); path.work[k][a] = float64(v) / 1000 }
	}
	b.long(1410, 2000)
	b.long(1422, 12000)
	b.word(1620, 50)
	b.bytes(3290)
	for k := range 4 {
		b.long(int32(3741+k), int32(m.spindles[0].max))
	}
	b.bytes(6710, 30)
	b.long(6711, 137)
	b.long(6712, 48211)
	b.long(6713, 500)
	b.long(8130, int32(b.axes))
	for no, get := range map[int32]func() int32{
		6750: func() int32 { return int32(time.Duration(m.timers.power) * tick / time.Minute) },
		6751: func() int32 { return int32(time.Duration(m.timers.operating) * tick % time.Minute / time.Millisecond) },
		6752: func() int32 { return int32(time.Duration(m.timers.operating) * tick / time.Minute) },
		6753: func() int32 { return int32(time.Duration(m.timers.cutting) * tick % time.Minute / time.Millisecond) },
		6754: func() int32 { return int32(time.Duration(m.timers.cutting) * tick / time.Minute) },
		6757: func() int32 { return int32(time.Duration(m.timers.cycle) * tick % time.Minute / time.Millisecond) },
		6758: func() int32 { return int32(time.Duration(m.timers.cycle) * tick / time.Minute) },
	} {
		n := b.long(no)
		n.get = func(int) int32 { return get() }
		n.set = func(int, int32) {}
	}
	return b.table()
}

func (b *tableBuilder) find(no int32) *number {
	for _, n := range b.all {
		if n.number == no {
			return n
		}
	}
	return nil
}

// axis gives the path and the index in it of axis i of the whole control.
func (m *machine) axis(i int) (*pathState, int) {
	for _, p := range m.paths {
		if i < len(p.cfg.axes) {
			return p, i
		}
		i -= len(p.cfg.axes)
	}
	return m.paths[0], 0
}

func newDiagnosis(m *machine) *paramTable {
	b := &tableBuilder{axes: m.prof.axisCount(), spindles: len(m.spindles)}
	live := func(no int32, typ focas.DiagType, axis bool, get func(i int) int32) {
		size := 1
		if axis {
			size = b.axes
		}
		n := b.put(&number{number: no, typ: uint16(typ), axis: axis}, size, nil)
		n.get = get
	}
	live(0, focas.DiagBit, false, func(int) int32 { // what the control waits for
		p, bits := m.paths[0], int32(0)
		if p.finWord() == 1 {
			bits |= 1
		}
		if p.motionWord() == 1 {
			bits |= 2
		}
		if p.motionWord() == 2 {
			bits |= 4
		}
		return bits
	})
	live(300, focas.DiagTwoWord, true, func(i int) int32 { p, a := m.axis(i); return p.delay(a) })
	live(301, focas.DiagTwoWord, true, func(i int) int32 { p, a := m.axis(i); return microns(p.pos[a]) })
	live(308, focas.DiagWord, true, func(i int) int32 { p, a := m.axis(i); return int32(24 + p.temp[a]) })
	live(309, focas.DiagWord, true, func(i int) int32 { p, a := m.axis(i); return int32(27 + p.temp[a]/2) })
	live(403, focas.DiagByte, false, func(int) int32 { return int32(24 + m.spindles[0].temp) })
	live(410, focas.DiagWord, false, func(int) int32 { return int32(m.spindles[0].load) })
	live(411, focas.DiagWord, false, func(int) int32 { return int32(m.spindles[0].load) })
	return b.table()
}

// delay is the servo error of an axis with a position gain of 30 per second.
func (p *pathState) delay(axis int) int32 { return int32(math.Round(p.velocity[axis] / 30 * 1000)) }

// microns is a length in least increments.
func microns(mm float64) int32 { return int32(math.Round(mm * 1000)) }
