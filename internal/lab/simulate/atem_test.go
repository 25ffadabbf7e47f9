package simulate

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/protocol/atem"
)

func program(d *ATEM) atem.SourceID {
	p, _ := atem.Get[atem.ProgramSource](d.Switcher.State(), 0)
	return p.Source
}

// In a show the picture changes now and then, and nothing else happens than what a person at the panel does.
func TestShow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, err := NewATEM(ATEMOptions{Model: "mini-extreme-iso", Scenario: "show", Seed: 5})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { d.Run(ctx) })
		wg.Go(func() { d.Switcher.Run(ctx) })
		pictures := map[atem.SourceID]bool{}
		changes, last := 0, program(d)
		for range 600 {
			time.Sleep(time.Second)
			if p := program(d); p != last {
				changes++
				last = p
				pictures[p] = true
			}
		}
		if changes < 40 || changes > 160 || len(pictures) < 3 {
			t.Errorf("%d changes to %d pictures in ten minutes", changes, len(pictures))
		}
		for p := range pictures {
			if p == 0 || p >= 1000 {
				t.Errorf("source %d is no camera", p)
			}
		}
		cancel()
		wg.Wait()
	})
}

func TestATEMControl(t *testing.T) {
	d, err := NewATEM(ATEMOptions{Model: "mini"})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"{}":                               "nothing happens in it",
		"{cut: 1, colour: red}":            "unknown field",
		"{program: {me: 1, source: none}}": "wrong type",
	} {
		if err := d.Happen([]byte(text)); err == nil || !strings.Contains(plainMessage(err), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	for _, step := range []struct {
		event string
		want  atem.SourceID
	}{{"{program: {source: 3}}", 3}, {"{preview: {me: 1, source: 4}}", 3}, {"{cut: 1}", 4}, {"{restart: true}", 4}, {"{input: {source: 2, name: Stage}}", 4}} {
		if err := d.Happen([]byte(step.event)); err != nil {
			t.Error(err)
		}
		if got := program(d); got != step.want {
			t.Errorf("after %s program is %d, want %d", step.event, got, step.want)
		}
	}
	if in, _ := atem.Get[atem.InputProperties](d.Switcher.State(), 2); in.Name != "Stage" {
		t.Errorf("%q", in.Name)
	}
	for _, event := range []string{"{auto: 1}", "{fade: 1}"} {
		if err := d.Happen([]byte(event)); err != nil {
			t.Error(err)
		}
	}
	if now, err := d.PatchFaults([]byte(`{"silent": true}`)); err != nil || strings.TrimSpace(string(now)) != `{"silent": true}` {
		t.Errorf("%s, %v", now, err)
	}
	if _, err := d.PatchFaults([]byte(`{"loss": 0.5}`)); err == nil || !strings.Contains(err.Error(), "start it again") {
		t.Error(err)
	}
	if now, err := d.PatchFaults([]byte(`{"silent": false}`)); err != nil || strings.TrimSpace(string(now)) != `{}` {
		t.Errorf("%s, %v", now, err)
	}
}

func TestATEMFaultsOfTheCommandLine(t *testing.T) {
	var f ATEMFaults
	for _, arg := range []string{"full", "silent", "dirty", "loss=0.1", "duplicate=0.2", "reorder=1", "delay=20ms"} {
		if err := f.Turn(arg); err != nil {
			t.Error(err)
		}
	}
	if want := (ATEMFaults{Silent: true, Full: true, Dirty: true, Loss: 0.1, Duplicate: 0.2, Reorder: 1, Delay: 20 * time.Millisecond}); f != want {
		t.Errorf("%+v", f)
	}
	for arg, want := range map[string]string{"war": "known: delay", "loss=2": "between 0 and 1", "loss": "wrong type", "delay=1h": "between 0 and 1m", "silent=3": "wrong type"} {
		if err := f.Turn(arg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", arg, err, want)
		}
	}
}

func TestDumpFile(t *testing.T) {
	d, err := NewATEM(ATEMOptions{Model: "mini"})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "mini.dump")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Switcher.Save(f, false); err != nil {
		t.Fatal(err)
	}
	f.Close()
	state, err := ReadDump(name)
	if err != nil {
		t.Fatal(err)
	}
	again, err := NewATEM(ATEMOptions{State: state})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := d.Switcher.State().Len(), again.Switcher.State().Len(); a != b || a < 100 {
		t.Errorf("%d fields were saved, %d are there", a, b)
	}
	if err := os.WriteFile(name, []byte("no hex"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadDump(name); err == nil || !strings.Contains(err.Error(), name) {
		t.Error(err)
	}
}
