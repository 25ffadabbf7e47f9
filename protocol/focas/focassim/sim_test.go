package focassim

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasclient"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeClock is a time source that tests move.
type fakeClock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *fakeClock {
	return &fakeClock{t: time.Date(2026, 5, 14, 12, 34, 56, 0, time.UTC)}
}

func (c *fakeClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *fakeClock) add(d time.Duration) {
	c.mu.Lock()
	c.t = c.t.Add(d)
	c.mu.Unlock()
}

func newSim(t *testing.T, o Options) (*Sim, *fakeClock) {
	t.Helper()
	clock := newClock()
	o.Now = clock.now
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s, clock
}

// serve serves the control on a socket of the loopback interface until the test ends.
func serve(t *testing.T, s *Sim) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Serve: %v", err)
		}
	})
	return ln.Addr().String()
}

func connect(t *testing.T, addr string) *focasclient.Client {
	t.Helper()
	c, err := focasclient.Dial(t.Context(), new(net.Dialer).DialContext, addr, focasclient.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

// start gives a served control, its clock and a client.
func start(t *testing.T, o Options) (*Sim, *fakeClock, *focasclient.Client) {
	t.Helper()
	s, clock := newSim(t, o)
	return s, clock, connect(t, serve(t, s))
}

func wantCode(t *testing.T, what string, err error, code focas.Code) {
	t.Helper()
	if !errors.Is(err, &focas.Error{Code: code}) {
		t.Errorf("%s: %v, want code %v", what, err, code)
	}
}

func TestEveryProfileAnswersTheClient(t *testing.T) {
	for _, name := range Profiles() {
		t.Run(name, func(t *testing.T) {
			_, clock, c := start(t, Options{Profile: name})
			clock.add(20 * time.Second)
			ctx := t.Context()
			for _, n := range c.Paths() {
				p := c.Path(n)
				check := func(what string, err error) {
					t.Helper()
					if err != nil {
						t.Errorf("path %d: %s: %v", n, what, err)
					}
				}
				st, err := p.StatInfo(ctx)
				check("status", err)
				if st.Run != 3 || st.Aut != 1 {
					t.Errorf("path %d: status %+v after 20 s", n, st)
				}
				pos, err := p.Positions(ctx)
				check("positions", err)
				if len(pos) != p.AxisCount() {
					t.Errorf("%d positions for %d axes", len(pos), p.AxisCount())
				}
				_, err = p.ServoMeter(ctx)
				check("loads", err)
				_, err = p.SpindleMeter(ctx)
				check("spindle", err)
				_, err = p.Speeds(ctx)
				check("speeds", err)
				_, err = p.Dynamic(ctx, 1)
				check("dynamic", err)
				_, err = p.Dynamic(ctx, focas.AllAxes)
				check("dynamic of all axes", err)
				_, err = p.GCodes(ctx, focas.ModalAll, 0)
				check("G codes", err)
				_, err = p.Commands(ctx, focas.ModalAll, 0)
				check("commands", err)
				_, err = p.ExecText(ctx, 200)
				check("text", err)
				_, err = p.Programs(ctx, "")
				check("programs", err)
				_, err = p.Timer(ctx, focas.TimerCutting)
				check("timer", err)
				_, err = p.Param(ctx, 6711, 0)
				check("parameter", err)
				_, err = p.Diag(ctx, 300, focas.EveryAxis)
				check("diagnosis", err)
				_, err = p.Macros(ctx, 100, 110)
				check("macros", err)
				_, err = p.OpMessages3(ctx, -1, 4)
				check("messages", err)
				_, err = p.OpSignals(ctx, -1)
				check("signals", err)
			}
			if err := c.Err(); err != nil {
				t.Error(err)
			}
		})
	}
}
