package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
	"github.com/patchbay-io/patchbay/internal/obs"
)

// What is piped into term reaches the line, however slow that is: the device answers what stands at the very end.
func TestTermWaitsForTheLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "echo.yaml")
	if err := os.WriteFile(file, []byte("answers: {last: \"all is here\\r\\n\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var out, errs bytes.Buffer
		input := strings.NewReader(strings.Repeat("\n", 3600) + "last\n") // longer than the gateway waits for a sign of life
		code := Main(t.Context(), []string{"term", "sim+devicemaster:?paced=true&layout=script:" + file, "1", "--line", "300n81"},
			Streams{input, &out, &errs}, func(string) (string, bool) { return "", false })
		if code != 0 || out.String() != "all is here\r\n" {
			t.Errorf("exit code %d, output %q, errors %q", code, &out, &errs)
		}
	})
}

// The port of pty knows what the line has not taken, so that a program that closes the PTY and one that opens it again at once get
// their bytes out.
func TestRemotePortSettles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &app{timeout: 10 * time.Second, secrets: &obs.Secrets{}, env: func(string) (string, bool) { return "", false }}
		gateway, dev, err := a.openDevice(t.Context(), "sim+devicemaster:?layout=drain&paced=true", []string{"ports/1"})
		if err != nil {
			t.Fatal(err)
		}
		defer gateway.close()
		line, _ := driver.ParseLine("300n81")
		port, err := remotePorts{gateway.Client}.OpenStream(t.Context(), driver.Who{}, dev, device.Path("ports/1"), north.StreamOptions{Own: true, Line: line})
		if err != nil {
			t.Fatal(err)
		}
		defer port.Close()
		began := time.Now()
		for range 3 {
			if _, err := port.Write(make([]byte, 50)); err != nil {
				t.Fatal(err)
			}
			short, cancel := context.WithTimeout(t.Context(), time.Millisecond) // another program has come
			if left := north.Settle(short, port); left != 50 {
				t.Errorf("%d bytes are left at once", left)
			}
			cancel()
			if left := north.Settle(t.Context(), port); left != 0 {
				t.Errorf("%d bytes are left in the end", left)
			}
		}
		if took := time.Since(began); took < 5*time.Second {
			t.Errorf("150 bytes at 30 a second are said to be gone after %v", took)
		}
	})
}
