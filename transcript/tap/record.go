package tap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/patchbay-io/patchbay/transcript"
)

// Side says which end of a flow is wrapped.
type Side uint8

// The sides.
const (
	Client Side = iota // what the wrapped end writes goes from client to server
	Server             // what the wrapped end writes goes from server to client
)

func (s Side) out() transcript.Direction {
	if s == Server {
		return transcript.FromServer
	}
	return transcript.FromClient
}

func (s Side) in() transcript.Direction { return (1 - s).out() }

// maxEvent is how many bytes one event holds; a larger read or write becomes several events.
const maxEvent = 16 << 10

// Recorder writes what passes through the things that it wraps. It is safe for concurrent use. Recording never disturbs
// the conversation: after the first error of the writer it stops, and the conversation goes on. Its memory is bounded by
// the text of one event.
type Recorder struct {
	mu    sync.Mutex
	w     *transcript.Writer
	start time.Time
	flows uint32
	event transcript.Event
	err   error
}

// NewRecorder writes the header to w. Each event is one Write of w; who wants fewer gives a bufio.Writer and flushes it.
func NewRecorder(w io.Writer, h *transcript.Header) (*Recorder, error) {
	tw, err := transcript.NewWriter(w, h)
	if err != nil {
		return nil, err
	}
	return &Recorder{w: tw, start: time.Now()}, nil
}

// Err is the error that ended the recording, or nil.
func (r *Recorder) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

func (r *Recorder) put(flow uint32, dir transcript.Direction, kind transcript.Kind, text string, data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for first := true; r.err == nil && (first || len(data) > 0); first = false {
		n := len(data)
		if kind == transcript.Data {
			n = min(n, maxEvent)
		}
		r.event = transcript.Event{Flow: flow, Dir: dir, Kind: kind, Text: text, Data: data[:n],
			Offset: time.Since(r.start).Truncate(time.Microsecond)}
		r.err = r.w.Write(&r.event)
		data = data[n:]
	}
	r.event.Data = nil
}

func (r *Recorder) newFlow(text string) uint32 {
	r.mu.Lock()
	r.flows++
	flow := r.flows
	r.mu.Unlock()
	r.put(flow, transcript.Neither, transcript.Open, text, nil)
	return flow
}

// Note writes a remark about a flow, or about flow 0 when it is about the recording.
func (r *Recorder) Note(flow uint32, text string) {
	r.put(flow, transcript.Neither, transcript.Note, text, nil)
}

// Conn wraps a connection as a new flow. The result has CloseWrite, which fails with errors.ErrUnsupported when c has none.
func (r *Recorder) Conn(c net.Conn, side Side) net.Conn {
	addr := c.RemoteAddr()
	if side == Server {
		addr = c.LocalAddr()
	}
	return &conn{Conn: c, r: r, side: side, flow: r.newFlow(addr.Network() + " " + addr.String())}
}

// Listener wraps what l accepts.
func (r *Recorder) Listener(l net.Listener) net.Listener { return &listener{l, r} }

// Dialer is the shape of net.Dialer.DialContext.
type Dialer = func(ctx context.Context, network, addr string) (net.Conn, error)

// Dial wraps what dial connects. A failed dial is a flow with a note.
func (r *Recorder) Dial(dial Dialer) Dialer {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			r.Note(r.newFlow(network+" "+addr), fmt.Sprintf("dial: %q", err.Error()))
			return nil, err
		}
		return r.Conn(c, Client), nil
	}
}

type listener struct {
	net.Listener
	r *Recorder
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.r.Conn(c, Server), nil
}

type conn struct {
	net.Conn
	r    *Recorder
	flow uint32
	side Side

	mu            sync.Mutex
	inEnd, outEnd bool // the end of that direction is in the recording
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.r.put(c.flow, c.side.in(), transcript.Data, "", p[:n])
	}
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		c.end(&c.inEnd, c.side.in(), transcript.Close)
	case errors.Is(err, syscall.ECONNRESET):
		c.end(&c.inEnd, c.side.in(), transcript.Reset)
	}
	return n, err
}

// Write records first, since the answer may be read before the write returns.
func (c *conn) Write(p []byte) (int, error) {
	if len(p) > 0 {
		c.r.put(c.flow, c.side.out(), transcript.Data, "", p)
	}
	n, err := c.Conn.Write(p)
	if n < len(p) {
		c.r.Note(c.flow, fmt.Sprintf("only %d of the last %d bytes from the %v were sent", n, len(p), c.side.out()))
	}
	return n, err
}

func (c *conn) CloseWrite() error {
	h, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	c.end(&c.outEnd, c.side.out(), transcript.Close)
	return h.CloseWrite()
}

// SetLinger lets a server reset the connection through the recorder; with 0 its end is recorded as a reset.
func (c *conn) SetLinger(sec int) error {
	l, ok := c.Conn.(interface{ SetLinger(int) error })
	if !ok {
		return errors.ErrUnsupported
	}
	if sec == 0 {
		c.end(&c.outEnd, c.side.out(), transcript.Reset)
	}
	return l.SetLinger(sec)
}

func (c *conn) Close() error {
	c.end(&c.outEnd, c.side.out(), transcript.Close)
	return c.Conn.Close()
}

// end records the end of one direction, once.
func (c *conn) end(done *bool, dir transcript.Direction, kind transcript.Kind) {
	c.mu.Lock()
	was := *done
	*done = true
	c.mu.Unlock()
	if !was {
		c.r.put(c.flow, dir, kind, "", nil)
	}
}
