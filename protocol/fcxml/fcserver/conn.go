package fcserver

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/patchbay-io/patchbay/protocol/fcxml"
	"github.com/patchbay-io/patchbay/protocol/internal/tcpserver"
)

// maxQueued is how many messages may wait for a program. One that is so far behind is disconnected: values that wait are
// merged, so only a program that reads nothing gets there.
const maxQueued = 512

// Conn is one program. All methods may be called at the same time; none of them blocks.
type Conn struct {
	srv  *Server
	tcp  *tcpserver.Conn
	wake chan struct{}
	sets atomic.Uint64

	mu       sync.Mutex
	details  fcxml.ClientDetails
	greeting bool // the frames of the greeting are not all out
	composed bool // the handler has said all of the greeting; nothing leaves before
	devices  map[string]bool
	queue    []queued
	sent     int
	over     bool
}

// queued is a message that waits. pushed is a set that later values may still be merged into.
type queued struct {
	m      fcxml.Message
	pushed bool
}

// ID is unique in the server, counted from 1.
func (c *Conn) ID() uint64 { return c.tcp.ID() }

// RemoteAddr is where the program is.
func (c *Conn) RemoteAddr() net.Addr { return c.tcp.RemoteAddr() }

// Details are what the program said about itself; empty before it did.
func (c *Conn) Details() fcxml.ClientDetails {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.details
}

// Sets is how many set messages the program has sent.
func (c *Conn) Sets() uint64 { return c.sets.Load() }

// Close ends the connection.
func (c *Conn) Close() error { return c.tcp.Close() }

func (c *Conn) known() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.details.Key != ""
}

// Send sends a message after everything that waits already.
func (c *Conn) Send(m fcxml.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(queued{m: m})
}

// Snapshot subscribes the program to the device and sends all its values. It keeps items.
func (c *Conn) Snapshot(device string, items []fcxml.Assign) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.devices[device] = true
	c.add(queued{m: fcxml.Set{Device: device, Items: items}})
}

// Push sends values when the program has subscribed to the device. Values that wait for a slow program are replaced by newer
// ones. It keeps no reference to items.
func (c *Conn) Push(device string, items []fcxml.Assign) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.devices[device] || len(items) == 0 {
		return
	}
	if n := len(c.queue); n > 0 && c.queue[n-1].pushed {
		if s := c.queue[n-1].m.(fcxml.Set); s.Device == device {
			s.Items = merge(s.Items, items)
			c.queue[n-1].m = s
			return
		}
	}
	c.add(queued{m: fcxml.Set{Device: device, Items: append([]fcxml.Assign(nil), items...)}, pushed: true})
}

// merge puts newer values in the place of older ones.
func merge(old, news []fcxml.Assign) []fcxml.Assign {
	at := make(map[uint32]int, len(old))
	for i, it := range old {
		at[it.ID] = i
	}
	for _, it := range news {
		if i, ok := at[it.ID]; ok {
			old[i].Value = it.Value
			continue
		}
		at[it.ID] = len(old)
		old = append(old, it)
	}
	return old
}

// add is called with the lock held.
func (c *Conn) add(q queued) {
	if c.over {
		return
	}
	if len(c.queue) >= maxQueued {
		c.over = true
		c.tcp.Reset()
		return
	}
	c.queue = append(c.queue, q)
	c.rouse()
}

// rouse makes write look at the queue.
func (c *Conn) rouse() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// take gives the next message, or all of them when frames are to be joined. greeting says that a pause follows. A greeting is taken when
// it is complete: else its pauses and joins would depend on who is quicker.
func (c *Conn) take() (out []queued, greeting bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.composed && c.greeting {
		return nil, false
	}
	n := min(1, len(c.queue))
	if c.srv.opts.Faults.Join {
		n = len(c.queue)
	}
	out = append(out, c.queue[:n]...)
	c.queue = append(c.queue[:0], c.queue[n:]...)
	greeting = c.greeting
	if len(c.queue) == 0 && n > 0 {
		c.greeting = false
	}
	c.sent += n
	return out, greeting && len(c.queue) > 0
}

// write sends what waits until ctx or the connection ends.
func (c *Conn) write(ctx context.Context) {
	var buf []byte
	faults := c.srv.opts.Faults
	for {
		messages, greeting := c.take()
		if len(messages) == 0 {
			select {
			case <-c.wake:
				continue
			case <-ctx.Done():
				return
			}
		}
		buf = buf[:0]
		for _, q := range messages {
			buf = faults.frame(buf, q.m)
		}
		if !c.pieces(ctx, buf) {
			return
		}
		if faults.ResetAfter > 0 && c.sent >= faults.ResetAfter {
			c.tcp.Reset()
			return
		}
		if greeting && c.srv.opts.GreetingPause > 0 && !sleep(ctx, c.srv.opts.GreetingPause) {
			return
		}
	}
}

// frame writes a frame with the mistakes that are asked for.
func (f Faults) frame(dst []byte, m fcxml.Message) []byte {
	if !f.Characters && !f.Upper {
		return fcxml.AppendMessage(dst, m)
	}
	start := len(dst)
	payload := m.AppendXML(nil)
	dst = fcxml.Frame{Payload: payload, Lower: !f.Upper}.Append(dst)
	if f.Characters {
		counted := fcxml.Frame{Payload: make([]byte, utf8.RuneCount(payload)), Lower: !f.Upper}.Append(nil)
		copy(dst[start:start+fcxml.HeaderSize], counted)
	}
	return dst
}

// pieces writes b in one write, or in the pieces that are asked for.
func (c *Conn) pieces(ctx context.Context, b []byte) bool {
	size := c.srv.opts.Faults.Cut
	if size <= 0 {
		size = len(b)
	}
	for len(b) > 0 {
		n := min(size, len(b))
		if _, err := c.tcp.Write(b[:n]); err != nil {
			return false
		}
		if b = b[n:]; len(b) > 0 && !sleep(ctx, pieceGap) {
			return false
		}
	}
	return true
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
