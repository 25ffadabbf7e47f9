package focas

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/invopop/jsonschema"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// Options of a focas device. The zero value is not usable; start from [Driver.Options].
type Options struct {
	Poll        time.Duration `yaml:"poll" jsonschema:"type=string" doc:"period of positions, status, feed and spindle"`
	Normal      time.Duration `yaml:"normal" jsonschema:"type=string" doc:"period of loads, program, modal data, alarms and messages"`
	Slow        time.Duration `yaml:"slow" jsonschema:"type=string" doc:"period of timers, units and other things that seldom change"`
	Timeout     time.Duration `yaml:"timeout" jsonschema:"type=string" doc:"longest wait for one reply of the control"`
	ReplyBudget int           `yaml:"reply_budget" doc:"bytes that one reply may have; FANUC's own library never asks for more than 1450"`
	Macros      Numbers       `yaml:"macros" doc:"macro variables to show, such as [100-149, 500]"`
	Parameters  Numbers       `yaml:"parameters" doc:"parameter numbers to show"`
	Diagnosis   Numbers       `yaml:"diagnosis" doc:"diagnosis numbers to show"`
	PMC         Addresses     `yaml:"pmc" doc:"PMC addresses to show, such as [D100:word, R10.3]"`
	ToolOffsets Numbers       `yaml:"tool_offsets" doc:"tool offset numbers to show"`
	WorkOffsets Numbers       `yaml:"work_offsets" doc:"work offsets to show: 0 is the external one, 1 is G54"`
}

// maxNumbers bounds each configured list, so that a slip like 1-99999999 is an error and not a flood.
const maxNumbers = 2000

func defaults() *Options {
	return &Options{Poll: 250 * time.Millisecond, Normal: time.Second, Slow: 10 * time.Second,
		Timeout: 3 * time.Second, ReplyBudget: 1450}
}

// Validate says what is wrong with the options and what would be right.
func (o *Options) Validate() error {
	for _, d := range []struct {
		key      string
		v        time.Duration
		min, max time.Duration
	}{
		{"poll", o.Poll, 10 * time.Millisecond, time.Hour},
		{"normal", o.Normal, 10 * time.Millisecond, time.Hour},
		{"slow", o.Slow, 10 * time.Millisecond, 24 * time.Hour},
		{"timeout", o.Timeout, 50 * time.Millisecond, time.Minute},
	} {
		if d.v < d.min || d.v > d.max {
			return fmt.Errorf("%s: %v is out of range; give %v to %v", d.key, d.v, d.min, d.max)
		}
	}
	if o.ReplyBudget < 300 || o.ReplyBudget > 4950 {
		return fmt.Errorf("reply_budget: %d is out of range; give 300 to 4950 bytes (1450 suits every control)", o.ReplyBudget)
	}
	for _, n := range []struct {
		key  string
		list Numbers
		max  int32
	}{
		{"macros", o.Macros, 99_999_999}, {"parameters", o.Parameters, 99_999}, {"diagnosis", o.Diagnosis, 99_999},
		{"tool_offsets", o.ToolOffsets, 9_999}, {"work_offsets", o.WorkOffsets, 400},
	} {
		if err := n.list.check(n.max); err != nil {
			return fmt.Errorf("%s: %w", n.key, err)
		}
	}
	if len(o.PMC) > maxNumbers {
		return fmt.Errorf("pmc: %d addresses; at most %d", len(o.PMC), maxNumbers)
	}
	return nil
}

// Range is From to To, both included.
type Range struct{ From, To int32 }

// Numbers is a list of numbers and ranges. In YAML it is a number, a text such as "100-149,500", or a list of those.
type Numbers []Range

// All lists the numbers in the order given, each once.
func (n Numbers) All() []int32 {
	var out []int32
	seen := map[int32]bool{}
	for _, r := range n {
		for v := r.From; v <= r.To && len(out) < maxNumbers; v++ {
			if !seen[v] {
				seen[v] = true
				out = append(out, v)
			}
		}
	}
	return out
}

// String is the list as configuration writes it.
func (n Numbers) String() string {
	parts := make([]string, len(n))
	for i, r := range n {
		parts[i] = strconv.Itoa(int(r.From))
		if r.To != r.From {
			parts[i] += "-" + strconv.Itoa(int(r.To))
		}
	}
	return strings.Join(parts, ",")
}

// MarshalYAML writes the short form.
func (n Numbers) MarshalYAML() (any, error) { return n.String(), nil }

func (n Numbers) check(max int32) error {
	total := 0
	for _, r := range n {
		if r.From < 0 || r.To > max {
			return fmt.Errorf("%v is out of range; give 0 to %d", Numbers{r}, max)
		}
		total += int(r.To-r.From) + 1
		if total > maxNumbers {
			return fmt.Errorf("more than %d numbers; name those that are needed", maxNumbers)
		}
	}
	return nil
}

// UnmarshalYAML reads a number, a text or a list of those.
func (n *Numbers) UnmarshalYAML(unmarshal func(any) error) error {
	words, err := words(unmarshal)
	if err != nil {
		return err
	}
	out := Numbers{}
	for _, w := range words {
		r, err := parseRange(w)
		if err != nil {
			return err
		}
		out = append(out, r)
	}
	*n = out
	return nil
}

func parseRange(s string) (Range, error) {
	a, b, isRange := strings.Cut(s, "-")
	from, err := strconv.ParseInt(strings.TrimSpace(a), 10, 32)
	to := from
	if err == nil && isRange {
		to, err = strconv.ParseInt(strings.TrimSpace(b), 10, 32)
	}
	if err != nil || from < 0 {
		return Range{}, fmt.Errorf("%q is no number and no range; write 500 or 100-149", s)
	}
	if to < from {
		return Range{}, fmt.Errorf("range %q runs backwards; write %d-%d", s, to, from)
	}
	return Range{int32(from), int32(to)}, nil
}

// JSONSchema describes what UnmarshalYAML accepts.
func (Numbers) JSONSchema() *jsonschema.Schema {
	text := &jsonschema.Schema{Type: "string", Pattern: `^\s*\d+(\s*-\s*\d+)?(\s*,\s*\d+(\s*-\s*\d+)?)*\s*$`}
	return scalarOrList(text, &jsonschema.Schema{Type: "integer"})
}

// Addresses is a list of PMC addresses, each with its data type. In YAML it is a text or a list of texts.
type Addresses []focas.PMCAddress

// UnmarshalYAML reads a text or a list of texts.
func (a *Addresses) UnmarshalYAML(unmarshal func(any) error) error {
	words, err := words(unmarshal)
	if err != nil {
		return err
	}
	out := Addresses{}
	for _, w := range words {
		p, err := focas.ParsePMCAddress(w)
		if err != nil {
			return err
		}
		out = append(out, p)
	}
	*a = out
	return nil
}

// MarshalYAML writes the addresses as texts.
func (a Addresses) MarshalYAML() (any, error) {
	out := make([]string, len(a))
	for i, p := range a {
		out[i] = p.String()
	}
	return out, nil
}

// JSONSchema describes what UnmarshalYAML accepts.
func (Addresses) JSONSchema() *jsonschema.Schema {
	return scalarOrList(&jsonschema.Schema{Type: "string"})
}

func scalarOrList(kinds ...*jsonschema.Schema) *jsonschema.Schema {
	item := &jsonschema.Schema{AnyOf: kinds}
	return &jsonschema.Schema{AnyOf: append([]*jsonschema.Schema{{Type: "array", Items: item}}, kinds...)}
}

// words reads a scalar or a list of scalars and splits texts at commas.
func words(unmarshal func(any) error) ([]string, error) {
	var raw any
	if err := unmarshal(&raw); err != nil {
		return nil, err
	}
	list, isList := raw.([]any)
	if !isList {
		list = []any{raw}
	}
	var out []string
	for _, item := range list {
		switch item.(type) {
		case string, int, int64, uint64:
		default:
			return nil, fmt.Errorf("%v is no number and no text", item)
		}
		for w := range strings.SplitSeq(fmt.Sprint(item), ",") {
			if w = strings.TrimSpace(w); w != "" {
				out = append(out, w)
			}
		}
	}
	return out, nil
}
