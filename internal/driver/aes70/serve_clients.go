package aes70

import (
	"context"
	"errors"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
)

// client is one connection of a controller.
type client struct {
	conn     *ocaserver.Conn
	since    time.Time
	reported serving.Refusals[device.Path]
}

// Close implements serving.Client.
func (cl *client) Close() error { return cl.conn.Close() }

// Points implements serving.Client.
func (cl *client) Points() []serving.Point {
	c := cl.conn
	return []serving.Point{
		{Name: "address", Kind: device.String, Title: "Controller", Doc: "address of the controller", Value: serving.Text(c.RemoteAddr().String())},
		{Name: "since", Kind: device.String, Title: "Since", Doc: "time of its connection, RFC 3339", Value: serving.Moment(cl.since)},
		{Name: "requests", Kind: device.Int, Title: "Commands", Doc: "commands that it has sent", Value: serving.Count(c.Commands)},
		{Name: "refused", Kind: device.Int, Title: "Refused", Doc: "commands of it that were not carried out", Value: serving.Count(c.Refused)},
		{Name: "events", Kind: device.Int, Title: "Events", Doc: "events that were sent to it", Value: serving.Count(c.Events)},
		{Name: "merged", Kind: device.Int, Title: "Merged events", Doc: "events that it missed, since a newer value of the same property came before it had read them",
			Value: serving.Count(c.Merged)},
	}
}

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
	err := p.clients.Add(c.ID(), &client{conn: c, since: time.Now()}, true)
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
