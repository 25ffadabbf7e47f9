//go:build unix

package notify

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listen plays the service manager.
func listen(t *testing.T, name string) (socket string, next func() string) {
	t.Helper()
	if name == "" {
		dir, err := os.MkdirTemp("", "n") // short: the name of a socket has at most 108 bytes
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		name = filepath.Join(dir, "s")
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return name, func() string {
		t.Helper()
		b := make([]byte, 4096)
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
}

func env(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := vars[name]; return v, ok }
}

func TestMessages(t *testing.T) {
	socket, next := listen(t, "")
	m, err := Open(env(map[string]string{"NOTIFY_SOCKET": socket}))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, tt := range []struct {
		send func() error
		want string
	}{
		{func() error { return m.Ready("the page is at\nhttp://x/") }, `^READY=1\nSTATUS=the page is at http://x/$`},
		{m.Reloading, `^RELOADING=1(\nMONOTONIC_USEC=[0-9]+)?$`},
		{m.Stopping, `^STOPPING=1$`},
	} {
		if err := tt.send(); err != nil {
			t.Fatal(err)
		}
		if got := next(); !regexp.MustCompile(tt.want).MatchString(got) {
			t.Errorf("got %q, want %s", got, tt.want)
		}
	}
	for range 2 {
		if err := m.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
}

func TestWatchdog(t *testing.T) {
	socket, next := listen(t, "")
	m, err := Open(env(map[string]string{"NOTIFY_SOCKET": socket, "WATCHDOG_USEC": "2000", "WATCHDOG_PID": strconv.Itoa(os.Getpid())}))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan struct{})
	done := make(chan error)
	go func() { done <- m.Watch(ctx, func() { asked <- struct{}{} }) }()
	for range 3 {
		<-asked // nothing is said before the program has answered
		if got := next(); got != "WATCHDOG=1" {
			t.Errorf("got %q", got)
		}
	}
	cancel()
	for {
		select {
		case <-asked:
			continue
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		}
		break
	}
}

func TestAbstractSocket(t *testing.T) {
	if _, ok := monotonic(); !ok {
		t.Skip("only Linux has abstract sockets")
	}
	socket, next := listen(t, "@patchbay-notify-test-"+strconv.Itoa(os.Getpid()))
	m, err := Open(env(map[string]string{"NOTIFY_SOCKET": socket}))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := m.Ready("x"); err != nil {
		t.Fatal(err)
	}
	if got := next(); !strings.HasPrefix(got, "READY=1") {
		t.Errorf("got %q", got)
	}
}

// A service manager that reads nothing costs a message, and not the program.
func TestManagerThatDoesNotRead(t *testing.T) {
	socket, next := listen(t, "")
	m, err := Open(env(map[string]string{"NOTIFY_SOCKET": socket}))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	m.patience = time.Millisecond
	sent := 0
	for err == nil {
		if err = m.Ready("x"); err == nil {
			sent++
		}
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v", err)
	}
	m.patience = time.Minute
	for range sent {
		next()
	}
	if err := m.Stopping(); err != nil {
		t.Errorf("it reads again: %v", err)
	} else if got := next(); got != "STOPPING=1" {
		t.Errorf("got %q", got)
	}
}

func TestNoManager(t *testing.T) {
	m, err := Open(env(nil))
	if m != nil || err != nil {
		t.Fatalf("%v, %v", m, err)
	}
	for _, err := range []error{m.Ready(""), m.Reloading(), m.Stopping(), m.Watch(t.Context(), func() { t.Error("asked") }), m.Close()} {
		if err != nil {
			t.Error(err)
		}
	}
}

func TestEnvironment(t *testing.T) {
	for _, tt := range []struct {
		vars     map[string]string
		err      string
		watchdog time.Duration
	}{
		{map[string]string{"NOTIFY_SOCKET": "/run/x"}, "", 0},
		{map[string]string{"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "30000000"}, "", 30 * time.Second},
		{map[string]string{"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, "", 0},
		{map[string]string{"NOTIFY_SOCKET": "vsock:2:1234"}, "only a path", 0},
		{map[string]string{"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "soon"}, "WATCHDOG_USEC", 0},
		{map[string]string{"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "0"}, "WATCHDOG_USEC", 0},
		{map[string]string{"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "9223372036854775807"}, "WATCHDOG_USEC", 0},
	} {
		m, err := Open(env(tt.vars))
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%v: %v, want %q", tt.vars, err, tt.err)
			}
			continue
		}
		if err != nil || m.watchdog != tt.watchdog {
			t.Errorf("%v: %v, %v", tt.vars, m, err)
		}
	}
	m, err := Open(env(map[string]string{"NOTIFY_SOCKET": "/nonexistent/socket"}))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Ready("x"); err == nil || !strings.Contains(err.Error(), "service manager") {
		t.Errorf("a socket that is not there: %v", err)
	}
}
