package discover

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// Seeker finds the devices of one driver by a question to the whole local network: by multicast DNS, or by the broadcast of
// the maker's own tools.
type Seeker struct {
	Driver string // whose devices it finds
	How    string // for people: "mDNS _blackmagic._tcp"
	// Seek asks until ctx ends, which is no error. report may be called several times for a device.
	Seek func(ctx context.Context, n Network, report func(Found)) error
}

// Network is where a Seeker asks.
type Network struct {
	ListenPacket driver.Opener[net.PacketConn]
	From         []netip.Addr // addresses of this computer, one of IPv4 for each network that it is in
	From6        []netip.Addr // the same of IPv6, with the zone where it takes one; multicast DNS alone asks from them
}

// seekers is never changed. Each is in seek_DRIVER.go.
var seekers = []Seeker{atemSeeker(), devicemasterSeeker(), aes70Seeker(), fcxmlSeeker(), fc2Seeker()}

// Ways are how the seekers ask, in words.
func Ways() []string {
	var out []string
	for _, s := range seekers {
		out = append(out, s.How)
	}
	return out
}

// Seek asks the local network in every way that there is, for so long. report is called once for each device, from one
// goroutine at a time.
func Seek(ctx context.Context, n Network, wait time.Duration, report func(Found)) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	var mu sync.Mutex
	told := map[string]bool{}
	var g errgroup.Group
	for _, s := range seekers {
		g.Go(func() error {
			return s.Seek(ctx, n, func(f Found) {
				mu.Lock()
				defer mu.Unlock()
				if !told[f.URL] {
					told[f.URL] = true
					report(f)
				}
			})
		})
	}
	return g.Wait()
}

// ErrNoNetwork is the cause when this computer is in no network that could be asked.
var ErrNoNetwork = errors.New("this computer is in no network with multicast")

// LocalAddresses are those from which the local networks are asked, one address of each and family.
func LocalAddresses() (v4, v6 []netip.Addr, err error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, nil, err
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagMulticast == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue // it has just gone
		}
		var one4, one6 netip.Addr
		for _, a := range addrs {
			p, err := netip.ParsePrefix(a.String())
			switch {
			case err != nil:
			case p.Addr().Is4() && !one4.IsValid():
				one4 = p.Addr()
			case p.Addr().IsLinkLocalUnicast() && p.Addr().Is6(): // every link has one, and answers to it stay there
				one6 = p.Addr().WithZone(i.Name)
			}
		}
		if one4.IsValid() {
			v4 = append(v4, one4)
		}
		if one6.IsValid() {
			v6 = append(v6, one6)
		}
	}
	if v4 == nil && v6 == nil {
		return nil, nil, ErrNoNetwork
	}
	return v4, v6, nil
}
