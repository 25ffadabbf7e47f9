package decode

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"github.com/patchbay-io/patchbay/transcript"
)

// maxPacket is the largest packet of a dump, in bytes.
const maxPacket = 256 << 10

// dumpLine reads a line of a packet's hex dump: an offset, and bytes up to the text column.
func dumpLine(line string) (offset int, data []byte, ok bool) {
	line = strings.TrimSpace(line)
	n := offsetDigits(line)
	if n == 0 {
		return 0, nil, false
	}
	at, err := strconv.ParseUint(line[:n], 16, 32)
	if err != nil {
		return 0, nil, false
	}
	colon := line[n] == ':'
	data, err = digits(withoutText(strings.TrimLeft(line[n:], ": "), colon))
	return int(at), data, err == nil && len(data) > 0
}

// looksLikePacketDump reports whether a text is the hex dump of packets with their Ethernet and IP headers.
func looksLikePacketDump(b []byte) bool {
	if !looksLikeText(b) {
		return false
	}
	var packet []byte
	for line := range strings.Lines(string(b)) {
		offset, data, ok := dumpLine(line)
		switch {
		case !ok && len(packet) == 0:
			continue
		case !ok || offset != len(packet):
			return isPacket(packet)
		}
		packet = append(packet, data...)
	}
	return isPacket(packet)
}

// isPacket looks at the headers; the packet may be cut behind them.
func isPacket(b []byte) bool {
	const ether, ip4, ip6 = 14, 20, 40
	switch {
	case len(b) >= ether+ip4 && b[12] == 8 && b[13] == 0 && b[14] == 0x45:
		sum := 0
		for i := ether; i < ether+ip4; i += 2 {
			sum += int(b[i])<<8 | int(b[i+1])
		}
		// a sender whose card computes the checksum leaves 0
		return (sum>>16+sum&0xffff) == 0xffff || b[24] == 0 && b[25] == 0
	case len(b) >= ether+ip6 && b[12] == 0x86 && b[13] == 0xdd:
		return b[14]>>4 == 6
	}
	return false
}

// packetDump reads packets from text. Lines that are no dump, such as the packet list's, stand between packets.
type packetDump struct {
	s    *bufio.Scanner
	line int
	held []byte // of the packet that is being read
	buf  []byte // of the packet that was given out
	n    int
	eof  bool
}

func openPacketDump(r io.Reader, limits transcript.Limits) (source, error) {
	p := &packetDump{s: bufio.NewScanner(r)}
	p.s.Buffer(nil, maxHexLine)
	return newCapture(p.read, limits, ""), nil
}

// read has no times to give: packets of a dump are a microsecond apart.
func (p *packetDump) read() ([]byte, gopacket.CaptureInfo, layers.LinkType, error) {
	give := func(next []byte) ([]byte, gopacket.CaptureInfo, layers.LinkType, error) {
		p.buf, p.held = p.held, append(p.buf[:0], next...)
		p.n++
		ci := gopacket.CaptureInfo{Timestamp: time.UnixMicro(int64(p.n)), CaptureLength: len(p.buf), Length: len(p.buf)}
		return p.buf, ci, layers.LinkTypeEthernet, nil
	}
	for !p.eof && p.s.Scan() {
		p.line++
		offset, data, ok := dumpLine(p.s.Text())
		switch {
		case !ok && len(p.held) > 0:
			return give(nil)
		case !ok:
		case offset == 0 && len(p.held) > 0:
			return give(data)
		case offset != len(p.held):
			return nil, gopacket.CaptureInfo{}, 0, fmt.Errorf("line %d: offset %#x, and %#x bytes stand before it", p.line, offset, len(p.held))
		case len(p.held)+len(data) > maxPacket:
			return nil, gopacket.CaptureInfo{}, 0, fmt.Errorf("line %d: a packet of more than %d bytes: %w", p.line, maxPacket, transcript.ErrLimit)
		default:
			p.held = append(p.held, data...)
		}
	}
	p.eof = true
	switch err := p.s.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, gopacket.CaptureInfo{}, 0, fmt.Errorf("line %d is longer than %d bytes: %w", p.line+1, maxHexLine, transcript.ErrLimit)
	case err != nil:
		return nil, gopacket.CaptureInfo{}, 0, fmt.Errorf("read input: %w", err)
	case len(p.held) > 0:
		return give(nil)
	}
	return nil, gopacket.CaptureInfo{}, 0, io.EOF
}
