package gatewayclient

import (
	"encoding/json"
	"time"
)

// Device is one configured device with the state of its link.
type Device struct {
	Name        string            `json:"name"`
	Driver      string            `json:"driver"`
	Title       string            `json:"title"`
	Panel       string            `json:"panel"`
	URL         string            `json:"url"`
	Simulated   bool              `json:"simulated"`
	Labels      map[string]string `json:"labels,omitempty"`
	Writable    []string          `json:"writable,omitempty"`
	WritableAll bool              `json:"writable_all"`
	ConfigKey   string            `json:"config_key"`
	Link        Link              `json:"link"`
	PointCount  int               `json:"point_count"`
}

// Link is the state of the connection to a device.
type Link struct {
	State       string     `json:"state"`
	Since       *time.Time `json:"since,omitempty"`
	Error       string     `json:"error,omitempty"`
	ErrorClass  string     `json:"error_class,omitempty"`
	Hint        string     `json:"hint,omitempty"`
	NextAttempt *time.Time `json:"next_attempt,omitempty"`
	RoundTripMS float64    `json:"round_trip_ms,omitempty"`
	Condition   string     `json:"condition,omitempty"`
	LastData    *time.Time `json:"last_data,omitempty"`
}

// Spec describes a point, a column of a list or an argument of a command.
type Spec struct {
	Device      string   `json:"device,omitempty"`
	Path        string   `json:"path"`
	Kind        string   `json:"kind"`
	Rate        string   `json:"rate,omitempty"`
	Access      string   `json:"access,omitempty"`
	Unit        string   `json:"unit,omitempty"`
	Min         *float64 `json:"min,omitempty"`
	Max         *float64 `json:"max,omitempty"`
	Step        *float64 `json:"step,omitempty"`
	Decimals    int      `json:"decimals,omitempty"`
	Labels      string   `json:"labels,omitempty"`
	Columns     []Spec   `json:"columns,omitempty"`
	Confirm     string   `json:"confirm,omitempty"`
	Title       string   `json:"title,omitempty"`
	Doc         string   `json:"doc,omitempty"`
	Role        string   `json:"role,omitempty"`
	Hazard      string   `json:"hazard,omitempty"`
	Grade       string   `json:"grade,omitempty"`
	Writable    bool     `json:"writable"`
	WritableKey string   `json:"writable_key,omitempty"`
}

// Label names one value of an enum.
type Label struct {
	Value int64  `json:"value"`
	Key   string `json:"key"`
	Text  string `json:"text"`
}

// Command is an action of a device.
type Command struct {
	Path        string `json:"path"`
	Args        []Spec `json:"args,omitempty"`
	Title       string `json:"title,omitempty"`
	Doc         string `json:"doc,omitempty"`
	Role        string `json:"role,omitempty"`
	Hazard      string `json:"hazard,omitempty"`
	Grade       string `json:"grade,omitempty"`
	Writable    bool   `json:"writable"`
	WritableKey string `json:"writable_key,omitempty"`
}

// Specs is what a device has.
type Specs struct {
	Specs     []Spec             `json:"specs"`
	LabelSets map[string][]Label `json:"label_sets"`
	Commands  []Command          `json:"commands"`
}

// Point is the state of one point. Value is JSON in its natural form, null before the first value.
type Point struct {
	Device   string          `json:"device"`
	Path     string          `json:"path"`
	Value    json.RawMessage `json:"value"`
	Text     string          `json:"text"`
	Label    string          `json:"label,omitempty"`
	Quality  string          `json:"quality"`
	Reason   string          `json:"reason,omitempty"`
	Source   *time.Time      `json:"source,omitempty"`
	Received *time.Time      `json:"received,omitempty"`
	Seq      uint64          `json:"seq"`
	Merged   uint32          `json:"merged,omitempty"`
}

// HasValue reports whether the device ever said anything about the point.
func (p *Point) HasValue() bool { return len(p.Value) > 0 && string(p.Value) != "null" || p.Text != "" }

// WriteItem is one point to write: one of Value, Toggle and Add.
type WriteItem struct {
	Device  string   `json:"device"`
	Path    string   `json:"path"`
	Value   any      `json:"value,omitempty"`
	Toggle  bool     `json:"toggle,omitempty"`
	Add     *float64 `json:"add,omitempty"`
	IfValue any      `json:"if_value,omitempty"`
}

// WriteRequest is one or several writes. Deadline is a duration such as "2s"; empty is the gateway's default.
type WriteRequest struct {
	Writes   []WriteItem `json:"writes"`
	Deadline string      `json:"deadline,omitempty"`
	DryRun   bool        `json:"dry_run,omitempty"`
	Wait     bool        `json:"wait"`
}

// CommandRequest performs a command.
type CommandRequest struct {
	Path     string         `json:"path"`
	Args     map[string]any `json:"args,omitempty"`
	Deadline string         `json:"deadline,omitempty"`
	DryRun   bool           `json:"dry_run,omitempty"`
	Wait     bool           `json:"wait"`
}

// Write is a write or command with what became of it.
type Write struct {
	ID    string      `json:"id"`
	Seq   uint64      `json:"seq"`
	At    time.Time   `json:"at"`
	Stage string      `json:"stage"`
	Final bool        `json:"final"`
	Items []WriteDone `json:"items"`
}

// WriteDone is one item of a Write.
type WriteDone struct {
	Device  string          `json:"device"`
	Path    string          `json:"path"`
	Command bool            `json:"command,omitempty"`
	Old     json.RawMessage `json:"old,omitempty"`
	New     json.RawMessage `json:"new,omitempty"`
	Now     json.RawMessage `json:"now,omitempty"`
	Steps   []Step          `json:"steps"`
}

// Last is the newest step.
func (d *WriteDone) Last() Step {
	if len(d.Steps) == 0 {
		return Step{}
	}
	return d.Steps[len(d.Steps)-1]
}

// Step is one stage of a write.
type Step struct {
	Stage string    `json:"stage"`
	At    time.Time `json:"at"`
	Final bool      `json:"final,omitempty"`
	Class string    `json:"class,omitempty"`
	Text  string    `json:"text,omitempty"`
	Hint  string    `json:"hint,omitempty"`
}
