package north

import (
	"context"
	"time"
)

// Prober finds out what stands at an address, without changing anything there.
type Prober interface {
	// Probe takes HOST or HOST:PORT. Without a port it tries those that belong to a known protocol; another port is refused,
	// because behind it may stand a raw serial line. report is called after each step, before Probe returns. An error is a
	// *ProbeError, before anything was sent, or that of ctx.
	Probe(ctx context.Context, address string, report func(ProbeStep)) (ProbeResult, error)
}

// ProbeStep is one thing that was tried.
type ProbeStep struct {
	Name, Target, Outcome string // outcome: "ok", "refused", "timeout", …
	Took                  time.Duration
	Sent, Received        []byte // the first bytes of what went each way
	Found                 []string
	Meaning, Advice       string
}

// ProbeResult is what a probe found.
type ProbeResult struct {
	Match   bool     // a known protocol answers
	URLs    []string // device URLs to configure
	Verdict string
	Advice  string
}

// ProbeError is why nothing was tried.
type ProbeError struct {
	Code string // "bad-address" or "unknown-port"
	Text string
	Hint string
}

// Error is the text.
func (e *ProbeError) Error() string { return e.Text }
