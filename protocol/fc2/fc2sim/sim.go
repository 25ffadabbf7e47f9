// Package fc2sim is a simulated Focusrite Control 2 with an audio interface behind it: both endpoints, and a person who is
// played by whoever calls [Sim.Decide]. The interface is that of ocasim, which follows no maker's device.
package fc2sim

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"net"
	"time"

	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2server"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocasim"
)

// Options are those of a simulator. The zero value is good.
type Options struct {
	Serial string
	Seed   uint64 // of what the meters do, and of the server's key, so that it stays the same
	// Inputs are the analogue inputs; 0: 4.
	Inputs int
	// EV1 refuses events of the second kind.
	EV1 bool
	// Approve lets everybody in who asks, without a person; the code is still wanted.
	Approve bool
	// Every and Burst are those of fc2server.Options.
	Every    time.Duration
	Burst    int
	WrapConn func(net.Conn) net.Conn
	Server   ocaserver.Options
}

// Sim is a simulated server. All methods may be called at the same time. Make it with [New].
type Sim struct {
	Interface *ocasim.Sim // what is behind the tunnel

	opts     Options
	identity fc2.Identity
	clients  fc2server.Clients
	server   *fc2server.Server

	prompts fc2server.Prompts
}

// New makes a simulator; it starts nothing.
func New(o Options) *Sim {
	if o.Serial == "" {
		o.Serial = "SIM0000002"
	}
	secret := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("patchbay simulated Focusrite Control 2"), o.Seed))
	id, err := fc2.IdentityOf(secret[:])
	if err != nil {
		panic("fc2sim: " + err.Error()) // 32 bytes are a key
	}
	s := &Sim{opts: o, identity: id,
		Interface: ocasim.New(ocasim.Options{Serial: o.Serial, Seed: o.Seed, Inputs: o.Inputs, EV1: o.EV1})}
	oca := o.Server
	oca.EV1 = oca.EV1 || o.EV1
	s.server = fc2server.New(s.Interface.Device, fc2server.Options{Identity: id, Store: &s.clients, Person: s, Every: o.Every, Burst: o.Burst,
		OCA: oca, WrapConn: o.WrapConn, Origins: []string{"*"}})
	return s
}

// PublicKey is the server's public key, which Focusrite Control 2 announces by DNS-SD.
func (s *Sim) PublicKey() fc2.PublicKey { return s.identity.Public() }

// Clients are the programs that have been let in.
func (s *Sim) Clients() *fc2server.Clients { return &s.clients }

// Remove forgets a program and ends its connections.
func (s *Sim) Remove(key fc2.PublicKey) bool {
	known := s.clients.Remove(key)
	s.server.Forget(key)
	return known
}

// ServeSecure serves the secure endpoint until ctx ends, and closes ln.
func (s *Sim) ServeSecure(ctx context.Context, ln net.Listener) error {
	return s.server.ServeSecure(ctx, ln)
}

// ServeOnboarding serves the onboarding endpoint until ctx ends, and closes ln.
func (s *Sim) ServeOnboarding(ctx context.Context, ln net.Listener) error {
	return s.server.ServeOnboarding(ctx, ln)
}

// Run moves the meters until ctx ends.
func (s *Sim) Run(ctx context.Context) error { return s.Interface.Run(ctx) }

// Drop ends every connection and keeps listening.
func (s *Sim) Drop(reset bool) { s.server.Drop(reset) }

// Prompt is what the person at the simulated computer sees.
type Prompt struct {
	State string // of pairing, as fc2server.Server.State
	fc2server.Prompt
}

// Prompt is what is on the screen now; changed is closed when that may be different.
func (s *Sim) Prompt() (p Prompt, changed <-chan struct{}) {
	p.Prompt, changed = s.prompts.Look()
	p.State = s.server.State()
	return p, changed
}

// Decide is the click of the person for whoever has waited longest. When nobody waits, a no takes back the code that is shown.
func (s *Sim) Decide(approve bool) error {
	p, _ := s.prompts.Look()
	switch {
	case p.Asks != nil:
		return s.DecideOn(p.Asks.ID, approve)
	case p.Shows != nil && !approve:
		return s.DecideOn(p.Shows.ID, false)
	}
	return fc2server.ErrNobodyAsks
}

// DecideOn is the click of the person for the request with the number. It can be a no to a code that is shown.
func (s *Sim) DecideOn(id uint64, approve bool) error {
	err := s.prompts.Decide(id, approve)
	if err != nil && !approve && s.server.Cancel(id) {
		return nil
	}
	return err
}

// Approve implements fc2server.Person.
func (s *Sim) Approve(ctx context.Context, r fc2server.Request) (bool, error) {
	if s.opts.Approve {
		return true, nil
	}
	return s.prompts.Approve(ctx, r)
}

// Show implements fc2server.Person.
func (s *Sim) Show(r fc2server.Request, code []byte) (hide func()) { return s.prompts.Show(r, code) }
