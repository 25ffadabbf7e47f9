package driver

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// patience is how long TCP waits for a client of a [Listen] that has gone without a word. It is as long as a DeviceMaster and its drivers
// wait for one another: nobody loses a connection here that the protocol would have kept.
const patience = 2 * time.Minute

// Listen opens a TCP listener of this computer: it is the Listen of every [ServeEnv] outside tests, and of doors whose clients may be dropped
// when they take nothing. A client that is gone without a word is given up after two minutes, also while bytes are on their way to it,
// for which the system alone would take a quarter of an hour. Where the system has no such setting (it is Linux that has), only a silent client
// is given up so soon.
func Listen(ctx context.Context, network, addr string) (net.Listener, error) {
	c := net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: patience / 4, Interval: patience / 4, Count: 3}}
	l, err := c.Listen(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return impatient{l}, nil
}

// impatient bounds how long what was sent to a client may stay unacknowledged. The listener itself cannot be told that once for all: one of
// Multipath TCP, which Go opens where there is such a thing, does not take it.
type impatient struct{ net.Listener }

func (l impatient) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if raw, ok := c.(syscall.Conn); ok {
		if raw, err := raw.SyscallConn(); err == nil {
			_ = raw.Control(func(fd uintptr) { giveUp(fd, patience) }) // it fails on a closed connection only, and the next read says so
		}
	}
	return c, nil
}

// ListenPacket opens a packet connection of this computer: it is the ListenPacket of every [Env] and [ServeEnv] outside tests. What is
// sent to everybody (255.255.255.255) may be listened for by several at a time, and each of them gets it.
func ListenPacket(ctx context.Context, network, addr string) (net.PacketConn, error) {
	var c net.ListenConfig
	if a, err := netip.ParseAddrPort(addr); err == nil && a.Addr() == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		c.Control = func(_, _ string, raw syscall.RawConn) error {
			var refused error
			if err := raw.Control(func(fd uintptr) { refused = share(fd) }); err != nil {
				return err
			}
			return refused
		}
	}
	return c.ListenPacket(ctx, network, addr)
}
