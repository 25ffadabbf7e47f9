package gateway

import (
	"cmp"
	"maps"
	"slices"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

var _ north.Measured = (*Gateway)(nil)

// ending is what writes are counted by.
type ending struct {
	kind  string
	stage north.Stage
}

// countFor makes devices the ones whose writes are counted.
func (b *book) countFor(devices map[string]bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.endings, func(name string, _ map[ending]uint64) bool { return !devices[name] })
	for name := range devices {
		if b.endings[name] == nil {
			b.endings[name] = make(map[ending]uint64)
		}
	}
}

func (b *book) endingsOf(dev string) map[ending]uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.endings[dev])
}

// Measures are the writes by what became of them, how many wait, and the size of the tree. Links are points, below _link/.
func (g *Gateway) Measures(yield func(north.Measure)) {
	g.mu.Lock()
	links := make([]*link, len(g.order))
	for i, name := range g.order {
		links[i] = g.links[name]
	}
	g.mu.Unlock()

	for _, l := range links {
		endings := g.book.endingsOf(l.name)
		for _, k := range slices.SortedFunc(maps.Keys(endings), func(a, b ending) int {
			return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.stage, b.stage))
		}) {
			yield(north.Measure{Name: "writes_total", Help: "Points written and commands performed, by how they ended", Counter: true,
				Labels: []north.MeasureLabel{{Key: "device", Value: l.name}, {Key: "kind", Value: k.kind}, {Key: "outcome", Value: string(k.stage)}},
				Value:  float64(endings[k])})
		}
	}
	of := func(l *link) []north.MeasureLabel { return []north.MeasureLabel{{Key: "device", Value: l.name}} }
	for _, l := range links {
		yield(north.Measure{Name: "write_queue_length", Help: "Writes that wait for the device", Labels: of(l), Value: float64(len(l.jobs))})
	}
	for _, l := range links {
		yield(north.Measure{Name: "write_queue_drops_total", Help: "Writes failed because too many were waiting", Counter: true, Labels: of(l),
			Value: float64(l.drops.Load())})
	}
	s := g.tree.Stats()
	yield(north.Measure{Name: "devices", Help: "Devices in the tree", Value: float64(s.Devices)})
	yield(north.Measure{Name: "points", Help: "Points in the tree", Value: float64(s.Points)})
	yield(north.Measure{Name: "subscribers", Help: "Subscriptions to the tree that are open", Value: float64(s.Subscribers)})
	yield(north.Measure{Name: "changes_total", Help: "Changes of the tree", Counter: true, Value: float64(g.tree.Seq())})
}

// notUnderstood counts the samples of a change that the driver could make no sense of.
func notUnderstood(c *driver.Change) (n int64) {
	for i := range c.Samples {
		if c.Samples[i].Reason == device.ReasonInvalid && c.Samples[i].Quality == device.Bad {
			n++
		}
	}
	return n
}
