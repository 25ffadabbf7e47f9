package focas

import (
	"context"
	"io"
	"log/slog"
	"net/url"
	"testing"
	"testing/synctest"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/focas/focassim"
)

// rig is a simulated control and a session with it, in simulated time.
type rig struct {
	t   *testing.T
	sim *focassim.Sim
	net *testnet.Network
	s   *session
}

const simAddr = "192.0.2.21:8193"

// withControl runs f in a bubble with a session to a simulated control of the profile.
func withControl(t *testing.T, profile string, opts *Options, f func(ctx context.Context, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		sim, err := focassim.New(focassim.Options{Profile: profile, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		n := new(testnet.Network)
		served := make(chan error, 1)
		ln := n.MustListen(simAddr)
		go func() { served <- sim.Serve(ctx, ln) }()
		if opts == nil {
			opts = defaults()
		}
		sess, err := New().Open(ctx, driver.Env{Dial: n.Dial, Log: slog.New(slog.NewTextHandler(io.Discard, nil))},
			driver.Target{Name: "mill", URL: &url.URL{Scheme: "focas", Host: "192.0.2.21"}, Options: opts})
		if err != nil {
			t.Fatalf("open: %v", err)
		}
		f(ctx, &rig{t, sim, n, sess.(*session)})
		if err := sess.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		cancel()
		<-served
	})
}

// readAll reads every point of the session.
func (r *rig) readAll(ctx context.Context) map[device.Path]device.Sample {
	r.t.Helper()
	var paths []device.Path
	for _, sp := range r.s.allSpecs() {
		paths = append(paths, sp.Path)
	}
	got, err := r.s.Read(ctx, paths)
	if err != nil {
		r.t.Fatalf("read: %v", err)
	}
	out := map[device.Path]device.Sample{}
	for _, s := range got {
		out[s.Path] = s
	}
	return out
}

// at reads one point.
func (r *rig) at(ctx context.Context, p device.Path) device.Sample {
	r.t.Helper()
	got, err := r.s.Read(ctx, []device.Path{p})
	if err != nil {
		r.t.Fatalf("read %s: %v", p, err)
	}
	return got[0]
}

// spec is the present spec of a point.
func (r *rig) spec(p device.Path) device.Spec {
	r.t.Helper()
	for _, sp := range r.s.allSpecs() {
		if sp.Path == p {
			return sp
		}
	}
	r.t.Fatalf("no point %s", p)
	return device.Spec{}
}
