package aes70

import (
	"context"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/oca"
)

// Shared is a session of this package as a native server of another driver needs it: one whose protocol has OCP.1 inside.
type Shared struct{ s *session }

// Share is the session as a Shared; false when it is none of this package.
func Share(s driver.Session) (Shared, bool) {
	own, ok := s.(*session)
	return Shared{own}, ok
}

// Done is closed at the end of the session's connection.
func (x Shared) Done() <-chan struct{} { return x.s.client.Done() }

// Follow gives everything that the device says to a mirror, until stop is called. A session has one mirror at a time.
func (x Shared) Follow(m *oca.Mirror) (stop func()) { return x.s.follow(m) }

// Watch says which meters are wanted besides those that others want; see [oca.Mirror.Watched].
func (x Shared) Watch(meters map[device.Path]bool) { x.s.serve(meters) }

// Point is what a point is worth, and its hazard; false when there is none.
func (x Shared) Point(path device.Path) (v device.Value, hazard string, ok bool) {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	pt := x.s.board.byPath[path]
	if pt == nil {
		return v, device.HazardMove, false
	}
	return pt.sample.Value, pt.spec.Hazard, true
}

// Write sends one write, and gives its outcome and what a controller is told about it.
func (x Shared) Write(ctx context.Context, w driver.Write) (driver.Outcome, error) {
	out, err := x.s.Write(ctx, []driver.Write{w})
	o := driver.Outcome{Stage: driver.Uncertain, Err: err}
	if len(out) == 1 {
		o = out[0]
	}
	return o, statusError(o)
}
