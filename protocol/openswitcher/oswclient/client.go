package oswclient

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/openswitcher"
)

// Opener makes the connection; (*net.Dialer).DialContext is one.
type Opener = func(ctx context.Context, network, addr string) (net.Conn, error)

// Options are the knobs of a connection.
type Options struct {
	User, Password string
	// Device is what is chosen. Empty: the only one that is offered.
	Device string
	// Handle gets every payload of the switcher, in order and one at a time, from the first of the dump on. It may be called
	// before Dial has returned. The payload belongs to it. It must not wait for the client to end.
	Handle func(payload []byte)
	// TLS, when set, puts TLS under the connection.
	TLS *tls.Config
	// Backlog is how many bytes may wait to be sent before the connection ends. 0: 1 MiB.
	Backlog int
	// WriteTimeout is how long the other side may take nothing of what it is sent. 0: 5 seconds.
	WriteTimeout time.Duration
}

// Why a dial fails although something answers.
var (
	ErrLoginWanted = errors.New("a user and a password are wanted")
	ErrLogin       = errors.New("the login was refused")
	ErrNoDevice    = errors.New("the device is not offered")
)

// Client is one connection to one switcher. Its methods may be called concurrently.
type Client struct {
	addr         string
	conn         net.Conn
	in           *openswitcher.Reader
	out          *openswitcher.Outbox
	handle       func([]byte)
	writeTimeout time.Duration
	device       openswitcher.Device
	devices      []openswitcher.Device

	ready   chan struct{} // closed at InCm
	isReady bool          // of the reading goroutine
	done    chan struct{}

	mu    sync.Mutex
	cause error
	ended bool

	received, sent, bytes atomic.Uint64
}

// Stats is what a connection has done so far.
type Stats struct {
	Received uint64 // packets with state, empty ones left out
	Sent     uint64 // packets with commands
	Bytes    uint64 // that came
}

// Dial connects to addr ("host:port", see [openswitcher.Port]), logs in, chooses the device and returns; what the switcher has
// to say follows, see [Client.Ready]. ctx bounds the dial alone. The error wraps what open returned, [ErrLoginWanted],
// [ErrLogin], [ErrNoDevice], [openswitcher.ErrHandshake] when the other side is no relay, or the context's. Nothing is left
// then.
func Dial(ctx context.Context, open Opener, addr string, o Options) (*Client, error) {
	fail := func(err error) (*Client, error) { return nil, fmt.Errorf("openswitcher open %s: %w", addr, err) }
	if o.Backlog <= 0 {
		o.Backlog = 1 << 20
	}
	if o.WriteTimeout <= 0 {
		o.WriteTimeout = 5 * time.Second
	}
	conn, err := open(ctx, "tcp", addr)
	if err != nil {
		return fail(err)
	}
	if o.TLS != nil {
		conn = tls.Client(conn, o.TLS)
	}
	c := &Client{addr: addr, conn: conn, in: openswitcher.NewReader(bufio.NewReader(conn)), out: openswitcher.NewOutbox(o.Backlog), handle: o.Handle,
		writeTimeout: o.WriteTimeout, ready: make(chan struct{}), done: make(chan struct{})}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	err = c.handshake(&o)
	if !stop() && ctx.Err() != nil {
		err = errors.Join(ctx.Err(), err)
	}
	if err == nil {
		err = conn.SetDeadline(time.Time{})
	}
	if err != nil {
		conn.Close()
		return fail(err)
	}
	go c.run()
	return c, nil
}

// handshake comes to the choice of the device.
func (c *Client) handshake(o *Options) error {
	if err := c.say(openswitcher.AppendHello(nil)); err != nil {
		return err
	}
	devices, login, err := c.answer()
	if err == nil && login {
		if o.User == "" && o.Password == "" {
			return ErrLoginWanted
		}
		if err := c.say(openswitcher.AppendLogin(nil, o.User, o.Password)); err != nil {
			return err
		}
		if devices, login, err = c.answer(); login || ended(err) { // a relay says no by closing
			if max(len(o.User), len(o.Password)) > openswitcher.OldCredential {
				return fmt.Errorf("%w; some relays take no name or password longer than %d bytes", ErrLogin, openswitcher.OldCredential)
			}
			return ErrLogin
		}
	}
	if err != nil {
		return err
	}
	c.devices = devices
	var names []string
	for _, d := range devices {
		if d.ID == o.Device || o.Device == "" && len(devices) == 1 {
			c.device = d
			return c.say(openswitcher.AppendChoice(nil, d.ID))
		}
		names = append(names, fmt.Sprintf("%q", d.ID))
	}
	if len(names) == 0 { // zeros without end look like this too
		return fmt.Errorf("%q: %w, none is: %w", o.Device, ErrNoDevice, openswitcher.ErrHandshake)
	}
	return fmt.Errorf("%q: %w; offered: %s", o.Device, ErrNoDevice, strings.Join(names, ", "))
}

// ended reports whether the other side has ended the connection.
func ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func (c *Client) say(payload []byte) error {
	p, err := openswitcher.AppendPacket(nil, payload)
	if err != nil {
		return err
	}
	_, err = c.conn.Write(p)
	return err
}

func (c *Client) answer() ([]openswitcher.Device, bool, error) {
	p, err := c.in.Next(openswitcher.MaxHandshake)
	if err != nil {
		if errors.Is(err, openswitcher.ErrTooLong) {
			err = fmt.Errorf("%w: %w", openswitcher.ErrHandshake, err)
		}
		return nil, false, err
	}
	return openswitcher.ParseAnswer(p)
}

// Addr is the address that was dialled.
func (c *Client) Addr() string { return c.addr }

// Device is what was chosen.
func (c *Client) Device() openswitcher.Device { return c.device }

// Devices are those that were offered.
func (c *Client) Devices() []openswitcher.Device {
	return append([]openswitcher.Device(nil), c.devices...)
}

// Ready is closed when the switcher has said everything that it is: the dump has ended with InCm.
func (c *Client) Ready() <-chan struct{} { return c.ready }

// Done is closed when the connection has ended, by [Client.Close] or by a failure, and nothing of it runs any more.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err is why the connection ended: io.EOF when the other side has closed it, [openswitcher.ErrBacklog], or the network's. It
// is net.ErrClosed after [Client.Close], and nil while the connection works.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// Stats is what the connection has done so far.
func (c *Client) Stats() Stats {
	return Stats{Received: c.received.Load(), Sent: c.sent.Load(), Bytes: c.bytes.Load()}
}

// Send sends fields as one packet: the switcher carries them out in the same frame of video. It does not wait.
func (c *Client) Send(fields ...atem.Field) error {
	var payload []byte
	var err error
	for i := range fields {
		if payload, err = fields[i].Append(payload); err != nil {
			return fmt.Errorf("openswitcher send %s: %w", c.addr, err)
		}
	}
	return c.SendPayload(payload)
}

// SendPayload is [Client.Send] for fields that are a payload already, which must not change from now on.
func (c *Client) SendPayload(payload []byte) error {
	packets, err := openswitcher.Packets(payload)
	if err == nil {
		if err = c.Err(); err == nil {
			if err = c.out.Add(packets...); err != nil {
				c.end(err)
			}
		}
	}
	if err != nil {
		return fmt.Errorf("openswitcher send %s: %w", c.addr, err)
	}
	c.sent.Add(uint64(len(packets)))
	return nil
}

// Close closes the connection and returns when nothing of it is left; what waits to be sent is given up. It may be called
// again, and not from Handle.
func (c *Client) Close() error {
	c.end(net.ErrClosed)
	<-c.done
	return nil
}

// end closes the connection for a reason; the first one counts.
func (c *Client) end(why error) {
	c.mu.Lock()
	if !c.ended {
		c.ended, c.cause = true, why
	}
	c.mu.Unlock()
	c.out.Close()
	c.conn.Close()
}

// run reads until the connection ends.
func (c *Client) run() {
	defer close(c.done)
	var writer sync.WaitGroup
	writer.Go(c.write)
	for {
		p, err := c.in.Next(openswitcher.MaxPacket)
		if err != nil {
			c.end(err)
			break
		}
		if len(p) > 0 {
			c.receive(append([]byte(nil), p...))
		}
	}
	writer.Wait()
}

func (c *Client) receive(payload []byte) {
	c.received.Add(1)
	c.bytes.Add(uint64(len(payload)))
	if c.handle != nil {
		c.handle(payload)
	}
	if c.isReady {
		return
	}
	for f, err := range atem.Fields(payload) {
		if err == nil && f.Code == atem.CodeInCm {
			c.isReady = true
			close(c.ready)
			return
		}
	}
}

func (c *Client) write() {
	for {
		b, ok := c.out.Take()
		if !ok {
			return
		}
		_ = c.conn.SetWriteDeadline(time.Now().Add(c.writeTimeout))
		if _, err := c.conn.Write(b); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				err = fmt.Errorf("the other side takes nothing any more: %w", err)
			}
			c.end(err)
			return
		}
	}
}
