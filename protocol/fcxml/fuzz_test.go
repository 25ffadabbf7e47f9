package fcxml

import (
	"bytes"
	"io"
	"testing"

	"github.com/patchbay-io/patchbay/transcript"
)

// FuzzParse: what is read is written so that it reads the same, and is never larger than it came.
func FuzzParse(f *testing.F) {
	for _, v := range vectors {
		f.Add([]byte(v.frame[HeaderSize:]))
	}
	f.Add([]byte(small))
	f.Add([]byte(`<!DOCTYPE l [<!ENTITY a "ha">]><l>&a;</l>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		once := m.AppendXML(nil)
		again, err := Parse(once)
		if err != nil {
			t.Fatalf("%q becomes %q, which cannot be read: %v", b, once, err)
		}
		if twice := again.AppendXML(nil); !bytes.Equal(once, twice) {
			t.Fatalf("%q and %q", once, twice)
		}
		if a, ok := m.(DeviceArrival); ok {
			for _, d := range a.Devices {
				if s, err := NewSchema(d); err == nil {
					for i := range s.Items {
						if s.ByPath(s.Items[i].Path) != &s.Items[i] {
							t.Fatalf("path %s stands for two items", s.Items[i].Path)
						}
					}
				}
			}
		}
	})
}

// FuzzReader: a stream ends, whatever it holds, and gives the same frames however it comes.
func FuzzReader(f *testing.F) {
	var all []byte
	for _, v := range vectors {
		f.Add([]byte(v.frame), uint8(1))
		all = append(all, v.frame...)
	}
	f.Add(all, uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, size uint8) {
		whole, junk, err := readAll(bytes.NewReader(b))
		cut, junk2, err2 := readAll(&chunks{b, int(size)%40 + 1})
		if len(whole) != len(cut) || err != err2 || err == io.EOF && junk != junk2 {
			t.Fatalf("%d frames and %v at once, %d and %v in pieces", len(whole), err, len(cut), err2)
		}
		d := NewDissector()
		n := 0
		for _, fr := range append(d.Feed(transcript.FromServer, b), d.End(transcript.FromServer)...) {
			n += fr.Length
		}
		if n != len(b) {
			t.Fatalf("the dissector explains %d of %d bytes", n, len(b))
		}
	})
}

type chunks struct {
	b []byte
	n int
}

func (c *chunks) Read(p []byte) (int, error) {
	n := copy(p[:min(len(p), c.n)], c.b)
	c.b = c.b[n:]
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}
