//go:build unix

package serial

import (
	"syscall"
)

// direct is how bytes are written to a connection or file without waiting; nil when that cannot be, as with TLS.
func direct(to any) func(b []byte) int {
	conn, ok := to.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil
	}
	return func(b []byte) (n int) {
		_ = raw.Write(func(fd uintptr) bool { // of what fails here the writer that waits hears as well
			n, _ = syscall.Write(int(fd), b)
			return true
		})
		return max(n, 0)
	}
}
