package serialport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// OpenStream takes the port.
func (s *Session) OpenStream(ctx context.Context, path device.Path, line driver.Line) (driver.Stream, error) {
	fail := func(class driver.Class, err error) (driver.Stream, error) {
		return nil, &driver.Error{Op: "open " + string(path), Target: s.cfg.Target, Class: class, Err: err}
	}
	if path != Path {
		return fail(driver.Unsupported, fmt.Errorf("the device has the port %s only", Path))
	}
	if err := s.alive(ctx); err != nil {
		return nil, err
	}
	st := &stream{s: s}
	s.mu.Lock()
	if s.stream != nil {
		s.mu.Unlock()
		return fail(driver.Busy, errors.New("the port is open already"))
	}
	s.stream = st
	raw, idle := s.raw, s.idle
	s.mu.Unlock()
	var err error
	if raw != nil {
		// What is left of the stream before goes on being thrown away until the settings are answered: else its bytes would stand in
		// front of the answer.
		var in driver.Line
		if in, err = raw.Set(ctx, line); err == nil {
			line = in
			err = raw.SetDeadline(time.Unix(1, 0))
		}
		if err == nil {
			<-idle
			err = raw.SetDeadline(time.Time{})
		}
	} else {
		raw, err = s.cfg.Open(ctx, line)
		if err == nil {
			if in, e := raw.Set(ctx, driver.Line{}); e == nil {
				line = in
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && s.closed {
		err = errors.Join(errClosed, raw.Close())
	}
	if err != nil {
		s.stream = nil
		select {
		case <-idle:
			if s.raw != nil && !s.closed {
				s.discard()
			}
		default: // it goes on
		}
		return nil, s.wrap("open "+string(path), err)
	}
	if s.raw == nil {
		s.raw = raw
		s.work.Go(func() { s.listen(raw) })
	}
	st.Stream = raw
	s.line = line
	if s.heard {
		st.events = append(st.events, driver.LineEvent{CTS: s.event.CTS, DSR: s.event.DSR, CD: s.event.CD, RI: s.event.RI})
	}
	s.touch()
	return st, nil
}

// stream is the port in somebody's hands.
type stream struct {
	driver.Stream
	s      *Session
	once   sync.Once
	mu     sync.Mutex // orders done and busy
	done   atomic.Bool
	busy   sync.WaitGroup     // Read and Write in progress
	events []driver.LineEvent // the session's lock
	first  bool
}

func (t *stream) check(op string, err error) error {
	switch {
	case err == nil || errors.Is(err, os.ErrDeadlineExceeded) && !t.done.Load():
		return err
	case t.done.Load():
		return &driver.Error{Op: op, Target: t.s.cfg.Target, Class: driver.Closed, Err: net.ErrClosed}
	}
	return t.s.wrap(op, err)
}

// begin counts a call that waits for the line; false when the stream is closed.
func (t *stream) begin() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done.Load() {
		return false
	}
	t.busy.Add(1)
	return true
}

func (t *stream) Read(p []byte) (int, error) {
	if !t.begin() {
		return 0, t.check("read", net.ErrClosed)
	}
	defer t.busy.Done()
	n, err := t.Stream.Read(p)
	t.s.in.Add(int64(n))
	return n, t.check("read", err)
}

func (t *stream) Write(p []byte) (int, error) {
	if !t.begin() {
		return 0, t.check("write", net.ErrClosed)
	}
	defer t.busy.Done()
	n, err := t.Stream.Write(p)
	t.s.out.Add(int64(n))
	return n, t.check("write", err)
}

func (t *stream) Set(ctx context.Context, l driver.Line) (driver.Line, error) {
	if t.done.Load() {
		return driver.Line{}, t.check("set", net.ErrClosed)
	}
	return t.s.set(ctx, t.Stream, l)
}

func (t *stream) Flush(ctx context.Context, in, out bool) error {
	if t.done.Load() {
		return t.check("flush", net.ErrClosed)
	}
	return t.check("flush", t.Stream.Flush(ctx, in, out))
}

func (t *stream) Drain(ctx context.Context) error {
	if t.done.Load() {
		return t.check("drain", net.ErrClosed)
	}
	return t.check("drain", t.Stream.Drain(ctx))
}

// Event waits for the next change of the line.
func (t *stream) Event(ctx context.Context) (driver.LineEvent, error) {
	for {
		t.s.mu.Lock()
		changed := t.s.changed
		var e driver.LineEvent
		ok := len(t.events) > 0 || !t.first && !t.s.heard
		if len(t.events) > 0 {
			e, t.events = t.events[0], t.events[1:]
		}
		t.first = t.first || ok
		t.s.mu.Unlock()
		switch {
		case t.done.Load():
			return e, t.check("event", net.ErrClosed)
		case t.s.ctx.Err() != nil:
			return e, t.check("event", context.Cause(t.s.ctx))
		case ok:
			return e, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return e, ctx.Err()
		}
	}
}

// Close gives the port back. A line that stays open is only let go.
func (t *stream) Close() error {
	var err error
	t.once.Do(func() {
		t.mu.Lock()
		t.done.Store(true)
		t.mu.Unlock()
		s := t.s
		if s.cfg.Line == nil {
			err = t.Stream.Close()
			s.mu.Lock()
			s.raw, s.stream, s.heard, s.line = nil, nil, false, driver.Line{}
			s.touch()
			s.mu.Unlock()
			return
		}
		if err = t.Stream.SetDeadline(time.Unix(1, 0)); err != nil { // ends calls in progress
			err = nil // the line is dead already
		}
		t.busy.Wait() // before the next one takes the deadline away again
		s.mu.Lock()
		s.stream = nil
		if !s.closed {
			s.discard()
		}
		s.touch()
		s.mu.Unlock()
	})
	return err
}
