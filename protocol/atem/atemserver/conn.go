package atemserver

import (
	"container/list"
	"net"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

// Conn is one session of a client. Its methods may be called at the same time, from a [Handler] too.
type Conn struct {
	// Value is the handler's own. The server leaves it alone; only calls of the handler about this client may use it.
	Value any

	srv    *Server
	addr   net.Addr
	peer   peer
	client uint16 // what the client opened with
	id     uint16 // with atem.EstablishedBit
	number uint64
	since  time.Time

	half  *list.Element // of the server, under its lock
	ended bool          // the same

	calls  sync.Mutex // held during the handler's calls
	opened bool
	told   bool // Closed was called

	mu      sync.Mutex
	s       *atem.Session
	due     time.Time // when something is to be done although nothing happens
	settled bool      // the end has been told
}

// ID is a number that is unique in the server, counted from 1.
func (c *Conn) ID() uint64 { return c.number }

// Session is the session's number on the wire.
func (c *Conn) Session() uint16 { return c.id }

// RemoteAddr is the client's address.
func (c *Conn) RemoteAddr() net.Addr { return c.addr }

// Since is when the client opened the session.
func (c *Conn) Since() time.Time { return c.since }

// Stats is what the session has done so far.
func (c *Conn) Stats() atem.SessionStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.s.Stats()
}

// Waiting is how many packets are on their way to the client or wait to be.
func (c *Conn) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.s.Waiting()
}

// Send sends payloads, each as a packet of its own unless it is too long for one; they may be shared among clients and must
// not change from now on. It does not wait. When more waits for the client than it may, the session ends. The error is that
// of [atem.Session.Queue] or [atem.Split].
func (c *Conn) Send(payloads ...[]byte) error {
	c.mu.Lock()
	var err error
	now := time.Now()
	for _, payload := range payloads {
		if err = c.queue(now, payload); err != nil {
			break
		}
	}
	c.mu.Unlock()
	c.flush()
	return err
}

func (c *Conn) queue(now time.Time, payload []byte) error {
	if len(payload) <= atem.MaxPayload {
		return c.s.Queue(now, payload)
	}
	parts, err := atem.Split(payload, atem.MaxPayload)
	for _, part := range parts {
		if err := c.s.Queue(now, part); err != nil {
			return err
		}
	}
	return err
}

// Close tells the client that its session ends. It does not wait.
func (c *Conn) Close() error {
	c.mu.Lock()
	c.s.Close(time.Now())
	c.mu.Unlock()
	c.flush()
	return nil
}

func (c *Conn) state() (atem.Phase, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.s.Phase(), c.s.Err()
}

// receive takes a packet of the client.
func (c *Conn) receive(p *atem.Packet) {
	c.mu.Lock()
	payload, fresh := c.s.Receive(time.Now(), p)
	phase := c.s.Phase()
	c.mu.Unlock()
	if phase == atem.PhaseUp {
		c.call(payload, fresh)
	}
	// After the handler, so that the acknowledgement travels with what it had to say.
	c.flush()
	c.settle()
}

// call tells the handler what has come.
func (c *Conn) call(payload []byte, fresh bool) {
	c.calls.Lock()
	defer c.calls.Unlock()
	if c.told {
		return
	}
	if !c.opened {
		c.opened = true
		c.srv.opened.Add(1)
		c.srv.isOpen(c)
		c.srv.handler.Opened(c)
	}
	if fresh && len(payload) > 0 {
		c.srv.handler.Command(c, payload)
	}
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, atem.MaxPacket); return &b }}

// flush sends what is due, and sees to it that what is due later is not forgotten.
func (c *Conn) flush() {
	if due := c.transmit(); !due.IsZero() {
		c.srv.wake(due)
	}
}

// transmit sends what is due, and returns when the next thing is; zero: never.
func (c *Conn) transmit() time.Time {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		b, ok := c.s.Next(time.Now(), (*buf)[:0])
		if !ok {
			break
		}
		c.srv.write(b, c.addr)
	}
	c.due = c.s.Deadline()
	if c.s.Phase() >= atem.PhaseClosing && !c.settled {
		c.due = time.Now()
	}
	return c.due
}

// tick does what is due at now, and returns when the next thing is; zero: never.
func (c *Conn) tick(now time.Time) time.Time {
	c.mu.Lock()
	due := c.due
	c.mu.Unlock()
	if due.After(now) {
		return due
	}
	due = c.transmit()
	if c.settle() {
		return time.Time{}
	}
	return due
}

// settle tells the handler of the end, and forgets the session when it is over, which it reports.
func (c *Conn) settle() bool {
	phase, why := c.state()
	if phase < atem.PhaseClosing {
		return false
	}
	c.calls.Lock()
	if c.opened && !c.told {
		c.srv.handler.Closed(c, why)
	}
	c.told = true
	c.calls.Unlock()
	c.mu.Lock()
	c.settled = true
	c.mu.Unlock()
	c.srv.ended(c)
	if phase < atem.PhaseOver {
		return false
	}
	c.srv.remove(c)
	return true
}

// abandon ends the session without a word.
func (c *Conn) abandon() {
	c.mu.Lock()
	c.s.Abandon()
	c.mu.Unlock()
	c.flush()
}
