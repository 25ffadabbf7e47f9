package atem

import (
	"bytes"
	"iter"
	"strings"
)

// Limits of a [State]; the largest dump that was seen has 2460 fields and 109 kB.
const (
	MaxStateFields = 20000
	MaxStateBytes  = 8 << 20
)

// maxUnknown is how many fields of one code that nothing tells apart a State holds beyond those of the dump.
const maxUnknown = 256

// State is the newest of what a switcher said about everything: the body of each field, by code and by the values that tell
// instances of a code apart, kept byte for byte, in the order of the dump. It serves the client, the simulator and the relay.
// The zero State is empty. A State is not safe for concurrent use; bodies that it gives out never change.
//
// Codes of which the catalogue does not say what tells instances apart are kept as they come while the dump lasts. Later, a
// field of such a code replaces the only one of its code, or the one that has the same first two bytes (guess: that fits
// every code that was seen), or is kept besides.
type State struct {
	ver         Version
	entries     map[stateKey]*entry
	codes       map[Code]*group
	first, last *entry
	size        int // bytes of all bodies and headers
	complete    bool
	dropped     uint64
	revision    uint64
}

// stateKey is a code and the values of its key items. For a code without key, serial counts its fields.
type stateKey struct {
	code   Code
	values [3]int64
	serial uint32
}

type entry struct {
	key        stateKey
	pad        [2]byte
	body       []byte
	prev, next *entry
}

// group is what a State holds of one code.
type group struct {
	last   *entry
	n      int
	serial uint32 // of the newest field without a key
}

// Effect is what a field did to a [State].
type Effect uint8

// What can happen.
const (
	Same    Effect = iota // it says what was known
	Added                 // it is about something new
	Changed               // it says something new about what was known
	Removed               // something is gone
	Reset                 // it is _ver, with which everything begins anew
	Passing               // it is never part of the state: meters, time, transfers, InCm, commands
	Dropped               // the State is full
)

// Version is the protocol version that _ver told; zero before.
func (s *State) Version() Version { return s.ver }

// Complete reports whether the dump has ended.
func (s *State) Complete() bool { return s.complete }

// Len is how many fields the state holds.
func (s *State) Len() int { return len(s.entries) }

// Size is how many bytes they have, headers included.
func (s *State) Size() int { return s.size }

// Dropped counts the fields that had no room.
func (s *State) Dropped() uint64 { return s.dropped }

// Revision changes with every field that changes the state, so that something made of it can be kept.
func (s *State) Revision() uint64 { return s.revision }

// Apply takes in a field. The body is copied when it is kept.
func (s *State) Apply(f *Field) Effect {
	row := find(f.Code)
	switch {
	case f.Code == CodeInCm:
		s.complete = true
		return Passing
	case row != nil && (row.volatile && row.removes == 0 || row.way == wayCommand || row.way >= wayOswClient):
		return Passing
	case f.Code == CodeVer:
		s.reset(f.Body)
		s.add(stateKey{code: f.Code}, f)
		return Reset
	case f.Code == CodeFASD:
		return s.removeStrip(f)
	}
	key, keyed := s.keyOf(row, f)
	if !keyed {
		return s.applyUnkeyed(f)
	}
	e := s.entries[key]
	if f.Code == CodeRTMD {
		var disk RecordingDisk
		if disk.Parse(s.ver, f.Body) == nil && disk.Status&DiskStateRemoved != 0 {
			if e == nil {
				return Same
			}
			s.remove(e)
			return Removed
		}
	}
	if e == nil {
		return s.add(key, f)
	}
	return s.replace(e, f)
}

func (s *State) reset(ver []byte) {
	dropped, revision := s.dropped, s.revision
	*s = State{dropped: dropped, revision: revision, entries: map[stateKey]*entry{}, codes: map[Code]*group{}}
	var v ProtocolVersion
	if v.Parse(0, ver) == nil {
		s.ver = MakeVersion(v.Major, v.Minor)
	}
}

// keyOf is the key of a field; false when nothing is known that tells instances apart.
func (s *State) keyOf(row *codeRow, f *Field) (key stateKey, ok bool) {
	key.code = f.Code
	if row == nil {
		return key, false
	}
	if row.layouts == 0 {
		return key, rawKey(&key, row.rawKey, f.Body)
	}
	l, ok := row.layoutOf(s.ver, f.Body)
	if !ok {
		return key, false
	}
	n := 0
	for i := range l.items {
		if it := &l.items[i]; it.key {
			key.values[row.slot(it.name, n)] = it.get(f.Body[it.off:])
			n++
		}
	}
	return key, true
}

// slot is where a key item stands among those of the newest layout, so that older layouts, which may lack one, agree.
func (r *codeRow) slot(name string, n int) int {
	if r.layouts == 1 {
		return n
	}
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
	return n
}

// rawKey takes the bytes that the catalogue names, as in "0:2 8:8"; empty: the code has one instance.
func rawKey(key *stateKey, ranges string, body []byte) bool {
	if ranges == "order" {
		return false
	}
	i := 0
	for r := range strings.FieldsSeq(ranges) {
		off, n := int(r[0]-'0'), int(r[2]-'0')
		if off+n > len(body) {
			return false
		}
		for _, b := range body[off : off+n] {
			key.values[i] = key.values[i]<<8 | int64(b)
		}
		i++
	}
	return true
}

func (s *State) applyUnkeyed(f *Field) Effect {
	g := s.codes[f.Code]
	if s.complete && g != nil {
		var same *entry
		for e := s.first; e != nil; e = e.next {
			if e.key.code == f.Code && (g.n == 1 || len(f.Body) >= 2 && bytes.HasPrefix(e.body, f.Body[:2])) {
				same = e
				break
			}
		}
		if same != nil {
			return s.replace(same, f)
		}
		if g.n >= maxUnknown {
			s.dropped++
			return Dropped
		}
	}
	serial := uint32(1)
	if g != nil {
		serial = g.serial + 1
	}
	return s.add(stateKey{code: f.Code, serial: serial}, f)
}

func (s *State) add(key stateKey, f *Field) Effect {
	if len(s.entries) >= MaxStateFields || s.size+f.Size() > MaxStateBytes {
		s.dropped++
		return Dropped
	}
	if s.entries == nil {
		s.entries, s.codes = map[stateKey]*entry{}, map[Code]*group{}
	}
	e := &entry{key: key, pad: f.Pad, body: bytes.Clone(f.Body)}
	s.entries[key] = e
	s.size += f.Size()
	s.revision++
	g := s.codes[key.code]
	after := s.last
	if g == nil {
		g = &group{}
		s.codes[key.code] = g
	} else if s.complete { // beside its like; a dump stays in its own order
		after = g.last
	}
	s.insert(e, after)
	if g.last == nil || g.last == after || !s.complete {
		g.last = e
	}
	g.n++
	g.serial = max(g.serial, key.serial)
	return Added
}

func (s *State) insert(e, after *entry) {
	if after == nil {
		e.next, s.first = s.first, e
	} else {
		e.prev, e.next, after.next = after, after.next, e
	}
	if e.next == nil {
		s.last = e
	} else {
		e.next.prev = e
	}
}

func (s *State) replace(e *entry, f *Field) Effect {
	if bytes.Equal(e.body, f.Body) {
		return Same
	}
	s.size += len(f.Body) - len(e.body)
	e.pad, e.body = f.Pad, bytes.Clone(f.Body)
	s.revision++
	return Changed
}

func (s *State) remove(e *entry) {
	delete(s.entries, e.key)
	s.size -= HeaderSize + len(e.body)
	s.revision++
	if e.prev == nil {
		s.first = e.next
	} else {
		e.prev.next = e.next
	}
	if e.next == nil {
		s.last = e.prev
	} else {
		e.next.prev = e.prev
	}
	g := s.codes[e.key.code]
	if g.n--; g.n == 0 {
		delete(s.codes, e.key.code)
	} else if g.last == e {
		for g.last = e.prev; g.last.key.code != e.key.code; {
			g.last = g.last.prev
		}
	}
}

// removeStrip removes what belongs to an audio strip.
func (s *State) removeStrip(f *Field) Effect {
	var gone FairlightStripRemoved
	if gone.Parse(s.ver, f.Body) != nil {
		return Passing
	}
	effect := Same
	for e := s.first; e != nil; {
		next := e.next
		switch e.key.code {
		case CodeFASP, CodeAEBP, CodeAICP, CodeAILP, CodeAIXP, CodeFASG:
			if uint16(e.key.values[0]) == uint16(gone.Source) && e.key.values[1] == gone.StripID {
				s.remove(e)
				effect = Removed
			}
		}
		e = next
	}
	return effect
}

// Fields is the state in the order of the dump, without InCm.
func (s *State) Fields() iter.Seq[Field] {
	return func(yield func(Field) bool) {
		for e := s.first; e != nil; e = e.next {
			if !yield(Field{Code: e.key.code, Pad: e.pad, Body: e.body}) {
				return
			}
		}
	}
}

// Dump is the whole state as payloads of packets, each at most limit bytes long unless a single field is longer: _ver first,
// InCm last. The payloads are new memory.
func (s *State) Dump(limit int) [][]byte {
	var packets [][]byte
	var p []byte
	add := func(f *Field) {
		if len(p) > 0 && len(p)+f.Size() > limit {
			packets = append(packets, p)
			p = nil
		}
		if p == nil {
			p = make([]byte, 0, max(min(limit, MaxField), f.Size()))
		}
		p, _ = f.Append(p) // it fitted into a field when it came
	}
	for f := range s.Fields() {
		add(&f)
	}
	add(&Field{Code: CodeInCm, Body: []byte{1, 0, 0, 0}})
	return append(packets, p)
}

// Body is the body of a code and the values of its key items, in the order of the catalogue; nil when there is none.
func (s *State) Body(c Code, keys ...int64) []byte {
	k := stateKey{code: c}
	copy(k.values[:], keys)
	if e := s.entries[k]; e != nil {
		return e.body
	}
	return nil
}

// Current is the body that a field would replace; nil when it is about something new, or is never part of the state.
func (s *State) Current(f *Field) []byte {
	row := find(f.Code)
	if row == nil {
		return nil
	}
	key, ok := s.keyOf(row, f)
	if e := s.entries[key]; ok && e != nil {
		return e.body
	}
	return nil
}

// typed is a pointer to a message type.
type typed[T any] interface {
	*T
	Message
}

// Get is the typed form of what the state holds of one code under the values of its key items, in the order of the
// catalogue. ok is false when there is nothing, or when no layout fits.
func Get[T any, P typed[T]](s *State, keys ...int64) (v T, ok bool) {
	p := P(&v)
	body := s.Body(p.Code(), keys...)
	return v, body != nil && p.Parse(s.ver, body) == nil
}

// All is the typed form of everything that the state holds of one code, in the order of the dump; what no layout fits is left
// out.
func All[T any, P typed[T]](s *State) iter.Seq[T] {
	return func(yield func(T) bool) {
		c := P(new(T)).Code()
		g := s.codes[c]
		if g == nil {
			return
		}
		n := g.n
		for e := s.first; e != nil && n > 0; e = e.next {
			if e.key.code != c {
				continue
			}
			n--
			var v T
			if P(&v).Parse(s.ver, e.body) == nil && !yield(v) {
				return
			}
		}
	}
}

// Clone is a State that goes its own way from here.
func (s *State) Clone() *State {
	c := &State{ver: s.ver, complete: s.complete, dropped: s.dropped, revision: s.revision}
	c.entries, c.codes = make(map[stateKey]*entry, len(s.entries)), make(map[Code]*group, len(s.codes))
	for e := s.first; e != nil; e = e.next {
		n := &entry{key: e.key, pad: e.pad, body: e.body}
		c.entries[n.key] = n
		c.insert(n, c.last)
		g := c.codes[n.key.code]
		if g == nil {
			g = &group{serial: s.codes[n.key.code].serial}
			c.codes[n.key.code] = g
		}
		g.n++
		g.last = n
	}
	c.size = s.size
	return c
}
