package ocaws

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/patchbay-io/patchbay/protocol/internal/tcpserver"
)

// Options of a server. The zero value works.
type Options struct {
	// MaxConns is the largest number of connections at a time; one more is reset at once. 0: no limit.
	MaxConns int
	// MaxPerHost is the largest number of them from one address; those of [Conn.Admit] do not count. 0: no limit.
	MaxPerHost int
	// UpgradeTimeout is how long a connection may take to ask for the upgrade. 0: 10 seconds.
	UpgradeTimeout time.Duration
	// Allow decides about a request: 0 lets it go on to the upgrade, anything else is the HTTP status of the refusal. nil: every path is good.
	Allow func(r *http.Request) int
	// Origins are patterns of hosts whose pages may connect from a browser ("*.example.com"), besides the page's own host.
	Origins []string
	// AnyProtocol agrees to the first subprotocol that a controller asks for, as Focusrite Control 2 does; AES70 has none.
	AnyProtocol bool
	// WrapConn, when set, goes around each accepted connection.
	WrapConn func(net.Conn) net.Conn
}

// Server accepts WebSocket connections and hands each to a function. It is no HTTP server: whatever else is asked for is refused.
type Server struct {
	serve func(ctx context.Context, conn net.Conn)
	opts  Options
	tcp   *tcpserver.Server
}

// New makes a server that calls serve with each connection, a *[Conn], in a goroutine of its own, and closes the connection when serve returns. ctx
// ends with the server.
func New(serve func(ctx context.Context, conn net.Conn), o Options) *Server {
	if o.UpgradeTimeout == 0 {
		o.UpgradeTimeout = 10 * time.Second
	}
	s := &Server{serve: serve, opts: o}
	s.tcp = tcpserver.New(s.conn, tcpserver.Options{MaxConns: o.MaxConns, MaxPerHost: o.MaxPerHost, Wrap: o.WrapConn})
	return s
}

// Serve serves ln until ctx ends or the server is closed; it closes ln and returns after the last connection has ended.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error { return s.tcp.Serve(ctx, ln) }

// Drop ends every connection and keeps listening.
func (s *Server) Drop(reset bool) { s.tcp.Drop(reset) }

// Close closes everything and waits. It may be called again.
func (s *Server) Close() error { return s.tcp.Close() }

// maxHead is the longest request head in bytes.
const maxHead = 16 << 10

func (s *Server) conn(ctx context.Context, t *tcpserver.Conn) {
	conn := t.Conn // below the phases of tcpserver, which are those of messages
	conn.SetDeadline(time.Now().Add(s.opts.UpgradeTimeout))
	head := &io.LimitedReader{R: conn, N: maxHead}
	in := bufio.NewReader(head)
	req, err := http.ReadRequest(in)
	w := &response{conn: conn, in: in, header: http.Header{}}
	if err != nil {
		if !errors.Is(err, io.EOF) {
			http.Error(w, "bad request", http.StatusBadRequest)
		}
		return
	}
	head.N = 1<<63 - 1
	req.RemoteAddr = conn.RemoteAddr().String()
	if s.opts.Allow != nil {
		if code := s.opts.Allow(req); code != 0 {
			http.Error(w, http.StatusText(code), code)
			return
		}
	}
	options := &websocket.AcceptOptions{OriginPatterns: s.opts.Origins, CompressionMode: websocket.CompressionDisabled}
	if s.opts.AnyProtocol {
		for _, line := range req.Header.Values("Sec-WebSocket-Protocol") {
			for p := range strings.SplitSeq(line, ",") {
				options.Subprotocols = append(options.Subprotocols, strings.TrimSpace(p))
			}
		}
	}
	ws, err := websocket.Accept(w, req, options)
	if err != nil {
		return // Accept has answered
	}
	conn.SetDeadline(time.Time{})
	c := newConn(ws, conn)
	c.path, c.admit = req.URL.Path, t.Admit
	defer c.Close()
	s.serve(ctx, c)
}

// response is the http.ResponseWriter of one request, after which the connection is closed or taken over.
type response struct {
	conn   net.Conn
	in     *bufio.Reader
	header http.Header
	wrote  bool
}

func (w *response) Header() http.Header { return w.header }

func (w *response) WriteHeader(code int) {
	if w.wrote {
		return
	}
	w.wrote = true
	if code != http.StatusSwitchingProtocols {
		w.header.Set("Connection", "close")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %03d %s\r\n", code, http.StatusText(code))
	_ = w.header.Write(&b)
	b.WriteString("\r\n")
	_, _ = io.WriteString(w.conn, b.String()) // a peer that is gone is noticed by what follows
}

func (w *response) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.conn.Write(p)
}

// Hijack implements http.Hijacker.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.conn, bufio.NewReadWriter(w.in, bufio.NewWriter(w.conn)), nil
}
