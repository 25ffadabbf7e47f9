package simulate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/patchbay-io/patchbay/internal/lab/fault"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focassim"
)

// FOCASFaults are all the ways in which a simulated control misbehaves: those of FOCAS first, then those of any connection. The
// yaml tags are the names in scenario files, on the command line and over the control interface.
type FOCASFaults struct {
	Silent         bool   `yaml:"silent,omitempty"`          // answers open and close, and nothing else
	SilentOpen     bool   `yaml:"silent-open,omitempty"`     // answers nothing at all
	CutFrame       bool   `yaml:"cut-frame,omitempty"`       // closes in the middle of the next reply
	Stale          bool   `yaml:"stale,omitempty"`           // sends each reply twice
	ErrorFrame     string `yaml:"error-frame,omitempty"`     // refuses each data frame: EW_BUSY, or a number
	ResetMisplaced bool   `yaml:"reset-misplaced,omitempty"` // resets a connection that sends data on channel 1
	Garbage        bool   `yaml:"garbage,omitempty"`         // sends bytes that are no frame

	Connection fault.Faults `yaml:",inline"`
}

// FOCASFaultNames are the names of the faults, sorted.
func FOCASFaultNames() []string {
	names := []string{"silent", "silent-open", "cut-frame", "stale", "error-frame", "reset-misplaced", "garbage",
		"delay", "jitter", "split", "gap", "corrupt", "stall", "cut-after", "reset-after", "reset"}
	slices.Sort(names)
	return names
}

// Change changes the faults that a YAML or JSON mapping names and leaves the others alone. On error nothing is changed.
func (f *FOCASFaults) Change(text []byte) error {
	next := *f
	if err := decodeStrict(text, &next); err != nil {
		return err
	}
	if err := next.Check(); err != nil {
		return err
	}
	*f = next
	return nil
}

// Turn turns on one fault of the command line: NAME, or NAME=VALUE.
func (f *FOCASFaults) Turn(arg string) error {
	name, value, given := strings.Cut(arg, "=")
	if !slices.Contains(FOCASFaultNames(), name) {
		return fmt.Errorf("--fault %s is unknown; known: %s", name, strings.Join(FOCASFaultNames(), ", "))
	}
	if !given {
		value = "true"
		if name == "error-frame" {
			value = focas.EWFunc.String()
		}
	}
	if err := f.Change([]byte(name + ": " + value + "\n")); err != nil {
		return fmt.Errorf("--fault %s: %s", arg, strings.TrimPrefix(plainMessage(err), name+": "))
	}
	return nil
}

// Check says what is wrong with the values, naming the key.
func (f *FOCASFaults) Check() error {
	if _, err := f.code(); err != nil {
		return err
	}
	return f.Connection.Check()
}

// maxCode is the largest EW_ code that is looked up by name.
const maxCode = 64

// code is what ErrorFrame means; 0 when it is empty.
func (f *FOCASFaults) code() (focas.Code, error) {
	if f.ErrorFrame == "" {
		return 0, nil
	}
	if n, err := strconv.ParseInt(f.ErrorFrame, 0, 16); err == nil && n != 0 {
		return focas.Code(n), nil
	}
	for c := focas.Code(-maxCode); c <= maxCode; c++ {
		if c != 0 && strings.EqualFold(c.String(), f.ErrorFrame) {
			return c, nil
		}
	}
	return 0, fmt.Errorf("error-frame: %q is no FOCAS error; write a name such as EW_BUSY, or a number other than 0", f.ErrorFrame)
}

// focas gives the faults that the simulated control has itself.
func (f *FOCASFaults) focas() focassim.Faults {
	code, _ := f.code() // checked before
	return focassim.Faults{Silent: f.Silent, SilentOpen: f.SilentOpen, CutFrame: f.CutFrame, Stale: f.Stale, Refuse: code,
		ResetMisplaced: f.ResetMisplaced, Garbage: f.Garbage}
}

// JSON is the faults that are on, as one JSON object.
func (f *FOCASFaults) JSON() ([]byte, error) { return yaml.MarshalWithOptions(f, yaml.JSON()) }
