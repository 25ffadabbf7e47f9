package driver

import (
	"context"
	"net"
	"net/netip"
	"syscall"
)

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
