package cli

import (
	"context"
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/internal/cli/gatewayclient"
)

// startGateway runs a gateway over a simulated control inside the test and returns its address.
func startGateway(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	base, done := runMain(t, ctx, args...)
	t.Cleanup(func() {
		cancel()
		if code := <-done; code != 0 {
			t.Errorf("patchbay %v ended with %d", args, code)
		}
	})
	return base
}

// runMain runs a command line until ctx ends. It returns the first line of its standard output, and where its exit code
// will be.
func runMain(t *testing.T, ctx context.Context, args ...string) (first string, done <-chan int) {
	t.Helper()
	r, w := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- Main(ctx, args, Streams{In: strings.NewReader(""), Out: w, Err: io.Discard}, func(string) (string, bool) { return "", false })
		_ = w.Close()
	}()
	buf := make([]byte, 256)
	n, err := r.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, r) }() // ends with the command
	return strings.TrimSpace(string(buf[:n])), code
}

// curl is the simplest program that other people write against the HTTP interface.
func TestInteropCurl(t *testing.T) {
	curl := peerProgram(t, "curl")
	base := startGateway(t, "run", "mill1=sim+focas:?macros=500", "--listen", "127.0.0.1:0") + "api/v1"
	run := func(args ...string) (string, error) {
		return runPeer(t, "", curl, append([]string{"--silent", "--show-error", "--max-time", "120"}, args...)...)
	}
	// the event stream says when the device is up, and goes on until somebody ends curl
	ctx, cancel := context.WithTimeout(t.Context(), peerLimit)
	defer cancel()
	stream := newGrowing()
	follow := exec.CommandContext(ctx, curl, "--silent", "--no-buffer", base+"/events?device=mill1&under=_link/state")
	follow.Stdout = stream
	if err := follow.Start(); err != nil {
		t.Fatal(err)
	}
	stream.wait(ctx, holds(`"value":"up"`))
	cancel()
	_ = follow.Wait() // it was ended
	if text := stream.String(); !strings.Contains(text, "event: hello") || !strings.Contains(text, `"value":"up"`) {
		t.Errorf("the event stream is\n%s", text)
	}
	text, err := run("--fail", base+"/devices/mill1/value?path=path/1/execution&format=text")
	if err != nil || !strings.Contains("ACTIVE READY INTERRUPTED STOPPED", strings.TrimSpace(text)) || strings.TrimSpace(text) == "" {
		t.Errorf("plain text: %q %v", text, err)
	}
	var doc struct {
		OpenAPI string         `json:"openapi"`
		Paths   map[string]any `json:"paths"`
	}
	text, err = run("--fail", base+"/openapi.json")
	if err != nil || json.Unmarshal([]byte(text), &doc) != nil || !strings.HasPrefix(doc.OpenAPI, "3.1") || len(doc.Paths) < 8 {
		t.Errorf("openapi %q with %d paths, %v", doc.OpenAPI, len(doc.Paths), err)
	}
	text, err = run("--request", "PUT", "--header", "Content-Type: text/plain", "--data", "1.5", base+"/devices/mill1/value?path=macros/500")
	if err != nil || !strings.Contains(text, "devices.mill1.writable") && !strings.Contains(text, "writable") {
		t.Errorf("a refused write: %q %v", text, err)
	}
	text, err = run("--header", "Host: evil.example", base+"/devices")
	if err != nil || strings.Contains(text, "mill1") {
		t.Errorf("a foreign Host header: %q %v", text, err)
	}
}

// waitState follows the events until the device is up; it may not be there yet.
func waitState(t *testing.T, ctx context.Context, c *gatewayclient.Client, dev string) {
	t.Helper()
	reached := context.Canceled
	err := c.Events(ctx, gatewayclient.Selection{Under: []string{"_link/state"}}, func(e *gatewayclient.Event) error {
		for _, p := range e.Points {
			if p.Device == dev && rawText(p.Value) == "up" {
				return reached
			}
		}
		return nil
	})
	if err != reached {
		t.Fatalf("%s does not come up: %v", dev, err)
	}
}
