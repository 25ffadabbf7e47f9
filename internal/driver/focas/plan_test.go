package focas

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/focas/focassim"
)

func TestPlanNamesEveryFrame(t *testing.T) {
	sim, err := focassim.New(focassim.Options{Profile: "30i"})
	if err != nil {
		t.Fatal(err)
	}
	l := testnet.Listen()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- sim.Serve(ctx, l) }()
	o := defaults()
	o.Macros = Numbers{{100, 105}}
	lines, err := Driver{}.Plan(ctx, driver.Env{Dial: l.DialContext, Log: slog.New(slog.DiscardHandler)},
		driver.Target{Name: "m", URL: &url.URL{Scheme: "focas", Host: "sim"}, Options: o})
	cancel()
	<-done
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(lines, "\n")
	for _, want := range []string{"every 250ms: ", "every 1s: ", "every 10s: ", "cnc_statinfo", "cnc_rdmacro 105", "when all of it is due at once: "} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if strings.Contains(text, ": ,") || strings.Contains(text, ", ,") {
		t.Errorf("a read has no name in\n%s", text)
	}
	if _, err := (Driver{}).Plan(context.Background(), driver.Env{Dial: l.DialContext, Log: slog.New(slog.DiscardHandler)},
		driver.Target{Name: "m", URL: &url.URL{Scheme: "focas", Host: "sim"}, Options: o}); err == nil {
		t.Error("a plan without a control")
	}
}
