package tcpstate

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestUnanswered(t *testing.T) {
	for _, row := range []struct {
		name string
		info unix.TCPInfo
		want time.Duration
	}{
		{"quiet for an hour", unix.TCPInfo{Last_ack_recv: 3_600_000}, 0},
		{"sent just now, after an hour", unix.TCPInfo{Last_ack_recv: 3_600_000, Unacked: 1}, 0},
		{"one segment was lost", unix.TCPInfo{Last_ack_recv: 300, Unacked: 1, Retransmits: 1}, 0},
		{"the network is silent", unix.TCPInfo{Last_ack_recv: 45_000, Unacked: 1, Retransmits: 8}, 45 * time.Second},
		{"it is heard and does not hear", unix.TCPInfo{Last_ack_recv: 300, Unacked: 1, Retransmits: 7, Rto: 25_600_000}, 25600 * time.Millisecond},
		{"it takes nothing and is asked now", unix.TCPInfo{Last_ack_recv: 120_000, Probes: 1, Backoff: 9, Rto: 102_400_000}, 0},
		{"it took nothing and is gone", unix.TCPInfo{Last_ack_recv: 240_000, Probes: 2, Backoff: 9}, 4 * time.Minute},
	} {
		if got := unanswered(&row.info); got != row.want {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
}

// A program that takes nothing is there; what is no TCP, and what is closed, cannot be asked.
func TestUnansweredOfConnections(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String()) // nobody accepts it
	if err != nil {
		t.Fatal(err)
	}
	c.SetWriteDeadline(time.Now().Add(time.Millisecond))
	for err == nil {
		_, err = c.Write(make([]byte, 64<<10))
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	if d := Unanswered(c); d != 0 {
		t.Errorf("a program that takes nothing is silent for %v", d)
	}
	c.Close()
	if d := Unanswered(c); d != 0 {
		t.Errorf("after the end: %v", d)
	}
	p, q := net.Pipe()
	defer p.Close()
	defer q.Close()
	if d := Unanswered(p); d != 0 {
		t.Errorf("a pipe: %v", d)
	}
}
