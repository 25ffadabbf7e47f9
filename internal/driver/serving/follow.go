package serving

import (
	"context"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// Follow keeps a server on the sessions of its upstream, one after the other, until ctx ends. begin is called with each. It
// returns what closes when the connection of the session ends, which the gateway learns a little later (nil: wait for the
// gateway), and what to do then: lost says whether the link was lost, which no client outlives, or ctx has ended.
func Follow(ctx context.Context, up driver.Upstream, begin func(driver.Session) (ended <-chan struct{}, end func(lost bool))) {
	for {
		s, gone, err := up.Session(ctx)
		if err != nil {
			return // ctx has ended
		}
		ended, end := begin(s)
		select {
		case <-gone:
		case <-ended:
		case <-ctx.Done():
		}
		end(ctx.Err() == nil)
		select {
		case <-gone: // the gateway has seen it too: the next session is another one
		case <-ctx.Done():
			return
		}
	}
}
