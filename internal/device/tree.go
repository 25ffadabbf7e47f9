package device

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// LinkRoot is the subtree in which every device holds the state of its own link. [Tree.MarkBad] leaves it alone.
const LinkRoot Path = "_link"

// ClientsRoot is the subtree in which the programs that use a device through the gateway's native server are shown. They
// do not depend on the link, so [Tree.MarkBad] leaves it alone too.
const ClientsRoot Path = "_clients"

// StreamsRoot is the subtree in which the gateway counts what went through each byte stream of a device, below the stream's own
// path. [Tree.MarkBad] leaves it alone: the counts stay true without a link.
const StreamsRoot Path = "_streams"

// Tree holds the points of all devices. All methods are safe for concurrent use, and none waits for a reader.
//
// Each change gives its point the next number of one sequence for the whole tree. A device keeps its points in a list by
// that number, so a subscriber finds what is new by walking back from the newest to its own position: a reader that
// stays away costs nothing, and one that comes back gets each point once.
type Tree struct {
	epoch string

	mu      sync.RWMutex
	seq     uint64
	devices map[string]*deviceNode
	order   []*deviceNode // by name
	dead    graveyard
	subs    map[*subscription]struct{}
	wants   wants
}

type deviceNode struct {
	name     string
	points   map[Path]*point
	list     changeList
	slots    slots
	labels   map[string]*LabelSet
	commands []Command
	streams  []Path
	mark     uint32
	subs     []*subscription          // whose filter may match
	sorted   atomic.Pointer[[]*point] // by path; nil when a point came or went
}

// NewTree makes an empty tree with an epoch of its own.
func NewTree() *Tree {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process rather than return an error
	return &Tree{
		epoch:   hex.EncodeToString(b[:]),
		devices: make(map[string]*deviceNode),
		dead:    graveyard{limit: maxTombstones},
		subs:    make(map[*subscription]struct{}),
		wants:   wants{filters: make(map[string]*wantedFilter), changed: make(chan struct{})},
	}
}

// Epoch differs from tree to tree, so that "epoch.seq" names a moment for ever. It holds hex digits only.
func (t *Tree) Epoch() string { return t.epoch }

// Seq is the number of the last change.
func (t *Tree) Seq() uint64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.seq
}

// Apply changes one device, which it adds when it is new. Readers see all of d or nothing. It keeps no reference to the
// slices of d.
func (t *Tree) Apply(dev string, d *Delta) Applied {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.node(dev)
	before := t.seq
	a := t.apply(n, d)
	if slices.ContainsFunc(d.Specs, func(s Spec) bool { return s.Rate == Meter }) {
		t.wants.signal()
	}
	if t.seq != before {
		n.wake()
	}
	return a
}

func (t *Tree) node(dev string) *deviceNode {
	n := t.devices[dev]
	if n != nil {
		return n
	}
	n = &deviceNode{name: dev, points: make(map[Path]*point), labels: make(map[string]*LabelSet)}
	t.devices[dev] = n
	i, _ := slices.BinarySearchFunc(t.order, dev, func(o *deviceNode, name string) int { return strings.Compare(o.name, name) })
	t.order = slices.Insert(t.order, i, n)
	for s := range t.subs {
		if s.matchesDevice(dev) {
			n.subs = append(n.subs, s)
		}
	}
	return n
}

func (t *Tree) apply(n *deviceNode, d *Delta) Applied {
	var a Applied
	before := t.seq
	if d.Full {
		t.sweep(n, d)
	}
	if len(d.Gone) > 0 {
		t.remove(n, d.Gone, d.Keep)
	}
	for i := range d.Labels {
		t.setLabels(n, &d.Labels[i])
	}
	for i := range d.Specs {
		t.setSpec(n, &d.Specs[i])
	}
	if d.Commands != nil || d.Full {
		n.commands = slices.Clone(d.Commands)
	}
	if d.Streams != nil || d.Full {
		n.streams = slices.Clone(d.Streams)
	}
	for i := range d.Samples {
		t.setSample(n, &d.Samples[i], &a)
	}
	if d.Full {
		// The device has described itself and said nothing about these: that is no longer the fault of the link.
		for p := n.list.head; p != nil && p.seq <= before; {
			next := p.next
			if p.sample.Quality == Bad && p.sample.Reason == ReasonLinkDown && !keeps(d.Keep, p.spec.Path) {
				p.sample.Reason = ReasonNotReported
				t.touch(p)
			}
			p = next
		}
	}
	a.Changed = int(t.seq - before)
	return a
}

func keeps(keep func(Path) bool, p Path) bool { return keep != nil && keep(p) }

// touch gives p the next number and makes it the newest of its device.
func (t *Tree) touch(p *point) {
	t.seq++
	p.seq = t.seq
	p.changes++
	l := &p.inDevice.list
	if l.tail != p {
		l.unlink(p)
		l.push(p)
	}
}

func (t *Tree) setSpec(n *deviceNode, s *Spec) {
	p := n.points[s.Path]
	switch {
	case p == nil:
	case p.spec.equal(s):
		return
	case p.spec.Kind != s.Kind || p.spec.Role != s.Role:
		// To a reader of kinds and roles this is another point under the same name.
		t.bury(p)
		p = nil
	default:
		p.spec = s.clone()
		p.labels = n.labels[s.Labels]
		t.touch(p)
		p.specSeq = p.seq
		return
	}
	p = &point{spec: s.clone(), labels: n.labels[s.Labels], inDevice: n, mark: n.mark}
	p.sample = Sample{Path: p.spec.Path, Quality: Bad, Reason: ReasonNotReported}
	p.slot, p.changes = n.slots.take()
	p.bornAt = p.changes
	n.points[p.spec.Path] = p
	n.sorted.Store(nil)
	n.list.push(p)
	t.touch(p)
	p.specSeq, p.born = p.seq, p.seq
}

func (t *Tree) setLabels(n *deviceNode, l *LabelSet) {
	if old := n.labels[l.ID]; old != nil && old.equal(l) {
		return
	}
	set := l.clone()
	n.labels[l.ID] = set
	last := t.seq
	for p := n.list.head; p != nil && p.seq <= last; {
		next := p.next
		if p.spec.Labels == l.ID && p.spec.Kind == Enum {
			p.labels = set
			t.touch(p)
			p.specSeq = p.seq
		}
		p = next
	}
}

func (t *Tree) setSample(n *deviceNode, s *Sample, a *Applied) {
	p := n.points[s.Path]
	if p == nil {
		a.Unknown++
		return
	}
	v, q, reason := s.Value, s.Quality, s.Reason
	switch {
	case v.Kind != 0 && v.Kind != p.spec.Kind:
		v, q, reason = Value{}, Bad, ReasonInvalid
		a.Invalid++
	case v.Kind == 0 && q == Good:
		q, reason = Bad, ReasonNotReported
	}
	old := &p.sample
	same := old.Quality == q && old.Reason == reason && old.Value.Equal(v)
	old.Source, old.Received = s.Source, s.Received
	if same {
		a.Suppressed++
		return
	}
	old.Value, old.Quality, old.Reason = v, q, reason
	t.touch(p)
}

// sweep removes what a Full delta does not name.
func (t *Tree) sweep(n *deviceNode, d *Delta) {
	n.mark++
	for i := range d.Specs {
		if p := n.points[d.Specs[i].Path]; p != nil {
			p.mark = n.mark
		}
	}
	used := make(map[string]*LabelSet)
	for p := n.list.head; p != nil; {
		next := p.next
		switch {
		case keeps(d.Keep, p.spec.Path):
			if p.labels != nil {
				used[p.labels.ID] = p.labels
			}
		case p.mark != n.mark:
			t.bury(p)
		}
		p = next
	}
	for i := range d.Labels {
		if old := n.labels[d.Labels[i].ID]; old != nil {
			used[old.ID] = old
		}
	}
	n.labels = used
}

// remove takes away the subtrees below gone.
func (t *Tree) remove(n *deviceNode, gone []Path, keep func(Path) bool) {
	roots := make(map[Path]bool, len(gone))
	for _, g := range gone {
		roots[g] = true
	}
	for p := n.list.head; p != nil; {
		next := p.next
		if underAny(p.spec.Path, roots) && !keeps(keep, p.spec.Path) {
			t.bury(p)
		}
		p = next
	}
}

func underAny(p Path, roots map[Path]bool) bool {
	for {
		if roots[p] {
			return true
		}
		if p == "" {
			return false
		}
		p = p.Parent()
	}
}

// bury takes p out of its device and leaves a tombstone.
func (t *Tree) bury(p *point) {
	n := p.inDevice
	t.seq++
	t.dead.add(tombstone{device: n.name, spec: p.spec, seq: t.seq})
	n.list.unlink(p)
	n.slots.give(p.slot, p.changes)
	delete(n.points, p.spec.Path)
	n.sorted.Store(nil)
}

// MarkBad turns every point of a device outside LinkRoot, ClientsRoot and StreamsRoot bad at once. Values and their times of receipt
// stay, so that they can be shown as old.
func (t *Tree) MarkBad(dev, reason string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.devices[dev]
	if n == nil {
		return
	}
	last := t.seq
	for p := n.list.head; p != nil && p.seq <= last; {
		next := p.next
		if !p.spec.Path.Under(LinkRoot) && !p.spec.Path.Under(ClientsRoot) && !p.spec.Path.Under(StreamsRoot) && (p.sample.Quality != Bad || p.sample.Reason != reason) {
			p.sample.Quality, p.sample.Reason = Bad, reason
			t.touch(p)
		}
		p = next
	}
	if t.seq != last {
		n.wake()
	}
}

// Remove takes a device away with all its points.
func (t *Tree) Remove(dev string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.devices[dev]
	if n == nil {
		return
	}
	for p := n.list.head; p != nil; {
		next := p.next
		t.bury(p)
		p = next
	}
	n.wake()
	delete(t.devices, dev)
	t.order = slices.DeleteFunc(t.order, func(o *deviceNode) bool { return o == n })
	for _, s := range n.subs {
		delete(s.seen, n)
	}
}
