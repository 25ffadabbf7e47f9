package config

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/token"
)

// listensTag is the tag of a field of a server's options that is an address of this computer: `listens:"tcp"` or "udp". On a switch,
// "udp listen", it says that while it is on the address of the field listen is used over UDP as well.
const listensTag = "listens"

// maxPorts is how many ports a device has at most that "all ports" can be said of.
const maxPorts = 32

// claim is something of this computer that a part of the configuration takes for itself.
type claim struct {
	what  string // "mill1.serve.listen"
	at    *token.Token
	place string // where that is, for people

	network string // "tcp", "udp", or "" of a file
	host    string
	port    int
	span    int    // so many ports from port on are taken, of which the device may have fewer; 0: this one alone
	file    string // a name in the file system instead

	spared []int // ports of the span that another section gives to somebody
}

// claimOf reads an address; ok is false for one that takes nothing of its own: port 0 is a free one.
func claimOf(network, addr string) (c claim, ok bool) {
	host, text, err := net.SplitHostPort(addr)
	port, perr := strconv.Atoi(text)
	if err != nil || perr != nil || port == 0 {
		return c, false
	}
	return claim{network: network, host: host, port: port}, true
}

// claims gathers what the options of a server or a face take; section is the key that they stand under.
func (s *section) claims(key string, options any, given map[string]*token.Token, section *token.Token) {
	fields := optionFields(options)
	t := reflect.TypeOf(options).Elem()
	for i := range t.NumField() {
		f := t.Field(i)
		network, at, elsewhere := strings.Cut(f.Tag.Get(listensTag), " ")
		name := yamlName(f)
		field := fields[name]
		if network == "" || !field.IsValid() {
			continue
		}
		if elsewhere {
			if field.Kind() != reflect.Bool || !field.Bool() {
				continue
			}
			field = fields[at]
		}
		c, ok := claimOf(network, field.String())
		if !ok {
			continue
		}
		c.what, c.at, c.place = s.d.Name+"."+key+"."+name, given[name], s.place
		if c.at == nil {
			c.at = section
		}
		s.claimed = append(s.claimed, c)
	}
}

// serialClaims are those of the section serial. A port that is named stands in place of "all ports", whose span leaves it out.
func (l *loader) serialClaims() []claim {
	var out []claim
	for i, p := range l.c.Serial.Ports {
		add := func(c claim, key string) {
			c.what, c.at, c.place = fmt.Sprintf("serial: %s/%s %s", p.Device, p.Path, key), l.portAt[i], l.place
			out = append(out, c)
		}
		for _, x := range []struct{ key, addr string }{{"rfc2217", p.RFC2217}, {"raw", p.Raw}} {
			c, ok := claimOf("tcp", x.addr)
			if !ok {
				continue
			}
			if p.Path == "*" {
				c.span = maxPorts
				for _, o := range l.c.Serial.Ports {
					number, isPort := strings.CutPrefix(o.Path, "ports/")
					if n, err := strconv.Atoi(number); isPort && err == nil && o.Device == p.Device {
						c.spared = append(c.spared, c.port+n-1)
					}
				}
			}
			add(c, x.key)
		}
		if p.PTY != "" && p.PTY != "auto" {
			add(claim{file: filepath.Clean(p.PTY)}, "pty")
		}
		if p.Log != "" {
			add(claim{file: filepath.Clean(p.Log)}, "log")
		}
	}
	return out
}

// guardClaims refuses what two parts of the configuration take: whoever came second would not come up.
func (l *loader) guardClaims() {
	var all []claim
	if c, ok := claimOf("tcp", l.c.Listen); ok {
		c.what, c.at, c.place = "listen", l.listen, l.c.origins["listen"]
		all = append(all, c)
	}
	all = append(append(all, l.claimed...), l.serialClaims()...)
	for i, c := range all {
		for _, before := range all[:i] {
			at, sure := before.meets(&c)
			switch {
			case at == "":
				continue
			case sure:
				l.taken(&before, &c, at)
			default:
				l.c.Notes = append(l.c.Notes, fmt.Sprintf("%s: %s and %s (%s) both come to %s when the device has as many ports", l.whereOf(&c), c.what, before.what, l.whereOf(&before), at))
			}
			break
		}
	}
}

func (l *loader) taken(before, c *claim, at string) {
	text := fmt.Sprintf("%s: %s is taken already by %s (%s); give each a place of its own", c.what, at, before.what, l.whereOf(before))
	switch {
	case c.at != nil:
		l.at(c.at, "%s", text)
	case before.at != nil:
		l.at(before.at, "%s: %s is taken already by %s (%s); give each a place of its own", before.what, at, c.what, l.whereOf(c))
	default:
		l.elsewhere(c.place, "%s", text)
	}
}

// whereOf is the place of a claim for people.
func (l *loader) whereOf(c *claim) string {
	switch {
	case c.at != nil:
		return l.where(c.at)
	case c.place != "":
		return c.place
	}
	return "by default"
}

// meets is where two claims collide; empty: nowhere. sure is false when that depends on how many ports a device has.
func (c *claim) meets(o *claim) (at string, sure bool) {
	if c.file != "" || o.file != "" {
		if c.file == o.file {
			return c.file, true
		}
		return "", false
	}
	if c.network != o.network || !overlap(c.host, o.host) {
		return "", false
	}
	for port := max(c.port, o.port); port < min(c.port+max(c.span, 1), o.port+max(o.span, 1)); port++ {
		if c.spares(port) || o.spares(port) {
			continue
		}
		host := o.host
		if wildcard(host) {
			host = c.host
		}
		return net.JoinHostPort(host, strconv.Itoa(port)), (c.span == 0 || port == c.port) && (o.span == 0 || port == o.port)
	}
	return "", false
}

func (c *claim) spares(port int) bool {
	for _, p := range c.spared {
		if p == port {
			return true
		}
	}
	return false
}

// wildcard reports whether a host is every address of this computer. Of either family: a Go program that listens at 0.0.0.0
// listens at [::] too.
func wildcard(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "" || err == nil && a.IsUnspecified()
}

// overlap reports whether one port cannot be had at both hosts.
func overlap(a, b string) bool {
	return wildcard(a) || wildcard(b) || canonical(a) == canonical(b)
}

func canonical(host string) string {
	if strings.EqualFold(host, "localhost") {
		return "127.0.0.1"
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().String()
	}
	return strings.ToLower(host)
}
