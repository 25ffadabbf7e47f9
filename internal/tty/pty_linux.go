package tty

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/patchbay-io/patchbay/internal/driver"
)

// PTY is a pseudo terminal with a stable name, for the programs of this computer that open it as they open a serial port. The
// slave is kept open, so that the master never sees a hang-up and settings stay; who else has it open is told by the file
// system. Its methods may be called at the same time.
type PTY struct {
	// Master is the far end of the line: what programs write is read there, and the other way round. Deadlines work.
	Master *os.File

	slave *os.File
	name  string
	link  string
	watch *os.File // inotify
	wd    int      // of the PTY itself

	linking sync.Mutex // held while the link is made or removed
	closed  bool       // guarded by linking
}

// OpenPTY makes a raw PTY and a symbolic link to it. The error is a *driver.Error when something can be done about it: what is
// in the way of the link is left alone, unless it leads to a PTY that is gone.
func OpenPTY(link string) (*PTY, error) {
	p, err := NewPTY(link)
	if err != nil {
		return nil, err
	}
	if err := p.Link(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// NewPTY makes a raw PTY whose link [PTY.Link] is to make, once the terminal is as it has to be for programs.
func NewPTY(link string) (_ *PTY, err error) {
	m, s, err := pty.Open()
	if err != nil {
		return nil, &driver.Error{Op: "pty", Target: link, Class: driver.Busy, Err: err, Hint: "the system may have run out of PTYs: kernel.pty.max"}
	}
	p := &PTY{slave: s, name: s.Name(), link: link}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	fd, err := unix.FcntlInt(m.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if e := m.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = unix.SetNonblock(fd, true) // so that the runtime waits for it, and Close ends every call
	}
	p.Master = os.NewFile(uintptr(fd), "ptmx")
	if err != nil {
		return nil, err
	}
	settings, err := Get(int(s.Fd()))
	if err != nil {
		return nil, os.NewSyscallError("TCGETS2", err)
	}
	Raw(settings)
	if err := Set(int(s.Fd()), settings); err != nil {
		return nil, os.NewSyscallError("TCSETS2", err)
	}
	in, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	p.watch = os.NewFile(uintptr(in), "inotify")
	// The folder is watched as well, and tells of the same things under another watch: of two equal events that follow each other the kernel
	// makes one, and programs would be missed that open or close the PTY faster than anybody looks. Without it the rest still works.
	_, _ = unix.InotifyAddWatch(in, filepath.Dir(p.name), unix.IN_OPEN|unix.IN_CLOSE)
	if p.wd, err = unix.InotifyAddWatch(in, p.name, unix.IN_OPEN|unix.IN_CLOSE); err != nil {
		return nil, os.NewSyscallError("inotify_add_watch", err)
	}
	return p, nil
}

// Link makes the symbolic link; again, when somebody has removed it. After [PTY.Close] it makes none and fails with [os.ErrClosed].
func (p *PTY) Link() error {
	p.linking.Lock()
	defer p.linking.Unlock()
	if p.closed {
		return os.ErrClosed
	}
	return Link(p.name, p.link)
}

// Name is the terminal itself, /dev/pts/7.
func (p *PTY) Name() string { return p.name }

// Users calls changed with how many times the PTY is open whenever that changes, one call after the other. It returns when the
// PTY is closed.
func (p *PTY) Users(changed func(n int)) error {
	buf := make([]byte, 4096)
	users := 0
	for {
		n, err := p.watch.Read(buf)
		if err != nil {
			return err
		}
		for at := 0; at+unix.SizeofInotifyEvent <= n; {
			wd := int(uint32(buf[at]) | uint32(buf[at+1])<<8 | uint32(buf[at+2])<<16 | uint32(buf[at+3])<<24)
			mask := uint32(buf[at+4]) | uint32(buf[at+5])<<8 | uint32(buf[at+6])<<16 | uint32(buf[at+7])<<24
			size := int(uint32(buf[at+12]) | uint32(buf[at+13])<<8)
			at += unix.SizeofInotifyEvent + size
			if wd != p.wd {
				continue
			}
			switch {
			case mask&unix.IN_OPEN != 0:
				users++
			case mask&unix.IN_CLOSE != 0:
				users = max(users-1, 0)
			}
			changed(users)
		}
	}
}

// Take reads from the master, and holds busy from the moment when something is taken, so that whoever has busy knows that nothing is
// in anybody's hands; the caller unlocks it, after an error too.
func (p *PTY) Take(busy sync.Locker, buf []byte) (n int, err error) {
	raw, err := p.Master.SyscallConn()
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

// Show lets programs on the PTY see the settings of the line behind it. The kernel keeps every PTY at 8 bits without parity,
// whatever it is told (seen on Linux 6.18).
func (p *PTY) Show(l driver.Line) error {
	return p.Control(func(fd int) error {
		t, err := Get(fd)
		if err != nil {
			return err
		}
		l.Flow = driver.FlowAsIs // on a PTY it would change the bytes
		Put(t, l)
		return Set(fd, t)
	})
}

// Drop throws away what waits for programs, in, and what they have written and nobody has read yet, out.
func (p *PTY) Drop(in, out bool) error {
	return p.Control(func(fd int) error {
		switch {
		case in && out:
			return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIOFLUSH)
		case in:
			return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH)
		case out:
			return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCOFLUSH)
		}
		return nil
	})
}

// Control runs do with the slave.
func (p *PTY) Control(do func(fd int) error) error {
	raw, err := p.slave.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = raw.Control(func(fd uintptr) { inner = do(int(fd)) })
	return errors.Join(err, inner)
}

// Close ends every call and removes the link, if it still leads here.
func (p *PTY) Close() error {
	var errs []error
	p.linking.Lock()
	p.closed = true
	if to, err := os.Readlink(p.link); err == nil && to == p.name {
		errs = append(errs, os.Remove(p.link))
	}
	p.linking.Unlock()
	for _, f := range []*os.File{p.watch, p.Master, p.slave} {
		if f == nil {
			continue
		}
		if err := f.Close(); !errors.Is(err, os.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Link makes the stable name of a PTY. It makes the folder too, and replaces a link to a PTY that is gone and nothing else.
func Link(name, at string) error {
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return &driver.Error{Op: "pty", Target: at, Class: driver.Auth, Err: err, Hint: "choose a folder that patchbay may write, or make it"}
	}
	err := os.Symlink(name, at)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrPermission):
		return &driver.Error{Op: "pty", Target: at, Class: driver.Auth, Err: err, Hint: "choose a folder that patchbay may write"}
	case !errors.Is(err, os.ErrExist):
		return err
	}
	old, err := os.Readlink(at)
	if err == nil && strings.HasPrefix(old, "/dev/pts/") {
		if _, err := os.Stat(old); errors.Is(err, os.ErrNotExist) {
			if err := os.Remove(at); err != nil {
				return err
			}
			return os.Symlink(name, at)
		}
	}
	what := "a file is in the way"
	if err == nil {
		what = "a link to " + old + " is in the way"
	}
	return &driver.Error{Op: "pty", Target: at, Class: driver.Busy, Err: errors.New(what), Hint: "it is left alone; remove it if nothing needs it, or choose another name"}
}
