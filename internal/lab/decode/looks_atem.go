package decode

import "github.com/patchbay-io/patchbay/protocol/atem"

func looksLikeATEM(client, server []byte) int {
	return max(atem.LooksLikePackets(client), atem.LooksLikePackets(server))
}
