package decode

import (
	"bytes"

	"github.com/patchbay-io/patchbay/protocol/fcxml"
)

// looksLikeFCXML goes by the header of a frame.
func looksLikeFCXML(client, server []byte) int {
	best := 0
	for _, b := range [][]byte{client, server} {
		n := bytes.Index(b, []byte("Length="))
		if n < 0 {
			continue
		}
		if _, _, err := fcxml.ParseHeader(b[n:]); err != nil {
			continue
		}
		if n == 0 {
			best = max(best, 95)
		}
		best = max(best, 40)
	}
	return best
}
