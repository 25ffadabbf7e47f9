package simulate

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/lab/replay"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmsim"
)

// flushWait is how long a recorded line waits for its client to drop what was received. Drivers do that when they have opened a
// port, and would drop the first words.
const flushWait = time.Second

// recordedLine says what a line said in a recording, when as much has been sent to it as in the recording, and after the same
// time. Each opening takes the next recorded one in turn, and the first again after the last. What is sent is counted and not
// compared.
type recordedLine struct {
	line replay.SerialLine

	mu   sync.Mutex
	next int
}

// recordedEnd makes what hangs on a port from what was recorded of it.
func recordedEnd(l replay.SerialLine) dmserver.Backend {
	if l.Taken && len(l.Openings) == 0 {
		return dmsim.Taken()
	}
	return &recordedLine{line: l}
}

// Open takes the next recorded opening; a line of which nothing was recorded is silent.
func (r *recordedLine) Open(_ context.Context, line dmserver.Line) (dmserver.Wire, error) {
	w := &recordedWire{line: line, news: make(chan struct{}, 1), closed: make(chan struct{}), opened: time.Now()}
	w.last = w.opened
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.line.Openings); n > 0 {
		o := r.line.Openings[r.next%n]
		r.next++
		w.steps = o.Steps
		line.SetInputs(o.Inputs)
	}
	return w, nil
}

// recordedWire plays one opening.
type recordedWire struct {
	line   dmserver.Line
	news   chan struct{} // something was sent or dropped
	once   sync.Once
	closed chan struct{}
	opened time.Time

	mu      sync.Mutex
	steps   []replay.LineStep // still to come
	rest    []byte            // of a step that did not fit
	sent    int
	flushed bool
	last    time.Time // of the step before, or of the last bytes that were sent
}

func (w *recordedWire) Send(b []byte) (int, error) {
	select {
	case <-w.closed:
		return 0, net.ErrClosed
	default:
	}
	w.mu.Lock()
	// More than was recorded before the next step does not put it off.
	if len(w.steps) > 0 && w.sent < w.steps[0].Sent {
		w.last = time.Now()
	}
	w.sent += len(b)
	w.mu.Unlock()
	w.ring()
	return len(b), nil
}

func (w *recordedWire) ring() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// Recv gives the data of the next step when it is due; modem lines and errors are told on the way.
func (w *recordedWire) Recv(b []byte) (int, error) {
	for {
		n, wait := w.step(b)
		if n > 0 {
			return n, nil
		}
		if wait == 0 {
			continue
		}
		if err := w.wait(wait); err != nil {
			return 0, err
		}
	}
}

// wait waits until something is sent or dropped, for d at most unless that is below 0.
func (w *recordedWire) wait(d time.Duration) error {
	var due <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		due = t.C
	}
	select {
	case <-due:
	case <-w.news:
	case <-w.closed:
		return net.ErrClosed
	}
	return nil
}

// step plays the next step if it is due: n bytes of it, or how long to wait; below 0: until something is sent.
func (w *recordedWire) step(b []byte) (n int, wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.rest) > 0 {
		n = copy(b, w.rest)
		w.rest = w.rest[n:]
		return n, 0
	}
	if len(w.steps) == 0 {
		return 0, -1
	}
	s := &w.steps[0]
	now := time.Now()
	if w.sent < s.Sent {
		return 0, -1
	}
	due := w.last.Add(s.After)
	if latest := w.opened.Add(flushWait); !w.flushed && w.sent == 0 && due.Before(latest) {
		due = latest
	}
	if due.After(now) {
		return 0, due.Sub(now)
	}
	w.steps, w.last = w.steps[1:], now
	if s.Changed {
		w.line.SetInputs(s.Inputs)
	}
	w.line.Report(s.Errors)
	n = copy(b, s.Data)
	w.rest = s.Data[n:]
	return n, 0
}

func (w *recordedWire) Set(dmserver.Settings) {}

func (w *recordedWire) Flush(in, _ bool) {
	if !in {
		return
	}
	w.mu.Lock()
	w.flushed, w.rest = true, nil
	w.mu.Unlock()
	w.ring()
}

func (w *recordedWire) Close() error {
	w.once.Do(func() { close(w.closed) })
	return nil
}
