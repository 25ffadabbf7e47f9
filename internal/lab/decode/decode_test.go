package decode

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/transcript"
)

func exchange() (client, server []byte) {
	client = focas.AppendRequests(nil, []focas.Request{focas.AxisRequest(1, 0, 1)})
	server = focas.AppendReplies(nil, 3, []focas.Reply{{Class: focas.ClassCNC, Path: 1, Func: focas.FuncReadAxis, Payload: focas.Decimal(12345, 3).Append(nil)}})
	return client, server
}

func recording(t *testing.T) string {
	t.Helper()
	client, server := exchange()
	b, err := transcript.Format(&transcript.Transcript{
		Header: transcript.Header{Protocol: "focas", Client: transcript.Origin{Producer: transcript.VendorLibrary, Text: "fwlib"}, Server: transcript.Origin{Producer: transcript.OwnSimulator}},
		Events: []transcript.Event{{Kind: transcript.Comment, Text: "one exchange"},
			{Flow: 1, Dir: transcript.Neither, Kind: transcript.Open, Text: "tcp 192.0.2.1:8193"},
			{Flow: 1, Dir: transcript.FromClient, Kind: transcript.Data, Data: client},
			{Flow: 1, Dir: transcript.FromServer, Kind: transcript.Data, Data: server[:11]},
			{Flow: 1, Dir: transcript.FromServer, Kind: transcript.Data, Data: append(server[11:len(server):len(server)], "junk"...)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func decode(t *testing.T, in string, o Options) (string, Result) {
	t.Helper()
	var out bytes.Buffer
	res, err := Decode(t.Context(), strings.NewReader(in), &out, o)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return out.String(), res
}

func TestText(t *testing.T) {
	out, res := decode(t, recording(t), Options{})
	for _, want := range []string{
		"protocol focas\n", "client bytes by vendor-library, fwlib\n", "server bytes by own-simulator: no evidence about the maker's product\n",
		"# one exchange\n", "= 1 +0.000000 open tcp 192.0.2.1:8193\n", "> 1 +0.000000 data request: cnc_absolute[0,1] (40 bytes)\n",
		"    0012  00 26                    block 1.function         0x0026  cnc_absolute\n",
		"    001c  00 00 30 39 00 0a 00 03  block 1.payload.value 1  12.345\n",
		"error: bytes that are no FOCAS frame", "0000  6a 75 6e 6b              ?                        4 unknown bytes",
		"3 frames, 1 faulty; 76 of 80 bytes decoded, 95.0 %\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if want := (Result{Protocol: "focas", Frames: 3, Faulty: 1, Share: transcript.Share{Bytes: 80, Decoded: 76}}); res != want {
		t.Errorf("%+v", res)
	}
	brief, _ := decode(t, recording(t), Options{Brief: true})
	if strings.Contains(brief, "block 1.function") || !strings.Contains(brief, "cnc_absolute[0,1]") {
		t.Errorf("brief:\n%s", brief)
	}
}

// A long summary is cut in text, between characters.
func TestLongSummary(t *testing.T) {
	for in, want := range map[string]string{"short": "short", strings.Repeat("a", maxSummary): strings.Repeat("a", maxSummary),
		strings.Repeat("a", maxSummary-1) + "öö": strings.Repeat("a", maxSummary-1) + "…", strings.Repeat("a", maxSummary+1): strings.Repeat("a", maxSummary) + "…"} {
		if got := shorter(in); got != want {
			t.Errorf("%q", got)
		}
	}
}

func TestJSON(t *testing.T) {
	out, _ := decode(t, recording(t), Options{JSON: true})
	var types []string
	for line := range strings.Lines(out) {
		var v struct {
			Type, From, Hex, Error string
			Length                 int
			Fields                 []jsonField
		}
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		types = append(types, v.Type+v.From)
		if raw, err := hex.DecodeString(v.Hex); err != nil || len(raw) != v.Length {
			t.Errorf("hex of %s", line)
		}
		if v.From == "client" && len(v.Fields) != 5+1+4+4+2 {
			t.Errorf("%d fields in %s", len(v.Fields), line)
		}
	}
	if want := []string{"recording", "event", "event", "frameclient", "frameserver", "frameserver", "summary"}; !cmp.Equal(want, types) {
		t.Error(types)
	}
	if !strings.Contains(out, `"evidence":{"client":true,"server":false}`) || !strings.Contains(out, `"percent":95}`) {
		t.Error(out)
	}
	if brief, _ := decode(t, recording(t), Options{JSON: true, Brief: true}); strings.Contains(brief, "fields") {
		t.Error(brief)
	}
}

func dump(b []byte, line func(off int, row []byte) string) string {
	var s strings.Builder
	for off := 0; off < len(b); off += 16 {
		s.WriteString(line(off, b[off:min(off+16, len(b))]) + "\n")
	}
	return s.String()
}

func xxd(off int, row []byte) string {
	s := fmt.Sprintf("%08x:", off)
	for i := 0; i < len(row); i += 2 {
		s += fmt.Sprintf(" %x", row[i:min(i+2, len(row))])
	}
	return s + "  ab cd 12 ef"
}

func hexdumpC(off int, row []byte) string {
	n := min(8, len(row))
	return fmt.Sprintf("%08x  % x  % x  |0123 abc|", off, row[:n], row[n:])
}

func wireshark(off int, row []byte) string {
	n := min(8, len(row))
	return fmt.Sprintf("%04x  % x  % x   ...&.. 12", off, row[:n], row[n:])
}

func TestHex(t *testing.T) {
	client, server := exchange()
	for name, in := range map[string]string{
		"bare":      hex.EncodeToString(client) + "\n<" + hex.EncodeToString(server),
		"spaced":    fmt.Sprintf("// a question\n> % x\n# its answer\n< % x\n", client, server),
		"prefixed":  strings.ReplaceAll(fmt.Sprintf("> % #x\n< % #x", client, server), " 0x", ", 0x"),
		"xxd":       dump(client, xxd) + "<\n" + dump(server, xxd),
		"hexdump":   dump(client, hexdumpC) + fmt.Sprintf("%08x\n", len(client)) + "<\n" + dump(server, hexdumpC),
		"wireshark": dump(client, wireshark) + "<\n" + dump(server, wireshark),
		"crlf":      "> " + hex.EncodeToString(client) + "\r\n< " + hex.EncodeToString(server) + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			out, res := decode(t, in, Options{Brief: true})
			if want := (Result{Protocol: "focas", Guessed: true, Frames: 2, Share: transcript.Share{Bytes: 76, Decoded: 76}}); res != want {
				t.Errorf("%+v from\n%s\n%s", res, in, out)
			}
			if !strings.Contains(out, "protocol focas (guessed)") || !strings.Contains(out, "< 1 ") {
				t.Error(out)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	broken := errors.New("cable pulled")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		in   io.Reader
		o    Options
		is   error
		want string
	}{
		"empty":            {t.Context(), strings.NewReader(""), Options{}, ErrInput, "empty"},
		"binary":           {t.Context(), bytes.NewReader([]byte{0xa1, 0xb2, 0xc3, 0xd5, 0}), Options{}, ErrInput, "a1 b2 c3 d5"},
		"prose":            {t.Context(), strings.NewReader("hello there"), Options{}, ErrInput, "line 1: column 1"},
		"half a byte":      {t.Context(), strings.NewReader("a0a0\na0a"), Options{}, ErrInput, "line 2"},
		"star":             {t.Context(), strings.NewReader("00000000  a0 a0\n*\n"), Options{}, ErrInput, "hexdump -v"},
		"unknown name":     {t.Context(), strings.NewReader("a0"), Options{Protocol: "modbus"}, ErrProtocol, "known are focas"},
		"looks like none":  {t.Context(), strings.NewReader("01 02 03"), Options{}, ErrProtocol, "name one of focas"},
		"broken input":     {t.Context(), io.MultiReader(strings.NewReader(strings.Repeat("a0a0 \n", 200)), iotest.ErrReader(broken)), Options{}, broken, "read input"},
		"broken at once":   {t.Context(), iotest.ErrReader(broken), Options{}, broken, "read input"},
		"long line":        {t.Context(), strings.NewReader("a0a0a0a0\n" + strings.Repeat("00", maxHexLine)), Options{}, transcript.ErrLimit, "line 2"},
		"limit":            {t.Context(), strings.NewReader("a0a0a0a0"), Options{Limits: transcript.Limits{Event: 3}}, transcript.ErrLimit, "4 bytes"},
		"cancelled":        {cancelled, strings.NewReader("a0a0a0a0"), Options{}, context.Canceled, "canceled"},
		"broken recording": {t.Context(), strings.NewReader("patchbay transcript 1\n\n> 1 +0 data\n  zz\n"), Options{}, nil, "line 4"},
		"other protocol":   {t.Context(), strings.NewReader("patchbay transcript 1\nprotocol: x\n\n"), Options{}, ErrProtocol, `"x"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decode(c.ctx, c.in, io.Discard, c.o)
			if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v; want %v and %q", err, c.is, c.want)
			}
		})
	}
}

type full struct{ left int }

var errFull = errors.New("disk full")

func (f *full) Write(p []byte) (int, error) {
	if f.left--; f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestOutputErrors(t *testing.T) {
	for n := range 5 {
		if _, err := Decode(t.Context(), strings.NewReader(recording(t)), &full{n}, Options{}); !errors.Is(err, errFull) {
			t.Errorf("after %d writes: %v", n, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	client, server := exchange()
	f.Add([]byte(hex.EncodeToString(client)), false)
	f.Add([]byte(dump(server, xxd)), true)
	f.Add([]byte(dump(server, hexdumpC)), true)
	f.Add([]byte("patchbay transcript 1\n\n< 1 +0 data\n  a0\n"), false)
	f.Fuzz(func(t *testing.T, in []byte, asJSON bool) {
		res, err := Decode(t.Context(), bytes.NewReader(in), io.Discard, Options{Protocol: "focas", JSON: asJSON})
		if err == nil && res.Share.Decoded > res.Share.Bytes {
			t.Fatalf("%+v", res)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	client, server := exchange()
	in := strings.Repeat(fmt.Sprintf("> %x\n< %x\n", client, server), 100)
	b.SetBytes(int64(100 * (len(client) + len(server))))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(context.Background(), strings.NewReader(in), io.Discard, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
