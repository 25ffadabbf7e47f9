package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/cli/gatewayclient"
)

// promtool reads what a scrape holds, and the rules and configuration that are packaged.
func TestInteropPromtool(t *testing.T) {
	promtool := peerProgram(t, "promtool")
	run := func(stdin string, args ...string) {
		t.Helper()
		cmd := exec.Command(promtool, args...)
		cmd.Stdin = strings.NewReader(stdin)
		if out, err := cmd.CombinedOutput(); err != nil || bytes.Contains(out, []byte("FAILED")) {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
	run(metricsOf(t), "check", "metrics")
	run("", "check", "config", filepath.Join("..", "..", "packaging", "prometheus", "prometheus.yml"))
	run("", "check", "rules", filepath.Join("..", "..", "packaging", "prometheus", "patchbay.rules.yml"))
}

// Prometheus scrapes a gateway: every query of the dashboard has an answer, and when a device is gone its series end at once
// while those of the link say so.
func TestInteropPrometheus(t *testing.T) {
	prometheus := peerProgram(t, "prometheus")
	dir := t.TempDir()
	shop := filepath.Join(dir, "shop.yaml")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sim, stopSim := startSim(t)
	write(shop, "devices:\n  mill1: {url: 'focas://"+sim+"', macros: [500], writable: [macros/500], labels: {line: line-1}}\n")
	base := startGateway(t, "run", shop, "--listen", "127.0.0.1:0")
	c, err := gatewayclient.New(base, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	waitState(t, ctx, c, "mill1")
	if _, err := c.Write(ctx, gatewayclient.WriteRequest{Writes: []gatewayclient.WriteItem{{Device: "mill1", Path: "macros/500", Value: 1}}, Wait: true}); err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "prometheus.yml")
	write(config, fmt.Sprintf("global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: patchbay\n    static_configs: [{targets: ['%s']}]\n", target.Host))
	api := startPrometheus(t, prometheus, config, filepath.Join(dir, "data"))

	until := func(what, query string, want func([]string) bool) {
		t.Helper()
		var got []string
		for {
			var err error
			if got, err = promQuery(ctx, api, query); err == nil && want(got) {
				return
			}
			select {
			case <-ctx.Done():
				t.Fatalf("%s: %s gives %q, %v", what, query, got, err)
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
	some := func(v []string) bool { return len(v) > 0 }
	until("the link is up", `patchbay_link_up{device="mill1",line="line-1"}`, func(v []string) bool { return len(v) == 1 && v[0] == "1" })
	until("a rate", "rate(patchbay_changes_total[20s])", some) // two scrapes at least
	for panel, queries := range readDashboard(t).queries() {
		for _, q := range queries {
			if q == "patchbay_series_left_out > 0" { // none is
				if _, err := promQuery(ctx, api, q); err != nil {
					t.Errorf("panel %s: %s: %v", panel, q, err)
				}
				continue
			}
			until("panel "+panel, q, some) // a scrape that came too late leaves a gap
		}
	}
	stopSim()
	until("the link is down", `patchbay_link_up{device="mill1"}`, func(v []string) bool { return len(v) == 1 && v[0] == "0" })
	until("its points end", `{__name__=~"patchbay_point|patchbay_point_state|patchbay_link_round_trip_seconds",device="mill1"}`, func(v []string) bool { return len(v) == 0 })
	until("the reason", `patchbay_link_error{device="mill1"}`, some)
}

// startSim serves a simulated control and returns its address and what ends it.
func startSim(t *testing.T) (addr string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	addr, done := runMain(t, ctx, "sim", "focas", "--profile", "30i", "--scenario", "shift", "--listen", "127.0.0.1:0")
	ended := false
	stop = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		if code := <-done; code != 0 {
			t.Errorf("the simulator ended with %d", code)
		}
	}
	t.Cleanup(stop)
	return addr, stop
}

// startPrometheus runs Prometheus on a free port and returns the address of its queries.
func startPrometheus(t *testing.T, program, config, data string) string {
	t.Helper()
	addr := fmt.Sprint("127.0.0.1:", freePorts(t, 1)) // Prometheus does not say which port it got
	var log bytes.Buffer
	cmd := exec.Command(program, "--config.file="+config, "--storage.tsdb.path="+data, "--web.listen-address="+addr, "--query.lookback-delta=5s")
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("Prometheus says:\n%s", log.String())
		}
	})
	return "http://" + addr + "/api/v1/query"
}

// promQuery is the values of an instant query.
func promQuery(ctx context.Context, api, query string) ([]string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, api+"?query="+url.QueryEscape(query), nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var out struct {
		Status, Error string
		Data          struct {
			Result []struct{ Value [2]any }
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		return nil, err
	}
	if out.Status != "success" {
		return nil, fmt.Errorf("%s", out.Error)
	}
	values := make([]string, len(out.Data.Result))
	for i, v := range out.Data.Result {
		values[i] = fmt.Sprint(v.Value[1])
	}
	return values, nil
}
