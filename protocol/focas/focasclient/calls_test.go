package focasclient

import (
	"context"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/wire"
)

// one answers a single block with a payload.
func one(payload string) func([]focas.Request) []focas.Reply {
	return func(qs []focas.Request) []focas.Reply {
		b, err := hex.DecodeString(payload)
		if err != nil {
			panic(err)
		}
		var out []focas.Reply
		for _, q := range qs {
			out = append(out, echo(q, b))
		}
		return out
	}
}

// The calls that no measured exchange covers: what they ask, and what they make of the answer.
func TestCalls(t *testing.T) {
	const threeAxes = "00000001000a0003" + "00000002000a0003" + "00000003000a0003" + "00000000000a0003"
	values := []focas.Value{focas.Decimal(1, 3), focas.Decimal(2, 3), focas.Decimal(3, 3)}
	for _, row := range []struct {
		name    string
		version focas.Version
		call    func(context.Context, *Client) (any, error)
		asked   string // from the function code of the first block on
		answer  string
		want    any
	}{
		{"ServoDelay", 3, func(ctx context.Context, c *Client) (any, error) { return c.Path(1).ServoDelay(ctx) },
			"002600000009ffffffff", threeAxes, values},
		{"AccDecDelay", 3, func(ctx context.Context, c *Client) (any, error) { return c.Path(1).AccDecDelay(ctx) },
			"00260000000affffffff", threeAxes, values},
		{"LoopGain", 3, func(ctx context.Context, c *Client) (any, error) { return c.Path(1).LoopGain(ctx) },
			"00560000000000000000", threeAxes, values},
		{"OpModes", 3, func(ctx context.Context, c *Client) (any, error) { return c.Path(1).OpModes(ctx) },
			"00570000000000000000", "00010002", []focas.U16{1, 2}},
		{"AlarmInfo", 3, func(ctx context.Context, c *Client) (any, error) { return c.Path(1).AlarmInfo(ctx, 3, 5, true) },
			"0023000000030000000500000001", "", []focas.Alarm(nil)},
		{"AlarmInfo without texts", 3, func(ctx context.Context, c *Client) (any, error) { return c.Path(1).AlarmInfo(ctx, 3, 5, false) },
			"0023000000030000000500000000", "", []focas.Alarm(nil)},
		{"WriteTimer", 3, func(ctx context.Context, c *Client) (any, error) {
			return nil, c.Path(1).WriteTimer(ctx, focas.TimerFree, focas.NewTimer(90*time.Second))
		}, "012100000004000000000000000000000000000000080000000100007530", "", nil},
		{"OpMessages3 on a 30i", 3, func(ctx context.Context, c *Client) (any, error) { return c.Path(1).OpMessages3(ctx, 4, 2) },
			"00d0000000000000000400000002", "", []focas.OpMessage(nil)},
		{"OpMessages3 on a classic control", 2, func(ctx context.Context, c *Client) (any, error) { return c.Path(1).OpMessages3(ctx, 4, 2) },
			"00340000000400000000", "", []focas.OpMessage(nil)},
		{"ModalAux", 3, func(ctx context.Context, c *Client) (any, error) { return c.Path(1).ModalAux(ctx, focas.ModalAll, 1) },
			"0022ffffffff00000001", "0000000700010002", []focas.Aux{{Value: 7, Flag1: 1, Flag2: 2}}},
		{"AlarmHistoryCount", 3, func(ctx context.Context, c *Client) (any, error) { return c.Path(1).AlarmHistoryCount(ctx) },
			"006b00000000", "0102", []byte{1, 2}},
		{"AlarmHistory", 3, func(ctx context.Context, c *Client) (any, error) { return c.Path(1).AlarmHistory(ctx, 2, 7) },
			"006c00000002000000070000000100000000", "010203", []byte{1, 2, 3}},
		{"MacroNumber", 3, func(ctx context.Context, c *Client) (any, error) { return c.Path(1).MacroNumber(ctx, "TOOL") },
			"029f0000000400000000000000000000000000000040544f4f4c0000", "00000001", []byte{0, 0, 0, 1}},
		{"path 3", 3, func(ctx context.Context, c *Client) (any, error) { return c.Path(3).AlarmBits(ctx) },
			"001a", "00000041", uint32(0x41)},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := &peer{version: row.version, answer: one(row.answer)}
			c := dial(t, p)
			got, err := row.call(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(row.want, got); d != "" {
				t.Error(d)
			}
			c.Close(t.Context())
			asked := hex.EncodeToString(p.seen[len(p.seen)-1][8:])
			if len(asked) < len(row.asked) || asked[:len(row.asked)] != row.asked {
				t.Errorf("asked %s, want it to begin %s", asked, row.asked)
			}
		})
	}
}

// Parameters and diagnosis numbers of a list travel in pairs of type and value, in as few frames as they fit; what one of them
// lacks is its own error.
func TestSelected(t *testing.T) {
	for _, row := range []struct {
		name    string
		version focas.Version
		of      func(Path) func(context.Context, int16, ...int32) ([]Selected, error)
		funcs   [2]focas.Func // type, value
	}{
		{"parameters of a 30i", 3, func(p Path) func(context.Context, int16, ...int32) ([]Selected, error) { return p.ParamsOf }, [2]focas.Func{0xa0, 0x8d}},
		{"parameters of a classic control", 2, func(p Path) func(context.Context, int16, ...int32) ([]Selected, error) { return p.ParamsOf }, [2]focas.Func{0x10, 0x0e}},
		{"diagnosis of a 30i", 3, func(p Path) func(context.Context, int16, ...int32) ([]Selected, error) { return p.DiagsOf }, [2]focas.Func{0xa2, 0x93}},
		{"diagnosis of a classic control", 2, func(p Path) func(context.Context, int16, ...int32) ([]Selected, error) { return p.DiagsOf }, [2]focas.Func{0x31, 0x30}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var c *Client
			frames := 0
			p := &peer{version: row.version, answer: func(qs []focas.Request) []focas.Reply {
				frames++
				var out []focas.Reply
				for i, q := range qs {
					number := q.Args[0]
					r := echo(q, nil)
					switch {
					case q.Func != row.funcs[i%2]:
						t.Errorf("block %d is %v, want %v", i, q.Func, row.funcs[i%2])
					case number == 13:
						r.Code = focas.EWNumber
					case i%2 == 0 && row.version == 2:
						r.Payload = focas.NumberInfo{Number: number, Type: 2}.Append(make([]byte, 8)) // after the numbers before and behind
					case i%2 == 0:
						r.Payload = focas.NumberInfo2{Number: number, Size: 2}.Append(make([]byte, 8))
					default:
						rec, err := focas.ParamRecord(c.Dialect(), c.slots(), number, focas.NoAxis, 2, focas.Decimal(number+1, 0))
						if err != nil {
							t.Error(err)
						}
						r.Payload = rec.Append(nil)
					}
					out = append(out, r)
				}
				return out
			}}
			c = dial(t, p)
			frames = 0
			got, err := row.of(c.Path(1))(t.Context(), focas.NoAxis, 6711, 13, 6712)
			if err != nil {
				t.Fatal(err)
			}
			if frames > 2 {
				t.Errorf("%d frames for three numbers", frames)
			}
			for i, want := range []int32{6711, 13, 6712} {
				s := got[i]
				if s.Number != want {
					t.Errorf("number %d is %d, want %d", i, s.Number, want)
				}
				if want == 13 {
					var no *focas.Error
					if !errors.As(s.Err, &no) || no.Code != focas.EWNumber {
						t.Errorf("13: %v, want EW_NUMBER", s.Err)
					}
					continue
				}
				if s.Err != nil || s.Type != 2 || s.Record.Number != want || s.Record.Values()[0].Mantissa != want+1 {
					t.Errorf("%d: %+v", want, s)
				}
			}
		})
	}
}

func TestDateTime(t *testing.T) {
	date := func(day uint16) focas.Clock { return focas.Clock{Year: 2026, Month: 5, Day: day} }
	for _, row := range []struct {
		name        string
		first, last uint16
		hour        uint16
		want        time.Time
	}{
		{"noon", 14, 14, 12, time.Date(2026, 5, 14, 12, 34, 56, 0, time.UTC)},
		{"midnight before the time", 14, 15, 0, time.Date(2026, 5, 15, 0, 34, 56, 0, time.UTC)},
		{"midnight after the time", 14, 15, 23, time.Date(2026, 5, 14, 23, 34, 56, 0, time.UTC)},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := dial(t, &peer{answer: func(qs []focas.Request) []focas.Reply {
				parts := []focas.Clock{date(row.first), {Hour: row.hour, Minute: 34, Second: 56}, date(row.last)}
				var out []focas.Reply
				for i, q := range qs {
					out = append(out, echo(q, parts[i].Append(nil)))
				}
				return out
			}})
			if got, err := c.Path(1).DateTime(t.Context(), time.UTC); err != nil || !got.Equal(row.want) {
				t.Errorf("%v, %v; want %v", got, err, row.want)
			}
		})
	}
	c := dial(t, &peer{answer: one("0000")})
	if _, err := c.Path(1).DateTime(t.Context(), time.UTC); !errors.Is(err, wire.ErrShort) {
		t.Errorf("two bytes of clock: %v", err)
	}
}

// A payload that makes no sense is the call's error; the frame was in order, so the session goes on.
func TestBadPayloadLeavesSession(t *testing.T) {
	c := dial(t, &peer{answer: one("0001")})
	if _, err := c.Path(1).StatInfo(t.Context()); !errors.Is(err, wire.ErrShort) {
		t.Errorf("StatInfo: %v", err)
	}
	if _, err := c.Path(1).AlarmBits(t.Context()); !errors.Is(err, wire.ErrShort) {
		t.Errorf("AlarmBits: %v", err)
	}
	if c.Err() != nil {
		t.Errorf("the session ended: %v", c.Err())
	}
}

// The words beside the status are worth less than the status: a control that refuses them still has one.
func TestStatInfoRefusals(t *testing.T) {
	refuse := -1
	c := dial(t, &peer{answer: func(qs []focas.Request) []focas.Reply {
		payloads := [][]byte{focas.Status{Aut: 1, Run: 3}.Append(nil), {0, 2}, {0, 1}}
		var out []focas.Reply
		for i, q := range qs {
			r := echo(q, payloads[i])
			if i == refuse {
				r.Code, r.Payload = focas.EWFunc, nil
			}
			out = append(out, r)
		}
		return out
	}})
	want := StatInfo{Status: focas.Status{Aut: 1, Run: 3}, HandleRetrace: 2, TMMode: 1}
	if got, err := c.Path(1).StatInfo(t.Context()); err != nil || !cmp.Equal(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	refuse, want.TMMode = 2, 0
	if got, err := c.Path(1).StatInfo(t.Context()); err != nil || !cmp.Equal(got, want) {
		t.Errorf("third block refused: %+v, %v", got, err)
	}
	refuse = 0
	if _, err := c.Path(1).StatInfo(t.Context()); !errors.Is(err, &focas.Error{Func: focas.FuncStatInfo, Code: focas.EWFunc}) {
		t.Errorf("first block refused: %v", err)
	}
}

func TestFamilyAndViews(t *testing.T) {
	c := dial(t, &peer{version: 2, open: openReply30i(2, 2)})
	if f := c.Family(); f != focas.Family16i || c.Dialect() != focas.Classic {
		t.Errorf("family %v, dialect %v", f, c.Dialect())
	}
	p := c.Path(2)
	if p.Number() != 2 || p.AxisCount() != 3 || p.SpindleCount() != 1 || c.PMC(4).Number() != 4 || c.Addr() != "cnc.test:8193" {
		t.Errorf("path %d with %d axes and %d spindles", p.Number(), p.AxisCount(), p.SpindleCount())
	}
	if info, err := p.SysInfo(); err != nil || info.Model() != "31i-B" {
		t.Errorf("%+v, %v", info, err)
	}
	o := c.OpenReply()
	o.Records[0].Axes = 99
	if c.Path(1).AxisCount() != 3 {
		t.Error("a caller can change what the session knows")
	}
}
