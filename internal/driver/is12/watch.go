package is12

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/is12"
)

// Watch gives everything, and then what changes. Objects whose changes the device does not tell are asked at intervals.
func (s *session) Watch(ctx context.Context, _ driver.Interest, sink driver.Sink) error {
	if err := s.over(ctx); err != nil {
		return s.ended(ctx, err)
	}
	s.mu.Lock()
	sink.Apply(s.board.all())
	s.sink = sink
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sink = nil
	}()
	tick := time.NewTicker(s.poll)
	defer tick.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.client.Done():
			return s.ended(ctx, s.client.Err())
		case <-s.wake:
			err = s.catchUp(ctx, sink)
		case <-tick.C:
			s.mu.Lock()
			list := s.board.untold()
			s.mu.Unlock()
			err = s.again(ctx, list, sink)
		}
		if err != nil {
			return s.ended(ctx, err)
		}
	}
}

// catchUp asks for what the device has said to be another, without saying how it is now.
func (s *session) catchUp(ctx context.Context, sink driver.Sink) error {
	s.mu.Lock()
	renew, stale := s.renew, slices.Collect(maps.Keys(s.stale))
	s.renew = false
	clear(s.stale)
	s.mu.Unlock()
	if !renew {
		return s.again(ctx, stale, sink)
	}
	if err := s.survey(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sink.Apply(s.board.all())
	return nil
}

// again asks for points and tells those that have changed.
func (s *session) again(ctx context.Context, points []*point, sink driver.Sink) error {
	var changed []*point
	before := make([]uint64, len(points))
	s.mu.Lock()
	for i, pt := range points {
		before[i] = pt.events
	}
	s.mu.Unlock()
	err := s.ask(ctx, points, func(i int, r is12.Result) {
		pt := points[i]
		if pt.events != before[i] { // an event has come since the question, and may be newer than the answer
			return
		}
		old := pt.sample
		pt.result(r, time.Now())
		if now := pt.sample; s.board.byPath[pt.spec.Path] == pt && (now.Quality != old.Quality || now.Reason != old.Reason || !now.Value.Equal(old.Value)) {
			changed = append(changed, pt)
		}
	})
	if err != nil || len(changed) == 0 {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &driver.Change{}
	for _, pt := range changed { // as they are by now: later answers took their time, and events have been told meanwhile
		c.Samples = append(c.Samples, pt.sample)
	}
	sink.Apply(c)
	return nil
}

// untold are the points of objects whose changes the device does not tell.
func (b *board) untold() (out []*point) {
	for _, pt := range b.list {
		if !b.told[pt.oid] {
			out = append(out, pt)
		}
	}
	return out
}

func (s *session) ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return wrap("watch", s.target, err)
}

// all is the full change.
func (b *board) all() *driver.Change {
	c := &driver.Change{Full: true, Commands: []device.Command{}}
	for _, pt := range b.list {
		c.Specs = append(c.Specs, pt.spec)
		if pt.spec.Kind == device.Enum {
			c.Labels = append(c.Labels, pt.labels)
		}
		if !pt.sample.Received.IsZero() {
			c.Samples = append(c.Samples, pt.sample)
		}
	}
	return c
}

// event takes what the device tells unasked. It is called by the client's reading goroutine.
func (s *session) event(n is12.Notification) {
	if n.EventID != is12.PropertyChanged {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.board == nil {
		return
	}
	pt := s.board.byProp[propKey{n.Oid, n.EventData.PropertyID}]
	members := s.board.blocks[n.Oid] && n.EventData.PropertyID == is12.PropertyMembers
	switch {
	case members:
		s.renew = true
	case pt == nil:
		return
	case n.EventData.ChangeType != is12.ValueChanged:
		s.stale[pt] = true
	}
	if members || n.EventData.ChangeType != is12.ValueChanged {
		select {
		case s.wake <- struct{}{}:
		default:
		}
		return
	}
	pt.events++
	pt.take(n.EventData.Value, time.Now())
	if s.sink != nil {
		s.sink.Apply(&driver.Change{Samples: []device.Sample{pt.sample}})
	}
}
