package wire

import (
	"bytes"
	"errors"
	"math"
	"testing"
)

func TestReader(t *testing.T) {
	b := []byte{
		0x01, 0xff, // U8, I8
		0x80, 0x00, 0xff, 0xfe, // U16, I16
		0x80, 0x00, 0x00, 0x01, 0xff, 0xff, 0xff, 0xfd, // U32, I32
		0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, // U64
		0x3f, 0xc0, 0x00, 0x00, // F32
		0x40, 0x09, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18, // F64
		'A', 'B', 0, 'C', // Text
		9, 8, 7, // Skip, Bytes
		6, 5, // Rest
	}
	r := NewReader("Thing", b)
	for _, row := range []struct {
		name      string
		got, want any
	}{
		{"U8", r.U8("a"), uint8(1)}, {"I8", r.I8("b"), int8(-1)},
		{"U16", r.U16("c"), uint16(0x8000)}, {"I16", r.I16("d"), int16(-2)},
		{"U32", r.U32("e"), uint32(0x80000001)}, {"I32", r.I32("f"), int32(-3)},
		{"U64", r.U64("g"), uint64(1<<63 | 2)}, {"F32", r.F32("h"), float32(1.5)}, {"F64", r.F64("i"), math.Pi},
		{"Text", r.Text("j", 4), "AB"},
	} {
		if row.got != row.want {
			t.Errorf("%s: %v, want %v", row.name, row.got, row.want)
		}
	}
	r.Skip("k", 1)
	if got := r.Bytes("l", 2); !bytes.Equal(got, []byte{8, 7}) || cap(got) != 2 {
		t.Errorf("Bytes: %v with room for %d, want 8 7 and no more", got, cap(got))
	}
	if r.Offset() != len(b)-2 || r.Len() != 2 {
		t.Errorf("at %d, %d left", r.Offset(), r.Len())
	}
	if got := r.Rest(); !bytes.Equal(got, []byte{6, 5}) || r.Len() != 0 {
		t.Errorf("Rest: %v", got)
	}
	if got := r.Rest(); got != nil || r.Err() != nil {
		t.Errorf("Rest at the end: %v, %v", got, r.Err())
	}
}

// The first failure stays, names its place, and everything after it reads as zero.
func TestReaderSticks(t *testing.T) {
	r := NewReader("Thing", []byte{1, 2, 3})
	r.U16("first")
	if r.U16("second") != 0 || r.U8("third") != 0 || r.Bytes("fourth", 0) != nil || r.Rest() != nil || r.Text("fifth", 1) != "" {
		t.Error("a failed reader gives something")
	}
	if r.U32("x") != 0 || r.U64("y") != 0 || r.F64("z") != 0 {
		t.Error("a failed reader gives a number")
	}
	var e *Error
	if err := r.Err(); !errors.As(err, &e) || !errors.Is(err, ErrShort) || e.Field != "second" || e.Offset != 2 || e.Message != "Thing" {
		t.Fatalf("%#v", r.Err())
	}
	if got, want := e.Error(), "Thing.second at byte 2: ends too early"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	own := errors.New("odd")
	r.Fail("later", own)
	if errors.Is(r.Err(), own) {
		t.Error("a later failure replaces the first")
	}
	whole := &Error{Message: "Thing", Offset: 7, Err: own}
	if got, want := whole.Error(), "Thing at byte 7: odd"; got != want || !errors.Is(whole, own) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestReaderLengths(t *testing.T) {
	for _, n := range []int{-1, 4, math.MaxInt, math.MinInt} {
		r := NewReader("Thing", []byte{1, 2, 3})
		if got := r.Bytes("b", n); got != nil || !errors.Is(r.Err(), ErrShort) {
			t.Errorf("%d bytes of 3: %v, %v", n, got, r.Err())
		}
	}
	r := NewReader("Thing", nil)
	if got := r.Bytes("b", 0); len(got) != 0 || r.Err() != nil {
		t.Errorf("no bytes of none: %v, %v", got, r.Err())
	}
}

func TestText(t *testing.T) {
	for _, row := range []struct {
		b    string
		want string
	}{{"", ""}, {"AB", "AB"}, {"AB\x00", "AB"}, {"\x00AB", ""}, {"A\x00B\x00", "A"}, {"\xb1\xb2", "\xb1\xb2"}} {
		if got := Text([]byte(row.b)); got != row.want {
			t.Errorf("%q: %q, want %q", row.b, got, row.want)
		}
	}
	for _, row := range []struct {
		s    string
		n    int
		want string
	}{{"AB", 4, "xAB\x00\x00"}, {"ABCD", 2, "xAB"}, {"", 2, "x\x00\x00"}, {"AB", 0, "x"}, {"AB", 2, "xAB"}} {
		if got := string(AppendText([]byte("x"), row.s, row.n)); got != row.want {
			t.Errorf("%q in %d: %q, want %q", row.s, row.n, got, row.want)
		}
	}
	if got := AppendZero([]byte{1}, 2); !bytes.Equal(got, []byte{1, 0, 0}) {
		t.Errorf("AppendZero: %v", got)
	}
	if got := AppendZero([]byte{1}, -5); !bytes.Equal(got, []byte{1}) {
		t.Errorf("AppendZero of less than nothing: %v", got)
	}
}

func TestReaderDoesNotAllocate(t *testing.T) {
	b := make([]byte, 64)
	if n := testing.AllocsPerRun(100, func() {
		r := NewReader("Thing", b)
		r.U16("a")
		r.Bytes("b", 10)
		r.F64("c")
		if r.Err() != nil {
			t.Error(r.Err())
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// FuzzReader: whatever is asked of whatever bytes, the offset never passes the end and a failure never goes away.
func FuzzReader(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4}, []byte{0, 1, 2, 3, 9})
	f.Fuzz(func(t *testing.T, b, plan []byte) {
		r := NewReader("Thing", b)
		failed := false
		for _, op := range plan {
			switch op % 6 {
			case 0:
				r.U8("u8")
			case 1:
				r.U16("u16")
			case 2:
				r.U64("u64")
			case 3:
				r.Bytes("bytes", int(int8(op)))
			case 4:
				r.Text("text", int(op))
			case 5:
				r.Rest()
			}
			if r.Offset() > len(b) || r.Len() < 0 || failed && r.Err() == nil {
				t.Fatalf("at %d of %d, error %v", r.Offset(), len(b), r.Err())
			}
			failed = r.Err() != nil
		}
	})
}
