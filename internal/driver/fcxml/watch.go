package fcxml

import (
	"context"
	"errors"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcclient"
)

var errWatched = errors.New("Watch has been called already")

// meterTick is how often meters are looked at that somebody wants at a slower pace than they come.
const meterTick = 50 * time.Millisecond

// Watch tells what the server says. Values that come faster than the sink takes them are merged.
func (s *session) Watch(ctx context.Context, want driver.Interest, sink driver.Sink) error {
	s.mu.Lock()
	if s.watching {
		s.mu.Unlock()
		return &driver.Error{Op: "watch", Target: s.target, Class: driver.Internal, Err: errWatched}
	}
	s.watching = true
	s.mu.Unlock()
	if err := s.client.Err(); err != nil {
		return wrap("watch", s.target, err)
	}
	w := &watcher{s: s, want: want, sink: sink, last: map[device.Path]time.Time{}}
	w.full()
	timer := time.NewTimer(meterTick)
	defer timer.Stop()
	for {
		changed := want.Changed()
		waiting := w.changes()
		var tick <-chan time.Time
		if waiting {
			timer.Reset(meterTick)
			tick = timer.C
		}
		select {
		case <-s.wake:
		case <-changed:
			w.interest()
		case <-tick:
		case <-s.client.Done():
			return wrap("watch", s.target, s.client.Err())
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := w.plug(ctx); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return wrap("watch", s.target, err)
		}
	}
}

// watcher is one Watch.
type watcher struct {
	s    *session
	want driver.Interest
	sink driver.Sink
	last map[device.Path]time.Time // of meters: when they were told
}

// full tells everything there is.
func (w *watcher) full() {
	s := w.s
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	c := &driver.Change{Full: true, Condition: s.condition()}
	if s.table != nil {
		c.Labels = s.table.labels
		for i := range s.table.points {
			p := &s.table.points[i]
			c.Specs = append(c.Specs, s.spec(p))
			if p.spec.Rate != device.Meter || w.due(p, now) {
				c.Samples = append(c.Samples, s.sampleOf(p, now))
			}
		}
	}
	clear(s.dirty)
	s.gone, s.approval = false, false
	w.sink.Apply(c)
}

// due reports whether a meter is to be told now, and notes that it was.
func (w *watcher) due(p *point, now time.Time) bool {
	every := w.want.Every(p.spec.Path)
	if every < 0 || every > 0 && now.Sub(w.last[p.spec.Path]) < every {
		return false
	}
	if every > 0 {
		w.last[p.spec.Path] = now
	}
	return true
}

// changes tells what has changed. It reports whether meters wait that are not due yet.
func (w *watcher) changes() (waiting bool) {
	s := w.s
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &driver.Change{}
	if s.gone {
		c.Full, s.gone = true, false // nothing is named, so that everything is gone
		c.Condition = s.condition()
	}
	if s.approval {
		s.approval = false
		c.Condition = s.condition()
	}
	if s.table != nil {
		waiting = w.values(c)
	}
	if c.Full || c.Condition != nil || len(c.Samples) > 0 || len(c.Specs) > 0 {
		w.sink.Apply(c)
	}
	return waiting
}

// values adds the values that have changed. The lock is held.
func (w *watcher) values(c *driver.Change) (waiting bool) {
	s := w.s
	now := time.Now()
	for id := range s.dirty {
		p := &s.table.points[s.table.byID[id]]
		if p.spec.Rate == device.Meter && !w.due(p, now) {
			if w.want.Every(p.spec.Path) < 0 {
				delete(s.dirty, id)
			} else {
				waiting = true
			}
			continue
		}
		delete(s.dirty, id)
		c.Samples = append(c.Samples, s.sampleOf(p, now))
		if p.spec.Rate != device.Meter {
			w.followers(c, p, now)
		}
	}
	return waiting
}

// followers adds what depends on a control: the right channel of a pair, and the level that the hardware may own.
func (w *watcher) followers(c *driver.Change, p *point, now time.Time) {
	s := w.s
	for i := range s.table.points {
		q := &s.table.points[i]
		if q.item == nil || q == p {
			continue
		}
		if q.owner == p.item {
			c.Specs = append(c.Specs, s.spec(q))
		}
		if left, linked, ok := s.table.schema.Left(q.item); ok && (linked == p.item || left == p.item) {
			if _, too := s.dirty[q.item.ID]; !too && !has(c.Samples, q.spec.Path) {
				c.Samples = append(c.Samples, s.sampleOf(q, now))
			}
		}
	}
}

func has(samples []device.Sample, p device.Path) bool {
	for i := range samples {
		if samples[i].Path == p {
			return true
		}
	}
	return false
}

// interest tells the meters that somebody has begun to want.
func (w *watcher) interest() {
	s := w.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.table == nil {
		return
	}
	for i := range s.table.points {
		if p := &s.table.points[i]; p.spec.Rate == device.Meter {
			s.dirty[p.item.ID] = struct{}{}
		}
	}
}

// plug takes the interface back when it was plugged in again, or announced again.
func (w *watcher) plug(ctx context.Context) error {
	s := w.s
	s.mu.Lock()
	schema := s.replug
	s.replug = nil
	s.mu.Unlock()
	if schema == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	err := s.client.Subscribe(ctx, schema)
	if errors.Is(err, fcclient.ErrGone) {
		return nil // and away again
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.adopt(schema)
	s.mu.Unlock()
	w.full()
	return nil
}
