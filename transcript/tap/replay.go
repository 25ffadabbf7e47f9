package tap

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/patchbay-io/patchbay/transcript"
)

// Splitter finds the first message of b: its length in bytes, 0 when b does not hold all of it yet.
type Splitter func(b []byte) (int, error)

// Replay is the recorded server of a transcript. Dial hands out its flows one after the other. Nothing is paced: recorded
// bytes are there as soon as what came before them was said.
type Replay struct {
	t     *transcript.Transcript
	split Splitter

	mu    sync.Mutex
	next  int
	flows []uint32
	conns []*ReplayConn
}

// Strict makes a replay whose client must send exactly the recorded bytes, however it cuts them into writes.
func Strict(t *transcript.Transcript) *Replay { return &Replay{t: t, flows: streams(t)} }

// Answering makes a replay that answers each request as the recording answered an equal one, in whatever order they come:
// the replies to equal requests take turns in recorded order. split cuts what the client sends into requests.
func Answering(t *transcript.Transcript, split Splitter) *Replay {
	return &Replay{t: t, split: split, flows: streams(t)}
}

func streams(t *transcript.Transcript) []uint32 {
	var out []uint32
	for _, f := range t.Flows() {
		for i := range t.Events {
			if e := &t.Events[i]; e.Flow == f && (e.Kind == transcript.Data || e.Kind == transcript.Close || e.Kind == transcript.Reset) {
				out = append(out, f)
				break
			}
		}
	}
	return out
}

// ErrNoMoreFlows is the cause when a client dials more often than the recording did.
var ErrNoMoreFlows = errors.New("the recording has no more connections")

// Dial is the next recorded flow. It has the shape of net.Dialer.DialContext.
func (r *Replay) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next == len(r.flows) {
		return nil, &net.OpError{Op: "dial", Net: network, Err: fmt.Errorf("%w: %d were made", ErrNoMoreFlows, r.next)}
	}
	c := newReplayConn(r.t, r.flows[r.next], r.split, addr)
	r.next++
	r.conns = append(r.conns, c)
	return c, nil
}

// Err is what went wrong in any connection so far, or nil: the first difference of each.
func (r *Replay) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, c := range r.conns {
		errs = append(errs, c.Err())
	}
	return errors.Join(errs...)
}

// Done is Err, or else an error when a strict replay has not been played to its end: which connections were never made and
// which bytes the client never sent.
func (r *Replay) Done() error {
	if err := r.Err(); err != nil || r.split != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, c := range r.conns {
		errs = append(errs, c.unsent())
	}
	if n := len(r.flows) - r.next; n > 0 {
		errs = append(errs, fmt.Errorf("%d of %d recorded connections were not made", n, len(r.flows)))
	}
	return errors.Join(errs...)
}

// Difference is where a client left a strict recording, or asked an answering one something that it does not hold.
type Difference struct {
	Flow   uint32
	Offset int64  // of the first differing byte, counted over what the client sent
	Want   []byte // recorded from there on, at most 32 bytes; empty: the recording expects nothing more, or is answering
	Got    []byte // what came, at most 32 bytes
}

// Error shows both in hex.
func (d *Difference) Error() string {
	if len(d.Want) == 0 {
		return fmt.Sprintf("flow %d: the client sent [% x] at byte %d, and the recording has nothing like it", d.Flow, d.Got, d.Offset)
	}
	return fmt.Sprintf("flow %d: the client differs from the recording at byte %d: want [% x], got [% x]", d.Flow, d.Offset, d.Want, d.Got)
}

func clip(b []byte) []byte { return append([]byte(nil), b[:min(len(b), 32)]...) }
