package wrap

import (
	"context"
	"errors"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// ReadOnly takes away everything that acts on the device: writes, commands and streams.
func ReadOnly(s driver.Session) driver.Session {
	return &abilities{s, driver.Abilities{}}
}

// ErrDryRun is the cause of every refusal of a dry run.
var ErrDryRun = errors.New("dry run: nothing was sent")

// DryRun refuses every write and command with [ErrDryRun], after telling about it. Streams are taken away. The functions
// are called from the caller's goroutine; nil is silent.
func DryRun(s driver.Session, onWrite func(driver.Write), onDo func(device.Path, []device.Value)) driver.Session {
	var a driver.Abilities
	has := s.Abilities()
	if has.Writer != nil {
		a.Writer = dryWriter{onWrite}
	}
	if has.Commander != nil {
		a.Commander = dryCommander{onDo}
	}
	return &abilities{s, a}
}

type abilities struct {
	driver.Session
	has driver.Abilities
}

func (a *abilities) Abilities() driver.Abilities { return a.has }

type dryWriter struct{ tell func(driver.Write) }

func (d dryWriter) Write(_ context.Context, writes []driver.Write) ([]driver.Outcome, error) {
	out := make([]driver.Outcome, len(writes))
	for i, w := range writes {
		if d.tell != nil {
			d.tell(w)
		}
		out[i] = driver.Outcome{Stage: driver.Refused, Err: ErrDryRun}
	}
	return out, nil
}

type dryCommander struct {
	tell func(device.Path, []device.Value)
}

func (d dryCommander) Do(_ context.Context, path device.Path, args []device.Value) (device.Value, driver.Outcome) {
	if d.tell != nil {
		d.tell(path, args)
	}
	return device.Value{}, driver.Outcome{Stage: driver.Refused, Err: ErrDryRun}
}
