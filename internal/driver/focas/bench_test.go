package focas

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focassim"
)

// tape is a connection that notes what passes, frame by frame, and can then be turned to another peer. It is used by one
// goroutine at a time.
type tape struct {
	net.Conn
	on       bool
	requests [][]byte
	replies  [][]byte
	pending  []byte
}

func (c *tape) Write(b []byte) (int, error) {
	if c.on {
		c.requests = append(c.requests, append([]byte(nil), b...))
	}
	return c.Conn.Write(b)
}

func (c *tape) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.on {
		c.pending = append(c.pending, b[:n]...)
		for {
			_, rest, err := focas.ParseFrame(c.pending)
			if err != nil {
				break
			}
			c.replies = append(c.replies, append([]byte(nil), c.pending[:len(c.pending)-len(rest)]...))
			c.pending = append([]byte(nil), rest...)
		}
	}
	return n, err
}

// playback is a peer that reads requests of the given sizes and answers each with the given bytes, over and over: as
// little work as a peer can do.
func playback(b *testing.B, requests, replies [][]byte) net.Conn {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		buf := make([]byte, 8192)
		for i := 0; ; i = (i + 1) % len(requests) {
			if _, err := io.ReadFull(conn, buf[:len(requests[i])]); err != nil {
				return
			}
			if _, err := conn.Write(replies[i]); err != nil {
				return
			}
		}
	})
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		conn.Close()
		ln.Close()
		wg.Wait()
	})
	return conn
}

// BenchmarkSweep reads the whole default page of a 3-axis control, and beside it, in the same run, exchanges as many bytes
// in as many round trips with the same peer without looking at them. x-echo is the ratio of the two.
func BenchmarkSweep(b *testing.B) {
	for _, profile := range []string{"30i", "16i"} {
		b.Run(profile, func(b *testing.B) { benchSweep(b, profile) })
	}
}

func benchSweep(b *testing.B, profile string) {
	sim, err := focassim.New(focassim.Options{Profile: profile, Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { _ = sim.Serve(ctx, ln) })
	defer func() { cancel(); wg.Wait() }()
	var t *tape
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		t = &tape{Conn: c}
		return t, err
	}
	opts := defaults()
	opts.Normal, opts.Slow = time.Hour, time.Hour // background sources would make some sweeps longer than others
	sess, err := New().Open(ctx, driver.Env{Dial: dial, Log: slog.New(slog.DiscardHandler)},
		driver.Target{URL: &url.URL{Scheme: "focas", Host: ln.Addr().String()}, Options: opts})
	if err != nil {
		b.Fatal(err)
	}
	s := sess.(*session)
	var paths []device.Path
	for _, sp := range s.allSpecs() {
		paths = append(paths, sp.Path)
	}
	full := true
	read := s.readAndTell(nil, &full) // as Watch reads
	sweep := func() {
		if _, err := read(ctx, paths); err != nil {
			b.Fatal(err)
		}
	}
	sweep()
	t.on = true
	sweep()
	t.on = false
	first := t.Conn
	defer first.Close()
	t.Conn = playback(b, t.requests, t.replies)
	bare := playback(b, t.requests, t.replies)
	buf := make([]byte, 8192)
	echo := func() {
		for i, q := range t.requests {
			if _, err := bare.Write(q); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(bare, buf[:len(t.replies[i])]); err != nil {
				b.Fatal(err)
			}
		}
	}
	var ours, theirs time.Duration
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		echo()
		mid := time.Now()
		sweep()
		theirs += mid.Sub(start)
		ours += time.Since(mid)
	}
	b.ReportMetric(float64(ours)/float64(theirs), "x-echo")
	b.ReportMetric(float64(len(t.requests)), "frames")
	b.ReportMetric(float64(len(paths)), "points")
	b.ReportMetric(float64(theirs.Microseconds())/float64(b.N), "echo-µs")
	t.Conn = first
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}
