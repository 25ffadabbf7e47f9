package devicemaster

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/patchbay-io/patchbay/transcript"
)

// FuzzDecoder: no input makes the decoder fail otherwise than by its errors, and where messages begin does not depend on
// how the bytes were cut.
func FuzzDecoder(f *testing.F) {
	for _, v := range vectors {
		f.Add(v.dir == FromDevice, unhex(f, v.hex), uint(3))
	}
	f.Add(true, AppendData(nil, make([]byte, 65535)), uint(70))
	f.Add(false, unhex(f, "00 05 00 07 00"), uint(1))
	f.Fuzz(func(t *testing.T, fromDevice bool, b []byte, cut uint) {
		dir := ToDevice
		if fromDevice {
			dir = FromDevice
		}
		run := func(parts ...[]byte) (out []Message, err error) {
			dec := NewDecoder(dir, DecoderOptions{Strict: true})
			total := 0
			for _, p := range parts {
				dec.Feed(p)
				for {
					m, ok, e := dec.Next()
					if e != nil {
						return out, e
					}
					if !ok {
						break
					}
					total += len(m.Raw)
					if again := m.Append(nil); !bytes.Equal(again, m.Raw) {
						t.Fatalf("% x is written back as % x", m.Raw, again)
					}
					_ = m.String()
					m.Raw, m.Data = bytes.Clone(m.Raw), bytes.Clone(m.Data)
					out = append(out, m)
				}
			}
			if total+int(dec.Stats().Zeros)+dec.Pending() != len(b) {
				t.Fatalf("%d bytes of messages, %d zeros and %d pending of %d", total, dec.Stats().Zeros, dec.Pending(), len(b))
			}
			return out, nil
		}
		at := int(cut % uint(len(b)+1))
		whole, err := run(b)
		split, err2 := run(b[:at], b[at:])
		if (err == nil) != (err2 == nil) || !reflect.DeepEqual(whole, split) {
			t.Fatalf("cut at %d: %v, %v; %v, %v", at, whole, err, split, err2)
		}
		tolerant := NewDecoder(dir, DecoderOptions{})
		tolerant.Feed(b)
		for range len(b) + 1 {
			if _, ok, err := tolerant.Next(); !ok && err == nil {
				return
			}
		}
		t.Fatal("the tolerant decoder does not come to an end")
	})
}

func FuzzIDResponse(f *testing.F) {
	b := unhex(f, idSample)
	for _, n := range []int{94, 105, 106, 112, 147} {
		f.Add(b[:n])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, done := ScanIDResponse(b)
		if n > len(b) || done && n > len(b) {
			t.Fatalf("%d of %d bytes", n, len(b))
		}
		r, err := ParseIDResponse(b)
		if err != nil {
			return
		}
		if got := r.Append(nil); !bytes.Equal(got, b) {
			t.Fatalf("% x is written back as % x", b, got)
		}
	})
}

func FuzzDiscovery(f *testing.F) {
	for _, s := range []string{scanSample, refreshSample, answerSample} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseDiscovery(b)
		if err != nil {
			return
		}
		if got := m.Append(nil); !bytes.Equal(got, b) {
			t.Fatalf("% x is written back as % x", b, got)
		}
		m.MAC()
		for _, tag := range m.Tags {
			m.IPv4(tag.Tag)
			m.Uint(tag.Tag)
			m.Text(tag.Tag)
		}
	})
}

// FuzzDissector: frames lie one behind the other and explain only bytes that are theirs.
func FuzzDissector(f *testing.F) {
	f.Add(unhex(f, "05 00 08 00 00 00 00 00 73"), unhex(f, idSample+"74"))
	f.Add(unhex(f, scanSample), unhex(f, answerSample))
	f.Fuzz(func(t *testing.T, client, server []byte) {
		dis := NewDissector()
		at := map[transcript.Direction]int64{}
		check := func(dir transcript.Direction, frames []transcript.Frame) {
			for _, fr := range frames {
				if fr.Offset != at[dir] {
					t.Fatalf("%s begins at %d, not %d", fr.Summary, fr.Offset, at[dir])
				}
				at[dir] += int64(fr.Length)
				for _, x := range fr.Fields {
					if x.Offset < 0 || x.Offset+x.Length > fr.Length {
						t.Fatalf("%s: %+v", fr.Summary, x)
					}
				}
				for _, u := range fr.Unknown {
					if u.Offset < 0 || u.Offset+u.Length > fr.Length {
						t.Fatalf("%s: %+v", fr.Summary, u)
					}
				}
			}
		}
		check(transcript.FromClient, dis.Feed(transcript.FromClient, client))
		check(transcript.FromServer, dis.Feed(transcript.FromServer, server))
		check(transcript.FromClient, dis.End(transcript.FromClient))
		check(transcript.FromServer, dis.End(transcript.FromServer))
		if at[transcript.FromClient] != int64(len(client)) || at[transcript.FromServer] != int64(len(server)) {
			t.Fatalf("%v of %d and %d bytes", at, len(client), len(server))
		}
	})
}
