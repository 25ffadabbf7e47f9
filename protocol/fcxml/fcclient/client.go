package fcclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/protocol/fcxml"
)

// Opener makes the connection; (*net.Dialer).DialContext is one.
type Opener = func(ctx context.Context, network, addr string) (net.Conn, error)

// Errors of a client.
var (
	ErrNotApproved = errors.New("nobody has approved this program in Focusrite Control")
	ErrUnconfirmed = errors.New("the server did not confirm the change")
	ErrOverruled   = errors.New("the server has another value instead")
	ErrGone        = errors.New("the device is not there any more")
	ErrSilent      = fmt.Errorf("the server does not answer keep-alives any more: %w", os.ErrDeadlineExceeded)
)

// Options are those of a client. Key is needed; the zero value of everything else is good.
type Options struct {
	Hostname string // what the person who approves sees; "": patchbay
	Key      string // under which the server keeps the approval; the same for ever, and known to nobody else
	// Timeout bounds the connect and the greeting. 0: 5 seconds.
	Timeout time.Duration
	// Confirm is how long a change may take to be confirmed. 0: a second.
	Confirm time.Duration
	// KeepAlive is the time between two keep-alives; a server that says nothing for three of them is given up. 0: 3 seconds.
	KeepAlive time.Duration
	// OnEvent is called for everything that the server says, in order, after the client has taken it in. It must not block
	// and must not call Close or Set.
	OnEvent func(Event)
}

// Event is something that the server has said: exactly one field is set.
type Event struct {
	Approval ApprovalState  // the state of this program's approval is now this
	Arrived  *fcxml.Schema  // a device is there
	Removed  string         // the device with this number is not
	Device   string         // with Values: whose they are
	Values   []fcxml.Assign // not kept by the client and not to be changed
	Snapshot bool           // with Values: they are all there is to say
	Unknown  *fcxml.Element // an element that nobody knows
	// Unreadable is why a message could not be read. What it said of values is not known.
	Unreadable error
}

// ApprovalState is what is known of this program's approval.
type ApprovalState uint8

// The states. Until the server has named this program nobody knows.
const (
	ApprovalUnknown ApprovalState = iota
	ApprovalWaiting
	ApprovalGiven
)

// String is the word for it.
func (a ApprovalState) String() string {
	return [...]string{"unknown", "waiting", "approved"}[min(a, ApprovalGiven)]
}

// State says how a value is known.
type State uint8

// The states of a value.
const (
	Unknown  State = iota // the server has not said anything
	Assumed               // it left the value out of everything, as it does with values at rest
	Reported              // it said so
)

// String is the word for it.
func (s State) String() string {
	return [...]string{"unknown", "assumed", "reported"}[min(s, Reported)]
}

// Stats are counters of a connection.
type Stats struct {
	BytesIn, BytesOut   uint64
	FramesIn, FramesOut uint64
	Junk                uint64 // bytes outside of frames
	Unreadable          uint64 // frames whose content could not be read
	Unknown             uint64 // elements that nobody knows
	Refused             uint64 // devices beyond those that one computer can have
}

// How many devices are kept at a time, and how many controls all of them together have. A computer has one or two devices, and the
// largest known has 1,700 controls.
const (
	maxDevices  = 16
	maxControls = fcxml.MaxElements
)

// Client is one connection to a server. All methods may be called at the same time. Make it with [Dial].
type Client struct {
	addr string
	conn net.Conn
	opts Options

	stats struct {
		in, out, framesIn, framesOut, junk, unreadable, unknown, refused atomic.Uint64
	}
	lastFrame atomic.Int64 // unix nanoseconds

	wmu sync.Mutex // writing to conn
	out []byte
	one chan struct{} // of size 1: one Set at a time

	wg   sync.WaitGroup
	done chan struct{}

	mu       sync.Mutex
	cause    error
	id       string // this program's identity; "" until the server has said it
	greeted  chan struct{}
	approval ApprovalState
	devices  []*device
	waiters  []*waiter
	changed  chan struct{} // closed and replaced when devices or snapshots change
	asked    uint64        // keep-alives sent
	echoed   uint64        // and echoed
	echo     chan struct{} // closed and replaced at each echo
}

// device is one that is there.
type device struct {
	schema   *fcxml.Schema
	values   map[uint32]string
	wanted   bool // subscribed
	snapshot bool
}

// Dial connects, introduces the program and waits for the server's answer. Nothing is left open or running after an error.
func Dial(ctx context.Context, open Opener, addr string, o Options) (*Client, error) {
	if o.Key == "" {
		return nil, errors.New("fcxml: a client needs a key")
	}
	for _, d := range []struct {
		of *time.Duration
		to time.Duration
	}{{&o.Timeout, 5 * time.Second}, {&o.Confirm, time.Second}, {&o.KeepAlive, 3 * time.Second}} {
		if *d.of <= 0 {
			*d.of = d.to
		}
	}
	if o.Hostname == "" {
		o.Hostname = "patchbay"
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	conn, err := open(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("fcxml connect %s: %w", addr, err)
	}
	c := &Client{addr: addr, conn: conn, opts: o, one: make(chan struct{}, 1), done: make(chan struct{}),
		greeted: make(chan struct{}), changed: make(chan struct{}), echo: make(chan struct{})}
	c.lastFrame.Store(time.Now().UnixNano())
	c.wg.Go(c.read)
	err = c.send(fcxml.ClientDetails{Hostname: o.Hostname, Key: o.Key})
	if err == nil {
		select {
		case <-c.greeted:
			c.wg.Go(c.keepAlive)
			return c, nil
		case <-c.done:
			err = c.Err()
		case <-ctx.Done():
			err = fmt.Errorf("the server does not say who we are: %w", ctx.Err())
		}
	}
	c.fail(err)
	c.wg.Wait()
	return nil, fmt.Errorf("fcxml open %s: %w", addr, c.Err()) // what came first: a greeting may fail to go out because of what was read
}

// Done is closed when the connection has ended; [Client.Err] then says why.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err is why the connection has ended; nil while it has not. After Close it is net.ErrClosed.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// Close ends the connection and waits for what it started. It may be called again.
func (c *Client) Close() error {
	c.fail(net.ErrClosed)
	c.wg.Wait()
	return nil
}

// Stats are the counters now.
func (c *Client) Stats() Stats {
	s := &c.stats
	return Stats{BytesIn: s.in.Load(), BytesOut: s.out.Load(), FramesIn: s.framesIn.Load(), FramesOut: s.framesOut.Load(), Junk: s.junk.Load(),
		Unreadable: s.unreadable.Load(), Unknown: s.unknown.Load(), Refused: s.refused.Load()}
}

// fail ends the connection; the first cause stays.
func (c *Client) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != nil {
		return
	}
	c.cause = err
	close(c.done)
	c.conn.Close()
}

// send writes one frame.
func (c *Client) send(m fcxml.Message) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if err := c.Err(); err != nil {
		return c.ended()
	}
	c.out = fcxml.AppendMessage(c.out[:0], m)
	c.conn.SetWriteDeadline(time.Now().Add(c.opts.Timeout))
	n, err := c.conn.Write(c.out)
	c.stats.out.Add(uint64(n))
	c.stats.framesOut.Add(1)
	if err != nil {
		c.fail(err)
	}
	return err
}

// ended is the error of a call on a connection that is over.
func (c *Client) ended() error {
	if err := c.Err(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("%w after: %w", net.ErrClosed, err)
	}
	return net.ErrClosed
}

// keepAlive tells the server that the program lives, and notices when the server does not.
func (c *Client) keepAlive() {
	tick := time.NewTicker(c.opts.KeepAlive)
	defer tick.Stop()
	for {
		select {
		case <-c.done:
			return
		case <-tick.C:
		}
		if silence := time.Since(time.Unix(0, c.lastFrame.Load())); silence > 3*c.opts.KeepAlive {
			c.fail(ErrSilent)
			return
		}
		c.mu.Lock()
		c.asked++
		c.mu.Unlock()
		if c.send(fcxml.KeepAlive{}) != nil {
			return
		}
	}
}

// counted counts what is read.
type counted struct{ c *Client }

func (r counted) Read(p []byte) (int, error) {
	n, err := r.c.conn.Read(p)
	r.c.stats.in.Add(uint64(n))
	return n, err
}

func (c *Client) read() {
	frames := fcxml.NewReader(counted{c})
	for {
		f, err := frames.Next()
		c.stats.junk.Store(frames.Junk())
		if err != nil {
			if err == io.EOF {
				err = fmt.Errorf("the server closed the connection: %w", err)
			}
			c.fail(err)
			return
		}
		c.stats.framesIn.Add(1)
		c.lastFrame.Store(time.Now().UnixNano())
		m, err := fcxml.Parse(f.Payload)
		if err != nil {
			// One message that cannot be read costs its values; the next may be well.
			c.stats.unreadable.Add(1)
			if c.opts.OnEvent != nil {
				c.opts.OnEvent(Event{Unreadable: err})
			}
			continue
		}
		for _, e := range c.take(m) {
			if c.opts.OnEvent != nil {
				c.opts.OnEvent(e)
			}
		}
	}
}
