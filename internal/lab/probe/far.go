package probe

import (
	"context"
	"errors"
	"net"
	"time"
)

// far is the network as the probe of one protocol sees it: one connection to one address.
type far struct {
	run     *run
	network string
	addr    string
	first   net.Conn // already open; may be nil

	conn    *watched
	more    int
	packets *watchedPackets
}

// maxMore is how many connections beside its first a protocol's probe may make.
const maxMore = 2

// another connects to a port of the same host: some protocols have two.
func (f *far) another(ctx context.Context, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(f.addr)
	to, _, err2 := net.SplitHostPort(addr)
	if err != nil || err2 != nil || host != to || f.more >= maxMore || f.network != "tcp" {
		return nil, errors.New("a probe has few connections, and to one host")
	}
	f.more++
	c, _, err := f.run.dial(ctx, f.network, addr)
	if err != nil {
		return nil, err
	}
	return watch(c, time.Now().Add(f.run.stepTimeout())), nil
}

func (f *far) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	if f.conn != nil {
		return f.another(ctx, addr)
	}
	c := f.first
	if c == nil {
		var err error
		if c, _, err = f.run.dial(ctx, f.network, f.addr); err != nil {
			return nil, err
		}
	}
	f.first = nil
	f.conn = watch(c, time.Now().Add(f.run.stepTimeout()))
	return f.conn, nil
}

func (f *far) listenPacket(ctx context.Context, network, addr string) (net.PacketConn, error) {
	if f.run.ListenPacket == nil || f.network != "udp" || f.packets != nil {
		return nil, errors.New("a probe has one connection")
	}
	p, err := f.run.ListenPacket(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	f.packets = watchPackets(p, time.Now().Add(f.run.stepTimeout()))
	return f.packets, nil
}

// close ends what the probe has left open and gives the heads of what went both ways.
func (f *far) close() (out, in Head) {
	if f.first != nil {
		_ = f.first.Close()
	}
	if f.packets != nil {
		out, in = f.packets.heads()
		_ = f.packets.Close()
	}
	if f.conn != nil {
		out, in = f.conn.heads()
		_ = f.conn.Close()
	}
	return out, in
}
