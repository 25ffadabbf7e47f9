package testnet

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// DefaultBuffer is how many bytes each direction holds when nothing else is asked for.
const DefaultBuffer = 64 << 10

// Conn is one end of a connection in memory. It behaves like TCP: what was written before a close arrives, then io.EOF;
// a write to an end that has closed fails with EPIPE. After SetLinger(0) a close is a reset: the peer fails with ECONNRESET
// and this end with net.ErrClosed. [Conn.Reset] is a fault of the network instead: it makes both ends fail with ECONNRESET.
// Errors are *net.OpError.
type Conn struct {
	in, out       *Link
	both          [2]*Link // in and out, in the order in which both ends lock them
	abortive      bool     // closing resets; guarded by in
	local, remote net.Addr
	peer          *Conn
}

// Addr is an address of the network in memory.
type Addr struct{ Net, Name string }

// Network is "tcp" or "udp", so that code that looks at it takes its usual way.
func (a Addr) Network() string { return a.Net }

// String is "host:port".
func (a Addr) String() string { return a.Name }

// Pipe makes a connection; each direction holds buffer bytes, [DefaultBuffer] when it is 0.
func Pipe(buffer int) (client, server *Conn) {
	return pipe(buffer, Addr{"tcp", "192.0.2.1:40000"}, Addr{"tcp", "192.0.2.2:1"})
}

func pipe(buffer int, client, server net.Addr) (*Conn, *Conn) {
	if buffer <= 0 {
		buffer = DefaultBuffer
	}
	up, down := newLink(buffer), newLink(buffer)
	both := [2]*Link{up, down}
	c := &Conn{in: down, out: up, both: both, local: client, remote: server}
	s := &Conn{in: up, out: down, both: both, local: server, remote: client}
	c.peer, s.peer = s, c
	return c, s
}

// Peer is the other end.
func (c *Conn) Peer() *Conn { return c.peer }

// In is the direction that c reads from; Out the one that it writes to.
func (c *Conn) In() *Link { return c.in }

// Out is the direction that c writes to.
func (c *Conn) Out() *Link { return c.out }

// Read implements net.Conn.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.in.readSome(p)
	if err == errCut { // it takes the lock of both directions
		c.Reset()
		err = syscall.ECONNRESET
	}
	return n, c.opError("read", err)
}

// Write implements net.Conn. It returns when everything is in the buffer.
func (c *Conn) Write(p []byte) (int, error) {
	n, err := c.out.writeAll(p)
	return n, c.opError("write", err)
}

func (c *Conn) opError(op string, err error) error {
	switch err {
	case nil, io.EOF:
		return err
	case syscall.EPIPE, syscall.ECONNRESET:
		err = os.NewSyscallError(op, err)
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

// Close implements net.Conn. What was written before still arrives, unless SetLinger(0) was called. It never blocks and may
// be called again.
func (c *Conn) Close() error {
	c.change(func() {
		if c.in.rclosed {
			return
		}
		if c.abortive {
			c.breakOff()
		}
		c.out.eof, c.out.wclosed = true, true
		c.out.writeBy.stop()
		c.in.gone, c.in.rclosed = true, true
		c.in.readBy.stop()
	})
	return nil
}

// SetLinger has the shape of net.TCPConn's: after 0, Close resets the connection. Other values change nothing here, as
// nothing is on its way after a close.
func (c *Conn) SetLinger(sec int) error {
	closed := false
	c.in.change(func() {
		if closed = c.in.rclosed; !closed {
			c.abortive = sec == 0
		}
	})
	return c.closedError("set", closed)
}

// CloseWrite finishes the sending direction: the peer reads what is buffered and then io.EOF, and may go on sending.
func (c *Conn) CloseWrite() error {
	c.out.change(func() { c.out.eof = true })
	return nil
}

// Reset breaks the connection: reads and writes of both ends fail with ECONNRESET and what was buffered is lost. An end
// that is closed already stays closed.
func (c *Conn) Reset() { c.change(c.breakOff) }

// breakOff is called with both directions locked.
func (c *Conn) breakOff() {
	for _, l := range c.both {
		l.reset, l.buf = syscall.ECONNRESET, nil
	}
}

// change runs f with both directions locked, so that no one sees the one changed and the other not, and wakes whoever waits.
func (c *Conn) change(f func()) {
	for _, l := range c.both {
		l.mu.Lock()
		defer l.mu.Unlock()
		defer l.cond.Broadcast()
	}
	f()
}

// Closed reports whether this end was closed by its owner.
func (c *Conn) Closed() bool {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	return c.in.rclosed
}

// LocalAddr implements net.Conn.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error {
	closed := false
	c.in.change(func() {
		if closed = c.in.rclosed; !closed {
			c.in.readBy.set(c.in, t)
		}
	})
	return c.closedError("set", closed)
}

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	closed := false
	c.out.change(func() {
		if closed = c.out.wclosed; !closed {
			c.out.writeBy.set(c.out, t)
		}
	})
	return c.closedError("set", closed)
}

func (c *Conn) closedError(op string, closed bool) error {
	if !closed {
		return nil
	}
	return c.opError(op, net.ErrClosed)
}
