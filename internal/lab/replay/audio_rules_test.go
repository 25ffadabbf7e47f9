package replay

import (
	"errors"
	"fmt"
	"testing"

	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/transcript"
)

// spoken is a recording of one question and what the server says.
func spoken(protocol string, client, server []byte) *transcript.Transcript {
	return &transcript.Transcript{Header: transcript.Header{Protocol: protocol}, Events: []transcript.Event{
		{Flow: 1, Dir: transcript.Neither, Kind: transcript.Open, Text: "tcp 192.0.2.60:65000"},
		{Flow: 1, Dir: transcript.FromClient, Kind: transcript.Data, Data: client},
		{Flow: 1, Dir: transcript.FromServer, Kind: transcript.Data, Data: server},
		{Flow: 1, Dir: transcript.FromClient, Kind: transcript.Close}, {Flow: 1, Dir: transcript.FromServer, Kind: transcript.Close},
	}}
}

// What a device says by itself may differ, what it answers may not, and the first field that does is named.
func TestRulesOfAudioDevices(t *testing.T) {
	ask := ocp1.AppendCommands(nil, 1, true, ocp1.Command{Handle: 1, Target: ocp1.DeviceManagerONo, Method: ocp1.ID{Level: 3, Index: 4}})
	notify := func(value byte) []byte {
		change := ocp1.PropertyChange{Property: ocp1.ID{Level: 4, Index: 1}, Value: []byte{0, 0, 0, value}}
		return ocp1.AppendNotifications2(nil, 1, ocp1.Notification2{Event: ocp1.Event{Emitter: 5000, ID: ocp1.PropertyChanged}, Data: change.Append(nil)})
	}
	answer := func(value byte) []byte {
		return ocp1.AppendResponses(nil, 1, ocp1.Response{Handle: 1, Count: 1, Params: ocp1.AppendString(nil, string(rune('a'+value)))})
	}
	xml := func(s string) []byte { return fmt.Appendf(nil, "Length=%06x %s", len(s), s) }
	hello := xml(`<client-details client-key="k"/>`)
	for _, row := range []struct {
		name, protocol string
		client, a, b   []byte
		o              Options
		field          string // of the first difference; empty: there is none
		tolerated      int
	}{
		{"a notification", "aes70", ask, notify(1), notify(2), Options{Tolerant: true}, "", 2},
		{"an answer", "aes70", ask, answer(1), answer(2), Options{Tolerant: true}, "pdu 1.values", 0},
		{"an answer, ignored", "aes70", ask, answer(1), answer(2), Options{Tolerant: true, Ignore: []string{"pdu *.values"}}, "", 1},
		{"the number of a client", "fcxml", hello, xml(`<client-details id="7"/>`), xml(`<client-details id="81"/>`), Options{Tolerant: true}, "", 2},
		{"a value", "fcxml", hello, xml(`<set devid="1"><item id="5" value="-1"/></set>`), xml(`<set devid="1"><item id="5" value="-2"/></set>`), Options{Tolerant: true}, "item 5", 0},
		{"a value, ignored", "fcxml", hello, xml(`<set devid="1"><item id="5" value="-1"/></set>`), xml(`<set devid="1"><item id="5" value="-20"/></set>`),
			Options{Tolerant: true, Ignore: []string{"item *", "length"}}, "", 2},
	} {
		row.o.Fast = true
		res, err, _ := both(t, spoken(row.protocol, row.client, row.a), spoken(row.protocol, row.client, row.b), row.o)
		var d *Difference
		if errors.As(err, &d) != (row.field != "") || d != nil && d.Field != row.field || d == nil && err != nil {
			t.Errorf("%s: %v, %+v", row.name, err, d)
		}
		n := 0
		for _, k := range res.Tolerated {
			n += k
		}
		if n != row.tolerated {
			t.Errorf("%s: %v were let differ, want %d", row.name, res.Tolerated, row.tolerated)
		}
	}
}
