package fcxml

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/fcxml"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcclient"
)

// session is one conversation with one server about one interface.
type session struct {
	client *fcclient.Client
	target string
	opts   *Options
	warn   func(text string, args ...any) // nil: nobody reads the log
	wake   chan struct{}                  // of size 1: Watch has something to do

	mu        sync.Mutex
	table     *table              // nil while the interface is unplugged
	serial    string              // of the interface, which comes back with another number
	dirty     map[uint32]struct{} // controls of the table whose change has not been told, so never more than it has
	replug    *fcxml.Schema       // it has come back, or was announced again
	gone      bool                // it was unplugged since the last change
	garbled   bool                // a message could not be read, and the log says so
	approval  bool                // the approval has changed since the last change
	watching  bool
	listeners map[int]func(fcclient.Event)
	lastOne   int
}

// Abilities: whoever is not approved may try, and is told.
func (s *session) Abilities() driver.Abilities { return driver.Abilities{Writer: s} }

// Close ends the connection. There is no goodbye in this protocol.
func (s *session) Close() error { return s.client.Close() }

// adopt makes the points of a device. The lock is held.
func (s *session) adopt(schema *fcxml.Schema) {
	s.table, s.serial = newTable(schema), schema.Serial
	for i := range s.table.points {
		if p := &s.table.points[i]; s.opts.MaxStep > 0 && p.monitorLevel() {
			p.spec.Attributes["max-step"] = strconv.FormatFloat(s.opts.MaxStep, 'g', -1, 64)
		}
	}
	clear(s.dirty)
}

// hear takes note of what the server has said. It is called by the client's reader.
func (s *session) hear(e fcclient.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.listeners {
		f(e)
	}
	switch {
	case e.Unreadable != nil:
		if s.warn != nil && !s.garbled { // of a program that counts wrongly every name of somebody is one
			s.warn("a message of Focusrite Control cannot be read, and what it says is not known until it is said again", "error", e.Unreadable)
		}
		s.garbled = true
		return
	case e.Approval != 0:
		s.approval = true
	case e.Arrived != nil:
		// A server may tell again of an interface that is there; the client begins with it anew, and so do we.
		if s.serial != "" && e.Arrived.Serial == s.serial {
			s.replug = e.Arrived
		}
	case e.Removed != "":
		if s.table != nil && s.table.schema.ID == e.Removed {
			s.table, s.gone = nil, true
		}
		if s.replug != nil && s.replug.ID == e.Removed {
			s.replug = nil
		}
	case s.table == nil || e.Device != s.table.schema.ID:
		return
	default:
		for _, it := range e.Values {
			if _, ok := s.table.byID[it.ID]; ok {
				s.dirty[it.ID] = struct{}{}
			}
		}
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// listen calls f for everything that the server says, until stop. f must not block and must not call the session.
func (s *session) listen(f func(fcclient.Event)) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listeners == nil {
		s.listeners = map[int]func(fcclient.Event){}
	}
	s.lastOne++
	n := s.lastOne
	s.listeners[n] = f
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.listeners, n)
	}
}

// syncWithin bounds how long a Read waits for what the server has still to say. A server that does not echo keep-alives costs
// this much and no more.
const syncWithin = time.Second

// Read gives what the server has said. It first waits until everything that was said before has arrived.
func (s *session) Read(ctx context.Context, paths []device.Path) ([]device.Sample, error) {
	limited, cancel := context.WithTimeout(ctx, syncWithin)
	err := s.client.Sync(limited)
	cancel()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case s.client.Err() != nil:
		return nil, wrap("read", s.target, s.client.Err())
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		return nil, wrap("read", s.target, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	out := make([]device.Sample, len(paths))
	for i, p := range paths {
		out[i] = s.sample(p, now)
	}
	return out, nil
}

// sample is what a point is worth. The lock is held.
func (s *session) sample(path device.Path, now time.Time) device.Sample {
	out := device.Sample{Path: path, Received: now, Quality: device.Bad, Reason: device.ReasonUnsupported}
	if s.table == nil {
		out.Reason = device.ReasonNotReported
		return out
	}
	i, ok := s.table.byPath[path]
	if !ok {
		return out
	}
	return s.sampleOf(&s.table.points[i], now)
}

func (s *session) sampleOf(p *point, now time.Time) device.Sample {
	out := device.Sample{Path: p.spec.Path, Received: now}
	if p.item == nil {
		out.Value = p.fixed
		return out
	}
	raw, state := s.client.Value(s.table.schema, p.item)
	v, ok := s.table.value(p, raw)
	switch {
	case state == fcclient.Unknown:
		out.Quality, out.Reason = device.Bad, device.ReasonNotReported
	case !ok:
		out.Quality, out.Reason = device.Bad, device.ReasonInvalid
	case state == fcclient.Assumed && !s.opts.TrustDefaults:
		out.Value, out.Quality, out.Reason = v, device.Uncertain, device.ReasonAssumedDefault
	default:
		out.Value = v
	}
	return out
}

// knob is why a level cannot be written.
const knob = "the monitor knob of the device has it; turn the knob, or take the output from the knob (its hardware-control)"

// spec is the description of a point as it is now: the hardware may own a level. The lock is held.
func (s *session) spec(p *point) device.Spec {
	sp := p.spec
	if s.owned(p) {
		sp.Access, sp.Confirm = device.R, device.ByNothing
		sp.Attributes = maps.Clone(sp.Attributes)
		sp.Attributes[device.AttrReadOnly] = knob
	}
	return sp
}

// owned reports whether the hardware sets a level, so that the server drops what programs want.
func (s *session) owned(p *point) bool {
	if p.owner == nil {
		return false
	}
	v, _ := s.client.Value(s.table.schema, p.owner)
	return v == "true"
}

// condition is what the session waits for; an empty code when it waits for nothing. The lock is held.
func (s *session) condition() *driver.Condition {
	switch {
	case s.table == nil:
		return &driver.Condition{Code: "device-unplugged", Text: "the interface is not connected to its computer; it is shown again when it is"}
	case s.client.Approval() != fcclient.ApprovalGiven:
		return &driver.Condition{Code: "waiting-for-approval", Text: fmt.Sprintf(
			"values are shown; to change anything, open Focusrite Control on the computer of the interface, Settings, Remote Devices, and press Approve beside %q", s.opts.Hostname)}
	}
	return &driver.Condition{}
}
