package discover

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sync/errgroup"

	"github.com/patchbay-io/patchbay/internal/plural"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmclient"
)

// everybody is the address of all hosts of a network.
var everybody = net.UDPAddr{IP: net.IPv4bcast, Port: devicemaster.Port}

// devicemasterSeeker finds DeviceMasters with the broadcast of the maker's own tool.
func devicemasterSeeker() Seeker {
	return Seeker{Driver: "devicemaster", How: fmt.Sprintf("broadcast on UDP %d", devicemaster.Port),
		Seek: func(ctx context.Context, n Network, report func(Found)) error {
			var g errgroup.Group
			for _, from := range n.From {
				g.Go(func() error {
					p, err := n.ListenPacket(ctx, "udp4", netip.AddrPortFrom(from, 0).String())
					if err != nil {
						return err
					}
					defer p.Close()
					// A network in which nothing can be sent to everybody has no boxes that could be found.
					_ = dmclient.Discover(ctx, p, []net.Addr{&everybody}, func(f dmclient.Found) {
						if x, ok := devicemasterFound(f); ok {
							report(x)
						}
					})
					return nil
				})
			}
			return g.Wait()
		}}
}

// devicemasterFound goes by where the response came from: the address that a box says it has may be one of another network.
func devicemasterFound(f dmclient.Found) (Found, bool) {
	from, err := netip.ParseAddrPort(f.From.String())
	if err != nil {
		return Found{}, false
	}
	at := netip.AddrPortFrom(from.Addr().Unmap(), devicemaster.Port)
	d := &f.Response
	x := Found{Addr: at, Protocol: "devicemaster", URL: "devicemaster://" + at.Addr().String()}
	if mac, ok := d.MAC(); ok { // the first one, since it alone tells two boxes apart, and is printed on them
		x.Reasons = append(x.Reasons, fmt.Sprintf("MAC %v", mac))
	}
	if s := d.Text(devicemaster.TagFirmware); s != "" {
		x.Reasons = append(x.Reasons, s)
	}
	if n, ok := d.Uint(devicemaster.TagPorts); ok {
		x.Reasons = append(x.Reasons, plural.Of(int(n), "port"))
	}
	return x, true
}
