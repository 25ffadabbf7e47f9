package dmsim

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
)

// Faults are what is wrong with the box. The zero value is nothing.
type Faults struct {
	OmitTotals   bool          // acknowledges nothing (60)
	OmitDone     bool          // does not answer actions (67)
	OmitAssigned bool          // does not begin sessions (74)
	OmitPings    bool          // does not answer pings (fd)
	OmitID       bool          // does not say who it is
	OmitStatus   bool          // does not answer openings and closes (76)
	ShortID      int           // cuts the ID response after so many bytes; 0: whole
	LongID       int           // so many bytes behind the ID response
	Busy         bool          // every port belongs to somebody else
	StrayZeros   bool          // a zero byte in front of each message
	UnknownOps   bool          // an unknown message in front of each ping's answer
	Split        int           // writes go out in pieces of so many bytes; 0: whole
	Delay        time.Duration // each write waits so long
	Silent       bool          // nothing goes out at all
}

// SetFaults replaces the faults.
func (s *Sim) SetFaults(f Faults) {
	s.mu.Lock()
	s.faults = f
	s.mu.Unlock()
}

// Faults are the present ones.
func (s *Sim) Faults() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

var errBusy = errors.New("dmsim: busy by a fault")

func (s *Sim) permit(_ context.Context, _ *dmserver.Conn, a dmserver.Ask) error {
	if !a.Release && s.Faults().Busy {
		return errBusy
	}
	return nil
}

// tamper damages one message.
func (s *Sim) tamper(b []byte, op devicemaster.Op, message []byte) []byte {
	f := s.Faults()
	if f == (Faults{}) {
		return message
	}
	switch op {
	case devicemaster.OpTotal:
		if f.OmitTotals {
			return nil
		}
	case devicemaster.OpActionDone:
		if f.OmitDone {
			return nil
		}
	case devicemaster.OpAssigned:
		if f.OmitAssigned {
			return nil
		}
	case devicemaster.OpStatus:
		if f.OmitStatus {
			return nil
		}
	case devicemaster.OpPing:
		if f.OmitPings {
			return nil
		}
		if f.UnknownOps {
			b = append(b, 0x6e)
		}
	case devicemaster.ToolID:
		if f.OmitID {
			return nil
		}
		if f.ShortID > 0 && f.ShortID < len(message) {
			message = message[:f.ShortID]
		}
		return append(append(b, message...), make([]byte, max(0, f.LongID))...)
	}
	if f.StrayZeros {
		b = append(b, 0)
	}
	return append(b, message...)
}

// faultConn damages what the box writes.
type faultConn struct {
	net.Conn
	sim    *Sim
	once   sync.Once
	closed chan struct{}
}

func (c *faultConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

func (c *faultConn) Write(p []byte) (int, error) {
	f := c.sim.Faults()
	if f.Delay > 0 && !c.wait(f.Delay) {
		return 0, net.ErrClosed
	}
	if f.Silent {
		return len(p), nil
	}
	if f.Split <= 0 {
		return c.Conn.Write(p)
	}
	for at := 0; at < len(p); at += f.Split {
		if n, err := c.Conn.Write(p[at:min(at+f.Split, len(p))]); err != nil {
			return at + n, err
		}
	}
	return len(p), nil
}

// SetLinger lets the server reset the connection.
func (c *faultConn) SetLinger(sec int) error {
	if l, ok := c.Conn.(interface{ SetLinger(int) error }); ok {
		return l.SetLinger(sec)
	}
	return nil
}

// wait reports whether d went by with the connection still open.
func (c *faultConn) wait(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.closed:
		return false
	}
}
