package discover

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sync/errgroup"
)

// mdnsGroup is where questions of multicast DNS from an address of this computer go (RFC 6762): over IPv6 on the link of that address.
func mdnsGroup(from netip.Addr) net.Addr {
	group := netip.AddrFrom4([4]byte{224, 0, 0, 251})
	if from.Is6() {
		group = netip.AddrFrom16([16]byte{0xff, 0x02, 15: 0xfb}).WithZone(from.Zone())
	}
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(group, 5353))
}

// Service is an instance of a service that has answered (RFC 6763).
type Service struct {
	Type     string // "_blackmagic._tcp"
	Instance string // what it is called
	Addr     netip.AddrPort
	Text     map[string]string
}

// askAgain are the pauses between the questions: one may be lost.
var askAgain = [...]time.Duration{0, 500 * time.Millisecond, time.Second}

// Limits of what strangers may answer.
const (
	maxServices = 1000
	maxText     = 64 // pairs of one service
)

// Browse asks the local network for services, from each of the addresses of this computer, until ctx ends, which is no error.
// It is a question of the simplest kind (RFC 6762, 5.1): it comes from a port of its own, so answers come to it alone, and
// nothing stays open. report is called once for each instance, from one goroutine at a time.
func Browse(ctx context.Context, n Network, types []string, report func(Service)) error {
	b := &browser{types: types, report: report, found: map[string]*answered{}}
	var questions []dnsmessage.Question
	for _, t := range types {
		name, err := dnsmessage.NewName(t + ".local.")
		if err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
		questions = append(questions, dnsmessage.Question{Name: name, Type: dnsmessage.TypePTR, Class: dnsmessage.ClassINET})
	}
	ask, err := (&dnsmessage.Message{Questions: questions}).Pack()
	if err != nil {
		return err
	}
	g, inner := errgroup.WithContext(ctx)
	for _, from := range n.From {
		g.Go(func() error { return b.ask(inner, n, from, ask) })
	}
	for _, from := range n.From6 {
		g.Go(func() error {
			_ = b.ask(inner, n, from, ask) // most networks have IPv4 too, and what is wrong with IPv6 stops no search
			return nil
		})
	}
	if err := g.Wait(); ctx.Err() == nil {
		return err
	}
	return nil
}

// browser collects answers.
type browser struct {
	types  []string
	report func(Service)

	mu    sync.Mutex
	found map[string]*answered // by the full name of the instance
}

// answered is what is known of an instance.
type answered struct {
	service string
	host    string
	port    uint16
	text    map[string]string
	addr    netip.Addr // of the host, else of who answered
	told    bool
}

// ask asks from one address and listens.
func (b *browser) ask(ctx context.Context, n Network, from netip.Addr, question []byte) error {
	network, group := "udp4", mdnsGroup(from)
	if from.Is6() {
		network = "udp6"
	}
	p, err := n.ListenPacket(ctx, network, netip.AddrPortFrom(from, 0).String())
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = p.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	defer p.Close()
	var asking sync.WaitGroup
	defer asking.Wait()
	asking.Go(func() {
		for _, pause := range askAgain {
			t := time.NewTimer(pause)
			select {
			case <-t.C:
				_, _ = p.WriteTo(question, group) // an interface without multicast hears nothing
			case <-ctx.Done():
				t.Stop()
				return
			}
		}
	})
	buf := make([]byte, 9000)
	for {
		size, sender, err := p.ReadFrom(buf)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			continue
		case err != nil:
			return err
		}
		if follow := b.take(buf[:size], addrOf(sender)); follow != nil {
			_, _ = p.WriteTo(follow, group)
		}
	}
}

func addrOf(a net.Addr) netip.Addr {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

// take takes an answer in. It returns a further question when the answer names an instance and does not say where it is.
func (b *browser) take(packet []byte, sender netip.Addr) (follow []byte) {
	var m dnsmessage.Message
	if m.Unpack(packet) != nil || !m.Response {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	hosts := map[string]netip.Addr{}
	for _, list := range [][]dnsmessage.Resource{m.Answers, m.Additionals} {
		for _, r := range list {
			b.record(&r, sender, hosts)
		}
	}
	var missing []dnsmessage.Question
	for name, a := range b.found {
		if addr, ok := hosts[a.host]; ok && a.host != "" {
			a.addr = addr
		}
		switch {
		case a.told:
		case a.port != 0:
			a.told = true
			b.report(Service{Type: a.service, Instance: strings.TrimSuffix(name, "."+a.service+".local."), Addr: netip.AddrPortFrom(a.addr, a.port), Text: a.text})
		default:
			if n, err := dnsmessage.NewName(name); err == nil {
				missing = append(missing, dnsmessage.Question{Name: n, Type: dnsmessage.TypeSRV, Class: dnsmessage.ClassINET},
					dnsmessage.Question{Name: n, Type: dnsmessage.TypeTXT, Class: dnsmessage.ClassINET})
			}
		}
	}
	if missing == nil {
		return nil
	}
	follow, err := (&dnsmessage.Message{Questions: missing}).Pack()
	if err != nil {
		return nil
	}
	return follow
}

// instance is what is known under the name of an instance; nil when it is none of the services that are looked for.
func (b *browser) instance(name string, sender netip.Addr) *answered {
	if a := b.found[name]; a != nil || len(b.found) >= maxServices {
		return a
	}
	for _, t := range b.types {
		if rest, ok := strings.CutSuffix(name, "."+t+".local."); ok && rest != "" {
			a := &answered{service: t, addr: sender, text: map[string]string{}}
			b.found[name] = a
			return a
		}
	}
	return nil
}

func (b *browser) record(r *dnsmessage.Resource, sender netip.Addr, hosts map[string]netip.Addr) {
	name := r.Header.Name.String()
	switch body := r.Body.(type) {
	case *dnsmessage.PTRResource:
		b.instance(body.PTR.String(), sender)
	case *dnsmessage.SRVResource:
		if a := b.instance(name, sender); a != nil {
			a.host, a.port = body.Target.String(), body.Port
		}
	case *dnsmessage.TXTResource:
		if a := b.instance(name, sender); a != nil {
			for _, pair := range body.TXT {
				if key, value, ok := strings.Cut(pair, "="); ok && len(a.text) < maxText {
					a.text[strings.ToLower(key)] = value
				}
			}
		}
	case *dnsmessage.AResource:
		nearer(hosts, name, netip.AddrFrom4(body.A))
	case *dnsmessage.AAAAResource:
		a := netip.AddrFrom16(body.AAAA)
		if a.IsLinkLocalUnicast() {
			if sender.Zone() == "" {
				return // of which link it is was said where nobody can tell
			}
			a = a.WithZone(sender.Zone())
		}
		nearer(hosts, name, a)
	}
}

// nearer keeps the address of a host that most programs can use: of IPv4, else one that needs no interface beside it.
func nearer(hosts map[string]netip.Addr, name string, a netip.Addr) {
	rank := func(a netip.Addr) int {
		switch {
		case a.Is4():
			return 2
		case a.Zone() == "":
			return 1
		}
		return 0
	}
	if old, known := hosts[name]; !known || rank(a) > rank(old) {
		hosts[name] = a
	}
}

// urlHost is an address as it stands in a URL.
func urlHost(a netip.Addr) string {
	if a.Is6() {
		return "[" + strings.Replace(a.String(), "%", "%25", 1) + "]"
	}
	return a.String()
}
