package gateway

import (
	"context"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

const (
	defaultDeadline = 2 * time.Second
	maxDeadline     = time.Minute
)

func deadlineOf(opt north.WriteOptions) time.Time {
	d := opt.Deadline
	if d <= 0 {
		d = defaultDeadline
	}
	return time.Now().Add(min(d, maxDeadline))
}

// Write is the one way to change points. It checks all items before it sends the first. See north.Writes. The ctx bounds
// only the waiting of the caller: an accepted write goes on without it.
func (g *Gateway) Write(ctx context.Context, who driver.Who, items []north.WriteItem, opt north.WriteOptions) (north.WriteState, error) {
	if err := g.spend(who, len(items)); err != nil {
		return north.WriteState{}, err
	}
	states := make([]north.ItemState, len(items))
	links := make([]*link, len(items))
	var first *north.WriteError
	refusals := make([]*north.WriteError, len(items))
	for i := range items {
		l, pt, e := g.checkItem(who, &items[i], opt)
		links[i], refusals[i] = l, e
		states[i] = north.ItemState{Device: items[i].Device, Path: items[i].Path}
		if pt.Spec != nil {
			states[i].Old = pt.Sample.Value
			states[i].New = wanted(&items[i], &pt)
		}
		if e != nil {
			e.Item = i
			if first == nil {
				first = e
			}
		}
	}
	entry := g.book.begin(who, states)
	if first != nil {
		for i, e := range refusals {
			if e == nil {
				e = &north.WriteError{Class: first.Class, Text: "another item of the same write was refused"}
			}
			g.book.step(entry, i, refusal(e), nil)
		}
		return g.book.get(entry), first
	}
	stage := north.StageAccepted
	if opt.DryRun {
		stage = north.StageDryRun
	}
	jobs := make(map[*link]*job)
	var order []*link
	deadline := deadlineOf(opt)
	for i := range items {
		g.book.step(entry, i, north.Step{Stage: stage}, nil)
		j := jobs[links[i]]
		if j == nil {
			j = &job{entry: entry, deadline: deadline}
			jobs[links[i]] = j
			order = append(order, links[i])
		}
		j.index = append(j.index, i)
		j.items = append(j.items, items[i])
	}
	if !opt.DryRun {
		for _, l := range order {
			l.submit(jobs[l])
		}
	}
	return g.await(ctx, entry, opt), nil
}

// wanted is the value for the record; zero when the item does not make one.
func wanted(it *north.WriteItem, pt *device.Point) device.Value {
	free := *it
	free.IfValue = nil
	v, e := resolve(&free, pt)
	if e != nil {
		return device.Value{}
	}
	return v
}

func refusal(e *north.WriteError) north.Step {
	return north.Step{Stage: north.StageRefused, Class: e.Class, Text: e.Text, Hint: e.Hint}
}

// await waits for the end of a write when the caller wants that.
func (g *Gateway) await(ctx context.Context, e *entry, opt north.WriteOptions) north.WriteState {
	if opt.Wait {
		select {
		case <-e.done:
		case <-ctx.Done():
		}
	}
	return g.book.get(e)
}
