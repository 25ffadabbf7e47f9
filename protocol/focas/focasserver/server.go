package focasserver

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/internal/tcpserver"
)

// ErrServerClosed is what Serve returns after Shutdown or Close. It wraps net.ErrClosed.
var ErrServerClosed = tcpserver.ErrServerClosed

// Handler answers for a control. Calls about one connection come one after the other; calls about different ones at the
// same time.
type Handler interface {
	// Open answers the first frame of a connection. The version of the reply goes into every frame from then on. An error
	// that is a *focas.Error goes out as an error frame, any other resets the connection.
	Open(ctx context.Context, c *Conn) (focas.OpenReply, error)

	// Data answers the blocks of one data frame by appending one reply for each, in order, to replies, and returns it.
	// Class, Path and Func of a reply need not be set: the server echoes them. The server copies the payloads before the
	// next call. The blocks and their data are valid until Data returns. An error that is a *focas.Error refuses the whole
	// frame with an error frame, a [RawFrame] is the whole answer, any other resets the connection.
	Data(ctx context.Context, c *Conn, blocks []focas.Request, replies []focas.Reply) ([]focas.Reply, error)
}

// RawFrame is a whole frame that [Handler.Data] gives as its error to have it sent as it is, without any check: what
// another control has answered, or what a test wants a client to see.
type RawFrame []byte

// Error says that it is none.
func (f RawFrame) Error() string { return fmt.Sprintf("raw frame of %d bytes", len(f)) }

// Closer is an optional ability of a [Handler]: it is told of the end of each connection for which Open was called and
// gave no error.
type Closer interface {
	Closed(c *Conn)
}

// Misplaced says what happens to a data frame on channel 1.
type Misplaced uint8

// The ways. A 0i-F resets the connection (reported by the author of a public driver); others are not known.
const (
	MisplacedReset  Misplaced = iota // reset the connection
	MisplacedRefuse                  // error frame with code 1
	MisplacedServe                   // answer as on channel 2
)

// Options of a server. The zero value works.
type Options struct {
	// MaxConns is the largest number of connections at a time; one more is reset at once. A program holds one or two.
	// 0: no limit.
	MaxConns int
	// IdleTimeout ends a connection that asks nothing for so long. 0: never, as the library sends no keep-alive.
	IdleTimeout time.Duration
	// FrameTimeout is how long one frame may take to arrive or to leave. 0: 10 seconds.
	FrameTimeout time.Duration
	// DataOnTransfer is what happens to a data frame on channel 1.
	DataOnTransfer Misplaced
	// MaxDownload is the largest program in bytes that a client may send. 0: 64 MiB.
	MaxDownload int64
	// WrapConn, when set, goes around each accepted connection. The server reads and writes through it and writes each
	// frame with one Write. It is the place for a recorder.
	WrapConn func(net.Conn) net.Conn
}

// Server serves FOCAS. All methods may be called at the same time.
type Server struct {
	handler Handler
	opts    Options
	tcp     *tcpserver.Server
}

// New makes a server; it starts nothing.
func New(h Handler, o Options) *Server {
	if o.FrameTimeout == 0 {
		o.FrameTimeout = 10 * time.Second
	}
	if o.MaxDownload == 0 {
		o.MaxDownload = 64 << 20
	}
	s := &Server{handler: h, opts: o}
	s.tcp = tcpserver.New(s.serveConn, tcpserver.Options{MaxConns: o.MaxConns, IdleTimeout: o.IdleTimeout,
		ReadTimeout: o.FrameTimeout, WriteTimeout: o.FrameTimeout, Wrap: o.WrapConn})
	return s
}

// Serve serves ln until ctx ends or the server is stopped; it closes ln and returns after the last connection has ended.
// The error is ctx's, [ErrServerClosed], or the listener's.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error { return s.tcp.Serve(ctx, ln) }

// Shutdown stops accepting, lets frames that are being answered finish, and waits; when ctx ends first it closes what is
// left and returns ctx's error.
func (s *Server) Shutdown(ctx context.Context) error { return s.tcp.Shutdown(ctx) }

// Close closes everything and waits. It may be called again, and not from a [Handler].
func (s *Server) Close() error { return s.tcp.Close() }

// Drop ends every connection and keeps listening; with reset the clients see what a power cut of the control looks like.
func (s *Server) Drop(reset bool) { s.tcp.Drop(reset) }

// Stats are connection counters since the server was made.
func (s *Server) Stats() tcpserver.Stats { return s.tcp.Stats() }
