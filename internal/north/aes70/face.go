package aes70

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/internal/oca"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
)

// again is the pause before a listener that failed is opened again.
const again = 5 * time.Second

// face is one device as controllers see it.
type face struct {
	door   *Door
	name   string
	opts   *oca.Options
	log    *slog.Logger
	mirror *oca.Mirror
	server *ocaserver.Server

	carried, refused atomic.Uint64
	clients          *oca.Clients
	commands         func(driver.Commander) // takes what performs those of the clients; nil: they are not shown

	mu    sync.Mutex
	seqs  map[device.Path]uint64 // of the newest value of each point that the mirror has
	at    map[string]string      // where controllers connect now, by way
	fails map[string]string      // why they cannot
}

func (d *Door) newFace(name string, opts *oca.Options) *face {
	f := &face{door: d, name: name, opts: opts, log: d.log.With("device", name, "door", Name),
		seqs: map[device.Path]uint64{}, at: map[string]string{}, fails: map[string]string{}}
	f.mirror = oca.NewMirror(name, f.write)
	f.server = ocaserver.New(f.mirror.Device, ocaserver.Options{MaxConns: 2 * opts.MaxClients, Connected: f.connected, Closed: f.closed})
	o := serving.Options{Device: name, Prefix: Name + "-", Server: f.points(), Max: opts.MaxClients}
	if d.cfg.Clients != nil {
		o.Sink, f.commands = d.cfg.Clients(name)
	}
	f.clients = oca.NewClients(o)
	return f
}

// run serves until ctx ends.
func (f *face) run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { f.follow(ctx) })
	wg.Go(func() { f.followMeters(ctx) })
	wg.Go(func() { f.clients.Run(ctx) })
	f.showClients()
	defer f.hideClients()
	for _, w := range f.opts.Ways(f.server, f.door.cfg.TLS) {
		wg.Go(func() { f.listen(ctx, &w) })
	}
	wg.Wait()
}

// listen serves one way to connect for as long as ctx lives. What fails is said once, and tried again.
func (f *face) listen(ctx context.Context, w *oca.Way) {
	said := ""
	for {
		ln, err := f.door.cfg.Listen(ctx, "tcp", w.Addr)
		hint := "another program may use the address: choose another one with serve.aes70." + w.Key
		if err == nil {
			f.now(w, ln.Addr().String(), nil)
			f.log.Info("AES70 controllers may connect", "over", w.Name, "address", ln.Addr().String())
			err, hint = f.announced(ctx, w, ln), ""
		}
		if ctx.Err() != nil {
			return
		}
		f.now(w, "", err)
		if err != nil && err.Error() != said {
			said = err.Error()
			f.log.Error("AES70 controllers cannot connect", "over", w.Name, "address", w.Addr, "error", err, "again", again, "hint", hint)
		}
		pause := time.NewTimer(again)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
}

// announced serves a listener, and tells the local network for that time when it shall know.
func (f *face) announced(ctx context.Context, w *oca.Way, ln net.Listener) error {
	tell := f.door.cfg.Announce
	if !f.opts.Announce || tell == nil || !oca.Reached(ln.Addr().String()) {
		return w.Serve(ctx, ln)
	}
	a := w.Announcement(f.name, ln.Addr())
	told, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := tell(told, a); err != nil {
			f.log.Error("the local network is not told of the device", "error", err)
		}
	})
	err := w.Serve(ctx, ln)
	cancel()
	wg.Wait()
	return err
}

var (
	errNothing = errors.New("the device has not said yet what it has")
	errForeign = errors.New("the address may not connect")
)

// connected lets a controller in.
func (f *face) connected(c *ocaserver.Conn) error {
	addr := c.RemoteAddr().String()
	switch {
	case !f.opts.From.Admit(addr):
		f.log.Warn("refused a controller: serve.aes70.from does not hold its address", "client", addr)
		return errForeign
	case f.mirror.Len() == 0:
		f.log.Debug("refused a controller", "client", addr, "error", errNothing)
		return errNothing
	}
	if err := f.clients.Add(c.ID(), oca.NewClient(c), true); err != nil {
		f.log.Warn("refused a controller: as many as serve.aes70.max_clients are connected", "client", addr, "max_clients", f.opts.MaxClients)
		return err
	}
	f.log.Info("AES70 controller", "client", addr)
	return nil
}

// closed forgets a controller.
func (f *face) closed(c *ocaserver.Conn) {
	cl, ok := f.clients.Get(c.ID())
	if !ok {
		return
	}
	f.clients.Remove(c.ID())
	f.log.Info("AES70 controller gone", "client", c.RemoteAddr().String(), "since", cl.Since, "commands", c.Commands(), "refused", c.Refused(),
		"events", c.Events(), "merged", c.Merged())
}

// first reports whether a refusal is the first of its kind.
func (f *face) first(c *ocaserver.Conn, p device.Path) bool {
	cl, ok := f.clients.Get(c.ID())
	return ok && cl.First(p)
}

func who(c *ocaserver.Conn) driver.Who { return driver.Who{Door: Name, Addr: c.RemoteAddr().String()} }
