package device

// Stats says how large a tree is.
type Stats struct {
	Devices, Points int
	Subscribers     int // open subscriptions
	Tombstones      int // removed points that are remembered for readers who come back
}

// Stats counts what the tree holds. It costs a step for each device.
func (t *Tree) Stats() Stats {
	t.mu.RLock()
	defer t.mu.RUnlock()
	s := Stats{Devices: len(t.devices), Subscribers: len(t.subs), Tombstones: len(t.dead.ring)}
	for _, n := range t.order {
		s.Points += len(n.points)
	}
	return s
}
