package focasclient

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// Opener makes the connection; (*net.Dialer).DialContext is one.
type Opener = func(ctx context.Context, network, addr string) (net.Conn, error)

// Causes of a session's end that are not the network's.
var (
	ErrStale = errors.New("a frame came that is no answer to the request in flight: the stream is out of step")
	ErrEcho  = errors.New("reply is about another block than the request")
)

// channel is one TCP connection of a session. Whoever holds sem is alone with the stream.
type channel struct {
	number  uint16
	addr    string
	conn    net.Conn
	in      *bufio.Reader // whole replies in one read, and what comes unasked is seen
	out     []byte        // buffer for the frame being sent; used under sem
	timeout time.Duration
	stats   *counters

	watch watch
	began time.Time // of the exchange; used under sem
	armed time.Time // the connection's deadline; used under sem

	sem     chan struct{} // of size 1: a lock that a context can give up on
	closing chan struct{} // closed when no new exchange may begin

	mu    sync.Mutex
	cause error // why the channel is over; nil while it works
	ended bool  // closing is closed
}

// openChannel connects, opens the channel and reads the control's open reply.
func openChannel(ctx context.Context, open Opener, addr string, number uint16, timeout time.Duration, stats *counters) (*channel, focas.OpenReply, error) {
	dialCtx, cancel := context.WithTimeout(ctx, timeout)
	conn, err := open(dialCtx, "tcp", addr)
	cancel()
	if err != nil {
		return nil, focas.OpenReply{}, fmt.Errorf("focas connect %s: %w", addr, err)
	}
	ch := &channel{number: number, addr: addr, conn: conn, timeout: timeout, stats: stats,
		watch: watch{conn: conn}, sem: make(chan struct{}, 1), closing: make(chan struct{})}
	ch.in = bufio.NewReaderSize(conn, inBuffer)
	var reply focas.OpenReply
	err = ch.do(ctx, "open", func() error {
		if err := ch.sendOwn(focas.AppendOpenRequest(ch.out[:0], number)); err != nil {
			return err
		}
		f, err := ch.receive(focas.TypeOpen)
		if err != nil {
			return err
		}
		reply, err = focas.ParseOpenReply(f.Version, f.Body)
		return err
	})
	if err != nil {
		ch.fail(err)
		return nil, reply, err
	}
	return ch, reply, nil
}

// do runs one exchange alone on the channel, with a deadline of the channel's timeout or ctx, whichever is earlier. A
// failure other than a refusal of the control ends the channel. The error says op and address.
func (ch *channel) do(ctx context.Context, op string, exchange func() error) error {
	if err := ch.acquire(ctx); err != nil {
		return fmt.Errorf("focas %s %s: %w", op, ch.addr, err)
	}
	defer func() { <-ch.sem }()
	if ch.watch.begin(ctx) {
		ch.armed = time.Time{}
	}
	defer ch.watch.end()
	if err := ch.arm(ctx); err != nil {
		return fmt.Errorf("focas %s %s: %w", op, ch.addr, ch.fail(explain(ctx, err)))
	}
	// Asked after arming, which may have undone what the end of ctx did. Nothing was sent: the stream is still in step.
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("focas %s %s: %w", op, ch.addr, err)
	}
	err := exchange()
	if err == nil {
		return nil
	}
	if saidNo(err) != nil {
		return fmt.Errorf("focas %s %s: %w", op, ch.addr, err)
	}
	return fmt.Errorf("focas %s %s: %w", op, ch.addr, ch.fail(explain(ctx, err)))
}

// watch ends the exchange in flight when its context ends. With a context that two exchanges in a row have it stays, because
// then most exchanges of a session have it.
type watch struct {
	conn net.Conn
	mu   sync.Mutex
	done <-chan struct{} // of the context that it stays with
	stop func() bool     // ends that; nil: there is nothing to end
	busy bool            // an exchange with that context is in flight
	last <-chan struct{} // of the context of the exchange in flight or before
	keep bool            // it is the one before that, too
	cut  bool            // the connection's deadline is not what arm has set
}

// begin reports whether the connection's deadline was changed since the exchange before.
func (w *watch) begin(ctx context.Context) (cut bool) {
	done := ctx.Done()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done != done {
		w.leave()
		if done != nil {
			w.done, w.stop = done, context.AfterFunc(ctx, func() { w.interrupt(done) })
		}
	}
	w.keep, w.last = done == w.last, done
	w.busy = true
	cut, w.cut = w.cut, false
	return cut
}

// end lets the exchange go; once it has returned, the end of the context no longer touches the connection. It may be called again.
func (w *watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy = false
	if !w.keep {
		w.leave()
	}
}

func (w *watch) interrupt(done <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.busy && w.done == done {
		w.cut = true
		w.conn.SetDeadline(time.Unix(1, 0))
	}
}

// leave forgets the context; the lock is held.
func (w *watch) leave() {
	if w.stop != nil {
		w.stop()
	}
	w.done, w.stop = nil, nil
}

// release forgets the context.
func (w *watch) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leave()
}

// explain replaces the deadline error that a cancelled context causes by the context's own, and names what an early end
// of the stream means.
func explain(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, os.ErrDeadlineExceeded):
		if end := contextEnd(ctx); end != nil {
			return end
		}
		return fmt.Errorf("no answer in time: %w", err)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("the control closed the connection: %w", err)
	}
	return err
}

// contextEnd is ctx.Err() that does not lag behind a connection's deadline: that deadline may be the context's own, and
// then either can be noticed first.
func contextEnd(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d, ok := ctx.Deadline(); ok && !time.Now().Before(d) {
		return context.DeadlineExceeded
	}
	return nil
}

func (ch *channel) acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-ch.closing:
		return ch.closedError()
	default:
	}
	select {
	case ch.sem <- struct{}{}: // mostly free, and asking for one thing costs less than waiting for three
	default:
		select {
		case ch.sem <- struct{}{}:
		case <-ch.closing:
			return ch.closedError()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	select {
	case <-ch.closing:
		<-ch.sem
		return ch.closedError()
	default:
		return nil
	}
}

// arm sets the deadline for what is sent and read next, and notes the time. A deadline that was set less than 1/64 of the
// timeout ago stays, since setting one costs as much as taking a frame apart: of frames that follow one another at once,
// the later ones have that much less time.
func (ch *channel) arm(ctx context.Context) error {
	ch.began = time.Now()
	deadline := ch.began.Add(ch.timeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if gain := deadline.Sub(ch.armed); gain >= 0 && gain < ch.timeout/64 {
		return nil
	}
	ch.armed = deadline
	return ch.conn.SetDeadline(deadline)
}

// inStep is an error when bytes are there that no request asked for.
func (ch *channel) inStep() error {
	if n := ch.in.Buffered(); n > 0 {
		return fmt.Errorf("%w: %d bytes after the answer", ErrStale, n)
	}
	return nil
}

// sendOwn writes one whole frame without blocks that was appended to ch.out, and keeps its room for the next.
func (ch *channel) sendOwn(frame []byte) error {
	ch.out = frame
	return ch.send(frame, 0)
}

// send writes one whole frame; blocks is for the counters.
func (ch *channel) send(frame []byte, blocks int) error {
	n, err := ch.conn.Write(frame)
	ch.stats.sent(n, blocks)
	return err
}

// inBuffer holds the largest frame of every version.
const inBuffer = 8192

// next reads one frame; its body is valid until the next call. io.EOF means that the stream ended between two frames.
func (ch *channel) next() (focas.Frame, error) {
	b, err := ch.in.Peek(focas.HeaderSize)
	if err == nil {
		var h focas.Header
		if h, err = focas.ParseHeader(b); err != nil {
			return focas.Frame{Header: h}, err
		}
		size := focas.HeaderSize + int(h.Length)
		if b, err = ch.in.Peek(size); err == nil {
			_, err = ch.in.Discard(size)
			return focas.Frame{Header: h, Body: b[focas.HeaderSize:size:size]}, err
		}
	}
	if err == io.EOF && len(b) > 0 {
		err = io.ErrUnexpectedEOF
	}
	return focas.Frame{}, err
}

// receive reads one frame that must be a reply or a push of type t. An error frame of that type becomes a *focas.Error.
// The body is valid until the next call.
func (ch *channel) receive(t focas.Type) (focas.Frame, error) {
	f, err := ch.next()
	if err != nil {
		return f, err
	}
	if size := focas.HeaderSize + len(f.Body); f.Type == focas.TypeData && t == focas.TypeData {
		ch.stats.answered(size, time.Since(ch.began))
	} else {
		ch.stats.received(size)
	}
	if f.Type != t {
		return f, fmt.Errorf("%w: %v %v, expected %v", ErrStale, f.Type, f.Dir, t)
	}
	if f.Dir == focas.DirError {
		body, err := focas.ParseErrorBody(f.Body)
		if err != nil {
			return f, err
		}
		return f, body.Err(0)
	}
	if f.Dir != focas.DirReply && f.Dir != focas.DirPush {
		return f, fmt.Errorf("%w: %v %v, expected a reply", ErrStale, f.Type, f.Dir)
	}
	return f, nil
}

// fail ends the channel: the first cause stays, the connection is closed. It returns err.
func (ch *channel) fail(err error) error {
	ch.end(err)
	ch.conn.Close()
	ch.watch.release()
	return err
}

// end lets no new exchange begin.
func (ch *channel) end(cause error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.cause == nil {
		ch.cause = cause
	}
	if !ch.ended {
		ch.ended = true
		close(ch.closing)
	}
}

// err is the first cause of the end; nil while the channel works.
func (ch *channel) err() error {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.cause
}

func (ch *channel) closedError() error {
	if cause := ch.err(); cause != nil && !errors.Is(cause, net.ErrClosed) {
		return fmt.Errorf("%w after: %w", net.ErrClosed, cause)
	}
	return net.ErrClosed
}

// closeWait bounds the polite part of a close, whatever the context allows.
const closeWait = 500 * time.Millisecond

// close says goodbye and closes the connection. An exchange in flight gets a moment to end, then it is cut off. Only the
// first call does anything.
func (ch *channel) close(ctx context.Context) {
	ch.mu.Lock()
	if ch.ended {
		ch.mu.Unlock()
		ch.conn.Close()
		return
	}
	ch.ended = true
	ch.cause = net.ErrClosed
	close(ch.closing)
	ch.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, closeWait)
	defer cancel()
	defer ch.watch.release()
	defer ch.conn.Close()
	select {
	case ch.sem <- struct{}{}:
	case <-ctx.Done():
		return
	}
	defer func() { <-ch.sem }()
	if err := ch.arm(ctx); err != nil {
		return
	}
	stop := context.AfterFunc(ctx, func() { ch.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := ch.sendOwn(focas.AppendCloseRequest(ch.out[:0])); err != nil {
		return
	}
	// The answer carries nothing; it is awaited so that the control sees an orderly end.
	_, _ = ch.receive(focas.TypeClose)
}
