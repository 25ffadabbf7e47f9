package devicemaster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmclient"
)

var errNotOpen = errors.New("the port is not open, so nobody holds its lines")

// Write sets settings and lines. The protocol has no answer to either: a write counts as acknowledged when the box has
// answered a ping that was sent behind it. Settings of a port that is not open are kept and sent with its next opening;
// the lines of such a port cannot be set.
func (s *session) Write(ctx context.Context, writes []driver.Write) ([]driver.Outcome, error) {
	out := make([]driver.Outcome, len(writes))
	refuse := func(i int, class driver.Class, err error, hint string) {
		out[i] = driver.Outcome{Stage: driver.Refused, Err: &driver.Error{Op: "write", Target: s.target, Class: class, Err: err, Hint: hint}}
	}
	if err := s.link.Err(); err != nil {
		err = wrap("write", s.target, err)
		for i := range out {
			out[i] = driver.Outcome{Stage: driver.Refused, Err: fmt.Errorf("not sent: %w", err)}
		}
		return out, err
	}
	type kept struct {
		p    *port
		line driver.Line
	}
	var later []kept // to be kept when the box has shown that it lives
	sent := make([]bool, len(writes))
	taken := make([]bool, len(writes))
	for i, w := range writes {
		p, rest, ok := s.portOf(w.Path)
		line, output, known := lineFor(rest, w.Value)
		if !ok || !known {
			refuse(i, driver.Unsupported, fmt.Errorf("%s cannot be written", w.Path), "")
			continue
		}
		p.mu.Lock()
		st, now := p.stream, p.settings
		p.mu.Unlock()
		if st != nil {
			now = st.port.Settings()
		}
		_, whole := merge(now, line)
		switch {
		case line == (driver.Line{}) || !whole:
			refuse(i, driver.DeviceSaidNo, fmt.Errorf("%s: a DeviceMaster has no %v", w.Path, w.Value),
				"Formats are 7 or 8 data bits, parity N, E or O, and 1 or 2 stop bits, as 8N1.")
		case st == nil && output:
			refuse(i, driver.DeviceSaidNo, errNotOpen, "Open the port first, for instance with patchbay term.")
		case st == nil:
			later, taken[i] = append(later, kept{p, line}), true
		default:
			if _, err := st.send(line); err != nil {
				out[i] = driver.Outcome{Stage: driver.Refused, Err: wrap("write", s.target, err)}
				continue
			}
			sent[i], taken[i] = true, true
		}
	}
	if !slices.Contains(taken, true) { // the box, which may be silent, has nothing to say about these
		return out, nil
	}
	err := wrap("write", s.target, s.link.Sync(ctx))
	for i := range out {
		switch {
		case !taken[i]:
		case err == nil:
			out[i].Stage = driver.Acked
		case sent[i]:
			out[i] = driver.Outcome{Stage: driver.Uncertain, Err: err}
		default:
			out[i] = driver.Outcome{Stage: driver.Refused, Err: err}
		}
	}
	if err == nil {
		for _, k := range later {
			k.p.mu.Lock()
			k.p.settings, _ = merge(k.p.settings, k.line)
			k.p.mu.Unlock()
		}
	}
	s.changed()
	if s.link.Err() == nil {
		err = nil // a context that ended is the write's affair
	}
	return out, err
}

// lineFor is what writing v to a point of a port changes. output says that it is a line; an empty Line, that the value makes
// no sense.
func lineFor(name string, v device.Value) (l driver.Line, output, ok bool) {
	on := v.Bool()
	switch name {
	case "baud":
		if n := v.Int(); n > 0 && n <= 1<<32-1 {
			l.Baud = uint32(n)
		}
	case "format":
		if f, err := driver.ParseLine("9600 " + v.Str()); err == nil {
			f.Baud = 0
			l = f
		}
	case "flow":
		if f := driver.Flow(v.Int()); f >= driver.FlowNone && f <= driver.FlowRtsCts {
			l.Flow = f
		}
	case "mode":
		if n := v.Int(); n >= 0 && n < int64(len(modes)) {
			l.Mode = modes[n].String()
		}
	case "rts":
		return driver.Line{RTS: &on}, true, true
	case "dtr":
		return driver.Line{DTR: &on}, true, true
	case "break":
		return driver.Line{Break: &on}, true, true
	default:
		return l, false, false
	}
	return l, false, true
}

// breakTime is how long the command break holds the line.
const breakTime = 250 * time.Millisecond

// Do performs flush, break and release.
func (s *session) Do(ctx context.Context, path device.Path, _ []device.Value) (device.Value, driver.Outcome) {
	p, word, ok := s.portOf(path)
	refuse := func(class driver.Class, err error, hint string) (device.Value, driver.Outcome) {
		return device.Value{}, driver.Outcome{Stage: driver.Refused, Err: &driver.Error{Op: string(path), Target: s.target, Class: class, Err: err, Hint: hint}}
	}
	if !ok || word != "flush" && word != "break" && word != "release" {
		return refuse(driver.Unsupported, errors.New("there is no such command"), "")
	}
	if word == "release" {
		return device.Value{}, s.ended(path, s.link.Release(ctx, p.number))
	}
	p.mu.Lock()
	st := p.stream
	p.mu.Unlock()
	if st == nil {
		return refuse(driver.DeviceSaidNo, errNotOpen, "Open the port first, for instance with patchbay term.")
	}
	if word == "flush" {
		return device.Value{}, s.ended(path, st.port.Flush(ctx, true, true))
	}
	return device.Value{}, s.ended(path, s.holdBreak(ctx, st))
}

func (s *session) holdBreak(ctx context.Context, st *stream) error {
	on, off := true, false
	if _, err := st.Set(ctx, driver.Line{Break: &on}); err != nil {
		return err
	}
	t := time.NewTimer(breakTime)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	_, err := st.Set(context.WithoutCancel(ctx), driver.Line{Break: &off})
	return err
}

// ended is the outcome of a command that was sent.
func (s *session) ended(path device.Path, err error) driver.Outcome {
	switch {
	case err == nil:
		return driver.Outcome{Stage: driver.Acked}
	case errors.Is(err, dmclient.ErrNoPort), errors.Is(err, dmclient.ErrLost):
		return driver.Outcome{Stage: driver.Refused, Err: wrap(string(path), s.target, err)}
	}
	return driver.Outcome{Stage: driver.Uncertain, Err: wrap(string(path), s.target, err)}
}
