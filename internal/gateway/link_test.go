package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

func TestLinkComesUpFallsAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newToy()
		g := New(Options{})
		if err := g.SetDevices([]DeviceConfig{conf("m", d)}); err != nil {
			t.Fatal(err)
		}
		if got := linkText(t, g, "m", "state"); got != "connecting" {
			t.Errorf("before the first connection: %q", got)
		}
		g, stop := running(t, conf("m", d))
		defer stop()
		synctest.Wait()
		if got := linkText(t, g, "m", "state"); got != "up" {
			t.Fatalf("state = %q", got)
		}
		if s := sample(t, g, "m", "gain"); s.Quality != device.Good || s.Value.Float() != -10 {
			t.Errorf("gain = %+v", s)
		}
		d.kill()
		synctest.Wait()
		if got := linkText(t, g, "m", "state") + " " + linkText(t, g, "m", "error-class"); got != "down closed" {
			t.Errorf("after the break: %q", got)
		}
		if s := sample(t, g, "m", "gain"); s.Quality != device.Bad || s.Reason != device.ReasonLinkDown || s.Value.Float() != -10 {
			t.Errorf("after the break gain = %+v", s)
		}
		if linkText(t, g, "m", "next-attempt") == "" {
			t.Error("no next attempt")
		}
		since := linkText(t, g, "m", "since")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := linkText(t, g, "m", "state") + linkText(t, g, "m", "error") + " " + linkText(t, g, "m", "connects"); got != "up 2" {
			t.Errorf("after the pause: %q", got)
		}
		if linkText(t, g, "m", "since") == since {
			t.Error("since is still the beginning of the outage")
		}
		if s := sample(t, g, "m", "gain"); s.Quality != device.Good {
			t.Errorf("gain = %+v", s)
		}
	})
}

// Two outages in the same words are two lines that differ, or a log without floods leaves out the second and says "link up"
// twice in a row.
func TestEachOutageIsALineOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newToy()
		var log bytes.Buffer
		g := New(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		defer runs(t, g, conf("m", d))()
		for range 2 {
			time.Sleep(10 * time.Second)
			synctest.Wait()
			d.kill()
		}
		synctest.Wait()
		since := map[string]bool{}
		for line := range strings.Lines(log.String()) {
			if strings.Contains(line, "link down") {
				_, s, _ := strings.Cut(strings.TrimSpace(line), "up_since=")
				since[s] = true
			}
		}
		if len(since) != 2 || since[""] {
			t.Errorf("two outages are told apart by %v:\n%s", since, log.String())
		}
	})
}

func TestPointsAppearAndVanish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newToy()
		g, stop := running(t, conf("m", d))
		defer stop()
		synctest.Wait()
		d.say(&driver.Change{Specs: []device.Spec{{Path: "new", Kind: device.Int}}, Gone: []device.Path{"speed"},
			Samples: []device.Sample{{Path: "new", Value: device.OfInt(1)}, {Path: "_link/state", Value: device.OfEnum(3)}}})
		synctest.Wait()
		if _, ok := g.Tree().Point("m", "speed"); ok {
			t.Error("speed is still there")
		}
		if s := sample(t, g, "m", "new"); s.Value.Int() != 1 || s.Received.IsZero() {
			t.Errorf("new = %+v", s)
		}
		if got := linkText(t, g, "m", "state"); got != "up" {
			t.Errorf("a session changed the gateway's own point: %q", got)
		}
		d.say(&driver.Change{Condition: &driver.Condition{Code: "waiting-for-approval", Text: "approve it there"}})
		synctest.Wait()
		if got := linkText(t, g, "m", "state") + " " + linkText(t, g, "m", "condition"); got != "waiting waiting-for-approval" {
			t.Errorf("condition: %q", got)
		}
		d.say(&driver.Change{Condition: &driver.Condition{}})
		synctest.Wait()
		if got := linkText(t, g, "m", "state") + linkText(t, g, "m", "condition"); got != "up" {
			t.Errorf("condition cleared: %q", got)
		}
	})
}

// What was wrong with the last link is over as soon as a session lives, also one that waits for a person.
func TestAWaitingSessionHasNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newToy()
		g, stop := running(t, conf("m", d))
		defer stop()
		synctest.Wait()
		d.mu.Lock()
		d.waits = "not-paired"
		d.mu.Unlock()
		d.kill()
		synctest.Wait()
		if linkText(t, g, "m", "error") == "" {
			t.Error("no error after the break")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := linkText(t, g, "m", "state") + linkText(t, g, "m", "error") + linkText(t, g, "m", "error-class"); got != "waiting" {
			t.Errorf("after the pause: %q", got)
		}
		// who writes what is not there yet is told why
		_, err := waitFor(g, set("m", "outputs/1/level", 1))
		var we *north.WriteError
		if !errors.As(err, &we) || we.Code != "unknown-point" || !strings.Contains(we.Text, "it is not-paired") {
			t.Errorf("a write: %#v", err)
		}
	})
}

// A person who has let this program in does not wait for the pause that failures before have made long, and neither does a
// device that has waited for that person all the time. The log says what is waited for, and nothing of a failure.
func TestWhatAPersonDoesIsFollowedAtOnce(t *testing.T) {
	renewed := fmt.Errorf("let in: %w", driver.ErrRenew)
	for _, tt := range []struct {
		name  string
		waits time.Duration
		end   error
		level string
	}{
		{"renewed", 5 * time.Second, renewed, "INFO"},
		{"lost after a long wait", time.Hour, net.ErrClosed, "WARN"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newToy()
				var on atomic.Bool
				d.open = func(context.Context) error {
					if !on.Load() {
						return &driver.Error{Op: "open", Target: "toy", Class: driver.RefusedConn, Err: errors.New("no")}
					}
					return nil
				}
				d.waits = "not-paired"
				var log said
				g := New(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
				defer runs(t, g, conf("m", d))()
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				on.Store(true)
				time.Sleep(time.Minute)
				synctest.Wait()
				if got := linkText(t, g, "m", "state"); got != "waiting" || !strings.Contains(log.String(), `msg="link waits" device=m condition=not-paired`) {
					t.Fatalf("%s:\n%s", got, log.String())
				}
				d.end(net.ErrClosed) // so that the wait begins now
				time.Sleep(time.Minute)
				synctest.Wait()
				log.Reset()
				d.mu.Lock()
				d.waits = ""
				d.mu.Unlock()
				time.Sleep(tt.waits)
				d.say(&driver.Change{Condition: &driver.Condition{}}) // the person has done it, and the session is none with the device yet
				synctest.Wait()
				if log.String() != "" {
					t.Errorf("the log says after the wait:\n%s", log.String())
				}
				d.end(tt.end)
				synctest.Wait()
				if !strings.Contains(log.String(), "level="+tt.level+` msg="link down"`) {
					t.Errorf("the log says:\n%s", log.String())
				}
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if got := linkText(t, g, "m", "state"); got != "up" {
					t.Errorf("two seconds later the link is %s:\n%s", got, log.String())
				}
			})
		})
	}
}

// said is a log that can be read while others write to it.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func (s *said) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Reset()
}

func TestADeadSessionSaysNothingMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newToy()
		g, stop := running(t, conf("m", d))
		defer stop()
		synctest.Wait()
		late := d.sink
		d.kill()
		synctest.Wait()
		late.Apply(&driver.Change{Samples: []device.Sample{{Path: "gain", Value: device.OfFloat(1)}}})
		if s := sample(t, g, "m", "gain"); s.Quality != device.Bad || s.Value.Float() != -10 {
			t.Errorf("gain = %+v", s)
		}
		if err := g.SetDevices(nil); err != nil {
			t.Fatal(err)
		}
		late.Apply(&driver.Change{Full: true, Specs: d.specs})
		if pts, _ := g.Tree().Points(device.Filter{}); len(pts) != 0 {
			t.Errorf("%d points of a removed device", len(pts))
		}
	})
}

func TestClassDecidesRetry(t *testing.T) {
	for _, tt := range []struct {
		class       driver.Class
		state       string
		least, most int // attempts in a minute
	}{
		{driver.RefusedConn, "down", 7, 14},
		{driver.NotThisProtocol, "down", 4, 9},
		{driver.Auth, "down", 4, 9},
		{driver.Unsupported, "stopped", 1, 1},
		{driver.Internal, "stopped", 1, 1},
	} {
		t.Run(tt.class.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				attempts := 0
				d := newToy()
				d.open = func(context.Context) error {
					attempts++
					return &driver.Error{Op: "open", Target: "toy", Class: tt.class, Hint: "look there", Err: errors.New("no")}
				}
				g, stop := running(t, conf("m", d))
				defer stop()
				began := linkText(t, g, "m", "since")
				time.Sleep(time.Minute)
				synctest.Wait()
				if got := linkText(t, g, "m", "since"); tt.state == "down" && got != began {
					t.Errorf("down since %s, want %s: the attempts of one outage move its beginning", got, began)
				}
				if attempts < tt.least || attempts > tt.most {
					t.Errorf("%d attempts, want %d to %d", attempts, tt.least, tt.most)
				}
				if got := linkText(t, g, "m", "state"); got != tt.state {
					t.Errorf("state = %q, want %q", got, tt.state)
				}
				if linkText(t, g, "m", "error") != "open toy: no" || linkText(t, g, "m", "hint") != "look there" {
					t.Error("error or hint is lost")
				}
			})
		})
	}
}

func TestPauseGrowsAndStartsAgain(t *testing.T) {
	p := pause{}
	var last time.Duration
	for i := range 10 {
		d, again := p.next(driver.Closed, 0)
		want := min(500*time.Millisecond<<i, 30*time.Second)
		if !again || d < want*8/10 || d > want*12/10 {
			t.Errorf("pause %d is %v, want about %v", i, d, want)
		}
		last = d
	}
	if d, _ := p.next(driver.Closed, 2*time.Minute); d >= last || d > time.Second {
		t.Errorf("after a stable time the pause is %v", d)
	}
	if d, _ := (&pause{}).next(driver.Auth, 0); d < 8*time.Second {
		t.Errorf("a wrong password is tried again after %v", d)
	}
}

func TestHangingOpenTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newToy()
		d.open = func(ctx context.Context) error {
			<-ctx.Done()
			return driver.WrapNet("open", "toy", ctx.Err())
		}
		g, stop := running(t, conf("m", d), conf("n", newToy()))
		defer stop()
		synctest.Wait()
		if got := linkText(t, g, "n", "state"); got != "up" {
			t.Errorf("the neighbour is %q", got)
		}
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		if got := linkText(t, g, "m", "state") + " " + linkText(t, g, "m", "error-class"); got != "down timeout" {
			t.Errorf("m is %q", got)
		}
	})
}

func TestPanicStopsOneDeviceOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		bad := newToy()
		bad.open = func(context.Context) error { panic("index out of range") }
		g := New(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err := g.SetDevices([]DeviceConfig{conf("bad", bad), conf("m", newToy())}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- g.Run(ctx) }()
		synctest.Wait()
		if linkText(t, g, "bad", "state") != "stopped" || linkText(t, g, "bad", "error-class") != "internal" {
			t.Errorf("bad is %q", linkText(t, g, "bad", "state"))
		}
		if linkText(t, g, "m", "state") != "up" {
			t.Error("the neighbour suffers")
		}
		cancel()
		<-done
		if !strings.Contains(log.String(), "index out of range") || !strings.Contains(log.String(), "toy_test.go") {
			t.Error("the log has no stack")
		}
	})
}

func TestReloadTouchesOnlyWhatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, c, n := newToy(), newToy(), newToy(), newToy()
		g, stop := running(t, conf("a", a), conf("b", b), conf("c", c))
		defer stop()
		synctest.Wait()
		b2 := conf("b", b)
		b2.Section = "2"
		a2 := conf("a", a)
		a2.Writable = []string{"gain"}
		if err := g.SetDevices([]DeviceConfig{conf("n", n), b2, a2}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if a.opened != 1 || b.opened != 2 || n.opened != 1 {
			t.Errorf("opened a %d, b %d, n %d times", a.opened, b.opened, n.opened)
		}
		if len(b.sessions) != 1 || len(c.sessions) != 0 {
			t.Errorf("b has %d sessions, c %d", len(b.sessions), len(c.sessions))
		}
		var names []string
		for _, d := range g.Devices() {
			names = append(names, d.Name+" "+linkText(t, g, d.Name, "state"))
		}
		if got := strings.Join(names, ", "); got != "n up, b up, a up" {
			t.Errorf("devices: %s", got)
		}
		if d, _ := g.Device("a"); len(d.Writable) != 1 || d.ConfigKey != "devices.a.writable" {
			t.Errorf("permissions are not taken over: %+v", d)
		}
		if pts, _ := g.Tree().Points(device.Filter{Devices: []string{"c"}}); len(pts) != 0 {
			t.Error("c is still in the tree")
		}
		for _, bad := range [][]DeviceConfig{{conf("x", a), conf("x", a)}, {conf("", a)}, {conf("A b", a)}, {{Name: "x"}}} {
			if err := g.SetDevices(bad); err == nil {
				t.Errorf("accepted %v", bad)
			}
		}
		if len(g.Devices()) != 3 {
			t.Error("a refused list changed something")
		}
	})
}

func TestRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newToy()
		g := New(Options{})
		if err := g.SetDevices([]DeviceConfig{conf("m", d)}); err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- g.Run(ctx) }()
			synctest.Wait()
			if got := linkText(t, g, "m", "state"); got != "up" {
				t.Errorf("run %d: %q", i, got)
			}
			if err := g.Run(ctx); !errors.Is(err, errRunning) {
				t.Errorf("second Run at the same time: %v", err)
			}
			cancel()
			<-done
			if got := linkText(t, g, "m", "state"); got != "stopped" || len(d.sessions) != 0 {
				t.Errorf("after run %d: %q, %d sessions", i, got, len(d.sessions))
			}
		}
	})
}

func TestMetersOnlyWhileWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newToy()
		d.specs = append(d.specs, device.Spec{Path: "meters/1", Kind: device.Float, Rate: device.Meter})
		g, stop := running(t, conf("m", d))
		defer stop()
		synctest.Wait()
		if d.interest.Every("meters/1") >= 0 || d.interest.Every("gain") != 0 {
			t.Error("without readers meters are unwanted and other points have their default")
		}
		changed := d.interest.Changed()
		s := g.Tree().Subscribe(device.Filter{Under: []device.Path{"meters"}}, 0)
		<-changed
		if d.interest.Every("meters/1") != 0 {
			t.Error("a reader does not wake the meter")
		}
		s.Close()
		if d.interest.Every("meters/1") >= 0 {
			t.Error("the meter goes on without reader")
		}
	})
}

func TestManyDeadDevicesStayFlat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var devices []DeviceConfig
		for i := range 200 {
			d := newToy()
			switch i % 3 {
			case 0:
				d.open = func(context.Context) error {
					return &driver.Error{Op: "open", Target: "toy", Class: driver.RefusedConn, Err: errors.New("refused")}
				}
			case 1:
				d.open = func(ctx context.Context) error { <-ctx.Done(); return driver.WrapNet("open", "toy", ctx.Err()) }
			case 2: // up and at once dead again
				d.open = func(context.Context) error {
					time.AfterFunc(time.Second, d.kill)
					return nil
				}
			}
			devices = append(devices, conf("d"+device.OfInt(int64(i)).String(), d))
		}
		g, stop := running(t, devices...)
		defer stop()
		time.Sleep(time.Minute)
		synctest.Wait()
		routines, heap := runtime.NumGoroutine(), heapInUse()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := runtime.NumGoroutine(); n > routines+40 {
			t.Errorf("%d goroutines, %d ten minutes before", n, routines)
		}
		if h := heapInUse(); h > heap+4<<20 {
			t.Errorf("heap grew from %d to %d bytes", heap, h)
		}
		if len(g.Devices()) != 200 {
			t.Error("devices are lost")
		}
	})
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
