package driver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/patchbay-io/patchbay/internal/device"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wishes is an Interest that a test changes.
type wishes struct {
	mu      sync.Mutex
	every   map[device.Path]time.Duration
	changed chan struct{}
}

func newWishes() *wishes {
	return &wishes{every: map[device.Path]time.Duration{}, changed: make(chan struct{})}
}

func (w *wishes) Every(p device.Path) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.every[p]
}

func (w *wishes) Changed() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

func (w *wishes) set(p device.Path, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.every[p] = d
	close(w.changed)
	w.changed = make(chan struct{})
}

type fakePoll struct {
	start   time.Time
	log     []string // "time: paths", one for each read
	changes []Change
	slow    time.Duration
	fail    error // from the read after the first good ones on
	good    int
}

func (f *fakePoll) Apply(c *Change) {
	f.changes = append(f.changes, Change{Full: c.Full, Specs: c.Specs, Samples: append([]device.Sample(nil), c.Samples...)})
}

func (f *fakePoll) read(ctx context.Context, paths []device.Path) ([]device.Sample, error) {
	f.log = append(f.log, fmt.Sprint(time.Since(f.start).Milliseconds(), ": ", paths))
	if f.fail != nil && len(f.log) > f.good {
		return nil, f.fail
	}
	if f.slow > 0 {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(f.slow):
		}
	}
	out := make([]device.Sample, len(paths))
	for i, p := range paths {
		out[i] = device.Sample{Path: p, Value: device.OfInt(int64(i))}
	}
	return out, nil
}

func pollPeriod(r device.Rate) time.Duration {
	return map[device.Rate]time.Duration{device.Slow: 400 * time.Millisecond, device.Normal: 200 * time.Millisecond,
		device.Fast: 100 * time.Millisecond, device.Meter: 50 * time.Millisecond}[r]
}

var pollSpecs = []device.Spec{
	{Path: "id", Rate: device.Static}, {Path: "s", Rate: device.Slow}, {Path: "n", Rate: device.Normal}, {Path: "f", Rate: device.Fast},
	{Path: "m", Rate: device.Meter}, {Path: "w", Rate: device.Fast, Access: device.W},
}

// runPoll polls for a time and returns what was read.
func runPoll(t *testing.T, f *fakePoll, want Interest, d time.Duration, during func()) PollStats {
	t.Helper()
	f.start = time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	p := &Poller{Specs: pollSpecs, Period: pollPeriod, Read: f.read, Want: want, Sink: f}
	done := make(chan error)
	go func() { done <- p.Run(ctx) }()
	if during != nil {
		during()
	}
	if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Run: %v", err)
	}
	if late := time.Since(f.start) - d; late != 0 {
		t.Errorf("returned %v after its context ended", late)
	}
	return p.Stats()
}

func TestPollGroupsWhatIsDueTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakePoll{}
		w := newWishes()
		w.every["m"] = -1
		stats := runPoll(t, f, w, 450*time.Millisecond, nil)
		want := []string{"0: [id s n f]", "100: [f]", "200: [n f]", "300: [f]", "400: [s n f]"}
		if d := cmp.Diff(want, f.log); d != "" {
			t.Error(d)
		}
		if stats != (PollStats{Reads: 5, Points: 4 + 1 + 2 + 1 + 3}) {
			t.Errorf("%+v", stats)
		}
		if c := f.changes[0]; !c.Full || len(c.Specs) != len(pollSpecs) || len(c.Samples) != 4 {
			t.Errorf("first change: %+v", c)
		}
		for _, c := range f.changes[1:] {
			if c.Full || c.Specs != nil {
				t.Errorf("later change: %+v", c)
			}
		}
	})
}

func TestPollFollowsInterestAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakePoll{}
		w := newWishes()
		w.every["m"], w.every["f"], w.every["n"] = -1, time.Second, -1
		runPoll(t, f, w, 330*time.Millisecond, func() {
			time.Sleep(20 * time.Millisecond)
			w.set("m", 0) // wanted: read at once, then at 50, 100, …
			time.Sleep(100 * time.Millisecond)
			w.set("m", -1)
			time.Sleep(100 * time.Millisecond)
			w.set("f", 300*time.Millisecond)
		})
		want := []string{"0: [id s n f]", "20: [m]", "50: [m]", "100: [m]", "200: [n]", "300: [f]"}
		if d := cmp.Diff(want, f.log); d != "" {
			t.Error(d)
		}
	})
}

func TestPollLeavesOutWhatASlowReadCovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakePoll{slow: 130 * time.Millisecond}
		w := newWishes()
		w.every["m"], w.every["s"] = -1, time.Hour
		stats := runPoll(t, f, w, 900*time.Millisecond, nil)
		// 0 to 130; 200 to 330, which covers 300; 400 to 530, which covers 500; and so on.
		want := []string{"0: [id s n f]", "200: [n f]", "400: [n f]", "600: [n f]", "800: [n f]"}
		if d := cmp.Diff(want, f.log); d != "" {
			t.Error(d)
		}
		if stats.Missed != 4 {
			t.Errorf("missed %d", stats.Missed)
		}
	})
}

// A tick of a slow group that comes during a read of a fast one is late, not lost.
func TestPollReadsAGroupThatBecameDueMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakePoll{slow: 60 * time.Millisecond}
		w := newWishes()
		w.every["m"], w.every["s"], w.every["n"], w.every["f"] = -1, 230*time.Millisecond, time.Hour, 100*time.Millisecond
		runPoll(t, f, w, 310*time.Millisecond, nil)
		want := []string{"0: [id s n f]", "100: [f]", "200: [f]", "260: [s]"}
		if d := cmp.Diff(want, f.log[:4]); d != "" {
			t.Error(d)
		}
	})
}

func TestPollEndsWithTheReadsError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("link down")
		f := &fakePoll{fail: broken, good: 3, start: time.Now()}
		err := Poll(t.Context(), pollSpecs, pollPeriod, f.read, newWishes(), f)
		if !errors.Is(err, broken) || len(f.changes) != 3 || time.Since(f.start) != 150*time.Millisecond {
			t.Errorf("%v after %d changes", err, len(f.changes))
		}
		f = &fakePoll{fail: broken}
		if err := Poll(t.Context(), pollSpecs, pollPeriod, f.read, newWishes(), f); !errors.Is(err, broken) || f.changes != nil {
			t.Errorf("first read: %v, %v", err, f.changes)
		}
	})
}

func TestPollRefusesMoreSamplesThanPoints(t *testing.T) {
	read := func(context.Context, []device.Path) ([]device.Sample, error) { return make([]device.Sample, 99), nil }
	if err := Poll(t.Context(), pollSpecs, pollPeriod, read, Everything{}, &fakePoll{}); ClassOf(err) != Internal || !errors.Is(err, errTooManySamples) {
		t.Error(err)
	}
}

func TestPollTellsWhyItsContextEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := errors.New("session closed")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Hour, func() { cancel(closed) })
		if err := Poll(ctx, pollSpecs[:1], pollPeriod, new(fakePoll).read, Everything{}, &fakePoll{}); !errors.Is(err, closed) {
			t.Error(err)
		}
		f := &fakePoll{slow: time.Second}
		ctx, cancel = context.WithCancelCause(t.Context())
		time.AfterFunc(time.Millisecond, func() { cancel(closed) })
		if err := Poll(ctx, pollSpecs, pollPeriod, f.read, Everything{}, f); !errors.Is(err, closed) || f.changes != nil {
			t.Error(err, f.changes)
		}
	})
}

func TestPollOfNothingWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		f := &fakePoll{start: time.Now()}
		if err := Poll(ctx, pollSpecs[:1], pollPeriod, f.read, Everything{}, f); !errors.Is(err, context.DeadlineExceeded) || len(f.log) != 1 {
			t.Error(err, f.log)
		}
		cancel()
		if err := Poll(ctx, nil, pollPeriod, f.read, Everything{}, f); err == nil || len(f.log) != 1 {
			t.Error(err, f.log)
		}
	})
}

func TestAmendFull(t *testing.T) {
	f := &fakePoll{}
	s := AmendFull(f, func(c *Change) { c.Specs = append(c.Specs, device.Spec{Path: "x"}) })
	s.Apply(&Change{Full: true})
	s.Apply(&Change{})
	if len(f.changes[0].Specs) != 1 || len(f.changes[1].Specs) != 0 {
		t.Error(f.changes)
	}
}

// BenchmarkPoll is the cost of one tick of 1,000 points, reading excluded.
func BenchmarkPoll(b *testing.B) {
	specs := make([]device.Spec, 1000)
	for i := range specs {
		specs[i] = device.Spec{Path: device.Path(fmt.Sprint("p/", i)), Rate: device.Rate(1 + i%3)}
	}
	p := &Poller{Specs: specs, Period: pollPeriod, Want: Everything{}}
	s := &schedule{start: time.Now(), periods: make([]time.Duration, len(specs)), ticks: map[time.Duration]int64{}}
	s.rebuild(p)
	b.ReportAllocs()
	for b.Loop() {
		s.due(s.start.Add(time.Hour))
		s.settle(p)
	}
}
