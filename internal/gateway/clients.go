package gateway

import (
	"maps"
	"slices"
	"strings"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// clients are the commands of one server's clients.
type clients struct {
	commands  []device.Command
	commander driver.Commander // nil while nothing is served
}

// commands are those of the session and of all clients; nil when nobody said anything yet.
func (n *native) commands() []device.Command {
	out := slices.Clone(n.session)
	for _, door := range slices.Sorted(maps.Keys(n.clients)) {
		out = append(out, n.clients[door].commands...)
	}
	return out
}

// doorOf is whose a point below the clients' root is.
func (n *native) doorOf(p device.Path) string {
	name := strings.TrimPrefix(string(p), string(device.ClientsRoot)+"/")
	for door := range n.clients {
		if door != "" && strings.HasPrefix(name, door+"-") {
			return door
		}
	}
	return ""
}

// Clients is where a door shows the programs that use a device through it: below device.ClientsRoot, beside those of the device's own
// server, with names that begin with the door's and a hyphen. What else the sink gets is dropped; ClientsRoot itself among what is gone
// means everything of the door. commands takes what performs the commands, nil at the end. A device that is configured anew has
// forgotten all of it, and the door tells it again.
func (g *Gateway) Clients(dev, door string) (sink driver.Sink, commands func(driver.Commander)) {
	return doorSink{g, dev, door}, func(c driver.Commander) {
		if l := g.link(dev); l != nil {
			l.setCommander(door, c)
		}
	}
}

// doorSink is the clientSink of whatever link the device has at the moment.
type doorSink struct {
	g         *Gateway
	dev, door string
}

// Apply implements driver.Sink.
func (s doorSink) Apply(c *driver.Change) {
	if l := s.g.link(s.dev); l != nil {
		clientSink{l, s.door}.Apply(c)
	}
}

func (l *link) setCommander(door string, c driver.Commander) {
	l.mu.Lock()
	defer l.mu.Unlock()
	x := l.native.clients[door]
	x.commander = c
	l.native.clients[door] = x
}

// clientCommander performs a command of the clients; nil while nothing is served.
func (l *link) clientCommander(p device.Path) driver.Commander {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.native.clients[l.native.doorOf(p)].commander
}

// clientSink brings the clients of a server into the tree of its device.
type clientSink struct {
	l    *link
	door string // "": the device's own server
}

// tellListens writes to the log where programs may connect, once for each time that the device's own server begins; doors do
// that themselves. The lock is held.
func (s clientSink) tellListens(v device.Sample) {
	n := &s.l.native
	if s.door != "" || v.Path != listenPoint || v.Value.IsZero() || v.Value.Str() == "" || v.Value.Str() == n.listens {
		return
	}
	n.listens = v.Value.Str()
	s.l.log.Info("programs may connect", "address", n.listens)
}

// listenPoint is where a server says on which addresses programs find it.
var listenPoint = device.ClientsRoot.Child("listen")

// Apply takes what lies below the clients' root and is the server's, and drops the rest.
func (s clientSink) Apply(c *driver.Change) {
	l := s.l
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isRetired {
		return
	}
	x := l.native.clients[s.door]
	l.native.clients[s.door] = x // from now on doorOf knows it
	theirs := func(p device.Path) bool {
		return p != device.ClientsRoot && p.Under(device.ClientsRoot) && l.native.doorOf(p) == s.door
	}
	d := device.Delta{}
	for _, gone := range c.Gone {
		switch {
		case theirs(gone):
			d.Gone = append(d.Gone, gone)
		case gone == device.ClientsRoot:
			points, _ := l.g.tree.Points(device.Filter{Devices: []string{l.name}, Under: []device.Path{gone}})
			for i := range points {
				if p := points[i].Spec.Path; theirs(p) {
					d.Gone = append(d.Gone, p)
				}
			}
		}
	}
	for _, sp := range c.Specs {
		if theirs(sp.Path) {
			d.Specs = append(d.Specs, sp)
		}
	}
	for _, v := range c.Samples {
		if theirs(v.Path) {
			d.Samples = append(d.Samples, v)
			s.tellListens(v)
		}
	}
	if c.Commands != nil {
		x.commands = slices.DeleteFunc(slices.Clone(c.Commands), func(cmd device.Command) bool { return !theirs(cmd.Path) })
		l.native.clients[s.door] = x
		d.Commands = append([]device.Command{}, l.native.commands()...)
	}
	l.g.tree.Apply(l.name, &d)
}
