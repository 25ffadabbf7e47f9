package decode

import (
	"bytes"

	"github.com/patchbay-io/patchbay/protocol/rfc2217"
)

// looksLikeTelnet is sure when com-port control is asked for, and believes it when options are negotiated in front of anything else.
func looksLikeTelnet(client, server []byte) int {
	best := 0
	for _, b := range [][]byte{client, server} {
		for _, verb := range []byte{rfc2217.WILL, rfc2217.DO} {
			if bytes.Contains(b, []byte{rfc2217.IAC, verb, rfc2217.OptComPort}) {
				best = 90
			}
		}
		if len(b) >= 3 && b[0] == rfc2217.IAC && b[1] >= rfc2217.WILL && b[1] <= rfc2217.DONT && b[2] <= 50 {
			best = max(best, 60)
		}
	}
	return best
}
