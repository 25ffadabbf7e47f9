package focas

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
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

	clients *serving.Clients[*client]
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
	fail := serving.Failing(opts.Listen)
	if err := fail.Check(env, opts); err != nil {
		return err
	}
	ln, err := env.Listen(ctx, "tcp", opts.Listen)
	if err != nil {
		return fail(driver.ClassOf(err), err, "another program may use the address: choose another port with serve.listen")
	}
	up := env.Upstreams[0]
	p := &proxy{env: env, opts: opts, device: up.Name(), listen: ln.Addr().String(), answers: newAnswers(opts.Window)}
	p.clients = serving.NewClients[*client](serving.Options{Device: p.device, Sink: env.Sink, Grade: device.GradeSpec, Server: p.serverPoints(),
		Count: serving.Point{Name: "count", Kind: device.Int, Title: "Programs", Doc: "FOCAS programs that are connected"}, Noun: "program", Max: opts.MaxClients})
	srv := focasserver.New(p, focasserver.Options{MaxConns: 2 * opts.MaxClients, IdleTimeout: opts.Idle, WrapConn: untilFirstAnswer})
	if env.Commands != nil {
		env.Commands(p.clients)
		defer env.Commands(nil)
	}

	inner, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		serving.Follow(inner, up, func(s driver.Session) (<-chan struct{}, func(bool)) { return p.begin(s, srv) })
	})
	wg.Go(func() { p.clients.Run(inner) })
	err = srv.Serve(inner, ln)
	cancel()
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fail(driver.ClassOf(err), err, "")
}

var (
	errStranger = errors.New("the session is not one of this driver")
)

// begin takes a session for as long as it lives; no client outlives it.
func (p *proxy) begin(s driver.Session, srv *focasserver.Server) (ended <-chan struct{}, end func(lost bool)) {
	if own, ok := s.(*session); ok {
		p.upstream.Store(own)
		ended = own.client.Done()
	} else {
		p.env.Log.Error("cannot serve FOCAS programs", "error", errStranger)
	}
	return ended, func(lost bool) {
		if !lost {
			return
		}
		p.upstream.Store(nil)
		srv.Drop(true)
		p.answers.forget()
	}
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
