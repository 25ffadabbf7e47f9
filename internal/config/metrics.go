package config

import (
	"fmt"
	"strconv"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"
)

// DefaultMaxSeries is how many series of points /metrics may hold when nobody says otherwise.
const DefaultMaxSeries = 10_000

// Metrics says what /metrics holds.
type Metrics struct {
	MaxSeries int // of points, all devices together; at least 1
}

func (l *loader) metrics(n ast.Node) {
	for _, kv := range l.mapping(n, "metrics") {
		if kv.key != "max_series" {
			l.unknownKey(kv, []string{"max_series"})
			continue
		}
		l.scalar(kv.value, "metrics.max_series", func(s string) error {
			v, err := strconv.ParseUint(s, 10, 31)
			if err != nil || v == 0 {
				return fmt.Errorf("%q is no number of series; write a whole number such as %d", s, DefaultMaxSeries)
			}
			l.c.Metrics.MaxSeries = int(v)
			return nil
		})
	}
}

func metricsSchema() *jsonschema.Schema {
	s := object("what /metrics holds")
	n := &jsonschema.Schema{Type: "integer", Minimum: "1", Maximum: "2147483647", Default: DefaultMaxSeries,
		Description: "most series of points, all devices together"}
	s.Properties.Set("max_series", &jsonschema.Schema{AnyOf: []*jsonschema.Schema{n, {Type: "string", Pattern: referencePattern}}, Description: n.Description})
	return s
}
