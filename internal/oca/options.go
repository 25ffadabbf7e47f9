package oca

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// Port is where AES70 devices are by habit; none is registered.
const Port = 65000

// Options are those of a server that AES70 controllers connect to. Start from [Defaults].
type Options struct {
	Listen     string   `yaml:"listen" doc:"where controllers connect over TCP, HOST:PORT; empty: not at all"`
	WS         string   `yaml:"ws" doc:"where controllers connect over WebSocket, HOST:PORT; empty: not at all"`
	Allow      []string `yaml:"allow" doc:"points that controllers may change, as in writable: patterns such as inputs/*; empty: they may only look"`
	From       []string `yaml:"from" doc:"addresses and networks that may connect, such as [192.0.2.0/24]; empty: everybody who reaches the address"`
	Origins    []string `yaml:"origins" doc:"hosts whose web pages may connect over WebSocket from a browser, such as [desk.example.com]"`
	MaxClients int      `yaml:"max_clients" doc:"controllers at a time"`
	Announce   bool     `yaml:"announce" doc:"tell the local network by multicast DNS, so that controllers find the device"`
}

// Defaults listen on this computer alone, and let nobody change anything.
func Defaults() *Options {
	return &Options{Listen: net.JoinHostPort("127.0.0.1", strconv.Itoa(Port)), MaxClients: 50}
}

var errOpenToAll = errors.New("allow: controllers may change these points, and the address is open to the network without a word about who may " +
	"connect; AES70 without TLS has no passwords. Name the computers: from: [192.0.2.10], or listen on 127.0.0.1")

var errUnheard = errors.New("announce: controllers would find what they cannot reach, since the address is of this computer alone; listen on " +
	"an address of the network, or leave announce out")

// Validate says what is wrong with the options and what would be right. The text begins with the key.
func (o *Options) Validate() error {
	if o.Listen == "" && o.WS == "" {
		return errors.New("listen: neither listen nor ws says where controllers connect; write listen: 127.0.0.1:65000")
	}
	for _, at := range []struct{ key, addr string }{{"listen", o.Listen}, {"ws", o.WS}} {
		if at.addr == "" {
			continue
		}
		_, port, err := net.SplitHostPort(at.addr)
		if err == nil {
			_, err = strconv.ParseUint(port, 10, 16)
		}
		if err != nil {
			return fmt.Errorf("%s: %q is no address; write HOST:PORT such as 127.0.0.1:65000", at.key, at.addr)
		}
	}
	if o.MaxClients < 1 || o.MaxClients > 1000 {
		return fmt.Errorf("max_clients: %d is out of range; give 1 to 1000", o.MaxClients)
	}
	from, err := o.Networks()
	if err != nil {
		return err
	}
	if o.Announce && Loopback(o.Listen) && Loopback(o.WS) {
		return errUnheard
	}
	if !(Loopback(o.Listen) && Loopback(o.WS)) && len(from) == 0 && len(o.Allow) > 0 {
		return errOpenToAll
	}
	return nil
}

// Loopback reports whether nobody beyond this computer reaches an address. Nobody reaches an empty one.
func Loopback(addr string) bool {
	if addr == "" {
		return true
	}
	host, _, err := net.SplitHostPort(addr)
	ip, e := netip.ParseAddr(host)
	return err == nil && (host == "localhost" || e == nil && ip.IsLoopback())
}

// Networks are those of From.
func (o *Options) Networks() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, w := range o.From {
		p, err := netip.ParsePrefix(w)
		if err != nil {
			var a netip.Addr
			if a, err = netip.ParseAddr(w); err == nil {
				p = netip.PrefixFrom(a, a.BitLen())
			}
		}
		if err != nil {
			return nil, fmt.Errorf("from: %q is no address and no network; write 192.0.2.10 or 192.0.2.0/24", w)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// MayConnect reports whether a client's address, IP:PORT, is in one of the networks. Without networks every address is.
func MayConnect(networks []netip.Prefix, addr string) bool {
	if len(networks) == 0 {
		return true
	}
	at, err := netip.ParseAddrPort(addr)
	return err == nil && slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(at.Addr().Unmap()) })
}

// Allows reports whether configuration lets controllers change a point. A wildcard never lets a hazard point through; those are
// named one by one.
func (o *Options) Allows(path device.Path, hazard string) bool {
	for _, pattern := range o.Allow {
		if path.Match(pattern) && (hazard != device.HazardMove || !strings.Contains(pattern, "*")) {
			return true
		}
	}
	return false
}

// Announcement is what the local network is told of a listener for controllers (AES70-3).
func Announcement(device string, overWS bool, addr net.Addr) driver.Announcement {
	a := driver.Announcement{Type: "_oca._tcp", Instance: device, Addr: addr, Text: []string{"txtvers=1", "protovers=1"}}
	if overWS {
		a.Type, a.Text = "_ocaws._tcp", append(a.Text, "path=/")
	}
	return a
}
