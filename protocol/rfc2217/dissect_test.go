package rfc2217

import (
	"bytes"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/transcript"
)

// Every byte is in exactly one frame, in order, however the recording was split.
func TestDissectorCoversEveryByte(t *testing.T) {
	for _, s := range streams {
		raw := unhex(t, s.hex)
		for _, size := range []int{1, 2, 3, 7, len(raw)} {
			d := NewDissector()
			at := int64(0)
			var all []transcript.Frame
			for rest := raw; len(rest) > 0; {
				n := min(size, len(rest))
				all = append(all, d.Feed(transcript.FromServer, rest[:n])...)
				rest = rest[n:]
			}
			all = append(all, d.End(transcript.FromServer)...)
			for _, f := range all {
				if f.Offset != at || f.Length <= 0 {
					t.Fatalf("%s in pieces of %d: frame at %d of %d, expected at %d", s.name, size, f.Offset, f.Length, at)
				}
				for _, x := range f.Fields {
					if x.Offset < 0 || x.Length < 0 || x.Offset+x.Length > f.Length {
						t.Errorf("%s: field %s is outside its frame", s.name, x.Name)
					}
				}
				at += int64(f.Length)
			}
			if at != int64(len(raw)) {
				t.Errorf("%s in pieces of %d: %d of %d bytes", s.name, size, at, len(raw))
			}
		}
	}
}

func TestDissectorSummaries(t *testing.T) {
	for _, row := range []struct{ hex, want string }{
		{"68 69", `data "hi"`}, {strings.Repeat("0d ", 41), `data "` + strings.Repeat(`\r`, 40) + `"… of 41 bytes`}, {"ff fb 2c", "WILL COM-PORT-OPTION"}, {"ff f6", "AYT"},
		{"ff fa 2c 01 00 00 e1 00 ff f0", "SET-BAUDRATE 57600"}, {"ff fa 2c 65 00 00 00 00 ff f0", "SET-BAUDRATE (answer) which?"},
		{"ff fa 2c 05 08 ff f0", "SET-CONTROL DTR on"}, {"ff fa 2c 6b 30 ff f0", "NOTIFY-MODEMSTATE (answer) CTS, DSR"},
		{"ff fa 2c 64 68 69 ff f0", `SIGNATURE (answer) "hi"`}, {"ff fa 2c 08 ff f0", "FLOWCONTROL-SUSPEND"}, {"ff fa 2c 07 ff f0", "NOTIFY-MODEMSTATE"},
		{"ff fa 2c 00 ff f0", "SIGNATURE which?"}, {"ff fa 2c 0b ff ff ff f0", "SET-MODEMSTATE-MASK all"}, {"ff fa 2c 07 00 ff f0", "NOTIFY-MODEMSTATE which?"},
		{"ff fa 2c 03 00 ff f0", "SET-PARITY which?"}, {"ff fa 2c 04 02 ff f0", "SET-STOPSIZE 2"}, {"ff fa 2c 6a 00 ff f0", "NOTIFY-LINESTATE (answer) none"},
		{"ff fa 18 01 ff f0", "TERMINAL-TYPE sub-negotiation"},
	} {
		d := NewDissector()
		f := d.Feed(transcript.FromClient, unhex(t, row.hex))
		if len(f) != 1 || f[0].Summary != row.want || f[0].Err != nil || f[0].Decoded() != f[0].Length {
			t.Errorf("%s: %+v, want %q", row.hex, f, row.want)
		}
	}
	for _, row := range []struct{ hex, want string }{
		{"ff fa 2c 63 ff f0", "sub-command 99"}, {"ff fa 2c 01 ff f0", "needs 4"}, {"ff fa 2c 01 ff fb", "IAC WILL inside"},
		{"ff fa 2c" + strings.Repeat("00", MaxSub+1) + "ff f0", "more than 512"}, {"ff fa 2c 01", "ends inside"}, {"ff", "ends inside"},
	} {
		d := NewDissector()
		f := append(d.Feed(transcript.FromClient, unhex(t, row.hex)), d.End(transcript.FromClient)...)
		if len(f) != 1 || f[0].Err == nil || !strings.Contains(f[0].Err.Error(), row.want) || f[0].Decoded() != 0 {
			t.Errorf("%s: %+v, want %q", row.hex, f, row.want)
		}
	}
}

func TestDissectorKeepsNothingOfItsInput(t *testing.T) {
	d := NewDissector()
	raw := unhex(t, "61 ff ff 62")
	before := bytes.Clone(raw)
	d.Feed(transcript.FromClient, raw)
	if !bytes.Equal(raw, before) {
		t.Errorf("the recording was changed to % x", raw)
	}
}
