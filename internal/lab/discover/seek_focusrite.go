package discover

import (
	"context"
	"net"
	"net/netip"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcclient"
)

// fcxmlSeeker finds Focusrite Control with the broadcast of its own programs, and on this computer, where broadcasts do not
// always arrive.
func fcxmlSeeker() Seeker {
	return Seeker{Driver: "fcxml", How: "broadcast on UDP 30096 to 30098",
		Seek: func(ctx context.Context, n Network, report func(Found)) error {
			var g errgroup.Group
			for _, from := range append(slices.Clone(n.From), netip.MustParseAddr("127.0.0.1")) {
				to := net.IPv4bcast.String()
				if from.IsLoopback() {
					to = from.String()
				}
				g.Go(func() error {
					p, err := n.ListenPacket(ctx, "udp4", netip.AddrPortFrom(from, 0).String())
					if err != nil {
						return err
					}
					// A network in which nothing can be sent to everybody has no servers that could be found.
					_ = fcclient.Discover(ctx, p, []string{to}, func(f fcclient.Found) {
						if at, err := netip.ParseAddrPort(f.Addr); err == nil {
							report(Found{Addr: at, Protocol: "fcxml", URL: "fcxml://" + at.Addr().String(), Reasons: []string{f.Hostname}})
						}
					})
					return nil
				})
			}
			return g.Wait()
		}}
}

// fc2Seeker finds Focusrite Control 2 by the service that carries its public key.
func fc2Seeker() Seeker {
	return Seeker{Driver: "fc2", How: "mDNS _ocaws._tcp with a public key",
		Seek: func(ctx context.Context, n Network, report func(Found)) error {
			return Browse(ctx, n, []string{"_ocaws._tcp"}, func(s Service) {
				if f, ok := fc2Found(s); ok {
					report(f)
				}
			})
		}}
}

// fc2Found takes the first text that is a key; what it is called is not known.
func fc2Found(s Service) (Found, bool) {
	var texts []string
	for name, v := range s.Text {
		texts = append(texts, name+"="+v)
	}
	slices.Sort(texts)
	key, ok := fc2.KeyOfTXT(texts)
	if !ok || !s.Addr.Addr().IsValid() {
		return Found{}, false
	}
	return Found{Addr: s.Addr, Protocol: "fc2", URL: "fc2://" + s.Addr.String() + "?server_key=" + key.String(), Reasons: []string{s.Instance}}, true
}
