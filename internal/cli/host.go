package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/patchbay-io/patchbay/internal/config"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/gateway"
	"github.com/patchbay-io/patchbay/internal/lab/simulate"
	"github.com/patchbay-io/patchbay/internal/mdns"
	"github.com/patchbay-io/patchbay/internal/north"
	"github.com/patchbay-io/patchbay/internal/north/aes70"
	"github.com/patchbay-io/patchbay/internal/north/httpapi"
	"github.com/patchbay-io/patchbay/internal/north/prom"
	"github.com/patchbay-io/patchbay/internal/north/serial"
	"github.com/patchbay-io/patchbay/internal/obs"
	"github.com/patchbay-io/patchbay/internal/obs/notify"
	"github.com/patchbay-io/patchbay/web"
)

// summariseEvery is how often a failure that repeats is logged again.
const summariseEvery = 10 * time.Minute

// host is a gateway with its simulators and its HTTP door, in this process.
type host struct {
	gateway     *gateway.Gateway
	door        *httpapi.Server
	log         *slog.Logger
	writableAll bool
	manager     *notify.Manager
	security    *security
	serialDoor  *serial.Door
	aes70Door   *aes70.Door
	responder   *mdns.Responder // of multicast DNS

	load    func() (*config.Config, error) // nil: there is nothing to read again
	current *config.Config                 // in force; run's alone once it runs
	reloads chan reloadRequest
	stopped chan struct{} // closed when no more reloads are taken

	mu   sync.Mutex
	sims map[string]*simulation // by device

	serial        config.Serial // guarded by mu
	serialChanged chan struct{}

	start func(*simulation) // set while running

	keys driver.KeyStore // of real devices
}

// simulation is the far end of one sim+ device.
type simulation struct {
	*simulate.Local
	keys        memoryKeys // a simulated device forgets at its end, and so does whoever it has approved
	fingerprint string
	stop        context.CancelFunc
}

// hostOptions say how a host differs from what configuration says.
type hostOptions struct {
	listener    net.Listener // of the door; nil: as configured
	writableAll bool         // every point of simulated devices may be written
	log         *slog.Logger
	load        func() (*config.Config, error) // reads the configuration again; nil: it cannot be
	manager     *notify.Manager                // nil: none
	env         Env                            // of the program; nil: empty
	notice      io.Writer                      // for what a person must see once; nil: nobody is there
	secrets     *obs.Secrets                   // what no text may show; nil: there are none
}

// newHost puts a gateway together; nothing runs or listens yet.
func newHost(c *config.Config, o hostOptions) (*host, error) {
	h := &host{log: o.log, writableAll: o.writableAll, manager: o.manager, load: o.load, current: c, reloads: make(chan reloadRequest), stopped: make(chan struct{}),
		sims: map[string]*simulation{}, serialChanged: make(chan struct{}, 1), keys: keyStore(o.env)}
	sec, err := secure(c, &o)
	if err != nil {
		return nil, err
	}
	h.security = sec
	if err := h.assemble(c, &o); err != nil {
		return nil, errors.Join(err, sec.audit.Close())
	}
	return h, nil
}

// assemble makes the gateway and its doors.
func (h *host) assemble(c *config.Config, o *hostOptions) error {
	if o.secrets == nil {
		o.secrets = new(obs.Secrets)
	}
	h.gateway = gateway.New(gateway.Options{Log: o.log, Env: h.environment, Access: h.security.access, Audit: h.security.audit,
		Scrub: o.secrets.ScrubString, ServeEnv: func(_ gateway.DeviceConfig, env *driver.ServeEnv) { env.Announce, env.TLS = h.announce, h.security.tls }})
	h.responder = newResponder(o.log)
	h.aes70Door = h.newAES70Door()
	if err := h.apply(c); err != nil {
		return err
	}
	build := obs.BuildInfo()
	metrics, err := prom.New(prom.Config{MaxSeries: c.Metrics.MaxSeries, Version: build.Version, Revision: build.Revision,
		Measured: []north.Measured{h}, Log: o.log}, h.gateway.Tree(), h.gateway)
	if err != nil {
		return err
	}
	mount := map[string]http.Handler{"GET /metrics": metrics}
	if h.writableAll { // the screens of simulated devices, for the person who looks at the demo
		mount["GET /simulated/"], mount["POST /simulated/"] = http.HandlerFunc(h.screen), http.HandlerFunc(h.screen)
	}
	door, err := httpapi.New(httpapi.Config{
		Listen: c.Listen, Listener: o.listener, Hosts: h.security.hosts, Version: build.Version, Log: o.log,
		Mount: mount, Reloader: h, Prober: doorProber{prober(false)}, Ports: h.gateway,
		Access: h.security.access, Audit: h.security.audit, TLS: h.security.tls, Insecure: c.Insecure,
	}, h.gateway.Tree(), h.gateway, h.gateway, web.FS())
	if err != nil {
		return err
	}
	h.door = door
	h.serialDoor = h.newSerialDoor(c)
	return nil
}

// apply hands the devices of a configuration to the gateway. A device whose section is as before is left alone, its
// simulator too. It is called before run, and then by run alone.
func (h *host) apply(c *config.Config) error {
	sims := map[string]*simulation{}
	devices := make([]gateway.DeviceConfig, 0, len(c.Devices))
	for _, d := range c.Devices {
		dc := gateway.DeviceConfig{
			Name: d.Name, Driver: d.Driver, Target: d.Target, Display: d.Display, Labels: d.Labels, Writable: d.Writable,
			Section: d.Fingerprint, Serve: d.Serve, ServeSection: d.ServeFingerprint,
		}
		if d.Twin != "" {
			sim := h.sims[d.Name]
			if sim == nil || sim.fingerprint != d.Fingerprint {
				local, err := simulate.NewLocal(d.Driver.Info().Name, d.TwinArg)
				if err != nil {
					return &failure{code: exitConfig, kind: "config", err: fmt.Errorf("%s (%s): %w", d.Name, d.Display, err)}
				}
				sim = &simulation{Local: local, fingerprint: d.Fingerprint}
				for name, key := range local.Keys() {
					if err := sim.keys.Store(name, key); err != nil {
						return err
					}
				}
			}
			sims[d.Name] = sim
			target := *d.Target.URL
			target.Host = sim.Host()
			dc.Target.URL = &target
			dc.Simulated, dc.WritableAll = true, h.writableAll
		}
		devices = append(devices, dc)
	}
	h.mu.Lock()
	before := h.sims
	h.sims, h.serial = sims, c.Serial
	h.mu.Unlock()
	select {
	case h.serialChanged <- struct{}{}:
	default:
	}
	for name, s := range sims {
		if before[name] != s && h.start != nil {
			h.start(s)
		}
	}
	err := h.gateway.SetDevices(devices)
	if err == nil {
		err = h.security.access.Set(c.Access)
	}
	if err == nil {
		h.aes70Door.Set(facesOf(c))
	}
	for name, s := range before {
		if sims[name] != s && s.stop != nil {
			s.stop()
		}
	}
	return err
}

// screens names the simulated devices that have a page, when it is served.
func (h *host) screens() []string {
	if !h.writableAll {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var names []string
	for name, sim := range h.sims {
		if sim.Page() != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// screen is the page of a simulated device that has one: /simulated/NAME/.
func (h *host) screen(w http.ResponseWriter, r *http.Request) {
	name, _, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/simulated/"), "/")
	h.mu.Lock()
	sim := h.sims[name]
	h.mu.Unlock()
	if !ok || sim == nil || sim.Page() == nil {
		http.NotFound(w, r)
		return
	}
	http.StripPrefix("/simulated/"+name, sim.Page()).ServeHTTP(w, r)
}

// environment is the outside world of one session: the network, or the device's own simulator.
func (h *host) environment(d gateway.DeviceConfig) driver.Env {
	env := driver.Env{
		Dial:         new(net.Dialer).DialContext,
		ListenPacket: listenPacket,
		Rand:         rand.Reader,
		Keys:         h.keys,
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if sim := h.sims[d.Name]; sim != nil {
		env.Dial, env.ListenPacket, env.Keys = sim.Dial, sim.ListenPacket, &sim.keys
	}
	return env
}

// Measures are what the parts of the host count about themselves.
func (h *host) Measures(yield func(north.Measure)) {
	h.gateway.Measures(yield)
	h.door.Measures(yield)
	h.aes70Door.Measures(yield)
}

// status is one line for the service manager.
func (h *host) status() string {
	return fmt.Sprintf("%d devices, page at %s", len(h.current.Devices), h.door.Addr())
}

// alive returns when the gateway, its links and the tree answer.
func (h *host) alive() {
	h.gateway.Devices()
	h.gateway.Tree().Stats()
}

// tell logs that the service manager cannot be told something.
func (h *host) tell(err error) {
	if err != nil {
		h.log.Warn("service manager", "error", err)
	}
}

// run runs everything until ctx ends or one part fails; then nothing of it is left. At each signal from hangup, which may be
// nil, the configuration is read again.
func (h *host) run(ctx context.Context, hangup <-chan os.Signal) error {
	stopAudit := h.security.keep() // ends after everything that adds to it
	g, inner := errgroup.WithContext(ctx)
	h.start = func(s *simulation) {
		var sctx context.Context
		sctx, s.stop = context.WithCancel(inner)
		g.Go(func() error { return s.Run(sctx) })
	}
	for _, s := range h.sims {
		h.start(s)
	}
	g.Go(func() error { return h.gateway.Run(inner) })
	g.Go(func() error { return h.door.Run(inner) })
	g.Go(func() error { return h.serialDoor.Run(inner) })
	g.Go(func() error { return h.aes70Door.Run(inner) })
	g.Go(func() error { return h.responder.Run(inner) })
	g.Go(func() error { h.followPorts(inner); return nil })
	h.tell(h.manager.Ready(h.status()))
	g.Go(func() error {
		h.serveReloads(inner, hangup)
		h.tell(h.manager.Stopping())
		return nil
	})
	g.Go(func() error {
		h.tell(h.manager.Watch(inner, h.alive))
		return nil
	})
	err := g.Wait()
	for _, s := range h.sims {
		s.stop()
	}
	if e := stopAudit(); err == nil {
		err = e
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
