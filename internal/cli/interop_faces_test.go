package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/config"
	"github.com/patchbay-io/patchbay/internal/driver/all"
	"github.com/patchbay-io/patchbay/internal/lab/simulate"
)

// Two controllers of AES70.js, over TLS and WebSocket, share interface1 of the demo, a Focusrite interface that knows nothing of AES70.
func TestInteropAES70ServesAnyDevice(t *testing.T) {
	node, script := peerScript(t, "aes70-two.cjs")
	c, err := config.Load(config.Input{File: "demo", Drivers: all.Drivers(), Twins: simulate.Settings(), Faces: faces(), Data: []byte(`
listen: 127.0.0.1:0
tls: auto
devices:
  interface1:
    url: sim+fcxml:?model=18i20
    trust_defaults: true
    writable: [mixer/**, monitoring/*, inputs/**]
    serve:
      aes70:
        listen: ""
        tls: 127.0.0.1:0
        ws: 127.0.0.1:0
        allow: [mixer/**, monitoring/*, inputs/analogue-1/mode, clock/*]
`)})
	if err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	state := t.TempDir()
	h, err := newHost(c, hostOptions{log: slog.New(slog.NewJSONHandler(w, nil)), env: func(name string) (string, bool) { return state, name == "PATCHBAY_STATE_DIR" }})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.door.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), peerLimit)
	done := make(chan error, 1)
	go func() { done <- h.run(ctx, nil) }()
	at := make(chan [2]string, 2)
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			var line struct{ Msg, Over, Address string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "AES70 controllers may connect" {
				at <- [2]string{line.Over, line.Address}
			}
		}
	}()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		w.Close()
		<-logged
	}()
	addr := map[string]string{}
	for range 2 {
		x := <-at
		addr[x[0]] = x[1]
	}
	for h.gateway.Tree().Count("interface1") < 1000 { // controllers are let in once the device has said what it has
		select {
		case <-ctx.Done():
			t.Fatal("the interface has not come")
		case <-time.After(10 * time.Millisecond):
		}
	}
	host, port, _ := net.SplitHostPort(addr["tls"])
	cmd := exec.CommandContext(ctx, node, script, host, port, filepath.Join(state, "gateway.crt"), "ws://"+addr["ws"]+"/")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	got := map[string]json.RawMessage{}
	for line := range bytes.Lines(out) {
		if err := json.Unmarshal(line, &got); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	if err != nil {
		t.Errorf("the controllers: %v: %s", err, got["error"])
	}
	for k, want := range map[string]string{
		"same": `true`, "model": `"Scarlett 18i20"`, "serial": `true`, "range": `[-128,6]`, "set": `"-12.34"`, "heard": `"-12.34"`, "label": `"Level"`,
		"mute": `1`, "modes": `["Line","Inst"]`, "mode": `1`, "refused": `["7","15","15","15"]`, "meters": `5`, "done": `true`,
	} {
		if string(got[k]) != want {
			t.Errorf("%s is %s, want %s", k, got[k], want)
		}
	}
	var paths []string
	_ = json.Unmarshal(got["paths"], &paths)
	for _, p := range []string{"outputs", "outputs/headphones-1/gain", "clock/sample-rate", "firmware/value", "firmware/firmware-progress"} {
		if !slices.Contains(paths, p) {
			t.Errorf("%s is not among the %d paths", p, len(paths))
		}
	}
	if pt, _ := h.gateway.Tree().Point("interface1", "mixer/mixes/a/inputs/3/gain"); pt.Sample.Value.Float() != -12.34 {
		t.Errorf("the interface has %v", pt.Sample.Value)
	}
}
