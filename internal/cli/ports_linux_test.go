package cli

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// freePorts finds n TCP ports in a row and keeps them until the end of the test: each is bound by a socket that does not listen, so that
// the kernel gives it to nobody who asks for any port, and who asks for it by its number and SO_REUSEADDR, as servers do, may listen.
func freePorts(t testing.TB, n int) int {
	t.Helper()
	bound := make([]int, 0, n)
	release := func() {
		for _, fd := range bound {
			_ = unix.Close(fd) // nothing was written to it
		}
		bound = bound[:0]
	}
	t.Cleanup(release)
	bind := func(port int) (int, error) {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return 0, os.NewSyscallError("socket", err)
		}
		bound = append(bound, fd)
		if err := unix.Bind(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
			return 0, os.NewSyscallError("bind", err)
		}
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil { // only now: it has to be nobody's before
			return 0, os.NewSyscallError("setsockopt", err)
		}
		name, err := unix.Getsockname(fd)
		if err != nil {
			return 0, os.NewSyscallError("getsockname", err)
		}
		return name.(*unix.SockaddrInet4).Port, nil
	}
	var err error
	for range 200 { // the neighbours of a free port may be taken
		var base int
		if base, err = bind(0); err != nil {
			t.Fatal(err)
		}
		for i := 1; i < n && err == nil; i++ {
			_, err = bind(base + i)
		}
		if err == nil {
			return base
		}
		release()
	}
	t.Fatalf("no %d free ports in a row: %v", n, err)
	return 0
}
