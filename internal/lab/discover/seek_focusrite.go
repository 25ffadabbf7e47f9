package discover

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

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

// FocusriteDrivers are the drivers that can tell what the programs of [IsFocusrite] are.
func FocusriteDrivers() []string { return []string{"fcxml", "fc2"} }

// IsFocusrite reports whether a process has the name of Focusrite Control or Focusrite Control 2, whose TCP ports the system
// assigns: "FocusriteControlServer" on macOS, "ControlServer.exe" on Windows, whose programs Linux may run too. A name may be
// cut as Linux cuts it.
func IsFocusrite(name string) bool {
	name = strings.ToLower(name)
	const server = "controlserver.exe"
	return strings.Contains(name, "focusrite") || name == server || name == server[:commSize]
}

// OnePerFC2 leaves the onboarding endpoints out whose secure endpoint, one port below, was found too: both are one program.
func OnePerFC2(found []Found) []Found {
	return slices.DeleteFunc(found, func(f Found) bool {
		return f.Protocol == "fc2" && slices.ContainsFunc(found, func(g Found) bool {
			return g.Protocol == "fc2" && g.Addr.Addr() == f.Addr.Addr() && g.Addr.Port()+1 == f.Addr.Port()
		})
	})
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
	return Found{Addr: s.Addr, Protocol: "fc2", URL: "fc2://" + urlHost(s.Addr.Addr()) + ":" + strconv.Itoa(int(s.Addr.Port())) + "?server_key=" + key.String(), Reasons: []string{s.Instance}}, true
}
