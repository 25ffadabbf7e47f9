package capture

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/transcript"
)

// Flow is one connection through the relay, or what one peer says over UDP. It does not change once events of it exist.
type Flow struct {
	ID       uint32
	Network  string         // "tcp" or "udp"
	Client   netip.AddrPort // of the peer that came to the relay
	Server   netip.AddrPort // of the device; invalid when it could not be reached
	Upstream string         // the device as it was named
}

// Sink takes what was recorded, in order, from one goroutine. An error ends the relay.
type Sink interface {
	// Event takes the next event. The sink keeps neither e nor its data. The first event of a flow is its Open.
	Event(f *Flow, e *transcript.Event) error
	// Flush is called whenever nothing more is at hand, and at the end: what was taken becomes visible to readers.
	Flush() error
}

// queueBytes is how much of a conversation waits for the sinks; twice that is held, since one half is written while the
// other fills. queueItems bounds small messages in the same way.
const (
	queueBytes = 4 << 20
	queueItems = 32 << 10
)

// gather is how long the writer waits for more once something is there. Few wake-ups keep it out of the way of the
// conversation.
const gather = 5 * time.Millisecond

type item struct {
	flow  *Flow
	event transcript.Event
}

// batch is a stretch of the recording; the data of its items lies in its arena.
type batch struct {
	items []item
	arena []byte
}

func (b *batch) reset() {
	clear(b.items)
	b.items, b.arena = b.items[:0], b.arena[:0]
}

var errStopped = errors.New("the recording has ended")

// recorder is the queue between the conversation and the sinks.
type recorder struct {
	start  time.Time
	sinks  []Sink
	redact *Redaction

	mu    sync.Mutex
	room  sync.Cond // the queue was taken, or err is set
	cur   batch
	err   error
	flows uint32

	wake   chan struct{} // something is in the queue
	urgent chan struct{} // it is half full
	stop   chan struct{}
	failed chan struct{} // closed when err is set by a sink
	done   chan struct{}
}

// startRecorder starts the writer; close ends it and waits for it.
func startRecorder(sinks []Sink, redact *Redaction) *recorder {
	r := &recorder{start: time.Now(), sinks: sinks, redact: redact, wake: make(chan struct{}, 1), urgent: make(chan struct{}, 1),
		stop: make(chan struct{}), failed: make(chan struct{}), done: make(chan struct{})}
	r.room.L = &r.mu
	go r.run()
	return r
}

// newFlow numbers a flow and records its begin.
func (r *recorder) newFlow(f *Flow) error {
	r.mu.Lock()
	r.flows++
	f.ID = r.flows
	r.mu.Unlock()
	return r.put(f, transcript.Neither, transcript.Open, f.Network+" "+f.Upstream, nil)
}

// put records one event. It copies data, and waits while the queue is full. The error is the sink's.
func (r *recorder) put(f *Flow, dir transcript.Direction, kind transcript.Kind, text string, data []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.err == nil && len(r.cur.items) > 0 && (len(r.cur.arena)+len(data) > queueBytes || len(r.cur.items) >= queueItems) {
		signal(r.urgent)
		r.room.Wait()
	}
	if r.err != nil {
		return r.err
	}
	at := len(r.cur.arena)
	r.cur.arena = append(r.cur.arena, data...)
	e := transcript.Event{Flow: f.ID, Dir: dir, Kind: kind, Text: text, Offset: time.Since(r.start).Truncate(time.Microsecond)}
	if kind == transcript.Data || kind == transcript.Datagram {
		e.Data = r.cur.arena[at:len(r.cur.arena):len(r.cur.arena)] // a later append may move the arena; these bytes stay as they are
	}
	r.cur.items = append(r.cur.items, item{f, e})
	switch {
	case len(r.cur.items) == 1:
		signal(r.wake)
	case len(r.cur.arena) > queueBytes/2 || len(r.cur.items) > queueItems/2:
		signal(r.urgent)
	}
	return nil
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run hands batches to the sinks until it is told to stop and nothing is left.
func (r *recorder) run() {
	defer close(r.done)
	var b batch
	timer := time.NewTimer(0)
	defer timer.Stop()
	for stopping := false; !stopping; {
		var late <-chan time.Time
		if r.redact.holding() {
			timer.Reset(holdTime)
			late = timer.C
		}
		select {
		case <-r.wake:
			timer.Reset(gather)
			select {
			case <-timer.C:
			case <-r.urgent:
			case <-r.stop:
				stopping = true
			}
		case <-late:
		case <-r.stop:
			stopping = true
		}
		if err := r.write(&b, stopping); err != nil {
			r.fail(err)
			return
		}
	}
}

// write takes what is in the queue and hands it on, all of it when the recording ends.
func (r *recorder) write(b *batch, last bool) error {
	r.mu.Lock()
	*b, r.cur = r.cur, *b
	if last {
		r.err = errStopped
	}
	r.room.Broadcast()
	r.mu.Unlock()
	defer b.reset()
	items := r.redact.pass(b.items, time.Since(r.start), last)
	for i := range items {
		for _, s := range r.sinks {
			if err := s.Event(items[i].flow, &items[i].event); err != nil {
				return fmt.Errorf("record: %w", err)
			}
		}
	}
	for _, s := range r.sinks {
		if err := s.Flush(); err != nil {
			return fmt.Errorf("record: %w", err)
		}
	}
	return nil
}

func (r *recorder) fail(err error) {
	r.mu.Lock()
	r.err = err
	r.room.Broadcast()
	r.mu.Unlock()
	close(r.failed)
}

// close writes what is left and returns the error that ended the recording, if one did.
func (r *recorder) close() error {
	close(r.stop)
	<-r.done
	r.mu.Lock()
	defer r.mu.Unlock()
	if errors.Is(r.err, errStopped) {
		return nil
	}
	return r.err
}
