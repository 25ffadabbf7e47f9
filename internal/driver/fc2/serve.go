package fc2

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/aes70"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/internal/oca"
	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2server"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
)

// ServeOptions are those of the server that programs for Focusrite Control 2 connect to. Start from [Driver.ServeOptions].
type ServeOptions struct {
	Secure     string           `yaml:"secure" listens:"tcp" doc:"where paired programs connect, HOST:PORT"`
	Onboarding string           `yaml:"onboarding" listens:"tcp" doc:"where programs are paired, HOST:PORT; programs expect the next port"`
	Allow      serving.Points   `yaml:"allow" doc:"points that paired programs may change, as in writable: patterns such as inputs/*; empty: they may only look"`
	From       serving.Networks `yaml:"from" doc:"addresses and networks that may change something, such as [192.0.2.0/24]; empty: every paired program"`
	MaxClients int              `yaml:"max_clients" doc:"programs at a time"`
	Announce   bool             `yaml:"announce" doc:"tell the local network by multicast DNS, with the server's public key, so that programs find it"`
}

func serveDefaults() *ServeOptions {
	return &ServeOptions{Secure: net.JoinHostPort("127.0.0.1", strconv.Itoa(fc2.FirstPort)), Onboarding: net.JoinHostPort("127.0.0.1", strconv.Itoa(fc2.FirstPort+1)), MaxClients: 16}
}

// Validate says what is wrong with the options and what would be right.
func (o *ServeOptions) Validate() error {
	alone, err := serving.CheckListen("secure", o.Secure, fc2.FirstPort)
	if err == nil {
		_, err = serving.CheckListen("onboarding", o.Onboarding, fc2.FirstPort+1)
	}
	if err == nil {
		err = serving.CheckClients(o.MaxClients, 1000)
	}
	if err == nil && o.Announce && alone {
		return errUnheard
	}
	return err
}

var errUnheard = errors.New("announce: programs would find what they cannot reach, since secure is an address of this computer alone; write one of " +
	"the network, or leave announce out")

// The names in the key store: the server's own key pair, and what begins those of the programs that were let in.
const (
	OwnServerName = "fc2-own-server"
	ClientPrefix  = "fc2-client-"
)

// known is the programs that were let in, as the key store has them.
type known struct {
	keys  driver.KeyStore
	letIn func() // called after each that is let in; nil: nobody wants to know
}

// Approved implements fc2server.Store.
func (k known) Approved(key fc2.PublicKey) bool {
	_, err := k.keys.Load(ClientPrefix + key.String())
	return err == nil
}

// removed reports whether a program that was let in is not among them any more. What cannot be read now says nothing.
func (k known) removed(key fc2.PublicKey) bool {
	_, err := k.keys.Load(ClientPrefix + key.String())
	return errors.Is(err, fs.ErrNotExist)
}

// Approve implements fc2server.Store.
func (k known) Approve(key fc2.PublicKey, name string) error {
	err := k.keys.Store(ClientPrefix+key.String(), []byte(name))
	if err == nil && k.letIn != nil {
		k.letIn()
	}
	return err
}

var (
	errNoKeys = errors.New("there is no place for the server's key: no program could be let in for good")
)

// proxy is Focusrite Control 2 for programs: it shows them the one session that the gateway holds. The person who lets programs in
// is whoever may perform the commands of pairing.
type proxy struct {
	env    driver.ServeEnv
	opts   *ServeOptions
	device string
	id     fc2.Identity
	mirror *oca.Mirror
	server *fc2server.Server
	listen string // the addresses of both endpoints; set before anything is told

	upstream           atomic.Pointer[aes70.Shared] // nil while there is none
	forwarded, refused atomic.Uint64
	letIn              atomic.Uint64
	reported           serving.Refusals[string] // by address and point

	prompts fc2server.Prompts

	mu   sync.Mutex
	told fc2server.Prompt // what was published last: what a person decides about
}

var _ driver.Server = Driver{}

// ServeOptions are the defaults of the server.
func (Driver) ServeOptions() any { return serveDefaults() }

// Serve lets programs for Focusrite Control 2 connect, once somebody has let them in. They are disconnected when the link to the device
// is lost.
func (Driver) Serve(ctx context.Context, env driver.ServeEnv, options any) error {
	opts, ok := options.(*ServeOptions)
	if !ok || opts == nil {
		opts = serveDefaults()
	}
	fail := serving.Failing(opts.Secure)
	if err := fail.Check(env, opts); err != nil {
		return err
	}
	if env.Keys == nil {
		return fail(driver.Internal, errNoKeys, "")
	}
	id, err := identity(env.Keys, nil, OwnServerName)
	if err != nil {
		return fail(driver.Internal, err, "")
	}
	p := &proxy{env: env, opts: opts, device: env.Upstreams[0].Name(), id: id}
	p.mirror = oca.NewMirror(p.device, p.write)
	p.server = fc2server.New(p.mirror.Device, fc2server.Options{Identity: id, Store: known{env.Keys, func() { p.letIn.Add(1) }}, Person: p, MaxConns: opts.MaxClients,
		OCA: ocaserver.Options{Connected: func(*ocaserver.Conn) error {
			if p.upstream.Load() == nil {
				return errors.New("there is no connection to the device now")
			}
			return nil
		}}})
	return p.run(ctx, fail)
}

// run listens and serves until ctx ends or a listener fails.
func (p *proxy) run(ctx context.Context, fail serving.Fail) error {
	secure, err := p.env.Listen(ctx, "tcp", p.opts.Secure)
	if err != nil {
		return fail(driver.ClassOf(err), err, "another program may use the address: choose another port with serve.secure")
	}
	onboarding, err := p.env.Listen(ctx, "tcp", p.opts.Onboarding)
	if err != nil {
		return errors.Join(fail(driver.ClassOf(err), err, "another program may use the address: choose another port with serve.onboarding"), secure.Close())
	}
	if p.env.Commands != nil {
		p.env.Commands(p)
		defer p.env.Commands(nil)
	}
	p.listen = secure.Addr().String() + ", " + onboarding.Addr().String()
	p.tell(&driver.Change{Specs: serverSpecs(), Commands: serverCommands()})
	defer p.tell(&driver.Change{Gone: []device.Path{device.ClientsRoot}, Commands: []device.Command{}})
	p.env.Log.Info("programs for Focusrite Control 2 find the gateway by its key", "server_key", p.id.Public().String())
	inner, cancel := context.WithCancel(ctx)
	ended := make(chan error, 2)
	var wg sync.WaitGroup
	wg.Go(func() { ended <- p.server.ServeSecure(inner, secure) })
	wg.Go(func() { ended <- p.server.ServeOnboarding(inner, onboarding) })
	wg.Go(func() { serving.Follow(inner, p.env.Upstreams[0], p.begin) })
	wg.Go(func() { p.publish(inner) })
	if p.opts.Announce && p.env.Announce != nil {
		wg.Go(func() {
			if err := p.env.Announce(inner, announcement(p.device, p.id.Public(), secure.Addr())); err != nil {
				p.env.Log.Error("the local network is not told of the server", "error", err)
			}
		})
	}
	err = <-ended
	cancel()
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fail(driver.ClassOf(err), err, "")
}

// announcement is what programs look for: the secure port, and the public key under any name, since nobody knows which one Focusrite Control 2
// uses (guess).
func announcement(device string, key fc2.PublicKey, addr net.Addr) driver.Announcement {
	return driver.Announcement{Type: "_ocaws._tcp", Instance: device, Addr: addr, Text: []string{"txtvers=1", "key=" + key.String()}}
}

// begin shows a session to the programs. None of them outlives it.
func (p *proxy) begin(s driver.Session) (ended <-chan struct{}, end func(lost bool)) {
	if p, ok := s.(*paired); ok {
		s = p.Session
	}
	up, ok := aes70.Share(s)
	if !ok { // a session for pairing has nothing to show
		return nil, func(bool) {}
	}
	stop := up.Follow(p.mirror)
	p.upstream.Store(&up)
	return up.Done(), func(lost bool) {
		stop()
		if lost {
			p.upstream.Store(nil)
			p.server.Drop(true)
		}
	}
}

// publishEvery is how often the counters become samples, and how soon meters follow who wants them and programs are disconnected that
// have been removed.
const publishEvery = time.Second

// publish tells of the counters in time, and of who asks to be let in at once.
func (p *proxy) publish(ctx context.Context) {
	tick := time.NewTicker(publishEvery)
	defer tick.Stop()
	for {
		samples, changed := p.samples()
		p.tell(&driver.Change{Samples: samples})
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-tick.C:
			p.expel()
			if up := p.upstream.Load(); up != nil {
				up.Watch(p.mirror.Watched())
			}
		}
	}
}

// expel ends the connections of programs whose keys have been removed, as patchbay pair --remove does beside the gateway.
func (p *proxy) expel() {
	for _, key := range p.server.Connected() {
		if (known{keys: p.env.Keys}).removed(key) {
			p.env.Log.Info("a program is not let in any more", "key", key.String())
			p.server.Forget(key)
		}
	}
}

func (p *proxy) tell(c *driver.Change) {
	if p.env.Sink != nil {
		p.env.Sink.Apply(c)
	}
}

// write carries out what a program wants, when configuration and the gate agree.
func (p *proxy) write(ctx context.Context, c *ocaserver.Conn, path device.Path, v device.Value) error {
	up := p.upstream.Load()
	if up == nil {
		return &ocp1.Error{Status: ocp1.StatusProcessingFailed}
	}
	who := driver.Who{Door: "fc2", Addr: c.RemoteAddr().String()}
	old, hazard, _ := up.Point(path)
	a := driver.Action{Device: p.device, Path: path, Value: v, Old: old}
	err := serving.NotAllowed(p.device, "program", path)
	if p.opts.From.Admit(who.Addr) && p.opts.Allow.Allow(path, hazard) {
		err = p.env.Gate.Allow(who, a)
	}
	if err != nil {
		p.refused.Add(1)
		if p.reported.First(who.Addr + " " + string(path)) {
			p.env.Log.Warn("refused a change of a program", "client", who.Addr, "point", path, "why", err, "hint", driver.HintOf(err))
			p.env.Gate.Done(who, a, driver.Outcome{Stage: driver.Refused, Err: err})
		}
		return &ocp1.Error{Status: ocp1.StatusPermissionDenied}
	}
	p.forwarded.Add(1)
	o, status := up.Write(ctx, driver.Write{Path: path, Value: v})
	p.env.Gate.Done(who, a, o)
	if status == nil {
		p.mirror.Took(path, v) // what the device makes of it follows
	}
	return status
}
