package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// hub shares one stream of one device. While somebody wants the port it keeps it open, over the ends of sessions; what comes from
// the line goes to the owner, who may hold it up, and to the observers, who may not.
type hub struct {
	l    *link
	path device.Path

	write sync.Mutex // held while bytes go to the device

	mu      sync.Mutex
	owner   *tap
	taps    map[*tap]bool
	cancel  context.CancelFunc // of the one that keeps the port open; nil: nobody does
	done    chan struct{}      // closed when it has returned
	closed  bool               // the device is gone
	stream  driver.Stream      // nil while the port is not open
	raise   bool               // the device leaves RTS and DTR to whoever opens it
	opening bool               // an answer of the device is to be expected
	why     error              // why the port is not open
	want    driver.Line
	line    driver.Line // in force
	event   driver.LineEvent
	counts  north.StreamCounts
	changed chan struct{} // closed and replaced
	drained chan struct{} // closed and replaced when the owner has read
}

func newHub(l *link, path device.Path) *hub {
	return &hub{l: l, path: path, taps: map[*tap]bool{}, changed: make(chan struct{}), drained: make(chan struct{})}
}

// touch wakes everybody who waits for a change; the lock is held.
func (h *hub) touch() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// room wakes the one who waits for the owner to read; the lock is held.
func (h *hub) room() {
	close(h.drained)
	h.drained = make(chan struct{})
}

// wanted reports whether the port is to be open; the lock is held.
func (h *hub) wanted() bool {
	if h.owner != nil {
		return true
	}
	for t := range h.taps {
		if t.opt.Hold {
			return true
		}
	}
	return false
}

// settle starts or ends the one that keeps the port open; the lock is held. It returns what to wait for after unlocking.
func (h *hub) settle() (wait <-chan struct{}) {
	switch {
	case h.wanted() && h.cancel == nil && !h.closed:
		ctx, cancel := context.WithCancel(context.Background())
		before := h.done
		h.cancel, h.done, h.opening = cancel, make(chan struct{}), true
		go h.keep(ctx, before, h.done)
	case !h.wanted() && h.cancel != nil:
		h.cancel()
		h.cancel = nil
		h.want = driver.Line{}
		h.stream = nil // it is being given back: whoever comes now writes to the next one
		return h.done
	}
	return nil
}

// reopenPause is the pause before a port that could not be opened is tried again while the session lives.
const reopenPause = time.Second

// keep holds the port open until ctx ends.
func (h *hub) keep(ctx context.Context, before <-chan struct{}, done chan<- struct{}) {
	defer close(done)
	if before != nil {
		<-before
	}
	for ctx.Err() == nil {
		v, err := h.session(ctx)
		if err != nil {
			return
		}
		err = h.hold(ctx, v)
		if ctx.Err() != nil {
			return
		}
		h.mu.Lock()
		h.opening, h.why = false, h.l.g.scrubbed(err)
		givenUp := errors.Is(err, driver.ErrTaken) && h.giveUp()
		h.touch()
		h.mu.Unlock()
		if givenUp {
			h.l.log.Warn("another host has taken the port by force; it is opened again when somebody asks for it", "path", string(h.path), "error", err)
			return
		}
		select { // a session that is gone is waited for above
		case <-v.gone:
			continue
		default:
		}
		pause := time.NewTimer(reopenPause)
		select {
		case <-ctx.Done():
		case <-v.gone:
		case <-pause.C:
		}
		pause.Stop()
	}
}

// giveUp lets go of a port that another host has taken by force, unless somebody here is to take it back: the owner ends, and who held
// it open reads on without holding it. It reports whether the port stays closed. The lock is held.
func (h *hub) giveUp() bool {
	for t := range h.taps {
		if t.opt.Retake && (t == h.owner || t.opt.Hold) {
			return false
		}
	}
	for t := range h.taps {
		t.opt.Hold = false
	}
	if h.owner != nil {
		h.owner.end(fmt.Errorf("%w, by force: %w", north.ErrStreamTaken, h.why))
		delete(h.taps, h.owner)
		h.owner = nil
		h.room()
	}
	h.settle()
	return true
}

// session waits for a live one.
func (h *hub) session(ctx context.Context) (*live, error) {
	for {
		h.l.mu.Lock()
		v, arrived := h.l.live, h.l.arrived
		h.l.mu.Unlock()
		h.mu.Lock()
		if h.opening != (v != nil) {
			h.opening = v != nil
			h.touch()
		}
		h.mu.Unlock()
		if v != nil {
			return v, nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

var errNoStreams = errors.New("this connection to the device has no streams")

// hold opens the port on one session and reads from it until it ends. It returns why.
func (h *hub) hold(ctx context.Context, v *live) error {
	if v.abilities.Streamer == nil {
		return &driver.Error{Op: "open " + string(h.path), Target: h.l.name, Class: driver.Unsupported, Err: errNoStreams}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := h.open(ctx, v)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	wg.Go(func() { // closing ends everything that waits on the stream
		select {
		case <-ctx.Done():
		case <-v.gone:
		}
		if err := s.Close(); err != nil {
			h.l.log.Debug("closing a stream", "path", string(h.path), "error", err)
		}
	})
	wg.Go(func() { h.watch(ctx, s) })
	if in, err := s.Set(ctx, driver.Line{}); err == nil { // what is in force, without changing it
		h.mu.Lock()
		h.line = in.Over(h.line)
		h.touch()
		h.mu.Unlock()
	}
	err = h.l.guard("read stream", func() error { return h.distribute(ctx, s) })
	why := h.l.g.scrubbed(err)
	if ctx.Err() != nil { // closed because nobody wants it: what the read says of that is no fault
		why = nil
	}
	cancel()
	wg.Wait()
	h.write.Lock() // what is being written has come back now
	h.mu.Lock()
	h.stream, h.why = nil, why
	h.counts.Uncertain += uint64(max(s.Unacked(), 0))
	h.event = driver.LineEvent{}
	h.touch()
	h.mu.Unlock()
	h.write.Unlock()
	return err
}

// open opens the port and puts into force what is wanted of it, also by an owner who comes meanwhile, before anybody can write.
func (h *hub) open(ctx context.Context, v *live) (s driver.Stream, err error) {
	cfg := h.l.config()
	inTime, cancel := context.WithTimeout(ctx, cfg.openTimeout())
	defer cancel()
	h.mu.Lock()
	h.raise = v.abilities.Raise
	want := h.lines()
	h.mu.Unlock()
	err = h.l.guard("open stream", func() (err error) {
		s, err = v.abilities.Streamer.OpenStream(inTime, h.path, want)
		return err
	})
	if err != nil {
		return nil, err
	}
	for err == nil {
		h.mu.Lock()
		now := h.lines()
		if err = ctx.Err(); err == nil && now == want {
			h.line = want.Over(h.line)
			h.stream, h.opening, h.why = s, false, nil
			h.counts.Opens++
			h.touch()
			h.mu.Unlock()
			return s, nil
		}
		h.mu.Unlock()
		if err == nil {
			want = now
			err = h.l.guard("set line", func() (err error) {
				_, err = s.Set(inTime, want)
				return err
			})
		}
	}
	if err := s.Close(); err != nil {
		h.l.log.Debug("closing a stream", "path", string(h.path), "error", err)
	}
	return nil, err
}

// lines is what the port is to have, with RTS and DTR raised for an owner who counts on that; the lock is held.
func (h *hub) lines() driver.Line {
	if h.raise && h.owner != nil && !h.owner.opt.Leave {
		h.want = h.want.Over(missing(h.want))
	}
	return h.want
}

// missing raises what a line does not name of RTS and DTR.
func missing(named driver.Line) (up driver.Line) {
	on := true
	if named.RTS == nil {
		up.RTS = &on
	}
	if named.DTR == nil {
		up.DTR = &on
	}
	return up
}

// distribute reads from the line until it ends.
func (h *hub) distribute(ctx context.Context, s driver.Stream) error {
	buf := make([]byte, 16<<10)
	for {
		n, err := s.Read(buf)
		if n > 0 {
			h.deliver(ctx, buf[:n])
		}
		if err != nil && !late(err) {
			return err
		}
	}
}

// late reports whether only a deadline has passed and the stream lives on. The end of a stream may have had a deadline as its cause as
// well, such as that of a link whose far end has gone silent.
func late(err error) bool {
	var end *driver.Error
	return errors.Is(err, os.ErrDeadlineExceeded) && !errors.As(err, &end)
}

// deliver gives bytes to everybody: at once to observers, and as fast as it takes them to the owner.
func (h *hub) deliver(ctx context.Context, b []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counts.In += uint64(len(b))
	for t := range h.taps {
		switch {
		case t.opt.Trace != nil:
			t.opt.Trace(false, b)
		case t != h.owner:
			h.counts.Lost += t.offer(b)
		}
	}
	for owner := h.owner; owner != nil && len(b) > 0; {
		n := owner.accept(b)
		b = b[n:]
		if len(b) == 0 {
			break
		}
		drained := h.drained
		h.mu.Unlock()
		select {
		case <-drained:
		case <-ctx.Done():
		}
		h.mu.Lock()
		if h.owner != owner || ctx.Err() != nil { // what is left was for somebody who is gone
			break
		}
	}
}

// watch takes over what happens on the lines.
func (h *hub) watch(ctx context.Context, s driver.Stream) {
	for {
		e, err := s.Event(ctx)
		if err != nil {
			return
		}
		h.mu.Lock()
		h.event = driver.LineEvent{CTS: e.CTS, DSR: e.DSR, CD: e.CD, RI: e.RI}
		for t := range h.taps {
			t.happened = orEvents(t.happened, e)
		}
		h.touch()
		h.mu.Unlock()
	}
}

// orEvents adds what happened; the state of the lines is that of e.
func orEvents(before, e driver.LineEvent) driver.LineEvent {
	e.Break = e.Break || before.Break
	e.Framing = e.Framing || before.Framing
	e.Parity = e.Parity || before.Parity
	e.Overrun = e.Overrun || before.Overrun
	e.Ringed = e.Ringed || before.Ringed
	e.Idle = e.Idle || before.Idle
	return e
}

// send writes for the owner. It returns how much was handed to the device; the rest is dropped and counted, unless keep.
func (h *hub) send(t *tap, b []byte) (n int, err error) {
	for {
		s, err := h.ready(t)
		if err != nil {
			if errors.Is(err, north.ErrStreamDown) {
				h.drop(len(b) - n)
			}
			return n, err
		}
		h.write.Lock()
		h.mu.Lock()
		current := h.stream == s && h.owner == t
		h.mu.Unlock()
		if !current {
			h.write.Unlock()
			continue
		}
		k, err := s.Write(b[n:])
		h.mu.Lock()
		h.counts.Out += uint64(k)
		for x := range h.taps {
			if x.opt.Trace != nil && k > 0 {
				x.opt.Trace(true, b[n:n+k])
			}
		}
		n += k
		h.mu.Unlock()
		h.write.Unlock()
		switch {
		case err == nil:
			return n, nil
		case late(err):
			continue
		}
		if err := s.Close(); err != nil { // a stream that takes nothing is dead for reading too
			h.l.log.Debug("closing a stream", "path", string(h.path), "error", err)
		}
		if t.opt.Keep {
			h.gone(s)
			continue
		}
		h.drop(len(b) - n)
		return n, errors.Join(north.ErrStreamDown, h.l.g.scrubbed(err))
	}
}

// gone waits until a stream that has failed is taken away.
func (h *hub) gone(s driver.Stream) {
	for {
		h.mu.Lock()
		present, changed := h.stream == s, h.changed
		h.mu.Unlock()
		if !present {
			return
		}
		<-changed
	}
}

func (h *hub) drop(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counts.Dropped += uint64(n)
	h.touch()
}

// ready waits while the port is being opened. Without a link it waits only for an owner who wants its bytes kept.
func (h *hub) ready(t *tap) (driver.Stream, error) {
	for {
		h.mu.Lock()
		s, opening, changed, why := h.stream, h.opening, h.changed, h.why
		err := t.endedLocked()
		if err == nil && h.owner != t {
			err = north.ErrNotOwner
		}
		h.mu.Unlock()
		switch {
		case err != nil:
			return nil, err
		case s != nil:
			return s, nil
		case !opening && !t.opt.Keep:
			return nil, errors.Join(north.ErrStreamDown, why)
		}
		<-changed
	}
}

// state is a snapshot for one tap; the lock is held.
func (h *hub) state(t *tap) north.StreamState {
	s := north.StreamState{Open: h.stream != nil, Line: h.line, Event: orEvents(t.happened, h.event), Counts: h.counts}
	t.happened = driver.LineEvent{}
	if h.why != nil && h.stream == nil {
		s.Why, s.Hint = h.why.Error(), driver.HintOf(h.why)
	}
	if h.owner != nil {
		s.Owner = h.owner.name()
	}
	for x := range h.taps {
		if x != h.owner {
			s.Observers++
		}
	}
	return s
}

// shut ends everything for good.
func (h *hub) shut() {
	h.mu.Lock()
	h.closed = true
	for t := range h.taps {
		t.end(net.ErrClosed)
	}
	clear(h.taps)
	h.owner = nil
	wait := h.settle()
	h.touch()
	h.mu.Unlock()
	if wait != nil {
		<-wait
	}
}
