package atem

import (
	"context"
	"errors"
	"net"
	"os"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/atem/atemserver"
	"github.com/patchbay-io/patchbay/protocol/openswitcher"
	"github.com/patchbay-io/patchbay/protocol/openswitcher/oswserver"
)

// peer is the connection of a client, over whichever transport. None of its methods waits; what does not fit its queue ends it.
type peer interface {
	dump(h *hub) // the hub's lock is held
	send(p *parcel)
	close()
}

// tooSlow reports whether a connection ended because the client did not keep up.
func tooSlow(why error) bool {
	return errors.Is(why, atem.ErrBacklog) || errors.Is(why, atem.ErrUnacknowledged) || errors.Is(why, openswitcher.ErrBacklog) || errors.Is(why, os.ErrDeadlineExceeded)
}

type udpPeer struct{ c *atemserver.Conn }

func (u udpPeer) dump(h *hub) {
	for _, p := range h.dump(&h.dumpUDP, atem.DumpPayload) {
		u.send(p)
	}
}

// send: a failure ends the session by itself.
func (u udpPeer) send(p *parcel) { _ = u.c.Send(p.payload) }
func (u udpPeer) close()         { _ = u.c.Close() }

type tcpPeer struct{ c *oswserver.Conn }

func (t tcpPeer) dump(h *hub) {
	for _, p := range h.dump(&h.dumpTCP, openswitcher.DumpPacket) {
		t.send(p)
	}
}

// send: a failure ends the connection by itself.
func (t tcpPeer) send(p *parcel) { _ = t.c.Send(p.packets()...) }
func (t tcpPeer) close()         { _ = t.c.Close() }

// overUDP is the proxy as the UDP server sees it.
type overUDP proxy

// Opened gives a client its dump.
func (u *overUDP) Opened(c *atemserver.Conn) {
	p := (*proxy)(u)
	cl, err := p.enter(p.hubs[0], udpPeer{c}, "udp", driver.Who{Door: "atem", Addr: c.RemoteAddr().String()})
	c.Value = cl
	if err != nil {
		c.Close()
	}
}

// Command takes a client's packet.
func (u *overUDP) Command(c *atemserver.Conn, payload []byte) {
	(*proxy)(u).command(c.Value.(*client), payload)
}

// Closed forgets a client.
func (u *overUDP) Closed(c *atemserver.Conn, why error) {
	(*proxy)(u).exit(c.Value.(*client), why)
}

// overTCP is the proxy as the OpenSwitcher server sees it.
type overTCP proxy

// Login asks the gate, which counts failures and slows them down.
func (t *overTCP) Login(ctx context.Context, c *oswserver.Conn, user, password string) error {
	who, err := t.env.Gate.Login(ctx, user, password, c.RemoteAddr())
	if err != nil {
		t.env.Log.Warn("refused the login of an OpenSwitcher program", "client", c.RemoteAddr().String(), "error", err)
		return err
	}
	c.Value = who
	return nil
}

// Devices are those that can be chosen.
func (t *overTCP) Devices(*oswserver.Conn) []openswitcher.Device {
	out := make([]openswitcher.Device, len(t.hubs))
	for i, h := range t.hubs {
		out[i] = openswitcher.Device{ID: nameOf(h), Label: h.label}
	}
	return out
}

// Opened gives a client its dump.
func (t *overTCP) Opened(c *oswserver.Conn) error {
	p := (*proxy)(t)
	h, err := p.hubOf(c.Device())
	if err != nil {
		return err
	}
	who, _ := c.Value.(driver.Who)
	who.Door, who.Addr = "openswitcher", c.RemoteAddr().String()
	cl, err := p.enter(h, tcpPeer{c}, "tcp", who)
	c.Value = cl
	if err != nil {
		p.exit(cl, err)
	}
	return err
}

// Command takes a client's packet.
func (t *overTCP) Command(c *oswserver.Conn, payload []byte) {
	(*proxy)(t).command(c.Value.(*client), payload)
}

// Closed forgets a client.
func (t *overTCP) Closed(c *oswserver.Conn, why error) {
	(*proxy)(t).exit(c.Value.(*client), why)
}

// only is a listener that lets nobody in who may not connect.
type only struct {
	net.Listener
	p *proxy
}

// Accept drops strangers.
func (o *only) Accept() (net.Conn, error) {
	for {
		c, err := o.Listener.Accept()
		if err != nil || o.p.mayConnect(c.RemoteAddr(), "OpenSwitcher") {
			return c, err
		}
		c.Close()
	}
}
