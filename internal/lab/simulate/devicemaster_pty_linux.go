package simulate

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/tty"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
)

// ptyBuffer is how many bytes of a program wait for the driver before the program has to.
const ptyBuffer = 4096

// ptyEnd is a terminal that other programs open: whoever has it open is the device at the end of the line. Its modem lines are on
// then. Bytes that nobody is there to receive are lost, as on a cable.
type ptyEnd struct {
	link string

	mu    sync.Mutex
	cond  sync.Cond // room in the buffer of wire, bytes in it, or its end
	pty   *tty.PTY  // nil while it does not run
	users int
	wire  *ptyWire // nil: no driver has the port open
}

// ptyEndOf makes the end of a line, and what has to run for it.
func ptyEndOf(link string) (dmserver.Backend, func(context.Context) error, error) {
	link, err := filepath.Abs(link)
	if err != nil {
		return nil, nil, err
	}
	e := &ptyEnd{link: link}
	e.cond.L = &e.mu
	return e, e.run, nil
}

// run has the terminal there until ctx ends.
func (e *ptyEnd) run(ctx context.Context) error {
	p, err := tty.NewPTY(e.link)
	if err != nil {
		return err
	}
	e.serve(p)
	if err := p.Link(); err != nil { // last: whoever sees the name finds the port working
		e.serve(nil)
		return errors.Join(err, p.Close())
	}
	var ended error
	closed := make(chan struct{})
	end := func() { ended = p.Close(); close(closed) }
	stop := context.AfterFunc(ctx, end)
	var wg sync.WaitGroup
	wg.Go(func() { _ = p.Users(e.used) }) // it ends with the terminal
	err = e.fromPrograms(p)
	if stop() {
		end()
	}
	<-closed
	e.serve(nil)
	wg.Wait()
	if ctx.Err() != nil {
		return ended
	}
	return errors.Join(err, ended)
}

// serve makes p what drivers get who open the port; nil: they get nothing, and whoever has it open loses it.
func (e *ptyEnd) serve(p *tty.PTY) {
	e.mu.Lock()
	e.pty, e.users = p, 0
	w := e.wire
	e.cond.Broadcast()
	e.mu.Unlock()
	if w != nil {
		w.fail()
	}
}

// used takes over how many times the terminal is open.
func (e *ptyEnd) used(n int) {
	e.mu.Lock()
	was := e.users
	e.users = n
	p, w := e.pty, e.wire
	e.mu.Unlock()
	if n == 0 && p != nil {
		_ = p.Drop(true, false) // what waits for a program that is gone; a terminal that is closed has none
	}
	if w != nil && (was > 0) != (n > 0) {
		w.line.SetInputs(modemLines(n))
	}
}

func modemLines(users int) devicemaster.Inputs {
	if users > 0 {
		return devicemaster.AllInputs
	}
	return 0
}

// fromPrograms hands what programs write to the driver that has the port open.
func (e *ptyEnd) fromPrograms(p *tty.PTY) error {
	buf := make([]byte, ptyBuffer)
	for {
		n, err := p.Take(&e.mu, buf)
		if w := e.wire; err == nil && w != nil {
			flushes := w.flushes
			for !w.closed && w.flushes == flushes && len(w.in) >= ptyBuffer {
				e.cond.Wait()
			}
			if !w.closed && w.flushes == flushes {
				w.in = append(w.in, buf[:n]...)
				e.cond.Broadcast()
			}
		}
		e.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

var errNotRunning = errors.New("the terminal does not exist yet, or any more")

// Open waits until the driver before has let go.
func (e *ptyEnd) Open(_ context.Context, line dmserver.Line) (dmserver.Wire, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.wire != nil {
		e.cond.Wait() // its Close ends everything that could block
	}
	if e.pty == nil {
		return nil, errNotRunning
	}
	_ = e.pty.Master.SetWriteDeadline(time.Time{}) // a terminal that is closed says so when it is written to
	e.wire = &ptyWire{end: e, pty: e.pty, line: line}
	line.SetInputs(modemLines(e.users))
	return e.wire, nil
}

// ptyWire is the port while a driver has it open. The lock of its end guards what changes.
type ptyWire struct {
	end  *ptyEnd
	pty  *tty.PTY
	line dmserver.Line

	sending sync.Mutex
	in      []byte
	flushes int // of in, and of what is on the way there
	closed  bool
}

// Send passes bytes on to the program, and waits while it reads none.
func (w *ptyWire) Send(b []byte) (int, error) {
	w.sending.Lock()
	defer w.sending.Unlock()
	w.end.mu.Lock()
	closed, users := w.closed, w.end.users
	w.end.mu.Unlock()
	switch {
	case closed:
		return 0, net.ErrClosed
	case users == 0:
		return len(b), nil
	}
	return w.pty.Master.Write(b)
}

func (w *ptyWire) Recv(b []byte) (int, error) {
	e := w.end
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(w.in) == 0 && !w.closed {
		e.cond.Wait()
	}
	if w.closed {
		return 0, net.ErrClosed
	}
	n := copy(b, w.in)
	w.in = w.in[:copy(w.in, w.in[n:])]
	e.cond.Broadcast()
	return n, nil
}

// Set lets the program see the speed; there is nothing else that a terminal has.
func (w *ptyWire) Set(s dmserver.Settings) {
	if s.Given&dmserver.GivenBaud != 0 {
		_ = w.pty.Show(driver.Line{Baud: s.Baud}) // a speed that the kernel does not know stays as it was
	}
}

func (w *ptyWire) Flush(in, out bool) {
	w.end.mu.Lock()
	defer w.end.mu.Unlock()
	_ = w.pty.Drop(out, in) // seen from the program it is the other way round
	if in {
		w.in = w.in[:0]
		w.flushes++
		w.end.cond.Broadcast()
	}
}

// fail ends Send and Recv.
func (w *ptyWire) fail() {
	w.end.mu.Lock()
	w.closed = true
	w.end.cond.Broadcast()
	w.end.mu.Unlock()
	_ = w.pty.Master.SetWriteDeadline(time.Unix(1, 0)) // a terminal that is closed has ended it already
}

// Close returns when nothing of the wire is left, so that the next one starts clean.
func (w *ptyWire) Close() error {
	w.fail()
	w.sending.Lock() // the last Send is over
	defer w.sending.Unlock()
	e := w.end
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.wire == w {
		e.wire = nil
		e.cond.Broadcast()
	}
	return nil
}
