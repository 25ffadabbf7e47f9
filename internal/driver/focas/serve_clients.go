package focas

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasserver"
)

// clientsRoot is the subtree of a device in which its server's clients are points.
const clientsRoot = device.ClientsRoot

// client is one connection of a FOCAS program.
type client struct {
	conn  *focasserver.Conn
	up    *session // the control that it was opened on
	addr  string
	since time.Time

	frame frame // used by the connection alone

	requests, refused, bytes atomic.Uint64

	mu       sync.Mutex
	reported map[string]bool // refusals that have been reported

	lastRequests uint64 // at the last publication; used by it alone
}

func (cl *client) who() driver.Who { return driver.Who{Door: "focas", Addr: cl.addr} }

// maxReported bounds how many different refusals of one client are reported.
const maxReported = 64

func (cl *client) firstRefusal(call string) bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if cl.reported[call] || len(cl.reported) >= maxReported {
		return false
	}
	if cl.reported == nil {
		cl.reported = map[string]bool{}
	}
	cl.reported[call] = true
	return true
}

func (p *proxy) client(c *focasserver.Conn) *client {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.clients[c.ID()]
}

var (
	errNoControl = errors.New("there is no connection to the control now")
	errForeign   = errors.New("the address may not connect")
	errFull      = errors.New("too many programs")
)

// Open answers the first frame of a client with what the control said to us.
func (p *proxy) Open(_ context.Context, c *focasserver.Conn) (focas.OpenReply, error) {
	up := p.upstream.Load()
	if up == nil {
		return focas.OpenReply{}, errNoControl
	}
	addr := c.RemoteAddr().String()
	if a, err := netip.ParseAddrPort(addr); len(p.opts.From) > 0 && (err != nil || !p.opts.From.Contains(a.Addr())) {
		p.env.Log.Warn("refused a FOCAS program: serve.from does not hold its address", "client", addr)
		return focas.OpenReply{}, errForeign
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.Channel() != focas.ChannelTransfer {
		if p.programs >= p.opts.MaxClients {
			p.env.Log.Warn("refused a FOCAS program: as many as serve.max_clients are connected", "client", addr, "max_clients", p.opts.MaxClients)
			return focas.OpenReply{}, errFull
		}
		p.programs++
	}
	cl := &client{conn: c, up: up, addr: addr, since: time.Now()}
	p.clients[c.ID()] = cl
	p.tell(&driver.Change{Specs: clientSpecs(c.ID()), Commands: p.commands(), Samples: append(cl.samples(cl.since, 0), p.counts(cl.since)...)})
	return up.client.OpenReply(), nil
}

// Closed forgets a client.
func (p *proxy) Closed(c *focasserver.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.clients[c.ID()] == nil {
		return
	}
	delete(p.clients, c.ID())
	if c.Channel() != focas.ChannelTransfer {
		p.programs--
	}
	p.tell(&driver.Change{Gone: []device.Path{clientPath(c.ID())}, Commands: p.commands(), Samples: p.counts(time.Now())})
}

func (p *proxy) tell(c *driver.Change) {
	if p.env.Sink != nil {
		p.env.Sink.Apply(c)
	}
}

func clientPath(id uint64) device.Path { return clientsRoot.Child(strconv.FormatUint(id, 10)) }

// commands are the disconnects of all clients; the lock is held.
func (p *proxy) commands() []device.Command {
	out := make([]device.Command, 0, len(p.clients))
	for _, id := range slices.Sorted(maps.Keys(p.clients)) {
		out = append(out, device.Command{Path: clientPath(id).Child("disconnect"), Title: "Disconnect",
			Doc: "ends the connection of this program; it may connect again", Grade: device.GradeSpec})
	}
	return out
}

// Do performs _clients/ID/disconnect.
func (p *proxy) Do(_ context.Context, path device.Path, _ []device.Value) (device.Value, driver.Outcome) {
	word, ok := strings.CutPrefix(string(path), string(clientsRoot)+"/")
	word, isDisconnect := strings.CutSuffix(word, "/disconnect")
	id, err := strconv.ParseUint(word, 10, 64)
	p.mu.RLock()
	cl := p.clients[id]
	p.mu.RUnlock()
	if !ok || !isDisconnect || err != nil || cl == nil {
		return device.Value{}, driver.Outcome{Stage: driver.Refused, Err: &driver.Error{Op: "disconnect", Target: p.device,
			Class: driver.Unsupported, Err: fmt.Errorf("no client %q is connected", word)}}
	}
	if err := cl.conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return device.Value{}, driver.Outcome{Stage: driver.Refused, Err: &driver.Error{Op: "disconnect", Target: p.device, Class: driver.Internal, Err: err}}
	}
	return device.Value{}, driver.Outcome{Stage: driver.Acked}
}

func clientSpecs(id uint64) []device.Spec {
	spec := func(name string, kind device.Kind, title, doc string) device.Spec {
		return device.Spec{Path: clientPath(id).Child(name), Kind: kind, Rate: device.Normal, Access: device.R, Title: title, Doc: doc, Grade: device.GradeSpec}
	}
	return []device.Spec{
		spec("address", device.String, "Client", "address of the program"),
		spec("since", device.String, "Since", "time of its connection, RFC 3339"),
		spec("channel", device.Int, "Channel", "2 for data, 1 for transfers; a program may hold one of each"),
		spec("requests-per-second", device.Float, "Requests per second", "data frames that it sends"),
		spec("requests", device.Int, "Requests", "data frames that it has sent"),
		spec("refused", device.Int, "Refused", "requests of it that were not let through"),
		spec("bytes", device.Int, "Bytes", "bytes of its data frames and of the answers"),
	}
}

func (cl *client) samples(now time.Time, perSecond float64) []device.Sample {
	at := clientPath(cl.conn.ID())
	sample := func(name string, v device.Value) device.Sample {
		return device.Sample{Path: at.Child(name), Value: v, Received: now}
	}
	return []device.Sample{
		sample("address", device.OfString(cl.addr)),
		sample("since", device.OfString(cl.since.UTC().Format(time.RFC3339))),
		sample("channel", device.OfInt(int64(cl.conn.Channel()))),
		sample("requests-per-second", device.OfFloat(perSecond)),
		sample("requests", device.OfInt(int64(cl.requests.Load()))),
		sample("refused", device.OfInt(int64(cl.refused.Load()))),
		sample("bytes", device.OfInt(int64(cl.bytes.Load()))),
	}
}

// serverSpecs are the points of the server itself.
func serverSpecs() []device.Spec {
	spec := func(name string, kind device.Kind, title, doc string) device.Spec {
		return device.Spec{Path: clientsRoot.Child(name), Kind: kind, Rate: device.Normal, Access: device.R, Title: title, Doc: doc, Grade: device.GradeSpec}
	}
	return []device.Spec{
		spec("listen", device.String, "Listens on", "address that FOCAS programs connect to"),
		spec("count", device.Int, "Programs", "FOCAS programs that are connected"),
		spec("forwarded", device.Int, "Forwarded", "requests that went to the control"),
		spec("saved", device.Int, "Saved", "requests that were answered with what another program had just asked"),
		spec("refused", device.Int, "Refused", "requests that were not let through"),
	}
}

// counts are the samples of the server itself; the lock is held.
func (p *proxy) counts(now time.Time) []device.Sample {
	sample := func(name string, v device.Value) device.Sample {
		return device.Sample{Path: clientsRoot.Child(name), Value: v, Received: now}
	}
	return []device.Sample{
		sample("listen", device.OfString(p.listen)),
		sample("count", device.OfInt(int64(p.programs))),
		sample("forwarded", device.OfInt(int64(p.forwarded.Load()))),
		sample("saved", device.OfInt(int64(p.saved.Load()))),
		sample("refused", device.OfInt(int64(p.refusals.Load()))),
	}
}

// publishEvery is how often the counters of clients become samples.
const publishEvery = time.Second

// publish tells the counters until ctx ends.
func (p *proxy) publish(ctx context.Context) {
	tick := time.NewTicker(publishEvery)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		p.mu.Lock()
		samples := p.counts(now)
		for _, cl := range p.clients {
			n := cl.requests.Load()
			samples = append(samples, cl.samples(now, float64(n-cl.lastRequests)/now.Sub(last).Seconds())...)
			cl.lastRequests = n
		}
		p.tell(&driver.Change{Samples: samples})
		p.mu.Unlock()
		last = now
	}
}
