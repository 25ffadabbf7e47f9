package serial

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
	"github.com/patchbay-io/patchbay/internal/tcpstate"
)

const (
	defaultKeepAlive = 15 * time.Second
	loginTimeout     = time.Minute
	handshakeTimeout = 10 * time.Second
	maxLoginLine     = 256
	maxAtDoor        = 16 // clients of one listener that have not shown yet who they are
)

// client is one TCP client while it is served.
type client struct {
	net.Conn
	who driver.Who
	in  io.Reader // of the connection, with what was read ahead

	admitted bool          // of the lock of clients
	leaving  atomic.Bool   // it sends no more, and gives way to whoever comes
	passed   atomic.Uint64 // bytes that came from the line
}

func (c *client) Read(p []byte) (int, error) { return c.in.Read(p) }

// Close ends the connection. Who sees that may come again at once.
func (c *client) Close() error {
	c.leaving.Store(true)
	return c.Conn.Close()
}

// listen accepts clients until ctx ends or the listener fails.
func (o *offer) listen(ctx context.Context, door, addr string, serve func(context.Context, *client, north.Stream, bool)) error {
	p := &o.port
	if o.d.cfg.CheckListen != nil {
		if err := o.d.cfg.CheckListen(addr, p.Login, p.TLS); err != nil {
			return &driver.Error{Op: "listen", Target: addr, Class: driver.Auth, Err: err,
				Hint: "of the port itself: write login: true and tls: true, with users and tls: auto for the gateway"}
		}
	}
	l, err := o.d.cfg.Listen(ctx, "tcp", addr)
	if err != nil {
		failed := &driver.Error{Op: "listen", Target: addr, Class: driver.ClassOf(err), Err: err}
		if driver.AddressTaken(err) {
			failed.Hint = "another port of the section serial, or another program, has this address: choose another one"
		}
		return failed
	}
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	defer l.Close()
	o.log.Info("serial port offered", "as", door, "address", l.Addr().String())
	var wg sync.WaitGroup
	defer wg.Wait()
	all := &clients{most: max(p.MaxClients, 1), kick: p.KickOld, in: map[*client]context.CancelFunc{}}
	defer all.end()
	for {
		conn, err := l.Accept()
		if err != nil {
			return driver.WrapNet("accept", addr, err)
		}
		if !all.arrive() {
			o.log.Debug("too many clients at the door at once", "as", door, "from", conn.RemoteAddr().String())
			conn.Close()
			continue
		}
		mine, cancel := context.WithCancel(ctx)
		wg.Go(func() {
			c := &client{Conn: conn, in: conn, who: driver.Who{Door: door, Addr: conn.RemoteAddr().String()}}
			stop := context.AfterFunc(mine, func() { conn.Close() })
			o.client(mine, c, func() bool { return all.admitSoon(mine, c, cancel) }, serve)
			stop()
			all.leave(c)
			cancel()
			conn.Close()
		})
	}
}

// clients are those of one listener: at the door, until they have shown who they are, or in.
type clients struct {
	most int
	kick bool

	mu     sync.Mutex
	in     map[*client]context.CancelFunc
	atDoor int
}

// arrive counts one at the door; false when there are too many.
func (a *clients) arrive() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.atDoor >= maxAtDoor {
		return false
	}
	a.atDoor++
	return true
}

// admit lets a client in that may have the port. Others make room when they are leaving, or all with kick_old; false: it is full.
func (a *clients) admit(c *client, cancel context.CancelFunc) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	full := len(a.in) >= a.most
	for old, end := range a.in {
		if full && (a.kick || old.leaving.Load()) {
			end()
			delete(a.in, old)
		}
	}
	if len(a.in) >= a.most {
		return false
	}
	a.in[c] = cancel
	c.admitted = true
	a.atDoor--
	return true
}

// admitSoon is admit that waits a moment for a client that may be going.
func (a *clients) admitSoon(ctx context.Context, c *client, cancel context.CancelFunc) bool {
	for until := time.Now().Add(north.LeavingWait); ctx.Err() == nil; pause(ctx, 5*time.Millisecond) {
		if a.admit(c, cancel) {
			return true
		}
		if !time.Now().Before(until) {
			break
		}
	}
	return false
}

// leave forgets a client.
func (a *clients) leave(c *client) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.in, c)
	if !c.admitted {
		a.atDoor--
	}
}

// end ends those who are in.
func (a *clients) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, cancel := range a.in {
		cancel()
	}
}

// refuse says why in a line, without waiting for a client that takes nothing.
func refuse(conn net.Conn, text string) {
	conn.SetWriteDeadline(time.Now().Add(time.Second))
	if _, err := io.WriteString(conn, text); err == nil {
		if c, ok := conn.(interface{ CloseWrite() error }); ok && c.CloseWrite() == nil {
			conn.SetReadDeadline(time.Now().Add(time.Second)) // so that what the client sent does not turn the line into a reset
			_, _ = io.CopyN(io.Discard, conn, 4096)
		}
	}
	conn.Close()
}

// client serves one connection. What it does to others it does in admit, after it has shown that it may.
func (o *offer) client(ctx context.Context, c *client, admit func() bool, serve func(context.Context, *client, north.Stream, bool)) {
	p, conn := &o.port, c.Conn
	log := o.log.With("as", c.who.Door, "from", c.who.Addr)
	defer tune(conn, p.KeepAlive, p.UserTimeout)()
	if p.TLS {
		if o.d.cfg.TLS == nil {
			log.Error("TLS is wanted and no certificate is configured")
			return
		}
		secure := tls.Server(conn, o.d.cfg.TLS)
		hand, cancel := context.WithTimeout(ctx, handshakeTimeout)
		err := secure.HandshakeContext(hand)
		cancel()
		if err != nil {
			log.Debug("TLS handshake", "error", err)
			return
		}
		conn = secure
		c.Conn, c.in = secure, secure
	}
	if p.Login {
		if err := o.login(ctx, c); err != nil {
			log.Warn("a client of a serial port was not let in", "error", err)
			refuse(conn, "patchbay: not let in\r\n")
			return
		}
	}
	if !admit() {
		refuse(conn, "patchbay: the port has as many clients as it may have\r\n")
		return
	}
	s, own, err := o.attach(ctx, c.who, p.MaxClients > 1)
	if err != nil {
		log.Warn("a client of a serial port was refused", "error", err)
		refuse(conn, reason(err))
		return
	}
	log.Info("serial client", "user", c.who.User, "owner", own)
	serve(ctx, c, s, own)
	if err := s.Close(); err != nil {
		log.Debug("closing a stream", "error", err)
	}
	log.Info("serial client gone")
}

var errLoginLine = errors.New("a line of the login is too long")

// login asks for user and password in lines of text, in front of everything else. A telnet client negotiates after it.
func (o *offer) login(ctx context.Context, c *client) error {
	if o.d.cfg.Login == nil {
		return errors.New("nobody is configured who could sign in")
	}
	c.SetDeadline(time.Now().Add(loginTimeout))
	r := bufio.NewReaderSize(c.Conn, 1)
	ask := func(prompt string) (string, error) {
		if _, err := io.WriteString(c.Conn, prompt); err != nil {
			return "", err
		}
		var line []byte
		for len(line) <= maxLoginLine {
			b, err := r.ReadByte()
			switch {
			case err != nil:
				return "", err
			case b == '\n':
				return strings.TrimRight(string(line), "\r\x00"), nil
			}
			line = append(line, b)
		}
		return "", errLoginLine
	}
	user, err := ask("login: ")
	if err != nil {
		return err
	}
	secret, err := ask("password: ")
	if err != nil {
		return err
	}
	who, err := o.d.cfg.Login(ctx, user, secret, c.RemoteAddr())
	if err != nil {
		return err
	}
	c.who.User, c.in = who.User, r
	c.SetDeadline(time.Time{})
	return nil
}

// tune sets what a serial line wants of TCP: nothing waits, and a peer that is gone is noticed. The function it returns ends what watches.
func tune(conn net.Conn, keepAlive, userTimeout time.Duration) (stop func()) {
	t, ok := conn.(*net.TCPConn)
	if !ok {
		return func() {}
	}
	if keepAlive <= 0 {
		keepAlive = defaultKeepAlive
	}
	_ = t.SetNoDelay(true) // these fail on a closed connection only, and the next read says so
	_ = t.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: keepAlive, Interval: keepAlive, Count: 3})
	if userTimeout > 0 {
		setUserTimeout(t, userTimeout)
		return func() {}
	}
	return watch(t, 4*keepAlive, tcpstate.Unanswered)
}

// watch ends a connection that is unanswered for so long. TCP asks whether a peer is there only while nothing is on its way to it; else it
// sends that again for a quarter of an hour. Its own limit on that would also end a peer that is there and takes nothing,
// which may hold the line up for as long as it wants.
func watch(conn net.Conn, after time.Duration, unanswered func(net.Conn) time.Duration) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(after / 4)
		defer tick.Stop()
		for unanswered(conn) < after {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
		conn.Close()
	})
	return func() {
		cancel()
		wg.Wait()
	}
}
