package focasclient

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

func BenchmarkPlan(b *testing.B) {
	sizes := make([]int, 120)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range sizes {
		sizes[i] = r.IntN(300)
	}
	batch := batchOf(Limits{}, sizes...)
	b.ReportAllocs()
	for b.Loop() {
		batch.plan = nil
		batch.Plan()
	}
	b.ReportMetric(float64(len(batch.Plan())), "frames")
}

// frameBytes are a frame of a plan and its answer, as bytes.
type frameBytes struct{ request, reply []byte }

// traffic is what a batch sends and gets, every answer as long as estimated.
func traffic(b *Batch) []frameBytes {
	var out []frameBytes
	for _, frame := range b.Plan() {
		var qs []focas.Request
		var ps []focas.Reply
		for _, i := range frame {
			qs = append(qs, b.items[i].request)
			ps = append(ps, echo(b.items[i].request, make([]byte, b.items[i].payload)))
		}
		out = append(out, frameBytes{focas.AppendRequests(nil, qs), focas.AppendReplies(nil, 3, ps)})
	}
	return out
}

// serveOne runs serve on the first connection to a listener on loopback until the benchmark ends.
func serveOne(b *testing.B, serve func(net.Conn)) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if conn, err := l.Accept(); err == nil {
			serve(conn)
			conn.Close()
		}
	}()
	b.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

// BenchmarkSweep asks a control on loopback TCP for the default points of a machining centre, its answers prepared: packed into
// few frames, and one read a frame. The echo beside it moves the same bytes in the same number of round trips over bare TCP.
func BenchmarkSweep(b *testing.B) {
	ctx := context.Background()
	for _, way := range []struct {
		name   string
		blocks int
	}{{"batch", 0}, {"single", 1}} {
		plan := sweep(32)
		if way.blocks > 0 {
			plan.limits.Blocks = way.blocks
		}
		frames := traffic(plan)
		b.Run(way.name+"/focas", func(b *testing.B) {
			answers := map[string][]byte{}
			for _, f := range frames {
				answers[string(f.request[focas.HeaderSize:])] = f.reply
			}
			p := &peer{raw: func(f focas.Frame) ([]byte, bool) {
				reply, ok := answers[string(f.Body)]
				return reply, ok
			}}
			addr := serveOne(b, p.serveQuietly)
			c, err := Dial(ctx, new(net.Dialer).DialContext, addr, Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close(ctx)
			b.ReportAllocs()
			for b.Loop() {
				if err := plan.Do(ctx, c); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(frames)), "frames")
		})
		b.Run(way.name+"/echo", func(b *testing.B) {
			addr := serveOne(b, func(conn net.Conn) {
				buf := make([]byte, 8192)
				for {
					for _, f := range frames {
						if _, err := io.ReadFull(conn, buf[:len(f.request)]); err != nil {
							return
						}
						if _, err := conn.Write(f.reply); err != nil {
							return
						}
					}
				}
			})
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			buf := make([]byte, 8192)
			for b.Loop() {
				for _, f := range frames {
					if _, err := conn.Write(f.request); err != nil {
						b.Fatal(err)
					}
					if _, err := io.ReadFull(conn, buf[:len(f.reply)]); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(len(frames)), "frames")
		})
	}
}
