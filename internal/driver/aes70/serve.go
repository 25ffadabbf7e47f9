package aes70

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/internal/oca"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
)

// proxy is the device for AES70 controllers: it shows them the points of the one session that the gateway holds. Who may change
// what is the gateway's business.
type proxy struct {
	env    driver.ServeEnv
	opts   *ServeOptions
	device string
	mirror *oca.Mirror
	server *ocaserver.Server

	upstream           atomic.Pointer[session] // nil while there is none
	forwarded, refused atomic.Uint64

	listens string // where controllers connect; set before anybody can
	clients *oca.Clients
}

var _ driver.Server = Driver{}

// ServeOptions are the defaults of the server.
func (Driver) ServeOptions() any { return serveDefaults() }

var (
	errStranger   = errors.New("the session is not one of this driver")
	errNoUpstream = errors.New("there is no connection to the device now")
	errForeign    = errors.New("the address may not connect")
)

// Serve lets AES70 controllers connect as if to the device, over TCP, TLS and WebSocket. They are disconnected when the link to it is lost, and
// while there is none. Object numbers stay what they are while Serve runs, whatever the device does.
func (Driver) Serve(ctx context.Context, env driver.ServeEnv, options any) error {
	opts, ok := options.(*ServeOptions)
	if !ok || opts == nil {
		opts = serveDefaults()
	}
	fail := serving.Failing(strings.Join(slices.DeleteFunc([]string{opts.Listen, opts.TLS, opts.WS}, func(a string) bool { return a == "" }), ", "))
	if err := fail.Check(env, opts); err != nil {
		return err
	}
	up := env.Upstreams[0]
	p := &proxy{env: env, opts: opts, device: up.Name()}
	p.mirror = oca.NewMirror(p.device, p.write)
	p.server = ocaserver.New(p.mirror.Device, ocaserver.Options{MaxConns: 2 * opts.MaxClients, Connected: p.connected, Closed: p.closed})
	return p.run(ctx, up, fail)
}

// run listens, follows the upstream, and serves until ctx ends or a listener fails.
func (p *proxy) run(ctx context.Context, up driver.Upstream, fail serving.Fail) error {
	ways := p.opts.Ways(p.server, p.env.TLS)
	listeners := make([]net.Listener, len(ways))
	addrs := make([]string, len(ways))
	for i := range ways {
		ln, err := p.env.Listen(ctx, "tcp", ways[i].Addr)
		if err != nil {
			for _, open := range listeners[:i] {
				open.Close()
			}
			return serving.Failing(ways[i].Addr)(driver.ClassOf(err), err, "another program may use the address: choose another port with serve."+ways[i].Key)
		}
		listeners[i], addrs[i] = ln, ways[i].Name+" "+ln.Addr().String()
	}
	p.listens = strings.Join(addrs, ", ")
	p.clients = oca.NewClients(serving.Options{Device: p.device, Sink: p.env.Sink, Server: p.serverPoints(), Max: p.opts.MaxClients})
	if p.env.Commands != nil {
		p.env.Commands(p.clients)
		defer p.env.Commands(nil)
	}
	inner, cancel := context.WithCancel(ctx)
	ended := make(chan error, len(ways))
	var wg sync.WaitGroup
	wg.Go(func() { p.clients.Run(inner) })
	wg.Go(func() { serving.Follow(inner, up, p.begin) })
	wg.Go(func() { p.watchMeters(inner) })
	for i, w := range ways {
		ln := listeners[i]
		at := ln.Addr()
		wg.Go(func() { ended <- w.Serve(inner, ln) })
		if p.opts.Announce && p.env.Announce != nil && oca.Reached(w.Addr) {
			wg.Go(func() {
				if err := p.env.Announce(inner, w.Announcement(p.device, at)); err != nil {
					p.env.Log.Error("the local network is not told of the device", "error", err)
				}
			})
		}
	}
	err := <-ended
	cancel()
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fail(driver.ClassOf(err), err, "")
}

// begin shows a session to the controllers. None of them outlives it.
func (p *proxy) begin(s driver.Session) (ended <-chan struct{}, end func(lost bool)) {
	own, ok := s.(*session)
	if !ok {
		p.env.Log.Error("cannot serve AES70 controllers", "error", errStranger)
		return nil, func(bool) {}
	}
	stop := own.follow(p.mirror)
	p.upstream.Store(own)
	return own.client.Done(), func(lost bool) {
		stop()
		if lost {
			p.upstream.Store(nil)
			p.server.Drop(true)
		}
	}
}

// write carries out what a controller wants, when configuration and the gate agree.
func (p *proxy) write(ctx context.Context, c *ocaserver.Conn, path device.Path, v device.Value) error {
	up := p.upstream.Load()
	if up == nil {
		return &ocp1.Error{Status: ocp1.StatusProcessingFailed}
	}
	cl, _ := p.clients.Get(c.ID())
	who := driver.Who{Door: "aes70", Addr: c.RemoteAddr().String()}
	up.mu.Lock()
	a := driver.Action{Device: p.device, Path: path, Value: v}
	hazard := device.HazardMove
	if pt := up.board.byPath[path]; pt != nil {
		a.Old, hazard = pt.sample.Value, pt.spec.Hazard
	}
	up.mu.Unlock()
	err := serving.NotAllowed(p.device, "controller", path)
	if p.opts.Allow.Allow(path, hazard) {
		err = p.env.Gate.Allow(who, a)
	}
	if err != nil {
		p.refused.Add(1)
		if cl == nil || cl.First(path) {
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
