package discover

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/mdns"
	"github.com/patchbay-io/patchbay/internal/testnet"
)

// group is the address of multicast DNS in a network in memory, where one alone can have it.
type group struct{ net.PacketConn }

func (g group) Read(b []byte) (int, netip.AddrPort, int, error) {
	n, from, err := g.ReadFrom(b)
	if err != nil {
		return 0, netip.AddrPort{}, 0, err
	}
	at, err := netip.ParseAddrPort(from.String())
	return n, at, 1, err
}

func (g group) Write(b []byte, to netip.AddrPort, _ int) error {
	_, err := g.WriteTo(b, net.UDPAddrFromAddrPort(to))
	return err
}

// What our servers announce is found by our own search: an AES70 device over TCP, one over WebSocket, and Focusrite Control 2 with its key;
// and nothing any more once they have ended.
func TestSeekFindsOurServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(testnet.Network)
		r := mdns.New(mdns.Options{Host: "patchbay-rack", Links: func() ([]mdns.Link, error) {
			return []mdns.Link{{Index: 1, Prefixes: []netip.Prefix{netip.MustParsePrefix("192.0.2.5/24")}}}, nil
		}, Open: func(ctx context.Context, _ []mdns.Link) (mdns.Socket, error) {
			p, err := n.ListenPacket(ctx, "udp4", mdns.Group().String())
			return group{p}, err
		}})
		key := strings.Repeat("0faa684e", 8)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for _, s := range []mdns.Service{
			{Type: "_oca._tcp", Instance: "desk", Addr: netip.MustParseAddrPort("0.0.0.0:65000"), Text: []string{"txtvers=1", "protovers=1"}},
			{Type: "_ocaws._tcp", Instance: "desk", Addr: netip.MustParseAddrPort("192.0.2.5:8080"), Text: []string{"txtvers=1", "protovers=1", "path=/"}},
			{Type: "_ocaws._tcp", Instance: "booth", Addr: netip.MustParseAddrPort("192.0.2.5:58322"), Text: []string{"txtvers=1", "key=" + key}},
			{Type: "_oca._tcp", Instance: "elsewhere", Addr: netip.MustParseAddrPort("198.51.100.1:65000")}, // listens on another interface
		} {
			wg.Go(func() { _ = r.Announce(ctx, s) })
		}
		synctest.Wait()
		wg.Go(func() { _ = r.Run(ctx) })
		time.Sleep(5 * time.Second)
		seek := func() (urls []string) {
			var found []Found
			if err := Seek(t.Context(), Network{ListenPacket: n.ListenPacket, From: []netip.Addr{netip.MustParseAddr("192.0.2.200")}}, 3*time.Second,
				func(f Found) { found = append(found, f) }); err != nil {
				t.Error(err)
			}
			Sort(found)
			for _, f := range found {
				urls = append(urls, f.URL)
			}
			return urls
		}
		want := "aes70+ws://192.0.2.5:8080 fc2://192.0.2.5:58322?server_key=" + key + " aes70://192.0.2.5:65000"
		if got := strings.Join(seek(), " "); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		cancel()
		wg.Wait()
		if got := seek(); len(got) != 0 {
			t.Errorf("after the end: %v", got)
		}
	})
}

// The same over IPv6 alone: an address that needs no interface beside it is taken where there is one, and the URL can be used.
func TestSeekOverIPv6(t *testing.T) {
	local, global := netip.MustParsePrefix("fe80::5/64"), netip.MustParsePrefix("2001:db8::5/64")
	seekOverIPv6(t, "aes70+tls://[2001:db8::5]:65001", local, global)
	seekOverIPv6(t, "aes70+tls://[fe80::5%25eth0]:65001", local)
}

func seekOverIPv6(t *testing.T, want string, prefixes ...netip.Prefix) {
	synctest.Test(t, func(t *testing.T) {
		n := new(testnet.Network)
		r := mdns.New(mdns.Options{Host: "patchbay-rack", Links: func() ([]mdns.Link, error) {
			return []mdns.Link{{Index: 1, V6: true, Prefixes: prefixes}}, nil
		}, Open: func(ctx context.Context, _ []mdns.Link) (mdns.Socket, error) {
			p, err := n.ListenPacket(ctx, "udp6", "[ff02::fb%eth0]:5353")
			return group{p}, err
		}})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for _, s := range []mdns.Service{
			{Type: "_ocasec._tcp", Instance: "desk", Addr: netip.MustParseAddrPort("[::]:65001"), Text: []string{"txtvers=1", "protovers=1"}},
			{Type: "_oca._tcp", Instance: "elsewhere", Addr: netip.MustParseAddrPort("0.0.0.0:65000")}, // has no address here
		} {
			wg.Go(func() { _ = r.Announce(ctx, s) })
		}
		synctest.Wait()
		wg.Go(func() { _ = r.Run(ctx) })
		time.Sleep(5 * time.Second)
		var urls []string
		if err := Seek(t.Context(), Network{ListenPacket: n.ListenPacket, From6: []netip.Addr{netip.MustParseAddr("fe80::200%eth0")}}, 3*time.Second,
			func(f Found) { urls = append(urls, f.URL) }); err != nil {
			t.Error(err)
		}
		if got := strings.Join(urls, " "); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		for _, raw := range urls {
			if u, err := url.Parse(raw); err != nil || netip.MustParseAddr(u.Hostname()).Is4() {
				t.Errorf("%s: %v", raw, err)
			}
		}
		cancel()
		wg.Wait()
	})
}
