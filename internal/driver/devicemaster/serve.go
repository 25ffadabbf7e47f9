package devicemaster

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
)

var _ driver.Server = Driver{}

// ServeOptions are the defaults of the server.
func (Driver) ServeOptions() any { return serveDefaults() }

var (
	errNoStreams = errors.New("the gateway opens no streams")
	errRelease   = errors.New("serve.release does not allow taking ports")
	errNoPorts   = errors.New("this box has no ports of its own, and serve.ports names none")
	errForeign   = errors.New("serve.from does not hold its address")
)

// Serve is a box for the maker's drivers, whose ports are ports of this device or of any other. A port is opened when a
// driver opens it, and shared like any other: while somebody else here has it, the driver is told that it is busy. A box
// whose ports are all of this device is reset with the link to it, and gone while there is none; else ports without a link
// are busy.
func (Driver) Serve(ctx context.Context, env driver.ServeEnv, options any) error {
	opts, ok := options.(*ServeOptions)
	if !ok || opts == nil {
		opts = serveDefaults()
	}
	fail := serving.Failing(opts.Listen)
	if err := fail.Check(env, opts); err != nil {
		return err
	}
	if env.OpenStream == nil {
		return fail(driver.Internal, errNoStreams, "")
	}
	b := &served{env: env, opts: opts, device: env.Upstreams[0].Name()}
	switch err := b.sources(ctx); {
	case errors.Is(err, errNoPorts):
		return fail(driver.Internal, err, "serve.ports: [usb0:ports/1] makes port 1 of the box the port of the device usb0")
	case err != nil:
		return err // ctx has ended
	}
	srv, err := b.server()
	if err != nil {
		return fail(driver.Internal, err, "")
	}
	ln, err := env.Listen(ctx, "tcp", opts.Listen)
	if err != nil {
		return fail(driver.ClassOf(err), err, "another program may use the address: choose another port with serve.listen")
	}
	var pc net.PacketConn
	if opts.Discovery {
		if pc, err = env.ListenPacket(ctx, "udp", opts.Listen); err != nil {
			ln.Close()
			return fail(driver.ClassOf(err), err, "another program may use the UDP port: turn serve.discovery off")
		}
	}
	b.clients = serving.NewClients[client](serving.Options{Device: b.device, Sink: env.Sink, Grade: device.GradeSpec, Noun: "driver",
		Count:  serving.Point{Name: "count", Kind: device.Int, Title: "Drivers", Doc: "connections of drivers and tools"},
		Server: []serving.Point{{Name: "listen", Kind: device.String, Title: "Listens on", Doc: "address that the maker's drivers connect to", Value: serving.Text(ln.Addr().String())}}})
	return b.run(ctx, srv, ln, pc, fail)
}

// served is the box.
type served struct {
	env     driver.ServeEnv
	opts    *ServeOptions
	device  string
	ports   []portSource
	srv     *dmserver.Server
	news    chan struct{} // a client came or went
	clients *serving.Clients[client]

	alone bool        // every port is of this device
	up    atomic.Bool // there is a link to it
}

// portSource is what stands behind a port.
type portSource struct {
	dev  string
	path device.Path
}

// begin keeps a box that stands for this device alone as true as the link to it: no client outlives it.
func (b *served) begin(up driver.Session) (ended <-chan struct{}, end func(lost bool)) {
	if own, ok := up.(*session); ok {
		ended = own.link.Done()
	}
	b.up.Store(true)
	return ended, func(lost bool) {
		if lost {
			b.up.Store(false)
			b.srv.Drop(true)
		}
	}
}

// sources finds what the ports are; for those of this device it waits for a session, which alone knows how many there are.
func (b *served) sources(ctx context.Context) error {
	for _, word := range b.opts.Ports {
		dev, path, err := source(word)
		if err != nil {
			return err
		}
		if dev == "" {
			dev = b.device
		}
		b.ports = append(b.ports, portSource{dev, path})
	}
	if len(b.ports) > 0 {
		return nil
	}
	for {
		up, gone, err := b.env.Upstreams[0].Session(ctx)
		if err != nil {
			return err
		}
		if own, ok := up.(*session); ok {
			for _, p := range own.streams() {
				b.ports = append(b.ports, portSource{b.device, p})
			}
			return nil
		}
		if _, none := up.(*nobox); none {
			return errNoPorts
		}
		select {
		case <-gone:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (b *served) server() (*dmserver.Server, error) {
	mac, err := b.opts.mac(b.device)
	if err != nil {
		return nil, err
	}
	b.news = make(chan struct{}, 1)
	b.alone = true
	var backends []dmserver.Backend
	for _, p := range b.ports {
		backends = append(backends, &backend{b: b, portSource: p})
		b.alone = b.alone && p.dev == b.device
	}
	b.srv, err = dmserver.New(dmserver.Options{
		ID: func() devicemaster.IDResponse {
			id := devicemaster.Identity(0, 0)
			id.MAC = mac
			return id
		},
		Backends: backends, Permit: b.permit, MaxConns: b.opts.MaxClients, Variations: dmserver.Variations{Hold: b.opts.Hold},
		Changed: func() {
			select {
			case b.news <- struct{}{}:
			default:
			}
		},
		WrapConn: b.admit,
	})
	return b.srv, err
}

// admit closes a connection that may not be.
func (b *served) admit(c net.Conn) net.Conn {
	if !b.opts.From.Admit(c.RemoteAddr().String()) {
		b.env.Log.Warn("refused a driver", "error", errForeign, "client", c.RemoteAddr())
		c.Close()
	}
	if b.alone && !b.up.Load() {
		c.Close() // the box is not there
	}
	return c
}

func (b *served) run(ctx context.Context, srv *dmserver.Server, ln net.Listener, pc net.PacketConn, fail serving.Fail) error {
	if b.env.Commands != nil {
		b.env.Commands(b.clients)
		defer b.env.Commands(nil)
	}
	inner, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { b.publish(inner) })
	wg.Go(func() { b.clients.Run(inner) })
	if b.alone {
		wg.Go(func() { serving.Follow(inner, b.env.Upstreams[0], b.begin) })
	}
	for _, pc := range b.searched(inner, pc) {
		wg.Go(func() {
			if err := srv.AnswerDiscovery(inner, pc); inner.Err() == nil {
				b.env.Log.Error("the search for boxes is not answered any more", "error", err)
			}
		})
	}
	err := srv.Serve(inner, ln)
	cancel()
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fail(driver.ClassOf(err), err, "")
}

// searched is where the maker's tool looks for boxes: at pc, which is nil when that is not wanted, and at everybody's address.
func (b *served) searched(ctx context.Context, pc net.PacketConn) (list []net.PacketConn) {
	if pc == nil {
		return nil
	}
	all, err := serving.Broadcasts(ctx, b.env.ListenPacket, pc)
	if err != nil {
		b.env.Log.Warn("a search of the whole network is not heard; the box is found when its address is asked", "error", err)
	}
	if all != nil {
		return []net.PacketConn{pc, all}
	}
	return []net.PacketConn{pc}
}

// permit asks the gate, and tells it what became of a refusal; what is let through is told by the back end.
func (b *served) permit(_ context.Context, c *dmserver.Conn, a dmserver.Ask) error {
	src := b.ports[a.Port]
	who := driver.Who{Door: "devicemaster", Addr: c.RemoteAddr().String()}
	act := driver.Action{Device: src.dev, Raw: "open " + string(src.path)}
	if a.Release {
		act.Raw = "release " + string(src.path)
	}
	err := b.env.Gate.Allow(who, act)
	if err == nil && a.Release && !b.opts.Release {
		err = errRelease
	}
	o := driver.Outcome{Stage: driver.Sent}
	if err != nil {
		o = driver.Outcome{Stage: driver.Refused, Err: err}
	}
	b.env.Gate.Done(who, act, o)
	return err
}

// backend is a port of some device.
type backend struct {
	b *served
	portSource
}

// Open takes the port as any other owner does.
func (x *backend) Open(ctx context.Context, line dmserver.Line) (dmserver.Wire, error) {
	st, err := x.b.env.OpenStream(ctx, x.dev, x.path, driver.Line{})
	if err != nil {
		x.b.env.Log.Info("a driver cannot have a port", "device", x.dev, "path", x.path, "error", err)
		return nil, err
	}
	return StreamWire(ctx, st, line), nil
}
