package capture

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/transcript"
)

// listen accepts connections and runs serve for each until the benchmark ends.
func listen(b testing.TB, serve func(net.Conn)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	b.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	return l.Addr().String()
}

// plainRelay is the relay that anyone writes in Go.
func plainRelay(upstream string) func(net.Conn) {
	return func(c net.Conn) {
		s, err := net.Dial("tcp", upstream)
		if err != nil {
			return
		}
		defer s.Close()
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = io.Copy(c, s)
			_ = c.(*net.TCPConn).CloseWrite()
		}()
		_, _ = io.Copy(s, c)
		_ = s.(*net.TCPConn).CloseWrite()
		<-done
	}
}

// files are the sinks of a whole tap, on disk.
func files(b testing.TB) (text, pcap *os.File, sinks []Sink) {
	dir := b.TempDir()
	var err error
	if text, err = os.Create(filepath.Join(dir, "t.transcript")); err != nil {
		b.Fatal(err)
	}
	if pcap, err = os.Create(filepath.Join(dir, "t.pcapng")); err != nil {
		b.Fatal(err)
	}
	ts, err := Transcript(text, &transcript.Header{})
	if err != nil {
		b.Fatal(err)
	}
	ps, err := Pcapng(pcap, time.Now(), "")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { text.Close(); pcap.Close() })
	return text, pcap, []Sink{ts, ps}
}

// startTap runs a relay with both files; stop waits for its end.
func startTap(b testing.TB, upstream string, sinks []Sink) (addr string, stop func() Stats) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var stats Stats
	done := make(chan error, 1)
	go func() {
		s, err := Relay(ctx, l, Options{Upstream: upstream, Sinks: sinks})
		stats = s
		done <- err
	}()
	return l.Addr().String(), sync.OnceValue(func() Stats {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
		return stats
	})
}

func dial(b testing.TB, addr string) net.Conn {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// BenchmarkAdded measures round trips of 64 bytes against an echo, through a plain relay and through a tap that writes both
// files, in turns. It reports medians, and what the tap adds.
func BenchmarkAdded(b *testing.B) {
	echo := listen(b, func(c net.Conn) { _, _ = io.Copy(c, c) })
	plain := listen(b, plainRelay(echo))
	_, _, sinks := files(b)
	tap, stop := startTap(b, echo, sinks)
	conns := [3]net.Conn{dial(b, echo), dial(b, plain), dial(b, tap)}
	var took [3][]time.Duration
	p := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		for i, c := range conns {
			start := time.Now()
			if _, err := c.Write(p); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(c, p); err != nil {
				b.Fatal(err)
			}
			took[i] = append(took[i], time.Since(start))
		}
	}
	for _, c := range conns {
		c.Close()
	}
	stop()
	var median [3]float64
	for i := range took {
		slices.Sort(took[i])
		median[i] = float64(took[i][len(took[i])/2].Nanoseconds()) / 1000
	}
	b.ReportMetric(median[0], "direct-µs")
	b.ReportMetric(median[1], "plain-µs")
	b.ReportMetric(median[2], "tap-µs")
	b.ReportMetric(median[2]-median[1], "added-µs")
	b.ReportMetric(float64(took[2][len(took[2])*99/100].Nanoseconds()-took[1][len(took[1])*99/100].Nanoseconds())/1000, "added-p99-µs")
}

// BenchmarkBusy sends 50,000 numbered messages of 64 bytes a second through a tap, and then looks for each of them in both
// files.
func BenchmarkBusy(b *testing.B) {
	const rate, size = 50000, 64
	for b.Loop() {
		received := make(chan int64, 1)
		sink := listen(b, func(c net.Conn) {
			n, _ := io.Copy(io.Discard, c)
			received <- n
		})
		text, pcap, sinks := files(b)
		tap, stop := startTap(b, sink, sinks)
		c := dial(b, tap)
		start := time.Now()
		p := make([]byte, size)
		for i := range rate {
			binary.BigEndian.PutUint32(p, uint32(i))
			if _, err := c.Write(p); err != nil {
				b.Fatal(err)
			}
			if ahead := time.Duration(i)*time.Second/rate - time.Since(start); ahead > time.Millisecond {
				time.Sleep(ahead)
			}
		}
		c.Close()
		n := <-received
		took := time.Since(start)
		stats := stop()
		if n != rate*size || stats.FromClients != n {
			b.Fatalf("%d bytes arrived of %d; %+v", n, rate*size, stats)
		}
		b.ReportMetric(rate/took.Seconds(), "messages/s")
		b.StopTimer()
		checkNumbers(b, text, rate, size)
		inPcap(b, pcap, rate, size)
		b.StartTimer()
	}
}

func checkNumbers(b *testing.B, f *os.File, n, size int) {
	raw, err := os.ReadFile(f.Name())
	if err != nil {
		b.Fatal(err)
	}
	tr, err := transcript.Parse(raw)
	if err != nil {
		b.Fatal(err)
	}
	numbers(b, tr.Bytes(1, transcript.FromClient), n, size)
}

func inPcap(b *testing.B, f *os.File, n, size int) {
	raw, err := os.ReadFile(f.Name())
	if err != nil {
		b.Fatal(err)
	}
	var all []byte
	for _, p := range packets(b, raw) {
		all = append(all, p.TransportLayer().LayerPayload()...)
	}
	numbers(b, all, n, size)
}

func numbers(b *testing.B, all []byte, n, size int) {
	if len(all) != n*size {
		b.Fatalf("%d bytes are recorded of %d", len(all), n*size)
	}
	for i := range n {
		if got := binary.BigEndian.Uint32(all[i*size:]); got != uint32(i) {
			b.Fatalf("message %d is %d", i, got)
		}
	}
}
