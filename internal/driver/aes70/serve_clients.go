package aes70

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/oca"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
)

// client is one connection of a controller.
type client struct {
	conn  *ocaserver.Conn
	addr  string
	since time.Time

	mu       sync.Mutex
	reported map[device.Path]bool // refusals that have been reported
}

// maxReported bounds how many different refusals of one controller are reported.
const maxReported = 64

// firstRefusal reports whether a refusal is the first of its kind: a controller that tries again and again must not fill the audit.
func (cl *client) firstRefusal(p device.Path) bool {
	if cl == nil {
		return true
	}
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if cl.reported[p] || len(cl.reported) >= maxReported {
		return false
	}
	if cl.reported == nil {
		cl.reported = map[device.Path]bool{}
	}
	cl.reported[p] = true
	return true
}

func (p *proxy) client(c *ocaserver.Conn) *client {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.clients[c.ID()]
}

// connected lets a controller in.
func (p *proxy) connected(c *ocaserver.Conn) error {
	addr := c.RemoteAddr().String()
	switch {
	case p.upstream.Load() == nil:
		return errNoUpstream
	case !oca.MayConnect(p.networks, addr):
		p.env.Log.Warn("refused a controller: serve.from does not hold its address", "client", addr)
		return errForeign
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.clients) >= p.opts.MaxClients {
		p.env.Log.Warn("refused a controller: as many as serve.max_clients are connected", "client", addr, "max_clients", p.opts.MaxClients)
		return errFull
	}
	cl := &client{conn: c, addr: addr, since: time.Now()}
	p.clients[c.ID()] = cl
	p.tell(&driver.Change{Specs: clientSpecs(c.ID()), Commands: p.commands(), Samples: append(cl.samples(cl.since), p.counts(cl.since)...)})
	return nil
}

// closed forgets a controller.
func (p *proxy) closed(c *ocaserver.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.clients[c.ID()] == nil {
		return
	}
	delete(p.clients, c.ID())
	p.tell(&driver.Change{Gone: []device.Path{clientPath(c.ID())}, Commands: p.commands(), Samples: p.counts(time.Now())})
}

func (p *proxy) tell(c *driver.Change) {
	if p.env.Sink != nil {
		p.env.Sink.Apply(c)
	}
}

func clientPath(id uint64) device.Path {
	return device.ClientsRoot.Child(strconv.FormatUint(id, 10))
}

// commands are the disconnects of all controllers; the lock is held.
func (p *proxy) commands() []device.Command {
	out := make([]device.Command, 0, len(p.clients))
	for _, id := range slices.Sorted(maps.Keys(p.clients)) {
		out = append(out, device.Command{Path: clientPath(id).Child("disconnect"), Title: "Disconnect",
			Doc: "ends the connection of this controller; it may connect again", Grade: device.GradeSpec})
	}
	return out
}

// Do performs _clients/ID/disconnect.
func (p *proxy) Do(_ context.Context, path device.Path, _ []device.Value) (device.Value, driver.Outcome) {
	word, ok := strings.CutPrefix(string(path), string(device.ClientsRoot)+"/")
	word, isDisconnect := strings.CutSuffix(word, "/disconnect")
	id, err := strconv.ParseUint(word, 10, 64)
	p.mu.Lock()
	cl := p.clients[id]
	p.mu.Unlock()
	if !ok || !isDisconnect || err != nil || cl == nil {
		return device.Value{}, driver.Outcome{Stage: driver.Refused, Err: &driver.Error{Op: "disconnect", Target: p.device,
			Class: driver.Unsupported, Err: fmt.Errorf("no controller %q is connected", word)}}
	}
	if err := cl.conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return device.Value{}, driver.Outcome{Stage: driver.Refused, Err: &driver.Error{Op: "disconnect", Target: p.device, Class: driver.Internal, Err: err}}
	}
	return device.Value{}, driver.Outcome{Stage: driver.Acked}
}

func ownSpec(p device.Path, kind device.Kind, title, doc string) device.Spec {
	return device.Spec{Path: p, Kind: kind, Rate: device.Normal, Access: device.R, Title: title, Doc: doc, Grade: device.GradeSpec}
}

func clientSpecs(id uint64) []device.Spec {
	at := clientPath(id)
	return []device.Spec{
		ownSpec(at.Child("address"), device.String, "Controller", "address of the controller"),
		ownSpec(at.Child("since"), device.String, "Since", "time of its connection, RFC 3339"),
		ownSpec(at.Child("requests"), device.Int, "Commands", "commands that it has sent"),
		ownSpec(at.Child("refused"), device.Int, "Refused", "commands of it that were not carried out"),
		ownSpec(at.Child("events"), device.Int, "Events", "events that were sent to it"),
		ownSpec(at.Child("merged"), device.Int, "Merged events", "events that it missed, since a newer value of the same property came before it had read them"),
	}
}

func (cl *client) samples(now time.Time) []device.Sample {
	at := clientPath(cl.conn.ID())
	sample := func(name string, v device.Value) device.Sample {
		return device.Sample{Path: at.Child(name), Value: v, Received: now}
	}
	return []device.Sample{
		sample("address", device.OfString(cl.addr)),
		sample("since", device.OfString(cl.since.UTC().Format(time.RFC3339))),
		sample("requests", device.OfInt(int64(cl.conn.Commands()))),
		sample("refused", device.OfInt(int64(cl.conn.Refused()))),
		sample("events", device.OfInt(int64(cl.conn.Events()))),
		sample("merged", device.OfInt(int64(cl.conn.Merged()))),
	}
}

// serverSpecs are the points of the server itself.
func serverSpecs() []device.Spec {
	at := device.ClientsRoot
	return []device.Spec{
		ownSpec(at.Child("listen"), device.String, "Listens on", "addresses that AES70 controllers connect to"),
		ownSpec(at.Child("count"), device.Int, "Controllers", "AES70 controllers that are connected"),
		ownSpec(at.Child("forwarded"), device.Int, "Forwarded", "changes that went to the device"),
		ownSpec(at.Child("refused"), device.Int, "Refused", "changes that were not let through"),
	}
}

// counts are the samples of the server itself; the lock is held, or nobody else runs yet.
func (p *proxy) counts(now time.Time) []device.Sample {
	sample := func(name string, v device.Value) device.Sample {
		return device.Sample{Path: device.ClientsRoot.Child(name), Value: v, Received: now}
	}
	return []device.Sample{
		sample("listen", device.OfString(p.listens)),
		sample("count", device.OfInt(int64(len(p.clients)))),
		sample("forwarded", device.OfInt(int64(p.forwarded.Load()))),
		sample("refused", device.OfInt(int64(p.refused.Load()))),
	}
}

// The periods of publish.
const (
	publishEvery = time.Second
	metersEvery  = 250 * time.Millisecond // how soon a meter moves that a controller has subscribed to
)

// publish tells the counters, and looks which meters controllers want, until ctx ends.
func (p *proxy) publish(ctx context.Context) {
	counts, meters := time.NewTicker(publishEvery), time.NewTicker(metersEvery)
	defer counts.Stop()
	defer meters.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-meters.C:
			if up := p.upstream.Load(); up != nil {
				up.serve(p.mirror.Watched())
			}
		case now := <-counts.C:
			p.mu.Lock()
			samples := p.counts(now)
			for _, cl := range p.clients {
				samples = append(samples, cl.samples(now)...)
			}
			p.tell(&driver.Change{Samples: samples})
			p.mu.Unlock()
		}
	}
}
