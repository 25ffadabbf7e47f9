package simulate

import (
	"context"
	"time"

	"github.com/patchbay-io/patchbay/internal/lab/replay"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
)

// replayAES70 is a device that answers as a recorded one, and announces once what that announced. Subscriptions are this server's own.
func replayAES70(file string) (Device, error) {
	r, err := replay.ReadAES70(file)
	if err != nil {
		return Device{}, err
	}
	device := ocaserver.NewDevice(ocaserver.Info{})
	objects := map[ocp1.ONo]*ocaserver.Object{}
	for _, o := range r.Objects() {
		objects[o.ONo] = device.Raw(o.ONo, o.Class, func(_ context.Context, _ *ocaserver.Conn, cmd ocp1.Command) (uint8, []byte, error) {
			count, values, changed, err := r.Answer(cmd)
			if changed != nil {
				objects[cmd.Target].Announce(*changed)
			}
			return count, values, err
		})
	}
	srv := ocaserver.New(device, ocaserver.Options{EV1: r.EV1})
	return Device{
		Services: aes70Services(srv),
		Run: func(ctx context.Context) error {
			return inTime(ctx, r.Changes, func(c *replay.AES70Change) time.Duration { return c.After }, func(c *replay.AES70Change) {
				r.Change(c)
				if o := objects[c.Emitter]; o != nil {
					o.Announce(c.Change)
				}
			})
		},
	}, nil
}
