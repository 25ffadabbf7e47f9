package fault

import (
	"net"
	"os"
	"sync"
	"time"
)

// Conn puts the faults around a connection. reset ends the connection as a power cut would; nil finds the way by itself,
// which works when c is a TCP connection or one of internal/testnet.
func (s *Set) Conn(c net.Conn, reset func()) net.Conn {
	if reset == nil {
		reset = func() { Reset(c) }
	}
	return &conn{Conn: c, set: s, reset: reset, closed: make(chan struct{}), moved: make(chan struct{})}
}

// Reset resets a connection: TCP's RST where c can, else it is closed.
func Reset(c net.Conn) {
	if l, ok := c.(interface{ SetLinger(int) error }); ok {
		_ = l.SetLinger(0) // then closing resets
	}
	_ = c.Close()
}

// conn damages what is written to it.
type conn struct {
	net.Conn
	set   *Set
	reset func()

	writing sync.Mutex // one Write at a time, as its pieces belong together
	sent    int64      // guarded by writing

	mu       sync.Mutex
	isClosed bool
	closed   chan struct{}
	moved    chan struct{} // closed when a deadline changes
	readBy   time.Time
	writeBy  time.Time
}

// Close ends the connection and everything that waits in it.
func (c *conn) Close() error {
	c.mu.Lock()
	if !c.isClosed {
		c.isClosed = true
		close(c.closed)
	}
	c.mu.Unlock()
	return c.Conn.Close()
}

// CloseWrite passes the end of one direction on where the connection can.
func (c *conn) CloseWrite() error {
	if h, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return h.CloseWrite()
	}
	return c.Close()
}

// SetLinger lets a server reset the connection through the faults.
func (c *conn) SetLinger(sec int) error {
	if l, ok := c.Conn.(interface{ SetLinger(int) error }); ok {
		return l.SetLinger(sec)
	}
	return nil
}

// Read waits while the connection is stalled.
func (c *conn) Read(p []byte) (int, error) {
	if err := c.stalled(false); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// Write sends p with the faults that are on now.
func (c *conn) Write(p []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := c.stalled(true); err != nil {
		return 0, err
	}
	f, _ := c.set.get()
	if f == (Faults{}) {
		n, err := c.Conn.Write(p)
		c.sent += int64(n)
		return n, err
	}
	if f.Reset {
		c.reset()
		_ = c.Close()
		return 0, c.opError("write", ErrReset)
	}
	if err := c.wait(f.Delay+c.set.jitter(f.Jitter), true); err != nil {
		return 0, err
	}
	out := c.set.corrupt(p, f.Corrupt)
	for done := 0; done < len(out); {
		piece := out[done:]
		if f.Split > 0 && len(piece) > f.Split {
			piece = piece[:f.Split]
		}
		if done > 0 {
			if err := c.wait(f.Gap, true); err != nil {
				return done, err
			}
		}
		n, err := c.piece(piece, f)
		done += n
		if err != nil {
			return done, err
		}
	}
	return len(p), nil
}

// piece writes b as far as the connection is allowed to live.
func (c *conn) piece(b []byte, f Faults) (int, error) {
	limit, reason := f.CutAfter, ErrCut
	if f.ResetAfter > 0 {
		limit, reason = f.ResetAfter, ErrReset
	}
	end := limit > 0 && c.sent+int64(len(b)) >= limit
	if end {
		b = b[:max(limit-c.sent, 0)]
	}
	n, err := c.Conn.Write(b)
	c.sent += int64(n)
	if err != nil || !end {
		return n, err
	}
	if reason == ErrReset {
		c.reset()
	}
	_ = c.Close()
	return n, c.opError("write", reason)
}

// stalled waits until the connection is not stalled.
func (c *conn) stalled(write bool) error {
	for {
		f, changed := c.set.get()
		if !f.Stall {
			return nil
		}
		if err := c.until(changed, nil, write); err != nil {
			return err
		}
	}
}

// wait waits for d.
func (c *conn) wait(d time.Duration, write bool) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	return c.until(nil, t.C, write)
}

// until waits for one of two things; the error is about the deadline or the end of the connection.
func (c *conn) until(changed <-chan struct{}, timer <-chan time.Time, write bool) error {
	for {
		c.mu.Lock()
		by, moved, op := c.readBy, c.moved, "read"
		if write {
			by, op = c.writeBy, "write"
		}
		c.mu.Unlock()
		var deadline <-chan time.Time
		if !by.IsZero() {
			left := time.Until(by)
			if left <= 0 {
				return c.opError(op, os.ErrDeadlineExceeded)
			}
			t := time.NewTimer(left)
			defer t.Stop() // few turns: each is a change of a deadline
			deadline = t.C
		}
		select {
		case <-changed:
			return nil
		case <-timer:
			return nil
		case <-c.closed:
			return c.opError(op, net.ErrClosed)
		case <-deadline:
			return c.opError(op, os.ErrDeadlineExceeded)
		case <-moved:
		}
	}
}

func (c *conn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: c.LocalAddr().Network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	c.move(&t, &t)
	return c.Conn.SetDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.move(&t, nil)
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline implements net.Conn.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.move(nil, &t)
	return c.Conn.SetWriteDeadline(t)
}

func (c *conn) move(read, write *time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if read != nil {
		c.readBy = *read
	}
	if write != nil {
		c.writeBy = *write
	}
	close(c.moved)
	c.moved = make(chan struct{})
}
