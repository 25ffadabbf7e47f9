package rfc2217

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// told is everything that comes out of a decoder in a form that does not depend on how the bytes were split: runs of data that
// follow one another are one.
func told(d *Decoder, pieces ...[]byte) (out []string) {
	var data []byte
	flush := func() {
		if len(data) > 0 {
			out = append(out, fmt.Sprintf("data % x", data))
			data = nil
		}
	}
	for _, p := range pieces {
		rest := bytes.Clone(p)
		for len(rest) > 0 {
			var it Item
			it, rest = d.Next(rest)
			switch it.Kind {
			case None:
			case Data:
				data = append(data, it.Data...)
			case Negotiate:
				flush()
				out = append(out, VerbName(it.Verb)+" "+OptionName(it.Option))
			case Sub:
				flush()
				out = append(out, fmt.Sprintf("sub %d % x", it.Option, it.Data))
			case Command:
				flush()
				out = append(out, VerbName(it.Verb))
			case TooLong:
				flush()
				out = append(out, fmt.Sprintf("too long %d", it.Option))
			case Malformed:
				flush()
				out = append(out, fmt.Sprintf("malformed %d %s", it.Option, VerbName(it.Verb)))
			}
		}
	}
	flush()
	return out
}

var streams = []struct {
	name, hex string
	nvt       bool
	want      []string
}{
	{"data", "61 62 00 0d 0a", false, []string{"data 61 62 00 0d 0a"}},
	{"doubled IAC", "61 ff ff 62 ff ff ff ff", false, []string{"data 61 ff 62 ff ff"}},
	{"pyserial opens (seen)", "ff fd 01 ff fb 03 ff fd 03 ff fd 2c ff fb 2c", false,
		[]string{"DO ECHO", "WILL SUPPRESS-GO-AHEAD", "DO SUPPRESS-GO-AHEAD", "DO COM-PORT-OPTION", "WILL COM-PORT-OPTION"}},
	{"data around a command", "61 ff fa 2c 0c 03 ff f0 62", false, []string{"data 61", "sub 44 0c 03", "data 62"}},
	{"doubled IAC in a sub", "ff fa 2c 0b ff ff ff f0", false, []string{"sub 44 0b ff"}},
	{"commands", "ff f1 61 ff f6 ff f0 ff 05", false, []string{"NOP", "data 61", "AYT", "SE", "command 5"}},
	{"an empty sub", "ff fa 18 ff f0", false, []string{"sub 24 "}},
	{"a sub that is broken off", "ff fa 2c 01 00 ff fb 61 62", false, []string{"malformed 44 WILL", "data 61 62"}},
	{"the longest sub", "ff fa 2c" + strings.Repeat("41", MaxSub) + "ff f0 62", false, []string{"sub 44 " + strings.TrimSpace(strings.Repeat("41 ", MaxSub)), "data 62"}},
	{"a sub that is too long", "ff fa 2c" + strings.Repeat("41", MaxSub+1) + "ff f0 62", false, []string{"too long 44", "data 62"}},
	{"a NUL behind CR is data in binary", "0d 00 61", false, []string{"data 0d 00 61"}},
	{"a NUL behind CR is none in NVT", "0d 00 61 00 0d 0a 0d 00 00", true, []string{"data 0d 61 00 0d 0a 0d 00"}},
	{"IAC between CR and NUL", "0d ff ff 00", true, []string{"data 0d ff 00"}},
}

// However a stream is split, the same comes out.
func TestStreams(t *testing.T) {
	for _, s := range streams {
		t.Run(s.name, func(t *testing.T) {
			raw := unhex(t, s.hex)
			check := func(how string, pieces ...[]byte) {
				t.Helper()
				d := Decoder{NVT: s.nvt}
				if diff := cmp.Diff(s.want, told(&d, pieces...)); diff != "" {
					t.Errorf("%s: %s", how, diff)
				}
				if d.Inside() {
					t.Errorf("%s: ends inside a command", how)
				}
			}
			check("whole", raw)
			for i := range raw {
				check(fmt.Sprint("split at ", i), raw[:i], raw[i:])
			}
			single := make([][]byte, len(raw))
			for i := range raw {
				single[i] = raw[i : i+1]
			}
			check("byte by byte", single...)
		})
	}
}

func TestDataOfEveryByte(t *testing.T) {
	all := make([]byte, 3*256)
	for i := range all {
		all[i] = byte(i / 3)
	}
	for _, nvt := range []bool{false, true} {
		wire := AppendData(nil, all, nvt)
		d := Decoder{NVT: nvt}
		var got []byte
		for rest := wire; len(rest) > 0; {
			var it Item
			it, rest = d.Next(rest)
			got = append(got, it.Data...)
		}
		if !bytes.Equal(got, all) {
			t.Errorf("nvt %v: %d bytes become % x", nvt, len(all), got)
		}
	}
	if n := EscapedLen(all); n != len(all)+3 {
		t.Errorf("EscapedLen is %d", n)
	}
}

func TestTheDataPathDoesNotAllocate(t *testing.T) {
	data := bytes.Repeat([]byte{1, 2, 255, 3}, 256)
	buf := make([]byte, 0, 4096)
	wire := AppendData(nil, data, false)
	in := make([]byte, len(wire))
	var d Decoder
	if n := testing.AllocsPerRun(100, func() {
		buf = AppendData(buf[:0], data, false)
		copy(in, wire)
		for rest := in; len(rest) > 0; {
			_, rest = d.Next(rest)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	m := Message{Code: SetBaudRate, Value: 0xffffffff}
	sub := m.AppendTo(nil)
	if n := testing.AllocsPerRun(100, func() {
		buf = m.AppendTo(buf[:0])
		copy(in, sub)
		it, _ := d.Next(in[:len(sub)])
		if got, err := ParseMessage(it.Data); err != nil || got.Value != m.Value {
			t.Error(got, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a message", n)
	}
}

func BenchmarkDecodeData(b *testing.B) {
	data := make([]byte, 4096)
	for i := range data {
		data[i] = byte(i)
	}
	wire := AppendData(nil, data, false)
	in := make([]byte, len(wire))
	var d Decoder
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		copy(in, wire)
		for rest := in; len(rest) > 0; {
			_, rest = d.Next(rest)
		}
	}
}

func BenchmarkEncodeData(b *testing.B) {
	data := make([]byte, 4096)
	for i := range data {
		data[i] = byte(i)
	}
	out := make([]byte, 0, 8192)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		out = AppendData(out[:0], data, false)
	}
}

func BenchmarkMessage(b *testing.B) {
	raw := (&Message{Code: SetBaudRate, Value: 115200}).AppendTo(nil)
	in := make([]byte, len(raw))
	var d Decoder
	b.ReportAllocs()
	for b.Loop() {
		copy(in, raw)
		it, _ := d.Next(in)
		if _, err := ParseMessage(it.Data); err != nil {
			b.Fatal(err)
		}
	}
}
