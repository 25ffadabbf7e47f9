package fcxml

import (
	"testing"

	"github.com/patchbay-io/patchbay/transcript"
	"github.com/patchbay-io/patchbay/transcript/transcripttest"
)

// Recordings decode, and each frame is written again as it came. The one of our simulator holds today's code to what it said when
// it was made; it is no evidence about the real program.
func TestTranscripts(t *testing.T) {
	transcripttest.Run(t, "testdata/transcripts", NewDissector, func(_ transcript.Direction, b []byte) ([]byte, error) {
		f, _, err := ParseFrame(b)
		if err != nil {
			return nil, err
		}
		m, err := Parse(f.Payload)
		if err != nil {
			return nil, err
		}
		return AppendMessage(nil, m), nil
	})
}
