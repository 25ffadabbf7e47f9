package replay

import (
	"fmt"
	"os"
	"slices"

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

// readFile learns from the recording in a file.
func readFile[T any](name string, learn func(*transcript.Transcript) (T, error)) (r T, err error) {
	t, err := readTranscript(name)
	if err != nil {
		return r, err
	}
	if r, err = learn(t); err != nil {
		return r, fmt.Errorf("replay: %s: %w", name, err)
	}
	return r, nil
}

// mustBe refuses a recording whose header names another protocol; what says what it should be of.
func mustBe(t *transcript.Transcript, what string, protocols ...string) error {
	if p := t.Header.Protocol; p != "" && !slices.Contains(protocols, p) {
		return fmt.Errorf("the recording is of %s, not of %s", p, what)
	}
	return nil
}

// eachFlow gives the bytes of every connection, in both directions, to a learner of its own, which begin makes at the first of
// them. The learners come in the order of [transcript.Transcript.Flows].
func eachFlow[L interface{ feed(e *transcript.Event) }](t *transcript.Transcript, begin func(first *transcript.Event) L) []L {
	flows := map[uint32]L{}
	for i := range t.Events {
		e := &t.Events[i]
		if e.Kind != transcript.Data || e.Dir == transcript.Neither {
			continue
		}
		l, ok := flows[e.Flow]
		if !ok {
			l = begin(e)
			flows[e.Flow] = l
		}
		l.feed(e)
	}
	var out []L
	for _, n := range t.Flows() {
		if l, ok := flows[n]; ok {
			out = append(out, l)
		}
	}
	return out
}
