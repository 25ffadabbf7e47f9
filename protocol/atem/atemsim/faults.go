package atemsim

import (
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Faults is what goes wrong on the network, in each direction by itself. The zero value is a good network.
type Faults struct {
	Loss      float64       // of all packets, 0 to 1
	Duplicate float64       // of all packets
	Reorder   float64       // of all packets: each comes after the next one
	Delay     time.Duration // of all packets
	Seed      uint64        // the same seed, the same faults for the same packets
}

func (f Faults) none() bool { return f.Loss == 0 && f.Duplicate == 0 && f.Reorder == 0 && f.Delay == 0 }

// maxInLink is how many packets are on their way in one direction; more are lost.
const maxInLink = 4096

// link is a packet connection over a bad network.
type link struct {
	net.PacketConn
	faults Faults
	silent *atomic.Bool

	in, out chan flying
	closed  chan struct{}
	once    sync.Once
	pumps   sync.WaitGroup

	mu   sync.Mutex
	rnd  *rand.Rand
	held [2]*flying // by direction: what comes after the next
}

// flying is a packet on its way.
type flying struct {
	b    []byte
	addr net.Addr
	due  time.Time
	err  error
}

func newLink(pc net.PacketConn, f Faults, silent *atomic.Bool) *link {
	l := &link{PacketConn: pc, faults: f, silent: silent, closed: make(chan struct{})}
	if !f.none() {
		l.rnd = rand.New(rand.NewPCG(f.Seed, 2))
		l.in, l.out = make(chan flying, maxInLink), make(chan flying, maxInLink)
		l.pumps.Go(l.pumpIn)
		l.pumps.Go(l.pumpOut)
	}
	return l
}

// wait waits until nothing of the link runs any more, which is after Close.
func (l *link) wait() { l.pumps.Wait() }

func (l *link) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.PacketConn.Close()
}

// pass puts a packet on its way, or not, or twice.
func (l *link) pass(dir int, to chan<- flying, p flying) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rnd.Float64() < l.faults.Loss {
		return
	}
	p.due = time.Now().Add(l.faults.Delay)
	n := 1
	if l.rnd.Float64() < l.faults.Duplicate {
		n = 2
	}
	held := l.held[dir]
	l.held[dir] = nil
	if held == nil && l.rnd.Float64() < l.faults.Reorder {
		l.held[dir] = &p
		return
	}
	for range n {
		l.put(to, p)
	}
	if held != nil {
		l.put(to, *held)
	}
}

func (l *link) put(to chan<- flying, p flying) {
	select {
	case to <- p:
	default:
	}
}

// until waits for a packet's time; false: the link is closed.
func (l *link) until(due time.Time) bool {
	wait := time.Until(due)
	if wait <= 0 {
		return true
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-l.closed:
		return false
	}
}

func (l *link) pumpIn() {
	buf := make([]byte, 1<<12)
	for {
		n, addr, err := l.PacketConn.ReadFrom(buf)
		if err != nil {
			select {
			case l.in <- flying{err: err}:
			case <-l.closed:
				return
			}
			continue
		}
		l.pass(0, l.in, flying{b: append([]byte(nil), buf[:n]...), addr: addr})
	}
}

func (l *link) pumpOut() {
	for {
		select {
		case p := <-l.out:
			if !l.until(p.due) {
				return
			}
			_, _ = l.PacketConn.WriteTo(p.b, p.addr) // what the network does not take is lost
		case <-l.closed:
			return
		}
	}
}

// ReadFrom is that of net.PacketConn.
func (l *link) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, addr, err := l.read(b)
		if err != nil || !l.silent.Load() {
			return n, addr, err
		}
	}
}

func (l *link) read(b []byte) (int, net.Addr, error) {
	if l.in == nil {
		return l.PacketConn.ReadFrom(b)
	}
	select {
	case p := <-l.in:
		if p.err != nil {
			return 0, nil, p.err
		}
		if !l.until(p.due) {
			return 0, nil, net.ErrClosed
		}
		return copy(b, p.b), p.addr, nil
	case <-l.closed:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo is that of net.PacketConn.
func (l *link) WriteTo(b []byte, addr net.Addr) (int, error) {
	switch {
	case l.silent.Load():
	case l.out == nil:
		return l.PacketConn.WriteTo(b, addr)
	default:
		l.pass(1, l.out, flying{b: append([]byte(nil), b...), addr: addr})
	}
	return len(b), nil
}
