package serial

import (
	"context"
	"errors"
	"math"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/tty"
)

// linePoll is how often the input lines are looked at: the kernel tells of their changes only to a thread that waits for nothing
// else and cannot be woken.
const linePoll = 20 * time.Millisecond

// line is an open port. The runtime waits for it as for a socket, so that deadlines and Close end every call.
type line struct {
	f    *os.File
	fd   int
	stop chan struct{}
	left atomic.Int64 // bytes in the kernel when that was last known

	mu     sync.Mutex
	brk    bool
	first  bool
	lines  int // as last told
	counts icounter
	closed bool
}

// open opens a port, for us alone.
func open(name string, l driver.Line) (driver.Stream, error) {
	fd, err := unix.Open(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	fail := func(err error) (driver.Stream, error) {
		return nil, errors.Join(err, unix.Close(fd))
	}
	t, err := tty.Get(fd)
	if err != nil {
		return fail(errNoTerminal)
	}
	// The lock that terminal programs take: TIOCEXCL alone keeps nobody out who is root.
	switch err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); {
	case errors.Is(err, unix.EWOULDBLOCK):
		return fail(&os.PathError{Op: "open", Path: name, Err: unix.EBUSY})
	case err != nil:
		return fail(os.NewSyscallError("flock", err))
	}
	if err := unix.IoctlSetInt(fd, unix.TIOCEXCL, 0); err != nil {
		return fail(os.NewSyscallError("TIOCEXCL", err))
	}
	tty.Raw(t)
	tty.Put(t, l)
	if err := tty.Set(fd, t); err != nil {
		return fail(os.NewSyscallError("TCSETS2", err))
	}
	s := &line{f: os.NewFile(uintptr(fd), name), fd: fd, stop: make(chan struct{}), first: true}
	l.Baud, l.Data, l.HalfStops, l.Parity, l.Flow = 0, 0, 0, 0, driver.FlowAsIs
	if _, err := s.Set(context.Background(), l); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func isBusy(err error) bool { return errors.Is(err, unix.EBUSY) }

// ended gives the errors of a port that is closed, and of one that is gone, one meaning each.
func (s *line) ended(op string, err error) error {
	switch {
	case errors.Is(err, os.ErrClosed):
		return net.ErrClosed
	case errors.Is(err, unix.EIO), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return &driver.Error{Op: op, Target: s.f.Name(), Class: driver.Closed, Err: errPulledOut, Hint: "plug it in again"}
	}
	return err
}

var errPulledOut = errors.New("the port was pulled out")

func (s *line) Read(p []byte) (int, error)    { n, err := s.f.Read(p); return n, s.ended("read", err) }
func (s *line) SetDeadline(t time.Time) error { return s.ended("set deadline", s.f.SetDeadline(t)) }

// Write notes what is not on the line yet: when the port is pulled out nobody can be asked any more.
func (s *line) Write(p []byte) (int, error) {
	n, err := s.f.Write(p)
	if n > 0 {
		s.Unacked()
	}
	return n, s.ended("write", err)
}

// Close gives up what was not sent yet: a port that is held up would keep it, and us, for ever.
func (s *line) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if n, err := unix.IoctlGetInt(s.fd, unix.TIOCOUTQ); err == nil {
		s.left.Store(int64(n))
	}
	close(s.stop)
	_ = unix.IoctlSetInt(s.fd, unix.TIOCNXCL, 0) // of a port that was pulled out there is nothing to give back
	return s.f.Close()
}

// control runs an ioctl while the port is certainly open.
func (s *line) control(do func(fd int) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	return s.ended("control", do(s.fd))
}

// Unacked is what the kernel has not put on the line; of a port that is over, what it had not at the last Write or at Close.
func (s *line) Unacked() int {
	n := 0
	if err := s.control(func(fd int) (err error) { n, err = unix.IoctlGetInt(fd, unix.TIOCOUTQ); return err }); err != nil {
		return int(s.left.Load())
	}
	s.left.Store(int64(n))
	return n
}

func (s *line) Set(_ context.Context, l driver.Line) (in driver.Line, err error) {
	err = s.control(func(fd int) error {
		t, err := tty.Get(fd)
		if err != nil {
			return os.NewSyscallError("TCGETS2", err)
		}
		before := *t
		if tty.Put(t, l); *t != before {
			if err := tty.Set(fd, t); err != nil {
				return os.NewSyscallError("TCSETS2", err)
			}
			if t, err = tty.Get(fd); err != nil {
				return os.NewSyscallError("TCGETS2", err)
			}
		}
		in = tty.Line(t)
		for _, x := range []struct {
			want *bool
			bit  int
		}{{l.RTS, unix.TIOCM_RTS}, {l.DTR, unix.TIOCM_DTR}} {
			if x.want == nil {
				continue
			}
			req := uint(unix.TIOCMBIC)
			if *x.want {
				req = unix.TIOCMBIS
			}
			if err := unix.IoctlSetPointerInt(fd, req, x.bit); err != nil && !noLines(err) {
				return os.NewSyscallError("TIOCMSET", err)
			}
		}
		if l.Break != nil {
			req := uint(unix.TIOCCBRK)
			if *l.Break {
				req = unix.TIOCSBRK
			}
			if err := unix.IoctlSetInt(fd, req, 0); err != nil && !noLines(err) {
				return os.NewSyscallError("TIOCSBRK", err)
			}
			s.brk = *l.Break
		}
		if m, err := unix.IoctlGetInt(fd, unix.TIOCMGET); err == nil {
			rts, dtr, brk := m&unix.TIOCM_RTS != 0, m&unix.TIOCM_DTR != 0, s.brk
			in.RTS, in.DTR, in.Break = &rts, &dtr, &brk
		}
		return nil
	})
	return in, err
}

// noLines reports whether a port has no such lines, as a PTY.
func noLines(err error) bool { return errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL) }

func (s *line) Flush(_ context.Context, in, out bool) error {
	which := map[[2]bool]int{{true, false}: unix.TCIFLUSH, {false, true}: unix.TCOFLUSH, {true, true}: unix.TCIOFLUSH}
	queue, ok := which[[2]bool{in, out}]
	if !ok {
		return nil
	}
	return s.control(func(fd int) error { return os.NewSyscallError("TCFLSH", unix.IoctlSetInt(fd, unix.TCFLSH, queue)) })
}

// Drain waits until the kernel has put everything on the line. It asks, since waiting in the kernel could not be ended.
func (s *line) Drain(ctx context.Context) error {
	for {
		n := 0
		if err := s.control(func(fd int) (err error) { n, err = unix.IoctlGetInt(fd, unix.TIOCOUTQ); return err }); err != nil || n == 0 {
			return err
		}
		if err := s.pause(ctx, time.Millisecond); err != nil {
			return err
		}
	}
}

func (s *line) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-s.stop:
		return net.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Event waits for a change of the input lines, or an error on the line.
func (s *line) Event(ctx context.Context) (driver.LineEvent, error) {
	for {
		var e driver.LineEvent
		news, every := false, linePoll
		err := s.control(func(fd int) error {
			m, err := unix.IoctlGetInt(fd, unix.TIOCMGET)
			silent := err != nil
			if err != nil && !noLines(err) {
				return os.NewSyscallError("TIOCMGET", err)
			}
			m &= unix.TIOCM_CTS | unix.TIOCM_DSR | unix.TIOCM_CD | unix.TIOCM_RI
			c, err := counters(fd)
			if err != nil && !noLines(err) {
				return os.NewSyscallError("TIOCGICOUNT", err)
			}
			if silent && err != nil { // neither lines nor counters, as a PTY: it will not get them
				every = math.MaxInt64
			}
			e = driver.LineEvent{CTS: m&unix.TIOCM_CTS != 0, DSR: m&unix.TIOCM_DSR != 0, CD: m&unix.TIOCM_CD != 0, RI: m&unix.TIOCM_RI != 0}
			if !s.first {
				e.Framing, e.Parity, e.Break, e.Ringed = c.Frame != s.counts.Frame, c.Parity != s.counts.Parity, c.Brk != s.counts.Brk, c.Rng != s.counts.Rng
				e.Overrun = c.Overrun != s.counts.Overrun || c.BufOverrun != s.counts.BufOverrun
			}
			news = s.first || m != s.lines || e.Framing || e.Parity || e.Break || e.Ringed || e.Overrun
			s.first, s.lines, s.counts = false, m, c
			return nil
		})
		if err != nil || news {
			return e, err
		}
		if err := s.pause(ctx, every); err != nil {
			return e, err
		}
	}
}
