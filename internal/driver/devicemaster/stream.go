package devicemaster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmclient"
)

// stream is an open port.
type stream struct {
	s    *session
	of   *port
	port *dmclient.Port

	mu     sync.Mutex // one change of settings at a time: each is made of those before; guards what follows
	inputs devicemaster.Inputs

	once sync.Once
}

// OpenStream takes a port. Its settings are those of the last time, or of the options, with what line names on top; RTS and
// DTR are left alone unless line names them.
func (s *session) OpenStream(ctx context.Context, path device.Path, line driver.Line) (driver.Stream, error) {
	p, rest, ok := s.portOf(path)
	if !ok || rest != "" {
		return nil, &driver.Error{Op: "open " + string(path), Target: s.target, Class: driver.Unsupported, Err: errors.New("the box has no such port"),
			Hint: fmt.Sprintf("It has ports/1 to ports/%d.", len(s.ports))}
	}
	p.mu.Lock()
	settings := p.settings
	p.mu.Unlock()
	settings.Outputs = nil
	settings, _ = merge(settings, line)
	opened, err := s.link.Open(ctx, p.number, settings)
	if err != nil {
		s.changed()
		return nil, wrap("open "+string(path), s.target, err)
	}
	st := &stream{s: s, of: p, port: opened, inputs: opened.Inputs()}
	p.mu.Lock()
	p.stream, p.lost, p.settings = st, false, settings
	p.mu.Unlock()
	s.changed()
	return st, nil
}

func (st *stream) wrap(op string, err error) error {
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) && st.port.Err() == nil && !errors.Is(err, dmclient.ErrNoAnswer) {
		return err
	}
	return wrap(op+" "+string(portPath(st.of.number)), st.s.target, err)
}

func (st *stream) Read(b []byte) (int, error) {
	n, err := st.port.Read(b)
	return n, st.wrap("read", err)
}

func (st *stream) Write(b []byte) (int, error) {
	n, err := st.port.Write(b)
	return n, st.wrap("write", err)
}

// SetDeadline bounds Read and Write. It fails only when the stream is over, which these say themselves.
func (st *stream) SetDeadline(t time.Time) error {
	return st.wrap("set deadline", st.port.SetDeadline(t))
}

func (st *stream) Unacked() int { return st.port.Unacked() }

// Close gives the port back; see dmclient.Port.Close.
func (st *stream) Close() error {
	err := st.port.Err()
	closed := st.port.Close()
	st.once.Do(func() {
		p := st.of
		p.mu.Lock()
		p.past = sum(p.past, st.port.Counts()) // also when the next opening was faster than this
		if p.stream == st {
			p.stream, p.lost = nil, errors.Is(err, dmclient.ErrLost)
			p.settings.Outputs = nil
		}
		p.mu.Unlock()
		st.s.changed()
	})
	return st.wrap("close", closed)
}

// Set sends what differs, and waits until the box has it. What a box does not have stays as it is.
func (st *stream) Set(ctx context.Context, line driver.Line) (driver.Line, error) {
	want, err := st.send(line)
	if err != nil {
		return lineOf(want), st.wrap("set", err)
	}
	st.s.changed()
	if err := st.s.link.Sync(ctx); err != nil {
		return lineOf(want), st.wrap("set", err)
	}
	return lineOf(want), st.wrap("set", st.port.Err())
}

// send changes the settings and returns those in force, with an error those from before.
func (st *stream) send(line driver.Line) (dmclient.Settings, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	now := st.port.Settings()
	want, _ := merge(now, line)
	if err := st.port.Set(news(now, want)); err != nil {
		return now, err
	}
	st.of.mu.Lock()
	st.of.settings = want
	st.of.mu.Unlock()
	return want, nil
}

func (st *stream) Flush(ctx context.Context, in, out bool) error {
	return st.wrap("flush", st.port.Flush(ctx, in, out))
}

func (st *stream) Drain(ctx context.Context) error { return st.wrap("drain", st.port.Drain(ctx)) }

// Event waits for the next change of the inputs, an error on the line, or a silence.
func (st *stream) Event(ctx context.Context) (driver.LineEvent, error) {
	e, err := st.port.Event(ctx)
	if err != nil {
		return driver.LineEvent{}, st.wrap("event", err)
	}
	st.mu.Lock()
	before := st.inputs
	st.inputs = e.Inputs
	st.mu.Unlock()
	return event(e, before), nil
}
