package gateway

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// A secret that a driver puts into an error, such as an address that came from the environment, is not shown to readers.
func TestErrorsHoldNoSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newToy()
		d.open = func(context.Context) error {
			return &driver.Error{Op: "open", Target: "planted", Class: driver.Auth, Hint: "look there", Err: errors.New("planted was refused")}
		}
		g := New(Options{Scrub: func(s string) string { return strings.ReplaceAll(s, "planted", "***") }})
		if err := g.SetDevices([]DeviceConfig{conf("m", d)}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- g.Run(ctx) }()
		synctest.Wait()
		if got := linkText(t, g, "m", "error"); got != "open ***: *** was refused" {
			t.Errorf("the link says %q", got)
		}
		if got := linkText(t, g, "m", "error-class") + " " + linkText(t, g, "m", "hint"); got != "auth look there" {
			t.Errorf("class and hint are %q", got)
		}
		_, err := g.Write(ctx, tester, []north.WriteItem{set("m", "gain", 1)}, north.WriteOptions{})
		if err == nil || strings.Contains(err.Error(), "planted") {
			t.Errorf("a write says %v", err)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
