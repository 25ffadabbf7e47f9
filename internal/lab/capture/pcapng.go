package capture

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/patchbay-io/patchbay/transcript"
)

// Sizes of the headers that are made up, in bytes.
const (
	etherSize = 14
	ip4Size   = 20
	ip6Size   = 40
	tcpSize   = 20
	udpSize   = 8
)

// The TCP flags.
const (
	flagFIN = 1 << 0
	flagSYN = 1 << 1
	flagRST = 1 << 2
	flagPSH = 1 << 3
	flagACK = 1 << 4
)

const (
	tcpMSS    = 1440  // fits an Ethernet frame with IPv6
	tcpWindow = 65535 // without scaling
	ackEvery  = 32 << 10
)

// pcapngSink writes packets as they could have been on the wire. A relay sees streams and not packets, so the headers are
// made up: addresses and ports are the true ones of both ends, numbers and checksums are consistent, and the MACs are
// locally administered ones.
type pcapngSink struct {
	w     *pcapgo.NgWriter
	start time.Time
	flows map[uint32]*tcpFlow
	buf   []byte
}

// tcpFlow is what both ends of a made-up connection have said and heard.
type tcpFlow struct {
	next  [2]uint32 // sequence number that each side sends next
	acked [2]uint32 // up to where the other side has acknowledged it
	fin   [2]bool
}

// Pcapng begins a pcapng file whose times count from start. comment is a line about the recording; it may be empty.
func Pcapng(w io.Writer, start time.Time, comment string) (Sink, error) {
	section := pcapgo.NgSectionInfo{Hardware: runtime.GOARCH, OS: runtime.GOOS, Application: "patchbay tap", Comment: comment}
	intf := pcapgo.NgInterface{Name: "relay", Description: "what passed a relay; the headers are made up", OS: runtime.GOOS,
		LinkType: layers.LinkTypeEthernet, TimestampResolution: 9}
	ng, err := pcapgo.NewNgWriterInterface(w, intf, pcapgo.NgWriterOptions{SectionInfo: section})
	if err != nil {
		return nil, fmt.Errorf("write pcapng: %w", err)
	}
	return &pcapngSink{w: ng, start: start, flows: map[uint32]*tcpFlow{}}, nil
}

// Flush implements Sink.
func (p *pcapngSink) Flush() error { return p.w.Flush() }

// Event implements Sink.
func (p *pcapngSink) Event(f *Flow, e *transcript.Event) error {
	if f.Network == "udp" {
		if e.Kind != transcript.Datagram {
			return nil
		}
		return p.packet(f, e, func(b []byte, from, to netip.AddrPort) []byte { return appendUDP(b, from, to, e.Data) })
	}
	t := p.flows[f.ID]
	if t == nil {
		t = &tcpFlow{next: [2]uint32{1000, 2000}, acked: [2]uint32{1000, 2000}}
		p.flows[f.ID] = t
	}
	side := 0
	if e.Dir == transcript.FromServer {
		side = 1
	}
	switch e.Kind {
	case transcript.Open:
		return p.open(f, e, t)
	case transcript.Data:
		return p.data(f, e, t, side)
	case transcript.Close:
		if err := p.segment(f, e, t, side, flagFIN|flagACK, nil); err != nil {
			return err
		}
		t.fin[side] = true
		if err := p.segment(f, e, t, 1-side, flagACK, nil); err != nil || !t.fin[1-side] {
			return err
		}
		delete(p.flows, f.ID)
	case transcript.Reset:
		delete(p.flows, f.ID)
		return p.segment(f, e, t, side, flagRST|flagACK, nil)
	}
	return nil
}

// open is the handshake; of a device that was not reached only the client's half is told.
func (p *pcapngSink) open(f *Flow, e *transcript.Event, t *tcpFlow) error {
	err := p.segment(f, e, t, 0, flagSYN, nil)
	if f.Server.IsValid() && err == nil {
		if err = p.segment(f, e, t, 1, flagSYN|flagACK, nil); err == nil {
			err = p.segment(f, e, t, 0, flagACK, nil)
		}
	}
	return err
}

func (p *pcapngSink) data(f *Flow, e *transcript.Event, t *tcpFlow, side int) error {
	for d := e.Data; len(d) > 0; {
		n := min(len(d), tcpMSS)
		flags := byte(flagACK)
		if n == len(d) {
			flags |= flagPSH
		}
		if err := p.segment(f, e, t, side, flags, d[:n]); err != nil {
			return err
		}
		d = d[n:]
		if t.next[side]-t.acked[side] >= ackEvery {
			if err := p.segment(f, e, t, 1-side, flagACK, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *pcapngSink) segment(f *Flow, e *transcript.Event, t *tcpFlow, side int, flags byte, data []byte) error {
	seq, ack := t.next[side], uint32(0)
	if flags&flagACK != 0 {
		ack = t.next[1-side]
		t.acked[1-side] = ack
	}
	t.next[side] += uint32(len(data))
	if flags&(flagSYN|flagFIN) != 0 {
		t.next[side]++
	}
	e2 := *e
	if e2.Dir = transcript.FromClient; side == 1 {
		e2.Dir = transcript.FromServer
	}
	return p.packet(f, &e2, func(b []byte, from, to netip.AddrPort) []byte { return appendTCP(b, from, to, seq, ack, flags, data) })
}

// packet writes one Ethernet frame from the side that e.Dir says.
func (p *pcapngSink) packet(f *Flow, e *transcript.Event, body func(b []byte, from, to netip.AddrPort) []byte) error {
	from, to := ends(f)
	macs := [2]byte{1, 2}
	if e.Dir == transcript.FromServer {
		from, to = to, from
		macs = [2]byte{2, 1}
	}
	proto := byte(layers.IPProtocolTCP)
	if f.Network == "udp" {
		proto = byte(layers.IPProtocolUDP)
	}
	b := append(p.buf[:0], 2, 0, 0, 0, 0, macs[1], 2, 0, 0, 0, 0, macs[0])
	if from.Addr().Is4() {
		b = append(b, 0x08, 0x00)
		b = append(b, make([]byte, ip4Size)...)
	} else {
		b = append(b, 0x86, 0xdd)
		b = append(b, make([]byte, ip6Size)...)
	}
	at := len(b)
	b = body(b, from, to)
	fillIP(b[etherSize:at], from.Addr(), to.Addr(), proto, len(b)-at)
	p.buf = b
	ci := gopacket.CaptureInfo{Timestamp: p.start.Add(e.Offset), CaptureLength: len(b), Length: len(b)}
	if err := p.w.WritePacket(ci, b); err != nil {
		return fmt.Errorf("write pcapng: %w", err)
	}
	return nil
}

// ends are both addresses, of one family. What is not known is the unspecified address, with a port that keeps flows apart.
func ends(f *Flow) (client, server netip.AddrPort) {
	client, server = f.Client, f.Server
	unknown := func(other netip.Addr, port uint16) netip.AddrPort {
		if other.Is6() {
			return netip.AddrPortFrom(netip.IPv6Unspecified(), port)
		}
		return netip.AddrPortFrom(netip.IPv4Unspecified(), port)
	}
	if !client.IsValid() {
		client = unknown(server.Addr(), uint16(49152+f.ID%16384))
	}
	if !server.IsValid() {
		server = unknown(client.Addr(), 0)
	}
	if client.Addr().Is4() != server.Addr().Is4() {
		client = netip.AddrPortFrom(netip.AddrFrom16(client.Addr().As16()), client.Port())
		server = netip.AddrPortFrom(netip.AddrFrom16(server.Addr().As16()), server.Port())
	}
	return client, server
}

// fillIP writes the header of IPv4 or IPv6 into h, which has its size, for a payload of n bytes.
func fillIP(h []byte, from, to netip.Addr, proto byte, n int) {
	if from.Is4() {
		s, d := from.As4(), to.As4()
		h[0], h[8], h[9] = 0x45, 64, proto
		h[6] = 0x40 // do not fragment
		binary.BigEndian.PutUint16(h[2:], uint16(ip4Size+n))
		copy(h[12:], s[:])
		copy(h[16:], d[:])
		binary.BigEndian.PutUint16(h[10:], ^fold(sum(0, h)))
		return
	}
	s, d := from.As16(), to.As16()
	h[0], h[6], h[7] = 0x60, proto, 64
	binary.BigEndian.PutUint16(h[4:], uint16(n))
	copy(h[8:], s[:])
	copy(h[24:], d[:])
}

func appendTCP(b []byte, from, to netip.AddrPort, seq, ack uint32, flags byte, data []byte) []byte {
	at := len(b)
	b = binary.BigEndian.AppendUint16(b, from.Port())
	b = binary.BigEndian.AppendUint16(b, to.Port())
	b = binary.BigEndian.AppendUint32(b, seq)
	b = binary.BigEndian.AppendUint32(b, ack)
	b = append(b, tcpSize/4<<4, flags)
	b = binary.BigEndian.AppendUint16(b, tcpWindow)
	b = append(b, 0, 0, 0, 0)
	b = append(b, data...)
	binary.BigEndian.PutUint16(b[at+16:], checksum(from.Addr(), to.Addr(), byte(layers.IPProtocolTCP), b[at:]))
	return b
}

func appendUDP(b []byte, from, to netip.AddrPort, data []byte) []byte {
	at := len(b)
	b = binary.BigEndian.AppendUint16(b, from.Port())
	b = binary.BigEndian.AppendUint16(b, to.Port())
	b = binary.BigEndian.AppendUint16(b, uint16(udpSize+len(data)))
	b = append(b, 0, 0)
	b = append(b, data...)
	c := checksum(from.Addr(), to.Addr(), byte(layers.IPProtocolUDP), b[at:])
	if c == 0 {
		c = 0xffff // 0 says that there is none
	}
	binary.BigEndian.PutUint16(b[at+6:], c)
	return b
}

// checksum is that of TCP and UDP, over the pseudo-header and the segment.
func checksum(from, to netip.Addr, proto byte, segment []byte) uint16 {
	total := uint32(proto) + uint32(len(segment))
	if from.Is4() {
		s, d := from.As4(), to.As4()
		total = sum(sum(total, s[:]), d[:])
	} else {
		s, d := from.As16(), to.As16()
		total = sum(sum(total, s[:]), d[:])
	}
	return ^fold(sum(total, segment))
}

// sum adds 16-bit words to a running sum; 64 KiB do not overflow it.
func sum(s uint32, b []byte) uint32 {
	for ; len(b) >= 2; b = b[2:] {
		s += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		s += uint32(b[0]) << 8
	}
	return s
}

func fold(s uint32) uint16 {
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}
