package rfc2217client

import (
	"errors"
	"io"
	"os"
	"time"

	"github.com/patchbay-io/patchbay/protocol/rfc2217"
)

// read takes everything that comes until the connection ends.
func (c *Client) read() {
	defer close(c.done)
	var dec rfc2217.Decoder
	in := make([]byte, 16<<10)
	for {
		n, err := c.conn.Read(in)
		for rest := in[:n]; len(rest) > 0; {
			var it rfc2217.Item
			it, rest = dec.Next(rest)
			if it.Kind == rfc2217.Data {
				if !c.keep(it.Data) {
					return
				}
				continue
			}
			if answer := c.take(&it, &dec); len(answer) > 0 {
				select {
				case c.replies <- answer:
				default: // it asks without taking an answer
					c.fail(errFlood)
					c.conn.Close()
					return
				}
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.EOF
			}
			c.fail(err)
			c.conn.Close()
			return
		}
	}
}

var errFlood = errors.New("the server asks more than it takes answers")

// reply sends what the reader has to say.
func (c *Client) reply() {
	for {
		select {
		case b := <-c.replies:
			if !c.answer(b) {
				return
			}
		case <-c.stop:
			return
		}
	}
}

// keep puts data where Read finds it and waits while there is no room. It returns false when the connection has ended.
func (c *Client) keep(data []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(data) > 0 {
		if c.r == c.w {
			c.r, c.w = 0, 0
		}
		if c.w == len(c.buf) && c.r > 0 {
			c.w = copy(c.buf, c.buf[c.r:c.w])
			c.r = 0
		}
		n := copy(c.buf[c.w:], data)
		c.w += n
		data = data[n:]
		c.readable.Broadcast()
		for len(data) > 0 && c.w == len(c.buf) && c.r == 0 {
			if c.err != nil {
				return false
			}
			c.full = true
			c.readable.Wait()
		}
	}
	c.full = false
	return true
}

// keepAlive asks the server for its speed while nothing is on its way to it, and the network for the server while something is.
func (c *Client) keepAlive() {
	question := (&rfc2217.Message{Code: rfc2217.SetBaudRate}).AppendTo(nil)
	tick := time.NewTicker(c.opts.KeepAlive)
	defer tick.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-tick.C:
		}
		c.mu.Lock()
		answers := c.inForce.Baud != 0 // it has answered that before
		busy := c.busy()
		pinged := c.pinged
		c.pinged = answers && !busy
		c.mu.Unlock()
		if u := c.opts.Unanswered; u != nil && u(c.conn) >= c.opts.KeepAlive {
			pinged, answers, busy = true, true, false
		}
		switch {
		case !answers || busy:
		case pinged:
			c.fail(ErrSilent)
			c.conn.Close()
			return
		default:
			select {
			case c.wsem <- struct{}{}:
				if k, err := c.put(question); err != nil { // a deadline of the caller's; the next question comes soon
					if k > 0 {
						c.owed = append(c.owed[:0], question[k:]...)
					}
					c.mu.Lock()
					c.pinged = false
					c.mu.Unlock()
				}
				<-c.wsem
			case <-c.stop:
				return
			}
		}
	}
}

// busy reports whether bytes are on their way to a server that may hold up everything else for them, or from it to a reader that
// does not come; the lock is held.
func (c *Client) busy() bool { return c.full || c.sent > c.acked && c.marks }

// Read waits for at least one byte. At the end of the connection it first returns what came before.
func (c *Client) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.r == c.w {
		switch {
		case c.err != nil:
			return 0, c.err
		case !c.readBy.IsZero() && !time.Now().Before(c.readBy):
			return 0, os.ErrDeadlineExceeded
		}
		c.readable.Wait()
	}
	full := c.w == len(c.buf)
	n := copy(p, c.buf[c.r:c.w])
	c.r += n
	if full {
		c.readable.Broadcast()
	}
	return n, nil
}

// SetDeadline bounds reads and writes.
func (c *Client) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline bounds reads, the one that waits included.
func (c *Client) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readBy = t
	if c.readTimer != nil {
		c.readTimer.Stop()
		c.readTimer = nil
	}
	if !t.IsZero() {
		c.readTimer = time.AfterFunc(time.Until(t), func() {
			c.mu.Lock() // a Read that has looked at the time and does not wait yet would miss it
			c.readable.Broadcast()
			c.mu.Unlock()
		})
	}
	c.readable.Broadcast()
	return nil
}

// take understands what is no data and returns what is to be answered.
func (c *Client) take(it *rfc2217.Item, dec *rfc2217.Decoder) (answer []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch it.Kind {
	case rfc2217.Negotiate:
		if it.Option == rfc2217.OptTimingMark && (it.Verb == rfc2217.WILL || it.Verb == rfc2217.WONT) {
			return c.markAnswered()
		}
		answer, _ = c.neg.Receive(nil, it.Verb, it.Option)
		if it.Option == rfc2217.OptBinary && it.Verb == rfc2217.WONT {
			dec.NVT = true
		}
		c.touch()
	case rfc2217.Command:
		if it.Verb == rfc2217.AYT { // any answer will do
			answer = []byte{rfc2217.IAC, rfc2217.NOP}
		}
	case rfc2217.Sub:
		if it.Option != rfc2217.OptComPort {
			return nil
		}
		m, err := rfc2217.ParseMessage(it.Data)
		if err != nil {
			return nil
		}
		return c.comPort(&m)
	}
	return answer
}

// comPort takes a message of the server; the lock is held. Some servers leave out the 100 that marks their side.
func (c *Client) comPort(m *rfc2217.Message) (answer []byte) {
	switch m.Code {
	case rfc2217.Signature:
		// An empty signature asks for ours, unless it is the answer to our own question: two that answer each other never end.
		if len(m.Text) == 0 && c.opts.Signature != "" && c.await[answerKey{code: rfc2217.Signature}] == 0 {
			a := rfc2217.Message{Code: rfc2217.Signature, Text: []byte(c.opts.Signature)}
			answer = a.AppendTo(nil)
		}
		c.wantText = string(m.Text)
	case rfc2217.NotifyModemState:
		state := rfc2217.ModemState(m.Value)
		if state.Lines() != c.event.Modem.Lines() || state != state.Lines() || c.events == 0 {
			c.events++
		}
		c.event.Modem = state | c.event.Modem&0x0f
	case rfc2217.NotifyLineState:
		if happened := rfc2217.LineState(m.Value) & rfc2217.LineErrors; happened != 0 {
			c.event.Line |= happened
			c.events++
		}
	case rfc2217.FlowControlSuspend, rfc2217.FlowControlResume:
		c.suspended = m.Code == rfc2217.FlowControlSuspend
	case rfc2217.SetBaudRate:
		c.pinged = false
		c.inForce.Take(m)
	default:
		c.inForce.Take(m)
	}
	k := keyOf(m)
	delete(c.mute, k)
	if m.Code == rfc2217.SetControl {
		c.told[k.topic] = true
	}
	switch {
	case c.late[k] > 0:
		c.late[k]--
	case c.await[k] > 0:
		c.await[k]--
	}
	c.touch()
	return answer
}
