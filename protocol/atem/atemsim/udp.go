package atemsim

import (
	"context"
	"net"
	"sync"

	"github.com/patchbay-io/patchbay/protocol/atem/atemserver"
)

// UDPOptions are how a switcher is served over ATEM UDP.
type UDPOptions struct {
	// MaxSessions is how many clients there may be; the next is told that all sessions are taken. 0: 5, as most real switchers
	// have.
	MaxSessions int
	// Faults is what goes wrong on the network.
	Faults Faults
}

// udp is the switcher as the handler of a server.
type udp struct{ *Switcher }

func (u udp) Opened(c *atemserver.Conn)                  { u.Join(c) }
func (u udp) Command(c *atemserver.Conn, payload []byte) { u.Switcher.Command(c, payload) }
func (u udp) Closed(c *atemserver.Conn, _ error)         { u.Leave(c) }

// ServeUDP serves clients on pc, and lets time pass, until ctx ends or pc fails. It may be called for several connections at
// the same time; each has sessions of its own.
func (s *Switcher) ServeUDP(ctx context.Context, pc net.PacketConn, o UDPOptions) error {
	if o.MaxSessions <= 0 {
		o.MaxSessions = 5
	}
	srv := atemserver.New(udp{s}, atemserver.Options{MaxSessions: o.MaxSessions})
	s.mu.Lock()
	s.servers[srv] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.servers, srv)
		s.mu.Unlock()
	}()
	running, stop := context.WithCancel(ctx)
	var clock sync.WaitGroup
	clock.Go(func() { _ = s.Run(running) }) // it ends with its context, for no other reason
	link := newLink(pc, o.Faults, &s.silent)
	err := srv.Serve(ctx, link)
	link.wait()
	stop()
	clock.Wait()
	return err
}

// Silence makes the switcher deaf and mute, as one that hangs or whose cable is out, or ends that.
func (s *Switcher) Silence(on bool) { s.silent.Store(on) }

// Restart drops all sessions over UDP without a word, as a switcher does that loses its power. What it was set to, it keeps.
func (s *Switcher) Restart() {
	s.mu.Lock()
	servers := make([]*atemserver.Server, 0, len(s.servers))
	for srv := range s.servers {
		servers = append(servers, srv)
	}
	s.mu.Unlock()
	for _, srv := range servers {
		srv.Forget()
	}
}
