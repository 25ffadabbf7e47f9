// Package discover finds devices: servers on this machine, and hosts that answer in a known protocol. It asks no other
// machine unless it is told which, it asks only on ports that belong to a known protocol, at a pace, and it says what it
// has looked at.
package discover

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/lab/probe"
)

// MaxHosts is the largest subnet that is searched without further question: a /22.
const MaxHosts = 1024

// Finder searches. The zero values of the numbers are good.
type Finder struct {
	Drivers      []driver.Driver
	Dial         driver.Opener[net.Conn]
	ListenPacket driver.Opener[net.PacketConn]

	Timeout time.Duration // of one connection; 0: 1 second
	Pace    time.Duration // least time between two connections; 0: 10 milliseconds
	Workers int           // connections at a time; 0: 16
	Ports   []uint16      // asked besides those of the drivers
}

// Found is a device that answered.
type Found struct {
	Addr     netip.AddrPort `json:"addr"`
	Protocol string         `json:"protocol"` // the driver's name
	URL      string         `json:"url"`
	Reasons  []string       `json:"found"`
}

// Target is one port of one host.
type Target struct {
	Network string // "tcp" or "udp"
	Addr    netip.AddrPort
}

// Looked is what a search has looked at.
type Looked struct {
	Asked   int `json:"asked"`   // ports that were asked
	Open    int `json:"open"`    // of them open
	Refused int `json:"refused"` // of them refused: a host is there
	Silent  int `json:"silent"`  // of them without an answer
}

// Add adds what another search has looked at.
func (l *Looked) Add(o Looked) {
	l.Asked += o.Asked
	l.Open += o.Open
	l.Refused += o.Refused
	l.Silent += o.Silent
}

// AllPorts are the ports that are asked on each host over "tcp" or "udp".
func (f *Finder) AllPorts(network string) []uint16 {
	return append((&probe.Prober{Drivers: f.Drivers}).Ports(network), f.Ports...)
}

// Hosts are the addresses of a subnet, without its network and broadcast address where it has them.
func Hosts(p netip.Prefix) ([]netip.Addr, error) {
	p = p.Masked()
	bits := p.Addr().BitLen() - p.Bits()
	if bits > 16 {
		return nil, fmt.Errorf("%v has 2^%d addresses; a /16 of IPv4 is the most that is searched", p, bits)
	}
	var out []netip.Addr
	for a := p.Addr(); p.Contains(a); a = a.Next() {
		out = append(out, a)
	}
	if p.Addr().Is4() && bits >= 2 {
		out = out[1 : len(out)-1]
	}
	return out, nil
}

// Search asks every target once. report is called for each device, from one goroutine at a time.
func (f *Finder) Search(ctx context.Context, targets []Target, report func(Found)) (Looked, error) {
	workers := f.Workers
	if workers <= 0 {
		workers = 16
	}
	pace := f.Pace
	if pace <= 0 {
		pace = 10 * time.Millisecond
	}
	queue := make(chan Target)
	var mu sync.Mutex
	var looked Looked
	var wg sync.WaitGroup
	for range min(workers, len(targets)) {
		wg.Go(func() {
			for t := range queue {
				found, outcome := f.ask(ctx, t)
				mu.Lock()
				looked.Asked++
				switch outcome {
				case probe.OK:
					looked.Open++
				case probe.Refused:
					looked.Refused++
				default:
					looked.Silent++
				}
				if found != nil && report != nil {
					report(*found)
				}
				mu.Unlock()
			}
		})
	}
	tick := time.NewTicker(pace)
	defer tick.Stop()
	var err error
	for i, t := range targets {
		if i > 0 {
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
		select {
		case queue <- t:
		case <-ctx.Done():
		}
		if err = ctx.Err(); err != nil {
			break
		}
	}
	close(queue)
	wg.Wait()
	return looked, err
}

// ask asks one port. The outcome is that of the connect; over datagrams, where there is none, that of the question: OK when
// anything came back.
func (f *Finder) ask(ctx context.Context, t Target) (*Found, probe.Outcome) {
	timeout := f.Timeout
	if timeout <= 0 {
		timeout = time.Second
	}
	p := &probe.Prober{Drivers: f.Drivers, Dial: f.Dial, ListenPacket: f.ListenPacket, StepTimeout: timeout, Pace: time.Nanosecond}
	var found *Found
	open := probe.Failed
	p.Identify(ctx, t.Network, t.Addr, func(s probe.Step) {
		switch {
		case s.Name == "connect":
			open = s.Outcome
		case s.Network == "udp" && s.Received.Total > 0:
			open = probe.OK
		case s.Network == "udp" && open != probe.OK:
			open = s.Outcome
		}
		if s.Protocol != "" {
			at := netip.AddrPortFrom(t.Addr.Addr(), cmp.Or(s.Port, t.Addr.Port()))
			found = &Found{Addr: t.Addr, Protocol: s.Protocol, Reasons: s.Found, URL: probe.URL(f.Drivers, cmp.Or(s.Scheme, s.Name), at)}
		}
	})
	return found, open
}

// Targets are all ports of all hosts, host by host, each once.
func (f *Finder) Targets(hosts []netip.Addr) []Target {
	var out []Target
	seen := map[Target]bool{}
	for _, h := range hosts {
		for _, network := range []string{"tcp", "udp"} {
			if network == "udp" && len((&probe.Prober{Drivers: f.Drivers}).Ports("udp")) == 0 {
				continue // nobody could ask there
			}
			for _, port := range f.AllPorts(network) {
				t := Target{network, netip.AddrPortFrom(h, port)}
				if !seen[t] {
					seen[t] = true
					out = append(out, t)
				}
			}
		}
	}
	return out
}

// Sort puts devices into the order of their addresses.
func Sort(found []Found) {
	slices.SortFunc(found, func(a, b Found) int { return a.Addr.Compare(b.Addr) })
}
