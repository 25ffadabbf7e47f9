package gateway

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// Whoever opens a port to use it has RTS and DTR raised, where the device leaves them down and nobody has named them; who only looks
// touches neither.
func TestRaisedForOwners(t *testing.T) {
	b := &box{window: 10, raise: true}
	withBox(t, b, func(t *testing.T, g *Gateway) {
		is := func(when string, rts, dtr string) {
			t.Helper()
			synctest.Wait()
			if l := b.last().line; text(l.RTS) != rts || text(l.DTR) != dtr {
				t.Errorf("%s: RTS %s and DTR %s; want %s and %s", when, text(l.RTS), text(l.DTR), rts, dtr)
			}
		}
		off := false
		own := north.StreamOptions{Own: true, Wait: true}
		owner := openBox(t, g, "raw", own)
		is("opened", "true", "true")
		owner.Set(t.Context(), driver.Line{DTR: &off})
		b.kill()
		time.Sleep(time.Second) // in which the link is back
		is("opened again", "true", "false")
		owner.Close()

		owner = openBox(t, g, "raw", own)
		is("opened by the next one", "true", "true")
		owner.Close()

		owner = openBox(t, g, "raw", north.StreamOptions{Own: true, Wait: true, Line: driver.Line{RTS: &off}})
		is("opened with RTS off", "false", "true")
		owner.Close()

		owner = openBox(t, g, "native", north.StreamOptions{Own: true, Wait: true, Leave: true})
		is("opened by who sets them himself", "", "")
		owner.Close()

		log := openBox(t, g, "log", north.StreamOptions{Hold: true, Wait: true})
		is("held open by who looks", "", "")
		eyes := openBox(t, g, "http", north.StreamOptions{})
		is("looked at", "", "")
		owner = openBox(t, g, "raw", own)
		is("owned while somebody holds it", "true", "true")
		owner.Close()
		eyes.Close()
		log.Close()
	})
	b = &box{window: 10}
	withBox(t, b, func(t *testing.T, g *Gateway) {
		owner := openBox(t, g, "raw", north.StreamOptions{Own: true, Wait: true})
		synctest.Wait() // the stream is set up by another goroutine
		if l := b.last().line; l.RTS != nil || l.DTR != nil {
			t.Error("the lines of a device that raises them itself are set")
		}
		owner.Close()
	})
}

// Who comes to own a port while it is being opened for somebody else has what he asks for before he writes.
func TestOwnerComesDuringTheOpening(t *testing.T) {
	b := &box{window: 10, raise: true, slow: time.Second}
	withBox(t, b, func(t *testing.T, g *Gateway) {
		log := openBox(t, g, "log", north.StreamOptions{Hold: true})
		time.Sleep(b.slow / 2)
		owner := openBox(t, g, "raw", north.StreamOptions{Own: true, Wait: true, Line: driver.Line{Baud: 1200}})
		st := b.last()
		st.mu.Lock()
		l := st.line
		st.mu.Unlock()
		if len(b.streams) != 1 || l.Baud != 1200 || text(l.RTS) != "true" || text(l.DTR) != "true" {
			t.Errorf("%d openings; %v, RTS %s, DTR %s", len(b.streams), l, text(l.RTS), text(l.DTR))
		}
		owner.Close()
		log.Close()
	})
}

// A port that nobody wants any more when the device has opened it is given back, and nobody is shown it.
func TestOpenedForNobody(t *testing.T) {
	b := &box{window: 10, slow: time.Second}
	withBox(t, b, func(t *testing.T, g *Gateway) {
		eyes := openBox(t, g, "http", north.StreamOptions{})
		log := openBox(t, g, "log", north.StreamOptions{Hold: true})
		time.Sleep(b.slow / 2)
		log.Close()
		synctest.Wait()
		st := b.last()
		st.mu.Lock()
		defer st.mu.Unlock()
		if s, err := eyes.State(t.Context()); err != nil || s.Open || s.Counts.Opens != 0 || st.err == nil {
			t.Errorf("%+v, %v, the device's end %v", s, err, st.err)
		}
		eyes.Close()
	})
}

func text(b *bool) string {
	switch {
	case b == nil:
		return ""
	case *b:
		return "true"
	}
	return "false"
}
