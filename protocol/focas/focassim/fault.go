package focassim

import (
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// Faults are what is wrong between the control and its clients. They hold for [Sim.Serve] and can be changed at any time;
// a frame meets the faults that are on when it is sent.
type Faults struct {
	// Silent swallows every frame of the control but those of open and close, so that a client can connect and then hears
	// nothing. SilentOpen swallows those too.
	Silent, SilentOpen bool
	// CutFrame closes the connection in the middle of the next data reply, every time.
	CutFrame bool
	// Stale sends each data reply twice: the second one is there when the client asks the next question.
	Stale bool
	// Refuse answers data frames with an error frame of this code; 0 does not.
	Refuse focas.Code
	// ResetMisplaced resets a connection that sends a data frame on channel 1, as a 0i-F does.
	ResetMisplaced bool
	// Delay is how long each frame of the control waits before it is sent.
	Delay time.Duration
	// Garbage sends bytes that are no frame in place of data replies.
	Garbage bool
	// Drain answers nothing at all and hands what clients send to Drained.
	Drain bool
	// Drained is called with what clients send while Drain is on; p is valid during the call. Calls about different
	// connections come at the same time.
	Drained func(from net.Addr, p []byte)
}

// faultState is the present faults, shared by the connections.
type faultState struct {
	mu sync.Mutex
	f  Faults
}

func (s *faultState) get() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.f
}

// SetFaults replaces the faults.
func (s *Sim) SetFaults(f Faults) {
	s.faults.mu.Lock()
	s.faults.f = f
	s.faults.mu.Unlock()
}

// Faults are the present ones.
func (s *Sim) Faults() Faults { return s.faults.get() }

func (s *faultState) wrap(c net.Conn) net.Conn {
	return &faultConn{Conn: c, state: s, closed: make(chan struct{})}
}

// faultConn damages what the server writes, one frame per Write.
type faultConn struct {
	net.Conn
	state  *faultState
	once   sync.Once
	closed chan struct{}
}

var errFault = errors.New("focassim: connection cut by a fault")

func (c *faultConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// Read reads for the server; while draining nothing reaches it.
func (c *faultConn) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		f := c.state.get()
		if !f.Drain {
			return n, err
		}
		if n > 0 && f.Drained != nil {
			f.Drained(c.RemoteAddr(), p[:n])
		}
		if err != nil {
			return 0, err
		}
	}
}

func (c *faultConn) Write(p []byte) (int, error) {
	f := c.state.get()
	if f.Delay > 0 && !c.wait(f.Delay) {
		return 0, net.ErrClosed
	}
	h, err := focas.ParseHeader(p)
	data := err == nil && h.Type == focas.TypeData
	session := err == nil && (h.Type == focas.TypeOpen || h.Type == focas.TypeClose)
	switch {
	case f.SilentOpen && session, (f.Silent || f.SilentOpen) && !session:
		return len(p), nil
	case !data:
		return c.Conn.Write(p)
	case f.Refuse != 0:
		b := focas.AppendErrorFrame(nil, h.Version, h.Type, focas.ErrorBody{Location: 1, Code: f.Refuse})
		return c.all(p, b)
	case f.Garbage:
		return c.all(p, garbage(p))
	case f.CutFrame:
		_, _ = c.Conn.Write(p[:len(p)/2])
		c.Close()
		return 0, errFault
	case f.Stale:
		return c.all(p, append(append([]byte(nil), p...), p...))
	}
	return c.Conn.Write(p)
}

// all writes b in place of p.
func (c *faultConn) all(p, b []byte) (int, error) {
	if _, err := c.Conn.Write(b); err != nil {
		return 0, err
	}
	return len(p), nil
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

// garbage is as long as p and begins with no mark.
func garbage(p []byte) []byte {
	b := make([]byte, len(p))
	for i := range b {
		b[i] = p[i] ^ byte(i*37+11)
	}
	if len(b) >= 4 {
		binary.BigEndian.PutUint32(b, 0x48545450)
	}
	return b
}
