package devicemaster

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// unhex reads hex with spaces; <16 zeros> stands for sixteen zero bytes.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	s = strings.ReplaceAll(s, "<16 zeros>", strings.Repeat("00", 16))
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return b
}

const (
	c = ToDevice
	d = FromDevice
)

// vector is a string of bytes as it was recorded or as the maker's driver makes it, and what is in it.
type vector struct {
	name string
	dir  Direction
	hex  string
	want []string
}

// vectors: the recorded sessions between the maker's Windows driver and a box, and what the maker's Linux driver sends.
var vectors = []vector{
	{"id request", c, "05 00 08 00 00 00 00 00", []string{"tool id"}},
	{"reset request", c, "0d 00 08 00 00 00 00 00", []string{"tool reset"}},
	{"assign", c, "73", []string{"assign"}},
	{"assigned", d, "74", []string{"assigned"}},
	{"windows start", c, "7b 0a 77 78 00 00 00 fd", []string{"scan-period 10 ms", "link-timeout 120 s", "ping"}},
	{"abbreviated reconnect", c, "7b 0a fd", []string{"scan-period 10 ms", "ping"}},
	{"ping", d, "fd", []string{"ping"}},
	{"linux start", c, "77 78 00 00 00 7c c8", []string{"link-timeout 120 s", "retransmit 200 ms"}},
	{"linux start with scan period", c, "77 78 00 00 00 7b 05 7c c8", []string{"link-timeout 120 s", "scan-period 5 ms", "retransmit 200 ms"}},
	{"open", c, "62 00 76 01", []string{"select port 0", "port 0: status open"}},
	{"opened", d, "62 00 76 10 00 00", []string{"select port 0", "port 0: status opened, none"}},
	{"opened with lines", d, "62 00 76 10 38 00", []string{"select port 0", "port 0: status opened, cd dsr cts"}},
	{"opened with inputs and total", d, "62 00 76 10 00 00 65 00 00 60 00 00",
		[]string{"select port 0", "port 0: status opened, none", "port 0: inputs none", "port 0: total 0"}},
	{"busy", d, "62 00 76 11", []string{"select port 0", "port 0: status busy"}},
	{"windows burst", c, "62 00 60 00 00 66 03 00 63 00 00 64 03 00 70 80 25 00 00 71 11 13 11 13 00 00 75 32",
		[]string{"select port 0", "port 0: total 0", "port 0: action flush-input flush-output", "port 0: line 8N1", "port 0: outputs rts dtr",
			"port 0: baud 9600", "port 0: chars 11 13 11 13 00 00", "port 0: mode rs-232"}},
	{"windows burst at 57600", c, "62 00 60 00 00 66 03 00 63 00 00 64 03 00 70 00 e1 00 00 71 11 13 11 13 00 00 75 32",
		[]string{"select port 0", "port 0: total 0", "port 0: action flush-input flush-output", "port 0: line 8N1", "port 0: outputs rts dtr",
			"port 0: baud 57600", "port 0: chars 11 13 11 13 00 00", "port 0: mode rs-232"}},
	{"idle and rate", c, "62 00 79 01 00 00 00 70 00 e1 00 00", []string{"select port 0", "port 0: idle-timeout 1 ms", "port 0: baud 57600"}},
	{"idle time alone", c, "62 00 79 01 00 00 00", []string{"select port 0", "port 0: idle-timeout 1 ms"}},
	{"rate at the end of the burst", c, "62 00 70 80 25 00 00", []string{"select port 0", "port 0: baud 9600"}},
	{"rate as printed", c, "62 00 70 00 80 25 00", []string{"select port 0", "port 0: baud 2457600"}},
	{"linux burst", c, "62 03 75 32 70 00 c2 01 00 71 11 13 11 13 00 00 63 90 00 64 03 00 79 00 00 00 00 66 03 00",
		[]string{"select port 3", "port 3: mode rs-232", "port 3: baud 115200", "port 3: chars 11 13 11 13 00 00", "port 3: line 8N1 rts/cts",
			"port 3: outputs rts dtr", "port 3: idle-timeout 0 ms", "port 3: action flush-input flush-output"}},
	{"flushed", d, "62 00 67 03 00", []string{"select port 0", "port 0: action-done flush-input flush-output"}},
	{"flushed and total", d, "62 00 67 03 00 60 00 00", []string{"select port 0", "port 0: action-done flush-input flush-output", "port 0: total 0"}},
	{"inputs of another port", d, "62 01 65 38 00", []string{"select port 1", "port 1: inputs cd dsr cts"}},
	{"inputs gone", d, "62 01 65 00 00", []string{"select port 1", "port 1: inputs none"}},
	{"A", c, "62 00 61 01 00 41", []string{"select port 0", "port 0: data 1 byte"}},
	{"A taken", d, "62 00 60 01 00", []string{"select port 0", "port 0: total 1"}},
	{"B", c, "62 00 61 01 00 42", []string{"select port 0", "port 0: data 1 byte"}},
	{"B taken", d, "62 00 60 02 00", []string{"select port 0", "port 0: total 2"}},
	{"hi", c, "62 00 61 02 00 68 69", []string{"select port 0", "port 0: data 2 bytes"}},
	{"hi taken", d, "62 00 60 02 00", []string{"select port 0", "port 0: total 2"}},
	{"zeroed total", d, "62 00 60 00 00", []string{"select port 0", "port 0: total 0"}},
	{"hello", c, "62 00 61 05 00 68 65 6c 6c 6f", []string{"select port 0", "port 0: data 5 bytes"}},
	{"hello taken", d, "62 00 60 07 00", []string{"select port 0", "port 0: total 7"}},
	{"loopback", d, "62 00 60 01 00 62 01 61 01 00 41 7a",
		[]string{"select port 0", "port 0: total 1", "select port 1", "port 1: data 1 byte", "port 1: idle"}},
	{"loopback taken", c, "62 01 60 01 00", []string{"select port 1", "port 1: total 1"}},
	{"idle alone", d, "62 01 7a", []string{"select port 1", "port 1: idle"}},
	{"ok and idle", d, "62 00 61 02 00 6f 6b 7a", []string{"select port 0", "port 0: data 2 bytes", "port 0: idle"}},
	{"overflow", d, "62 00 72 04 00", []string{"select port 0", "port 0: errors overflow"}},
	{"break on", c, "62 00 64 0b 00", []string{"select port 0", "port 0: outputs rts dtr break"}},
	{"break off", c, "62 00 64 03 00", []string{"select port 0", "port 0: outputs rts dtr"}},
	{"windows close", c, "62 00 66 03 00 63 00 00 64 00 00",
		[]string{"select port 0", "port 0: action flush-input flush-output", "port 0: line 8N1", "port 0: outputs none"}},
	{"linux close", c, "62 00 64 00 00 66 03 00 76 02",
		[]string{"select port 0", "port 0: outputs none", "port 0: action flush-input flush-output", "port 0: status close"}},
	{"inputs and closed", d, "62 01 65 00 00 62 00 76 20", []string{"select port 1", "port 1: inputs none", "select port 0", "port 0: status closed"}},
	{"close", c, "62 00 76 02", []string{"select port 0", "port 0: status close"}},
	{"closed", d, "62 00 76 20", []string{"select port 0", "port 0: status closed"}},
	{"release", c, "62 02 78", []string{"select port 2", "port 2: release"}},
	{"released", d, "62 02 76 21", []string{"select port 2", "port 2: status released"}},
	{"total before the wrap", d, "62 00 60 f0 ff", []string{"select port 0", "port 0: total 65520"}},
	{"total behind the wrap", d, "62 00 60 10 00", []string{"select port 0", "port 0: total 16"}},
	{"unknown status", d, "62 02 76 35", []string{"select port 2", "port 2: status status(0x35)"}},
	{"no port", d, "60 01 00", []string{"total 1 (no port is selected)"}},
	{"7E2 both flows", c, "62 04 63 97 18", []string{"select port 4", "port 4: line 7E2 rts/cts xon/xoff"}},
	{"empty block", c, "62 00 61 00 00 fd", []string{"select port 0", "port 0: data 0 bytes", "ping"}},
}

// decoded is everything that comes out of a decoder when the parts are fed one by one.
func decoded(t testing.TB, dir Direction, o DecoderOptions, parts ...[]byte) (texts []string, messages []Message) {
	t.Helper()
	dec := NewDecoder(dir, o)
	for _, p := range parts {
		p = append([]byte(nil), p...)
		dec.Feed(p)
		for {
			m, ok, err := dec.Next()
			if err != nil {
				t.Fatalf("% x: %v", p, err)
			}
			if !ok {
				break
			}
			m.Raw, m.Data = append([]byte(nil), m.Raw...), append([]byte(nil), m.Data...)
			texts, messages = append(texts, m.String()), append(messages, m)
		}
		for i := range p {
			p[i] = 0xee // what is left must be the decoder's own
		}
	}
	if n := dec.Pending(); n != 0 {
		t.Errorf("%d bytes are left over", n)
	}
	return texts, messages
}

// Every string of bytes gives the same messages however it is cut, and each message is written back to its bytes.
func TestVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			b := unhex(t, v.hex)
			for _, strict := range []bool{false, true} {
				o := DecoderOptions{Strict: strict}
				got, whole := decoded(t, v.dir, o, b)
				if !reflect.DeepEqual(got, v.want) {
					t.Fatalf("got %q, want %q", got, v.want)
				}
				var bytewise [][]byte
				for i := range b {
					bytewise = append(bytewise, b[i:i+1])
				}
				if _, m := decoded(t, v.dir, o, bytewise...); !reflect.DeepEqual(m, whole) {
					t.Errorf("byte by byte: %v", m)
				}
				for i := range b {
					if _, m := decoded(t, v.dir, o, b[:i], b[i:]); !reflect.DeepEqual(m, whole) {
						t.Errorf("cut at %d: %v", i, m)
					}
				}
				var again []byte
				for i := range whole {
					m := whole[i]
					again = m.Append(again)
				}
				if fmt.Sprintf("%x", again) != fmt.Sprintf("%x", b) {
					t.Errorf("written back: % x", again)
				}
			}
		})
	}
}

// All vectors of a direction in one stream, cut everywhere.
func TestVectorsTogether(t *testing.T) {
	for _, dir := range []Direction{c, d} {
		var all []byte
		var want []string
		for _, v := range vectors {
			if v.dir == dir && v.name != "no port" {
				all, want = append(all, unhex(t, v.hex)...), append(want, v.want...)
			}
		}
		for i := range all {
			if got, _ := decoded(t, dir, DecoderOptions{}, all[:i], all[i:]); !reflect.DeepEqual(got, want) {
				t.Fatalf("%v cut at %d", dir, i)
			}
		}
	}
}

const idSample = `0a 8d 7a 08 0a 8d 7a 01 00 00 00 00 ff ff ff c0
88 11 61 00 78 ee 1a 00 53 6f 63 6b 65 74 53 65
72 76 65 72 20 31 31 2e 33 34 00 00 00 00 00 00
00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
00 00 00 00 00 00 00 00 00 c0 4e 08 37 f5 00 4c
53 7e 03 08 00 01 07 00 00 01 00 ff 0b 22 00 ff
02 01 01 03 01 2d 04 01 00 05 04 00 00 00 00 06
10 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
00 00 00`

const (
	scanSample    = `a9 8d fd 53 7a 1c b0 de 00 00 2c 00 0c 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00`
	refreshSample = `a9 8d fd 53 7a 1c b0 de 00 00 3d 00 0c 00 16 06 00 c0 4e 08 37 f5 00 00 00 00 00 00 00 00 00 00`
	answerSample  = `a9 8d fd 53 7a 1c b0 de 00 00 2c 00 02 00
16 06 00 c0 4e 08 37 f5  10 00  2b 01 03  2c 04 00 4c 53 7e  2f 01 08  30 01 ff  32 01 01  2d 01 01  2e 01 2d
12 07 43 6f 6d 74 72 6f 6c  13 0c 44 65 76 69 63 65 4d 61 73 74 65 72
14 12 53 6f 63 6b 65 74 53 65 72 76 65 72 20 31 31 2e 33 34  23 00  1a 01 01  1b 01 00  36 01 01
17 04 00 00 00 00  18 04 ff ff ff c0  19 04 0a 8d 7a 01  1c 04 0a 8d 7a 08  1d 04 ff ff ff c0  1e 04 0a 8d 7a 01
27 01 00  28 10 <16 zeros>  2a 10 <16 zeros>  29 01 00  33 10 <16 zeros>  34 01 00  35 10 <16 zeros>  37 04 34 2e 33 31`
)
