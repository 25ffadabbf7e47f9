package driver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
)

// Poll is the body of Watch for a request-reply protocol. See [Poller], whose fields its arguments are.
func Poll(ctx context.Context, specs []device.Spec, period func(device.Rate) time.Duration,
	read func(context.Context, []device.Path) ([]device.Sample, error), want Interest, sink Sink) error {
	return (&Poller{Specs: specs, Period: period, Read: read, Want: want, Sink: sink}).Run(ctx)
}

// Poller reads points again and again, each at its own pace, and what is due together in one call. It starts no goroutine.
//
// It sends one Full change with Specs and the samples of a first read of everything, then a change for each read. To put
// labels, commands or streams into the Full change, wrap the sink with [AmendFull].
//
// The pace of a point is the Interest's answer when that is above 0, else the period of its rate class. Every period has
// its ticks at whole multiples since the start, so that points whose periods divide one another are due together. Static
// points are read once. Meter points are read only while the interest's answer is not below 0, and at once when that
// begins. Points that cannot be read (access W alone) are never read. Nothing piles up behind a slow read: the ticks that
// it covers are left out and counted.
type Poller struct {
	Specs  []device.Spec
	Period func(device.Rate) time.Duration // 0 or less: read once, at the start
	// Read returns a sample for each path, or fewer when some have nothing to say. It must return soon after its context
	// ends and not keep the slice. An error ends the polling.
	Read func(context.Context, []device.Path) ([]device.Sample, error)
	Want Interest
	Sink Sink

	reads, points, missed atomic.Uint64
}

// PollStats counts what a [Poller] has done.
type PollStats struct {
	Reads  uint64 // calls of Read
	Points uint64 // points that they asked for
	Missed uint64 // ticks of a period that a slow read covered
}

// Stats may be called at any time.
func (p *Poller) Stats() PollStats {
	return PollStats{p.reads.Load(), p.points.Load(), p.missed.Load()}
}

// minPeriod keeps an absurd wish from becoming a busy loop.
const minPeriod = time.Millisecond

// Run polls until ctx ends, and returns context.Cause(ctx), or until Read fails, and returns its error. A session that can
// end between reads gives Run a context that it cancels with the reason.
func (p *Poller) Run(ctx context.Context) error {
	s := &schedule{periods: make([]time.Duration, len(p.Specs)), ticks: map[time.Duration]int64{}}
	changed := p.Want.Changed()
	s.rebuild(p)
	var due []int
	for i := range p.Specs {
		if p.Specs[i].Access != device.W && (p.Specs[i].Rate != device.Meter || s.periods[i] > 0) {
			due = append(due, i)
		}
	}
	s.start = time.Now()
	s.running = append(s.running, s.order...)
	samples, err := p.read(ctx, due)
	if err != nil {
		return err
	}
	p.Sink.Apply(&Change{Full: true, Specs: p.Specs, Samples: samples})
	s.settle(p)

	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if at, ok := s.next(); ok {
			timer.Reset(time.Until(at))
		} else {
			timer.Stop()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-changed:
			changed = p.Want.Changed()
			due = s.rebuild(p)
		case <-timer.C:
			due = s.due(time.Now())
		}
		if len(due) == 0 {
			continue
		}
		if samples, err = p.read(ctx, due); err != nil {
			return err
		}
		if len(samples) > 0 {
			p.Sink.Apply(&Change{Samples: samples})
		}
		s.settle(p)
	}
}

func (p *Poller) read(ctx context.Context, due []int) ([]device.Sample, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if len(due) == 0 {
		return nil, nil
	}
	paths := make([]device.Path, len(due))
	for k, i := range due {
		paths[k] = p.Specs[i].Path
	}
	p.reads.Add(1)
	p.points.Add(uint64(len(paths)))
	samples, err := p.Read(ctx, paths)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err == nil && len(samples) > len(paths):
		return nil, &Error{Op: "poll", Class: Internal, Err: fmt.Errorf("%w: %d for %d points", errTooManySamples, len(samples), len(paths))}
	}
	return samples, err
}

var errTooManySamples = errors.New("the driver returned more samples than it was asked for")

func (p *Poller) periodOf(spec *device.Spec) time.Duration {
	if spec.Rate == device.Static || spec.Access == device.W {
		return 0
	}
	every := p.Want.Every(spec.Path)
	if every <= 0 {
		if every < 0 && spec.Rate == device.Meter {
			return 0
		}
		if every = p.Period(spec.Rate); every <= 0 {
			return 0
		}
	}
	return max(every, minPeriod)
}

// schedule knows which points are due when. Points of one period form a group; a group's tick k is at start + k*period.
type schedule struct {
	start   time.Time
	periods []time.Duration         // of each spec; 0: not polled
	ticks   map[time.Duration]int64 // the next tick of each period in use
	order   []time.Duration         // the keys of ticks, ascending
	running []time.Duration         // the periods that are being read
	scratch []int
}

// rebuild asks for all periods anew and returns the meters that were off until now.
func (s *schedule) rebuild(p *Poller) (fresh []int) {
	used := make(map[time.Duration]bool, len(s.ticks))
	for i := range p.Specs {
		was := s.periods[i]
		s.periods[i] = p.periodOf(&p.Specs[i])
		if s.periods[i] > 0 {
			used[s.periods[i]] = true
			if was == 0 {
				fresh = append(fresh, i)
			}
		}
	}
	for d := range s.ticks {
		if !used[d] {
			delete(s.ticks, d)
		}
	}
	s.order = s.order[:0]
	for d := range used {
		if _, ok := s.ticks[d]; !ok {
			s.ticks[d] = s.tickAfter(d, time.Now())
		}
		s.order = append(s.order, d)
	}
	slices.Sort(s.order)
	s.running = s.running[:0]
	return fresh
}

func (s *schedule) tickAfter(d time.Duration, now time.Time) int64 {
	if s.start.IsZero() {
		return 0 // the first read is tick 0 of every group
	}
	return int64(now.Sub(s.start)/d) + 1
}

func (s *schedule) at(d time.Duration) time.Time { return s.start.Add(time.Duration(s.ticks[d]) * d) }

func (s *schedule) next() (at time.Time, ok bool) {
	for _, d := range s.order {
		if t := s.at(d); !ok || t.Before(at) {
			at, ok = t, true
		}
	}
	return at, ok
}

// due returns the points of every group whose tick has come, in the order of the specs.
func (s *schedule) due(now time.Time) []int {
	s.running = s.running[:0]
	for _, d := range s.order {
		if !s.at(d).After(now) {
			s.running = append(s.running, d)
		}
	}
	s.scratch = s.scratch[:0]
	for i, d := range s.periods {
		if d > 0 && slices.Contains(s.running, d) {
			s.scratch = append(s.scratch, i)
		}
	}
	return s.scratch
}

// settle moves the groups on after a read. A group that was read goes to its next tick to come; one whose tick passed
// meanwhile is due now, once. The ticks in between are left out and counted.
func (s *schedule) settle(p *Poller) {
	now := time.Now()
	for _, d := range s.order {
		next, from := s.tickAfter(d, now), s.ticks[d]+1
		if !slices.Contains(s.running, d) {
			next, from = next-1, from-1
		}
		if next >= from {
			p.missed.Add(uint64(next - from))
			s.ticks[d] = next
		}
	}
	s.running = s.running[:0]
}

// AmendFull is a Sink that lets amend add to each Full change before sink gets it.
func AmendFull(sink Sink, amend func(*Change)) Sink { return amender{sink, amend} }

type amender struct {
	sink  Sink
	amend func(*Change)
}

func (a amender) Apply(c *Change) {
	if c.Full {
		a.amend(c)
	}
	a.sink.Apply(c)
}
