package dmclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/protocol/devicemaster"
)

// Opener makes the connection; (*net.Dialer).DialContext is one.
type Opener = func(ctx context.Context, network, addr string) (net.Conn, error)

// The times of the protocol; those that are not in [Options] are the maker's.
const (
	DefaultTimeout     = 5 * time.Second   // to connect, to be told who the box is, and to begin a session
	DefaultLinkTimeout = 120 * time.Second // without the answer to a ping the link is dead
	DefaultScanPeriod  = 10                // ms
	openWait           = time.Second       // for the answer to an opening, a flush or a close
	releaseWait        = 3 * time.Second
	syncRetry          = 5 * time.Second
	quiet              = 200 * time.Millisecond // an ID response has ended when nothing comes for so long
	writeWait          = 10 * time.Second       // a box that takes no bytes for so long is gone
)

// maxOut is how many bytes may wait for a box that takes none. The windows of all ports are a sixteenth of it; settings and
// actions have no window.
const maxOut = 1 << 20

// Options of a link; the zero value is good.
type Options struct {
	Timeout     time.Duration // of connecting, the identification and the start; 0 is [DefaultTimeout]
	LinkTimeout time.Duration // in whole seconds; the box is pinged twice as often; 0 is [DefaultLinkTimeout]
	ScanPeriod  uint8         // how often the box looks at its ports, in ms; 0 is [DefaultScanPeriod]
	// Changed is called when something of a port or of the link has changed, from any goroutine and often; it must not block
	// or call the link.
	Changed func()
	// Unknown is called with bytes that are no known message, and were dropped. They are valid during the call, which must
	// not block or call the link.
	Unknown func(raw []byte, err error)
}

// Stats is what a link has done so far.
type Stats struct {
	BytesIn, BytesOut uint64 // on the wire
	Messages          uint64 // received
	Unknown, Dropped  uint64 // times that an unknown message came; bytes dropped because of that
	Zeros             uint64 // bytes between messages
	Strays            uint64 // messages about no port, or about one that the box does not have
	Resyncs           uint64 // totals that did not fit what was sent
	Unanswered        uint64 // flushes while opening that the box did not answer
	RTT               time.Duration
}

// Link is one session with one box. Its methods may be called at the same time.
type Link struct {
	addr string
	conn net.Conn
	opts Options
	id   devicemaster.IDResponse

	ended   chan struct{} // closed when cause is set
	readers sync.WaitGroup

	mu       sync.Mutex
	cause    error // why the link is over; nil while it works
	slots    [devicemaster.MaxPorts]slot
	out      []byte // to be written
	spare    []byte
	writing  bool
	selected int // port that the messages in out are about; -1: none
	stats    Stats
	synced   bell // an answer to a ping came
	pingsOut uint64
	pingsIn  uint64
	lastPing time.Time
	pongAt   time.Time
	assigned bell
	session  bool
	garbled  int // reads with unknown messages since the last answer to a ping
}

// slot is a port of the box as the link sees it.
type slot struct {
	port     *Port // nil while it is not ours
	busy     bool  // the last opening was refused
	answered bell  // a status came
	releases int   // answers to forced releases so far
}

// Dial connects to addr ("host:port"), asks who is there, and begins a session. The error wraps what open returned,
// [ErrNotDeviceMaster], [ErrNoAnswer], or the context's.
func Dial(ctx context.Context, open Opener, addr string, opts Options) (*Link, error) {
	if opts.Timeout <= 0 {
		opts.Timeout = DefaultTimeout
	}
	if opts.LinkTimeout < time.Second {
		opts.LinkTimeout = DefaultLinkTimeout
	}
	if opts.ScanPeriod == 0 {
		opts.ScanPeriod = DefaultScanPeriod
	}
	conn, err := dial(ctx, open, addr, opts.Timeout)
	if err != nil {
		return nil, err
	}
	id, err := identify(ctx, conn, opts.Timeout)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("devicemaster identify %s: %w", addr, err)
	}
	conn.SetDeadline(time.Time{}) // before anybody reads: that of the identification may pass at any moment
	l := &Link{addr: addr, conn: conn, opts: opts, id: id, ended: make(chan struct{}), selected: -1, pongAt: time.Now()}
	l.readers.Go(l.read)
	l.readers.Go(l.keepAlive)
	if err := l.begin(ctx); err != nil {
		l.fail(err)
		l.readers.Wait()
		return nil, fmt.Errorf("devicemaster begin %s: %w", addr, err)
	}
	return l, nil
}

func dial(ctx context.Context, open Opener, addr string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := open(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("devicemaster connect %s: %w", addr, err)
	}
	return conn, nil
}

func orContext(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// begin starts the session: 73, 74, then timeout, scan period and a first ping.
func (l *Link) begin(ctx context.Context) error {
	until := time.Now().Add(l.opts.Timeout)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out = devicemaster.AppendAssign(l.out)
	l.flush()
	for !l.session {
		if err := l.wait(ctx, &l.assigned, until); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return fmt.Errorf("%w: it did not begin a session: %w", ErrNoAnswer, err)
			}
			return err
		}
	}
	l.out = devicemaster.AppendScanPeriod(l.out, l.opts.ScanPeriod)
	l.out = devicemaster.AppendLinkTimeout(l.out, uint32(l.opts.LinkTimeout/time.Second))
	l.ping()
	l.flush()
	return nil
}

// Addr is the address that was dialled.
func (l *Link) Addr() string { return l.addr }

// ID is what the box said it is. Its slices belong to the link.
func (l *Link) ID() devicemaster.IDResponse { return l.id }

// Ports is how many ports the box has; an old box does not say, and is taken to have [devicemaster.MaxPorts].
func (l *Link) Ports() int { return PortsOf(&l.id) }

// PortsOf is how many ports a box has by its ID response; see [Link.Ports].
func PortsOf(id *devicemaster.IDResponse) int {
	if id.Ports == 0 {
		return devicemaster.MaxPorts
	}
	return int(id.Ports)
}

// Busy reports whether the last attempt to open a port, counted from 0, was refused because another host had it.
func (l *Link) Busy(port int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return port >= 0 && port < len(l.slots) && l.slots[port].busy
}

// Done is closed when the link is over.
func (l *Link) Done() <-chan struct{} { return l.ended }

// Err is why the link is over, an error that wraps [ErrLinkDown]; nil while it works.
func (l *Link) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cause
}

// Stats is what the link has done so far.
func (l *Link) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stats
}

// Close gives the open ports back, waits a second at most for the answers, and closes the connection. Ports in use fail
// with net.ErrClosed. Closing again does nothing.
func (l *Link) Close() error {
	l.mu.Lock()
	var open []*Port
	for i := range l.slots {
		if p := l.slots[i].port; p != nil {
			open = append(open, p)
		}
	}
	l.mu.Unlock()
	var wg sync.WaitGroup
	for _, p := range open {
		wg.Go(func() { p.Close() })
	}
	wg.Wait()
	l.fail(net.ErrClosed)
	l.readers.Wait()
	return nil
}

// Sync waits until the box has answered a ping that is sent now: what was sent before has then reached it. An answer that
// does not come within five seconds is taken for lost, and the ping is sent again.
func (l *Link) Sync(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if l.cause != nil {
			return l.cause
		}
		l.ping()
		want, until := l.pingsOut, time.Now().Add(syncRetry)
		l.flush()
		for l.pingsIn < want {
			err := l.wait(ctx, &l.synced, until)
			if errors.Is(err, os.ErrDeadlineExceeded) && l.cause == nil {
				break
			}
			if err != nil {
				return err
			}
		}
		if l.pingsIn >= want {
			return nil
		}
		l.pingsIn = l.pingsOut // it fell with bytes that were dropped; the link timeout ends a box that answers none
	}
}

// Release takes a port, counted from 0, from whoever has it, this link too. The error wraps [ErrNoAnswer] when the box does
// not confirm it within three seconds.
func (l *Link) Release(ctx context.Context, port int) error {
	fail := func(err error) error { return fmt.Errorf("devicemaster release %s port %d: %w", l.addr, port+1, err) }
	if port < 0 || port >= l.Ports() {
		return fail(ErrNoPort)
	}
	until := time.Now().Add(releaseWait)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cause != nil {
		return fail(l.cause)
	}
	s := &l.slots[port]
	before := s.releases
	l.selectPort(port)
	l.out = devicemaster.AppendRelease(l.out)
	l.flush()
	for s.releases == before {
		if err := l.wait(ctx, &s.answered, until); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				err = fmt.Errorf("%w: %w", ErrNoAnswer, err)
			}
			return fail(err)
		}
	}
	s.busy = false
	l.changed()
	return nil
}

// selectPort makes the next message in out one about port; mu is held. Each write begins with its own selection.
func (l *Link) selectPort(port int) {
	if len(l.out) == 0 {
		l.selected = -1
	}
	if l.selected != port {
		l.out = devicemaster.AppendSelect(l.out, uint8(port))
		l.selected = port
	}
}

// ping appends a ping; mu is held.
func (l *Link) ping() {
	l.out = devicemaster.AppendPing(l.out)
	l.pingsOut++
	l.lastPing = time.Now()
}

// flush writes what is in out. mu is held, and given up while writing; who finds somebody writing leaves it to them.
func (l *Link) flush() {
	if l.writing {
		if len(l.out) > maxOut {
			l.end(fmt.Errorf("%w: it takes no bytes, and %d wait for it", ErrNoAnswer, len(l.out)))
		}
		return
	}
	l.writing = true
	for len(l.out) > 0 && l.cause == nil {
		b := l.out
		l.out = l.spare[:0]
		l.mu.Unlock()
		l.conn.SetWriteDeadline(time.Now().Add(writeWait))
		n, err := l.conn.Write(b)
		l.mu.Lock()
		l.spare = b
		l.stats.BytesOut += uint64(n)
		if err != nil {
			l.end(err)
		}
	}
	l.writing = false
}

// fail ends the link; the first cause stays.
func (l *Link) fail(cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end(cause)
}

// end is fail with mu held.
func (l *Link) end(cause error) {
	if l.cause != nil {
		return
	}
	if errors.Is(cause, os.ErrDeadlineExceeded) {
		cause = &silent{cause}
	}
	l.cause = &down{cause}
	close(l.ended)
	l.conn.Close()
	l.assigned.ring()
	l.synced.ring()
	for i := range l.slots {
		s := &l.slots[i]
		s.answered.ring()
		if p := s.port; p != nil {
			p.end(l.cause)
		}
	}
	l.changed()
}

func (l *Link) changed() {
	if l.opts.Changed != nil {
		l.opts.Changed()
	}
}

// keepAlive pings and ends a link whose box has gone silent.
func (l *Link) keepAlive() {
	t := time.NewTimer(l.opts.LinkTimeout / 2)
	defer t.Stop()
	for {
		select {
		case <-l.ended:
			return
		case <-t.C:
		}
		l.mu.Lock()
		if time.Since(l.pongAt) >= l.opts.LinkTimeout {
			l.end(fmt.Errorf("%w: no answer to pings for %v", ErrNoAnswer, l.opts.LinkTimeout))
		} else if time.Since(l.lastPing) >= l.opts.LinkTimeout/2 {
			l.ping()
			l.flush()
		}
		t.Reset(min(time.Until(l.lastPing.Add(l.opts.LinkTimeout/2)), time.Until(l.pongAt.Add(l.opts.LinkTimeout))))
		l.mu.Unlock()
	}
}

// bell wakes all that wait for it. The zero bell is ready; a lock of its owner guards it.
type bell struct{ c chan struct{} }

func (b *bell) wait() <-chan struct{} {
	if b.c == nil {
		b.c = make(chan struct{})
	}
	return b.c
}

func (b *bell) ring() {
	if b.c != nil {
		close(b.c)
		b.c = nil
	}
}

// wait waits for a bell, with mu given up meanwhile. The error is os.ErrDeadlineExceeded after the time until (zero: never),
// the context's, or that of the link.
func (l *Link) wait(ctx context.Context, b *bell, until time.Time) error {
	if l.cause != nil {
		return l.cause
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c := b.wait()
	var timeout <-chan time.Time
	if !until.IsZero() {
		d := time.Until(until)
		if d <= 0 {
			return os.ErrDeadlineExceeded
		}
		t := time.NewTimer(d)
		defer t.Stop()
		timeout = t.C
	}
	var late error
	l.mu.Unlock()
	select {
	case <-c:
	case <-timeout:
		late = os.ErrDeadlineExceeded
	case <-ctx.Done():
		late = ctx.Err()
	}
	l.mu.Lock()
	select {
	case <-c:
		return nil // what came by the end of the time counts; who waits looks, and asks again
	default:
		return late
	}
}
