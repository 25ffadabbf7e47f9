package fcserver

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/protocol/fcxml"
	"github.com/patchbay-io/patchbay/protocol/internal/tcpserver"
)

// ErrServerClosed is what Serve returns after Close. It wraps net.ErrClosed.
var ErrServerClosed = tcpserver.ErrServerClosed

// Handler is what a server shows. Its methods may be called at the same time for different connections, in order for one,
// and must not block for long: the connection reads nothing else meanwhile.
type Handler interface {
	// Details is the greeting: a program has said who it is. The handler sends what it has to say with Conn.Send: the
	// program's identity, approvals, arrivals. An error ends the connection.
	Details(c *Conn, d fcxml.ClientDetails) error
	// Subscribe begins to push a device's values to c: the handler sends a snapshot with Conn.Snapshot while nothing is
	// pushed, so that no older value follows a newer one. It reports whether there is such a device.
	Subscribe(c *Conn, device string) bool
	// Set is a wish of the program. There is no answer but a push; an unwanted wish is passed over.
	Set(ctx context.Context, c *Conn, m fcxml.Set)
	// Gone is called once at the end of each connection that Details has been called for.
	Gone(c *Conn)
}

// Options are those of a server. The zero value is good.
type Options struct {
	// GreetingPause is the pause after each frame until the greeting is out; some programs lose frames that come together.
	// 0: 30 milliseconds, below 0: none.
	GreetingPause time.Duration
	// MaxConns is the largest number of connections at a time. 0: no limit.
	MaxConns int
	// IdleTimeout ends a connection that says nothing for so long; programs send a keep-alive every few seconds. 0: never.
	IdleTimeout time.Duration
	// Faults are mistakes that servers have made.
	Faults Faults
	// WrapConn, when set, goes around each accepted connection: a recorder, a counter.
	WrapConn func(net.Conn) net.Conn
}

// Faults are ways to write that trouble programs. The zero value has none.
type Faults struct {
	Join       bool // frames that are ready leave in one write
	Cut        int  // writes are cut into pieces of so many bytes; 0: never
	Characters bool // lengths count characters instead of bytes
	Upper      bool // the digits of lengths are in upper case
	ResetAfter int  // the connection is reset after so many frames; 0: never
}

// pieceGap lies between the pieces of a cut write, so that they do not come together again.
const pieceGap = 5 * time.Millisecond

// writeTimeout is how long a write may take to a program that reads nothing.
const writeTimeout = 10 * time.Second

// maxWord is the longest client-key and hostname in bytes: they are remembered, for everybody who comes.
const maxWord = 256

// Server serves programs. Make it with [New]; all methods may be called at the same time.
type Server struct {
	h    Handler
	opts Options
	tcp  *tcpserver.Server

	mu    sync.Mutex
	conns map[*Conn]struct{} // those that have said who they are
}

// New makes a server; it starts nothing.
func New(h Handler, o Options) *Server {
	if o.GreetingPause == 0 {
		o.GreetingPause = 30 * time.Millisecond
	}
	s := &Server{h: h, opts: o, conns: map[*Conn]struct{}{}}
	s.tcp = tcpserver.New(s.serve, tcpserver.Options{MaxConns: o.MaxConns, IdleTimeout: o.IdleTimeout, ReadTimeout: writeTimeout,
		WriteTimeout: writeTimeout, Wrap: o.WrapConn})
	return s
}

// Serve accepts programs until ctx ends or the server is closed; it closes ln and leaves nothing running.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error { return s.tcp.Serve(ctx, ln) }

// Close ends all connections and waits for them.
func (s *Server) Close() error { return s.tcp.Close() }

// Drop closes every connection and keeps listening; with reset, programs see a broken connection instead of an end.
func (s *Server) Drop(reset bool) { s.tcp.Drop(reset) }

// Broadcast sends a message to everybody who has said who they are.
func (s *Server) Broadcast(m fcxml.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Send(m)
	}
}

// Push sends values to everybody who has subscribed to the device. It keeps no reference to items.
func (s *Server) Push(device string, items []fcxml.Assign) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Push(device, items)
	}
}

// Conns are the programs that have said who they are.
func (s *Server) Conns() []*Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*Conn, 0, len(s.conns))
	for c := range s.conns {
		out = append(out, c)
	}
	return out
}

// serve is one connection: it reads here and writes in a goroutine of its own.
func (s *Server) serve(ctx context.Context, tc *tcpserver.Conn) {
	c := &Conn{srv: s, tcp: tc, wake: make(chan struct{}, 1), devices: map[string]bool{}}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		c.write(ctx)
		tc.Close() // a program that cannot be written to is not listened to
	})
	c.read(ctx)
	cancel()
	tc.Close()
	wg.Wait()
	s.mu.Lock()
	_, known := s.conns[c]
	delete(s.conns, c)
	s.mu.Unlock()
	if known {
		s.h.Gone(c)
	}
}

func (c *Conn) read(ctx context.Context) {
	frames := fcxml.NewReader(c.tcp)
	for {
		c.tcp.NextMessage()
		f, err := frames.Next()
		if err != nil {
			return
		}
		m, err := fcxml.Parse(f.Payload)
		if err != nil {
			c.tcp.Reset() // as servers do with what they cannot read
			return
		}
		switch m := m.(type) {
		case fcxml.KeepAlive:
			c.Send(m)
		case fcxml.ClientDetails:
			if !c.introduce(m) {
				return
			}
		case fcxml.DeviceSubscribe:
			c.subscribe(m)
		case fcxml.Set:
			if c.known() {
				c.sets.Add(1)
				c.srv.h.Set(ctx, c, m)
			}
		}
	}
}

func (c *Conn) introduce(d fcxml.ClientDetails) bool {
	if d.Key == "" || c.known() { // a program is who it said first
		return true
	}
	if len(d.Key) > maxWord || len(d.Hostname) > maxWord {
		c.tcp.Reset()
		return false
	}
	c.mu.Lock()
	c.details, c.greeting = d, true
	c.mu.Unlock()
	c.srv.mu.Lock()
	c.srv.conns[c] = struct{}{}
	c.srv.mu.Unlock()
	err := c.srv.h.Details(c, d)
	c.mu.Lock()
	c.composed = true
	c.mu.Unlock()
	c.rouse()
	return err == nil
}

func (c *Conn) subscribe(m fcxml.DeviceSubscribe) {
	if !c.known() {
		return
	}
	if !m.On {
		c.mu.Lock()
		delete(c.devices, m.Device)
		c.mu.Unlock()
		return
	}
	c.srv.h.Subscribe(c, m.Device)
}
