package gateway

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// watcher waits for a point to say a value. Its fields are guarded by the link's lock.
type watcher struct {
	spec *device.Spec
	want device.Value
	seen chan struct{} // closed when the point said it
	hit  bool
	said device.Value // the newest good value that was another one
}

func (l *link) watch(spec *device.Spec, want device.Value) *watcher {
	w := &watcher{spec: spec, want: want, seen: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watchers[spec.Path] = append(l.watchers[spec.Path], w)
	return w
}

func (l *link) unwatch(list []sending) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range list {
		if s.watch == nil {
			continue
		}
		left := slices.DeleteFunc(l.watchers[s.spec.Path], func(w *watcher) bool { return w == s.watch })
		if len(left) == 0 {
			delete(l.watchers, s.spec.Path)
		} else {
			l.watchers[s.spec.Path] = left
		}
	}
}

// judge compares samples with what writes wait for. It sees every sample, before any reader's coalescing; the lock is held.
func (l *link) judge(samples []device.Sample) {
	if len(l.watchers) == 0 {
		return
	}
	for i := range samples {
		for _, w := range l.watchers[samples[i].Path] {
			switch {
			case w.hit || !isGood(&samples[i]):
			case agrees(w.spec, w.want, samples[i].Value):
				w.hit = true
				close(w.seen)
			default:
				w.said = samples[i].Value
			}
		}
	}
}

// agrees reports whether a device that was told want and says got has done so. A device rounds to its own decimals.
func agrees(spec *device.Spec, want, got device.Value) bool {
	if want.Equal(got) {
		return true
	}
	if want.Kind != device.Float || got.Kind != device.Float {
		return false
	}
	tolerance := 1e-9 * math.Abs(want.Float())
	if spec.Decimals > 0 {
		tolerance = max(tolerance, 0.5*math.Pow10(-spec.Decimals))
	}
	if spec.Step > 0 {
		tolerance = max(tolerance, spec.Step/2)
	}
	return math.Abs(want.Float()-got.Float()) <= tolerance
}

// confirm waits until the device shows each value.
func (l *link) confirm(ctx context.Context, v *live, j *job, list []sending) {
	var back []sending
	for _, s := range list {
		if s.watch == nil {
			back = append(back, s)
		}
	}
	if len(back) > 0 {
		l.readBack(ctx, v, j, back)
	}
	for _, s := range list {
		if s.watch != nil {
			l.awaitNotice(ctx, v, j, s)
		}
	}
}

var errDied = errors.New("the link died before the device confirmed it; it is not sent again")

func (l *link) awaitNotice(ctx context.Context, v *live, j *job, s sending) {
	// A device that holds the value already has nothing to notify.
	if pt, ok := l.g.tree.Point(l.name, s.spec.Path); ok && isGood(&pt.Sample) && agrees(s.spec, s.value, pt.Sample.Value) {
		l.finish(j, s, north.Step{Stage: north.StageConfirmed}, pt.Sample.Value)
		return
	}
	// What was seen counts, also when the deadline or the end of the link came at the same moment.
	select {
	case <-s.watch.seen:
		l.finish(j, s, north.Step{Stage: north.StageConfirmed}, s.value)
		return
	default:
	}
	select {
	case <-s.watch.seen:
		l.finish(j, s, north.Step{Stage: north.StageConfirmed}, s.value)
	case <-v.gone:
		l.finish(j, s, north.Step{Stage: north.StageUncertain, Class: driver.Closed, Text: errDied.Error()}, device.Value{})
	case <-ctx.Done():
		l.finish(j, s, l.notNoticed(ctx, s), l.now(s))
	}
}

// notNoticed is the end of a write whose value the device never reported.
func (l *link) notNoticed(ctx context.Context, s sending) north.Step {
	l.mu.Lock()
	said := s.watch.said
	l.mu.Unlock()
	if said.IsZero() || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return unconfirmed(ctx)
	}
	return contradiction(&device.Sample{Value: said}, s)
}

// unconfirmed is the end of a write that nobody contradicted: its deadline, or the end of the gateway.
func unconfirmed(ctx context.Context) north.Step {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return north.Step{Stage: north.StageTimedOut, Class: driver.Timeout, Text: "the device did not confirm it before the deadline"}
	}
	return north.Step{Stage: north.StageUncertain, Class: driver.Closed, Text: errDied.Error()}
}

func (l *link) now(s sending) device.Value {
	pt, _ := l.g.tree.Point(l.name, s.spec.Path)
	return pt.Sample.Value
}

func (l *link) finish(j *job, s sending, step north.Step, now device.Value) {
	l.g.book.step(j.entry, s.item, step, func(it *north.ItemState) { it.Now = now })
}

// Read-back looks at once and then ever less often: some devices need a moment to show what they took.
const (
	firstLook = 25 * time.Millisecond
	lastLook  = 400 * time.Millisecond
)

func (l *link) readBack(ctx context.Context, v *live, j *job, list []sending) {
	for pause := firstLook; len(list) > 0; pause = min(2*pause, lastLook) {
		samples, err := l.look(ctx, v, "read back", list)
		if err != nil {
			step := failed(north.StageUncertain, err)
			if ctx.Err() != nil {
				step = unconfirmed(ctx)
			}
			for _, s := range list {
				l.finish(j, s, step, device.Value{})
			}
			return
		}
		rest := list[:0:0]
		for k, s := range list {
			if isGood(&samples[k]) && agrees(s.spec, s.value, samples[k].Value) {
				l.finish(j, s, north.Step{Stage: north.StageConfirmed}, samples[k].Value)
				continue
			}
			rest = append(rest, s)
			if deadline, _ := ctx.Deadline(); time.Until(deadline) <= pause {
				l.finish(j, s, contradiction(&samples[k], s), samples[k].Value)
			}
		}
		list = rest
		if deadline, _ := ctx.Deadline(); len(list) == 0 || time.Until(deadline) <= pause {
			return
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-v.gone:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

func contradiction(now *device.Sample, s sending) north.Step {
	if !isGood(now) {
		return north.Step{Stage: north.StageTimedOut, Class: driver.Timeout, Text: "it could not be read back: " + now.Reason}
	}
	return north.Step{Stage: north.StageFailed, Class: driver.DeviceSaidNo,
		Text: "the device took it and then says " + device.Text(s.spec, nil, now.Value)}
}

// look reads the points of list for op, brings them into the tree and returns one sample for each.
func (l *link) look(ctx context.Context, v *live, op string, list []sending) ([]device.Sample, error) {
	select {
	case <-v.gone:
		return nil, &driver.Error{Op: op, Target: l.name, Class: driver.Closed, Err: errDied}
	default:
	}
	paths := make([]device.Path, len(list))
	for i, s := range list {
		paths[i] = s.spec.Path
	}
	var samples []device.Sample
	err := l.guard(op, func() (err error) {
		samples, err = v.session.Read(ctx, paths)
		return err
	})
	if err == nil && len(samples) != len(paths) {
		err = &driver.Error{Op: op, Target: l.name, Class: driver.Internal, Err: errNoOutcome}
	}
	if err == nil {
		sink{l, v}.Apply(&driver.Change{Samples: samples})
	}
	return samples, err
}
