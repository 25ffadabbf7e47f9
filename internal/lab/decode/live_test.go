package decode

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/transcript"
)

func live(t *testing.T, o Options, events ...transcript.Event) (string, Result) {
	t.Helper()
	var out bytes.Buffer
	l, err := NewLive(&out, o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		if err := l.Event("tcp", 9000, &events[i]); err != nil {
			t.Fatal(err)
		}
	}
	return out.String(), l.Result()
}

func TestLive(t *testing.T) {
	c, s := exchange()
	open := transcript.Event{Flow: 1, Dir: transcript.Neither, Kind: transcript.Open, Text: "tcp x:9000"}
	data := func(flow uint32, dir transcript.Direction, at time.Duration, b []byte) transcript.Event {
		return transcript.Event{Flow: flow, Dir: dir, Kind: transcript.Data, Data: b, Offset: at}
	}
	closes := []transcript.Event{{Flow: 1, Dir: '>', Kind: transcript.Close, Offset: time.Hour}, {Flow: 1, Dir: '<', Kind: transcript.Close, Offset: time.Hour}}
	for _, protocol := range []string{"", "focas"} {
		out, res := live(t, Options{Protocol: protocol, Brief: true}, append([]transcript.Event{open, data(1, '>', 1, c), data(1, '<', 2, s)}, closes...)...)
		if res.Frames != 2 || !strings.Contains(out, "cnc_absolute[0,1]") || strings.Contains(out, "pieces") {
			t.Errorf("%+v\n%s", res, out)
		}
	}
	// what is no known protocol is counted, once a second and at the end
	var events []transcript.Event
	events = append(events, open)
	for i := range 25 {
		events = append(events, data(1, '>', time.Duration(i)*100*time.Millisecond, []byte("hello, who is there?")))
	}
	out, res := live(t, Options{}, append(events, closes...)...)
	if res.OtherBytes != 500 || strings.Count(out, "pieces from the client") != 3 || !strings.Contains(out, "500 bytes in 25 pieces from the client, 0 bytes in 0 pieces from the server") {
		t.Errorf("%+v\n%s", res, out)
	}
	out, _ = live(t, Options{JSON: true, Brief: true}, open, data(1, '>', 1, c))
	if !strings.Contains(out, `"type":"frame","protocol":"focas"`) {
		t.Error(out)
	}
	if _, err := NewLive(nil, Options{Protocol: "modbus"}); err == nil {
		t.Error("an unknown protocol was taken")
	}
}

type faulty struct{}

func (faulty) Feed(transcript.Direction, []byte) []transcript.Frame { panic("index out of range") }
func (faulty) End(transcript.Direction) []transcript.Frame          { return nil }

// A decoder that breaks down is reported, and the bytes are counted.
func TestLiveSurvivesItsDecoder(t *testing.T) {
	var out bytes.Buffer
	l, err := NewLive(&out, Options{})
	if err != nil {
		t.Fatal(err)
	}
	bad := &Protocol{Name: "bad", Open: func() transcript.Dissector { return faulty{} }}
	l.s.only = bad
	for i := range 3 {
		e := transcript.Event{Flow: 1, Dir: '>', Kind: transcript.Data, Data: []byte("xyz"), Offset: time.Duration(i) * 2 * time.Second}
		if err := l.Event("tcp", 1, &e); err != nil {
			t.Fatal(err)
		}
	}
	if s := out.String(); strings.Count(s, "the decoder failed, counts follow: index out of range, at ") != 1 || !strings.Contains(s, "9 bytes in 3 pieces") {
		t.Error(s)
	}
}
