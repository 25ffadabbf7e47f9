package focassim

import (
	"bytes"
	"encoding/hex"
	"net"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

func TestExactAnswers(t *testing.T) {
	answers, err := ParseAnswers(strings.NewReader(`
# what a real control said
0x1a = 0000 0041
0x15 100 = 000004d2 000a 0003   # one variable
0xe8 ! 6
P:0x8001 8 8 3 = 10
0x1d : 0018 0001 0001 001d 0000 0000 0000 0004 0000002a
`))
	if err != nil {
		t.Fatal(err)
	}
	s, _, c := start(t, Options{Manual: true, Answers: answers})
	p, ctx := c.Path(1), t.Context()
	if bits, err := p.AlarmBits(ctx); err != nil || bits != 0x41 {
		t.Errorf("%x, %v", bits, err)
	}
	if v, err := p.Macro(ctx, 100); err != nil || v != focas.Decimal(1234, 3) {
		t.Errorf("%v, %v", v, err)
	}
	if v, err := p.Macro(ctx, 500); err != nil || v.Float() != 137 {
		t.Errorf("another argument is the machine's: %v, %v", v, err)
	}
	_, err = p.CNCID(ctx)
	wantCode(t, "0xe8", err, focas.EWNoOpt)
	s.SetAnswers(nil)
	if bits, err := p.AlarmBits(ctx); err != nil || bits != 0 {
		t.Errorf("%x, %v without answers", bits, err)
	}
}

// TestExactBlock: a block goes out as it is, between blocks of the machine, also when its length is wrong.
func TestExactBlock(t *testing.T) {
	answers, err := ParseAnswers(strings.NewReader("0x1d : 0018 0001 0001 001d 0000 0000 0000 0004 0000002a\n"))
	if err != nil {
		t.Fatal(err)
	}
	s, _ := newSim(t, Options{Manual: true, Answers: answers})
	conn, err := net.Dial("tcp", serve(t, s))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.Write(focas.AppendOpenRequest(nil, focas.ChannelData))
	r := focas.NewFrameReader(conn)
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	conn.Write(focas.AppendRequests(nil, []focas.Request{focas.TMModeRequest(1), focas.SequenceNumRequest(1)}))
	f, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	want, _ := hex.DecodeString("0002" + "00120001000100980000000000000002" + "0001" + "001800010001001d00000000000000040000002a")
	if !bytes.Equal(f.Body, want) {
		t.Errorf("got  %x\nwant %x", f.Body, want)
	}
}

func TestParseAnswersRefuses(t *testing.T) {
	for _, text := range []string{
		"0x1a", "= 00", "zz = 00", "0x1a x = 00", "0x1a = 0", "0x1a = 0g", "0x1a ! x", "0x1a : 00",
		"0x10000 = 00", "0x1a 1 2 3 4 5 = 00", "P: = 00", "0x1a 99999999999 = 00",
		"0x1a = " + strings.Repeat("00", maxAnswer),
	} {
		if a, err := ParseAnswers(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), "answers: ") {
			t.Errorf("%.40q: %v, %v", text, a, err)
		}
	}
}

func FuzzParseAnswers(f *testing.F) {
	f.Add("0x1a = 0000 0041\nP:0x8001 8 8 3 = 10\n0xe8 ! 6\n0x1d : 0018 0001 0001 001d 0000 0000 0000 0004 0000002a\n# x")
	f.Fuzz(func(t *testing.T, text string) {
		answers, err := ParseAnswers(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, a := range answers {
			if a.Block && len(a.Data) < focas.ReplyBlockSize || len(a.Args) > 4 {
				t.Errorf("%+v", a)
			}
			q := focas.Request{Class: a.Class, Func: a.Func}
			copy(q.Args[:], a.Args)
			if _, ok := answers.find(&q); !ok {
				t.Errorf("%+v is not found", a)
			}
		}
	})
}
