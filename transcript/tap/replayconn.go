package tap

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/patchbay-io/patchbay/transcript"
)

// maxRequest is how many bytes an answering replay keeps while a request is incomplete.
const maxRequest = 1 << 20

// turn is what the client says and what the server says then.
type turn struct {
	ask, answer []byte
	used        int
}

// ReplayConn is the client's end of one recorded flow. It starts no goroutine: writes are compared at once and release
// what the server answered.
type ReplayConn struct {
	flow   uint32
	addr   replayAddr
	split  Splitter
	turns  []turn
	ending error // what a read meets when everything has been played

	mu      sync.Mutex
	cond    *sync.Cond
	at, pos int    // strict: the turn, and how much of its ask has come
	pending []byte // answering: an incomplete request
	sent    int64
	out     []byte // for the client to read
	played  bool
	closed  bool
	err     error
	readBy  time.Time
	writeBy time.Time
	timer   *time.Timer
}

type replayAddr string

func (replayAddr) Network() string  { return "tcp" }
func (a replayAddr) String() string { return string(a) }

func newReplayConn(t *transcript.Transcript, flow uint32, split Splitter, addr string) *ReplayConn {
	c := &ReplayConn{flow: flow, addr: replayAddr(addr), split: split, ending: io.EOF}
	c.cond = sync.NewCond(&c.mu)
	c.turns = []turn{{}} // the first asks nothing: a greeting
	for i := range t.Events {
		e := &t.Events[i]
		if e.Flow != flow {
			continue
		}
		last := &c.turns[len(c.turns)-1]
		switch {
		case e.Kind == transcript.Reset && e.Dir == transcript.FromServer:
			c.ending = os.NewSyscallError("read", syscall.ECONNRESET)
		case e.Kind != transcript.Data || len(e.Data) == 0:
		case e.Dir == transcript.FromServer:
			last.answer = append(last.answer, e.Data...)
		case len(last.answer) == 0 && len(c.turns) > 1:
			last.ask = append(last.ask, e.Data...)
		default:
			c.turns = append(c.turns, turn{ask: append([]byte(nil), e.Data...)})
		}
	}
	c.out = append(c.out, c.turns[0].answer...)
	c.turns = c.turns[1:]
	if split != nil {
		c.turns = splitTurns(c.turns, split)
	}
	c.played = split == nil && len(c.turns) == 0
	return c
}

// splitTurns makes a turn of each recorded request. When the client sent several before the server spoke, the answers are
// handed to the last of them unless the same splitter finds one reply for each.
func splitTurns(turns []turn, split Splitter) []turn {
	var out []turn
	for _, t := range turns {
		asks, answers := cutAll(t.ask, split), cutAll(t.answer, split)
		for i, a := range asks {
			n := turn{ask: a}
			switch {
			case len(asks) == len(answers):
				n.answer = answers[i]
			case i == len(asks)-1:
				n.answer = t.answer
			}
			out = append(out, n)
		}
	}
	return out
}

func cutAll(b []byte, split Splitter) [][]byte {
	var out [][]byte
	for len(b) > 0 {
		n, err := split(b)
		if err != nil || n <= 0 || n > len(b) {
			n = len(b)
		}
		out = append(out, b[:n])
		b = b[n:]
	}
	return out
}

// Err is the first difference between client and recording, an *[Difference], or nil.
func (c *ReplayConn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *ReplayConn) unsent() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || c.at == len(c.turns) {
		return c.err
	}
	return fmt.Errorf("flow %d: the client stopped at byte %d; the recording goes on with [% x]", c.flow, c.sent, clip(c.turns[c.at].ask[c.pos:]))
}

func (c *ReplayConn) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Addr: c.addr, Err: err}
}

// Read gives what the recorded server said in answer to what has been written so far. After all of it, it meets the
// recorded end: io.EOF, or a reset.
func (c *ReplayConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case c.closed:
			return 0, c.opError("read", net.ErrClosed)
		case passed(c.readBy):
			return 0, c.opError("read", os.ErrDeadlineExceeded)
		case len(p) == 0:
			return 0, nil
		case len(c.out) > 0:
			n := copy(p, c.out)
			c.out = c.out[n:]
			return n, nil
		case c.err != nil:
			return 0, c.opError("read", c.err)
		case c.played && c.ending == io.EOF:
			return 0, io.EOF
		case c.played:
			return 0, c.opError("read", c.ending)
		}
		c.cond.Wait()
	}
}

// Write compares, or looks the request up. The first difference is returned, here and by every later call.
func (c *ReplayConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return 0, c.opError("write", net.ErrClosed)
	case passed(c.writeBy):
		return 0, c.opError("write", os.ErrDeadlineExceeded)
	case c.err != nil:
		return 0, c.opError("write", c.err)
	}
	defer c.cond.Broadcast()
	n := 0
	if c.split == nil {
		n = c.compare(p)
	} else {
		n = c.answer(p)
	}
	if c.err != nil {
		return n, c.opError("write", c.err)
	}
	return n, nil
}

func (c *ReplayConn) compare(p []byte) (n int) {
	for n < len(p) {
		if c.at == len(c.turns) {
			c.err = &Difference{Flow: c.flow, Offset: c.sent, Got: clip(p[n:])}
			return n
		}
		t := &c.turns[c.at]
		if p[n] != t.ask[c.pos] {
			c.err = &Difference{Flow: c.flow, Offset: c.sent, Want: clip(t.ask[c.pos:]), Got: clip(p[n:])}
			return n
		}
		n++
		c.pos++
		c.sent++
		if c.pos == len(t.ask) {
			c.out = append(c.out, t.answer...)
			c.at, c.pos = c.at+1, 0
			c.played = c.at == len(c.turns)
		}
	}
	return n
}

func (c *ReplayConn) answer(p []byte) int {
	c.pending = append(c.pending, p...)
	for len(c.pending) > 0 {
		n, err := c.split(c.pending)
		switch {
		case err != nil:
			c.err = fmt.Errorf("flow %d: what the client sent at byte %d is no message [% x]: %w", c.flow, c.sent, clip(c.pending), err)
			return 0
		case n <= 0 || n > len(c.pending):
			if len(c.pending) > maxRequest {
				c.err = fmt.Errorf("flow %d: a request at byte %d is longer than %d bytes", c.flow, c.sent, maxRequest)
				return 0
			}
			return len(p)
		}
		t := c.find(c.pending[:n])
		if t == nil {
			c.err = &Difference{Flow: c.flow, Offset: c.sent, Got: clip(c.pending[:n])}
			return 0
		}
		t.used++
		c.out = append(c.out, t.answer...)
		c.sent += int64(n)
		c.pending = c.pending[n:]
	}
	return len(p)
}

// find is the least used turn with this request, the earliest of several.
func (c *ReplayConn) find(ask []byte) *turn {
	var best *turn
	for i := range c.turns {
		if t := &c.turns[i]; bytes.Equal(t.ask, ask) && (best == nil || t.used < best.used) {
			best = t
		}
	}
	return best
}

// Close implements net.Conn and may be called again.
func (c *ReplayConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.timer != nil {
		c.timer.Stop()
	}
	c.cond.Broadcast()
	return nil
}

// LocalAddr implements net.Conn.
func (c *ReplayConn) LocalAddr() net.Addr { return replayAddr("replay") }

// RemoteAddr is the address that was dialled.
func (c *ReplayConn) RemoteAddr() net.Addr { return c.addr }

func passed(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }

// SetDeadline implements net.Conn.
func (c *ReplayConn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline implements net.Conn.
func (c *ReplayConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.opError("set", net.ErrClosed)
	}
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	c.readBy = t
	if wait := time.Until(t); !t.IsZero() && wait > 0 {
		c.timer = time.AfterFunc(wait, func() {
			c.mu.Lock()
			c.cond.Broadcast()
			c.mu.Unlock()
		})
	}
	c.cond.Broadcast()
	return nil
}

// SetWriteDeadline implements net.Conn. Writes never wait, so only a time in the past matters.
func (c *ReplayConn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.opError("set", net.ErrClosed)
	}
	c.writeBy = t
	return nil
}
