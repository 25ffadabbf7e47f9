package serving

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"
)

// Networks is a list of addresses and networks, as options of native servers name who may connect: 192.0.2.10, 192.0.2.0/24.
type Networks []netip.Prefix

// ParseNetworks reads addresses and networks.
func ParseNetworks(words ...string) (Networks, error) {
	out := make(Networks, 0, len(words))
	for _, w := range words {
		p, err := netip.ParsePrefix(w)
		if err != nil {
			var a netip.Addr
			if a, err = netip.ParseAddr(w); err == nil {
				p = netip.PrefixFrom(a, a.BitLen())
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%q is no address and no network; write 192.0.2.10 or 192.0.2.0/24", w)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// Hold reports whether one of the networks holds an address HOST:PORT. No networks hold none.
func (n Networks) Hold(addr string) bool {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return false
	}
	for _, p := range n {
		if p.Contains(at.Addr().Unmap().WithZone("")) {
			return true
		}
	}
	return false
}

// Admit reports whether an address HOST:PORT may connect: one that the networks hold, and every one where there are none.
func (n Networks) Admit(addr string) bool { return len(n) == 0 || n.Hold(addr) }

// UnmarshalYAML reads a text, in which commas part addresses, or a list of texts.
func (n *Networks) UnmarshalYAML(unmarshal func(any) error) error {
	var list []string
	if unmarshal(&list) != nil {
		var one string
		if err := unmarshal(&one); err != nil {
			return fmt.Errorf("addresses and networks are like [192.0.2.10, 192.0.2.0/24]")
		}
		list = []string{one}
	}
	var words []string
	for _, item := range list {
		for w := range strings.SplitSeq(item, ",") {
			if w = strings.TrimSpace(w); w != "" {
				words = append(words, w)
			}
		}
	}
	out, err := ParseNetworks(words...)
	if err != nil {
		return err
	}
	*n = out
	return nil
}

// MarshalYAML writes the networks as texts.
func (n Networks) MarshalYAML() (any, error) {
	out := make([]string, len(n))
	for i, p := range n {
		out[i] = p.String()
	}
	return out, nil
}

// JSONSchema describes what UnmarshalYAML accepts.
func (Networks) JSONSchema() *jsonschema.Schema {
	text := &jsonschema.Schema{Type: "string"}
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "array", Items: text}, text}}
}

// CheckListen says what is wrong with the address of a listener, which the option key gives; port is that of the example. It
// reports whether only programs of this computer reach it.
func CheckListen(key, addr string, port int) (loopback bool, err error) {
	host, text, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = strconv.ParseUint(text, 10, 16)
	}
	if err != nil {
		return false, fmt.Errorf("%s: %q is no address; write HOST:PORT such as 127.0.0.1:%d", key, addr, port)
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback(), nil
}

// CheckClients says what is wrong with max_clients.
func CheckClients(n, most int) error {
	if n < 1 || n > most {
		return fmt.Errorf("max_clients: %d is out of range; give 1 to %d", n, most)
	}
	return nil
}
