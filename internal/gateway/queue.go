package gateway

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// job is the part of a write that goes to one device, or a command.
type job struct {
	entry    *entry
	index    []int // of the items in the entry
	items    []north.WriteItem
	command  *command // nil: a write
	deadline time.Time
}

func (j *job) paths() []device.Path {
	if j.command != nil {
		return []device.Path{j.command.path}
	}
	out := make([]device.Path, len(j.items))
	for i := range j.items {
		out[i] = j.items[i].Path
	}
	return out
}

// end gives all items of j that have not ended the same last step.
func (g *Gateway) end(j *job, s north.Step) {
	for _, i := range j.index {
		g.book.step(j.entry, i, s, nil)
	}
}

var (
	errQueueFull = errors.New("too many writes to this device are waiting")
	errTooLate   = errors.New("earlier writes to this device took until the deadline; it was not sent")
	errStopping  = errors.New("the link is being closed; it was not sent")
)

// submit hands j to the link, which ends it in every case.
func (l *link) submit(j *job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := errStopping
	if l.accepting {
		select {
		case l.jobs <- j:
			return
		default:
			err = errQueueFull
			l.drops.Add(1)
		}
	}
	l.g.end(j, north.Step{Stage: north.StageFailed, Class: driver.Busy, Text: err.Error(), Hint: "try again"})
}

// serveWrites performs jobs until ctx ends. Jobs are sent one after the other in the order of their acceptance; a job
// that waits for the device's confirmation holds up only jobs for the same points.
func (l *link) serveWrites(ctx context.Context) {
	q := newWriteQueue()
	var wg sync.WaitGroup
	sent, ended := make(chan *job), make(chan *job)
	running := 0
	late := time.NewTimer(time.Hour)
	defer late.Stop()
	for stopping := false; !stopping || running > 0; {
		if !stopping {
			for j := q.next(); j != nil; j = q.next() {
				running++
				wg.Go(func() {
					l.perform(ctx, j, func() { sent <- j })
					ended <- j
				})
			}
			late.Reset(q.untilDeadline())
		}
		done := ctx.Done()
		if stopping {
			done = nil
		}
		take := l.jobs
		if len(q.waiting) >= maxWaiting {
			take = nil
		}
		select {
		case j := <-take:
			q.waiting = append(q.waiting, j)
		case j := <-sent:
			q.sent(j)
		case j := <-ended:
			q.ended(j)
			running--
		case <-late.C:
			for _, j := range q.expired(time.Now()) {
				l.g.end(j, north.Step{Stage: north.StageFailed, Class: driver.Timeout, Text: errTooLate.Error(), Hint: "try again"})
			}
		case <-done:
			stopping = true
		}
	}
	wg.Wait()
	l.mu.Lock()
	l.accepting = false
	l.mu.Unlock()
	for len(l.jobs) > 0 {
		q.waiting = append(q.waiting, <-l.jobs)
	}
	for _, j := range q.waiting {
		l.g.end(j, north.Step{Stage: north.StageFailed, Class: driver.Closed, Text: errStopping.Error()})
	}
}

// maxWaiting is how many jobs of one device wait besides those in the channel.
const maxWaiting = 64

// writeQueue decides which job may go. It belongs to one goroutine.
type writeQueue struct {
	waiting []*job
	sending *job // at most one at a time
	busy    map[device.Path]int
}

func newWriteQueue() *writeQueue { return &writeQueue{busy: make(map[device.Path]int)} }

// next is the first waiting job that no earlier one keeps from its points; nil: none may go now.
func (q *writeQueue) next() *job {
	if q.sending != nil {
		return nil
	}
	held := make(map[device.Path]bool)
	for i, j := range q.waiting {
		paths := j.paths()
		if slices.ContainsFunc(paths, func(p device.Path) bool { return q.busy[p] > 0 || held[p] }) {
			for _, p := range paths {
				held[p] = true
			}
			continue
		}
		q.waiting = slices.Delete(q.waiting, i, i+1)
		q.sending = j
		for _, p := range paths {
			q.busy[p]++
		}
		return j
	}
	return nil
}

func (q *writeQueue) sent(j *job) {
	if q.sending == j {
		q.sending = nil
	}
}

func (q *writeQueue) ended(j *job) {
	q.sent(j)
	for _, p := range j.paths() {
		if q.busy[p]--; q.busy[p] == 0 {
			delete(q.busy, p)
		}
	}
}

func (q *writeQueue) untilDeadline() time.Duration {
	d := time.Hour
	for _, j := range q.waiting {
		d = min(d, time.Until(j.deadline))
	}
	return d
}

// expired takes out the jobs whose time is over.
func (q *writeQueue) expired(now time.Time) (out []*job) {
	q.waiting = slices.DeleteFunc(q.waiting, func(j *job) bool {
		if now.Before(j.deadline) {
			return false
		}
		out = append(out, j)
		return true
	})
	return out
}
