package serial

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/tty"
)

func openTTY(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.SetDeadline(time.Now().Add(patience))
	return f
}

func setTTY(t *testing.T, f *os.File, text string, flow driver.Flow) {
	t.Helper()
	line, err := driver.ParseLine(text)
	if err != nil {
		t.Fatal(err)
	}
	line.Flow = flow
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		s, e := tty.Get(int(fd))
		if e == nil {
			tty.Raw(s)
			tty.Put(s, line)
			e = tty.Set(int(fd), s)
		}
		err = e
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPTY(t *testing.T) {
	link := filepath.Join(t.TempDir(), "ports", "box-3")
	r := newRig(t, Config{}, Port{Device: "box", Path: "ports/3", PTY: link, PTYMode: 0o660, PTYOwner: -1, PTYGroup: -1, Line: driver.Line{Baud: 19200, Data: 7, Parity: 'O'}})
	until(t, "the link", func() bool { _, err := os.Stat(link); return err == nil })
	if info, err := os.Stat(link); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	port := r.box.Port("ports/3")
	if port.IsOpen() {
		t.Error("the port is open though no program has the PTY open")
	}
	f := openTTY(t, link)
	until(t, "opening the port", port.IsOpen)
	if l := port.Line(); l.Baud != 19200 {
		t.Errorf("opened with %v", l)
	}
	setTTY(t, f, "250000e72", driver.FlowRtsCts)
	until(t, "the setting", func() bool {
		l := port.Line()
		return l.Baud == 250000 && l.HalfStops == 4 && l.Flow == driver.FlowRtsCts
	})
	setTTY(t, f, "9600n81", driver.FlowNone)
	until(t, "the second setting", func() bool { return port.Line().Baud == 9600 && port.Line().Flow == driver.FlowNone })
	if f := port.Line().Format(); f != "7O1" {
		t.Errorf("data bits and parity are %s; those of the configuration stay, as a PTY has none", f)
	}
	data := everyByte(300_000)
	go f.Write(data)
	back := make([]byte, len(data))
	if n, err := io.ReadFull(f, back); err != nil || !bytes.Equal(back, data) {
		t.Errorf("%d bytes, %v", n, err)
	}
	r.box.Cut()
	until(t, "opening after a link loss", port.IsOpen)
	f.Close()
	until(t, "closing the port", func() bool { return !port.IsOpen() })
	f = openTTY(t, link)
	until(t, "opening the port again", port.IsOpen)
	f.Write([]byte("again"))
	if _, err := io.ReadFull(f, back[:5]); err != nil || string(back[:5]) != "again" {
		t.Errorf("%q %v", back[:5], err)
	}
	f.Close()
	r.door.Set(nil)
	if _, err := os.Lstat(link); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the link is still there: %v", err)
	}
}
