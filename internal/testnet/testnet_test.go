package testnet

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/nettest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPipeIsAConn(t *testing.T) {
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		a, b := Pipe(1024)
		return a, b, func() { a.Close(); b.Close() }, nil
	})
}

func TestListenerIsAListener(t *testing.T) {
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		l := Listen()
		a, err := l.Dial(context.Background())
		if err != nil {
			return nil, nil, nil, err
		}
		b, err := l.Accept()
		return a, b, func() { a.Close(); b.Close(); l.Close() }, err
	})
}

func TestCloseDeliversWhatWasWritten(t *testing.T) {
	a, b := Pipe(0)
	if _, err := a.Write([]byte("last words")); err != nil {
		t.Fatal(err)
	}
	a.Close()
	a.Close()
	got, err := io.ReadAll(b)
	if string(got) != "last words" || err != nil {
		t.Fatalf("got %q, %v", got, err)
	}
	if _, err := b.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Fatalf("write to a closed peer: %v", err)
	}
	if _, err := a.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("read after close: %v", err)
	}
	if err := a.SetDeadline(time.Time{}); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("deadline after close: %v", err)
	}
	if !a.Closed() || b.Closed() {
		t.Fatal("Closed tells the wrong end")
	}
}

func TestHalfClose(t *testing.T) {
	a, b := Pipe(0)
	a.CloseWrite()
	if _, err := a.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Fatalf("write after CloseWrite: %v", err)
	}
	if _, err := b.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("peer reads %v", err)
	}
	b.Write([]byte("ok"))
	p := make([]byte, 2)
	if _, err := io.ReadFull(a, p); err != nil || string(p) != "ok" {
		t.Fatalf("the other direction: %q, %v", p, err)
	}
}

func TestReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe(0)
		got := make(chan error, 1)
		go func() {
			_, err := a.Read(make([]byte, 1))
			got <- err
		}()
		synctest.Wait()
		b.Reset()
		if err := <-got; !errors.Is(err, syscall.ECONNRESET) {
			t.Fatalf("a waiting read: %v", err)
		}
		for _, c := range []*Conn{a, b} {
			if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
				t.Fatalf("write: %v", err)
			}
		}
	})
}

// After SetLinger(0) the end that closes knows that it did so itself, and the other one meets a reset in place of what was sent.
func TestResetByClosing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe(0)
		got := make(chan error, 1)
		go func() {
			_, err := a.Read(make([]byte, 1))
			got <- err
		}()
		synctest.Wait()
		a.Write([]byte("lost"))
		if err := a.SetLinger(0); err != nil {
			t.Fatal(err)
		}
		a.Close()
		if err := <-got; !errors.Is(err, net.ErrClosed) {
			t.Errorf("a waiting read of its own: %v", err)
		}
		if _, err := a.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a write of its own: %v", err)
		}
		if n, err := b.Read(make([]byte, 9)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the peer reads %d, %v", n, err)
		}
		if _, err := b.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the peer writes: %v", err)
		}
		if err := a.SetLinger(0); !errors.Is(err, net.ErrClosed) {
			t.Errorf("on a closed end: %v", err)
		}

		c, d := Pipe(0)
		c.Write([]byte("x"))
		c.Close()
		c.SetLinger(0)
		c.Close()
		if n, err := d.Read(make([]byte, 9)); n != 1 || err != nil {
			t.Errorf("a second close took back what was sent: %d, %v", n, err)
		}
	})
}

func TestDeadlineInSimulatedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe(4)
		defer b.Close()
		start := time.Now()
		a.SetDeadline(start.Add(time.Hour))
		n, err := a.Write([]byte("more than fits"))
		var ne net.Error
		if n != 4 || !errors.As(err, &ne) || !ne.Timeout() {
			t.Fatalf("write: %d, %v", n, err)
		}
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("read: %v", err)
		}
		if d := time.Since(start); d != time.Hour {
			t.Fatalf("waited %v", d)
		}
	})
}

// A second writer that waits for the first one must not keep simulated time from moving.
func TestTwoWritersWaitDurably(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := Pipe(1)
		a.SetWriteDeadline(time.Now().Add(time.Second))
		errs := make(chan error)
		for range 2 {
			go func() {
				_, err := a.Write([]byte("ab"))
				errs <- err
			}()
		}
		for range 2 {
			if err := <-errs; !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal(err)
			}
		}
	})
}

func TestFaults(t *testing.T) {
	read := func(c net.Conn, n int) (int, error) { return c.Read(make([]byte, n)) }
	t.Run("one byte at a time", func(t *testing.T) {
		a, b := Pipe(0)
		b.In().Chunk(1)
		a.Write([]byte("abc"))
		if n, err := read(b, 8); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	})
	t.Run("cut", func(t *testing.T) {
		a, b := Pipe(0)
		a.Out().CutAfter(2)
		a.Write([]byte("abc"))
		if n, err := read(b, 8); n != 2 || err != nil {
			t.Fatal(n, err)
		}
		if _, err := read(b, 8); !errors.Is(err, syscall.ECONNRESET) {
			t.Fatal(err)
		}
		for name, use := range map[string]func([]byte) (int, error){"read": a.Read, "write": a.Write, "the other write": b.Write} {
			if _, err := use(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("%s behind the cut: %v", name, err)
			}
		}
	})
	t.Run("garbage", func(t *testing.T) {
		a, b := Pipe(0)
		b.In().Garble(true)
		a.Write([]byte("abcdefgh"))
		p := make([]byte, 8)
		io.ReadFull(b, p)
		if string(p) == "abcdefgh" {
			t.Fatal("nothing was changed")
		}
	})
	t.Run("inject", func(t *testing.T) {
		_, b := Pipe(1)
		b.In().Inject([]byte("xyz"))
		if n, err := read(b, 8); n != 3 || err != nil {
			t.Fatal(n, err)
		}
	})
	t.Run("stall", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a, b := Pipe(0)
			b.In().Stall()
			a.Write([]byte("abc"))
			a.Close()
			b.SetReadDeadline(time.Now().Add(time.Second))
			if _, err := read(b, 8); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal(err)
			}
			b.SetReadDeadline(time.Time{})
			time.AfterFunc(time.Second, b.In().Resume)
			if n, err := read(b, 8); n != 3 || err != nil {
				t.Fatal(n, err)
			}
			if w, r := b.In().Counts(); w != 3 || r != 3 {
				t.Fatal(w, r)
			}
		})
	})
}

func TestDialOutcomes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n Network
		n.SetOutcome("192.0.2.9:1", Unreachable)
		n.SetOutcome("192.0.2.9:2", Hang)
		n.SetOutcome("192.0.2.9:3", Refused)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for addr, want := range map[string]error{"192.0.2.9:1": syscall.EHOSTUNREACH,
			"192.0.2.9:3": syscall.ECONNREFUSED, "192.0.2.9:4": syscall.ECONNREFUSED} {
			if _, err := n.Dial(ctx, "tcp", addr); !errors.Is(err, want) {
				t.Errorf("%s: %v", addr, err)
			}
		}
		if _, err := n.Dial(ctx, "tcp", "192.0.2.9:2"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("hang: %v", err)
		}
	})
}

func TestListenerCloseResetsTheQueue(t *testing.T) {
	var n Network
	l := n.MustListen("192.0.2.1:80")
	if _, err := n.Listen(t.Context(), "tcp", "192.0.2.1:80"); !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("second listener: %v", err)
	}
	c, err := l.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	l.Close()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("queued connection: %v", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("accept: %v", err)
	}
	if _, err := l.Dial(t.Context()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("dial: %v", err)
	}
	n.MustListen("192.0.2.1:80").Close()
}

func TestPackets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n Network
		pa, _ := n.ListenPacket(t.Context(), "udp", "192.0.2.1:9910")
		pb, _ := n.ListenPacket(t.Context(), "udp", "")
		if _, err := n.ListenPacket(t.Context(), "udp", "192.0.2.1:9910"); !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatal(err)
		}
		pb.(*PacketConn).Filter(func(b []byte, _ net.Addr) [][]byte { return [][]byte{b, b} })
		if _, err := pb.WriteTo([]byte("hello"), pa.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			p := make([]byte, 3)
			k, from, err := pa.ReadFrom(p)
			if k != 3 || string(p) != "hel" || from.String() != pb.LocalAddr().String() || err != nil {
				t.Fatal(k, from, err)
			}
		}
		pa.SetDeadline(time.Now().Add(time.Second))
		if _, _, err := pa.ReadFrom(make([]byte, 9)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		if _, err := pa.WriteTo([]byte("x"), pb.LocalAddr()); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		if _, err := pb.WriteTo(make([]byte, maxDatagram+1), pa.LocalAddr()); !errors.Is(err, syscall.EMSGSIZE) {
			t.Fatal(err)
		}
		for range inbox + 3 {
			pb.WriteTo([]byte("x"), pa.LocalAddr())
		}
		if d := pa.(*PacketConn).Dropped(); d != inbox+6 {
			t.Fatalf("dropped %d", d)
		}
		time.AfterFunc(time.Second, func() { pb.Close() })
		if _, _, err := pb.ReadFrom(make([]byte, 9)); !errors.Is(err, net.ErrClosed) {
			t.Fatal(err)
		}
		pa.Close()
		pa.Close()
		if err := pa.SetReadDeadline(time.Time{}); !errors.Is(err, net.ErrClosed) {
			t.Fatal(err)
		}
	})
}

func BenchmarkPingPong(b *testing.B) {
	c, s := Pipe(0)
	done := make(chan struct{})
	go func() {
		io.Copy(s, s)
		close(done)
	}()
	p := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		c.Write(p)
		io.ReadFull(c, p)
	}
	c.Close()
	<-done
}

func TestDatagramsToOneAddress(t *testing.T) {
	var n Network
	ctx := context.Background()
	server, err := n.ListenPacket(ctx, "udp", "192.0.2.7:9910")
	if err != nil {
		t.Fatal(err)
	}
	other, err := n.ListenPacket(ctx, "udp", "192.0.2.8:1")
	if err != nil {
		t.Fatal(err)
	}
	c, err := n.Dial(ctx, "udp", "192.0.2.7:9910")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 10)
	got, from, err := server.ReadFrom(buf)
	if err != nil || string(buf[:got]) != "hello" {
		t.Fatalf("%q, %v", buf[:got], err)
	}
	if _, err := other.WriteTo([]byte("stranger"), from); err != nil {
		t.Fatal(err)
	}
	if _, err := server.WriteTo([]byte("world"), from); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Read(buf); err != nil || string(buf[:got]) != "world" {
		t.Errorf("%q, %v: what a stranger sends is dropped", buf[:got], err)
	}
	server.Close()
	if _, err := c.Write([]byte("hello")); err != nil {
		t.Error(err)
	}
	if _, err := c.Read(buf); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v: nobody listens there any more", err)
	}
	n.SetOutcome("192.0.2.7:9910", Unreachable)
	if _, err := n.Dial(ctx, "udp", "192.0.2.7:9910"); !errors.Is(err, syscall.EHOSTUNREACH) {
		t.Error(err)
	}
	n.SetOutcome("192.0.2.7:9910", Hang)
	silent, err := n.Dial(ctx, "udp4", "192.0.2.7:9910")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := silent.Write([]byte("hello")); err != nil {
		t.Error(err)
	}
	silent.SetReadDeadline(time.Now())
	if _, err := silent.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
}
