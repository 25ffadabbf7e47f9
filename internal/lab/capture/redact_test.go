package capture

import (
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/transcript"
)

// redacted sends pieces from a client through a relay and returns what the device got and what was recorded.
func redacted(t *testing.T, words []string, pause time.Duration, pieces ...string) (passed, recorded string, tr *transcript.Transcript, r *Redaction) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var err error
		if r, err = ParseRedaction(words); err != nil {
			t.Fatal(err)
		}
		b := startBench(t, func(o *Options) { o.Redact = r })
		c, d := b.connect(t)
		for _, p := range pieces {
			c.Write([]byte(p))
			expect(t, d, p)
			passed += p
			time.Sleep(pause)
			if pause > 0 {
				synctest.Wait()
			}
		}
		c.(*testnet.Conn).CloseWrite()
		if _, err := d.Read(make([]byte, 1)); err == nil {
			t.Error("more than was sent arrived")
		}
		d.Close()
		synctest.Wait()
		tr = b.end(t)
		recorded = string(tr.Bytes(1, transcript.FromClient))
		packets(t, b.pcap.Bytes())
		for _, p := range []string{"NC-4711", "10.20.30.40"} {
			if strings.Contains(b.pcap.String(), p) || strings.Contains(b.text.String(), p) {
				t.Errorf("%q is in a file", p)
			}
		}
	})
	return passed, recorded, tr, r
}

func TestRedact(t *testing.T) {
	bytewise := strings.Split("id NC-4711 at 10.20.30.40!", "")
	for name, c := range map[string]struct {
		words  []string
		pause  time.Duration
		pieces []string
		want   string
	}{
		"text":           {[]string{"text:NC-4711"}, 0, []string{"id NC-4711."}, "id XX-XXXX."},
		"twice":          {[]string{"text:NC-4711"}, 0, []string{"NC-4711NC-4711"}, "XX-XXXXXX-XXXX"},
		"longest first":  {[]string{"text:NC-4", "text:NC-4711"}, 0, []string{"NC-4711"}, "XX-XXXX"},
		"nearly":         {[]string{"text:NC-4711"}, 0, []string{"NC-47NC-47 12"}, "NC-47NC-47 12"},
		"one by one":     {[]string{"text:NC-4711", "addresses"}, 0, bytewise, "id XX-XXXX at 00.00.00.00!"},
		"slowly":         {[]string{"text:NC-4711", "addresses"}, 20 * time.Millisecond, []string{"id NC-47", "11 at 10.20.30.4", "0!"}, "id XX-XXXX at 00.00.00.00!"},
		"too slowly":     {[]string{"text:NC-4711"}, time.Second, []string{"id NC-47", "11."}, "id XX-XXXX."},
		"unended":        {[]string{"addresses"}, 0, []string{"10.20.30.4"}, "00.00.00.0"},
		"address bytes":  {[]string{"address:192.0.2.99"}, 0, []string{"\xc0\x00\x02\x63\xc0"}, "\x00\x00\x00\x00\xc0"},
		"device's bytes": {[]string{"addresses"}, 0, []string{"\xc0\x00\x02\x15"}, "\x00\x00\x00\x00"},
		"macs":           {[]string{"macs"}, 0, []string{"00:E0:e4:01:02:03 00-e0-e4-01-02-03 00:e0-x"}, "00:00:00:00:00:00 00-00-00-00-00-00 00:e0-x"},
		"mac":            {[]string{"mac:00:e0:e4:01:02:03"}, 0, []string{"\x00\xe0\xe4\x01\x02\x03 00E0E4010203"}, "\x00\x00\x00\x00\x00\x00 000000000000"},
		"serial":         {[]string{"serial:0a0b-0c0d"}, 0, []string{"0a0b-0c0d \x0a\x0b\x0c\x0d"}, "XXXX-XXXX \x00\x00\x00\x00"},
		"hex":            {[]string{"hex:01 02"}, 0, []string{"\x01\x02\x01"}, "\x00\x00\x01"},
		"nothing":        {[]string{"text:zzz"}, 0, []string{"1.2.3", ".x"}, "1.2.3.x"},
	} {
		t.Run(name, func(t *testing.T) {
			passed, recorded, _, r := redacted(t, c.words, c.pause, c.pieces...)
			if recorded != c.want {
				t.Errorf("recorded %q, want %q", recorded, c.want)
			}
			if passed != strings.Join(c.pieces, "") {
				t.Errorf("passed on %q", passed)
			}
			if name != "nothing" && name != "nearly" && r.Counts() == "" {
				t.Error("nothing is counted")
			}
		})
	}
}

func TestRedactHeaders(t *testing.T) {
	_, _, tr, r := redacted(t, []string{"addresses", "text:NC-4711", "text:other"}, 0, "x")
	if got := said(tr)[0]; got != "= open tcp 198.51.100.1:8193" {
		t.Error(got)
	}
	if r.String() != "all addresses, 2 given texts; replaced by as many bytes" {
		t.Error(r)
	}
}

// Events keep their order and their pieces while a text may be unfinished.
func TestRedactKeepsOrder(t *testing.T) {
	r, err := ParseRedaction([]string{"text:secret"})
	if err != nil {
		t.Fatal(err)
	}
	f := &Flow{ID: 1, Network: "tcp"}
	put := func(dir transcript.Direction, s string) item {
		return item{f, transcript.Event{Flow: 1, Dir: dir, Kind: transcript.Data, Data: []byte(s)}}
	}
	out := r.pass([]item{put('>', "a"), put('>', "my sec"), put('<', "pardon"), put('>', "ret"), put('<', "se")}, 0, false)
	mask := strings.Repeat("X", 3)
	if len(out) != 4 || string(out[1].event.Data) != "my "+mask || string(out[3].event.Data) != mask || !r.holding() {
		t.Fatalf("%d events: %v", len(out), out)
	}
	out = r.pass(nil, holdTime, false)
	if len(out) != 1 || string(out[0].event.Data) != "se" || r.holding() {
		t.Fatalf("%d events: %v", len(out), out)
	}
}

func TestParseRedaction(t *testing.T) {
	for word, want := range map[string]string{
		"serials": "serial:VALUE", "text:": "nothing stands", "mac:xx": "no MAC", "address:mill1": "text:mill1", "hex:0": "not hex", "colour:red": "the kinds are",
	} {
		if _, err := ParseRedaction([]string{word}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", word, err)
		}
	}
	if r, err := ParseRedaction(nil); r != nil || err != nil || r.String() != "" || r.Counts() != "" || r.holding() {
		t.Error(r, err)
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("id NC-4711 at 10.20.30.40 00:e0:e4:01:02:03", uint8(3))
	f.Add("NC-47NC-4711NC", uint8(1))
	f.Fuzz(func(t *testing.T, s string, step uint8) {
		r, err := ParseRedaction([]string{"addresses", "macs", "text:NC-4711"})
		if err != nil {
			t.Fatal(err)
		}
		fl := &Flow{ID: 1, Network: "tcp", Server: addrPort(&net.TCPAddr{IP: net.IPv4(10, 9, 8, 7), Port: 1})}
		var got []byte
		for rest := s; rest != ""; {
			n := min(int(step)+1, len(rest))
			for _, it := range r.pass([]item{{fl, transcript.Event{Flow: 1, Dir: transcript.FromClient, Kind: transcript.Data, Data: []byte(rest[:n])}}}, 0, false) {
				got = append(got, it.event.Data...)
			}
			rest = rest[n:]
		}
		for _, it := range r.pass(nil, 0, true) {
			got = append(got, it.event.Data...)
		}
		if len(got) != len(s) {
			t.Fatalf("%d bytes of %d", len(got), len(s))
		}
		if strings.Contains(string(got), "NC-4711") || strings.Contains(string(got), "\x0a\x09\x08\x07") {
			t.Fatalf("%q of %q", got, s)
		}
	})
}
