package decode

import (
	"bytes"
	"encoding/binary"

	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/transcript"
)

// Protocol is one that can be decoded.
type Protocol struct {
	Name string
	Open func() transcript.Dissector
	// looks says how much the first bytes of the two directions look like it: 0 not at all, 100 beyond doubt.
	looks func(client, server []byte) int
}

// protocols is never changed.
var protocols = []Protocol{{"focas", focas.NewDissector, looksLikeFOCAS}}

// Names are the protocols that can be decoded.
func Names() []string {
	var out []string
	for _, p := range protocols {
		out = append(out, p.Name)
	}
	return out
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
