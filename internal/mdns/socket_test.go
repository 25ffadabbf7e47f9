package mdns

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

// The real socket hears what it sends out of an interface, here the loopback, and says which one it was.
func TestSocket(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Skip("no interface called lo")
	}
	s, err := Open(t.Context(), []Link{{Index: lo.Index, Prefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8")}}})
	if err != nil {
		t.Skip(err) // a machine without multicast on its loopback, or without the port
	}
	heard := make(chan int, 1)
	go func() {
		buf := make([]byte, 9000)
		for {
			n, from, link, err := s.Read(buf)
			if err != nil {
				close(heard)
				return
			}
			if string(buf[:n]) == "patchbay" && from.Port() == Port {
				heard <- link
				close(heard)
				return
			}
		}
	}()
	if err := s.Write([]byte("patchbay"), Group(), lo.Index); err != nil {
		s.Close()
		t.Skip(err)
	}
	stop := time.AfterFunc(10*time.Second, func() { s.Close() })
	link := <-heard
	stop.Stop()
	s.Close()
	if link != lo.Index {
		t.Errorf("link %d, want %d", link, lo.Index)
	}
}
