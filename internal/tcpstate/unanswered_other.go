//go:build !linux

package tcpstate

import (
	"net"
	"time"
)

// Unanswered is 0: these systems cannot be asked for how long the other computer has said nothing.
func Unanswered(net.Conn) time.Duration { return 0 }
