package focas

import (
	"fmt"
	"testing"

	"github.com/patchbay-io/patchbay/transcript"
	"github.com/patchbay-io/patchbay/transcript/transcripttest"
)

// TestTranscripts decodes every transcript, cut in any way, and encodes each frame to the same bytes.
func TestTranscripts(t *testing.T) {
	share := transcripttest.Run(t, transcriptDir, NewDissector, func(_ transcript.Direction, raw []byte) ([]byte, error) {
		f, left, err := ParseFrame(raw)
		if err != nil {
			return nil, err
		}
		if len(left) != 0 {
			return nil, fmt.Errorf("%d bytes after the frame", len(left))
		}
		if f.Type != TypeData || f.Dir == DirError {
			return f.Append(nil), nil
		}
		if f.Dir == DirRequest {
			qs, err := requestBlocks(f.Body)
			if err != nil {
				return nil, err
			}
			return AppendRequests(nil, qs), nil
		}
		ps, err := replyBlocks(f.Body)
		if err != nil {
			return nil, err
		}
		return AppendReplies(nil, f.Version, ps), nil
	})
	if share.Percent() < 99 {
		t.Errorf("%.1f %% of the bytes decode to named fields", share.Percent())
	}
}

func requestBlocks(body []byte) (qs []Request, err error) {
	blocks, err := RequestBlocks(body)
	for err == nil {
		q, ok, e := blocks.NextRequest()
		if e != nil || !ok {
			return qs, e
		}
		qs = append(qs, q)
	}
	return nil, err
}
