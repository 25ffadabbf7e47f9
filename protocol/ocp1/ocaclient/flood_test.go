package ocaclient

import (
	"testing"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
)

// A device that tells more than anybody wants to know does not keep the answers back: each of a hundred comes behind a thousand events, and all
// are delivered in order.
func TestEventFlood(t *testing.T) {
	const calls, events = 100, 1000
	var last uint16
	wrong := 0
	scripted(t, Options{Events: func(e Event) {
		p := ocp1.NewParams("event", e.Change.Value)
		if n := p.U16("n"); p.End() != nil || n != last+1 {
			wrong++
		} else {
			last = n
		}
		if last == events {
			last = 0
		}
	}}, func(r *ocp1.Reader, far *testnet.Conn) {
		commands(r, func(_ ocp1.Message, cmd ocp1.Command) {
			b, at := ocp1.BeginMessage(nil, 1, ocp1.TypeNotification2)
			for n := range uint16(events) {
				change := ocp1.PropertyChange{Property: ocp1.ID{Level: 4, Index: 1}, Value: ocp1.AppendU16(nil, n+1), Change: ocp1.CurrentChanged}
				b = ocp1.Notification2{Event: ocp1.Event{Emitter: 4097, ID: ocp1.PropertyChanged}, Data: change.Append(nil)}.Append(b)
			}
			far.Write(ocp1.EndMessage(b, at, events))
			far.Write(ocp1.AppendResponses(nil, 1, ocp1.Response{Handle: cmd.Handle}))
		})
	}, func(t *testing.T, c *Client, _ *testnet.Conn) {
		for range calls {
			if _, err := c.Do(t.Context(), 1, id(3, 6), 0, nil); err != nil {
				t.Fatal(err)
			}
		}
		if s := c.Stats(); s.Events != calls*events || wrong != 0 || last != 0 {
			t.Errorf("%+v, %d wrong", s, wrong)
		}
	})
}
