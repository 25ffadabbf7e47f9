package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/internal/access"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// Times that bound a connection.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	writeTimeout  = 90 * time.Second // of an answer; event streams have streamTimeout
	drainTimeout  = 5 * time.Second
)

// Server is the HTTP door. Make it with [New], then call [Server.Run] once.
type Server struct {
	cfg     Config
	tree    north.Tree
	devices north.Devices
	writes  north.Writes
	access  *access.Access
	log     *slog.Logger
	hosts   map[string]bool
	handler http.Handler
	openapi []byte

	closing                                       chan struct{} // closed when Run is told to stop; ends streams and waits
	streams                                       atomic.Int64
	probes                                        probes
	refusedStreams, droppedStreams, mergedChanges atomic.Uint64
	requests                                      requests
	buffers                                       sync.Pool      // of *[]byte, for events
	active                                        sync.WaitGroup // handlers

	mu       sync.Mutex
	listener net.Listener
	running  bool
}

// New checks cfg and prepares the door; it does no I/O. A nil page leaves the web page out.
func New(cfg Config, tree north.Tree, devices north.Devices, writes north.Writes, page fs.FS) (*Server, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, tree: tree, devices: devices, writes: writes, access: cfg.Access, log: cfg.Log,
		hosts:   map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true},
		closing: make(chan struct{}), requests: requests{counts: map[requestKind]requestCount{}},
	}
	for _, h := range cfg.Hosts {
		s.hosts[strings.TrimSuffix(strings.ToLower(strings.Trim(h, "[]")), ".")] = true
	}
	if host, _, err := net.SplitHostPort(cfg.Listen); err == nil && access.Loopback(host) {
		s.hosts[strings.ToLower(host)] = true
	}
	s.buffers.New = func() any { return new([]byte) }
	mux := http.NewServeMux()
	if err := s.routes(mux, page); err != nil {
		return nil, err
	}
	for pattern, h := range cfg.Mount {
		mux.Handle(pattern, h)
	}
	guarded := s.requests.counted(s.guard(s.authenticate(mux, noteRoute(mux))))
	s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.active.Add(1)
		defer s.active.Done()
		guarded.ServeHTTP(w, r)
	})
	return s, nil
}

// Handler answers requests without a listener, for tests and for programs with a server of their own.
func (s *Server) Handler() http.Handler { return s.handler }

// Listen opens the listener, so that [Server.Addr] is known before Run. Run calls it when nobody did.
func (s *Server) Listen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		return nil
	}
	if s.cfg.Listener != nil {
		s.listener = s.cfg.Listener
		return nil
	}
	l, err := driver.Listen(context.Background(), "tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("http: listen on %s: %w", s.cfg.Listen, err)
	}
	if err := s.cfg.checkAddr(l.Addr().String()); err != nil {
		return errors.Join(err, l.Close())
	}
	s.listener = l
	return nil
}

// Addr is where the door listens; nil before [Server.Listen].
func (s *Server) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}

// Run serves until ctx ends, then lets requests finish for up to five seconds, ends event streams at once, and returns
// nil when nothing is left. It can be called once.
func (s *Server) Run(ctx context.Context) error {
	if err := s.Listen(); err != nil {
		return err
	}
	s.mu.Lock()
	if s.running {
		s.mu.Unlock()
		return errors.New("http: Run was called twice; make a new Server")
	}
	s.running = true
	l := s.listener
	s.mu.Unlock()

	srv := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, WriteTimeout: writeTimeout,
		MaxHeaderBytes: 64 << 10, ErrorLog: log.New(logWriter{s.log}, "", 0),
	}
	served := make(chan error, 1)
	go func() {
		if s.cfg.TLS != nil {
			srv.TLSConfig = s.cfg.TLS.Clone()
			served <- srv.ServeTLS(l, "", "")
			return
		}
		served <- srv.Serve(l)
	}()
	var err error
	select {
	case err = <-served:
		err = fmt.Errorf("http: serve on %s: %w", l.Addr(), err)
		close(s.closing)
	case <-ctx.Done():
		close(s.closing)
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		if e := srv.Shutdown(drain); e != nil {
			s.log.Warn("http requests were cut off at the end", "after", drainTimeout)
		}
		cancel()
		<-served
	}
	_ = srv.Close() // cuts what did not drain; there is nobody left to tell
	s.active.Wait()
	return err
}

// logWriter takes the lines of net/http, which are about peers that misbehave.
type logWriter struct{ log *slog.Logger }

func (w logWriter) Write(b []byte) (int, error) {
	w.log.Debug("http connection", "text", strings.TrimSpace(string(b)))
	return len(b), nil
}
