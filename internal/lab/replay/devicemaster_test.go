package replay

import (
	"context"
	"errors"
	"net"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmsim"
	"github.com/patchbay-io/patchbay/transcript"
)

// boxTranscript is a recording of one connection; what is said at the same place in both is at the same time.
func boxTranscript(events ...transcript.Event) *transcript.Transcript {
	for i := range events {
		if e := &events[i]; e.Flow == 0 {
			e.Flow = 1
		}
		events[i].Kind = transcript.Data
	}
	return &transcript.Transcript{Header: transcript.Header{Protocol: "devicemaster"}, Events: events}
}

func at(ms int, dir transcript.Direction, b ...byte) transcript.Event {
	return transcript.Event{Offset: time.Duration(ms) * time.Millisecond, Dir: dir, Data: b}
}

const (
	toBox   = transcript.FromClient
	fromBox = transcript.FromServer
)

// The published recordings give the box and its two ports.
func TestPublishedBox(t *testing.T) {
	r, err := ReadDeviceMaster("../../../protocol/devicemaster/testdata/transcripts/published-port.transcript")
	if err != nil || r.ID == nil || r.ID.FirmwareText() != "SocketServer 11.34" || len(r.Lines) != 8 {
		t.Fatalf("%+v, %v", r, err)
	}
	if got := r.Lines[0]; !reflect.DeepEqual(got, SerialLine{Openings: []Opening{{}}}) || len(r.Lines[1].Openings) != 0 {
		t.Errorf("%+v", got)
	}
	r, err = ReadDeviceMaster("../../../protocol/devicemaster/testdata/transcripts/published-loopback.transcript")
	if err != nil || r.ID != nil || len(r.Lines) != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	want := []Opening{{Inputs: devicemaster.AllInputs}, {Steps: []LineStep{{Changed: true}}}}
	if got := r.Lines[0].Openings; len(got) != 2 || got[0].Inputs != want[0].Inputs || got[1].Inputs != 0 || len(got[1].Steps) != 1 {
		t.Errorf("port 1: %+v", got)
	}
	steps := []LineStep{{Inputs: devicemaster.AllInputs, Changed: true}, {Data: []byte("A")}, {Changed: true}}
	if got := r.Lines[1].Openings; len(got) != 1 || !reflect.DeepEqual(got[0].Steps, steps) {
		t.Errorf("port 2: %+v", got)
	}
}

// What came from a line is kept with what had been sent before it, and how long it took.
func TestLineOfABox(t *testing.T) {
	r, err := NewDeviceMaster(boxTranscript(
		at(0, toBox, 0x62, 3, 0x76, 1),
		at(10, fromBox, 0x62, 3, 0x76, 0x10, 0x38, 0),
		at(20, fromBox, 0x62, 3, 0x61, 2, 0, 'h', 'i'),
		at(30, toBox, 0x62, 3, 0x66, 3, 0),
		at(40, fromBox, 0x62, 3, 0x67, 3, 0),
		at(100, toBox, 0x62, 3, 0x61, 1, 0, '?'),
		at(130, toBox, 0x61, 1, 0, '\n'),
		at(150, fromBox, 0x62, 3, 0x61, 1, 0), // cut in a message
		at(180, fromBox, '!', 0x65, 0, 0, 0x72, 8, 0),
		at(190, toBox, 0x62, 3, 0x76, 2),
		at(200, fromBox, 0x62, 3, 0x76, 0x20, 0x62, 4, 0x76, 0x11, 0x62, 40, 0x61, 1, 0, 'x', 0x6e),
		at(210, fromBox, 0x62, 3, 0x60, 1, 0),
	))
	if err != nil || r.ID != nil || len(r.Lines) != 5 {
		t.Fatalf("%+v, %v", r, err)
	}
	ms := time.Millisecond
	want := Opening{Inputs: devicemaster.AllInputs, Steps: []LineStep{
		{After: 10 * ms, Data: []byte("hi")},
		{Sent: 2, After: 50 * ms, Data: []byte("!")},
		{Sent: 2, Changed: true},
		{Sent: 2, Errors: devicemaster.BreakError},
	}}
	if got := r.Lines[3].Openings; len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if !r.Lines[4].Taken || r.Lines[3].Taken {
		t.Error("who was busy is not known")
	}
}

func TestRecordingsOfNoBox(t *testing.T) {
	if _, err := NewDeviceMaster(boxTranscript(at(0, toBox, 0x73), at(0, fromBox, 0x74))); !errors.Is(err, ErrNoPort) {
		t.Error(err)
	}
	if _, err := NewDeviceMaster(&transcript.Transcript{Header: transcript.Header{Protocol: "focas"}}); err == nil {
		t.Error("a recording of a control passes for one of a box")
	}
	if _, err := ReadDeviceMaster("no such file"); err == nil {
		t.Error("no error")
	}
	// An ID response without an end is all that came before the client went on.
	id := devicemaster.Identity(4, 0)
	b := id.Append(nil)
	ask := devicemaster.ToolRequest{Command: devicemaster.ToolID}.Append(nil)
	r, err := NewDeviceMaster(boxTranscript(at(0, toBox, ask...), at(0, fromBox, b[:100]...), at(0, toBox, 0x73), at(0, fromBox, 0x74)))
	if err != nil || r.ID == nil || len(r.Lines) != 4 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestDeviceMasterMay(t *testing.T) {
	d := devicemaster.NewDissector()
	d.Feed(toBox, devicemaster.ToolRequest{Command: devicemaster.ToolID}.Append(nil))
	id := devicemaster.Identity(8, 0)
	frames := d.Feed(fromBox, id.Append(nil))
	frames = append(frames, d.Feed(fromBox, []byte{0x62, 0, 0x61, 1, 0, 'x', 0x6e})...)
	for _, row := range []struct {
		frame       int
		field, want string
	}{{0, "address", mayAddress}, {0, "mac", mayID}, {0, unnamed, mayLive}, {0, "tag 6", mayLive}, {0, "ports", ""}, {0, "firmware", ""}, {2, "data", ""}, {2, "length", ""}, {3, unnamed, ""}} {
		if got := devicemasterMay(&frames[row.frame], row.field); got != row.want {
			t.Errorf("%s of %s: %q, want %q", row.field, frames[row.frame].Summary, got, row.want)
		}
	}
}

// The published session of the maker's Windows driver, played against the simulated box: nothing differs but who the box is.
func TestPublishedSessionAgainstTheSimulator(t *testing.T) {
	tr, err := readTranscript("../../../protocol/devicemaster/testdata/transcripts/published-port.transcript")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		sim, err := dmsim.New(dmsim.Options{Layout: "sink,sink,sink,sink,sink,sink,sink,sink", State: 2,
			Variations: dmserver.Variations{Total: dmserver.TotalAfterDone}})
		if err != nil {
			t.Fatal(err)
		}
		l := testnet.Listen()
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		done := make(chan error, 1)
		go func() { done <- sim.Serve(ctx, l) }()
		defer func() { cancel(); <-done }()
		res, err := Connect(t.Context(), tr, func(ctx context.Context) (net.Conn, error) { return l.Dial(ctx) }, Options{Fast: true, Tolerant: true})
		if err != nil || res.Messages != 17 || res.Received != int64(len(tr.Bytes(1, fromBox))) || res.Tolerated[mayLive] == 0 {
			t.Errorf("%+v, %v", res, err)
		}
	})
}
