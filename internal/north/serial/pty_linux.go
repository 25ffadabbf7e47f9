package serial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
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
// known: the kernel keeps every PTY at 8 bits without parity, whatever is asked for (seen on Linux 6.18).
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

// drop throws away what waits for a program that has gone.
func (t *terminal) drop() {
	if raw, err := t.slave.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _ = unix.IoctlSetInt(int(fd), unix.TCFLSH, unix.TCIFLUSH) }) // an empty queue is as good
	}
}

// Bits of the byte in front of each read in packet mode.
const (
	pktFlushRead  = 0x01
	pktFlushWrite = 0x02
	pktIoctl      = 0x40
)

// servePTY offers the port as a PTY until ctx ends. The port is open while a program has the PTY open.
func (o *offer) servePTY(ctx context.Context) (err error) {
	t, err := newTerminal(&o.port)
	if err != nil {
		return err
	}
	o.log.Info("serial port offered", "as", "pty", "link", t.link, "terminal", t.name)
	p := &ptyServer{offer: o, t: t}
	stop := context.AfterFunc(ctx, func() {
		t.watch.Close()
		t.master.Close()
	})
	var wg sync.WaitGroup
	users := make(chan bool, 16)
	wg.Go(func() {
		defer close(users)
		_ = t.opened(func(inUse bool) { users <- inUse }) // it ends with the PTY
	})
	wg.Go(func() { p.follow(ctx, users) })
	err = p.fromProgram(ctx)
	if stop() {
		t.watch.Close()
		t.master.Close()
	}
	wg.Wait()
	t.watch, t.master = nil, nil
	if e := t.close(); err == nil || ctx.Err() != nil {
		err = e
	}
	return err
}

// ptyServer is a PTY while it is offered.
type ptyServer struct {
	*offer
	t *terminal

	mu     sync.Mutex
	stream north.Stream // nil: no program has the PTY open, or it cannot have the port
}

func (p *ptyServer) current() north.Stream {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stream
}

// follow opens the port when a program opens the PTY, and gives it back when the last one has closed it.
func (p *ptyServer) follow(ctx context.Context, users <-chan bool) {
	inUse := false
	var wg sync.WaitGroup
	release := func() {
		p.mu.Lock()
		s := p.stream
		p.stream = nil
		p.mu.Unlock()
		if s != nil {
			s.Close()
		}
		wg.Wait()
	}
	defer release()
	said := ""
	retry := time.NewTicker(again / 4)
	defer retry.Stop()
	for {
		select {
		case now, ok := <-users:
			if !ok {
				return
			}
			inUse = now
			if !inUse {
				release()
				p.t.drop()
			}
		case <-retry.C:
		}
		if !inUse || p.current() != nil || ctx.Err() != nil {
			continue
		}
		wg.Wait()
		s, err := p.open(ctx)
		if err != nil {
			if err.Error() != said {
				said = err.Error()
				p.log.Warn("a program has the PTY open and cannot have the port", "error", err, "hint", driver.HintOf(err))
			}
			continue
		}
		said = ""
		p.mu.Lock()
		p.stream = s
		p.mu.Unlock()
		wg.Go(func() {
			p.toProgram(s)
			p.mu.Lock()
			if p.stream == s {
				p.stream = nil
			}
			p.mu.Unlock()
			s.Close()
		})
	}
}

// open attaches with the settings that the program has chosen.
func (p *ptyServer) open(ctx context.Context) (north.Stream, error) {
	s, _, err := p.attach(ctx, driver.Who{Door: "pty", Addr: p.port.PTY}, false)
	if err != nil {
		return nil, err
	}
	if line, err := p.t.settings(); err == nil {
		if _, err := s.Set(ctx, line); err != nil && !errors.Is(err, north.ErrNotOwner) {
			p.log.Warn("the port does not take the settings of the PTY", "line", line.String(), "error", err)
		}
	}
	return s, nil
}

// toProgram passes on what comes from the line until the stream ends.
func (p *ptyServer) toProgram(s north.Stream) {
	buf := make([]byte, 8<<10)
	for {
		n, err := s.Read(buf)
		for b := buf[:n]; len(b) > 0; {
			k, err := p.t.master.Write(b)
			b = b[k:]
			if err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// fromProgram passes on what the program writes and sets, until the PTY is closed.
func (p *ptyServer) fromProgram(ctx context.Context) error {
	buf := make([]byte, 8<<10)
	for {
		n, err := p.t.master.Read(buf)
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("pty %s: %w", p.t.link, err)
		}
		if n == 0 {
			continue
		}
		s := p.waitStream(ctx, buf[0] == 0)
		if s == nil {
			continue
		}
		if buf[0] == 0 {
			if _, err := s.Write(buf[1:n]); err != nil && !errors.Is(err, north.ErrStreamDown) {
				p.log.Debug("pty", "error", err)
			}
			continue
		}
		p.control(ctx, s, buf[0])
	}
}

// waitStream gives the stream; a program that writes at once is ahead of the news that it has opened the PTY.
func (p *ptyServer) waitStream(ctx context.Context, data bool) north.Stream {
	for try := 0; ; try++ {
		if s := p.current(); s != nil || !data || try == 20 || ctx.Err() != nil {
			return s
		}
		pause(ctx, 5*time.Millisecond)
	}
}

// control does what the program did with the terminal instead of writing to it.
func (p *ptyServer) control(ctx context.Context, s north.Stream, bits byte) {
	if bits&(pktFlushRead|pktFlushWrite) != 0 {
		if err := s.Flush(ctx, bits&pktFlushRead != 0, bits&pktFlushWrite != 0); err != nil {
			p.log.Debug("pty flush", "error", err)
		}
	}
	if bits&pktIoctl != 0 {
		line, err := p.t.settings()
		if err == nil {
			_, err = s.Set(ctx, line)
		}
		if err != nil {
			p.log.Warn("the port does not take the settings of the PTY", "line", line.String(), "error", err)
		}
	}
}
