package dmsim

import (
	"net"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
)

// lineBuffer is how many bytes a simulated line holds in one direction.
const lineBuffer = 2000

// queue is one direction of a line.
type queue struct {
	mu     sync.Mutex
	cond   sync.Cond
	buf    []byte
	closed bool
}

func newQueue() *queue {
	q := new(queue)
	q.cond.L = &q.mu
	return q
}

// put takes at least one byte and waits while there is no room.
func (q *queue) put(b []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.buf) >= lineBuffer && !q.closed {
		q.cond.Wait()
	}
	if q.closed {
		return 0, net.ErrClosed
	}
	n := min(len(b), lineBuffer-len(q.buf))
	q.buf = append(q.buf, b[:n]...)
	q.cond.Broadcast()
	return n, nil
}

func (q *queue) get(b []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.buf) == 0 && !q.closed {
		q.cond.Wait()
	}
	if q.closed {
		return 0, net.ErrClosed
	}
	n := copy(b, q.buf)
	q.buf = q.buf[:copy(q.buf, q.buf[n:])]
	q.cond.Broadcast()
	return n, nil
}

func (q *queue) flush() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.buf = q.buf[:0]
	q.cond.Broadcast()
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.cond.Broadcast()
}

// pace is a line that takes its time: as long as its characters need at its rate.
type pace struct {
	dmserver.Wire
	mu     sync.Mutex
	set    dmserver.Settings
	free   time.Time // when the line is free again
	last   time.Time // when the last piece was passed on
	once   sync.Once
	closed chan struct{}
}

func newPace(w dmserver.Wire) *pace {
	return &pace{Wire: w, set: dmserver.DefaultSettings(), closed: make(chan struct{})}
}

func (p *pace) Set(s dmserver.Settings) {
	p.mu.Lock()
	p.set = s
	p.mu.Unlock()
	p.Wire.Set(s)
}

func (p *pace) Close() error {
	p.once.Do(func() { close(p.closed) })
	return p.Wire.Close()
}

// pieces of a paced line are as long as this takes, and one character at least.
const pieceTime = 5 * time.Millisecond

// Send waits until the characters before have left the line, and then takes some more.
func (p *pace) Send(b []byte) (int, error) {
	p.mu.Lock()
	char := time.Second
	if p.set.Baud > 0 {
		char = time.Duration(p.set.Line.Bits()) * time.Second / time.Duration(p.set.Baud)
	}
	now := time.Now()
	if p.free.Before(now) && now.Sub(p.last) > pieceTime { // the line was idle; else only our timer is late, which a line never is
		p.free = now
	}
	n := min(len(b), max(1, int(pieceTime/max(char, 1))))
	p.free = p.free.Add(time.Duration(n) * char)
	wait := p.free.Sub(now)
	p.mu.Unlock()
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-p.closed:
		return 0, net.ErrClosed
	}
	defer func() {
		p.mu.Lock()
		p.last = time.Now()
		p.mu.Unlock()
	}()
	for done := 0; done < n; {
		k, err := p.Wire.Send(b[done:n])
		if err != nil {
			return done, err
		}
		done += k
	}
	return n, nil
}
