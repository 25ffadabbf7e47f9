package tap

import (
	"net"
	"sync"

	"github.com/patchbay-io/patchbay/transcript"
)

// maxPeers is how many peers of one packet connection get a flow of their own; what later ones say is recorded under a
// flow that they share.
const maxPeers = 4096

// PacketConn wraps a packet connection; each peer is a flow.
func (r *Recorder) PacketConn(p net.PacketConn, side Side) net.PacketConn {
	return &packetConn{PacketConn: p, r: r, side: side, flows: map[string]uint32{}}
}

type packetConn struct {
	net.PacketConn
	r    *Recorder
	side Side

	mu    sync.Mutex
	flows map[string]uint32
}

func (c *packetConn) flow(peer net.Addr) uint32 {
	name := peer.String()
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.flows[name]; f != 0 {
		return f
	}
	if len(c.flows) >= maxPeers {
		if name = "other peers"; c.flows[name] != 0 {
			return c.flows[name]
		}
	}
	f := c.r.newFlow(peer.Network() + " " + name)
	c.flows[name] = f
	return f
}

func (c *packetConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.PacketConn.ReadFrom(b)
	if err == nil {
		c.r.put(c.flow(from), c.side.in(), transcript.Datagram, "", b[:n])
	}
	return n, from, err
}

func (c *packetConn) WriteTo(b []byte, to net.Addr) (int, error) {
	c.r.put(c.flow(to), c.side.out(), transcript.Datagram, "", b)
	return c.PacketConn.WriteTo(b, to)
}

func (c *packetConn) Close() error {
	c.mu.Lock()
	for _, f := range c.flows {
		c.r.put(f, c.side.out(), transcript.Close, "", nil)
	}
	clear(c.flows)
	c.mu.Unlock()
	return c.PacketConn.Close()
}
