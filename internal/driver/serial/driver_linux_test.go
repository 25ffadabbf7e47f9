package serial

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/creack/pty"
	"go.uber.org/goleak"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/serialport"
	"github.com/patchbay-io/patchbay/internal/tty"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// onPTY is a session over the slave of a PTY; the master is the far end of the line.
func onPTY(t *testing.T) (driver.Session, *os.File, string) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no PTY here: %v", err)
	}
	name := slave.Name()
	t.Cleanup(func() { master.Close(); slave.Close() })
	s, err := New().Open(t.Context(), driver.Env{}, driver.Target{URL: &url.URL{Scheme: "serial", Path: name}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, master, name
}

func TestPort(t *testing.T) {
	s, master, name := onPTY(t)
	st, err := s.Abilities().Streamer.OpenStream(t.Context(), serialport.Path, driver.Line{Baud: 250000, Data: 8, Parity: 'N', HalfStops: 2, Flow: driver.FlowNone})
	if err != nil {
		t.Fatal(err)
	}
	settings, err := tty.Get(int(master.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	if l := tty.Line(settings); l.Baud != 250000 || l.Format() != "8N1" {
		t.Errorf("opened with %v", l)
	}
	if _, err := open(name, driver.Line{}); !isBusy(err) {
		t.Errorf("a second program opens it: %v", err)
	}
	in, err := st.Set(t.Context(), driver.Line{Baud: 300, HalfStops: 4, Flow: driver.FlowXonXoff})
	if err != nil || in.Baud != 300 || in.Format() != "8N2" || in.Flow != driver.FlowXonXoff {
		t.Errorf("%+v %v", in, err)
	}
	yes := true
	if _, err := st.Set(t.Context(), driver.Line{DTR: &yes, RTS: &yes, Flow: driver.FlowNone}); err != nil { // a PTY has no lines
		t.Error(err)
	}
	all := make([]byte, 64<<10)
	for i := range all {
		all[i] = byte(i)
	}
	go st.Write(all)
	back := make([]byte, len(all))
	if _, err := io.ReadFull(master, back); err != nil || string(back) != string(all) {
		t.Errorf("to the line: %v", err)
	}
	go master.Write(all)
	clear(back)
	if _, err := io.ReadFull(st, back); err != nil || string(back) != string(all) {
		t.Errorf("from the line: %v", err)
	}
	if err := errors.Join(st.Drain(t.Context()), st.Flush(t.Context(), true, true), st.Flush(t.Context(), false, false)); err != nil {
		t.Error(err)
	}
	if _, err := st.Event(t.Context()); err != nil {
		t.Error(err)
	}
	st.SetDeadline(time.Now())
	if _, err := st.Read(back); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	st.SetDeadline(time.Time{})
	ended := make(chan error, 1)
	go func() { _, err := st.Read(back); ended <- err }()
	st.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read when the port is closed: %v", err)
	}
	out, err := s.Abilities().Writer.Write(t.Context(), []driver.Write{{Path: "ports/1/baud", Value: device.OfInt(1)}})
	if err != nil || out[0].Stage != driver.Refused {
		t.Errorf("a setting of a closed port: %+v %v", out, err)
	}
	again, err := s.Abilities().Streamer.OpenStream(t.Context(), serialport.Path, driver.Line{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	again.Close()
}

// A line that takes nothing does not keep a Write, nor Close.
func TestCloseEndsAWrite(t *testing.T) {
	s, master, _ := onPTY(t)
	st, err := s.Abilities().Streamer.OpenStream(t.Context(), serialport.Path, driver.Line{})
	if err != nil {
		t.Fatal(err)
	}
	type end struct {
		n   int
		err error
	}
	write := func() (ended <-chan end) {
		c := make(chan end, 1)
		go func() { n, err := st.Write(make([]byte, 10<<20)); c <- end{n, err} }()
		if _, err := io.ReadFull(master, make([]byte, 100<<10)); err != nil { // more than the line holds, so the Write is under way
			t.Fatal(err)
		}
		return c
	}
	ended := write()
	st.SetDeadline(time.Now())
	if e := <-ended; !errors.Is(e.err, os.ErrDeadlineExceeded) || e.n < 100<<10 {
		t.Fatalf("%d bytes, %v", e.n, e.err)
	}
	st.SetDeadline(time.Time{})
	ended = write()
	st.Close()
	if e := <-ended; !errors.Is(e.err, net.ErrClosed) {
		t.Error(e.err)
	}
}

func TestPortsThatCannotBeOpened(t *testing.T) {
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		u     url.URL
		class driver.Class
	}{
		{url.URL{Path: "/dev/there-is-no-such-port"}, driver.Unreachable},
		{url.URL{Opaque: "ttyUSB0"}, driver.Internal}, {url.URL{}, driver.Internal},
		{url.URL{Path: file}, driver.NotThisProtocol},
	} {
		s, err := New().Open(t.Context(), driver.Env{}, driver.Target{URL: &row.u})
		if err == nil {
			_, err = s.Abilities().Streamer.OpenStream(t.Context(), serialport.Path, driver.Line{})
			s.Close()
		}
		if driver.ClassOf(err) != row.class || driver.HintOf(err) == "" {
			t.Errorf("%v: %v (%v)", &row.u, err, driver.ClassOf(err))
		}
	}
}

type sink struct{ changes chan *driver.Change }

func (s sink) Apply(c *driver.Change) { s.changes <- c }

func TestUnplugged(t *testing.T) {
	dir := t.TempDir()
	_, _, name := onPTY(t)
	link := dir + "/port"
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	s, err := New().Open(t.Context(), driver.Env{}, driver.Target{URL: &url.URL{Path: link}, Options: &Options{Watch: 100 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	changes := make(chan *driver.Change, 10)
	ended := make(chan error, 1)
	go func() { ended <- s.Watch(context.Background(), driver.Everything{}, sink{changes}) }()
	if c := <-changes; !c.Full || len(c.Streams) != 1 || len(c.Specs) < 15 {
		t.Errorf("%+v", c)
	}
	os.Remove(link)
	if err := <-ended; driver.ClassOf(err) != driver.Unreachable {
		t.Error(err)
	}
}

// A port that is pulled out while it is in use ends every call and the session.
func TestPulledOut(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no PTY here: %v", err)
	}
	s, err := New().Open(t.Context(), driver.Env{}, driver.Target{URL: &url.URL{Path: slave.Name()}, Options: &Options{Watch: 100 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	st, err := s.Abilities().Streamer.OpenStream(t.Context(), serialport.Path, driver.Line{})
	if err != nil {
		t.Fatal(err)
	}
	slave.Close()
	calls := map[string]func() error{
		"Read":  func() error { _, err := st.Read(make([]byte, 10)); return err },
		"Write": func() error { _, err := st.Write(make([]byte, 1<<20)); return err },
		"Event": func() error {
			for {
				if _, err := st.Event(t.Context()); err != nil {
					return err
				}
			}
		},
		"Watch": func() error {
			return s.Watch(context.Background(), driver.Everything{}, sink{make(chan *driver.Change, 1000)})
		},
	}
	type end struct {
		what string
		err  error
	}
	ended := make(chan end, len(calls))
	for what, call := range calls {
		go func() { ended <- end{what, call()} }()
	}
	if _, err := io.ReadFull(master, make([]byte, 1000)); err != nil { // the Write is under way
		t.Fatal(err)
	}
	master.Close()
	for range calls {
		e := <-ended
		if c := driver.ClassOf(e.err); c != driver.Closed && c != driver.Unreachable {
			t.Errorf("%s: %v (%v)", e.what, e.err, c)
		}
	}
	for range 2 {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Abilities().Streamer.OpenStream(t.Context(), serialport.Path, driver.Line{}); err == nil {
		t.Error("a port that is gone opens")
	}
}
