package device

// maxTombstones is how many removals the tree remembers. A reader that missed more starts again with the whole selection.
const maxTombstones = 8192

type tombstone struct {
	device string
	spec   *Spec
	seq    uint64
}

// graveyard is a ring of the newest tombstones.
type graveyard struct {
	limit   int
	ring    []tombstone
	first   int    // index of the oldest once the ring is full
	dropped uint64 // seq of the newest that was dropped; 0: none
}

func (g *graveyard) add(t tombstone) {
	if len(g.ring) < g.limit {
		g.ring = append(g.ring, t)
		return
	}
	g.dropped = g.ring[g.first].seq
	g.ring[g.first] = t
	g.first = (g.first + 1) % len(g.ring)
}

// after appends what f selects of the tombstones younger than seq, oldest first.
func (g *graveyard) after(seq uint64, f *Filter, out []*tombstone) []*tombstone {
	n := len(g.ring)
	young := 0
	for young < n && g.at(n-1-young).seq > seq {
		young++
	}
	for i := n - young; i < n; i++ {
		if t := g.at(i); f.matchesDevice(t.device) && f.matchesSpec(t.spec) {
			out = append(out, t)
		}
	}
	return out
}

// at counts from the oldest.
func (g *graveyard) at(i int) *tombstone { return &g.ring[(g.first+i)%len(g.ring)] }
