package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/patchbay-io/patchbay/internal/cli/gatewayclient"
)

// printJSON prints one JSON line.
func (a *app) printJSON(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.Out, "%s\n", b)
	return err
}

// table prints rows in aligned columns without a trailing blank.
func (a *app) table(rows [][]string) error {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(a.Out, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// units finds the unit of a point by its path.
type units map[string]string

func unitsOf(specs []gatewayclient.Spec) units {
	u := units{}
	for _, s := range specs {
		if s.Unit != "" {
			u[s.Path] = s.Unit
		}
	}
	return u
}

// valueText is a value as a person reads it, with its unit: an enum is its key with the label's text, a list has one line
// for each row.
func valueText(p *gatewayclient.Point, unit string) string {
	switch {
	case string(p.Value) == "[]":
		return "none"
	case string(p.Value) == `""`:
		return ""
	case !p.HasValue():
		return "-"
	case p.Label != "":
		key := rawText(p.Value)
		if strings.EqualFold(key, p.Label) {
			return key
		}
		return key + " (" + p.Label + ")"
	}
	if unit != "" {
		return p.Text + " " + unit
	}
	return p.Text
}

// qualityText says why a value is not good; "" for a good one.
func qualityText(p *gatewayclient.Point) string {
	if p.Quality == "good" || p.Quality == "" {
		return ""
	}
	text := p.Quality
	if p.Reason != "" {
		text += ": " + p.Reason
	}
	if p.Received != nil && !p.Received.IsZero() && p.HasValue() {
		text += ", value of " + p.Received.Local().Format(time.TimeOnly)
	}
	return "(" + text + ")"
}

// oneLine makes a value fit into a row of a table.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), " · ")
}

// rawText is a raw JSON value as a person reads it.
func rawText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	if len(raw) == 0 || string(raw) == "null" {
		return "-"
	}
	return string(raw)
}
