package mdns

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// The steps of a claim (8): three probes, two announcements, and then it is settled.
const (
	probes        = 3
	announcements = 2

	probeEvery    = 250 * time.Millisecond
	announceEvery = time.Second
	loserWaits    = time.Second // who loses against another one that probes for the same name
)

// Who meets many conflicts waits (8.1): somebody else answers for every name.
const (
	manyConflicts = 15
	within        = 10 * time.Second
	patience      = 5 * time.Second
)

// asked says which records of a claim somebody asks for.
type asked uint8

const (
	askedType     asked = 1 << iota // is there such a service?
	askedInstance                   // where is it?
	askedHost                       // what is its address?
	askedTypes                      // which types are there?
)

// answer is one that waits for its time.
type answer struct {
	asked asked
	due   time.Time
}

// claim is a service on its way to its name, and with it. The responder's lock guards it.
type claim struct {
	service   Service
	attempt   int // at a name that nobody else has
	step      int // probes and announcements that were sent
	due       time.Time
	conflicts []time.Time
	patient   bool // there were many of them
	pending   map[linkKey]answer
	sent      map[linkKey]time.Time
}

// settled reports whether the names are the claim's own: the last probe had its time, and the first announcement is out.
func (c *claim) settled() bool { return c.step > probes }

// probe begins with the first probe.
func (c *claim) probe(now time.Time) {
	c.step, c.due = 0, now.Add(delay(0, probeEvery))
	c.pending, c.sent = map[linkKey]answer{}, map[linkKey]time.Time{}
}

func (r *Responder) names(c *claim) *names {
	suffix := func(attempt int, form string) string {
		if attempt == 0 {
			return ""
		}
		return fmt.Sprintf(form, attempt+1)
	}
	typ := c.service.Type + ".local."
	return &names{typ: typ, instance: label(c.service.Instance, suffix(c.attempt, " (%d)")) + "." + typ,
		host: label(r.opts.Host, suffix(r.host, "-%d")) + ".local."}
}

// advance takes the next step of a claim.
func (r *Responder) advance(c *claim, now time.Time) {
	n := r.names(c)
	for i := range r.links {
		l := &r.links[i]
		addrs := c.service.addrs(n, l)
		if len(addrs) == 0 {
			continue // it does not listen there
		}
		if c.step < probes {
			class := dnsmessage.ClassINET
			if c.step == 0 {
				class |= classFlush // an answer to this computer alone will do
			}
			r.write(&dnsmessage.Message{
				Questions:   []dnsmessage.Question{{Name: mustName(n.instance), Type: dnsmessage.TypeALL, Class: class}, {Name: mustName(n.host), Type: dnsmessage.TypeALL, Class: class}},
				Authorities: unflushed(append([]dnsmessage.Resource{c.service.srv(n), c.service.txt(n)}, addrs...)),
			}, l)
			continue
		}
		r.send(c, l, askedType|askedInstance|askedHost|askedTypes, now)
	}
	switch c.step++; {
	case c.step <= probes:
		c.due = now.Add(probeEvery)
	case c.step < probes+announcements:
		c.due = now.Add(announceEvery)
	default:
		c.due, c.patient = time.Time{}, false
		r.opts.Log.Info("the local network knows the service", "type", c.service.Type, "name", strings.TrimSuffix(n.instance, "."+n.typ), "host", n.host, "address", c.service.Addr)
	}
}

// unflushed clears the mark that has no meaning in a probe.
func unflushed(list []dnsmessage.Resource) []dnsmessage.Resource {
	for i := range list {
		list[i].Header.Class &^= classFlush
	}
	return list
}

// records are those that answer what is asked, and those that are asked for next.
func (r *Responder) records(c *claim, l *Link, what asked) (answers, more []dnsmessage.Resource) {
	n := r.names(c)
	addrs := c.service.addrs(n, l)
	put := func(bit asked, list ...dnsmessage.Resource) {
		if what&bit != 0 {
			answers = append(answers, list...)
		} else {
			more = append(more, list...)
		}
	}
	if what&askedTypes != 0 {
		answers = append(answers, resource(typesName, 0, ttlOther, &dnsmessage.PTRResource{PTR: mustName(n.typ)}))
	}
	if what&askedType != 0 {
		answers = append(answers, c.service.ptr(n))
	}
	if what&(askedType|askedInstance) != 0 {
		put(askedInstance, c.service.srv(n), c.service.txt(n))
	}
	put(askedHost, addrs...)
	return answers, more
}

// send tells everybody on a link.
func (r *Responder) send(c *claim, l *Link, what asked, now time.Time) {
	answers, more := r.records(c, l, what)
	c.sent[l.key()] = now
	r.write(&dnsmessage.Message{Header: dnsmessage.Header{Response: true, Authoritative: true}, Answers: answers, Additionals: more}, l)
}

// goodbye takes back what was told (10.1). Addresses stay: other services may have them too, and they end by themselves.
func (r *Responder) goodbye(c *claim) {
	if !c.settled() {
		return
	}
	n := r.names(c)
	for i := range r.links {
		l := &r.links[i]
		if len(c.service.addrs(n, l)) == 0 {
			continue
		}
		gone := []dnsmessage.Resource{c.service.ptr(n), c.service.srv(n), c.service.txt(n)}
		for k := range gone {
			gone[k].Header.TTL = 0
		}
		r.write(&dnsmessage.Message{Header: dnsmessage.Header{Response: true, Authoritative: true}, Answers: gone}, l)
	}
	c.step = 0
}

// write sends a message to everybody on a link. A link that takes nothing hears nothing.
func (r *Responder) write(m *dnsmessage.Message, l *Link) {
	s := r.sockets[l.V6]
	if s == nil {
		return
	}
	if b, err := m.Pack(); err == nil {
		_ = s.Write(b, l.group(), l.Index)
	}
}

// conflict is somebody else with a name of the claim. Who was there first keeps it.
func (r *Responder) conflict(c *claim, now time.Time) {
	c.conflicts = append(slices.DeleteFunc(c.conflicts, func(t time.Time) bool { return now.Sub(t) > within }), now)
	if !c.settled() {
		c.attempt++
	}
	c.probe(now)
	if c.patient = c.patient || len(c.conflicts) >= manyConflicts; c.patient {
		c.due = now.Add(patience)
	}
	r.hurry()
}

// loses reports whether another one that probes for the same names goes first: its records come later in order (8.2).
func loses(mine, theirs []dnsmessage.Resource) bool {
	order := func(a, b dnsmessage.Resource) int {
		return cmp.Or(cmp.Compare(kind(&a), kind(&b)), bytes.Compare(data(&a), data(&b)))
	}
	slices.SortFunc(mine, order)
	slices.SortFunc(theirs, order)
	return slices.CompareFunc(mine, theirs, order) < 0
}

// kind is the type of a record by its body, since one that was made here has none in its header yet.
func kind(r *dnsmessage.Resource) dnsmessage.Type {
	switch r.Body.(type) {
	case *dnsmessage.AResource:
		return dnsmessage.TypeA
	case *dnsmessage.AAAAResource:
		return dnsmessage.TypeAAAA
	case *dnsmessage.PTRResource:
		return dnsmessage.TypePTR
	case *dnsmessage.TXTResource:
		return dnsmessage.TypeTXT
	case *dnsmessage.SRVResource:
		return dnsmessage.TypeSRV
	}
	return r.Header.Type
}
