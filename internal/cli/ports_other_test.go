//go:build !linux

package cli

import (
	"fmt"
	"net"
	"testing"
)

// freePorts finds n TCP ports in a row that nobody uses. Here they cannot be kept until somebody listens.
func freePorts(t testing.TB, n int) int {
	t.Helper()
	for range 200 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		base := l.Addr().(*net.TCPAddr).Port
		all := []net.Listener{l}
		for i := 1; i < n && err == nil; i++ {
			if l, err = net.Listen("tcp", fmt.Sprint("127.0.0.1:", base+i)); err == nil {
				all = append(all, l)
			}
		}
		for _, l := range all {
			l.Close()
		}
		if err == nil {
			return base
		}
	}
	t.Fatalf("no %d free ports in a row", n)
	return 0
}
