package aes70

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

// ServeOptions are those of the server that AES70 controllers connect to. Start from [Driver.ServeOptions].
type ServeOptions struct {
	Listen     string   `yaml:"listen" doc:"where controllers connect over TCP, HOST:PORT; empty: not at all"`
	WS         string   `yaml:"ws" doc:"where controllers connect over WebSocket, HOST:PORT; empty: not at all"`
	Allow      []string `yaml:"allow" doc:"points that controllers may change, as in writable: patterns such as inputs/*; empty: they may only look"`
	From       []string `yaml:"from" doc:"addresses and networks that may connect, such as [192.0.2.0/24]; empty: everybody who reaches the address"`
	Origins    []string `yaml:"origins" doc:"hosts whose web pages may connect over WebSocket from a browser, such as [desk.example.com]"`
	MaxClients int      `yaml:"max_clients" doc:"controllers at a time"`
}

func serveDefaults() *ServeOptions {
	return &ServeOptions{Listen: net.JoinHostPort("127.0.0.1", strconv.Itoa(Port)), MaxClients: 50}
}

var errOpenToAll = errors.New("allow: controllers may change these points, and the address is open to the network without a word about who may " +
	"connect; AES70 without TLS has no passwords. Name the computers: from: [192.0.2.10], or listen on 127.0.0.1")

// Validate says what is wrong with the options and what would be right.
func (o *ServeOptions) Validate() error {
	if o.Listen == "" && o.WS == "" {
		return errors.New("listen: neither listen nor ws says where controllers connect; write listen: 127.0.0.1:65000")
	}
	loopback := true
	for _, at := range []struct{ key, addr string }{{"listen", o.Listen}, {"ws", o.WS}} {
		if at.addr == "" {
			continue
		}
		host, port, err := net.SplitHostPort(at.addr)
		if err == nil {
			_, err = strconv.ParseUint(port, 10, 16)
		}
		if err != nil {
			return fmt.Errorf("%s: %q is no address; write HOST:PORT such as 127.0.0.1:65000", at.key, at.addr)
		}
		ip, err := netip.ParseAddr(host)
		loopback = loopback && (host == "localhost" || err == nil && ip.IsLoopback())
	}
	if o.MaxClients < 1 || o.MaxClients > 1000 {
		return fmt.Errorf("max_clients: %d is out of range; give 1 to 1000", o.MaxClients)
	}
	from, err := o.networks()
	if err != nil {
		return err
	}
	if !loopback && len(from) == 0 && len(o.Allow) > 0 {
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

// allows reports whether configuration lets controllers change a point. A wildcard never lets a hazard point through; those are
// named one by one.
func (o *ServeOptions) allows(path device.Path, hazard string) bool {
	for _, pattern := range o.Allow {
		if path.Match(pattern) && (hazard != device.HazardMove || !strings.Contains(pattern, "*")) {
			return true
		}
	}
	return false
}

func notAllowed(dev string, path device.Path) error {
	return &driver.Error{Op: "forward", Target: dev, Class: driver.Auth, Err: fmt.Errorf("a controller may not change %s", path),
		Hint: fmt.Sprintf("add it to the device's section to allow it: devices.%s.serve.allow: [%s]", dev, path)}
}
