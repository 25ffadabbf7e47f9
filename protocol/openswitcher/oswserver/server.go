package oswserver

import (
	"context"
	"net"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/protocol/internal/tcpserver"
	"github.com/patchbay-io/patchbay/protocol/openswitcher"
)

// ErrServerClosed is what Serve returns after Shutdown or Close. It wraps net.ErrClosed.
var ErrServerClosed = tcpserver.ErrServerClosed

// Handler is what stands behind a server. Calls about one connection come one after the other, calls about different ones at
// the same time.
type Handler interface {
	// Login checks a user's password; nil lets the client in. It is called when the options want logins.
	Login(ctx context.Context, c *Conn, user, password string) error
	// Devices are those that this client may choose from.
	Devices(c *Conn) []openswitcher.Device
	// Opened is told that the client has chosen one of the devices. Its answer is the dump, by [Conn.Send]. An error ends the
	// connection.
	Opened(c *Conn) error
	// Command gets a packet of a client: the fields that are to be carried out together. The payload is valid until it
	// returns.
	Command(c *Conn, payload []byte)
	// Closed is told that a client for which Opened gave no error is gone, and why; nil: it was closed from here.
	Closed(c *Conn, why error)
}

// Uploader is an optional ability of a [Handler]: it gets the files that clients send as a whole (*XFR), and answers with
// [openswitcher.AppendUploaded] when the switcher has the file. Without it they are dropped and counted.
type Uploader interface {
	Upload(c *Conn, file *openswitcher.Upload)
}

// Options of a server. The zero value works.
type Options struct {
	// Logins says that clients must log in.
	Logins bool
	// MaxConns is how many connections there may be at a time; one more is reset at once. 0: 2000.
	MaxConns int
	// HandshakeTimeout is how long a client may take from its connection to its choice. 0: 10 seconds.
	HandshakeTimeout time.Duration
	// LoginTime is how long after it came a login is answered, right or wrong, unless checking it takes longer. 0: 250 ms.
	LoginTime time.Duration
	// WriteTimeout is how long a client may take nothing of what it is sent. 0: 10 seconds.
	WriteTimeout time.Duration
	// Backlog is how many bytes may wait for a client before it is dropped. 0: 4 MiB.
	Backlog int
	// WrapConn, when set, goes around each accepted connection. It is the place for a recorder.
	WrapConn func(net.Conn) net.Conn
}

// Server serves OpenSwitcher clients. All methods may be called at the same time.
type Server struct {
	handler Handler
	opts    Options
	tcp     *tcpserver.Server

	badLogins, badHandshakes, dropped atomic.Uint64
}

// New makes a server; it starts nothing.
func New(h Handler, o Options) *Server {
	set := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	set(&o.HandshakeTimeout, 10*time.Second)
	set(&o.LoginTime, 250*time.Millisecond)
	set(&o.WriteTimeout, 10*time.Second)
	if o.MaxConns <= 0 {
		o.MaxConns = 2000
	}
	if o.Backlog <= 0 {
		o.Backlog = 4 << 20
	}
	s := &Server{handler: h, opts: o}
	s.tcp = tcpserver.New(s.serveConn, tcpserver.Options{MaxConns: o.MaxConns, ReadTimeout: o.HandshakeTimeout, WriteTimeout: o.WriteTimeout, Wrap: o.WrapConn})
	return s
}

// Serve serves ln until ctx ends or the server is stopped; it closes ln and returns after the last connection has ended.
// The error is ctx's, [ErrServerClosed], or the listener's. Several listeners may be served at the same time.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error { return s.tcp.Serve(ctx, ln) }

// Close closes everything and waits. It may be called again, and not from a [Handler].
func (s *Server) Close() error { return s.tcp.Close() }

// CloseAll ends every connection and keeps listening. It does not wait.
func (s *Server) CloseAll() { s.tcp.Drop(false) }

// Stats are counters since the server was made.
type Stats struct {
	tcpserver.Stats
	BadLogins     uint64 // wrong user or password
	BadHandshakes uint64 // connections that did not get to their choice, wrong logins left out
	Dropped       uint64 // packets in the place of commands that are for a relay and not for a switcher
}

// Stats are the counters now.
func (s *Server) Stats() Stats {
	return Stats{Stats: s.tcp.Stats(), BadLogins: s.badLogins.Load(), BadHandshakes: s.badHandshakes.Load(), Dropped: s.dropped.Load()}
}
