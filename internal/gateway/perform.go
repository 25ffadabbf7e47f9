package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// sending is one item on its way.
type sending struct {
	item  int // in the entry
	spec  *device.Spec
	value device.Value
	watch *watcher // nil unless the device will notify
}

// perform sends a job and follows it to its end, which is at its deadline at the latest. It calls sent once, when the
// next job may go out.
func (l *link) perform(ctx context.Context, j *job, sent func()) {
	ctx, cancel := context.WithDeadline(ctx, j.deadline)
	defer cancel()
	if j.command != nil && j.command.by != nil { // it is not for the device, whose link may be down
		l.command(ctx, j.command.by, j)
		sent()
		return
	}
	v, err := l.current()
	if err != nil {
		l.g.end(j, failed(north.StageFailed, fmt.Errorf("the link went down before it was sent: %w", err)))
		sent()
		return
	}
	if j.command != nil {
		l.command(ctx, v.abilities.Commander, j)
		sent()
		return
	}
	present, err := l.present(ctx, v, j)
	list := l.prepare(j, present, err)
	defer l.unwatch(list)
	l.send(ctx, v, j, &list)
	sent()
	l.confirm(ctx, v, j, list)
}

// present reads the points of j whose new value depends on the present one and which the device does not notify. What the tree holds of
// them is as old as the last look, and may be older than the write before this one.
func (l *link) present(ctx context.Context, v *live, j *job) (map[device.Path]device.Sample, error) {
	var list []sending
	for k := range j.items {
		it := &j.items[k]
		if it.Op == north.OpSet && it.IfValue == nil {
			continue
		}
		pt, ok := l.g.tree.Point(l.name, it.Path)
		if ok && pt.Spec.Confirm == device.ByReadBack && !slices.ContainsFunc(list, func(s sending) bool { return s.spec.Path == it.Path }) {
			list = append(list, sending{spec: pt.Spec})
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	samples, err := l.look(ctx, v, "read", list)
	out := make(map[device.Path]device.Sample, len(list))
	for k, s := range list {
		out[s.spec.Path] = device.Sample{}
		if err == nil {
			out[s.spec.Path] = samples[k]
		}
	}
	return out, err
}

// prepare computes the values against what the points hold now, which earlier writes may have changed since acceptance. present holds
// what was read for it, and unread is why that failed.
func (l *link) prepare(j *job, present map[device.Path]device.Sample, unread error) []sending {
	var list []sending
	assumed := make(map[device.Path]device.Value)
	for k := range j.items {
		it := &j.items[k]
		i := j.index[k]
		pt, ok := l.g.tree.Point(l.name, it.Path)
		if !ok {
			l.g.book.step(j.entry, i, north.Step{Stage: north.StageFailed, Class: driver.Unsupported, Text: "the point is gone"}, nil)
			continue
		}
		if a, ok := assumed[it.Path]; ok {
			pt.Sample.Value, pt.Sample.Quality = a, device.Good
		} else if s, ok := present[it.Path]; ok && unread != nil {
			l.g.book.step(j.entry, i, failed(north.StageFailed, fmt.Errorf("its present value could not be read; it was not sent: %w", unread)), nil)
			continue
		} else if ok {
			pt.Sample = s
		}
		value, e := resolve(it, &pt)
		if e != nil {
			l.g.book.step(j.entry, i, refusal(e), nil)
			continue
		}
		assumed[it.Path] = value
		old := pt.Sample.Value
		l.g.book.update(j.entry, i, func(s *north.ItemState) { s.Old, s.New = old, value })
		s := sending{item: i, spec: pt.Spec, value: value}
		if pt.Spec.Confirm == device.ByNotify {
			s.watch = l.watch(pt.Spec, value)
		}
		list = append(list, s)
	}
	return list
}

var errNoOutcome = errors.New("the driver did not say what became of it")

// send hands the values to the session, notes what became of each, and leaves in list those that can be confirmed.
func (l *link) send(ctx context.Context, v *live, j *job, list *[]sending) {
	if len(*list) == 0 {
		return
	}
	writes := make([]driver.Write, len(*list))
	for k, s := range *list {
		writes[k] = driver.Write{Path: s.spec.Path, Value: s.value}
	}
	var outcomes []driver.Outcome
	err := l.guard("write", func() (err error) {
		outcomes, err = v.abilities.Writer.Write(ctx, writes)
		return err
	})
	rest := (*list)[:0:0]
	for k, s := range *list {
		var o driver.Outcome
		if k < len(outcomes) {
			o = outcomes[k]
		} else {
			o = driver.Outcome{Stage: driver.Uncertain, Err: err}
		}
		if o.Err == nil {
			o.Err = err
		}
		if l.note(j, s.item, o, s.spec.Confirm == device.ByNothing) {
			rest = append(rest, s)
		} else if s.watch != nil {
			l.unwatch([]sending{s})
		}
	}
	*list = rest
}

// note adds the steps of an outcome. It returns true when the item goes on to its confirmation.
func (l *link) note(j *job, item int, o driver.Outcome, last bool) bool {
	if o.Err == nil {
		o.Err = errNoOutcome
	}
	step := func(s north.Step) { l.g.book.step(j.entry, item, s, nil) }
	switch o.Stage {
	case driver.Sent:
		step(north.Step{Stage: north.StageSent, Final: last})
		return !last
	case driver.Acked:
		step(north.Step{Stage: north.StageSent})
		step(north.Step{Stage: north.StageAcknowledged, Final: last})
		return !last
	case driver.Refused:
		step(failed(north.StageRefused, o.Err))
	case driver.Uncertain:
		step(failed(north.StageUncertain, o.Err))
	default:
		step(failed(north.StageFailed, o.Err))
	}
	return false
}
