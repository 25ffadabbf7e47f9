package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
)

// npm atem-connection behind a gateway: it sees the switcher, what it may command takes effect, what it may not does not.
func TestInteropAtemConnection(t *testing.T) {
	node := peerProgram(t, "node")
	dir := filepath.Join("..", "..", "protocol", "atem", "atemsim", "testdata", "atem-connection")
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%v; CI installs every peer", err)
		}
		t.Skip("npm atem-connection is missing; run npm ci --prefix protocol/atem/atemsim/testdata/atem-connection")
	}
	show := filepath.Join(t.TempDir(), "show.yaml")
	text := `devices:
  studio:
    url: "sim+atem:?model=mini-extreme-iso"
    serve: {atem: "127.0.0.1:0", from: [127.0.0.1], allow: [me/1, CInL]}
`
	if err := os.WriteFile(show, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	base := startGateway(t, "run", show, "--listen", "127.0.0.1:0")
	value := func(path string) (v any) {
		resp, err := http.Get(base + "api/v1/devices/studio/value?path=" + url.QueryEscape(path))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var doc struct{ Value any }
		if json.NewDecoder(resp.Body).Decode(&doc) != nil {
			return nil
		}
		return doc.Value
	}
	wait := func(what string, done func() bool) {
		t.Helper()
		eventually(t, what, func() error {
			if !done() {
				return errors.New("it is not so yet")
			}
			return nil
		})
	}
	var host, port string
	wait("the gateway listens", func() bool {
		addr, _ := value("_clients/listen").(string)
		addr = lastWord(addr)
		var err error
		host, port, err = net.SplitHostPort(addr)
		return err == nil && port != "0" && value("_link/state") == "up"
	})

	ctx, cancel := context.WithTimeout(context.Background(), peerLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "peer.mjs", host, port)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	answer := func() (v any) {
		t.Helper()
		for lines.Scan() {
			if json.Unmarshal(lines.Bytes(), &v) == nil {
				if m, ok := v.(map[string]any); ok && m["error"] != nil {
					t.Fatal(m["error"])
				}
				return v
			}
		}
		t.Fatal("the peer is gone")
		return nil
	}
	ask := func(request string) any {
		t.Helper()
		if _, err := in.Write([]byte(request + "\n")); err != nil {
			t.Fatal(err)
		}
		return answer()
	}
	answer() // it is connected
	const state = `{"get": ["info.productIdentifier", "video.mixEffects.0.programInput", "video.mixEffects.0.previewInput", "video.auxilliaries.0", "inputs.3.longName"]}`
	if got := ask(state); !reflect.DeepEqual(got, []any{"ATEM Mini Extreme ISO", 1.0, 2.0, 10010.0, "Camera wide"}) {
		t.Errorf("it sees %v", got)
	}
	ask(`{"call": "setAuxSource", "args": [3, 0]}`) // not let through
	ask(`{"call": "changePreviewInput", "args": [5, 0]}`)
	ask(`{"call": "cut", "args": [0]}`)
	ask(`{"call": "setInputSettings", "args": [{"longName": "Roof"}, 3]}`)
	want := []any{"ATEM Mini Extreme ISO", 5.0, 1.0, 10010.0, "Roof"}
	wait("the commands take effect", func() bool { return reflect.DeepEqual(ask(state), want) })
	wait("the point follows", func() bool { return value("inputs/3/name") == "Roof" })
	wait("what was refused is counted", func() bool { return value("_clients/refused") == 1.0 })
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// lastWord is what follows the last space: an address behind the name of its protocol.
func lastWord(s string) string {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == ' ' {
			return s[i+1:]
		}
	}
	return s
}
