package oswserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/internal/tcpserver"
	"github.com/patchbay-io/patchbay/protocol/openswitcher"
)

// Conn is one client. Its methods may be called at the same time, from a [Handler] too.
type Conn struct {
	// Value is the handler's own. The server leaves it alone; only calls of the handler about this client may use it.
	Value any

	srv     *Server
	tcp     *tcpserver.Conn
	in      *openswitcher.Reader
	out     *openswitcher.Outbox
	since   time.Time
	user    string
	device  string
	uploads openswitcher.Uploads

	mu    sync.Mutex
	cause error
	over  bool
}

// ID is a number that is unique in the server, counted from 1.
func (c *Conn) ID() uint64 { return c.tcp.ID() }

// RemoteAddr is the client's address.
func (c *Conn) RemoteAddr() net.Addr { return c.tcp.RemoteAddr() }

// LocalAddr is the address that the client connected to.
func (c *Conn) LocalAddr() net.Addr { return c.tcp.LocalAddr() }

// Since is when the client connected.
func (c *Conn) Since() time.Time { return c.since }

// User is who has logged in; empty without a login.
func (c *Conn) User() string { return c.user }

// Device is what the client has chosen; empty before that.
func (c *Conn) Device() string { return c.device }

// Waiting is how many bytes wait to be sent to the client.
func (c *Conn) Waiting() int { return c.out.Waiting() }

// Send sends packets, made by [openswitcher.Packets], which may be shared among clients and must not change. It does not wait.
// When more waits for the client than it may, the connection ends, and the error is [openswitcher.ErrBacklog].
func (c *Conn) Send(packets ...[]byte) error {
	err := c.out.Add(packets...)
	if err != nil {
		c.end(err)
	}
	return err
}

// Close ends the connection.
func (c *Conn) Close() error {
	c.end(nil)
	return nil
}

// end closes the connection for a reason; the first one counts.
func (c *Conn) end(why error) {
	c.mu.Lock()
	first := !c.over
	if first {
		c.over, c.cause = true, why
	}
	c.mu.Unlock()
	c.tcp.Close()
}

// why is the reason of the end, when err is what reading gave.
func (c *Conn) why(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.over:
		return c.cause
	case errors.Is(err, net.ErrClosed), errors.Is(err, tcpserver.ErrServerClosed):
		return nil
	}
	return err
}

var errLogin = errors.New("wrong user or password")

// serveConn serves one connection until it ends.
func (s *Server) serveConn(ctx context.Context, t *tcpserver.Conn) {
	c := &Conn{srv: s, tcp: t, in: openswitcher.NewReader(bufio.NewReader(t)), out: openswitcher.NewOutbox(s.opts.Backlog), since: time.Now()}
	late := time.AfterFunc(s.opts.HandshakeTimeout, func() { t.Close() })
	err := c.handshake(ctx)
	if !late.Stop() && err == nil {
		err = net.ErrClosed
	}
	switch {
	case errors.Is(err, errLogin):
		s.badLogins.Add(1)
		return
	case err != nil:
		s.badHandshakes.Add(1)
		return
	}
	var writer sync.WaitGroup
	writer.Go(c.write)
	if err = s.handler.Opened(c); err == nil {
		err = c.relay()
		s.handler.Closed(c, c.why(err))
	}
	c.out.Close()
	t.Close()
	writer.Wait()
}

// handshake brings the client to its choice.
func (c *Conn) handshake(ctx context.Context) error {
	p, err := c.next()
	if err == nil {
		err = openswitcher.ParseHello(p)
	}
	if err != nil {
		return err
	}
	if c.srv.opts.Logins {
		if err := c.login(ctx); err != nil {
			return err
		}
	}
	devices := c.srv.handler.Devices(c)
	if err := c.say(openswitcher.AppendDevices(nil, devices)); err != nil {
		return err
	}
	if p, err = c.next(); err != nil {
		return err
	}
	id, err := openswitcher.ParseChoice(p)
	if err != nil {
		return err
	}
	for _, d := range devices {
		if d.ID == id {
			c.device = id
			return nil
		}
	}
	return fmt.Errorf("%q is not among the devices that are offered: %w", id, openswitcher.ErrHandshake)
}

// login asks for a login and checks it. The answer comes after the same time, whatever it is.
func (c *Conn) login(ctx context.Context) error {
	if err := c.say(openswitcher.AppendLoginWanted(nil)); err != nil {
		return err
	}
	p, err := c.next()
	if err != nil {
		return err
	}
	answer := time.NewTimer(c.srv.opts.LoginTime)
	defer answer.Stop()
	user, password, err := openswitcher.ParseLogin(p)
	if err != nil {
		return err
	}
	wrong := c.srv.handler.Login(ctx, c, user, password)
	select {
	case <-answer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	if wrong != nil {
		return fmt.Errorf("%w: %w", errLogin, wrong)
	}
	c.user = user
	return nil
}

func (c *Conn) next() ([]byte, error) {
	c.tcp.NextMessage()
	return c.in.Next(openswitcher.MaxHandshake)
}

func (c *Conn) say(payload []byte) error {
	p, err := openswitcher.AppendPacket(nil, payload)
	if err != nil {
		return err
	}
	_, err = c.tcp.Write(p)
	return err
}

// relay hands over what the client sends until the connection ends.
func (c *Conn) relay() error {
	for {
		c.tcp.NextMessage()
		p, err := c.in.Next(openswitcher.MaxPacket)
		if err != nil {
			return err
		}
		f, _, err := atem.Next(p)
		switch {
		case len(p) == 0:
		case err == nil && f.Code == atem.CodeOSWXFR:
			c.upload(p)
		case err == nil && f.Code>>24 == '*':
			c.srv.dropped.Add(1)
		default:
			c.srv.handler.Command(c, p)
		}
	}
}

func (c *Conn) upload(payload []byte) {
	u, ok := c.srv.handler.(Uploader)
	for f, err := range atem.Fields(payload) {
		var piece atem.OSWUpload
		if !ok || err != nil || f.Code != atem.CodeOSWXFR || piece.Parse(0, f.Body) != nil {
			c.srv.dropped.Add(1)
			return
		}
		file, done, err := c.uploads.Add(&piece)
		switch {
		case err != nil:
			c.srv.dropped.Add(1)
		case done:
			u.Upload(c, file)
		}
	}
}

// write writes what waits until the connection ends.
func (c *Conn) write() {
	for {
		b, ok := c.out.Take()
		if !ok {
			return
		}
		if _, err := c.tcp.Write(b); err != nil {
			if !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.ErrClosedPipe) {
				c.end(fmt.Errorf("writing: %w", err))
			}
			return
		}
	}
}
