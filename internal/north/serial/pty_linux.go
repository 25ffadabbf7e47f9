package serial

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/tty"
)

// CheckPTY says why a PTY cannot be had on this system; on Linux it can.
func CheckPTY() error { return nil }

// terminal is a PTY whose settings can be followed: in packet mode with EXTPROC each change is told.
type terminal struct {
	*tty.PTY
	link string
}

// newTerminal makes the PTY of a port. Its name is there last, when nobody can open it who may not.
func newTerminal(p *Port) (_ *terminal, err error) {
	made, err := tty.NewPTY(p.PTY)
	if err != nil {
		return nil, err
	}
	t := &terminal{PTY: made, link: p.PTY}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Close())
		}
	}()
	err = t.Control(func(fd int) error {
		settings, err := tty.Get(fd)
		if err != nil {
			return os.NewSyscallError("TCGETS2", err)
		}
		tty.Put(settings, p.Line.Over(driver.Line{Baud: 9600, Data: 8, Parity: 'N', HalfStops: 2, Flow: driver.FlowNone}))
		settings.Lflag |= unix.EXTPROC
		return os.NewSyscallError("TCSETS2", tty.Set(fd, settings))
	})
	if err != nil {
		return nil, err
	}
	raw, err := t.Master.SyscallConn()
	if err != nil {
		return nil, err
	}
	if e := raw.Control(func(fd uintptr) { err = unix.IoctlSetPointerInt(int(fd), unix.TIOCPKT, 1) }); e != nil || err != nil {
		return nil, os.NewSyscallError("TIOCPKT", errors.Join(e, err))
	}
	if p.PTYMode != 0 {
		if err := os.Chmod(t.Name(), p.PTYMode); err != nil {
			return nil, err
		}
	}
	if p.PTYOwner >= 0 || p.PTYGroup >= 0 {
		if err := os.Chown(t.Name(), p.PTYOwner, p.PTYGroup); err != nil {
			return nil, &driver.Error{Op: "pty", Target: p.PTY, Class: driver.Auth, Err: err, Hint: "giving it to another user takes root, to a group membership of it"}
		}
	}
	return t, t.Link()
}

// opened calls changed when the first program opens the PTY or the last one closes it. It returns when the PTY is closed.
func (t *terminal) opened(changed func(inUse bool)) error {
	inUse := false
	return t.Users(func(n int) {
		if now := n > 0; now != inUse {
			inUse = now
			changed(now)
		}
	})
}

// settings are those that the program on the slave has chosen: speed, stop bits and flow control. Data bits and parity cannot be
// known: the kernel keeps every PTY at 8 bits without parity, whatever is asked for (seen on Linux 6.18). Speed 0 stays 0: it asks for
// a hang-up.
func (t *terminal) settings() (driver.Line, error) {
	var l driver.Line
	err := t.Control(func(fd int) error {
		s, err := tty.Get(fd)
		if err == nil {
			l = tty.Line(s)
			l.Data, l.Parity = 0, 0
		}
		return err
	})
	return l, err
}

// written reports whether something waits that a program has written. Polling makes the kernel pass on what is between the two ends.
func (t *terminal) written() bool {
	raw, err := t.Master.SyscallConn()
	if err != nil {
		return false
	}
	fds := [1]unix.PollFd{{Events: unix.POLLIN}}
	e := raw.Control(func(fd uintptr) {
		fds[0].Fd = int32(fd)
		_, err = unix.Poll(fds[:], 0)
	})
	return e == nil && err == nil && fds[0].Revents&unix.POLLIN != 0
}

// drop throws away what waits for a program that has gone, and with written what it wrote and nobody took.
func (t *terminal) drop(written bool) { _ = t.Drop(true, written) } // an empty queue is as good
