package aes70

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/oca"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaws"
)

// proxy is the device for AES70 controllers: it shows them the points of the one session that the gateway holds. Who may change
// what is the gateway's business.
type proxy struct {
	env      driver.ServeEnv
	opts     *ServeOptions
	device   string
	networks []netip.Prefix
	mirror   *oca.Mirror
	server   *ocaserver.Server

	upstream           atomic.Pointer[session] // nil while there is none
	forwarded, refused atomic.Uint64

	mu      sync.Mutex
	listens string // where controllers connect
	clients map[uint64]*client
}

var _ driver.Server = Driver{}

// ServeOptions are the defaults of the server.
func (Driver) ServeOptions() any { return serveDefaults() }

var (
	errNoGate     = errors.New("no gate: nobody would be asked for permission")
	errStranger   = errors.New("the session is not one of this driver")
	errNoUpstream = errors.New("there is no connection to the device now")
	errForeign    = errors.New("the address may not connect")
	errFull       = errors.New("too many controllers")
)

// Serve lets AES70 controllers connect as if to the device, over TCP and WebSocket. They are disconnected when the link to it is lost, and
// while there is none. Object numbers stay what they are while Serve runs, whatever the device does.
func (Driver) Serve(ctx context.Context, env driver.ServeEnv, options any) error {
	opts, ok := options.(*ServeOptions)
	if !ok || opts == nil {
		opts = serveDefaults()
	}
	fail := func(class driver.Class, err error, hint string) error {
		return &driver.Error{Op: "serve", Target: opts.Listen, Class: class, Err: err, Hint: hint}
	}
	networks, err := opts.Networks()
	if err == nil {
		err = opts.Validate()
	}
	switch {
	case err != nil:
		return fail(driver.Internal, err, "")
	case len(env.Upstreams) != 1:
		return fail(driver.Internal, fmt.Errorf("%d upstreams; an address shows one device", len(env.Upstreams)), "")
	case env.Gate == nil:
		return fail(driver.Internal, errNoGate, "")
	}
	up := env.Upstreams[0]
	p := &proxy{env: env, opts: opts, device: up.Name(), networks: networks, clients: map[uint64]*client{}}
	p.mirror = oca.NewMirror(p.device, p.write)
	p.server = ocaserver.New(p.mirror.Device, ocaserver.Options{MaxConns: 2 * opts.MaxClients, Connected: p.connected, Closed: p.closed})
	return p.run(ctx, up, fail)
}

// run listens, follows the upstream, and serves until ctx ends or a listener fails.
func (p *proxy) run(ctx context.Context, up driver.Upstream, fail func(driver.Class, error, string) error) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 2)
	var wg sync.WaitGroup
	serve := func(ws bool, addr string, f func(context.Context, net.Listener) error) error {
		ln, err := p.env.Listen(ctx, "tcp", addr)
		if err != nil {
			return fail(driver.ClassOf(err), err, "another program may use the address: choose another port with serve.listen or serve.ws")
		}
		if p.listens != "" {
			p.listens += ", "
		}
		p.listens += ln.Addr().String()
		wg.Go(func() { ended <- f(inner, ln) })
		if p.opts.Announce && p.env.Announce != nil && !oca.Loopback(addr) {
			wg.Go(func() {
				if err := p.env.Announce(inner, oca.Announcement(p.device, ws, ln.Addr())); err != nil {
					p.env.Log.Error("the local network is not told of the device", "error", err)
				}
			})
		}
		return nil
	}
	var err error
	if p.opts.Listen != "" {
		err = serve(false, p.opts.Listen, p.server.Serve)
	}
	if p.opts.WS != "" && err == nil {
		ws := ocaws.New(func(ctx context.Context, c net.Conn) { _ = p.server.ServeConn(ctx, c) }, ocaws.Options{MaxConns: 2 * p.opts.MaxClients, Origins: p.opts.Origins})
		err = serve(true, p.opts.WS, ws.Serve)
	}
	if err == nil {
		if p.env.Commands != nil {
			p.env.Commands(p)
			defer p.env.Commands(nil)
		}
		p.tell(&driver.Change{Specs: serverSpecs(), Samples: p.counts(time.Now())})
		defer p.tell(&driver.Change{Gone: []device.Path{device.ClientsRoot}, Commands: []device.Command{}})
		wg.Go(func() { p.follow(inner, up) })
		wg.Go(func() { p.publish(inner) })
		if e := <-ended; ctx.Err() == nil {
			err = fail(driver.ClassOf(e), e, "")
		}
	}
	cancel()
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// follow keeps the upstream true: each session for as long as it lives, and no controller outlives it.
func (p *proxy) follow(ctx context.Context, up driver.Upstream) {
	for {
		s, gone, err := up.Session(ctx)
		if err != nil {
			return // ctx has ended
		}
		own, ok := s.(*session)
		ended, stop := gone, func() {}
		if !ok {
			p.env.Log.Error("cannot serve AES70 controllers", "error", errStranger)
		} else {
			ended = own.client.Done()
			stop = own.follow(p.mirror)
			p.upstream.Store(own)
		}
		select {
		case <-gone:
		case <-ended:
		case <-ctx.Done():
		}
		stop()
		if ctx.Err() != nil {
			return
		}
		p.upstream.Store(nil)
		p.server.Drop(true)
		select {
		case <-gone: // the gateway has seen it too: the next session is another one
		case <-ctx.Done():
			return
		}
	}
}

// write carries out what a controller wants, when configuration and the gate agree.
func (p *proxy) write(ctx context.Context, c *ocaserver.Conn, path device.Path, v device.Value) error {
	up := p.upstream.Load()
	if up == nil {
		return &ocp1.Error{Status: ocp1.StatusProcessingFailed}
	}
	cl := p.client(c)
	who := driver.Who{Door: "aes70", Addr: c.RemoteAddr().String()}
	up.mu.Lock()
	a := driver.Action{Device: p.device, Path: path, Value: v}
	hazard := device.HazardMove
	if pt := up.board.byPath[path]; pt != nil {
		a.Old, hazard = pt.sample.Value, pt.spec.Hazard
	}
	up.mu.Unlock()
	err := notAllowed(p.device, path)
	if p.opts.Allows(path, hazard) {
		err = p.env.Gate.Allow(who, a)
	}
	if err != nil {
		p.refused.Add(1)
		if cl.firstRefusal(path) {
			p.env.Log.Warn("refused what a controller wanted", "client", who.Addr, "path", path, "why", err, "hint", driver.HintOf(err))
			p.env.Gate.Done(who, a, driver.Outcome{Stage: driver.Refused, Err: err})
		}
		return &ocp1.Error{Status: ocp1.StatusPermissionDenied}
	}
	p.forwarded.Add(1)
	out, err := up.Write(ctx, []driver.Write{{Path: path, Value: v}})
	o := driver.Outcome{Stage: driver.Uncertain, Err: err}
	if len(out) == 1 {
		o = out[0]
	}
	p.env.Gate.Done(who, a, o)
	if o.Err == nil {
		p.mirror.Took(path, v) // what the device makes of it follows
	}
	return statusError(o)
}

// statusError is what the controller is told.
func statusError(o driver.Outcome) error {
	var no *ocp1.Error
	switch {
	case o.Err == nil:
		return nil
	case errors.As(o.Err, &no):
		return &ocp1.Error{Status: no.Status}
	}
	return &ocp1.Error{Status: oca.StatusOf(driver.ClassOf(o.Err))}
}
