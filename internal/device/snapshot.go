package device

import (
	"maps"
	"slices"
	"strings"
)

// Point is a copy of one point.
func (t *Tree) Point(dev string, path Path) (Point, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if n := t.devices[dev]; n != nil {
		if p := n.points[path]; p != nil {
			return p.copy(), true
		}
	}
	return Point{}, false
}

// Points is a consistent snapshot ordered by device and path, and the sequence it was taken at.
func (t *Tree) Points(f Filter) ([]Point, uint64) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var out []Point
	if len(f.Under)+len(f.Roles) == 0 {
		size := 0
		for _, n := range t.order {
			if f.matchesDevice(n.name) {
				size += len(n.points)
			}
		}
		out = make([]Point, 0, size)
	}
	for _, n := range t.order {
		if !f.matchesDevice(n.name) {
			continue
		}
		points := n.byPath()
		out = slices.Grow(out, len(points))
		for _, p := range points {
			if f.matchesSpec(p.spec) {
				out = append(out, p.copy())
			}
		}
	}
	return out, t.seq
}

// Count is how many points a device has; 0 for one that is not there.
func (t *Tree) Count(dev string) int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if n := t.devices[dev]; n != nil {
		return len(n.points)
	}
	return 0
}

// byPath is called under the read lock at least: nothing comes or goes, and two readers that sort at the same time store
// the same list.
func (n *deviceNode) byPath() []*point {
	if s := n.sorted.Load(); s != nil {
		return *s
	}
	s := slices.SortedFunc(maps.Values(n.points), func(a, b *point) int { return strings.Compare(string(a.spec.Path), string(b.spec.Path)) })
	n.sorted.Store(&s)
	return s
}

// LabelSets of one device, by id. The sets are shared and must not be changed.
func (t *Tree) LabelSets(dev string) map[string]*LabelSet {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if n := t.devices[dev]; n != nil {
		return maps.Clone(n.labels)
	}
	return nil
}

// Commands of one device, as the device lists them.
func (t *Tree) Commands(dev string) []Command {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if n := t.devices[dev]; n != nil {
		return slices.Clone(n.commands)
	}
	return nil
}

// Streams of one device, as the device lists them.
func (t *Tree) Streams(dev string) []Path {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if n := t.devices[dev]; n != nil {
		return slices.Clone(n.streams)
	}
	return nil
}

func (f *Filter) matchesDevice(dev string) bool {
	return len(f.Devices) == 0 || slices.Contains(f.Devices, dev)
}

func (f *Filter) matchesSpec(s *Spec) bool {
	if len(f.Roles) > 0 && !slices.Contains(f.Roles, s.Role) {
		return false
	}
	if s.Role != "" && slices.Contains(f.Except, s.Role) {
		return false
	}
	if len(f.Under) == 0 {
		return true
	}
	for _, u := range f.Under {
		if s.Path.Under(u) {
			return true
		}
	}
	return false
}
