package serving

import (
	"context"
	"net"
	"net/netip"
	"runtime"
	"strconv"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// Broadcasts opens a connection that hears what is sent to everybody on the port of pc, for a server that programs look for by
// broadcast. A socket at one address of this computer does not hear that, except on Windows. What is written to the connection goes
// out from pc, so that programs learn the address that they can connect to. It is nil when pc hears everything itself, and when it is
// for this computer alone or speaks IPv6, which has no broadcasts.
func Broadcasts(ctx context.Context, open driver.Opener[net.PacketConn], pc net.PacketConn) (net.PacketConn, error) {
	at, err := netip.ParseAddrPort(pc.LocalAddr().String())
	if err != nil || runtime.GOOS == "windows" || !at.Addr().Unmap().Is4() || at.Addr().IsUnspecified() || at.Addr().IsLoopback() {
		return nil, nil
	}
	all, err := open(ctx, "udp4", net.JoinHostPort(net.IPv4bcast.String(), strconv.Itoa(int(at.Port()))))
	if err != nil {
		return nil, err
	}
	return &broadcasts{all, pc}, nil
}

// broadcasts hears one connection and answers from another one.
type broadcasts struct {
	net.PacketConn
	from net.PacketConn
}

func (b *broadcasts) WriteTo(p []byte, to net.Addr) (int, error) { return b.from.WriteTo(p, to) }
