package focassim

import (
	"github.com/patchbay-io/patchbay/protocol/focas"
)

// values gives the index of the first value of a number that the path sees, and how many it sees.
func (a *asked) values(n *number) (first, count int) {
	if n.axis {
		return a.path.cfg.first, len(a.path.cfg.axes)
	}
	return 0, n.count()
}

// slots is the number of slots of a record.
func (a *asked) slots() int {
	if a.classic() {
		return a.m.prof.pad
	}
	return focas.MaxSlots
}

// record is a number for an axis: 0 none, n that axis in the first slot, -1 all.
func (a *asked) record(n *number, axis int16) (focas.Record, focas.Code) {
	r := focas.Record{Dialect: a.m.prof.dialect(), Number: n.number, Axis: axis, Type: n.typ, Count: a.slots()}
	for i := range r.Values() {
		r.Slots[i] = focas.Decimal(0, 0)
	}
	first, count := a.values(n)
	switch {
	case !n.axis && axis == focas.EveryAxis:
		r.Axis = focas.NoAxis
		r.Slots[0] = n.wire(0)
	case !n.axis && axis == focas.NoAxis:
		r.Slots[0] = n.wire(0)
	case n.axis && axis == focas.EveryAxis:
		for i := range min(count, r.Count) {
			r.Slots[i] = n.wire(first + i)
		}
	case n.axis && axis >= 1 && int(axis) <= count:
		r.Slots[0] = n.wire(first + int(axis) - 1)
	default:
		return r, focas.EWAttrib
	}
	return r, 0
}

// records answers a read of the numbers from..to. In a range the ones that do not exist or do not fit the axis are left
// out.
func (a *asked) records(t *paramTable, want func(*number) bool) ([]byte, focas.Code) {
	from, to, axis := a.arg(1), a.arg(2), int16(a.arg(3))
	if a.arg(3) < -1 || a.arg(3) > int32(focas.MaxSlots) || from > to {
		return nil, focas.EWAttrib
	}
	limit := a.m.prof.version.MaxBody()
	var b []byte
	for i := t.from(from); i < len(t.all) && t.all[i].number <= to; i++ {
		n := t.all[i]
		if want != nil && !want(n) {
			continue
		}
		r, code := a.record(n, axis)
		if code != 0 {
			if from == to {
				return nil, code
			}
			continue
		}
		if b = r.Append(b); len(b) > limit {
			return nil, focas.EWLength
		}
	}
	if b == nil {
		return nil, focas.EWNumber
	}
	return b, 0
}

func (a *asked) readParam() ([]byte, focas.Code) { return a.records(a.m.params, nil) }

func (a *asked) readSetting() ([]byte, focas.Code) {
	return a.records(a.m.params, func(n *number) bool { return n.setting })
}

func (a *asked) readDiag() ([]byte, focas.Code) { return a.records(a.m.diag, nil) }

func (a *asked) writeParam() ([]byte, focas.Code) {
	if len(a.q.Data) != focas.RecordSize(a.m.prof.dialect(), a.slots()) {
		return nil, focas.EWLength
	}
	r, err := focas.ParseRecord(a.m.prof.dialect(), a.q.Data)
	if err != nil {
		return nil, focas.EWLength
	}
	n := a.m.params.find(r.Number)
	if n == nil {
		return nil, focas.EWNumber
	}
	first, count := a.values(n)
	places := []int{0}
	switch {
	case n.axis && r.Axis == focas.EveryAxis:
		places = places[:0]
		for i := range count {
			places = append(places, first+i)
		}
	case n.axis && r.Axis >= 1 && int(r.Axis) <= count:
		places[0] = first + int(r.Axis) - 1
	case n.axis || r.Axis != focas.NoAxis:
		return nil, focas.EWAttrib
	}
	if r.Type != n.typ {
		return nil, focas.EWAttrib
	}
	if a.m.protect {
		return nil, focas.EWProt
	}
	var values []int32
	for i := range places {
		v, ok := n.convert(r.Slots[i])
		if !ok {
			return nil, focas.EWData
		}
		values = append(values, v)
	}
	for i, at := range places {
		n.store(at, values[i])
	}
	return nil, 0
}

// neighbours are the numbers around those that all[first:last] holds; at the ends it is the outermost itself.
func (t *paramTable) neighbours(first, last int) (previous, next int32) {
	return t.all[max(first-1, 0)].number, t.all[min(last, len(t.all)-1)].number
}

// part is the slice of the table that an info request asks for.
func (a *asked) part(t *paramTable) (first, last int, code focas.Code) {
	from, count := a.arg(1), a.arg(2)
	first = t.from(from)
	if from < 0 || count < 1 || first == len(t.all) {
		return 0, 0, focas.EWNumber
	}
	room := (a.m.prof.version.MaxBody() - 64) / focas.NumberInfo2Size
	return first, min(first+int(min(count, int32(room))), len(t.all)), 0
}

func (a *asked) info(t *paramTable) ([]byte, focas.Code) {
	first, last, code := a.part(t)
	if code != 0 {
		return nil, code
	}
	x := focas.NumberInfos{}
	x.Previous, x.Next = t.neighbours(first, last)
	for _, n := range t.all[first:last] {
		x.Items = append(x.Items, focas.NumberInfo{Number: n.number, Type: int32(n.typ)})
	}
	return x.Append(nil), 0
}

func (a *asked) info2(t *paramTable) ([]byte, focas.Code) {
	first, last, code := a.part(t)
	if code != 0 {
		return nil, code
	}
	x := focas.NumberInfos2{}
	x.Previous, x.Next = t.neighbours(first, last)
	for _, n := range t.all[first:last] {
		i := focas.NumberInfo2{Number: n.number, Size: n.typ, Display: 1}
		if n.axis {
			i.Array = 1
		}
		x.Items = append(x.Items, i)
	}
	return x.Append(nil), 0
}

func (a *asked) paramInfo() ([]byte, focas.Code)  { return a.info(a.m.params) }
func (a *asked) paramInfo2() ([]byte, focas.Code) { return a.info2(a.m.params) }
func (a *asked) diagInfo() ([]byte, focas.Code)   { return a.info(a.m.diag) }
func (a *asked) diagInfo2() ([]byte, focas.Code)  { return a.info2(a.m.diag) }

func (a *asked) numbers(t *paramTable) ([]byte, focas.Code) {
	n := focas.NumberRange{Min: uint32(t.all[0].number), Max: uint32(t.all[len(t.all)-1].number), Total: uint32(len(t.all))}
	return n.Append(nil), 0
}

func (a *asked) paramNum() ([]byte, focas.Code) { return a.numbers(a.m.params) }
func (a *asked) diagNum() ([]byte, focas.Code)  { return a.numbers(a.m.diag) }
