package drivertest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/testnet"
)

// streamEndChecks are about links that die under a stream, and about streams through the driver's own server.
func streamEndChecks() []check {
	return []check{
		{"link-dies-unheard", func(w *world) {
			w.linkDies(func(c *testnet.Conn) { c.In().Stall() })
		}},
		{"link-dies-unsent", func(w *world) {
			w.linkDies(func(c *testnet.Conn) { c.Out().Stall() })
		}},
		{"silent-peer", func(w *world) {
			if w.target.Real || w.far.Dial != nil {
				w.Skip("needs the network in memory")
			}
			_, st := w.streamer()
			s := w.openStream(st)
			for _, c := range w.connections() {
				c.In().Stall()
			}
			ctx, cancel := context.WithTimeout(w.Context(), time.Second)
			defer cancel()
			w.within(w.target.Patience, "Set with a deadline", func() {
				if _, err := s.Set(ctx, driver.Line{Baud: 300}); err == nil && ctx.Err() != nil {
					w.Error("Set says that a silent peer has taken the settings")
				}
			})
			w.closeStream(s)
		}},
		{"through-the-server", func(w *world) {
			if w.target.Echo == "" {
				w.Skip("the target names no stream")
			}
			s := w.behindServer()
			c := s.mustClient()
			st := c.Abilities().Streamer
			if st == nil {
				w.Fatal("a session with our own server opens no streams")
			}
			stream := w.openStream(st)
			if s.asked == 0 || len(s.done) == 0 {
				w.Errorf("the gate was asked %d times and told of %d ends after a stream was opened", s.asked, len(s.done))
			}
			w.echoes(stream, pattern(20_000))
			w.drain(stream)
			other := s.mustClient().Abilities().Streamer
			_, err := other.OpenStream(w.Context(), w.target.Echo, w.target.Line)
			w.wantClass("a second client's OpenStream", err, driver.Busy)
			w.closeStream(stream)
			w.closeStream(w.openStream(other))
			s.mu.Lock()
			s.deny = errors.New("no")
			s.mu.Unlock()
			_, err = other.OpenStream(w.Context(), w.target.Echo, w.target.Line)
			w.wantClass("OpenStream that the gate denies", err, driver.Busy, driver.Auth, driver.DeviceSaidNo)
		}},
	}
}

// linkDies lets the link die in the middle of a transfer, after stall has held up one direction of it, and demands that every
// byte that was taken is delivered or uncertain.
func (w *world) linkDies(stall func(*testnet.Conn)) {
	w.Helper()
	if w.target.Real || w.far.Dial != nil {
		w.Skip("needs the network in memory")
	}
	_, st := w.streamer()
	s := w.openStream(st)
	w.echoes(s, pattern(1000))
	w.drain(s)
	taken, before := 0, 0
	if w.far.Received != nil {
		before = w.far.Received()
	}
	var wg sync.WaitGroup
	ended := map[string]error{}
	var mu sync.Mutex
	for what, call := range map[string]func() error{
		"Write": func() error {
			for b := pattern(100); ; time.Sleep(time.Millisecond) {
				n, err := s.Write(b)
				if taken += n; err != nil {
					return err
				}
			}
		},
		"Event": func() error { return calls(s)["Event"](w.Context()) },
	} {
		wg.Go(func() {
			err := call()
			mu.Lock()
			ended[what] = err
			mu.Unlock()
		})
	}
	time.Sleep(50 * time.Millisecond)
	for _, c := range w.connections() {
		stall(c)
	}
	time.Sleep(50 * time.Millisecond)
	for _, c := range w.connections() {
		c.Reset()
	}
	w.within(w.target.Patience, "calls on a dead link", wg.Wait)
	for what, err := range ended {
		w.wantClass(what+" when the link died", err, driver.Closed, driver.Timeout)
	}
	uncertain := s.Unacked()
	if uncertain < 0 || uncertain > taken {
		w.Errorf("%d bytes are uncertain of %d that were taken", uncertain, taken)
	}
	if w.far.Received != nil {
		if got := w.far.Received() - before; got < taken-uncertain || got > taken {
			w.Errorf("%d bytes were taken and %d of them are uncertain; the far end has %d", taken, uncertain, got)
		}
	}
	w.wantEnded(s, driver.Closed, driver.Timeout)
	time.Sleep(settle(w))
	if n := s.Unacked(); n != uncertain {
		w.Errorf("%d bytes were uncertain when the link died, and %d later", uncertain, n)
	}
	w.closeStream(s)
	if n := s.Unacked(); n != uncertain {
		w.Errorf("%d bytes were uncertain when the link died, and %d after Close", uncertain, n)
	}
}
