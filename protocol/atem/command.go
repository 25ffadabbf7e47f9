package atem

import "bytes"

// Result is the field of the state that a command asks for: the body that the state has now, with the values of the command
// that its mask lets count, and where [Info.Sets] says which code that is. Ranges of the catalogue are kept to, as switchers
// do (inferred). ok is false when the command is of another kind, when no layout fits, or when the state has nothing of what
// the command is about. The state does not change, and nobody promises that the switcher does as told.
func (s *State) Result(cmd *Field) (f Field, ok bool) {
	row := find(cmd.Code)
	if row == nil || row.sets == 0 {
		return f, false
	}
	from, ok := row.layoutOf(s.ver, cmd.Body)
	if !ok {
		return f, false
	}
	to := find(row.sets)
	key := stateKey{code: to.code}
	for i := range from.items {
		if it := &from.items[i]; it.key {
			key.values[to.keySlot(it.name)] = it.get(cmd.Body[it.off:])
		}
	}
	e := s.entries[key]
	if e == nil {
		return f, false
	}
	into, ok := to.layoutOf(s.ver, e.body)
	if !ok || into.lay.size < 0 {
		return f, false
	}
	f = Field{Code: to.code, Body: bytes.Clone(e.body)}
	mask := from.maskOf(cmd.Body)
	for i := range from.items {
		it := &from.items[i]
		if it.key || it.mask != "" || !mask.counts(it.name) {
			continue
		}
		if dst := into.item(it.name); dst != nil {
			dst.copyFrom(f.Body, it, cmd.Body)
		}
	}
	return f, true
}

// keySlot is where a key item of a command stands among those of the state.
func (r *codeRow) keySlot(name string) int {
	newest := &layoutRows[int(r.first)+int(r.layouts)-1]
	i := 0
	for j := range itemRows[newest.first : newest.first+newest.items] {
		if it := &itemRows[int(newest.first)+j]; it.key {
			if it.name == name {
				return i
			}
			i++
		}
	}
	return 0
}

func (l Layout) item(name string) *itemRow {
	for i := range l.items {
		if l.items[i].name == name {
			return &l.items[i]
		}
	}
	return nil
}

// Counts reports whether a command changes a value: its mask names it and has its bit, or there is no mask that names it.
func (l Layout) Counts(body []byte, name string) bool { return l.maskOf(body).counts(name) }

// masked is a mask with the names of its bits.
type masked struct {
	names string
	bits  uint64
}

func (l Layout) maskOf(body []byte) masked {
	for i := range l.items {
		if it := &l.items[i]; it.mask != "" {
			return masked{it.mask, uint64(it.get(body[it.off:]))}
		}
	}
	return masked{}
}

func (m masked) counts(name string) bool {
	bit := 0
	for rest := m.names; rest != ""; bit++ {
		var one string
		one, rest, _ = cut(rest, ',')
		for one != "" {
			var n string
			if n, one, _ = cut(one, '+'); n == name {
				return m.bits>>bit&1 != 0
			}
		}
	}
	return true
}

func cut(s string, sep byte) (before, after string, found bool) {
	for i := range len(s) {
		if s[i] == sep {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// copyFrom sets the item in body to the value of another item in another body.
func (it *itemRow) copyFrom(body []byte, src *itemRow, from []byte) {
	switch {
	case it.off < 0 || src.off < 0:
	case it.kind <= kindBool && it.width == 0 && src.kind <= kindBool && src.width == 0:
		n := src.get(from[src.off:])
		if it.min != it.max && (it.floor == 0 || n != int64(it.floor)) {
			n = min(max(n, int64(it.min)), int64(it.max))
		}
		it.put(body[it.off:], n)
	case it.kind == kindStr && src.kind == kindStr:
		text, _, _ := bytes.Cut(from[src.off:src.off+src.n], []byte{0})
		dst := body[it.off : it.off+it.n]
		clear(dst[copy(dst, text):])
	case it.kind == src.kind:
		copy(body[it.off:int(it.off)+it.bytes()], from[src.off:int(src.off)+src.bytes()])
	}
}

// bytes is the size of an item that is always there.
func (it *itemRow) bytes() int {
	if it.kind == kindBytes {
		return int(it.n)
	}
	return it.size()
}
