package focas

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/focas/focasserver"
)

// proxy is the control for FOCAS programs: it answers their opens with what the control said, and sends their requests
// over the one session that the gateway holds.
type proxy struct {
	env     driver.ServeEnv
	opts    *ServeOptions
	device  string
	listen  string
	answers *answers

	upstream atomic.Pointer[session] // nil while there is none

	forwarded, saved, refusals atomic.Uint64

	mu       sync.RWMutex
	clients  map[uint64]*client
	programs int // clients that are not on channel 1
}

var _ driver.Server = Driver{}

// ServeOptions are the defaults of the server.
func (Driver) ServeOptions() any { return serveDefaults() }

// openWithin is how long a connection may take to send its first frame.
const openWithin = 10 * time.Second

// Serve lets FOCAS programs connect as if to the control of the one upstream. They are reset when the link to it is lost,
// as by a control that is switched off, and while there is none.
func (Driver) Serve(ctx context.Context, env driver.ServeEnv, options any) error {
	opts, ok := options.(*ServeOptions)
	if !ok || opts == nil {
		opts = serveDefaults()
	}
	fail := func(class driver.Class, err error, hint string) error {
		return &driver.Error{Op: "serve", Target: opts.Listen, Class: class, Err: err, Hint: hint}
	}
	if err := opts.Validate(); err != nil {
		return fail(driver.Internal, err, "")
	}
	if len(env.Upstreams) != 1 {
		return fail(driver.Internal, fmt.Errorf("%d upstreams; a FOCAS address shows one control", len(env.Upstreams)), "")
	}
	if env.Gate == nil {
		return fail(driver.Internal, errNoGate, "")
	}
	ln, err := env.Listen(ctx, "tcp", opts.Listen)
	if err != nil {
		return fail(driver.ClassOf(err), err, "another program may use the address: choose another port with serve.listen")
	}
	up := env.Upstreams[0]
	p := &proxy{env: env, opts: opts, device: up.Name(), listen: ln.Addr().String(), answers: newAnswers(opts.Window),
		clients: map[uint64]*client{}}
	srv := focasserver.New(p, focasserver.Options{MaxConns: 2 * opts.MaxClients, IdleTimeout: opts.Idle, WrapConn: untilFirstAnswer})
	if env.Commands != nil {
		env.Commands(p)
		defer env.Commands(nil)
	}
	p.tell(&driver.Change{Specs: serverSpecs(), Samples: p.counts(time.Now())})
	defer p.tell(&driver.Change{Gone: []device.Path{clientsRoot}, Commands: []device.Command{}})

	inner, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { p.follow(inner, up, srv) })
	wg.Go(func() { p.publish(inner) })
	err = srv.Serve(inner, ln)
	cancel()
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fail(driver.ClassOf(err), err, "")
}

var (
	errNoGate   = errors.New("no gate: nobody would be asked for permission")
	errStranger = errors.New("the session is not one of this driver")
)

// follow keeps the upstream true: each session for as long as it lives, and no client outlives it.
func (p *proxy) follow(ctx context.Context, up driver.Upstream, srv *focasserver.Server) {
	for {
		s, gone, err := up.Session(ctx)
		if err != nil {
			return // ctx has ended
		}
		own, ok := s.(*session)
		if !ok {
			p.env.Log.Error("cannot serve FOCAS programs", "error", errStranger)
		} else {
			p.upstream.Store(own)
		}
		ended := own.doneOr(gone)
		select {
		case <-gone:
		case <-ended:
		case <-ctx.Done():
			return
		}
		p.upstream.Store(nil)
		srv.Drop(true)
		p.answers.forget()
		select {
		case <-gone: // the gateway has seen it too: the next session is another one
		case <-ctx.Done():
			return
		}
	}
}

// doneOr is closed when the session's connection has ended, which the gateway learns a little later; gone when there is
// no session.
func (s *session) doneOr(gone <-chan struct{}) <-chan struct{} {
	if s == nil {
		return gone
	}
	return s.client.Done()
}

// untilFirstAnswer ends a connection that does not get so far as to be answered: who connects and never speaks.
func untilFirstAnswer(c net.Conn) net.Conn {
	return &silent{Conn: c, timer: time.AfterFunc(openWithin, func() { c.Close() })}
}

type silent struct {
	net.Conn
	timer *time.Timer
}

func (c *silent) Write(b []byte) (int, error) {
	c.timer.Stop()
	return c.Conn.Write(b)
}

func (c *silent) Close() error {
	c.timer.Stop()
	return c.Conn.Close()
}
