package capture

import (
	"errors"
	"syscall"
)

// wsaeConnReset is what Windows reports on a UDP socket for an ICMP "port unreachable".
const wsaeConnReset = syscall.Errno(10054)

// unreached reports whether err is the echo of an ICMP message about an earlier datagram.
func unreached(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, wsaeConnReset)
}
