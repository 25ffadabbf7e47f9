package drivertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/testnet"
)

// watchEnds starts a Watch, disturbs the connections, and demands that Watch and every later Read end with one of the
// classes, within the target's patience.
func (w *world) watchEnds(disturb func(*testnet.Conn), classes ...driver.Class) {
	w.Helper()
	s := w.open()
	r, _ := w.watch(s, driver.Everything{})
	r.waitFull(w)
	for _, c := range w.connections() {
		disturb(c)
	}
	w.within(w.target.Patience, "Watch on a broken link", func() { <-r.ended })
	w.wantClass("Watch on a broken link", r.err, classes...)
	w.within(w.target.Patience, "Read on a broken link", func() {
		if _, err := s.Read(w.Context(), w.some(s)); err == nil {
			w.Error("Read on a broken link succeeded: a session never reconnects")
		}
	})
	if n := len(w.connections()); n > 0 {
		before := n
		time.Sleep(settle(w))
		if n = len(w.connections()); n != before {
			w.Errorf("the session dialled %d more times: a session never reconnects", n-before)
		}
	}
	r.report(w)
}

// readEnds disturbs the connections and demands that a Read either fails with a class of a broken link, or is right.
func (w *world) readEnds(s driver.Session, disturb func(*testnet.Conn)) {
	w.Helper()
	for _, c := range w.connections() {
		disturb(c)
	}
	w.within(w.target.Patience, "Read on a disturbed link", func() {
		samples, err := s.Read(w.Context(), w.some(s))
		if err != nil {
			w.wantClass("Read on a disturbed link", err, driver.Closed, driver.Timeout, driver.NotThisProtocol)
			return
		}
		for i, got := range samples {
			if want := w.target.Points[i]; !got.Value.Equal(want.Value) && got.Quality != device.Bad {
				w.Errorf("%s is %v on a disturbed link, want %v or an error", got.Path, got.Value, want.Value)
			}
		}
	})
}

func lifeChecks() []check {
	return []check{
		{"peer-closes", func(w *world) {
			w.watchEnds(func(c *testnet.Conn) { c.Peer().Close() }, driver.Closed)
		}},
		{"peer-half-closes", func(w *world) {
			w.watchEnds(func(c *testnet.Conn) { c.Peer().CloseWrite() }, driver.Closed)
		}},
		{"peer-resets", func(w *world) {
			w.watchEnds(func(c *testnet.Conn) { c.Peer().Reset() }, driver.Closed)
		}},
		{"peer-stalls", func(w *world) {
			w.watchEnds(func(c *testnet.Conn) { c.In().Stall() }, driver.Timeout, driver.Closed)
		}},
		{"garbage", func(w *world) {
			w.watchEnds(func(c *testnet.Conn) {
				c.In().Garble(true)
				c.In().Inject(make([]byte, 64))
			}, driver.NotThisProtocol, driver.Closed, driver.Timeout)
		}},
		{"one-byte-at-a-time", func(w *world) {
			s := w.open()
			for _, c := range w.connections() {
				c.In().Chunk(1)
				c.Out().Chunk(1)
			}
			for i, got := range w.read(s, w.some(s)...) {
				if want := w.target.Points[i]; !got.Value.Equal(want.Value) {
					w.Errorf("%s is %v %v, want %v %v", want.Path, got.Value.Kind, got.Value, want.Value.Kind, want.Value)
				}
			}
			r, stop := w.watch(s, driver.Everything{})
			r.waitFull(w)
			stop()
		}},
		{"cut-in-a-message", func(w *world) {
			for n := int64(1); n < 40; n += 3 {
				s := w.openOnce()
				w.readEnds(s, func(c *testnet.Conn) { c.In().CutAfter(n) })
				s.Close()
			}
		}},
		{"unasked-bytes", func(w *world) {
			s := w.open()
			w.readEnds(s, func(c *testnet.Conn) { c.In().Inject(bytes.Repeat([]byte{0xff, 0x00, 0x5a}, 20)) })
		}},
	}
}

func closeChecks() []check {
	wantClosed := func(w *world, what string, err error) {
		w.Helper()
		if !errors.Is(err, net.ErrClosed) {
			w.Errorf("%s: %v; want an error that is net.ErrClosed", what, err)
		}
	}
	closeIt := func(w *world, s driver.Session) {
		w.Helper()
		w.within(w.target.Patience, "Close", func() {
			if err := s.Close(); err != nil {
				w.Errorf("Close: %v", err)
			}
		})
	}
	return []check{
		{"twice", func(w *world) {
			s := w.open()
			closeIt(w, s)
			closeIt(w, s)
			w.wantClosed()
			_, err := s.Read(w.Context(), w.some(s))
			wantClosed(w, "Read after Close", err)
			ctx, cancel := context.WithTimeout(w.Context(), w.target.Patience)
			defer cancel()
			err = s.Watch(ctx, driver.Everything{}, newRecord())
			wantClosed(w, "Watch after Close", err)
			if wr := s.Abilities().Writer; wr != nil && len(w.target.Writes) > 0 {
				out, err := wr.Write(w.Context(), w.target.Writes[:1])
				if len(out) != 1 || out[0].Stage != driver.Refused {
					w.Errorf("Write after Close: %v, %v; want one refused outcome", out, err)
				}
			}
		}},
		{"concurrently", func(w *world) {
			s := w.open()
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() { closeIt(w, s) })
			}
			wg.Wait()
			w.wantClosed()
		}},
		{"during-read", func(w *world) {
			s := w.open()
			w.stall()
			done := make(chan error, 1)
			go func() {
				_, err := s.Read(w.Context(), w.some(s))
				done <- err
			}()
			synctest.Wait()
			closeIt(w, s)
			var err error
			w.within(time.Second, "Read during Close", func() { err = <-done })
			wantClosed(w, "Read during Close", err)
		}},
		{"during-watch", func(w *world) {
			s := w.open()
			r, _ := w.watch(s, driver.Everything{})
			r.waitFull(w)
			closeIt(w, s)
			w.within(time.Second, "Watch during Close", func() { <-r.ended })
			wantClosed(w, "Watch during Close", r.err)
			r.report(w)
		}},
		{"dead-peer", func(w *world) {
			s := w.open()
			w.stall()
			for _, c := range w.connections() {
				c.Out().Stall()
			}
			w.disturb.set(lose, lose)
			closeIt(w, s)
			w.wantClosed()
		}},
	}
}

// maxFlood is how much a driver may read from a peer that never stops, in bytes, before it gives up.
const maxFlood = 4 << 20

func limitChecks() []check {
	flood := func(fill byte) func(*world) {
		return func(w *world) {
			sent := 0
			w.peer(func(c net.Conn) {
				block := bytes.Repeat([]byte{fill}, 4096)
				for sent < 4*maxFlood {
					n, err := c.Write(block)
					sent += n
					if err != nil {
						return
					}
				}
			})
			w.failOpen(w.options(), driver.NotThisProtocol, driver.Closed, driver.Timeout)
			synctest.Wait()
			if sent > maxFlood {
				w.Errorf("the driver took %d bytes of nonsense before it gave up; the limit is %d", sent, maxFlood)
			}
		}
	}
	return []check{
		{"endless-zeros", flood(0)},
		{"endless-ones", flood(0xff)},
		{"endless-line", flood('a')},
	}
}

func loadChecks() []check {
	return []check{
		{"goroutines-stay-flat", func(w *world) {
			s := w.open()
			w.read(s, w.some(s)...)
			synctest.Wait()
			before := runtime.NumGoroutine()
			for range 200 {
				w.read(s, w.some(s)...)
			}
			synctest.Wait()
			if after := runtime.NumGoroutine(); after > before+2 {
				w.Errorf("%d goroutines before 200 reads, %d after", before, after)
			}
		}},
		{"dead-devices-leave-nothing", func(w *world) {
			w.net.SetOutcome(w.addr, testnet.Hang)
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					ctx, cancel := context.WithTimeout(w.Context(), time.Second)
					defer cancel()
					if _, err := w.tryOpen(ctx, w.options()); err == nil {
						w.Error("opened a device that hangs")
					}
				})
			}
			wg.Wait()
			synctest.Wait()
			if left := goroutines(); left != "" {
				w.Error(fmt.Sprint("after 20 attempts to open a hanging device:\n", left))
			}
		}},
	}
}
