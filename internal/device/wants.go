package device

import "fmt"

// wants counts the subscriptions by filter, so that costly points are produced only while somebody reads them.
type wants struct {
	filters map[string]*wantedFilter
	changed chan struct{}
}

type wantedFilter struct {
	filter Filter
	count  int
}

func (f *Filter) key() string {
	return fmt.Sprintf("%q %q %q %q", f.Devices, f.Under, f.Roles, f.Except)
}

func (w *wants) add(f *Filter) {
	if e := w.filters[f.key()]; e != nil {
		e.count++
		return
	}
	w.filters[f.key()] = &wantedFilter{filter: *f, count: 1}
	w.signal()
}

func (w *wants) drop(f *Filter) {
	e := w.filters[f.key()]
	if e.count--; e.count == 0 {
		delete(w.filters, f.key())
		w.signal()
	}
}

func (w *wants) signal() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// Wanted reports whether the filter of any subscription selects the point. A point that does not exist yet has no role,
// and fits every filter of roles.
func (t *Tree) Wanted(dev string, path Path) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	spec, known := &Spec{Path: path}, false
	if n := t.devices[dev]; n != nil && n.points[path] != nil {
		spec, known = n.points[path].spec, true
	}
	for _, e := range t.wants.filters {
		f := e.filter
		if !known {
			f.Roles = nil
		}
		if f.matchesDevice(dev) && f.matchesSpec(spec) {
			return true
		}
	}
	return false
}

// WantedChanged is closed when an answer of Wanted may differ because a subscription came or went or a point of rate
// Meter is new. Take it before asking.
func (t *Tree) WantedChanged() <-chan struct{} {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.wants.changed
}
