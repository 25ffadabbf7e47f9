package tcpserver

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// readErrors serves connections whose handler reads messages of two bytes, answers each, and keeps the error that ended it.
type readErrors struct {
	mu  sync.Mutex
	all []error
}

func (r *readErrors) handle(_ context.Context, c *Conn) {
	b := make([]byte, 2)
	for {
		c.NextMessage()
		if _, err := io.ReadFull(c, b); err != nil {
			r.mu.Lock()
			r.all = append(r.all, err)
			r.mu.Unlock()
			return
		}
		if _, err := c.Write(b); err != nil {
			return
		}
	}
}

// What a handler is told in each phase: a client that goes, a timeout, a shutdown, a close.
func TestWhatEndsARead(t *testing.T) {
	for _, row := range []struct {
		name string
		do   func(s *Server, c net.Conn)
		want []error // any of them
		not  error
		took time.Duration
	}{
		{"the client goes between messages", func(_ *Server, c net.Conn) { c.Close() }, []error{io.EOF}, ErrServerClosed, 0},
		{"the client goes inside a message", func(_ *Server, c net.Conn) { c.Write([]byte("x")); c.Close() }, []error{io.ErrUnexpectedEOF}, ErrServerClosed, 0},
		{"nothing comes", func(*Server, net.Conn) {}, []error{os.ErrDeadlineExceeded}, ErrServerClosed, 10 * time.Second},
		{"half a message comes", func(_ *Server, c net.Conn) { c.Write([]byte("x")) }, []error{os.ErrDeadlineExceeded}, ErrServerClosed, 3 * time.Second},
		{"shutdown between messages", func(s *Server, _ net.Conn) { s.Shutdown(context.Background()) }, []error{ErrServerClosed}, os.ErrDeadlineExceeded, 0},
		{"shutdown after a message", func(s *Server, c net.Conn) {
			c.Write([]byte("xy"))
			io.ReadFull(c, make([]byte, 2))
			synctest.Wait()
			s.Shutdown(context.Background())
		}, []error{ErrServerClosed}, os.ErrDeadlineExceeded, 0},
		{"shutdown inside a message that never ends", func(s *Server, c net.Conn) {
			c.Write([]byte("x"))
			synctest.Wait()
			s.Shutdown(context.Background())
		}, []error{os.ErrDeadlineExceeded}, ErrServerClosed, 3 * time.Second},
		{"close inside a message", func(s *Server, c net.Conn) {
			c.Write([]byte("x"))
			synctest.Wait()
			s.Close()
		}, []error{net.ErrClosed, io.ErrClosedPipe}, ErrServerClosed, 0},
		{"drop between messages", func(s *Server, _ net.Conn) { s.Drop(false) }, []error{net.ErrClosed, io.ErrClosedPipe}, ErrServerClosed, 0},
		{"the second message is slow", func(_ *Server, c net.Conn) {
			time.Sleep(9 * time.Second)
			c.Write([]byte("xy"))
			io.ReadFull(c, make([]byte, 2))
		}, []error{os.ErrDeadlineExceeded}, ErrServerClosed, 19 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ln, r := newPipes(), &readErrors{}
				s := New(r.handle, Options{IdleTimeout: 10 * time.Second, ReadTimeout: 3 * time.Second})
				wait := start(t.Context(), s, ln)
				c := ln.dial()
				synctest.Wait()
				began := time.Now()
				row.do(s, c)
				for range 40 {
					synctest.Wait()
					r.mu.Lock()
					n := len(r.all)
					r.mu.Unlock()
					if n > 0 {
						break
					}
					time.Sleep(500 * time.Millisecond)
				}
				if took := time.Since(began); took != row.took {
					t.Errorf("took %v, want %v", took, row.took)
				}
				s.Close()
				wait()
				c.Close()
				if len(r.all) != 1 || errors.Is(r.all[0], row.not) {
					t.Fatalf("ended by %v", r.all)
				}
				for _, want := range row.want {
					if errors.Is(r.all[0], want) {
						return
					}
				}
				t.Errorf("ended by %v, want one of %v", r.all[0], row.want)
			})
		})
	}
}

// A message has its whole time once: bytes that trickle do not win more of it.
func TestTricklingDoesNotHelp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newPipes()
		s := New(func(_ context.Context, c *Conn) { io.Copy(io.Discard, c) }, Options{ReadTimeout: 3 * time.Second})
		wait := start(t.Context(), s, ln)
		c := ln.dial()
		time.Sleep(time.Hour) // no idle timeout: a silent client may stay
		began := time.Now()
		for {
			if _, err := c.Write([]byte("x")); err != nil {
				break
			}
			time.Sleep(700 * time.Millisecond)
		}
		if took := time.Since(began); took != 3500*time.Millisecond { // the first write after 3 s
			t.Errorf("a trickle is cut after %v, want 3.5 s", took)
		}
		s.Close()
		wait()
	})
}

// poor is a listener that runs out of something for a while.
type poor struct {
	*pipes
	mu    sync.Mutex
	errs  []error
	asked []time.Time
}

func (p *poor) Accept() (net.Conn, error) {
	p.mu.Lock()
	p.asked = append(p.asked, time.Now())
	if len(p.errs) > 0 {
		err := p.errs[0]
		p.errs = p.errs[1:]
		p.mu.Unlock()
		return nil, err
	}
	p.mu.Unlock()
	return p.pipes.Accept()
}

// A lack of file descriptors passes: the server waits longer each time, up to a second, and goes on.
func TestAcceptErrorsThatPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := &poor{pipes: newPipes()}
		for _, e := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED} {
			ln.errs = append(ln.errs, &net.OpError{Op: "accept", Err: e})
		}
		for range 9 {
			ln.errs = append(ln.errs, &net.OpError{Op: "accept", Err: syscall.EMFILE})
		}
		s := New(echoLines, Options{})
		wait := start(t.Context(), s, ln)
		c := ln.dial()
		ask(t, c, "still here\n")
		ln.mu.Lock()
		asked := ln.asked
		ln.mu.Unlock()
		for i, want := range []time.Duration{5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000, 1000} {
			if got := asked[i+1].Sub(asked[i]); got != want*time.Millisecond {
				t.Errorf("pause %d is %v, want %v", i+1, got, want*time.Millisecond)
			}
		}
		// The pause begins small again after a success, and a shutdown does not wait for it.
		ln.mu.Lock()
		ln.errs = []error{syscall.EMFILE}
		before := len(ln.asked)
		ln.mu.Unlock()
		ask(t, ln.dial(), "accepted already\n")
		ask(t, ln.dial(), "once more\n")
		ln.mu.Lock()
		if n := len(ln.asked); n < before+2 || ln.asked[n-1].Sub(ln.asked[n-2]) > 5*time.Millisecond {
			t.Errorf("asked at %v", ln.asked[before:])
		}
		ln.mu.Unlock()
		s.Close()
		if err := wait(); err != ErrServerClosed {
			t.Errorf("Serve: %v", err)
		}
	})
}

// A server that waits for better times still ends with its context.
func TestContextEndsAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := &poor{pipes: newPipes()}
		for range 1000 {
			ln.errs = append(ln.errs, syscall.EMFILE)
		}
		ctx, cancel := context.WithCancel(t.Context())
		s := New(echoLines, Options{})
		wait := start(ctx, s, ln)
		time.Sleep(5 * time.Second)
		began := time.Now()
		cancel()
		if err := wait(); !errors.Is(err, context.Canceled) || time.Since(began) != 0 {
			t.Errorf("Serve: %v after %v", err, time.Since(began))
		}
		if n := len(s.listeners); n != 0 {
			t.Errorf("%d listeners are kept", n)
		}
	})
}

// Connections have numbers from 1 on, also across listeners; surplus ones are counted and get no handler.
func TestCountersAndNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newPipes(), newPipes()
		var mu sync.Mutex
		ids := map[uint64]bool{}
		s := New(func(ctx context.Context, c *Conn) {
			mu.Lock()
			ids[c.ID()] = true
			mu.Unlock()
			echoLines(ctx, c)
		}, Options{MaxConns: 3})
		waitA, waitB := start(t.Context(), s, a), start(t.Context(), s, b)
		var open []net.Conn
		for _, ln := range []*pipes{a, b, a} {
			c := ln.dial()
			ask(t, c, "in\n")
			open = append(open, c)
		}
		if _, err := b.dial().Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("one too many: %v", err)
		}
		if st := s.Stats(); st != (Stats{Active: 3, Accepted: 3, Rejected: 1}) {
			t.Errorf("%+v", st)
		}
		open[0].Close()
		synctest.Wait()
		ask(t, b.dial(), "room again\n")
		if st := s.Stats(); st != (Stats{Active: 3, Accepted: 4, Rejected: 1}) {
			t.Errorf("%+v", st)
		}
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if errA, errB := waitA(), waitB(); errA != ErrServerClosed || errB != ErrServerClosed {
			t.Errorf("Serve: %v, %v", errA, errB)
		}
		if len(ids) != 4 || !ids[1] || ids[0] {
			t.Errorf("numbers %v", ids)
		}
		if st := s.Stats(); st.Active != 0 {
			t.Errorf("%+v", st)
		}
	})
}

// A server that has been stopped takes no listener any more, and stopping again does nothing.
func TestStoppedForGood(t *testing.T) {
	for name, stop := range map[string]func(*Server) error{
		"close":    (*Server).Close,
		"shutdown": func(s *Server) error { return s.Shutdown(context.Background()) },
	} {
		s := New(echoLines, Options{})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := stop(s); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		wg.Wait()
		ln := newPipes()
		if err := s.Serve(t.Context(), ln); err != ErrServerClosed {
			t.Errorf("%s: Serve: %v", name, err)
		}
		if _, err := ln.Accept(); err == nil {
			t.Errorf("%s: the listener is left open", name)
		}
	}
}
