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

func text(b *bool) string {
	switch {
	case b == nil:
		return ""
	case *b:
		return "true"
	}
	return "false"
}
