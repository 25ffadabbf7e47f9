package tcpserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// ErrServerClosed is what Serve returns after Shutdown or Close, and what a connection's Read returns when the server
// shuts down between two messages. It wraps net.ErrClosed.
var ErrServerClosed = fmt.Errorf("server is closed: %w", net.ErrClosed)

// Options are the limits of a server. The zero value has none.
type Options struct {
	// MaxConns is the largest number of connections at a time; one more is accepted and reset at once. 0: no limit.
	MaxConns int
	// MaxPerHost is the largest number of connections at a time from one address, so that one peer cannot take them all; one more
	// is accepted and reset at once. Those of [Conn.Admit] do not count. 0: no limit.
	MaxPerHost int
	// IdleTimeout is how long a connection may be silent between two messages. 0: for ever.
	IdleTimeout time.Duration
	// ReadTimeout is how long one message may take from its first byte to its last. 0: for ever.
	ReadTimeout time.Duration
	// WriteTimeout is how long one Write may take. 0: for ever.
	WriteTimeout time.Duration
	// Wrap, when set, goes around each accepted connection: a recorder, a fault. It must keep deadlines working.
	Wrap func(net.Conn) net.Conn
}

// Handler serves one connection and returns when it is done with it; the server closes the connection then. ctx ends when
// the server is closed, or when the context of Serve ends. A Handler must not call Shutdown or Close, which wait for it.
type Handler func(ctx context.Context, c *Conn)

// Stats are counters since the server was made.
type Stats struct {
	Active   int    // connections now
	Accepted uint64 // connections that reached the handler
	Rejected uint64 // connections over the limit
}

// Server accepts connections and runs a handler for each. All methods may be called at the same time.
type Server struct {
	handle Handler
	opts   Options

	mu        sync.Mutex
	closing   bool
	listeners map[net.Listener]struct{}
	conns     map[*Conn]struct{}
	wg        sync.WaitGroup // handlers
	done      chan struct{}  // closed by Close
	closeOnce sync.Once

	accepted, rejected, lastID atomic.Uint64
}

// New makes a server; it starts nothing.
func New(h Handler, o Options) *Server {
	return &Server{handle: h, opts: o, done: make(chan struct{}),
		listeners: make(map[net.Listener]struct{}), conns: make(map[*Conn]struct{})}
}

// Serve accepts connections on ln until ctx ends, the server is stopped or ln fails; it closes ln, and returns after every
// handler that it started has returned. The error is ctx's, [ErrServerClosed], or the listener's.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		ln.Close()
		return ErrServerClosed
	}
	s.listeners[ln] = struct{}{}
	s.mu.Unlock()

	// hctx, not ctx, goes to the handlers, so that Close reaches them too.
	hctx, cancel := context.WithCancel(ctx)
	var mine sync.WaitGroup
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-hctx.Done():
		case <-s.done:
			cancel()
		}
		ln.Close()
	}()

	err := s.accept(hctx, ln, &mine)
	s.mu.Lock()
	delete(s.listeners, ln)
	closing := s.closing
	s.mu.Unlock()
	ln.Close()
	if !closing {
		cancel() // the listener failed or ctx ended: handlers are told; Shutdown lets them finish
	}
	mine.Wait()
	cancel()
	<-stopped
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case closing:
		return ErrServerClosed
	}
	return err
}

func (s *Server) accept(ctx context.Context, ln net.Listener, mine *sync.WaitGroup) error {
	var backoff time.Duration
	for {
		raw, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil || !passing(err) {
				return err
			}
			backoff = min(max(5*time.Millisecond, 2*backoff), time.Second)
			t := time.NewTimer(backoff)
			select {
			case <-t.C:
			case <-ctx.Done():
				t.Stop()
				return err
			}
			continue
		}
		backoff = 0
		c := &Conn{srv: s, raw: raw, Conn: raw, id: s.lastID.Add(1), idle: true}
		if s.opts.Wrap != nil {
			c.Conn = s.opts.Wrap(raw)
		}
		if !s.add(ctx, c) {
			s.rejected.Add(1)
			c.Reset()
			continue
		}
		s.accepted.Add(1)
		mine.Add(1)
		go func() {
			defer mine.Done()
			defer s.remove(c)
			defer c.Close()
			stop := context.AfterFunc(ctx, func() { c.Close() })
			defer stop()
			s.handle(ctx, c)
		}()
	}
}

// passing tells an accept error that goes away by itself from one of a dead listener.
func passing(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ECONNABORTED)
}

func (s *Server) add(ctx context.Context, c *Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || ctx.Err() != nil || s.opts.MaxConns > 0 && len(s.conns) >= s.opts.MaxConns {
		return false
	}
	if s.opts.MaxPerHost > 0 {
		here, n := hostOf(c), 0
		for other := range s.conns {
			if !other.admitted && hostOf(other) == here {
				n++
			}
		}
		if n >= s.opts.MaxPerHost {
			return false
		}
	}
	s.conns[c] = struct{}{}
	s.wg.Add(1)
	return true
}

// hostOf is a peer's address without the port.
func hostOf(c *Conn) string {
	addr := c.RemoteAddr().String()
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host
}

func (s *Server) remove(c *Conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	s.wg.Done()
}

// stop closes the listeners and lets no further connection in.
func (s *Server) stop() []*Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	for ln := range s.listeners {
		ln.Close()
	}
	return s.snapshot()
}

func (s *Server) snapshot() []*Conn {
	all := make([]*Conn, 0, len(s.conns))
	for c := range s.conns {
		all = append(all, c)
	}
	return all
}

// Shutdown stops accepting, ends the connections that are between two messages, waits for the others to finish theirs,
// and, when ctx ends first, closes what is left and returns ctx's error after the handlers have returned.
func (s *Server) Shutdown(ctx context.Context) error {
	for _, c := range s.stop() {
		c.wake()
	}
	finished := make(chan struct{})
	go func() { s.wg.Wait(); close(finished) }()
	select {
	case <-finished:
		return nil
	case <-ctx.Done():
		s.Close()
		<-finished
		return ctx.Err()
	}
}

// Close stops accepting, closes every connection and waits for the handlers. It may be called again.
func (s *Server) Close() error {
	s.stop()
	s.closeOnce.Do(func() { close(s.done) })
	s.Drop(false)
	s.wg.Wait()
	return nil
}

// Drop closes every connection and keeps listening. With reset the peers see a reset (RST) instead of an end, as when a
// machine loses power. It does not wait for the handlers.
func (s *Server) Drop(reset bool) {
	s.mu.Lock()
	all := s.snapshot()
	s.mu.Unlock()
	for _, c := range all {
		if reset {
			c.Reset()
		} else {
			c.Close()
		}
	}
}

// Stats are the counters now.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Active: len(s.conns), Accepted: s.accepted.Load(), Rejected: s.rejected.Load()}
}
