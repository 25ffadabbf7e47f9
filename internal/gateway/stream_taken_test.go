package gateway

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// A port that another host takes by force is not fought over.
func TestTakenByForce(t *testing.T) {
	b := &box{window: 10}
	withBox(t, b, func(t *testing.T, g *Gateway) {
		take := func() {
			b.last().end(&driver.Error{Op: "read", Target: "box", Class: driver.Closed, Err: driver.ErrTaken})
			time.Sleep(10 * reopenPause)
			synctest.Wait()
		}
		observer := openBox(t, g, "log", north.StreamOptions{Hold: true, Granted: true})
		owner := openBox(t, g, "raw", north.StreamOptions{Own: true, Wait: true})
		take()
		if _, err := owner.Read(make([]byte, 1)); !errors.Is(err, north.ErrStreamTaken) || !errors.Is(err, driver.ErrTaken) {
			t.Errorf("the owner reads %v", err)
		}
		if _, err := owner.Write([]byte("x")); !errors.Is(err, north.ErrStreamTaken) {
			t.Errorf("the owner writes: %v", err)
		}
		if st, err := observer.State(t.Context()); err != nil || st.Open || st.Why == "" || st.Owner != "" || st.Counts.Opens != 1 {
			t.Errorf("%+v %v", st, err)
		}
		owner.Close()

		owner = openBox(t, g, "raw", north.StreamOptions{Own: true, Wait: true}) // asks for it anew
		b.last().feed([]byte("again"))
		if a, o := readAll(t, owner, 5), readAll(t, observer, 5); a != "again" || o != "again" {
			t.Errorf("%q %q", a, o)
		}
		owner.Close()
		synctest.Wait()
		if st, _ := observer.State(t.Context()); st.Open || st.Counts.Opens != 2 {
			t.Errorf("it is held open for somebody from whom it was taken: %+v", st)
		}

		owner = openBox(t, g, "raw", north.StreamOptions{Own: true, Wait: true, Retake: true})
		take()
		if st, err := owner.State(t.Context()); err != nil || !st.Open || st.Counts.Opens != 4 {
			t.Errorf("%+v %v", st, err)
		}
		owner.Close()
		observer.Close()
	})
}

// An owner that only waits for the rest gives way, and no longer waits then.
func TestYield(t *testing.T) {
	b := &box{window: 10, drain: time.Hour}
	withBox(t, b, func(t *testing.T, g *Gateway) {
		first := openBox(t, g, "raw", north.StreamOptions{Own: true, Wait: true})
		first.Write([]byte("slow"))
		first.Yield(true)
		first.Yield(false)
		if _, err := g.OpenStream(t.Context(), driver.Who{Door: "pty"}, "box", "ports/1", north.StreamOptions{Own: true}); driver.ClassOf(err) != driver.Busy {
			t.Errorf("it does not yield, and %v", err)
		}
		first.Yield(true)
		drained := make(chan error, 1)
		go func() { drained <- first.Drain(t.Context()) }()
		synctest.Wait()
		second := openBox(t, g, "pty", north.StreamOptions{Own: true})
		if err := <-drained; !errors.Is(err, north.ErrStreamTaken) {
			t.Errorf("Drain: %v", err)
		}
		if st, _ := second.State(t.Context()); st.Owner != "pty" || st.Counts.Opens != 1 {
			t.Errorf("%+v", st)
		}
		first.Close()
		second.Close()
	})
}

// A program that closes and opens again at once is not refused because its first opening has not been missed yet; one that comes
// while somebody has the port is.
func TestOpenedBeforeTheOwnerIsMissed(t *testing.T) {
	for name, leave := range map[string]func(north.Stream){"closes": func(s north.Stream) { s.Close() }, "yields": func(s north.Stream) { s.Yield(true) }} {
		t.Run(name, func(t *testing.T) {
			withBox(t, &box{window: 10}, func(t *testing.T, g *Gateway) {
				first := openBox(t, g, "raw", north.StreamOptions{Own: true, Wait: true})
				opened := make(chan north.Stream)
				go func() {
					s, err := g.OpenStream(t.Context(), driver.Who{Door: "pty"}, "box", "ports/1", north.StreamOptions{Own: true})
					if err != nil {
						t.Error(err)
					}
					opened <- s
				}()
				time.Sleep(north.LeavingWait - time.Millisecond)
				select {
				case <-opened:
					t.Fatal("two have the port")
				default:
				}
				leave(first)
				second := <-opened
				if second == nil {
					return
				}
				if st, _ := second.State(t.Context()); st.Owner != "pty" {
					t.Errorf("%q has the port", st.Owner)
				}
				began := time.Now()
				_, err := g.OpenStream(t.Context(), driver.Who{Door: "raw"}, "box", "ports/1", north.StreamOptions{Own: true})
				if driver.ClassOf(err) != driver.Busy || time.Since(began) != north.LeavingWait {
					t.Errorf("%v after %v", err, time.Since(began))
				}
				first.Close()
				second.Close()
			})
		})
	}
}

// Who comes while a port is being given back writes to the next opening, not into the end of the one before.
func TestOpenedWhileItCloses(t *testing.T) {
	b := &box{window: 10, parts: time.Second}
	withBox(t, b, func(t *testing.T, g *Gateway) {
		first := openBox(t, g, "raw", north.StreamOptions{Own: true, Wait: true})
		go first.Close()
		synctest.Wait()
		second := openBox(t, g, "raw", north.StreamOptions{Own: true})
		if _, err := second.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		if len(b.streams) != 2 || len(b.streams[0].got) != 0 || string(b.streams[1].got) != "x" {
			t.Errorf("%d streams; the first has got %q", len(b.streams), b.streams[0].got)
		}
		second.Close()
	})
}
