package tcpserver

import (
	"net"
	"sync"
	"time"
)

// Conn is an accepted connection that keeps the server's deadlines. Reads and writes may happen at the same time; two
// reads may not.
type Conn struct {
	net.Conn
	raw net.Conn // without Options.Wrap
	srv *Server
	id  uint64

	admitted bool // guarded by srv.mu

	mu    sync.Mutex
	idle  bool // between two messages
	woken bool // the server shuts down
}

// ID is a number that is unique in the server, counted from 1.
func (c *Conn) ID() uint64 { return c.id }

// Admit tells that the peer has shown who it is, and is no stranger: it does not count for Options.MaxPerHost any more.
func (c *Conn) Admit() {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	c.admitted = true
}

// NextMessage tells that the bytes read from now on begin a new message: the idle timeout holds until its first byte, the
// read timeout from there to the next call. A connection starts as if it had been called.
func (c *Conn) NextMessage() {
	c.mu.Lock()
	c.idle = true
	c.mu.Unlock()
}

// Read reads under the deadline of the present phase. A deadline can only fail to be set on a closed connection, which the
// read itself then reports. Between two messages of a server that shuts down it gives
// [ErrServerClosed].
func (c *Conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	waiting := c.idle
	if waiting {
		if c.woken {
			c.mu.Unlock()
			return 0, ErrServerClosed
		}
		// The lock is held so that wake cannot set its deadline before this one.
		_ = c.Conn.SetReadDeadline(deadline(c.srv.opts.IdleTimeout))
	}
	c.mu.Unlock()

	n, err := c.Conn.Read(p)

	c.mu.Lock()
	defer c.mu.Unlock()
	if waiting && n > 0 {
		c.idle = false
		_ = c.Conn.SetReadDeadline(deadline(c.srv.opts.ReadTimeout))
	}
	if err != nil && waiting && n == 0 && c.woken {
		err = ErrServerClosed
	}
	return n, err
}

// Write writes under the write timeout.
func (c *Conn) Write(p []byte) (int, error) {
	if d := c.srv.opts.WriteTimeout; d > 0 {
		_ = c.Conn.SetWriteDeadline(deadline(d))
	}
	return c.Conn.Write(p)
}

// Reset closes so that the peer sees a reset where the transport can do that; else it closes.
func (c *Conn) Reset() {
	if l, ok := c.raw.(interface{ SetLinger(int) error }); ok {
		_ = l.SetLinger(0)
	}
	c.Close()
}

// wake ends the wait for the next message.
func (c *Conn) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.woken = true
	if c.idle {
		_ = c.Conn.SetReadDeadline(time.Unix(1, 0))
	}
}

func deadline(d time.Duration) time.Time {
	if d <= 0 {
		return time.Time{}
	}
	return time.Now().Add(d)
}
