package fcclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/patchbay-io/patchbay/protocol/fcxml"
)

// Found is a server that has answered a discovery.
type Found struct {
	Addr     string // host:port of its TCP side; the host is where the answer came from
	Hostname string // a label
}

// discoverEvery is how often the question is asked.
const discoverEvery = time.Second

// Discover asks every host on the three ports of discovery, again and again until ctx ends, and calls found once for each
// server. hosts are addresses; 255.255.255.255 reaches the local network, and a server on the same computer is reached at
// 127.0.0.1. It closes pc. The error is nil when ctx has ended.
func Discover(ctx context.Context, pc net.PacketConn, hosts []string, found func(Found)) error {
	defer pc.Close()
	var to []net.Addr
	for _, h := range hosts {
		ip, err := netip.ParseAddr(h)
		if err != nil {
			return fmt.Errorf("fcxml discover: %w", err)
		}
		for _, port := range fcxml.DiscoveryPorts() {
			to = append(to, net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, port)))
		}
	}
	ask := fcxml.AppendMessage(nil, fcxml.ClientDiscovery{App: fcxml.App, Version: fcxml.Version})
	seen := map[string]bool{}
	buf := make([]byte, 2048)
	stop := context.AfterFunc(ctx, func() { _ = pc.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	for ctx.Err() == nil {
		for _, a := range to {
			_, _ = pc.WriteTo(ask, a) // a network that takes no broadcast is not the only one
		}
		until := time.Now().Add(discoverEvery)
		for ctx.Err() == nil && time.Now().Before(until) {
			_ = pc.SetReadDeadline(until)
			if ctx.Err() != nil {
				return nil
			}
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				var ne net.Error
				if errors.As(err, &ne) && ne.Timeout() {
					break
				}
				if ctx.Err() != nil {
					return nil
				}
				return fmt.Errorf("fcxml discover: %w", err)
			}
			if f, ok := announced(buf[:n], from); ok && !seen[f.Addr] {
				seen[f.Addr] = true
				found(f)
			}
		}
	}
	return nil
}

func announced(b []byte, from net.Addr) (Found, bool) {
	f, rest, err := fcxml.ParseFrame(b)
	if err != nil || len(rest) > 0 {
		return Found{}, false
	}
	m, err := fcxml.Parse(f.Payload)
	a, ok := m.(fcxml.ServerAnnouncement)
	host, _, err2 := net.SplitHostPort(from.String())
	if err != nil || err2 != nil || !ok || a.App != fcxml.App {
		return Found{}, false
	}
	return Found{Addr: net.JoinHostPort(host, strconv.Itoa(int(a.Port))), Hostname: a.Hostname}, true
}
