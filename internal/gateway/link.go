package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// link is the gateway's side of one device: at most one session at a time, and what the tree shows of it.
type link struct {
	g       *Gateway
	name    string
	log     *slog.Logger
	before  *link         // the link that this one replaces; it ends first
	retired chan struct{} // closed when the device is no longer configured like this
	done    chan struct{} // closed when run has returned
	jobs    chan *job
	drops   atomic.Uint64 // jobs that found no room

	// The lock orders everything that reaches the tree from this device; the tree's own lock is inside it.
	mu        sync.Mutex
	cfg       DeviceConfig
	isRetired bool
	started   bool
	accepting bool // jobs are taken
	live      *live
	arrived   chan struct{} // closed when a session comes, and replaced when it goes
	native    native
	status    status
	scratch   []device.Sample
	watchers  map[device.Path][]*watcher
	hubs      map[device.Path]*hub
	ended     bool // streams are over
}

// live is one session while it lasts.
type live struct {
	session   driver.Session
	abilities driver.Abilities
	gone      chan struct{} // closed at the end of the session
	upSince   time.Time
	metSince  time.Time // since when it is up or waits for a person
}

const jobQueue = 64

func newLink(g *Gateway, cfg DeviceConfig, before *link) *link {
	return &link{
		g: g, name: cfg.Name, cfg: cfg, before: before, log: g.log.With("device", cfg.Name),
		retired: make(chan struct{}), done: make(chan struct{}), jobs: make(chan *job, jobQueue),
		watchers: make(map[device.Path][]*watcher), hubs: make(map[device.Path]*hub), arrived: make(chan struct{}), native: newNative(),
		status: status{state: connecting, since: time.Now()},
	}
}

func (l *link) config() DeviceConfig {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cfg
}

func (l *link) setConfig(c DeviceConfig) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cfg.ServeSection != c.ServeSection {
		close(l.native.changed)
		l.native.changed = make(chan struct{})
	}
	l.cfg = c
}

// describe brings the link's own points into the tree.
func (l *link) describe() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.g.tree.Apply(l.name, &device.Delta{Labels: linkLabels(), Specs: linkSpecs(), Samples: l.status.samples(time.Now())})
}

// retire ends the link for good. What its session still says is dropped from now on.
func (l *link) retire() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.isRetired {
		l.isRetired = true
		close(l.retired)
	}
	if !l.started {
		close(l.done)
		l.started = true
	}
}

// update changes the status and shows it.
func (l *link) update(change func(*status)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.status)
	l.show()
}

// show brings the status into the tree; the lock is held.
func (l *link) show() {
	if !l.isRetired {
		l.g.tree.Apply(l.name, &device.Delta{Samples: l.status.samples(time.Now())})
	}
}

func (l *link) publishCounters() {
	l.update(func(*status) {})
	l.publishStreams()
}

// to changes the state. The attempts of one outage are one state to a person: since stays at its beginning.
func (s *status) to(next state) {
	trying := func(st state) bool { return st == connecting || st == down }
	if !trying(s.state) || !trying(next) {
		if s.state != next {
			s.since = time.Now()
		}
	}
	s.state = next
}

// run holds the conversation with the device until ctx ends or the link is retired.
func (l *link) run(ctx context.Context) {
	l.mu.Lock()
	if l.started {
		l.mu.Unlock()
		return
	}
	l.started, l.accepting = true, true
	l.mu.Unlock()
	defer close(l.done)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { l.serveWrites(ctx) })
	wg.Go(func() {
		select {
		case <-l.retired:
			cancel()
		case <-ctx.Done():
		}
	})
	if l.before != nil {
		<-l.before.done
		l.before = nil
	}
	wg.Go(func() { l.serveNative(ctx) })
	l.supervise(ctx)
	cancel()
	l.shutStreams()
	l.update(func(s *status) { s.to(stopped); s.next = time.Time{} })
}

// supervise opens sessions one after the other.
func (l *link) supervise(ctx context.Context) {
	p := pause{bounds: l.config().BackOff}
	said := ""
	for ctx.Err() == nil {
		l.update(func(s *status) {
			s.to(connecting)
			s.attempts++
			s.next = time.Time{}
		})
		held, err := l.converse(ctx)
		if ctx.Err() != nil {
			return
		}
		err = l.g.scrubbed(err)
		renewed := errors.Is(err, driver.ErrRenew)
		if renewed {
			p.renew()
		}
		delay, again := p.next(driver.ClassOf(err), held)
		level := slog.LevelDebug
		switch text := err.Error(); {
		case renewed:
			level, said = slog.LevelInfo, text
		case text != said || held > 0:
			level, said = slog.LevelWarn, text
		}
		line := []any{"error", err, "class", driver.ClassOf(err).String(), "again", again, "pause", delay.Round(time.Millisecond)}
		if held > 0 {
			// Another outage, even with the same words: whoever reads "link up" twice has to see what was in between.
			line = append(line, "up_since", time.Now().Add(-held).Round(time.Millisecond))
		}
		l.log.Log(ctx, level, "link down", line...)
		l.update(func(s *status) {
			s.err, s.condition = err, driver.Condition{}
			if driver.ClassOf(err) == driver.NotThisProtocol {
				s.decodeFailures++
			}
			s.to(down)
			if again {
				s.next = time.Now().Add(delay)
			} else {
				s.to(stopped)
			}
		})
		if !again {
			<-ctx.Done()
			return
		}
		timer := time.NewTimer(delay)
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
	}
}

// converse opens one session and watches it to its end. It returns how long the link was up, or waited for a person, and why it
// ended.
func (l *link) converse(ctx context.Context) (held time.Duration, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	session, err := l.open(ctx)
	if err != nil {
		return 0, err
	}
	v := &live{session: session, gone: make(chan struct{})}
	err = l.guard("watch", func() error {
		v.abilities = session.Abilities()
		l.mu.Lock()
		l.live = v
		close(l.arrived)
		l.mu.Unlock()
		return session.Watch(ctx, interest{l}, sink{l, v})
	})
	l.detach(v)
	if closeErr := l.guard("close", session.Close); closeErr != nil {
		l.log.Debug("closing the session", "error", closeErr)
	}
	if err == nil {
		err = &driver.Error{Op: "watch", Target: l.config().Display, Class: driver.Closed, Err: errWatchEnded}
	}
	if v.metSince.IsZero() {
		return 0, err
	}
	return time.Since(v.metSince), err
}

var errWatchEnded = errors.New("the session ended")

// detach takes the session away and turns the device's points bad, at once and in this order, so that nothing the dead
// session says comes after.
func (l *link) detach(v *live) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.live == v {
		l.live = nil
		l.arrived = make(chan struct{})
	}
	close(v.gone)
	if !l.isRetired {
		l.g.tree.MarkBad(l.name, device.ReasonLinkDown)
	}
}

func (l *link) open(ctx context.Context) (session driver.Session, err error) {
	cfg := l.config()
	var env driver.Env
	if l.g.opt.Env != nil {
		env = l.g.opt.Env(cfg)
	}
	if env.Log == nil {
		env.Log = l.log
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.openTimeout())
	defer cancel()
	err = l.guard("open", func() error {
		session, err = cfg.Driver.Open(ctx, env, cfg.Target)
		return err
	})
	if err == nil && session == nil {
		err = &driver.Error{Op: "open", Target: cfg.Display, Class: driver.Internal, Err: errNoSession}
	}
	return session, err
}

var errNoSession = errors.New("the driver returned neither a session nor an error")

// guard turns a panic of the driver into an error of this device alone.
func (l *link) guard(op string, call func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			l.log.Error("the driver panicked", "op", op, "panic", p, "stack", string(debug.Stack()))
			err = &driver.Error{Op: op, Target: l.name, Class: driver.Internal, Err: fmt.Errorf("the driver panicked: %v", p),
				Hint: "this is a fault in patchbay; the log has the place"}
		}
	}()
	return call()
}

// current is the live session, else nil and why. One that waits for something can be used: the driver says what does not go.
func (l *link) current() (*live, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.live != nil && (l.status.state == up || l.status.state == waiting) {
		return l.live, nil
	}
	if l.status.err != nil {
		return nil, l.status.err
	}
	return nil, &driver.Error{Op: "write", Target: l.name, Class: driver.Unreachable, Err: errNotUp}
}

// condition is what the session waits for; the code is empty when it waits for nothing.
func (l *link) condition() driver.Condition {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status.condition
}

var errNotUp = errors.New("the link is not up yet")
