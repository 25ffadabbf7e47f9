package gateway

import (
	"context"
	"fmt"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// native is the gateway's side of a device's native server. The link's lock guards it.
type native struct {
	changed chan struct{}    // closed and replaced when the configuration of the server is another one
	session []device.Command // what the session has
	// clients are those of each server that programs connect to: of a door by its name, and of the device's own by "".
	clients map[string]clients
	listens string // what the log was told of the addresses of the device's own server since it began
}

func newNative() native { return native{changed: make(chan struct{}), clients: map[string]clients{}} }

// serveAgain is the pause before a server that could not serve is started again.
const serveAgain = 5 * time.Second

// serveNative runs the device's native server as its configuration says, until ctx ends.
func (l *link) serveNative(ctx context.Context) {
	for ctx.Err() == nil {
		l.mu.Lock()
		cfg, changed := l.cfg, l.native.changed
		l.mu.Unlock()
		server, ok := cfg.Driver.(driver.Server)
		if !ok || cfg.Serve == nil {
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		err := l.serveOnce(ctx, server, cfg.Serve, changed)
		select {
		case <-ctx.Done():
			return
		case <-changed:
			continue
		default:
		}
		l.log.Error("the server for other programs does not run", "error", err, "hint", driver.HintOf(err), "pause", serveAgain)
		l.showServeError(err)
		pause := time.NewTimer(serveAgain)
		select {
		case <-changed:
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
		l.showServeError(nil)
	}
}

// serveOnce serves until ctx ends, the configuration changes, or the server gives up.
func (l *link) serveOnce(ctx context.Context, server driver.Server, options any, changed <-chan struct{}) error {
	ctx, cancel := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-changed:
			cancel()
		case <-ctx.Done():
		}
	}()
	defer func() {
		cancel()
		<-watched
		l.mu.Lock()
		l.native.listens = ""
		l.mu.Unlock()
	}()
	env, err := l.serveEnv(options)
	if err != nil {
		return err
	}
	return l.guard("serve", func() error { return server.Serve(ctx, env, options) })
}

// showServeError keeps the point that says why nothing is served; nil takes it away.
func (l *link) showServeError(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isRetired {
		return
	}
	at := device.ClientsRoot.Child("error")
	if err == nil {
		l.g.tree.Apply(l.name, &device.Delta{Gone: []device.Path{at}})
		return
	}
	text := l.g.opt.Scrub(err.Error())
	if hint := driver.HintOf(err); hint != "" {
		text += "; " + hint
	}
	l.g.tree.Apply(l.name, &device.Delta{
		Specs: []device.Spec{{Path: at, Kind: device.String, Rate: device.Slow, Access: device.R, Title: "Server error",
			Doc: "why other programs cannot connect", Grade: device.GradeSpec}},
		Samples: []device.Sample{{Path: at, Value: device.OfString(text), Received: time.Now()}},
	})
}

func (l *link) serveEnv(options any) (driver.ServeEnv, error) {
	env := driver.ServeEnv{
		Listen:       driver.Listen,
		ListenPacket: driver.ListenPacket,
		Upstreams:    []driver.Upstream{l},
		OpenStream:   l.openNative,
		Gate:         l.g.Gate(l.config().Driver.Info().Name),
		Sink:         clientSink{l, ""},
		Commands:     func(c driver.Commander) { l.setCommander("", c) },
		Log:          l.log,
	}
	if s, ok := options.(driver.Shower); ok {
		for _, name := range s.Shows() {
			if name == l.name || l.g.link(name) == nil {
				return env, &driver.Error{Op: "serve", Target: l.name, Class: driver.Unsupported, Err: fmt.Errorf("%q is no other device", name),
					Hint: "the names there are those of other devices of this configuration"}
			}
			env.Upstreams = append(env.Upstreams, beside{l.g, name})
		}
	}
	if l.g.opt.Env != nil {
		env.Keys = l.g.opt.Env(l.config()).Keys
	}
	if l.g.opt.ServeEnv != nil {
		l.g.opt.ServeEnv(l.config(), &env)
	}
	return env, nil
}

// beside is a device as the upstream of a server that is not its own. It may be configured anew meanwhile, or be taken away.
type beside struct {
	g    *Gateway
	name string
}

// Name is the device's name.
func (b beside) Name() string { return b.name }

// Session waits for a live session with whatever the name stands for.
func (b beside) Session(ctx context.Context) (driver.Session, <-chan struct{}, error) {
	for {
		b.g.mu.Lock()
		l, changed := b.g.links[b.name], b.g.changed
		b.g.mu.Unlock()
		var arrived chan struct{}
		if l != nil {
			l.mu.Lock()
			v := l.live
			arrived = l.arrived
			l.mu.Unlock()
			if v != nil {
				return v.session, v.gone, nil
			}
		}
		select {
		case <-arrived:
		case <-changed:
		case <-ctx.Done():
			return nil, nil, fmt.Errorf("waiting for %s: %w", b.name, ctx.Err())
		}
	}
}

// Name is the device's name. With Session it makes a link the upstream of its native server.
func (l *link) Name() string { return l.name }

// Session waits for a live session. It is the one that the driver has opened: nothing is wrapped around it, so the server
// asks the gate for every action.
func (l *link) Session(ctx context.Context) (driver.Session, <-chan struct{}, error) {
	for {
		l.mu.Lock()
		v, arrived := l.live, l.arrived
		l.mu.Unlock()
		if v != nil {
			return v.session, v.gone, nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return nil, nil, fmt.Errorf("waiting for %s: %w", l.name, ctx.Err())
		}
	}
}
