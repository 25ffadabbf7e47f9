package fcxml

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/transcript"
)

func feed(d transcript.Dissector, dir transcript.Direction, b string, size int) (out []transcript.Frame) {
	for len(b) > 0 {
		n := min(size, len(b))
		out = append(out, d.Feed(dir, []byte(b[:n]))...)
		b = b[n:]
	}
	return append(out, d.End(dir)...)
}

func TestDissector(t *testing.T) {
	var server []byte
	e, err := ParseElement([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	server = AppendMessage(server, DeviceArrival{[]*Element{e}})
	server = AppendMessage(server, Set{Device: "3", Items: []Assign{{71, "true"}, {999, "1"}}})
	server = append(server, "Björk left over"...)
	server = AppendMessage(server, Approval{Hostname: "Grüße", ID: "7", Authorised: true})
	server = AppendMessage(server, Unknown{&Element{Name: "new-thing"}})
	server = append(server, "Length=000004 <a><Length=0000"...)
	for _, size := range []int{1, 3, 100_000} {
		frames := feed(NewDissector(), transcript.FromServer, string(server), size)
		var summaries []string
		off := int64(0)
		for _, f := range frames {
			summaries = append(summaries, f.Summary)
			if f.Offset != off {
				t.Errorf("frame %q begins at %d, want %d", f.Summary, f.Offset, off)
			}
			off += int64(f.Length)
			for _, fd := range f.Fields {
				if fd.Offset < 0 || fd.Offset+fd.Length > f.Length {
					t.Errorf("%s: field %s lies outside", f.Summary, fd.Name)
				}
			}
		}
		if off != int64(len(server)) {
			t.Errorf("frames cover %d of %d bytes", off, len(server))
		}
		got := strings.Join(summaries, "\n")
		want := strings.Join([]string{"device-arrival: Scarlett Test as 3, 47 items", "set, device 3, 2 items", "16 bytes outside of a frame",
			"approval hostname=Grüße id=7 type=response authorised=true", "new-thing, which is not known", "a frame that cannot be read",
			"11 bytes of an unfinished frame"}, "\n")
		if got != want {
			t.Errorf("in pieces of %d:\n%s\nwant\n%s", size, got, want)
			continue
		}
		if f := frames[1].Fields[2]; f.Name != "item 71" || f.Text != "monitoring/dim" || f.Value != "true" ||
			string(server[frames[1].Offset:][f.Offset:f.Offset+f.Length]) != `<item id="71" value="true"/>` {
			t.Errorf("%+v", f)
		}
		if f := frames[3].Fields[2]; string(server[frames[3].Offset:][f.Offset:f.Offset+f.Length]) != `hostname="Grüße"` {
			t.Errorf("%+v covers %q", f, string(server[frames[3].Offset:][f.Offset:f.Offset+f.Length]))
		}
		if len(frames[4].Unknown) == 0 || frames[2].Err == nil || frames[5].Err == nil || frames[6].Err == nil {
			t.Error("what is not understood is not marked")
		}
	}
}

// An item that is left out of a set does not lend its place to the next one.
func TestDissectorPassesOverOddItems(t *testing.T) {
	payload := `<set devid="3"><item id="x" value="2"/><item value="1"/><item  id='2' value='a>b'/><item value="c" id="3"/><item id = "4" value="d"/></set>`
	frames := feed(NewDissector(), transcript.FromServer, string(Frame{Payload: []byte(payload)}.Append(nil)), 1<<20)
	if len(frames) != 1 || frames[0].Err != nil {
		t.Fatalf("%+v", frames)
	}
	var got []string
	for _, f := range frames[0].Fields[2:] {
		got = append(got, f.Name+" "+f.Value+" "+payload[f.Offset-HeaderSize:f.Offset-HeaderSize+f.Length])
	}
	want := []string{`item 2 a>b <item  id='2' value='a>`, `item 3 c <item value="c" id="3"/>`} // of the fourth the place is not told
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// What is no frame for long is explained in parts, and an attribute that is written unusually by its whole message.
func TestDissectorOfNonsense(t *testing.T) {
	frames := feed(NewDissector(), transcript.FromServer, strings.Repeat("x", maxJunk+100)+"Length=000018 <keep-alive  a = 'b'/>  ", 1<<20)
	var lengths []int
	for _, f := range frames {
		lengths = append(lengths, f.Length)
	}
	if d := cmp.Diff([]int{maxJunk, 100, HeaderSize + 24}, lengths); d != "" {
		t.Fatal(d)
	}
	if f := frames[2].Fields; len(f) != 3 || f[2].Value != "b" || f[2].Offset != HeaderSize || f[2].Length != 24 {
		t.Errorf("%+v", frames[2])
	}
	frames = feed(NewDissector(), transcript.FromServer, `Length=000005 <a>&x`+`Length=000006 <a b="`, 1<<20)
	if len(frames) != 2 || frames[0].Err == nil || !strings.Contains(frames[0].Err.Error(), "XML at byte") {
		t.Errorf("%+v", frames)
	}
}
