package prom

import (
	"maps"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/north"
)

// prefix stands before every metric of this program.
const prefix = "patchbay_"

// scrape is the memory of one answer. It is used again, so that a scrape of ten thousand points leaves no garbage.
type scrape struct {
	families map[string]*family // by name
	used     []*family
	out      []*dto.MetricFamily
	series   [][]series // blocks, so that series do not move
	n        int        // series in use
	words    map[word]*dto.LabelPair
	sets     map[*device.LabelSet][]*dto.LabelPair
	keep     []bool // of the points
	devices  map[string]*deviceLabels
}

// word is a label that many series share.
type word struct{ key, value string }

type family struct {
	dto.MetricFamily
	inUse bool
}

// series is a metric with room for what its pointers lead to.
type series struct {
	metric dto.Metric
	value  float64
	gauge  dto.Gauge
	count  dto.Counter
	labels [12]*dto.LabelPair
	path   dto.LabelPair
	text   string // of path
}

// deviceLabels are the labels of all series of one device.
type deviceLabels struct {
	name *dto.LabelPair
	more []*dto.LabelPair // as configured: site, line, …
	live bool             // there is a connection
}

const (
	seriesPerBlock = 512
	maxWords       = 4096 // names of states, units and roles that are kept between scrapes
)

func newScrape() *scrape {
	return &scrape{families: map[string]*family{}, words: map[word]*dto.LabelPair{}, sets: map[*device.LabelSet][]*dto.LabelPair{},
		devices: map[string]*deviceLabels{}}
}

// reset makes the memory free for the next answer.
func (s *scrape) reset() {
	for _, f := range s.used {
		f.Metric, f.inUse = f.Metric[:0], false
	}
	s.used, s.out, s.n = s.used[:0], s.out[:0], 0
	clear(s.sets)
	clear(s.devices)
	if len(s.words) > maxWords {
		clear(s.words)
	}
}

// family starts, or goes on with, the metric of a name.
func (s *scrape) family(name, help string, t *dto.MetricType) *family {
	f := s.families[name]
	if f == nil {
		full := prefix + name
		f = &family{}
		f.Name, f.Help = &full, &help
		s.families[name] = f
	}
	if !f.inUse {
		f.inUse, f.Type = true, t
		s.used = append(s.used, f)
	}
	return f
}

// add gives f one more series without labels.
func (s *scrape) add(f *family, value float64) *series {
	if s.n == len(s.series)*seriesPerBlock {
		s.series = append(s.series, make([]series, seriesPerBlock))
	}
	x := &s.series[s.n/seriesPerBlock][s.n%seriesPerBlock]
	s.n++
	x.value = value
	x.metric.Gauge, x.metric.Counter = nil, nil
	if *f.Type == dto.MetricType_COUNTER {
		x.count.Value = &x.value
		x.metric.Counter = &x.count
	} else {
		x.gauge.Value = &x.value
		x.metric.Gauge = &x.gauge
	}
	x.metric.Label = x.labels[:0]
	f.Metric = append(f.Metric, &x.metric)
	return x
}

func (x *series) label(pairs ...*dto.LabelPair) { x.metric.Label = append(x.metric.Label, pairs...) }

// point labels x with the path of a point, which no other series of the family has.
func (x *series) point(p device.Path) {
	x.text = string(p)
	x.path.Name, x.path.Value = &pathName, &x.text
	x.label(&x.path)
}

const pathLabel = "path"

// pathName is what the label's name points to; it never changes.
var pathName = pathLabel

// word is a label that many series share. An empty value is no label.
func (s *scrape) word(x *series, key, value string) {
	if value != "" {
		x.label(s.pair(key, value))
	}
}

func (s *scrape) pair(key, value string) *dto.LabelPair {
	id := word{key, value}
	p := s.words[id]
	if p == nil {
		p = newPair(key, valid(value))
		s.words[id] = p
	}
	return p
}

func newPair(key, value string) *dto.LabelPair { return &dto.LabelPair{Name: &key, Value: &value} }

// valid is a value that the format can hold.
func valid(value string) string { return strings.ToValidUTF8(value, "\uFFFD") }

// states are the keys of a label set, each once.
func (s *scrape) states(l *device.LabelSet) []*dto.LabelPair {
	pairs, known := s.sets[l]
	if known || l == nil {
		return pairs
	}
	seen := make(map[string]bool, len(l.Items))
	for _, it := range l.Items {
		if key := valid(it.Key); !seen[key] {
			seen[key] = true
			pairs = append(pairs, s.pair("state", key))
		}
	}
	s.sets[l] = pairs
	return pairs
}

// describe prepares the labels that all series of a device carry. Every device has the same keys.
func (s *scrape) describe(list []north.Device) {
	keys := map[string]bool{}
	for i := range list {
		for k := range list[i].Labels {
			keys[k] = labelName(k)
		}
	}
	maps.DeleteFunc(keys, func(_ string, usable bool) bool { return !usable })
	order := slices.Sorted(maps.Keys(keys))
	for i := range list {
		d := &deviceLabels{name: s.pair("device", list[i].Name)}
		for _, k := range order {
			if v := list[i].Labels[k]; v != "" {
				d.more = append(d.more, s.pair(k, v))
			}
		}
		s.devices[list[i].Name] = d
	}
}

// of are the labels of a device; one that just left the configuration has its name alone.
func (s *scrape) of(dev string) *deviceLabels {
	d := s.devices[dev]
	if d == nil {
		d = &deviceLabels{name: s.pair("device", dev)}
		s.devices[dev] = d
	}
	return d
}

// labelName reports whether a label of the configuration can be one of a series.
func labelName(k string) bool {
	switch k {
	case "", "device", pathLabel, "state", "unit", "role", "driver", "simulated":
		return false
	}
	for i := range len(k) {
		c := k[i]
		if c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9' || i == 0) {
			return false
		}
	}
	return !strings.HasPrefix(k, "__")
}
