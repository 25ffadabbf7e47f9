package focassim

import (
	"github.com/patchbay-io/patchbay/protocol/focas"
)

func (a *asked) readToolOffset() ([]byte, focas.Code) {
	from, to, kind := a.arg(1), a.arg(2), a.arg(3)
	if kind >= 1000 {
		kind -= 1000
	}
	n, code := span(from, to, a.room(focas.ValueSize))
	if code != 0 {
		return nil, code
	}
	kinds := []int32{kind}
	if kind == -1 {
		kinds = []int32{toolWearD, toolGeometryD, toolWearH, toolGeometryH}
	}
	l := focas.Values{}
	for i := range n {
		t := a.path.tools.get(int(from) + i)
		if t == nil {
			return nil, focas.EWNumber
		}
		for _, k := range kinds {
			v := t.kind(k)
			if v == nil {
				return nil, focas.EWAttrib
			}
			l.Items = append(l.Items, focas.Decimal(*v, 3))
		}
	}
	return l.Append(nil), 0
}

// maxOffset is the largest offset in thousandths of a millimetre.
const maxOffset = 99999999

func (a *asked) writeToolOffset() ([]byte, focas.Code) {
	from, to, kind := a.arg(1), a.arg(2), a.arg(3)
	if kind >= 1000 {
		kind -= 1000
	}
	n, code := span(from, to, focas.MaxRequestBody)
	if code != 0 {
		return nil, code
	}
	if kind < 0 || kind >= toolKinds {
		return nil, focas.EWAttrib
	}
	if a.path.tools.get(int(from)) == nil || a.path.tools.get(int(to)) == nil {
		return nil, focas.EWNumber
	}
	values, code := a.written(n)
	if code != 0 {
		return nil, code
	}
	if code := checkOffsets(values); code != 0 {
		return nil, code
	}
	for i, v := range values {
		*a.path.tools.get(int(from) + i).kind(kind) = v.Mantissa
	}
	return nil, 0
}

func checkOffsets(values []focas.Value) focas.Code {
	for _, v := range values {
		if v.Mantissa < -maxOffset || v.Mantissa > maxOffset {
			return focas.EWData
		}
	}
	return 0
}

func (a *asked) toolOffsetInfo() ([]byte, focas.Code) {
	return focas.ToolOffsetInfo{Count: toolKinds, Memory: maxTools, Rest: make([]byte, 2)}.Append(nil), 0
}

// workPlaces are the work offsets of a request: 0 is the external one, 1 to 6 are G54 to G59.
func (a *asked) workPlaces() (n, axis int, code focas.Code) {
	from, to := a.arg(1), a.arg(2)
	n, code = span(from, to, focas.MaxRequestBody)
	if code != 0 {
		return 0, 0, code
	}
	if from < 0 || int(to) >= len(a.path.work) {
		return 0, 0, focas.EWNumber
	}
	axis, ok := a.axis(a.arg(3))
	if !ok && a.arg(3) != focas.AllAxes {
		return 0, 0, focas.EWAttrib
	}
	return n, axis, 0
}

func (a *asked) readWorkOffset() ([]byte, focas.Code) {
	n, axis, code := a.workPlaces()
	if code != 0 {
		return nil, code
	}
	if a.arg(3) == focas.AllAxes {
		if n != 1 {
			return nil, focas.EWAttrib
		}
		v := a.path.work[a.arg(1)]
		return a.padded(func(i int) focas.Value { return focas.Decimal(microns(v[i]), 3) }), 0
	}
	l := focas.Values{}
	for i := range n {
		l.Items = append(l.Items, focas.Decimal(microns(a.path.work[int(a.arg(1))+i][axis]), 3))
	}
	return l.Append(nil), 0
}

func (a *asked) writeWorkOffset() ([]byte, focas.Code) {
	n, axis, code := a.workPlaces()
	if code != 0 {
		return nil, code
	}
	if a.arg(3) == focas.AllAxes {
		return nil, focas.EWAttrib
	}
	values, code := a.written(n)
	if code != 0 {
		return nil, code
	}
	if code := checkOffsets(values); code != 0 {
		return nil, code
	}
	for i, v := range values {
		a.path.work[int(a.arg(1))+i][axis] = float64(v.Mantissa) / 1000
	}
	return nil, 0
}

func (a *asked) workOffsetInfo() ([]byte, focas.Code) {
	return focas.Counter{N: int32(len(a.path.work) - 1)}.Append(nil), 0
}

// group is tool group n, or nil.
func (a *asked) group(n int32) *toolGroup {
	if n < 1 || int(n) > len(a.path.life) {
		return nil
	}
	return &a.path.life[n-1]
}

func (a *asked) toolGroup() ([]byte, focas.Code) {
	n, code := span(a.arg(1), a.arg(2), a.room(24))
	if code != 0 {
		return nil, code
	}
	var b []byte
	for i := range int32(n) {
		g := a.group(a.arg(1) + i)
		if g == nil {
			return nil, focas.EWNumber
		}
		b = focas.ToolGroup{Group: a.arg(1) + i, Tools: int32(len(g.tools)), FreeTools: 16 - int32(len(g.tools)), Life: g.life, Count: g.count}.Append(b)
	}
	return b, 0
}

// maxGroups is how many tool groups can be registered.
const maxGroups = 128

func (a *asked) toolGroupNum() ([]byte, focas.Code) {
	if a.q.Flag == 1 {
		return a.toolLifeInfo()
	}
	return focas.Counter{N: maxGroups}.Append(nil), 0
}

func (a *asked) useGroup() ([]byte, focas.Code) {
	u := focas.UseGroup{}
	for i, g := range a.path.life {
		for _, t := range g.tools {
			if int(t) == a.path.tool {
				u.Use = int32(i + 1)
			}
			if int(t) == a.path.mod.tool {
				u.Next = int32(i + 1)
			}
		}
	}
	return u.Append(nil), 0
}

func (a *asked) toolNum() ([]byte, focas.Code) {
	g := a.group(a.arg(1))
	order := a.arg(2)
	if g == nil || order < 1 || int(order) > len(g.tools) {
		return nil, focas.EWNumber
	}
	return focas.ToolNum{Group: a.arg(1), Order: order, Tool: g.tools[order-1]}.Append(nil), 0
}

func (a *asked) toolLife() ([]byte, focas.Code) {
	g := a.group(a.arg(1))
	order := a.arg(2)
	if g == nil || order < 1 || int(order) > len(g.tools) {
		return nil, focas.EWNumber
	}
	t := focas.ToolLife{Order: order, Tool: g.tools[order-1], H: g.tools[order-1] % 100, D: g.tools[order-1] % 100, Status: 1}
	if int(order-1) < g.at {
		t.Status = 2
	}
	return t.Append(nil), 0
}

func (a *asked) toolLifeInfo() ([]byte, focas.Code) {
	return focas.ToolLifeInfo{MaxGroup: maxGroups, Tools: 16, Minutes: 4300, Cycles: 9999}.Append(nil), 0
}

func (a *asked) toolGroups() ([]byte, focas.Code) {
	from, count := a.arg(1), a.arg(2)
	if count < 1 || int(count) > a.room(focas.ToolGroup30iSize) {
		return nil, focas.EWLength
	}
	l := focas.List[focas.ToolGroup30i]{}
	for i := range count {
		g := a.group(from + i)
		if g == nil {
			break
		}
		l.Items = append(l.Items, focas.ToolGroup30i{Tools: int32(len(g.tools)), FreeTools: 16 - int32(len(g.tools)), Life: g.life,
			Count: g.count, UseTool: int32(g.at + 1), LifeRest: g.life - g.count})
	}
	if l.Items == nil {
		return nil, focas.EWNumber
	}
	return l.Append(nil), 0
}
