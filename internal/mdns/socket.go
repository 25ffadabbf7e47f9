package mdns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// Port is the UDP port of multicast DNS, and Group and Group6 the addresses at which everybody listens.
const Port = 5353

// Group is where multicast DNS over IPv4 goes.
func Group() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{224, 0, 0, 251}), Port)
}

// Group6 is where multicast DNS over IPv6 goes, on the link that it is sent out of.
func Group6() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte{0xff, 0x02, 15: 0xfb}), Port)
}

// Link is a network interface with its own addresses, as it is reached over IPv4 or over IPv6. What is told is the same over both.
type Link struct {
	Index    int
	V6       bool
	Prefixes []netip.Prefix // of both families
}

// linkKey tells links apart.
type linkKey struct {
	index int
	v6    bool
}

func (l *Link) key() linkKey { return linkKey{l.Index, l.V6} }

func (l *Link) group() netip.AddrPort {
	if l.V6 {
		return Group6()
	}
	return Group()
}

// near reports whether an address is of the link's own networks.
func (l *Link) near(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return a.Is6() && a.IsLinkLocalUnicast() || slices.ContainsFunc(l.Prefixes, func(p netip.Prefix) bool { return p.Masked().Contains(a) })
}

// Socket is the port of multicast DNS on some links of one family. Read may be called at the same time as the others.
type Socket interface {
	// Read gives a packet, who sent it, and the index of the link that it came in on.
	Read(b []byte) (n int, from netip.AddrPort, link int, err error)
	// Write sends a packet out of a link.
	Write(b []byte, to netip.AddrPort, link int) error
	// Close ends a Read.
	Close() error
}

// Links are the interfaces of this computer that are up and take part in multicast, without the loopback: one for each family that has an
// address there.
func Links() ([]Link, error) {
	list, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("mdns: %w", err)
	}
	var out []Link
	for _, i := range list {
		const wanted = net.FlagUp | net.FlagMulticast
		if i.Flags&wanted != wanted || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			return nil, fmt.Errorf("mdns: %w", err)
		}
		var prefixes []netip.Prefix
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				prefixes = append(prefixes, p)
			}
		}
		for _, v6 := range []bool{false, true} {
			if slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Addr().Is6() == v6 }) {
				out = append(out, Link{Index: i.Index, V6: v6, Prefixes: prefixes})
			}
		}
	}
	return out, nil
}

// Open opens the port beside whoever has it open already, such as the responder of the system. The links are all of one family.
func Open(ctx context.Context, links []Link) (Socket, error) {
	network := "udp4"
	if links[0].V6 {
		network = "udp6"
	}
	group := links[0].group()
	// A multicast address makes package net share the port and listen on every address.
	c, err := new(net.ListenConfig).ListenPacket(ctx, network, group.String())
	if err != nil {
		return nil, fmt.Errorf("mdns: %w", err)
	}
	s := socket4(c)
	if links[0].V6 {
		s = socket6(c)
	}
	var refused error
	joined := 0
	for _, l := range links {
		if e := s.join(&net.Interface{Index: l.Index}, net.UDPAddrFromAddrPort(group)); e != nil {
			refused = e
			continue
		}
		joined++
	}
	err = s.prepare()
	if err == nil && joined == 0 {
		err = refused // one interface that works is enough
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("mdns: %w", err)
	}
	return s, nil
}

// socket is the port in one of the families.
type socket struct {
	net.PacketConn
	join    func(*net.Interface, net.Addr) error
	prepare func() error
	read    func(b []byte) (n, link int, from net.Addr, err error)
	write   func(b []byte, link int, to net.Addr) error
}

// hops is how far a packet may go, so that whoever gets one with fewer left knows that it comes from beyond the link (11).
const hops = 255

func socket4(c net.PacketConn) *socket {
	p := ipv4.NewPacketConn(c)
	return &socket{PacketConn: c, join: p.JoinGroup,
		prepare: func() error {
			// Programs on this computer look for services too.
			return errors.Join(p.SetControlMessage(ipv4.FlagInterface, true), p.SetMulticastTTL(hops), p.SetMulticastLoopback(true))
		},
		read: func(b []byte) (n, link int, from net.Addr, err error) {
			n, cm, from, err := p.ReadFrom(b)
			if cm != nil {
				link = cm.IfIndex
			}
			return n, link, from, err
		},
		write: func(b []byte, link int, to net.Addr) error {
			_, err := p.WriteTo(b, &ipv4.ControlMessage{IfIndex: link}, to)
			return err
		}}
}

func socket6(c net.PacketConn) *socket {
	p := ipv6.NewPacketConn(c)
	return &socket{PacketConn: c, join: p.JoinGroup,
		prepare: func() error {
			return errors.Join(p.SetControlMessage(ipv6.FlagInterface, true), p.SetMulticastHopLimit(hops), p.SetMulticastLoopback(true))
		},
		read: func(b []byte) (n, link int, from net.Addr, err error) {
			n, cm, from, err := p.ReadFrom(b)
			if cm != nil {
				link = cm.IfIndex
			}
			return n, link, from, err
		},
		write: func(b []byte, link int, to net.Addr) error {
			_, err := p.WriteTo(b, &ipv6.ControlMessage{IfIndex: link}, to)
			return err
		}}
}

// Read implements Socket.
func (s *socket) Read(b []byte) (int, netip.AddrPort, int, error) {
	n, link, from, err := s.read(b)
	if err != nil {
		return 0, netip.AddrPort{}, 0, err
	}
	u, ok := from.(*net.UDPAddr)
	if !ok {
		return n, netip.AddrPort{}, link, nil
	}
	return n, netip.AddrPortFrom(u.AddrPort().Addr().Unmap(), u.AddrPort().Port()), link, nil
}

// Write implements Socket.
func (s *socket) Write(b []byte, to netip.AddrPort, link int) error {
	return s.write(b, link, net.UDPAddrFromAddrPort(to))
}
