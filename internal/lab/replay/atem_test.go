package replay

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/openswitcher"
	"github.com/patchbay-io/patchbay/transcript"
)

func fields(messages ...atem.Message) (payload []byte) {
	for _, m := range messages {
		payload = m.Append(payload, atem.MakeVersion(2, 30))
	}
	return payload
}

// A dump in two packets, and a cut two seconds later.
var said = [][]byte{
	fields(&atem.ProtocolVersion{Major: 2, Minor: 30}, &atem.ProgramSource{Source: 1}),
	fields(&atem.PreviewSource{Source: 2}, &atem.InitComplete{Value: 1}),
	fields(&atem.ProgramSource{Source: 2}, &atem.PreviewSource{Source: 1}),
}

func checkSwitcher(t *testing.T, tr *transcript.Transcript) {
	t.Helper()
	r, err := NewATEM(tr)
	if err != nil {
		t.Fatal(err)
	}
	if p, ok := atem.Get[atem.ProgramSource](r.State, 0); !ok || p.Source != 1 {
		t.Errorf("program is %v", p)
	}
	if len(r.Changes) != 1 || len(r.Changes[0].Fields) != 2 || r.Changes[0].After != 2*time.Second || r.Changes[0].Fields[0].Code != atem.CodePrgI {
		t.Errorf("%+v", r.Changes)
	}
}

// Over UDP packets come twice and out of order; what was lost comes again.
func TestSwitcherOverUDP(t *testing.T) {
	tr := &transcript.Transcript{Header: transcript.Header{Protocol: "atem"}}
	add := func(at time.Duration, n uint16, payload []byte) {
		b, err := (&atem.Packet{Flags: atem.FlagNumbered, Session: 0x8001, Number: n, Payload: payload}).Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		tr.Events = append(tr.Events, transcript.Event{Flow: 1, Dir: transcript.FromServer, Kind: transcript.Datagram, Offset: at, Data: b})
	}
	tr.Events = append(tr.Events, transcript.Event{Flow: 1, Dir: transcript.FromServer, Kind: transcript.Datagram, Data: atem.Handshake{Step: atem.StepAccept, Given: 1}.Append(nil, 1, 0)})
	add(0, 1, nil)
	add(0, 2, said[0])
	add(0, 4, said[2]) // before its turn
	add(0, 3, said[1])
	add(0, 2, said[0]) // again
	add(2*time.Second, 4, said[2])
	add(3*time.Second, 5, nil)
	checkSwitcher(t, tr)
}

func TestSwitcherOverTheRelay(t *testing.T) {
	var stream []byte
	for _, p := range append([][]byte{openswitcher.AppendDevices(nil, []openswitcher.Device{{ID: "a"}})}, said[:2]...) {
		var err error
		if stream, err = openswitcher.AppendPacket(stream, p); err != nil {
			t.Fatal(err)
		}
	}
	last, err := openswitcher.AppendPacket(nil, said[2])
	if err != nil {
		t.Fatal(err)
	}
	tr := &transcript.Transcript{Header: transcript.Header{Protocol: "openswitcher"}}
	for i := range stream { // whatever the pieces
		tr.Events = append(tr.Events, transcript.Event{Flow: 1, Dir: transcript.FromServer, Kind: transcript.Data, Data: bytes.Clone(stream[i : i+1])})
	}
	tr.Events = append(tr.Events, transcript.Event{Flow: 1, Dir: transcript.FromServer, Kind: transcript.Data, Offset: 2 * time.Second, Data: last})
	checkSwitcher(t, tr)
}

func TestSwitcherWithoutADump(t *testing.T) {
	if _, err := NewATEM(&transcript.Transcript{}); !errors.Is(err, ErrNoDump) {
		t.Error(err)
	}
	if _, err := NewATEM(&transcript.Transcript{Header: transcript.Header{Protocol: "focas"}}); err == nil {
		t.Error("a recording of a control passes for one of a switcher")
	}
	if _, err := ReadATEM("no such file"); err == nil {
		t.Error("no error")
	}
}

func TestOpenSwitcherMay(t *testing.T) {
	var f transcript.Frame
	var d atem.FieldDissector
	if _, err := d.Dissect(&f, fields(&atem.Timecode{Hour: 1}, &atem.ProgramSource{Source: 1}), 0); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]string{"field 1.hour": mayTime, "field 1.code": "", "field 1.padding": mayLive, "field 2.source": "", "length": "", "field 9.x": ""} {
		if got := openswitcherMay(&f, field); got != want {
			t.Errorf("%s: %q, want %q", field, got, want)
		}
	}
}
