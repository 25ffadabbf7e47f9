package testnet

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Link is one direction of a connection, with the faults that a test may switch on while it is in use. All methods are
// safe for concurrent use.
type Link struct {
	mu   sync.Mutex
	cond *sync.Cond

	buf     []byte // what was written and not read yet
	start   []byte // the beginning of buf's memory, used again when buf runs empty
	max     int    // the most that buf holds
	writing bool   // one Write at a time, so that writes never mix

	eof     bool  // the writer has finished
	gone    bool  // the reader has closed: writes fail
	reset   error // set once: both sides fail with it, what was buffered is lost
	rclosed bool  // the reading end was closed by its owner
	wclosed bool  // the writing end was closed by its owner

	readBy, writeBy deadline

	stalled bool
	chunk   int   // the most that one Read returns; 0: no limit
	cut     int64 // bytes that may still be read before the reset; below 0: no limit
	garble  bool
	noise   uint32
	read    int64
	written int64
}

func newLink(max int) *Link {
	l := &Link{max: max, cut: -1}
	l.cond = sync.NewCond(&l.mu)
	return l
}

// deadline is a point in time that wakes whoever waits when it passes.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) set(l *Link, t time.Time) {
	d.stop()
	d.at = t
	if !t.IsZero() {
		if wait := time.Until(t); wait > 0 {
			d.timer = time.AfterFunc(wait, l.wake)
		}
	}
	l.cond.Broadcast()
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func (l *Link) wake() {
	l.mu.Lock()
	l.cond.Broadcast()
	l.mu.Unlock()
}

func (l *Link) change(f func()) {
	l.mu.Lock()
	f()
	l.cond.Broadcast()
	l.mu.Unlock()
}

// Stall holds everything back: writes are taken until the buffer is full, reads wait.
func (l *Link) Stall() { l.change(func() { l.stalled = true }) }

// Resume ends a stall.
func (l *Link) Resume() { l.change(func() { l.stalled = false }) }

// Chunk limits how many bytes one Read returns; 1 shows a reader everything one byte at a time, 0 ends the limit.
func (l *Link) Chunk(n int) { l.change(func() { l.chunk = n }) }

// CutAfter resets the connection, as [Conn.Reset] does, when n more bytes have been read from this direction; the Read behind them
// meets it first.
func (l *Link) CutAfter(n int64) { l.change(func() { l.cut = n }) }

// Garble replaces every byte that is read from now on by noise that is the same in each run; false ends it.
func (l *Link) Garble(on bool) { l.change(func() { l.garble = on; l.noise = 0x2545f491 }) }

// Inject puts bytes into the direction as if the writer had sent them, whatever the buffer's size.
func (l *Link) Inject(b []byte) { l.change(func() { l.put(b) }) }

// Counts are the bytes that were written into the direction and read from it.
func (l *Link) Counts() (written, read int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.written, l.read
}

// errCut is what a Read meets where the connection is to be reset.
var errCut = errors.New("cut")

func (l *Link) readSome(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case l.rclosed:
			return 0, net.ErrClosed
		case l.readBy.passed():
			return 0, os.ErrDeadlineExceeded
		case l.reset != nil:
			return 0, l.reset
		case len(p) == 0:
			return 0, nil
		case l.cut == 0:
			return 0, errCut
		case !l.stalled && len(l.buf) > 0:
			return l.take(p), nil
		case !l.stalled && l.eof:
			return 0, io.EOF
		}
		l.cond.Wait()
	}
}

func (l *Link) put(p []byte) {
	if len(l.buf) > 0 {
		l.buf = append(l.buf, p...)
		return
	}
	l.buf = append(l.start, p...)
	l.start = l.buf[:0]
}

func (l *Link) take(p []byte) int {
	if l.chunk > 0 && len(p) > l.chunk {
		p = p[:l.chunk]
	}
	if l.cut > 0 && int64(len(p)) > l.cut {
		p = p[:l.cut]
	}
	n := copy(p, l.buf)
	l.buf = l.buf[n:]
	if l.cut > 0 {
		l.cut -= int64(n)
	}
	for i := range p[:n] {
		if l.garble {
			l.noise ^= l.noise << 13
			l.noise ^= l.noise >> 17
			l.noise ^= l.noise << 5
			p[i] = byte(l.noise)
		}
	}
	l.read += int64(n)
	l.cond.Broadcast()
	return n
}

func (l *Link) writeErr() error {
	switch {
	case l.wclosed:
		return net.ErrClosed
	case l.writeBy.passed():
		return os.ErrDeadlineExceeded
	case l.reset != nil:
		return l.reset
	case l.eof, l.gone:
		return syscall.EPIPE
	}
	return nil
}

func (l *Link) writeAll(p []byte) (n int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.writing {
		if err := l.writeErr(); err != nil {
			return 0, err
		}
		l.cond.Wait()
	}
	l.writing = true
	defer func() {
		l.writing = false
		l.cond.Broadcast()
	}()
	for {
		if err := l.writeErr(); err != nil {
			return n, err
		}
		if room := l.max - len(l.buf); room > 0 {
			k := min(room, len(p)-n)
			l.put(p[n : n+k])
			l.written += int64(k)
			n += k
			l.cond.Broadcast()
		}
		if n == len(p) {
			return n, nil
		}
		l.cond.Wait()
	}
}
