package device

import "time"

// Quality says how far a value can be trusted.
type Quality uint8

// The qualities, best first, so that the zero Quality is Good.
const (
	Good Quality = iota
	Uncertain
	Bad
)

var qualityNames = [...]string{"good", "uncertain", "bad"}

// String is the name used in HTTP and documentation.
func (q Quality) String() string { return nameOf(qualityNames[:], int(q)) }

// Reasons why a value is not good. The list is open; doors show an unknown reason as it is.
const (
	ReasonLinkDown       = "link-down"       // the gateway has no connection to the device
	ReasonNotReported    = "not-reported"    // the device has not said anything about it yet
	ReasonAssumedDefault = "assumed-default" // the device does not say; this is its documented default
	ReasonRefused        = "refused"         // the device knows the point and refused to give it
	ReasonUnsupported    = "unsupported"     // this device does not have it
	ReasonStale          = "stale"           // it should have been renewed by now
	ReasonInvalid        = "invalid"         // the device sent something that makes no sense
)

// Sample is what a point holds. Source is the device's own time, zero when it has none; Received is when the gateway got
// it. A Bad sample may keep its last Value, so that it can be shown as old.
type Sample struct {
	Path             Path
	Value            Value
	Quality          Quality
	Reason           string
	Source, Received time.Time
}
