package focasclient

import (
	"context"
	"errors"
	"fmt"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// Limits are how much goes into one data frame. Zero fields are the defaults.
type Limits struct {
	RequestBody int // bytes; default [focas.MaxRequestBody]
	ReplyBody   int // bytes; default 1450, which FANUC's library keeps even where a control could send more (seen)
	Blocks      int // default 32, the most that FANUC's library was seen to send
}

func (l Limits) withDefaults() Limits {
	if l.RequestBody <= 0 || l.RequestBody > focas.MaxRequestBody {
		l.RequestBody = focas.MaxRequestBody
	}
	if l.ReplyBody <= 0 {
		l.ReplyBody = 1450
	}
	if l.Blocks <= 0 {
		l.Blocks = 32
	}
	return l
}

// Batch is a set of reads that travel in as few frames as the limits allow. Build it once, run it as often as you like: the
// plan is kept, and what a run learns (an answer longer than estimated, an item that spoils its frame) makes the next plan
// better. It is not safe for concurrent use.
//
// Use it for reads only: an item whose frame was refused is asked again in a smaller frame.
type Batch struct {
	limits Limits
	items  []item
	groups int
	plan   [][]int

	requests []focas.Request // of the frame being sent
	into     answer          // used again by each run

	took  func(reads []int) // of the run; nil: nobody wants them as they come
	final []int             // answered and not handed over yet
}

type item struct {
	request focas.Request
	payload int  // estimate of the reply's payload in bytes
	group   int  // items of one group share a frame where they fit
	alone   bool // refused together with others before: gets a frame of its own
	reply   focas.Reply
	err     error
}

// ErrNotRun is the error of a reply of a [Batch] that has not been run.
var ErrNotRun = errors.New("the batch has not been run")

// NewBatch is an empty batch with the given limits.
func NewBatch(l Limits) *Batch { return &Batch{limits: l.withDefaults()} }

// Batch is an empty batch with the session's limits.
func (c *Client) Batch() *Batch { return NewBatch(c.limits) }

// Add adds a read whose answer will have about replyPayload bytes of payload, and returns its index.
func (b *Batch) Add(q focas.Request, replyPayload int) int {
	b.groups++
	return b.add(q, replyPayload, b.groups)
}

// Part is one read of [Batch.AddTogether].
type Part struct {
	Request focas.Request
	Payload int // estimate of the answer's payload, bytes
}

// AddTogether adds reads that travel in the same frame when they fit one, so that the control answers them in one go, in the
// order given. It returns the index of the first; the others follow.
func (b *Batch) AddTogether(parts ...Part) int {
	first := len(b.items)
	b.groups++
	for _, p := range parts {
		b.add(p.Request, p.Payload, b.groups)
	}
	return first
}

func (b *Batch) add(q focas.Request, payload, group int) int {
	b.items = append(b.items, item{request: q, payload: max(payload, 0), group: group, err: ErrNotRun})
	b.plan = nil
	return len(b.items) - 1
}

// Len is the number of reads.
func (b *Batch) Len() int { return len(b.items) }

// Plan is the frames: each lists the indexes that travel in it. The same batch always gives the same plan. The caller must
// not change it.
func (b *Batch) Plan() [][]int {
	if b.plan == nil {
		b.plan = makePlan(b.items, b.limits.withDefaults())
	}
	return b.plan
}

// Reply is the answer to read i of the last run. The error is the control's refusal of that read, or what ended the run before
// it was answered. The payload is valid until the next run.
func (b *Batch) Reply(i int) (focas.Reply, error) { return b.items[i].reply, b.items[i].err }

// Result is the typed answer to read i of the last run. What aliases the payload is valid until the next run.
func Result[T any](b *Batch, i int, parse func(payload []byte) (T, error)) (T, error) {
	p, err := b.Reply(i)
	if err != nil {
		var zero T
		return zero, err
	}
	return parse(p.Payload)
}

// Do runs the batch. It returns an error when the session or ctx ended before all reads were answered; refusals of single
// reads are in [Batch.Reply]. A frame that the control refuses as a whole is sent again in halves, and a read that is refused
// for its length among others is sent again alone, so that one bad read never spoils the rest.
func (b *Batch) Do(ctx context.Context, c *Client) error { return b.DoEach(ctx, c, nil) }

// DoEach is [Batch.Do] that hands over answers as they come: took is called with the indexes of reads whose answer, or
// refusal, is final. The answers of one frame are handed over while the next is under way, so that what took does costs
// little time; it must not use the client. Reads that were not answered because the run ended are not handed over.
func (b *Batch) DoEach(ctx context.Context, c *Client, took func(reads []int)) error {
	b.took, b.final = took, b.final[:0]
	err := b.run(ctx, c)
	b.handOver()
	b.took = nil
	return err
}

// handOver gives took what is final.
func (b *Batch) handOver() {
	if b.took != nil && len(b.final) > 0 {
		b.took(b.final)
	}
	b.final = b.final[:0]
}

func (b *Batch) run(ctx context.Context, c *Client) error {
	for i := range b.items {
		b.items[i].reply, b.items[i].err = focas.Reply{}, ErrNotRun
	}
	b.into.bodies = b.into.bodies[:0]
	plan := b.Plan()
	for at, frame := range plan {
		if err := b.send(ctx, c, frame); err != nil {
			for _, rest := range plan[at:] {
				for _, i := range rest {
					if b.items[i].err == ErrNotRun {
						b.items[i].err = err
					}
				}
			}
			return err
		}
	}
	return nil
}

// send exchanges one frame with the items of the given indexes and stores their answers.
func (b *Batch) send(ctx context.Context, c *Client, frame []int) error {
	b.requests = b.requests[:0]
	for _, i := range frame {
		b.requests = append(b.requests, b.items[i].request)
	}
	err := c.exchange(ctx, b.requests, &b.into, b.handOver)
	replies := b.into.replies
	if err != nil {
		if saidNo(err) != nil {
			return b.refused(ctx, c, frame, err)
		}
		return err
	}
	var again []int
	for k, i := range frame {
		it := &b.items[i]
		it.reply, it.err = replies[k], nil
		if code := replies[k].Code; code == focas.EWLength && len(frame) > 1 {
			again = append(again, i)
			continue
		}
		b.final = append(b.final, i)
		if err := replies[k].Err(); err != nil {
			it.err = fmt.Errorf("%s: %w", c.addr, err)
		}
		if n := len(it.reply.Payload); n > it.payload {
			it.payload, b.plan = n, nil
		}
	}
	for _, i := range again {
		b.setAlone(i)
		if err := b.send(ctx, c, []int{i}); err != nil {
			return err
		}
	}
	return nil
}

// refused deals with a frame that the control refused as a whole.
func (b *Batch) refused(ctx context.Context, c *Client, frame []int, cause error) error {
	if len(frame) == 1 {
		b.items[frame[0]].err = cause
		b.final = append(b.final, frame[0])
		b.setAlone(frame[0])
		return nil
	}
	half := len(frame) / 2
	if err := b.send(ctx, c, frame[:half]); err != nil {
		return err
	}
	return b.send(ctx, c, frame[half:])
}

func (b *Batch) setAlone(i int) {
	if !b.items[i].alone {
		b.items[i].alone, b.plan = true, nil
	}
}
