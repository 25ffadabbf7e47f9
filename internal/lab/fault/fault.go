// Package fault makes connections misbehave on purpose: slow, late, in pieces, damaged, stalled, cut or reset. It knows no
// protocol, so it serves simulators and relays of any kind.
package fault

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Faults are what is wrong with a connection, seen from the side whose end is wrapped: they act on what it sends, and
// Stall on what it receives too. The zero value is a healthy connection. The yaml and json tags are the names that users
// see.
type Faults struct {
	// Delay is how long each Write waits before its bytes leave; Jitter adds a random time below it.
	Delay  time.Duration `yaml:"delay,omitempty" json:"delay,omitempty"`
	Jitter time.Duration `yaml:"jitter,omitempty" json:"jitter,omitempty"`
	// Split sends so many bytes at a time, Gap is the time between two pieces. 0 does not split.
	Split int           `yaml:"split,omitempty" json:"split,omitempty"`
	Gap   time.Duration `yaml:"gap,omitempty" json:"gap,omitempty"`
	// Corrupt is the share of bytes that are changed, 0 to 1.
	Corrupt float64 `yaml:"corrupt,omitempty" json:"corrupt,omitempty"`
	// Stall holds everything back in both directions, without closing, until it is off again. Nothing is lost.
	Stall bool `yaml:"stall,omitempty" json:"stall,omitempty"`
	// CutAfter closes a connection once it has sent so many bytes since it began, ResetAfter resets it. 0 does not.
	CutAfter   int64 `yaml:"cut-after,omitempty" json:"cut-after,omitempty"`
	ResetAfter int64 `yaml:"reset-after,omitempty" json:"reset-after,omitempty"`
	// Reset resets a connection as soon as it sends anything.
	Reset bool `yaml:"reset,omitempty" json:"reset,omitempty"`
}

// maxWait bounds the times of faults: what is longer is taken for a mistake.
const maxWait = 10 * time.Minute

// Check says what is wrong with the numbers, naming the key.
func (f *Faults) Check() error {
	for _, d := range []struct {
		key string
		d   time.Duration
	}{{"delay", f.Delay}, {"jitter", f.Jitter}, {"gap", f.Gap}} {
		if d.d < 0 || d.d > maxWait {
			return fmt.Errorf("%s: %v is not between 0 and %v", d.key, d.d, maxWait)
		}
	}
	switch {
	case f.Split < 0:
		return fmt.Errorf("split: %d is below 0", f.Split)
	case f.Gap > 0 && f.Split == 0:
		return errors.New("gap: works together with split only; give split: 1 too")
	case !(f.Corrupt >= 0 && f.Corrupt <= 1):
		return fmt.Errorf("corrupt: %v is not between 0 and 1", f.Corrupt)
	case f.CutAfter < 0 || f.ResetAfter < 0:
		return errors.New("cut-after and reset-after count bytes from 0")
	case f.CutAfter > 0 && f.ResetAfter > 0:
		return errors.New("cut-after and reset-after exclude each other")
	}
	return nil
}

// Errors of a connection that a fault has ended. They wrap net.ErrClosed.
var (
	ErrCut   = fmt.Errorf("connection cut by a fault: %w", net.ErrClosed)
	ErrReset = fmt.Errorf("connection reset by a fault: %w", net.ErrClosed)
)

// Set is the present faults of any number of connections. All methods may be called at the same time.
type Set struct {
	mu      sync.Mutex
	f       Faults
	rng     *rand.Rand
	changed chan struct{} // closed when f is replaced
}

// New makes a set without faults. The same seed gives the same damage to the same bytes.
func New(seed uint64) *Set {
	return &Set{rng: rand.New(rand.NewPCG(seed, 0x70617463)), changed: make(chan struct{})}
}

// Set replaces the faults of every connection, those that are open too.
func (s *Set) Set(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.f = f
	close(s.changed)
	s.changed = make(chan struct{})
}

// Get gives the present faults.
func (s *Set) Get() Faults {
	f, _ := s.get()
	return f
}

func (s *Set) get() (Faults, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.f, s.changed
}

// jitter is a random time below d.
func (s *Set) jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Duration(s.rng.Int64N(int64(d)))
}

// corrupt returns p with a share of its bytes changed; p itself is left alone.
func (s *Set) corrupt(p []byte, share float64) []byte {
	if share <= 0 {
		return p
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := append([]byte(nil), p...)
	for i := range out {
		if s.rng.Float64() < share {
			out[i] ^= byte(1 + s.rng.IntN(255))
		}
	}
	return out
}

// Listener wraps what l accepts.
func (s *Set) Listener(l net.Listener) net.Listener { return &listener{l, s} }

type listener struct {
	net.Listener
	set *Set
}

// Accept gives the next connection with the faults around it.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.set.Conn(c, nil), nil
}
