package transcript

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// counted takes messages of one length byte and as many bytes.
type counted struct {
	held [2][]byte
	at   [2]int64
	lie  int64 // added to every offset
}

func (c *counted) Feed(dir Direction, b []byte) (out []Frame) {
	s := sideOf(dir)
	c.held[s] = append(c.held[s], b...)
	for len(c.held[s]) > 0 && len(c.held[s]) > int(c.held[s][0]) {
		n := 1 + int(c.held[s][0])
		out = append(out, Frame{Offset: c.at[s] + c.lie, Length: n, Summary: string(c.held[s][1:n])})
		c.held[s], c.at[s] = c.held[s][n:], c.at[s]+int64(n)
	}
	return out
}

func (c *counted) End(dir Direction) []Frame {
	s := sideOf(dir)
	n := len(c.held[s])
	if n == 0 {
		return nil
	}
	f := Frame{Offset: c.at[s] + c.lie, Length: n, Err: io.ErrUnexpectedEOF}
	c.held[s], c.at[s] = nil, c.at[s]+int64(n)
	return []Frame{f}
}

// told is a message in short.
func told(ms []Message) (out []string) {
	for _, m := range ms {
		s := fmt.Sprintf("%d%c %v @%d %q", m.Flow, m.Dir, m.Offset, m.Frame.Offset, m.Raw)
		if m.Frame.Err != nil {
			s += " !"
		}
		out = append(out, s)
	}
	return out
}

func data(flow uint32, dir Direction, at time.Duration, b string) Event {
	return Event{Flow: flow, Dir: dir, Offset: at, Kind: Data, Data: []byte(b)}
}

// Messages come with the event that completes them, by flow and direction, with their own bytes.
func TestDissection(t *testing.T) {
	const s = time.Second
	for _, row := range []struct {
		name   string
		events []Event
		want   [][]string // after each event, and after the end
	}{
		{"one message", []Event{data(1, FromClient, s, "\x02ab")}, [][]string{{`1> 1s @0 "\x02ab"`}, nil}},
		{"in pieces", []Event{data(1, FromClient, s, "\x02"), data(1, FromClient, 2*s, "a"), data(1, FromClient, 3*s, "b\x01")},
			[][]string{nil, nil, {`1> 3s @0 "\x02ab"`}, {`1> 3s @3 "\x01" !`}}},
		{"two at once", []Event{data(1, FromServer, s, "\x01a\x01b\x05c")}, [][]string{{`1< 1s @0 "\x01a"`, `1< 1s @2 "\x01b"`}, {`1< 1s @4 "\x05c" !`}}},
		{"directions are apart", []Event{data(1, FromClient, s, "\x02a"), data(1, FromServer, 2*s, "\x01x"), data(1, FromClient, 3*s, "b")},
			[][]string{nil, {`1< 2s @0 "\x01x"`}, {`1> 3s @0 "\x02ab"`}, nil}},
		{"flows are apart", []Event{data(7, FromClient, s, "\x02a"), data(3, FromClient, 2*s, "\x02x"), data(7, FromClient, 3*s, "b")},
			[][]string{nil, nil, {`7> 3s @0 "\x02ab"`}, {`3> 2s @0 "\x02x" !`}}},
		{"close ends its side", []Event{data(1, FromClient, s, "\x02a"), data(1, FromServer, s, "\x02x"), {Flow: 1, Dir: FromClient, Kind: Close, Offset: 2 * s}},
			[][]string{nil, nil, {`1> 2s @0 "\x02a" !`}, {`1< 2s @0 "\x02x" !`}}},
		{"close twice", []Event{data(1, FromClient, s, "\x02a"), {Flow: 1, Dir: FromClient, Kind: Reset, Offset: s}, {Flow: 1, Dir: FromClient, Kind: Close, Offset: s}},
			[][]string{nil, {`1> 1s @0 "\x02a" !`}, nil, nil}},
		{"bytes after a close", []Event{data(1, FromClient, s, "\x02a"), {Flow: 1, Dir: FromClient, Kind: Close, Offset: s}, data(1, FromClient, 2*s, "\x01z\x09")},
			[][]string{nil, {`1> 1s @0 "\x02a" !`}, {`1> 2s @2 "\x01z"`}, {`1> 2s @4 "\t" !`}}},
		{"remarks are no bytes", []Event{{Kind: Comment, Text: "x"}, {Flow: 1, Dir: Neither, Kind: Note, Text: "x"}, {Flow: 1, Dir: FromClient, Kind: Open}, {Flow: 1, Dir: FromClient, Kind: Note, Text: "x"}},
			[][]string{nil, nil, nil, nil, nil}},
		{"datagrams", []Event{{Flow: 1, Dir: FromClient, Kind: Datagram, Offset: s, Data: []byte("\x01a")}}, [][]string{{`1> 1s @0 "\x01a"`}, nil}},
		{"nothing", nil, [][]string{nil}},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := NewDissection(func() Dissector { return &counted{} })
			var got [][]string
			for i := range row.events {
				got = append(got, told(d.Feed(&row.events[i])))
			}
			got = append(got, told(d.End()))
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
			if again := d.End(); len(again) != 0 {
				t.Errorf("the end comes twice: %v", told(again))
			}
		})
	}
}

// A message has bytes of its own: the recording may change its buffer.
func TestMessagesOwnTheirBytes(t *testing.T) {
	d := NewDissection(func() Dissector { return &counted{} })
	e := data(1, FromClient, 0, "\x02ab")
	m := d.Feed(&e)
	copy(e.Data, "???")
	e2 := data(1, FromClient, 0, "\x02cd")
	d.Feed(&e2)
	if len(m) != 1 || string(m[0].Raw) != "\x02ab" {
		t.Errorf("%q", m[0].Raw)
	}
}

// A dissector that names other bytes than those that come next is caught, and nothing is cut out of place.
func TestDissectorsThatLie(t *testing.T) {
	for _, row := range []struct {
		name string
		d    Dissector
		want string
	}{
		{"a gap", &counted{lie: 1}, "gave bytes 1 to 4 of the client's, and 0 to 3 were to come"},
		{"before the start", &counted{lie: -1}, "gave bytes -1 to 2"},
		{"too long", fixed{Frame{Length: 4}}, "gave bytes 0 to 4 of the client's, and 0 to 3 were to come"},
		{"negative", fixed{Frame{Length: -1}}, "gave bytes 0 to -1"},
	} {
		d := NewDissection(func() Dissector { return row.d })
		e := data(1, FromClient, 0, "\x02ab")
		m := d.Feed(&e)
		if len(m) != 1 || m[0].Frame.Err == nil || !strings.Contains(m[0].Frame.Err.Error(), row.want) || m[0].Raw != nil {
			t.Errorf("%s: %+v, want %q", row.name, m, row.want)
		}
	}
}

type fixed struct{ f Frame }

func (x fixed) Feed(Direction, []byte) []Frame { return []Frame{x.f} }
func (x fixed) End(Direction) []Frame          { return nil }

// Each word has its text, and what nobody knows is shown as its number.
func TestWords(t *testing.T) {
	for _, row := range []struct {
		got  fmt.Stringer
		want string
	}{
		{FromClient, "client"}, {FromServer, "server"}, {Neither, "neither"}, {Direction('x'), "direction(0x78)"}, {Direction(0), "direction(0x00)"},
		{Open, "open"}, {Data, "data"}, {Datagram, "datagram"}, {Close, "close"}, {Reset, "reset"}, {Note, "note"}, {Comment, "comment"}, {Kind(0), "kind(0)"}, {Kind(99), "kind(99)"},
		{Producer(0), "unknown"}, {Device, "device"}, {VendorLibrary, "vendor-library"}, {VendorSoftware, "vendor-software"}, {OwnClient, "own-client"},
		{OwnSimulator, "own-simulator"}, {Other, "other"}, {Producer(200), "producer(200)"},
	} {
		if got := row.got.String(); got != row.want {
			t.Errorf("%q, want %q", got, row.want)
		}
	}
}

// How many bytes of a frame are explained, whatever the ranges claim.
func TestDecoded(t *testing.T) {
	for _, row := range []struct {
		f    Frame
		want int
	}{
		{Frame{}, 0}, {Frame{Length: 10}, 10}, {Frame{Length: 10, Unknown: []Range{{0, 3}, {5, 2}}}, 5},
		{Frame{Length: 10, Unknown: []Range{{0, 10}}}, 0}, {Frame{Length: 10, Unknown: []Range{{0, 99}}}, 0},
		{Frame{Length: 10, Err: errors.New("cut")}, 0},
	} {
		if got := row.f.Decoded(); got != row.want {
			t.Errorf("%+v: %d, want %d", row.f, got, row.want)
		}
	}
}

// Flows are in the order in which they come, and their bytes without what is not data.
func TestFlowsAndBytes(t *testing.T) {
	tr := Transcript{Events: []Event{{Kind: Comment, Text: "x"}, data(9, FromClient, 0, "ab"), data(2, FromServer, 0, "xy"), {Flow: 9, Dir: FromClient, Kind: Close},
		data(9, FromServer, 0, "no"), {Flow: 9, Dir: FromClient, Kind: Datagram, Data: []byte("c")}, {Flow: 5, Dir: Neither, Kind: Note}}}
	if diff := cmp.Diff([]uint32{9, 2, 5}, tr.Flows()); diff != "" {
		t.Error(diff)
	}
	for _, row := range []struct {
		flow uint32
		dir  Direction
		want string
	}{{9, FromClient, "abc"}, {9, FromServer, "no"}, {2, FromServer, "xy"}, {2, FromClient, ""}, {1, FromClient, ""}} {
		if got := string(tr.Bytes(row.flow, row.dir)); got != row.want {
			t.Errorf("flow %d %v: %q, want %q", row.flow, row.dir, got, row.want)
		}
	}
}

// The limits of a line and of texts, at the last byte that is allowed and at the first that is not.
func TestLimitsOfLines(t *testing.T) {
	for _, row := range []struct {
		text string
		ok   bool
	}{
		{"# " + strings.Repeat("x", maxText), true}, {"# " + strings.Repeat("x", maxText+1), false},
		{"> 4294967295 +9223372035.999999999 note " + strings.Repeat("x", maxText), true},
		{"> 4294967296 +0 note", false}, {"> 1 +0.999999999 note", true}, {"> 1 +0.9999999999 note", false}, {"> 1 + note", false}, {"> 1 +0. note", true},
	} {
		_, err := Parse([]byte("patchbay transcript 1\n\n" + row.text + "\n"))
		if (err == nil) != row.ok {
			t.Errorf("%.50q: %v", row.text, err)
		}
	}
	for key, ok := range map[string]bool{strings.Repeat("k", maxKey): true, strings.Repeat("k", maxKey+1): false} {
		if _, err := Parse([]byte("patchbay transcript 1\n" + key + ": v\n")); (err == nil) != ok {
			t.Errorf("a key of %d bytes: %v", len(key), err)
		}
	}
}

// carrying is counted, whose messages are those of another protocol, with one more at the end.
type carrying struct{ counted }

func (c *carrying) Feed(dir Direction, b []byte) []Frame {
	out := c.counted.Feed(dir, b)
	for i := range out {
		f := &out[i]
		deepest := Message{Level: 1, Protocol: "z", Raw: []byte{9}, Frame: Frame{Length: 1}}
		f.Carried = f.Length - 1
		f.Inside = []Message{{Protocol: "y", Raw: []byte(f.Summary), Frame: Frame{Length: f.Length - 1}}, deepest}
	}
	return out
}

func (c *carrying) End(dir Direction) []Frame {
	if dir == FromServer {
		return nil
	}
	return []Frame{{Offset: c.at[0], Inside: []Message{{Protocol: "y", Raw: []byte("!"), Frame: Frame{Length: 1}}}}}
}

// What is carried comes behind what carries it, one level deeper, with the time and flow of the event; bytes count once.
func TestCarriedMessages(t *testing.T) {
	d := NewDissection(func() Dissector { return new(carrying) })
	e := data(7, FromClient, time.Second, "\x02ab")
	got := append(d.Feed(&e), d.End()...)
	var share Share
	var lines []string
	for i := range got {
		m := &got[i]
		share.Add(&m.Frame)
		lines = append(lines, fmt.Sprintf("%d%s %v carries %v: %s", m.Level, m.Protocol, m.Offset, m.Carries, told(got[i : i+1])[0]))
		if m.Frame.Inside != nil {
			t.Errorf("%+v has messages inside", m)
		}
	}
	want := []string{`0 1s carries true: 7> 1s @0 "\x02ab"`, `1y 1s carries false: 7> 1s @0 "ab"`, `2z 1s carries false: 7> 1s @0 "\t"`, `1y 1s carries false: 7> 1s @0 "!"`}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	if (share != Share{Bytes: 5, Decoded: 5}) { // 1 of the carrier, 2, 1 and 1
		t.Errorf("%+v", share)
	}
}
