package focas

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasserver"
)

// client is one connection of a FOCAS program.
type client struct {
	conn  *focasserver.Conn
	up    *session // the control that it was opened on
	addr  string
	since time.Time

	frame frame // used by the connection alone

	requests, refused, bytes atomic.Uint64

	reported serving.Refusals[string] // by call
}

func (cl *client) who() driver.Who { return driver.Who{Door: "focas", Addr: cl.addr} }

// Close implements serving.Client.
func (cl *client) Close() error { return cl.conn.Close() }

// Points implements serving.Client.
func (cl *client) Points() []serving.Point {
	return []serving.Point{
		{Name: "address", Kind: device.String, Title: "Client", Doc: "address of the program", Value: serving.Text(cl.addr)},
		{Name: "since", Kind: device.String, Title: "Since", Doc: "time of its connection, RFC 3339", Value: serving.Moment(cl.since)},
		{Name: "channel", Kind: device.Int, Title: "Channel", Doc: "2 for data, 1 for transfers; a program may hold one of each",
			Value: func(time.Time) device.Value { return device.OfInt(int64(cl.conn.Channel())) }},
		{Name: "requests-per-second", Kind: device.Float, Title: "Requests per second", Doc: "data frames that it sends", Value: rate(cl.since, cl.requests.Load)},
		{Name: "requests", Kind: device.Int, Title: "Requests", Doc: "data frames that it has sent", Value: serving.Count(cl.requests.Load)},
		{Name: "refused", Kind: device.Int, Title: "Refused", Doc: "requests of it that were not let through", Value: serving.Count(cl.refused.Load)},
		{Name: "bytes", Kind: device.Int, Title: "Bytes", Doc: "bytes of its data frames and of the answers", Value: serving.Count(cl.bytes.Load)},
	}
}

// rate is the value of what a counter gains in a second, since it was asked for last.
func rate(since time.Time, count func() uint64) func(time.Time) device.Value {
	var before uint64
	return func(now time.Time) device.Value {
		n, passed := count(), now.Sub(since)
		if passed <= 0 {
			return device.OfFloat(0)
		}
		v := device.OfFloat(float64(n-before) / passed.Seconds())
		before, since = n, now
		return v
	}
}

// serverPoints are the points of the server itself.
func (p *proxy) serverPoints() []serving.Point {
	return []serving.Point{
		{Name: "listen", Kind: device.String, Title: "Listens on", Doc: "address that FOCAS programs connect to", Value: serving.Text(p.listen)},
		{Name: "forwarded", Kind: device.Int, Title: "Forwarded", Doc: "requests that went to the control", Value: serving.Count(p.forwarded.Load)},
		{Name: "saved", Kind: device.Int, Title: "Saved", Doc: "requests that were answered with what another program had just asked", Value: serving.Count(p.saved.Load)},
		{Name: "refused", Kind: device.Int, Title: "Refused", Doc: "requests that were not let through", Value: serving.Count(p.refusals.Load)},
	}
}

func (p *proxy) client(c *focasserver.Conn) *client {
	cl, _ := p.clients.Get(c.ID())
	return cl
}

var (
	errNoControl = errors.New("there is no connection to the control now")
	errForeign   = errors.New("the address may not connect")
)

// Open answers the first frame of a client with what the control said to us.
func (p *proxy) Open(_ context.Context, c *focasserver.Conn) (focas.OpenReply, error) {
	up := p.upstream.Load()
	if up == nil {
		return focas.OpenReply{}, errNoControl
	}
	addr := c.RemoteAddr().String()
	if !p.opts.From.Admit(addr) {
		p.env.Log.Warn("refused a FOCAS program: serve.from does not hold its address", "client", addr)
		return focas.OpenReply{}, errForeign
	}
	err := p.clients.Add(c.ID(), &client{conn: c, up: up, addr: addr, since: time.Now()}, c.Channel() != focas.ChannelTransfer)
	if err != nil {
		p.env.Log.Warn("refused a FOCAS program: as many as serve.max_clients are connected", "client", addr, "max_clients", p.opts.MaxClients)
		return focas.OpenReply{}, err
	}
	return up.client.OpenReply(), nil
}

// Closed forgets a client.
func (p *proxy) Closed(c *focasserver.Conn) { p.clients.Remove(c.ID()) }
