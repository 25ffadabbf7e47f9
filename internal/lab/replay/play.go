package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/patchbay-io/patchbay/internal/lab/fault"
	"github.com/patchbay-io/patchbay/transcript"
)

// Options of a replay. The zero value compares strictly and keeps the recorded times.
type Options struct {
	Tolerant bool          // compare by the rules of the protocol
	Fast     bool          // send as soon as what came before has come
	Protocol string        // empty: the recording's own
	Ignore   []string      // patterns of field names that may differ too; tolerant only
	Timeout  time.Duration // how long what was recorded may take to come; 0: 10 seconds
}

// Result is how far a replay came.
type Result struct {
	Flows     int            `json:"flows"`
	Sent      int64          `json:"sent"`     // bytes
	Received  int64          `json:"received"` // bytes, all of them compared
	Messages  int            `json:"messages"` // of the peer, compared; 0 when the protocol is not known
	Tolerated map[string]int `json:"tolerated"`
}

// Errors of a replay besides *[Difference].
var (
	ErrDatagrams = errors.New("the recording holds datagrams, and only connections are replayed")
	ErrEmpty     = errors.New("the recording holds no data")
	ErrProtocol  = errors.New("tolerant comparison needs a protocol that is known")
)

// Connect plays the recorded client against a live server, which dial reaches; each recorded flow is one connection.
func Connect(ctx context.Context, t *transcript.Transcript, dial func(context.Context) (net.Conn, error), o Options) (Result, error) {
	return run(ctx, t, transcript.FromClient, dial, o)
}

// Listen plays the recorded server for the clients that l accepts; the first connection is the first recorded flow, and so
// on. l stays open.
func Listen(ctx context.Context, t *transcript.Transcript, l net.Listener, o Options) (Result, error) {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() }) // nothing else ends Accept
	defer stop()
	return run(ctx, t, transcript.FromServer, func(ctx context.Context) (net.Conn, error) {
		c, err := l.Accept()
		if err != nil && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return c, err
	}, o)
}

// player plays one side, event by event in recorded order. It runs in one goroutine: a read waits for what was recorded,
// bounded by a deadline.
type player struct {
	Options
	me, peer transcript.Direction
	t        *transcript.Transcript
	rec      *recorded
	open     func(context.Context) (net.Conn, error)
	flows    map[uint32]*flow
	live     *transcript.Dissection
	began    time.Time
	res      Result
}

// flow is one connection in work.
type flow struct {
	conn     net.Conn
	number   uint32
	offset   int64 // of the peer's next byte
	messages int   // of the peer, complete
	eof      bool  // the peer has ended
	closed   bool  // our side has ended
	release  func() bool
}

func run(ctx context.Context, t *transcript.Transcript, me transcript.Direction, open func(context.Context) (net.Conn, error), o Options) (Result, error) {
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Protocol == "" {
		o.Protocol = t.Header.Protocol
	}
	proto := protocolOf(o.Protocol)
	if o.Tolerant && proto == nil {
		return Result{}, fmt.Errorf("%w; %q is none of %v", ErrProtocol, o.Protocol, Protocols())
	}
	data := false
	for i := range t.Events {
		if t.Events[i].Kind == transcript.Datagram {
			return Result{}, ErrDatagrams
		}
		data = data || t.Events[i].Kind == transcript.Data
	}
	if !data {
		return Result{}, ErrEmpty
	}
	p := &player{Options: o, me: me, peer: transcript.FromServer, t: t, rec: takeApart(t, proto), open: open, flows: map[uint32]*flow{},
		began: time.Now(), res: Result{Tolerated: map[string]int{}}}
	if me == transcript.FromServer {
		p.peer = transcript.FromClient
	}
	if o.Tolerant {
		p.live = transcript.NewDissection(proto.open)
	}
	err := p.play(ctx)
	for _, f := range p.flows {
		f.release()
		_ = f.conn.Close()
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return p.res, err
}

func (p *player) play(ctx context.Context) error {
	for i := range p.t.Events {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := p.event(ctx, i); err != nil {
			return err
		}
	}
	for _, number := range p.t.Flows() {
		if f := p.flows[number]; f != nil {
			if err := p.settle(f); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *player) event(ctx context.Context, i int) error {
	e := &p.t.Events[i]
	if e.Kind == transcript.Comment || e.Kind == transcript.Note {
		return nil
	}
	if e.Dir == p.me || e.Kind == transcript.Open {
		if err := p.pace(ctx, e.Offset); err != nil {
			return err
		}
	}
	f, err := p.flow(ctx, e)
	if err != nil {
		return err
	}
	switch {
	case e.Kind == transcript.Data && e.Dir == p.me:
		return p.send(f, e)
	case e.Kind == transcript.Data:
		if p.Tolerant {
			return p.expectMessages(f, e, p.rec.after[i])
		}
		return p.expectBytes(f, e)
	case e.Kind == transcript.Close && e.Dir == p.me:
		return p.endOurs(f)
	case e.Kind == transcript.Reset && e.Dir == p.me:
		fault.Reset(f.conn)
		f.closed, f.eof = true, true
	case e.Kind == transcript.Close, e.Kind == transcript.Reset:
		return p.expectEnd(f, e)
	}
	return nil
}

// flow is the connection of an event; it is opened when the recording first speaks of it.
func (p *player) flow(ctx context.Context, e *transcript.Event) (*flow, error) {
	if f := p.flows[e.Flow]; f != nil {
		return f, nil
	}
	c, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	f := &flow{conn: c, number: e.Flow, release: context.AfterFunc(ctx, func() { _ = c.Close() })}
	p.flows[e.Flow] = f
	p.res.Flows++
	return f, nil
}

// pace waits until the recorded time.
func (p *player) pace(ctx context.Context, at time.Duration) error {
	wait := time.Until(p.began.Add(at - p.t.Events[0].Offset))
	if p.Fast || wait <= 0 {
		return nil
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *player) send(f *flow, e *transcript.Event) error {
	f.conn.SetWriteDeadline(time.Now().Add(p.Timeout))
	n, err := f.conn.Write(e.Data)
	p.res.Sent += int64(n)
	if err != nil {
		return fmt.Errorf("flow %d: sending the recorded bytes at +%v: %w", f.number, e.Offset, err)
	}
	if p.live != nil {
		p.live.Feed(&transcript.Event{Flow: e.Flow, Dir: e.Dir, Kind: transcript.Data, Data: e.Data})
	}
	return nil
}

// by is until when something recorded has to come.
func (p *player) by(e *transcript.Event) time.Time {
	due := time.Now()
	if recorded := p.began.Add(e.Offset - p.t.Events[0].Offset); !p.Fast && recorded.After(due) {
		due = recorded
	}
	return due.Add(p.Timeout)
}

func (p *player) expectBytes(f *flow, e *transcript.Event) error {
	f.conn.SetReadDeadline(p.by(e))
	buf := make([]byte, len(e.Data))
	k := side{f.number, p.peer}
	for at := 0; at < len(e.Data); {
		n, err := f.conn.Read(buf[at:])
		for j := at; j < at+n; j++ {
			if buf[j] != e.Data[j] {
				return p.rec.differ(k, f.offset+int64(j-at), e.Data[j:], buf[j:at+n])
			}
		}
		at += n
		f.offset += int64(n)
		p.res.Received += int64(n)
		if err != nil && at < len(e.Data) {
			return p.early(f, e.Data[at:], err)
		}
	}
	p.res.Messages = p.compared()
	return nil
}

// compared is how many whole messages of the peer have been compared by bytes.
func (p *player) compared() int {
	total := 0
	for _, f := range p.flows {
		for _, m := range p.rec.messages[side{f.number, p.peer}] {
			if m.Frame.Offset+int64(m.Frame.Length) <= f.offset {
				total++
			}
		}
	}
	return total
}

// early says that the peer ended, or fell silent, before it said what was recorded.
func (p *player) early(f *flow, rest []byte, err error) error {
	what := p.rec.differ(side{f.number, p.peer}, f.offset, rest, nil)
	where := ""
	if what.Message > 0 {
		where = fmt.Sprintf(", message %d (%s)", what.Message, what.Summary)
	}
	return fmt.Errorf("flow %d: the %v said no more after byte %d%s, and [% x] was recorded: %w", f.number, p.peer, f.offset, where, clip(rest), err)
}

func (p *player) expectMessages(f *flow, e *transcript.Event, need int) error {
	f.conn.SetReadDeadline(p.by(e))
	buf := make([]byte, 32<<10)
	k := side{f.number, p.peer}
	for f.messages < need {
		n, err := f.conn.Read(buf)
		if n > 0 {
			p.res.Received += int64(n)
			for _, m := range p.live.Feed(&transcript.Event{Flow: f.number, Dir: p.peer, Kind: transcript.Data, Data: buf[:n]}) {
				if m.Dir != p.peer {
					continue
				}
				if d := p.compare(f, &m); d != nil {
					return d
				}
			}
		}
		if err != nil && f.messages < need {
			want := &p.rec.messages[k][f.messages]
			for _, m := range p.live.Feed(&transcript.Event{Flow: f.number, Dir: p.peer, Kind: transcript.Close}) {
				if !bytes.HasPrefix(want.Raw, m.Raw) { // no message at all, rather than half of the right one
					return p.compare(f, &m)
				}
			}
			f.offset = want.Frame.Offset
			return p.early(f, want.Raw, err)
		}
	}
	return nil
}

func (p *player) compare(f *flow, m *transcript.Message) error {
	list := p.rec.messages[side{f.number, p.peer}]
	if f.messages == len(list) {
		return &Difference{Flow: f.number, Dir: p.peer, Message: f.messages + 1, Summary: "nothing more was recorded", Offset: f.offset, Got: clip(m.Raw)}
	}
	want := &list[f.messages]
	f.messages++
	d, let := p.rec.tolerate(want, m, f.messages, p.Ignore)
	if d != nil {
		return d
	}
	for why, n := range let {
		p.res.Tolerated[why] += n
	}
	f.offset = want.Frame.Offset + int64(want.Frame.Length)
	p.res.Messages++
	return nil
}

// endOurs ends our direction; when the recording has nothing more from the peer, surplus is looked for later, in settle.
func (p *player) endOurs(f *flow) error {
	if f.closed {
		return nil
	}
	f.closed = true
	if h, ok := f.conn.(interface{ CloseWrite() error }); ok && !f.eof {
		_ = h.CloseWrite() // a peer that is gone already is met by the next read
		return nil
	}
	return f.conn.Close()
}

func (p *player) expectEnd(f *flow, e *transcript.Event) error {
	if f.eof || f.closed && e.Kind == transcript.Reset {
		return nil
	}
	f.conn.SetReadDeadline(p.by(e))
	return p.surplus(f, true)
}

// settleFor is how long a connection is listened to for what was not recorded, once all that was has been played.
const settleFor = 250 * time.Millisecond

// settle ends a connection and makes sure that the peer has said no more than in the recording.
func (p *player) settle(f *flow) error {
	if f.eof {
		return nil
	}
	if err := p.endOurs(f); err != nil {
		return nil // it is closed, and nothing can be read any more
	}
	f.conn.SetReadDeadline(time.Now().Add(settleFor))
	return p.surplus(f, false)
}

// surplus reads until the peer's end; bytes before it were not recorded. Without must, silence will do.
func (p *player) surplus(f *flow, must bool) error {
	buf := make([]byte, 4096)
	n, err := f.conn.Read(buf)
	switch {
	case n > 0:
		d := p.rec.differ(side{f.number, p.peer}, f.offset, nil, buf[:n])
		d.Summary = "nothing more was recorded"
		return d
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, net.ErrClosed), !must:
		f.eof = true
		return nil
	}
	return fmt.Errorf("flow %d: the %v did not end the connection as recorded: %w", f.number, p.peer, err)
}
