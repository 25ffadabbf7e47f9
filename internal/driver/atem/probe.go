package atem

import (
	"context"
	"errors"
	"fmt"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/plural"
	"github.com/patchbay-io/patchbay/protocol/atem"
)

// Probe opens a session, reads what the switcher says about itself, and closes it, so that the place is free again at once.
// A switcher that has no session left is a match as well. ctx bounds it.
func (Driver) Probe(ctx context.Context, env driver.Env, addr string) (driver.Finding, error) {
	s := newSession(addr)
	c, err := dialUDP(ctx, env, addr, s.handle)
	if errors.Is(err, atem.ErrFull) {
		return driver.Finding{Match: true, Reasons: []string{"speaks ATEM and has no free session", hint(driver.Busy, err)}}, nil
	}
	if err != nil {
		return driver.Finding{}, wrap("probe", addr, err)
	}
	if err := s.begin(ctx, udpLink{c}, defaults().Timeout); err != nil {
		return driver.Finding{}, wrap("probe", addr, err)
	}
	return driver.Finding{Match: true, Reasons: s.reasons()}, wrap("probe", addr, s.Close())
}

// reasons describe a switcher in a few words each, the most telling first.
func (s *session) reasons() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	text := func(path device.Path) string {
		if p := s.board.points[path]; p != nil {
			return p.sample.Value.Str()
		}
		return ""
	}
	if model := text("identity/model"); model != "" {
		out = append(out, model)
	}
	out = append(out, "protocol version "+s.board.ver.String())
	if t := s.board.seen.top; t != nil {
		out = append(out, fmt.Sprintf("%s, %s, %s, %s", plural.Of(int(t.MEs), "M/E"), plural.Of(len(s.board.seen.inputs), "source"), plural.Of(int(t.DSKs), "downstream keyer"),
			plural.Of(int(t.Auxes), "auxiliary output")))
	}
	return out
}
