package decode

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// unknownExchange asks a function that nobody has named.
func unknownExchange() (client, server []byte) {
	const f = focas.Func(0x7f7f)
	client = focas.AppendRequests(nil, []focas.Request{{Class: focas.ClassCNC, Path: 1, Func: f}})
	server = focas.AppendReplies(nil, 3, []focas.Reply{{Class: focas.ClassCNC, Path: 1, Func: f, Payload: []byte("what is this")}})
	return client, server
}

func hexText(parts ...[]byte) string {
	var s strings.Builder
	for i, p := range parts {
		fmt.Fprintf(&s, "%c %x\n", "><"[i%2], p)
	}
	return s.String()
}

func TestStats(t *testing.T) {
	c, s := exchange()
	uc, us := unknownExchange()
	in := hexText(c, s, uc, us, uc, us) + "< 6a756e6b\n"
	out, res := decode(t, in, Options{Stats: true})
	if res.Frames != 7 || res.Faulty != 1 {
		t.Errorf("%+v", res)
	}
	for _, want := range []string{
		"evidence of the fields: seen ", "func(0x7f7f)  (no name yet)", "cnc_absolute",
		"func(0x7f7f) from the server has no name, 2 times with 24 unknown bytes: record it twice", "4 bytes in 1 stretches are no messages",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	out, _ = decode(t, in, Options{Stats: true, JSON: true, Name: "x"})
	types := map[string]int{}
	for line := range strings.Lines(out) {
		var l struct{ Type string }
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		types[l.Type]++
	}
	if types["recording"] != 1 || types["kind"] < 4 || types["fault"] != 1 || types["evidence"] != 1 || types["next"] < 2 || types["summary"] != 1 {
		t.Errorf("%v in\n%s", types, out)
	}
	out, _ = decode(t, hexText(c, s), Options{Stats: true})
	if !strings.Contains(out, "nothing: every byte is explained") || !strings.Contains(out, "100.0 %") {
		t.Error(out)
	}
	out, _ = decode(t, string(pcapFile(t, true, append(session(1), wirePacket{seq: 900, data: "x"})...)), Options{Stats: true})
	if !strings.Contains(out, "bytes are missing; record again with patchbay tap") {
		t.Error(out)
	}
}

func diff(t *testing.T, a, b string, o Options) (string, DiffResult, error) {
	t.Helper()
	var out bytes.Buffer
	res, err := Diff(t.Context(), strings.NewReader(a), strings.NewReader(b), &out, o)
	return out.String(), res, err
}

func TestDiff(t *testing.T) {
	c, s := exchange()
	other := focas.AppendReplies(nil, 3, []focas.Reply{{Class: focas.ClassCNC, Path: 1, Func: focas.FuncReadAxis, Payload: focas.Decimal(99999, 3).Append(nil)}})
	uc, us := unknownExchange()
	us2 := append([]byte(nil), us...)
	us2[len(us2)-2] ^= 1
	longer := append(append([]byte(nil), us[:8]...), 0, byte(len(us)-10+2))
	longer = append(append(longer, us[10:]...), 0, 0)
	for name, x := range map[string]struct {
		a, b string
		want DiffResult
		text []string
	}{
		"same":            {hexText(c, s), hexText(c, s), DiffResult{Compared: 2}, []string{"2 messages compared, 0 differ"}},
		"a value":         {hexText(c, s, c, s), hexText(c, s, c, other), DiffResult{Compared: 4, Different: 1}, []string{"message 2 of the server", "block 1.payload.value 1  12.345", "99.999"}},
		"unknown bytes":   {hexText(uc, us), hexText(uc, us2), DiffResult{Compared: 2, Different: 1}, []string{fmt.Sprintf("unknown bytes at %#x", len(us)-2), "69 73", "68 73"}},
		"longer":          {hexText(uc, us), hexText(uc, longer), DiffResult{Compared: 2, Different: 1}, []string{"length"}},
		"another call":    {hexText(c, s), hexText(uc, us), DiffResult{Compared: 2, Different: 2}, []string{"function", "func(0x7f7f)"}},
		"more":            {hexText(c, s), hexText(c, s, c), DiffResult{Compared: 2, OnlyB: 1}, []string{"message 2 of the client is in B alone"}},
		"cut another way": {hexText(c, s), fmt.Sprintf("> %x\n%x\n< %x\n", c[:7], c[7:], s), DiffResult{Compared: 2}, nil},
		"with a capture":  {hexText(c, s), string(pcapFile(t, true, session(1)...)), DiffResult{Compared: 2}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			out, res, err := diff(t, x.a, x.b, Options{})
			if err != nil || res != x.want || res.Same() != (x.want.Different+x.want.OnlyA+x.want.OnlyB == 0) {
				t.Errorf("%+v, %v; want %+v\n%s", res, err, x.want, out)
			}
			for _, s := range x.text {
				if !strings.Contains(out, s) {
					t.Errorf("no %q in\n%s", s, out)
				}
			}
			out, _, err = diff(t, x.b, x.a, Options{JSON: true})
			if n := strings.Count(out, "\n"); err != nil || n != x.want.Different+x.want.OnlyA+x.want.OnlyB+1 {
				t.Errorf("%d lines, %v\n%s", n, err, out)
			}
		})
	}
}

func TestDiffOfBadInput(t *testing.T) {
	c, s := exchange()
	if _, _, err := diff(t, hexText(c, s), "hello", Options{}); !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), "recording B") {
		t.Error(err)
	}
	cut := pcapFile(t, true, session(2)...)
	cut = cut[:len(cut)-10]
	_, res, err := diff(t, string(cut), hexText(c, s, c, s), Options{})
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "recording A") || res != (DiffResult{Compared: 3, OnlyB: 1}) {
		t.Errorf("%+v %v", res, err)
	}
	many := strings.Repeat(fmt.Sprintf("> %x\n", c), maxApart+10)
	if _, _, err := diff(t, many, strings.Repeat(fmt.Sprintf("< %x\n", s), maxApart+10), Options{}); !errors.Is(err, ErrApart) {
		t.Error(err)
	}
	_, res, err = diff(t, hexText(c, s), many, Options{})
	if err != nil || res != (DiffResult{Compared: 1, OnlyA: 1, OnlyB: maxApart + 9}) {
		t.Errorf("%+v %v", res, err)
	}
}

func FuzzDiff(f *testing.F) {
	c, s := exchange()
	f.Add([]byte(hexText(c, s)), []byte(hexText(c)))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		res, err := Diff(t.Context(), bytes.NewReader(a), bytes.NewReader(b), io.Discard, Options{Protocol: "focas"})
		if err == nil && bytes.Equal(a, b) && !res.Same() {
			t.Fatalf("%+v", res)
		}
	})
}
