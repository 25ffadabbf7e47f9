package discover

import (
	"context"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmsim"
)

// A box is found by one broadcast, once however often it answers, and asked from each network.
func TestSeekDeviceMasters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(testnet.Network)
		p, err := n.ListenPacket(t.Context(), "udp4", everybody.String())
		if err != nil {
			t.Fatal(err)
		}
		sim, err := dmsim.New(dmsim.Options{Layout: "echo,sink,sink,sink", MAC: devicemaster.MAC{0, 0xc0, 0x4e, 1, 2, 3}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- sim.AnswerDiscovery(ctx, p) }()
		var found []Found
		net := Network{ListenPacket: n.ListenPacket, From: []netip.Addr{netip.MustParseAddr("192.0.2.200"), netip.MustParseAddr("198.51.100.7")}}
		if err := Seek(t.Context(), net, 3*time.Second, func(f Found) { found = append(found, f) }); err != nil {
			t.Error(err)
		}
		// The network in memory has no broadcast: the box sits at the broadcast address itself.
		if len(found) != 1 || found[0].URL != "devicemaster://255.255.255.255" || found[0].Protocol != "devicemaster" || len(found[0].Reasons) != 3 ||
			found[0].Reasons[0] != "MAC 00:c0:4e:01:02:03" || found[0].Reasons[2] != "4 ports" {
			t.Errorf("%+v", found)
		}
		cancel()
		<-done
	})
}
