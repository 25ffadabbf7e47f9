package decode

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/transcript"
)

// Protocol is one that can be decoded.
type Protocol struct {
	Name    string
	Open    func() transcript.Dissector
	network string // "tcp" or "udp"
	// ports are those of its servers, the usual one first.
	ports []uint16
	// looks says how much the first bytes of the two directions look like it: 0 not at all, 100 beyond doubt.
	looks func(client, server []byte) int
	// names are the last parts of the names of fields that tell what a message, or a part of it, is.
	names []string
	// unnamed reports whether such a field holds a number for which there is no name yet.
	unnamed func(f *transcript.Field) bool
}

// protocols is never changed.
var protocols = []Protocol{{
	Name: "focas", Open: focas.NewDissector, network: "tcp", ports: []uint16{8193}, looks: looksLikeFOCAS,
	names: []string{"function", "type"}, unnamed: func(f *transcript.Field) bool { return strings.Contains(f.Text, "(0x") },
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

// knownPort reports whether servers of a known protocol have this port.
func knownPort(port uint16) bool {
	return slices.ContainsFunc(protocols, func(p Protocol) bool { return slices.Contains(p.ports, port) })
}

func looksLikeFOCAS(client, server []byte) int {
	mark := binary.BigEndian.AppendUint32(nil, focas.Mark)
	best := 0
	for _, b := range [][]byte{client, server} {
		switch {
		case bytes.HasPrefix(b, mark):
			best = max(best, 90)
		case bytes.Contains(b, mark):
			best = max(best, 40)
		}
	}
	return best
}
