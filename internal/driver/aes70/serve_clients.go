package aes70

import (
	"context"
	"errors"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/internal/oca"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
)

// serverPoints are the points of the server itself.
func (p *proxy) serverPoints() []serving.Point {
	return []serving.Point{
		{Name: "listen", Kind: device.String, Title: "Listens on", Doc: "addresses that AES70 controllers connect to", Value: serving.Text(p.listens)},
		{Name: "forwarded", Kind: device.Int, Title: "Forwarded", Doc: "changes that went to the device", Value: serving.Count(p.forwarded.Load)},
		{Name: "refused", Kind: device.Int, Title: "Refused", Doc: "changes that were not let through", Value: serving.Count(p.refused.Load)},
	}
}

// connected lets a controller in.
func (p *proxy) connected(c *ocaserver.Conn) error {
	addr := c.RemoteAddr().String()
	switch {
	case p.upstream.Load() == nil:
		return errNoUpstream
	case !p.opts.From.Admit(addr):
		p.env.Log.Warn("refused a controller: serve.from does not hold its address", "client", addr)
		return errForeign
	}
	err := p.clients.Add(c.ID(), oca.NewClient(c), true)
	if errors.Is(err, serving.ErrFull) {
		p.env.Log.Warn("refused a controller: as many as serve.max_clients are connected", "client", addr, "max_clients", p.opts.MaxClients)
	}
	return err
}

// closed forgets a controller.
func (p *proxy) closed(c *ocaserver.Conn) { p.clients.Remove(c.ID()) }

// metersEvery is how soon a meter moves that a controller has subscribed to.
const metersEvery = 250 * time.Millisecond

// watchMeters looks which meters controllers want, until ctx ends.
func (p *proxy) watchMeters(ctx context.Context) {
	tick := time.NewTicker(metersEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if up := p.upstream.Load(); up != nil {
				up.serve(p.mirror.Watched())
			}
		}
	}
}
