package serving_test

import (
	"testing"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
)

func TestPoints(t *testing.T) {
	p := serving.Points{"inputs/*", "clock/rate"}
	for path, want := range map[string]bool{"inputs/1/gain": true, "inputs": false, "clock/rate": true, "clock/source": false} {
		if p.Allow(device.Path(path), "") != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
	if p.Allow("inputs/1/gain", device.HazardMove) || !p.Allow("clock/rate", device.HazardMove) {
		t.Error("a wildcard lets a hazard point through, or a name does not")
	}
	if err := serving.NotAllowed("desk", "program", "clock/source"); driver.ClassOf(err) != driver.Auth ||
		driver.HintOf(err) != "add it to the device's section to allow it: devices.desk.serve.allow: [clock/source]" {
		t.Errorf("%v; %s", err, driver.HintOf(err))
	}
}

func TestRefusals(t *testing.T) {
	var r serving.Refusals[int]
	if !r.First(1) || r.First(1) || !r.First(2) {
		t.Error("first is not first")
	}
	for i := range 2 * serving.MaxRefusals {
		r.First(i)
	}
	if r.First(-1) {
		t.Error("what is remembered has no bound")
	}
}
