package cli

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/cli/gatewayclient"
	"github.com/patchbay-io/patchbay/internal/device"
)

// dashboard is what the tests look at of the Grafana dashboard of the guide.
type dashboard struct {
	UID        string
	Templating struct {
		List []struct{ Name, Type, Definition string }
	}
	Panels []struct {
		ID      int
		Type    string
		Title   string
		GridPos struct{ X, Y, W, H int }
		Targets []struct{ Expr, RefID string }
	}
}

// queries are the expressions of the dashboard with its variables filled in, by panel.
func (d *dashboard) queries() map[string][]string {
	fill := strings.NewReplacer("$device", ".*", "$line", ".*", "$job", ".*", "$__rate_interval", "20s")
	out := map[string][]string{}
	for _, p := range d.Panels {
		for _, t := range p.Targets {
			out[p.Title] = append(out[p.Title], fill.Replace(t.Expr))
		}
	}
	return out
}

func readDashboard(t *testing.T) *dashboard {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "guide", "grafana-dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

// metricsOf runs a gateway with everything that has metrics and returns what a scrape of it holds.
func metricsOf(t *testing.T) string {
	t.Helper()
	base := startGateway(t, "run", "mill1=sim+focas:?profile=30i&macros=500&timeout=1m", "--listen", "127.0.0.1:0")
	c, err := gatewayclient.New(base, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	waitState(t, ctx, c, "mill1")
	if _, err := c.Write(ctx, gatewayclient.WriteRequest{Writes: []gatewayclient.WriteItem{{Device: "mill1", Path: "macros/500", Value: 1}}, Wait: true}); err == nil {
		t.Fatal("a write is not refused")
	}
	return scrapeText(t, base, "")
}

func scrapeText(t *testing.T, base, accept string) string {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, base+"metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d: %s %v", resp.StatusCode, b, err)
	}
	return string(b)
}

var (
	metricName  = regexp.MustCompile(`\b(?:patchbay|go|process)_[a-z0-9_]+`)
	roleMatcher = regexp.MustCompile(`role="([^"]+)"`)
)

// The dashboard, the alert rules and the guide speak only of metrics and roles that exist.
func TestOnlyKnownMetricsAreUsed(t *testing.T) {
	text := metricsOf(t)
	known := map[string]bool{}
	for l := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(l, "# TYPE "); ok {
			name, _, _ = strings.Cut(name, " ")
			known[name] = true
		}
	}
	// what shows only in some states
	for _, name := range []string{"patchbay_link_error", "patchbay_point", "process_open_fds", "process_resident_memory_bytes", "process_cpu_seconds_total",
		"patchbay_aes70_controllers", "patchbay_aes70_changes_total", "patchbay_aes70_refused_total"} {
		known[name] = true
	}
	used := 0
	check := func(place, text string) {
		for _, name := range metricName.FindAllString(text, -1) {
			used++
			if !known[name] {
				t.Errorf("%s uses %s, which does not exist", place, name)
			}
		}
		for _, m := range roleMatcher.FindAllStringSubmatch(text, -1) {
			if _, ok := device.RoleOf(m[1]); !ok {
				t.Errorf("%s uses the role %s, which does not exist", place, m[1])
			}
		}
	}
	for title, exprs := range readDashboard(t).queries() {
		check("panel "+title, strings.Join(exprs, "\n"))
	}
	for _, file := range []string{"packaging/prometheus/patchbay.rules.yml", "docs/guide/prometheus.md"} {
		b, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		check(file, string(b))
	}
	if used < 40 {
		t.Errorf("only %d uses were found; the test looks at nothing", used)
	}
	// and the guide lists every metric there is
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "guide", "prometheus.md"))
	if err != nil {
		t.Fatal(err)
	}
	for name := range known {
		if strings.HasPrefix(name, "patchbay_") && !strings.Contains(string(guide), "`"+name+"`") {
			t.Errorf("docs/guide/prometheus.md does not list %s", name)
		}
	}
}

func TestDashboardIsWellFormed(t *testing.T) {
	d := readDashboard(t)
	if d.UID == "" || len(d.Panels) < 10 {
		t.Fatalf("uid %q with %d panels", d.UID, len(d.Panels))
	}
	ids := map[int]bool{}
	cells := map[[2]int]string{}
	for _, p := range d.Panels {
		if ids[p.ID] {
			t.Errorf("two panels have the id %d", p.ID)
		}
		ids[p.ID] = true
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %s shows nothing", p.Title)
		}
		g := p.GridPos
		if g.X < 0 || g.X+g.W > 24 || g.W < 1 || g.H < 1 {
			t.Errorf("panel %s does not fit the width: %+v", p.Title, g)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other := cells[[2]int{x, y}]; other != "" {
					t.Fatalf("panels %s and %s overlap", other, p.Title)
				}
				cells[[2]int{x, y}] = p.Title
			}
		}
	}
	variables := map[string]bool{"__rate_interval": true}
	for _, v := range d.Templating.List {
		variables[v.Name] = true
	}
	for _, p := range d.Panels {
		for _, q := range p.Targets {
			for _, m := range regexp.MustCompile(`\$([a-z_]+)`).FindAllStringSubmatch(q.Expr, -1) {
				if !variables[m[1]] {
					t.Errorf("panel %s uses $%s, which is not defined", p.Title, m[1])
				}
			}
		}
	}
}
