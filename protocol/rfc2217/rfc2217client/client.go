package rfc2217client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/protocol/rfc2217"
)

// Opener opens a connection, as net.Dialer.DialContext does.
type Opener func(ctx context.Context, network, addr string) (net.Conn, error)

// The defaults of [Options].
const (
	DefaultTimeout        = 3 * time.Second
	DefaultControlTimeout = 500 * time.Millisecond
	DefaultKeepAlive      = 20 * time.Second
	bufferSize            = 64 << 10
	writeChunk            = 8 << 10
)

// Errors that a caller tells apart with errors.Is.
var (
	// ErrNoComPort: the peer speaks telnet and refuses com-port control, or answers nothing that is telnet.
	ErrNoComPort = errors.New("the peer does not do com-port control (RFC 2217)")
	// ErrAsked: the server agreed, and ended the connection when it was asked who it is and for its settings.
	ErrAsked = errors.New("the server ended the connection when it was asked who it is and for its settings")
	// ErrSilent: the server does not answer any more, not even a question that it has answered before.
	ErrSilent = errors.New("the server does not answer any more")
	// ErrNoAnswer: a request got no answer in time. The connection lives on.
	ErrNoAnswer = errors.New("no answer")
)

// Options are the knobs of a client; the zero value is good.
type Options struct {
	// Timeout bounds the negotiation and each request. 0: DefaultTimeout.
	Timeout time.Duration
	// ControlTimeout is how long to wait for the answer to a question, and to a request about DTR, RTS or break to a server that has never
	// told about that: servers on a port without these lines never do. 0: DefaultControlTimeout.
	ControlTimeout time.Duration
	// Signature is what the server is told when it asks who we are; empty: it gets no answer.
	Signature string
	// NoSignature does not ask the server how it calls itself. gensiot of gensio 2.6.2 as a server crashes on that question.
	NoSignature bool
	// NoTimingMark leaves out the marks behind the data by which the client learns what the server has taken; then Unacked
	// counts everything that was ever written, and Drain cannot tell.
	NoTimingMark bool
	// KeepAlive is how often the server is asked for something while nothing is on its way to it; when the answer is not there
	// as much later, the connection has ended. 0: DefaultKeepAlive, below 0: never.
	KeepAlive time.Duration
	// Unanswered says for how long the network has not answered what was sent on a connection. A server that holds up what we send
	// cannot be asked anything, and is left to TCP, which takes its time: from KeepAlive on the connection has ended. nil: nobody knows.
	Unanswered func(net.Conn) time.Duration
}

// Event is the state of the port's input lines and what happened since the event before.
type Event struct {
	Modem rfc2217.ModemState // how the lines are, and which changed
	Line  rfc2217.LineState  // what happened at least once
}

// Client is one com port. One goroutine may read, one write, and others may call everything else at the same time.
type Client struct {
	conn net.Conn
	addr string
	opts Options
	stop chan struct{} // closed by Close
	done chan struct{} // closed when the reader has ended
	ping sync.WaitGroup

	wsem    chan struct{} // held by who writes to conn
	replies chan []byte   // what the reader has to say: it must not wait for a server that waits for it
	owed    []byte        // the rest of something that a deadline cut; wsem
	out     []byte        // wsem
	half    int           // a data byte of which only a part went out, which owed completes; -1: none; wsem
	asked   chan struct{} // held by the one request that waits for answers

	mu        sync.Mutex
	readable  sync.Cond // data, space, an error or a deadline
	buf       []byte
	r, w      int // buf[r:w] is unread
	readBy    time.Time
	readTimer *time.Timer
	err       error
	changed   chan struct{} // closed and replaced when anything below changes

	neg       rfc2217.Negotiator
	wantText  string // the server's signature
	inForce   rfc2217.Settings
	await     map[answerKey]int
	late      map[answerKey]int        // answers to requests that nobody waits for any more; they come before those to later ones
	mute      map[answerKey]bool       // never answered so far
	told      map[rfc2217.Control]bool // topics that the server has told something about
	suspended bool                     // by the server
	event     Event
	events    uint64 // counts changes of event
	seen      uint64 // events that Event has returned, plus one

	sent, acked, mark uint64 // data bytes; mark is where the last timing mark stands
	marked, marks     bool   // one is on its way; the server answers them
	pinged            bool   // a question is on its way
	full              bool   // the reader waits for room
}

// answerKey is what an answer is about.
type answerKey struct {
	code  rfc2217.Code
	topic rfc2217.Control
}

func keyOf(m *rfc2217.Message) answerKey {
	k := answerKey{code: m.Code}
	if m.Code == rfc2217.SetControl {
		k.topic = rfc2217.Control(m.Value).Topic()
	}
	return k
}

// Dial connects to addr ("host:port"), negotiates com-port control and binary transmission both ways, and asks for the settings
// in force. It changes nothing. An error of the peer wraps [ErrNoComPort].
func Dial(ctx context.Context, open Opener, addr string, opts Options) (*Client, error) {
	c, err := agree(ctx, open, addr, opts)
	if err != nil {
		return nil, err
	}
	if err := c.learn(ctx); err != nil {
		c.Close()
		return nil, err
	}
	if c.opts.KeepAlive >= 0 {
		c.ping.Go(c.keepAlive)
	}
	return c, nil
}

// Recognise connects to addr, finds out whether the server does com-port control, and hangs up. It sends nothing but the negotiation of
// options, which every telnet server bears. When the server does not, the error wraps [ErrNoComPort].
func Recognise(ctx context.Context, open Opener, addr string) error {
	c, err := agree(ctx, open, addr, Options{NoTimingMark: true})
	if err != nil {
		return err
	}
	return c.Close()
}

// agree connects and negotiates the options.
func agree(ctx context.Context, open Opener, addr string, opts Options) (*Client, error) {
	if opts.Timeout <= 0 {
		opts.Timeout = DefaultTimeout
	}
	if opts.KeepAlive == 0 {
		opts.KeepAlive = DefaultKeepAlive
	}
	if opts.ControlTimeout <= 0 {
		opts.ControlTimeout = DefaultControlTimeout
	}
	dialCtx, cancel := context.WithTimeout(ctx, opts.Timeout)
	defer cancel()
	conn, err := open(dialCtx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &Client{conn: conn, addr: addr, opts: opts, stop: make(chan struct{}), done: make(chan struct{}), wsem: make(chan struct{}, 1), asked: make(chan struct{}, 1), half: -1, replies: make(chan []byte, 64),
		buf: make([]byte, bufferSize), changed: make(chan struct{}), await: map[answerKey]int{},
		late: map[answerKey]int{}, mute: map[answerKey]bool{}, told: map[rfc2217.Control]bool{}}
	c.readable.L = &c.mu
	c.neg.Accept = func(local bool, option byte) bool {
		switch option {
		case rfc2217.OptBinary, rfc2217.OptSGA, rfc2217.OptComPort:
			return true
		case rfc2217.OptEcho:
			return !local
		}
		return false
	}
	go c.read()
	c.ping.Go(c.reply)
	if err := c.negotiate(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// negotiate waits for the server to agree on com-port control.
func (c *Client) negotiate(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	c.mu.Lock()
	var b []byte
	b = c.neg.Ask(b, true, rfc2217.OptComPort, true)
	b = c.neg.Ask(b, true, rfc2217.OptBinary, true)
	b = c.neg.Ask(b, false, rfc2217.OptBinary, true)
	b = c.neg.Ask(b, true, rfc2217.OptSGA, true)
	b = c.neg.Ask(b, false, rfc2217.OptSGA, true)
	if !c.opts.NoTimingMark {
		b = append(b, rfc2217.IAC, rfc2217.DO, rfc2217.OptTimingMark)
		c.marked = true
	}
	c.mu.Unlock()
	if err := c.send(ctx, b); err != nil {
		return err
	}
	err := c.until(ctx, func() (bool, error) {
		if c.neg.Local(rfc2217.OptComPort) || c.neg.Remote(rfc2217.OptComPort) {
			return true, nil
		}
		if !c.neg.Pending(true, rfc2217.OptComPort) { // a server that does it the other way round may still offer it
			return false, fmt.Errorf("%s: %w", c.addr, ErrNoComPort)
		}
		return false, nil
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: nothing that is telnet came within %v: %w", c.addr, c.opts.Timeout, ErrNoComPort)
	}
	return err
}

// learn asks who the server is and what is in force.
func (c *Client) learn(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	questions := []rfc2217.Message{{Code: rfc2217.SetBaudRate}, {Code: rfc2217.SetDataSize}, {Code: rfc2217.SetParity},
		{Code: rfc2217.SetStopSize}, {Code: rfc2217.SetControl, Value: uint32(rfc2217.ControlFlowAsk)},
		{Code: rfc2217.SetControl, Value: uint32(rfc2217.ControlBreakAsk)}, {Code: rfc2217.SetControl, Value: uint32(rfc2217.ControlDTRAsk)},
		{Code: rfc2217.SetControl, Value: uint32(rfc2217.ControlRTSAsk)}, {Code: rfc2217.NotifyModemState}}
	if !c.opts.NoSignature {
		questions = append(questions, rfc2217.Message{Code: rfc2217.Signature})
	}
	also := []rfc2217.Message{{Code: rfc2217.SetModemStateMask, Value: 255}, {Code: rfc2217.SetLineStateMask, Value: uint32(rfc2217.LineErrors)}}
	missing, err := c.request(ctx, questions, also, c.opts.ControlTimeout)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && c.err != nil {
		return fmt.Errorf("%s: %w: %w", c.addr, ErrAsked, err)
	}
	for _, k := range missing { // asked in vain; a change may be answered all the same
		delete(c.mute, k)
	}
	return err
}

// until waits, with the lock held while good is asked, until it says true or gives an error, the connection ends, or ctx does.
func (c *Client) until(ctx context.Context, good func() (bool, error)) error {
	for {
		c.mu.Lock()
		ok, err := good()
		if err == nil && !ok {
			err = c.err
		}
		changed := c.changed
		c.mu.Unlock()
		if ok || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// touch wakes everybody who waits for a change; the lock is held.
func (c *Client) touch() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// Addr is the address that was dialled.
func (c *Client) Addr() string { return c.addr }

// Signature is how the server calls itself; empty when it did not say.
func (c *Client) Signature() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wantText
}

// Settings are those in force as far as the server has told.
func (c *Client) Settings() rfc2217.Settings {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inForce
}

// Close ends the connection and waits for what it started. It is idempotent.
func (c *Client) Close() error {
	c.fail(net.ErrClosed)
	c.conn.Close()
	<-c.done
	c.ping.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.readTimer != nil {
		c.readTimer.Stop()
	}
	return nil
}

// Done is closed when the connection has ended.
func (c *Client) Done() <-chan struct{} { return c.stop }

// Err is why the connection ended; nil while it works.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// fail ends the connection with the first error that says why.
func (c *Client) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
		close(c.stop)
		c.touch()
		c.readable.Broadcast()
	}
}
