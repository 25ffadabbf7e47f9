package serving

import (
	"context"
	"net"
	"runtime"
	"testing"

	"github.com/patchbay-io/patchbay/internal/testnet"
)

// What is sent to everybody is heard beside what is sent to the address itself, and answered from there.
func TestBroadcasts(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a socket hears broadcasts there")
	}
	n := new(testnet.Network)
	open := func(addr string) net.PacketConn {
		p, err := n.ListenPacket(t.Context(), "udp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
		return p
	}
	at, asks := open("192.0.2.5:4606"), open("192.0.2.9:0")
	all, err := Broadcasts(t.Context(), n.ListenPacket, at)
	if err != nil || all == nil {
		t.Fatalf("%v, %v", all, err)
	}
	defer all.Close()
	if _, err := asks.WriteTo([]byte("who?"), testnet.Addr{Net: "udp", Name: "255.255.255.255:4606"}); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	k, from, err := all.ReadFrom(b)
	if err != nil || string(b[:k]) != "who?" {
		t.Fatalf("%q, %v", b[:k], err)
	}
	if _, err := all.WriteTo([]byte("me"), from); err != nil {
		t.Fatal(err)
	}
	if k, from, err = asks.ReadFrom(b); err != nil || string(b[:k]) != "me" || from.String() != "192.0.2.5:4606" {
		t.Errorf("%q from %v, %v", b[:k], from, err)
	}
	if _, err := Broadcasts(t.Context(), n.ListenPacket, at); err == nil {
		t.Error("the port is taken, and nobody is told")
	}
}

// Who hears everything, or nothing from outside, needs no second socket.
func TestBroadcastsNotNeeded(t *testing.T) {
	open := func(context.Context, string, string) (net.PacketConn, error) {
		t.Error("a socket is opened")
		return nil, net.ErrClosed
	}
	n := new(testnet.Network)
	for _, addr := range []string{"0.0.0.0:4606", "[::]:4606", "127.0.0.1:4606", "[2001:db8::1]:4606"} {
		p, err := n.ListenPacket(t.Context(), "udp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if all, err := Broadcasts(t.Context(), open, p); all != nil || err != nil {
			t.Errorf("%s: %v, %v", addr, all, err)
		}
		p.Close()
	}
}
