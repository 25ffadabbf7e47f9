package mdns

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"golang.org/x/net/ipv4"
)

// Port is the UDP port of multicast DNS, and Group the address at which everybody listens.
const Port = 5353

// Group is where multicast DNS goes.
func Group() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{224, 0, 0, 251}), Port)
}

// Link is a network interface with its own addresses.
type Link struct {
	Index    int
	Prefixes []netip.Prefix
}

// near reports whether an address is of the link's own networks.
func (l *Link) near(a netip.Addr) bool {
	return slices.ContainsFunc(l.Prefixes, func(p netip.Prefix) bool { return p.Masked().Contains(a.Unmap()) })
}

// Socket is the port of multicast DNS on some links. Read may be called at the same time as the others.
type Socket interface {
	// Read gives a packet, who sent it, and the index of the link that it came in on.
	Read(b []byte) (n int, from netip.AddrPort, link int, err error)
	// Write sends a packet out of a link.
	Write(b []byte, to netip.AddrPort, link int) error
	// Close ends a Read.
	Close() error
}

// Links are the interfaces of this computer that are up, take part in multicast and have an address of IPv4, without the loopback.
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
		l := Link{Index: i.Index}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
				l.Prefixes = append(l.Prefixes, p)
			}
		}
		if len(l.Prefixes) > 0 {
			out = append(out, l)
		}
	}
	return out, nil
}

// Open opens the port beside whoever has it open already, such as the responder of the system.
func Open(ctx context.Context, links []Link) (Socket, error) {
	// A multicast address makes package net share the port and listen on every address.
	c, err := new(net.ListenConfig).ListenPacket(ctx, "udp4", Group().String())
	if err != nil {
		return nil, fmt.Errorf("mdns: %w", err)
	}
	p := ipv4.NewPacketConn(c)
	err = p.SetControlMessage(ipv4.FlagInterface, true)
	for _, set := range []func() error{
		func() error { return p.SetMulticastTTL(255) },
		func() error { return p.SetMulticastLoopback(true) }, // programs on this computer look for services too
	} {
		if e := set(); err == nil {
			err = e
		}
	}
	var refused error
	joined := 0
	for _, l := range links {
		if e := p.JoinGroup(&net.Interface{Index: l.Index}, net.UDPAddrFromAddrPort(Group())); e != nil {
			refused = e
			continue
		}
		joined++
	}
	if err == nil && joined == 0 {
		err = refused // one interface that works is enough
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("mdns: %w", err)
	}
	return &socket{p}, nil
}

type socket struct{ p *ipv4.PacketConn }

func (s *socket) Read(b []byte) (int, netip.AddrPort, int, error) {
	n, cm, from, err := s.p.ReadFrom(b)
	if err != nil {
		return 0, netip.AddrPort{}, 0, err
	}
	link := 0
	if cm != nil {
		link = cm.IfIndex
	}
	u, ok := from.(*net.UDPAddr)
	if !ok {
		return n, netip.AddrPort{}, link, nil
	}
	return n, netip.AddrPortFrom(u.AddrPort().Addr().Unmap(), u.AddrPort().Port()), link, nil
}

func (s *socket) Write(b []byte, to netip.AddrPort, link int) error {
	_, err := s.p.WriteTo(b, &ipv4.ControlMessage{IfIndex: link}, net.UDPAddrFromAddrPort(to))
	return err
}

func (s *socket) Close() error { return s.p.Close() }
