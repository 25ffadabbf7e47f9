package rfc2217

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/transcript"
)

// FuzzDecoder: the same comes out whole and byte by byte, what is data survives being encoded again, and the dissector explains
// every byte once.
func FuzzDecoder(f *testing.F) {
	for _, s := range streams {
		f.Add(unhex(f, s.hex), s.nvt)
	}
	for _, v := range vectors {
		f.Add(unhex(f, v.hex), false)
	}
	f.Fuzz(func(t *testing.T, raw []byte, nvt bool) {
		whole := told(&Decoder{NVT: nvt}, raw)
		single := make([][]byte, len(raw))
		for i := range raw {
			single[i] = raw[i : i+1]
		}
		if diff := cmp.Diff(whole, told(&Decoder{NVT: nvt}, single...)); diff != "" {
			t.Error(diff)
		}
		wire := AppendData(nil, raw, nvt)
		d := Decoder{NVT: nvt}
		var back []byte
		for rest := wire; len(rest) > 0; {
			var it Item
			it, rest = d.Next(rest)
			back = append(back, it.Data...)
		}
		if !bytes.Equal(back, raw) {
			t.Errorf("% x comes back as % x", raw, back)
		}
		x, at := NewDissector(), int64(0)
		for _, fr := range append(x.Feed(transcript.FromClient, raw), x.End(transcript.FromClient)...) {
			if fr.Offset != at {
				t.Fatalf("a frame at %d, expected at %d", fr.Offset, at)
			}
			at += int64(fr.Length)
		}
		if at != int64(len(raw)) {
			t.Errorf("%d of %d bytes are in frames", at, len(raw))
		}
	})
}

// FuzzMessage: what can be read is written the same way again.
func FuzzMessage(f *testing.F) {
	for _, v := range vectors {
		raw := unhex(f, v.hex)
		f.Add(raw[3 : len(raw)-2])
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		m, err := ParseMessage(payload)
		if err != nil {
			return
		}
		_ = m.ValueText()
		var d Decoder
		it, _ := d.Next(m.AppendTo(nil))
		if len(payload) <= MaxSub && !bytes.Equal(it.Data, payload) {
			t.Errorf("% x becomes % x", payload, it.Data)
		}
	})
}

// FuzzNegotiator: whatever the peer says, answers are bounded.
func FuzzNegotiator(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 0, 0, 5, 5})
	f.Fuzz(func(t *testing.T, said []byte) {
		n := Negotiator{Accept: func(_ bool, o byte) bool { return o%2 == 0 }}
		answers := 0
		for i, c := range said {
			if i%5 == 4 {
				n.Ask(nil, c&1 == 0, 2, c&2 == 0)
				continue
			}
			out, _ := n.Receive(nil, WILL+c&3, c>>2&3)
			answers += len(out) / 3
		}
		if answers > len(said) {
			t.Errorf("%d answers to %d requests", answers, len(said))
		}
	})
}
