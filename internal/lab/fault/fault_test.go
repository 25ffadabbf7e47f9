package fault

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/nettest"

	"github.com/patchbay-io/patchbay/internal/testnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestHealthyConnIsAConn(t *testing.T) {
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		a, b := testnet.Pipe(0)
		s := New(1)
		c, d := s.Conn(a, nil), s.Conn(b, nil)
		return c, d, func() { c.Close(); d.Close() }, nil
	})
}

// A connection in single bytes is still a connection.
func TestSplitConnIsAConn(t *testing.T) {
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		a, b := testnet.Pipe(0) // with much room: nettest gives each of its megabytes a minute, and every handing over costs
		s := New(1)
		s.Set(Faults{Split: 1})
		c, d := s.Conn(a, nil), s.Conn(b, nil)
		return c, d, func() { c.Close(); d.Close() }, nil
	})
}

func TestFaults(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789"), 10)
	for _, tc := range []struct {
		name   string
		f      Faults
		want   int           // bytes that arrive
		end    error         // of the reader
		err    error         // of the writer
		after  time.Duration // when they are there
		damage bool
	}{
		{"none", Faults{}, 100, nil, nil, 0, false},
		{"delay", Faults{Delay: time.Second}, 100, nil, nil, time.Second, false},
		{"split", Faults{Split: 30, Gap: time.Second}, 100, nil, nil, 3 * time.Second, false},
		{"cut", Faults{CutAfter: 33}, 33, io.EOF, ErrCut, 0, false},
		{"cut at the end", Faults{CutAfter: 100}, 100, io.EOF, ErrCut, 0, false},
		{"cut in pieces", Faults{CutAfter: 33, Split: 10}, 33, io.EOF, ErrCut, 0, false},
		{"reset after", Faults{ResetAfter: 33}, 0, syscall.ECONNRESET, ErrReset, 0, false},
		{"reset", Faults{Reset: true}, 0, syscall.ECONNRESET, ErrReset, 0, false},
		{"corrupt", Faults{Corrupt: 0.2}, 100, nil, nil, 0, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := testnet.Pipe(1024)
				defer b.Close()
				s := New(1)
				s.Set(tc.f)
				c := s.Conn(a, nil)
				defer c.Close()
				start := time.Now()
				n, err := c.Write(text)
				if !errors.Is(err, tc.err) || err != nil && !errors.Is(err, net.ErrClosed) {
					t.Errorf("write: %d, %v", n, err)
				}
				if got := time.Since(start); got != tc.after {
					t.Errorf("took %v, want %v", got, tc.after)
				}
				got := make([]byte, tc.want)
				if _, err := io.ReadFull(b, got); err != nil {
					t.Fatal(err)
				}
				if damaged := !bytes.Equal(got, text[:tc.want]); damaged != tc.damage {
					t.Errorf("damaged: %v\n%q", damaged, got)
				}
				if tc.end != nil {
					if _, err := b.Read(make([]byte, 1)); !errors.Is(err, tc.end) {
						t.Errorf("the reader met %v, want %v", err, tc.end)
					}
				}
			})
		})
	}
}

func TestJitterIsBelowItsLimitAndSeeded(t *testing.T) {
	var times [2][]time.Duration
	for run := range times {
		synctest.Test(t, func(t *testing.T) {
			a, b := testnet.Pipe(1024)
			defer b.Close()
			s := New(5)
			s.Set(Faults{Jitter: time.Second})
			c := s.Conn(a, nil)
			defer c.Close()
			for range 10 {
				start := time.Now()
				c.Write([]byte("x"))
				took := time.Since(start)
				if took >= time.Second {
					t.Errorf("%v", took)
				}
				times[run] = append(times[run], took)
			}
		})
	}
	for i := range times[0] {
		if times[0][i] != times[1][i] {
			t.Fatalf("the same seed gave %v and %v", times[0], times[1])
		}
	}
}

func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := testnet.Pipe(1024)
		defer b.Close()
		s := New(1)
		s.Set(Faults{Stall: true})
		c := s.Conn(a, nil)
		b.Write([]byte("in"))
		c.SetDeadline(time.Now().Add(time.Minute))
		if _, err := c.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write in a stall: %v", err)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read in a stall: %v", err)
		}
		c.SetDeadline(time.Time{})
		wrote := make(chan error, 1)
		go func() {
			_, err := c.Write([]byte("out"))
			wrote <- err
		}()
		time.Sleep(time.Hour)
		select {
		case err := <-wrote:
			t.Fatalf("written while stalled: %v", err)
		default:
		}
		s.Set(Faults{})
		if err := <-wrote; err != nil {
			t.Error(err)
		}
		p := make([]byte, 8)
		if n, err := c.Read(p); string(p[:n]) != "in" {
			t.Errorf("%q, %v", p[:n], err)
		}
		s.Set(Faults{Stall: true})
		read := make(chan error, 1)
		go func() {
			_, err := c.Read(p)
			read <- err
		}()
		synctest.Wait()
		c.Close()
		if err := <-read; !errors.Is(err, net.ErrClosed) {
			t.Errorf("read of a closed connection: %v", err)
		}
	})
}

// A deadline that is set while a Write waits holds for that Write.
func TestDeadlineMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := testnet.Pipe(1024)
		defer b.Close()
		s := New(1)
		s.Set(Faults{Delay: time.Minute})
		c := s.Conn(a, nil)
		defer c.Close()
		wrote := make(chan error, 1)
		go func() {
			_, err := c.Write([]byte("x"))
			wrote <- err
		}()
		synctest.Wait()
		start := time.Now()
		c.SetWriteDeadline(time.Now().Add(time.Second))
		if err := <-wrote; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestCheck(t *testing.T) {
	for _, tc := range []struct {
		f    Faults
		want string
	}{
		{Faults{Delay: time.Second, Jitter: time.Second, Split: 1, Gap: time.Millisecond, Corrupt: 1, CutAfter: 4}, ""},
		{Faults{Delay: -1}, "delay:"},
		{Faults{Jitter: time.Hour}, "jitter:"},
		{Faults{Gap: time.Second}, "give split"},
		{Faults{Split: -1}, "split:"},
		{Faults{Corrupt: 1.5}, "corrupt:"},
		{Faults{CutAfter: -1}, "count bytes"},
		{Faults{CutAfter: 1, ResetAfter: 1}, "exclude"},
	} {
		err := tc.f.Check()
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%+v: %v", tc.f, err)
		}
	}
}

// TestResetOfTCP resets a real connection through a listener.
func TestResetOfTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(1)
	s.Set(Faults{Reset: true})
	fl := s.Listener(l)
	defer fl.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := fl.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		c.Read(make([]byte, 1))
		c.Write([]byte("x"))
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write([]byte("?"))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client met %v", err)
	}
	<-done
	fl.Close()
	if _, err := fl.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
