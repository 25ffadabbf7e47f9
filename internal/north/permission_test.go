package north

import (
	"testing"

	"github.com/patchbay-io/patchbay/internal/device"
)

func TestMayWrite(t *testing.T) {
	d := Device{Writable: []string{"me/*", "aux/1/gain", "*/power"}}
	for _, tt := range []struct {
		path   device.Path
		hazard string
		want   bool
	}{
		{"me/1/program", device.HazardPlain, true},
		{"me/1/program", device.HazardLive, true},
		{"me/1/program", device.HazardMove, false},
		{"aux/1/gain", device.HazardMove, true},
		{"aux/2/gain", device.HazardPlain, false},
		{"phantom/power", device.HazardPlain, true},
		{"phantom/power", device.HazardMove, false},
		{"", device.HazardPlain, false},
	} {
		if got := d.MayWrite(tt.path, tt.hazard); got != tt.want {
			t.Errorf("MayWrite(%q, %q) = %v", tt.path, tt.hazard, got)
		}
	}
	if !d.Granted("phantom/power") || d.Granted("other") {
		t.Error("Granted")
	}
	if (&Device{}).MayWrite("me", "") {
		t.Error("a device without patterns is writable")
	}
	if !(&Device{WritableAll: true}).MayWrite("power", device.HazardMove) {
		t.Error("WritableAll leaves hazards out")
	}
}
