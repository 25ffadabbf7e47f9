// Package tunnel is the encrypted tunnel of Focusrite Control 2 as a net.Conn, for client and server alike.
package tunnel

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/protocol/fc2"
)

// HandshakeWithin is how long a handshake may take; programs in the field wait 3.5 to 4 seconds.
const HandshakeWithin = 4 * time.Second

// Conn is a tunnel over a connection whose writes are WebSocket messages. One Read and one Write may run at the same time.
type Conn struct {
	net.Conn
	t *fc2.Tunnel

	rmu  sync.Mutex
	in   []byte
	rest []byte // plain, not yet read

	ended atomic.Pointer[error] // why nothing more is read, set before the connection is closed for it

	wmu sync.Mutex
	out []byte
}

// Open makes the handshake over conn, which it owns from now on and closes after an error.
func Open(ctx context.Context, conn net.Conn, id fc2.Identity, peer fc2.PublicKey, side fc2.Side, random io.Reader) (*Conn, error) {
	c, err := open(ctx, conn, id, peer, side, random)
	if err != nil {
		conn.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("fc2 handshake: %w", err)
	}
	return c, nil
}

func open(ctx context.Context, conn net.Conn, id fc2.Identity, peer fc2.PublicKey, side fc2.Side, random io.Reader) (*Conn, error) {
	key, err := id.SessionKey(peer, side)
	if err != nil {
		return nil, err
	}
	t, err := fc2.NewTunnel(key, side, random)
	if err != nil {
		return nil, err
	}
	c := &Conn{Conn: conn, t: t, in: make([]byte, 16<<10)}
	ctx, cancel := context.WithTimeout(ctx, HandshakeWithin)
	defer cancel()
	if d, ok := ctx.Deadline(); ok {
		conn.SetDeadline(d)
	}
	cut := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(cut)
		conn.SetDeadline(time.Unix(1, 0))
	})
	unwatched := sync.OnceValue(func() bool { // a deadline set later than that would cut off the goodbye
		stopped := stop()
		if !stopped {
			<-cut
		}
		return stopped
	})
	defer unwatched()
	if first := t.Start(nil); len(first) > 0 {
		if _, err := conn.Write(first); err != nil {
			return nil, err
		}
	}
	for !t.Ready() {
		n, err := conn.Read(c.in)
		if err != nil {
			return nil, err
		}
		out, err := t.Receive(nil, c.in[:n])
		if err != nil {
			return nil, err
		}
		if len(out) > 0 {
			if _, err := conn.Write(out); err != nil {
				return nil, err
			}
		}
	}
	c.rest = t.Plain()
	if !unwatched() {
		return nil, ctx.Err()
	}
	conn.SetDeadline(time.Time{})
	return c, nil
}

// Read gives what the other side has said. A record that is not authentic ends the connection.
func (c *Conn) Read(p []byte) (int, error) {
	c.rmu.Lock()
	defer c.rmu.Unlock()
	for len(c.rest) == 0 {
		if why := c.ended.Load(); why != nil {
			return 0, *why
		}
		n, err := c.Conn.Read(c.in)
		if n > 0 {
			_, err = c.t.Receive(nil, c.in[:n])
			c.rest = c.t.Plain()
		}
		if err != nil {
			c.ended.Store(&err)
			c.Conn.Close()
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// Write sends p as whole records in one WebSocket message. After the end it gives the error that Read gave, whichever of the two
// meets it first.
func (c *Conn) Write(p []byte) (int, error) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	var err error
	if c.out, err = c.t.Seal(c.out[:0], p); err != nil {
		return 0, err
	}
	if _, err := c.Conn.Write(c.out); err != nil {
		if why := c.ended.Load(); why != nil {
			err = *why
		}
		return 0, err
	}
	return len(p), nil
}
