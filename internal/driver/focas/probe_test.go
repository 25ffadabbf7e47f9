package focas

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focassim"
)

// probing probes a simulated control in simulated time.
func probing(t *testing.T, o focassim.Options, f focassim.Faults, check func(driver.Finding, error)) {
	synctest.Test(t, func(t *testing.T) {
		sim, err := focassim.New(o)
		if err != nil {
			t.Fatal(err)
		}
		sim.SetFaults(f)
		l := testnet.Listen()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = sim.Serve(ctx, l)
		}()
		limit, stop := context.WithTimeout(ctx, 5*time.Second)
		check(Driver{}.Probe(limit, driver.Env{Dial: l.DialContext, Log: slog.New(slog.DiscardHandler)}, "control:8193"))
		stop()
		cancel()
		<-done
	})
}

func TestProbe(t *testing.T) {
	for profile, want := range map[string]string{
		"31i":  "FANUC 31i",
		"0i-d": "FANUC 0i",
		"16i":  "classic dialect",
	} {
		probing(t, focassim.Options{Profile: profile}, focassim.Faults{}, func(f driver.Finding, err error) {
			if err != nil || !f.Match || !strings.Contains(strings.Join(f.Reasons, "; "), want) {
				t.Errorf("%s: %+v, %v", profile, f, err)
			}
		})
	}
}

// TestProbeIsReadOnly looks at every byte that a probe sends: open, questions about identity, close.
func TestProbeIsReadOnly(t *testing.T) {
	a, b := testnet.Pipe(0)
	var asked []focas.Func
	var types []focas.Type
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer b.Close()
		r := focas.NewFrameReader(b)
		for {
			f, err := r.Next()
			if err != nil {
				return
			}
			types = append(types, f.Type)
			switch f.Type {
			case focas.TypeOpen:
				o := focas.OpenReply{Version: 3, Records: []focas.PathRecord{{System: 1, Axes: 3}}}
				_, _ = b.Write(o.AppendFrame(nil))
			case focas.TypeData:
				bs, _ := focas.RequestBlocks(f.Body)
				var replies []focas.Reply
				for q, ok, _ := bs.NextRequest(); ok; q, ok, _ = bs.NextRequest() {
					asked = append(asked, q.Func)
					replies = append(replies, focas.Reply{Class: q.Class, Path: q.Path, Func: q.Func, Code: focas.EWFunc})
				}
				_, _ = b.Write(focas.AppendReplies(nil, 3, replies))
			default:
				_, _ = b.Write(focas.AppendHeader(nil, 3, f.Type, focas.DirReply, 0))
			}
		}
	}()
	f, err := Driver{}.Probe(t.Context(), driver.Env{Dial: one(a)}, "x")
	<-done
	if err != nil || !f.Match || !strings.Contains(strings.Join(f.Reasons, "; "), "1 path, 3 controlled axes") {
		t.Errorf("%+v, %v", f, err)
	}
	for _, fn := range asked {
		if fn.Info().Effect != focas.EffectRead {
			t.Errorf("a probe sends %v", fn)
		}
	}
	if len(types) == 0 || types[len(types)-1] != focas.TypeClose {
		t.Errorf("frames %v: the session is not closed politely", types)
	}
}

func one(c *testnet.Conn) driver.Opener[net.Conn] {
	return func(context.Context, string, string) (net.Conn, error) { return c, nil }
}

func TestProbeOfSomethingElse(t *testing.T) {
	for _, tc := range []struct {
		name string
		f    focassim.Faults
		o    focassim.Options
		want driver.Class
	}{
		{"silent", focassim.Faults{SilentOpen: true}, focassim.Options{}, driver.Timeout},
		{"drained", focassim.Faults{Drain: true}, focassim.Options{}, driver.Timeout},
	} {
		probing(t, tc.o, tc.f, func(f driver.Finding, err error) {
			if f.Match || driver.ClassOf(err) != tc.want {
				t.Errorf("%s: %+v, %v (%v)", tc.name, f, err, driver.ClassOf(err))
			}
		})
	}
	for said, want := range map[string]driver.Class{"HTTP/1.1 400 Bad Request\r\n\r\n": driver.NotThisProtocol, "": driver.Closed} {
		a, b := testnet.Pipe(0)
		_, _ = io.WriteString(b, said)
		_ = b.CloseWrite()
		f, err := Driver{}.Probe(t.Context(), driver.Env{Dial: one(a)}, "x")
		if f.Match || driver.ClassOf(err) != want {
			t.Errorf("%q: %+v, %v", said, f, err)
		}
		b.Close()
	}
	// A refusal is an answer in FOCAS.
	a, b := testnet.Pipe(0)
	_, _ = b.Write(focas.AppendErrorFrame(nil, 3, focas.TypeOpen, focas.ErrorBody{Location: 1, Code: focas.EWBusy}))
	f, err := Driver{}.Probe(t.Context(), driver.Env{Dial: one(a)}, "x")
	if err != nil || !f.Match || !strings.Contains(strings.Join(f.Reasons, " "), "EW_BUSY") {
		t.Errorf("%+v, %v", f, err)
	}
	b.Close()
}
