package fcxml

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
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcserver"
)

// client is one program.
type client struct {
	conn    *fcserver.Conn
	addr    string
	name    string // what it calls itself
	since   time.Time
	refused atomic.Uint64

	mu       sync.Mutex
	reported map[uint32]bool // refusals that have been reported
}

// maxReported bounds how many different refusals of one program are reported.
const maxReported = 64

// firstRefusal is true when a refusal is the first of its kind: a program that moves a fader must not fill the audit.
func (cl *client) firstRefusal(item uint32) bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if cl.reported[item] || len(cl.reported) >= maxReported {
		return false
	}
	if cl.reported == nil {
		cl.reported = map[uint32]bool{}
	}
	cl.reported[item] = true
	return true
}

func (cl *client) who() driver.Who { return driver.Who{Door: "fcxml", Addr: cl.addr} }

func (p *proxy) clientOf(c *fcserver.Conn) *client {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.clients[c.ID()]
}

// Gone implements fcserver.Handler.
func (p *proxy) Gone(c *fcserver.Conn) {
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

func clientPath(id uint64) device.Path { return device.ClientsRoot.Child(strconv.FormatUint(id, 10)) }

// commands are the disconnects of all programs; the lock is held.
func (p *proxy) commands() []device.Command {
	out := make([]device.Command, 0, len(p.clients))
	for _, id := range slices.Sorted(maps.Keys(p.clients)) {
		out = append(out, device.Command{Path: clientPath(id).Child("disconnect"), Title: "Disconnect",
			Doc: "ends the connection of this program; it may connect again", Grade: device.GradeSeen})
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
			Class: driver.Unsupported, Err: fmt.Errorf("no client %q is connected", word)}}
	}
	if err := cl.conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return device.Value{}, driver.Outcome{Stage: driver.Refused, Err: &driver.Error{Op: "disconnect", Target: p.device, Class: driver.Internal, Err: err}}
	}
	return device.Value{}, driver.Outcome{Stage: driver.Acked}
}

func readSpec(path device.Path, kind device.Kind, title, doc string) device.Spec {
	return device.Spec{Path: path, Kind: kind, Rate: device.Normal, Access: device.R, Title: title, Doc: doc, Grade: device.GradeSeen}
}

func clientSpecs(id uint64) []device.Spec {
	at := clientPath(id)
	return []device.Spec{
		readSpec(at.Child("address"), device.String, "Client", "address of the program"),
		readSpec(at.Child("name"), device.String, "Name", "what the program calls itself"),
		readSpec(at.Child("since"), device.String, "Since", "time of its connection, RFC 3339"),
		readSpec(at.Child("requests"), device.Int, "Requests", "changes that it has asked for, in messages"),
		readSpec(at.Child("refused"), device.Int, "Refused", "changes of it that were not let through"),
	}
}

func (cl *client) samples(now time.Time) []device.Sample {
	at := clientPath(cl.conn.ID())
	sample := func(name string, v device.Value) device.Sample {
		return device.Sample{Path: at.Child(name), Value: v, Received: now}
	}
	return []device.Sample{
		sample("address", device.OfString(cl.addr)),
		sample("name", device.OfString(cl.name)),
		sample("since", device.OfString(cl.since.UTC().Format(time.RFC3339))),
		sample("requests", device.OfInt(int64(cl.conn.Sets()))),
		sample("refused", device.OfInt(int64(cl.refused.Load()))),
	}
}

// serverSpecs are the points of the server itself.
func serverSpecs() []device.Spec {
	root := device.ClientsRoot
	return []device.Spec{
		readSpec(root.Child("listen"), device.String, "Listens on", "address that programs for Focusrite Control connect to"),
		readSpec(root.Child("count"), device.Int, "Programs", "programs that are connected"),
		readSpec(root.Child("forwarded"), device.Int, "Forwarded", "changes that went to Focusrite Control"),
		readSpec(root.Child("refused"), device.Int, "Refused", "changes that were not let through"),
	}
}

// counts are the samples of the server itself; the lock is held, or nobody else knows the proxy yet.
func (p *proxy) counts(now time.Time) []device.Sample {
	sample := func(name string, v device.Value) device.Sample {
		return device.Sample{Path: device.ClientsRoot.Child(name), Value: v, Received: now}
	}
	return []device.Sample{
		sample("listen", device.OfString(p.listen)),
		sample("count", device.OfInt(int64(len(p.clients)))),
		sample("forwarded", device.OfInt(int64(p.forwarded.Load()))),
		sample("refused", device.OfInt(int64(p.refuse.Load()))),
	}
}

// publishEvery is how often the counters of programs become samples.
const publishEvery = time.Second

// publish tells the counters until ctx ends.
func (p *proxy) publish(ctx context.Context) {
	tick := time.NewTicker(publishEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
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
