package transcripttest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/transcript"
)

// toy is a protocol of messages with a length byte: length, type, rest. Type 'u' is not understood, '!' is an error.
type toy struct {
	off  [2]int64
	buf  [2][]byte
	mood string
}

func newToy(mood string) func() transcript.Dissector {
	return func() transcript.Dissector { return &toy{mood: mood} }
}

func (d *toy) Feed(dir transcript.Direction, b []byte) []transcript.Frame {
	s := 0
	if dir == transcript.FromServer {
		s = 1
	}
	d.buf[s] = append(d.buf[s], b...)
	var out []transcript.Frame
	for len(d.buf[s]) > 0 && len(d.buf[s]) > int(d.buf[s][0]) {
		n := int(d.buf[s][0]) + 1
		f := transcript.Frame{Offset: d.off[s], Length: n, Summary: string(d.buf[s][1:2]),
			Fields: []transcript.Field{{Name: "length", Offset: 0, Length: 1}, {Name: "type", Offset: 1, Length: 1}}}
		switch d.buf[s][1] {
		case 'u':
			f.Unknown = []transcript.Range{{Offset: 2, Length: n - 2}}
		case '!':
			f.Err = errors.New("not like this")
		}
		switch d.mood {
		case "field outside":
			f.Fields[1].Length = n
		case "unknown outside":
			f.Unknown = []transcript.Range{{Offset: 2, Length: n}}
		case "gap":
			f.Offset++
		case "cuts matter":
			f.Summary += string(rune('0' + len(b)))
		}
		out = append(out, f)
		d.buf[s], d.off[s] = d.buf[s][n:], d.off[s]+int64(n)
	}
	return out
}

func (d *toy) End(dir transcript.Direction) []transcript.Frame {
	s := 0
	if dir == transcript.FromServer {
		s = 1
	}
	n := len(d.buf[s])
	d.buf[s] = nil
	if n == 0 {
		return nil
	}
	return []transcript.Frame{{Offset: d.off[s], Length: n, Summary: "rest", Err: errors.New("ends inside a message")}}
}

func same(_ transcript.Direction, b []byte) ([]byte, error) { return b, nil }

const good = "patchbay transcript 1\nprotocol: toy\n\n" +
	"> 1 +0.000000 data\n  02 61 00 03 75 00 00                              |.a..u..|\n" +
	"< 1 +0.000000 data\n  01 62                                             |.b|\n"

func TestCheck(t *testing.T) {
	bad := good + "> 1 +0.000000 data\n  01 21                                             |.!|\n"
	rest := good + "> 1 +0.000000 data\n  09 61                                             |.a|\n"
	allow := func(s string) string {
		return strings.Replace(s, "protocol: toy\n", "protocol: toy\nmalformed: on purpose\n", 1)
	}
	for name, c := range map[string]struct {
		text, mood string
		re         Reencode
		want       string
	}{
		"good":            {good, "", same, ""},
		"no reencode":     {good, "", nil, ""},
		"spacing":         {strings.Replace(good, "02 61", "0261", 1), "", same, "not in the form"},
		"syntax":          {"hello\n", "", same, "line 1"},
		"faulty frame":    {bad, "", same, "not like this"},
		"faulty allowed":  {allow(bad), "", same, ""},
		"rest":            {rest, "", same, "ends inside"},
		"rest allowed":    {allow(rest), "", same, ""},
		"field outside":   {good, "field outside", same, "field type"},
		"unknown outside": {good, "unknown outside", same, "unknown bytes"},
		"gap":             {good, "gap", same, "were to come"},
		"gap not allowed": {allow(good), "gap", same, "were to come"},
		"cuts matter":     {good, "cuts matter", same, "byte by byte"},
		"changed": {good, "", func(_ transcript.Direction, b []byte) ([]byte, error) { return append([]byte{9}, b[1:]...), nil },
			"first difference at byte 0"},
		"cannot": {good, "", func(transcript.Direction, []byte) ([]byte, error) { return nil, errors.New("too hard") }, "too hard"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Check([]byte(c.text), newToy(c.mood), c.re)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.transcript"), []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	if s := Run(t, dir, newToy(""), same); s != (transcript.Share{Bytes: 9, Decoded: 7}) {
		t.Error(s)
	}
}
