package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompare(t *testing.T) {
	before := `
devices:
  same: mill://a?poll=1s
  places: {url: mill://b, labels: {site: x}}
  faster: mill://c
  moved: mill://d
  secret: {url: mill://e, password: one-secret}
  written: mill://f?poll=1s
  gone: mill://g
`
	next := `
listen: 127.0.0.1:9
metrics: {max_series: 50}
devices:
  new: mill://n
  moved: mill://dd
  same: mill://a?poll=1s
  places: {url: mill://b, labels: {site: y, line: z}, writable: [a/*]}
  faster: {url: mill://c, poll: 20ms, names: [x]}
  secret: {url: mill://e, password: another-secret}
  written: {url: mill://f, poll: 1s}
`
	got := Compare(load(t, input(before)), load(t, input(next)))
	want := Difference{
		Gateway: []string{"listen", "metrics.max_series"},
		Devices: []DeviceDifference{
			{"new", Added, nil},
			{"moved", Restarted, []string{"url"}},
			{"same", Unchanged, nil},
			{"places", Changed, []string{"labels.line", "labels.site", "writable"}},
			{"faster", Restarted, []string{"names", "poll"}},
			{"secret", Restarted, []string{"password"}},
			{"written", Unchanged, nil},
			{"gone", Removed, nil},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(strings.Join(got.Gateway, ""), "secret") {
		t.Error("a secret is shown")
	}
}

// A reference that leads elsewhere is a change, although the file is the same.
func TestCompareFollowsReferences(t *testing.T) {
	in := input("devices: {m: {url: 'mill://${env:HOST}', password: '${env:PW}'}}")
	at := func(host, password string) *Config {
		in.Getenv = func(name string) (string, bool) { return map[string]string{"HOST": host, "PW": password}[name], true }
		return load(t, in)
	}
	for _, tt := range []struct {
		host, password string
		want           DeviceDifference
	}{
		{"a", "hunter2", DeviceDifference{"m", Unchanged, nil}},
		{"b", "hunter2", DeviceDifference{"m", Restarted, []string{"url"}}},
		{"a", "hunter3", DeviceDifference{"m", Restarted, []string{"password"}}},
	} {
		got := Compare(at("a", "hunter2"), at(tt.host, tt.password))
		if diff := cmp.Diff([]DeviceDifference{tt.want}, got.Devices); diff != "" {
			t.Errorf("%s %s: %s", tt.host, tt.password, diff)
		}
	}
}

func TestMetrics(t *testing.T) {
	for yaml, want := range map[string]int{"{}": DefaultMaxSeries, "metrics: {max_series: 7}": 7, "metrics:": DefaultMaxSeries, "metrics: {max_series: '${env:SIZE}'}": 99} {
		if got := load(t, input(yaml)).Metrics.MaxSeries; got != want {
			t.Errorf("%s: %d series, want %d", yaml, got, want)
		}
	}
	s := compile(t)
	for _, v := range []string{"0", "-1", "many", "1.5", "[1]"} {
		_, err := Load(input("metrics: {max_series: " + v + "}"))
		if err == nil || !strings.Contains(err.Error(), "max_series") {
			t.Errorf("%s: %v", v, err)
		}
	}
	for v, ok := range map[any]bool{7: true, 0: false, "many": false, 1.5: false, "${env:SIZE}": true} {
		if err := s.Validate(map[string]any{"metrics": map[string]any{"max_series": v}}); (err == nil) != ok {
			t.Errorf("schema on %v: %v", v, err)
		}
	}
	if _, err := Load(input("metrics: {max_serie: 1}")); err == nil || !strings.Contains(err.Error(), `Did you mean "max_series"?`) {
		t.Errorf("%v", err)
	}
}
