package openswitcher

import (
	"errors"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/transcript"
)

func framed(t *testing.T, payload []byte) []byte {
	t.Helper()
	b, err := AppendPacket(nil, payload)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDissect(t *testing.T) {
	for _, tc := range []struct {
		name    string
		b       []byte
		summary string
		err     error
	}{
		{"hello", framed(t, AppendHello(nil)), "*SW* OSWHello", nil},
		{"login", framed(t, AppendLogin(nil, "operator", "on air")), "*USR *PWD", nil},
		{"devices", framed(t, AppendDevices(nil, []Device{{ID: "studio", Label: "Studio"}})), `*HW* OSWDevice id=studio label=Studio`, nil},
		{"choice", framed(t, AppendChoice(nil, "studio")), "*DEV OSWChoose id=studio", nil},
		{"command", framed(t, (&atem.SetProgramSource{Source: 3}).Append(nil, 0)), "CPgI SetProgramSource me=0 source=", nil},
		{"nothing", []byte{0, 0}, "an empty packet", nil},
		{"no fields", []byte{0, 3, 1, 2, 3}, "no fields", atem.ErrShort},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var frames []transcript.Frame
			d := NewDissector()
			for i := range tc.b { // whatever the pieces
				frames = append(frames, d.Feed(transcript.FromClient, tc.b[i:i+1])...)
			}
			if len(frames) != 1 || frames[0].Length != len(tc.b) || d.End(transcript.FromClient) != nil {
				t.Fatalf("%+v", frames)
			}
			if f := frames[0]; !strings.HasPrefix(f.Summary, tc.summary) || !errors.Is(f.Err, tc.err) || tc.err == nil && f.Err != nil {
				t.Errorf("%q, %v", f.Summary, f.Err)
			}
			for _, x := range frames[0].Fields {
				if strings.Contains(x.Value+x.Text, "on air") {
					t.Errorf("%s shows the password", x.Name)
				}
			}
		})
	}
	d := NewDissector()
	d.Feed(transcript.FromServer, []byte{0, 9, 1})
	if rest := d.End(transcript.FromServer); len(rest) != 1 || rest[0].Err == nil || rest[0].Length != 3 {
		t.Errorf("%+v", rest)
	}
}

func TestLooks(t *testing.T) {
	for _, tc := range []struct {
		b    []byte
		want int
	}{{nil, 0}, {framed(t, AppendHello(nil)), 95}, {framed(t, (&atem.ProgramSource{Source: 1}).Append(nil, 0)), 60}, {[]byte("GET / HTTP/1.1\r\n\r\n"), 0},
		{[]byte{0, 3, 1, 2, 3}, 0}, {make([]byte, 20), 0}} {
		if got := Looks(tc.b); got != tc.want {
			t.Errorf("% x: %d, want %d", tc.b, got, tc.want)
		}
	}
}

func FuzzDissect(f *testing.F) {
	f.Add([]byte{0, 8, 0, 8, 0, 0, '*', 'S', 'W', '*'})
	f.Fuzz(func(t *testing.T, b []byte) {
		Looks(b)
		d := NewDissector()
		n := 0
		for _, fr := range append(d.Feed(transcript.FromClient, b), d.End(transcript.FromClient)...) {
			if fr.Offset != int64(n) {
				t.Fatalf("a frame at %d, want %d", fr.Offset, n)
			}
			n += fr.Length
			for _, x := range fr.Fields {
				if x.Offset < 0 || x.Length < 0 || x.Offset+x.Length > fr.Length {
					t.Fatalf("%s lies at %d to %d of %d bytes", x.Name, x.Offset, x.Offset+x.Length, fr.Length)
				}
			}
		}
		if n != len(b) {
			t.Fatalf("%d of %d bytes", n, len(b))
		}
	})
}
