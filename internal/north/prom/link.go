package prom

import (
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
)

// linkMetric is a point below _link/ that has a metric of its own.
type linkMetric struct {
	path       device.Path
	name, help string
	counter    bool
	live       bool // the driver says it, so it is worth nothing once the link is down
	form       linkForm
}

type linkForm uint8

const (
	number linkForm = iota
	moment          // RFC 3339 text; empty: never
	state           // of the link
	class           // of the error
)

// linkMetrics lists them. What a driver adds beyond is an ordinary point.
var linkMetrics = [...]linkMetric{
	{path: "_link/state", form: state},
	{path: "_link/error-class", name: "link_error", help: "1 for the class of the error for which a link is not up", form: class},
	{path: "_link/since", name: "link_since_timestamp_seconds", help: "Time of the last change of the state of the link", form: moment},
	{path: "_link/last-data", name: "link_last_data_timestamp_seconds", help: "Time of the last data from the device", form: moment},
	{path: "_link/attempts", name: "link_attempts_total", help: "Attempts to connect to the device", counter: true},
	{path: "_link/connects", name: "link_connects_total", help: "Times the link came up", counter: true},
	{path: "_link/changes", name: "link_changes_total", help: "Changes of points of the device", counter: true},
	{path: "_link/suppressed", name: "link_unchanged_samples_total", help: "Samples that said what was known already", counter: true},
	{path: "_link/decode-failures", name: "link_decode_failures_total", help: "Values and whole replies from the device that made no sense", counter: true},
	{path: "_link/unknown", name: "link_unknown_messages_total", help: "Things the device said about points it does not have", counter: true},
	{path: "_link/frames", name: "link_frames_total", help: "Frames sent to the device over this connection", counter: true, live: true},
	{path: "_link/bytes-sent", name: "link_sent_bytes_total", help: "Bytes sent to the device over this connection", counter: true, live: true},
	{path: "_link/bytes-received", name: "link_received_bytes_total", help: "Bytes received from the device over this connection", counter: true, live: true},
	{path: "_link/round-trip", name: "link_round_trip_seconds", help: "Time from the last request to its whole reply", live: true},
	{path: "_link/round-trip-mean", name: "link_round_trip_mean_seconds", help: "Mean round trip over this connection", live: true},
	{path: "_link/round-trip-max", name: "link_round_trip_max_seconds", help: "Longest round trip over this connection", live: true},
}

func linkMetricOf(p device.Path) *linkMetric {
	if !p.Under(device.LinkRoot) {
		return nil
	}
	for i := range linkMetrics {
		if linkMetrics[i].path == p {
			return &linkMetrics[i]
		}
	}
	return nil
}

// links makes the metrics of the links.
func (s *scrape) links(points []device.Point) {
	up := s.family("link_up", "1 while the connection to the device is up", &gauge)
	states := s.family("link_state", "1 for the state that the link of a device is in, 0 for the others", &gauge)
	for i := range points {
		p := &points[i]
		if p.Spec.Path != "_link/state" || p.Sample.Value.Kind != device.Enum {
			continue
		}
		l, _ := p.Labels.ByValue(p.Sample.Value.Int())
		d := s.of(p.Device)
		value := 0.0
		if l.Key == "up" {
			value = 1
		}
		d.live = l.Key == "up" || l.Key == "waiting"
		x := s.add(up, value)
		x.label(d.name)
		x.label(d.more...)
		for _, st := range s.states(p.Labels) {
			value := 0.0
			if st.GetValue() == l.Key {
				value = 1
			}
			s.add(states, value).label(d.name, st)
		}
	}
	for i := range points {
		p := &points[i]
		m := linkMetricOf(p.Spec.Path)
		if m == nil || m.form == state || m.live && !s.of(p.Device).live || p.Sample.Quality != device.Good || p.Sample.Value.IsZero() {
			continue
		}
		s.linkValue(m, p)
	}
}

func (s *scrape) linkValue(m *linkMetric, p *device.Point) {
	v := p.Sample.Value
	value := v.Float()
	switch {
	case m.form == class:
		if v.Str() == "" {
			return
		}
		value = 1
	case m.form == moment:
		at, err := time.Parse(time.RFC3339, v.Str())
		if err != nil {
			return
		}
		value = float64(at.UnixMilli()) / 1000
	case !v.Numeric():
		return
	case p.Spec.Unit == "ms":
		value /= 1000
	case p.Spec.Unit == "µs":
		value /= 1e6
	}
	t := &gauge
	if m.counter {
		t = &counter
	}
	x := s.add(s.family(m.name, m.help, t), value)
	x.label(s.of(p.Device).name)
	if m.form == class {
		x.label(s.pair("class", v.Str()))
	}
}
