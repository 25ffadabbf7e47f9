package discover

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/testnet"
)

// AES70 devices are found by each of their services, with a URL that fits; Focusrite Control 2 is none of them.
func TestSeekAES70(t *testing.T) {
	for _, steps := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			n := new(testnet.Network)
			p, err := n.ListenPacket(t.Context(), "udp4", mdnsGroup(netip.IPv4Unspecified()).String())
			if err != nil {
				t.Fatal(err)
			}
			r := &responder{t: t, p: p, steps: steps, services: []announced{
				{"Amp 1", "_oca._tcp", "amp1.local.", 65000, [4]byte{192, 0, 2, 10}, []string{"txtvers=1", "protovers=1", "manufacturer=Maker", "model=Amp"}},
				{"Amp 2", "_ocasec._tcp", "amp2.local.", 65001, [4]byte{192, 0, 2, 11}, nil},
				{"Desk", "_ocaws._tcp", "desk.local.", 8080, [4]byte{192, 0, 2, 12}, []string{"path=/oca"}},
				{"Desk 2", "_ocaws._tcp", "desk2.local.", 80, [4]byte{192, 0, 2, 13}, []string{"path=/"}},
				{"Studio", "_ocaws._tcp", "studio.local.", 58322, [4]byte{192, 0, 2, 14}, []string{"pk=" + strings.Repeat("0f", 32)}},
			}}
			done := make(chan struct{})
			go func() {
				defer close(done)
				r.serve()
			}()
			var found []Found
			if err := Seek(t.Context(), Network{ListenPacket: n.ListenPacket, From: []netip.Addr{netip.MustParseAddr("192.0.2.200")}}, 3*time.Second,
				func(f Found) {
					if f.Protocol == "aes70" {
						found = append(found, f)
					}
				}); err != nil {
				t.Error(err)
			}
			Sort(found)
			var urls []string
			for _, f := range found {
				urls = append(urls, f.URL)
			}
			if got, want := strings.Join(urls, " "), "aes70://192.0.2.10:65000 aes70+tls://192.0.2.11:65001 aes70+ws://192.0.2.12:8080?path=/oca aes70+ws://192.0.2.13:80"; got != want {
				t.Errorf("%s, want %s", got, want)
			}
			if got := strings.Join(found[0].Reasons, ", "); got != "Amp 1, manufacturer Maker, model Amp, protovers 1" {
				t.Errorf("%s", got)
			}
			p.Close()
			<-done
		})
	}
}
