package devicemaster

import (
	"fmt"
	"testing"

	"github.com/patchbay-io/patchbay/transcript"
	"github.com/patchbay-io/patchbay/transcript/transcripttest"
)

// The published recordings decode, cut in any way, and each message is written back to its bytes.
func TestTranscripts(t *testing.T) {
	share := transcripttest.Run(t, "testdata/transcripts", NewDissector, func(dir transcript.Direction, raw []byte) ([]byte, error) {
		if d, err := ParseDiscovery(raw); err == nil {
			return d.Append(nil), nil
		}
		if r, err := ParseIDResponse(raw); err == nil && dir == transcript.FromServer {
			return r.Append(nil), nil
		}
		way := ToDevice
		if dir == transcript.FromServer {
			way = FromDevice
		}
		dec := NewDecoder(way, DecoderOptions{Strict: true})
		dec.Feed(raw)
		m, ok, err := dec.Next()
		if !ok {
			return nil, fmt.Errorf("no message: %w", err)
		}
		return m.Append(nil), nil
	})
	if unknown := share.Bytes - share.Decoded; unknown != 23+5 {
		t.Errorf("%d bytes are unknown: the tags of the ID response have 23, those of the discovery 5", unknown)
	}
}
