package ocasim

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaclient"
)

// served serves a device over TCP on this machine.
func served(b *testing.B, o Options) (*Sim, string) {
	b.Helper()
	s := New(o)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(ctx, ln)
	}()
	b.Cleanup(func() {
		cancel()
		<-done
	})
	return s, ln.Addr().String()
}

func dial(b *testing.B, addr string, o ocaclient.Options) *ocaclient.Client {
	b.Helper()
	c, err := ocaclient.Dial(b.Context(), new(net.Dialer).DialContext, addr, o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return c
}

// BenchmarkEnumerate asks a device of 5,000 objects for its tree and roles, and subscribes to all of them.
func BenchmarkEnumerate(b *testing.B) {
	for _, window := range []int{1, ocaclient.DefaultWindow} {
		b.Run(fmt.Sprintf("window=%d", window), func(b *testing.B) {
			_, addr := served(b, Options{Objects: 5000})
			for b.Loop() {
				c := dial(b, addr, ocaclient.Options{Window: window})
				root, err := c.Tree(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				var all []ocp1.ONo
				root.Walk(func(o *ocaclient.Object) bool { all = append(all, o.ONo); return true })
				errs, err := c.Subscribe(b.Context(), all...)
				if err != nil || slices.ContainsFunc(errs, func(e error) bool { return e != nil }) {
					b.Fatal(err)
				}
				if len(all) < 5000 {
					b.Fatal(len(all))
				}
				c.Close()
			}
		})
	}
}

// BenchmarkNotify changes values that 100 controllers have subscribed to: one at a time, where each event costs a write and a read, and 64
// together, as meters move. One operation is one event at one controller.
func BenchmarkNotify(b *testing.B) {
	const controllers = 100
	for _, together := range []int{1, 64} {
		b.Run(fmt.Sprintf("together=%d", together), func(b *testing.B) {
			s, addr := served(b, Options{Inputs: together})
			var heard atomic.Int64
			for range controllers {
				c := dial(b, addr, ocaclient.Options{Events: func(ocaclient.Event) { heard.Add(1) }, KeepAlive: -1})
				list := make([]ocp1.ONo, together)
				for i := range s.Inputs {
					list[i] = s.Inputs[i].Gain.ONo()
				}
				if errs, err := c.Subscribe(b.Context(), list...); err != nil || errs[0] != nil {
					b.Fatal(err, errs)
				}
			}
			b.ResetTimer()
			n := int64(0)
			for round := 0; n < int64(b.N); round++ {
				for i := range s.Inputs {
					s.Inputs[i].Gain.Set(float32(round%60) + 1)
				}
				n += int64(controllers * together)
				for heard.Load() < n { // each controller has these before the next are made, so that none is merged
					time.Sleep(10 * time.Microsecond)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkRoundTrip is one GetGain and its answer, beside a bare echo of as many bytes over TCP; the medians are shown.
func BenchmarkRoundTrip(b *testing.B) {
	s, addr := served(b, Options{})
	c := dial(b, addr, ocaclient.Options{KeepAlive: -1})
	gain := c.Gain(s.Inputs[0].Gain.ONo())
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		conn, err := ln.Accept()
		if err == nil {
			_, _ = io.Copy(struct{ io.Writer }{conn}, struct{ io.Reader }{conn}) // no splicing: a server looks at its bytes
			conn.Close()
		}
	})
	defer wg.Wait()
	defer ln.Close()
	bare, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer bare.Close()
	var ours, echo []time.Duration
	buf := make([]byte, 32)
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		if _, err := gain.Get(b.Context()); err != nil {
			b.Fatal(err)
		}
		middle := time.Now()
		if _, err := bare.Write(buf); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(bare, buf); err != nil {
			b.Fatal(err)
		}
		ours, echo = append(ours, middle.Sub(start)), append(echo, time.Since(middle))
	}
	slices.Sort(ours)
	slices.Sort(echo)
	p50, bareP50 := ours[len(ours)/2], echo[len(echo)/2]
	b.ReportMetric(float64(p50.Nanoseconds()), "p50-ns")
	b.ReportMetric(float64(bareP50.Nanoseconds()), "echo-p50-ns")
	b.ReportMetric(float64(p50)/float64(bareP50), "times-echo")
}
