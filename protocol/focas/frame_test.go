package focas

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// unhex is the bytes of a hexadecimal text; blanks are ignored.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(string(bytes.ReplaceAll([]byte(s), []byte(" "), nil)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParseHeader(t *testing.T) {
	for _, row := range []struct {
		name, bytes string
		want        Header
		err         error
	}{
		{"open request", "a0a0a0a0 0001 0101 0002", Header{1, TypeOpen, DirRequest, 2}, nil},
		{"data reply", "a0a0a0a0 0003 2102 0044", Header{3, TypeData, DirReply, 0x44}, nil},
		{"push", "a0a0a0a0 0003 1604 0500", Header{3, TypeUploadData, DirPush, 0x500}, nil},
		{"unknown type", "a0a0a0a0 0003 7f02 0000", Header{3, 0x7f, DirReply, 0}, nil},
		{"largest body of version 2", "a0a0a0a0 0002 2102 05aa", Header{2, TypeData, DirReply, 1450}, nil},
		{"one more for version 2", "a0a0a0a0 0002 2102 05ab", Header{2, TypeData, DirReply, 1451}, ErrTooLong},
		{"largest body of version 3", "a0a0a0a0 0003 2102 0b5e", Header{3, TypeData, DirReply, 2910}, nil},
		{"one more for version 3", "a0a0a0a0 0003 2102 0b5f", Header{3, TypeData, DirReply, 2911}, ErrTooLong},
		{"one more for version 4", "a0a0a0a0 0004 2102 0d8f", Header{4, TypeData, DirReply, 3471}, ErrTooLong},
		{"largest body of version 5", "a0a0a0a0 0005 2102 1356", Header{5, TypeData, DirReply, 4950}, nil},
		{"one more for version 9", "a0a0a0a0 0009 2102 1357", Header{9, TypeData, DirReply, 4951}, ErrTooLong},
		{"wrong mark", "a0a0a0a1 0003 2102 0000", Header{}, ErrMark},
		{"HTTP", "485454502f312e312034", Header{}, ErrMark},
		{"direction 0", "a0a0a0a0 0003 2100 0000", Header{3, TypeData, 0, 0}, ErrDirection},
		{"direction 5", "a0a0a0a0 0003 2105 0000", Header{3, TypeData, 5, 0}, ErrDirection},
		{"nine bytes", "a0a0a0a0 0003 2102 00", Header{}, ErrShort},
		{"nothing", "", Header{}, ErrShort},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := unhex(t, row.bytes)
			h, err := ParseHeader(b)
			if !errors.Is(err, row.err) || h != row.want {
				t.Fatalf("ParseHeader = %+v, %v; want %+v, %v", h, err, row.want, row.err)
			}
			if err == nil && !bytes.Equal(AppendHeader(nil, h.Version, h.Type, h.Dir, int(h.Length)), b) {
				t.Error("the header does not append as the same bytes")
			}
		})
	}
}

func TestParseFrame(t *testing.T) {
	two := unhex(t, "a0a0a0a0 0003 2102 0002 0000 a0a0a0a0 0003 0202 0000")
	first, rest, err := ParseFrame(two)
	if err != nil || !bytes.Equal(first.Body, []byte{0, 0}) {
		t.Fatalf("first frame: %+v, %v", first, err)
	}
	second, rest, err := ParseFrame(rest)
	if err != nil || len(rest) != 0 || second.Type != TypeClose || len(second.Body) != 0 {
		t.Fatalf("second frame: %+v, %d bytes left, %v", second, len(rest), err)
	}
	if got := second.Append(first.Append(nil)); !bytes.Equal(got, two) {
		t.Errorf("appended %x, want %x", got, two)
	}
	for n := range 12 {
		if _, rest, err := ParseFrame(two[:n]); !errors.Is(err, ErrShort) || len(rest) != n {
			t.Errorf("%d bytes: %v with %d bytes left, want ErrShort and all of them", n, err, len(rest))
		}
	}
}

func TestFrameReader(t *testing.T) {
	big := Frame{Header{5, TypeData, DirReply, 0}, bytes.Repeat([]byte{7}, 4950)}
	stream := big.Append(unhex(t, "a0a0a0a0 0003 2102 0002 0000 a0a0a0a0 0003 0202 0000"))
	for name, r := range map[string]io.Reader{
		"at once":               bytes.NewReader(stream),
		"one byte at a time":    iotest.OneByteReader(bytes.NewReader(stream)),
		"end with the last":     iotest.DataErrReader(bytes.NewReader(stream)),
		"half of what is asked": iotest.HalfReader(bytes.NewReader(stream)),
	} {
		t.Run(name, func(t *testing.T) {
			fr := NewFrameReader(r)
			var out []byte
			for range 3 {
				f, err := fr.Next()
				if err != nil {
					t.Fatal(err)
				}
				out = f.Append(out)
			}
			if !bytes.Equal(out, stream) {
				t.Error("frames do not append as the stream")
			}
			if _, err := fr.Next(); err != io.EOF {
				t.Errorf("at the end: %v, want io.EOF", err)
			}
		})
	}
	for n := 1; n < 12; n++ {
		if _, err := NewFrameReader(bytes.NewReader(stream[:n])).Next(); err != io.ErrUnexpectedEOF {
			t.Errorf("a stream cut after %d bytes: %v, want io.ErrUnexpectedEOF", n, err)
		}
	}
}

func TestBlocks(t *testing.T) {
	const good = "0012 0001 0001 00e1 0000 0000 0000 0002 0002"
	for _, row := range []struct {
		name, body string
		ok         bool
	}{
		{"one", "0001" + good, true},
		{"two", "0002" + good + good, true},
		{"none", "0000", true},
		{"no count", "00", false},
		{"empty body", "", false},
		{"count above the blocks", "0002" + good, false},
		{"count far above the blocks", "ffff" + good, false},
		{"count below the blocks", "0001" + good + good, false},
		{"bytes after the last", "0001" + good + "00", false},
		{"size below a head", "0001 000f 0001 0001 00e1 0000 0000 0000 0000", false},
		{"size beyond the body", "0001 0013 0001 0001 00e1 0000 0000 0000 0002 0002", false},
		{"payload length above the block", "0001 0012 0001 0001 00e1 0000 0000 0000 0003 0002", false},
		{"payload length below the block", "0001 0012 0001 0001 00e1 0000 0000 0000 0001 0002", false},
		{"size 0", "0001 0000 0001 0001 00e1 0000 0000 0000 0000", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			replies, err := readReplies(unhex(t, row.body))
			if row.ok != (err == nil) {
				t.Fatalf("error %v", err)
			}
			if err != nil {
				if !errors.Is(err, ErrBlocks) {
					t.Errorf("error %v does not wrap ErrBlocks", err)
				}
				return
			}
			frame := AppendReplies(nil, 3, replies)
			if !bytes.Equal(frame[HeaderSize:], unhex(t, row.body)) {
				t.Errorf("appended %x, want %s", frame[HeaderSize:], row.body)
			}
		})
	}
}

func readReplies(body []byte) ([]Reply, error) {
	blocks, err := ReplyBlocks(body)
	if err != nil {
		return nil, err
	}
	var out []Reply
	for {
		p, ok, err := blocks.NextReply()
		if !ok || err != nil {
			return out, err
		}
		out = append(out, p)
	}
}

func TestRequestBlocks(t *testing.T) {
	qs := []Request{
		{Class: ClassCNC, Path: 2, Func: FuncReadMacro, Args: [4]int32{100, -1, 1 << 30, -1 << 31}},
		{Class: ClassPMC, Path: 1, Func: FuncWritePMC, Flag: 1, Data: []byte{1, 2, 3}},
	}
	frame := AppendRequests(nil, qs)
	want := "a0a0a0a0 0001 2101 003d 0002" +
		"001c 0001 0002 0015 00000064 ffffffff 40000000 80000000 0000 0000" +
		"001f 0002 0001 8002 00000000 00000000 00000000 00000000 0001 0003 010203"
	if !bytes.Equal(frame, unhex(t, want)) {
		t.Fatalf("frame %x, want %s", frame, want)
	}
	blocks, err := RequestBlocks(frame[HeaderSize:])
	if err != nil || blocks.Count() != 2 {
		t.Fatalf("%d blocks, %v", blocks.Count(), err)
	}
	for _, want := range qs {
		got, ok, err := blocks.NextRequest()
		if !ok || err != nil {
			t.Fatalf("ok %v, %v", ok, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
	if _, ok, err := blocks.NextRequest(); ok || err != nil {
		t.Errorf("after the last: %v, %v", ok, err)
	}
	bad := bytes.Clone(frame[HeaderSize:])
	bad[len(bad)-4] = 9 // data length of the second block
	blocks, _ = RequestBlocks(bad)
	blocks.NextRequest()
	if _, _, err := blocks.NextRequest(); !errors.Is(err, ErrBlocks) {
		t.Errorf("wrong data length: %v, want ErrBlocks", err)
	}
}

// The walk over the blocks of an honest frame costs no allocation.
func TestBlocksDoNotAllocate(t *testing.T) {
	body := AppendReplies(nil, 3, make([]Reply, 32))[HeaderSize:]
	if n := testing.AllocsPerRun(100, func() {
		blocks, _ := ReplyBlocks(body)
		for {
			if _, ok, _ := blocks.NextReply(); !ok {
				return
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
