package prom

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/patchbay-io/patchbay/internal/north"
)

// DefaultMaxSeries is how many series points may have when the configuration does not say.
const DefaultMaxSeries = 10_000

// scrapes is how many requests are answered at the same time; more are told to come back.
const scrapes = 4

// Config is what the exporter needs besides the tree.
type Config struct {
	// MaxSeries bounds the series of points, all devices together; 0: [DefaultMaxSeries]. Series of links and of the program
	// itself come on top; there is a fixed number for each device.
	MaxSeries         int
	Version, Revision string           // of the program
	Measured          []north.Measured // parts that count what they do
	Log               *slog.Logger     // nil: no logging
}

// Exporter answers scrapes. It is safe for concurrent use.
type Exporter struct {
	cfg     Config
	tree    north.Tree
	devices north.Devices
	runtime *prometheus.Registry
	handler http.Handler
	pool    sync.Pool // of *scrape

	mu      sync.Mutex
	leftOut map[string]int // series, by device, as of the last scrape
}

// New makes an exporter over tree and devices. It starts nothing.
func New(cfg Config, tree north.Tree, devices north.Devices) (*Exporter, error) {
	if cfg.MaxSeries < 0 {
		return nil, fmt.Errorf("metrics: max_series: %d series make no sense; leave it out for %d", cfg.MaxSeries, DefaultMaxSeries)
	}
	if cfg.MaxSeries == 0 {
		cfg.MaxSeries = DefaultMaxSeries
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	e := &Exporter{cfg: cfg, tree: tree, devices: devices, runtime: prometheus.NewRegistry(), leftOut: map[string]int{}}
	e.pool.New = func() any { return newScrape() }
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "patchbay_build_info", Help: "Which build this is; the value is always 1",
		ConstLabels: prometheus.Labels{"version": cfg.Version, "revision": cfg.Revision, "goversion": runtime.Version()},
	})
	build.Set(1)
	for _, c := range []prometheus.Collector{build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})} {
		if err := e.runtime.Register(c); err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
	}
	e.handler = promhttp.HandlerForTransactional(e, promhttp.HandlerOpts{
		ErrorLog: errorLog{cfg.Log}, EnableOpenMetrics: true, MaxRequestsInFlight: scrapes,
	})
	return e, nil
}

// ServeHTTP answers one scrape, in the text format or in that of OpenMetrics, as the client asks.
func (e *Exporter) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.handler.ServeHTTP(w, r) }

type errorLog struct{ log *slog.Logger }

// Println takes what promhttp has to say: a client that went away, or metrics that contradict each other.
func (l errorLog) Println(v ...any) { l.log.Warn("metrics", "error", fmt.Sprint(v...)) }
