package focassim

import (
	"github.com/patchbay-io/patchbay/protocol/focas"
)

// span checks a range of numbers and gives its length; most is the largest length.
func span(from, to int32, most int) (int, focas.Code) {
	n := int64(to) - int64(from) + 1
	if n < 1 {
		return 0, focas.EWNumber
	}
	if n > int64(most) {
		return 0, focas.EWLength
	}
	return int(n), 0
}

// room is how many items of size bytes one block may hold.
func (a *asked) room(size int) int {
	return (a.m.prof.version.MaxBody() - 2 - focas.ReplyBlockSize) / size
}

func (a *asked) readMacro() ([]byte, focas.Code) {
	n, code := span(a.arg(1), a.arg(2), a.room(focas.ValueSize))
	if code != 0 {
		return nil, code
	}
	l := focas.Values{}
	for i := range int32(n) {
		v, ok := a.m.macros.get(a.path, a.arg(1)+i)
		if !ok {
			return nil, focas.EWNumber
		}
		l.Items = append(l.Items, v)
	}
	return l.Append(nil), 0
}

// written are the values that came with a request; their number must be n.
func (a *asked) written(n int) ([]focas.Value, focas.Code) {
	l, err := focas.ParseValues(a.q.Data)
	if err != nil || len(l.Rest) > 0 || len(l.Items) != n {
		return nil, focas.EWLength
	}
	return l.Items, 0
}

func (a *asked) writeMacro() ([]byte, focas.Code) {
	n, code := span(a.arg(1), a.arg(2), focas.MaxRequestBody)
	if code != 0 {
		return nil, code
	}
	values, code := a.written(n)
	if code != 0 {
		return nil, code
	}
	return nil, a.putMacros(a.arg(1), values)
}

// putMacros writes all of the values or, when one of them cannot be, none.
func (a *asked) putMacros(from int32, values []focas.Value) focas.Code {
	for i := range values {
		n := from + int32(i)
		if macroMemoryNumber(n) {
			continue
		}
		if _, ok := a.path.system(n); !ok {
			return focas.EWNumber
		}
	}
	for i, v := range values {
		n := from + int32(i)
		if macroMemoryNumber(n) {
			a.m.macros.put(n, v)
		} else if code := a.path.setSystem(n, v); code != 0 {
			return code
		}
	}
	return 0
}

func (a *asked) macroInfo() ([]byte, focas.Code) {
	return focas.MacroInfo{Local: 33, Common: 1000}.Append(nil), 0
}

func (a *asked) readPMacro() ([]byte, focas.Code) {
	n, code := span(a.arg(1), a.arg(2), a.room(focas.ValueSize))
	if code != 0 {
		return nil, code
	}
	l := focas.Values{}
	for i := range int32(n) {
		v, ok := a.m.macros.pmacro(a.arg(1) + i)
		if !ok {
			return nil, focas.EWNumber
		}
		l.Items = append(l.Items, v)
	}
	return l.Append(nil), 0
}

func (a *asked) writePMacro() ([]byte, focas.Code) {
	n, code := span(a.arg(1), a.arg(2), focas.MaxRequestBody)
	if code != 0 {
		return nil, code
	}
	values, code := a.written(n)
	if code != 0 {
		return nil, code
	}
	for i := range values {
		if _, ok := a.m.macros.pmacro(a.arg(1) + int32(i)); !ok {
			return nil, focas.EWNumber
		}
	}
	for i, v := range values {
		a.m.macros.put(a.arg(1)+int32(i), v)
	}
	return nil, 0
}

// doubles reads variables as floating point numbers. What a vacant one is there is not known; it is 0 here.
func (a *asked) doubles(count int) ([]float64, focas.Code) {
	var all []float64
	for i := range int32(count) {
		v, ok := a.m.macros.get(a.path, a.arg(1)+i)
		if !ok {
			return nil, focas.EWNumber
		}
		all = append(all, v.Float())
	}
	return all, 0
}

func (a *asked) readMacroDouble() ([]byte, focas.Code) {
	n := int(a.arg(2))
	if n < 1 || n > a.room(8) {
		return nil, focas.EWLength
	}
	all, code := a.doubles(n)
	if code != 0 {
		return nil, code
	}
	l := focas.List[focas.Double]{}
	for _, f := range all {
		l.Items = append(l.Items, focas.Double(f))
	}
	return l.Append(nil), 0
}

func (a *asked) writeMacroDouble() ([]byte, focas.Code) {
	l, err := focas.ParseDoubles(a.q.Data)
	if err != nil || len(l.Rest) > 0 || len(l.Items) == 0 {
		return nil, focas.EWLength
	}
	var values []focas.Value
	for _, f := range l.Items {
		v, err := focas.DecimalOf(float64(f))
		if err != nil {
			return nil, focas.EWData
		}
		values = append(values, v)
	}
	return nil, a.putMacros(a.arg(1), values)
}

func (a *asked) readMacroNamed() ([]byte, focas.Code) {
	n := int(a.arg(2))
	if n < 1 || n > a.room(8+focas.MacroNameSize) {
		return nil, focas.EWLength
	}
	all, code := a.doubles(n)
	if code != 0 {
		return nil, code
	}
	x := focas.NamedMacros{}
	for i, f := range all {
		item := focas.NamedMacro{Value: focas.Double(f)}
		copy(item.Name[:], macroNames[a.arg(1)+int32(i)])
		x.Items = append(x.Items, item)
	}
	return x.Append(nil), 0
}

// macroNames are the names that the machine's builder has given to variables.
var macroNames = map[int32]string{500: "PART_COUNT", 501: "PROBE_X", 520: "PALLET"}
