package driver

import (
	"os"
	"syscall"
	"time"
)

// tcpUserTimeout is TCP_USER_TIMEOUT, which package syscall does not have.
const tcpUserTimeout = 0x12

// giveUp bounds how long what was sent on a TCP connection may stay unacknowledged.
func giveUp(fd uintptr, after time.Duration) {
	_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(after.Milliseconds())) // without it the system's own limit holds
}

// share lets others have the port of a datagram socket as well.
func share(fd uintptr) error {
	return os.NewSyscallError("setsockopt", syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1))
}
