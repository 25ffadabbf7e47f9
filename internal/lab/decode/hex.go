package decode

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/patchbay-io/patchbay/transcript"
)

// maxHexLine is the longest line of hex in bytes.
const maxHexLine = 1 << 20

// hexSource reads hex as people paste it. Each line is an event. It takes
//
//	a0a0 a0a0 0001        pairs of digits, with or without space, comma, colon, dash, 0x or \x between them
//	00000000: a0a0 a0a0 0001 0101  ........     xxd
//	00000000  a0 a0 a0 a0 00 01  |......|       hexdump -C, Wireshark
//
// A line that begins with > or < is from the client or from the server, and so are the lines behind it; before the first
// such line everything is from the client. In what Wireshark and tshark write of a followed stream (as hex dump, raw or C
// arrays) the lines of the server are indented, or their arrays named peer1. Lines that begin with # or // are comments.
type hexSource struct {
	s         *bufio.Scanner
	max       int
	line      int
	dir       transcript.Direction
	at        [2]int // bytes of each direction since the last offset 0
	follow    bool   // the heading of Wireshark's "follow stream" was seen: lines that are indented are the server's
	sawDeeper bool   // a line was indented deeper
	indent    int    // of the first line of a dump; deeper ones are the server's; -1: none was seen
	head      transcript.Header
	err       error
}

func (h *hexSource) side() int {
	if h.dir == transcript.FromServer {
		return 1
	}
	return 0
}

func openHex(r io.Reader, limits transcript.Limits) (source, error) {
	h := &hexSource{s: bufio.NewScanner(r), max: limits.Event, dir: transcript.FromClient, indent: -1}
	if h.max <= 0 {
		h.max = maxHexLine
	}
	h.s.Buffer(nil, maxHexLine)
	return h, nil
}

func (h *hexSource) header() *transcript.Header { return &h.head }
func (h *hexSource) capture() bool              { return false }

func (h *hexSource) next() (record, error) {
	for h.err == nil && h.s.Scan() {
		h.line++
		data, err := h.parse(h.s.Text())
		switch {
		case err != nil:
			h.err = fmt.Errorf("%w: line %d: %w", ErrInput, h.line, err)
		case len(data) > h.max:
			h.err = fmt.Errorf("line %d: %d bytes: %w", h.line, len(data), transcript.ErrLimit)
		case len(data) > 0:
			h.at[h.side()] += len(data)
			return record{Event: transcript.Event{Flow: 1, Dir: h.dir, Kind: transcript.Data, Data: data}}, nil
		}
	}
	switch err := h.s.Err(); {
	case h.err != nil:
	case errors.Is(err, bufio.ErrTooLong):
		h.err = fmt.Errorf("line %d is longer than %d bytes: %w", h.line+1, maxHexLine, transcript.ErrLimit)
	case err != nil:
		h.err = fmt.Errorf("read input: %w", err)
	default:
		h.err = io.EOF
	}
	return record{}, h.err
}

func (h *hexSource) parse(line string) ([]byte, error) {
	depth := len(line) - len(strings.TrimLeft(line, " \t"))
	if strings.HasPrefix(line, "\t") {
		depth += 4
	}
	line = strings.TrimSpace(line)
	switch {
	case line == "", strings.HasPrefix(line, "#"), strings.HasPrefix(line, "//"):
		return nil, nil
	case h.heading(line):
		return nil, nil
	case line == "*":
		return nil, errors.New("a star stands for lines that were left out; use hexdump -v")
	case line[0] == '>', line[0] == '<':
		h.dir = transcript.Direction(line[0])
		h.at[h.side()] = 0
		line = strings.TrimSpace(line[1:])
	case h.follow || offsetDigits(line) == 8:
		h.indented(depth)
	}
	return digits(h.withoutFrame(line))
}

// heading takes what stands around the bytes of a followed stream.
func (h *hexSource) heading(line string) bool {
	switch {
	case strings.HasPrefix(line, "Follow: "), strings.HasPrefix(line, "Node 0: "):
		h.follow = true
		return true
	case strings.HasPrefix(line, "======"), strings.HasPrefix(line, "Filter: "), strings.HasPrefix(line, "Node 1: "), line == "};":
		return true
	case strings.HasPrefix(line, "char peer") && strings.HasSuffix(line, "{"), strings.HasPrefix(line, "char peer") && strings.HasSuffix(line, "*/"):
		h.dir = transcript.FromClient
		if strings.HasPrefix(line, "char peer1") {
			h.dir = transcript.FromServer
		}
		return true
	}
	return false
}

// offsetDigits is how many hex digits begin a line that looks like one of a dump; 0 when it does not.
func offsetDigits(line string) int {
	n := 0
	for n < len(line) && isHex(line[n]) {
		n++
	}
	if n >= 4 && (strings.HasPrefix(line[n:], "  ") || strings.HasPrefix(line[n:], ": ")) {
		return n
	}
	return 0
}

// indented finds the direction of a line of a followed stream.
func (h *hexSource) indented(depth int) {
	if h.indent < 0 {
		h.indent = depth
		if h.follow {
			h.indent = 0
		}
	}
	switch {
	case depth >= h.indent+4:
		h.dir = transcript.FromServer
	case h.follow || depth == h.indent && h.sawDeeper:
		h.dir = transcript.FromClient
	}
	h.sawDeeper = h.sawDeeper || depth >= h.indent+4
}

// withoutFrame takes the offset and the text column off a dump's line.
func (h *hexSource) withoutFrame(line string) string {
	end := 0
	for end < len(line) && isHex(line[end]) {
		end++
	}
	offset, err := strconv.ParseUint(line[:end], 16, 64)
	if err != nil || end < 4 {
		return line
	}
	rest, colon := line[end:], false
	switch {
	case strings.HasPrefix(rest, ": "):
		rest, colon = rest[2:], true
	case strings.HasPrefix(rest, "  ") && (offset == 0 || offset == uint64(h.at[h.side()])): // else it may be data
		rest = strings.TrimLeft(rest, " ")
	case rest == "" && h.at[h.side()] > 0 && offset == uint64(h.at[h.side()]):
		return "" // the last line of hexdump holds the length alone
	default:
		return line
	}
	if offset == 0 {
		h.at[h.side()] = 0
	}
	return withoutText(rest, colon)
}

// withoutText takes the text column off a row of bytes. Three spaces stand before it, or two; two also stand in the middle
// of a row, behind eight bytes, except where a colon follows the offset.
func withoutText(row string, colon bool) string {
	row, _, _ = strings.Cut(row, "|")
	digits := 0
	for i := 0; i < len(row); i++ {
		if row[i] != ' ' {
			digits++
			continue
		}
		gap := len(row[i:]) - len(strings.TrimLeft(row[i:], " "))
		if gap > 2 || gap == 2 && (colon || digits != 16) {
			return row[:i]
		}
		i += gap - 1
	}
	return row
}

// digits reads pairs of hex digits and passes over what people put between them.
func digits(s string) ([]byte, error) {
	var out []byte
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case strings.HasPrefix(s[i:], "0x"), strings.HasPrefix(s[i:], "0X"), strings.HasPrefix(s[i:], `\x`):
			i += 2
		case strings.IndexByte(" \t,;:-\"'{}[]()", c) >= 0:
			i++
		case !isHex(c):
			return nil, fmt.Errorf("column %d: %q is not a hex digit", i+1, c)
		case i+1 == len(s) || !isHex(s[i+1]):
			return nil, fmt.Errorf("column %d: a lone hex digit; bytes have two", i+1)
		default:
			v, _ := strconv.ParseUint(s[i:i+2], 16, 8)
			out = append(out, byte(v))
			i += 2
		}
	}
	return out, nil
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }
