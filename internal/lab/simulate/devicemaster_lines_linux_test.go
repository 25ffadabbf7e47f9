package simulate

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/tty"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmclient"
)

// patience is how long the kernel may take to tell what happened to a terminal.
const patience = time.Minute

// until waits for something that the kernel tells about.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("%s did not happen", what)
		}
	}
}

// boxOf runs a box with a layout and has a link to it.
func boxOf(t *testing.T, layout string) *dmclient.Link {
	t.Helper()
	d, err := NewDeviceMaster(url.Values{"layout": {layout}}, func(err error) { t.Log(err) })
	if err != nil {
		t.Fatal(err)
	}
	local, err := NewLocalDevice(d.Device())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- local.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	l, err := dmclient.Dial(t.Context(), local.Dial, local.Host()+":4606", dmclient.Options{Timeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func openPort(t *testing.T, l *dmclient.Link, n int, s dmclient.Settings) *dmclient.Port {
	t.Helper()
	p, err := l.Open(t.Context(), n, s)
	if err != nil {
		t.Fatal(err)
	}
	p.SetDeadline(time.Now().Add(patience))
	return p
}

// openTerminal is a program that has opened a terminal as the device at the end of the line.
func openTerminal(t *testing.T, link string) *os.File {
	t.Helper()
	f, err := os.OpenFile(link, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { f.Close() })
	return f
}

// passes demands that bytes written on one side come out on the other.
func passes(t *testing.T, from io.Writer, to io.Reader, n int) {
	t.Helper()
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i ^ i>>8)
	}
	go from.Write(data)
	got := make([]byte, n)
	if k, err := io.ReadFull(to, got); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d of %d bytes, or others: %v", k, n, err)
	}
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// A program on the terminal is the device: it gets and gives bytes, sees the speed, and its modem lines are on while it is there.
func TestTerminalOnAPort(t *testing.T) {
	link := filepath.Join(t.TempDir(), "ends", "instrument")
	l := boxOf(t, "echo,pty:"+link)
	until(t, "the terminal", func() bool { return exists(link) })
	p := openPort(t, l, 1, dmclient.Settings{Baud: 19200})
	if in := p.Inputs(); in != 0 {
		t.Errorf("nobody is there, and the inputs are %v", in)
	}
	if _, err := p.Write([]byte("nobody hears this")); err != nil {
		t.Fatal(err)
	}
	if err := p.Drain(t.Context()); err != nil {
		t.Errorf("a line with nobody on it holds bytes: %v", err)
	}
	f := openTerminal(t, link)
	until(t, "the modem lines", func() bool { return p.Inputs() == devicemaster.AllInputs })
	passes(t, p, f, 100_000)
	passes(t, f, p, 100_000)
	raw, err := f.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		s, err := tty.Get(int(fd))
		if err != nil || tty.Line(s).Baud != 19200 {
			t.Errorf("the program sees %v, %v", tty.Line(s), err)
		}
	}); err != nil {
		t.Error(err)
	}
	f.Close()
	until(t, "the modem lines to go", func() bool { return p.Inputs() == 0 })
	p.Close()

	f = openTerminal(t, link)
	if _, err := f.Write([]byte("nobody has the port")); err != nil {
		t.Fatal(err)
	}
	p = openPort(t, l, 1, dmclient.Settings{})
	until(t, "the modem lines", func() bool { return p.Inputs() == devicemaster.AllInputs })
	if err := p.Flush(t.Context(), true, true); err != nil {
		t.Error(err)
	}
	// It may have been read a moment after the opening, or the flush, and then comes as if written then: whole, or its end.
	if _, err := f.Write([]byte("\xffnow")); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for b := make([]byte, 1); !bytes.HasSuffix(got, []byte("\xffnow")); got = append(got, b...) {
		if _, err := io.ReadFull(p, b); err != nil {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if !strings.HasSuffix("nobody has the port\xffnow", string(got)) {
		t.Errorf("read %q", got)
	}
	passes(t, f, p, 100)

	// A program that does not read holds the line up, and nobody else.
	p.SetDeadline(time.Now().Add(100 * time.Millisecond))
	if n, err := p.Write(make([]byte, 1<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes went to a program that does not read: %v", n, err)
	}
	p.Close()
	p = openPort(t, l, 1, dmclient.Settings{})
	if err := p.Flush(t.Context(), true, true); err != nil {
		t.Error(err)
	}
	passes(t, p, f, 1000)
	p.Close()
}

// The link is there while the box runs, and what is in its way is left alone.
func TestTerminalWithoutAPlace(t *testing.T) {
	at := filepath.Join(t.TempDir(), "mine")
	if err := os.WriteFile(at, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := NewDeviceMaster(url.Values{"layout": {"pty:" + at}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	local, err := NewLocalDevice(d.Device())
	if err != nil {
		t.Fatal(err)
	}
	err = local.Run(t.Context())
	if driver.ClassOf(err) != driver.Busy || !strings.Contains(err.Error(), "in the way") || driver.HintOf(err) == "" {
		t.Errorf("%v", err)
	}
	if text, _ := os.ReadFile(at); string(text) != "mine" {
		t.Errorf("it is %q now", text)
	}

	link := filepath.Join(t.TempDir(), "link")
	t.Run("while it runs", func(t *testing.T) {
		boxOf(t, "pty:"+link)
		until(t, "the terminal", func() bool { return exists(link) })
	})
	if exists(link) {
		t.Error("the link is left over")
	}
}

// A serial port of this computer hangs on a port of the box; it is open while somebody has that.
func TestSerialPortOnAPort(t *testing.T) {
	far, near, err := pty.Open()
	if err != nil {
		t.Skipf("no PTY here: %v", err)
	}
	defer near.Close()
	defer far.Close()
	l := boxOf(t, "serial:"+near.Name())
	for range 2 {
		line := devicemaster.Stop2
		p := openPort(t, l, 0, dmclient.Settings{Baud: 57600, Line: &line})
		if err := l.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s, err := tty.Get(int(near.Fd())); err != nil || tty.Line(s).Baud != 57600 || tty.Line(s).Format() != "8N2" {
			t.Errorf("the port has %v, %v", tty.Line(s), err)
		}
		passes(t, p, far, 10_000)
		passes(t, far, p, 1000)
		p.Close()
	}
}

// nowhere is a line whose states nobody asks for.
type nowhere struct{}

func (nowhere) SetInputs(devicemaster.Inputs)  {}
func (nowhere) Report(devicemaster.LineErrors) {}

// That a serial port is pulled out is told, and that it is closed is not.
func TestSerialPortIsPulledOut(t *testing.T) {
	for _, pulled := range []bool{true, false} {
		far, near, err := pty.Open()
		if err != nil {
			t.Skipf("no PTY here: %v", err)
		}
		defer near.Close()
		defer far.Close()
		var told []error
		w, err := (&serialEnd{name: near.Name(), told: func(err error) { told = append(told, err) }}).Open(t.Context(), nowhere{})
		if err != nil {
			t.Fatal(err)
		}
		if pulled {
			far.Close()
		} else {
			w.Close()
		}
		if _, err := w.Recv(make([]byte, 10)); err == nil {
			t.Error("a port that is gone is read")
		}
		if pulled != (len(told) == 1 && strings.Contains(told[0].Error(), near.Name()) && driver.HintOf(told[0]) != "") {
			t.Errorf("pulled out: %v; told %v", pulled, told)
		}
		w.Close()
	}
}

func TestEndsThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "script:" + name
	}
	for layout, want := range map[string]string{
		"serial:":                              "serial:/dev/ttyUSB0",
		"pty:":                                 "pty:/tmp/instrument",
		"script:":                              "script:device.yaml",
		"echo,serial:ttyUSB0":                  "port 2: open ttyUSB0",
		"serial:/dev/no-such-port":             "no such file",
		"modem":                                "serial:PORT, pty:LINK, script:FILE",
		"script:" + dir + "/none":              "no such file",
		write("empty", ""):                     "says and answers nothing",
		write("key", "evry: 1s"):               "unknown field",
		write("often", "every: 1ns\nsay: [x]"): "too often",
		write("mute", "every: 1s"):             "nothing to say",
		write("when", "say: [x]"):              "how often",
		write("type", "every: soon"):           "expected a time",
	} {
		_, err := NewDeviceMaster(url.Values{"layout": {layout}}, nil)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "layout: ") {
			t.Errorf("%s: %v; want %q", layout, err, want)
		}
	}
	_, err := NewDeviceMaster(url.Values{"layout": {"serial:/dev/no-such-port"}}, nil)
	if !errors.Is(err, fs.ErrNotExist) || driver.ClassOf(err) != driver.Unreachable || driver.HintOf(err) == "" {
		t.Errorf("%v (%v)", err, driver.ClassOf(err))
	}
}

// A device that a file describes.
func TestScriptOnAPort(t *testing.T) {
	name := filepath.Join(t.TempDir(), "device.yaml")
	if err := os.WriteFile(name, []byte("every: 1ms\nsay: [\"a{n}\\n\", \"b{n}\\n\"]\nanswers:\n  \"*IDN?\": \"ACME\\n\"\notherwise: \"?\\n\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := openPort(t, boxOf(t, "script:"+name), 0, dmclient.Settings{})
	if _, err := p.Write([]byte("*IDN?\rwhat\n")); err != nil {
		t.Fatal(err)
	}
	var said, answers []string // which may come between one another
	for r := bufio.NewReader(p); len(said) < 3 || len(answers) < 2; {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("it has said %d lines, and answers %q: %v", len(said), answers, err)
		}
		if line[0] == 'a' || line[0] == 'b' {
			said = append(said, line)
		} else {
			answers = append(answers, line)
		}
	}
	if said[0] != "a0\n" || said[1] != "b1\n" || said[2] != "a2\n" || answers[0] != "ACME\n" || answers[1] != "?\n" {
		t.Errorf("it says %q, and answers %q", said[:3], answers)
	}
}
