package transcript

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

const sample = `patchbay transcript 1
protocol: focas
device: FANUC Series 30i-B
firmware: G301 24
date: 2026-11-20
redactions: serial number
client: vendor-library; the maker's library 1.5
server: own-simulator; scratch responder
place: bench 2

# the session begins
= 1 +0.000000 open tcp 192.0.2.21:8193
> 1 +0.000212 data
  a0 a0 a0 a0 00 01 01 01  00 02 00 02              |............|
< 1 +0.001734001 data
  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f  |................|
  41 42                                             |AB|
< 2 +1.500000 datagram
#
= 1 +1.600000 note operator pressed reset
> 1 +2.000000 close
< 1 +2.000100 reset
`

func parsed() *Transcript {
	const us = time.Microsecond
	return &Transcript{
		Header: Header{Protocol: "focas", Device: "FANUC Series 30i-B", Firmware: "G301 24", Date: "2026-11-20",
			Redactions: "serial number", Client: Origin{VendorLibrary, "the maker's library 1.5"},
			Server: Origin{OwnSimulator, "scratch responder"}, Extra: []Pair{{"place", "bench 2"}}},
		Events: []Event{
			{Kind: Comment, Text: "the session begins"},
			{Flow: 1, Dir: Neither, Kind: Open, Text: "tcp 192.0.2.21:8193"},
			{Flow: 1, Dir: FromClient, Offset: 212 * us, Kind: Data, Data: []byte{0xa0, 0xa0, 0xa0, 0xa0, 0, 1, 1, 1, 0, 2, 0, 2}},
			{Flow: 1, Dir: FromServer, Offset: 1734*us + 1, Kind: Data, Data: []byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0fAB")},
			{Flow: 2, Dir: FromServer, Offset: 1500 * time.Millisecond, Kind: Datagram, Data: []byte{}},
			{Kind: Comment},
			{Flow: 1, Dir: Neither, Offset: 1600 * time.Millisecond, Kind: Note, Text: "operator pressed reset"},
			{Flow: 1, Dir: FromClient, Offset: 2 * time.Second, Kind: Close},
			{Flow: 1, Dir: FromServer, Offset: 2*time.Second + 100*us, Kind: Reset},
		},
	}
}

func TestParseAndFormat(t *testing.T) {
	got, err := Parse([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(parsed(), got); d != "" {
		t.Errorf("parsed (-want +got):\n%s", d)
	}
	back, err := Format(got)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(sample, string(back)); d != "" {
		t.Errorf("written again (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]uint32{1, 2}, got.Flows()); d != "" {
		t.Error(d)
	}
	if b := got.Bytes(1, FromServer); len(b) != 18 || b[17] != 'B' {
		t.Errorf("bytes of flow 1: %x", b)
	}
}

func TestEvidence(t *testing.T) {
	for _, c := range []struct {
		client, server       Producer
		wantClient, wantServ bool
	}{
		{VendorLibrary, OwnSimulator, true, false},
		{OwnClient, Device, false, true},
		{OwnClient, OwnSimulator, false, false},
		{Other, VendorSoftware, false, true},
		{0, 0, false, false},
	} {
		h := Header{Client: Origin{Producer: c.client}, Server: Origin{Producer: c.server}}
		if a, b := h.Evidence(); a != c.wantClient || b != c.wantServ {
			t.Errorf("%v, %v: %v, %v", c.client, c.server, a, b)
		}
	}
	if !OwnClient.Own() || !OwnSimulator.Own() || Other.Own() || Device.Own() {
		t.Error("Own is wrong")
	}
}

// Files that people wrote: other spacing, other order, rows of any length, Windows line ends.
func TestParseTolerates(t *testing.T) {
	const text = "patchbay transcript 1\r\nserver: device\r\nprotocol: x\r\n\r\n\r\n>  7  +1  data\r\n  A0a1   a2|no|\r\n\r\n\ta3\r\n   \r\n"
	got, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := &Transcript{Header: Header{Protocol: "x", Server: Origin{Producer: Device}},
		Events: []Event{{Flow: 7, Dir: FromClient, Offset: time.Second, Kind: Data, Data: []byte{0xa0, 0xa1, 0xa2, 0xa3}}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestParseRefuses(t *testing.T) {
	head := "patchbay transcript 1\n\n"
	for name, c := range map[string]struct {
		text string
		line int
		want string
	}{
		"empty":            {"", 1, "the file is empty; a transcript begins with"},
		"for Wireshark":    {"\x0a\x0d\x0d\x0a\x1c\x00\x00\x00", 1, "pcapng"},
		"cut off":          {head + "> 1 +0 data\n  00 0", 4, "the file ends in the middle of this line"},
		"cut off later":    {head + "> 1 +0 da", 3, "the file ends in the middle of this line"},
		"another file":     {"GET / HTTP/1.1\n", 1, "begins with"},
		"newer":            {"patchbay transcript 2\n", 1, "version"},
		"no colon":         {"patchbay transcript 1\nprotocol\n", 2, "no colon"},
		"twice":            {"patchbay transcript 1\nprotocol: a\nprotocol: b\n", 3, "twice"},
		"origin twice":     {"patchbay transcript 1\nclient: device\nclient: device\n", 3, "twice"},
		"no value":         {"patchbay transcript 1\ndate:\n", 2, "no value"},
		"bad key":          {"patchbay transcript 1\nDate: x\n", 2, "a-z"},
		"far away":         {head + "> 1 +9223372036.0 data\n", 3, "time"},
		"no key":           {"patchbay transcript 1\n: x\n", 2, "no name"},
		"bad producer":     {"patchbay transcript 1\nclient: me\n", 2, "no producer"},
		"control":          {"patchbay transcript 1\nnote: a\x01b\n", 2, "control"},
		"not UTF-8":        {"patchbay transcript 1\nnote: a\xffb\n", 2, "UTF-8"},
		"direction":        {head + "? 1 +0 data\n", 3, "begins with"},
		"flow":             {head + "> x +0 data\n", 3, "flow"},
		"large flow":       {head + "> 4294967296 +0 data\n", 3, "flow"},
		"time without +":   {head + "> 1 0.5 data\n", 3, "time"},
		"negative time":    {head + "> 1 +-1 data\n", 3, "time"},
		"too many digits":  {head + "> 1 +0.1234567890 data\n", 3, "time"},
		"letters in time":  {head + "> 1 +0.x data\n", 3, "time"},
		"kind":             {head + "> 1 +0 dat\n", 3, "kind"},
		"kind comment":     {head + "> 1 +0 comment x\n", 3, "kind"},
		"data from nobody": {head + "= 1 +0 data\n", 3, "without a sender"},
		"not hex":          {head + "> 1 +0 data\n  0g\n", 4, "hex digit"},
		"half a byte":      {head + "> 1 +0 data\n  00 0 00\n", 4, "lone"},
		"half at the end":  {head + "> 1 +0 data\n  00 0\n", 4, "lone"},
		"hex after close":  {head + "> 1 +0 close\n  00\n", 4, "begins with"},
		"long line":        {head + "# " + strings.Repeat("x", maxLine) + "\n", 3, "limit"},
		"long text":        {head + "# " + strings.Repeat("x", maxText+1) + "\n", 3, "longer"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(c.text))
			var se *SyntaxError
			if !errors.As(err, &se) || se.Line != c.line || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v; want line %d and %q", err, c.line, c.want)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	text := "patchbay transcript 1\n\n> 1 +0 data\n  00 01 02\n> 1 +0 data\n  03 04\n"
	for _, c := range []struct {
		l  Limits
		ok bool
	}{{Limits{}, true}, {Limits{Event: 2}, false}, {Limits{Event: 3, Total: 4}, false}, {Limits{Total: 5}, true}, {Limits{Events: 1}, false}} {
		_, err := Read(strings.NewReader(text), c.l)
		if c.ok != (err == nil) || !c.ok && !errors.Is(err, ErrLimit) {
			t.Errorf("%+v: %v", c.l, err)
		}
	}
}

func TestReaderPassesErrorsOn(t *testing.T) {
	broken := errors.New("disk on fire")
	r, err := NewReader(io.MultiReader(strings.NewReader("patchbay transcript 1\n\n# x\n"), iotest.ErrReader(broken)), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if e, err := r.Next(); err != nil || e.Text != "x" || r.Line() != 3 {
		t.Fatal(e, err, r.Line())
	}
	for range 2 {
		if _, err := r.Next(); !errors.Is(err, broken) {
			t.Fatal(err)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestWriterRefuses(t *testing.T) {
	for name, h := range map[string]Header{
		"two lines": {Device: "a\nb"}, "space": {Device: " a"}, "known key": {Extra: []Pair{{"date", "x"}}},
		"bad key": {Extra: []Pair{{"A B", "x"}}}, "empty value": {Extra: []Pair{{"a", ""}}},
	} {
		if _, err := NewWriter(io.Discard, &h); err == nil {
			t.Errorf("header %s was accepted", name)
		}
	}
	var b bytes.Buffer
	w, err := NewWriter(&b, &Header{})
	if err != nil {
		t.Fatal(err)
	}
	before := b.Len()
	for name, e := range map[string]Event{
		"no kind": {Dir: FromClient}, "no direction": {Kind: Data}, "early": {Kind: Data, Dir: FromClient, Offset: -1},
		"nobody's data": {Kind: Data, Dir: Neither}, "close with data": {Kind: Close, Dir: FromClient, Data: []byte{1}},
		"two lines": {Kind: Note, Dir: Neither, Text: "a\nb"}, "comment with flow": {Kind: Comment, Flow: 1}, "kind 99": {Kind: 99, Dir: Neither},
	} {
		if err := w.Write(&e); err == nil {
			t.Errorf("event %s was accepted", name)
		}
	}
	if b.Len() != before {
		t.Errorf("refused events left %q", b.String()[before:])
	}
	full := errors.New("disk full")
	w.w = failing{full}
	e := Event{Kind: Note, Dir: Neither}
	for range 2 {
		if err := w.Write(&e); !errors.Is(err, full) {
			t.Error(err)
		}
		w.w = &b
	}
}

func TestRoundTripOfAnything(t *testing.T) {
	text := rapid.StringMatching(`([a-zA-Z0-9;:#|.é]( ?[a-zA-Z0-9;:#|.é]){0,20})?`)
	event := rapid.Custom(func(t *rapid.T) Event {
		e := Event{Kind: Kind(rapid.IntRange(int(Open), int(Comment)).Draw(t, "kind")), Text: text.Draw(t, "text")}
		if e.Kind == Comment {
			return e
		}
		e.Flow = rapid.Uint32().Draw(t, "flow")
		e.Offset = time.Duration(rapid.Int64Range(0, int64(9.2e18)).Draw(t, "offset"))
		e.Dir = rapid.SampledFrom([]Direction{FromClient, FromServer, Neither}).Draw(t, "dir")
		if e.Kind == Data || e.Kind == Datagram {
			e.Dir = rapid.SampledFrom([]Direction{FromClient, FromServer}).Draw(t, "sender")
			e.Data = rapid.SliceOfN(rapid.Byte(), 0, 70).Draw(t, "data")
		}
		return e
	})
	origin := rapid.Custom(func(t *rapid.T) Origin {
		return Origin{Producer(rapid.IntRange(0, int(Other)).Draw(t, "producer")), text.Draw(t, "text")}
	})
	rapid.Check(t, func(t *rapid.T) {
		want := &Transcript{Header: Header{Protocol: text.Draw(t, "protocol"), Date: text.Draw(t, "date"), Client: origin.Draw(t, "client"),
			Server: origin.Draw(t, "server")}, Events: rapid.SliceOf(event).Draw(t, "events")}
		first, err := Format(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Parse(first)
		if err != nil {
			t.Fatalf("%v in\n%s", err, first)
		}
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
			t.Fatal(d)
		}
		if again, _ := Format(got); !bytes.Equal(first, again) {
			t.Fatalf("first\n%s\nagain\n%s", first, again)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("patchbay transcript 1\n\n> 1 +0 data\n 0\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		tr, err := Parse(b)
		if err != nil {
			return
		}
		first, err := Format(tr)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		tr2, err := Parse(first)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, first)
		}
		if d := cmp.Diff(tr, tr2, cmpopts.EquateEmpty()); d != "" {
			t.Fatal(d)
		}
	})
}

func TestShare(t *testing.T) {
	var s Share
	if s.Percent() != 100 {
		t.Error("nothing is all decoded")
	}
	s.Add(&Frame{Length: 10, Unknown: []Range{{4, 5}}})
	s.Add(&Frame{Length: 10, Err: io.ErrUnexpectedEOF})
	if s != (Share{20, 5}) || s.Percent() != 25 {
		t.Error(s, s.Percent())
	}
}

func BenchmarkWriter(b *testing.B) {
	w, _ := NewWriter(io.Discard, &Header{})
	e := Event{Flow: 1, Dir: FromClient, Kind: Data, Offset: time.Second, Data: make([]byte, 1024)}
	b.SetBytes(int64(len(e.Data)))
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Write(&e); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	t := parsed()
	t.Events[2].Data = make([]byte, 64<<10)
	text, _ := Format(t)
	b.SetBytes(64 << 10)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
