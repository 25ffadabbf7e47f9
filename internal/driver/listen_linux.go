package driver

import (
	"os"
	"syscall"
)

// share lets others have the port of a datagram socket as well.
func share(fd uintptr) error {
	return os.NewSyscallError("setsockopt", syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1))
}
