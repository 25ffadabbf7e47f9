package device

import (
	"cmp"
	"context"
	"net"
	"slices"
	"sync"
	"sync/atomic"
)

// Subscription delivers coalesced updates to one reader. It costs the tree nothing while its reader is away.
type Subscription interface {
	// Next waits until something in the selection changed, then returns everything new at once. It is not safe for
	// concurrent use. After Close it returns net.ErrClosed.
	Next(ctx context.Context) (Batch, error)
	// Close ends a waiting Next. It is idempotent and may be called at any time.
	Close()
}

// Subscribe starts at sequence since, 0 for the beginning: the first batch then holds the whole selection with Reset set,
// also when that is empty. When since is older than what the tree remembers of removed points, or of another epoch and
// so in the future, the first batch is a Reset too. The subscription sees devices that are added later.
func (t *Tree) Subscribe(f Filter, since uint64) Subscription {
	s := &subscription{
		tree: t, cursor: since, reset: since == 0,
		filter: Filter{Devices: slices.Clone(f.Devices), Under: slices.Clone(f.Under), Roles: slices.Clone(f.Roles), Except: slices.Clone(f.Except)},
		seen:   make(map[*deviceNode][]uint32),
		woken:  make(chan struct{}, 1),
		closed: make(chan struct{}),
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.subs[s] = struct{}{}
	for _, n := range t.order {
		if s.matchesDevice(n.name) {
			n.subs = append(n.subs, s)
		}
	}
	t.wants.add(&s.filter)
	return s
}

type subscription struct {
	tree   *Tree
	filter Filter
	woken  chan struct{}
	armed  atomic.Bool // the reader waits, or is about to
	closed chan struct{}
	once   sync.Once

	// Owned by Next, which holds the read lock while it uses them; Remove deletes from seen under the write lock.
	cursor uint64
	reset  bool
	seen   map[*deviceNode][]uint32 // change counters by slot, as of the last look; 0: never
	points []*point
	dead   []*tombstone
}

func (s *subscription) matchesDevice(dev string) bool { return s.filter.matchesDevice(dev) }

func (s *subscription) Close() {
	s.once.Do(func() {
		close(s.closed)
		t := s.tree
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.subs, s)
		for _, n := range t.order {
			n.subs = slices.DeleteFunc(n.subs, func(o *subscription) bool { return o == s })
		}
		t.wants.drop(&s.filter)
	})
}

// wake tells the readers that wait. The ones that are busy find the change when they look next.
func (n *deviceNode) wake() {
	for _, s := range n.subs {
		if s.armed.Load() && s.armed.CompareAndSwap(true, false) {
			select {
			case s.woken <- struct{}{}:
			default:
			}
		}
	}
}

func (s *subscription) Next(ctx context.Context) (Batch, error) {
	for {
		select {
		case <-s.closed:
			return Batch{}, net.ErrClosed
		default:
		}
		if err := ctx.Err(); err != nil {
			return Batch{}, err
		}
		s.armed.Store(true)
		if b, ok := s.collect(); ok {
			s.armed.Store(false)
			return b, nil
		}
		select {
		case <-s.woken:
		case <-s.closed:
		case <-ctx.Done():
		}
	}
}

// collect returns what changed since the last call; false when nothing did.
func (s *subscription) collect() (Batch, bool) {
	t := s.tree
	t.mu.RLock()
	defer t.mu.RUnlock()
	reset := s.reset || s.cursor < t.dead.dropped || s.cursor > t.seq
	if !reset && s.cursor == t.seq {
		return Batch{}, false
	}
	after := s.cursor
	if reset {
		after = 0
		clear(s.seen)
	} else {
		s.dead = t.dead.after(after, &s.filter, s.dead)
	}
	s.gather(after)
	b := Batch{Reset: reset, Seq: t.seq}
	if n := len(s.points) + len(s.dead); n > 0 {
		b.Updates = make([]Update, 0, n)
		s.merge(&b, after)
	}
	s.cursor, s.reset = t.seq, false
	s.tidy()
	return b, reset || len(b.Updates) > 0
}

// gather fills s.points with what changed after seq, oldest first.
func (s *subscription) gather(after uint64) {
	devices := 0
	for _, n := range s.tree.order {
		if n.list.tail == nil || n.list.tail.seq <= after || !s.matchesDevice(n.name) {
			continue
		}
		from := len(s.points)
		for p := n.list.tail; p != nil && p.seq > after; p = p.prev {
			if s.filter.matchesSpec(p.spec) {
				s.points = append(s.points, p)
			}
		}
		if part := s.points[from:]; len(part) > 0 {
			slices.Reverse(part)
			devices++
		}
	}
	if devices > 1 {
		slices.SortFunc(s.points, func(a, b *point) int { return cmp.Compare(a.seq, b.seq) })
	}
}

// merge writes points and tombstones into b by sequence.
func (s *subscription) merge(b *Batch, after uint64) {
	dead := s.dead
	for _, p := range s.points {
		for len(dead) > 0 && dead[0].seq < p.seq {
			b.Updates = append(b.Updates, dead[0].update())
			dead = dead[1:]
		}
		b.Updates = append(b.Updates, Update{Point: p.copy(), SpecChanged: p.specSeq > after, Merged: s.merged(p, after, b.Reset)})
	}
	for _, d := range dead {
		b.Updates = append(b.Updates, d.update())
	}
}

func (t *tombstone) update() Update {
	return Update{Point: Point{Device: t.device, Spec: &Spec{Path: t.spec.Path}, Seq: t.seq}, Gone: true}
}

// merged counts the changes of p since the last look beyond the one that is delivered, and notes this look.
func (s *subscription) merged(p *point, after uint64, reset bool) uint32 {
	counts := s.seen[p.inDevice]
	if need := int(p.slot) + 1; len(counts) < need {
		counts = append(counts, make([]uint32, need-len(counts))...)
		s.seen[p.inDevice] = counts
	}
	seen := counts[p.slot]
	counts[p.slot] = p.changes
	switch {
	case reset:
		return 0
	case p.born > after:
		return p.changes - p.bornAt - 1
	case seen == 0: // a resumed reader: what it saw of this point before is not known
		return 0
	}
	return p.changes - seen - 1
}

// tidy forgets what was gathered, so that removed points are not held, and gives back the room of a large batch.
func (s *subscription) tidy() {
	const keep = 1024
	clear(s.points)
	clear(s.dead)
	if cap(s.points) > keep {
		s.points = nil
	}
	if cap(s.dead) > keep {
		s.dead = nil
	}
	s.points, s.dead = s.points[:0], s.dead[:0]
}
