package decode

import (
	"errors"

	"github.com/patchbay-io/patchbay/protocol/ocp1"
)

// looksLikeOCP1 goes by the header of the first message: sync byte, a version that exists, a type that exists, and a size that
// suits it.
func looksLikeOCP1(client, server []byte) int {
	best := 0
	for _, b := range [][]byte{client, server} {
		m, _, err := ocp1.ParseMessage(b, 0)
		short := errors.Is(err, ocp1.ErrShort) && m.Size > 0
		if err != nil && !short || m.Version > 4 || m.Type > ocp1.TypeNotification2 || m.Count == 0 {
			continue
		}
		best = max(best, 60)
		if !short && wellFormed(m) {
			best = max(best, 90)
		}
	}
	return best
}

// wellFormed reports whether all of a message can be read.
func wellFormed(m ocp1.Message) bool {
	p := m.PDUs()
	ok := true
	for ok {
		switch m.Type {
		case ocp1.TypeKeepAlive:
			_, _, err := m.KeepAlive()
			return err == nil
		case ocp1.TypeResponse:
			_, ok = p.Response()
		case ocp1.TypeNotification:
			_, ok = p.Notification()
		case ocp1.TypeNotification2:
			_, ok = p.Notification2()
		default:
			_, ok = p.Command()
		}
	}
	return p.Err() == nil
}
