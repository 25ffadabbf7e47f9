package prom

import (
	"math"
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/north"
)

// Gather reads everything as it is now. What it returns may be used until done is called.
func (e *Exporter) Gather() (_ []*dto.MetricFamily, done func(), err error) {
	s, _ := e.pool.Get().(*scrape)
	done = func() {
		s.reset()
		e.pool.Put(s)
	}
	devices := e.devices.Devices()
	points, _ := e.tree.Points(device.Filter{})
	s.describe(devices)
	s.info(devices)
	e.left(s, devices, points)
	s.links(points)
	s.points(points)
	for _, m := range e.cfg.Measured {
		m.Measures(s.measure)
	}
	for _, f := range s.used {
		if len(f.Metric) > 0 {
			s.out = append(s.out, &f.MetricFamily)
		}
	}
	own, err := e.runtime.Gather()
	s.out = append(s.out, own...)
	slices.SortFunc(s.out, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	return s.out, done, err
}

// The types that families point to; they never change.
var (
	gauge   = dto.MetricType_GAUGE
	counter = dto.MetricType_COUNTER
)

// info says what each device is.
func (s *scrape) info(devices []north.Device) {
	f := s.family("device_info", "A configured device with its labels; the value is always 1", &gauge)
	for _, d := range devices {
		x := s.add(f, 1)
		l := s.of(d.Name)
		x.label(l.name)
		s.word(x, "driver", d.Driver)
		s.word(x, "simulated", strconv.FormatBool(d.Simulated))
		x.label(l.more...)
	}
}

// left decides which points have series, and says what is left out.
func (e *Exporter) left(s *scrape, devices []north.Device, points []device.Point) {
	out := s.limit(points, e.cfg.MaxSeries)
	f := s.family("series_left_out", "Series of points that are left out because there would be more than patchbay_series_limit", &gauge)
	for _, d := range devices {
		x := s.add(f, float64(out[d.Name]))
		x.label(s.of(d.Name).name)
	}
	s.add(s.family("series_limit", "The most series that points may have", &gauge), float64(e.cfg.MaxSeries))

	e.mu.Lock()
	defer e.mu.Unlock()
	for _, d := range devices {
		switch n := out[d.Name]; {
		case n == e.leftOut[d.Name]:
		case n > 0:
			e.cfg.Log.Warn("metrics leave out points of a device; raise metrics.max_series, or configure fewer points", "device", d.Name,
				"series", n, "max_series", e.cfg.MaxSeries)
		default:
			e.cfg.Log.Info("metrics hold all points of a device again", "device", d.Name)
		}
	}
	e.leftOut = out
}

// points makes the series of the points that are kept and good.
func (s *scrape) points(points []device.Point) {
	numbers := s.family("point", "Value of a numeric point in its own unit; a bool is 0 or 1", &gauge)
	states := s.family("point_state", "1 for the state that a point is in, 0 for its others", &gauge)
	for i := range points {
		p := &points[i]
		v := p.Sample.Value
		if !s.keep[i] || p.Sample.Quality != device.Good || v.IsZero() {
			continue
		}
		d := s.of(p.Device)
		if !d.live && p.Spec.Path.Under(device.LinkRoot) {
			continue // about a connection that is no more
		}
		if v.Kind == device.Enum {
			s.stateSet(states, d, p)
			continue
		}
		n := v.Float()
		if math.IsNaN(n) {
			continue // the device says that it is no number
		}
		x := s.add(numbers, n)
		x.label(d.name)
		x.point(p.Spec.Path)
		s.word(x, "role", p.Spec.Role)
		s.word(x, "unit", p.Spec.Unit)
		x.label(d.more...)
	}
}

// stateSet makes one series for each label of an enum, and one more when its value has no label.
func (s *scrape) stateSet(f *family, d *deviceLabels, p *device.Point) {
	l, labelled := p.Labels.ByValue(p.Sample.Value.Int())
	key := valid(l.Key)
	one := func(state *dto.LabelPair, value float64) {
		x := s.add(f, value)
		x.label(d.name)
		x.point(p.Spec.Path)
		x.label(state)
		s.word(x, "role", p.Spec.Role)
		x.label(d.more...)
	}
	for _, state := range s.states(p.Labels) {
		value := 0.0
		if labelled && state.GetValue() == key {
			value = 1
		}
		one(state, value)
	}
	if !labelled {
		one(s.pair("state", strconv.FormatInt(p.Sample.Value.Int(), 10)), 1)
	}
}

// measure makes a series of what a part of the program counts.
func (s *scrape) measure(m north.Measure) {
	t := &gauge
	if m.Counter {
		t = &counter
	}
	x := s.add(s.family(m.Name, m.Help, t), m.Value)
	for _, l := range m.Labels {
		s.word(x, l.Key, l.Value)
	}
}
