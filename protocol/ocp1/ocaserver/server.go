package ocaserver

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/protocol/internal/tcpserver"
)

// ErrServerClosed is what Serve returns after Close. It wraps net.ErrClosed.
var ErrServerClosed = tcpserver.ErrServerClosed

// Options of a server. The zero value works.
type Options struct {
	// MaxConns is the largest number of connections over [Server.Serve] at a time; one more is reset at once. 0: no limit.
	MaxConns int
	// MessageTimeout is how long one message may take to arrive once it has begun, and the handshake of a TLS connection. 0: 10 seconds.
	MessageTimeout time.Duration
	// WriteTimeout is how long a controller may take to take what is sent. 0: 10 seconds.
	WriteTimeout time.Duration
	// EV1 leaves out the events of the second kind, as devices of AES70-2018 do.
	EV1 bool
	// MaxMessage limits the messages of controllers, in bytes; 0 is [ocp1.MaxMessage].
	MaxMessage int
	// Connected is called before a connection is served; an error ends it. Closed is called at the end of each that had none.
	Connected func(*Conn) error
	Closed    func(*Conn)
	// WrapConn, when set, goes around each accepted connection: the place for a recorder or a fault.
	WrapConn func(net.Conn) net.Conn
}

// Server serves a device. All methods may be called at the same time. Several servers may serve one device.
type Server struct {
	device *Device
	opts   Options
	tcp    *tcpserver.Server
	lastID atomic.Uint64

	mu    sync.Mutex
	conns map[uint64]*Conn
}

// New makes a server; it starts nothing.
func New(d *Device, o Options) *Server {
	if o.MessageTimeout == 0 {
		o.MessageTimeout = 10 * time.Second
	}
	if o.WriteTimeout == 0 {
		o.WriteTimeout = 10 * time.Second
	}
	s := &Server{device: d, opts: o, conns: map[uint64]*Conn{}}
	// The connection below that of tcpserver is served: this package keeps the deadlines itself, and seldom has to set one.
	s.tcp = tcpserver.New(func(ctx context.Context, c *tcpserver.Conn) { _ = s.ServeConn(ctx, c.Conn) },
		tcpserver.Options{MaxConns: o.MaxConns, Wrap: o.WrapConn})
	return s
}

// Serve serves ln until ctx ends or the server is closed; it closes ln and returns after the last connection has ended. The
// error is ctx's, [ErrServerClosed], or the listener's. For TLS, ln is a TLS listener.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error { return s.tcp.Serve(ctx, ln) }

// ServeConn serves one connection, which came from anywhere, until it or ctx ends, and closes it. The error is why it ended.
func (s *Server) ServeConn(ctx context.Context, conn net.Conn) error {
	if err := s.handshake(ctx, conn); err != nil {
		conn.Close()
		return err
	}
	c := &Conn{srv: s, conn: conn, id: s.lastID.Add(1), subs: map[*subscription]struct{}{}, locks: map[*Object]struct{}{},
		queued: map[eventKey]int{}, wake: make(chan struct{}, 1), alive: make(chan bool, 1), writing: make(chan struct{}, 1)}
	if s.opts.Connected != nil {
		if err := s.opts.Connected(c); err != nil {
			conn.Close()
			return err
		}
	}
	s.mu.Lock()
	s.conns[c.id] = c
	s.mu.Unlock()
	err := c.serve(ctx)
	s.mu.Lock()
	delete(s.conns, c.id)
	s.mu.Unlock()
	if s.opts.Closed != nil {
		s.opts.Closed(c)
	}
	return err
}

// handshake is the beginning of a TLS connection. It has to end in time: whoever says nothing there is no controller that has nothing to
// say, and must not take the place of one.
func (s *Server) handshake(ctx context.Context, conn net.Conn) error {
	t, ok := conn.(interface{ HandshakeContext(context.Context) error })
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.MessageTimeout)
	defer cancel()
	if err := t.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("oca: TLS with %s: %w", conn.RemoteAddr(), err)
	}
	return nil
}

// Conns are the connections now, in order of their numbers.
func (s *Server) Conns() []*Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*Conn, 0, len(s.conns))
	for _, c := range s.conns {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *Conn) int { return int(a.id) - int(b.id) })
	return list
}

// Drop ends every connection and keeps listening; with reset the controllers of [Server.Serve] see what a power cut looks like.
func (s *Server) Drop(reset bool) {
	s.tcp.Drop(reset)
	for _, c := range s.Conns() {
		c.Close()
	}
}

// Close closes everything that came over [Server.Serve] and waits. It may be called again.
func (s *Server) Close() error { return s.tcp.Close() }
