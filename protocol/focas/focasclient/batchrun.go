package focasclient

import (
	"context"
	"fmt"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// Do runs the batch. It returns an error when the session or ctx ended before all reads were answered; refusals of single
// reads are in [Batch.Reply]. A frame that the control refuses as a whole is sent again in halves, and a read that is refused
// for its length among others is sent again alone, so that one bad read never spoils the rest.
func (b *Batch) Do(ctx context.Context, c *Client) error { return b.DoEach(ctx, c, nil) }

// DoEach is [Batch.Do] that hands over answers as they come: took is called with the indexes of reads whose answer, or
// refusal, is final. The answers of one frame are handed over while the next is under way, so that what took does costs
// little time; it must not use the client. Reads that were not answered because the run ended are not handed over.
func (b *Batch) DoEach(ctx context.Context, c *Client, took func(reads []int)) error {
	if b.run == nil {
		b.run = &batchRun{b: b}
		b.run.step, b.run.meanwhile = b.run.exchange, b.run.settle
	}
	b.took, b.final = took, b.final[:0]
	err := b.run.all(ctx, c)
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

// batchRun is the run of a batch. A frame that came is taken apart while the next one is under way.
type batchRun struct {
	b *Batch
	c *Client

	frame batchFrame // being sent
	last  bool       // no frame follows: there is nothing to wait for with taking apart

	came    batchFrame // the answer to it has not been taken apart; no reads: there is none
	body    []byte
	refused *focas.Error // that frame as a whole

	step, meanwhile func() error // exchange and settle, bound once
}

func (r *batchRun) all(ctx context.Context, c *Client) error {
	b := r.b
	for i := range b.items {
		b.items[i].reply, b.items[i].err = focas.Reply{}, ErrNotRun
	}
	b.bodies, b.retry = b.bodies[:0], b.retry[:0]
	r.c, r.came = c, batchFrame{}
	b.Plan()
	planned := b.frames // what is learned makes other frames, for the next run
	for at := 0; at < len(planned)+len(b.retry); at++ {
		if at < len(planned) {
			r.frame = planned[at]
		} else {
			r.frame = b.frame(b.retry[at-len(planned)])
		}
		r.last = at+1 >= len(planned)+len(b.retry)
		if err := r.send(ctx); err != nil {
			for i := range b.items {
				if b.items[i].err == ErrNotRun {
					b.items[i].err = err
				}
			}
			return err
		}
	}
	return nil
}

func (r *batchRun) send(ctx context.Context) error {
	if err := r.c.fits(len(r.frame.reads), len(r.frame.wire)-focas.HeaderSize); err != nil {
		return err
	}
	return r.c.data.do(ctx, "exchange", r.step)
}

// exchange sends one frame and keeps what came back.
func (r *batchRun) exchange() error {
	f, err := r.c.data.roundTrip(r.frame.wire, len(r.frame.reads), r.meanwhile)
	if r.refused = saidNo(err); err != nil && r.refused == nil {
		return err
	}
	if r.refused == nil {
		b := r.b
		at := len(b.bodies)
		b.bodies = append(b.bodies, f.Body...)
		r.body = b.bodies[at:]
	}
	r.came = r.frame
	if r.last {
		return r.settle()
	}
	return nil
}

// settle takes apart what came with the frame before, and hands it over. An error means that the stream cannot be trusted.
func (r *batchRun) settle() error {
	b, came := r.b, &r.came
	switch {
	case len(came.reads) == 0:
		return nil
	case r.refused != nil:
		r.refused.Func = came.requests[0].Func
		r.split(came.reads)
	default:
		m, err := matchBody(r.body, len(came.reads))
		if err != nil {
			return err
		}
		for k, i := range came.reads {
			if err := m.next(&came.requests[k], &b.items[i].reply); err != nil {
				return err
			}
		}
		if err := m.end(); err != nil {
			return err
		}
		for _, i := range came.reads {
			r.took(i, len(came.reads))
		}
	}
	came.reads = nil
	b.handOver()
	return nil
}

// took judges the answer to read i, one of so many that came together.
func (r *batchRun) took(i, together int) {
	b := r.b
	it := &b.items[i]
	if it.reply.Code == focas.EWLength && together > 1 {
		b.again(i)
		return
	}
	it.err = nil
	b.final = append(b.final, i)
	if err := it.reply.Err(); err != nil {
		it.err = fmt.Errorf("%s: %w", r.c.addr, err)
	}
	if n := len(it.reply.Payload); n > it.payload {
		it.payload, b.plan = n, nil
	}
}

// again lets a read travel alone from now on.
func (b *Batch) again(i int) {
	b.setAlone(i)
	b.retry = append(b.retry, []int{i})
}

// split deals with a frame that the control refused as a whole.
func (r *batchRun) split(reads []int) {
	b := r.b
	if len(reads) == 1 {
		b.items[reads[0]].err = fmt.Errorf("focas exchange %s: %w", r.c.addr, r.refused)
		b.final = append(b.final, reads[0])
		b.setAlone(reads[0])
		return
	}
	half := len(reads) / 2
	b.retry = append(b.retry, reads[:half], reads[half:])
}

func (b *Batch) setAlone(i int) {
	if !b.items[i].alone {
		b.items[i].alone, b.plan = true, nil
	}
}
