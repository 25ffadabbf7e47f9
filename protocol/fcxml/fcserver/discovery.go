package fcserver

import (
	"context"
	"net"
	"time"

	"github.com/patchbay-io/patchbay/protocol/fcxml"
)

// Announce answers discoveries on pc until ctx ends: this server listens on the given TCP port, and hostname is the label
// that programs show. It closes pc. The error is ctx's or the network's.
func Announce(ctx context.Context, pc net.PacketConn, hostname string, port uint16) error {
	stop := context.AfterFunc(ctx, func() { _ = pc.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	defer pc.Close()
	answer := fcxml.AppendMessage(nil, fcxml.ServerAnnouncement{App: fcxml.App, Version: fcxml.Version, Hostname: hostname, Port: port})
	buf := make([]byte, 2048)
	for {
		n, from, err := pc.ReadFrom(buf)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return err
		}
		if !asks(buf[:n]) {
			continue
		}
		// A program that cannot be reached asks again.
		_, _ = pc.WriteTo(answer, from)
	}
}

// asks reports whether a datagram is a discovery that servers answer: they do not know other words for a device.
func asks(b []byte) bool {
	f, rest, err := fcxml.ParseFrame(b)
	if err != nil || len(rest) > 0 {
		return false
	}
	m, err := fcxml.Parse(f.Payload)
	d, ok := m.(fcxml.ClientDiscovery)
	return err == nil && ok && d.App == fcxml.App && (d.Device == "" || d.Device == "iOS")
}
