package drivertest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// streamer opens a session that has streams.
func (w *world) streamer() (driver.Session, driver.Streamer) {
	w.Helper()
	if w.target.Echo == "" {
		w.Skip("the target names no stream")
	}
	s := w.open()
	a := s.Abilities()
	if a.Streamer == nil {
		w.Fatal("the target names a stream, and the session opens none")
	}
	return s, a.Streamer
}

func (w *world) openStream(st driver.Streamer) driver.Stream {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), w.target.Patience)
	defer cancel()
	s, err := st.OpenStream(ctx, w.target.Echo, w.target.Line)
	if err != nil {
		w.Fatalf("OpenStream: %v", err)
	}
	return s
}

func (w *world) closeStream(s driver.Stream) {
	w.Helper()
	w.within(w.target.Patience, "Close of a stream", func() {
		if err := s.Close(); err != nil {
			w.Errorf("Close of a stream: %v", err)
		}
	})
}

// wantDeadline demands that a call ended by its deadline.
func (w *world) wantDeadline(what string, err error) {
	w.Helper()
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		w.Errorf("%s: %v; want os.ErrDeadlineExceeded", what, err)
	}
}

// pattern is n bytes in which every value and every neighbourhood comes.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

// echoes writes data and demands it back.
func (w *world) echoes(s driver.Stream, data []byte) {
	w.Helper()
	done := make(chan error, 1)
	go func() {
		n, err := s.Write(data)
		if err == nil && n != len(data) {
			err = io.ErrShortWrite
		}
		done <- err
	}()
	got := make([]byte, len(data))
	w.within(w.target.Patience, "reading what was written", func() {
		if n, err := io.ReadFull(s, got); err != nil {
			w.Errorf("Read after %d of %d bytes: %v", n, len(got), err)
		}
	})
	if err := <-done; err != nil {
		w.Errorf("Write: %v", err)
	}
	if !bytes.Equal(got, data) {
		w.Errorf("%d bytes came back changed, lost, doubled or in another order", len(data))
	}
}

// flood is more than any far end of a stream may hold.
const flood = 4 << 20

// fill writes until the stream takes no more, and returns how much it took.
func (w *world) fill(s driver.Stream, data []byte) int {
	w.Helper()
	limit := w.target.Patience / 4
	if w.target.Real {
		limit = time.Second
	}
	if err := s.SetDeadline(time.Now().Add(limit)); err != nil {
		w.Fatalf("SetDeadline: %v", err)
	}
	n := 0
	w.within(w.target.Patience, "Write with a deadline", func() {
		var err error
		n, err = s.Write(data)
		w.wantDeadline("Write to a far end that is full", err)
	})
	if n >= len(data) {
		w.Errorf("the stream took %d bytes that nobody reads: Write does not wait for the far end", n)
	}
	if err := s.SetDeadline(time.Time{}); err != nil {
		w.Fatalf("SetDeadline: %v", err)
	}
	return n
}

// calls are all calls of a stream that may wait.
func calls(s driver.Stream) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Read": func(context.Context) error {
			for b := make([]byte, 4096); ; {
				if _, err := s.Read(b); err != nil {
					return err
				}
			}
		},
		"Write": func(context.Context) error {
			for b := make([]byte, 4096); ; {
				if _, err := s.Write(b); err != nil {
					return err
				}
			}
		},
		"Event": func(ctx context.Context) error {
			for {
				if _, err := s.Event(ctx); err != nil {
					return err
				}
			}
		},
	}
}

// wantEnded demands that every call of a stream that is over fails with an *Error.
func (w *world) wantEnded(s driver.Stream, classes ...driver.Class) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), w.target.Patience)
	defer cancel()
	for what, call := range map[string]func() error{
		"Write": func() error { _, err := s.Write([]byte("x")); return err },
		"Set":   func() error { _, err := s.Set(ctx, driver.Line{Baud: 1200}); return err },
		"Flush": func() error { return s.Flush(ctx, true, true) },
		"Drain": func() error { return s.Drain(ctx) },
		"Read":  func() error { return calls(s)["Read"](ctx) },
		"Event": func() error { return calls(s)["Event"](ctx) },
	} {
		var err error
		w.within(w.target.Patience, what+" on a stream that is over", func() { err = call() })
		w.wantClass(what+" on a stream that is over", err, classes...)
	}
}

func streamChecks() []check {
	return append(openStreamChecks(), streamEndChecks()...)
}

func openStreamChecks() []check {
	return []check{
		{"listed", func(w *world) {
			s, _ := w.streamer()
			r := w.survey(s)
			r.mu.Lock()
			defer r.mu.Unlock()
			if !r.streams[w.target.Echo] {
				w.Errorf("the full change of Watch does not name the stream %s", w.target.Echo)
			}
		}},
		{"echo", func(w *world) {
			_, st := w.streamer()
			s := w.openStream(st)
			w.echoes(s, pattern(1))
			w.echoes(s, pattern(256))
			w.echoes(s, pattern(100_000))
			w.closeStream(s)
		}},
		{"one-byte-at-a-time", func(w *world) {
			_, st := w.streamer()
			for _, c := range w.connections() {
				c.In().Chunk(1)
				c.Out().Chunk(1)
			}
			w.echoes(w.openStream(st), pattern(2000))
		}},
		{"open-again", func(w *world) {
			_, st := w.streamer()
			for range 3 {
				s := w.openStream(st)
				w.echoes(s, pattern(100))
				w.closeStream(s)
				w.closeStream(s)
				w.wantEnded(s, driver.Closed)
			}
		}},
		{"unknown-path", func(w *world) {
			_, st := w.streamer()
			_, err := st.OpenStream(w.Context(), "no/such/stream", w.target.Line)
			w.wantClass("OpenStream of an unknown path", err, driver.Unsupported)
			w.echoes(w.openStream(st), pattern(10))
		}},
		{"taken", func(w *world) {
			_, st := w.streamer()
			s := w.openStream(st)
			_, err := st.OpenStream(w.Context(), w.target.Echo, w.target.Line)
			w.wantClass("OpenStream of a stream that is open", err, driver.Busy)
			w.echoes(s, pattern(10))
			if w.target.Taken == "" {
				return
			}
			_, err = st.OpenStream(w.Context(), w.target.Taken, w.target.Line)
			w.wantClass("OpenStream of somebody else's stream", err, driver.Busy)
		}},
		{"cancelled-open", func(w *world) {
			_, st := w.streamer()
			ctx, cancel := context.WithCancel(w.Context())
			cancel()
			if s, err := st.OpenStream(ctx, w.target.Echo, w.target.Line); err == nil {
				w.Error("OpenStream with a context that has ended")
				w.closeStream(s)
			}
		}},
		{"deadline", func(w *world) {
			_, st := w.streamer()
			s := w.openStream(st)
			s.SetDeadline(time.Now().Add(-time.Second))
			_, err := s.Read(make([]byte, 1))
			w.wantDeadline("Read behind its deadline", err)
			_, err = s.Write([]byte("x"))
			w.wantDeadline("Write behind its deadline", err)
			s.SetDeadline(time.Now().Add(time.Second))
			began := time.Now()
			_, err = s.Read(make([]byte, 1))
			w.wantDeadline("Read", err)
			if took := time.Since(began); took != time.Second && !w.target.Real {
				w.Errorf("a deadline of a second took %v", took)
			}
			s.SetDeadline(time.Time{})
			done := make(chan error, 1)
			go func() { _, err := s.Read(make([]byte, 1)); done <- err }()
			w.settled()
			s.SetDeadline(time.Now())
			w.within(time.Second, "Read whose deadline was moved", func() { w.wantDeadline("Read", <-done) })
			s.SetDeadline(time.Time{})
			w.echoes(s, pattern(1000))
		}},
		{"back-pressure", func(w *world) {
			_, st := w.streamer()
			s := w.openStream(st)
			data := pattern(flood)
			n := w.fill(s, data)
			got := make([]byte, n)
			w.within(w.target.Patience, "reading all of it", func() {
				if _, err := io.ReadFull(s, got); err != nil {
					w.Errorf("Read: %v", err)
				}
			})
			if !bytes.Equal(got, data[:n]) {
				w.Errorf("%d bytes were taken, and others came back", n)
			}
			w.drain(s)
			w.echoes(s, pattern(1000))
		}},
		{"set", func(w *world) {
			_, st := w.streamer()
			s := w.openStream(st)
			ctx, cancel := context.WithTimeout(w.Context(), w.target.Patience)
			defer cancel()
			for _, want := range []driver.Line{{Baud: 19200}, {Data: 7, Parity: 'E', HalfStops: 2}, {Data: 8, Parity: 'N', HalfStops: 4}, {Flow: driver.FlowXonXoff},
				{Flow: driver.FlowNone}, {Baud: 115200, Data: 8, Parity: 'O', HalfStops: 2}} {
				got, err := s.Set(ctx, want)
				if err != nil || got != want.Over(got) {
					w.Errorf("Set(%+v): %+v, %v", want, got, err)
				}
			}
			before, err := s.Set(ctx, driver.Line{})
			if err != nil || before.Baud != 115200 || before.Parity != 'O' {
				w.Errorf("Set of nothing: %+v, %v", before, err)
			}
			on, off := true, false
			for _, want := range []driver.Line{{RTS: &on, DTR: &on}, {RTS: &off}, {Break: &on}, {Break: &off}} {
				if _, err := s.Set(ctx, want); err != nil {
					w.Errorf("Set of lines: %v", err)
				}
			}
			w.echoes(s, pattern(100))
		}},
		{"flush", func(w *world) {
			_, st := w.streamer()
			s := w.openStream(st)
			ctx, cancel := context.WithTimeout(w.Context(), w.target.Patience)
			defer cancel()
			if _, err := s.Write([]byte("old")); err != nil {
				w.Fatal(err)
			}
			if _, err := io.ReadFull(s, make([]byte, 1)); err != nil { // the far end has it
				w.Fatal(err)
			}
			time.Sleep(time.Second)
			for _, both := range [][2]bool{{true, false}, {false, true}, {true, true}, {false, false}} {
				if err := s.Flush(ctx, both[0], both[1]); err != nil {
					w.Errorf("Flush(%v, %v): %v", both[0], both[1], err)
				}
			}
			w.echoes(s, []byte("new"))
		}},
		{"drain", func(w *world) {
			_, st := w.streamer()
			s := w.openStream(st)
			go io.Copy(io.Discard, s)
			for range 3 {
				if _, err := s.Write(pattern(5000)); err != nil {
					w.Fatal(err)
				}
				w.drain(s)
			}
			w.closeStream(s)
		}},
		{"event", func(w *world) {
			_, st := w.streamer()
			s := w.openStream(st)
			w.within(w.target.Patience, "the first Event", func() {
				if _, err := s.Event(w.Context()); err != nil {
					w.Errorf("the first Event: %v", err)
				}
			})
			ctx, cancel := context.WithTimeout(w.Context(), 5*time.Second)
			defer cancel()
			for {
				if _, err := s.Event(ctx); err != nil {
					if ctx.Err() == nil {
						w.Fatalf("Event: %v", err)
					}
					break
				}
			}
			if w.far.ChangeLine == nil {
				return
			}
			want := w.far.ChangeLine()
			w.within(w.target.Patience, "Event of a line that changed", func() {
				e, err := s.Event(w.Context())
				if err != nil || e.CTS != want.CTS || e.DSR != want.DSR || e.CD != want.CD || e.RI != want.RI {
					w.Errorf("Event: %+v, %v; want %+v", e, err, want)
				}
			})
			w.echoes(s, pattern(10))
		}},
		{"close-ends-calls", func(w *world) {
			_, st := w.streamer()
			s := w.openStream(st)
			w.fill(s, make([]byte, flood))
			var wg sync.WaitGroup
			for what, call := range calls(s) {
				if what == "Read" {
					continue // it would make room
				}
				wg.Go(func() {
					if err := call(w.Context()); !errors.Is(err, net.ErrClosed) {
						w.Errorf("%s during Close: %v; want an error that is net.ErrClosed", what, err)
					}
				})
			}
			wg.Go(func() {
				if err := s.Drain(w.Context()); err != nil && !errors.Is(err, net.ErrClosed) {
					w.Errorf("Drain during Close: %v", err)
				}
			})
			w.settled()
			w.closeStream(s)
			w.within(time.Second, "calls during Close", wg.Wait)
			quiet := w.openStream(st)
			wg.Go(func() {
				if _, err := io.Copy(io.Discard, quiet); !errors.Is(err, net.ErrClosed) {
					w.Errorf("Read during Close: %v; want an error that is net.ErrClosed", err)
				}
			})
			w.settled()
			w.closeStream(quiet)
			w.within(time.Second, "Read during Close", wg.Wait)
		}},
		{"session-closes", func(w *world) {
			session, st := w.streamer()
			s := w.openStream(st)
			w.echoes(s, pattern(10))
			w.within(w.target.Patience, "Close of the session", func() {
				if err := session.Close(); err != nil {
					w.Errorf("Close: %v", err)
				}
			})
			w.wantEnded(s, driver.Closed)
			_, err := st.OpenStream(w.Context(), w.target.Echo, w.target.Line)
			w.wantClass("OpenStream of a session that is closed", err, driver.Closed)
			w.closeStream(s)
		}},
	}
}

// drain demands that everything that was written has left.
func (w *world) drain(s driver.Stream) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), w.target.Patience)
	defer cancel()
	w.within(w.target.Patience+time.Second, "Drain", func() {
		if err := s.Drain(ctx); err != nil {
			w.Errorf("Drain: %v", err)
		}
	})
	if n := s.Unacked(); n != 0 {
		w.Errorf("%d bytes are unacknowledged after Drain", n)
	}
}
