package httpapi

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/patchbay-io/patchbay/internal/access"
	"github.com/patchbay-io/patchbay/internal/audit"
	"github.com/patchbay-io/patchbay/internal/north"
)

// Limits of probes, so that nobody searches a network through this door.
const (
	probePause   = 2 * time.Second  // from the end of one to the beginning of the next
	probeTimeout = 60 * time.Second // of a whole probe
)

// ProbeRequest asks what stands at an address.
type ProbeRequest struct {
	Address string `json:"address" maxLength:"300" doc:"HOST or HOST:PORT"`
}

// Probe is what was tried, and what it means.
type Probe struct {
	Match   bool        `json:"match" doc:"a protocol that patchbay speaks answers there"`
	URLs    []string    `json:"urls" doc:"device URLs for the configuration"`
	Verdict string      `json:"verdict"`
	Advice  string      `json:"advice,omitempty"`
	Steps   []ProbeStep `json:"steps"`
}

// ProbeStep is one thing that was tried.
type ProbeStep struct {
	Step     string   `json:"step"`
	Target   string   `json:"target"`
	Outcome  string   `json:"outcome" doc:"ok, refused, timeout, unreachable, reset, closed, different, skipped or failed"`
	TookMS   float64  `json:"took_ms"`
	Sent     string   `json:"sent,omitempty" doc:"the first bytes, in hex"`
	Received string   `json:"received,omitempty" doc:"the first bytes, in hex"`
	Found    []string `json:"found,omitempty"`
	Meaning  string   `json:"meaning"`
	Advice   string   `json:"advice,omitempty"`
}

type inProbe struct{ Body ProbeRequest }

// probes lets one probe run at a time, with a pause behind it.
type probes struct {
	mu      sync.Mutex
	running bool
	ended   time.Time
}

// begin reports how long to wait; 0: go on, and call end.
func (p *probes) begin() (wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch rest := probePause - time.Since(p.ended); {
	case p.running:
		return probePause
	case !p.ended.IsZero() && rest > 0:
		return rest
	}
	p.running = true
	return 0
}

func (p *probes) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running, p.ended = false, time.Now()
}

func (s *Server) probeRoute(api huma.API) {
	huma.Register(api, huma.Operation{
		Method: http.MethodPost, Path: base + "/probe", OperationID: "probe", Summary: "Find out what stands at an address",
		Description: "Changes nothing there. For admins, and without users only for this machine. One at a time.",
	}, s.probe)
}

func (s *Server) probe(ctx context.Context, in *inProbe) (*answer[Probe], error) {
	q := requesterOf(ctx)
	if s.cfg.Prober == nil {
		return nil, problem(http.StatusConflict, "no-probe", "this gateway does not probe", "patchbay probe "+in.Body.Address+" does it from a shell")
	}
	if q.id.Via == access.ViaOpen && !local(q.addr) {
		return nil, problem(http.StatusForbidden, "forbidden", "without users only this machine may let the gateway connect elsewhere",
			"use patchbay probe on the machine of the gateway, or add an admin with `patchbay user add`")
	}
	if wait := s.probes.begin(); wait > 0 {
		after := strconv.Itoa(int(math.Ceil(wait.Seconds())))
		return nil, huma.ErrorWithHeaders(problem(http.StatusTooManyRequests, "too-many-probes", "another probe is running or has just ended",
			"wait "+after+" s and try again"), http.Header{"Retry-After": {after}})
	}
	defer s.probes.end()
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	stop := make(chan struct{})
	defer close(stop)
	s.active.Go(func() {
		select {
		case <-s.closing:
			cancel()
		case <-stop:
		}
	})
	out := Probe{Steps: []ProbeStep{}}
	r, err := s.cfg.Prober.Probe(ctx, in.Body.Address, func(st north.ProbeStep) {
		out.Steps = append(out.Steps, ProbeStep{Step: st.Name, Target: st.Target, Outcome: st.Outcome, TookMS: math.Round(st.Took.Seconds()*1e4) / 10,
			Sent: hex.EncodeToString(st.Sent), Received: hex.EncodeToString(st.Received), Found: st.Found, Meaning: st.Meaning, Advice: st.Advice})
	})
	var refused *north.ProbeError
	switch {
	case errors.As(err, &refused):
		return nil, problem(http.StatusUnprocessableEntity, refused.Code, refused.Text, refused.Hint)
	case errors.Is(err, context.DeadlineExceeded):
		return nil, problem(http.StatusGatewayTimeout, "too-slow", fmt.Sprintf("it was not known after %v", probeTimeout), "patchbay probe shows each step as it goes")
	case ctx.Err() != nil:
		return nil, problem(http.StatusServiceUnavailable, "closing", "the gateway is stopping", "try again when it runs")
	case err != nil:
		return nil, fmt.Errorf("probe: %w", err)
	}
	s.record(audit.Entry{What: "probe", User: q.id.Name, Door: "http", Addr: q.addr, Raw: in.Body.Address, Outcome: "ok", Why: r.Verdict})
	out.Match, out.URLs, out.Verdict, out.Advice = r.Match, append([]string{}, r.URLs...), r.Verdict, r.Advice
	return &answer[Probe]{out}, nil
}

// local reports whether a request comes from this machine.
func local(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	return err != nil && addr == "@" || access.Loopback(host)
}
