package ocaclient

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/protocol/ocp1"
)

// Call is one command and its answer.
type Call struct {
	Target ocp1.ONo
	Method ocp1.ID
	Count  uint8  // of the parameters
	Params []byte // encoded

	// The answer, valid when the call has been done. Err is nil, an *[ocp1.Error] when the device refused, or why there is no answer.
	Values   []byte
	Returned uint8 // how many values
	Err      error

	sent   time.Time
	handle uint32
	batch  *batch
}

// batch is what waits for some calls.
type batch struct {
	left atomic.Int64 // unanswered calls, and one until all have been sent
	room atomic.Int64 // bytes that further answers may have; below 0: they had more
	done chan struct{}
}

// keep makes a copy of an answer's values. Once there is no room it keeps nothing more.
func (b *batch) keep(values []byte) ([]byte, error) {
	if b.room.Load() < 0 || b.room.Add(-int64(len(values))) < 0 {
		return nil, ErrTooMuch
	}
	return bytes.Clone(values), nil
}

func (b *batch) finish() {
	if b.left.Add(-1) == 0 {
		close(b.done)
	}
}

func (call *Call) finish(err error) {
	call.Err = err
	call.batch.finish()
}

// Do asks one object for one thing and returns the encoded values of the answer. A refusal is an *[ocp1.Error]. ctx ends
// the wait, not the session; a late answer is thrown away.
func (c *Client) Do(ctx context.Context, target ocp1.ONo, method ocp1.ID, count uint8, params []byte) ([]byte, error) {
	call := Call{Target: target, Method: method, Count: count, Params: params}
	if err := c.do(ctx, []*Call{&call}); err != nil {
		return nil, err
	}
	if call.Err != nil {
		return nil, fmt.Errorf("oca %s: %w", c.name, call.Err)
	}
	return call.Values, nil
}

// DoAll sends the calls, as many in one message as are ready, with [Options.Window] of them unanswered at most, and waits for
// all answers. Refusals are in the calls. The error is about the session, the context, or more answers than [Options.MaxAnswers]; calls that
// have no answer then have it as their Err.
func (c *Client) DoAll(ctx context.Context, calls []Call) error {
	list := make([]*Call, len(calls))
	for i := range calls {
		list[i] = &calls[i]
	}
	return c.do(ctx, list)
}

func (c *Client) do(ctx context.Context, calls []*Call) error {
	b := &batch{done: make(chan struct{})}
	b.left.Store(1)
	b.room.Store(int64(c.opts.MaxAnswers))
	var late <-chan time.Time
	var timer *time.Timer
	if _, has := ctx.Deadline(); !has {
		timer = time.NewTimer(c.opts.Timeout)
		defer timer.Stop()
		late = timer.C
	}
	err := ctx.Err()
	for _, call := range calls {
		call.Values, call.Returned, call.Err, call.handle, call.batch = nil, 0, nil, 0, b
	}
	for i := 0; i < len(calls) && err == nil; i++ {
		if err = c.enqueue(ctx, late, timer, calls[i]); err == nil {
			err = c.tooMuch(b)
		}
	}
	if err == nil {
		c.flush()
		err = c.wait(ctx, late, timer, b)
	} else {
		b.finish()
	}
	if err != nil {
		c.giveUp(calls, b, err)
		return err
	}
	if err := c.tooMuch(b); err != nil {
		return err
	}
	return c.lost(calls)
}

// tooMuch is the error of a batch whose answers were longer than all together may be; nil when they were not.
func (c *Client) tooMuch(b *batch) error {
	if b.room.Load() >= 0 {
		return nil
	}
	return fmt.Errorf("oca %s: %w: more than %d bytes", c.name, ErrTooMuch, c.opts.MaxAnswers)
}

// wait waits for the answers of all calls that have been sent.
func (c *Client) wait(ctx context.Context, late <-chan time.Time, timer *time.Timer, b *batch) error {
	b.finish()
	for before := b.left.Load(); ; {
		select {
		case <-b.done:
			return nil
		case <-ctx.Done():
			if b.left.Load() == 0 { // all came in time
				return nil
			}
			return fmt.Errorf("oca %s: %w", c.name, ctx.Err())
		case <-late:
			left := b.left.Load()
			if left > 0 && left >= before {
				return fmt.Errorf("oca %s: %w", c.name, ErrNoAnswer)
			}
			before = left // the device is at work
			timer.Reset(c.opts.Timeout)
		}
	}
}

// lost is the error of a session that ended under the calls.
func (c *Client) lost(calls []*Call) error {
	select {
	case <-c.closing:
		for _, call := range calls {
			if call.Err != nil && !isRefusal(call.Err) {
				return call.Err
			}
		}
	default:
	}
	return nil
}

func isRefusal(err error) bool {
	_, ok := err.(*ocp1.Error)
	return ok
}

// giveUp forgets what has not been answered, and gives err to those calls. The calls are the caller's again when it returns.
func (c *Client) giveUp(calls []*Call, b *batch, err error) {
	for _, call := range calls {
		if call.handle == 0 { // not sent
			call.Err = err
			continue
		}
		c.mu.Lock()
		mine := c.pending[call.handle] == call
		if mine {
			delete(c.pending, call.handle)
		}
		c.mu.Unlock()
		if mine {
			<-c.slots
			call.finish(err)
		}
	}
	<-b.done // whoever else has a call in hand is about to put it down
}

// enqueue takes a slot and puts a command with those that are going to be written.
func (c *Client) enqueue(ctx context.Context, late <-chan time.Time, timer *time.Timer, call *Call) error {
	select {
	case c.slots <- struct{}{}:
	default:
		c.flush() // nothing comes back for what is not sent
		select {
		case c.slots <- struct{}{}:
			if timer != nil {
				timer.Reset(c.opts.Timeout)
			}
		case <-c.closing:
			return c.gone("send to")
		case <-ctx.Done():
			return fmt.Errorf("oca %s: %w", c.name, ctx.Err())
		case <-late:
			return fmt.Errorf("oca %s: %w", c.name, ErrNoAnswer)
		}
	}
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		<-c.slots
		return c.gone("send to")
	}
	for c.next++; c.next == 0 || c.pending[c.next] != nil; c.next++ { // handles come round
	}
	call.handle, call.sent = c.next, time.Now()
	call.batch.left.Add(1)
	c.pending[call.handle] = call
	c.mu.Unlock()

	c.out.Lock()
	defer c.out.Unlock()
	if c.count > 0 && (len(c.buf)-c.at > maxBatch || c.count == ocp1.MaxPDUs) {
		c.endMessage()
	}
	if c.count == 0 {
		c.buf, c.at = ocp1.BeginMessage(c.buf, c.opts.Version, ocp1.TypeCommandRrq)
	}
	c.buf = ocp1.Command{Handle: call.handle, Target: call.Target, Method: call.Method, Count: call.Count, Params: call.Params}.Append(c.buf)
	c.count++
	c.stats.commands.Add(1)
	return nil
}

// maxBatch is the size in bytes from which on a message takes no further command. Focusrite's phone app sends 8 KiB.
const maxBatch = 8 << 10

// endMessage closes the open message; out is locked.
func (c *Client) endMessage() {
	if c.count > 0 {
		c.buf = ocp1.EndMessage(c.buf, c.at, c.count)
		c.count = 0
		c.stats.messagesOut.Add(1)
	}
}

// flush writes what waits, unless another goroutine is about to: that one takes it along.
func (c *Client) flush() {
	c.out.Lock()
	if c.writing {
		c.out.Unlock()
		return
	}
	c.writing = true
	for len(c.buf) > 0 {
		c.endMessage()
		b := c.buf
		c.buf, c.spare = c.spare[:0], nil
		c.out.Unlock()
		err := c.write(b)
		c.out.Lock()
		c.spare = b[:0]
		if err != nil {
			c.buf, c.count = c.buf[:0], 0
			c.writing = false
			c.out.Unlock()
			c.fail(err)
			return
		}
	}
	c.writing = false
	c.out.Unlock()
}

func (c *Client) write(b []byte) error {
	now := time.Now()
	if now.After(c.renew) { // a deadline is a little work, and need not be exact
		c.conn.SetWriteDeadline(now.Add(c.opts.Timeout))
		c.renew = now.Add(c.opts.Timeout / 4)
	}
	n, err := c.conn.Write(b)
	c.stats.bytesOut.Add(uint64(n))
	c.lastSent.Store(now.UnixNano())
	return err
}

// Sent reports whether the command may have reached the device; valid when the call has been done.
func (call *Call) Sent() bool { return call.handle != 0 }
