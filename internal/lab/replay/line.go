package replay

import (
	"bytes"
	"time"

	"github.com/patchbay-io/patchbay/protocol/devicemaster"
)

// LineStep is something that came from a serial line, and what went before it.
type LineStep struct {
	Sent  int           // bytes that the client had sent to the line since it opened the port
	After time.Duration // since the step before, or since the client had sent so much, whichever was later

	Data    []byte
	Inputs  devicemaster.Inputs // as they are from now on, if Changed
	Changed bool
	Errors  devicemaster.LineErrors
}

// Opening is what a line said while a client had its port open.
type Opening struct {
	Inputs devicemaster.Inputs // at the opening
	Steps  []LineStep
}

// SerialLine is what is known of the line of one port: its openings in the order in which they were recorded.
type SerialLine struct {
	Taken    bool // an opening was refused because another host had the port
	Openings []Opening
}

// lineRecord collects one opening.
type lineRecord struct {
	Opening
	sent int
	at   time.Duration // of the step before, or of the client's last bytes
}

func (r *lineRecord) client(at time.Duration, n int) {
	r.sent += n
	r.at = max(r.at, at)
}

func (r *lineRecord) step(at time.Duration, s LineStep) {
	s.Sent, s.After = r.sent, max(0, at-r.at)
	s.Data = bytes.Clone(s.Data)
	r.at = max(r.at, at)
	r.Steps = append(r.Steps, s)
}
