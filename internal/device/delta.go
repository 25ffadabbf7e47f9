package device

import (
	"maps"
	"slices"
)

// Delta is a set of changes to one device that is applied as a whole, in the order of the fields.
type Delta struct {
	Full     bool            // what is not named here is gone
	Keep     func(Path) bool // points that Full and Gone leave alone; nil: none
	Gone     []Path          // subtrees that no longer exist
	Labels   []LabelSet
	Specs    []Spec    // new or changed points
	Commands []Command // nil: unchanged, or none when Full
	Streams  []Path    // nil: unchanged, or none when Full
	Samples  []Sample
}

// Applied counts what became of a Delta.
type Applied struct {
	Changed    int // points that got a new sequence number
	Suppressed int // samples that said what was known already
	Unknown    int // samples for a path without spec; dropped
	Invalid    int // samples of another kind than their spec; the point turned bad
}

func (s *Spec) equal(o *Spec) bool {
	return s.Path == o.Path && s.Kind == o.Kind && s.Rate == o.Rate && s.Access == o.Access && s.Unit == o.Unit &&
		s.Min == o.Min && s.Max == o.Max && s.Step == o.Step && s.Decimals == o.Decimals && s.Labels == o.Labels &&
		s.Confirm == o.Confirm && s.Title == o.Title && s.Doc == o.Doc && s.Role == o.Role && s.Hazard == o.Hazard &&
		s.Grade == o.Grade && s.Secret == o.Secret && maps.Equal(s.Attributes, o.Attributes) &&
		slices.EqualFunc(s.Columns, o.Columns, func(a, b Spec) bool { return a.equal(&b) })
}

func (s *Spec) clone() *Spec {
	c := *s
	c.Columns = slices.Clone(s.Columns)
	c.Attributes = maps.Clone(s.Attributes)
	return &c
}

func (l *LabelSet) equal(o *LabelSet) bool { return l.ID == o.ID && slices.Equal(l.Items, o.Items) }

func (l *LabelSet) clone() *LabelSet { return &LabelSet{ID: l.ID, Items: slices.Clone(l.Items)} }
