package device

// point is one point inside the tree. All fields are guarded by the tree's lock.
type point struct {
	spec     *Spec     // replaced, never changed
	labels   *LabelSet // replaced, never changed
	sample   Sample
	seq      uint64 // of the last change
	specSeq  uint64 // of the last change of spec or labels
	born     uint64 // seq of its first change
	changes  uint32 // wraps; continues where the last owner of the slot stopped
	bornAt   uint32 // changes before the first
	slot     uint32 // index in a subscriber's counters, unique in its device
	mark     uint32 // of the last Full delta that named it
	prev     *point
	next     *point
	inDevice *deviceNode
}

func (p *point) copy() Point {
	return Point{Device: p.inDevice.name, Spec: p.spec, Labels: p.labels, Sample: p.sample, Seq: p.seq}
}

// changeList holds points in the order of their last change, the newest at the tail.
type changeList struct{ head, tail *point }

func (l *changeList) unlink(p *point) {
	if p.prev != nil {
		p.prev.next = p.next
	} else {
		l.head = p.next
	}
	if p.next != nil {
		p.next.prev = p.prev
	} else {
		l.tail = p.prev
	}
	p.prev, p.next = nil, nil
}

func (l *changeList) push(p *point) {
	p.prev, p.next = l.tail, nil
	if l.tail != nil {
		l.tail.next = p
	} else {
		l.head = p
	}
	l.tail = p
}

// slots gives each point of a device a small number. A freed number is used again, and its change counter goes on, so
// that a subscriber's old count never looks newer than the point's.
type slots struct {
	next uint32
	free []freeSlot
}

type freeSlot struct{ slot, changes uint32 }

func (s *slots) take() (slot, changes uint32) {
	if n := len(s.free); n > 0 {
		f := s.free[n-1]
		s.free = s.free[:n-1]
		return f.slot, f.changes
	}
	s.next++
	return s.next - 1, 0
}

func (s *slots) give(slot, changes uint32) { s.free = append(s.free, freeSlot{slot, changes}) }
