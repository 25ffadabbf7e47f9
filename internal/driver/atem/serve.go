package atem

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/protocol/atem/atemserver"
	"github.com/patchbay-io/patchbay/protocol/openswitcher/oswserver"
)

// proxy is the switcher for other programs: over UDP as a switcher, over TCP as a relay. All of them share the one session
// that the gateway holds.
type proxy struct {
	env  driver.ServeEnv
	opts *ServeOptions
	hubs []*hub // the first is the device itself

	listens []string
	udp     *atemserver.Server // nil: not served
	tcp     *oswserver.Server

	forwarded, refusals, dropped atomic.Uint64

	serving context.Context // of Serve: files that are carried end with it
	uploads sync.WaitGroup

	clients *serving.Clients[*client]
	lastID  atomic.Uint64

	mu     sync.Mutex
	turned map[string]bool // hosts that may not connect and have tried
}

var (
	_ driver.Server = Driver{}
	_ driver.Server = Relay{}
)

// ServeOptions are the defaults of the server.
func (Driver) ServeOptions() any { return serveDefaults() }

// Serve lets ATEM programs connect as if to the switcher of the first upstream, and OpenSwitcher programs choose among all of
// them. They are told when the link to it is lost, as by a switcher that is switched off.
func (Driver) Serve(ctx context.Context, env driver.ServeEnv, options any) error {
	return serve(ctx, env, options)
}

// ServeOptions are the defaults of the server.
func (Relay) ServeOptions() any { return serveDefaults() }

// Serve is [Driver.Serve] for a switcher behind a relay.
func (Relay) Serve(ctx context.Context, env driver.ServeEnv, options any) error {
	return serve(ctx, env, options)
}

var errNoGate = errors.New("no gate: nobody would be asked for permission")

// serve is the server of both drivers.
func serve(ctx context.Context, env driver.ServeEnv, options any) error {
	opts, ok := options.(*ServeOptions)
	if !ok || opts == nil {
		opts = serveDefaults()
	}
	fail := func(target string, class driver.Class, err error, hint string) error {
		return &driver.Error{Op: "serve", Target: target, Class: class, Err: err, Hint: hint}
	}
	if err := opts.Validate(); err != nil {
		return fail("", driver.Internal, err, "")
	}
	switch {
	case len(env.Upstreams) == 0:
		return fail("", driver.Internal, errors.New("no upstream"), "")
	case env.Gate == nil:
		return fail("", driver.Internal, errNoGate, "")
	}
	certificate, err := opts.tls()
	if err != nil {
		return fail(opts.OpenSwitcher, driver.Internal, err, "serve.tls_cert and serve.tls_key are files with a certificate and its key in PEM")
	}
	p := newProxy(env, opts)
	var pc net.PacketConn
	var ln net.Listener
	if opts.ATEM != "" {
		if pc, err = env.ListenPacket(ctx, "udp", opts.ATEM); err != nil {
			return fail(opts.ATEM, driver.ClassOf(err), err, "another program may use the address: choose another port with serve.atem")
		}
		p.listens = append(p.listens, "udp "+pc.LocalAddr().String())
	}
	if opts.OpenSwitcher != "" {
		if ln, err = env.Listen(ctx, "tcp", opts.OpenSwitcher); err != nil {
			if pc != nil {
				pc.Close()
			}
			return fail(opts.OpenSwitcher, driver.ClassOf(err), err, "another program may use the address: choose another port with serve.openswitcher")
		}
		p.listens = append(p.listens, "tcp "+ln.Addr().String())
		ln = &only{ln, p}
		if certificate != nil {
			ln = tls.NewListener(ln, certificate)
		}
	}
	if env.Commands != nil {
		env.Commands(p.clients)
		defer env.Commands(nil)
	}

	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	p.serving = inner
	var wg sync.WaitGroup
	ended := make(chan error, 2)
	run := func(addr string, f func(context.Context) error) {
		wg.Go(func() { ended <- fail(addr, driver.Closed, f(inner), "") })
	}
	if pc != nil {
		run(opts.ATEM, func(ctx context.Context) error { return p.udp.Serve(ctx, pc) })
	}
	if ln != nil {
		run(opts.OpenSwitcher, func(ctx context.Context) error { return p.tcp.Serve(ctx, ln) })
	}
	for i, up := range env.Upstreams {
		wg.Go(func() { p.hubs[i].follow(inner, up) })
	}
	wg.Go(func() { p.clients.Run(inner) })
	err = <-ended
	cancel()
	wg.Wait()
	p.uploads.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func newProxy(env driver.ServeEnv, opts *ServeOptions) *proxy {
	p := &proxy{env: env, opts: opts, turned: map[string]bool{}}
	p.clients = serving.NewClients[*client](serving.Options{Device: env.Upstreams[0].Name(), Sink: env.Sink, Grade: device.GradeSpec,
		Server: p.serverPoints(), Count: serving.Point{Name: "count", Kind: device.Int, Title: "Programs", Doc: "programs that are connected"}, Noun: "program"})
	for i, up := range env.Upstreams {
		label := up.Name()
		if i == 0 && opts.Label != "" {
			label = opts.Label
		}
		p.hubs = append(p.hubs, &hub{proxy: p, name: up.Name(), label: label, clients: map[*client]bool{}})
	}
	p.udp = atemserver.New((*overUDP)(p), atemserver.Options{MaxSessions: opts.MaxClients, Admit: func(from net.Addr) bool {
		return p.mayConnect(from, "ATEM") && p.hubs[0].there()
	}})
	p.tcp = oswserver.New((*overTCP)(p), oswserver.Options{Logins: opts.Login, MaxConns: opts.MaxClients})
	return p
}

// maxTurned bounds how many hosts that may not connect are named in the log; each is once.
const maxTurned = 256

// mayConnect reports whether an address may connect at all, and tells of the first attempt of one that may not.
func (p *proxy) mayConnect(from net.Addr, kind string) bool {
	if p.opts.From.Admit(from.String()) {
		return true
	}
	host, _, _ := net.SplitHostPort(from.String())
	p.mu.Lock()
	first := !p.turned[host] && len(p.turned) < maxTurned
	if first {
		p.turned[host] = true
	}
	p.mu.Unlock()
	if first {
		p.env.Log.Warn("refused a program: serve.from does not hold its address", "client", from.String(), "kind", kind)
	}
	return false
}

// there reports whether the switcher is.
func (h *hub) there() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.up != nil
}

var errAway = errors.New("there is no connection to the switcher now")

// enter makes a client of a connection that has come so far.
func (p *proxy) enter(h *hub, peer peer, transport string, who driver.Who) (*client, error) {
	cl := &client{id: p.lastID.Add(1), hub: h, peer: peer, transport: transport, who: who, since: time.Now(), rights: p.opts.rightsOf(who.User, who.Addr)}
	if err := p.clients.Add(cl.id, cl, true); err != nil {
		return cl, err
	}
	if !h.join(cl) {
		return cl, errAway
	}
	return cl, nil
}

// exit forgets a client.
func (p *proxy) exit(cl *client, why error) {
	cl.hub.leave(cl)
	if why != nil {
		p.env.Log.Info("a program is gone", "client", cl.who.Addr, "over", cl.transport, "why", why)
	}
	p.clients.Remove(cl.id)
	if tooSlow(why) {
		p.dropped.Add(1)
	}
}

// nameOf is the id of a device for OpenSwitcher programs, which has 20 bytes at most.
func nameOf(h *hub) string {
	return h.name[:min(len(h.name), 20)]
}

func (p *proxy) hubOf(id string) (*hub, error) {
	for _, h := range p.hubs {
		if nameOf(h) == id {
			return h, nil
		}
	}
	return nil, fmt.Errorf("there is no device %q", id)
}
