package decode

import (
	"errors"

	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/is12"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/rfc6455"
	"github.com/patchbay-io/patchbay/transcript"
)

// Keys are what encrypted conversations are opened with.
type Keys = fc2.Keys

// newWebSocket takes WebSocket connections apart, and what is inside as the path or the first bytes tell.
func newWebSocket(keys Keys) transcript.Dissector {
	return rfc6455.NewDissector(func(c rfc6455.Conversation, op rfc6455.Opcode, first []byte) rfc6455.Inside {
		key, tunnel := fc2.KeyOfPath(c.Path)
		switch {
		case op == rfc6455.Text && isIS12(first):
			return rfc6455.Inside{Protocol: "is12", Open: is12.NewDissector}
		case op == rfc6455.Binary && tunnel:
			return rfc6455.Inside{Protocol: "fc2", Open: func() transcript.Dissector { return fc2.NewDissector(key, keys) }}
		case op == rfc6455.Binary && looksLikeOCP1(first, nil) > 0:
			return rfc6455.Inside{Protocol: "aes70", Open: ocp1.NewDissector}
		}
		return rfc6455.Inside{}
	})
}

func isIS12(b []byte) bool {
	_, err := is12.Parse(b, 0)
	return err == nil
}

// upgrade is the request of a client for WebSocket, when its first bytes are one.
func upgrade(client []byte) (rfc6455.Head, bool) {
	h, _, err := rfc6455.ParseHead(client)
	return h, err == nil && h.Request() && h.Upgrade()
}

// looksLikeFC2 goes by the path, which is the client's key.
func looksLikeFC2(client, _ []byte) int {
	h, ok := upgrade(client)
	if _, key := fc2.KeyOfPath(h.Path()); ok && key {
		return 99
	}
	return 0
}

// looksLikeIS12 goes by the path that is the habit.
func looksLikeIS12(client, _ []byte) int {
	if h, ok := upgrade(client); ok && h.Path() == is12.Path {
		return 98
	}
	return 0
}

// looksLikeWebSocket goes by the upgrade. Where the recording begins behind it, frames must follow one another and be masked by
// the client alone; they are believed when what is inside is known, or when there are several.
func looksLikeWebSocket(client, server []byte) int {
	if _, ok := upgrade(client); ok {
		return 96
	}
	if h, _, err := rfc6455.ParseHead(server); err == nil && h.Upgrade() {
		return 96
	}
	a, ok1 := frames(client, true)
	b, ok2 := frames(server, false)
	switch {
	case !ok1 || !ok2:
		return 0
	case a.known || b.known:
		return 80
	case a.n+b.n >= 3:
		return 55
	}
	return 0
}

// sawFrames is what a side looks like as frames.
type sawFrames struct {
	n     int  // with a payload
	known bool // what is inside one of them
}

// frames reads the frames of a side; false when one is none.
func frames(b []byte, masked bool) (saw sawFrames, ok bool) {
	for len(b) > 0 {
		f, rest, err := rfc6455.ParseFrame(b, 0)
		switch {
		case errors.Is(err, rfc6455.ErrShort):
			return saw, true
		case err != nil || f.Masked != masked:
			return saw, false
		}
		if len(f.Payload) > 0 {
			saw.n++
		}
		saw.known = saw.known || f.Opcode == rfc6455.Binary && looksLikeOCP1(f.Payload, nil) >= 90 || f.Opcode == rfc6455.Text && isIS12(f.Payload)
		b = rest
	}
	return saw, true
}
