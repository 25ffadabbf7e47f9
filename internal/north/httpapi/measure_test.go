package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/north"
)

func measures(s *Server, name string) map[string]float64 {
	out := map[string]float64{}
	s.Measures(func(m north.Measure) {
		if m.Name != name {
			return
		}
		var labels []string
		for _, l := range m.Labels {
			labels = append(labels, l.Value)
		}
		out[strings.Join(labels, " ")] = m.Value
	})
	return out
}

// Requests are counted by what they asked for, never by what a client wrote into them.
func TestRequestsAreCounted(t *testing.T) {
	d := newDoor(t, Config{})
	d.do("GET", api+"/devices", "")
	for i := range 3 {
		d.do("GET", fmt.Sprintf("%s/devices/none-%d", api, i), "")
	}
	d.do("GET", api+"/devices/mill1", "")
	d.do("BREW", "/x", "")
	d.do("GET", "/d/mill1", "")
	d.do("GET", api+"/devices", "", "Host: evil.example")
	d.do("GET", api+"/nothing", "")
	want := map[string]float64{
		"/api/v1/devices GET 200": 1, "/api/v1/devices/{device} GET 404": 3, "/api/v1/devices/{device} GET 200": 1,
		"/ other 405": 1, "/ GET 200": 1, " GET 421": 1, "/api/ GET 404": 1,
	}
	if diff := cmp.Diff(want, measures(d.s, "http_requests_total")); diff != "" {
		t.Error(diff)
	}
	if s := measures(d.s, "http_request_seconds_total"); len(s) != len(want) {
		t.Errorf("times of %d kinds of requests, want %d", len(s), len(want))
	}
}

func TestMergedChangesAndRefusedStreamsAreCounted(t *testing.T) {
	d := newDoor(t, Config{Streams: 1})
	d.s.streams.Add(1)
	if r := d.do("GET", api+"/events", ""); r.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("status %d", r.StatusCode)
	}
	if got := measures(d.s, "http_streams_refused_total")[""]; got != 1 {
		t.Errorf("%v streams refused, want 1", got)
	}
	if got := measures(d.s, "http_streams")[""]; got != 1 {
		t.Errorf("%v streams, want 1", got)
	}
}

// What is mounted passes the same checks as everything else.
func TestMount(t *testing.T) {
	d := newDoor(t, Config{Mount: map[string]http.Handler{
		"GET /metrics": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("up 1\n")) }),
	}})
	r := d.do("GET", "/metrics", "")
	if got := text(t, r); got != "up 1\n" || r.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%q with %v", got, r.Header)
	}
	if r := d.do("GET", "/metrics", "", "Host: evil.example"); r.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("another host: %d", r.StatusCode)
	}
	if got := measures(d.s, "http_requests_total")["/metrics GET 200"]; got != 1 {
		t.Errorf("%v requests counted, want 1", got)
	}
}
