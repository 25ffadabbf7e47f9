package prom

import (
	"bytes"
	"flag"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/north"
	"github.com/patchbay-io/patchbay/internal/north/northtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "write the golden file anew")

// plant is a tree whose devices are configured with labels.
type plant struct {
	*device.Tree
	list []north.Device
}

func (p *plant) Devices() []north.Device { return p.list }

func (p *plant) Device(name string) (north.Device, bool) {
	for _, d := range p.list {
		if d.Name == name {
			return d, true
		}
	}
	return north.Device{}, false
}

func newPlant(names ...string) *plant {
	p := &plant{Tree: device.NewTree()}
	for _, n := range names {
		p.list = append(p.list, north.Device{Name: n, Driver: "toy"})
	}
	return p
}

func scrapeOf(t testing.TB, e *Exporter, accept string) string {
	t.Helper()
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	if w.Code != 200 {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func exporter(t testing.TB, cfg Config, p *plant) *Exporter {
	t.Helper()
	e, err := New(cfg, p, p)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// lines of text that start with a metric of ours, or with one of the names.
func lines(text string, names ...string) []string {
	var out []string
	for l := range strings.Lines(text) {
		for _, n := range names {
			if strings.HasPrefix(l, n+"{") || strings.HasPrefix(l, n+" ") {
				out = append(out, strings.TrimSuffix(l, "\n"))
			}
		}
	}
	return out
}

type counts []north.Measure

func (c counts) Measures(yield func(north.Measure)) {
	for _, m := range c {
		yield(m)
	}
}

// The same devices look right through this door as through every other.
func TestGolden(t *testing.T) {
	gw := northtest.New()
	e, err := New(Config{Version: "v0-test", Revision: "abc", Measured: []north.Measured{counts{
		{Name: "writes_total", Help: "Writes", Counter: true, Labels: []north.MeasureLabel{{Key: "device", Value: "mill1"}}, Value: 3},
		{Name: "subscribers", Help: "Readers", Value: 2},
	}}}, gw.Tree, gw)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for l := range strings.Lines(scrapeOf(t, e, "")) {
		if strings.Contains(l, prefix) {
			b.WriteString(l)
		}
	}
	got := regexp.MustCompile(`goversion="[^"]*"`).ReplaceAllString(b.String(), `goversion="go"`)
	file := filepath.Join("testdata", "northtest.prom")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got, see -update:\n%s", diff)
	}
}

func TestASeriesEndsWhenItsPointIsNotGood(t *testing.T) {
	p := newPlant("m")
	p.Apply("m", &device.Delta{
		Labels: []device.LabelSet{{ID: "run", Items: []device.Label{{Value: 0, Key: "READY"}, {Value: 1, Key: "ACTIVE"}, {Value: 2, Key: "ACTIVE"}}},
			{ID: "link", Items: []device.Label{{Value: 1, Key: "up"}, {Value: 3, Key: "down"}}}},
		Specs: []device.Spec{{Path: "speed", Kind: device.Int, Unit: "rpm", Role: "cnc.spindle.speed"}, {Path: "run", Kind: device.Enum, Labels: "run"},
			{Path: "on", Kind: device.Bool}, {Path: "macro", Kind: device.Float}, {Path: "name", Kind: device.String},
			{Path: "_link/state", Kind: device.Enum, Labels: "link"}, {Path: "_link/round-trip", Kind: device.Float, Unit: "ms"},
			{Path: "_link/blocks", Kind: device.Float}, {Path: "_link/error-class", Kind: device.String}},
		Samples: []device.Sample{{Path: "speed", Value: device.OfInt(1200)}, {Path: "run", Value: device.OfEnum(1)}, {Path: "on", Value: device.OfBool(true)},
			{Path: "macro", Value: device.OfFloat(math.NaN())}, {Path: "name", Value: device.OfString("x")}, {Path: "_link/state", Value: device.OfEnum(1)},
			{Path: "_link/round-trip", Value: device.OfFloat(1.5)}, {Path: "_link/blocks", Value: device.OfFloat(7)}, {Path: "_link/error-class", Value: device.OfString("")}},
	})
	e := exporter(t, Config{}, p)
	names := []string{"patchbay_point", "patchbay_point_state", "patchbay_link_up", "patchbay_link_round_trip_seconds", "patchbay_link_error"}
	want := []string{
		`patchbay_link_round_trip_seconds{device="m"} 0.0015`,
		`patchbay_link_up{device="m"} 1`,
		`patchbay_point{device="m",path="_link/blocks"} 7`,
		`patchbay_point{device="m",path="on"} 1`,
		`patchbay_point{device="m",path="speed",role="cnc.spindle.speed",unit="rpm"} 1200`,
		`patchbay_point_state{device="m",path="run",state="READY"} 0`,
		`patchbay_point_state{device="m",path="run",state="ACTIVE"} 1`,
	}
	if diff := cmp.Diff(want, lines(scrapeOf(t, e, ""), names...)); diff != "" {
		t.Errorf("up:\n%s", diff)
	}
	p.MarkBad("m", device.ReasonLinkDown)
	p.Apply("m", &device.Delta{Samples: []device.Sample{{Path: "_link/state", Value: device.OfEnum(3)}, {Path: "_link/error-class", Value: device.OfString("timeout")}}})
	want = []string{`patchbay_link_error{device="m",class="timeout"} 1`, `patchbay_link_up{device="m"} 0`}
	if diff := cmp.Diff(want, lines(scrapeOf(t, e, ""), names...)); diff != "" {
		t.Errorf("down:\n%s", diff)
	}
	p.Apply("m", &device.Delta{Samples: []device.Sample{{Path: "run", Value: device.OfEnum(2)}, {Path: "on", Value: device.OfBool(true), Quality: device.Uncertain}}})
	want = []string{`patchbay_point_state{device="m",path="run",state="READY"} 0`, `patchbay_point_state{device="m",path="run",state="ACTIVE"} 1`}
	if diff := cmp.Diff(want, lines(scrapeOf(t, e, ""), "patchbay_point", "patchbay_point_state")); diff != "" {
		t.Errorf("two labels of one key, and an uncertain value:\n%s", diff)
	}
	p.Remove("m")
	p.list = nil
	if got := lines(scrapeOf(t, e, ""), append(names, "patchbay_device_info")...); got != nil {
		t.Errorf("a device that is gone leaves %q", got)
	}
}

// What the configuration and the devices say cannot break the format.
func TestLabelsAreAlwaysValid(t *testing.T) {
	p := newPlant("a", "b")
	p.list[0].Labels = map[string]string{"site": "Ulm \"2\"\n\\", "path": "clash", "Bad-Key": "x", "__x": "y"}
	for _, dev := range []string{"a", "b"} {
		p.Apply(dev, &device.Delta{
			Labels:  []device.LabelSet{{ID: "l", Items: []device.Label{{Value: 0, Key: "a\xff"}}}},
			Specs:   []device.Spec{{Path: "e", Kind: device.Enum, Labels: "l"}, {Path: "t", Kind: device.Float, Unit: "°C"}},
			Samples: []device.Sample{{Path: "e", Value: device.OfEnum(0)}, {Path: "t", Value: device.OfFloat(math.Inf(-1))}},
		})
	}
	want := []string{
		`patchbay_point{device="a",path="t",unit="°C",site="Ulm \"2\"\n\\"} -Inf`,
		`patchbay_point{device="b",path="t",unit="°C"} -Inf`,
		"patchbay_point_state{device=\"a\",path=\"e\",state=\"a\uFFFD\",site=\"Ulm \\\"2\\\"\\n\\\\\"} 1",
		"patchbay_point_state{device=\"b\",path=\"e\",state=\"a\uFFFD\"} 1",
	}
	if diff := cmp.Diff(want, lines(scrapeOf(t, exporter(t, Config{}, p), ""), "patchbay_point", "patchbay_point_state")); diff != "" {
		t.Error(diff)
	}
}

func TestOpenMetrics(t *testing.T) {
	p := newPlant("m")
	p.Apply("m", &device.Delta{Specs: []device.Spec{{Path: "_link/attempts", Kind: device.Int}}, Samples: []device.Sample{{Path: "_link/attempts", Value: device.OfInt(4)}}})
	got := scrapeOf(t, exporter(t, Config{}, p), "application/openmetrics-text;version=1.0.0")
	for _, want := range []string{"# TYPE patchbay_link_attempts counter\n", "patchbay_link_attempts_total{device=\"m\"} 4.0\n", "# EOF\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}

// fill gives a device n plain points and m with a role.
func fill(p *plant, dev string, n, m int) {
	d := device.Delta{}
	for i := range n + m {
		s := device.Spec{Path: device.Path(fmt.Sprintf("p/%05d", i)), Kind: device.Float, Unit: "mm"}
		if i >= n {
			s.Role = "cnc.position.absolute"
		}
		d.Specs = append(d.Specs, s)
		d.Samples = append(d.Samples, device.Sample{Path: s.Path, Value: device.OfFloat(float64(i) / 7)})
	}
	p.Apply(dev, &d)
}

func TestLimit(t *testing.T) {
	p := newPlant("big", "mid", "small")
	fill(p, "big", 30, 5)
	fill(p, "mid", 12, 0)
	fill(p, "small", 3, 0)
	var log bytes.Buffer
	e := exporter(t, Config{MaxSeries: 25, Log: slog.New(slog.NewTextHandler(&log, nil))}, p)
	first := scrapeOf(t, e, "")
	count := func(text, dev string) int { return strings.Count(text, `patchbay_point{device="`+dev+`"`) }
	if b, m, s := count(first, "big"), count(first, "mid"), count(first, "small"); b != 11 || m != 11 || s != 3 {
		t.Errorf("%d, %d and %d series; a small device needs 3, the others share 22", b, m, s)
	}
	if n := strings.Count(first, `role="cnc.position.absolute"`); n != 5 {
		t.Errorf("%d points with a role, want all 5", n)
	}
	want := []string{`patchbay_series_left_out{device="big"} 24`, `patchbay_series_left_out{device="mid"} 1`, `patchbay_series_left_out{device="small"} 0`, `patchbay_series_limit 25`}
	if diff := cmp.Diff(want, lines(first, "patchbay_series_left_out", "patchbay_series_limit")); diff != "" {
		t.Error(diff)
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 2 || !strings.Contains(log.String(), "device=big series=24 max_series=25") || !strings.Contains(log.String(), "metrics.max_series") {
		t.Errorf("the log says\n%s", log.String())
	}
	// the choice does not follow the values
	p.Apply("big", &device.Delta{Samples: []device.Sample{{Path: "p/00000", Quality: device.Bad, Reason: device.ReasonStale}}})
	second := scrapeOf(t, e, "")
	if n := count(second, "big"); n != 10 {
		t.Errorf("%d series after one turned bad, want 10 and none in its place", n)
	}
	if n := strings.Count(log.String(), "\n"); n != 2 {
		t.Errorf("it is logged again:\n%s", log.String())
	}
	p.Remove("big")
	fill(p, "big", 1, 0)
	scrapeOf(t, e, "")
	if n := strings.Count(log.String(), "all points of a device again"); n != 2 {
		t.Errorf("the end is not logged:\n%s", log.String())
	}
}

func TestAnEnumCountsWithAllItsStates(t *testing.T) {
	p := newPlant("m")
	labels := device.LabelSet{ID: "many"}
	for i := range 8 {
		labels.Items = append(labels.Items, device.Label{Value: int64(i), Key: fmt.Sprint("s", i)})
	}
	p.Apply("m", &device.Delta{Labels: []device.LabelSet{labels},
		Specs:   []device.Spec{{Path: "a", Kind: device.Enum, Labels: "many"}, {Path: "b", Kind: device.Int}, {Path: "c", Kind: device.Int}},
		Samples: []device.Sample{{Path: "a", Value: device.OfEnum(1)}, {Path: "b", Value: device.OfInt(1)}, {Path: "c", Value: device.OfInt(1)}}})
	got := scrapeOf(t, exporter(t, Config{MaxSeries: 7}, p), "")
	if a, b := len(lines(got, "patchbay_point_state")), len(lines(got, "patchbay_point")); a != 0 || b != 2 {
		t.Errorf("%d states and %d numbers fit into 7 series; want 0 and 2", a, b)
	}
	if l := lines(got, "patchbay_series_left_out"); len(l) != 1 || !strings.HasSuffix(l[0], " 8") {
		t.Errorf("left out: %q", l)
	}
}

func TestBadConfig(t *testing.T) {
	if _, err := New(Config{MaxSeries: -1}, newPlant(), newPlant()); err == nil || !strings.Contains(err.Error(), "max_series") {
		t.Errorf("got %v", err)
	}
}

// Scrapes at the same time do not share memory.
func TestScrapesAtTheSameTime(t *testing.T) {
	p := newPlant("m")
	fill(p, "m", 200, 10)
	e := exporter(t, Config{}, p)
	want := strings.Join(lines(scrapeOf(t, e, ""), "patchbay_point"), "\n")
	var wg sync.WaitGroup
	for range scrapes {
		wg.Go(func() {
			for range 20 {
				if got := strings.Join(lines(scrapeOf(t, e, ""), "patchbay_point"), "\n"); got != want {
					t.Error("a scrape got something else")
					return
				}
			}
		})
	}
	wg.Wait()
}

// sinkWriter takes an answer without keeping it.
type sinkWriter struct{ header http.Header }

func (w *sinkWriter) Header() http.Header         { return w.header }
func (w *sinkWriter) Write(b []byte) (int, error) { return len(b), nil }
func (w *sinkWriter) WriteHeader(int)             {}

func BenchmarkScrape(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := newPlant()
			for i := range 10 {
				name := fmt.Sprintf("mill%d", i)
				p.list = append(p.list, north.Device{Name: name, Labels: map[string]string{"site": "plant-2", "line": "line-4"}})
				fill(p, name, n/20, n/20)
			}
			e := exporter(b, Config{}, p)
			size := len(scrapeOf(b, e, ""))
			r := httptest.NewRequest("GET", "/metrics", nil)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				e.ServeHTTP(&sinkWriter{header: http.Header{}}, r)
			}
		})
	}
}

// The memory of a scrape does not grow from one to the next.
func TestMemoryIsUsedAgain(t *testing.T) {
	p := newPlant("m")
	fill(p, "m", 3*seriesPerBlock, 0)
	e := exporter(t, Config{}, p)
	s := newScrape()
	e.pool.New = func() any { return s }
	for range 5 {
		_, done, err := e.Gather()
		if err != nil {
			t.Fatal(err)
		}
		done()
	}
	if len(s.series) > 4 {
		t.Errorf("%d blocks of series after five scrapes of three blocks and a little", len(s.series))
	}
}
