package fcxml

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/fcxml"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcclient"
)

var (
	errUnknownPoint = errors.New("the interface has no such point")
	errReadOnly     = errors.New("it can be read only")
	errOwned        = errors.New("the monitor knob of the device has this level")
	errKind         = errors.New("the value is of another kind than the point")
	errUnplugged    = errors.New("the interface is not connected to its computer")
)

// quiet is the level below which a jump upwards hurts nobody, in decibels.
const quiet = -40

// Write sends all writes in one message and waits for the server to say that they are so.
func (s *session) Write(ctx context.Context, writes []driver.Write) ([]driver.Outcome, error) {
	out := make([]driver.Outcome, len(writes))
	var wires []fcclient.Write
	var places []int
	s.mu.Lock()
	table := s.table
	lowest := map[*point]float64{} // where the writes before have put a level
	for i, w := range writes {
		x, err := s.wireOf(w, lowest)
		if err != nil {
			out[i] = driver.Outcome{Stage: driver.Refused, Err: err}
			continue
		}
		wires, places = append(wires, x), append(places, i)
	}
	s.mu.Unlock()
	if len(wires) == 0 {
		return out, nil
	}
	var first error
	for k, r := range s.client.Set(ctx, table.schema, wires) {
		out[places[k]] = outcome(s.target, r)
		if first == nil && s.client.Err() != nil && r.Err != nil {
			first = wrap("write", s.target, r.Err)
		}
	}
	return out, first
}

// outcome is how a write ended. One that was sent and not confirmed may have been carried out.
func outcome(target string, r fcclient.Result) driver.Outcome {
	switch {
	case r.Err == nil:
		return driver.Outcome{Stage: driver.Acked}
	case r.Sent:
		return driver.Outcome{Stage: driver.Uncertain, Err: wrap("write", target, r.Err)}
	}
	return driver.Outcome{Stage: driver.Refused, Err: wrap("write", target, r.Err)}
}

// wireOf checks one write and gives what is sent. The lock is held.
func (s *session) wireOf(w driver.Write, lowest map[*point]float64) (fcclient.Write, error) {
	refuse := func(class driver.Class, err error, hint string) (fcclient.Write, error) {
		return fcclient.Write{}, &driver.Error{Op: "write", Target: s.target, Class: class, Err: fmt.Errorf("%s: %w", w.Path, err), Hint: hint}
	}
	if s.table == nil {
		return refuse(driver.DeviceSaidNo, errUnplugged, "Connect it, and try again.")
	}
	i, ok := s.table.byPath[w.Path]
	if !ok {
		return refuse(driver.Unsupported, errUnknownPoint, "")
	}
	p := &s.table.points[i]
	switch {
	case s.owned(p) || p.spec.Role == "audio.monitor.level" && p.spec.Access == device.R:
		return refuse(driver.DeviceSaidNo, errOwned, "Turn the knob, or take the output from the knob in Focusrite Control.")
	case p.spec.Access&device.W == 0:
		return refuse(driver.Unsupported, errReadOnly, "")
	}
	value, ok := s.table.format(p, w.Value)
	if !ok {
		return refuse(driver.DeviceSaidNo, errKind, "")
	}
	if err := s.step(p, w.Value, lowest); err != nil {
		return refuse(driver.DeviceSaidNo, err, "Go up in smaller steps, or set max_step of the device.")
	}
	return fcclient.Write{Item: p.item, Value: value}, nil
}

// step refuses to make monitors much louder at once.
func (s *session) step(p *point, v device.Value, lowest map[*point]float64) error {
	if s.opts.MaxStep <= 0 || !p.monitorLevel() {
		return nil
	}
	from := float64(fcxml.Silence)
	if now := s.sampleOf(p, time.Time{}); now.Quality != device.Bad {
		from = now.Value.Float()
	}
	if before, ok := lowest[p]; ok { // all of them travel in one message
		from = min(from, before)
	}
	if v.Float() > quiet && v.Float() > max(from, quiet)+s.opts.MaxStep {
		return fmt.Errorf("this would raise a monitor level from %.5g to %.5g dB, and one write may raise it by %.5g dB", from, v.Float(), s.opts.MaxStep)
	}
	lowest[p] = min(from, v.Float())
	return nil
}
