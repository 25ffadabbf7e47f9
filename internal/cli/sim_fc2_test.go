package cli

import (
	"net"
	"net/netip"
	"testing"

	"github.com/patchbay-io/patchbay/internal/lab/simulate"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2sim"
)

// Where a port is taken, the two of Focusrite Control 2 are the next neighbours that are free.
func TestPortsUpward(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	at := netip.MustParseAddrPort(taken.Addr().String())
	if at.Port() > 60000 {
		t.Skip("the taken port is too near to the last one")
	}
	listen := []string{at.String(), netip.AddrPortFrom(at.Addr(), at.Port()+1).String(), "127.0.0.1:0"}
	d := simulate.FC2Device(fc2sim.New(fc2sim.Options{}))
	fixed := simulated{device: d, listen: append([]string(nil), listen...)}
	if sockets, err := fixed.open(t.Context()); err == nil {
		t.Errorf("a port that is taken was opened: %v", closeSockets(sockets))
	}
	s := simulated{device: d, listen: append([]string(nil), listen...), upward: 2}
	sockets, err := s.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := closeSockets(sockets); err != nil {
			t.Error(err)
		}
	}()
	secure, onboarding := netip.MustParseAddrPort(sockets[0].Addr().String()), netip.MustParseAddrPort(sockets[1].Addr().String())
	if secure.Port() <= at.Port() || onboarding.Port() != secure.Port()+1 {
		t.Errorf("ports %d and %d, want neighbours above %d", secure.Port(), onboarding.Port(), at.Port())
	}
}
