package driver

import (
	"net"
	"syscall"
	"testing"
)

// A client that is gone without a word is given up after two minutes, whether it is sent something or not.
func TestListenGivesUp(t *testing.T) {
	l, err := Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	raw, err := s.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	want := map[int]int{tcpUserTimeout: 120_000, syscall.TCP_KEEPIDLE: 30, syscall.TCP_KEEPINTVL: 30, syscall.TCP_KEEPCNT: 3}
	if err := raw.Control(func(fd uintptr) {
		for opt, n := range want {
			if got, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, opt); err != nil || got != n {
				t.Errorf("option %d is %d (%v), want %d", opt, got, err, n)
			}
		}
	}); err != nil {
		t.Error(err)
	}
}

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
