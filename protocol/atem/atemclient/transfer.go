package atemclient

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

// The pace of uploads: bursts with pauses, since the buffers of switchers are small, and no more on the way than the session
// can have.
const (
	burst      = 12
	betweenMin = 4 * time.Millisecond
	maxOnWay   = 64
	maxInbox   = 4096 // fields that wait for a transfer; a session that says more of it ends the transfer
)

// running is a transfer that runs.
type running struct {
	inbox []atem.Field // of the client's mutex
	lost  bool         // likewise: there was no room
	wake  chan struct{}
}

// Transfer carries out a transfer with its lock, and returns when it has ended: nil when it went well, else what
// [atem.Transfer.Err] says, the context's error, or that of the session. Several may run at the same time, under different
// numbers. progress may be nil; it is called from the goroutine of the caller.
func (c *Client) Transfer(ctx context.Context, t *atem.Transfer, progress func(n, total int)) error {
	r := &running{wake: make(chan struct{}, 1)}
	c.mu.Lock()
	if c.transfers == nil {
		c.transfers = map[*running]struct{}{}
	}
	c.transfers[r] = struct{}{}
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.transfers, r)
		c.mu.Unlock()
	}()
	fail := func(err error) error { return fmt.Errorf("atem transfer %s: %w", c.addr, err) }
	if err := c.SendPayload(t.Start()); err != nil {
		return err
	}
	pause := time.NewTimer(betweenMin)
	defer pause.Stop()
	for !t.Done() {
		select {
		case <-ctx.Done():
			if b := t.Cancel(ctx.Err()); b != nil {
				_ = c.SendPayload(b) // the session may have ended, and the context's error counts
			}
			return fail(ctx.Err())
		case <-c.done:
			return fail(c.Err())
		case <-r.wake:
		case <-pause.C:
		}
		if err := c.answer(t, r); err != nil {
			return err
		}
		sent, err := c.pieces(t)
		if err != nil {
			return err
		}
		if sent {
			pause.Reset(betweenMin)
		}
		if progress != nil {
			progress(t.Progress())
		}
	}
	if err := t.Err(); err != nil {
		return fail(err)
	}
	return nil
}

// answer gives a transfer what has come for it.
func (c *Client) answer(t *atem.Transfer, r *running) error {
	c.mu.Lock()
	inbox, lost := r.inbox, r.lost
	r.inbox = nil
	c.mu.Unlock()
	if lost {
		if b := t.Cancel(atem.ErrBacklog); b != nil {
			return c.SendPayload(b)
		}
		return nil
	}
	for i := range inbox {
		if b := t.Handle(&inbox[i]); b != nil {
			if err := c.SendPayload(b); err != nil {
				return err
			}
		}
	}
	return nil
}

// pieces sends a burst of an upload; it reports whether to come back after a pause.
func (c *Client) pieces(t *atem.Transfer) (again bool, err error) {
	c.mu.Lock()
	onWay := c.s.Waiting()
	c.mu.Unlock()
	if onWay > maxOnWay {
		return true, nil
	}
	for range burst {
		p := t.Next()
		if p == nil {
			return again, nil
		}
		if err := c.SendPayload(p); err != nil {
			return false, err
		}
		again = true
	}
	return again, nil
}

// offer gives the fields of transfers in a payload to those that run.
func (c *Client) offer(payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.transfers) == 0 {
		return
	}
	for f, err := range atem.Fields(payload) {
		if err != nil {
			return
		}
		switch f.Code {
		case atem.CodeLKOB, atem.CodeFTCD, atem.CodeFTDa, atem.CodeFTDC, atem.CodeFTDE:
		default:
			continue
		}
		f.Body = bytes.Clone(f.Body)
		for r := range c.transfers {
			if len(r.inbox) >= maxInbox {
				r.lost = true
				continue
			}
			r.inbox = append(r.inbox, f)
			select {
			case r.wake <- struct{}{}:
			default:
			}
		}
	}
}
