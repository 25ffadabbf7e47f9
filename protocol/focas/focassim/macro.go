package focassim

import (
	"math"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// macroMemory is the custom macro variables. A variable that was never written is vacant.
type macroMemory struct {
	m      *machine
	common map[int32]focas.Value // per control: 1 to 33, 100 to 999, 10000 to 19999
}

func newMacros(m *machine) macroMemory {
	mm := macroMemory{m: m, common: map[int32]focas.Value{}}
	for n, v := range map[int32]focas.Value{
		100: focas.Decimal(1234, 3), 101: focas.Decimal(-25, 1), 102: focas.Decimal(7, 0),
		500: focas.Decimal(137, 0), 501: focas.Decimal(250125, 3), 520: focas.Decimal(8, 0),
		10000: focas.Decimal(777, 1),
	} {
		mm.put(n, v)
	}
	return mm
}

// memory reports whether the number is a variable that holds what is written to it.
func macroMemoryNumber(n int32) bool {
	return n >= 1 && n <= 33 || n >= 100 && n <= 999
}

func (mm *macroMemory) put(n int32, v focas.Value) {
	if v.IsVacant() {
		delete(mm.common, n)
		return
	}
	if mm.m.prof.dialect() == focas.Classic && v.Base == 10 {
		v = v.Binary()
	}
	mm.common[n] = v
}

// get is the variable as the control writes it; ok is false when there is none with that number.
func (mm *macroMemory) get(p *pathState, n int32) (focas.Value, bool) {
	if macroMemoryNumber(n) {
		if v, ok := mm.common[n]; ok {
			return v, true
		}
		return focas.Vacant(mm.m.prof.dialect()), true
	}
	v, ok := p.system(n)
	if ok && mm.m.prof.dialect() == focas.Classic {
		v = v.Binary()
	}
	return v, ok
}

// pmacro is a P-code macro variable.
func (mm *macroMemory) pmacro(n int32) (focas.Value, bool) {
	if n < 10000 || n > 19999 {
		return focas.Value{}, false
	}
	if v, ok := mm.common[n]; ok {
		return v, true
	}
	return focas.Vacant(mm.m.prof.dialect()), true
}

// system is a system variable: clock, counters, modal state, positions and offsets.
func (p *pathState) system(n int32) (focas.Value, bool) {
	m := p.m
	length := func(v vector, base int32) (focas.Value, bool) {
		i := int(n - base)
		if i < 0 || i >= len(p.cfg.axes) {
			return focas.Value{}, false
		}
		return focas.Decimal(microns(v[i]), 3), true
	}
	integer := func(v int) (focas.Value, bool) { return focas.Decimal(int32(v), 0), true }
	switch {
	case n == 3000:
		return integer(0)
	case n == 3001:
		return integer(int(m.elapsed().Milliseconds() % 65536))
	case n == 3011:
		t := m.now()
		return integer(t.Year()*10000 + int(t.Month())*100 + t.Day())
	case n == 3012:
		t := m.now()
		return integer(t.Hour()*10000 + t.Minute()*100 + t.Second())
	case n == 3901:
		return integer(int(m.params.value(6711)))
	case n == 3902:
		return integer(int(m.params.value(6713)))
	case n >= 4001 && n < 4001+int32(len(gGroups)):
		code := p.mod.code(int(n - 4001))
		if code%10 != 0 {
			return focas.Decimal(int32(code), 1), true
		}
		return integer(code / 10)
	case n == 4109:
		return integer(int(math.Round(p.mod.feed)))
	case n == 4113:
		return integer(p.mod.m[0])
	case n == 4114:
		return integer(p.mod.n)
	case n == 4115:
		return integer(p.prog.number)
	case n == 4119:
		return integer(int(p.mod.rpm))
	case n == 4120:
		return integer(p.mod.tool)
	case n >= 5021 && n < 5021+maxAxes:
		return length(p.pos, 5021)
	case n >= 5041 && n < 5041+maxAxes:
		return length(p.absolute(), 5041)
	}
	for k := range p.work {
		if base := int32(5201 + 20*k); n >= base && n < base+maxAxes {
			return length(p.work[k], base)
		}
	}
	return focas.Value{}, false
}

// setSystem writes a system variable that may be written.
func (p *pathState) setSystem(n int32, v focas.Value) focas.Code {
	for k := range p.work {
		base := int32(5201 + 20*k)
		if i := int(n - base); i >= 0 && i < len(p.cfg.axes) {
			f := v.Float()
			if !(math.Abs(f) <= float64(maxOffset)/1000) {
				return focas.EWData
			}
			p.work[k][i] = f
			return 0
		}
	}
	switch n {
	case 3901, 3902:
		no := map[int32]int32{3901: 6711, 3902: 6713}[n]
		counter := p.m.params.find(no)
		f := math.Trunc(v.Float())
		if !(f >= float64(counter.lo) && f <= float64(counter.hi)) {
			return focas.EWData
		}
		counter.values[0] = int32(f)
		return 0
	}
	if _, ok := p.system(n); ok {
		return focas.EWProt
	}
	return focas.EWNumber
}
