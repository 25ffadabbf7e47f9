//go:build unix

package cli

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/patchbay-io/patchbay/internal/cli/gatewayclient"
)

// A service manager is told when the page can be reached, when the configuration is read again, and when it ends.
func TestRunTellsTheServiceManager(t *testing.T) {
	dir, err := os.MkdirTemp("", "n") // short: the name of a socket has at most 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	socket := filepath.Join(dir, "s")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan string, 1000)
	var heard sync.WaitGroup
	defer heard.Wait()
	defer manager.Close()
	heard.Go(func() { // always, as a manager does: the socket holds ten messages, and then whoever tells another has to wait
		defer close(told)
		for b := make([]byte, 4096); ; {
			n, err := manager.Read(b)
			if err != nil {
				return
			}
			if s := string(b[:n]); s != "WATCHDOG=1" || len(told) < cap(told)/2 {
				told <- s
			}
		}
	})
	until := func(want string) (seen string) {
		t.Helper()
		for seen := range told {
			if strings.HasPrefix(seen, want) {
				return seen
			}
		}
		t.Fatalf("%s does not come", want)
		return ""
	}
	file := filepath.Join(dir, "shop.yaml")
	if err := os.WriteFile(file, []byte("devices: {m: 'sim+focas:'}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	vars := map[string]string{"NOTIFY_SOCKET": socket, "WATCHDOG_USEC": "20000"}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out, w := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- Main(ctx, []string{"run", file, "--listen", "127.0.0.1:0"}, Streams{In: strings.NewReader(""), Out: w, Err: io.Discard},
			func(name string) (string, bool) { v, ok := vars[name]; return v, ok })
		w.Close()
	}()
	base, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	base = strings.TrimSpace(base)
	if ready, addr := until("READY=1"), strings.TrimSuffix(strings.TrimPrefix(base, "http://"), "/"); !strings.Contains(ready, "STATUS=1 devices, page at "+addr) {
		t.Errorf("got %q", ready)
	}
	until("WATCHDOG=1")
	c, err := gatewayclient.New(base, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Reload(ctx, false); err != nil {
		t.Fatal(err)
	}
	until("RELOADING=1")
	until("READY=1")
	cancel()
	until("STOPPING=1")
	if code := <-done; code != 0 {
		t.Errorf("it ended with %d", code)
	}
}
