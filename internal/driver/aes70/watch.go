package aes70

import (
	"context"
	"maps"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/oca"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaclient"
)

// meterPoll is the period of meters that a device does not tell by itself.
const meterPoll = 100 * time.Millisecond

// Watch gives everything, and then what changes. Meters are subscribed to while somebody wants them.
func (s *session) Watch(ctx context.Context, want driver.Interest, sink driver.Sink) error {
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
	slow, quick := time.NewTicker(s.opts.Poll), time.NewTicker(meterPoll)
	defer slow.Stop()
	defer quick.Stop()
	for {
		changed := want.Changed()
		meters, err := s.meters(ctx, want)
		if err != nil {
			return s.ended(ctx, err)
		}
		quicks := quick.C
		if !meters {
			quicks = nil
		}
		for again := false; !again; {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-s.client.Done():
				return s.ended(ctx, s.client.Err())
			case <-changed:
				again = true
			case <-s.serving:
				again = true
			case <-s.dirty:
				err, again = s.renew(ctx), true
			case <-slow.C:
				err = s.poll(ctx, func(pt *point) bool { return !pt.told && pt.spec.Rate != device.Meter })
			case <-quicks:
				err = s.poll(ctx, func(pt *point) bool { return !pt.told && pt.wanted })
			}
			if err != nil {
				return s.ended(ctx, err)
			}
		}
	}
}

// ended is the error of a Watch: the context's where that is the reason.
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
		if !pt.sample.Received.IsZero() && pt.spec.Rate != device.Meter {
			c.Samples = append(c.Samples, pt.sample)
		}
	}
	return c
}

// meters subscribes to the meters that are wanted now and unsubscribes from the others. It reports whether some have to be polled.
func (s *session) meters(ctx context.Context, want driver.Interest) (poll bool, err error) {
	var on, off []*point
	s.mu.Lock()
	for _, pt := range s.board.list {
		if pt.spec.Rate != device.Meter {
			continue
		}
		now := want.Every(pt.spec.Path) >= 0 || s.served[pt.spec.Path]
		switch {
		case now && !pt.wanted:
			on = append(on, pt)
		case !now && pt.wanted:
			off = append(off, pt)
		}
		pt.wanted = now
	}
	s.mu.Unlock()
	numbers := func(list []*point) []ocp1.ONo {
		out := make([]ocp1.ONo, len(list))
		for i, pt := range list {
			out[i] = pt.object.ONo
		}
		return out
	}
	if len(off) > 0 {
		if _, err := s.client.Unsubscribe(ctx, numbers(off)...); err != nil {
			return false, err
		}
	}
	if len(on) > 0 {
		errs, err := s.client.Subscribe(ctx, numbers(on)...)
		if err != nil {
			return false, err
		}
		s.mu.Lock()
		for i, pt := range on {
			pt.told = errs[i] == nil
		}
		s.mu.Unlock()
		first := map[*point]bool{}
		for _, pt := range on {
			first[pt] = true
		}
		if err := s.poll(ctx, func(pt *point) bool { return first[pt] && pt.wanted }); err != nil {
			return false, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, pt := range s.board.list {
		poll = poll || pt.wanted && !pt.told
	}
	return poll, nil
}

// poll reads the points that which names and tells them.
func (s *session) poll(ctx context.Context, which func(*point) bool) error {
	var points []*point
	var calls []ocaclient.Call
	s.mu.Lock()
	for _, pt := range s.board.list {
		if pt.object != nil && which(pt) {
			points, calls = append(points, pt), append(calls, ocaclient.Call{Target: pt.object.ONo, Method: pt.kind.get})
		}
	}
	s.mu.Unlock()
	if len(calls) == 0 {
		return nil
	}
	if err := s.client.DoAll(ctx, calls); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &driver.Change{}
	for i, pt := range points {
		if calls[i].Err != nil {
			pt.refuse(calls[i].Err, time.Now())
		} else {
			pt.take(calls[i].Values, time.Now())
		}
		if which(pt) && s.board.byPath[pt.spec.Path] == pt {
			c.Samples = append(c.Samples, pt.sample)
		}
	}
	s.tell(c)
	return nil
}

// tell hands a change to whoever watches and to the native server; the lock is held.
func (s *session) tell(c *driver.Change) {
	if s.sink != nil {
		s.sink.Apply(c)
	}
	if s.mirror != nil {
		s.mirror.Apply(c)
	}
}

// follow gives everything to a mirror, and then every change, until stop is called.
func (s *session) follow(m *oca.Mirror) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.Apply(s.board.all())
	s.mirror = m
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.mirror = nil
		s.served = nil
	}
}

// serve says which meters the controllers of the native server want, besides those that others want.
func (s *session) serve(meters map[device.Path]bool) {
	s.mu.Lock()
	same := maps.Equal(s.served, meters)
	s.served = meters
	s.mu.Unlock()
	if same {
		return
	}
	select {
	case s.serving <- struct{}{}:
	default:
	}
}

// renew asks for the tree again after a block has said that its members have changed.
func (s *session) renew(ctx context.Context) error {
	b, err := s.survey(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.board = b
	s.mu.Unlock()
	if err := s.fill(ctx, b); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tell(b.all())
	return nil
}

var (
	propEnabled = id(2, 1)
	propLabel   = id(2, 3)
	propMembers = id(3, 2)
	propNames   = id(4, 2)
)

// event takes what the device tells unasked. It is called by the client's reading goroutine.
func (s *session) event(e ocaclient.Event) {
	if e.Source.ID != ocp1.PropertyChanged || e.Exception != 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.board.blocks[e.Source.Emitter] {
		if e.Change.Property == propMembers {
			select {
			case s.dirty <- struct{}{}:
			default:
			}
		}
		return
	}
	pt := s.board.byONo[e.Source.Emitter]
	if pt == nil {
		return
	}
	if c := pt.change(e.Change); c != nil {
		s.tell(c)
	}
}

// change takes a change of one property; nil when it says nothing that is shown.
func (pt *point) change(ch ocp1.PropertyChange) *driver.Change {
	p := ocp1.NewParams("property", ch.Value)
	switch {
	case ch.Property == pt.kind.prop && ch.Change == ocp1.CurrentChanged:
		if pt.spec.Rate == device.Meter && !pt.wanted { // it was sent before the end of the subscription arrived
			return nil
		}
		known := len(pt.labels.Items)
		v := pt.kind.read(&p)
		pt.put(v, p.End(), time.Now())
		c := &driver.Change{Samples: []device.Sample{pt.sample}}
		if len(pt.labels.Items) != known {
			c.Labels = []device.LabelSet{pt.labels}
		}
		return c
	case ch.Property == pt.kind.prop && (ch.Change == ocp1.MinChanged || ch.Change == ocp1.MaxChanged):
		v := number(pt.kind.read(&p))
		if p.End() != nil {
			return nil
		}
		if ch.Change == ocp1.MinChanged {
			pt.limits(v, pt.spec.Max)
		} else {
			pt.limits(pt.spec.Min, v)
		}
	case ch.Property == propEnabled:
		pt.setEnabled(p.Bool("Enabled"))
	case ch.Property == propLabel:
		pt.attribute("label", cut(p.String("Label"), maxName))
	case ch.Property == propNames && pt.spec.Kind == device.Enum && ch.Change == ocp1.CurrentChanged:
		names := ocp1.ListOf(&p, "Names", p.String)
		if p.End() != nil {
			return nil
		}
		first := int64(0)
		if len(pt.labels.Items) > 0 {
			first = pt.labels.Items[0].Value
		}
		pt.setNames(names, first)
		return &driver.Change{Labels: []device.LabelSet{pt.labels}}
	default:
		return nil
	}
	return &driver.Change{Specs: []device.Spec{pt.spec}}
}
