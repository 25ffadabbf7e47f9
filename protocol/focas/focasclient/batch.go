package focasclient

import (
	"errors"

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

	frames []batchFrame // of the plan
	retry  [][]int      // what goes again, in smaller frames, once the plan has been sent
	bodies []byte       // the payloads alias it; used again by each run
	run    *batchRun

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
		b.frames = make([]batchFrame, len(b.plan))
		for k, reads := range b.plan {
			b.frames[k] = b.frame(reads)
		}
	}
	return b.plan
}

// batchFrame is some reads that travel together, made ready once and sent at every run.
type batchFrame struct {
	reads    []int
	requests []focas.Request
	wire     []byte
}

func (b *Batch) frame(reads []int) batchFrame {
	f := batchFrame{reads: reads, requests: make([]focas.Request, len(reads))}
	for k, i := range reads {
		f.requests[k] = b.items[i].request
	}
	f.wire = focas.AppendRequests(nil, f.requests)
	return f
}

// Reply is the answer to read i of the last run. The error is the control's refusal of that read, or what ended the run before
// it was answered. The payload is valid until the next run.
func (b *Batch) Reply(i int) (focas.Reply, error) { return b.items[i].reply, b.items[i].err }

// Payload is that of [Batch.Reply].
func (b *Batch) Payload(i int) ([]byte, error) { return b.items[i].reply.Payload, b.items[i].err }

// Result is the typed answer to read i of the last run. What aliases the payload is valid until the next run.
func Result[T any](b *Batch, i int, parse func(payload []byte) (T, error)) (T, error) {
	payload, err := b.Payload(i)
	if err != nil {
		var zero T
		return zero, err
	}
	return parse(payload)
}
