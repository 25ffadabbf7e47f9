package tcpserver

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echoLines answers each line with itself.
func echoLines(_ context.Context, c *Conn) {
	r := bufio.NewReader(c)
	for {
		c.NextMessage()
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		if _, err := io.WriteString(c, line); err != nil {
			return
		}
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

func dial(t *testing.T, ln net.Listener) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func ask(t *testing.T, c net.Conn, line string) {
	t.Helper()
	if _, err := io.WriteString(c, line); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(line))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != line {
		t.Fatalf("answer %q, %v; want %q", got, err, line)
	}
}

// start serves ln and returns a function that gives Serve's result.
func start(ctx context.Context, s *Server, ln net.Listener) func() error {
	result := make(chan error, 1)
	go func() { result <- s.Serve(ctx, ln) }()
	return func() error { return <-result }
}

func TestServeAndClose(t *testing.T) {
	ln := listen(t)
	s := New(echoLines, Options{})
	wait := start(t.Context(), s, ln)
	a, b := dial(t, ln), dial(t, ln)
	ask(t, a, "one\n")
	ask(t, b, "two\n")
	if got := s.Stats(); got.Active != 2 || got.Accepted != 2 {
		t.Errorf("stats %+v", got)
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() { s.Close() })
	}
	wg.Wait()
	if err := wait(); err != ErrServerClosed || !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve: %v", err)
	}
	if got := s.Stats().Active; got != 0 {
		t.Errorf("%d connections after Close", got)
	}
	if _, err := a.Read(make([]byte, 1)); err == nil {
		t.Error("connection survives Close")
	}
	if err := s.Serve(t.Context(), listen(t)); err != ErrServerClosed {
		t.Errorf("Serve after Close: %v", err)
	}
}

func TestContextEndsServeAndItsConnectionsOnly(t *testing.T) {
	first, second := listen(t), listen(t)
	s := New(echoLines, Options{})
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	waitFirst, waitSecond := start(ctx, s, first), start(t.Context(), s, second)
	a, b := dial(t, first), dial(t, second)
	ask(t, a, "one\n")
	ask(t, b, "two\n")
	cancel()
	if err := waitFirst(); !errors.Is(err, context.Canceled) {
		t.Errorf("Serve: %v", err)
	}
	if _, err := a.Read(make([]byte, 1)); err == nil {
		t.Error("connection survives the context")
	}
	ask(t, b, "still here\n")
	s.Close()
	if err := waitSecond(); err != ErrServerClosed {
		t.Errorf("Serve: %v", err)
	}
}

func TestListenerFailureIsReturned(t *testing.T) {
	ln := listen(t)
	s := New(echoLines, Options{})
	wait := start(t.Context(), s, ln)
	ask(t, dial(t, ln), "x\n")
	ln.Close()
	if err := wait(); err == nil || errors.Is(err, ErrServerClosed) {
		t.Errorf("Serve: %v", err)
	}
}

func TestLimitResetsSurplusConnection(t *testing.T) {
	ln := listen(t)
	s := New(echoLines, Options{MaxConns: 1})
	wait := start(t.Context(), s, ln)
	a := dial(t, ln)
	ask(t, a, "x\n")
	// The reset may come before the connect has returned.
	if b, err := net.Dial("tcp", ln.Addr().String()); err == nil {
		if _, err := b.Read(make([]byte, 1)); err == nil {
			t.Error("second connection is served")
		}
		b.Close()
	}
	ask(t, a, "y\n")
	a.Close()
	for s.Stats().Active > 0 {
		runtime.Gosched() // the handler is about to see the end of its connection
	}
	ask(t, dial(t, ln), "z\n")
	if got := s.Stats(); got.Rejected != 1 || got.Accepted != 2 {
		t.Errorf("stats %+v", got)
	}
	s.Close()
	wait()
}

// named is a connection from another address than the one that it has.
type named struct {
	net.Conn
	addr net.Addr
}

func (c named) RemoteAddr() net.Addr { return c.addr }

func TestMaxPerHost(t *testing.T) {
	ln := listen(t)
	from := make(chan string, 1)
	s := New(echoLines, Options{MaxPerHost: 1, Wrap: func(c net.Conn) net.Conn {
		return named{c, &net.TCPAddr{IP: net.ParseIP(<-from), Port: c.RemoteAddr().(*net.TCPAddr).Port}}
	}})
	wait := start(t.Context(), s, ln)
	from <- "2001:db8::1"
	a := dial(t, ln)
	ask(t, a, "x\n")
	from <- "2001:db8::1"
	// The reset may come before the connect has returned.
	if b, err := net.Dial("tcp", ln.Addr().String()); err == nil {
		if _, err := b.Read(make([]byte, 1)); err == nil {
			t.Error("a second connection of one address is served")
		}
		b.Close()
	}
	from <- "2001:db8::2"
	ask(t, dial(t, ln), "y\n")
	if got := s.Stats(); got.Rejected != 1 || got.Accepted != 2 {
		t.Errorf("stats %+v", got)
	}
	s.Close()
	wait()
}

func TestDropResets(t *testing.T) {
	ln := listen(t)
	s := New(echoLines, Options{})
	wait := start(t.Context(), s, ln)
	a := dial(t, ln)
	ask(t, a, "x\n")
	s.Drop(true)
	if _, err := a.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("read after a reset: %v", err)
	}
	ask(t, dial(t, ln), "still listening\n")
	s.Close()
	wait()
}

// pipes is a listener whose connections are handed to it.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }
func (p *pipes) dial() net.Conn { a, b := net.Pipe(); p.conns <- a; return b }

func TestTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newPipes()
		s := New(echoLines, Options{IdleTimeout: 10 * time.Second, ReadTimeout: time.Second, WriteTimeout: 2 * time.Second})
		wait := start(t.Context(), s, ln)
		began := time.Now()

		ended := func(c net.Conn) time.Duration {
			io.Copy(io.Discard, c)
			return time.Since(began)
		}
		if got := ended(ln.dial()); got != 10*time.Second {
			t.Errorf("an idle connection ends after %v", got)
		}
		began = time.Now()
		c := ln.dial()
		time.Sleep(5 * time.Second)
		io.WriteString(c, "half a li")
		if got := ended(c); got != 6*time.Second {
			t.Errorf("half a message ends after %v", got)
		}
		began = time.Now()
		c = ln.dial()
		io.WriteString(c, "nobody reads the answer\n")
		synctest.Wait()
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if got := s.Stats().Active; got != 0 {
			t.Error("a write to a peer that does not read has no deadline")
		}
		s.Close()
		wait()
	})
}

func TestShutdownFinishesTheMessageInWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newPipes()
		release := make(chan struct{})
		s := New(func(_ context.Context, c *Conn) {
			b := make([]byte, 1)
			for {
				c.NextMessage()
				if _, err := c.Read(b); err != nil {
					if err != ErrServerClosed {
						t.Errorf("read: %v", err)
					}
					return
				}
				<-release
				c.Write(b)
			}
		}, Options{})
		wait := start(t.Context(), s, ln)
		idle, busy := ln.dial(), ln.dial()
		busy.Write([]byte("x"))
		synctest.Wait()
		shut := make(chan error, 1)
		go func() { shut <- s.Shutdown(t.Context()) }()
		if _, err := idle.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("idle connection: %v", err)
		}
		synctest.Wait()
		close(release)
		if _, err := io.ReadFull(busy, make([]byte, 1)); err != nil {
			t.Errorf("the answer in work: %v", err)
		}
		if err := <-shut; err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := wait(); err != ErrServerClosed {
			t.Errorf("Serve: %v", err)
		}
	})
}

func TestShutdownGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newPipes()
		s := New(func(ctx context.Context, c *Conn) {
			c.Read(make([]byte, 1))
			<-ctx.Done()
		}, Options{})
		wait := start(t.Context(), s, ln)
		c := ln.dial()
		c.Write([]byte("x"))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		wait()
	})
}

func TestWrapSeesTheBytes(t *testing.T) {
	ln := listen(t)
	var mu sync.Mutex
	var seen []byte
	s := New(echoLines, Options{Wrap: func(c net.Conn) net.Conn {
		return wrapped{c, func(b []byte) { mu.Lock(); seen = append(seen, b...); mu.Unlock() }}
	}})
	wait := start(t.Context(), s, ln)
	ask(t, dial(t, ln), "abc\n")
	s.Close()
	wait()
	mu.Lock()
	defer mu.Unlock()
	if string(seen) != "abc\n" {
		t.Errorf("wrapper saw %q", seen)
	}
}

type wrapped struct {
	net.Conn
	wrote func([]byte)
}

func (w wrapped) Write(b []byte) (int, error) { w.wrote(b); return w.Conn.Write(b) }
