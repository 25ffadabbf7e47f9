package transcript

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"time"
)

// Sizes of the text form, in bytes.
const (
	maxText = 4096
	maxKey  = 64
	maxLine = maxText + 128
	rowSize = 16
)

// Writer writes a transcript event by event, with one Write of the underlying writer for each. It does not buffer beyond
// the event at hand, reuses its memory, and is not safe for concurrent use. After an error of the underlying writer every
// call returns that error; an event that cannot be written as text is refused and does no harm.
type Writer struct {
	w   io.Writer
	buf []byte
	err error
}

// NewWriter writes the header.
func NewWriter(w io.Writer, h *Header) (*Writer, error) {
	b, err := h.append(nil)
	if err != nil {
		return nil, fmt.Errorf("write transcript: %w", err)
	}
	t := &Writer{w: w, buf: b}
	return t, t.flush()
}

func (w *Writer) flush() error {
	if w.err == nil {
		if _, err := w.w.Write(w.buf); err != nil {
			w.err = fmt.Errorf("write transcript: %w", err)
		}
	}
	return w.err
}

// Write writes one event. It keeps no reference to the event's data.
func (w *Writer) Write(e *Event) error {
	if w.err != nil {
		return w.err
	}
	if err := e.check(); err != nil {
		return fmt.Errorf("write transcript: %w", err)
	}
	w.buf = e.append(w.buf[:0])
	return w.flush()
}

// Write writes a whole transcript.
func Write(w io.Writer, t *Transcript) error {
	tw, err := NewWriter(w, &t.Header)
	for i := 0; err == nil && i < len(t.Events); i++ {
		err = tw.Write(&t.Events[i])
	}
	return err
}

// Format is the transcript as text.
func Format(t *Transcript) ([]byte, error) {
	var b bytes.Buffer
	err := Write(&b, t)
	return b.Bytes(), err
}

func (e *Event) check() error {
	switch {
	case e.Kind == 0 || int(e.Kind) >= len(kindNames):
		return fmt.Errorf("event of unknown %v", e.Kind)
	case e.Kind == Comment:
		if e.Dir != 0 || e.Flow != 0 || e.Offset != 0 || e.Data != nil {
			return fmt.Errorf("a comment has a text and nothing else")
		}
		return checkText(e.Text)
	case e.Dir != FromClient && e.Dir != FromServer && e.Dir != Neither:
		return fmt.Errorf("%v event with unknown %v", e.Kind, e.Dir)
	case e.Offset < 0:
		return fmt.Errorf("%v event at %v, before the start", e.Kind, e.Offset)
	case (e.Kind == Data || e.Kind == Datagram) && e.Dir == Neither:
		return fmt.Errorf("%v event without a sender", e.Kind)
	case e.Kind != Data && e.Kind != Datagram && len(e.Data) > 0:
		return fmt.Errorf("%v event with %d bytes of data", e.Kind, len(e.Data))
	}
	return checkText(e.Text)
}

func (e *Event) append(b []byte) []byte {
	if e.Kind == Comment {
		b = append(b, '#')
		if e.Text != "" {
			b = append(b, ' ')
			b = append(b, e.Text...)
		}
		return append(b, '\n')
	}
	b = append(b, byte(e.Dir), ' ')
	b = strconv.AppendUint(b, uint64(e.Flow), 10)
	b = append(b, " +"...)
	b = appendOffset(b, e.Offset)
	b = append(b, ' ')
	b = append(b, kindNames[e.Kind]...)
	if e.Text != "" {
		b = append(b, ' ')
		b = append(b, e.Text...)
	}
	b = append(b, '\n')
	for d := e.Data; len(d) > 0; {
		n := min(len(d), rowSize)
		b = AppendRow(append(b, "  "...), d[:n])
		b = append(b, '\n')
		d = d[n:]
	}
	return b
}

// appendOffset writes seconds with six digits, nine when there is something below the microsecond.
func appendOffset(b []byte, d time.Duration) []byte {
	digits, frac := 9, uint64(d%time.Second)
	if frac%1000 == 0 {
		digits, frac = 6, frac/1000
	}
	b = strconv.AppendUint(b, uint64(d/time.Second), 10)
	b = append(b, '.')
	at := len(b)
	b = append(b, "000000000"[:digits]...)
	for i := at + digits - 1; frac > 0; i-- {
		b[i] = '0' + byte(frac%10)
		frac /= 10
	}
	return b
}

const hexDigits = "0123456789abcdef"

// AppendRow appends up to 16 bytes as one row: hex in two groups of eight, then the printable characters between bars.
func AppendRow(b, d []byte) []byte {
	for i := range rowSize {
		if i == rowSize/2 {
			b = append(b, ' ')
		}
		if i < len(d) {
			b = append(b, hexDigits[d[i]>>4], hexDigits[d[i]&15], ' ')
		} else {
			b = append(b, "   "...)
		}
	}
	b = append(b, ' ', '|')
	for _, c := range d {
		if c < ' ' || c > '~' {
			c = '.'
		}
		b = append(b, c)
	}
	return append(b, '|')
}
