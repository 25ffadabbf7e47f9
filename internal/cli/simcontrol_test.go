//go:build unix

package cli

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestSimIsChangedWhileItRuns plays a scenario file, changes its faults over the control interface, and reads the file
// again on SIGHUP.
func TestSimIsChangedWhileItRuns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "night.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("profile: 31i\nfaults: {silent: true}\n")
	ctx, cancel := context.WithCancel(context.Background())
	out, w := io.Pipe()
	errs, errw := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- Main(ctx, []string{"sim", "focas", "--listen", "127.0.0.1:0", "--scenario", file, "--control", "127.0.0.1:0", "--fault", "split=1"},
			Streams{strings.NewReader(""), w, errw}, func(string) (string, bool) { return "", false })
		w.Close()
		errw.Close()
	}()
	said := bufio.NewScanner(errs)
	lines := bufio.NewReader(out)
	if _, err := lines.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	control, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	faults := func(method, body string) string {
		t.Helper()
		r, err := http.NewRequest(method, strings.TrimSpace(control)+"/faults", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		return strings.TrimSpace(string(b))
	}
	if got := faults("GET", ""); got != `{"silent": true, "split": 1}` {
		t.Error(got)
	}
	if got := faults("PATCH", `{"silent": false, "delay": "20ms"}`); got != `{"delay": "20ms", "split": 1}` {
		t.Error(got)
	}
	hangupUntil := func(text string) {
		t.Helper()
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		for said.Scan() {
			if strings.Contains(said.Text(), text) {
				return
			}
		}
		t.Fatalf("it ended without saying %q", text)
	}
	write("profile: 31i\nfalts: {}\n")
	hangupUntil("night.yaml:2:1: unknown field")
	if got := faults("GET", ""); got != `{"delay": "20ms", "split": 1}` {
		t.Errorf("a wrong file changed the faults: %s", got)
	}
	write("profile: 31i\nfaults: {stale: true}\n")
	hangupUntil("is in force")
	if got := faults("GET", ""); got != `{"stale": true}` {
		t.Error(got)
	}
	cancel()
	go io.Copy(io.Discard, errs) // ends with the command
	if code := <-done; code != 0 {
		t.Errorf("ended with %d", code)
	}
}
