package focasclient

import (
	"errors"
	"net"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// read is a request that can be told from others by its first argument.
func read(n int) focas.Request {
	return focas.Request{Class: focas.ClassCNC, Path: 1, Func: focas.FuncReadMacro, Args: [4]int32{int32(n)}}
}

func batchOf(l Limits, payloads ...int) *Batch {
	b := NewBatch(l)
	for i, n := range payloads {
		b.Add(read(i), n)
	}
	return b
}

func TestPlan(t *testing.T) {
	for _, row := range []struct {
		name     string
		limits   Limits
		payloads []int
		want     [][]int
	}{
		{"nothing", Limits{}, nil, [][]int{}},
		{"one", Limits{}, []int{8}, [][]int{{0}}},
		{"all in one", Limits{}, []int{256, 256, 256, 256, 256}, [][]int{{0, 1, 2, 3, 4}}},
		{"exactly full", Limits{ReplyBody: 2 + 3*26}, []int{10, 10, 10}, [][]int{{0, 1, 2}}},
		{"one byte too many", Limits{ReplyBody: 2 + 3*26}, []int{10, 10, 11}, [][]int{{0, 2}, {1}}},
		{"small ones fill the gaps", Limits{ReplyBody: 202}, []int{100, 100, 60, 60}, [][]int{{0, 2}, {1, 3}}},
		{"longer than a frame", Limits{ReplyBody: 202}, []int{10, 500, 10}, [][]int{{0, 2}, {1}}},
		{"request size", Limits{RequestBody: 2 + 2*28}, []int{0, 0, 0}, [][]int{{0, 1}, {2}}},
		{"blocks", Limits{Blocks: 2}, []int{0, 0, 0}, [][]int{{0, 1}, {2}}},
		// First-fit decreasing takes three frames here, the search finds two: 60+40 and 30+30+20+20 of 100.
		{"better than first fit", Limits{ReplyBody: 2 + 100}, []int{44 - 16, 44 - 16, 30 - 16 + 6 - 6, 26 - 16, 28 - 16, 28 - 16}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := batchOf(row.limits, row.payloads...).Plan()
			if row.want == nil {
				if len(got) != 2 {
					t.Errorf("%d frames, want 2: %v", len(got), got)
				}
				return
			}
			if d := cmp.Diff(row.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// Blocks that belong together stay together, in order, and in one piece where they fit.
func TestPlanGroups(t *testing.T) {
	b := NewBatch(Limits{ReplyBody: 302})
	b.Add(read(0), 150)
	first := b.AddTogether(Part{read(1), 60}, Part{read(2), 60}, Part{read(3), 60})
	b.Add(read(4), 100)
	if first != 1 || b.Len() != 5 {
		t.Fatalf("first %d of %d", first, b.Len())
	}
	if d := cmp.Diff([][]int{{0, 4}, {1, 2, 3}}, b.Plan()); d != "" {
		t.Error(d)
	}
	big := NewBatch(Limits{ReplyBody: 202})
	big.AddTogether(Part{read(0), 80}, Part{read(1), 80}, Part{read(2), 80})
	if d := cmp.Diff([][]int{{0, 1}, {2}}, big.Plan()); d != "" {
		t.Errorf("a group larger than a frame: %s", d)
	}
}

// Whatever is added: every read is in the plan once, no frame is above a limit unless its one read is, the plan is the same
// again, and it is never longer than one frame per read.
func TestPlanProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Limits{ReplyBody: rapid.IntRange(50, 1450).Draw(t, "reply"), Blocks: rapid.IntRange(1, 40).Draw(t, "blocks")}.withDefaults()
		sizes := rapid.SliceOfN(rapid.IntRange(0, 700), 0, 60).Draw(t, "payloads")
		b := batchOf(l, sizes...)
		plan := b.Plan()
		seen := make([]int, len(sizes))
		for _, frame := range plan {
			if !slices.IsSorted(frame) || len(frame) == 0 {
				t.Fatalf("frame %v", frame)
			}
			var sum load
			for _, i := range frame {
				seen[i]++
				sum = sum.plus(load{28, 16 + sizes[i], 1})
			}
			if len(frame) > 1 && !sum.fits(l) {
				t.Fatalf("frame %v takes %+v of %+v", frame, sum, l)
			}
		}
		for i, n := range seen {
			if n != 1 {
				t.Fatalf("read %d is in the plan %d times", i, n)
			}
		}
		if d := cmp.Diff(plan, batchOf(l, sizes...).Plan()); d != "" {
			t.Fatalf("the same reads give another plan: %s", d)
		}
	})
}

// sizes answers each read with as many bytes as its second argument says.
func answerSizes(qs []focas.Request) []focas.Reply {
	var out []focas.Reply
	for _, q := range qs {
		out = append(out, echo(q, slices.Repeat([]byte{byte(q.Args[0])}, int(q.Args[1]))))
	}
	return out
}

func sized(n, size int) focas.Request {
	q := read(n)
	q.Args[1] = int32(size)
	return q
}

func TestBatchDo(t *testing.T) {
	p := &peer{answer: answerSizes}
	c := dial(t, p)
	b := c.Batch()
	if _, err := Result(b, b.Add(sized(0, 8), 8), focas.ParseValue); !errors.Is(err, ErrNotRun) {
		t.Errorf("before the run: %v", err)
	}
	for i := 1; i < 40; i++ {
		b.Add(sized(i, 8*(i%30)), 8*(i%30))
	}
	for round := range 3 {
		before := c.Stats()
		if err := b.Do(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		for i := range b.Len() {
			reply, err := b.Reply(i)
			if want := 8 * (i % 30); i > 0 && (err != nil || len(reply.Payload) != want || want > 0 && reply.Payload[0] != byte(i)) {
				t.Errorf("round %d, read %d: %d bytes, %v", round, i, len(reply.Payload), err)
			}
		}
		if n := c.Stats().Exchanges - before.Exchanges; int(n) != len(b.Plan()) {
			t.Errorf("round %d took %d frames, planned %d", round, n, len(b.Plan()))
		}
	}
}

// An answer that is longer than estimated is taken, and the next plan knows.
func TestBatchLearnsSizes(t *testing.T) {
	c := dial(t, &peer{answer: answerSizes})
	b := c.Batch()
	for i := range 4 {
		b.Add(sized(i, 600), 8)
	}
	if n := len(b.Plan()); n != 1 {
		t.Fatalf("%d frames planned", n)
	}
	if err := b.Do(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if n := len(b.Plan()); n != 2 {
		t.Errorf("%d frames planned after the run, want 2", n)
	}
}

// One bad read never spoils the rest, whether the control refuses its block, the whole frame, or finds the frame too long.
func TestBatchBadItem(t *testing.T) {
	const bad = 5
	has := func(qs []focas.Request) bool {
		return slices.ContainsFunc(qs, func(q focas.Request) bool { return q.Args[0] == bad })
	}
	for _, row := range []struct {
		name  string
		raw   func(qs []focas.Request) ([]byte, bool)
		code  focas.Code
		again uint64 // frames of a second run
	}{
		{"block", func(qs []focas.Request) ([]byte, bool) {
			replies := answerSizes(qs)
			for i, q := range qs {
				if q.Args[0] == bad {
					replies[i].Code, replies[i].Payload = focas.EWNumber, nil
				}
			}
			return focas.AppendReplies(nil, 3, replies), true
		}, focas.EWNumber, 1},
		{"frame", func(qs []focas.Request) ([]byte, bool) {
			return focas.AppendErrorFrame(nil, 3, focas.TypeData, focas.ErrorBody{Location: 1, Code: focas.EWData}), has(qs)
		}, focas.EWData, 2},
		{"length", func(qs []focas.Request) ([]byte, bool) {
			replies := answerSizes(qs)
			for i, q := range qs {
				if q.Args[0] == bad && len(qs) > 1 {
					replies[i].Code, replies[i].Payload = focas.EWLength, nil
				}
			}
			return focas.AppendReplies(nil, 3, replies), true
		}, 0, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := &peer{}
			c := dial(t, p)
			p.raw = func(f focas.Frame) ([]byte, bool) {
				if f.Type != focas.TypeData {
					return nil, false
				}
				qs := requestsOf(f.Body)
				if b, ok := row.raw(qs); ok {
					return b, true
				}
				return focas.AppendReplies(nil, 3, answerSizes(qs)), true
			}
			b := c.Batch()
			for i := range 12 {
				b.Add(sized(i, 8), 8)
			}
			for round := range 2 {
				before := c.Stats().Exchanges
				if err := b.Do(t.Context(), c); err != nil {
					t.Fatal(err)
				}
				for i := range b.Len() {
					reply, err := b.Reply(i)
					if i == bad && row.code != 0 {
						if !errors.Is(err, &focas.Error{Code: row.code}) {
							t.Errorf("the bad read: %v, want %v", err, row.code)
						}
						continue
					}
					if err != nil || len(reply.Payload) != 8 || reply.Payload[0] != byte(i) {
						t.Errorf("read %d: %v, %v", i, reply.Payload, err)
					}
				}
				if n := c.Stats().Exchanges - before; round == 1 && n != row.again {
					t.Errorf("the second run took %d frames, want %d: the bad read travels alone", n, row.again)
				}
			}
		})
	}
}

// When the session ends in the middle, what was answered stays and the rest says why it was not.
func TestBatchSessionEnds(t *testing.T) {
	p := &peer{}
	c := dial(t, p)
	frames := 0
	p.raw = func(f focas.Frame) ([]byte, bool) {
		if f.Type != focas.TypeData {
			return nil, false
		}
		if frames++; frames == 2 {
			return []byte("HTTP/1.1 500"), true
		}
		return focas.AppendReplies(nil, 3, answerSizes(requestsOf(f.Body))), true
	}
	b := c.Batch()
	for i := range 6 {
		b.Add(sized(i, 600), 600)
	}
	if err := b.Do(t.Context(), c); !errors.Is(err, focas.ErrMark) {
		t.Errorf("Do: %v", err)
	}
	for i := range 6 {
		_, err := b.Reply(i)
		if want := i >= 2; want != (err != nil) || want && !errors.Is(err, focas.ErrMark) {
			t.Errorf("read %d: %v", i, err)
		}
	}
	if err := b.Do(t.Context(), c); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the next run: %v", err)
	}
}

// sweep is about what the default points of a three-axis machining centre need in one round, the answers padded to pad axes.
func sweep(pad int) *Batch {
	b := NewBatch(Limits{})
	add := func(payload int, qs ...focas.Request) {
		for _, q := range qs {
			b.Add(q, payload)
		}
	}
	add(14, focas.StatusRequest(1))
	for _, k := range focas.PositionKinds() {
		add(8*pad, focas.AxisRequest(1, k, focas.AllAxes))
	}
	add(8*pad, focas.ServoRequest(1, focas.ServoLoad))
	add(8, focas.FeedRequest(1), focas.SpindleSpeedRequest(1), focas.ProgramNumRequest(1))
	add(8*8, focas.SpindleRequest(1, focas.SpindleLoad, focas.AllAxes), focas.SpindleRequest(1, focas.SpindleSpeed, focas.AllAxes))
	add(4, focas.AlarmBitsRequest(1), focas.SequenceNumRequest(1), focas.BlockCountRequest(1))
	add(40, focas.ExecProgramRequest(1))
	add(8, focas.TimerRequest(1, 0), focas.TimerRequest(1, 1), focas.TimerRequest(1, 2), focas.TimerRequest(1, 3))
	add(26, focas.OpSignalRequest(1, -1))
	add(12*30, focas.GCodesRequest(1, focas.ModalAll, 0), focas.CommandsRequest(1, focas.ModalAll, 0))
	add(4*48, focas.AlarmsRequest(1, focas.AllAlarms, 4, focas.AlarmText32))
	add(focas.OpMessageSize, focas.OpMessageRequest(1, -1))
	add(8, focas.AxisRequest(1, focas.AxisSkip, 1))
	return b
}

func TestSweepFrames(t *testing.T) {
	for pad, want := range map[int]int{8: 2, 32: 3} {
		b := sweep(pad)
		if n := len(b.Plan()); n > want {
			t.Errorf("padded to %d: %d reads take %d frames, want %d at most: %v", pad, b.Len(), n, want, b.Plan())
		}
	}
}
