package devicemaster

import (
	"bytes"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/transcript"
)

// session is the recorded conversation of one client with one port; "C" and "D" begin what the two sides send.
const session = `C 05 00 08 00 00 00 00 00
D ` + idSample + `
C 73
D 74
C 7b 0a 77 78 00 00 00 fd
D fd
C 62 00 76 01
D 62 00 76 10 00 00
C 62 00 60 00 00 66 03 00 63 00 00 64 03 00 70 80 25 00 00 71 11 13 11 13 00 00 75 32
D 62 00 67 03 00 60 00 00
C 62 00 79 01 00 00 00
C 62 00 61 02 00 68 69
D 62 00 60 02 00
D 62 00 61 02 00 6f 6b 7a
C 62 00 60 02 00
C fd
D fd
C 62 00 66 03 00 63 00 00 64 00 00
D 62 00 67 03 00
C 62 00 76 02
D 62 00 76 20`

type said struct {
	dir transcript.Direction
	b   []byte
}

func parts(t *testing.T, text string) (out []said) {
	for _, p := range strings.FieldsFunc(text, func(r rune) bool { return r == 'C' || r == 'D' }) {
		at := strings.Index(text, p)
		dir := transcript.FromClient
		if text[at-1] == 'D' {
			dir = transcript.FromServer
		}
		out = append(out, said{dir, unhex(t, p)})
		text = text[at+len(p):]
	}
	return out
}

// A whole session is explained to its last byte, but for the tags whose meaning nobody knows, however it is cut.
func TestDissectSession(t *testing.T) {
	script := parts(t, session)
	if len(script) != 21 {
		t.Fatalf("%d parts", len(script))
	}
	read := func(chunk int) (texts []string, share transcript.Share) {
		dis := NewDissector()
		at := map[transcript.Direction]int64{}
		check := func(dir transcript.Direction, frames []transcript.Frame) {
			for _, f := range frames {
				if f.Offset != at[dir] {
					t.Fatalf("%s begins at %d, not %d", f.Summary, f.Offset, at[dir])
				}
				at[dir] += int64(f.Length)
				if f.Err != nil {
					t.Errorf("%s: %v", f.Summary, f.Err)
				}
				for _, x := range f.Fields {
					if x.Offset < 0 || x.Offset+x.Length > f.Length || x.Grade == "" {
						t.Errorf("%s: field %+v", f.Summary, x)
					}
				}
				texts = append(texts, f.Summary)
				share.Add(&f)
			}
		}
		for _, p := range script {
			b := append([]byte(nil), p.b...)
			for len(b) > 0 {
				n := min(chunk, len(b))
				check(p.dir, dis.Feed(p.dir, b[:n]))
				b = b[n:]
			}
		}
		check(transcript.FromClient, dis.End(transcript.FromClient))
		check(transcript.FromServer, dis.End(transcript.FromServer))
		return texts, share
	}
	whole, share := read(1 << 20)
	if len(whole) != 46 {
		t.Errorf("%d frames: %q", len(whole), whole)
	}
	if unknown := share.Bytes - share.Decoded; unknown != 23 {
		t.Errorf("%d bytes are unknown", unknown)
	}
	for _, want := range []string{"ID response: SocketServer 11.34, 8 ports, 00:c0:4e:08:37:f5, NS-Link", `port 0: data 2 bytes "hi"`, "port 0: status closed"} {
		if !strings.Contains(strings.Join(whole, "\n"), want) {
			t.Errorf("%q is missing", want)
		}
	}
	for _, chunk := range []int{1, 2, 3, 50} {
		if got, _ := read(chunk); strings.Join(got, "\n") != strings.Join(whole, "\n") {
			t.Errorf("in pieces of %d bytes: %q", chunk, got)
		}
	}
}

func summaries(frames []transcript.Frame) string {
	var out []string
	for _, f := range frames {
		s := f.Summary
		if f.Err != nil {
			s += " !"
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

// Old boxes, boxes that ignore the request, bytes that are nothing, and recordings that end too early.
func TestDissectOddities(t *testing.T) {
	for name, row := range map[string]struct{ script, want, end string }{
		"short id response": {"C 05 00 08 00 00 00 00 00 D " + strings.Join(strings.Fields(idSample)[:100], " ") + " C 73 D 74",
			"tool id; assign; ID response: SocketServer 11.34, 8 ports, 00:c0:4e:08:37:f5, boot loader; assigned", ""},
		"no id response": {"C 05 00 08 00 00 00 00 00 C 73 D 74 C fd D fd", "tool id; assign; ping; assigned; ping", ""},
		"unknown":        {"C 73 80 01 02 C fd", "assign; no message !; ping", ""},
		"zeros":          {"C 00 00 73 00 fd", "no message !; assign; no message !; ping", ""},
		"cut":            {"C 62 00 61 05 00 41", "select port 0", "no message !"},
		"tool with data": {"C 01 00 0a 00 00 00 00 00 01 02", "tool load", ""},
		"long block":     {"D 62 00 61 29 00" + strings.Repeat(" 78", 41), `select port 0; port 0: data 41 bytes "` + strings.Repeat("x", 40) + `"…`, ""},
		"empty block":    {"D 62 00 61 00 00", "select port 0; port 0: data 0 bytes", ""},
		"scan":           {"C " + scanSample, "discovery scan, sequence 44", ""},
		"refresh":        {"C " + refreshSample, "discovery scan, sequence 61, 00:c0:4e:08:37:f5", ""},
		"response":       {"D " + answerSample, "discovery response, sequence 44, 00:c0:4e:08:37:f5, SocketServer 11.34", ""},
		"cut discovery":  {"D a9 8d fd 53 7a 1c b0 de 00", "no message !", ""},
		"bad discovery":  {"D " + scanSample[:41] + " 16 09 01", "discovery scan, sequence 44 !", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dis := NewDissector()
			var got []transcript.Frame
			for _, p := range parts(t, row.script) {
				got = append(got, dis.Feed(p.dir, p.b)...)
			}
			end := append(dis.End(transcript.FromClient), dis.End(transcript.FromServer)...)
			if name == "no id response" {
				got, end = append(got, end...), nil
			}
			if summaries(got) != row.want || summaries(end) != row.end {
				t.Errorf("got %q, at the end %q", summaries(got), summaries(end))
			}
		})
	}
}

// What stands in each field, for people; what nobody knows is marked as such.
func TestDissectFields(t *testing.T) {
	id := strings.Join(strings.Fields(idSample), " ")
	cut := func(n int) string { return strings.Join(strings.Fields(idSample)[:n], " ") }
	ask := "C 05 00 08 00 00 00 00 00 D "
	for _, row := range []struct {
		script, field, value, text string
		unknown                    int // bytes
	}{
		{"C 62 00 70 00 80 25 00", "baud", "2457600", "perhaps 9600, one byte out of place", 0},
		{"C 62 00 70 80 25 00 00", "baud", "9600", "bits per second", 0},
		{"D 62 00 72 05 00", "errors", "5", "framing overflow", 0},
		{"D 62 00 76 10 38 00", "inputs", "56", "cd dsr cts", 0},
		{"C 62 00 76 02", "request", "2", "close", 0},
		{"C 62 07", "port", "7", "counted from 0; on the box it is printed 8", 0},
		{"C 62 00 75 85", "mode", "133", "rs-485", 0},
		{"C 01 03 0a 00 88 11 61 00 01 02", "address", "0x00611188", "", 2},
		{ask + id, "program", "1", "NS-Link", 23},
		{ask + id, "tag 3", "2d", "meaning is not known", 23},
		{ask + cut(103) + " C 73 D 74", "board revision", "7", "", 0},
		{ask + cut(101) + " C 73 D 74", "ports", "8", "", 1},
		{ask + cut(110) + " 07 07 07 C 73 D 74", "application 1", "0x00ff", "version 11.34", 3},
		{ask + cut(108) + " C 73 D 74", "", "", "", 108},
		{"D " + scanSample[:24] + "01 02" + scanSample[29:], "type", "0x000c", "discovery scan", 2},
		{"D " + answerSample, "product", "446576696365_", "", 5},
	} {
		dis := NewDissector()
		var got []transcript.Frame
		for _, p := range parts(t, row.script) {
			got = append(got, dis.Feed(p.dir, p.b)...)
		}
		found, unknown := row.field == "", 0
		for _, f := range got {
			for _, u := range f.Unknown {
				unknown += u.Length
			}
			for _, x := range f.Fields {
				if x.Name != row.field {
					continue
				}
				found = true
				if prefix, cut := strings.CutSuffix(row.value, "_"); x.Value != row.value && !(cut && strings.HasPrefix(x.Value, prefix)) || row.text != "" && x.Text != row.text {
					t.Errorf("%s: %s is %q, %q", row.script, x.Name, x.Value, x.Text)
				}
			}
		}
		if !found || unknown != row.unknown {
			t.Errorf("%s: field %q is there: %v; %d bytes are unknown, want %d: %s", row.script, row.field, found, unknown, row.unknown, summaries(got))
		}
	}
}

// What never ends as an ID response is not kept for ever.
func TestDissectEndlessAnswer(t *testing.T) {
	dis := NewDissector()
	dis.Feed(transcript.FromClient, ToolRequest{Command: ToolID}.Append(nil))
	told := 0
	for range 100 {
		for _, f := range dis.Feed(transcript.FromServer, bytes.Repeat([]byte{1}, 1000)) {
			told += f.Length
		}
	}
	if told < 100*1000-maxIDResponse {
		t.Errorf("%d bytes were told of", told)
	}
	for _, f := range dis.End(transcript.FromServer) {
		told += f.Length
	}
	if told != 100*1000 {
		t.Errorf("%d bytes at the end", told)
	}
}
