package devicemaster

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// boxScheme is that of a box which is none: it has no ports of its own and exists to be served, made of ports of other devices.
const boxScheme = "devicemaster-box"

// nobox is the session of such a box. It is up until it is closed.
type nobox struct {
	name   string
	once   sync.Once
	closed chan struct{}
}

const noboxPoint device.Path = "box"

func (n *nobox) sample(now time.Time) device.Sample {
	return device.Sample{Path: noboxPoint, Value: device.OfString("made of ports of other devices"), Received: now}
}

func (n *nobox) over(op string) error {
	select {
	case <-n.closed:
		return &driver.Error{Op: op, Target: n.name, Class: driver.Closed, Err: net.ErrClosed}
	default:
		return nil
	}
}

// Read gives the one point.
func (n *nobox) Read(ctx context.Context, paths []device.Path) ([]device.Sample, error) {
	if err := n.over("read"); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, driver.WrapNet("read", n.name, err)
	}
	now := time.Now()
	out := make([]device.Sample, len(paths))
	for i, p := range paths {
		if out[i] = n.sample(now); p != noboxPoint {
			out[i] = device.Sample{Path: p, Received: now, Quality: device.Bad, Reason: device.ReasonUnsupported}
		}
	}
	return out, nil
}

// Watch tells the one point, which never changes.
func (n *nobox) Watch(ctx context.Context, _ driver.Interest, sink driver.Sink) error {
	if err := n.over("watch"); err != nil {
		return err
	}
	sink.Apply(&driver.Change{Full: true, Specs: []device.Spec{{Path: noboxPoint, Kind: device.String, Rate: device.Static, Access: device.R, Title: "Box",
		Doc: "this device is served to the maker's drivers, with ports of other devices: see serve.ports", Grade: device.GradeSpec}},
		Samples: []device.Sample{n.sample(time.Now())}})
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-n.closed:
		return n.over("watch")
	}
}

func (n *nobox) Abilities() driver.Abilities { return driver.Abilities{} }

func (n *nobox) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}
