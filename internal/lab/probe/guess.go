package probe

import (
	"fmt"
	"strings"
)

// guesses says for each protocol what the reactions of a port mean for it.
func guesses(all []Reaction) []Guess {
	count := func(group string, came Came, received string) (n, of int) {
		for _, x := range all {
			if x.Group == group {
				of++
				if x.Came == came && (received == "" || strings.Contains(x.Received, received)) {
					n++
				}
			}
		}
		return n, of
	}
	suggested := func(group, word string) string {
		for _, x := range all {
			if x.Group == group && strings.HasPrefix(x.Suggests, word) {
				return x.Step
			}
		}
		return ""
	}
	var out []Guess
	say := func(protocol string, match bool, reasons ...string) {
		out = append(out, Guess{protocol, match, reasons})
	}

	notFound, paths := count("http", Answered, " 404")
	declined, asked := count("websocket", Declined, "404")
	agent := suggested("frame", "Focusrite Control 2")
	switch {
	case agent != "":
		say("fc2", true, "the root block has the pairing agent: this is the onboarding endpoint")
	case paths > 0 && notFound == paths && declined == asked:
		say("fc2", false, fmt.Sprintf("404 to all %d paths and all %d WebSockets, as the secure endpoint does, and other servers too: the next port decides", paths, asked))
	default:
		say("fc2", false, "no pairing agent, and not 404 to everything")
	}
	if step := suggested("tcp", "AES70"); step != "" {
		say("aes70", true, step+" is answered over plain TCP")
	} else if step := suggested("frame", "AES70"); step != "" && agent == "" {
		say("aes70+ws", true, step+" is answered in a WebSocket")
	} else {
		say("aes70", false, "OCP.1 is answered neither over plain TCP nor by a device in a WebSocket")
	}
	if step := suggested("frame", "IS-12"); step != "" {
		say("is12+ws", true, step+" is answered")
	} else {
		say("is12+ws", false, "no JSON message is answered")
	}
	if step := suggested("tcp", "Focusrite Control"); step != "" {
		say("fcxml", true, "a keep-alive is echoed")
	} else {
		say("fcxml", false, "a keep-alive is not echoed")
	}
	return out
}
