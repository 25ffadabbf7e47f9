package replay

import (
	"fmt"
	"os"

	"github.com/patchbay-io/patchbay/transcript"
)

// readTranscript reads a recording from a file.
func readTranscript(name string) (*transcript.Transcript, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	defer f.Close()
	t, err := transcript.Read(f, transcript.Limits{})
	if err != nil {
		return nil, fmt.Errorf("replay: %s: %w", name, err)
	}
	return t, nil
}
