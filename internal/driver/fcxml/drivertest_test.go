package fcxml

import (
	"context"
	"net"
	"net/netip"
	"testing"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/drivertest"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcsim"
)

// suite is the target with a simulated server.
func suite() drivertest.Target {
	return drivertest.Target{
		Driver: New(),
		URL:    "fcxml://192.0.2.40:49152",
		Far: func(t *testing.T) drivertest.Far {
			sim, err := fcsim.New(fcsim.Options{Model: "18i20", Approved: true, Seed: 7})
			if err != nil {
				t.Fatal(err)
			}
			return drivertest.Far{
				Serve: func(ctx context.Context, l net.Listener) error { return sim.Serve(ctx, l) },
				Change: func() (device.Path, device.Value) {
					if err := sim.Turn("inputs/analogue-2/air", "true"); err != nil {
						t.Error(err)
					}
					return "inputs/analogue-2/air", device.OfBool(true)
				},
				ChangeSpecs: sim.Unplug,
				Writes:      sim.Sets,
			}
		},
		Points: []driver.Write{
			{Path: "model", Value: device.OfString("Scarlett 18i20")},
			{Path: "serial", Value: device.OfString("SIM00000000007")},
			{Path: "firmware", Value: device.OfString("1605")},
			{Path: "clock/locked", Value: device.OfBool(true)},
			{Path: "clock/sample-rate", Value: device.OfEnum(1)},
			{Path: "monitoring/level", Value: device.OfFloat(-20)},
			{Path: "mixer/mixes/a/inputs/1/gain", Value: device.OfFloat(-128)},
		},
		Writes: []driver.Write{
			{Path: "inputs/analogue-1/air", Value: device.OfBool(true)},
			{Path: "mixer/mixes/a/inputs/3/gain", Value: device.OfFloat(-12.5)},
			{Path: "clock/sample-rate", Value: device.OfEnum(3)},
			{Path: "inputs/analogue-1/name", Value: device.OfString("Björk <left>")},
		},
		ServeOptions: func(listen string) any {
			o := serveDefaults()
			o.Listen, o.From = listen, serving.Networks{netip.MustParsePrefix("192.0.2.0/24")}
			o.Allow = []string{"*", "clock/sample-rate"}
			return o
		},
		Refused: &driver.Write{Path: "monitoring/level", Value: device.OfFloat(-10)},
	}
}

// The driver against the simulated server.
func TestDriverWithSimulator(t *testing.T) { drivertest.Run(t, suite()) }
