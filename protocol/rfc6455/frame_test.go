package rfc6455

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		wire := unhex(t, v.wire)
		f, rest, err := ParseFrame(append(wire[:len(wire):len(wire)], 0xee), 0)
		if errors.Is(v.err, ErrShort) {
			f, rest, err = ParseFrame(wire, 0)
		}
		if !errors.Is(err, v.err) {
			t.Errorf("%s: %v, want %v", v.name, err, v.err)
		}
		if d := cmp.Diff(v.frame, f, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s: -want +got\n%s", v.name, d)
		}
		whole := err == nil || errors.Is(err, ErrReserved) || errors.Is(err, ErrControl) || errors.Is(err, ErrLength)
		if whole && !bytes.Equal(rest, []byte{0xee}) || !whole && len(rest) < len(wire) {
			t.Errorf("%s: %d bytes are left", v.name, len(rest))
		}
		if again := f.Append(nil); v.err == nil && !bytes.Equal(again, wire) {
			t.Errorf("%s: written as % x", v.name, again[:min(len(again), 20)])
		}
	}
}

// A frame that is cut anywhere is not whole, and nothing else.
func TestCutFrames(t *testing.T) {
	for _, v := range vectors[:7] {
		wire := unhex(t, v.wire)
		for n := range wire {
			if _, rest, err := ParseFrame(wire[:n], 0); !errors.Is(err, ErrShort) || len(rest) != n {
				t.Errorf("%s, %d bytes of it: %v", v.name, n, err)
			}
		}
	}
}

func TestCloseAndAccept(t *testing.T) {
	for _, row := range []struct {
		payload, reason string
		code            uint16
		err             error
	}{{"", "", NoStatus, nil}, {"\x03\xe8", "", 1000, nil}, {"\x03\xe9bye", "bye", 1001, nil}, {"\x03", "", 0, ErrClose}, {"\x03\xe8\xff", "", 0, ErrClose}} {
		if code, reason, err := ParseClose([]byte(row.payload)); code != row.code || reason != row.reason || !errors.Is(err, row.err) {
			t.Errorf("%q: %d %q %v", row.payload, code, reason, err)
		}
	}
	if got := Accept("dGhlIHNhbXBsZSBub25jZQ=="); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" { // the example of section 1.3
		t.Error(got)
	}
}

// FuzzFrame: what is read is written and read again the same way, and a mask taken off twice is none.
func FuzzFrame(f *testing.F) {
	for _, v := range vectors {
		if w := unhex(f, v.wire); len(w) < 1000 {
			f.Add(w)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, rest, err := ParseFrame(b, 1000)
		if err != nil {
			return
		}
		wire := frame.Append(nil)
		if !bytes.Equal(wire, b[:len(b)-len(rest)]) {
			t.Fatalf("% x is written as % x", b[:len(b)-len(rest)], wire)
		}
		again, left, err := ParseFrame(wire, 1000)
		if err != nil || len(left) != 0 || !cmp.Equal(frame, again, cmpopts.EquateEmpty()) {
			t.Fatalf("%+v comes back as %+v, %v", frame, again, err)
		}
		p := bytes.Clone(frame.Payload)
		Mask(frame.Mask, 3, p)
		Mask(frame.Mask, 3, p)
		if !bytes.Equal(p, frame.Payload) {
			t.Error("a mask does not come off")
		}
	})
}
