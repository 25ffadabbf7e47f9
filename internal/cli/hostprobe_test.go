package cli

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/patchbay-io/patchbay/internal/driver/all"
	"github.com/patchbay-io/patchbay/internal/lab/probe"
	"github.com/patchbay-io/patchbay/internal/north"
)

// The door probes no more than the command does without --any-port, and says which command would.
func TestDoorProberRefuses(t *testing.T) {
	dialled := 0
	p := doorProber{&probe.Prober{Drivers: all.Drivers(), Dial: func(context.Context, string, string) (net.Conn, error) {
		dialled++
		return nil, errors.New("no network here")
	}}}
	for address, code := range map[string]string{"": "bad-address", "a b": "bad-address", "192.0.2.21:x": "bad-address", "192.0.2.21:9999": "unknown-port"} {
		_, err := p.Probe(t.Context(), address, func(north.ProbeStep) {})
		var refused *north.ProbeError
		if !errors.As(err, &refused) || refused.Code != code || refused.Hint == "" {
			t.Errorf("%q: %v, want %s with a hint", address, err, code)
		}
	}
	if dialled > 0 {
		t.Errorf("%d connections for what was refused", dialled)
	}
	var steps []string
	r, err := p.Probe(t.Context(), "192.0.2.21", func(s north.ProbeStep) { steps = append(steps, s.Name+" "+s.Outcome) })
	if err != nil || r.Match || r.Verdict == "" || dialled != len(p.Ports("tcp")) || len(steps) < 2 || steps[1] != "connect failed" {
		t.Errorf("%+v, %v, %d connections, steps %q", r, err, dialled, steps)
	}
}
