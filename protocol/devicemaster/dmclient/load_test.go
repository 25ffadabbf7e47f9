package dmclient_test

import (
	"bytes"
	"flag"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmclient"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmsim"
)

var loadFor = flag.Duration("load", 2*time.Second, "how long 32 ports are busy, in simulated time; 1m is the full test")

// All ports of the largest box at 921,600 baud, both ways at once, for as long as -load says: nothing is lost.
func TestThirtyTwoPorts(t *testing.T) {
	inBox(t, dmsim.Options{Layout: strings.Repeat("echo,", 31) + "echo", Paced: true}, func(b *box) {
		l := b.dial(dmclient.Options{})
		defer l.Close()
		data := make([]byte, 64<<10)
		for i := range data {
			data[i] = byte(i ^ i>>8)
		}
		var wg sync.WaitGroup
		began := time.Now()
		var total uint64
		var mu sync.Mutex
		for n := range 32 {
			p, err := l.Open(b.Context(), n, settings(921600, lines))
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				for time.Since(began) < *loadFor {
					if _, err := p.Write(data); err != nil {
						t.Error(err)
						return
					}
				}
				if err := p.Drain(b.Context()); err != nil {
					t.Error(err)
				}
				// The echo is still on its way for a moment.
				time.Sleep(time.Second)
				p.Close()
			})
			wg.Go(func() {
				got, at := make([]byte, 64<<10), 0
				for {
					n, err := p.Read(got)
					for left := got[:n]; len(left) > 0; {
						k := min(len(left), len(data)-at)
						if !bytes.Equal(left[:k], data[at:at+k]) {
							t.Error("bytes came back changed, lost, doubled or in another order")
							return
						}
						left, at = left[k:], (at+k)%len(data)
					}
					if err != nil {
						break
					}
				}
				if c := p.Counts(); c.In != c.Out {
					t.Errorf("port %d: %d bytes went, %d came back", p.Number()+1, c.Out, c.In)
				} else {
					mu.Lock()
					total += c.In
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		want := 32 * uint64(*loadFor/time.Second) * 92160
		if total < want {
			t.Errorf("%d bytes in %v; the lines carry %d", total, *loadFor, want)
		}
		if s := b.sim.Stats(); s.Overruns+s.Resyncs+s.Strays+s.Unknown != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// BenchmarkOneByte is the round trip of one byte through the client and a simulated box with an echo, over TCP on this
// computer, beside a bare TCP echo.
func BenchmarkOneByte(b *testing.B) {
	b.Run("bare TCP echo", func(b *testing.B) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		defer ln.Close()
		go func() {
			c, err := ln.Accept()
			if err == nil {
				io.Copy(c, c)
				c.Close()
			}
		}()
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		roundTrips(b, c)
	})
	b.Run("devicemaster", func(b *testing.B) {
		s, err := dmsim.New(dmsim.Options{Layout: "echo"})
		if err != nil {
			b.Fatal(err)
		}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() { s.Serve(b.Context(), ln) })
		l, err := dmclient.Dial(b.Context(), new(net.Dialer).DialContext, ln.Addr().String(), dmclient.Options{})
		if err != nil {
			b.Fatal(err)
		}
		p, err := l.Open(b.Context(), 0, dmclient.Settings{})
		if err != nil {
			b.Fatal(err)
		}
		roundTrips(b, p)
		l.Close()
		s.Close()
		wg.Wait()
	})
}

func roundTrips(b *testing.B, c io.ReadWriter) {
	one := []byte{'x'}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(one); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(c, one); err != nil {
			b.Fatal(err)
		}
	}
}
