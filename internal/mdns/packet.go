package mdns

import (
	"bytes"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Answers wait so long, so that not everybody speaks at once (6).
const (
	leastDelay = 20 * time.Millisecond
	mostDelay  = 120 * time.Millisecond
)

// packet takes a packet in.
func (r *Responder) packet(m *dnsmessage.Message, from netip.AddrPort, l *Link) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	switch {
	case m.OpCode != 0 || m.RCode != 0:
	case m.Response && from.Port() == Port:
		r.response(m, now)
	case !m.Response:
		r.rivals(m, l, now)
		r.query(m, from, l, now)
	}
}

// same compares names as DNS does.
func same(a dnsmessage.Name, b string) bool { return strings.EqualFold(a.String(), b) }

// response looks for somebody else with names of ours.
func (r *Responder) response(m *dnsmessage.Message, now time.Time) {
	for _, list := range [][]dnsmessage.Resource{m.Answers, m.Additionals} {
		for i := range list {
			rec := &list[i]
			if rec.Header.TTL == 0 {
				continue // it goes
			}
			for _, c := range r.claims {
				switch r.contradicts(c, rec) {
				case byInstance:
					r.conflict(c, now)
				case byHost:
					r.host++
					for _, all := range r.claims {
						all.probe(now)
					}
					r.hurry()
					return
				}
			}
		}
	}
}

// contradiction says which name of a claim somebody else has.
type contradiction uint8

const (
	no contradiction = iota
	byInstance
	byHost
)

// contradicts reports whether a record has a name of the claim and another content. What this computer says on another interface comes back
// on this one, and is no contradiction.
func (r *Responder) contradicts(c *claim, rec *dnsmessage.Resource) contradiction {
	n := r.names(c)
	switch body := rec.Body.(type) {
	case *dnsmessage.SRVResource:
		mine := c.service.srv(n)
		if same(rec.Header.Name, n.instance) && !bytes.Equal(data(rec), data(&mine)) {
			return byInstance
		}
	case *dnsmessage.TXTResource:
		mine := c.service.txt(n)
		if same(rec.Header.Name, n.instance) && !bytes.Equal(data(rec), data(&mine)) {
			return byInstance
		}
	case *dnsmessage.AResource:
		if same(rec.Header.Name, n.host) && !r.own(netip.AddrFrom4(body.A)) {
			return byHost
		}
	case *dnsmessage.AAAAResource:
		if same(rec.Header.Name, n.host) && !r.own(netip.AddrFrom16(body.AAAA)) {
			return byHost
		}
	}
	return no
}

// own reports whether an address is one of this computer.
func (r *Responder) own(a netip.Addr) bool {
	for i := range r.links {
		for _, p := range r.links[i].Prefixes {
			if p.Addr() == a {
				return true
			}
		}
	}
	return false
}

// rivals looks for somebody who probes for a name of ours. Who has it defends it; of two who probe one goes first.
func (r *Responder) rivals(m *dnsmessage.Message, l *Link, now time.Time) {
	if len(m.Authorities) == 0 {
		return
	}
	for _, c := range r.claims {
		n := r.names(c)
		var theirs []dnsmessage.Resource
		other := false
		for i := range m.Authorities {
			rec := &m.Authorities[i]
			if same(rec.Header.Name, n.instance) {
				theirs = append(theirs, *rec)
			}
			other = other || r.contradicts(c, rec) != no
		}
		switch {
		case !other:
		case c.settled():
			if now.Sub(c.sent[l.key()]) >= defendEvery {
				r.send(c, l, askedType|askedInstance|askedHost, now)
			}
		case len(theirs) > 0 && loses([]dnsmessage.Resource{c.service.srv(n), c.service.txt(n)}, theirs):
			c.probe(now)
			c.due = now.Add(loserWaits)
			r.hurry()
		}
	}
}

// query answers questions about what is settled.
func (r *Responder) query(m *dnsmessage.Message, from netip.AddrPort, l *Link, now time.Time) {
	single := &dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true}}
	legacy := from.Port() != Port
	for _, c := range r.claims {
		n := r.names(c)
		if !c.settled() || len(c.service.addrs(n, l)) == 0 {
			continue
		}
		var all, alone asked
		for _, q := range m.Questions {
			what := asks(&q, n)
			all |= what
			if q.Class&classFlush != 0 || legacy {
				alone |= what
			}
		}
		all &^= r.known(c, m, l)
		switch alone &= all; {
		case all == 0:
		case alone != 0:
			answers, more := r.records(c, l, alone)
			single.Answers, single.Additionals = append(single.Answers, answers...), append(single.Additionals, more...)
		default:
			r.later(c, l, all, now)
		}
	}
	if len(single.Answers) == 0 || !r.single.AllowN(now, 1) || r.sockets[l.V6] == nil {
		return
	}
	if legacy { // a resolver that knows nothing of multicast DNS
		single.Questions = m.Questions
		for _, list := range [][]dnsmessage.Resource{single.Answers, single.Additionals} {
			for i := range list {
				list[i].Header.TTL = min(list[i].Header.TTL, ttlOnce)
				list[i].Header.Class &^= classFlush
			}
		}
	}
	if b, err := single.Pack(); err == nil {
		_ = r.sockets[l.V6].Write(b, from, l.Index) // who asks and goes hears nothing
	}
}

// asks says which records of a claim a question is about.
func asks(q *dnsmessage.Question, n *names) asked {
	is := func(types ...dnsmessage.Type) bool {
		for _, t := range types {
			if q.Type == t || q.Type == dnsmessage.TypeALL {
				return true
			}
		}
		return false
	}
	switch {
	case q.Class&^classFlush != dnsmessage.ClassINET && q.Class&^classFlush != dnsmessage.ClassANY:
		return 0
	case same(q.Name, n.typ) && is(dnsmessage.TypePTR):
		return askedType
	case same(q.Name, n.instance) && is(dnsmessage.TypeSRV, dnsmessage.TypeTXT):
		return askedInstance
	case same(q.Name, n.host) && is(dnsmessage.TypeA, dnsmessage.TypeAAAA): // what there is of both: who asks for one learns so that there is no other
		return askedHost
	case same(q.Name, typesName) && is(dnsmessage.TypePTR):
		return askedTypes
	}
	return 0
}

// known is what the asker has already, and for long enough (7.1).
func (r *Responder) known(c *claim, m *dnsmessage.Message, l *Link) asked {
	has := func(mine dnsmessage.Resource) bool {
		for i := range m.Answers {
			a := &m.Answers[i]
			if same(a.Header.Name, mine.Header.Name.String()) && kind(a) == kind(&mine) && bytes.Equal(data(a), data(&mine)) && a.Header.TTL >= mine.Header.TTL/2 {
				return true
			}
		}
		return false
	}
	if len(m.Answers) == 0 {
		return 0
	}
	n := r.names(c)
	var out asked
	if has(c.service.ptr(n)) {
		out |= askedType
	}
	if has(c.service.srv(n)) && has(c.service.txt(n)) {
		out |= askedInstance
	}
	if has(resource(typesName, 0, ttlOther, &dnsmessage.PTRResource{PTR: mustName(n.typ)})) {
		out |= askedTypes
	}
	all := true
	for _, a := range c.service.addrs(n, l) {
		all = all && has(a)
	}
	if all {
		out |= askedHost
	}
	return out
}

// later answers everybody on a link in a moment, and not more than once a second.
func (r *Responder) later(c *claim, l *Link, what asked, now time.Time) {
	p, waits := c.pending[l.key()]
	p.asked |= what
	if !waits {
		p.due = now.Add(delay(leastDelay, mostDelay))
		if earliest := c.sent[l.key()].Add(sendEvery); p.due.Before(earliest) {
			p.due = earliest
		}
	}
	c.pending[l.key()] = p
	r.hurry()
}
