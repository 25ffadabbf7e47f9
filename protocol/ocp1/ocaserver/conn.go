package ocaserver

import (
	"bufio"
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/protocol/ocp1"
)

// Conn is one connection of a controller.
type Conn struct {
	srv  *Server
	conn net.Conn
	id   uint64
	wg   sync.WaitGroup

	version  atomic.Uint32 // of the last message
	calls    atomic.Int32  // of custom objects, running
	commands atomic.Uint64
	refused  atomic.Uint64
	events   atomic.Uint64
	merged   atomic.Uint64

	// Guarded by the device's lock.
	subs  map[*subscription]struct{}
	locks map[*Object]struct{}

	writing chan struct{} // of size 1, full while somebody writes, which may take long: a controller need not read
	renew   time.Time     // when the deadline of writing is moved on; of whoever writes

	mu     sync.Mutex // of what follows
	quiet  bool
	over   bool
	queue  []event
	queued map[eventKey]int // places in queue
	spare  []event

	wake  chan struct{}
	alive chan bool // a keep-alive has come, in milliseconds or not
	heard atomic.Int64
	sent  atomic.Int64
	every atomic.Int64 // the interval that the controller has told; 0: none
}

type eventKey struct {
	sub  *subscription
	prop ocp1.ID
}

type event struct {
	key  eventKey
	data []byte
}

// ID is a number that is unique in the server, counted from 1.
func (c *Conn) ID() uint64 { return c.id }

// RemoteAddr is the controller's address.
func (c *Conn) RemoteAddr() net.Addr { return c.conn.RemoteAddr() }

// Commands is how many commands the controller has sent, Refused how many of them were not carried out.
func (c *Conn) Commands() uint64 { return c.commands.Load() }

// Refused is how many commands ended with another status than OK.
func (c *Conn) Refused() uint64 { return c.refused.Load() }

// Events is how many events went to the controller, Merged how many did not, because a newer value of the same property came first.
func (c *Conn) Events() uint64 { return c.events.Load() }

// Merged is how many events were replaced by newer ones before they could be sent.
func (c *Conn) Merged() uint64 { return c.merged.Load() }

// Close ends the connection.
func (c *Conn) Close() error { return c.conn.Close() }

// protocol is the version to answer in.
func (c *Conn) protocol() uint16 {
	if v := c.version.Load(); v != 0 {
		return uint16(v)
	}
	return ocp1.Version1
}

// splitAt is the length in bytes from which on a message gets no further PDU.
const splitAt = 32 << 10

// serve serves the connection until it ends.
func (c *Conn) serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer c.end()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { c.conn.Close() })
	defer stop()
	c.heard.Store(time.Now().UnixNano())
	c.wg.Go(func() { c.write(ctx) })
	phases := &phased{conn: c.conn, timeout: c.srv.opts.MessageTimeout}
	in := bufio.NewReaderSize(phases, 16<<10)
	r := ocp1.NewReader(in, c.srv.opts.MaxMessage)
	var out []byte
	for {
		phases.between = in.Buffered() == 0
		m, err := r.Next()
		if err != nil {
			return err
		}
		c.heard.Store(time.Now().UnixNano())
		c.version.Store(uint32(m.Version))
		switch m.Type {
		case ocp1.TypeCommand, ocp1.TypeCommandRrq:
			if out, err = c.message(ctx, m, out[:0]); err != nil {
				return err
			}
		case ocp1.TypeKeepAlive:
			if err := c.keepAlive(m); err != nil {
				return err
			}
		} // a controller has no reason to send anything else, and it is left alone
	}
}

// phased reads under a deadline inside a message, and without one between two: most messages come whole, and need none.
type phased struct {
	conn    net.Conn
	timeout time.Duration
	between bool
}

func (p *phased) Read(b []byte) (int, error) {
	if p.between {
		p.between = false
		return p.conn.Read(b)
	}
	p.conn.SetReadDeadline(time.Now().Add(p.timeout))
	n, err := p.conn.Read(b)
	p.conn.SetReadDeadline(time.Time{})
	return n, err
}

// message carries out the commands of a message and sends the responses together.
func (c *Conn) message(ctx context.Context, m ocp1.Message, out []byte) ([]byte, error) {
	rrq := m.Type == ocp1.TypeCommandRrq
	p := m.PDUs()
	count, at := 0, 0
	for {
		cmd, ok := p.Command()
		if !ok {
			break
		}
		c.commands.Add(1)
		if count == 0 {
			out, at = ocp1.BeginMessage(out[:0], m.Version, ocp1.TypeResponse)
		}
		var now bool
		if out, now = c.answer(ctx, cmd, rrq, out); now {
			count++
		}
		if len(out) > splitAt && count > 0 {
			c.respond(rrq, out, at, count)
			count = 0
		}
	}
	if count > 0 {
		c.respond(rrq, out, at, count)
	}
	return out, p.Err()
}

func (c *Conn) respond(rrq bool, out []byte, at, count int) {
	if rrq {
		c.send(ocp1.EndMessage(out, at, count))
	}
}

// send writes whole messages. A controller that does not read them is disconnected.
func (c *Conn) send(b []byte) {
	c.writing <- struct{}{}
	defer func() { <-c.writing }()
	now := time.Now()
	if limit := c.srv.opts.WriteTimeout; now.After(c.renew) { // a deadline is a little work, and need not be exact
		c.conn.SetWriteDeadline(now.Add(limit))
		c.renew = now.Add(limit / 4)
	}
	if _, err := c.conn.Write(b); err != nil {
		c.conn.Close() // the reading side learns of it
	}
	c.sent.Store(now.UnixNano())
}

// leastKeepAlive is the shortest interval in which the server makes itself heard.
const leastKeepAlive = 100 * time.Millisecond

// keepAlive answers in the controller's interval and width, and watches over it from now on.
func (c *Conn) keepAlive(m ocp1.Message) error {
	every, millis, err := m.KeepAlive()
	if err != nil {
		return err
	}
	c.every.Store(int64(every))
	c.send(appendKeepAlive(m.Version, every, millis))
	select {
	case c.alive <- millis:
	default: // the writer has one to look at already, and looks at every
	}
	return nil
}

func appendKeepAlive(version uint16, every time.Duration, millis bool) []byte {
	every = max(every, leastKeepAlive)
	if millis {
		return ocp1.AppendKeepAliveMillis(nil, version, every)
	}
	return ocp1.AppendKeepAliveSeconds(nil, version, every)
}

// write sends events and keep-alives until the connection ends.
func (c *Conn) write(ctx context.Context) {
	var tick *time.Ticker
	var ticks <-chan time.Time
	defer func() {
		if tick != nil {
			tick.Stop()
		}
	}()
	var buf []byte
	millis := false
	var controller ocp1.Silence
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
			buf = c.sendEvents(buf)
		case millis = <-c.alive:
			if every := time.Duration(c.every.Load()); every > 0 {
				if tick == nil {
					tick = time.NewTicker(max(every, leastKeepAlive) / 4)
					ticks = tick.C
				}
				tick.Reset(max(every, leastKeepAlive) / 4)
			}
		case now := <-ticks:
			every := c.every.Load()
			look := max(time.Duration(every), leastKeepAlive) / 4
			if quiet := controller.Look(now, c.heard.Load(), look); every > 0 && quiet > 12*look {
				c.conn.Close()
				return
			}
			if every > 0 && now.UnixNano()-c.sent.Load() >= max(every, int64(leastKeepAlive))/2 {
				c.send(appendKeepAlive(c.protocol(), time.Duration(every), millis))
			}
		}
	}
}

// post queues an event, or puts its data in the place of one that has not been sent.
func (c *Conn) post(s *subscription, prop ocp1.ID, data []byte) {
	c.mu.Lock()
	if c.quiet || c.over {
		c.mu.Unlock()
		return
	}
	key := eventKey{s, prop}
	if i, ok := c.queued[key]; ok {
		c.queue[i].data = data
		c.merged.Add(1)
		c.mu.Unlock()
		return
	}
	c.queued[key] = len(c.queue)
	c.queue = append(c.queue, event{key, data})
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// sendEvents sends what is queued, each run of one kind as one message.
func (c *Conn) sendEvents(b []byte) []byte {
	c.mu.Lock()
	queue := c.queue
	c.queue = c.spare[:0]
	clear(c.queued)
	c.mu.Unlock()
	b = b[:0]
	at, count := 0, 0
	for i, e := range queue {
		if count == 0 {
			t := ocp1.TypeNotification
			if e.key.sub.ev2 {
				t = ocp1.TypeNotification2
			}
			b, at = ocp1.BeginMessage(b, c.protocol(), t)
		}
		b = e.key.sub.append(b, e.data)
		count++
		if i+1 == len(queue) || queue[i+1].key.sub.ev2 != e.key.sub.ev2 || len(b)-at > splitAt || count == ocp1.MaxPDUs {
			b = ocp1.EndMessage(b, at, count)
			count = 0
		}
		if len(b) > 2*splitAt && count == 0 {
			c.send(b)
			b = b[:0]
		}
	}
	if len(b) > 0 {
		c.send(b)
	}
	c.events.Add(uint64(len(queue)))
	clear(queue)
	c.mu.Lock()
	c.spare = queue[:0]
	c.mu.Unlock()
	return b
}

// end takes back everything that the connection held.
func (c *Conn) end() {
	c.conn.Close()
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	c.wg.Wait()
	d := c.srv.device
	d.mu.Lock()
	defer d.mu.Unlock()
	for s := range c.subs {
		o := s.object
		for i, x := range o.subs {
			if x == s {
				o.subs[i] = o.subs[len(o.subs)-1]
				o.subs[len(o.subs)-1] = nil
				o.subs = o.subs[:len(o.subs)-1]
				break
			}
		}
	}
	clear(c.subs)
	for o := range c.locks {
		o.setLock(nil, ocp1.NoLock)
	}
}
