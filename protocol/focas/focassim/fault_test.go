package focassim

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasclient"
)

// faulty runs f with a client over a network in memory, under simulated time.
func faulty(t *testing.T, o Options, f func(t *testing.T, s *Sim, ln *testnet.Listener, c *focasclient.Client)) {
	synctest.Test(t, func(t *testing.T) {
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		ln := testnet.Listen()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Serve(ctx, ln) }()
		c, err := focasclient.Dial(t.Context(), ln.DialContext, "cnc:8193", focasclient.Options{Timeout: 2 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		f(t, s, ln, c)
		c.Close(context.Background())
		cancel()
		<-done
	})
}

func TestFaults(t *testing.T) {
	ask := func(t *testing.T, c *focasclient.Client) error {
		_, err := c.Path(1).StatInfo(t.Context())
		return err
	}
	for _, tt := range []struct {
		name  string
		fault Faults
		check func(t *testing.T, c *focasclient.Client, err error, took time.Duration)
	}{
		{"silent", Faults{Silent: true}, func(t *testing.T, c *focasclient.Client, err error, took time.Duration) {
			if !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded) || took != 2*time.Second {
				t.Errorf("%v after %v", err, took)
			}
		}},
		{"cut", Faults{CutFrame: true}, func(t *testing.T, c *focasclient.Client, err error, _ time.Duration) {
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%v", err)
			}
		}},
		{"garbage", Faults{Garbage: true}, func(t *testing.T, c *focasclient.Client, err error, _ time.Duration) {
			if !errors.Is(err, focas.ErrMark) {
				t.Errorf("%v", err)
			}
		}},
		{"error frame", Faults{Refuse: focas.EWBusy}, func(t *testing.T, c *focasclient.Client, err error, _ time.Duration) {
			var e *focas.Error
			if !errors.As(err, &e) || !e.Frame || e.Code != focas.EWBusy || c.Err() != nil {
				t.Errorf("%v, client %v", err, c.Err())
			}
		}},
		{"slow", Faults{Delay: time.Second}, func(t *testing.T, c *focasclient.Client, err error, took time.Duration) {
			if err != nil || took != time.Second {
				t.Errorf("%v after %v", err, took)
			}
		}},
		{"stale", Faults{Stale: true}, func(t *testing.T, c *focasclient.Client, err error, _ time.Duration) {
			if err == nil {
				_, err = c.Path(1).Axes(t.Context(), focas.AxisMachine)
			}
			if err == nil {
				t.Error("the answer to another question is taken")
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			faulty(t, Options{}, func(t *testing.T, s *Sim, _ *testnet.Listener, c *focasclient.Client) {
				s.SetFaults(tt.fault)
				began := time.Now()
				err := ask(t, c)
				tt.check(t, c, err, time.Since(began))
				s.SetFaults(Faults{})
				if c.Err() == nil {
					if err := ask(t, c); err != nil {
						t.Errorf("after the fault: %v", err)
					}
				}
			})
		})
	}
}

func TestSessionLimitAndPowerCycle(t *testing.T) {
	faulty(t, Options{MaxSessions: 1}, func(t *testing.T, s *Sim, ln *testnet.Listener, c *focasclient.Client) {
		if _, err := focasclient.Dial(t.Context(), ln.DialContext, "cnc:8193", focasclient.Options{Timeout: time.Second}); err == nil {
			t.Error("a second session is admitted")
		}
		if _, err := c.Path(1).StatInfo(t.Context()); err != nil {
			t.Errorf("the first session: %v", err)
		}
		s.PowerCycle()
		if _, err := c.Path(1).StatInfo(t.Context()); err == nil {
			t.Error("a session survives the power cycle")
		}
		synctest.Wait()
		again, err := focasclient.Dial(t.Context(), ln.DialContext, "cnc:8193", focasclient.Options{Timeout: time.Second})
		if err != nil {
			t.Fatalf("after the power cycle: %v", err)
		}
		again.Close(context.Background())
	})
}

func TestDrainHandsOverWhatClientsSend(t *testing.T) {
	faulty(t, Options{}, func(t *testing.T, s *Sim, _ *testnet.Listener, c *focasclient.Client) {
		var mu sync.Mutex
		var got []byte
		s.SetFaults(Faults{Drain: true, Drained: func(_ net.Addr, p []byte) {
			mu.Lock()
			got = append(got, p...)
			mu.Unlock()
		}})
		if _, err := c.Path(1).StatInfo(t.Context()); err == nil {
			t.Error("answered while draining")
		}
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		want := focas.AppendRequests(nil, []focas.Request{focas.StatusRequest(1), focas.HandleRetraceRequest(1), focas.TMModeRequest(1)})
		if !bytes.Equal(got, want) {
			t.Errorf("drained %x\nwant    %x", got, want)
		}
	})
}

func TestDataOnChannel1(t *testing.T) {
	s, _ := newSim(t, Options{})
	addr := serve(t, s)
	ask := func() error {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.Write(focas.AppendOpenRequest(nil, focas.ChannelTransfer))
		r := focas.NewFrameReader(conn)
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		conn.Write(focas.AppendRequests(nil, []focas.Request{focas.StatusRequest(1)}))
		_, err = r.Next()
		return err
	}
	if err := ask(); err != nil {
		t.Errorf("without the fault: %v", err)
	}
	s.SetFaults(Faults{ResetMisplaced: true})
	if err := ask(); err == nil || err == io.EOF {
		t.Errorf("with the fault: %v, want a reset", err)
	}
}
