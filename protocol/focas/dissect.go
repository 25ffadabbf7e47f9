package focas

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/patchbay-io/patchbay/transcript"
)

// Dissector takes recorded FOCAS conversations apart, one flow each. It implements [transcript.Dissector]. The dialect is
// known from the version word of the first reply; what a reply block means may depend on the request that it answers, so
// the blocks of the last request are kept.
type Dissector struct {
	sides   [2]dissectSide
	dialect Dialect
	asked   []Request // their data is not kept
}

type dissectSide struct {
	buf []byte
	off int64
}

// NewDissector starts a flow.
func NewDissector() transcript.Dissector { return new(Dissector) }

// maxHeldNoise is how many bytes that are no frame are held while the next mark is looked for.
const maxHeldNoise = 64 << 10

// errNoise is the Err of bytes between frames.
var errNoise = errors.New("bytes that are no FOCAS frame")

func (d *Dissector) side(dir transcript.Direction) *dissectSide {
	if dir == transcript.FromServer {
		return &d.sides[1]
	}
	return &d.sides[0]
}

// Feed implements [transcript.Dissector].
func (d *Dissector) Feed(dir transcript.Direction, b []byte) []transcript.Frame {
	s := d.side(dir)
	s.buf = append(s.buf, b...)
	var out []transcript.Frame
	for {
		f, rest, err := ParseFrame(s.buf)
		switch {
		case err == nil:
			n := len(s.buf) - len(rest)
			fr := transcript.Frame{Offset: s.off, Length: n}
			d.frame(&fr, f, s.buf[:n])
			out = append(out, fr)
			s.take(n)
			continue
		case errors.Is(err, ErrShort):
			if n := min(len(s.buf), 4); bytes.Equal(s.buf[:n], markBytes[:n]) {
				return out
			}
			err = ErrMark
		}
		n := nextMark(s.buf)
		if n == 0 && len(s.buf) <= maxHeldNoise {
			return out // the mark that ends the noise may still come
		}
		if n == 0 {
			n = len(s.buf)
		}
		out = append(out, s.noise(n, err))
	}
}

// End implements [transcript.Dissector].
func (d *Dissector) End(dir transcript.Direction) []transcript.Frame {
	s := d.side(dir)
	if len(s.buf) == 0 {
		return nil
	}
	err := errNoise
	if bytes.HasPrefix(s.buf, markBytes[:min(4, len(s.buf))]) {
		err = fmt.Errorf("the recording ends inside a frame: %w", ErrShort)
	}
	return []transcript.Frame{s.noise(len(s.buf), err)}
}

var markBytes = [4]byte{0xa0, 0xa0, 0xa0, 0xa0}

// nextMark is where the next frame may begin behind the first byte; 0 when it is not there yet.
func nextMark(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	return bytes.Index(b[1:], markBytes[:]) + 1
}

func (s *dissectSide) take(n int) {
	s.buf = s.buf[n:]
	s.off += int64(n)
	if len(s.buf) == 0 {
		s.buf = nil
	}
}

func (s *dissectSide) noise(n int, err error) transcript.Frame {
	if errors.Is(err, ErrMark) {
		err = errNoise
	}
	f := transcript.Frame{Offset: s.off, Length: n, Summary: fmt.Sprintf("%d bytes that are no frame", n), Err: err,
		Unknown: []transcript.Range{{Offset: 0, Length: n}}}
	s.take(n)
	return f
}

// fields collects what is known about a frame.
type fields struct {
	*transcript.Frame
	raw []byte
}

func (f fields) put(name string, at, n int, value, text string) {
	f.Fields = append(f.Fields, transcript.Field{Name: name, Offset: at, Length: n, Value: value, Text: text, Grade: transcript.GradeSeen})
}

func (f fields) word(name string, at int, text string) {
	f.put(name, at, 2, decimal(u16(f.raw[at:])), text)
}

func (f fields) unknown(at, n int) {
	if n > 0 {
		f.Unknown = append(f.Unknown, transcript.Range{Offset: at, Length: n})
	}
}

// frame fills fr from a whole frame whose bytes are raw.
func (d *Dissector) frame(fr *transcript.Frame, f Frame, raw []byte) {
	p := fields{fr, raw}
	fr.Summary = f.Type.String() + " " + f.Dir.String()
	fr.Fields = make([]transcript.Field, 0, fieldsOf(f))
	p.put("mark", 0, 4, "a0a0a0a0", "")
	p.word("version", 4, "")
	p.put("type", 6, 1, fmt.Sprintf("%#02x", uint8(f.Type)), f.Type.String())
	p.put("direction", 7, 1, decimal(f.Dir), f.Dir.String())
	p.word("length", 8, "")
	if f.Dir == DirReply {
		d.dialect = f.Version.Dialect()
	}
	switch {
	case f.Dir == DirError:
		d.errorBody(p, f)
	case f.Type == TypeOpen && f.Dir == DirRequest:
		if c, err := ParseOpenRequest(f.Body); err != nil {
			fr.Err = err
		} else {
			p.word("channel", HeaderSize, map[uint16]string{ChannelTransfer: "transfers", ChannelData: "data"}[c])
			fr.Summary += fmt.Sprintf(", channel %d", c)
		}
	case f.Type == TypeOpen && f.Dir == DirReply:
		d.openReply(p, f)
	case f.Type == TypeData && f.Dir == DirRequest:
		d.requests(p, f)
	case f.Type == TypeData && f.Dir == DirReply:
		d.replies(p, f)
	default:
		d.transfer(p, f)
	}
}

func (d *Dissector) errorBody(p fields, f Frame) {
	e, err := ParseErrorBody(f.Body)
	if err != nil {
		p.Err = err
		return
	}
	const at = HeaderSize
	p.word("location", at, "")
	p.put("code", at+2, 2, decimal(e.Code), e.Code.String())
	p.put("detail 1", at+4, 2, decimal(e.Detail[0]), "")
	p.put("detail 2", at+6, 2, decimal(e.Detail[1]), "")
	p.unknown(at+ErrorBodySize, len(f.Body)-ErrorBodySize)
	p.Summary += fmt.Sprintf(": %v (%d, %d)", e.Code, e.Detail[0], e.Detail[1])
}

// openWords are the named words of an open reply by their place; the others are unknown.
func openWords(d Dialect) (head, record map[int]string) {
	if d == Classic {
		return map[int]string{2: "family", 4: "max axes", 6: "max spindles", 8: "paths", 10: "controlled paths", 14: "more paths"},
			map[int]string{0: "system", 2: "attribute", 4: "axes", 6: "spindles"}
	}
	return map[int]string{6: "max axes", 8: "max spindles", 10: "paths", 12: "max groups", 16: "axes", 18: "servo axes", 20: "spindles",
			22: "controlled paths", 24: "groups", 28: "options", 30: "additional info"},
		map[int]string{0: "system", 2: "group", 4: "attribute", 6: "axes", 10: "spindles", 12: "machine group"}
}

func (d *Dissector) openReply(p fields, f Frame) {
	if len(f.Body) == 0 {
		return // channel 1 may answer without a body
	}
	o, err := ParseOpenReply(f.Version, f.Body)
	if err != nil {
		p.Err = err
		return
	}
	head, record := openWords(d.dialect)
	headSize, recordSize := openHead30i, openRecord30i
	if d.dialect == Classic {
		headSize, recordSize = openHeadClassic, openRecordClassic
	}
	words := func(names map[int]string, prefix string, at, size int) {
		for i := 0; i < size; i += 2 {
			if n := names[i]; n != "" {
				p.word(prefix+n, at+i, "")
			} else {
				p.unknown(at+i, 2)
			}
		}
	}
	words(head, "", HeaderSize, headSize)
	for i := range o.Records {
		words(record, fmt.Sprintf("path %d.", i+1), HeaderSize+headSize+i*recordSize, recordSize)
	}
	p.Summary += fmt.Sprintf(", %v dialect, %d paths", d.dialect, o.PathCount())
}

// transfer is everything on channel 1, and frames of types that nobody has named.
func (d *Dissector) transfer(p fields, f Frame) {
	if len(f.Body) == 0 {
		return
	}
	switch f.Type {
	case TypeDownloadStart, TypeUploadStart:
		if s, err := ParseTransferStart(f.Body); err == nil {
			p.word("kind", HeaderSize, "")
			p.word("path", HeaderSize+2, "")
			p.put("file", HeaderSize+4, FileSpecSize, s.Spec(), "")
			p.Summary += fmt.Sprintf(" %q", s.Spec())
			return
		}
	case TypeDownloadData, TypeUploadData:
		p.put("text", HeaderSize, len(f.Body), "", fmt.Sprintf("%.60q", f.Body))
		p.Summary += fmt.Sprintf(", %d bytes of text", len(f.Body))
		return
	}
	p.unknown(HeaderSize, len(f.Body))
}
