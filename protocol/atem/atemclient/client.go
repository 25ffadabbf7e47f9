package atemclient

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

// Opener opens a packet connection; (*net.ListenConfig).ListenPacket is one.
type Opener = func(ctx context.Context, network, addr string) (net.PacketConn, error)

// Options are the knobs of a session; the zero value is good.
type Options struct {
	// Handle gets every payload of the switcher, in order and one at a time, from the first of the dump on; pings are left
	// out. It may be called before Dial has returned. The payload belongs to it. It must not wait for the client to end.
	Handle func(payload []byte)
	// Rand gives the session's first number. nil: crypto/rand.
	Rand io.Reader
	// Session bounds the session. An AckDelay of 0 stands for 5 ms.
	Session atem.SessionOptions
	// Opens is how many times an open is begun that nothing answers, with a new number and a new port each time. 0: until
	// ctx ends.
	Opens int
}

// The client's own times.
const (
	ackDelay   = 5 * time.Millisecond
	beginAgain = 450 * time.Millisecond // between two rounds of opens, as the maker's software does (seen)
	goodbye    = 200 * time.Millisecond // how long a Dial that was cancelled waits for an accept to close
)

// Client is one session with a switcher. Its methods may be called concurrently.
type Client struct {
	addr   string
	peer   net.Addr
	conn   net.PacketConn
	handle func([]byte)

	mu     sync.Mutex
	s      *atem.Session
	failed error // of the network
	due    time.Time
	out    [atem.MaxPacket]byte

	transfers map[*running]struct{}

	ready   chan struct{} // closed at InCm
	isReady bool          // of the reading goroutine
	done    chan struct{} // closed when the session is over and nothing runs any more

	malformed, strangers, unsent atomic.Uint64
}

// Stats is what a session has done so far.
type Stats struct {
	atem.SessionStats
	Malformed uint64 // datagrams that are no packets
	Strangers uint64 // datagrams from other addresses
	Unsent    uint64 // datagrams that the network did not take; they count as lost
}

// Dial opens a session with the switcher at addr ("host:port", see [atem.Port]) and returns when it is up; what the
// switcher has to say follows, see [Client.Ready]. An open is sent again every 200 ms, ten times, then begun anew with
// another number and another port, until ctx ends or as often as the options say. The error wraps [atem.ErrFull] when the
// switcher has no session left, [atem.ErrNoAnswer], what open returned, or the context's. Nothing is left then.
func Dial(ctx context.Context, open Opener, addr string, o Options) (*Client, error) {
	fail := func(err error) (*Client, error) { return nil, fmt.Errorf("atem open %s: %w", addr, err) }
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Session.AckDelay == 0 {
		o.Session.AckDelay = ackDelay
	}
	peer, err := resolve(ctx, addr)
	if err != nil {
		return fail(err)
	}
	for n := 1; ; n++ {
		c, err := dial(ctx, open, addr, peer, &o)
		if err == nil {
			return c, nil
		}
		if !errors.Is(err, atem.ErrNoAnswer) && !errors.Is(err, atem.ErrPeerClosed) || n == o.Opens {
			return fail(err)
		}
		pause := time.NewTimer(beginAgain)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return fail(errors.Join(ctx.Err(), err))
		}
	}
}

// resolve finds the address of a host. What is no name is not looked up.
func resolve(ctx context.Context, addr string) (net.Addr, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, &net.AddrError{Err: "the port is no number up to 65535", Addr: addr}
	}
	ips, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return nil, err
	}
	best := ips[0]
	for _, ip := range ips {
		if ip.IP.To4() != nil { // switchers have IPv4
			best = ip
			break
		}
	}
	return &net.UDPAddr{IP: best.IP, Port: int(n), Zone: best.Zone}, nil
}

// dial makes one round of opens.
func dial(ctx context.Context, open Opener, addr string, peer net.Addr, o *Options) (*Client, error) {
	var id [2]byte
	if _, err := io.ReadFull(o.Rand, id[:]); err != nil {
		return nil, fmt.Errorf("choosing a session number: %w", err)
	}
	conn, err := open(ctx, "udp", ":0")
	if err != nil {
		return nil, err
	}
	c := &Client{addr: addr, peer: peer, conn: conn, handle: o.Handle, ready: make(chan struct{}), done: make(chan struct{}),
		s: atem.OpenSession(time.Now(), binary.BigEndian.Uint16(id[:]), o.Session)}
	up := make(chan struct{})
	go c.run(up)
	select {
	case <-up:
		return c, nil
	case <-c.done:
		if err := c.Err(); err != nil {
			return nil, err
		}
		return nil, atem.ErrPeerClosed
	case <-ctx.Done():
	}
	c.mu.Lock()
	c.s.Close(time.Now())
	c.flush()
	c.mu.Unlock()
	wait := time.NewTimer(goodbye)
	defer wait.Stop()
	select {
	case <-c.done:
	case <-wait.C:
		c.conn.Close()
		<-c.done
	}
	return nil, ctx.Err()
}

// Addr is the address that was dialled.
func (c *Client) Addr() string { return c.addr }

// LocalAddr is this side's address.
func (c *Client) LocalAddr() net.Addr { return c.conn.LocalAddr() }

// Ready is closed when the switcher has said everything that it is: the dump has ended with InCm.
func (c *Client) Ready() <-chan struct{} { return c.ready }

// Done is closed when the session has ended, by [Client.Close] or by a failure, and nothing of it runs any more.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err is why the session ended: [atem.ErrPeerClosed], [atem.ErrSilent], [atem.ErrUnacknowledged], [atem.ErrBacklog] or the
// network's. It is net.ErrClosed after [Client.Close], and nil while the session works.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err()
}

func (c *Client) err() error {
	switch {
	case c.failed != nil:
		return c.failed
	case c.s.Phase() < atem.PhaseClosing:
		return nil
	case c.s.Err() != nil:
		return c.s.Err()
	}
	return net.ErrClosed
}

// Stats is what the session has done so far.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{SessionStats: c.s.Stats(), Malformed: c.malformed.Load(), Strangers: c.strangers.Load(), Unsent: c.unsent.Load()}
}

// Send sends fields as one packet: the switcher carries them out in the same frame of video. Only when they do not fit
// together they go in several. It does not wait: an acknowledgement says that the packet has arrived, not that anything was
// done, which the state that comes back tells.
func (c *Client) Send(fields ...atem.Field) error {
	var payload []byte
	var err error
	for i := range fields {
		if payload, err = fields[i].Append(payload); err != nil {
			return fmt.Errorf("atem send %s: %w", c.addr, err)
		}
	}
	return c.SendPayload(payload)
}

// SendPayload is [Client.Send] for fields that are a payload already, which must not change from now on.
func (c *Client) SendPayload(payload []byte) error {
	parts, err := atem.Split(payload, atem.MaxPayload)
	if err != nil {
		return fmt.Errorf("atem send %s: %w", c.addr, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.flush()
	for _, part := range parts {
		if err := c.s.Queue(time.Now(), part); err != nil {
			if cause := c.err(); cause != nil {
				err = cause
			}
			return fmt.Errorf("atem send %s: %w", c.addr, err)
		}
	}
	return nil
}

// Close tells the switcher that the session ends, waits for its answer, 400 ms at most, and returns when nothing of the
// client is left. It may be called again, and not from Handle.
func (c *Client) Close() error {
	c.mu.Lock()
	c.s.Close(time.Now())
	c.flush()
	c.mu.Unlock()
	<-c.done
	return nil
}

// flush sends what is due, and makes the reading goroutine wake in time for what is due next; c.mu is held.
func (c *Client) flush() {
	for {
		b, ok := c.s.Next(time.Now(), c.out[:0])
		if !ok {
			break
		}
		if _, err := c.conn.WriteTo(b, c.peer); err != nil {
			c.unsent.Add(1)
			if c.s.Phase() == atem.PhaseOpening { // there is no way to it
				c.failed = err
			}
		}
	}
	due := c.s.Deadline()
	if c.s.Phase() == atem.PhaseOver || c.failed != nil {
		due = time.Unix(1, 0)
	}
	if c.due.IsZero() || due.Before(c.due) {
		c.due = due
		_ = c.conn.SetReadDeadline(due) // fails on a closed connection alone, and then the read does too
	}
}

// maxFailures is how many reads may fail one after the other: some systems report there that an earlier datagram went
// astray.
const maxFailures = 100

// run reads until the session is over. up is closed when it is up.
func (c *Client) run(up chan struct{}) {
	defer close(c.done)
	defer c.conn.Close()
	buf := make([]byte, 1<<12)
	failures := 0
	for {
		c.mu.Lock()
		c.due = time.Time{}
		c.flush()
		phase, failed := c.s.Phase(), c.failed
		c.mu.Unlock()
		if phase == atem.PhaseUp && up != nil {
			close(up)
			up = nil
		}
		if phase == atem.PhaseOver || failed != nil {
			return
		}
		n, from, err := c.conn.ReadFrom(buf)
		switch {
		case err == nil:
			failures = 0
			c.receive(buf[:n], from)
		case errors.Is(err, os.ErrDeadlineExceeded):
		default:
			if failures++; failures > maxFailures || errors.Is(err, net.ErrClosed) || phase == atem.PhaseOpening {
				c.mu.Lock()
				c.failed = err
				c.mu.Unlock()
			}
		}
	}
}

func (c *Client) receive(b []byte, from net.Addr) {
	if !sameAddr(from, c.peer) {
		c.strangers.Add(1)
		return
	}
	p, err := atem.ParsePacket(b)
	if err != nil {
		c.malformed.Add(1)
		return
	}
	c.mu.Lock()
	payload, fresh := c.s.Receive(time.Now(), &p)
	c.mu.Unlock()
	if !fresh || len(payload) == 0 {
		return
	}
	c.offer(payload)
	payload = append([]byte(nil), payload...)
	if c.handle != nil {
		c.handle(payload)
	}
	if !c.isReady {
		for f, err := range atem.Fields(payload) {
			if err == nil && f.Code == atem.CodeInCm {
				c.isReady = true
				close(c.ready)
				break
			}
		}
	}
}

// sameAddr compares without regard to how IPv4 is written.
func sameAddr(a, b net.Addr) bool {
	x, ok := a.(*net.UDPAddr)
	y, too := b.(*net.UDPAddr)
	if ok && too {
		return x.Port == y.Port && x.IP.Equal(y.IP)
	}
	return a.String() == b.String()
}
