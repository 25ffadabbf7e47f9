package dmclient

import (
	"errors"
	"fmt"
)

// What can go wrong with a port or a link. Errors wrap one of them, and the cause.
var (
	// ErrBusy: another host has the port.
	ErrBusy = errors.New("another host has the port")
	// ErrLost: the port was ours, and somebody has released it.
	ErrLost = errors.New("the port was released by somebody else")
	// ErrLinkDown: the connection to the box is over.
	ErrLinkDown = errors.New("the link to the box is down")
	// ErrNoAnswer: the box did not answer in time.
	ErrNoAnswer = errors.New("the box does not answer")
	// ErrNotDeviceMaster: what answers there does not speak the protocol.
	ErrNotDeviceMaster = errors.New("what answers there is no DeviceMaster")
	// ErrNoPort: the box does not have this port.
	ErrNoPort = errors.New("the box has no such port")
	// ErrOpen: the port is open on this link already.
	ErrOpen = errors.New("the port is open already")
	// ErrFlow: the box sent far more than it may before an acknowledgement.
	ErrFlow = errors.New("the box sends more than the window allows")
)

// silent is the end of a link that has waited for the box in vain. It is no os.ErrDeadlineExceeded to those who use its ports: that is
// a deadline of theirs, after which a port lives on.
type silent struct{ cause error }

func (s *silent) Error() string { return s.cause.Error() }
func (s *silent) Unwrap() error { return ErrNoAnswer }

// down is the end of a link: ErrLinkDown and why.
type down struct{ cause error }

func (d *down) Error() string   { return fmt.Sprintf("%v: %v", ErrLinkDown, d.cause) }
func (d *down) Unwrap() []error { return []error{ErrLinkDown, d.cause} }
