package probe

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/aes70"
	"github.com/patchbay-io/patchbay/internal/driver/fc2"
	"github.com/patchbay-io/patchbay/internal/driver/fcxml"
	"github.com/patchbay-io/patchbay/internal/lab/simulate"
	"github.com/patchbay-io/patchbay/internal/testnet"
)

// Audio devices on ports of nobody get the URL by which they are reached: with the scheme for WebSocket, and with the port of the
// secure endpoint where that for pairing was asked. Each driver is asked once.
func TestURLsOfAudioDevices(t *testing.T) {
	for _, row := range []struct {
		kind     string
		port     uint16
		want     string
		protocol []string
	}{
		{"aes70", 1000, "aes70://192.0.2.60:1000", []string{"fcxml", "fc2", "aes70"}}, {"aes70", 1001, "aes70+ws://192.0.2.60:1001", []string{"fcxml", "fc2", "aes70"}},
		{"fc2", 1000, "fc2://192.0.2.60:1000", []string{"fcxml", "fc2"}}, {"fc2", 1001, "fc2://192.0.2.60:1000", []string{"fcxml", "fc2"}}, {"fcxml", 1000, "fcxml://192.0.2.60:1000", []string{"fcxml"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := new(testnet.Network)
			d, err := simulate.New(row.kind, url.Values{})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			var sockets []simulate.Socket
			for i, s := range d.Services {
				at := netip.AddrPortFrom(netip.MustParseAddr("192.0.2.60"), 1000+uint16(i)).String()
				var socket simulate.Socket
				if s.Packets != nil {
					socket.Packets, err = n.ListenPacket(ctx, "udp", at)
				} else {
					socket.Listener, err = n.Listen(ctx, "tcp", at)
				}
				if err != nil {
					t.Fatal(err)
				}
				sockets = append(sockets, socket)
			}
			go func() { done <- d.Serve(ctx, sockets) }()
			p := &Prober{Drivers: []driver.Driver{fcxml.New(), fc2.New(), aes70.New()}, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
				return n.Dial(ctx, network, addr)
			}, AnyPort: true}
			var asked []string
			res, err := p.Run(ctx, "192.0.2.60", row.port, func(s Step) {
				if s.Name != "name" && s.Name != "connect" && s.Name != "listen" {
					asked = append(asked, s.Name)
				}
			})
			if err != nil || len(res.URLs) != 1 || res.URLs[0] != row.want {
				t.Errorf("%s, port %d: %v, %v", row.kind, row.port, res.URLs, err)
			}
			if d := cmp.Diff(row.protocol, asked); d != "" {
				t.Errorf("%s, port %d: %s", row.kind, row.port, d)
			}
			cancel()
			<-done
		})
	}
}
