package ocp1

import (
	"fmt"
	"testing"

	"github.com/patchbay-io/patchbay/transcript"
	"github.com/patchbay-io/patchbay/transcript/transcripttest"
)

// Recorded conversations decode and append as what was recorded. The controller's half of them is evidence; the device's is our own.
func TestTranscripts(t *testing.T) {
	share := transcripttest.Run(t, "testdata/transcripts", NewDissector, func(_ transcript.Direction, b []byte) ([]byte, error) {
		m, rest, err := ParseMessage(b, 0)
		if err != nil || len(rest) > 0 {
			return nil, fmt.Errorf("%d bytes left: %w", len(rest), err)
		}
		if m.Type == TypeKeepAlive {
			every, millis, err := m.KeepAlive()
			if millis {
				return AppendKeepAliveMillis(nil, m.Version, every), err
			}
			return AppendKeepAliveSeconds(nil, m.Version, every), err
		}
		pdus, err := pdusOf(m)
		if err != nil {
			return nil, err
		}
		out, at := BeginMessage(nil, m.Version, m.Type)
		for _, p := range pdus {
			out = appendPDU(out, p)
		}
		return EndMessage(out, at, len(pdus)), nil
	})
	if p := share.Percent(); p < 99 {
		t.Errorf("%.1f %% of the bytes are explained", p)
	}
}
