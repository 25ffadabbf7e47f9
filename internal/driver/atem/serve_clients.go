package atem

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// clientsRoot is the subtree of a device in which its server's clients are points.
const clientsRoot = device.ClientsRoot

// client is one connection of a program.
type client struct {
	id        uint64
	hub       *hub
	peer      peer
	transport string // "udp", "tcp"
	who       driver.Who
	since     time.Time
	rights    []*Commands
	meters    bool // it asked for levels; the hub's lock guards it

	commands, refused atomic.Uint64

	mu          sync.Mutex
	reported    map[string]bool // refusals that have been reported
	lastCommand string
	lastRefusal string

	told []device.Value // what was published last; the proxy's lock guards it
}

// maxReported bounds how many different refusals of one client are reported.
const maxReported = 64

func (cl *client) firstRefusal(code string) bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if cl.reported[code] || len(cl.reported) >= maxReported {
		return false
	}
	if cl.reported == nil {
		cl.reported = map[string]bool{}
	}
	cl.reported[code] = true
	return true
}

func (cl *client) did(what string) {
	cl.mu.Lock()
	cl.lastCommand = what
	cl.mu.Unlock()
}

func (cl *client) refusal(what string) {
	cl.mu.Lock()
	cl.lastRefusal = what
	cl.mu.Unlock()
}

func (cl *client) path() device.Path { return clientsRoot.Child(strconv.FormatUint(cl.id, 10)) }

// may is what the client may command, in the words of the configuration.
func (cl *client) may() string {
	var words []string
	for _, c := range cl.rights {
		words = append(words, c.words...)
	}
	if len(words) == 0 {
		return "watch"
	}
	return strings.Join(words, ", ")
}

// clientPoint is one point of a client. The first ones never change.
type clientPoint struct {
	name, title, doc string
	kind             device.Kind
	value            func(cl *client) device.Value
}

func clientPoints() []clientPoint {
	return []clientPoint{
		{"address", "Client", "address of the program", device.String, func(cl *client) device.Value { return device.OfString(cl.who.Addr) }},
		{"user", "User", "who has logged in; empty over UDP, which has no logins", device.String, func(cl *client) device.Value { return device.OfString(cl.who.User) }},
		{"transport", "Transport", "udp: as an ATEM program; tcp: as an OpenSwitcher program", device.String, func(cl *client) device.Value { return device.OfString(cl.transport) }},
		{"device", "Device", "the switcher that it is connected to", device.String, func(cl *client) device.Value { return device.OfString(cl.hub.name) }},
		{"since", "Since", "time of its connection, RFC 3339", device.String, func(cl *client) device.Value { return device.OfString(cl.since.UTC().Format(time.RFC3339)) }},
		{"may", "May", "what it may command; watch: nothing", device.String, func(cl *client) device.Value { return device.OfString(cl.may()) }},
		{"commands", "Commands", "commands that it has sent", device.Int, func(cl *client) device.Value { return device.OfInt(int64(cl.commands.Load())) }},
		{"refused", "Refused", "commands of it that were not let through", device.Int, func(cl *client) device.Value { return device.OfInt(int64(cl.refused.Load())) }},
		{"last-command", "Last command", "the last that went to the switcher", device.String, func(cl *client) device.Value { return device.OfString(cl.lastCommand) }},
		{"last-refusal", "Last refusal", "the last that was refused, and the line of the configuration that would allow it", device.String,
			func(cl *client) device.Value { return device.OfString(cl.lastRefusal) }},
	}
}

func (cl *client) specs() []device.Spec {
	points := clientPoints()
	out := make([]device.Spec, len(points))
	for i, p := range points {
		out[i] = device.Spec{Path: cl.path().Child(p.name), Kind: p.kind, Rate: device.Normal, Access: device.R, Title: p.title, Doc: p.doc, Grade: device.GradeSpec}
	}
	return out
}

// samples are the points that are new since they were last published; the proxy's lock is held.
func (cl *client) samples(now time.Time) (out []device.Sample) {
	points := clientPoints()
	if cl.told == nil {
		cl.told = make([]device.Value, len(points))
	}
	cl.mu.Lock()
	defer cl.mu.Unlock()
	for i, p := range points {
		if v := p.value(cl); !v.Equal(cl.told[i]) {
			cl.told[i] = v
			out = append(out, device.Sample{Path: cl.path().Child(p.name), Value: v, Received: now})
		}
	}
	return out
}

// commands are the disconnects of all clients; the lock is held.
func (p *proxy) commands() []device.Command {
	out := make([]device.Command, 0, len(p.clients))
	for _, id := range slices.Sorted(maps.Keys(p.clients)) {
		out = append(out, device.Command{Path: p.clients[id].path().Child("disconnect"), Title: "Disconnect",
			Doc: "ends the connection of this program; it may connect again", Grade: device.GradeSpec})
	}
	return out
}

// Do performs _clients/ID/disconnect.
func (p *proxy) Do(_ context.Context, path device.Path, _ []device.Value) (device.Value, driver.Outcome) {
	word, ok := strings.CutPrefix(string(path), string(clientsRoot)+"/")
	word, isDisconnect := strings.CutSuffix(word, "/disconnect")
	id, err := strconv.ParseUint(word, 10, 64)
	p.mu.Lock()
	cl := p.clients[id]
	p.mu.Unlock()
	if !ok || !isDisconnect || err != nil || cl == nil {
		return device.Value{}, driver.Outcome{Stage: driver.Refused, Err: &driver.Error{Op: "disconnect", Target: p.hubs[0].name,
			Class: driver.Unsupported, Err: fmt.Errorf("no client %q is connected", word)}}
	}
	cl.peer.close()
	return device.Value{}, driver.Outcome{Stage: driver.Acked}
}

// serverSpecs are the points of the server itself.
func serverSpecs() []device.Spec {
	spec := func(name string, kind device.Kind, title, doc string) device.Spec {
		return device.Spec{Path: clientsRoot.Child(name), Kind: kind, Rate: device.Normal, Access: device.R, Title: title, Doc: doc, Grade: device.GradeSpec}
	}
	return []device.Spec{
		spec("listen", device.String, "Listens on", "addresses that programs connect to"),
		spec("count", device.Int, "Programs", "programs that are connected"),
		spec("forwarded", device.Int, "Forwarded", "commands that went to the switcher"),
		spec("refused", device.Int, "Refused", "commands that were not let through"),
		spec("dropped", device.Int, "Dropped", "programs that were disconnected because they did not keep up"),
		spec("bad-logins", device.Int, "Wrong logins", "OpenSwitcher programs with a wrong user or password"),
	}
}

// counts are the samples of the server itself; the lock is held, or nobody else is there yet.
func (p *proxy) counts(now time.Time) []device.Sample {
	sample := func(name string, v device.Value) device.Sample {
		return device.Sample{Path: clientsRoot.Child(name), Value: v, Received: now}
	}
	return []device.Sample{
		sample("listen", device.OfString(strings.Join(p.listens, ", "))),
		sample("count", device.OfInt(int64(len(p.clients)))),
		sample("forwarded", device.OfInt(int64(p.forwarded.Load()))),
		sample("refused", device.OfInt(int64(p.refusals.Load()))),
		sample("dropped", device.OfInt(int64(p.dropped.Load()))),
		sample("bad-logins", device.OfInt(int64(p.tcp.Stats().BadLogins))),
	}
}

// Clients come and go by the hundred when a switcher starts again, so what is new of them is told together.
const (
	publishEvery = time.Second           // what they do
	newsEvery    = 50 * time.Millisecond // who comes and goes, at the most
)

// tellAll tells what has changed about every client.
func (p *proxy) tellAll() {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	samples := p.counts(now)
	for _, cl := range p.clients {
		if cl.told != nil {
			samples = append(samples, cl.samples(now)...)
		}
	}
	p.tell(&driver.Change{Samples: samples})
}

// tellNews tells who has come and who has gone.
func (p *proxy) tellNews() {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	c := &driver.Change{Gone: p.gone, Commands: p.commands(), Samples: p.counts(now)}
	for _, cl := range p.fresh {
		c.Specs = append(c.Specs, cl.specs()...)
		c.Samples = append(c.Samples, cl.samples(now)...)
	}
	p.fresh, p.gone = nil, nil
	p.tell(c)
}

// publish tells the counters until ctx ends.
func (p *proxy) publish(ctx context.Context) {
	tick := time.NewTicker(publishEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			p.tellAll()
		case <-p.news:
			p.tellNews()
			pause := time.NewTimer(newsEvery)
			select {
			case <-pause.C:
			case <-ctx.Done():
				pause.Stop()
			}
		}
	}
}
