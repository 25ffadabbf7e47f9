package dmsim

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
)

// Paced makes the lines of a back end as slow as their baud rate.
func Paced(b dmserver.Backend) dmserver.Backend { return paced{b} }

type paced struct{ dmserver.Backend }

func (p paced) Open(ctx context.Context, line dmserver.Line) (dmserver.Wire, error) {
	w, err := p.Backend.Open(ctx, line)
	if err != nil {
		return nil, err
	}
	return newPace(w), nil
}

// Echo is a plug that joins what is sent to what is received, RTS to CTS, and DTR to DSR and CD.
func Echo() dmserver.Backend { return echo{} }

type echo struct{}

type echoWire struct {
	q    *queue
	line dmserver.Line
}

func (echo) Open(_ context.Context, line dmserver.Line) (dmserver.Wire, error) {
	return &echoWire{newQueue(), line}, nil
}

func (w *echoWire) Send(b []byte) (int, error) { return w.q.put(b) }
func (w *echoWire) Recv(b []byte) (int, error) { return w.q.get(b) }
func (w *echoWire) Set(s dmserver.Settings)    { w.line.SetInputs(across(s.Outputs)) }
func (w *echoWire) Flush(in, _ bool) {
	if in {
		w.q.flush()
	}
}
func (w *echoWire) Close() error { w.q.close(); return nil }

// across is what the far end of a null modem sees of these outputs.
func across(o devicemaster.Outputs) (in devicemaster.Inputs) {
	if o&devicemaster.RTS != 0 {
		in |= devicemaster.CTS
	}
	if o&devicemaster.DTR != 0 {
		in |= devicemaster.DSR | devicemaster.CD
	}
	if o&devicemaster.Break != 0 {
		in |= devicemaster.BreakSeen
	}
	return in
}

// Sink takes everything and says nothing. All its modem lines are on.
func Sink() dmserver.Backend { return sink{} }

type sink struct{}

type sinkWire struct {
	once   sync.Once
	closed chan struct{}
}

func (sink) Open(_ context.Context, line dmserver.Line) (dmserver.Wire, error) {
	line.SetInputs(devicemaster.AllInputs)
	return &sinkWire{closed: make(chan struct{})}, nil
}

func (w *sinkWire) Send(b []byte) (int, error) {
	select {
	case <-w.closed:
		return 0, net.ErrClosed
	default:
		return len(b), nil
	}
}
func (w *sinkWire) Recv([]byte) (int, error) { <-w.closed; return 0, net.ErrClosed }
func (w *sinkWire) Set(dmserver.Settings)    {}
func (w *sinkWire) Flush(bool, bool)         {}
func (w *sinkWire) Close() error             { w.once.Do(func() { close(w.closed) }); return nil }

// Taken is a port that another host always has.
func Taken() dmserver.Backend { return taken{} }

type taken struct{}

var errTaken = errors.New("dmsim: another host has the port")

func (taken) Open(context.Context, dmserver.Line) (dmserver.Wire, error) { return nil, errTaken }

// NullModem is the two ends of a cable. What one end sends the other receives; while nobody has the other end open, it is
// lost on the line. RTS arrives as CTS, DTR as DSR and CD, break as break. A sender with CTS flow control waits for CTS.
func NullModem() (a, b dmserver.Backend) {
	c := new(cable)
	c.cond.L = &c.mu
	c.ends[0].c, c.ends[1].c = c, c
	c.ends[0].peer, c.ends[1].peer = &c.ends[1], &c.ends[0]
	return &c.ends[0], &c.ends[1]
}

type cable struct {
	mu   sync.Mutex
	cond sync.Cond
	ends [2]end
}

// end is one plug of a cable; its fields are guarded by the cable's lock.
type end struct {
	c    *cable
	peer *end
	wire *endWire // nil: nobody has it open
}

type endWire struct {
	*end
	line   dmserver.Line
	set    dmserver.Settings
	in     []byte
	drops  int // flushes of what waits for the line
	closed bool
}

// outputs are those of an end; a closed port has its lines off.
func (e *end) outputs() devicemaster.Outputs {
	if e.wire == nil {
		return 0
	}
	return e.wire.set.Outputs
}

func (e *end) Open(_ context.Context, line dmserver.Line) (dmserver.Wire, error) {
	e.c.mu.Lock()
	defer e.c.mu.Unlock()
	w := &endWire{end: e, line: line, set: dmserver.DefaultSettings()}
	e.wire = w
	line.SetInputs(across(e.peer.outputs()))
	e.c.cond.Broadcast()
	return w, nil
}

func (w *endWire) Send(b []byte) (int, error) {
	w.c.mu.Lock()
	defer w.c.mu.Unlock()
	for drops := w.drops; ; {
		if w.closed {
			return 0, net.ErrClosed
		}
		if w.drops != drops {
			return len(b), nil
		}
		far := w.peer.wire
		held := w.set.Line&devicemaster.CTSFlow != 0 && w.peer.outputs()&devicemaster.RTS == 0
		switch {
		case held || far != nil && len(far.in) >= lineBuffer:
			w.c.cond.Wait()
			continue
		case far == nil:
			return len(b), nil
		}
		n := min(len(b), lineBuffer-len(far.in))
		far.in = append(far.in, b[:n]...)
		if w.set.Line&devicemaster.Data7 != 0 {
			for i := len(far.in) - n; i < len(far.in); i++ {
				far.in[i] &= 0x7f
			}
		}
		w.c.cond.Broadcast()
		return n, nil
	}
}

func (w *endWire) Recv(b []byte) (int, error) {
	w.c.mu.Lock()
	defer w.c.mu.Unlock()
	for len(w.in) == 0 && !w.closed {
		w.c.cond.Wait()
	}
	if w.closed {
		return 0, net.ErrClosed
	}
	n := copy(b, w.in)
	w.in = w.in[:copy(w.in, w.in[n:])]
	w.c.cond.Broadcast()
	return n, nil
}

func (w *endWire) Set(s dmserver.Settings) {
	w.c.mu.Lock()
	defer w.c.mu.Unlock()
	if w.closed {
		return
	}
	broke := s.Outputs&^w.set.Outputs&devicemaster.Break != 0
	w.set = s
	w.c.cond.Broadcast()
	if far := w.far(); far != nil {
		if broke {
			far.Report(devicemaster.BreakError)
		}
		far.SetInputs(across(s.Outputs))
	}
}

// far is where the other end is told; nil when nobody has it open.
func (w *endWire) far() dmserver.Line {
	if w.peer.wire == nil {
		return nil
	}
	return w.peer.wire.line
}

func (w *endWire) Flush(in, out bool) {
	w.c.mu.Lock()
	defer w.c.mu.Unlock()
	if in {
		w.in = w.in[:0]
	}
	if out {
		w.drops++
	}
	w.c.cond.Broadcast()
}

func (w *endWire) Close() error {
	w.c.mu.Lock()
	defer w.c.mu.Unlock()
	if w.closed {
		return nil
	}
	w.closed = true
	if w.wire == w {
		w.wire = nil
	}
	w.c.cond.Broadcast()
	if far := w.far(); far != nil {
		far.SetInputs(across(w.outputs())) // off, unless somebody has the end open already
	}
	return nil
}

// Script is a device that talks by itself and answers lines.
type Script struct {
	// Every is how often Say is asked for a line; 0 is never.
	Every time.Duration
	// Say is line number n, counted from 0 since the port was opened, as it goes out.
	Say func(n int) string
	// Answer is what goes out when a line came in, without its end; nil says nothing. Lines end with CR, LF or both.
	Answer func(line string) string
}

// Open implements dmserver.Backend.
func (s Script) Open(_ context.Context, line dmserver.Line) (dmserver.Wire, error) {
	line.SetInputs(devicemaster.AllInputs)
	return &scriptWire{Script: s, next: time.Now().Add(s.Every), news: make(chan struct{}, 1), closed: make(chan struct{})}, nil
}

type scriptWire struct {
	Script
	once   sync.Once
	closed chan struct{}
	news   chan struct{}

	mu   sync.Mutex
	line []byte
	out  []byte
	next time.Time
	n    int
}

// maxScript bounds what a script keeps: of a line, and of answers that nobody reads.
const maxScript = 64 << 10

func (w *scriptWire) Send(b []byte) (int, error) {
	select {
	case <-w.closed:
		return 0, net.ErrClosed
	default:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range b {
		switch {
		case c != '\r' && c != '\n':
			if len(w.line) < maxScript {
				w.line = append(w.line, c)
			}
		case len(w.line) > 0:
			if w.Answer != nil && len(w.out) < maxScript {
				w.out = append(w.out, w.Answer(string(w.line))...)
			}
			w.line = w.line[:0]
		}
	}
	select {
	case w.news <- struct{}{}:
	default:
	}
	return len(b), nil
}

func (w *scriptWire) Recv(b []byte) (int, error) {
	for {
		w.mu.Lock()
		if w.Every > 0 && w.Say != nil && !time.Now().Before(w.next) {
			w.out = append(w.out, w.Say(w.n)...)
			w.n++
			w.next = w.next.Add(w.Every)
		}
		n := copy(b, w.out)
		w.out = w.out[:copy(w.out, w.out[n:])]
		wait := time.Until(w.next)
		w.mu.Unlock()
		if n > 0 {
			return n, nil
		}
		if err := w.wait(wait); err != nil {
			return 0, err
		}
	}
}

// wait waits for the next line of its own, for an answer, or for the end.
func (w *scriptWire) wait(d time.Duration) error {
	var due <-chan time.Time
	if w.Every > 0 && w.Say != nil {
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

func (w *scriptWire) Set(dmserver.Settings) {}

func (w *scriptWire) Flush(in, _ bool) {
	if in {
		w.mu.Lock()
		w.out = w.out[:0]
		w.mu.Unlock()
	}
}

func (w *scriptWire) Close() error {
	w.once.Do(func() { close(w.closed) })
	return nil
}
