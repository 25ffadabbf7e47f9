// Package fc2sim is a simulated Focusrite Control 2 with an audio interface behind it: both endpoints, and a person who is
// played by whoever calls [Sim.Decide]. The interface is that of ocasim, which follows no maker's device.
package fc2sim

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net"
	"sync"
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

	mu      sync.Mutex
	asks    *fc2server.Request // a person is being asked
	answer  chan bool
	shows   *fc2server.Request // a code is shown
	code    []byte
	changed chan struct{}
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
	s := &Sim{opts: o, identity: id, changed: make(chan struct{}),
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
	State string             // of onboarding
	Asks  *fc2server.Request // who wants to be let in; nil: nobody
	Shows *fc2server.Request // whom the code is for; nil: none is shown
	Code  []byte
}

// Prompt is what is on the screen now; changed is closed when that may be different.
func (s *Sim) Prompt() (p Prompt, changed <-chan struct{}) {
	state := s.server.State()
	s.mu.Lock()
	defer s.mu.Unlock()
	return Prompt{State: state, Asks: s.asks, Shows: s.shows, Code: s.code}, s.changed
}

// ErrNobodyAsks is the answer to a decision that nobody has asked for.
var ErrNobodyAsks = errors.New("nobody asks to be let in")

// Decide is the click of the person.
func (s *Sim) Decide(approve bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asks == nil {
		return ErrNobodyAsks
	}
	select {
	case s.answer <- approve:
	default: // clicked already
	}
	return nil
}

// news wakes who looks at the screen; the lock is held.
func (s *Sim) news() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Approve implements fc2server.Person.
func (s *Sim) Approve(ctx context.Context, r fc2server.Request) (bool, error) {
	if s.opts.Approve {
		return true, nil
	}
	answer := make(chan bool, 1)
	s.mu.Lock()
	s.asks, s.answer = &r, answer
	s.news()
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asks = nil
		s.news()
	}()
	select {
	case ok := <-answer:
		return ok, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// Show implements fc2server.Person.
func (s *Sim) Show(r fc2server.Request, code []byte) (hide func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shows, s.code = &r, code
	s.news()
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.shows, s.code = nil, nil
		s.news()
	}
}
