package tcpstate

import (
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Unanswered is for how long the other computer has said nothing although it was asked again and again: it is gone, or the network
// between is silent. It is 0 while it answers, also when the program there takes nothing, and on a connection whose system cannot say,
// which is every one but those of TCP on Linux.
func Unanswered(c net.Conn) time.Duration {
	s, ok := c.(syscall.Conn)
	if !ok {
		return 0
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return 0
	}
	var silence time.Duration
	if raw.Control(func(fd uintptr) {
		if i, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			silence = unanswered(i)
		}
	}) != nil {
		return 0
	}
	return silence
}

// unanswered tells silence from patience. The counts of what was sent again fall to 0 when some of it is acknowledged. A computer whose program
// takes nothing acknowledges each question whether there is room by now, at most two minutes apart, so one such question may always be on
// its way. When the network loses only what goes there, the other side is heard and acknowledges nothing: the time until something is
// sent once more, which doubles with each, is then as long as all the times before.
func unanswered(i *unix.TCPInfo) time.Duration {
	if i.Retransmits < 2 && i.Probes < 2 {
		return 0
	}
	silence := time.Duration(i.Last_ack_recv) * time.Millisecond
	if i.Retransmits >= 2 {
		silence = max(silence, time.Duration(i.Rto)*time.Microsecond)
	}
	return silence
}
