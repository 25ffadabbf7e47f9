package rfc2217client

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/patchbay-io/patchbay/protocol/rfc2217"
)

var timingMark = [3]byte{rfc2217.IAC, rfc2217.DO, rfc2217.OptTimingMark}

// Write sends data. It returns how many bytes were handed to the network, and blocks while the server takes none.
func (c *Client) Write(p []byte) (n int, err error) {
	for n < len(p) || n == 0 && len(p) == 0 {
		if err := c.mayWrite(); err != nil {
			return n, err
		}
		if len(p) == 0 {
			return 0, nil
		}
		k, err := c.writeSome(p[n:min(len(p), n+writeChunk)])
		n += k
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// mayWrite waits while the server has suspended us.
func (c *Client) mayWrite() error {
	c.mu.Lock()
	suspended, err := c.suspended, c.err
	c.mu.Unlock()
	if err != nil || !suspended {
		return err
	}
	return c.until(context.Background(), func() (bool, error) { return !c.suspended, nil })
}

func (c *Client) writeSome(p []byte) (int, error) {
	select {
	case c.wsem <- struct{}{}:
	case <-c.stop:
		return 0, c.Err()
	}
	defer func() { <-c.wsem }()
	// A byte that a deadline has cut in two was not counted: the caller comes back with it, and it is only completed.
	done := 0
	if c.half >= 0 {
		if _, err := c.put(nil); err != nil {
			return 0, err
		}
		if int(p[0]) == c.half {
			done, p = 1, p[1:]
		}
		c.half = -1
	}
	c.mu.Lock()
	c.sent += uint64(done)
	nvt := c.refusedBinary()
	mark := c.marks && !c.marked
	if mark {
		c.marked, c.mark = true, c.sent+uint64(len(p))
	}
	c.mu.Unlock()
	c.out = rfc2217.AppendData(c.out[:0], p, nvt)
	data := len(c.out)
	if mark {
		c.out = append(c.out, timingMark[:]...)
	}
	k, err := c.put(c.out)
	n := len(p)
	if k < data { // how much of p the first k bytes are
		n = 0
		for at := 0; at < k; n++ {
			size := len(rfc2217.AppendData(nil, p[n:n+1], nvt))
			if at+size > k {
				c.owed, c.half = append(c.owed[:0], c.out[k:at+size]...), int(p[n])
				break
			}
			at += size
		}
	} else if k < len(c.out) {
		c.owed = append(c.owed[:0], c.out[k:]...)
	}
	c.mu.Lock()
	c.sent += uint64(n)
	if mark && k < data {
		c.marked = false
	}
	c.mu.Unlock()
	return done + n, err
}

// refusedBinary reports whether the server has refused to take binary; the lock is held.
func (c *Client) refusedBinary() bool {
	return !c.neg.Local(rfc2217.OptBinary) && !c.neg.Pending(true, rfc2217.OptBinary)
}

// put writes b behind what is owed; wsem is held. It returns how much of b went out.
func (c *Client) put(b []byte) (int, error) {
	for len(c.owed) > 0 {
		k, err := c.conn.Write(c.owed)
		c.owed = c.owed[k:]
		if err != nil {
			return 0, c.broken(err)
		}
	}
	if len(b) == 0 {
		return 0, nil
	}
	k, err := c.conn.Write(b)
	if err != nil {
		return k, c.broken(err)
	}
	return k, nil
}

// broken ends the connection for every error but a deadline.
func (c *Client) broken(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	c.fail(err)
	return c.Err()
}

// send writes commands.
func (c *Client) send(ctx context.Context, b []byte) error {
	select {
	case c.wsem <- struct{}{}:
	case <-c.stop:
		return c.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.wsem }()
	k, err := c.put(b)
	if err != nil && k > 0 && k < len(b) {
		c.owed = append(c.owed[:0], b[k:]...)
	}
	return err
}

// answer sends what the reader has to say; false when the connection has ended. It waits for a writer that the server makes wait:
// a server that takes nothing wants no answers either.
func (c *Client) answer(b []byte) bool {
	select {
	case c.wsem <- struct{}{}:
	case <-c.stop:
		return false
	}
	k, err := c.put(b)
	if err != nil && k < len(b) {
		c.owed = append(c.owed, b[k:]...)
	}
	<-c.wsem
	return err == nil || errors.Is(err, os.ErrDeadlineExceeded)
}

// SetWriteDeadline bounds writes, the one that waits included.
func (c *Client) SetWriteDeadline(t time.Time) error { return c.conn.SetWriteDeadline(t) }

// markAnswered takes the answer to a timing mark; the lock is held. It returns the next mark when there is news to learn.
func (c *Client) markAnswered() []byte {
	if !c.marked {
		return nil
	}
	c.marks, c.marked = true, false
	c.acked = max(c.acked, c.mark)
	c.touch()
	select {
	case c.wsem <- struct{}{}: // nobody writes, so nothing is between the mark and the data before it
		<-c.wsem
	default:
		return nil // the writer sets the next one
	}
	if c.sent > c.acked {
		c.marked, c.mark = true, c.sent
		return timingMark[:]
	}
	return nil
}

// Unacked is how many bytes were written of which the server has not said that it took them. Without timing marks that is
// everything.
func (c *Client) Unacked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return int(c.sent - min(c.acked, c.sent))
}

// Drain waits until the server has taken everything that was written before. Whether it has left the port then, the protocol does
// not tell. A server that does not answer timing marks is not waited for.
func (c *Client) Drain(ctx context.Context) error {
	c.mu.Lock()
	want, marks, err := c.sent, c.marks, c.err
	c.mu.Unlock()
	if err != nil || !marks {
		return err
	}
	for {
		var again bool
		err := c.until(ctx, func() (bool, error) {
			again = c.acked < want && !c.marked
			return c.acked >= want || again, nil
		})
		if err != nil || !again {
			return err
		}
		c.mu.Lock()
		if c.marked || c.acked >= want {
			c.mu.Unlock()
			continue
		}
		c.marked, c.mark = true, c.sent
		c.mu.Unlock()
		if err := c.send(ctx, timingMark[:]); err != nil {
			return err
		}
	}
}

// request sends messages, and others that nobody answers, and waits for the answers to the first. soft is how long to wait for
// those that servers are known not to give. It returns what was not answered; that is an error only when something is among it that
// this server answers.
func (c *Client) request(ctx context.Context, messages, also []rfc2217.Message, soft time.Duration) (missing []answerKey, err error) {
	select {
	case c.asked <- struct{}{}:
	case <-c.stop:
		return nil, c.Err()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-c.asked }()
	hard := false
	var b []byte
	c.mu.Lock()
	clear(c.await)
	for i := range messages {
		m := &messages[i]
		b = m.AppendTo(b)
		if k := keyOf(m); !c.mute[k] {
			c.await[k]++
			hard = hard || c.mustAnswer(m)
		}
	}
	for i := range also {
		b = also[i].AppendTo(b)
	}
	c.mu.Unlock()
	limit := soft
	if hard {
		limit = c.opts.Timeout
	}
	if err := c.send(ctx, b); err != nil {
		return nil, err
	}
	waitCtx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	softly, cancelSoft := context.WithTimeout(ctx, soft)
	defer cancelSoft()
	left := func(all bool) bool {
		for i := range messages {
			if c.await[keyOf(&messages[i])] > 0 && (all || c.mustAnswer(&messages[i])) {
				return true
			}
		}
		return false
	}
	err = c.until(softly, func() (bool, error) { return !left(true), nil })
	if err != nil && errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = c.until(waitCtx, func() (bool, error) { return !left(false), nil })
	}
	if ctx.Err() != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		for k, n := range c.await {
			c.late[k] += n
		}
		return nil, ctx.Err()
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range messages {
		m := &messages[i]
		k := keyOf(m)
		if c.await[k] == 0 {
			continue
		}
		missing = append(missing, k)
		delete(c.late, k)
		if c.mustAnswer(m) {
			return missing, fmt.Errorf("%s: %v: %w within %v", c.addr, m.Code, ErrNoAnswer, limit)
		}
		c.mute[k] = true
	}
	return missing, nil
}

// mustAnswer reports whether a request without an answer is a failure; the lock is held. Servers on a port without modem lines do not answer
// about DTR, RTS and break, and some do not answer questions. One that has told about a line tells about a change of it too, unless
// nobody is there any more.
func (c *Client) mustAnswer(m *rfc2217.Message) bool {
	switch m.Code {
	case rfc2217.SetBaudRate, rfc2217.SetDataSize, rfc2217.SetParity, rfc2217.SetStopSize:
		return m.Value != 0
	case rfc2217.SetControl:
		what := rfc2217.Control(m.Value)
		return what != 0 && (what.Topic() == rfc2217.ControlFlowAsk || what != what.Topic() && c.told[what.Topic()])
	case rfc2217.PurgeData:
		return true
	}
	return false
}

// Set asks for settings and returns all that is in force then. What the server has never told stays zero.
func (c *Client) Set(ctx context.Context, s rfc2217.Settings) (rfc2217.Settings, error) {
	if messages := s.Messages(); len(messages) > 0 {
		missing, err := c.request(ctx, messages, nil, c.opts.ControlTimeout)
		if err != nil {
			return c.Settings(), err
		}
		c.mu.Lock()
		for _, k := range missing { // nobody knows better than what was asked for
			for i := range messages {
				if keyOf(&messages[i]) == k {
					c.inForce.Take(&messages[i])
				}
			}
		}
		for i := range messages {
			if c.mute[keyOf(&messages[i])] {
				c.inForce.Take(&messages[i])
			}
		}
		c.mu.Unlock()
	}
	return c.Settings(), nil
}

// Ask asks the server again for everything that it has told before, and waits for the answers; [Client.Settings] and
// [Client.Event] have them then. The error wraps [ErrNoAnswer] when one does not come within [Options.Timeout]. While bytes are on
// their way nothing is asked: a server whose line is held up answers nothing either, and is not gone.
func (c *Client) Ask(ctx context.Context) error {
	c.mu.Lock()
	var questions []rfc2217.Message
	for _, m := range c.inForce.Messages() {
		if m.Value = 0; m.Code == rfc2217.SetControl {
			continue
		}
		if !c.mute[keyOf(&m)] {
			questions = append(questions, m)
		}
	}
	for _, topic := range [...]rfc2217.Control{rfc2217.ControlFlowAsk, rfc2217.ControlBreakAsk, rfc2217.ControlDTRAsk, rfc2217.ControlRTSAsk} {
		m := rfc2217.Message{Code: rfc2217.SetControl, Value: uint32(topic)}
		if c.inForce.Knows(topic) && !c.mute[keyOf(&m)] {
			questions = append(questions, m)
		}
	}
	busy, err := c.busy(), c.err
	c.mu.Unlock()
	if err != nil || busy || len(questions) == 0 {
		return err
	}
	missing, err := c.request(ctx, questions, nil, c.opts.Timeout)
	if err != nil || len(missing) == 0 {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range missing { // a change may be answered all the same
		delete(c.mute, k)
	}
	if c.busy() {
		return nil
	}
	return fmt.Errorf("%s: %v: %w within %v", c.addr, missing[0].code, ErrNoAnswer, c.opts.Timeout)
}

// Purge throws away what is buffered at the server, and for [rfc2217.PurgeReceive] what was received and not read here.
func (c *Client) Purge(ctx context.Context, what rfc2217.Purge) error {
	_, err := c.request(ctx, []rfc2217.Message{{Code: rfc2217.PurgeData, Value: uint32(what)}}, nil, c.opts.ControlTimeout)
	if what&rfc2217.PurgeReceive != 0 {
		c.mu.Lock()
		c.r, c.w = 0, 0
		c.readable.Broadcast()
		c.mu.Unlock()
	}
	return err
}

// Suspend asks the server to send no data, Resume to go on.
func (c *Client) Suspend(ctx context.Context) error {
	return c.send(ctx, (&rfc2217.Message{Code: rfc2217.FlowControlSuspend}).AppendTo(nil))
}

// Resume takes a Suspend back.
func (c *Client) Resume(ctx context.Context) error {
	return c.send(ctx, (&rfc2217.Message{Code: rfc2217.FlowControlResume}).AppendTo(nil))
}

// Event waits for the next change of the lines. The first call returns what is known at once.
func (c *Client) Event(ctx context.Context) (e Event, err error) {
	err = c.until(ctx, func() (bool, error) {
		if c.seen == c.events+1 {
			return false, nil
		}
		c.seen = c.events + 1
		e = c.event
		c.event.Line, c.event.Modem = 0, c.event.Modem.Lines()
		return true, nil
	})
	return e, err
}
