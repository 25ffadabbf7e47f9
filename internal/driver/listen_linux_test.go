package driver

import "testing"

// Several may listen for what is sent to everybody on one port, and one alone at an address.
func TestListenPacketShares(t *testing.T) {
	for addr, want := range map[string]bool{"255.255.255.255:0": true, "127.0.0.1:0": false} {
		one, err := ListenPacket(t.Context(), "udp4", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer one.Close()
		other, err := ListenPacket(t.Context(), "udp4", one.LocalAddr().String())
		if (err == nil) != want {
			t.Errorf("%s: %v", addr, err)
		}
		if err == nil {
			other.Close()
		}
	}
}
