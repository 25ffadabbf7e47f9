package serial

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// icounter is struct serial_icounter_struct: what the driver has counted since it was loaded.
type icounter struct {
	Cts, Dsr, Rng, Dcd, Rx, Tx, Frame, Overrun, Parity, Brk, BufOverrun int32
	_                                                                   [9]int32
}

// counters asks the driver of a port.
func counters(fd int) (icounter, error) {
	var c icounter
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGICOUNT, uintptr(unsafe.Pointer(&c))); errno != 0 {
		return c, errno
	}
	return c, nil
}
