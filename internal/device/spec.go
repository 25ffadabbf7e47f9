package device

// Rate says how often a point is worth producing while nobody asks for another pace. The periods behind the names are
// the driver's options. Meter points are produced only while somebody wants them.
type Rate uint8

// The rate classes, slowest first.
const (
	Static Rate = iota // read once per connection
	Slow               // seconds
	Normal             // about once a second
	Fast               // as fast as the device is meant to be polled
	Meter              // only while wanted
)

var rateNames = [...]string{"static", "slow", "normal", "fast", "meter"}

// String is the name used in configuration and documentation.
func (r Rate) String() string { return nameOf(rateNames[:], int(r)) }

// Access says what can be done with a point, as the device allows it. Configuration narrows it further.
type Access uint8

// The access bits.
const (
	R Access = 1 << iota
	W
	RW = R | W
)

// String is "r", "w", "rw" or "".
func (a Access) String() string { return [...]string{"", "r", "w", "rw"}[a&RW] }

// Confirm says how a write is known to have taken effect.
type Confirm uint8

// The ways of confirmation.
const (
	ByNothing  Confirm = iota // the protocol cannot tell
	ByNotify                  // the device reports the new value unasked
	ByReadBack                // the gateway reads the point again
)

// Hazard is the weight of a write.
const (
	HazardPlain = ""       // nothing notices but the point itself
	HazardLive  = "live"   // on air, audible
	HazardMove  = "hazard" // moves a machine, cannot be undone, 48 V, firmware, clock, PMC outputs, parameters
)

// Grade is the evidence behind a statement about a closed protocol.
const (
	GradeSpec     = "spec"     // the maker's own public document says so
	GradeSeen     = "seen"     // observed on the maker's own software or hardware
	GradeInferred = "inferred" // follows from what was seen
	GradeGuess    = "guess"    // nobody has checked
)

// Spec describes one point. The zero Min and Max mean "no range"; Step 0 means "any".
type Spec struct {
	Path           Path
	Kind           Kind
	Rate           Rate
	Access         Access
	Unit           string // a Symbol of the Units table; empty: none
	Min, Max, Step float64
	Decimals       int    // digits after the point that the device itself shows; 0 when it does not say
	Labels         string // Enum: id of a label set of the same device
	Columns        []Spec // List: one column each; Path holds the column's name
	Confirm        Confirm
	Title, Doc     string
	Role, Hazard   string
	Grade          string
	Secret         bool // an argument of a command that is handed on and never told again, nor written down
	// Attributes are the device's own words for the point, by lower-case name: "name", "label", "object-number", "role-path".
	// They may change while the path stays. [AttrReadOnly] is ours. nil: none.
	Attributes map[string]string
}

// AttrReadOnly is the attribute of a point that could be written and cannot now: why.
const AttrReadOnly = "read-only"

// HasRange reports whether Min and Max limit the value.
func (s *Spec) HasRange() bool { return s.Min != 0 || s.Max != 0 }

// LabelSet names the values of an enum. Several points may share one set.
type LabelSet struct {
	ID    string
	Items []Label
}

// Label names one value. Key never changes while the device keeps the value and is unique in its set; Text is what
// people call it, and Short the same where there is little room, as on a button. Both may change and need not be unique;
// Short may be empty.
type Label struct {
	Value            int64
	Key, Text, Short string
}

// ByValue finds the label of a number.
func (l *LabelSet) ByValue(v int64) (Label, bool) {
	if l != nil {
		for _, it := range l.Items {
			if it.Value == v {
				return it, true
			}
		}
	}
	return Label{}, false
}

func nameOf(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return "unknown"
}
