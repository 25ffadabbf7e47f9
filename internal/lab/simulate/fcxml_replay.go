package simulate

import (
	"context"
	"time"

	"github.com/patchbay-io/patchbay/internal/lab/replay"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcsim"
)

// replayFCXML is Focusrite Control with a device that begins as a recorded one, and goes through what that went through, once.
// Beside that it is a simulated one whose programs are approved: it does what they wish.
func replayFCXML(file string) (Device, error) {
	r, err := replay.ReadFCXML(file)
	if err != nil {
		return Device{}, err
	}
	sim, err := fcsim.New(fcsim.Options{Device: r.Device, Values: r.Values, Approved: true})
	if err != nil {
		return Device{}, err
	}
	d := FCXMLDevice(sim)
	d.Run = func(ctx context.Context) error {
		return inTime(ctx, r.Changes, func(c *replay.FCXMLChange) time.Duration { return c.After }, func(c *replay.FCXMLChange) {
			switch {
			case c.Plugged == nil:
				sim.Report(c.Items)
			case *c.Plugged:
				sim.Plug()
			default:
				sim.Unplug()
			}
		})
	}
	return d, nil
}
