package focas

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// Bounds of what is kept of answers. One that is being asked for is always kept, and there are at most as many of those as
// all clients' frames hold blocks.
const (
	maxAnswers     = 4096
	maxAnswerBytes = 4 << 20
)

// answers are what the control said a moment ago, by what was asked. Equal reads of several clients are asked once: who
// comes while one is on its way waits for it, who comes within the window after the answer gets the same.
type answers struct {
	window time.Duration

	mu    sync.Mutex
	byKey map[string]*shared
	bytes int
	key   []byte // scratch
}

// shared is one answer, or the wait for it.
type shared struct {
	changes uint64        // of the session, when it was asked
	done    chan struct{} // closed when the rest is set
	at      time.Time     // of the answer
	reply   focas.Reply
	err     error
}

func newAnswers(window time.Duration) *answers {
	return &answers{window: window, byKey: map[string]*shared{}}
}

// appendKey is everything of a block that the answer depends on.
func appendKey(b []byte, q *focas.Request) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(q.Class))
	b = binary.BigEndian.AppendUint16(b, q.Path)
	b = binary.BigEndian.AppendUint16(b, uint16(q.Func))
	for _, a := range q.Args {
		b = binary.BigEndian.AppendUint32(b, uint32(a))
	}
	b = binary.BigEndian.AppendUint16(b, q.Flag)
	return append(b, q.Data...)
}

// find is the answer to a block, or the wait for it; nil: nobody has asked within the window. changes counts what has
// changed the control's memory; an answer from before the last change is none. The lock is held, over all blocks of a
// frame, so that equal frames of several clients become one and not pieces of each.
func (a *answers) find(q *focas.Request, now time.Time, changes uint64) *shared {
	a.key = appendKey(a.key[:0], q)
	s := a.byKey[string(a.key)]
	if s == nil || s.changes != changes || s.answered() && now.Sub(s.at) > a.window {
		return nil
	}
	return s
}

// claim makes the caller the one who asks, and who must settle what it gets; nil: somebody asks already. The lock is held.
func (a *answers) claim(q *focas.Request, now time.Time, changes uint64) *shared {
	if a.find(q, now, changes) != nil {
		return nil
	}
	if old := a.byKey[string(a.key)]; old != nil {
		a.drop(string(a.key), old)
	}
	if len(a.byKey) >= maxAnswers || a.bytes >= maxAnswerBytes {
		a.clean(now)
	}
	s := &shared{changes: changes, done: make(chan struct{})}
	a.byKey[string(a.key)] = s
	return s
}

// clean drops what is too old, and everything that is answered when that is not enough.
func (a *answers) clean(now time.Time) {
	for _, all := range []bool{false, true} {
		if len(a.byKey) < maxAnswers/2 && a.bytes < maxAnswerBytes/2 {
			return
		}
		for k, s := range a.byKey {
			if s.answered() && (all || now.Sub(s.at) > a.window) {
				a.drop(k, s)
			}
		}
	}
}

func (a *answers) drop(key string, s *shared) {
	delete(a.byKey, key)
	if s.answered() {
		a.bytes -= len(s.reply.Payload)
	}
}

func (s *shared) answered() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// settle gives the answer to everybody who waits. The payload must not change any more. A failure is told to those who
// wait and forgotten.
func (a *answers) settle(q *focas.Request, s *shared, reply focas.Reply, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s.at, s.reply, s.err = time.Now(), reply, err
	a.key = appendKey(a.key[:0], q)
	switch {
	case a.byKey[string(a.key)] != s: // replaced by a newer one
	case err != nil:
		delete(a.byKey, string(a.key))
	default:
		a.bytes += len(reply.Payload)
	}
	close(s.done)
}

// forget drops all answers: the control that gave them is gone.
func (a *answers) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for k, s := range a.byKey {
		a.drop(k, s)
	}
}

// wait waits for the answer.
func (s *shared) wait(ctx context.Context) (focas.Reply, error) {
	select {
	case <-s.done:
		return s.reply, s.err
	case <-ctx.Done():
		return focas.Reply{}, ctx.Err()
	}
}

// errAskAgain is what those who wait get when the frame that asked for them was refused as a whole: each asks for itself.
var errAskAgain = errors.New("the frame that asked was refused")
