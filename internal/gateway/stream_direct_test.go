package gateway

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/north"
)

// What is passed on without Read and what Read returns are one sequence, whatever is taken at once, and observers see all of it.
func TestDirect(t *testing.T) {
	const size = 40 << 10
	dev := &box{window: 4 << 10}
	withBox(t, dev, func(t *testing.T, g *Gateway) {
		s := openBox(t, g, "raw", north.StreamOptions{Own: true, Wait: true, Buffer: 256})
		looker := openBox(t, g, "log", north.StreamOptions{Buffer: size})
		defer looker.Close()
		var got []byte
		direct := 0
		s.Direct(func(b []byte) int {
			n := rand.IntN(len(b) + 1)
			got, direct = append(got, b[:n]...), direct+n
			return n
		})
		sent := make([]byte, size)
		for i := range sent {
			sent[i] = byte(i ^ i>>8)
		}
		fed := make(chan struct{})
		go func() {
			defer close(fed)
			for rest := sent; len(rest) > 0; {
				n := min(rand.IntN(2*directMost)+1, len(rest))
				dev.last().feed(rest[:n])
				rest = rest[n:]
				time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
			}
		}()
		ended := make(chan error, 1)
		go func() {
			b := make([]byte, 100)
			for {
				n, err := s.Read(b)
				if err != nil {
					ended <- err
					return
				}
				if rand.IntN(10) == 0 {
					time.Sleep(time.Millisecond) // meanwhile nothing may pass by
				}
				got = append(got, b[:n]...)
			}
		}()
		<-fed
		time.Sleep(time.Second) // of simulated time: everybody has what there is
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		if !bytes.Equal(got, sent) {
			t.Errorf("%d bytes of %d came, or in another order", len(got), len(sent))
		}
		if direct == 0 || direct == len(sent) {
			t.Errorf("%d of %d bytes were passed on without Read", direct, len(sent))
		}
		seen := make([]byte, size+1)
		for n := 0; n < size; {
			k, err := looker.Read(seen[n:])
			if n += k; err != nil || n == size && !bytes.Equal(seen[:n], sent) {
				t.Fatalf("the observer has %d bytes, %v", n, err)
			}
		}
	})
}

// A fault in what passes bytes on costs the device its stream for a moment, and nobody a lock: clients leave, and others come.
func TestDirectPanics(t *testing.T) {
	dev := &box{window: 4 << 10}
	withBox(t, dev, func(t *testing.T, g *Gateway) {
		s := openBox(t, g, "raw", north.StreamOptions{Own: true, Wait: true})
		var faults atomic.Int32
		s.Direct(func([]byte) int {
			faults.Add(1)
			panic("no such file descriptor")
		})
		reads := make(chan struct{})
		go func() {
			defer close(reads)
			_, _ = s.Read(make([]byte, 100))
		}()
		time.Sleep(time.Second) // of simulated time: it waits
		dev.last().feed([]byte("hello"))
		time.Sleep(time.Minute)
		if faults.Load() == 0 {
			t.Error("nothing was passed on")
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		<-reads
		next := openBox(t, g, "raw", north.StreamOptions{Own: true, Wait: true})
		defer next.Close()
		dev.last().feed([]byte("again"))
		b := make([]byte, 100)
		if n, err := next.Read(b); err != nil || string(b[:n]) != "again" {
			t.Errorf("%q, %v", b[:n], err)
		}
	})
}
