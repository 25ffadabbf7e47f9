package aes70

import (
	"context"
	"errors"
	"fmt"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaclient"
)

// Write sends all writes together, in order. The device answers each.
func (s *session) Write(ctx context.Context, writes []driver.Write) ([]driver.Outcome, error) {
	out := make([]driver.Outcome, len(writes))
	var calls []ocaclient.Call
	var whose []int
	s.mu.Lock()
	raised := map[*point]float64{} // by the writes before
	for i, w := range writes {
		pt := s.board.byPath[w.Path]
		if err := s.check(pt, w.Value, raised); err != nil {
			out[i] = driver.Outcome{Stage: driver.Refused, Err: s.refusal(w.Path, err)}
			continue
		}
		calls = append(calls, ocaclient.Call{Target: pt.object.ONo, Method: pt.kind.set, Count: 1, Params: pt.kind.put(nil, w.Value)})
		whose = append(whose, i)
	}
	s.mu.Unlock()
	err := s.client.DoAll(ctx, calls)
	for k, i := range whose {
		out[i] = s.outcome(writes[i].Path, &calls[k], err)
	}
	return out, nil
}

// outcome is how one write ended. err is about the session.
func (s *session) outcome(path device.Path, call *ocaclient.Call, err error) driver.Outcome {
	no := (*ocp1.Error)(nil)
	switch {
	case call.Err == nil:
		return driver.Outcome{Stage: driver.Acked}
	case errors.As(call.Err, &no):
		return driver.Outcome{Stage: driver.Refused, Err: s.refusal(path, call.Err)}
	case !call.Sent():
		return driver.Outcome{Stage: driver.Refused, Err: s.refusal(path, errors.Join(call.Err, err))}
	}
	return driver.Outcome{Stage: driver.Uncertain, Err: s.refusal(path, call.Err)}
}

func (s *session) refusal(path device.Path, err error) error {
	return wrap("write "+string(path), s.target, err)
}

// Reasons why a write is not sent.
var (
	errNoPoint  = errors.New("the device has no such point")
	errReadOnly = errors.New("it can only be read")
	errNotInUse = errors.New("the device says that it is not available now")
)

// check says why a value is not sent; nil: it is. The lock is held.
func (s *session) check(pt *point, v device.Value, raised map[*point]float64) error {
	refuse := func(class driver.Class, err error, hint string) error {
		path := ""
		if pt != nil {
			path = string(pt.spec.Path)
		}
		return &driver.Error{Op: "write " + path, Target: s.target, Class: class, Err: err, Hint: hint}
	}
	switch {
	case pt == nil:
		return refuse(driver.Unsupported, errNoPoint, "")
	case pt.object == nil || !pt.kind.writable():
		return refuse(driver.Unsupported, errReadOnly, "")
	case !pt.enabled:
		return refuse(driver.DeviceSaidNo, errNotInUse, "")
	case v.Kind != pt.spec.Kind:
		return refuse(driver.DeviceSaidNo, fmt.Errorf("a value of the kind %v for a point of the kind %v", v.Kind, pt.spec.Kind), "")
	case pt.spec.Role == "audio.monitor.level" && s.opts.MaxStep > 0:
		from, ok := raised[pt]
		if !ok {
			from = pt.sample.Value.Float()
			if pt.sample.Quality == device.Bad {
				from = pt.spec.Min
			}
		}
		if v.Float()-from > s.opts.MaxStep {
			return refuse(driver.DeviceSaidNo, fmt.Errorf("a step from %g up to %g dB is larger than max_step, %g dB", from, v.Float(), s.opts.MaxStep),
				"raise the monitor level in smaller steps, or change the option max_step of the device")
		}
		raised[pt] = v.Float()
	}
	return nil
}
