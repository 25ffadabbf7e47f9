package decode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/patchbay-io/patchbay/transcript"
)

// packetReader gives the packets of a capture; the data is valid until the next call. At the end it returns io.EOF, and
// io.ErrUnexpectedEOF when the file ends inside a packet.
type packetReader func() (data []byte, ci gopacket.CaptureInfo, link layers.LinkType, err error)

func looksLikePcapng(b []byte) bool { return bytes.HasPrefix(b, []byte{0x0a, 0x0d, 0x0d, 0x0a}) }

// looksLikePcap knows both byte orders and both time units.
func looksLikePcap(b []byte) bool {
	if len(b) < 4 {
		return false
	}
	for _, v := range []uint32{binary.LittleEndian.Uint32(b), binary.BigEndian.Uint32(b)} {
		if v == 0xa1b2c3d4 || v == 0xa1b23c4d {
			return true
		}
	}
	return false
}

func openPcap(r io.Reader, limits transcript.Limits) (source, error) {
	p, err := pcapgo.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("%w: the header of the pcap file: %w", ErrInput, whole(err))
	}
	return newCapture(func() ([]byte, gopacket.CaptureInfo, layers.LinkType, error) {
		data, ci, err := p.ZeroCopyReadPacketData()
		if err == io.EOF && ci.CaptureLength > 0 {
			err = io.ErrUnexpectedEOF // behind the header of a packet
		}
		return data, ci, p.LinkType(), err
	}, limits, ""), nil
}

func openPcapng(r io.Reader, limits transcript.Limits) (source, error) {
	p, err := pcapgo.NewNgReader(r, pcapgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
	if err != nil {
		return nil, fmt.Errorf("%w: the header of the pcapng file: %w", ErrInput, whole(err))
	}
	return newCapture(func() ([]byte, gopacket.CaptureInfo, layers.LinkType, error) {
		data, ci, err := p.ZeroCopyReadPacketData()
		link := layers.LinkTypeEthernet
		if len(ci.AncillaryData) > 0 {
			if l, ok := ci.AncillaryData[0].(layers.LinkType); ok {
				link = l
			}
		}
		return data, ci, link, err
	}, limits, p.SectionInfo().Comment), nil
}

func whole(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// captureSource makes flows of packets.
type captureSource struct {
	read   packetReader
	head   transcript.Header
	parser packetParser
	flows  flowTable
	out    []record // ready; their data is valid until the next packet is read
	at     int
	packet int
	start  time.Time
	left   struct{ fragments, others int }
	err    error
}

func newCapture(read packetReader, limits transcript.Limits, comment string) *captureSource {
	c := &captureSource{read: read, parser: newPacketParser()}
	c.flows = newFlowTable(&c.out, limits)
	if comment = strings.Join(strings.Fields(comment), " "); comment != "" {
		c.out = append(c.out, record{Event: transcript.Event{Kind: transcript.Comment, Text: comment}})
	}
	return c
}

func (c *captureSource) header() *transcript.Header { return &c.head }
func (c *captureSource) capture() bool              { return true }

func (c *captureSource) next() (record, error) {
	for c.at == len(c.out) {
		if c.err != nil {
			return record{}, c.err
		}
		c.out, c.at = c.out[:0], 0
		c.step()
	}
	c.at++
	return c.out[c.at-1], nil
}

// step reads one packet.
func (c *captureSource) step() {
	data, ci, link, err := c.read()
	if err != nil {
		c.flows.end()
		c.remark()
		switch {
		case err == io.EOF:
			c.err = io.EOF
		case errors.Is(err, io.ErrUnexpectedEOF):
			c.err = fmt.Errorf("the file ends inside packet %d", c.packet+1)
		default:
			c.err = fmt.Errorf("packet %d: %w", c.packet+1, err)
		}
		return
	}
	c.packet++
	if c.start.IsZero() {
		c.start = ci.Timestamp
	}
	offset := max(ci.Timestamp.Sub(c.start), 0)
	p := &c.parser
	switch what := p.parse(data, link, ci.Length > ci.CaptureLength); what {
	case isTCP:
		c.flows.tcp(p, offset)
	case isUDP:
		c.flows.udp(p, offset)
	case isFragment:
		c.left.fragments++
	default:
		c.left.others++
	}
}

// remark tells what was left out.
func (c *captureSource) remark() {
	note := func(n int, what string) {
		if n > 0 {
			c.out = append(c.out, record{Event: transcript.Event{Kind: transcript.Comment, Text: fmt.Sprintf("%s %s were left out", thousands(int64(n)), what)}})
		}
	}
	note(c.left.fragments, "fragments of IP packets")
	note(c.left.others, "packets that are neither TCP nor UDP")
}

// What a packet holds.
type packetKind uint8

const (
	isOther packetKind = iota
	isTCP
	isUDP
	isFragment
)

// packetParser takes the headers of a packet off. Its fields are those of the last packet.
type packetParser struct {
	parsers map[gopacket.LayerType]*gopacket.DecodingLayerParser
	decoded []gopacket.LayerType

	ether    layers.Ethernet
	vlan     layers.Dot1Q
	sll      layers.LinuxSLL
	sll2     layers.LinuxSLL2
	loopback layers.Loopback
	ip4      layers.IPv4
	ip6      layers.IPv6
	tcp      layers.TCP
	udp      layers.UDP
	payload  gopacket.Payload

	from, to netip.AddrPort
	data     []byte
	cut      int64 // bytes of the payload that the capture lacks
}

func newPacketParser() packetParser {
	return packetParser{parsers: map[gopacket.LayerType]*gopacket.DecodingLayerParser{}}
}

// firstLayer is where the packets of a link type begin.
func firstLayer(link layers.LinkType, data []byte) gopacket.LayerType {
	switch link {
	case layers.LinkTypeEthernet:
		return layers.LayerTypeEthernet
	case layers.LinkTypeLinuxSLL:
		return layers.LayerTypeLinuxSLL
	case layers.LinkTypeLinuxSLL2:
		return layers.LayerTypeLinuxSLL2
	case layers.LinkTypeNull, layers.LinkTypeLoop:
		return layers.LayerTypeLoopback
	case layers.LinkTypeIPv4, layers.LinkTypeIPv6, layers.LinkTypeRaw, linkRawBSD, linkRawOpenBSD:
		if len(data) > 0 && data[0]>>4 == 6 {
			return layers.LayerTypeIPv6
		}
		return layers.LayerTypeIPv4
	}
	return gopacket.LayerTypeZero
}

// What some systems write for raw IP.
const (
	linkRawBSD     layers.LinkType = 12
	linkRawOpenBSD layers.LinkType = 14
)

func (p *packetParser) parse(data []byte, link layers.LinkType, truncated bool) packetKind {
	first := firstLayer(link, data)
	if first == gopacket.LayerTypeZero {
		return isOther
	}
	d := p.parsers[first]
	if d == nil {
		d = gopacket.NewDecodingLayerParser(first, &p.ether, &p.vlan, &p.sll, &p.sll2, &p.loopback, &p.ip4, &p.ip6, &p.tcp, &p.udp, &p.payload)
		d.IgnoreUnsupported = true
		p.parsers[first] = d
	}
	err := d.DecodeLayers(data, &p.decoded)
	var src, dst netip.Addr
	room := -1 // bytes of the IP payload as the header tells them
	for _, l := range p.decoded {
		switch l {
		case layers.LayerTypeIPv4:
			src, _ = netip.AddrFromSlice(p.ip4.SrcIP)
			dst, _ = netip.AddrFromSlice(p.ip4.DstIP)
			if p.ip4.FragOffset > 0 || p.ip4.Flags&layers.IPv4MoreFragments != 0 {
				return isFragment
			}
			if p.ip4.Length > 0 {
				room = int(p.ip4.Length) - 4*int(p.ip4.IHL)
			}
		case layers.LayerTypeIPv6:
			src, _ = netip.AddrFromSlice(p.ip6.SrcIP)
			dst, _ = netip.AddrFromSlice(p.ip6.DstIP)
			if p.ip6.Length > 0 {
				room = int(p.ip6.Length)
			}
		case layers.LayerTypeTCP:
			p.from, p.to = netip.AddrPortFrom(src, uint16(p.tcp.SrcPort)), netip.AddrPortFrom(dst, uint16(p.tcp.DstPort))
			p.data = p.tcp.Payload
			p.cut = 0
			if n := room - 4*int(p.tcp.DataOffset); room >= 0 && n > len(p.data) && truncated {
				p.cut = int64(n - len(p.data))
			}
			return isTCP
		case layers.LayerTypeUDP:
			p.from, p.to = netip.AddrPortFrom(src, uint16(p.udp.SrcPort)), netip.AddrPortFrom(dst, uint16(p.udp.DstPort))
			p.data = p.udp.Payload
			p.cut = max(0, int64(p.udp.Length)-8-int64(len(p.data)))
			return isUDP
		}
	}
	_ = err // a packet that ends inside its headers is one of the others
	return isOther
}

// thousands writes n with commas.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
