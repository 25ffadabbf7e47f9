package gateway

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/access"
	"github.com/patchbay-io/patchbay/internal/audit"
	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// Options are what a gateway needs from outside.
type Options struct {
	// Log gets the life of the links and one audit line for each write. Nil: no log.
	Log *slog.Logger
	// Env makes the outside world of one session of a device; it is called for each attempt to open one. Its Log may be
	// nil: then it is the gateway's with the device's name. Nil: an Env without network, for drivers that need none.
	Env func(DeviceConfig) driver.Env
	// Access knows who may write what, besides what the device's own configuration allows. Nil: everybody may.
	Access *access.Access
	// Audit gets an entry for each end of a write or command and for what native servers do. Nil: none.
	Audit *audit.Log
	// Scrub takes secrets out of a text that readers of the tree and the log of writes get to see, such as the cause of an
	// error. Nil: texts stay as they are.
	Scrub func(string) string
	// ServeEnv changes the outside world of a device's native server before it starts. Nil: the network of this machine.
	ServeEnv func(DeviceConfig, *driver.ServeEnv)
}

// Gateway owns the sessions of a set of devices. All methods are safe for concurrent use. It implements north.Devices and
// north.Writes.
type Gateway struct {
	opt  Options
	log  *slog.Logger
	tree *device.Tree
	book *book

	mu      sync.Mutex
	links   map[string]*link
	order   []string
	changed chan struct{} // closed and replaced when the devices are others
	running bool
	start   func(*link) // while running
}

var (
	_ north.Devices = (*Gateway)(nil)
	_ north.Writes  = (*Gateway)(nil)
	_ north.Tree    = (*device.Tree)(nil)
)

// New makes a gateway without devices. It starts nothing.
func New(opt Options) *Gateway {
	g := &Gateway{opt: opt, log: opt.Log, tree: device.NewTree(), links: make(map[string]*link), changed: make(chan struct{})}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	if g.opt.Scrub == nil {
		g.opt.Scrub = func(text string) string { return text }
	}
	g.book = newBook(g.tree.Epoch(), g.log, opt.Audit, g.opt.Scrub)
	return g
}

// Tree is what all devices say. It lives as long as the gateway and may be read before Run and after it.
func (g *Gateway) Tree() *device.Tree { return g.tree }

// Run holds the links until ctx ends, then closes them all and returns nil. It may be called again after it returned.
func (g *Gateway) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	g.mu.Lock()
	if g.running {
		g.mu.Unlock()
		return errRunning
	}
	g.running = true
	g.start = func(l *link) { wg.Go(func() { l.run(ctx) }) }
	for _, name := range g.order {
		g.start(g.links[name])
	}
	g.mu.Unlock()

	g.publish(ctx)

	g.mu.Lock()
	g.running, g.start = false, nil
	g.mu.Unlock()
	cancel()
	wg.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	for name, l := range g.links { // ready for another Run
		cfg := l.config()
		g.links[name] = newLink(g, cfg, nil)
	}
	return nil
}

// publish brings the counters of all links into the tree once a second, until ctx ends.
func (g *Gateway) publish(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		g.mu.Lock()
		links := make([]*link, 0, len(g.links))
		for _, l := range g.links {
			links = append(links, l)
		}
		g.mu.Unlock()
		for _, l := range links {
			l.publishCounters()
		}
	}
}

// SetDevices makes devices the set of devices, before Run or while it runs. Devices whose Section stays the same keep
// their session. New and changed ones are started, and those that are not named are closed and leave the tree. It
// returns without waiting for any device. The error names what is wrong with the list, and nothing has changed then.
func (g *Gateway) SetDevices(devices []DeviceConfig) error {
	if err := check(devices); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	defer func() {
		close(g.changed)
		g.changed = make(chan struct{})
	}()
	names := make(map[string]bool, len(devices))
	for _, d := range devices {
		names[d.Name] = true
	}
	for _, name := range g.order {
		if !names[name] {
			g.links[name].retire()
			delete(g.links, name)
			g.tree.Remove(name)
		}
	}
	g.book.countFor(names)
	g.order = g.order[:0:0]
	for _, d := range devices {
		g.order = append(g.order, d.Name)
		old := g.links[d.Name]
		if old != nil {
			before := old.config()
			if before.Section == d.Section && before.sameMachine(&d) {
				old.setConfig(d)
				continue
			}
			old.retire()
			if before.sameMachine(&d) {
				g.tree.MarkBad(d.Name, device.ReasonLinkDown)
			} else {
				g.tree.Remove(d.Name)
			}
		}
		l := newLink(g, d, old)
		g.links[d.Name] = l
		l.describe()
		if g.running {
			g.start(l)
		}
	}
	return nil
}

// Devices lists the devices in the order in which they were set.
func (g *Gateway) Devices() []north.Device {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make([]north.Device, len(g.order))
	for i, name := range g.order {
		cfg := g.links[name].config()
		out[i] = cfg.north()
	}
	return out
}

// Device finds one device by its name.
func (g *Gateway) Device(name string) (north.Device, bool) {
	l := g.link(name)
	if l == nil {
		return north.Device{}, false
	}
	cfg := l.config()
	return cfg.north(), true
}

func (g *Gateway) link(name string) *link {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.links[name]
}

func (g *Gateway) names() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.order)
}
