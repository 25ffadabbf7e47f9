package decode

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/patchbay-io/patchbay/transcript"
)

// record is an event of an input, with what only captures know about it.
type record struct {
	transcript.Event
	missing int64  // so many bytes of this direction are missing here; the event is a Note that says so
	gone    bool   // nothing of the flow follows
	network string // of an Open: "tcp" or "udp"; empty when the input does not tell
	port    uint16 // of an Open: the server's
}

// source gives the records of an input. Their data is valid until the next call. next returns io.EOF at the end.
type source interface {
	header() *transcript.Header
	next() (record, error)
	// capture reports whether the input holds what passed on a network, and so perhaps more than one protocol.
	capture() bool
}

// format is one kind of input, known by its first bytes.
type format struct {
	looks func(prefix []byte) bool
	open  func(io.Reader, transcript.Limits) (source, error)
}

// formats are tried in order; never changed.
var formats = []format{
	{func(b []byte) bool { return bytes.HasPrefix(b, []byte("patchbay transcript")) }, openTranscript},
	{looksLikePcapng, openPcapng},
	{looksLikePcap, openPcap},
	{looksLikePacketDump, openPacketDump},
	{looksLikeText, openHex},
}

// prefixSize is how many bytes decide about the format.
const prefixSize = 1024

// openSource finds the format by the first bytes, also behind gzip.
func openSource(r io.Reader, limits transcript.Limits) (source, error) {
	br, prefix, err := begin(r)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(prefix, []byte{0x1f, 0x8b}) {
		return openPlain(br, prefix, limits)
	}
	z, err := gzip.NewReader(br)
	if err != nil {
		return nil, fmt.Errorf("%w: it begins as gzip does: %w", ErrInput, whole(err))
	}
	u := &unpacked{r: z}
	if br, prefix, err = begin(u); err != nil {
		return nil, fmt.Errorf("%w: the gzip file is damaged or cut within its first bytes: %w", ErrInput, err)
	}
	src, err := openPlain(br, prefix, limits)
	if err != nil {
		return nil, err
	}
	return gzipSource{src, u}, nil
}

func openPlain(br *bufio.Reader, prefix []byte, limits transcript.Limits) (source, error) {
	if len(prefix) == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrInput)
	}
	for _, f := range formats {
		if f.looks(prefix) {
			return f.open(br, limits)
		}
	}
	return nil, fmt.Errorf("%w: it begins with the bytes % x; give a transcript, a pcap or pcapng file, or hex as Wireshark, xxd or a person writes it", ErrInput, prefix[:min(len(prefix), 16)])
}

// unpacked remembers what ended the reading. A format's reader may take a gzip file that is cut between two packets for one
// that ends there.
type unpacked struct {
	r   io.Reader
	err error
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	if err != nil && err != io.EOF {
		u.err = err
	}
	return n, err
}

type gzipSource struct {
	source
	from *unpacked
}

func (g gzipSource) next() (record, error) {
	r, err := g.source.next()
	if err == io.EOF && g.from.err != nil {
		err = fmt.Errorf("the gzip file is damaged or cut: %w", g.from.err)
	}
	return r, err
}

// begin gives the first bytes of an input without taking them from the reader.
func begin(r io.Reader) (*bufio.Reader, []byte, error) {
	br := bufio.NewReaderSize(r, readSize)
	prefix, err := br.Peek(prefixSize)
	if err != nil && err != io.EOF && (err != io.ErrUnexpectedEOF || len(prefix) == 0) {
		return nil, nil, fmt.Errorf("read input: %w", err)
	}
	return br, prefix, nil
}

// readSize is how much of the input is read at once.
const readSize = 64 << 10

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

func (t transcriptSource) header() *transcript.Header { return t.Header() }
func (t transcriptSource) capture() bool              { return t.Header().Protocol == transcript.Several }

// next reads the server's port out of what a recorder writes about a connection: "tcp 192.0.2.1:8193".
func (t transcriptSource) next() (record, error) {
	e, err := t.Next()
	r := record{Event: e}
	if network, addr, ok := strings.Cut(e.Text, " "); ok && e.Kind == transcript.Open && (network == "tcp" || network == "udp") {
		addr, _, _ = strings.Cut(addr, " ")
		if _, port, err := net.SplitHostPort(addr); err == nil {
			n, _ := strconv.ParseUint(port, 10, 16) // 0: it has none
			r.network, r.port = network, uint16(n)
		}
	}
	return r, err
}
