package simulate

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/patchbay-io/patchbay/protocol/focas/focasclient"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLocalIsReachedByItsOwnClient(t *testing.T) {
	for kind := range Settings() {
		l, err := NewLocal(kind, url.Values{"profile": {"30i"}, "seed": {"7"}, "speed": {"2"}, "scenario": {"quiet"}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- l.Run(ctx) }()
		c, err := focasclient.Dial(ctx, l.Dial, Host+":8193", focasclient.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(ctx); err != nil {
			t.Error(err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	}
}

func TestWrongSettings(t *testing.T) {
	for _, tc := range []struct {
		kind     string
		settings url.Values
		want     string
	}{
		{"toaster", nil, `no simulator for "toaster"; known: focas`},
		{"focas", url.Values{"profile": {"99i"}}, "99i"},
		{"focas", url.Values{"seed": {"-1"}}, "seed:"},
		{"focas", url.Values{"speed": {"0"}}, "speed:"},
		{"focas", url.Values{"speed": {"NaN"}}, "speed:"},
		{"focas", url.Values{"scenario": {"war"}}, "scenario:"},
	} {
		if _, err := NewLocal(tc.kind, tc.settings); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s %v: %v", tc.kind, tc.settings, err)
		}
	}
}
