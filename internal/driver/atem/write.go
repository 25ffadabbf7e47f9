package atem

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/atem"
)

// How long a write or a command waits for the fields that show that it was done. A switcher answers within two frames; what
// it does not support it drops without a word.
const (
	answerWait = 500 * time.Millisecond
	silentWait = 3 * time.Second // when the switcher says nothing at all since then
)

// Write sends all writes as one payload, which the switcher carries out in one frame, and waits until it says so.
func (s *session) Write(ctx context.Context, writes []driver.Write) ([]driver.Outcome, error) {
	s.sending.Lock()
	defer s.sending.Unlock()
	out := make([]driver.Outcome, len(writes))
	if err := s.over(); err != nil {
		for i := range out {
			out[i] = driver.Outcome{Stage: driver.Refused, Err: wrap("write", s.target, err)}
		}
		return out, nil
	}
	payload, awaited, before := s.prepare(writes, out)
	if payload == nil {
		return out, nil
	}
	end := s.perform(ctx, payload, func() bool {
		done := true
		for i, p := range awaited {
			if p == nil || out[i].Stage == driver.Acked {
				continue
			}
			if p.shows == nil && agrees(p, writes[i].Value) || p.shows != nil && s.cameOf(p.shows) > before[i] {
				out[i].Stage = driver.Acked
			} else {
				done = false
			}
		}
		return done
	})
	for i := range out {
		if out[i].Stage == 0 {
			out[i] = end
		}
	}
	return out, nil
}

// prepare makes the payload of those writes that are possible; the others are refused in out. awaited holds the points whose
// values show that the writes were done, before how many of the fields that show it have come until now.
func (s *session) prepare(writes []driver.Write, out []driver.Outcome) (payload []byte, awaited []*point, before []uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	awaited, before = make([]*point, len(writes)), make([]uint64, len(writes))
	for i, w := range writes {
		refuse := func(c driver.Class, err error) {
			out[i] = driver.Outcome{Stage: driver.Refused, Err: &driver.Error{Op: "write " + string(w.Path), Target: s.target, Class: c, Err: err}}
		}
		p := s.board.points[w.Path]
		switch {
		case p == nil:
			refuse(driver.Unsupported, errors.New("the switcher has no such point"))
			continue
		case p.write == nil:
			refuse(driver.Unsupported, errors.New("it can only be read"))
			continue
		case p.spec.Kind != w.Value.Kind:
			refuse(driver.DeviceSaidNo, fmt.Errorf("a value of the kind %v for a point of the kind %v", w.Value.Kind, p.spec.Kind))
			continue
		}
		messages, err := p.write(s.board, w.Value)
		if err != nil {
			refuse(driver.DeviceSaidNo, err)
			continue
		}
		for _, m := range messages {
			payload = m.Append(payload, s.board.ver)
		}
		awaited[i], before[i] = p, s.cameOf(p.shows)
	}
	return payload, awaited, before
}

// agrees reports whether a point holds a value, as exactly as the switcher holds such values.
func agrees(p *point, want device.Value) bool {
	got := p.sample.Value
	if got.Equal(want) {
		return true
	}
	return want.Kind == device.Float && got.Kind == device.Float && p.spec.Decimals > 0 &&
		math.Abs(want.Float()-got.Float()) <= 0.5*math.Pow10(-p.spec.Decimals)
}

// perform sends a payload and waits until done, which is called with the lock held, after each payload that comes. The outcome
// is that of what is not done in time.
func (s *session) perform(ctx context.Context, payload []byte, done func() bool) driver.Outcome {
	heard, _ := s.link.heard()
	if err := s.link.SendPayload(payload); err != nil {
		return driver.Outcome{Stage: driver.Refused, Err: wrap("send", s.target, err)}
	}
	uncertain := func(err error) driver.Outcome {
		return driver.Outcome{Stage: driver.Uncertain, Err: wrap("send", s.target, err)}
	}
	limit := time.NewTimer(answerWait)
	defer limit.Stop()
	patient := false
	for {
		s.mu.Lock()
		ok, news := done(), s.news
		s.mu.Unlock()
		if ok {
			return driver.Outcome{Stage: driver.Acked}
		}
		select {
		case <-news:
		case <-s.link.Done():
			return uncertain(linkError(s.link))
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return driver.Outcome{Stage: driver.Sent}
			}
			return uncertain(ctx.Err())
		case <-limit.C:
			n, tells := s.link.heard()
			if !tells || n != heard {
				return driver.Outcome{Stage: driver.Sent}
			}
			if patient {
				return uncertain(fmt.Errorf("the switcher says nothing since it was sent: %w", context.DeadlineExceeded))
			}
			patient = true
			limit.Reset(silentWait - answerWait)
		}
	}
}

// Do performs a command and waits for a field that shows that something was done.
func (s *session) Do(ctx context.Context, path device.Path, args []device.Value) (device.Value, driver.Outcome) {
	s.sending.Lock()
	defer s.sending.Unlock()
	refused := func(c driver.Class, err error) (device.Value, driver.Outcome) {
		return device.Value{}, driver.Outcome{Stage: driver.Refused, Err: &driver.Error{Op: "do " + string(path), Target: s.target, Class: c, Err: err}}
	}
	if err := s.over(); err != nil {
		return refused(classOf(err), err)
	}
	s.mu.Lock()
	var c *command
	for i := range s.board.commands {
		if s.board.commands[i].Path == path {
			c = &s.board.commands[i]
		}
	}
	if c == nil {
		s.mu.Unlock()
		return refused(driver.Unsupported, errors.New("the switcher has no such command"))
	}
	if len(args) != len(c.Args) {
		n := len(c.Args)
		s.mu.Unlock()
		return refused(driver.DeviceSaidNo, fmt.Errorf("%d arguments; it takes %d", len(args), n))
	}
	var payload []byte
	for _, m := range c.do(args) {
		payload = m.Append(payload, s.board.ver)
	}
	shows := c.shows
	before := s.cameOf(shows)
	s.mu.Unlock()
	return device.Value{}, s.perform(ctx, payload, func() bool { return s.cameOf(shows) > before })
}

// cameOf is how many fields of some codes have come; the lock is held.
func (s *session) cameOf(codes []atem.Code) (n uint64) {
	for _, c := range codes {
		n += s.came[c]
	}
	return n
}
