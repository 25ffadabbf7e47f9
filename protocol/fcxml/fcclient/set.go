package fcclient

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/patchbay-io/patchbay/protocol/fcxml"
)

// Write is a wish for one control.
type Write struct {
	Item  *fcxml.Item
	Value string
}

// Result is how a Write ended. Sent says that the server may have carried it out, whatever Err says; it is false when the server
// has dropped the wish or has answered it with another value.
type Result struct {
	Sent bool
	Err  error // nil: the server says that it is so; else ErrNotApproved, ErrUnconfirmed, ErrOverruled, ErrGone, the context's or the network's
}

// waiter waits for the server to say what was asked for. Its fields are guarded by the client's lock.
type waiter struct {
	device string
	want   []wish
	open   int
	done   chan struct{} // closed when nothing is open
	mark   uint64        // the keep-alive behind the message; 0: none
}

type wish struct {
	item  *fcxml.Item
	value string
	other string // what the server has said instead, since
	heard bool   // it has
	met   bool
}

// hear compares what the server says with what was asked for; the lock is held.
func (w *waiter) hear(m fcxml.Set) {
	if m.Device != w.device || w.open == 0 {
		return
	}
	for _, it := range m.Items {
		for i := range w.want {
			x := &w.want[i]
			switch {
			case x.met || x.item.ID != it.ID:
			case fcxml.SameValue(x.item.Kind, x.value, it.Value):
				x.met = true
				w.open--
			default:
				x.other, x.heard = keep(it.Value), true
			}
		}
	}
	if w.open == 0 {
		close(w.done)
	}
}

// Set changes controls of one device, all in one message, and waits until the server says that they are so. Of a pair that is
// linked the left channel's control is changed. One Set runs at a time. Nothing is sent when it is known that nobody has
// approved this program: the server would drop it without a word.
func (c *Client) Set(ctx context.Context, schema *fcxml.Schema, writes []Write) []Result {
	out := make([]Result, len(writes))
	fail := func(sent bool, err error) []Result {
		for i := range out {
			if out[i].Err == nil {
				out[i] = Result{Sent: sent, Err: err}
			}
		}
		return out
	}
	select {
	case c.one <- struct{}{}:
		defer func() { <-c.one }()
	case <-c.done:
		return fail(false, c.ended())
	case <-ctx.Done():
		return fail(false, ctx.Err())
	}
	if err := ctx.Err(); err != nil {
		return fail(false, err)
	}
	w, m, err := c.prepare(schema, writes)
	if err != nil {
		return fail(false, err)
	}
	defer c.forget(w)
	if err := c.send(m); err != nil {
		return fail(true, err) // a part of the frame may have left
	}
	if c.mark(w) {
		if err := c.send(fcxml.KeepAlive{}); err != nil {
			return fail(true, err)
		}
	}
	timer := time.NewTimer(c.opts.Confirm)
	defer timer.Stop()
	var cause error
	select {
	case <-w.done:
		for i := range out {
			out[i].Sent = true
		}
		return out
	case <-c.done:
		cause = c.ended()
	case <-ctx.Done():
		cause = ctx.Err()
	case <-timer.C:
	}
	return c.judge(schema, w, out, cause)
}

// prepare makes the message and who waits for its echo.
func (c *Client) prepare(schema *fcxml.Schema, writes []Write) (*waiter, fcxml.Set, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := fcxml.Set{Device: schema.ID}
	d := c.find(schema.ID)
	switch {
	case c.cause != nil:
		return nil, m, fmt.Errorf("fcxml set %s: %w", c.addr, c.cause)
	case d == nil || d.schema != schema:
		return nil, m, fmt.Errorf("fcxml set %s: %w", c.addr, ErrGone)
	case c.approval == ApprovalWaiting:
		return nil, m, fmt.Errorf("fcxml set %s: %w", c.addr, ErrNotApproved)
	}
	w := &waiter{device: schema.ID, open: len(writes), done: make(chan struct{})}
	for _, x := range writes {
		it := d.target(x.Item)
		m.Items = append(m.Items, fcxml.Assign{ID: it.ID, Value: x.Value})
		w.want = append(w.want, wish{item: it, value: x.Value})
	}
	if w.open == 0 {
		close(w.done)
	}
	c.waiters = append(c.waiters, w)
	return w, m, nil
}

// mark reports whether a keep-alive has to follow a message: the server says nothing to a wish for what there is already, and neither does one
// that is gone.
func (c *Client) mark(w *waiter) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.find(w.device)
	for i := range w.want {
		if x := &w.want[i]; !x.met && d.holds(x) {
			c.asked++
			w.mark = c.asked
			return true
		}
	}
	return false
}

// holds reports whether the control has the value that is wished for, as far as the server has said.
func (d *device) holds(x *wish) bool {
	if d == nil {
		return false
	}
	now, state := d.value(x.item)
	return state == Reported && fcxml.SameValue(x.item.Kind, now, x.value)
}

func (c *Client) forget(w *waiter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiters = slices.DeleteFunc(c.waiters, func(x *waiter) bool { return x == w })
}

// judge says what became of writes that were not all confirmed. cause is why the waiting ended; nil: time is up.
func (c *Client) judge(schema *fcxml.Schema, w *waiter, out []Result, cause error) []Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.find(schema.ID)
	for i := range out {
		x := &w.want[i]
		out[i].Sent = true
		if x.met {
			continue
		}
		err := cause
		if err == nil {
			err = c.why(d, w, x)
		}
		if err != nil {
			out[i].Err = fmt.Errorf("fcxml set %s %s: %w", c.addr, x.item.Path, err)
		}
		if errors.Is(err, ErrNotApproved) && !errors.Is(err, ErrUnconfirmed) || errors.Is(err, ErrOverruled) {
			out[i].Sent = false // it was dropped
		}
	}
	return out
}

// why a wish was not confirmed; nil when the control has the value anyway. The lock is held.
func (c *Client) why(d *device, w *waiter, x *wish) error {
	switch {
	case c.approval == ApprovalWaiting:
		return ErrNotApproved
	case d == nil:
		return ErrGone
	}
	now, state := d.value(x.item)
	switch {
	case d.holds(x) && c.echoed < w.mark:
		return fmt.Errorf("%w, and says nothing else either", ErrUnconfirmed)
	case d.holds(x):
		return nil
	case x.heard:
		return fmt.Errorf("%w: %q", ErrOverruled, x.other)
	case state == Reported:
		return fmt.Errorf("%w; it says %q", ErrUnconfirmed, now)
	case c.approval == ApprovalUnknown:
		return fmt.Errorf("%w; perhaps %w", ErrUnconfirmed, ErrNotApproved)
	}
	return ErrUnconfirmed
}
