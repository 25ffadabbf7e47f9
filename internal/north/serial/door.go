package serial

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// again is the pause before something that did not work is tried again.
const again = 2 * time.Second

// Door offers serial ports. Make it with [New], tell it the ports with [Door.Set], and call [Door.Run].
type Door struct {
	cfg   Config
	log   *slog.Logger
	ports *north.Offers[Port, *offer]
}

// offer is one port while it is offered.
type offer struct {
	d    *Door
	port Port
	log  *slog.Logger
}

// New makes a door; it starts nothing.
func New(cfg Config) *Door {
	d := &Door{cfg: cfg, log: cfg.Log}
	d.ports = north.NewOffers(
		func(name string, p Port) *offer { return &offer{d: d, port: p, log: d.log.With("port", name)} },
		func(ctx context.Context, o *offer) { o.run(ctx) })
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if d.cfg.Listen == nil {
		d.cfg.Listen = north.Listen
	}
	return d
}

// Set makes ports what is offered. Ports that stay the same keep their clients.
func (d *Door) Set(ports []Port) {
	next := map[string]Port{}
	for _, p := range ports {
		next[p.name()] = p
	}
	d.ports.Set(next)
}

// Run offers the ports until ctx ends, and returns nil when nothing of it is left. It may be called again then.
func (d *Door) Run(ctx context.Context) error {
	d.ports.Run(ctx)
	return nil
}

// run offers one port in all its ways.
func (o *offer) run(ctx context.Context) {
	var wg sync.WaitGroup
	way := func(name string, serve func(context.Context) error) {
		wg.Go(func() {
			said := ""
			for ctx.Err() == nil {
				err := serve(ctx)
				if ctx.Err() != nil {
					return
				}
				if err != nil && err.Error() != said {
					said = err.Error()
					o.log.Error("the serial port is not offered", "as", name, "error", err, "hint", driver.HintOf(err), "again", again.String())
				}
				pause(ctx, again)
			}
		})
	}
	p := &o.port
	if p.RFC2217 != "" {
		way("rfc2217", func(ctx context.Context) error { return o.listen(ctx, "rfc2217", p.RFC2217, o.serveRFC2217) })
	}
	if p.Raw != "" {
		way("raw", func(ctx context.Context) error { return o.listen(ctx, "raw", p.Raw, o.serveRaw) })
	}
	if p.PTY != "" {
		way("pty", o.servePTY)
	}
	if p.Log != "" {
		way("log", o.serveLog)
	}
	wg.Wait()
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// options are those by which a client of this port attaches.
func (o *offer) options(own bool) north.StreamOptions {
	p := &o.port
	return north.StreamOptions{Own: own, Hold: p.Observe, Take: own && p.KickOld, Granted: true, Keep: p.Keep, Retake: p.Retake, Line: p.Line, Coalesce: p.Coalesce}
}

// attach opens the stream for a client: as its owner, or to read along when somebody owns it and that is allowed.
func (o *offer) attach(ctx context.Context, who driver.Who, others bool) (s north.Stream, own bool, err error) {
	p := &o.port
	if !p.Observe {
		s, err = o.d.cfg.Streams.OpenStream(ctx, who, p.Device, p.Path, o.options(true))
		if err == nil || driver.ClassOf(err) != driver.Busy || !others {
			return s, true, err
		}
	}
	s, err = o.d.cfg.Streams.OpenStream(ctx, who, p.Device, p.Path, o.options(false))
	return s, false, err
}

// reason is what a client is told, in a line, when it cannot have the port.
func reason(err error) string {
	text := fmt.Sprintf("patchbay: %v", err)
	if hint := driver.HintOf(err); hint != "" {
		text += " (" + hint + ")"
	}
	return text + "\r\n"
}

// ended makes nil of errors that only say that somebody went away.
func ended(err error) error {
	if errors.Is(err, net.ErrClosed) || errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
