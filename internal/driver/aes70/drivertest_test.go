package aes70

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/drivertest"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocasim"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaws"
)

// counted counts what controllers change.
type counted struct {
	mu sync.Mutex
	n  int
}

func (c *counted) add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
}

func (c *counted) get() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

func count[T comparable](c *counted, x *ocaserver.Value[T]) {
	x.OnSet(func(_ context.Context, _ *ocaserver.Conn, v T) error {
		c.add()
		x.Set(v)
		return nil
	})
}

// farOf is a simulated audio interface over TCP, or over WebSocket.
func farOf(o ocasim.Options, ws bool) func(t *testing.T) drivertest.Far {
	return func(*testing.T) drivertest.Far {
		sim := ocasim.New(o)
		var writes counted
		count(&writes, sim.Inputs[0].Gain)
		count(&writes, sim.Inputs[0].Air)
		count(&writes, sim.Inputs[0].AirMode.Value)
		count(&writes, sim.Inputs[0].Name)
		count(&writes, sim.Monitoring.Level)
		count(&writes, sim.Monitoring.Mute)
		sim.Clock.Rate.OnSet(func(context.Context, *ocaserver.Conn, uint16) error {
			return &ocp1.Error{Status: ocp1.StatusProcessingFailed}
		})
		serve := sim.Serve
		if ws {
			serve = ocaws.New(func(ctx context.Context, c net.Conn) { _ = sim.Server.ServeConn(ctx, c) }, ocaws.Options{}).Serve
		}
		return drivertest.Far{
			Serve: func(ctx context.Context, l net.Listener) error {
				g, ctx := errgroup.WithContext(ctx)
				g.Go(func() error { return serve(ctx, l) })
				g.Go(func() error { return sim.Run(ctx) })
				return g.Wait()
			},
			Change: func() (device.Path, device.Value) {
				sim.Monitoring.Dim.Set(!sim.Monitoring.Dim.Get())
				return "monitoring/dim", device.OfBool(sim.Monitoring.Dim.Get())
			},
			ChangeSpecs: func() { sim.Inputs[0].Block.Boolean("Pad", false) },
			Writes:      writes.get,
		}
	}
}

func target(scheme string, o ocasim.Options) drivertest.Target {
	return drivertest.Target{
		Driver: New(), URL: scheme + "://192.0.2.50:65000", Far: farOf(o, scheme == schemeWS),
		Points: []driver.Write{
			{Path: "model", Value: device.OfString("Simulated audio interface")},
			{Path: "manufacturer", Value: device.OfString("patchbay")},
			{Path: "inputs/analogue-1/gain", Value: device.OfFloat(20)},
			{Path: "inputs/analogue-2/phantom", Value: device.OfBool(false)},
			{Path: "inputs/analogue-1/air-mode", Value: device.OfEnum(0)},
			{Path: "outputs/monitor-1/mute", Value: device.OfBool(false)},
			{Path: "monitoring/level", Value: device.OfFloat(-30)},
			{Path: "mixer/mixes/a/inputs/2/pan", Value: device.OfFloat(0)},
			{Path: "clock/sample-rate", Value: device.OfEnum(1)},
			{Path: "clock/locked", Value: device.OfBool(true)},
			{Path: "inputs/analogue-1/name", Value: device.OfString("Input 1")},
		},
		Writes: []driver.Write{
			{Path: "inputs/analogue-1/gain", Value: device.OfFloat(33.5)},
			{Path: "inputs/analogue-1/air", Value: device.OfBool(true)},
			{Path: "inputs/analogue-1/air-mode", Value: device.OfEnum(1)},
			{Path: "inputs/analogue-1/name", Value: device.OfString("Björk")},
			{Path: "monitoring/level", Value: device.OfFloat(-12)},
			{Path: "monitoring/mute", Value: device.OfBool(true)},
		},
		Refused: &driver.Write{Path: "clock/sample-rate", Value: device.OfEnum(3)},
		ServeOptions: func(listen string) any {
			o := serveDefaults()
			o.Listen, o.Allow, o.From = listen, []string{"inputs/*", "monitoring/*"}, serving.Networks{netip.MustParsePrefix("192.0.2.0/24")}
			if scheme == schemeWS {
				o.Listen, o.WS = "", listen
			}
			return o
		},
	}
}

func TestDriver(t *testing.T) {
	drivertest.Run(t, target(schemeTCP, ocasim.Options{Inputs: 2}))
}

// A device of 2018, without the newer events.
func TestDriverEV1(t *testing.T) {
	drivertest.Run(t, target(schemeTCP, ocasim.Options{Inputs: 2, EV1: true}))
}

func TestDriverWebSocket(t *testing.T) {
	drivertest.Run(t, target(schemeWS, ocasim.Options{Inputs: 2}))
}
