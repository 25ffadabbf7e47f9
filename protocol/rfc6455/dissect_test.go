package rfc6455

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/transcript"
)

const (
	ask    = "GET /x HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: k\r\n\r\n"
	agreed = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: p\r\n\r\n"
)

// lines is a protocol of lines, for what is inside.
type lines struct {
	held [2]string
	at   [2]int64
}

func (l *lines) Feed(dir transcript.Direction, b []byte) (out []transcript.Frame) {
	s := 0
	if dir == transcript.FromServer {
		s = 1
	}
	l.held[s] += string(b)
	for {
		line, rest, ok := strings.Cut(l.held[s], "\n")
		if !ok {
			return out
		}
		n := len(line) + 1
		out = append(out, transcript.Frame{Offset: l.at[s], Length: n, Summary: line})
		l.held[s], l.at[s] = rest, l.at[s]+int64(n)
	}
}

func (l *lines) End(dir transcript.Direction) []transcript.Frame {
	s := 0
	if dir == transcript.FromServer {
		s = 1
	}
	n := len(l.held[s])
	if n == 0 {
		return nil
	}
	l.held[s] = ""
	return []transcript.Frame{{Offset: l.at[s], Length: n, Summary: "cut", Err: errCut}}
}

// bySlash knows what begins with a slash, in conversations at /x.
func bySlash(c Conversation, _ Opcode, first []byte) Inside {
	if first[0] != '/' || c.Path != "" && c.Path != "/x" {
		return Inside{}
	}
	return Inside{"lines", func() transcript.Dissector { return new(lines) }}
}

// piece is what one side sends.
type piece struct {
	server bool
	bytes  string
}

// told are the messages of a conversation, one by one or byte by byte, in short.
func told(pieces []piece, byByte bool) (out []string, share transcript.Share) {
	d := transcript.NewDissection(func() transcript.Dissector { return NewDissector(bySlash) })
	add := func(ms []transcript.Message) {
		for i := range ms {
			m := &ms[i]
			share.Add(&m.Frame)
			s := fmt.Sprintf("%s%c %s", strings.Repeat("  ", m.Level), m.Dir, m.Frame.Summary)
			if m.Level > 0 {
				s += fmt.Sprintf(" %s %q", m.Protocol, m.Raw)
			}
			if m.Frame.Err != nil {
				s += " !" + m.Frame.Err.Error()
			}
			out = append(out, s)
		}
	}
	for _, p := range pieces {
		dir := transcript.FromClient
		if p.server {
			dir = transcript.FromServer
		}
		parts := []string{p.bytes}
		if byByte {
			parts = strings.Split(p.bytes, "")
		}
		for _, b := range parts {
			add(d.Feed(&transcript.Event{Flow: 1, Dir: dir, Kind: transcript.Data, Data: []byte(b)}))
		}
	}
	add(d.End())
	return out, share
}

// wire is frames as they are sent.
func wire(frames ...Frame) (out string) {
	for _, f := range frames {
		out += string(f.Append(nil))
	}
	return out
}

func from(client bool, op Opcode, fin bool, payload string) Frame {
	return Frame{Header{Fin: fin, Opcode: op, Masked: client, Mask: [4]byte{1, 2, 3, 4}}, []byte(payload)}
}

func packed(payload string) Frame {
	f := from(false, Text, true, payload)
	f.Reserved = RSV1
	return f
}

func TestDissector(t *testing.T) {
	up := []piece{{false, ask}, {true, agreed}}
	heads := []string{"> GET /x HTTP/1.1, WebSocket", "< HTTP/1.1 101 Switching Protocols, WebSocket"}
	for _, row := range []struct {
		name   string
		pieces []piece
		want   []string
	}{
		{"text", append(up[:2:2], piece{false, wire(from(true, Text, true, "/a\n"))}, piece{true, wire(from(false, Text, true, "/b\n"))}),
			append(heads[:2:2], "> text, 3 bytes", `  > /a lines "/a\n"`, "< text, 3 bytes", `  < /b lines "/b\n"`)},
		{"a message in fragments, with a ping between", append(up[:2:2], piece{false, wire(from(true, Text, false, "/a"), from(true, Ping, true, "!"), from(true, Continuation, true, "b\n"))}),
			append(heads[:2:2], "> text, begins, 2 bytes", "> ping, 1 bytes", "> text, ends, 2 bytes", `  > /ab lines "/ab\n"`)},
		{"a stream over messages", append(up[:2:2], piece{true, wire(from(false, Binary, true, "/a"), from(false, Binary, false, "b\n/"), from(false, Continuation, true, "c\n/d"))}),
			append(heads[:2:2], "< binary, 2 bytes", "< binary, begins, 3 bytes", `  < /ab lines "/ab\n"`, "< binary, ends, 4 bytes", `  < /c lines "/c\n"`, `  < cut lines "/d" !the recording ends inside a frame`)},
		{"of nobody's protocol", append(up[:2:2], piece{true, wire(from(false, Text, true, "hi"), from(false, Binary, true, "\x00"), from(false, Close, true, "\x03\xe8ok"))}),
			append(heads[:2:2], "< text, 2 bytes", `  < text, 2 bytes  "hi"`, "< binary, 1 bytes", "< close, 1000 normal closure: ok", `  < binary, 1 bytes  "\x00"`)},
		{"compressed, the second refers to the first", append(up[:2:2], piece{true, wire(packed("\xf2\x48\xcd\xc9\xc9\x07\x00"), packed("\xf2\x00\x11\x00\x00"))}),
			append(heads[:2:2], "< text, 7 bytes, compressed", `  < text, 5 bytes  "Hello"`, "< text, 5 bytes, compressed", `  < text, 5 bytes  "Hello"`)},
		{"compressed badly", append(up[:2:2], piece{true, wire(packed("\xff\xff"))}),
			append(heads[:2:2], "< text, 2 bytes, compressed", `  < text, compressed, 2 bytes  "\xff\xff" !a compressed message: flate: corrupt input before offset 1`)},
		{"the wrong side masks", append(up[:2:2], piece{true, wire(from(true, Text, true, "/a\n"))}),
			append(heads[:2:2], "< text, 3 bytes !"+errMask.Error(), `  < /a lines "/a\n"`)},
		{"no beginning", append(up[:2:2], piece{true, wire(from(false, Continuation, true, "x"))}), append(heads[:2:2], "< binary, ends, 1 bytes !"+errOrder.Error(), `  < binary, 1 bytes  "x"`)},
		{"two beginnings", append(up[:2:2], piece{true, wire(from(false, Text, false, "a"), from(false, Text, true, "/b\n"))}),
			append(heads[:2:2], "< text, begins, 1 bytes", "< text, 3 bytes !"+errOrder.Error(), `  < text, 1 bytes  "a" !`+errMessage.Error(), `  < /b lines "/b\n"`)},
		{"another path", []piece{{false, strings.Replace(ask, "/x", "/y", 1)}, {true, agreed + wire(from(false, Text, true, "/a\n"))}},
			[]string{"> GET /y HTTP/1.1, WebSocket", heads[1], "< text, 3 bytes", `  < text, 3 bytes  "/a\n"`}},
		{"declined", []piece{{false, ask}, {true, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"}}, []string{heads[0], "< HTTP/1.1 404 Not Found", "< body, 2 bytes"}},
		{"from the middle", []piece{{true, wire(from(false, Text, true, "/a\n"))}, {false, wire(from(true, Text, true, "/b\n"))}},
			[]string{"< text, 3 bytes", `  < /a lines "/a\n"`, "> text, 3 bytes", `  > /b lines "/b\n"`}},
		{"cut", append(up[:2:2], piece{true, wire(from(false, Text, true, "/abc\n"))[:4]}), append(heads[:2:2], "< the beginning of a frame, 4 bytes !"+errCut.Error())},
		{"a reserved opcode", append(up[:2:2], piece{true, "\x83\x01x" + wire(from(false, Text, true, "/a\n"))}),
			append(heads[:2:2], "< opcode 3, 1 bytes !"+ErrReserved.Error(), "< text, 3 bytes", `  < /a lines "/a\n"`)},
	} {
		t.Run(row.name, func(t *testing.T) {
			n := 0
			for _, p := range row.pieces {
				n += len(p.bytes)
			}
			for _, byByte := range []bool{false, true} {
				got, share := told(row.pieces, byByte)
				if d := cmp.Diff(row.want, got); d != "" {
					t.Errorf("byte by byte %v: -want +got\n%s", byByte, d)
				}
				if !strings.HasPrefix(row.name, "compressed") && share.Bytes != int64(n) {
					t.Errorf("%d bytes are counted, and %d were there", share.Bytes, n)
				}
			}
		})
	}
}

// What follows a frame that is too long is not taken for frames.
func TestTooLongIsTheEnd(t *testing.T) {
	got, _ := told([]piece{{true, "\x82\x7f\x00\x00\x00\x00\x10\x00\x00\x00"}, {true, wire(from(false, Text, true, "/a\n"))}}, false)
	if len(got) != 2 || !strings.Contains(got[0], ErrTooLong.Error()) || !strings.Contains(got[1], errLost.Error()) {
		t.Errorf("%q", got)
	}
}

// A few bytes do not become much memory: many messages of zeros are refused once they have become too much.
func TestBombs(t *testing.T) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(make([]byte, 1<<20))
	w.Flush()
	bomb := packed(strings.TrimSuffix(b.String(), "\x00\x00\xff\xff"))
	sent := wire(bomb, bomb, bomb, bomb)
	d := transcript.NewDissection(func() transcript.Dissector { return NewDissector(bySlash) })
	got, refused := 0, 0
	for _, m := range d.Feed(&transcript.Event{Flow: 1, Dir: transcript.FromServer, Kind: transcript.Data, Data: []byte(sent)}) {
		if m.Level > 0 && m.Frame.Err == nil {
			got += len(m.Raw)
		} else if errors.Is(m.Frame.Err, errUnpacked) {
			refused++
		}
	}
	if refused != 4 || got > 64*len(sent)+4<<10 {
		t.Errorf("%d bytes of %d, %d refused", got, len(sent), refused)
	}
}

// FuzzDissector: whatever comes, every byte is in one frame, in order.
func FuzzDissector(f *testing.F) {
	for _, v := range vectors {
		if w := unhex(f, v.wire); len(w) < 1000 {
			f.Add([]byte(ask), append([]byte(agreed), w...))
		}
	}
	f.Add([]byte(ask+wire(from(true, Text, false, "/a"), from(true, Continuation, true, "b\n"))), []byte(agreed+wire(packed("\xf2\x48\xcd\xc9\xc9\x07\x00"))))
	f.Fuzz(func(t *testing.T, client, server []byte) {
		d := NewDissector(bySlash)
		for dir, b := range map[transcript.Direction][]byte{transcript.FromClient: client, transcript.FromServer: server} {
			at := int64(0)
			for _, fr := range append(d.Feed(dir, b), d.End(dir)...) {
				if fr.Offset != at || fr.Length < 0 || fr.Carried > fr.Length {
					t.Fatalf("%+v, expected at %d", fr, at)
				}
				at += int64(fr.Length)
				for _, u := range fr.Unknown {
					if u.Offset < 0 || u.Offset+u.Length > fr.Length {
						t.Fatalf("unknown bytes lie outside: %+v", fr)
					}
				}
				for _, in := range fr.Inside {
					if len(in.Raw) != in.Frame.Length {
						t.Fatalf("%d bytes of a message of %d", len(in.Raw), in.Frame.Length)
					}
				}
			}
			if at != int64(len(b)) {
				t.Fatalf("%d of %d bytes are in frames", at, len(b))
			}
		}
	})
}
