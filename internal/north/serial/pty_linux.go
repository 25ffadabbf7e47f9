package serial

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/tty"
)

// CheckPTY says why a PTY cannot be had on this system; on Linux it can.
func CheckPTY() error { return nil }

// terminal is a PTY with its name. The slave is kept open, so that the master never sees a hang-up and the settings stay; who
// really has it open is told by the file system.
type terminal struct {
	master *os.File
	slave  *os.File
	name   string // of the slave
	link   string
	watch  *os.File // inotify
	users  int      // programs that have the slave open
}

// newTerminal makes a PTY whose settings can be followed: in packet mode with EXTPROC each change is told.
func newTerminal(p *Port) (_ *terminal, err error) {
	m, s, err := pty.Open()
	if err != nil {
		return nil, &driver.Error{Op: "pty", Target: p.PTY, Class: driver.Busy, Err: err, Hint: "the system may have run out of PTYs: kernel.pty.max"}
	}
	t := &terminal{slave: s, name: s.Name(), link: p.PTY}
	fd, err := unix.FcntlInt(m.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if e := m.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = unix.SetNonblock(fd, true) // so that the runtime waits for it, and Close ends every call
	}
	t.master = os.NewFile(uintptr(fd), "ptmx")
	defer func() {
		if err != nil {
			err = errors.Join(err, t.close())
		}
	}()
	if err != nil {
		return nil, err
	}
	settings, err := tty.Get(int(s.Fd()))
	if err != nil {
		return nil, err
	}
	tty.Raw(settings)
	tty.Put(settings, p.Line.Over(driver.Line{Baud: 9600, Data: 8, Parity: 'N', HalfStops: 2, Flow: driver.FlowNone}))
	settings.Lflag |= unix.EXTPROC
	if err := tty.Set(int(s.Fd()), settings); err != nil {
		return nil, err
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCPKT, 1); err != nil {
		return nil, os.NewSyscallError("TIOCPKT", err)
	}
	if p.PTYMode != 0 {
		if err := os.Chmod(t.name, p.PTYMode); err != nil {
			return nil, err
		}
	}
	if p.PTYOwner >= 0 || p.PTYGroup >= 0 {
		if err := os.Chown(t.name, p.PTYOwner, p.PTYGroup); err != nil {
			return nil, &driver.Error{Op: "pty", Target: p.PTY, Class: driver.Auth, Err: err, Hint: "giving it to another user takes root, to a group membership of it"}
		}
	}
	in, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	t.watch = os.NewFile(uintptr(in), "inotify")
	if _, err := unix.InotifyAddWatch(in, t.name, unix.IN_OPEN|unix.IN_CLOSE); err != nil {
		return nil, os.NewSyscallError("inotify_add_watch", err)
	}
	return t, link(t.name, t.link)
}

// link makes the stable name. It replaces a link to a terminal that is gone and nothing else.
func link(name, at string) error {
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return &driver.Error{Op: "pty", Target: at, Class: driver.Auth, Err: err, Hint: "choose a folder that patchbay may write, or make it"}
	}
	err := os.Symlink(name, at)
	if errors.Is(err, os.ErrPermission) {
		return &driver.Error{Op: "pty", Target: at, Class: driver.Auth, Err: err, Hint: "choose a folder that patchbay may write"}
	}
	if !errors.Is(err, os.ErrExist) {
		return err
	}
	old, e := os.Readlink(at)
	if e == nil && strings.HasPrefix(old, "/dev/pts/") {
		if _, e := os.Stat(old); errors.Is(e, os.ErrNotExist) {
			if err := os.Remove(at); err != nil {
				return err
			}
			return os.Symlink(name, at)
		}
	}
	what := "a file is in the way"
	if e == nil {
		what = "a link to " + old + " is in the way"
	}
	return &driver.Error{Op: "pty", Target: at, Class: driver.Busy, Err: errors.New(what), Hint: "it is left alone; remove it if nothing needs it, or choose another name"}
}

func (t *terminal) close() error {
	var errs []error
	if old, err := os.Readlink(t.link); err == nil && old == t.name {
		errs = append(errs, os.Remove(t.link))
	}
	for _, f := range []*os.File{t.watch, t.master, t.slave} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// opened counts who has the slave open and calls changed when the first comes or the last goes. It returns when the PTY is closed.
func (t *terminal) opened(changed func(inUse bool)) error {
	buf := make([]byte, 4096)
	for {
		n, err := t.watch.Read(buf)
		if err != nil {
			return err
		}
		for at := 0; at+unix.SizeofInotifyEvent <= n; {
			mask := uint32(buf[at+4]) | uint32(buf[at+5])<<8 | uint32(buf[at+6])<<16 | uint32(buf[at+7])<<24
			size := int(uint32(buf[at+12]) | uint32(buf[at+13])<<8)
			at += unix.SizeofInotifyEvent + size
			was := t.users > 0
			switch {
			case mask&unix.IN_OPEN != 0:
				t.users++
			case mask&unix.IN_CLOSE != 0:
				t.users = max(t.users-1, 0)
			}
			if now := t.users > 0; now != was {
				changed(now)
			}
		}
	}
}

// settings are those that the program on the slave has chosen: speed, stop bits and flow control. Data bits and parity cannot be
// known: the kernel keeps every PTY at 8 bits without parity, whatever is asked for (seen on Linux 6.18). Speed 0 stays 0: it asks for
// a hang-up.
func (t *terminal) settings() (driver.Line, error) {
	raw, err := t.slave.SyscallConn()
	if err != nil {
		return driver.Line{}, err
	}
	var l driver.Line
	e := raw.Control(func(fd uintptr) {
		var s *unix.Termios
		if s, err = tty.Get(int(fd)); err == nil {
			l = tty.Line(s)
			l.Data, l.Parity = 0, 0
		}
	})
	return l, errors.Join(e, err)
}

// read waits for what the program has written or set, and holds busy from the moment of taking it; the caller unlocks.
func (t *terminal) read(busy *sync.Mutex, buf []byte) (n int, err error) {
	raw, err := t.master.SyscallConn()
	if err != nil {
		busy.Lock()
		return 0, err
	}
	held := false
	e := raw.Read(func(fd uintptr) bool {
		busy.Lock()
		for n, err = unix.Read(int(fd), buf); err == unix.EINTR; {
			n, err = unix.Read(int(fd), buf)
		}
		if err == unix.EAGAIN {
			busy.Unlock()
			return false
		}
		held = true
		return true
	})
	if !held {
		busy.Lock()
		return 0, e
	}
	return max(n, 0), err
}

// written reports whether something waits that a program has written. Polling makes the kernel pass on what is between the two ends.
func (t *terminal) written() bool {
	raw, err := t.master.SyscallConn()
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
func (t *terminal) drop(written bool) {
	what := unix.TCIFLUSH
	if written {
		what = unix.TCIOFLUSH
	}
	if raw, err := t.slave.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _ = unix.IoctlSetInt(int(fd), unix.TCFLSH, what) }) // an empty queue is as good
	}
}
