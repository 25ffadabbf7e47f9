package fc2server

import (
	"context"
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fc2/internal/tunnel"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaws"
)

// Store keeps the programs that have been let in. Its methods may be called at the same time.
type Store interface {
	Approved(key fc2.PublicKey) bool
	Approve(key fc2.PublicKey, name string) error
}

// Request is a program that asks to be let in.
type Request struct {
	ID   uint64 // of this request; no other has it while the server runs
	Name string // what it calls itself; anybody may call himself anything
	Key  fc2.PublicKey
	Addr string
}

// Person decides about requests. The methods are called for several requests at the same time, at most Options.Pairings.
type Person interface {
	// Approve asks and waits for the answer. It returns ctx's error when ctx ends first.
	Approve(ctx context.Context, r Request) (bool, error)
	// Show shows the code that the program is to send, until hide is called. Neither may block or call the server.
	Show(r Request, code []byte) (hide func())
}

// Options are those of a server. Identity, Store and Person are needed; the zero value of everything else is good.
type Options struct {
	Identity fc2.Identity
	Store    Store
	Person   Person
	Random   io.Reader // nil: crypto/rand
	// ApproveWithin is how long a person may think, CodeWithin how long the code is good. 0: two minutes.
	ApproveWithin, CodeWithin time.Duration
	// Pairings is how many programs may be paired at a time, each from another address: what a person has to look at. 0: 4.
	Pairings int
	// Every is the least time between two requests of one address in the long run, Burst how many may come at once. 0: 10 seconds, 3.
	Every time.Duration
	Burst int
	// MaxConns is the largest number of connections to each endpoint at a time. Of those to the onboarding endpoint, which is open to
	// everybody, at most [MaxPerHost] come from one address; of those to the secure endpoint, one address has at most half on which no
	// program has shown yet that it is paired. 0: 32.
	MaxConns int
	// Origins are hosts whose web pages may connect; the phone app is one at "localhost". nil: that.
	Origins []string
	// OCA are options of the server behind the tunnel.
	OCA ocaserver.Options
	// WrapConn, when set, goes around each accepted connection.
	WrapConn func(net.Conn) net.Conn
}

// MaxPerHost is how many connections to the onboarding endpoint one address may have at a time.
const MaxPerHost = 4

// codeSize is the length of a code in bytes. What Focusrite Control 2's codes hold is not known; a program sends them back as
// they are.
const codeSize = 16

// maxTries is how many wrong codes end a pairing.
const maxTries = 3

// Server serves both endpoints. Make it with [New]; all methods may be called at the same time.
type Server struct {
	opts       Options
	objects    *ocaserver.Server
	secure     *ocaws.Server
	agent      *ocaserver.Server
	onboarding *ocaws.Server

	mu       sync.Mutex
	conns    map[*tunnel.Conn]fc2.PublicKey
	pairings []*pairing // who asked first comes first
	requests uint64     // that a person was asked about
	asked    rates
}

// New makes a server for a device; it starts nothing.
func New(d *ocaserver.Device, o Options) *Server {
	if o.Random == nil {
		o.Random = rand.Reader
	}
	for _, x := range []struct {
		of *time.Duration
		to time.Duration
	}{{&o.ApproveWithin, 2 * time.Minute}, {&o.CodeWithin, 2 * time.Minute}, {&o.Every, 10 * time.Second}} {
		if *x.of <= 0 {
			*x.of = x.to
		}
	}
	if o.Pairings <= 0 {
		o.Pairings = 4
	}
	if o.Burst <= 0 {
		o.Burst = 3
	}
	if o.MaxConns <= 0 {
		o.MaxConns = 32
	}
	if o.Origins == nil {
		o.Origins = []string{"localhost"}
	}
	s := &Server{opts: o, objects: ocaserver.New(d, o.OCA), conns: map[*tunnel.Conn]fc2.PublicKey{}}
	front := ocaserver.NewDevice(ocaserver.Info{Model: ocp1.ModelDescription{Manufacturer: "patchbay", Name: "Onboarding", Version: "1"}})
	front.Root().Custom(fc2.AgentClass, "AuthenticationAgent", s.call)
	s.agent = ocaserver.New(front, ocaserver.Options{})
	s.secure = ocaws.New(s.serveSecure, ocaws.Options{MaxConns: o.MaxConns, MaxPerHost: (o.MaxConns + 1) / 2, Allow: s.allow, AnyProtocol: true, Origins: o.Origins, WrapConn: o.WrapConn})
	s.onboarding = ocaws.New(s.serveOnboarding, ocaws.Options{MaxConns: o.MaxConns, MaxPerHost: MaxPerHost, Allow: upgradesOnly, AnyProtocol: true, Origins: o.Origins, WrapConn: o.WrapConn})
	return s
}

// ServeSecure serves the secure endpoint until ctx ends, and closes ln.
func (s *Server) ServeSecure(ctx context.Context, ln net.Listener) error {
	return s.secure.Serve(ctx, ln)
}

// ServeOnboarding serves the onboarding endpoint until ctx ends, and closes ln.
func (s *Server) ServeOnboarding(ctx context.Context, ln net.Listener) error {
	return s.onboarding.Serve(ctx, ln)
}

// Drop ends every connection and keeps listening.
func (s *Server) Drop(reset bool) {
	s.secure.Drop(reset)
	s.onboarding.Drop(reset)
}

// Conns are the controllers behind the tunnel.
func (s *Server) Conns() []*ocaserver.Conn { return s.objects.Conns() }

// Forget ends the connections of a program that the store does not know any more.
func (s *Server) Forget(key fc2.PublicKey) {
	s.mu.Lock()
	var gone []*tunnel.Conn
	for c, k := range s.conns {
		if k == key {
			gone = append(gone, c)
		}
	}
	s.mu.Unlock()
	for _, c := range gone { // without the lock: a goodbye may wait for an answer
		c.Close()
	}
}

// Connected are the keys of the programs behind the tunnel, each once.
func (s *Server) Connected() []fc2.PublicKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []fc2.PublicKey
	for _, k := range s.conns {
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return keys
}

// allow answers 404 to everything but the upgrade of a program that is known.
func (s *Server) allow(r *http.Request) int {
	key, ok := fc2.KeyOfPath(r.URL.Path)
	if !ok || r.URL.RawQuery != "" || !s.opts.Store.Approved(key) {
		return http.StatusNotFound
	}
	return upgradesOnly(r)
}

// upgradesOnly answers 404 to what does not ask for a WebSocket.
func upgradesOnly(r *http.Request) int {
	if r.Header.Get("Upgrade") == "" {
		return http.StatusNotFound
	}
	return 0
}

func (s *Server) serveSecure(ctx context.Context, conn net.Conn) {
	ws, ok := conn.(*ocaws.Conn)
	if !ok {
		return
	}
	key, ok := fc2.KeyOfPath(ws.Path())
	if !ok {
		return
	}
	c, err := tunnel.Open(ctx, conn, s.opts.Identity, key, fc2.Server, s.opts.Random)
	if err != nil {
		return
	}
	ws.Admit()
	s.mu.Lock()
	s.conns[c] = key
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	}()
	// Why it ended is the controller's business.
	_ = s.objects.ServeConn(ctx, c)
}

func (s *Server) serveOnboarding(ctx context.Context, conn net.Conn) {
	p := &patient{Conn: conn, limit: s.opts.ApproveWithin + s.opts.CodeWithin + spareIdle}
	p.idle = time.AfterFunc(p.limit, func() { conn.Close() })
	defer p.idle.Stop()
	_ = s.agent.ServeConn(ctx, p)
}

// spareIdle is how much longer a connection to the onboarding endpoint may be silent than one that is being paired has to be: a
// program says nothing while a person is asked, and while the code is on its way. How long Focusrite Control 2 waits is not known.
const spareIdle = time.Minute

// patient gives nothing before a whole header has come: Focusrite Control 2 leaves a connection open on which a single byte came
// that begins no message, and closes it when there are more (seen). It closes one that is silent for longer than limit.
type patient struct {
	net.Conn
	head  []byte
	sure  bool
	limit time.Duration
	idle  *time.Timer
}

func (p *patient) Read(b []byte) (int, error) {
	for !p.sure {
		var more [ocp1.HeaderSize]byte
		n, err := p.read(more[:ocp1.HeaderSize-len(p.head)])
		p.head = append(p.head, more[:n]...)
		if err != nil {
			return 0, err
		}
		p.sure = len(p.head) == ocp1.HeaderSize
	}
	if len(p.head) > 0 {
		n := copy(b, p.head)
		p.head = p.head[n:]
		return n, nil
	}
	return p.read(b)
}

func (p *patient) read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	if n > 0 {
		p.idle.Reset(p.limit)
	}
	return n, err
}
