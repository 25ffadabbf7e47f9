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

	mu      sync.Mutex
	seqs    map[device.Path]uint64 // of the newest value of each point that the mirror has
	clients map[*ocaserver.Conn]*client
}

// client is one controller.
type client struct {
	since    time.Time
	reported serving.Refusals[device.Path] // what is in the log
}

func (d *Door) newFace(name string, opts *oca.Options) *face {
	f := &face{door: d, name: name, opts: opts, log: d.log.With("device", name, "door", Name),
		seqs: map[device.Path]uint64{}, clients: map[*ocaserver.Conn]*client{}}
	f.mirror = oca.NewMirror(name, f.write)
	f.server = ocaserver.New(f.mirror.Device, ocaserver.Options{MaxConns: 2 * opts.MaxClients, Connected: f.connected, Closed: f.closed})
	return f
}

// run serves until ctx ends.
func (f *face) run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { f.follow(ctx) })
	wg.Go(func() { f.followMeters(ctx) })
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
			f.log.Info("AES70 controllers may connect", "over", w.Name, "address", ln.Addr().String())
			err, hint = f.announced(ctx, w, ln), ""
		}
		if ctx.Err() != nil {
			return
		}
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
	errFull    = errors.New("too many controllers")
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
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.clients) >= f.opts.MaxClients {
		f.log.Warn("refused a controller: as many as serve.aes70.max_clients are connected", "client", addr, "max_clients", f.opts.MaxClients)
		return errFull
	}
	f.clients[c] = &client{since: time.Now()}
	f.log.Info("AES70 controller", "client", addr)
	return nil
}

// closed forgets a controller.
func (f *face) closed(c *ocaserver.Conn) {
	f.mu.Lock()
	cl := f.clients[c]
	delete(f.clients, c)
	f.mu.Unlock()
	if cl != nil {
		f.log.Info("AES70 controller gone", "client", c.RemoteAddr().String(), "since", cl.since, "commands", c.Commands(), "refused", c.Refused(),
			"events", c.Events(), "merged", c.Merged())
	}
}

func (f *face) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.clients)
}

// first reports whether a refusal is the first of its kind.
func (f *face) first(c *ocaserver.Conn, p device.Path) bool {
	f.mu.Lock()
	cl := f.clients[c]
	f.mu.Unlock()
	return cl != nil && cl.reported.First(p)
}

func who(c *ocaserver.Conn) driver.Who { return driver.Who{Door: Name, Addr: c.RemoteAddr().String()} }
