//go:build unix

package cli

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/cli/gatewayclient"
)

const oneDevice = "devices:\n  keep:\n    url: 'sim+focas:'\n    timeout: 1m\n    macros: [500]\n"

// A changed file is taken over at SIGHUP: what is new appears, what is gone goes, permissions change at once, a wrong file
// changes nothing, and a device whose section stays keeps its session.
func TestReloadOnHangup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shop.yaml")
	write := func(text string) {
		// at once, since the gateway may still be about the signal before: it must not read half a file
		if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	write(oneDevice + "  drop: 'sim+focas:'\n")
	base := startGateway(t, "run", file, "--listen", "127.0.0.1:0")
	c, err := gatewayclient.New(base, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	waitState(t, ctx, c, "keep")
	waitState(t, ctx, c, "drop")
	before, err := c.Value(ctx, "keep", "_link/connects")
	if err != nil {
		t.Fatal(err)
	}
	hangup := func() {
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	write("devices: {keep: fcas://nowhere}\n")
	hangup()
	write(oneDevice + "    writable: [macros/*]\n  fresh: sim+focas:?profile=31i\n")
	hangup()
	waitState(t, ctx, c, "fresh")
	if _, err := c.Device(ctx, "drop"); err == nil {
		t.Error("a device that is gone from the file is still there")
	}
	if w, err := c.Write(ctx, gatewayclient.WriteRequest{Writes: []gatewayclient.WriteItem{{Device: "keep", Path: "macros/500", Value: 4}}, Wait: true}); err != nil || w.Stage != "confirmed" {
		t.Errorf("the new permission is not in force: %+v %v", w, err)
	}
	after, err := c.Value(ctx, "keep", "_link/connects")
	if err != nil || after.Text != before.Text {
		t.Errorf("connects of the untouched device went from %s to %s (%v)", before.Text, after.Text, err)
	}
}
