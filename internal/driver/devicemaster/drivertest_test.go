package devicemaster

import (
	"context"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/drivertest"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmsim"
)

// The driver passes the suite against the simulated box, and its server passes the same with the driver as its client.
func TestSuite(t *testing.T) {
	drivertest.Run(t, drivertest.Target{
		Driver: New(),
		URL:    "devicemaster://192.0.2.31",
		Options: func() any {
			o := defaults()
			o.LinkTimeout = 20 * time.Second
			return o
		},
		Far: func(t *testing.T) drivertest.Far {
			echo := &counted{Backend: dmsim.Echo()}
			one, other := dmsim.NullModem()
			sim, err := dmsim.New(dmsim.Options{Backends: []dmserver.Backend{echo, one, other, dmsim.Taken(), dmsim.Sink()}})
			if err != nil {
				t.Fatal(err)
			}
			return drivertest.Far{
				Serve:    sim.Serve,
				Received: func() int { return int(echo.n.Load()) },
				ChangeLine: func() driver.LineEvent {
					sim.SetInputs(0, devicemaster.DSR|devicemaster.RI)
					return driver.LineEvent{DSR: true, RI: true}
				},
			}
		},
		Points: []driver.Write{
			{Path: "firmware", Value: device.OfString("SocketServer 11.34")},
			{Path: "port-count", Value: device.OfInt(5)},
			{Path: "program", Value: device.OfString("NS-Link")},
			{Path: "ports/1/baud", Value: device.OfInt(9600)},
			{Path: "ports/2/format", Value: device.OfString("8N1")},
			{Path: "ports/5/state", Value: device.OfEnum(stateClosed)},
		},
		Writes: []driver.Write{
			{Path: "ports/1/baud", Value: device.OfInt(115200)},
			{Path: "ports/2/format", Value: device.OfString("7E2")},
			{Path: "ports/3/flow", Value: device.OfEnum(int64(driver.FlowRtsCts))},
			{Path: "ports/3/mode", Value: device.OfEnum(2)},
		},
		Refused: &driver.Write{Path: "ports/1/rts", Value: device.OfBool(true)},
		Echo:    "ports/1",
		Taken:   "ports/4",
		Line:    driver.Line{Baud: 38400, Data: 8, Parity: 'N', HalfStops: 2},
		ServeOptions: func(listen string) any {
			o := serveDefaults()
			o.Listen, o.From = listen, serving.Networks{netip.MustParsePrefix("192.0.2.0/24")}
			return o
		},
		Except: map[string]string{
			"serve/asks-for-every-write": "settings of a port that is not open reach no box; streams/through-the-server asks the gate",
			"serve/obeys-the-gate":       "settings of a port that is not open reach no box; streams/through-the-server asks the gate",
		},
	})
}

// counted counts what a line is sent.
type counted struct {
	dmserver.Backend
	n atomic.Int64
}

func (c *counted) Open(ctx context.Context, line dmserver.Line) (dmserver.Wire, error) {
	w, err := c.Backend.Open(ctx, line)
	return &countedWire{w, c}, err
}

type countedWire struct {
	dmserver.Wire
	c *counted
}

func (w *countedWire) Send(b []byte) (int, error) {
	n, err := w.Wire.Send(b)
	w.c.n.Add(int64(n))
	return n, err
}
