package drivertest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

func toyTarget(d toy) Target {
	return Target{
		Driver: d,
		URL:    "toy://192.0.2.10:7",
		Far: func(*testing.T) Far {
			f := newToyFar()
			return Far{
				Serve: f.serve,
				Change: func() (device.Path, device.Value) {
					f.mu.Lock()
					defer f.mu.Unlock()
					f.change("a", 42)
					return "a", device.OfInt(42)
				},
				Writes: func() int {
					f.mu.Lock()
					defer f.mu.Unlock()
					return f.writes
				},
			}
		},
		Points:  []driver.Write{{Path: "a", Value: device.OfInt(1)}, {Path: "b", Value: device.OfInt(2)}, {Path: "fixed", Value: device.OfInt(9)}},
		Writes:  []driver.Write{{Path: "a", Value: device.OfInt(11)}, {Path: "b", Value: device.OfInt(12)}},
		Refused: &driver.Write{Path: "a", Value: device.OfInt(1000)},
	}
}

func TestPolledToy(t *testing.T)  { Run(t, toyTarget(toy{})) }
func TestPushingToy(t *testing.T) { Run(t, toyTarget(toy{push: true})) }

// bugEnv tells the test binary to run the suite over a broken toy.
const bugEnv = "PATCHBAY_DRIVERTEST_BUG"

// TestBroken is run by TestSuiteFindsBugs in a process of its own.
func TestBroken(t *testing.T) {
	bug := os.Getenv(bugEnv)
	if bug == "" {
		t.Skip("runs only inside TestSuiteFindsBugs")
	}
	Run(t, toyTarget(toy{bug: bug}))
}

// Each bug must fail at least the check that is there for it.
func TestSuiteFindsBugs(t *testing.T) {
	for bug, check := range map[string]string{
		"leaks-goroutine":    "read/nothing",
		"hides-ability":      "describe/abilities",
		"bad-path":           "describe/specs",
		"plain-error":        "open/refused",
		"forgets-deadline":   "open/hanging",
		"wrong-class":        "open/another-protocol",
		"leaves-connection":  "open/noise",
		"sorts":              "read/order-kept",
		"spoils-others":      "read/unknown-path",
		"no-full":            "watch/first-change",
		"duplicates":         "watch/first-change",
		"meters-always":      "interest/meters",
		"ignores-cancel":     "cancel/during",
		"keeps-late-replies": "cancel/during",
		"writes-twice":       "write/round-trip",
		"writes-anything":    "write/read-only-point",
		"ignores-refusal":    "write/refused-by-device",
		"claims-success":     "write/link-dies-after-sending",
		"wrong-class-later":  "life/peer-closes",
		"close-once":         "close/twice",
		"close-forgets":      "close/twice",
	} {
		t.Run(bug, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestBroken$/^"+strings.ReplaceAll(check, "/", "$/^")+"$", "-test.timeout=60s")
			cmd.Env = append(os.Environ(), bugEnv+"="+bug)
			start := time.Now()
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "TestBroken/"+check) && !strings.Contains(string(out), "panic: close of closed channel") {
				t.Errorf("the suite passed a driver with this bug (after %v):\n%s", time.Since(start), out)
			}
		})
	}
}

func BenchmarkToy(b *testing.B) {
	Bench(b, func() Far { return Far{Serve: newToyFar().serve} }, toyTarget(toy{}))
}
