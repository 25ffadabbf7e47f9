package gateway

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// directMost is how many bytes at once may be passed on without Read, which costs the latter's waking. Of more the copying costs more,
// and two goroutines do it at the same time.
const directMost = 1 << 10

// defaultStreamBuffer is how many bytes from the line wait for one reader.
const defaultStreamBuffer = 64 << 10

// tap is one caller's part of a hub. Its lock is the hub's for everything but the bytes that wait.
type tap struct {
	h        *hub
	who      driver.Who
	opt      north.StreamOptions
	yields   bool // whoever wants to own the port gets it
	happened driver.LineEvent
	seen     <-chan struct{} // the change that State has told
	life     context.Context // ends with the tap
	over     context.CancelFunc

	in       sync.Mutex
	arrived  sync.Cond
	ring     []byte
	from, n  int
	missed   uint64 // dropped behind what waits
	ahead    uint64 // dropped in front of what waits
	lost     uint64 // told by Lost
	full     bool   // somebody waits for room
	waits    bool   // Read waits: the caller has nothing in its hands
	direct   func(b []byte) int
	err      error
	deadline time.Time
	timer    *time.Timer
}

func newTap(h *hub, who driver.Who, opt north.StreamOptions) *tap {
	size := opt.Buffer
	if size <= 0 {
		size = defaultStreamBuffer
	}
	t := &tap{h: h, who: who, opt: opt, ring: make([]byte, size)}
	t.life, t.over = context.WithCancel(context.Background())
	t.arrived.L = &t.in
	return t
}

func (t *tap) name() string {
	switch {
	case t.who.User != "":
		return t.who.User + " (" + t.who.Door + ")"
	case t.who.Addr != "":
		return t.who.Door + " " + t.who.Addr
	}
	return t.who.Door
}

// accept takes what there is room for.
func (t *tap) accept(b []byte) int {
	t.in.Lock()
	defer t.in.Unlock()
	took := 0
	if t.waits && t.n == 0 && t.direct != nil && t.err == nil && len(b) <= directMost && t.opt.Coalesce == 0 { // nothing is on its way before b
		took = t.direct(b)
	}
	took += t.put(b[took:])
	t.full = took < len(b)
	return took
}

func (t *tap) put(b []byte) (took int) {
	for len(b) > 0 && t.n < len(t.ring) {
		at := (t.from + t.n) % len(t.ring)
		end := min(len(t.ring), at+len(t.ring)-t.n)
		k := copy(t.ring[at:end], b)
		b, t.n, took = b[k:], t.n+k, took+k
	}
	if took > 0 {
		t.arrived.Broadcast()
	}
	return took
}

// offer takes b or as much of it as there is room for, and returns how much was lost. After a loss nothing is taken until the
// reader has read what was there, so that the gap has one place.
func (t *tap) offer(b []byte) (lost uint64) {
	t.in.Lock()
	defer t.in.Unlock()
	if t.missed > 0 && t.n > 0 {
		t.missed += uint64(len(b))
		return uint64(len(b))
	}
	t.ahead, t.missed = t.ahead+t.missed, 0
	lost = uint64(len(b) - t.put(b))
	t.missed = lost
	return lost
}

// end makes reads fail once they have got what waits.
func (t *tap) end(err error) {
	t.in.Lock()
	defer t.in.Unlock()
	if t.err == nil {
		t.err = err
		t.over()
		t.arrived.Broadcast()
	}
}

func (t *tap) endedLocked() error {
	t.in.Lock()
	defer t.in.Unlock()
	return t.err
}

// Read waits for bytes.
func (t *tap) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	t.in.Lock()
	for t.n == 0 {
		var err error
		switch {
		case t.err != nil:
			err = t.err
		case !t.deadline.IsZero() && !time.Now().Before(t.deadline):
			err = os.ErrDeadlineExceeded
		}
		if err != nil {
			t.in.Unlock()
			return 0, err
		}
		t.waits = true
		t.arrived.Wait()
		t.waits = false
	}
	if t.opt.Coalesce > 0 && t.n < len(p) && t.err == nil {
		t.in.Unlock()
		time.Sleep(t.opt.Coalesce)
		t.in.Lock()
	}
	n := 0
	for n < len(p) && t.n > 0 {
		end := min(len(t.ring), t.from+t.n)
		k := copy(p[n:], t.ring[t.from:end])
		t.from, t.n, n = (t.from+k)%len(t.ring), t.n-k, n+k
	}
	t.lost, t.ahead = t.lost+t.ahead, 0
	full := t.full
	t.full = false
	t.in.Unlock()
	if full {
		t.h.mu.Lock()
		t.h.room()
		t.h.mu.Unlock()
	}
	return n, nil
}

// Direct leaves out Read, and the waking of whoever waits in it, for what can be passed on at once.
func (t *tap) Direct(write func(b []byte) int) {
	t.in.Lock()
	defer t.in.Unlock()
	t.direct = write
}

// SetReadDeadline bounds Read, the one that waits too.
func (t *tap) SetReadDeadline(at time.Time) error {
	t.in.Lock()
	defer t.in.Unlock()
	t.deadline = at
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
	if !at.IsZero() {
		t.timer = time.AfterFunc(time.Until(at), func() {
			t.in.Lock() // a Read that has looked at the time and does not wait yet would miss it
			defer t.in.Unlock()
			t.arrived.Broadcast()
		})
	}
	t.arrived.Broadcast()
	return nil
}

// Lost is what did not fit, up to what Read returned last.
func (t *tap) Lost() uint64 {
	t.in.Lock()
	defer t.in.Unlock()
	return t.lost
}

// Write hands bytes to the device.
func (t *tap) Write(p []byte) (int, error) {
	if !t.opt.Own {
		return 0, north.ErrNotOwner
	}
	if len(p) == 0 {
		return 0, t.endedLocked()
	}
	return t.h.send(t, p)
}

// State waits for the next change.
func (t *tap) State(ctx context.Context) (north.StreamState, error) {
	h := t.h
	for {
		h.mu.Lock()
		changed := h.changed
		if t.seen != changed {
			t.seen = changed
			s, err := h.state(t), t.endedLocked()
			h.mu.Unlock()
			return s, err
		}
		h.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return north.StreamState{}, ctx.Err()
		}
	}
}

// owned is the stream for what only the owner may do; nil while the port is not open.
func (t *tap) owned() (driver.Stream, error) {
	t.h.mu.Lock()
	defer t.h.mu.Unlock()
	if err := t.endedLocked(); err != nil {
		return nil, err
	}
	if t.h.owner != t {
		return nil, north.ErrNotOwner
	}
	return t.h.stream, nil
}

// Set changes the line.
func (t *tap) Set(ctx context.Context, line driver.Line) (driver.Line, error) {
	h := t.h
	s, err := t.owned()
	if err != nil {
		return driver.Line{}, err
	}
	h.mu.Lock()
	h.want = line.Over(h.want)
	if s == nil && h.opening { // settings and bytes keep their order
		h.mu.Unlock()
		if s, err = h.ready(t); err != nil {
			s = nil
		}
		h.mu.Lock()
	}
	h.mu.Unlock()
	if s == nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.want.Over(h.line), nil
	}
	in, err := s.Set(ctx, line)
	if err != nil {
		return in, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	in = in.Over(h.line)
	if in != h.line {
		h.line = in
		h.touch()
	}
	return in, nil
}

// Flush drops what is buffered, here too.
func (t *tap) Flush(ctx context.Context, in, out bool) error {
	s, err := t.owned()
	if err != nil || s == nil {
		return err
	}
	err = s.Flush(ctx, in, out)
	if in {
		t.in.Lock()
		t.from, t.n = 0, 0
		t.in.Unlock()
		t.h.mu.Lock()
		t.h.room()
		t.h.mu.Unlock()
	}
	return err
}

// Drain waits until what was written has left.
func (t *tap) Drain(ctx context.Context) error {
	s, err := t.owned()
	if err != nil || s == nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(t.life, cancel) // the next owner's bytes are not waited for
	defer stop()
	if err := s.Drain(ctx); err != nil {
		return errors.Join(t.endedLocked(), err)
	}
	return nil
}

// Yield lets the next owner take over without asking for it.
func (t *tap) Yield(on bool) {
	t.h.mu.Lock()
	defer t.h.mu.Unlock()
	t.yields = on
	if on {
		t.h.touch()
	}
}

// Unacked is what the device may not have yet.
func (t *tap) Unacked() int {
	t.h.mu.Lock()
	s := t.h.stream
	t.h.mu.Unlock()
	if s == nil {
		return 0
	}
	return s.Unacked()
}

// Close lets go. The last who holds the port gives it back, and Close waits for that.
func (t *tap) Close() error {
	h := t.h
	t.end(net.ErrClosed)
	h.mu.Lock()
	var wait <-chan struct{}
	if h.taps[t] {
		delete(h.taps, t)
		if h.owner == t {
			h.owner = nil
		}
		wait = h.settle()
		h.touch()
		h.room()
	}
	h.mu.Unlock()
	if wait != nil {
		<-wait
	}
	t.in.Lock()
	defer t.in.Unlock()
	if t.timer != nil {
		t.timer.Stop()
	}
	return nil
}
