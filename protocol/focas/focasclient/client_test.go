package focasclient

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

func TestDialIdentifies(t *testing.T) {
	p := &peer{open: openReply30i(3, 3)}
	p.open.Records[1].System = 0
	c := dial(t, p)
	if got := c.Paths(); !cmp.Equal(got, []uint16{1, 3}) {
		t.Errorf("Paths() = %v, want 1 and 3", got)
	}
	if c.Dialect() != focas.Series30i {
		t.Errorf("Dialect() = %v", c.Dialect())
	}
	info, err := c.SysInfo(3)
	if err != nil || info.Model() != "31i-B" || info.SeriesText() != "G301" {
		t.Errorf("SysInfo(3) = %+v, %v", info, err)
	}
	if _, err := c.SysInfo(2); err == nil {
		t.Error("SysInfo of an absent path gives no error")
	}
	if s := c.Stats(); s.FramesSent != 2 || s.FramesReceived != 2 || s.BlocksSent != 2 || s.Exchanges != 1 {
		t.Errorf("Stats() = %+v, want 2 frames each way, 2 blocks, 1 exchange", s)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if len(p.seen) != 1 || len(requestsOf(p.seen[0])) != 2 {
		t.Errorf("%d data frames, want one with 2 blocks", len(p.seen))
	}
	if _, err := c.Exchange(t.Context(), []focas.Request{focas.SysInfoRequest(1)}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Exchange after Close: %v, want net.ErrClosed", err)
	}
}

// The bytes of the handshake are those that FANUC's library sends for channel 2.
func TestDialBytes(t *testing.T) {
	var sent bytes.Buffer
	p := &peer{}
	p.raw = func(f focas.Frame) ([]byte, bool) {
		f.Append(nil)
		sent.Write(f.Append(nil))
		return nil, false
	}
	c := dial(t, p)
	c.Close(t.Context())
	want := "a0a0a0a00001010100020002" +
		"a0a0a0a000012101001e0001001c0001000100180000000000000000000000000000000000000000" +
		"a0a0a0a0000102010000"
	if got := hex.EncodeToString(sent.Bytes()); got != want {
		t.Errorf("sent\n%s want\n%s", got, want)
	}
}

func TestExchangeRefusals(t *testing.T) {
	p := &peer{answer: func(qs []focas.Request) []focas.Reply {
		out := []focas.Reply{echo(qs[0], []byte{1, 2})}
		for _, q := range qs[1:] {
			r := echo(q, nil)
			r.Code, r.Detail = focas.EWNumber, [2]int16{7, 9}
			out = append(out, r)
		}
		return out
	}}
	c := dial(t, p)
	replies, err := c.Exchange(t.Context(), []focas.Request{{Class: 1, Path: 1, Func: 0x15}, {Class: 1, Path: 1, Func: 0x16}})
	if err != nil || !bytes.Equal(replies[0].Payload, []byte{1, 2}) || replies[0].Err() != nil {
		t.Fatalf("Exchange: %+v, %v", replies, err)
	}
	if err := replies[1].Err(); !errors.Is(err, &focas.Error{Code: focas.EWNumber}) {
		t.Errorf("second block: %v, want EW_NUMBER", err)
	}

	p.raw = func(f focas.Frame) ([]byte, bool) {
		return focas.AppendErrorFrame(nil, 3, focas.TypeData, focas.ErrorBody{Location: 1, Code: 5, Detail: [2]int16{6, 7}}), f.Type == focas.TypeData
	}
	_, err = c.Exchange(t.Context(), []focas.Request{{Class: 1, Path: 1, Func: focas.FuncAlarm}})
	var refused *focas.Error
	if !errors.As(err, &refused) || *refused != (focas.Error{Func: focas.FuncAlarm, Code: 5, Detail: [2]int16{6, 7}, Frame: true}) {
		t.Fatalf("error frame: %v", err)
	}
	if c.Err() != nil {
		t.Errorf("an error frame ended the session: %v", c.Err())
	}
	p.raw = nil
	if _, err := c.Exchange(context.Background(), []focas.Request{{Class: 1, Path: 1, Func: 0x15}}); err != nil {
		t.Errorf("after an error frame: %v", err)
	}
}

func TestExchangeLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine((&peer{}).serve)
		defer l.end()
		c, err := Dial(t.Context(), l.open, "cnc:8193", Options{})
		if err != nil {
			t.Fatal(err)
		}
		for n, want := range map[int]bool{0: false, 1: true, 51: true, 52: false} {
			if _, err := c.Exchange(t.Context(), slices.Repeat(alarm, n)); (err == nil) != want {
				t.Errorf("%d blocks: %v", n, err)
			}
		}
		if c.Err() != nil {
			t.Errorf("a request that was never sent ended the session: %v", c.Err())
		}
	})
}

func ExampleClient_Exchange() {
	p := &peer{answer: func(qs []focas.Request) []focas.Reply { return []focas.Reply{echo(qs[0], []byte{0, 0, 0, 65})} }}
	near, far := net.Pipe()
	done := make(chan struct{})
	go func() { defer close(done); p.serve(far) }()
	ctx := context.Background()
	c, err := Dial(ctx, func(context.Context, string, string) (net.Conn, error) { return near, nil }, "192.0.2.21:8193", Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	replies, err := c.Exchange(ctx, []focas.Request{focas.AlarmBitsRequest(1)})
	fmt.Println(replies[0].Func, replies[0].Payload, err)
	c.Close(ctx)
	<-done
	// Output: cnc_alarm [0 0 0 65] <nil>
}
