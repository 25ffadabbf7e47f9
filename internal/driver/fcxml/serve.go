package fcxml

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/protocol/fcxml"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcclient"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcserver"
)

// proxy is Focusrite Control for programs: it shows them the interface of the one session that the gateway holds, whose
// approval they share. Who may change what is the gateway's business.
type proxy struct {
	env    driver.ServeEnv
	opts   *ServeOptions
	device string
	listen string
	server *fcserver.Server

	upstream          atomic.Pointer[session] // nil while there is none
	forwarded, refuse atomic.Uint64

	clients *serving.Clients[*client]

	mu   sync.Mutex
	held map[uint32]held // by the number of a control that a program is changing
}

// held is what was said about a control while programs are changing it.
type held struct {
	by     int // how many changes are on their way
	values []string
}

// maxHeld is how many values of one control are held; of more, the oldest is dropped.
const maxHeld = 16

var _ driver.Server = Driver{}

// ServeOptions are the defaults of the server.
func (Driver) ServeOptions() any { return serveDefaults() }

var (
	errStranger   = errors.New("the session is not one of this driver")
	errNoUpstream = errors.New("there is no connection to Focusrite Control now")
	errForeign    = errors.New("the address may not connect")
)

// Serve lets programs connect as if to Focusrite Control. They are disconnected when the link to it is lost, and while there
// is none.
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
	p := &proxy{env: env, opts: opts, device: up.Name(), listen: ln.Addr().String(), held: map[uint32]held{}}
	p.clients = serving.NewClients[*client](serving.Options{Device: p.device, Sink: env.Sink, Grade: device.GradeSeen, Server: p.serverPoints(),
		Count: serving.Point{Name: "count", Kind: device.Int, Title: "Programs", Doc: "programs that are connected"}, Noun: "program", Max: opts.MaxClients})
	p.server = fcserver.New(p, fcserver.Options{MaxConns: 2 * opts.MaxClients, IdleTimeout: time.Minute})
	if env.Commands != nil {
		env.Commands(p.clients)
		defer env.Commands(nil)
	}

	inner, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { serving.Follow(inner, up, p.begin) })
	wg.Go(func() { p.clients.Run(inner) })
	if opts.Announce {
		wg.Go(func() { p.announce(inner) })
	}
	err = p.server.Serve(inner, ln)
	cancel()
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fail(driver.ClassOf(err), err, "")
}

// begin takes a session for as long as it lives; no program outlives it.
func (p *proxy) begin(s driver.Session) (ended <-chan struct{}, end func(lost bool)) {
	stop := func() {}
	if own, ok := s.(*session); ok {
		ended, stop = own.client.Done(), own.listen(p.hear)
		p.upstream.Store(own)
	} else {
		p.env.Log.Error("cannot serve programs for Focusrite Control", "error", errStranger)
	}
	return ended, func(lost bool) {
		stop()
		if lost {
			p.upstream.Store(nil)
			p.server.Drop(true)
		}
	}
}

// announce answers discoveries on the first of the three ports that is free.
func (p *proxy) announce(ctx context.Context) {
	host, portText, err := net.SplitHostPort(p.listen)
	port, err2 := strconv.ParseUint(portText, 10, 16)
	if err != nil || err2 != nil {
		p.env.Log.Error("cannot be discovered", "error", errors.Join(err, err2))
		return
	}
	for _, udp := range fcxml.DiscoveryPorts() {
		pc, e := p.env.ListenPacket(ctx, "udp", net.JoinHostPort(host, strconv.Itoa(int(udp))))
		if e != nil {
			err = e
			continue
		}
		all, e := serving.Broadcasts(ctx, p.env.ListenPacket, pc)
		if e != nil {
			p.env.Log.Warn("a search of the whole network is not heard", "error", e)
		}
		var beside sync.WaitGroup
		if all != nil {
			beside.Go(func() { _ = fcserver.Announce(ctx, all, p.device, uint16(port)) })
		}
		err = fcserver.Announce(ctx, pc, p.device, uint16(port))
		if all != nil {
			all.Close()
		}
		beside.Wait()
		if ctx.Err() == nil {
			p.env.Log.Error("cannot be discovered any more", "error", err)
		}
		return
	}
	p.env.Log.Error("cannot be discovered: no port is free", "error", err)
}

// hear passes on what the server says. It is called by the session's reader.
func (p *proxy) hear(e fcclient.Event) {
	switch {
	case e.Arrived != nil:
		p.server.Broadcast(fcxml.DeviceArrival{Devices: []*fcxml.Element{e.Arrived.Root}})
	case e.Removed != "":
		p.server.Broadcast(fcxml.DeviceRemoval{Device: e.Removed})
	case e.Approval != 0:
		for _, c := range p.server.Conns() {
			c.Send(p.approval(c))
		}
	case len(e.Values) > 0:
		p.server.Push(e.Device, p.hold(e.Values))
	}
}

// keep begins to hold what is said about controls that a program is going to change, until release.
func (p *proxy) keep(ids []uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		h := p.held[id]
		h.by++
		p.held[id] = h
	}
}

// hold keeps back what is said about controls that a program is changing, until the gate has heard how that ended.
func (p *proxy) hold(items []fcxml.Assign) []fcxml.Assign {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.held) == 0 {
		return items
	}
	out := make([]fcxml.Assign, 0, len(items))
	for _, it := range items {
		if h, ok := p.held[it.ID]; ok {
			h.values = append(h.values[max(0, len(h.values)+1-maxHeld):], it.Value)
			p.held[it.ID] = h
			continue
		}
		out = append(out, it)
	}
	return out
}

// Details implements fcserver.Handler: the greeting.
func (p *proxy) Details(c *fcserver.Conn, d fcxml.ClientDetails) error {
	addr := c.RemoteAddr().String()
	up := p.upstream.Load()
	if up == nil {
		return errNoUpstream
	}
	if !p.opts.From.Admit(addr) {
		p.env.Log.Warn("refused a program: serve.from does not hold its address", "client", addr)
		return errForeign
	}
	cl := &client{conn: c, addr: addr, name: text(d.Hostname), since: time.Now()}
	if err := p.clients.Add(c.ID(), cl, true); err != nil {
		p.env.Log.Warn("refused a program", "why", err, "client", addr, "max_clients", p.opts.MaxClients)
		return err
	}
	c.Send(fcxml.ClientDetails{ID: fcserver.IDOf(d.Key)})
	c.Send(p.approval(c))
	up.mu.Lock()
	table := up.table
	up.mu.Unlock()
	if table != nil {
		c.Send(fcxml.DeviceArrival{Devices: []*fcxml.Element{table.schema.Root}})
	}
	return nil
}

// approval tells a program whether anything that it wants can come true.
func (p *proxy) approval(c *fcserver.Conn) fcxml.Approval {
	d := c.Details()
	up := p.upstream.Load()
	return fcxml.Approval{Hostname: d.Hostname, ID: fcserver.IDOf(d.Key), Type: "response",
		Authorised: len(p.opts.Allow) > 0 && up != nil && up.client.Approval() == fcclient.ApprovalGiven}
}

// Subscribe implements fcserver.Handler. Values come from the one session; the lock keeps them in order.
func (p *proxy) Subscribe(c *fcserver.Conn, dev string) bool {
	up := p.upstream.Load()
	if up == nil {
		return false
	}
	up.mu.Lock() // the session's reader tells values under it
	defer up.mu.Unlock()
	if up.table == nil || up.table.schema.ID != dev {
		return false
	}
	c.Snapshot(dev, up.client.Snapshot(up.table.schema))
	return true
}

// Set implements fcserver.Handler: each control is asked for at the gate, and what may be changed goes to the server in one
// message.
func (p *proxy) Set(ctx context.Context, c *fcserver.Conn, m fcxml.Set) {
	up := p.upstream.Load()
	if up == nil {
		return
	}
	cl, known := p.clients.Get(c.ID())
	var writes []driver.Write
	var actions []driver.Action
	var ids []uint32
	up.mu.Lock()
	table := up.table
	up.mu.Unlock()
	if !known || table == nil || table.schema.ID != m.Device {
		return
	}
	for _, it := range m.Items {
		a, ok := p.judge(cl, table, it)
		if ok {
			writes, actions, ids = append(writes, driver.Write{Path: a.Path, Value: a.Value}), append(actions, a), append(ids, it.ID)
			continue
		}
		// The program hears what is, so that it does not go on showing what it wanted.
		if known := table.schema.ByID(it.ID); known != nil {
			if v, state := up.client.Value(table.schema, known); state != fcclient.Unknown {
				c.Push(m.Device, []fcxml.Assign{{ID: it.ID, Value: v}})
			}
		}
	}
	if len(writes) == 0 {
		return
	}
	p.keep(ids)
	out, _ := up.Write(ctx, writes) // each outcome has its own error
	for i, o := range out {
		p.forwarded.Add(1)
		p.env.Gate.Done(cl.who(), actions[i], o)
	}
	p.release(m.Device, ids)
	for i, o := range out {
		if o.Stage == driver.Refused {
			if v, state := up.client.Value(table.schema, table.schema.ByID(ids[i])); state != fcclient.Unknown {
				c.Push(m.Device, []fcxml.Assign{{ID: ids[i], Value: v}})
			}
		}
	}
}

// release sends what was kept back, once the last change of a control has ended.
func (p *proxy) release(dev string, ids []uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		h := p.held[id]
		if h.by--; h.by > 0 {
			p.held[id] = h
			continue
		}
		for _, v := range h.values {
			p.server.Push(dev, []fcxml.Assign{{ID: id, Value: v}})
		}
		delete(p.held, id)
	}
}

// judge decides about one wish of a program. A refusal is counted and told to the gate.
func (p *proxy) judge(cl *client, table *table, it fcxml.Assign) (driver.Action, bool) {
	a := driver.Action{Device: p.device, Raw: strconv.FormatUint(uint64(it.ID), 10), Value: device.OfString(text(it.Value))}
	var err error
	i, ok := table.byID[it.ID]
	if !ok {
		err = serving.NotAllowed(p.device, "program", device.Path("item-"+a.Raw))
	} else {
		pt := &table.points[i]
		a.Path = pt.spec.Path
		v, good := table.value(pt, it.Value)
		switch {
		case !good:
			err = &driver.Error{Op: "forward", Target: p.device, Class: driver.DeviceSaidNo, Err: fmt.Errorf("%s: %w", a.Path, errKind)}
		case !p.opts.Allow.Allow(pt.spec.Path, pt.spec.Hazard):
			err = serving.NotAllowed(p.device, "program", a.Path)
		default:
			a.Value = v
			err = p.env.Gate.Allow(cl.who(), a)
		}
	}
	if err != nil {
		cl.refused.Add(1)
		p.refuse.Add(1)
		if cl.reported.First(it.ID) {
			p.env.Log.Warn("refused a change of a program", "client", cl.addr, "point", a.Path, "why", err, "hint", driver.HintOf(err))
			p.env.Gate.Done(cl.who(), a, driver.Outcome{Stage: driver.Refused, Err: err})
		}
	}
	return a, err == nil
}
