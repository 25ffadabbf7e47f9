package fcxml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// HeaderSize is the length of a frame's header: "Length=", six hexadecimal digits, a space.
const HeaderSize = 14

// MaxPayload is the longest payload that is read, in bytes. The header could say 16 MiB; the longest arrival seen has 96 KB.
const MaxPayload = 1 << 20

const mark = "Length="

// Causes of a frame that is none.
var (
	ErrNoFrame  = errors.New("this is no frame: it does not begin with Length= and six hexadecimal digits")
	ErrTooLong  = fmt.Errorf("the frame announces more than %d bytes", MaxPayload)
	ErrTooShort = errors.New("the frame ends too early")
)

// Frame is one frame: an XML element in UTF-8 without declaration or line end. Lower says that the header's digits are in
// lower case, as the servers of the maker write them; programs write either.
type Frame struct {
	Payload []byte
	Lower   bool
}

// Append writes the frame. The length counts bytes of UTF-8, not characters.
func (f Frame) Append(dst []byte) []byte {
	digits := "0123456789ABCDEF"
	if f.Lower {
		digits = "0123456789abcdef"
	}
	dst = append(dst, mark...)
	n := len(f.Payload)
	for shift := 20; shift >= 0; shift -= 4 {
		dst = append(dst, digits[n>>shift&15])
	}
	return append(append(dst, ' '), f.Payload...)
}

// AppendMessage writes the frame of a message with digits in lower case, as a server does.
func AppendMessage(dst []byte, m Message) []byte {
	start := len(dst)
	dst = append(dst, "Length=000000 "...)
	dst = m.AppendXML(dst)
	n := len(dst) - start - HeaderSize
	const digits = "0123456789abcdef"
	for i := range 6 {
		dst[start+len(mark)+5-i] = digits[n>>(4*i)&15]
	}
	return dst
}

// ParseHeader reads a header: the length of the payload in bytes, and whether a letter among the digits is in lower case.
// b must have HeaderSize bytes.
func ParseHeader(b []byte) (n int, lower bool, err error) {
	if len(b) < HeaderSize {
		return 0, false, ErrTooShort
	}
	if string(b[:len(mark)]) != mark || b[HeaderSize-1] != ' ' {
		return 0, false, ErrNoFrame
	}
	for _, c := range b[len(mark) : HeaderSize-1] {
		d := 0
		switch {
		case c >= '0' && c <= '9':
			d = int(c - '0')
		case c >= 'a' && c <= 'f':
			d, lower = int(c-'a')+10, true
		case c >= 'A' && c <= 'F':
			d = int(c-'A') + 10
		default:
			return 0, false, ErrNoFrame
		}
		n = n<<4 | d
	}
	if n > MaxPayload {
		return n, lower, ErrTooLong
	}
	return n, lower, nil
}

// ParseFrame reads the frame at the beginning of b; the payload is not copied. With too few bytes the error is
// [ErrTooShort].
func ParseFrame(b []byte) (f Frame, rest []byte, err error) {
	n, lower, err := ParseHeader(b)
	if err != nil {
		return Frame{}, b, err
	}
	if len(b)-HeaderSize < n {
		return Frame{}, b, ErrTooShort
	}
	end := HeaderSize + n
	return Frame{Payload: b[HeaderSize:end:end], Lower: lower}, b[end:], nil
}

// maxJunk is how many bytes a [Reader] passes over in search of the next header before it gives up.
const maxJunk = 64 << 10

// Reader reads frames from a stream. What stands between frames is passed over and counted: a server that counts characters
// where bytes are meant leaves the end of a payload there. A stream that does not begin with a frame is another protocol.
type Reader struct {
	r    io.Reader
	buf  []byte
	have []byte // read and not yet given out, at the front of buf
	junk uint64
	run  int  // junk since the last frame
	some bool // a frame has been read
}

// NewReader reads from r, which needs no buffer of its own.
func NewReader(r io.Reader) *Reader { return &Reader{r: r, buf: make([]byte, 0, 8<<10)} }

// Junk is how many bytes outside of frames have been passed over.
func (r *Reader) Junk() uint64 { return r.junk }

// Next reads one frame. Its payload is valid until the next call. At the end of the stream the error is io.EOF between
// frames, io.ErrUnexpectedEOF inside one; ErrNoFrame when the stream begins with something else, or when what comes has no
// header for a long while.
func (r *Reader) Next() (Frame, error) {
	for {
		r.seek()
		if r.run > maxJunk || r.run > 0 && !r.some {
			return Frame{}, ErrNoFrame
		}
		if len(r.have) >= HeaderSize {
			n, lower, err := ParseHeader(r.have)
			if err != nil {
				return Frame{}, err
			}
			if len(r.have) >= HeaderSize+n {
				end := HeaderSize + n
				f := Frame{Payload: r.have[HeaderSize:end:end], Lower: lower}
				r.have, r.run, r.some = r.have[end:], 0, true
				return f, nil
			}
			if err := r.fill(HeaderSize + n); err != nil {
				return Frame{}, err
			}
			continue
		}
		if err := r.fill(HeaderSize); err != nil {
			return Frame{}, err
		}
	}
}

// seek drops what cannot begin a frame.
func (r *Reader) seek() {
	if !bytes.HasPrefix(r.have, []byte(mark)) && !bytes.HasPrefix([]byte(mark), r.have) {
		r.drop(1)
	}
	for len(r.have) >= HeaderSize {
		if _, _, err := ParseHeader(r.have); err != ErrNoFrame {
			return
		}
		r.drop(1)
	}
}

// drop passes over at least n bytes, up to where a header may begin.
func (r *Reader) drop(n int) {
	for n < len(r.have) && !bytes.HasPrefix(r.have[n:], []byte(mark)) && !bytes.HasPrefix([]byte(mark), r.have[n:]) {
		next := bytes.IndexByte(r.have[n+1:], mark[0])
		if next < 0 {
			n = len(r.have)
			break
		}
		n += 1 + next
	}
	r.junk += uint64(n)
	r.run += n
	r.have = r.have[n:]
}

// fill reads more. want is how many bytes the frame needs; room for them is made in steps, so that a header alone costs
// nothing.
func (r *Reader) fill(want int) error {
	n, used := len(r.have), len(r.buf)
	if used == cap(r.buf) || used-n+want > cap(r.buf) && n <= cap(r.buf)/2 && used > n {
		room := cap(r.buf)
		switch {
		case want > room && n > room/2:
			room = min(want, 2*room)
		case want < 8<<10 && room > 64<<10:
			room = 8 << 10 // a long arrival has passed
		}
		to := r.buf[:0]
		if room != cap(r.buf) {
			to = make([]byte, 0, room)
		}
		r.buf = append(to, r.have...)
		used = n
	}
	m, err := r.r.Read(r.buf[used:cap(r.buf)])
	r.buf = r.buf[:used+m]
	r.have = r.buf[used-n:]
	switch {
	case m > 0:
		return nil
	case err == io.EOF && n > 0:
		return io.ErrUnexpectedEOF
	case err == nil:
		return io.ErrNoProgress
	}
	return err
}
