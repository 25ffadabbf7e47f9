package ocaws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/patchbay-io/patchbay/protocol/internal/wsdial"
)

// Conn is a WebSocket connection as a stream of bytes. Each Write is one binary frame. Deadlines hold for the connection below: one that passes
// during a Read or Write ends the connection.
type Conn struct {
	ws   *websocket.Conn
	raw  net.Conn
	path string

	admit func() // nil on the controller's side

	cancel context.CancelFunc
	ctx    context.Context // ends with Close

	mu sync.Mutex // of reading
	r  io.Reader  // the frame being read

	closeOnce sync.Once
}

func newConn(ws *websocket.Conn, raw net.Conn) *Conn {
	c := &Conn{ws: ws, raw: raw}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	ws.SetReadLimit(-1) // frames are a stream; the messages in it have a limit of their own
	return c
}

// Admit tells the server that the controller has shown who it is: it does not count for Options.MaxPerHost any more. The controller's side
// has nobody to tell.
func (c *Conn) Admit() {
	if c.admit != nil {
		c.admit()
	}
}

// Read gives bytes of binary frames.
func (c *Conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if c.r == nil {
			kind, r, err := c.ws.Reader(c.ctx)
			if err != nil {
				return 0, c.explain(err)
			}
			if kind != websocket.MessageBinary {
				if _, err := io.Copy(io.Discard, r); err != nil {
					return 0, c.explain(err)
				}
				continue
			}
			c.r = r
		}
		n, err := c.r.Read(p)
		if err == io.EOF {
			c.r, err = nil, nil
			if n == 0 {
				continue
			}
		}
		if err != nil {
			return n, c.explain(err)
		}
		return n, nil
	}
}

// explain makes an orderly end an io.EOF.
func (c *Conn) explain(err error) error {
	if c.ctx.Err() != nil {
		return net.ErrClosed
	}
	switch websocket.CloseStatus(err) {
	case websocket.StatusNormalClosure, websocket.StatusGoingAway, websocket.StatusNoStatusRcvd:
		return io.EOF
	case -1: // no close frame
	default:
		return err
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the connection ended in the middle of a frame: %w", io.ErrUnexpectedEOF)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("the connection ended without a goodbye: %w", io.EOF)
	}
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, net.ErrClosed) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrFrames, err)
}

// Write sends p as one binary frame.
func (c *Conn) Write(p []byte) (int, error) {
	if err := c.ws.Write(c.ctx, websocket.MessageBinary, p); err != nil {
		if c.ctx.Err() != nil {
			return 0, net.ErrClosed
		}
		return 0, err
	}
	return len(p), nil
}

// closeWait is how long the other side has to answer the goodbye.
const closeWait = 250 * time.Millisecond

// Close says goodbye and closes the connection. It may be called again.
func (c *Conn) Close() error {
	c.closeOnce.Do(func() {
		_ = c.raw.SetDeadline(time.Now().Add(closeWait))
		_ = c.ws.Close(websocket.StatusNormalClosure, "") // whatever it says, the connection is closed now
		c.cancel()
		_ = c.ws.CloseNow()
		_ = c.raw.Close()
	})
	return nil
}

// Path is the path that the controller asked for; of a connection that was dialled it is empty.
func (c *Conn) Path() string { return c.path }

// LocalAddr is this side's address.
func (c *Conn) LocalAddr() net.Addr { return c.raw.LocalAddr() }

// RemoteAddr is the other side's address.
func (c *Conn) RemoteAddr() net.Addr { return c.raw.RemoteAddr() }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error { return c.raw.SetDeadline(t) }

// SetReadDeadline sets the time after which a Read ends the connection.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.raw.SetReadDeadline(t) }

// SetWriteDeadline sets the time after which a Write ends the connection.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.raw.SetWriteDeadline(t) }

// Opener makes the connection below; (*net.Dialer).DialContext is one.
type Opener = wsdial.Opener

// DialOptions say how a device is reached: the path, which a device announces by DNS-SD and which is "/" when empty; TLS; and
// headers for the upgrade. The zero value is good.
type DialOptions = wsdial.Options

// Why a peer is none.
var (
	// ErrNotUpgraded: it answered the upgrade, with a refusal or with what is no HTTP.
	ErrNotUpgraded = wsdial.ErrNotUpgraded
	// ErrFrames: what came after the upgrade are no WebSocket frames.
	ErrFrames = errors.New("bytes that are no WebSocket frames")
)

// StatusError is the refusal of a peer that speaks HTTP. It satisfies errors.Is(err, ErrNotUpgraded).
type StatusError = wsdial.StatusError

// Dial connects to addr and upgrades to WebSocket. ctx bounds that, not the connection. A peer that refuses the upgrade is a
// *[StatusError].
func Dial(ctx context.Context, open Opener, addr string, o DialOptions) (*Conn, error) {
	ws, raw, err := wsdial.Dial(ctx, open, addr, o)
	if err != nil {
		return nil, fmt.Errorf("oca websocket %s: %w", addr, err)
	}
	return newConn(ws, raw), nil
}
