package fcxml

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// ServeOptions are those of the server that programs for Focusrite Control connect to. Start from [Driver.ServeOptions].
type ServeOptions struct {
	Listen     string   `yaml:"listen" doc:"where programs connect, HOST:PORT"`
	Allow      []string `yaml:"allow" doc:"points that programs may change, as in writable: patterns such as outputs/*; empty: they may only look"`
	From       []string `yaml:"from" doc:"addresses and networks that may connect, such as [192.0.2.0/24]; empty: everybody who reaches the address"`
	MaxClients int      `yaml:"max_clients" doc:"programs at a time"`
	Announce   bool     `yaml:"announce" doc:"answer programs that look for Focusrite Control on the network, on UDP 30096 to 30098"`
}

func serveDefaults() *ServeOptions {
	return &ServeOptions{Listen: net.JoinHostPort("127.0.0.1", strconv.Itoa(Port)), MaxClients: 50}
}

var errOpenToAll = errors.New("allow: programs may change these points, and listen is open to the network without a word about who may " +
	"connect; the protocol has no passwords. Name the computers: from: [192.0.2.10], or listen on 127.0.0.1")

// Validate says what is wrong with the options and what would be right.
func (o *ServeOptions) Validate() error {
	host, port, err := net.SplitHostPort(o.Listen)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("listen: %q is no address; write HOST:PORT such as 127.0.0.1:49152", o.Listen)
	}
	if o.MaxClients < 1 || o.MaxClients > 1000 {
		return fmt.Errorf("max_clients: %d is out of range; give 1 to 1000", o.MaxClients)
	}
	from, err := o.networks()
	if err != nil {
		return err
	}
	ip, err := netip.ParseAddr(host)
	if loopback := host == "localhost" || err == nil && ip.IsLoopback(); !loopback && len(from) == 0 && len(o.Allow) > 0 {
		return errOpenToAll
	}
	return nil
}

func (o *ServeOptions) networks() ([]netip.Prefix, error) {
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

// allows reports whether configuration lets programs change a point. A wildcard never lets a hazard point through; those are
// named one by one.
func (o *ServeOptions) allows(sp *device.Spec) bool {
	for _, pattern := range o.Allow {
		if sp.Path.Match(pattern) && (sp.Hazard != device.HazardMove || !strings.Contains(pattern, "*")) {
			return true
		}
	}
	return false
}

func notAllowed(dev string, path device.Path) error {
	return &driver.Error{Op: "forward", Target: dev, Class: driver.Auth, Err: fmt.Errorf("a program may not change %s", path),
		Hint: fmt.Sprintf("add it to the device's section to allow it: devices.%s.serve.allow: [%s]", dev, path)}
}
