package devicemaster

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
)

// ServeOptions are those of the server that the maker's drivers connect to. Start from [Driver.ServeOptions].
type ServeOptions struct {
	Listen     string   `yaml:"listen" doc:"where drivers connect, HOST:PORT"`
	Ports      []string `yaml:"ports" doc:"what the ports of the box are, in their order: paths of this device (ports/3) or of another (usb0:ports/1); empty: all ports of this device"`
	Release    bool     `yaml:"release" doc:"drivers and the maker's release tool may take a port from another driver"`
	From       []string `yaml:"from" doc:"addresses and networks that may connect, such as [192.0.2.0/24]; needed unless listen is on this computer alone"`
	MaxClients int      `yaml:"max_clients" doc:"connections at a time; each driver holds one"`
	Discovery  bool     `yaml:"discovery" doc:"answers the maker's search for boxes, on the same port over UDP"`
	MAC        string   `yaml:"mac" doc:"Ethernet address that the box says it has; drivers know boxes by it"`
	Hold       bool     `yaml:"hold" doc:"a driver whose connection is lost keeps its ports for its link timeout"`
}

func serveDefaults() *ServeOptions {
	return &ServeOptions{Listen: net.JoinHostPort("127.0.0.1", strconv.Itoa(devicemaster.Port)), MaxClients: 16, MAC: "02:c0:4e:00:00:01"}
}

// Validate says what is wrong with the options and what would be right.
func (o *ServeOptions) Validate() error {
	_, port, err := net.SplitHostPort(o.Listen)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("listen: %q is no address; write HOST:PORT such as 127.0.0.1:4606", o.Listen)
	}
	if o.MaxClients < 1 || o.MaxClients > 1000 {
		return fmt.Errorf("max_clients: %d is out of range; give 1 to 1000", o.MaxClients)
	}
	if len(o.Ports) > devicemaster.MaxPorts {
		return fmt.Errorf("ports: a box has %d ports at most, and these are %d", devicemaster.MaxPorts, len(o.Ports))
	}
	for _, p := range o.Ports {
		if _, _, err := source(p); err != nil {
			return fmt.Errorf("ports: %w", err)
		}
	}
	for _, f := range o.From {
		if _, err := network(f); err != nil {
			return fmt.Errorf("from: %q is neither an address nor a network; write 192.0.2.10 or 192.0.2.0/24", f)
		}
	}
	if host, _, _ := net.SplitHostPort(o.Listen); !loopback(host) && len(o.From) == 0 {
		return errOpenToAll
	}
	if _, err := o.mac(); err != nil {
		return fmt.Errorf("mac: %q is no Ethernet address; write it like 02:c0:4e:00:00:01", o.MAC)
	}
	return nil
}

var errOpenToAll = errors.New("from: listen is open to the network, and nothing says who may connect; this protocol has no passwords, and who connects " +
	"writes to the ports. Name the drivers' computers: from: [192.0.2.10], or listen on 127.0.0.1")

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func (o *ServeOptions) mac() (m devicemaster.MAC, err error) {
	b, err := net.ParseMAC(o.MAC)
	if err == nil && len(b) != len(m) {
		err = fmt.Errorf("%d bytes", len(b))
	}
	copy(m[:], b)
	return m, err
}

// source is a device and the path of a stream; no device is this one.
func source(s string) (dev string, path device.Path, err error) {
	word := s
	if d, rest, ok := strings.Cut(s, ":"); ok {
		dev, word = d, rest
		if dev == "" {
			return "", "", fmt.Errorf("%q has no device in front of its colon", s)
		}
	}
	path, err = device.ParsePath(word)
	if err != nil || path == "" {
		return "", "", fmt.Errorf("%q is no port; write ports/3, or usb0:ports/1 for a port of another device", s)
	}
	return dev, path, nil
}

func network(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(s)
}

// admits reports whether an address may connect.
func (o *ServeOptions) admits(addr net.Addr) bool {
	if len(o.From) == 0 {
		return true
	}
	a, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return false
	}
	for _, f := range o.From {
		if n, err := network(f); err == nil && n.Contains(a.Addr().Unmap()) {
			return true
		}
	}
	return false
}
