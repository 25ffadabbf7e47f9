package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/internal/lab/simulate"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocasim"
)

// peerScript is a script of testdata/peers with the packages that it needs.
func peerScript(t *testing.T, name string) (node, script string) {
	t.Helper()
	node = peerProgram(t, "node")
	dir := filepath.Join("testdata", "peers")
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%v; make interop installs the packages", err)
		}
		t.Skip("the packages are missing; make interop installs them")
	}
	return node, filepath.Join(dir, name)
}

// AES70.js, an independent controller, finds its way through a device of ours: tree, values, events both ways, refusals and
// keep-alives, over TCP and over WebSocket.
func TestInteropAES70(t *testing.T) {
	node, script := peerScript(t, "aes70-controller.cjs")
	for _, kind := range []string{"tcp", "ws"} {
		t.Run(kind, func(t *testing.T) {
			sim, device := simulate.AES70Sim(ocasim.Options{Inputs: 2})
			sim.Inputs[0].Name.Set("Björk 🎹")
			ctx, cancel := context.WithTimeout(t.Context(), peerLimit)
			defer cancel()
			var sockets []simulate.Socket
			for range device.Services {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				sockets = append(sockets, simulate.Socket{Listener: l})
			}
			served := make(chan error, 1)
			run, stop := context.WithCancel(ctx)
			go func() { served <- device.Serve(run, sockets) }()
			defer func() {
				stop()
				<-served
			}()
			args := []string{script, "ws", "ws://" + sockets[1].Addr().String() + "/"}
			if kind == "tcp" {
				host, port, _ := net.SplitHostPort(sockets[0].Addr().String())
				args = []string{script, "tcp", host, port}
			}
			cmd := exec.CommandContext(ctx, node, args...)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			cmd.Stderr = os.Stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			got := map[string]json.RawMessage{}
			for lines := bufio.NewScanner(out); lines.Scan(); {
				var said map[string]json.RawMessage
				if err := json.Unmarshal(lines.Bytes(), &said); err != nil {
					t.Errorf("%s: %v", lines.Text(), err)
				}
				for k, v := range said {
					got[k] = v
				}
				if said["ready"] != nil {
					sim.Monitoring.Dim.Set(true)
				}
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("the controller: %v: %s", err, got["error"])
			}
			for k, want := range map[string]string{
				"model": `"Simulated audio interface"`, "gain": `[20,0,69]`, "set": `33.5`, "heard": `33.5`, "names": `["Presence","Presence & Drive"]`,
				"position": `1`, "name": `"Björk 🎹"`, "mute": `1`, "renamed": `"Grüße 🎛"`,
				"searched": `[["Gain 3"],["Air Mode 3","Air Mode 3"],["Inputs 1"]]`, "members": `true`, "refused": `["7","15"]`, "dimmed": `true`, "meters": `5`, "done": `true`,
			} {
				if string(got[k]) != want {
					t.Errorf("%s is %s, want %s", k, got[k], want)
				}
			}
			var tree []string
			_ = json.Unmarshal(got["tree"], &tree)
			for _, role := range []string{"Inputs/Analogue 2/Air", "Mixer/Mixes/B/Inputs/1/Pan", "Clock/Sample Rate"} {
				if !slices.Contains(tree, role) {
					t.Errorf("%s is not among the %d roles that were found", role, len(tree))
				}
			}
			if sim.Inputs[0].Gain.Get() != 33.5 || sim.Inputs[0].AirMode.Get() != 1 || !sim.Monitoring.Mute.Get() {
				t.Error("the device does not have what the controller set")
			}
		})
	}
}

// Wireshark's dissector reads what our client and our server say to each other, in version 1 of the protocol, the only one that it knows.
func TestInteropTsharkOCP1(t *testing.T) {
	tshark := peerProgram(t, "tshark")
	sim, _ := background(t, "sim", "aes70", "--listen", "127.0.0.1:0", "--inputs", "2", "--ev1")
	name := filepath.Join(t.TempDir(), "desk")
	addr, stop := background(t, "tap", "aes70://"+sim, "--out", name, "--quiet")
	if code, out, errs := run(t, "set", "--allow", "inputs/*", "aes70://"+addr, "inputs/analogue-1/gain", "33"); code != 0 {
		t.Fatal(code, out, errs)
	}
	if code, _, errs := stop(); code != 0 {
		t.Fatal(code, errs)
	}
	ctx, cancel := context.WithTimeout(t.Context(), peerLimit)
	defer cancel()
	out, err := exec.CommandContext(ctx, tshark, "-r", name+".pcapng", "-n", "-Y", "ocp1 || _ws.malformed", "-T", "fields", "-E", "separator=;", "-E", "occurrence=a",
		"-e", "ocp1.version", "-e", "ocp1.type", "-e", "ocp1.tono", "-e", "ocp1.mlevel", "-e", "ocp1.midx", "-e", "_ws.malformed", "-e", "ocp1.status").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimRight(line, "\n"), ";")
		if len(f) != 7 || f[5] != "" {
			t.Errorf("tshark complains: %q", line)
			continue
		}
		for kind := range strings.SplitSeq(f[1], ",") {
			seen[kind]++
		}
		for v := range strings.SplitSeq(f[0], ",") {
			if v != "1" && v != "0x0001" {
				t.Errorf("version %s", v)
			}
		}
	}
	if len(seen) < 4 {
		t.Errorf("tshark sees the types %v; there are commands, responses, events and keep-alives", seen)
	}
}
