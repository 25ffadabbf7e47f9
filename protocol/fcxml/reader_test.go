package fcxml

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// Junk ends a stream when it goes on for long, and not when a little of it stands between many frames, as behind a server that counts characters.
func TestReaderPassesOverALittleJunkForEver(t *testing.T) {
	const frames, junk = 100, 1000 // more in all than maxJunk
	one := append(AppendMessage(nil, KeepAlive{}), strings.Repeat("x", junk)...)
	r := NewReader(bytes.NewReader(bytes.Repeat(one, frames)))
	for i := range frames {
		if _, err := r.Next(); err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
	}
	if r.Junk() != (frames-1)*junk {
		t.Errorf("%d bytes of junk", r.Junk())
	}
}

// A header that announces much costs no more than what has come behind it, and a long frame leaves no large buffer behind.
func TestReaderBuffer(t *testing.T) {
	const least = 8 << 10
	long := Frame{Payload: bytes.Repeat([]byte{'x'}, MaxPayload)}.Append(nil)
	for _, came := range []int{HeaderSize, 5000, 9000, 40_000, 300_000} {
		r := NewReader(io.MultiReader(bytes.NewReader(long[:came]), iotest.ErrReader(io.ErrNoProgress)))
		if _, err := r.Next(); err != io.ErrNoProgress {
			t.Errorf("%d bytes: %v", came, err)
		}
		if c := cap(r.buf); c > max(least, 4*came) {
			t.Errorf("after %d bytes of %d the buffer has %d", came, len(long), c)
		}
	}
	short := AppendMessage(nil, KeepAlive{})
	long = Frame{Payload: bytes.Repeat([]byte{'x'}, 100<<10)}.Append(nil)
	r := NewReader(iotest.OneByteReader(bytes.NewReader(append(long, bytes.Repeat(short, 1000)...))))
	for range 1001 {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if c := cap(r.buf); c > least {
		t.Errorf("the buffer has still %d bytes", c)
	}
}
