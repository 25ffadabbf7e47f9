package mdns

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

// The real sockets hear what they send out of an interface, here the loopback, and say which one it was.
func TestSocket(t *testing.T) {
	for name, prefix := range map[string]string{"IPv4": "127.0.0.1/8", "IPv6": "::1/128"} {
		t.Run(name, func(t *testing.T) { loop(t, netip.MustParsePrefix(prefix)) })
	}
}

func loop(t *testing.T, own netip.Prefix) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Skip("no interface called lo")
	}
	l := Link{Index: lo.Index, V6: own.Addr().Is6(), Prefixes: []netip.Prefix{own}}
	s, err := Open(t.Context(), []Link{l})
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
	if err := s.Write([]byte("patchbay"), l.group(), lo.Index); err != nil {
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
