package driver

import (
	"fmt"
	"net/netip"
)

// Network is an address or a network, as options of native servers name who may connect: 192.0.2.10, 192.0.2.0/24.
type Network struct{ netip.Prefix }

// UnmarshalText reads an address or a network.
func (n *Network) UnmarshalText(text []byte) error {
	p, err := netip.ParsePrefix(string(text))
	if err != nil {
		var a netip.Addr
		if a, err = netip.ParseAddr(string(text)); err == nil {
			p = netip.PrefixFrom(a, a.BitLen())
		}
	}
	if err != nil {
		return fmt.Errorf("%q is no address and no network; write 192.0.2.10 or 192.0.2.0/24", text)
	}
	n.Prefix = p.Masked()
	return nil
}

// MarshalText writes the network.
func (n Network) MarshalText() ([]byte, error) { return []byte(n.Prefix.String()), nil }

// Among reports whether one of the networks holds an address "HOST:PORT".
func Among(networks []Network, addr string) bool {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return false
	}
	for _, n := range networks {
		if n.Contains(ap.Addr().Unmap().WithZone("")) {
			return true
		}
	}
	return false
}
