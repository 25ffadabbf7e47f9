package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"github.com/patchbay-io/patchbay/internal/audit"
	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

var _ north.Streams = (*Gateway)(nil)

// Streams lists the byte streams of a device.
func (g *Gateway) Streams(dev string) []device.Path { return g.tree.Streams(dev) }

// OpenStream attaches to a stream; see north.Streams.
func (g *Gateway) OpenStream(ctx context.Context, who driver.Who, dev string, path device.Path, opt north.StreamOptions) (north.Stream, error) {
	t, err := g.attach(ctx, who, dev, path, opt)
	if opt.Own {
		g.noteOwner(who, dev, path, err)
	}
	if err != nil {
		return nil, err
	}
	if line := t.entering(); line != (driver.Line{}) { // it is open, with somebody else's settings
		if _, err := t.Set(ctx, line); err != nil {
			return nil, errors.Join(err, t.Close())
		}
	}
	if opt.Wait && (opt.Own || opt.Hold) {
		if err := t.opened(ctx); err != nil {
			return nil, errors.Join(err, t.Close())
		}
	}
	return t, nil
}

// noteOwner says in the audit who took a port, or was refused.
func (g *Gateway) noteOwner(who driver.Who, dev string, path device.Path, err error) {
	e := audit.Entry{What: audit.Stream, User: who.User, Door: who.Door, Addr: who.Addr, Device: dev, Path: string(path), Outcome: "ok"}
	if err != nil {
		e.Outcome, e.Why = string(north.StageRefused), err.Error()
	}
	g.record(e)
}

func (g *Gateway) attach(ctx context.Context, who driver.Who, dev string, path device.Path, opt north.StreamOptions) (*tap, error) {
	l, e := g.reachable(dev, path)
	if e != nil {
		return nil, e
	}
	paths := g.tree.Streams(dev)
	_, down := l.current()
	if !slices.Contains(paths, path) && (len(paths) > 0 || down == nil) {
		e := &north.WriteError{Code: "unknown-stream", Device: dev, Path: path, Class: driver.Unsupported, Text: "the device has no such stream"}
		names := make([]string, len(paths))
		for i, p := range paths {
			names[i] = string(p)
		}
		e.DidYouMean, _ = device.Nearest(string(path), names)
		e.Hint = suggestion(e.DidYouMean, "")
		return nil, e
	}
	if opt.Own || opt.Hold {
		action := driver.Action{Device: dev, Path: path}
		if err := denied(g.may(who, action, device.HazardPlain), action); err != nil && (who.User != "" || !opt.Granted) {
			return nil, err
		}
		if cfg := l.config(); !opt.Granted {
			nd := cfg.north()
			if e := granted(&nd, device.HazardPlain, action); e != nil {
				return nil, e
			}
		}
	}
	h, err := l.hub(path)
	if err != nil {
		return nil, err
	}
	return h.attach(ctx, who, opt)
}

// hub finds or makes the hub of a path.
func (l *link) hub(path device.Path) (*hub, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isRetired || l.ended {
		return nil, &driver.Error{Op: "open " + string(path), Target: l.name, Class: driver.Closed, Err: net.ErrClosed}
	}
	h := l.hubs[path]
	if h == nil {
		h = newHub(l, path)
		l.hubs[path] = h
	}
	return h, nil
}

// attach makes a tap. Whoever wants to own the port waits a moment for an owner that may be going.
func (h *hub) attach(ctx context.Context, who driver.Who, opt north.StreamOptions) (*tap, error) {
	t := newTap(h, who, opt)
	timer := time.NewTimer(north.LeavingWait)
	defer timer.Stop()
	for {
		changed, err := h.admit(t)
		switch {
		case err == nil:
			return t, nil
		case changed == nil:
			return nil, err
		}
		select {
		case <-changed:
		case <-timer.C:
			return nil, err
		case <-ctx.Done():
			return nil, err
		}
	}
}

// admit puts the tap among the others. With an error because of the present owner it gives what is closed at the next change.
func (h *hub) admit(t *tap) (changed <-chan struct{}, err error) {
	opt := &t.opt
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, &driver.Error{Op: "open " + string(h.path), Target: h.l.name, Class: driver.Closed, Err: net.ErrClosed}
	}
	if opt.Own {
		if h.owner != nil {
			if !opt.Take && !h.owner.yields {
				return h.changed, &driver.Error{Op: "open " + string(h.path), Target: h.l.name, Class: driver.Busy,
					Err: fmt.Errorf("%s has the port", h.owner.name()), Hint: "observe it, wait, or take it over"}
			}
			h.owner.end(north.ErrStreamTaken)
			delete(h.taps, h.owner)
			h.room()
		}
		h.owner = t
	}
	h.taps[t] = true
	if opt.Own || opt.Hold {
		h.want = h.want.Over(opt.Line)
		if opt.Own {
			h.want = opt.Line.Over(h.want)
		}
	}
	h.settle()
	h.touch()
	return nil, nil
}

// entering is what a new owner changes of a port that is open already.
func (t *tap) entering() driver.Line {
	h := t.h
	h.mu.Lock()
	defer h.mu.Unlock()
	if !t.opt.Own || h.stream == nil {
		return driver.Line{}
	}
	line := t.opt.Line
	if h.raise && h.owner == t && !t.opt.Leave {
		line = line.Over(missing(h.want))
	}
	return line
}

// opened waits until the port is open or the device has said why it cannot be.
func (t *tap) opened(ctx context.Context) error {
	h := t.h
	for {
		h.mu.Lock()
		s, opening, why, changed := h.stream, h.opening, h.why, h.changed
		h.mu.Unlock()
		switch {
		case s != nil:
			return nil
		case !opening && why != nil:
			return why
		case !opening:
			if _, err := h.l.current(); err != nil {
				return err
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return &driver.Error{Op: "open " + string(h.path), Target: h.l.name, Class: driver.Timeout, Err: ctx.Err()}
		}
	}
}

// shutStreams ends all streams of the link; nobody can attach any more.
func (l *link) shutStreams() {
	l.mu.Lock()
	l.ended = true
	hubs := make([]*hub, 0, len(l.hubs))
	for _, h := range l.hubs {
		hubs = append(hubs, h)
	}
	l.mu.Unlock()
	for _, h := range hubs {
		h.shut()
	}
}

// nativeStream is a shared stream as a driver's server sees it: it owns the port while it has it.
type nativeStream struct{ north.Stream }

// openNative opens a stream of any device for the native server of this one.
func (l *link) openNative(ctx context.Context, dev string, path device.Path, line driver.Line) (driver.Stream, error) {
	who := driver.Who{Door: l.config().Driver.Info().Name}
	s, err := l.g.OpenStream(ctx, who, dev, path, north.StreamOptions{Own: true, Granted: true, Wait: true, Line: line, Leave: true})
	if err != nil {
		return nil, err
	}
	return &nativeStream{Stream: s}, nil
}

// SetDeadline bounds Read; a Write ends with the stream.
func (s *nativeStream) SetDeadline(t time.Time) error { return s.SetReadDeadline(t) }

// Event waits for the next change of the line; the end of the port is an error.
func (s *nativeStream) Event(ctx context.Context) (driver.LineEvent, error) {
	st, err := s.State(ctx)
	if err == nil && !st.Open {
		err = &driver.Error{Op: "event", Class: driver.Closed, Err: os.ErrClosed}
	}
	return st.Event, err
}
