package capture

import (
	"bufio"
	"io"

	"github.com/patchbay-io/patchbay/transcript"
)

// fileBuffer is how much of a file is written at once.
const fileBuffer = 256 << 10

type transcriptSink struct {
	buf *bufio.Writer
	w   *transcript.Writer
}

// Transcript writes the header to w and returns the sink that writes the events behind it.
func Transcript(w io.Writer, h *transcript.Header) (Sink, error) {
	buf := bufio.NewWriterSize(w, fileBuffer)
	tw, err := transcript.NewWriter(buf, h)
	if err != nil {
		return nil, err
	}
	return &transcriptSink{buf, tw}, nil
}

// Event implements Sink.
func (t *transcriptSink) Event(_ *Flow, e *transcript.Event) error { return t.w.Write(e) }

// Flush implements Sink.
func (t *transcriptSink) Flush() error { return t.buf.Flush() }
