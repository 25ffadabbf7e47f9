package atem

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
)

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

	reported serving.Refusals[string] // by code

	mu          sync.Mutex
	lastCommand string
	lastRefusal string
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

// Close implements serving.Client.
func (cl *client) Close() error {
	cl.peer.close()
	return nil
}

// Points implements serving.Client.
func (cl *client) Points() []serving.Point {
	last := func(text *string) func(time.Time) device.Value {
		return func(time.Time) device.Value {
			cl.mu.Lock()
			defer cl.mu.Unlock()
			return device.OfString(*text)
		}
	}
	return []serving.Point{
		{Name: "address", Kind: device.String, Title: "Client", Doc: "address of the program", Value: serving.Text(cl.who.Addr)},
		{Name: "user", Kind: device.String, Title: "User", Doc: "who has logged in; empty over UDP, which has no logins", Value: serving.Text(cl.who.User)},
		{Name: "transport", Kind: device.String, Title: "Transport", Doc: "udp: as an ATEM program; tcp: as an OpenSwitcher program", Value: serving.Text(cl.transport)},
		{Name: "device", Kind: device.String, Title: "Device", Doc: "the switcher that it is connected to", Value: serving.Text(cl.hub.name)},
		{Name: "since", Kind: device.String, Title: "Since", Doc: "time of its connection, RFC 3339", Value: serving.Moment(cl.since)},
		{Name: "may", Kind: device.String, Title: "May", Doc: "what it may command; watch: nothing", Value: serving.Text(cl.may())},
		{Name: "commands", Kind: device.Int, Title: "Commands", Doc: "commands that it has sent", Value: serving.Count(cl.commands.Load)},
		{Name: "refused", Kind: device.Int, Title: "Refused", Doc: "commands of it that were not let through", Value: serving.Count(cl.refused.Load)},
		{Name: "last-command", Kind: device.String, Title: "Last command", Doc: "the last that went to the switcher", Value: last(&cl.lastCommand)},
		{Name: "last-refusal", Kind: device.String, Title: "Last refusal",
			Doc: "the last that was refused, and the line of the configuration that would allow it", Value: last(&cl.lastRefusal)},
	}
}

// serverPoints are the points of the server itself.
func (p *proxy) serverPoints() []serving.Point {
	return []serving.Point{
		{Name: "listen", Kind: device.String, Title: "Listens on", Doc: "addresses that programs connect to",
			Value: func(time.Time) device.Value { return device.OfString(strings.Join(p.listens, ", ")) }},
		{Name: "forwarded", Kind: device.Int, Title: "Forwarded", Doc: "commands that went to the switcher", Value: serving.Count(p.forwarded.Load)},
		{Name: "refused", Kind: device.Int, Title: "Refused", Doc: "commands that were not let through", Value: serving.Count(p.refusals.Load)},
		{Name: "dropped", Kind: device.Int, Title: "Dropped", Doc: "programs that were disconnected because they did not keep up", Value: serving.Count(p.dropped.Load)},
		{Name: "bad-logins", Kind: device.Int, Title: "Wrong logins", Doc: "OpenSwitcher programs with a wrong user or password",
			Value: serving.Count(func() uint64 { return p.tcp.Stats().BadLogins })},
	}
}
