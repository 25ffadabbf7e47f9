package discover

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcsim"
)

// A server is found by its own discovery, wherever its TCP side listens.
func TestSeekFocusriteControl(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(testnet.Network)
		p, err := n.ListenPacket(t.Context(), "udp4", "255.255.255.255:30097") // the network in memory has no broadcast
		if err != nil {
			t.Fatal(err)
		}
		sim, err := fcsim.New(fcsim.Options{Model: "solo"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- sim.Announce(ctx, p, 50123) }()
		var found []Found
		err = Seek(t.Context(), Network{ListenPacket: n.ListenPacket, From: []netip.Addr{netip.MustParseAddr("192.0.2.200")}}, 3*time.Second, func(f Found) {
			found = append(found, f)
		})
		if err != nil || len(found) != 1 || found[0].URL != "fcxml://255.255.255.255" || found[0].Addr.Port() != 50123 || found[0].Reasons[0] != "simulator" {
			t.Errorf("%+v, %v", found, err)
		}
		cancel()
		<-done
	})
}

func TestFocusriteControl2IsToldByItsKey(t *testing.T) {
	key := strings.Repeat("7b", 32)
	at := netip.MustParseAddrPort("192.0.2.50:58322")
	for name, c := range map[string]struct {
		text map[string]string
		ok   bool
	}{"key": {map[string]string{"txtvers": "1", "pk": key}, true}, "no key": {map[string]string{"txtvers": "1"}, false}, "too long": {map[string]string{"pk": key + "00"}, false}} {
		f, ok := fc2Found(Service{Type: "_ocaws._tcp", Instance: "Studio", Addr: at, Text: c.text})
		if ok != c.ok || ok && (f.URL != "fc2://192.0.2.50:58322?server_key="+key || f.Protocol != "fc2") {
			t.Errorf("%s: %+v, %v", name, f, ok)
		}
	}
	if _, ok := fc2Found(Service{Text: map[string]string{"pk": key}}); ok {
		t.Error("without an address")
	}
}
