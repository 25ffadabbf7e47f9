package focas

import (
	"context"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasclient"
)

// BenchmarkServe measures one request of a program over loopback: straight to the control, through a relay that copies
// bytes and knows nothing, and through the server, in turns. The control is a responder that does no work. It reports the
// medians and what relay and server add to the direct way, all in µs.
func BenchmarkServe(b *testing.B) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	listen := func(serve func(net.Conn)) string {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		context.AfterFunc(ctx, func() { ln.Close() })
		wg.Go(func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				context.AfterFunc(ctx, func() { c.Close() })
				wg.Go(func() { serve(c) })
			}
		})
		return ln.Addr().String()
	}
	open := focas.OpenReply{Version: 3, MaxAxes: 32, MaxSpindles: 8, ControlledPaths: 1, Axes: 3, Records: []focas.PathRecord{{System: 1, Axes: 3}}}
	far := &canned{open: open.AppendFrame(nil)}
	control := listen(far.serve)
	relay := listen(func(c net.Conn) {
		defer c.Close()
		up, err := net.Dial("tcp", control)
		if err != nil {
			return
		}
		defer up.Close()
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = io.Copy(up, c)
			up.Close()
		}()
		_, _ = io.Copy(c, up)
		c.Close()
		<-done
	})
	up := &upstream{dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, control)
	}}
	if _, _, err := up.Session(ctx); err != nil {
		b.Fatal(err)
	}
	front := make(chan string, 1)
	opts := serveDefaults()
	opts.Window = 0
	wg.Go(func() {
		_ = Driver{}.Serve(ctx, driver.ServeEnv{Upstreams: []driver.Upstream{up}, Gate: new(gate), Log: slog.New(slog.DiscardHandler),
			Listen: func(_ context.Context, network, _ string) (net.Listener, error) {
				l, err := net.Listen(network, "127.0.0.1:0")
				if err == nil {
					front <- l.Addr().String()
				}
				return l, err
			}}, opts)
	})
	server := <-front
	dial := func(addr string) *focasclient.Client {
		for range 1000 {
			if c, err := focasclient.Dial(ctx, new(net.Dialer).DialContext, addr, focasclient.Options{}); err == nil {
				return c
			}
			time.Sleep(time.Millisecond)
		}
		b.Fatal("cannot connect")
		return nil
	}
	ways := []*focasclient.Client{dial(control), dial(relay), dial(server)}
	page := []focas.Request{statInfo, focas.AxisRequest(1, focas.AxisAbsolute, focas.AllAxes), focas.MacroRequest(1, 500, 509)}
	times := make([][]time.Duration, len(ways))
	b.ReportAllocs()
	for b.Loop() {
		for i, c := range ways {
			start := time.Now()
			if _, err := c.Exchange(ctx, page); err != nil {
				b.Fatal(err)
			}
			times[i] = append(times[i], time.Since(start))
		}
	}
	median := make([]float64, len(ways))
	for i, t := range times {
		slices.Sort(t)
		median[i] = float64(t[len(t)/2].Nanoseconds()) / 1000
	}
	b.ReportMetric(median[0], "direct-µs")
	b.ReportMetric(median[1], "relay-µs")
	b.ReportMetric(median[2], "server-µs")
	b.ReportMetric(median[2]-median[0], "added-µs")
	b.ReportMetric(median[2]-median[1], "over-relay-µs")
	for _, c := range ways {
		_ = c.Close(ctx)
	}
	cancel()
	up.end(true)
	wg.Wait()
}

// BenchmarkAnswers is what a request costs that somebody else has just asked.
func BenchmarkAnswers(b *testing.B) {
	a := newAnswers(time.Hour)
	q := focas.MacroRequest(1, 500, 509)
	a.settle(&q, a.claim(&q, time.Now(), 0), focas.Reply{Payload: make([]byte, 80)}, nil)
	b.ReportAllocs()
	for b.Loop() {
		if a.find(&q, time.Now(), 0) == nil {
			b.Fatal("not found")
		}
	}
}
