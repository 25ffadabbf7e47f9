package gateway

import (
	"slices"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// sink brings what one session says into the tree. After the session's end it drops everything.
type sink struct {
	l *link
	v *live
}

func (s sink) Apply(c *driver.Change) {
	l := s.l
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.live != s.v || l.isRetired {
		return
	}
	now := time.Now()
	d := device.Delta{Full: c.Full, Keep: own, Gone: c.Gone, Labels: c.Labels, Streams: c.Streams}
	if c.Commands != nil || c.Full {
		l.native.session = slices.Clone(c.Commands)
		d.Commands = append([]device.Command{}, l.native.commands()...)
	}
	d.Specs = c.Specs
	if slices.ContainsFunc(c.Specs, func(s device.Spec) bool { return own(s.Path) }) {
		d.Specs = slices.DeleteFunc(slices.Clone(c.Specs), func(s device.Spec) bool { return own(s.Path) })
	}
	l.scratch = l.scratch[:0]
	for _, x := range c.Samples {
		if own(x.Path) {
			continue
		}
		if x.Received.IsZero() {
			x.Received = now
		}
		l.scratch = append(l.scratch, x)
	}
	d.Samples = l.scratch
	a := l.g.tree.Apply(l.name, &d)
	clear(l.scratch)
	l.status.changes += int64(a.Changed)
	l.status.suppressed += int64(a.Suppressed)
	l.status.decodeFailures += notUnderstood(c) + int64(a.Invalid)
	l.status.unknown += int64(a.Unknown)
	l.status.lastData = now
	l.judge(c.Samples)
	l.advance(c, s.v)
}

// advance moves the link's state by what a change says of the session; the lock is held.
func (l *link) advance(c *driver.Change, v *live) {
	waited := l.status.condition
	if c.Condition != nil {
		l.status.condition = *c.Condition
	}
	next := l.status.state
	switch {
	case l.status.condition.Code != "":
		next = waiting
	case c.Full || !v.upSince.IsZero():
		next = up
	}
	if c.Condition == nil && next == l.status.state {
		return
	}
	if next != l.status.state && v.metSince.IsZero() {
		v.metSince = time.Now()
	}
	if code := l.status.condition.Code; code != "" && (l.status.state != waiting || code != waited.Code) {
		l.log.Info("link waits", "condition", l.status.condition.Code, "why", l.status.condition.Text)
	}
	if next == up && v.upSince.IsZero() {
		v.upSince = time.Now()
		l.status.connects++
		l.log.Info("link up")
	}
	l.status.err = nil
	l.status.to(next)
	l.show()
}

// interest tells a session which points anyone wants.
type interest struct{ l *link }

// Every is the class default for all points but meters, which are wanted only while a subscription selects them.
func (i interest) Every(p device.Path) time.Duration {
	pt, known := i.l.g.tree.Point(i.l.name, p)
	if known && pt.Spec.Rate != device.Meter || i.l.g.tree.Wanted(i.l.name, p) || !known {
		return 0
	}
	return -1
}

func (i interest) Changed() <-chan struct{} { return i.l.g.tree.WantedChanged() }
