package focas

import (
	"context"
	"errors"
	"time"

	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasserver"
)

// errUpstream ends the connection of a client: the control that it talked to is gone.
var errUpstream = errors.New("the connection to the control is gone")

// frame is the scratch of one client for the data frame in work.
type frame struct {
	verdicts []verdict
	forward  []focas.Request // what goes to the control, in order
	index    []int           // of each of them in the client's frame
	own      []*shared       // what each of them is to fill; nil: nobody else's business
	waits    []waiting       // instead, when others have asked for all of it
}

// waiting is a block that somebody else has asked for.
type waiting struct {
	at int
	on *shared
}

// exchange asks the control. All clients and the gateway's own polling queue up in the order in which they come, one frame
// of each at a time, so nobody gets two turns while another waits. The context of a client is not that of the link: a
// client that goes away must not cut it.
func (s *session) exchange(ctx context.Context, requests []focas.Request) ([]focas.Reply, error) {
	return s.client.Exchange(context.WithoutCancel(ctx), requests)
}

// Data answers one data frame of a client. It stays one frame on its way to the control, without what is refused.
func (p *proxy) Data(ctx context.Context, c *focasserver.Conn, blocks []focas.Request, replies []focas.Reply) ([]focas.Reply, error) {
	cl := p.client(c)
	up := p.upstream.Load()
	if cl == nil || up == nil || cl.up != up {
		return replies, errUpstream
	}
	cl.requests.Add(1)
	f := &cl.frame
	f.verdicts, f.forward, f.index, f.own, f.waits = f.verdicts[:0], f.forward[:0], f.index[:0], f.own[:0], f.waits[:0]
	base, changes := len(replies), false
	in := focas.HeaderSize + 2
	for i := range blocks {
		v, code := p.judge(cl, &blocks[i])
		changes = changes || v == isChange
		f.verdicts = append(f.verdicts, v)
		replies = append(replies, focas.Reply{Code: code})
		in += blocks[i].Size()
	}
	own := replies[base:]
	var err error
	if err = p.selectUnits(ctx, cl, blocks, own); err == nil {
		if changes {
			err = p.forwardChanges(ctx, cl, blocks, own)
		} else {
			err = p.forwardReads(ctx, cl, blocks, own)
		}
	}
	out := focas.HeaderSize + 2
	for i := range own {
		out += own[i].Size()
	}
	cl.bytes.Add(uint64(in + out))
	return replies, err
}

// forwardChanges sends a frame in which something changes the control: all of it that is let through, since a read in
// it may be meant to see the change.
func (p *proxy) forwardChanges(ctx context.Context, cl *client, blocks []focas.Request, replies []focas.Reply) error {
	f := &cl.frame
	for i := range blocks {
		if f.verdicts[i] == isChange || f.verdicts[i] == isRead {
			f.forward, f.index = append(f.forward, blocks[i]), append(f.index, i)
		}
	}
	olds, err := p.before(ctx, cl, blocks)
	var got []focas.Reply
	if err == nil {
		got, err = cl.up.exchange(ctx, f.forward)
	}
	cl.up.changes.Add(1)
	for k, i := range f.index {
		q := &blocks[i]
		if f.verdicts[i] == isChange {
			code := focas.EWOK
			if err == nil {
				code = got[k].Code
			}
			action := actionOf(p.device, q)
			if olds != nil {
				action.Old = olds[i]
			}
			p.env.Gate.Done(cl.who(), action, outcomeOf(code, q.Func, err))
		}
		if err == nil {
			replies[i] = got[k]
		}
	}
	p.forwarded.Add(uint64(len(f.forward)))
	return err
}

// forwardReads answers a frame of reads, from the control or from what it has just said to somebody else.
func (p *proxy) forwardReads(ctx context.Context, cl *client, blocks []focas.Request, replies []focas.Reply) error {
	f := &cl.frame
	p.claim(cl, blocks)
	if err := p.ask(ctx, cl, blocks, replies); err != nil {
		return err
	}
	f.forward, f.index, f.own = f.forward[:0], f.index[:0], f.own[:0]
	for _, w := range f.waits {
		reply, err := w.on.wait(ctx)
		switch {
		case err == nil:
			replies[w.at] = reply
			p.saved.Add(1)
		case errors.Is(err, errAskAgain):
			f.forward, f.index, f.own = append(f.forward, blocks[w.at]), append(f.index, w.at), append(f.own, nil)
		default:
			return err
		}
	}
	return p.ask(ctx, cl, blocks, replies)
}

// claim decides whether a frame is answered from what others have asked: only when that holds for all of its reads. Else
// the frame goes as it is, which costs the control no more frames and keeps what was asked together, also where a
// program asks the same twice to see whether something has changed in between.
func (p *proxy) claim(cl *client, blocks []focas.Request) {
	f := &cl.frame
	now, changes := time.Now(), cl.up.changes.Load()
	if p.opts.Window > 0 {
		p.answers.mu.Lock()
		defer p.answers.mu.Unlock()
		if p.known(f, blocks, now, changes) {
			return
		}
	}
	for i := range blocks {
		if f.verdicts[i] != isRead {
			continue
		}
		var mine *shared
		if p.opts.Window > 0 {
			mine = p.answers.claim(&blocks[i], now, changes)
		}
		f.forward, f.index, f.own = append(f.forward, blocks[i]), append(f.index, i), append(f.own, mine)
	}
}

// known reports whether every read of a frame is answered or on its way, and then fills f.waits. The lock of the answers
// is held.
func (p *proxy) known(f *frame, blocks []focas.Request, now time.Time, changes uint64) bool {
	for i := range blocks {
		if f.verdicts[i] != isRead {
			continue
		}
		s := p.answers.find(&blocks[i], now, changes)
		if s == nil {
			f.waits = f.waits[:0]
			return false
		}
		f.waits = append(f.waits, waiting{i, s})
	}
	return true
}

// ask sends what is in f.forward and settles what others wait for.
func (p *proxy) ask(ctx context.Context, cl *client, blocks []focas.Request, replies []focas.Reply) error {
	f := &cl.frame
	if len(f.forward) == 0 {
		return nil
	}
	got, err := cl.up.exchange(ctx, f.forward)
	said := err
	if isRefusal(err) {
		said = errAskAgain
	}
	for k, i := range f.index {
		var reply focas.Reply
		if err == nil {
			reply = got[k]
			replies[i] = reply
		}
		if f.own[k] != nil {
			p.answers.settle(&blocks[i], f.own[k], reply, said)
		}
	}
	p.forwarded.Add(uint64(len(f.forward)))
	return err
}

func isRefusal(err error) bool {
	var e *focas.Error
	return errors.As(err, &e)
}

// selectUnits answers requests for a PMC unit. Later requests carry their unit themselves, so a client's choice is its
// own; the control is only asked, once, how many units it has.
func (p *proxy) selectUnits(ctx context.Context, cl *client, blocks []focas.Request, replies []focas.Reply) error {
	for i := range blocks {
		if cl.frame.verdicts[i] != isUnit {
			continue
		}
		units, err := cl.up.pmcUnits(ctx)
		if err != nil {
			return err
		}
		if n := blocks[i].Args[0]; n < 1 || n > units {
			replies[i].Code = focas.EWNumber
		}
	}
	return nil
}

// pmcUnits is how many PMC units the control has; one that does not say has one.
func (s *session) pmcUnits(ctx context.Context) (int32, error) {
	if n := s.units.Load(); n > 0 {
		return n, nil
	}
	n := int32(1)
	got, err := s.exchange(ctx, []focas.Request{focas.PMCCountRequest(1)})
	switch {
	case err != nil && !isRefusal(err):
		return 0, err
	case err == nil && got[0].Code == 0:
		if c, err := focas.ParseCounter(got[0].Payload); err == nil && c.N > 0 {
			n = c.N
		}
	}
	s.units.Store(n)
	return n, nil
}
