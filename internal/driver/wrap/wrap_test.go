package wrap

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// fake is a session that takes a second for everything and remembers when each call began and how many ran at once.
type fake struct {
	mu            sync.Mutex
	began         []time.Time
	running, peak int
	none          bool
	closed        int
}

func (f *fake) work() {
	f.mu.Lock()
	f.began = append(f.began, time.Now())
	f.running++
	f.peak = max(f.peak, f.running)
	f.mu.Unlock()
	time.Sleep(time.Second)
	f.mu.Lock()
	f.running--
	f.mu.Unlock()
}

func (f *fake) Read(_ context.Context, paths []device.Path) ([]device.Sample, error) {
	f.work()
	return make([]device.Sample, len(paths)), nil
}
func (f *fake) Watch(ctx context.Context, _ driver.Interest, _ driver.Sink) error {
	<-ctx.Done()
	return ctx.Err()
}
func (f *fake) Close() error { f.closed++; return nil }
func (f *fake) Abilities() driver.Abilities {
	if f.none {
		return driver.Abilities{}
	}
	return driver.Abilities{Writer: f, Commander: f, Streamer: f}
}
func (f *fake) Write(_ context.Context, w []driver.Write) ([]driver.Outcome, error) {
	f.work()
	out := make([]driver.Outcome, len(w))
	for i := range out {
		out[i].Stage = driver.Acked
	}
	return out, nil
}
func (f *fake) Do(context.Context, device.Path, []device.Value) (device.Value, driver.Outcome) {
	f.work()
	return device.OfInt(7), driver.Outcome{Stage: driver.Sent}
}
func (f *fake) OpenStream(context.Context, device.Path, driver.Line) (driver.Stream, error) {
	return nil, errors.New("port in use")
}

func TestReadOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		s := ReadOnly(f)
		if s.Abilities() != (driver.Abilities{}) {
			t.Error("something can still act")
		}
		if _, err := s.Read(t.Context(), nil); err != nil {
			t.Error(err)
		}
		if s.Close(); f.closed != 1 {
			t.Error("the session below was not closed")
		}
	})
}

func TestDryRun(t *testing.T) {
	f := &fake{}
	var told []string
	a := DryRun(f, func(w driver.Write) { told = append(told, string(w.Path)+"="+w.Value.String()) },
		func(p device.Path, _ []device.Value) { told = append(told, string(p)) }).Abilities()
	out, err := a.Writer.Write(t.Context(), []driver.Write{{Path: "a", Value: device.OfInt(1)}, {Path: "b", Value: device.OfInt(2)}})
	if err != nil || len(out) != 2 || out[1].Stage != driver.Refused || !errors.Is(out[1].Err, ErrDryRun) {
		t.Error(out, err)
	}
	if _, o := a.Commander.Do(t.Context(), "cut", nil); o.Stage != driver.Refused || !errors.Is(o.Err, ErrDryRun) {
		t.Error(o)
	}
	if strings.Join(told, " ") != "a=1 b=2 cut" || len(f.began) != 0 || a.Streamer != nil {
		t.Error(told, f.began)
	}
	quiet := DryRun(f, nil, nil).Abilities()
	quiet.Writer.Write(t.Context(), make([]driver.Write, 1))
	quiet.Commander.Do(t.Context(), "cut", nil)
	if DryRun(&fake{none: true}, nil, nil).Abilities() != (driver.Abilities{}) {
		t.Error("a dry run invents abilities")
	}
}

func callAll(t *testing.T, s driver.Session) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() {
		if got, err := s.Read(t.Context(), make([]device.Path, 2)); len(got) != 2 || err != nil {
			t.Error(got, err)
		}
	})
	wg.Go(func() {
		if out, err := s.Abilities().Writer.Write(t.Context(), make([]driver.Write, 1)); err != nil || out[0].Stage != driver.Acked {
			t.Error(out, err)
		}
	})
	wg.Go(func() {
		if v, out := s.Abilities().Commander.Do(t.Context(), "x", nil); v.Int() != 7 || out.Stage != driver.Sent {
			t.Error(v, out)
		}
	})
	wg.Wait()
}

func TestLimit(t *testing.T) {
	for n, want := range map[int]int{0: 1, 1: 1, 2: 2, 9: 3} {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{}
			callAll(t, Limit(f, n))
			if f.peak != want {
				t.Errorf("limit %d: %d at once", n, f.peak)
			}
		})
	}
}

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		start := time.Now()
		callAll(t, Pace(f, 10*time.Second))
		for i, at := range f.began {
			if at.Sub(start) != time.Duration(i)*10*time.Second {
				t.Errorf("call %d began after %v", i, at.Sub(start))
			}
		}
		f = &fake{}
		s := Pace(f, time.Millisecond)
		s.Read(t.Context(), nil)
		time.Sleep(time.Minute)
		at := time.Now()
		if s.Read(t.Context(), nil); f.began[1] != at {
			t.Error("a late call waited")
		}
	})
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	for name, wrap := range map[string]func(driver.Session) driver.Session{
		"limit": func(s driver.Session) driver.Session { return Limit(s, 1) },
		"pace":  func(s driver.Session) driver.Session { return Pace(s, time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{}
				s := wrap(f)
				go s.Read(t.Context(), nil)
				synctest.Wait()
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				defer cancel()
				if _, err := s.Read(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				out, err := s.Abilities().Writer.Write(ctx, make([]driver.Write, 2))
				if !errors.Is(err, context.DeadlineExceeded) || len(out) != 2 || out[1].Stage != driver.Refused {
					t.Error(out, err)
				}
				if _, o := s.Abilities().Commander.Do(ctx, "x", nil); o.Stage != driver.Refused {
					t.Error(o)
				}
				if len(f.began) != 1 {
					t.Error("something was sent")
				}
				time.Sleep(2 * time.Second)
			})
		})
	}
}

func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		s := Log(&fake{}, slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug})))
		s.Abilities().Writer.Write(t.Context(), []driver.Write{{Path: "me/1/program", Value: device.OfInt(3)}})
		s.Abilities().Commander.Do(t.Context(), "me/1/cut", nil)
		s.Abilities().Streamer.OpenStream(t.Context(), "ports/1", driver.Line{Baud: 9600})
		s.Read(t.Context(), make([]device.Path, 4))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		s.Watch(ctx, driver.Everything{}, nil)
		s.Close()
		for _, want := range []string{"level=INFO msg=write path=me/1/program value=3 stage=acknowledged took=1s",
			"msg=command path=me/1/cut arguments=0 stage=sent", "path=ports/1 baud=9600", "class=internal error=\"port in use\"",
			"level=DEBUG msg=read points=4 took=1s", "msg=\"watch ended\" took=1m0s class=timeout", "msg=close"} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("no %q in\n%s", want, b.String())
			}
		}
		if Log(&fake{none: true}, slog.New(slog.NewTextHandler(io.Discard, nil))).Abilities() != (driver.Abilities{}) {
			t.Error("the log invents abilities")
		}
	})
}
