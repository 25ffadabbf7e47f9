package focas

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/transcript"
	"github.com/patchbay-io/patchbay/transcript/transcripttest"
)

// reencode writes a frame again from its blocks, or as it is when it has none.
func reencode(_ transcript.Direction, b []byte) ([]byte, error) {
	f, _, err := ParseFrame(b)
	if err != nil {
		return nil, err
	}
	body := f.Body
	switch {
	case f.Type == TypeData && f.Dir == DirRequest:
		blocks, err := RequestBlocks(body)
		body = body[:2:2]
		for ok := true; err == nil && ok; {
			var q Request
			if q, ok, err = blocks.NextRequest(); ok {
				body = q.Append(body)
			}
		}
		if err != nil {
			return nil, err
		}
	case f.Type == TypeData && f.Dir == DirReply:
		blocks, err := ReplyBlocks(body)
		body = body[:2:2]
		for ok := true; err == nil && ok; {
			var r Reply
			if r, ok, err = blocks.NextReply(); ok {
				body = r.Append(body)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	f.Body = body
	return f.Append(nil), nil
}

func TestDissectTranscripts(t *testing.T) {
	if s := transcripttest.Run(t, transcriptDir, NewDissector, reencode); s.Percent() < 97 {
		t.Errorf("%.1f %% of the bytes are decoded", s.Percent())
	}
}

// statusExchange is a session that opens, asks for the status and an axis, and is refused something.
func statusExchange() (client, server []byte) {
	client = AppendOpenRequest(client, ChannelData)
	o := OpenReply{Version: 3, MaxAxes: 32, ControlledPaths: 1, Options: 1, Records: []PathRecord{{System: 1, Axes: 3}}}
	server = o.AppendFrame(server)
	client = AppendRequests(client, []Request{StatusRequest(1), AxisRequest(1, 0, -1), cncRequest(1, 0x7777, 5)})
	server = AppendReplies(server, 3, []Reply{
		{Class: ClassCNC, Path: 1, Func: FuncStatInfo, Payload: Status{}.Append(nil)},
		{Class: ClassCNC, Path: 1, Func: FuncReadAxis, Payload: RawValue(7).Append(Decimal(-12345, 3).Append(nil))},
		{Class: ClassCNC, Path: 1, Func: 0x7777, Payload: []byte{1, 2, 3}}})
	client = AppendRequests(client, []Request{StatusRequest(9)})
	server = AppendErrorFrame(server, 3, TypeData, ErrorBody{Code: EWLength, Detail: [2]int16{2, -1}})
	client = AppendCloseRequest(client)
	server = AppendHeader(server, 3, TypeClose, DirReply, 0)
	return client, server
}

// feed gives both directions in turns of n bytes; n 0 is all at once.
func feed(client, server []byte, n int) (up, down []transcript.Frame) {
	d := NewDissector()
	cut := func(b []byte) ([]byte, []byte) {
		if n == 0 || n > len(b) {
			return b, nil
		}
		return b[:n], b[n:]
	}
	for len(client)+len(server) > 0 {
		var a, b []byte
		a, client = cut(client)
		up = append(up, d.Feed(transcript.FromClient, a)...)
		b, server = cut(server)
		down = append(down, d.Feed(transcript.FromServer, b)...)
	}
	return append(up, d.End(transcript.FromClient)...), append(down, d.End(transcript.FromServer)...)
}

func summaries(frames []transcript.Frame) string {
	var out []string
	for _, f := range frames {
		out = append(out, f.Summary)
	}
	return strings.Join(out, " | ")
}

func TestDissect(t *testing.T) {
	client, server := statusExchange()
	up, down := feed(client, server, 0)
	if got, want := summaries(up), "open request, channel 2 | data request: cnc_statinfo, cnc_absolute[0,-1], func(0x7777)[5] | data request: cnc_statinfo | close request"; got != want {
		t.Errorf("client:\n%s\n%s", got, want)
	}
	if got, want := summaries(down), "open reply, 30i dialect, 1 paths | data reply: cnc_statinfo, cnc_absolute, func(0x7777) | data error: EW_LENGTH (2, -1) | close reply"; got != want {
		t.Errorf("server:\n%s\n%s", got, want)
	}
	find := func(f transcript.Frame, name string) (out transcript.Field) {
		for _, fd := range f.Fields {
			if fd.Name == name {
				out = fd
			}
		}
		return out
	}
	if f := find(down[1], "block 2.payload.value 1"); f.Value != "-12.345" || f.Length != 8 || f.Grade != transcript.GradeSeen {
		t.Errorf("%+v", f)
	}
	if f := find(down[1], "block 1.code"); f.Text != "EW_OK" {
		t.Errorf("%+v", f)
	}
	if f := find(up[1], "block 3.argument 1"); f.Value != "5" || f.Length != 4 {
		t.Errorf("%+v", f)
	}
	if u := down[1].Unknown; len(u) != 1 || u[0].Length != 3 || u[0].Offset != down[1].Length-3 {
		t.Errorf("unknown payload: %+v", u)
	}
	if len(down[0].Unknown) == 0 {
		t.Error("the open reply's unnamed words pass for known")
	}
}

// Whatever is fed comes back as frames without gaps, and good frames behind bad bytes are found again.
func TestDissectNeverStops(t *testing.T) {
	client, server := statusExchange()
	oversized := AppendHeader(nil, 1, TypeData, DirRequest, 0xffff)
	blocks := Frame{Header{Version: 1, Type: TypeData, Dir: DirRequest}, []byte{0, 2, 0, 28}}.Append(nil)
	for name, c := range map[string]struct {
		before []byte
		want   error
	}{
		"text":                {[]byte("GET / HTTP/1.1\r\n\r\n"), errNoise},
		"half a mark":         {[]byte{0xa0, 0xa0, 0x00}, errNoise},
		"wrong direction":     {AppendHeader(nil, 1, TypeData, 9, 0), ErrDirection},
		"oversized":           {oversized, ErrTooLong},
		"blocks do not fit":   {blocks, ErrBlocks},
		"open request of 1":   {Frame{Header{Version: 1, Type: TypeOpen, Dir: DirRequest}, []byte{1}}.Append(nil), nil},
		"short error frame":   {AppendHeader(nil, 3, TypeData, DirError, 0), ErrShort},
		"short open reply":    {Frame{Header{Version: 3, Type: TypeOpen, Dir: DirReply}, []byte{1}}.Append(nil), ErrOpenReply},
		"reply without count": {AppendHeader(nil, 3, TypeData, DirReply, 0), ErrBlocks},
	} {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{0, 1} {
				up, _ := feed(append(bytes.Clone(c.before), client...), server, n)
				if up[0].Err == nil || c.want != nil && !errors.Is(up[0].Err, c.want) {
					t.Errorf("first frame: %v", up[0].Err)
				}
				if !strings.HasSuffix(summaries(up), "data request: cnc_statinfo | close request") {
					t.Errorf("in steps of %d: %s", n, summaries(up))
				}
				contiguous(t, up, len(c.before)+len(client))
			}
		})
	}
	up, _ := feed(client[:len(client)-3], nil, 0)
	if last := up[len(up)-1]; !errors.Is(last.Err, ErrShort) || last.Length != 7 {
		t.Errorf("the end inside a frame: %+v", last)
	}
	if up, _ := feed(bytes.Repeat([]byte("x"), 3*maxHeldNoise), nil, 1000); len(up) < 2 {
		t.Error("endless noise is held")
	}
}

func contiguous(t *testing.T, frames []transcript.Frame, size int) {
	t.Helper()
	at := int64(0)
	for _, f := range frames {
		if f.Offset != at || f.Length <= 0 {
			t.Fatalf("frame at %d, %d bytes; byte %d was to come", f.Offset, f.Length, at)
		}
		at += int64(f.Length)
		for _, fd := range f.Fields {
			if fd.Offset < 0 || fd.Length < 0 || fd.Offset+fd.Length > f.Length {
				t.Fatalf("field %+v of %d bytes", fd, f.Length)
			}
		}
	}
	if at != int64(size) {
		t.Fatalf("frames hold %d of %d bytes", at, size)
	}
}

func FuzzDissect(f *testing.F) {
	client, server := statusExchange()
	f.Add(client, server, 0)
	f.Add(client, server[:40], 3)
	f.Add([]byte("\xa0\xa0"), []byte{}, 1)
	f.Fuzz(func(t *testing.T, client, server []byte, n int) {
		up, down := feed(client, server, max(n, 0))
		contiguous(t, up, len(client))
		contiguous(t, down, len(server))
	})
}

func BenchmarkDissect(b *testing.B) {
	client, server := statusExchange()
	b.SetBytes(int64(len(client) + len(server)))
	b.ReportAllocs()
	for b.Loop() {
		up, _ := feed(client, server, 0)
		if len(up) != 4 {
			b.Fatal(fmt.Sprint(len(up)))
		}
	}
}
