package decode

import (
	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/openswitcher"
)

func looksLikeATEM(client, server []byte) int {
	return max(atem.LooksLikePackets(client), atem.LooksLikePackets(server))
}

func looksLikeOpenSwitcher(client, server []byte) int {
	return max(openswitcher.Looks(client), openswitcher.Looks(server))
}
