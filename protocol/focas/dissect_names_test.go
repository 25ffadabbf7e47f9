package focas

import (
	"fmt"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/transcript"
)

// Names that are made before and those that are made when they come are written alike, on both sides of each limit.
func TestNamesOfBlocks(t *testing.T) {
	const (
		asked  = 40 // a request is not longer
		blocks = madeBlocks + 2
	)
	qs := make([]Request, blocks)
	ps := make([]Reply, blocks)
	for i := range blocks {
		qs[i] = AxisRequest(1, 0, 1)
		ps[i] = Reply{Class: ClassCNC, Path: 1, Func: FuncReadAxis, Payload: Decimal(int32(i), 3).Append(nil)}
	}
	var many []byte
	for i := range madeValues + 2 {
		many = Decimal(int32(-i), 0).Append(many)
	}
	ps[0].Payload = many
	d := NewDissector()
	values := map[string]string{}
	frames := append(d.Feed(transcript.FromClient, AppendRequests(nil, qs[:asked])), d.Feed(transcript.FromServer, AppendReplies(nil, 3, ps))...)
	if len(frames) != 2 {
		t.Fatalf("%d frames", len(frames))
	}
	for _, f := range frames {
		if f.Err != nil || len(f.Unknown) > 0 {
			t.Fatalf("%+v", f)
		}
		for _, x := range f.Fields {
			values[f.Summary[:12]+x.Name] = x.Value
		}
	}
	for _, i := range []int{1, asked, madeBlocks, madeBlocks + 1, blocks} {
		for name, want := range map[string]string{"data request%s.argument 2": fmt.Sprint(qs[i-1].Args[1]), "data request%s.function": fmt.Sprintf("%#04x", uint16(FuncReadAxis)),
			"data reply: %s.code": "0", "data reply: %s.detail 2": "0", "data reply: %s.payload.value 1": Decimal(int32(i-1), 3).String()} {
			if strings.HasPrefix(name, "data request") && i > asked {
				continue
			}
			key := fmt.Sprintf(name, fmt.Sprintf("block %d", i))
			if got, ok := values[key]; !ok || i > 1 && got != want {
				t.Errorf("%s: %q, %v, want %q", key, got, ok, want)
			}
		}
	}
	for _, n := range []int{1, madeValues, madeValues + 1, madeValues + 2} {
		if got, want := values[fmt.Sprintf("data reply: block 1.payload.value %d", n)], fmt.Sprint(1-n); got != want {
			t.Errorf("value %d: %q, want %q", n, got, want)
		}
	}
}

// The digits are those that fmt writes.
func TestDigits(t *testing.T) {
	for _, v := range []uint16{0, 1, 0x19, 0xabc, 0x8001, 0xffff} {
		if got, want := hexWord(v), fmt.Sprintf("%#04x", v); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if got, want := decimal(int16(v)), fmt.Sprint(int16(v)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for args, want := range map[[4]int32]string{{}: "", {0, 0, 0, -1}: "[0,0,0,-1]", {5}: "[5]", {-2147483648, 2, 0, 0}: "[-2147483648,2]"} {
		if got := trimZeros(args); got != want {
			t.Errorf("%v: %q, want %q", args, got, want)
		}
	}
}

// Fields are reserved for what a body can hold, not for what its count claims.
func TestFieldsOfAClaim(t *testing.T) {
	for _, dir := range []Direction{DirRequest, DirReply} {
		if n := fieldsOf(Frame{Header: Header{Type: TypeData, Dir: dir}, Body: []byte{0xff, 0xff, 0, 0}}); n > 10 {
			t.Errorf("%v: %d fields for 2 bytes", dir, n)
		}
	}
}
