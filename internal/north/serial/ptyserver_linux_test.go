package serial

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
	"github.com/patchbay-io/patchbay/internal/tty"
)

func ptyPort(number, link string) Port {
	return Port{Device: "box", Path: device.Path("ports/" + number), PTY: link, PTYOwner: -1, PTYGroup: -1}
}

// A program that opens, writes and closes at once, as `echo … > /dev/instrument` does, has written; each one its own.
func TestPTYWriteAndClose(t *testing.T) {
	link := filepath.Join(t.TempDir(), "one")
	r := newRig(t, Config{}, ptyPort("1", link), Port{Device: "box", Path: "ports/2", Raw: "127.0.0.1:0"})
	other := dial(t, <-r.addr)
	until(t, "the link", func() bool { _, err := os.Stat(link); return err == nil })
	until(t, "opening the other end", r.box.Port("ports/2").IsOpen)
	big := everyByte(100_000)
	for round := range 20 {
		for _, data := range [][]byte{[]byte("G28\n"), big[:round*5000]} {
			f, err := os.OpenFile(link, os.O_WRONLY|unix.O_NOCTTY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := f.Write(data); err != nil || n != len(data) {
				t.Fatal(n, err)
			}
			f.Close()
			got := make([]byte, len(data))
			if n, err := io.ReadFull(other, got); err != nil || string(got) != string(data) {
				t.Fatalf("round %d: %d of %d bytes, %v", round, n, len(data), err)
			}
		}
	}
	until(t, "closing the port", func() bool { return !r.box.Port("ports/1").IsOpen() })
}

// What a program has not read is not for the next one.
func TestPTYUnread(t *testing.T) {
	link := filepath.Join(t.TempDir(), "one")
	r := newRig(t, Config{}, ptyPort("1", link))
	other, err := r.box.Gateway.OpenStream(t.Context(), driver.Who{Door: "test"}, "box", "ports/2", north.StreamOptions{Own: true, Granted: true, Wait: true})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	until(t, "the link", func() bool { _, err := os.Stat(link); return err == nil })
	port := r.box.Port("ports/1")
	for range 3 {
		f := openTTY(t, link)
		until(t, "opening the port", port.IsOpen)
		flooded := make(chan struct{})
		go func() { // more than fits on the way
			defer close(flooded)
			other.Write(make([]byte, 64<<10))
		}()
		if _, err := io.ReadFull(f, make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		f.Close()
		until(t, "closing the port", func() bool { return !port.IsOpen() })
		<-flooded
		f = openTTY(t, link)
		until(t, "opening the port again", port.IsOpen)
		got := make([]byte, 5)
		other.Write([]byte("fresh"))
		if _, err := io.ReadFull(f, got); err != nil || string(got) != "fresh" {
			t.Errorf("the next program reads %q, %v", got, err)
		}
		f.Close()
		until(t, "closing the port", func() bool { return !port.IsOpen() })
	}
}

// While a line takes nothing, the port stays with what was written; a program that comes back goes on with it.
func TestPTYReopenedWhileItDrains(t *testing.T) {
	link := filepath.Join(t.TempDir(), "one")
	r := newRig(t, Config{}, ptyPort("1", link), Port{Device: "box", Path: "ports/2", Raw: "127.0.0.1:0"})
	other := dial(t, <-r.addr)
	until(t, "the link", func() bool { _, err := os.Stat(link); return err == nil })
	until(t, "opening the other end", r.box.Port("ports/2").IsOpen)
	port := r.box.Port("ports/1")
	port.Hold(true)
	f := openTTY(t, link)
	f.Write([]byte("first "))
	f.Close()
	until(t, "noticing that the program has gone", r.yields.Load)
	f = openTTY(t, link)
	until(t, "noticing the next one", func() bool { return !r.yields.Load() })
	f.Write([]byte("second"))
	port.Hold(false)
	got := make([]byte, 12)
	if _, err := io.ReadFull(other, got); err != nil || string(got) != "first second" {
		t.Errorf("%q %v", got, err)
	}
	other.Write([]byte("answer"))
	if _, err := io.ReadFull(f, got[:6]); err != nil || string(got[:6]) != "answer" {
		t.Errorf("%q %v", got[:6], err)
	}
	f.Close()
}

// Programs see a hang-up when somebody takes the port by force. The name is there again soon, and opening it asks for the port.
func TestPTYTakenByForce(t *testing.T) {
	link := filepath.Join(t.TempDir(), "echo")
	r := newRig(t, Config{}, ptyPort("3", link))
	until(t, "the link", func() bool { _, err := os.Stat(link); return err == nil })
	f := openTTY(t, link)
	port := r.box.Port("ports/3")
	until(t, "opening the port", port.IsOpen)
	before, _ := os.Readlink(link)
	port.Release()
	if n, err := f.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) && !errors.Is(err, syscall.EIO) {
		t.Errorf("instead of a hang-up the program reads %d bytes, %v", n, err)
	}
	until(t, "a new terminal", func() bool { _, err := os.Stat(link); return err == nil })
	if port.IsOpen() {
		t.Error("the port was taken back although nobody has asked")
	}
	f.Close()
	after, _ := os.Readlink(link)
	f = openTTY(t, link)
	defer f.Close()
	until(t, "opening the port for a program that asks", port.IsOpen)
	f.Write([]byte("x"))
	if _, err := io.ReadFull(f, make([]byte, 1)); err != nil {
		t.Errorf("%v (%s, then %s)", err, before, after)
	}
}

// A program lets the lines fall with speed 0, and raises them with any other.
func TestPTYSpeedZero(t *testing.T) {
	link := filepath.Join(t.TempDir(), "echo")
	r := newRig(t, Config{}, ptyPort("3", link))
	until(t, "the link", func() bool { _, err := os.Stat(link); return err == nil })
	f := openTTY(t, link)
	defer f.Close()
	port := r.box.Port("ports/3")
	until(t, "opening the port", port.IsOpen)
	speed := func(code uint32) {
		raw, err := f.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		raw.Control(func(fd uintptr) {
			s, e := tty.Get(int(fd))
			if e == nil {
				s.Cflag = s.Cflag&^uint32(unix.CBAUD|unix.CBAUD<<16) | code
				e = unix.IoctlSetTermios(int(fd), unix.TCSETS, s)
			}
			err = e
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	lines := func(on bool) func() bool {
		return func() bool {
			l := port.Line()
			return l.DTR != nil && l.RTS != nil && *l.DTR == on && *l.RTS == on
		}
	}
	speed(unix.B0)
	until(t, "the fall of DTR and RTS", lines(false))
	speed(unix.B4800)
	until(t, "the rise of DTR and RTS", lines(true))
	if l := port.Line(); l.Baud != 4800 {
		t.Errorf("%v", l)
	}
}

// Whatever ends a PTY from outside ends no more than it: the door makes another one.
func TestPTYVanishes(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "ports", "echo")
	r := newRig(t, Config{}, ptyPort("3", link))
	until(t, "the link", func() bool { _, err := os.Stat(link); return err == nil })
	if err := os.RemoveAll(filepath.Dir(link)); err != nil {
		t.Fatal(err)
	}
	until(t, "the link again", func() bool { _, err := os.Stat(link); return err == nil })
	f := openTTY(t, link)
	defer f.Close()
	f.Write([]byte("x"))
	if _, err := io.ReadFull(f, make([]byte, 1)); err != nil {
		t.Error(err)
	}
	// What somebody else puts there is theirs.
	os.Remove(link)
	os.WriteFile(link, []byte("mine"), 0o600)
	r.door.Set(nil)
	if text, err := os.ReadFile(link); err != nil || string(text) != "mine" {
		t.Errorf("%q %v", text, err)
	}
}

func TestPTYOwnerAndMode(t *testing.T) {
	link := filepath.Join(t.TempDir(), "echo")
	p := ptyPort("3", link)
	p.PTYMode, p.PTYOwner, p.PTYGroup = 0o640, os.Getuid(), os.Getgid()
	if os.Getuid() == 0 {
		p.PTYOwner, p.PTYGroup = 12345, 23456
	}
	newRig(t, Config{}, p)
	until(t, "the link", func() bool { _, err := os.Stat(link); return err == nil })
	var st unix.Stat_t
	if err := unix.Stat(link, &st); err != nil || int(st.Uid) != p.PTYOwner || int(st.Gid) != p.PTYGroup || st.Mode&0o777 != 0o640 {
		t.Errorf("owner %d, group %d, mode %o, %v", st.Uid, st.Gid, st.Mode, err)
	}
}

// asNobody runs f with the rights to files of a user who has none.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		if os.Getuid() == 0 {
			if err := unix.Setfsgid(65534); err != nil {
				t.Error(err)
			}
			if err := unix.Setfsuid(65534); err != nil {
				t.Error(err)
			}
		}
		f()
	}()
	<-done
}

func TestPTYWithoutPermission(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(dir, 0o555), os.Chmod(filepath.Dir(dir), 0o755)); err != nil { // nobody gets as far as to dir
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o755)
	asNobody(t, func() {
		for _, at := range []string{filepath.Join(dir, "port"), filepath.Join(dir, "folder", "port")} {
			err := tty.Link("/dev/pts/0", at)
			if driver.ClassOf(err) != driver.Auth || !errors.Is(err, os.ErrPermission) || driver.HintOf(err) == "" {
				t.Errorf("%s: class %v, hint %q, %v", at, driver.ClassOf(err), driver.HintOf(err), err)
			}
		}
		p := ptyPort("3", filepath.Join(dir, "port"))
		p.PTYOwner = 1
		if os.Getuid() != 0 {
			if _, err := newTerminal(&p); driver.ClassOf(err) != driver.Auth || driver.HintOf(err) == "" {
				t.Errorf("giving a terminal away: %v", err)
			}
		}
	})
}
