package is12

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/is12"
)

var (
	errNoPoint  = errors.New("the device has no such point")
	errReadOnly = errors.New("it can only be read")
)

// Write sends all writes in one message, in order. The device answers each.
func (s *session) Write(ctx context.Context, writes []driver.Write) ([]driver.Outcome, error) {
	out := make([]driver.Outcome, len(writes))
	var commands []is12.Command
	var whose []int
	s.mu.Lock()
	for i, w := range writes {
		pt := s.board.byPath[w.Path]
		refuse := func(class driver.Class, err error) {
			out[i] = driver.Outcome{Stage: driver.Refused, Err: &driver.Error{Op: "write " + string(w.Path), Target: s.target, Class: class, Err: err}}
		}
		switch {
		case pt == nil:
			refuse(driver.Unsupported, errNoPoint)
		case pt.spec.Access&device.W == 0:
			refuse(driver.Unsupported, errReadOnly)
		case pt.spec.Kind != w.Value.Kind:
			refuse(driver.DeviceSaidNo, fmt.Errorf("a value of the kind %v for a point of the kind %v", w.Value.Kind, pt.spec.Kind))
		default:
			args, err := json.Marshal(map[string]any{"id": pt.prop, "value": plainValue(w.Value)})
			if err != nil {
				refuse(driver.DeviceSaidNo, err)
				continue
			}
			commands, whose = append(commands, is12.Command{Oid: pt.oid, MethodID: is12.MethodSet, Arguments: args}), append(whose, i)
		}
	}
	s.mu.Unlock()
	dead := s.over(ctx)
	var results []is12.Result
	err := dead
	if dead == nil {
		results, err = s.client.Do(ctx, commands...)
	}
	for k, i := range whose {
		op := "write " + string(writes[i].Path)
		switch {
		case dead != nil:
			out[i] = driver.Outcome{Stage: driver.Refused, Err: wrap(op, s.target, dead)}
		case err != nil:
			out[i] = driver.Outcome{Stage: driver.Uncertain, Err: wrap(op, s.target, err)}
		case results[k].Status.OK():
			out[i] = driver.Outcome{Stage: driver.Acked}
		default:
			out[i] = driver.Outcome{Stage: driver.Refused, Err: wrap(op, s.target, &is12.Error{Oid: commands[k].Oid, Method: is12.MethodSet, Status: results[k].Status, Message: results[k].ErrorMessage})}
		}
	}
	return out, nil
}
