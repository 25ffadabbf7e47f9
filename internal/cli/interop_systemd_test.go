package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// systemd reads the unit without complaint and finds the service well locked in.
func TestInteropSystemd(t *testing.T) {
	analyze := peerProgram(t, "systemd-analyze")
	unit, err := os.ReadFile(filepath.Join("..", "..", "packaging", "systemd", "patchbay.service"))
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "patchbay.service")
	text := strings.ReplaceAll(string(unit), "/usr/bin/patchbay", self) // it need not be installed
	if !strings.Contains(text, self) {
		t.Fatal("the unit does not start /usr/bin/patchbay")
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(analyze, "verify", file).CombinedOutput()
	if err != nil || strings.Contains(string(out), "patchbay.service:") {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	// the scale goes from 0 to 100; a service without any protection has 96
	if out, err := exec.Command(analyze, "security", "--offline=true", "--threshold=15", file).CombinedOutput(); err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
}
