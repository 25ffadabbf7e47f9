package discover

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

// The services under which switchers announce themselves (public: pyatem, AtemProxy): the older one is shared with other
// products of the maker, which its text tells apart; newer software has one of its own.
const (
	atemService    = "_blackmagic._tcp"
	atemServiceNew = "_switcher_ctrl._udp"
	atemClass      = "AtemSwitcher"
)

// atemSeeker finds video switchers.
func atemSeeker() Seeker {
	return Seeker{Driver: "atem", How: "mDNS " + atemService + " and " + atemServiceNew,
		Seek: func(ctx context.Context, n Network, report func(Found)) error {
			return Browse(ctx, n, []string{atemService, atemServiceNew}, func(s Service) {
				if s.Type == atemService && s.Text["class"] != atemClass || !s.Addr.Addr().IsValid() {
					return
				}
				report(atemFound(s))
			})
		}}
}

func atemFound(s Service) Found {
	name := s.Instance
	if v := s.Text["name"]; v != "" {
		name = v
	}
	f := Found{Addr: s.Addr, Protocol: "atem", URL: "atem://" + urlHost(s.Addr.Addr()), Reasons: []string{name}}
	if s.Addr.Port() != atem.Port {
		f.URL = "atem://" + net.JoinHostPort(s.Addr.Addr().String(), strconv.Itoa(int(s.Addr.Port())))
	}
	for _, key := range []string{"protocol version", "internal version", "unique id"} {
		if v := s.Text[key]; v != "" {
			f.Reasons = append(f.Reasons, fmt.Sprintf("%s %s", key, v))
		}
	}
	return f
}
