package openswitcher

import (
	"errors"
	"sync"
)

// ErrBacklog says that more waits to be sent than may.
var ErrBacklog = errors.New("too much waits for this connection")

// Outbox is what waits to be written to a connection, bounded, so that whoever has something to say never waits. Packets may
// be shared by many outboxes and must not change. Make it with [NewOutbox]; its methods may be called at the same time.
type Outbox struct {
	max int

	mu     sync.Mutex
	some   sync.Cond
	queue  [][]byte
	size   int
	closed bool
	joined []byte // memory of Take
}

// NewOutbox holds max bytes.
func NewOutbox(max int) *Outbox {
	o := &Outbox{max: max}
	o.some.L = &o.mu
	return o
}

// Add adds packets, all or none of them. The error is [ErrBacklog].
func (o *Outbox) Add(packets ...[]byte) error {
	n := 0
	for _, p := range packets {
		n += len(p)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.size+n > o.max {
		return ErrBacklog
	}
	o.queue = append(o.queue, packets...)
	o.size += n
	o.some.Signal()
	return nil
}

// most is how much Take joins.
const most = 64 << 10

// Take waits for packets and returns what is to be written next: one packet, or several joined. It is valid until the next
// call, and must not be changed. ok is false after [Outbox.Close].
func (o *Outbox) Take() (b []byte, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.queue) == 0 && !o.closed {
		o.some.Wait()
	}
	if o.closed {
		return nil, false
	}
	n, size := 0, 0
	for n < len(o.queue) && (n == 0 || size+len(o.queue[n]) <= most) {
		size += len(o.queue[n])
		n++
	}
	if b = o.queue[0]; n > 1 {
		b = o.joined[:0]
		for _, p := range o.queue[:n] {
			b = append(b, p...)
		}
		if o.joined = b; len(b) > 4<<10 {
			o.joined = nil // a dump is sent once
		}
	}
	clear(o.queue[:n])
	if o.queue = o.queue[n:]; len(o.queue) == 0 {
		o.queue = nil
	}
	o.size -= size
	return b, true
}

// Waiting is how many bytes wait.
func (o *Outbox) Waiting() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.size
}

// Close ends Take; what waits is dropped.
func (o *Outbox) Close() {
	o.mu.Lock()
	o.closed, o.queue = true, nil
	o.some.Broadcast()
	o.mu.Unlock()
}
