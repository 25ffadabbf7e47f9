// Package notify tells the service manager how the program stands: ready, reading its configuration again, stopping, alive.
// It speaks systemd's sd_notify protocol and does nothing where NOTIFY_SOCKET is not set.
package notify

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Manager is the service manager that started the program. A nil Manager is none: all methods then do nothing. It is safe
// for concurrent use.
type Manager struct {
	socket   string
	watchdog time.Duration
	patience time.Duration // with a manager that reads nothing

	mu   sync.Mutex
	conn net.Conn
}

// patience is how long a message may take to be sent. A service manager that has stopped reading lets a few wait, and then blocks
// whoever sends one: neither the work nor the end of this program may hang on that.
const patience = time.Second

// Open finds the service manager in the environment, which getenv looks up as os.LookupEnv does. It returns nil when there
// is none. It does no I/O.
func Open(getenv func(string) (string, bool)) (*Manager, error) {
	socket, _ := getenv("NOTIFY_SOCKET")
	if socket == "" {
		return nil, nil
	}
	if socket[0] != '/' && socket[0] != '@' {
		return nil, fmt.Errorf("NOTIFY_SOCKET is %q; only a path or an abstract name (@…) is supported", socket)
	}
	m := &Manager{socket: socket, patience: patience}
	if pid, ok := getenv("WATCHDOG_PID"); ok && pid != strconv.Itoa(os.Getpid()) {
		return m, nil // meant for another process
	}
	if usec, ok := getenv("WATCHDOG_USEC"); ok && usec != "" {
		n, err := strconv.ParseInt(usec, 10, 64)
		if err != nil || n <= 0 || n > int64((1<<63-1)/time.Microsecond) {
			return nil, fmt.Errorf("WATCHDOG_USEC is %q; it must be a number of microseconds above 0", usec)
		}
		m.watchdog = time.Duration(n) * time.Microsecond
	}
	return m, nil
}

// Ready says that the program does its work; text is shown by systemctl status.
func (m *Manager) Ready(text string) error { return m.send("READY=1", "STATUS="+text) }

// Reloading says that the configuration is being read again; Ready ends that.
func (m *Manager) Reloading() error {
	state := []string{"RELOADING=1"}
	if now, ok := monotonic(); ok {
		state = append(state, "MONOTONIC_USEC="+strconv.FormatInt(now.Microseconds(), 10))
	}
	return m.send(state...)
}

// Stopping says that the program is about to end.
func (m *Manager) Stopping() error { return m.send("STOPPING=1") }

// Watch says that the program lives, twice in each period of the watchdog, until ctx ends. Before each time it calls alive,
// which returns when the parts of the program answer; while alive blocks nothing is said, and the manager starts the
// program anew. Without a watchdog it returns at once. The error is about the first message that could not be sent.
func (m *Manager) Watch(ctx context.Context, alive func()) error {
	if m == nil || m.watchdog == 0 {
		return nil
	}
	tick := time.NewTicker(m.watchdog / 2)
	defer tick.Stop()
	var first error
	for {
		alive()
		if err := m.send("WATCHDOG=1"); err != nil && first == nil {
			first = err
		}
		select {
		case <-ctx.Done():
			return first
		case <-tick.C:
		}
	}
}

// Close gives the socket back. It is idempotent.
func (m *Manager) Close() error {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conn == nil {
		return nil
	}
	err := m.conn.Close()
	m.conn = nil
	return err
}

func (m *Manager) send(state ...string) error {
	if m == nil {
		return nil
	}
	for i, s := range state {
		state[i] = strings.ReplaceAll(s, "\n", " ")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conn == nil {
		conn, err := net.Dial("unixgram", m.socket)
		if err != nil {
			return fmt.Errorf("tell the service manager: %w", err)
		}
		m.conn = conn
	}
	m.conn.SetWriteDeadline(time.Now().Add(m.patience))
	if _, err := m.conn.Write([]byte(strings.Join(state, "\n"))); err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	return nil
}
