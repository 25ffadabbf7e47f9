package testnet

import (
	"context"
	"net"
	"os"
	"syscall"
)

// PacketLink is a packet connection that talks to one address, as net.Dial("udp", …) gives it: a net.Conn on which each Read
// and Write is one datagram. What comes from elsewhere is dropped. After a Write to an address where nobody listens the next
// Read fails with ECONNREFUSED, as on a host that answers with ICMP.
type PacketLink struct {
	*PacketConn
	to Addr
}

// dialPacket is Dial for datagrams.
func (n *Network) dialPacket(network string, to Addr) (net.Conn, error) {
	p, err := n.ListenPacket(context.Background(), network, "192.0.2.200:0")
	if err != nil {
		return nil, err
	}
	return &PacketLink{p.(*PacketConn), to}, nil
}

// Read implements net.Conn.
func (l *PacketLink) Read(b []byte) (int, error) {
	for {
		n, from, err := l.ReadFrom(b)
		if err != nil || from == net.Addr(l.to) {
			return n, err
		}
	}
}

// Write implements net.Conn.
func (l *PacketLink) Write(b []byte) (int, error) {
	n, err := l.WriteTo(b, l.to)
	if err != nil {
		return n, err
	}
	l.net.mu.Lock()
	o := l.net.outcomes[l.to.Name]
	nobody := o == Refused || l.net.packets[l.to.Name] == nil && o != Hang
	l.net.mu.Unlock()
	if nobody {
		l.refuse(l.opError("read", l.to, os.NewSyscallError("read", syscall.ECONNREFUSED)))
	}
	return n, nil
}

// RemoteAddr implements net.Conn.
func (l *PacketLink) RemoteAddr() net.Addr { return l.to }
