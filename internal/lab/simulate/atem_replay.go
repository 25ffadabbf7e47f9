package simulate

import (
	"context"
	"time"

	"github.com/patchbay-io/patchbay/internal/lab/replay"
	"github.com/patchbay-io/patchbay/protocol/atem"
)

// replayATEM is a switcher that begins as a recorded one, and goes through what that went through, once. Beside that it is a
// simulated one: it does what commands ask.
func replayATEM(file string, device func(*ATEM) Device) (Device, error) {
	r, err := replay.ReadATEM(file)
	if err != nil {
		return Device{}, err
	}
	d, err := NewATEM(ATEMOptions{State: r.State})
	if err != nil {
		return Device{}, err
	}
	out := device(d)
	out.Run = func(ctx context.Context) error {
		return inTime(ctx, r.Changes, func(c *replay.ATEMChange) time.Duration { return c.After }, func(c *replay.ATEMChange) {
			var list []atem.Message
			for _, f := range c.Fields {
				list = append(list, recordedField{f})
			}
			d.Switcher.Set(list...)
		})
	}
	return out, nil
}

// recordedField is a field as it was recorded, whatever it means.
type recordedField struct{ f atem.Field }

// Code implements atem.Message.
func (r recordedField) Code() atem.Code { return r.f.Code }

// Parse implements atem.Message.
func (r recordedField) Parse(atem.Version, []byte) error { return nil }

// Append implements atem.Message.
func (r recordedField) Append(b []byte, _ atem.Version) []byte {
	b, _ = r.f.Append(b) // it has come out of a packet, so it has room in one
	return b
}

// Put implements atem.Message.
func (r recordedField) Put(_ atem.Version, body []byte) error {
	copy(body, r.f.Body)
	return nil
}
