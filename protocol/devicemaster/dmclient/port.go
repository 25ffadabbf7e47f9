package dmclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/patchbay-io/patchbay/protocol/devicemaster"
)

// Event is the state of a line, and what happened on it since the event before.
type Event struct {
	Inputs devicemaster.Inputs     // as they are now
	Errors devicemaster.LineErrors // at least one of each came
	Idle   bool                    // nothing came for the time that was set
}

// Counts are what went through a port since it was opened.
type Counts struct {
	In, Out                          uint64 // bytes of the line that were received; bytes that Write has taken
	Framing, Parity, Overrun, Breaks uint64
}

type portState uint8

const (
	opening portState = iota
	assigned
	ready
	closing
	closed
)

// Port is an open port. One goroutine may read and one write, and others call the rest, at the same time.
type Port struct {
	l      *Link
	number int

	// What follows is guarded by the link's lock.
	state               portState
	over                error // why the port is no longer ours; nil while it is
	settings            Settings
	event               Event
	news                bool // event has something to tell
	counts              Counts
	flow                devicemaster.Flow
	uncertain           int // bytes whose fate a resynchronisation has hidden
	held                []byte
	heldAt              int    // start of what is unread in held
	taken, read         uint64 // bytes received, bytes read or dropped
	acked               uint64 // of read, those that the box was told of
	asked, done         int    // actions that were asked for, and those that are answered or given up
	doneAt              uint64 // what taken was at the last answer
	readBy, writeBy     time.Time
	readable, writable  bell
	changed, eventsBell bell
}

// Open takes a port, counted from 0, puts the settings into force and returns when the box has taken them. The error wraps
// [ErrBusy], [ErrNoPort], [ErrOpen], [ErrNoAnswer], [ErrLinkDown] or the context's; the port is then given back.
func (l *Link) Open(ctx context.Context, port int, s Settings) (*Port, error) {
	p := &Port{l: l, number: port, settings: s}
	if port < 0 || port >= l.Ports() {
		return nil, p.fail("open", ErrNoPort)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cause != nil {
		return nil, p.fail("open", l.cause)
	}
	if l.slots[port].port != nil {
		return nil, p.fail("open", ErrOpen)
	}
	l.slots[port].port = p
	if err := p.open(ctx); err != nil {
		p.abandon()
		return nil, p.fail("open", err)
	}
	l.changed()
	return p, nil
}

func (p *Port) open(ctx context.Context) error {
	l, until := p.l, time.Now().Add(openWait)
	l.selectPort(p.number)
	l.out = devicemaster.AppendAsk(l.out, devicemaster.AskOpen)
	l.flush()
	for p.state == opening && p.over == nil {
		if err := l.wait(ctx, &p.changed, until); err != nil {
			return noAnswer(err)
		}
	}
	if p.over != nil {
		return p.over
	}
	until = time.Now().Add(openWait)
	l.selectPort(p.number)
	l.out = devicemaster.AppendTotal(l.out, 0)
	l.out = p.settings.append(l.out)
	want := p.act(devicemaster.Flush) // last: its answer says that the settings were taken
	for p.done < want && p.over == nil {
		if err := l.wait(ctx, &p.changed, until); errors.Is(err, os.ErrDeadlineExceeded) {
			l.stats.Unanswered++ // not fatal, as with the maker's driver
			p.done = max(p.done, want)
		} else if err != nil {
			return err
		}
	}
	if p.over != nil {
		return p.over
	}
	p.state, p.news = ready, true
	return nil
}

func noAnswer(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrNoAnswer, err)
	}
	return err
}

// abandon gives a port back that was not opened; mu is held.
func (p *Port) abandon() {
	l := p.l
	if l.slots[p.number].port != p {
		return
	}
	l.slots[p.number].port = nil
	if l.cause == nil {
		p.giveBack()
	}
}

// giveBack asks the box to close the port. RTS, DTR and break that were set fall before, as with the maker's drivers; what a box does
// with them by itself is not known. mu is held.
func (p *Port) giveBack() {
	l := p.l
	l.selectPort(p.number)
	if o := p.settings.Outputs; o != nil && *o != 0 && p.state != opening {
		l.out = devicemaster.AppendOutputs(l.out, 0)
	}
	l.out = devicemaster.AppendAsk(l.out, devicemaster.AskClose)
	l.flush()
}

// fail names the operation, the box and the port as people count them.
func (p *Port) fail(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("devicemaster %s %s port %d: %w", op, p.l.addr, p.number+1, err)
}

// Number is the port's number, counted from 0.
func (p *Port) Number() int { return p.number }

// end makes the port fail; mu is held. The first cause stays.
func (p *Port) end(cause error) {
	if p.over != nil {
		return
	}
	p.over = cause
	p.ringAll()
}

func (p *Port) ringAll() {
	p.readable.ring()
	p.writable.ring()
	p.changed.ring()
	p.eventsBell.ring()
}

// take keeps bytes that came from the line.
func (p *Port) take(b []byte) {
	if p.state == closing || len(b) == 0 {
		return
	}
	if len(p.held)-p.heldAt+len(b) > maxHeld {
		p.l.end(fmt.Errorf("port %d: %w", p.number+1, ErrFlow))
		return
	}
	if p.heldAt > 0 && len(p.held)+len(b) > cap(p.held) {
		p.held = p.held[:copy(p.held, p.held[p.heldAt:])]
		p.heldAt = 0
	}
	p.held = append(p.held, b...)
	p.taken += uint64(len(b))
	p.counts.In += uint64(len(b))
	p.readable.ring()
}

func (p *Port) count(e devicemaster.LineErrors) {
	for _, x := range []struct {
		bit devicemaster.LineErrors
		n   *uint64
	}{{devicemaster.FramingError, &p.counts.Framing}, {devicemaster.ParityError, &p.counts.Parity},
		{devicemaster.Overflow, &p.counts.Overrun}, {devicemaster.BreakError, &p.counts.Breaks}} {
		if e&x.bit != 0 {
			*x.n++
		}
	}
	p.event.Errors |= e
	p.happened()
}

// happened makes the event one that is to be told.
func (p *Port) happened() {
	p.news = true
	p.eventsBell.ring()
}

// Read waits for bytes of the line and returns what is there. What has come before the port was lost can still be read.
func (p *Port) Read(b []byte) (int, error) {
	l := p.l
	l.mu.Lock()
	defer l.mu.Unlock()
	for p.heldAt == len(p.held) || p.over == net.ErrClosed {
		if p.over != nil {
			return 0, p.fail("read", p.over)
		}
		if len(b) == 0 {
			return 0, nil
		}
		if p.acknowledge() {
			l.flush() // gives up the lock: look again
			continue
		}
		if err := l.wait(context.Background(), &p.readable, p.readBy); err != nil && p.over == nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				if !passed(p.readBy) {
					continue // the deadline was moved
				}
				return 0, err
			}
			return 0, p.fail("read", err)
		}
	}
	if passed(p.readBy) {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(b, p.held[p.heldAt:])
	p.drop(n)
	return n, nil
}

// ackEvery is how many bytes are read before the box is told at once. Fewer are told when a Read finds nothing more, or with
// the next Write: so the reader has its bytes before the acknowledgement costs time.
const ackEvery = 512

// drop passes over n bytes that were received; mu is held.
func (p *Port) drop(n int) {
	p.heldAt += n
	p.read += uint64(n)
	if p.heldAt == len(p.held) {
		p.held, p.heldAt = p.held[:0], 0
	}
	if p.read-p.acked >= ackEvery && p.acknowledge() {
		p.l.flush()
	}
}

// acknowledge appends what the box was not told yet, and reports whether there was something; mu is held.
func (p *Port) acknowledge() bool {
	if p.over != nil || p.read == p.acked {
		return false
	}
	p.acked = p.read
	p.l.selectPort(p.number)
	p.l.out = devicemaster.AppendTotal(p.l.out, uint16(p.read))
	return true
}

// Write sends b, and waits while more than [devicemaster.Window] bytes are not acknowledged. It returns how many bytes were
// handed to the link.
func (p *Port) Write(b []byte) (int, error) {
	l := p.l
	l.mu.Lock()
	defer l.mu.Unlock()
	done := 0
	for {
		switch {
		case done == len(b) && done > 0:
			return done, nil
		case p.over != nil:
			return done, p.fail("write", p.over)
		case passed(p.writeBy):
			return done, os.ErrDeadlineExceeded
		case done == len(b):
			return done, nil
		}
		n := min(p.flow.Room(), len(b)-done, devicemaster.MaxBlock)
		if n > 0 {
			p.acknowledge()
			l.selectPort(p.number)
			l.out = devicemaster.AppendData(l.out, b[done:done+n])
			p.flow.Sent(n)
			p.counts.Out += uint64(n)
			done += n
			if p.flow.Room() == 0 || done == len(b) {
				l.flush()
			}
			continue
		}
		if err := l.wait(context.Background(), &p.writable, p.writeBy); err != nil && p.over == nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return done, p.fail("write", err)
		}
	}
}

func passed(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }

// SetDeadline bounds Read and Write, those in progress too; the error is os.ErrDeadlineExceeded. The zero time is never.
func (p *Port) SetDeadline(t time.Time) error {
	p.l.mu.Lock()
	defer p.l.mu.Unlock()
	if p.over != nil {
		return p.fail("set deadline", p.over)
	}
	p.readBy, p.writeBy = t, t
	p.readable.ring()
	p.writable.ring()
	return nil
}

// Close gives the port back and waits a second at most for the answer. Bytes that are not on the line yet may be lost: see
// [Port.Drain]. Calls in progress fail with net.ErrClosed. Closing again does nothing.
func (p *Port) Close() error {
	l := p.l
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.over != nil {
		p.over = closedOr(p.over)
		return nil
	}
	p.state, p.over = closing, net.ErrClosed
	p.ringAll()
	p.giveBack()
	until := time.Now().Add(openWait)
	for p.state == closing {
		if l.wait(context.Background(), &p.changed, until) != nil {
			break // not fatal, as with the maker's driver
		}
	}
	if l.slots[p.number].port == p {
		l.slots[p.number].port = nil
	}
	l.changed()
	return nil
}

// closedOr keeps the cause of a port that was lost before it was closed, for those who ask later.
func closedOr(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return err
	}
	return &closedAfter{err}
}

type closedAfter struct{ cause error }

func (c *closedAfter) Error() string   { return c.cause.Error() }
func (c *closedAfter) Unwrap() []error { return []error{net.ErrClosed, c.cause} }

// Unacked is how many bytes that Write has taken the box has not acknowledged. When the port is over it stays what it was:
// nobody knows whether they arrived.
func (p *Port) Unacked() int {
	p.l.mu.Lock()
	defer p.l.mu.Unlock()
	return p.flow.Outstanding() + p.uncertain
}

// Counts are what went through the port so far.
func (p *Port) Counts() Counts {
	p.l.mu.Lock()
	defer p.l.mu.Unlock()
	return p.counts
}

// Inputs are the modem inputs as the box told them last.
func (p *Port) Inputs() devicemaster.Inputs {
	p.l.mu.Lock()
	defer p.l.mu.Unlock()
	return p.event.Inputs
}

// Err is why the port is no longer ours; nil while it is.
func (p *Port) Err() error {
	p.l.mu.Lock()
	defer p.l.mu.Unlock()
	return p.over
}

// Flush drops what is buffered at the box and here: in is what came from the line and was not read, out what is not on the
// line yet. It returns when the box has done it; the error wraps [ErrNoAnswer] when it does not say so within a second.
func (p *Port) Flush(ctx context.Context, in, out bool) error {
	var a devicemaster.Action
	if in {
		a |= devicemaster.FlushInput
	}
	if out {
		a |= devicemaster.FlushOutput
	}
	if a == 0 {
		return nil
	}
	l := p.l
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.over != nil {
		return p.fail("flush", p.over)
	}
	until := time.Now().Add(openWait)
	want := p.act(a)
	for p.done < want {
		err := l.wait(ctx, &p.changed, until)
		if p.over != nil {
			return p.fail("flush", p.over)
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			p.done = max(p.done, want) // its answer is lost, and the next one is for the next
		}
		if err != nil {
			return p.fail("flush", noAnswer(err))
		}
	}
	if in && p.read < p.doneAt { // what came before the answer came before the flush
		p.drop(int(min(p.doneAt-p.read, uint64(len(p.held)-p.heldAt))))
	}
	return nil
}

// act asks for actions and returns what done is when they are answered: the box answers in the order of the questions. mu is
// held.
func (p *Port) act(a devicemaster.Action) int {
	l := p.l
	l.selectPort(p.number)
	l.out = devicemaster.AppendAction(l.out, a)
	p.asked++
	want := p.asked
	l.flush()
	return want
}

// Drain waits until the box has acknowledged everything, which it does when bytes go to the line.
func (p *Port) Drain(ctx context.Context) error {
	l := p.l
	l.mu.Lock()
	defer l.mu.Unlock()
	for p.flow.Outstanding() > 0 {
		if p.over != nil {
			return p.fail("drain", p.over)
		}
		if err := l.wait(ctx, &p.writable, time.Time{}); err != nil && p.over == nil {
			return p.fail("drain", err)
		}
	}
	return p.fail("drain", p.over)
}

// Event waits for the next change of the line; the first call returns the state at once.
func (p *Port) Event(ctx context.Context) (Event, error) {
	l := p.l
	l.mu.Lock()
	defer l.mu.Unlock()
	for !p.news {
		if p.over != nil {
			return Event{}, p.fail("event", p.over)
		}
		if err := l.wait(ctx, &p.eventsBell, time.Time{}); err != nil && p.over == nil {
			return Event{}, p.fail("event", err)
		}
	}
	if p.over == net.ErrClosed {
		return Event{}, p.fail("event", p.over)
	}
	e := p.event
	p.news, p.event = false, Event{Inputs: e.Inputs}
	return e, nil
}
