// Package north declares what a door to other software needs of the gateway: a tree to read, devices to name, and one
// way to write. Each door is a package below this one; the gateway implements the interfaces and knows no door.
package north

import (
	"context"
	"errors"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// Tree is what doors read. All methods are safe for concurrent use and never block on a device.
type Tree interface {
	// Epoch changes whenever sequence numbers start again, so "epoch.seq" names a moment for ever.
	Epoch() string
	Point(dev string, path device.Path) (device.Point, bool)
	// Points is a consistent snapshot ordered by device and path, and the sequence it was taken at.
	Points(f device.Filter) ([]device.Point, uint64)
	// Count is how many points a device has.
	Count(dev string) int
	// LabelSets of one device, by id.
	LabelSets(dev string) map[string]*device.LabelSet
	Commands(dev string) []device.Command
	// Subscribe starts at sequence since, 0 for the beginning: the first batch then holds the whole selection with
	// Reset set. When since is older than what the tree remembers of removed points, the first batch is a Reset too.
	Subscribe(f device.Filter, since uint64) Subscription
}

// Subscription delivers coalesced updates to one reader. It costs the tree nothing while its reader is away.
type Subscription = device.Subscription

// Devices names what the gateway has.
type Devices interface {
	Devices() []Device // in the order of the configuration
	Device(name string) (Device, bool)
}

// Device is one configured device. The state of its link is in the points below _link/.
type Device struct {
	Name, Driver, Title, Panel string
	URL                        string // without secrets
	Simulated                  bool
	Labels                     map[string]string
	Writable                   []string // as configured
	WritableAll                bool     // a simulated device of the demo
	ConfigKey                  string   // where Writable would be written: "devices.mill1.writable"
}

// Op is what a write does with the present value.
type Op uint8

// The operations.
const (
	OpSet    Op = iota
	OpToggle    // a Bool, or an Enum of two labels
	OpAdd       // a number, clamped to the range
)

// WriteItem is one point to write. Value and IfValue are as decoded from JSON or typed by a person: bool, number, string;
// the gateway converts them by the point's spec.
type WriteItem struct {
	Device  string
	Path    device.Path
	Op      Op
	Value   any
	IfValue any // nil: unconditional
}

// WriteOptions apply to all items of a write.
type WriteOptions struct {
	Deadline time.Duration // 0: 2 s
	DryRun   bool          // check everything, send nothing
	Wait     bool          // return when every item has ended, else as soon as it is accepted
	// Nameless is for a door whose protocol has no logins: for a who without a user the configuration of the device alone decides,
	// as it does for native servers. The door has asked the gate, which counts what comes without a user, and its own rules.
	Nameless bool
}

// Stage is where a write stands.
type Stage string

// The stages. The first three lead on, the others are ends.
const (
	StageAccepted     Stage = "accepted"
	StageSent         Stage = "sent"
	StageAcknowledged Stage = "acknowledged"
	StageConfirmed    Stage = "confirmed"
	StageRefused      Stage = "refused"   // by permission, check or device; nothing changed
	StageFailed       Stage = "failed"    // could not be sent, or the device then said something else
	StageTimedOut     Stage = "timed-out" // sent, and not confirmed before the deadline
	StageUncertain    Stage = "uncertain" // the link died after sending; never resent
	StageDryRun       Stage = "dry-run"   // would have been sent
)

// Ended reports whether nothing more will happen. Sent and Acknowledged are ends for points that cannot be confirmed;
// Step.Final tells.
func (s Stage) Ended() bool {
	return s != StageAccepted && s != StageSent && s != StageAcknowledged
}

// Step is one stage of one item.
type Step struct {
	Stage Stage
	At    time.Time
	Final bool
	Class driver.Class // set with refused, failed and uncertain
	Text  string       // why
	Hint  string       // what to do
}

// ItemState is one item of a write. Points have Old and New; commands have Args.
type ItemState struct {
	Device   string
	Path     device.Path
	Command  bool
	Old, New device.Value
	Args     []device.Value
	Now      device.Value // what the device says after the write, or what a command returned
	Steps    []Step
}

// Last is the newest step.
func (i *ItemState) Last() Step {
	if len(i.Steps) == 0 {
		return Step{}
	}
	return i.Steps[len(i.Steps)-1]
}

// WriteState is a copy of one write or command with everything that became of it.
type WriteState struct {
	ID    string
	Seq   uint64 // grows with every step of any write
	At    time.Time
	Who   driver.Who
	Items []ItemState
}

// Writes is the one way to change anything.
type Writes interface {
	// Write checks all items before it sends the first. The error is non-nil when nothing was accepted; it is a
	// *WriteError and the write is in the log all the same, but for the code too-many-writes.
	Write(ctx context.Context, who driver.Who, items []WriteItem, opt WriteOptions) (WriteState, error)
	// Do performs a command; args by name.
	Do(ctx context.Context, who driver.Who, dev string, path device.Path, args map[string]any, opt WriteOptions) (WriteState, error)
	WriteByID(id string) (WriteState, bool)
	// WriteLog lists writes with a step after seq since, oldest first, at most max (0: all that are kept), of one device
	// or of all ("").
	WriteLog(dev string, since uint64, max int) []WriteState
	// WriteLogChanged is closed at the next step of any write. Take it before reading the log.
	WriteLogChanged() <-chan struct{}
}

// WriteError is why a write was not accepted.
type WriteError struct {
	Code   string // "unknown-device", "unknown-point", "read-only", "not-writable", "wrong-type", "out-of-range", "if-value", "link-down", …
	Item   int    // which item
	Device string
	Path   device.Path
	Text   string // what is wrong
	Hint   string // what to do; for not-writable the configuration line that would allow it
	Class  driver.Class

	DidYouMean string // the nearest device, point, command or label key; empty: nothing is near
}

// Error is the text with its place.
func (e *WriteError) Error() string {
	if e.Device == "" {
		return e.Text
	}
	return e.Device + "/" + string(e.Path) + ": " + e.Text
}

// As gives it as a *driver.Error, so that class and hint reach those who know no doors: the native servers of drivers.
func (e *WriteError) As(target any) bool {
	de, ok := target.(**driver.Error)
	if ok {
		*de = &driver.Error{Op: "write", Target: e.Device + "/" + string(e.Path), Class: e.Class, Hint: e.Hint, Err: errors.New(e.Text)}
	}
	return ok
}
