package decode

import (
	"bytes"
	"encoding/binary"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

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
