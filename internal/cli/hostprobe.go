package cli

import (
	"context"
	"errors"

	"github.com/patchbay-io/patchbay/internal/lab/probe"
	"github.com/patchbay-io/patchbay/internal/north"
)

// doorProber lets a door probe as the command does, with the same care and never a port that no protocol owns.
type doorProber struct{ *probe.Prober }

// Probe implements north.Prober.
func (d doorProber) Probe(ctx context.Context, address string, report func(north.ProbeStep)) (north.ProbeResult, error) {
	host, port, err := hostPort(address)
	if err != nil {
		return north.ProbeResult{}, &north.ProbeError{Code: "bad-address", Text: err.Error(), Hint: "for example 192.0.2.21 or 192.0.2.21:8193"}
	}
	res, err := d.Run(ctx, host, port, func(s probe.Step) {
		report(north.ProbeStep{Name: s.Name, Target: s.Target, Outcome: string(s.Outcome), Took: s.Took, Sent: s.Sent.Bytes, Received: s.Received.Bytes,
			Found: s.Found, Meaning: s.Meaning, Advice: s.Advice})
	})
	if errors.Is(err, probe.ErrUnknownPort) {
		return north.ProbeResult{}, &north.ProbeError{Code: "unknown-port", Text: err.Error(), Hint: "A raw serial line may hang behind an open port, and what is " +
			"sent there reaches a machine. If you know what is behind it: patchbay probe " + address + " --any-port"}
	}
	return north.ProbeResult{Match: res.Match, URLs: res.URLs, Verdict: res.Verdict, Advice: res.Advice}, err
}
