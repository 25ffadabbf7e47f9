package gateway

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// Programs of a protocol without logins share an allowance, which fills again with time.
func TestGateLimitsTheNameless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _, stop := guarded(t, people(t))
		defer stop()
		gate := g.Gate("toy")
		act := func() error { return gate.Allow(driver.Who{Door: "toy"}, driver.Action{Device: "m", Raw: "0x16"}) }
		for i := range namelessBurst {
			if err := act(); err != nil {
				t.Fatalf("action %d: %v", i, err)
			}
		}
		var we *north.WriteError
		if err := act(); !errors.As(err, &we) || we.Code != "too-many-writes" || we.Class != driver.Busy {
			t.Fatalf("one action too many: %v", err)
		}
		time.Sleep(time.Second / namelessRate)
		if err := act(); err != nil {
			t.Errorf("after a while: %v", err)
		}
	})
}
