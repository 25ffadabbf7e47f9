package wrap

import (
	"context"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// Limit lets at most n reads, writes and commands run at once; others wait for their turn or for their context. A Watch is
// not counted.
func Limit(s driver.Session, n int) driver.Session {
	sem := make(chan struct{}, max(n, 1))
	return around(s, func(ctx context.Context) (func(), error) {
		select {
		case sem <- struct{}{}:
			return func() { <-sem }, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})
}

// Pace lets reads, writes and commands begin no closer than interval to each other; others wait for their turn or for their
// context. A Watch is not counted.
func Pace(s driver.Session, interval time.Duration) driver.Session {
	var mu sync.Mutex
	var next time.Time
	return around(s, func(ctx context.Context) (func(), error) {
		mu.Lock()
		now := time.Now()
		at := next
		if at.Before(now) {
			at = now
		}
		next = at.Add(interval)
		mu.Unlock()
		if wait := at.Sub(now); wait > 0 {
			timer := time.NewTimer(wait)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		return func() {}, ctx.Err()
	})
}

// enter waits for permission to start a call; leave is called at its end.
type enter func(context.Context) (leave func(), err error)

// around wraps every call that asks the device something.
func around(s driver.Session, e enter) driver.Session {
	a := s.Abilities()
	if a.Writer != nil {
		a.Writer = gateWriter{a.Writer, e}
	}
	if a.Commander != nil {
		a.Commander = gateCommander{a.Commander, e}
	}
	return &gated{abilities{s, a}, e}
}

type gated struct {
	abilities
	enter enter
}

func (g *gated) Read(ctx context.Context, paths []device.Path) ([]device.Sample, error) {
	leave, err := g.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	return g.Session.Read(ctx, paths)
}

type gateWriter struct {
	driver.Writer
	enter enter
}

// Write refuses every write when its turn does not come in time: nothing has been sent.
func (g gateWriter) Write(ctx context.Context, writes []driver.Write) ([]driver.Outcome, error) {
	leave, err := g.enter(ctx)
	if err != nil {
		out := make([]driver.Outcome, len(writes))
		for i := range out {
			out[i] = driver.Outcome{Stage: driver.Refused, Err: err}
		}
		return out, err
	}
	defer leave()
	return g.Writer.Write(ctx, writes)
}

type gateCommander struct {
	driver.Commander
	enter enter
}

func (g gateCommander) Do(ctx context.Context, path device.Path, args []device.Value) (device.Value, driver.Outcome) {
	leave, err := g.enter(ctx)
	if err != nil {
		return device.Value{}, driver.Outcome{Stage: driver.Refused, Err: err}
	}
	defer leave()
	return g.Commander.Do(ctx, path, args)
}
