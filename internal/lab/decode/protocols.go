package decode

import (
	"cmp"
	"slices"
	"strings"

	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fcxml"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/openswitcher"
	"github.com/patchbay-io/patchbay/protocol/rfc2217"
	"github.com/patchbay-io/patchbay/transcript"
)

// Protocol is one that can be decoded. Of datagrams, each is given to the dissector as a whole.
type Protocol struct {
	Name    string
	Open    func() transcript.Dissector     // without keys
	with    func(Keys) transcript.Dissector // instead of Open: with keys
	carried bool                            // it may be carried in WebSockets
	network string                          // "tcp" or "udp"; empty: both, and "tcp" where one has to be chosen
	// ports are those of its servers, the usual one first; announced are UDP ports on which servers only say where they are.
	ports, announced []uint16
	schemes          []string // of device URLs, besides the name
	// looks says how much the first bytes of the two directions look like it: 0 not at all, 100 beyond doubt. Datagrams follow
	// one another without a gap.
	looks func(client, server []byte) int
	// names are the last parts of the names of fields that tell what a message, or a part of it, is.
	names []string
	// unnamed reports whether such a field holds a number for which there is no name yet.
	unnamed func(f *transcript.Field) bool
}

// protocols is never changed. How each is told by its bytes is in looks_PROTOCOL.go.
var protocols = []Protocol{{
	Name: "focas", Open: focas.NewDissector, network: "tcp", ports: []uint16{8193}, looks: looksLikeFOCAS,
	names: []string{"function", "type"}, unnamed: func(f *transcript.Field) bool { return strings.Contains(f.Text, "(0x") },
}, {
	Name: "atem", Open: atem.NewDissector, network: "udp", ports: []uint16{atem.Port}, looks: looksLikeATEM,
	names: []string{"code", "step"}, unnamed: func(f *transcript.Field) bool { return f.Text == "" },
}, {
	Name: "openswitcher", Open: openswitcher.NewDissector, network: "tcp", ports: []uint16{openswitcher.Port}, looks: looksLikeOpenSwitcher,
	names: []string{"code"}, unnamed: func(f *transcript.Field) bool { return f.Text == "" },
}, {
	Name: "fcxml", Open: fcxml.NewDissector, announced: []uint16{30096, 30097, 30098}, looks: looksLikeFCXML,
	names: []string{"message"}, unnamed: func(f *transcript.Field) bool { return f.Text != "" },
}, {
	Name: "aes70", Open: ocp1.NewDissector, carried: true, network: "tcp", ports: []uint16{65000}, looks: looksLikeOCP1,
	names: []string{"type", "method", "property", "status"}, unnamed: func(f *transcript.Field) bool { return f.Text == "" || f.Text == f.Value },
}, {
	Name: "fc2", with: newWebSocket, carried: true, network: "tcp", ports: []uint16{fc2.FirstPort, fc2.FirstPort + 1}, looks: looksLikeFC2,
	names: []string{"header", "record"},
}, {
	Name: "is12", with: newWebSocket, carried: true, network: "tcp", looks: looksLikeIS12, schemes: []string{"is12+ws"},
	names: []string{"type"}, unnamed: func(f *transcript.Field) bool { return strings.HasPrefix(f.Text, "type ") },
}, {
	Name: "websocket", with: newWebSocket, network: "tcp", looks: looksLikeWebSocket, schemes: []string{"aes70+ws"},
	names: []string{"opcode", "request", "response"}, unnamed: func(f *transcript.Field) bool { return strings.HasPrefix(f.Text, "opcode ") },
}, {
	Name: "devicemaster", Open: devicemaster.NewDissector, ports: []uint16{devicemaster.Port}, looks: looksLikeDeviceMaster,
	names: []string{"type"}, unnamed: func(f *transcript.Field) bool { return f.Text == "" },
}, {
	Name: "rfc2217", Open: rfc2217.NewDissector, network: "tcp", ports: []uint16{2217}, looks: looksLikeTelnet,
	names: []string{"command", "code", "data"}, unnamed: func(f *transcript.Field) bool { return strings.Contains(f.Text, "command ") },
}}

// Names are the protocols that can be decoded.
func Names() []string {
	var out []string
	for _, p := range protocols {
		out = append(out, p.Name)
	}
	return out
}

func find(name string) *Protocol {
	for i := range protocols {
		if protocols[i].Name == name {
			return &protocols[i]
		}
	}
	return nil
}

// on reports whether it runs over a network; an empty one is not known.
func (p *Protocol) on(network string) bool {
	return p.network == "" || network == "" || p.network == network
}

// owns reports whether servers of it have this port on a network.
func (p *Protocol) owns(network string, port uint16) bool {
	return p.on(network) && (slices.Contains(p.ports, port) || network == "udp" && slices.Contains(p.announced, port))
}

// knownPort reports whether servers of a known protocol have this port on a network.
func knownPort(network string, port uint16) bool {
	return slices.ContainsFunc(protocols, func(p Protocol) bool { return p.owns(network, port) })
}

// opener opens its dissectors.
func (p *Protocol) opener(o *Options) func() transcript.Dissector {
	if p.with == nil {
		return p.Open
	}
	keys := o.Keys
	return func() transcript.Dissector { return p.with(keys) }
}

// Server is the protocol that a scheme of device URLs stands for, the network and the port on which its servers listen; the
// port is 0 when they have none of their own. ok is false when the scheme is unknown.
func Server(scheme string) (protocol, network string, port uint16, ok bool) {
	for i := range protocols {
		p := &protocols[i]
		if p.Name != scheme && !slices.Contains(p.schemes, scheme) {
			continue
		}
		if len(p.ports) > 0 {
			port = p.ports[0]
		}
		return p.Name, cmp.Or(p.network, "tcp"), port, true
	}
	return "", "", 0, false
}
