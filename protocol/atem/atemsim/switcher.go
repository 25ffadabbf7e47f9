package atemsim

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/atem/atemserver"
)

// Client is somebody who is told what the switcher says. Send gets payloads of fields, each of which may be longer than a
// packet of UDP, that never change and that may be shared; it must not wait, and it must not call the Switcher.
type Client interface {
	Send(payloads ...[]byte) error
}

// Options of a simulated switcher. The zero value is a 2 M/E.
type Options struct {
	// Model is a name from [Models]; empty is "2me-4k".
	Model string
	// State is the state to begin with, as [atem.ReadDump] gives it, instead of a model. The Switcher owns it from then on.
	State *atem.State
	// Seed selects the noise of meters. The same seed gives the same noise.
	Seed uint64
	// Now is where time comes from; nil is time.Now.
	Now func() time.Time
	// Dirty leaves leftovers where the layouts name nothing, as real switchers do.
	Dirty bool
}

// Switcher is a simulated switcher. All methods may be called at the same time. A client is told everything in order.
type Switcher struct {
	opts Options
	wake chan struct{}

	mu      sync.Mutex
	m       *machine
	clients map[Client]*session
	dump    [][]byte
	dumpRev uint64
	noise   dirt
	servers map[*atemserver.Server]struct{}
	silent  atomic.Bool
}

// New makes a switcher and switches it on; it starts nothing. The error is about the options.
func New(o Options) (*Switcher, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.State == nil {
		if o.Model == "" {
			o.Model = "2me-4k"
		}
		st, err := build(o.Model)
		if err != nil {
			return nil, err
		}
		o.State = st
	}
	if o.State.Version() == 0 {
		return nil, fmt.Errorf("the state of a switcher begins with _ver: %w", atem.ErrNoDump)
	}
	o.State.Apply(&atem.Field{Code: atem.CodeInCm}) // what comes from now on is a change
	s := &Switcher{opts: o, wake: make(chan struct{}, 1), clients: map[Client]*session{}, servers: map[*atemserver.Server]struct{}{}}
	s.m = newMachine(o.State, o.Seed, o.Now())
	s.m.loadMacros()
	return s, nil
}

// packetSize is the size of the payloads of a dump: what fits into a packet of UDP as real switchers send them.
const packetSize = 1410

// Join takes a client in and gives it the dump.
func (s *Switcher) Join(c Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	if s.clients[c] != nil {
		return
	}
	own := &session{}
	s.clients[c] = own
	s.m.sessions[c] = own
	if s.dump == nil || s.dumpRev != s.m.st.Revision() {
		s.dump, s.dumpRev = s.m.st.Dump(packetSize), s.m.st.Revision()
	}
	if s.opts.Dirty {
		for _, p := range s.dump {
			_ = c.Send(s.noise.soil(p, s.m.ver))
		}
		return
	}
	_ = c.Send(s.dump...) // a client that cannot be told will leave
}

// Leave forgets a client, and gives back what it had locked.
func (s *Switcher) Leave(c Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.clients[c]
	if own == nil {
		return
	}
	s.advance()
	delete(s.clients, c)
	delete(s.m.sessions, c)
	s.m.leave(own)
	s.send()
}

// Command carries out the commands of one packet, in the same frame.
func (s *Switcher) Command(c Client, payload []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.clients[c]
	if own == nil {
		return
	}
	s.advance()
	s.m.commands(own, payload)
	s.send()
	s.poke()
}

// Do carries out a command as if a client had sent it.
func (s *Switcher) Do(commands ...atem.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	var payload []byte
	for _, c := range commands {
		payload = c.Append(payload, s.m.ver)
	}
	s.m.commands(&session{}, payload)
	s.send()
	s.poke()
}

// Set changes the state from behind, as an operator at the box would or a cable that is pulled, and tells everybody.
func (s *Switcher) Set(values ...atem.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	for _, v := range values {
		s.m.set(v)
	}
	s.send()
	s.poke()
}

// Clients is how many clients there are.
func (s *Switcher) Clients() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.clients)
}

// State is the state now, which goes its own way from here.
func (s *Switcher) State() *atem.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	return s.m.st.Clone()
}

// Save writes the state as a dump file, see [atem.State.WriteDump].
func (s *Switcher) Save(w io.Writer, redact bool) error { return s.State().WriteDump(w, redact) }

// Run lets time pass until ctx ends, and returns its error. Without it, time passes only when something is called.
func (s *Switcher) Run(ctx context.Context) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		s.mu.Lock()
		s.advance()
		due := s.m.due()
		now := s.opts.Now()
		s.mu.Unlock()
		wait := time.Hour
		if !due.IsZero() {
			wait = max(due.Sub(now), 0)
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		case <-s.wake:
		}
	}
}

func (s *Switcher) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// advance lets the machine come up to the clock.
func (s *Switcher) advance() { s.m.advance(s.opts.Now(), s.send) }

// send tells the clients what has happened.
func (s *Switcher) send() {
	change := s.m.change()
	for c, own := range s.clients {
		if change != nil {
			_ = c.Send(s.dirty(change))
		}
		if len(own.out) > 0 {
			_ = c.Send(s.dirty(append([]byte(nil), own.out...)))
			own.out = own.out[:0]
		}
	}
}

func (s *Switcher) dirty(payload []byte) []byte {
	if !s.opts.Dirty {
		return payload
	}
	return s.noise.soil(payload, s.m.ver)
}
