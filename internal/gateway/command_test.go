package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/patchbay-io/patchbay/internal/audit"
	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/north"
)

func TestCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quiet := conf("quiet", newToy())
		quiet.Writable = nil
		g, stop := running(t, conf("m", newToy()), quiet)
		defer stop()
		synctest.Wait()
		do := func(dev string, p device.Path, args map[string]any) string {
			s, err := g.Do(t.Context(), tester, dev, p, args, north.WriteOptions{Wait: true})
			var we *north.WriteError
			if errors.As(err, &we) {
				return we.Code + ": " + we.Text + ": " + we.Hint
			}
			it := &s.Items[0]
			return stages(it) + " " + it.Last().Text + it.Now.String()
		}
		for _, tt := range []struct {
			dev  string
			path device.Path
			args map[string]any
			want string
		}{
			{"m", "cut", nil, "accepted sent acknowledged done"},
			{"m", "recall", map[string]any{"number": 3.0}, "accepted sent acknowledged done"},
			{"m", "recall", map[string]any{"number": 9.0}, "accepted refused recall toy: memory is empty"},
			{"m", "recall", map[string]any{"number": 10.0}, `out-of-range: argument "number": 10 is out of range: 1 to 9`},
			{"m", "recall", nil, `wrong-type: argument "number" is missing: its arguments are number`},
			{"m", "cut", map[string]any{"x": 1}, `wrong-type: it has no argument "x": it takes no arguments`},
			{"m", "cat", nil, `unknown-command: the device has no such command: did you mean "cut"?`},
			{"x", "cut", nil, "unknown-device"},
			{"quiet", "cut", nil, "not-writable"},
		} {
			if got := do(tt.dev, tt.path, tt.args); !strings.HasPrefix(got, tt.want) {
				t.Errorf("%s %s %v: %q, want %q", tt.dev, tt.path, tt.args, got, tt.want)
			}
		}
	})
}

// What is secret reaches the device, and neither the log, the audit nor those who ask what was done.
func TestSecretArguments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		record, err := audit.Open(audit.Options{})
		if err != nil {
			t.Fatal(err)
		}
		g := New(Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), Audit: record})
		if err := g.SetDevices([]DeviceConfig{conf("m", newToy())}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- g.Run(ctx) }()
		synctest.Wait()
		for code, stage := range map[string]north.Stage{"0815": north.StageAcknowledged, "4711": north.StageRefused} {
			s, err := g.Do(ctx, tester, "m", "unlock", map[string]any{"who": "anna", "code": code}, north.WriteOptions{Wait: true})
			if err != nil || s.Items[0].Last().Stage != stage {
				t.Errorf("%s: %v %v", code, stages(&s.Items[0]), err)
			}
			if a := s.Items[0].Args; len(a) != 2 || a[0].Str() != "anna" || a[1].Str() != "(secret)" {
				t.Errorf("what was done: %v", a)
			}
		}
		cancel()
		<-done
		told := log.String() + fmt.Sprint(record.Since(0, 0)) + fmt.Sprint(g.WriteLog("", 0, 0))
		if strings.Contains(told, "0815") || strings.Contains(told, "4711") || strings.Count(told, "(secret)") < 6 {
			t.Error(told)
		}
	})
}
