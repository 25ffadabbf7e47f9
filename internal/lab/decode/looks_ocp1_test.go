package decode

import (
	"strings"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/protocol/ocp1"
)

// A conversation is told by its first message, whole or not; what only begins with the sync byte is not.
func TestLooksLikeOCP1(t *testing.T) {
	get := ocp1.AppendCommands(nil, 1, true, ocp1.Command{Handle: 1, Target: 100, Method: ocp1.ID{Level: 3, Index: 5}})
	lie := ocp1.EndMessage(ocp1.AppendResponses(nil, 1, ocp1.Response{Handle: 1}), 0, 3)
	for _, row := range []struct {
		name           string
		client, server []byte
		want           int
	}{
		{"keep-alive", ocp1.AppendKeepAlive(nil, 1, time.Second), nil, 90},
		{"command", get, nil, 90},
		{"half of a command", get[:12], nil, 60},
		{"response", nil, ocp1.AppendResponses(nil, 4, ocp1.Response{Handle: 1}), 90},
		{"EV1", nil, ocp1.AppendNotifications(nil, 4, ocp1.Notification{Count: 2, Data: []byte{1, 2, 3, 4, 5}}), 90},
		{"EV2", nil, ocp1.AppendNotifications2(nil, 4, ocp1.Notification2{}), 90},
		{"a count that lies", nil, lie, 60},
		{"a semicolon", []byte(";comment; of a program"), nil, 0},
		{"version 9", ocp1.AppendKeepAlive(nil, 9, time.Second), nil, 0},
		{"nothing", nil, nil, 0},
	} {
		if got := looksLikeOCP1(row.client, row.server); got != row.want {
			t.Errorf("%s: %d, want %d", row.name, got, row.want)
		}
	}
}

// The method in an event of the first kind is the controller's own, and so nothing that is without a name yet.
func TestStatsOfEV1(t *testing.T) {
	get := ocp1.AppendCommands(nil, 1, true, ocp1.Command{Handle: 1, Target: 100, Method: ocp1.ID{Level: 4, Index: 1}})
	event := ocp1.AppendNotifications(nil, 1, ocp1.Notification{Subscriber: 7, Method: ocp1.ID{Level: 1, Index: 1}, Count: 2,
		Event: ocp1.Event{Emitter: 100, ID: ocp1.PropertyChanged}, Data: []byte{0, 4, 0, 1, 0x42, 6, 0, 0, 1}})
	out, _ := decode(t, hexText(get, event), Options{Stats: true, Protocol: "aes70"})
	if !strings.Contains(out, "server Notification") || strings.Contains(out, "1.1  (no name yet)") {
		t.Error(out)
	}
}
