package focasclient

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// DefaultTimeout is how long one exchange may take.
const DefaultTimeout = 3 * time.Second

// Options are the knobs of a session; the zero value is good.
type Options struct {
	Timeout time.Duration // of the connect and of each exchange; 0 is DefaultTimeout
	Limits  Limits        // how much a [Batch] and the splitting calls put into one frame

	Timers focas.TimerOrder // byte order of the control's timers; the default decides by what makes sense
}

// Client is one session with a control. Its methods may be called concurrently; requests queue up
// and go one by one, first come, first served.
type Client struct {
	open    Opener
	addr    string
	timeout time.Duration
	limits  Limits
	timers  focas.TimerOrder
	stats   counters
	data    *channel
	reply   focas.OpenReply
	systems map[uint16]system

	mu           sync.Mutex
	transfer     *channel // channel 1; nil unless a transfer runs
	transferring bool     // a transfer has channel 1, or is about to open it
}

// system is the answer of one path to 0x18.
type system struct {
	info focas.SysInfo
	err  error
}

// Dial connects to addr ("host:port"; FANUC's port is 8193), opens channel 2 and asks who the control is: one 0x18 block
// per path that the open reply names. A control that refuses 0x18 is still a session; see [Client.SysInfo]. The error wraps
// what open returned, a focas framing error when the peer does not speak FOCAS, or the context's.
func Dial(ctx context.Context, open Opener, addr string, opts Options) (*Client, error) {
	if opts.Timeout <= 0 {
		opts.Timeout = DefaultTimeout
	}
	c := &Client{open: open, addr: addr, timeout: opts.Timeout, limits: opts.Limits.withDefaults(), timers: opts.Timers, systems: map[uint16]system{}}
	var err error
	if c.data, c.reply, err = openChannel(ctx, open, addr, focas.ChannelData, opts.Timeout, &c.stats); err != nil {
		return nil, err
	}
	if err := c.identify(ctx); err != nil {
		c.data.close(ctx)
		return nil, err
	}
	return c, nil
}

func (c *Client) identify(ctx context.Context) error {
	var requests []focas.Request
	for n := range c.reply.Paths() {
		requests = append(requests, focas.SysInfoRequest(n))
	}
	if len(requests) == 0 {
		return nil
	}
	replies, err := c.Exchange(ctx, requests)
	if refused := (*focas.Error)(nil); errors.As(err, &refused) {
		for _, q := range requests {
			c.systems[q.Path] = system{err: err}
		}
		return nil
	}
	if err != nil {
		return err
	}
	for _, p := range replies {
		s := system{err: p.Err()}
		if s.err == nil {
			s.info, s.err = focas.ParseSysInfo(p.Payload)
		}
		c.systems[p.Path] = s
	}
	return nil
}

// Addr is the address that was dialled.
func (c *Client) Addr() string { return c.addr }

// Dialect is the control's set of function codes.
func (c *Client) Dialect() focas.Dialect { return c.reply.Dialect() }

// OpenReply is what the control said when channel 2 was opened (cnc_sysinfo_ex, cnc_getpath).
func (c *Client) OpenReply() focas.OpenReply {
	o := c.reply
	o.Records = slices.Clone(o.Records)
	return o
}

// Paths are the numbers of the paths that the control has, rising.
func (c *Client) Paths() []uint16 {
	var paths []uint16
	for n := range c.reply.Paths() {
		paths = append(paths, n)
	}
	return paths
}

// Err is why the session ended; nil while it works.
func (c *Client) Err() error { return c.data.err() }

// Done is closed when the session has ended, by [Client.Close] or by a failure.
func (c *Client) Done() <-chan struct{} { return c.data.closing }

// Stats is what the session has done so far.
func (c *Client) Stats() Stats { return c.stats.snapshot() }

// Close says goodbye on each open channel, waits half a second at most for the answers, and closes the connections; an
// exchange in flight is given that time, then cut off. Closing again does nothing.
func (c *Client) Close(ctx context.Context) error {
	c.mu.Lock()
	transfer := c.transfer
	c.mu.Unlock()
	if transfer != nil {
		transfer.close(ctx)
	}
	c.data.close(ctx)
	return nil
}

// Exchange sends the requests as one data frame and returns one reply for each, in order; a block that the control refuses
// has its code in the reply and does not fail the rest. The replies belong to the caller. The requests must fit: their body
// within [focas.MaxRequestBody], and the answer within what the control sends; see [Batch] for more than that.
//
// A frame that is refused as a whole is a *[focas.Error] with Frame set and leaves the session usable. Every other error
// ends the session, except that of a context which ended before anything was sent.
func (c *Client) Exchange(ctx context.Context, requests []focas.Request) ([]focas.Reply, error) {
	var into answer
	err := c.exchange(ctx, requests, &into)
	return into.replies, err
}

// answer is room for the replies of an exchange; each exchange uses what is left of it and never moves what is there.
type answer struct {
	bodies  []byte // the replies' payloads alias it
	replies []focas.Reply
}

// exchange is Exchange with the room for the replies given: afterwards into.replies are those of this exchange alone.
func (c *Client) exchange(ctx context.Context, requests []focas.Request, into *answer) error {
	into.replies = into.replies[:0]
	size := 2
	for i := range requests {
		size += requests[i].Size()
	}
	if err := c.fits(len(requests), size); err != nil {
		return err
	}
	return c.data.do(ctx, "exchange", func() error {
		c.data.out = focas.AppendRequests(c.data.out[:0], requests)
		f, err := c.data.roundTrip(c.data.out, len(requests), nil)
		if err != nil {
			c.refusedWhole(saidNo(err), requests[0])
			return err
		}
		at := len(into.bodies)
		into.bodies = append(into.bodies, f.Body...)
		into.replies, err = matchReplies(into.bodies[at:], requests, slices.Grow(into.replies, len(requests)))
		return err
	})
}

// fits is an error when a frame of so many blocks, with a body of so many bytes, cannot be sent.
func (c *Client) fits(blocks, body int) error {
	if blocks == 0 || body > focas.MaxRequestBody {
		return fmt.Errorf("focas exchange %s: %d blocks of %d bytes do not fit a frame: 1 block at least, %d bytes at most",
			c.addr, blocks, body, focas.MaxRequestBody)
	}
	return nil
}

// refusedWhole names the function that a refusal of a whole frame is about; nil is no refusal.
func (c *Client) refusedWhole(no *focas.Error, first focas.Request) {
	if no != nil {
		no.Func = first.Func
	}
}

// roundTrip sends a data frame and returns its reply, whose body is valid until the next call. A frame that the control
// refuses as a whole is a *focas.Error. What meanwhile does, it does while the control answers; its error ends the exchange,
// nil is nothing to do.
func (ch *channel) roundTrip(frame []byte, blocks int, meanwhile func() error) (focas.Frame, error) {
	if err := ch.send(frame, blocks); err != nil {
		return focas.Frame{}, err
	}
	if meanwhile != nil {
		if err := meanwhile(); err != nil {
			return focas.Frame{}, err
		}
	}
	f, err := ch.receive(focas.TypeData)
	if err != nil && saidNo(err) == nil {
		return f, err
	}
	if stale := ch.inStep(); stale != nil {
		return f, stale
	}
	if err != nil {
		return f, err
	}
	if f.Dir != focas.DirReply {
		return f, fmt.Errorf("%w: %v %v", ErrStale, f.Type, f.Dir)
	}
	return f, nil
}

// saidNo is the control's no that err is about; nil when it is something else.
func saidNo(err error) *focas.Error {
	if err == nil {
		return nil // asked after each answer: errors.As would allocate
	}
	var e *focas.Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// matchReplies appends the reply blocks, which must answer the requests one by one. The payloads alias body.
func matchReplies(body []byte, requests []focas.Request, replies []focas.Reply) ([]focas.Reply, error) {
	m, err := matchBody(body, len(requests))
	if err != nil {
		return nil, err
	}
	for i := range requests {
		var p focas.Reply
		if err := m.next(&requests[i], &p); err != nil {
			return nil, err
		}
		replies = append(replies, p)
	}
	return replies, m.end()
}

// match walks over the blocks of a reply, which must answer the requests one by one.
type match struct {
	blocks focas.Blocks
	at     int
}

func matchBody(body []byte, asked int) (match, error) {
	blocks, err := focas.ReplyBlocks(body)
	if err == nil && blocks.Count() != asked {
		err = fmt.Errorf("%w: %d blocks for %d requests", ErrEcho, blocks.Count(), asked)
	}
	return match{blocks: blocks}, err
}

// next puts the next block, which must answer q, into p.
func (m *match) next(q *focas.Request, p *focas.Reply) (err error) {
	m.at++
	if *p, _, err = m.blocks.NextReply(); err != nil {
		return err
	}
	if p.Class != q.Class || p.Path != q.Path || p.Func != q.Func {
		return fmt.Errorf("%w: block %d is %v %d %v, asked was %v %d %v", ErrEcho, m.at, p.Class, p.Path, p.Func, q.Class, q.Path, q.Func)
	}
	return nil
}

// end is an error when more follows the last block.
func (m *match) end() error {
	_, _, err := m.blocks.NextReply()
	return err
}

// SysInfo is who the control is, as path n says; read once when the session was opened (cnc_sysinfo). The error is the
// control's refusal, or that it has no such path.
func (c *Client) SysInfo(n uint16) (focas.SysInfo, error) {
	s, ok := c.systems[n]
	if !ok {
		return s.info, fmt.Errorf("cnc_sysinfo %s: the control has no path %d", c.addr, n)
	}
	return s.info, s.err
}
