// Package is12client is the controller's side of NMOS IS-12: one WebSocket to one device. A client never reconnects.
package is12client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/patchbay-io/patchbay/protocol/internal/wsdial"
	"github.com/patchbay-io/patchbay/protocol/is12"
)

// The defaults of [Options].
const (
	DefaultTimeout = 3 * time.Second
	DefaultPing    = 2 * time.Second
)

// Opener makes the connection below; (*net.Dialer).DialContext is one.
type Opener = wsdial.Opener

// Options are the knobs of a client; the zero value is good.
type Options struct {
	Path    string        // of the WebSocket; "" is [is12.Path]
	Timeout time.Duration // of the connect, and of an answer where the context of a call has no deadline
	Ping    time.Duration // how often the device is asked for a sign of life; negative: never
	// Events is called with each notification, one after the other, by the goroutine that reads: it must not block, nor call the client.
	Events func(is12.Notification)
}

// Errors of a session.
var (
	// ErrNotUpgraded is why a peer is none: it answered the upgrade with a refusal, or with what is no HTTP.
	ErrNotUpgraded = wsdial.ErrNotUpgraded
	// ErrFrame is why a session ended: the device sent what is no IS-12 message.
	ErrFrame = errors.New("the device sent what is no IS-12 message")
	// ErrNoAnswer is why a call failed that was not answered in time. The session goes on.
	ErrNoAnswer = fmt.Errorf("no answer in time: %w", os.ErrDeadlineExceeded)
	// ErrSilent is why a session ended whose device gave no sign of life.
	ErrSilent = fmt.Errorf("the device gives no sign of life: %w", os.ErrDeadlineExceeded)
)

// Client is one session with a device. All methods may be called at the same time.
type Client struct {
	ws   *websocket.Conn
	raw  net.Conn
	name string
	opts Options

	ctx     context.Context // ends with the session
	cancel  context.CancelFunc
	closing chan struct{}
	wg      sync.WaitGroup

	mu      sync.Mutex
	next    uint16
	pending map[uint16]chan is12.Result
	cause   error
	ended   bool

	submu      sync.Mutex // one subscription at a time
	subscribed chan []uint32
}

// Dial connects to addr over TCP, upgrades, and starts a session.
func Dial(ctx context.Context, open Opener, addr string, o Options) (*Client, error) {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Ping == 0 {
		o.Ping = DefaultPing
	}
	if o.Path == "" {
		o.Path = is12.Path
	}
	dctx, stop := context.WithTimeout(ctx, o.Timeout)
	defer stop()
	ws, raw, err := wsdial.Dial(dctx, open, addr, wsdial.Options{Path: o.Path})
	if err != nil {
		return nil, fmt.Errorf("is-12 connect %s: %w", addr, err)
	}
	ws.SetReadLimit(is12.MaxMessage)
	c := &Client{ws: ws, raw: raw, name: addr, opts: o, closing: make(chan struct{}),
		pending: map[uint16]chan is12.Result{}, subscribed: make(chan []uint32, 1)}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.wg.Go(c.read)
	if o.Ping > 0 {
		c.wg.Go(c.ping)
	}
	return c, nil
}

// Done is closed when the session has ended, by [Client.Close] or by a failure.
func (c *Client) Done() <-chan struct{} { return c.closing }

// Err is why the session ended; nil while it works.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// Close ends the session and waits for what it started. It must not be called from [Options.Events]. Closing again does nothing.
func (c *Client) Close() error {
	c.fail(net.ErrClosed)
	c.wg.Wait()
	return nil
}

func (c *Client) fail(cause error) {
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return
	}
	c.ended, c.cause = true, cause
	close(c.closing)
	c.mu.Unlock()
	c.cancel()
	_ = c.raw.Close() // before the WebSocket, so that nothing waits for a goodbye
	_ = c.ws.CloseNow()
}

func (c *Client) gone() error {
	cause := c.Err()
	if cause == nil || errors.Is(cause, net.ErrClosed) {
		return fmt.Errorf("is-12 %s: %w", c.name, net.ErrClosed)
	}
	return fmt.Errorf("is-12 %s: %w after: %w", c.name, net.ErrClosed, cause)
}

func (c *Client) read() {
	for {
		kind, b, err := c.ws.Read(c.ctx)
		if err == nil && kind == websocket.MessageText {
			err = c.message(b)
		}
		if err != nil {
			c.fail(explain(err))
			return
		}
	}
}

// explain makes an orderly end an io.EOF, and names what is no WebSocket. What a device says of us stays as it is.
func explain(err error) error {
	switch websocket.CloseStatus(err) {
	case websocket.StatusNormalClosure, websocket.StatusGoingAway, websocket.StatusNoStatusRcvd:
		return fmt.Errorf("the device closed the connection: %w", io.EOF)
	case -1:
	default:
		return err
	}
	var network net.Error
	var no *is12.Error
	if errors.As(err, &network) || errors.As(err, &no) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, ErrFrame) || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrFrame, err)
}

func (c *Client) message(b []byte) error {
	m, err := is12.Parse(b, 0)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFrame, err)
	}
	switch m.Type {
	case is12.TypeCommandResponse:
		for _, r := range m.Responses {
			c.mu.Lock()
			ch := c.pending[r.Handle]
			delete(c.pending, r.Handle)
			c.mu.Unlock()
			if ch != nil {
				ch <- r.Result
			}
		}
	case is12.TypeNotification:
		if c.opts.Events != nil {
			for _, n := range m.Notifications {
				c.opts.Events(n)
			}
		}
	case is12.TypeSubscriptionResponse:
		select {
		case c.subscribed <- m.Subscriptions:
		default: // nobody asked
		}
	case is12.TypeError:
		return fmt.Errorf("the device could not read what it was sent: %w", &is12.Error{Status: m.Status, Message: m.ErrorMessage}) // it does not say what
	}
	return nil
}

func (c *Client) ping() {
	tick := time.NewTicker(c.opts.Ping)
	defer tick.Stop()
	for {
		select {
		case <-c.closing:
			return
		case <-tick.C:
		}
		ctx, cancel := context.WithTimeout(c.ctx, c.opts.Timeout)
		err := c.ws.Ping(ctx)
		late := ctx.Err() != nil && c.ctx.Err() == nil
		cancel()
		if late {
			c.fail(ErrSilent)
			return
		}
		if err != nil {
			return // the reading side knows why
		}
	}
}

// maxPending is how many commands may be unanswered: handles have 16 bits.
const maxPending = 60_000

// Do asks objects for things, all in one message, and returns one result for each command, in order; handles are set here. A refusal
// is a result. The error is about the session or ctx.
func (c *Client) Do(ctx context.Context, commands ...is12.Command) ([]is12.Result, error) {
	if len(commands) == 0 {
		return nil, nil
	}
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.opts.Timeout, ErrNoAnswer)
		defer cancel()
	}
	waits := make([]chan is12.Result, len(commands))
	commands = slices.Clone(commands)
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return nil, c.gone()
	}
	if len(c.pending)+len(commands) > maxPending {
		c.mu.Unlock()
		return nil, fmt.Errorf("is-12 %s: more than %d commands without an answer", c.name, maxPending)
	}
	for i := range commands {
		for c.next++; c.next == 0 || c.pending[c.next] != nil; c.next++ { // handles come round
		}
		commands[i].Handle = c.next
		waits[i] = make(chan is12.Result, 1)
		c.pending[c.next] = waits[i]
	}
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, cmd := range commands {
			delete(c.pending, cmd.Handle)
		}
	}()
	if err := c.send(ctx, is12.Message{Type: is12.TypeCommand, Commands: commands}); err != nil {
		return nil, err
	}
	out := make([]is12.Result, len(commands))
	for i, w := range waits {
		select {
		case out[i] = <-w:
		case <-c.closing:
			select {
			case out[i] = <-w: // it came before the end
			default:
				return nil, c.gone()
			}
		case <-ctx.Done():
			select {
			case out[i] = <-w: // it came in time
			default:
				return nil, fmt.Errorf("is-12 %s: %w", c.name, context.Cause(ctx))
			}
		}
	}
	return out, nil
}

// send writes a message. Its own time limit ends the session, since half a frame cannot be taken back; ctx is asked before.
func (c *Client) send(ctx context.Context, m is12.Message) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("is-12 %s: %w", c.name, err)
	}
	b, err := m.Marshal()
	if err != nil {
		return fmt.Errorf("is-12 %s: %w", c.name, err)
	}
	wctx, cancel := context.WithTimeout(c.ctx, c.opts.Timeout)
	defer cancel()
	if err := c.ws.Write(wctx, websocket.MessageText, b); err != nil {
		c.fail(explain(err))
		return c.gone()
	}
	return nil
}

// ask is Do for one command, whose refusal is an error.
func (c *Client) ask(ctx context.Context, oid uint32, method is12.ID, arguments any, into any) error {
	args, err := json.Marshal(arguments)
	if err != nil {
		return err
	}
	res, err := c.Do(ctx, is12.Command{Oid: oid, MethodID: method, Arguments: args})
	if err != nil {
		return err
	}
	if !res[0].Status.OK() {
		return fmt.Errorf("is-12 %s: %w", c.name, &is12.Error{Oid: oid, Method: method, Status: res[0].Status, Message: res[0].ErrorMessage})
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(res[0].Value, into); err != nil {
		return fmt.Errorf("is-12 %s: object %d, method %v: %w: %w", c.name, oid, method, ErrFrame, err)
	}
	return nil
}

// Get reads a property into a value as encoding/json does.
func (c *Client) Get(ctx context.Context, oid uint32, property is12.ID, into any) error {
	return c.ask(ctx, oid, is12.MethodGet, map[string]any{"id": property}, into)
}

// Set changes a property.
func (c *Client) Set(ctx context.Context, oid uint32, property is12.ID, value any) error {
	return c.ask(ctx, oid, is12.MethodSet, map[string]any{"id": property, "value": value}, nil)
}

// Members are what a block holds, with recurse also what the blocks in it hold.
func (c *Client) Members(ctx context.Context, block uint32, recurse bool) ([]is12.MemberDescriptor, error) {
	var out is12.List[is12.MemberDescriptor]
	err := c.ask(ctx, block, is12.MethodGetMemberDescriptors, map[string]any{"recurse": recurse}, &out)
	return out, err
}

// Class asks the class manager, whose number is given, for a class with what it inherits.
func (c *Client) Class(ctx context.Context, manager uint32, class is12.ClassID) (out is12.ClassDescriptor, err error) {
	err = c.ask(ctx, manager, is12.MethodGetControlClass, map[string]any{"classId": class, "includeInherited": true}, &out)
	return out, err
}

// Datatype asks the class manager, whose number is given, for a datatype.
func (c *Client) Datatype(ctx context.Context, manager uint32, name string) (out is12.DatatypeDescriptor, err error) {
	err = c.ask(ctx, manager, is12.MethodGetDatatype, map[string]any{"name": name, "includeInherited": true}, &out)
	return out, err
}

// Subscribe asks for the events of these objects and of no others, and returns those that the device has agreed to.
func (c *Client) Subscribe(ctx context.Context, oids ...uint32) ([]uint32, error) {
	c.submu.Lock()
	defer c.submu.Unlock()
	if _, has := ctx.Deadline(); !has {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.opts.Timeout, ErrNoAnswer)
		defer cancel()
	}
	select {
	case <-c.subscribed: // a late answer
	default:
	}
	if c.Err() != nil {
		return nil, c.gone()
	}
	if err := c.send(ctx, is12.Message{Type: is12.TypeSubscription, Subscriptions: oids}); err != nil {
		return nil, err
	}
	select {
	case got := <-c.subscribed:
		return got, nil
	case <-c.closing:
		select {
		case got := <-c.subscribed: // it came before the end
			return got, nil
		default:
			return nil, c.gone()
		}
	case <-ctx.Done():
		select {
		case got := <-c.subscribed: // it came in time
			return got, nil
		default:
			return nil, fmt.Errorf("is-12 %s: %w", c.name, context.Cause(ctx))
		}
	}
}
