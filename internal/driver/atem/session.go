package atem

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/atem"
)

// link is one conversation with a switcher, over whatever transport. It hands the payloads that come to the session's handle,
// in order, and ends by itself when it breaks.
type link interface {
	SendPayload(payload []byte) error
	Ready() <-chan struct{} // closed when the dump has ended
	Done() <-chan struct{}  // closed when it is over and nothing of it runs
	Err() error             // why it is over; net.ErrClosed after Close
	Close() error
	// heard counts what the other side has said; ok is false when it may be silent for as long as it likes.
	heard() (n uint64, ok bool)
}

// session is one conversation with one switcher.
type session struct {
	target string
	link   link

	mu     sync.Mutex
	board  *board
	state  atem.State           // everything, byte for byte, for the native server
	came   map[atem.Code]uint64 // how often a field has come
	news   chan struct{}        // closed and replaced with each payload
	sink   driver.Sink          // nil: nobody watches
	follow []*follower

	sending sync.Mutex // one write or command at a time

	metering sync.Mutex // one change of the subscription at a time
	meters   [2]bool    // who wants levels; guarded by mu
}

// Who may want levels: those who watch points, and clients of the native server.
const (
	forPoints = iota
	forClients
)

// follower is told every payload that comes. See [session.Follow].
type follower struct{ handle func(payload []byte) }

func newSession(target string) *session {
	return &session{target: target, board: newBoard(), came: map[atem.Code]uint64{}, news: make(chan struct{})}
}

// begin waits for the end of the dump. It closes the link when it fails.
func (s *session) begin(ctx context.Context, l link, timeout time.Duration) error {
	s.link = l
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	select {
	case <-l.Ready():
		return nil
	case <-l.Done():
		return linkError(l)
	case <-limit.C:
		return errors.Join(errSlow, l.Close())
	case <-ctx.Done():
		return errors.Join(ctx.Err(), l.Close())
	}
}

// linkError is why a link that is over is over.
func linkError(l link) error {
	if err := l.Err(); err != nil {
		return err
	}
	return net.ErrClosed
}

// handle takes a payload of the switcher. It is called by the link, one payload after the other.
func (s *session) handle(payload []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for f, err := range atem.Fields(payload) {
		if err != nil {
			s.board.unread++
			break
		}
		s.state.Apply(&f)
		s.board.feed(&f)
		s.came[f.Code]++
	}
	for _, f := range s.follow {
		f.handle(payload)
	}
	if s.sink != nil && s.board.complete {
		s.board.count()
		if c := s.board.take(); c != nil {
			s.sink.Apply(c)
		}
	}
	close(s.news)
	s.news = make(chan struct{})
}

// Abilities are those of every switcher.
func (s *session) Abilities() driver.Abilities {
	return driver.Abilities{Writer: s, Commander: s}
}

// Read gives what the switcher has said last.
func (s *session) Read(ctx context.Context, paths []device.Path) ([]device.Sample, error) {
	if err := ctx.Err(); err != nil {
		return nil, wrap("read", s.target, err)
	}
	if err := s.over(); err != nil {
		return nil, wrap("read", s.target, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.board.count()
	out := make([]device.Sample, len(paths))
	for i, path := range paths {
		p := s.board.points[path]
		switch {
		case p == nil:
			out[i] = device.Sample{Path: path, Quality: device.Bad, Reason: device.ReasonUnsupported, Received: time.Now()}
		case p.sample.Received.IsZero():
			out[i] = p.sample
			out[i].Received = time.Now()
		default:
			out[i] = p.sample
		}
	}
	return out, nil
}

// over is why the link is over; nil while it works.
func (s *session) over() error {
	select {
	case <-s.link.Done():
		return linkError(s.link)
	default:
		return s.link.Err()
	}
}

// Watch gives everything, and then what changes.
func (s *session) Watch(ctx context.Context, want driver.Interest, sink driver.Sink) error {
	if err := s.over(); err != nil {
		return wrap("watch", s.target, err)
	}
	s.mu.Lock()
	s.board.count()
	sink.Apply(s.board.all())
	s.sink = sink
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.sink = nil
		s.mu.Unlock()
		s.wantMeters(forPoints, false)
	}()
	for {
		changed := want.Changed()
		s.wantMeters(forPoints, s.anyMeter(want))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.link.Done():
			return wrap("watch", s.target, linkError(s.link))
		case <-changed:
		}
	}
}

// anyMeter reports whether somebody wants a level.
func (s *session) anyMeter(want driver.Interest) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.board.seen.levels {
		if want.Every(m.left) >= 0 || want.Every(m.right) >= 0 {
			return true
		}
	}
	return false
}

// wantMeters asks the switcher for its levels as soon as anybody wants them, and for no more of them when nobody does.
func (s *session) wantMeters(who int, wanted bool) {
	s.metering.Lock()
	defer s.metering.Unlock()
	s.mu.Lock()
	was, ver := s.meters[forPoints] || s.meters[forClients], s.board.ver
	s.meters[who] = wanted
	on := s.meters[forPoints] || s.meters[forClients]
	_, classic := s.board.points["audio/master/balance"] // the Fairlight mixer has none
	_, mixer := s.board.points["audio/master/gain"]
	s.mu.Unlock()
	if was == on || !mixer {
		return
	}
	var m atem.Message = &atem.SendFairlightLevels{On: on}
	if classic {
		m = &atem.SendClassicLevels{On: on}
	}
	_ = s.link.SendPayload(m.Append(nil, ver)) // a link that is over says so by itself
}

// Close ends the session with the switcher, so that its place is free at once.
func (s *session) Close() error { return s.link.Close() }

// Follow gives begin everything that the switcher has said, and from then on hands every payload that comes to handle, until
// stop is called. Neither may wait, nor ask the session for anything but to send; payloads belong to nobody and must not be
// changed.
func (s *session) Follow(begin func(*atem.State), handle func(payload []byte)) (stop func()) {
	f := &follower{handle}
	s.mu.Lock()
	defer s.mu.Unlock()
	begin(s.state.Clone())
	s.follow = append(s.follow, f)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for i, x := range s.follow {
			if x == f {
				s.follow = append(s.follow[:i:i], s.follow[i+1:]...)
				return
			}
		}
	}
}

// awaitTime reports whether the switcher tells the time within d.
func (s *session) awaitTime(over <-chan struct{}, d time.Duration) bool {
	limit := time.NewTimer(d)
	defer limit.Stop()
	for {
		s.mu.Lock()
		n, news := s.came[atem.CodeTime], s.news
		s.mu.Unlock()
		if n > 0 {
			return true
		}
		select {
		case <-news:
		case <-over:
			return false
		case <-limit.C:
			return false
		}
	}
}

// SendRaw sends a payload of commands as it is; the switcher carries the commands of one payload out together.
func (s *session) SendRaw(payload []byte) error {
	if err := s.link.SendPayload(payload); err != nil {
		return wrap("send", s.target, err)
	}
	return nil
}

var errSlow = fmt.Errorf("it began to say what it is and has not come to the end: %w", context.DeadlineExceeded)
