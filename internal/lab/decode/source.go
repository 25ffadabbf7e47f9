package decode

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/patchbay-io/patchbay/transcript"
)

// source gives the events of an input; next returns io.EOF at the end.
type source interface {
	header() *transcript.Header
	next() (transcript.Event, error)
}

// format is one kind of input, known by its first bytes.
type format struct {
	looks func(prefix []byte) bool
	open  func(io.Reader, transcript.Limits) (source, error)
}

// formats are tried in order; never changed.
var formats = []format{
	{func(b []byte) bool { return bytes.HasPrefix(b, []byte("patchbay transcript")) }, openTranscript},
	{looksLikeText, openHex},
}

// prefixSize is how many bytes decide about the format.
const prefixSize = 512

func openSource(r io.Reader, limits transcript.Limits) (source, error) {
	br := bufio.NewReaderSize(r, prefixSize)
	prefix, err := br.Peek(prefixSize)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("read input: %w", err)
	}
	if len(prefix) == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrInput)
	}
	for _, f := range formats {
		if f.looks(prefix) {
			return f.open(br, limits)
		}
	}
	return nil, fmt.Errorf("%w: it begins with the bytes % x; give a transcript, or hex as xxd or a person writes it", ErrInput, prefix[:min(len(prefix), 16)])
}

func looksLikeText(b []byte) bool {
	// The prefix may end inside a character.
	for i := 0; i < utf8.UTFMax && len(b) > i; i++ {
		if utf8.Valid(b[:len(b)-i]) {
			return bytes.IndexByte(b, 0) < 0
		}
	}
	return false
}

type transcriptSource struct{ *transcript.Reader }

func openTranscript(r io.Reader, limits transcript.Limits) (source, error) {
	tr, err := transcript.NewReader(r, limits)
	if err != nil {
		return nil, err
	}
	return transcriptSource{tr}, nil
}

func (t transcriptSource) header() *transcript.Header      { return t.Header() }
func (t transcriptSource) next() (transcript.Event, error) { return t.Next() }
