package ocaclient

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/protocol/ocp1"
)

// Port is where AES70 devices listen for TCP by habit; none is registered, and DNS-SD tells the real one.
const Port = 65000

// The defaults of [Options].
const (
	DefaultTimeout   = 3 * time.Second
	DefaultKeepAlive = time.Second
	DefaultWindow    = 128
	// DefaultMaxAnswers is enough for all values of a device with the most objects that [Client.Tree] takes.
	DefaultMaxAnswers = 32 << 20
)

// Opener makes the connection; (*net.Dialer).DialContext is one.
type Opener = func(ctx context.Context, network, addr string) (net.Conn, error)

// unpromised is how long a device that has told no interval may be silent before it is asked something.
const unpromised = 10 * time.Second

// Options are the knobs of a client; the zero value is good.
type Options struct {
	// Timeout bounds the connect, each write, and the wait for an answer where the context of a call has no deadline.
	Timeout time.Duration
	// KeepAlive is how often the client makes itself heard, and what it tells the device. A device that has told an interval of its own and is
	// silent for three of them is taken for dead; one that has told none is asked for its class after ten seconds without a word, and dead
	// after twenty. Time in which this program is kept from running does not count. Negative: no keep-alives, and so no such end.
	KeepAlive time.Duration
	// Window is how many commands may be unanswered at a time.
	Window int
	// Version goes into every message; 0 is 1, which every device understands.
	Version uint16
	// MaxMessage limits the messages that the device may send, in bytes; 0 is [ocp1.MaxMessage].
	MaxMessage int
	// MaxAnswers limits the values, in bytes, that one [Client.DoAll] keeps of all its answers together: a device answers what it wants.
	MaxAnswers int
	// Events is called with each event, one after the other, by the goroutine that reads: it must not block, nor call the client.
	Events func(Event)
}

func (o Options) withDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.KeepAlive == 0 {
		o.KeepAlive = DefaultKeepAlive
	}
	if o.Window <= 0 {
		o.Window = DefaultWindow
	}
	if o.Version == 0 {
		o.Version = ocp1.Version1
	}
	if o.MaxAnswers <= 0 {
		o.MaxAnswers = DefaultMaxAnswers
	}
	return o
}

// Event is what a device tells unasked. Data and Change.Value are valid during the call only.
type Event struct {
	Source    ocp1.Event
	Exception uint8               // not 0: the subscription has ended (EV2 only)
	Data      []byte              // as it came
	Change    ocp1.PropertyChange // when Source.ID is [ocp1.PropertyChanged] and the data could be read
}

// Errors of a session.
var (
	// ErrSilent is why a session ended whose device kept quiet for three of the intervals that it had told, or had told none and
	// answered nothing.
	ErrSilent = fmt.Errorf("the device has stopped sending keep-alives: %w", os.ErrDeadlineExceeded)
	// ErrTooMuch is why calls failed whose answers have more bytes than are kept. The session goes on.
	ErrTooMuch = errors.New("the device answers with too much")
	// ErrNoAnswer is why a call failed that the device did not answer in time. The session goes on.
	ErrNoAnswer = fmt.Errorf("no answer in time: %w", os.ErrDeadlineExceeded)
)

// Stats are counters since the client was made.
type Stats struct {
	BytesIn, BytesOut       uint64
	MessagesIn, MessagesOut uint64
	Commands, Answers       uint64
	Events                  uint64
	Odd                     uint64        // responses that nobody waited for, and PDUs that could not be read
	RoundTrip               time.Duration // of the last answer
}

// Client is one session with a device. All methods may be called at the same time.
type Client struct {
	conn net.Conn
	name string // for errors
	opts Options

	slots   chan struct{} // holds one for each unanswered command
	closing chan struct{}
	wg      sync.WaitGroup

	mu      sync.Mutex
	next    uint32
	pending map[uint32]*Call
	cause   error
	ended   bool

	out     sync.Mutex // of what follows: the messages that wait to be written
	buf     []byte     // whole messages, and one that is open at at when count is not 0
	spare   []byte
	at      int
	count   int
	writing bool
	renew   time.Time // when the deadline of writing is moved on; of whoever is writing

	lastSent  atomic.Int64 // time of the last write, for the keep-alives
	lastHeard atomic.Int64
	peerEvery atomic.Int64 // the interval that the device has told; 0: none
	events2   atomic.Int32 // 0: not known; 1: the device has EV2; 2: it has not

	stats struct{ bytesIn, bytesOut, messagesIn, messagesOut, commands, answers, events, odd, roundTrip atomic.Uint64 }
}

// Dial connects to addr over TCP and starts a session.
func Dial(ctx context.Context, open Opener, addr string, o Options) (*Client, error) {
	o = o.withDefaults()
	dctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	conn, err := open(dctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("oca connect %s: %w", addr, err)
	}
	return New(conn, addr, o), nil
}

// New starts a session on a connection, which the client owns from now on. name is the device's address in errors. It does no I/O
// but the first keep-alive, in the background.
func New(conn net.Conn, name string, o Options) *Client {
	o = o.withDefaults()
	c := &Client{conn: conn, name: name, opts: o, slots: make(chan struct{}, o.Window), closing: make(chan struct{}), pending: map[uint32]*Call{}}
	c.lastHeard.Store(time.Now().UnixNano())
	c.wg.Go(c.read)
	if o.KeepAlive > 0 {
		c.wg.Go(c.keepAlive)
	}
	return c
}

// Done is closed when the session has ended, by [Client.Close] or by a failure.
func (c *Client) Done() <-chan struct{} { return c.closing }

// Err is why the session ended; nil while it works.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// Close ends the session and waits for what it started. Calls in flight fail with an error that wraps net.ErrClosed. It must not be called
// from [Options.Events]. Closing again does nothing.
func (c *Client) Close() error {
	c.fail(net.ErrClosed)
	c.wg.Wait()
	return nil
}

// Stats are the counters now.
func (c *Client) Stats() Stats {
	s := &c.stats
	return Stats{BytesIn: s.bytesIn.Load(), BytesOut: s.bytesOut.Load(), MessagesIn: s.messagesIn.Load(), MessagesOut: s.messagesOut.Load(),
		Commands: s.commands.Load(), Answers: s.answers.Load(), Events: s.events.Load(), Odd: s.odd.Load(), RoundTrip: time.Duration(s.roundTrip.Load())}
}

// fail ends the session: the first cause stays, and whoever waits is told.
func (c *Client) fail(cause error) {
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return
	}
	c.ended, c.cause = true, cause
	left := c.pending
	c.pending = nil
	close(c.closing)
	c.mu.Unlock()
	c.conn.Close()
	for _, call := range left {
		call.finish(c.gone("wait for"))
	}
}

// gone is the error of a call on an ended session.
func (c *Client) gone(op string) error {
	cause := c.Err()
	if cause == nil || errors.Is(cause, net.ErrClosed) {
		return fmt.Errorf("oca %s %s: %w", op, c.name, net.ErrClosed)
	}
	return fmt.Errorf("oca %s %s: %w after: %w", op, c.name, net.ErrClosed, cause)
}

// read takes what the device sends until the session ends.
func (c *Client) read() {
	r := ocp1.NewReader(bufio.NewReaderSize(c.conn, 16<<10), c.opts.MaxMessage)
	for {
		m, err := r.Next()
		if err == nil {
			c.stats.messagesIn.Add(1)
			c.stats.bytesIn.Add(uint64(m.Total()))
			c.lastHeard.Store(time.Now().UnixNano())
			err = c.message(m)
		}
		if err != nil {
			if err == io.EOF {
				err = fmt.Errorf("the device closed the connection: %w", err)
			}
			c.fail(err)
			return
		}
	}
}

// message handles one message. An error means that the stream is out of step.
func (c *Client) message(m ocp1.Message) error {
	p := m.PDUs()
	switch m.Type {
	case ocp1.TypeResponse:
		for {
			r, ok := p.Response()
			if !ok {
				return p.Err()
			}
			c.response(r)
		}
	case ocp1.TypeNotification:
		for {
			n, ok := p.Notification()
			if !ok {
				return p.Err()
			}
			c.event(Event{Source: n.Event, Data: n.Data})
		}
	case ocp1.TypeNotification2:
		for {
			n, ok := p.Notification2()
			if !ok {
				return p.Err()
			}
			c.event(Event{Source: n.Event, Exception: n.Exception, Data: n.Data})
		}
	case ocp1.TypeKeepAlive:
		every, _, err := m.KeepAlive()
		c.peerEvery.Store(int64(every))
		return err
	}
	// A device has no reason to send commands; they are left alone, as is what nobody has defined.
	c.stats.odd.Add(1)
	return nil
}

func (c *Client) response(r ocp1.Response) {
	c.mu.Lock()
	call := c.pending[r.Handle]
	delete(c.pending, r.Handle)
	c.mu.Unlock()
	if call == nil { // it was given up
		c.stats.odd.Add(1)
		return
	}
	<-c.slots
	c.stats.answers.Add(1)
	c.stats.roundTrip.Store(uint64(time.Since(call.sent)))
	values, err := call.batch.keep(r.Params)
	if err == nil {
		call.Values, call.Returned, err = values, r.Count, r.Err(call.Target, call.Method)
	}
	call.finish(err)
}

func (c *Client) event(e Event) {
	c.stats.events.Add(1)
	if e.Source.ID == ocp1.PropertyChanged && e.Exception == 0 {
		var err error
		if e.Change, err = ocp1.ParsePropertyChange(e.Data); err != nil {
			c.stats.odd.Add(1)
			return
		}
	}
	if c.opts.Events != nil {
		c.opts.Events(e)
	}
}

// keepAlive makes the client heard, and ends the session with a device that no longer is.
func (c *Client) keepAlive() {
	every := c.opts.KeepAlive
	c.sendKeepAlive()
	look := max(every/4, time.Millisecond)
	tick := time.NewTicker(look)
	defer tick.Stop()
	var device ocp1.Silence
	asked := false
	for {
		select {
		case <-c.closing:
			return
		case now := <-tick.C:
			quiet := device.Look(now, c.lastHeard.Load(), look)
			if peer := time.Duration(c.peerEvery.Load()); peer > 0 && quiet > 3*peer {
				c.fail(ErrSilent)
				return
			} else if peer == 0 {
				switch {
				case quiet < unpromised:
					asked = false
				case c.waiting(): // it may do one thing after the other
				case quiet > 2*unpromised:
					c.fail(ErrSilent)
					return
				case !asked:
					asked = true
					c.wg.Go(func() { _, _ = c.Do(context.Background(), ocp1.RootBlockONo, ocp1.ID{Level: 1, Index: 1}, 0, nil) }) // that it answers is all
				}
			}
			if now.UnixNano()-c.lastSent.Load() >= int64(every/2) {
				c.sendKeepAlive()
			}
		}
	}
}

// waiting reports whether a command is unanswered.
func (c *Client) waiting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pending) > 0
}

func (c *Client) sendKeepAlive() {
	c.out.Lock()
	c.endMessage()
	c.buf = ocp1.AppendKeepAlive(c.buf, c.opts.Version, c.opts.KeepAlive)
	c.stats.messagesOut.Add(1)
	c.out.Unlock()
	c.flush()
}
