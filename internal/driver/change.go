package driver

import (
	"context"

	"github.com/patchbay-io/patchbay/internal/device"
)

// Change is one thing that a device said, applied as a whole. The order inside one change is: Full, Gone, Labels, Specs,
// Commands, Streams, Samples, Condition.
type Change struct {
	Full      bool          // what is not named here is gone
	Gone      []device.Path // subtrees that no longer exist
	Specs     []device.Spec // new or changed points
	Labels    []device.LabelSet
	Commands  []device.Command // nil: unchanged
	Streams   []device.Path
	Samples   []device.Sample
	Condition *Condition // nil: unchanged; an empty Code clears it
}

// Condition is a state of the session that is neither up nor down, such as "waiting-for-approval".
type Condition struct{ Code, Text string }

// Stage is how far a write or command came.
type Stage uint8

// The stages at which a session's part of a write ends.
const (
	Refused   Stage = iota + 1 // the device or the driver said no; nothing changed
	Sent                       // no acknowledgement exists in this protocol
	Acked                      // the device accepted it; the gateway confirms it by Spec.Confirm
	Uncertain                  // the link died after sending; never resent
)

var stageNames = [...]string{"", "refused", "sent", "acknowledged", "uncertain"}

// String is the name used in HTTP and logs.
func (s Stage) String() string {
	if int(s) < len(stageNames) {
		return stageNames[s]
	}
	return "unknown"
}

// Outcome is how one write or command ended. Err is set for Refused and Uncertain.
type Outcome struct {
	Stage Stage
	Err   error
}

// Write is one value for one point. The gateway has checked kind, range, labels and permission before.
type Write struct {
	Path  device.Path
	Value device.Value
}

// Writer sets points, in order, together where the protocol can. It returns one outcome for each write; the error is for
// the session as a whole, and the outcomes then tell which writes had been sent.
type Writer interface {
	Write(ctx context.Context, writes []Write) ([]Outcome, error)
}

// Commander performs commands.
type Commander interface {
	Do(ctx context.Context, path device.Path, args []device.Value) (device.Value, Outcome)
}
