package serialport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// Config is a device with one port.
type Config struct {
	Target  string // for errors
	Specs   []device.Spec
	Samples []device.Sample
	// Open opens the line; it is called for each stream. Nil when Line is set.
	Open func(ctx context.Context, line driver.Line) (driver.Stream, error)
	// Line is open as long as the session lives; what comes while nobody wants it is thrown away.
	Line driver.Stream
	// Ask, when set, asks the device before values are read, and returns when they are as new as its answer.
	Ask func(ctx context.Context) error
	// Gone waits until the device is no longer there, and says why; or until ctx ends.
	Gone func(ctx context.Context) error
}

// Session is a driver.Session over one port.
type Session struct {
	cfg     Config
	in, out atomic.Int64

	ctx    context.Context
	cancel context.CancelCauseFunc
	work   sync.WaitGroup

	mu      sync.Mutex
	raw     driver.Stream // the open line
	stream  *stream       // whoever has it
	line    driver.Line
	event   driver.LineEvent
	heard   bool // event is known
	errors  struct{ framing, parity, overrun, breaks int64 }
	changed chan struct{}
	closed  bool
	idle    chan struct{} // closed when nobody throws bytes away any more
}

var errClosed = fmt.Errorf("the session is closed: %w", net.ErrClosed)

// New makes a session. With Line it starts to listen to it.
func New(cfg Config) *Session {
	s := &Session{cfg: cfg, changed: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	if cfg.Line != nil {
		s.raw = cfg.Line
		if e, err := cfg.Line.Event(s.ctx); err == nil {
			s.event, s.heard = e, true
		}
		s.work.Go(func() { s.listen(cfg.Line) })
		if line, err := cfg.Line.Set(s.ctx, driver.Line{}); err == nil {
			s.line = line
		}
		s.discard()
	}
	s.work.Go(func() {
		if err := cfg.Gone(s.ctx); s.ctx.Err() == nil {
			s.cancel(err)
			s.mu.Lock()
			s.touch() // an Event that waits ends with the line
			s.mu.Unlock()
		}
	})
	return s
}

// touch wakes who waits for a change; the lock is held.
func (s *Session) touch() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// listen takes over what happens on the line.
func (s *Session) listen(raw driver.Stream) {
	for {
		e, err := raw.Event(s.ctx)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.event, s.heard = e, true
		s.errors.framing += int64(b2i(e.Framing))
		s.errors.parity += int64(b2i(e.Parity))
		s.errors.overrun += int64(b2i(e.Overrun))
		s.errors.breaks += int64(b2i(e.Break))
		if s.stream != nil {
			s.stream.events = append(s.stream.events, e)
			if n := len(s.stream.events); n > 16 {
				s.stream.events = s.stream.events[n-16:]
			}
		}
		s.touch()
		s.mu.Unlock()
	}
}

// discard throws away what comes while nobody has the port; the lock is held, or nobody else is there yet.
func (s *Session) discard() {
	raw, idle := s.raw, make(chan struct{})
	s.idle = idle
	if err := raw.SetDeadline(time.Time{}); err != nil {
		close(idle)
		return
	}
	s.work.Go(func() {
		defer close(idle)
		buf := make([]byte, 4096)
		for {
			if _, err := raw.Read(buf); err != nil {
				return
			}
		}
	})
}

// Read gives the values of points as they are known, after asking the device when that can be asked.
func (s *Session) Read(ctx context.Context, paths []device.Path) ([]device.Sample, error) {
	if err := s.alive(ctx); err != nil {
		return nil, err
	}
	if s.cfg.Ask != nil {
		if err := s.ask(ctx); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	all := s.samples(time.Now())
	s.mu.Unlock()
	by := make(map[device.Path]device.Sample, len(all))
	for _, x := range all {
		by[x.Path] = x
	}
	out := make([]device.Sample, len(paths))
	for i, p := range paths {
		x, ok := by[p]
		if !ok {
			x = device.Sample{Path: p, Quality: device.Bad, Reason: device.ReasonUnsupported}
		}
		out[i] = x
	}
	return out, nil
}

// ask brings what is known of the line up to date.
func (s *Session) ask(ctx context.Context) error {
	if err := s.cfg.Ask(ctx); err != nil {
		return s.wrap("read", err)
	}
	s.mu.Lock()
	raw := s.raw
	s.mu.Unlock()
	if raw == nil {
		return nil
	}
	_, err := s.set(ctx, raw, driver.Line{})
	return err
}

func (s *Session) alive(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.ctx.Err() != nil {
		return s.wrap("session", context.Cause(s.ctx))
	}
	return nil
}

func (s *Session) wrap(op string, err error) error { return driver.WrapNet(op, s.cfg.Target, err) }

// Watch tells everything once, and then what changes.
func (s *Session) Watch(ctx context.Context, _ driver.Interest, sink driver.Sink) error {
	if err := s.alive(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	changed := s.changed
	last := s.samples(time.Now())
	s.mu.Unlock()
	sink.Apply(&driver.Change{Full: true, Specs: specs(s.cfg.Specs), Labels: labels(), Commands: commands(), Streams: []device.Path{Path}, Samples: last})
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	known := map[device.Path]device.Sample{}
	for _, x := range last {
		known[x.Path] = x
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.ctx.Done():
			return s.wrap("watch", context.Cause(s.ctx))
		case <-changed:
		case <-tick.C:
		}
		s.mu.Lock()
		changed = s.changed
		now := s.samples(time.Now())
		s.mu.Unlock()
		var news []device.Sample
		for _, x := range now {
			if k := known[x.Path]; k.Quality != x.Quality || !k.Value.Equal(x.Value) {
				known[x.Path] = x
				news = append(news, x)
			}
		}
		if len(news) > 0 {
			sink.Apply(&driver.Change{Samples: news})
		}
	}
}

// Abilities are all three.
func (s *Session) Abilities() driver.Abilities {
	return driver.Abilities{Writer: s, Commander: s, Streamer: s}
}

// Close closes the line and waits for what was started.
func (s *Session) Close() error {
	s.cancel(errClosed)
	s.mu.Lock()
	raw := s.raw
	first := !s.closed
	s.closed = true
	s.touch()
	s.mu.Unlock()
	var err error
	if raw != nil && first {
		err = raw.Close()
	}
	s.work.Wait()
	return err
}

var errNotOpen = errors.New("the port is not open")

// current is the open line, or an error of class DeviceSaidNo.
func (s *Session) current(op string) (driver.Stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.raw == nil || s.closed {
		return nil, &driver.Error{Op: op, Target: s.cfg.Target, Class: driver.DeviceSaidNo, Err: errNotOpen,
			Hint: "its settings exist while it is open: attach to it first"}
	}
	return s.raw, nil
}

// Write sets settings and lines.
func (s *Session) Write(ctx context.Context, writes []driver.Write) ([]driver.Outcome, error) {
	out := make([]driver.Outcome, len(writes))
	for i, w := range writes {
		if err := s.alive(ctx); err != nil {
			for k := i; k < len(out); k++ {
				out[k] = driver.Outcome{Stage: driver.Refused, Err: err}
			}
			return out, err
		}
		out[i] = s.writeOne(ctx, w)
	}
	return out, nil
}

func (s *Session) writeOne(ctx context.Context, w driver.Write) driver.Outcome {
	refused := func(err error) driver.Outcome { return driver.Outcome{Stage: driver.Refused, Err: err} }
	raw, err := s.current("write")
	if err != nil {
		return refused(err)
	}
	var l driver.Line
	on := w.Value.Bool()
	switch strings.TrimPrefix(string(w.Path), string(Path)+"/") {
	case "baud":
		l.Baud = uint32(w.Value.Int())
	case "format":
		if l, err = driver.ParseLine("1 " + w.Value.Str()); err != nil {
			return refused(&driver.Error{Op: "write", Target: s.cfg.Target, Class: driver.DeviceSaidNo, Err: fmt.Errorf("%q is no format; write it like 8N1", w.Value.Str())})
		}
		l.Baud = 0
	case "flow":
		l.Flow = driver.Flow(w.Value.Int())
	case "rts":
		l.RTS = &on
	case "dtr":
		l.DTR = &on
	case "break":
		l.Break = &on
	default:
		return refused(&driver.Error{Op: "write", Target: s.cfg.Target, Class: driver.Unsupported, Err: fmt.Errorf("%s cannot be written", w.Path)})
	}
	in, err := s.set(ctx, raw, l)
	switch {
	case err != nil:
		switch driver.ClassOf(err) {
		case driver.Closed, driver.Timeout, driver.Unreachable, driver.RefusedConn:
			return driver.Outcome{Stage: driver.Uncertain, Err: err}
		}
		return refused(err)
	case !covers(in, l):
		return refused(&driver.Error{Op: "write", Target: s.cfg.Target, Class: driver.DeviceSaidNo, Err: fmt.Errorf("the port keeps %v, flow control %v", in, in.Flow)})
	}
	return driver.Outcome{Stage: driver.Acked}
}

// covers reports whether everything that l names is in force.
func covers(in, l driver.Line) bool {
	same := func(a, b *bool) bool { return b == nil || a != nil && *a == *b }
	over := l.Over(in)
	over.RTS, over.DTR, over.Break = in.RTS, in.DTR, in.Break
	return over == in && same(in.RTS, l.RTS) && same(in.DTR, l.DTR) && same(in.Break, l.Break)
}

// set changes the line and shows what is in force.
func (s *Session) set(ctx context.Context, raw driver.Stream, l driver.Line) (driver.Line, error) {
	in, err := raw.Set(ctx, l)
	if err != nil {
		return in, s.wrap("set", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line = in
	s.touch()
	return in, nil
}

// Do performs flush and break.
func (s *Session) Do(ctx context.Context, path device.Path, _ []device.Value) (device.Value, driver.Outcome) {
	raw, err := s.current("command")
	if err != nil {
		return device.Value{}, driver.Outcome{Stage: driver.Refused, Err: err}
	}
	switch path {
	case Path + "/flush":
		err = s.wrap("flush", raw.Flush(ctx, true, true))
	case Path + "/break":
		on, off := true, false
		if _, err = s.set(ctx, raw, driver.Line{Break: &on}); err == nil {
			timer := time.NewTimer(250 * time.Millisecond)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
			}
			_, err = s.set(context.WithoutCancel(ctx), raw, driver.Line{Break: &off})
		}
	default:
		err = &driver.Error{Op: "command", Target: s.cfg.Target, Class: driver.Unsupported, Err: fmt.Errorf("there is no command %s", path)}
	}
	if err != nil {
		return device.Value{}, driver.Outcome{Stage: driver.Refused, Err: err}
	}
	return device.Value{}, driver.Outcome{Stage: driver.Acked}
}
