package focassim

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasclient"
)

// Which faults touch which frames: what they do to the open, to data, to a transfer and to the goodbye.
func TestFaultsByFrame(t *testing.T) {
	for _, row := range []struct {
		name                 string
		f                    Faults
		open, data, transfer bool // answered as if there were no fault
	}{
		{"none", Faults{}, true, true, true},
		{"silent", Faults{Silent: true}, true, false, false},
		{"silent from the open on", Faults{SilentOpen: true}, false, false, false},
		{"cut", Faults{CutFrame: true}, true, false, true},
		{"refuse", Faults{Refuse: focas.EWBusy}, true, false, true},
		{"garbage", Faults{Garbage: true}, true, false, true},
		{"drain", Faults{Drain: true}, false, false, false},
		{"slow", Faults{Delay: 100 * time.Millisecond}, true, true, true},
		{"misplaced data only", Faults{ResetMisplaced: true}, true, true, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			faulty(t, Options{Manual: true}, func(t *testing.T, s *Sim, ln *testnet.Listener, c *focasclient.Client) {
				s.SetFaults(row.f)
				if diff := cmp.Diff(row.f, s.Faults(), cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Drained" }, cmp.Ignore())); diff != "" {
					t.Error(diff)
				}
				var text bytes.Buffer
				_, err := c.Path(1).Upload(t.Context(), focasclient.Transfer{File: focas.NumberedFiles(1001, 1001)}, &text)
				if (err == nil) != row.transfer {
					t.Errorf("transfer: %v", err)
				}
				if _, err := c.Path(1).SequenceNum(t.Context()); (err == nil) != row.data {
					t.Errorf("data: %v", err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				conn, err := ln.DialContext(ctx, "tcp", "cnc:8193")
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				conn.Write(focas.AppendOpenRequest(nil, focas.ChannelData))
				conn.SetReadDeadline(time.Now().Add(time.Second))
				if _, err := focas.NewFrameReader(conn).Next(); (err == nil) != row.open {
					t.Errorf("open: %v", err)
				}
			})
		})
	}
}

// Switches that are changed while a client waits: what is on when the control sends counts.
func TestFaultsChangeInFlight(t *testing.T) {
	faulty(t, Options{Manual: true}, func(t *testing.T, s *Sim, _ *testnet.Listener, c *focasclient.Client) {
		status := func() (time.Duration, error) {
			began := time.Now()
			_, err := c.Path(1).SequenceNum(t.Context())
			return time.Since(began), err
		}
		for _, row := range []struct {
			f    Faults
			took time.Duration
			ok   bool
		}{
			{Faults{}, 0, true}, {Faults{Delay: 300 * time.Millisecond}, 300 * time.Millisecond, true}, {Faults{}, 0, true},
			{Faults{Refuse: focas.EWReset}, 0, false}, {Faults{Refuse: focas.EWReset, Delay: time.Second}, time.Second, false}, {Faults{}, 0, true},
			{Faults{Silent: true}, 2 * time.Second, false},
		} {
			s.SetFaults(row.f)
			if took, err := status(); took != row.took || (err == nil) != row.ok {
				t.Errorf("%+v: %v after %v", row.f, err, took)
			}
		}
		if !errors.Is(c.Err(), os.ErrDeadlineExceeded) {
			t.Errorf("the session ended by %v", c.Err())
		}
	})
	// A delay that is taken back holds for the frame that waits already, and not for the next.
	faulty(t, Options{Manual: true}, func(t *testing.T, s *Sim, _ *testnet.Listener, c *focasclient.Client) {
		s.SetFaults(Faults{Delay: time.Second})
		began := time.Now()
		done := make(chan error, 1)
		go func() { _, err := c.Path(1).SequenceNum(t.Context()); done <- err }()
		time.Sleep(400 * time.Millisecond)
		s.SetFaults(Faults{})
		if err := <-done; err != nil || time.Since(began) != time.Second {
			t.Errorf("the frame that waited: %v after %v", err, time.Since(began))
		}
		if _, err := c.Path(1).SequenceNum(t.Context()); err != nil || time.Since(began) != time.Second {
			t.Errorf("the next: %v after %v", err, time.Since(began))
		}
		// A power cycle ends a wait at once.
		s.SetFaults(Faults{Delay: time.Minute})
		go func() { _, err := c.Path(1).SequenceNum(t.Context()); done <- err }()
		synctest.Wait()
		began = time.Now()
		s.PowerCycle()
		if err := <-done; err == nil || time.Since(began) != 0 {
			t.Errorf("power cycle: %v after %v", err, time.Since(began))
		}
	})
}

// Sessions are counted by data channels: transfers need none, and one that ends makes room.
func TestSessionsAreCounted(t *testing.T) {
	faulty(t, Options{Manual: true, MaxSessions: 2}, func(t *testing.T, _ *Sim, ln *testnet.Listener, c *focasclient.Client) {
		dial := func() (*focasclient.Client, error) {
			return focasclient.Dial(t.Context(), ln.DialContext, "cnc:8193", focasclient.Options{})
		}
		second, err := dial()
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range []*focasclient.Client{c, second} {
			if _, err := x.Path(1).Upload(t.Context(), focasclient.Transfer{File: focas.NumberedFiles(1001, 1001)}, io.Discard); err != nil {
				t.Errorf("a transfer needs no session of its own: %v", err)
			}
		}
		if _, err := dial(); err == nil {
			t.Error("a third session is admitted")
		}
		second.Close(t.Context())
		synctest.Wait()
		third, err := dial()
		if err != nil {
			t.Fatalf("after one has gone: %v", err)
		}
		third.Close(t.Context())
	})
}

// A control answers many clients, is watched and changed by its operator, and serves two listeners, all at once.
func TestEverybodyAtOnce(t *testing.T) {
	faulty(t, Options{Profile: "31i", Scenario: Scenario{Period: time.Second, Events: []Event{{At: 100 * time.Millisecond, Kind: FeedOverride, Value: 50}}}}, func(t *testing.T, s *Sim, ln *testnet.Listener, c *focasclient.Client) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				x, err := focasclient.Dial(t.Context(), ln.DialContext, "cnc:8193", focasclient.Options{})
				if err != nil {
					t.Error(err)
					return
				}
				for i := range 20 {
					p := x.Path(uint16(1 + i%2))
					if _, err := p.Positions(t.Context()); err != nil {
						t.Error(err)
					}
					if err := p.WriteMacro(t.Context(), 500, focas.Decimal(int32(i), 0)); err != nil {
						t.Error(err)
					}
				}
				x.Close(t.Context())
			})
		}
		wg.Go(func() {
			for i := range 40 {
				s.Do(Event{Kind: FeedHoldOn + EventKind(i%2)})
				s.Advance(100 * time.Millisecond)
				s.SetAnswers(nil)
				s.SetFaults(Faults{})
				s.Protect(i%2 == 0)
				s.Auto(i%3 == 0)
				_ = s.Version()
			}
		})
		wg.Wait()
		if _, err := c.Path(1).StatInfo(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// What is wrong with a line of an answer file, and which line it is.
func TestAnswerFileErrors(t *testing.T) {
	for _, row := range []struct{ line, want string }{
		{"0x1a", "no =, : or ! after the function"},
		{"0x1a 0041", "no =, : or ! after the function"},
		{"= 00", `want a function code and at most four arguments before '='`},
		{"0x1a 1 2 3 4 5 = 00", `want a function code and at most four arguments before '='`},
		{"zz = 00", `"zz" is no function code`},
		{"0x10000 = 00", `"0x10000" is no function code`},
		{"P: = 00", `"P:" is no function code`},
		{"-1 = 00", `"-1" is no function code`},
		{"0x1a x = 00", `"x" is no argument`},
		{"0x1a 2147483648 = 00", `"2147483648" is no argument`},
		{"0x1a = 0", "answer is not hex"},
		{"0x1a = 0g", "answer is not hex"},
		{"0x1a ! busy", `"busy" is no error code`},
		{"0x1a ! 40000", `"40000" is no error code`},
		{"0x1a !", `"" is no error code`},
		{"0x1a : 00", "a block has 16 bytes at least, this one 1"},
		{"0x1a :", "a block has 16 bytes at least, this one 0"},
	} {
		_, err := ParseAnswers(strings.NewReader("# first\n\n" + row.line + " # why\n"))
		if err == nil || !strings.HasPrefix(err.Error(), "answers: line 3: ") || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.line, err, row.want)
		}
	}
	broken := errors.New("disk on fire")
	if _, err := ParseAnswers(io.MultiReader(strings.NewReader("0x1a = 00\n"), failing{broken})); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// Which answer fits which question: class, function and the first arguments, in the order of the file.
func TestAnswersFit(t *testing.T) {
	answers, err := ParseAnswers(strings.NewReader("0x15 100 = 01\n0x15 100 101 = 02\n21 = 03\n0x15 = 04\nP:0x15 = 05\n0x16 -1 = 06\n0x17 0x7fffffff ! -2\n0x18 ="))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		class focas.Class
		f     focas.Func
		args  [4]int32
		want  string // hex, "none", or a code
	}{
		{1, 0x15, [4]int32{100, 101}, "01"}, {1, 0x15, [4]int32{100}, "01"}, {1, 0x15, [4]int32{5}, "03"}, {2, 0x15, [4]int32{}, "05"}, {2, 0x15, [4]int32{100}, "05"},
		{1, 0x16, [4]int32{-1, 9}, "06"}, {1, 0x16, [4]int32{1}, "none"}, {1, 0x17, [4]int32{1<<31 - 1}, "EW_RESET"}, {1, 0x18, [4]int32{3}, ""}, {3, 0x15, [4]int32{}, "none"}, {1, 0x99, [4]int32{}, "none"},
	} {
		q := focas.Request{Class: row.class, Func: row.f, Args: row.args}
		got := "none"
		if a, ok := answers.find(&q); ok {
			if got = strings.ToLower(strings.TrimSpace(hexOf(a.Data))); a.Code != 0 {
				got = a.Code.String()
			}
		}
		if got != row.want {
			t.Errorf("class %d function %v%v: %s, want %s", row.class, row.f, row.args, got, row.want)
		}
	}
}

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	var out []byte
	for _, v := range b {
		out = append(out, digits[v>>4], digits[v&15])
	}
	return string(out)
}

// The open reply and the identity by profile, as a client sees them.
func TestIdentities(t *testing.T) {
	for _, row := range []struct {
		profile string
		version focas.Version
		family  focas.Family
		series  string
		axes    []int
		maxAxes uint16
	}{
		{"30i", 3, focas.Family30i, "G301", []int{3}, 32}, {"16i", 2, focas.Family16i, "B0F2", []int{3}, 8}, {"0i-d", 3, focas.Family30i, "D4F1", []int{3}, 32},
		{"0i-f", 3, focas.Family30i, "D4G1", []int{3}, 32}, {"31i", 4, focas.Family30i, "G421", []int{2, 4}, 32}, {"31I", 4, focas.Family30i, "G421", []int{2, 4}, 32},
	} {
		t.Run(row.profile, func(t *testing.T) {
			faulty(t, Options{Profile: row.profile, Manual: true}, func(t *testing.T, s *Sim, _ *testnet.Listener, c *focasclient.Client) {
				o := c.OpenReply()
				if o.Version != row.version || s.Version() != row.version || c.Family() != row.family || o.MaxAxes != row.maxAxes || len(c.Paths()) != len(row.axes) || !o.Extended() && row.version > 2 {
					t.Errorf("version %d, family %v, %+v", o.Version, c.Family(), o)
				}
				for i, n := range c.Paths() {
					sys, err := c.Path(n).SysInfo()
					if err != nil || sys.SeriesText() != row.series || c.Path(n).AxisCount() != row.axes[i] || c.Path(n).SpindleCount() != 1 {
						t.Errorf("path %d: %+v, %d axes, %v", n, sys, c.Path(n).AxisCount(), err)
					}
				}
				a, err := c.Path(1).CNCID(t.Context())
				b, err2 := c.Path(1).CNCID(t.Context())
				if err != nil || err2 != nil || a.ID != b.ID || a.ID == [4]uint32{} {
					t.Errorf("identity %v and %v, %v, %v", a, b, err, err2)
				}
			})
		})
	}
	one, _ := newSim(t, Options{Seed: 1})
	two, _ := newSim(t, Options{Seed: 2})
	if a, b := read(t, one, focas.CNCIDRequest(1), focas.ParseCNCID), read(t, two, focas.CNCIDRequest(1), focas.ParseCNCID); a.ID == b.ID {
		t.Errorf("controls of different seeds have the identity %v", a)
	}
}
