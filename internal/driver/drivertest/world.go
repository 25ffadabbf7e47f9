package drivertest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/testnet"
)

// world is one subtest: a network, a far end, and what the driver has opened.
type world struct {
	*testing.T
	target Target
	far    Far
	net    *testnet.Network
	addr   string
	url    *url.URL
	keys   *keys // of sessions and of the driver's server alike

	udp      bool
	disturb  *disturbance // of datagrams
	mu       sync.Mutex
	conns    []*testnet.Conn
	packets  []*testnet.PacketConn
	sessions []driver.Session
	stop     func()
}

func runWorld(t *testing.T, target Target, run func(*world)) {
	w := &world{T: t, target: target, net: new(testnet.Network), keys: newKeys(target.Keys), stop: func() {}, disturb: new(disturbance)}
	at := target.URL
	if target.Far != nil {
		if w.far = target.Far(t); w.far.URL != "" {
			at = w.far.URL
		}
	}
	u, err := url.Parse(at)
	if err != nil {
		t.Fatalf("the URL of the target: %v", err)
	}
	w.url, w.addr = u, u.Host
	scheme := schemeOf(target.Driver, u)
	w.udp = scheme.Network == "udp"
	if u.Port() == "" {
		w.addr = net.JoinHostPort(u.Hostname(), fmt.Sprint(scheme.Port))
	}
	// Checks end with Fatal, so the end of the world is deferred.
	defer w.end()
	run(w)
}

// schemeOf is the scheme of a URL, or the driver's first.
func schemeOf(d driver.Driver, u *url.URL) driver.Scheme {
	all := d.Info().Schemes
	for _, s := range all {
		if s.Name == u.Scheme {
			return s
		}
	}
	return all[0]
}

// serve starts the far end; checks of open that want another peer do without.
func (w *world) serve() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.Context()))
	done := make(chan error, 1)
	var end func() error
	switch {
	case w.udp && w.far.ServePackets != nil:
		p := w.farPackets()
		end = p.Close
		go func() { done <- w.far.ServePackets(ctx, p) }()
	case !w.udp && w.far.Serve != nil:
		l := w.net.MustListen(w.addr)
		end = l.Close
		go func() { done <- w.far.Serve(ctx, l) }()
	default:
		cancel()
		return
	}
	w.stop = func() {
		cancel()
		end()
		if err := <-done; err != nil && ctx.Err() == nil {
			w.Errorf("the far end: %v", err)
		}
	}
}

// peer starts a far end that handles each connection with f and closes it then. Over datagrams it says nothing.
func (w *world) peer(f func(net.Conn)) {
	w.far = Far{ServePackets: listenInSilence, Serve: func(ctx context.Context, l net.Listener) error {
		var wg sync.WaitGroup
		defer wg.Wait()
		for {
			c, err := l.Accept()
			if err != nil {
				return nil
			}
			wg.Go(func() {
				stop := context.AfterFunc(ctx, func() { c.Close() })
				defer stop()
				defer c.Close()
				f(c)
			})
		}
	}}
	w.serve()
}

func (w *world) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	switch {
	case w.far.Dial != nil:
		return w.far.Dial(ctx, network, addr)
	case w.target.Real:
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	c, err := w.net.Dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if p, ok := c.(*testnet.PacketLink); ok {
		w.watchPackets(p.PacketConn)
		return c, nil
	}
	w.mu.Lock()
	w.conns = append(w.conns, c.(*testnet.Conn))
	w.mu.Unlock()
	return c, nil
}

// connections are the streams that the driver has dialled so far.
func (w *world) connections() []*testnet.Conn {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]*testnet.Conn(nil), w.conns...)
}

func (w *world) options() any {
	if w.target.Options != nil {
		return w.target.Options()
	}
	return w.target.Driver.Options()
}

func (w *world) tryOpen(ctx context.Context, options any) (driver.Session, error) {
	return w.openAt(ctx, w.url, options)
}

func (w *world) openAt(ctx context.Context, at *url.URL, options any) (driver.Session, error) {
	env := driver.Env{Dial: w.dial, ListenPacket: w.listenPacket, Keys: w.keys, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)}
	if w.target.Real {
		env.ListenPacket = func(ctx context.Context, network, addr string) (net.PacketConn, error) {
			return new(net.ListenConfig).ListenPacket(ctx, network, addr)
		}
	}
	s, err := w.target.Driver.Open(ctx, env, driver.Target{Name: "device", URL: at, Options: options})
	if err == nil {
		w.mu.Lock()
		w.sessions = append(w.sessions, s)
		w.mu.Unlock()
	}
	return s, err
}

// settled returns when everything that was started waits for something; in real time, when it has had a moment for that.
func (w *world) settled() {
	if w.target.Real {
		time.Sleep(50 * time.Millisecond)
		return
	}
	synctest.Wait()
}

// open starts the far end and a session with it.
func (w *world) open() driver.Session {
	w.Helper()
	w.serve()
	return w.reopen()
}

func (w *world) reopen() driver.Session {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), w.target.Patience)
	defer cancel()
	s, err := w.tryOpen(ctx, w.options())
	if err != nil {
		w.Fatalf("open: %v", err)
	}
	return s
}

// end closes everything and looks for what is left.
func (w *world) end() {
	for _, s := range w.sessions {
		w.within(w.target.Patience, "Close at the end", func() {
			if err := s.Close(); err != nil && !errors.Is(err, net.ErrClosed) && driver.ClassOf(err) == driver.Internal {
				w.Errorf("Close: %v", err)
			}
		})
	}
	w.wantClosed()
	w.stop()
	if w.far.Done != nil {
		if err := w.far.Done(); err != nil {
			w.Errorf("the far end: %v", err)
		}
	}
	if w.target.Real {
		return
	}
	synctest.Wait()
	if left := goroutines(); left != "" {
		w.Errorf("goroutines are left running after everything was closed:\n%s", left)
	}
}

// wantClosed demands that the driver has closed all its connections.
func (w *world) wantClosed() {
	w.Helper()
	for i, c := range w.connections() {
		if !c.Closed() {
			w.Errorf("connection %d of %d was left open", i+1, len(w.conns))
		}
	}
	for i, p := range w.packetConns() {
		if !p.Closed() {
			w.Errorf("packet connection %d of %d was left open", i+1, len(w.packets))
		}
	}
}

// stall holds back what the far end sends, and nothing else. It returns a function that ends that.
func (w *world) stall() (resume func()) {
	conns := w.connections()
	for _, c := range conns {
		c.In().Stall()
	}
	w.disturb.set(lose, nil)
	return func() {
		for _, c := range conns {
			c.In().Resume()
		}
		w.disturb.set(nil, nil)
	}
}

// sever ends the link: streams are reset, and datagrams are lost both ways.
func (w *world) sever() {
	for _, c := range w.connections() {
		c.Reset()
	}
	w.disturb.set(lose, lose)
}

// goroutines are the stacks of this bubble's other goroutines.
func goroutines() string {
	buf := make([]byte, 4<<20)
	stacks := bytes.Split(buf[:runtime.Stack(buf, true)], []byte("\n\n"))
	head, _, _ := bytes.Cut(stacks[0], []byte("\n"))
	at := bytes.Index(head, []byte("synctest bubble "))
	if at < 0 {
		return ""
	}
	bubble := head[at:]
	var out [][]byte
	for _, s := range stacks[1:] {
		first, _, _ := bytes.Cut(s, []byte("\n"))
		own := bytes.Contains(s, []byte("internal/synctest.Run(")) || bytes.Contains(s, []byte("testing/synctest.testingSynctestTest("))
		if bytes.HasSuffix(first, bubble) && !own {
			out = append(out, s)
		}
	}
	return string(bytes.Join(out, []byte("\n\n")))
}

// within fails when f takes longer than d, and then does not wait for it. In real time a machine that has much else to do takes its time,
// so that no limit is shorter than the target's patience.
func (w *world) within(d time.Duration, what string, f func()) {
	w.Helper()
	if w.target.Real {
		d = max(d, w.target.Patience)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		w.sever()
		for _, p := range w.packetConns() {
			p.Close()
		}
		w.Fatalf("%s has not returned after %v", what, d)
	}
}

// wantClass demands an *driver.Error of one of the classes.
func (w *world) wantClass(what string, err error, classes ...driver.Class) {
	w.Helper()
	var de *driver.Error
	switch {
	case err == nil:
		w.Errorf("%s: no error; want class %v", what, classes)
		return
	case !errors.As(err, &de):
		w.Errorf("%s: %v (%T) is no *driver.Error", what, err, err)
		return
	case de.Op == "" || de.Err == nil:
		w.Errorf("%s: %#v has no operation or no cause", what, de)
	}
	for _, c := range classes {
		if de.Class == c {
			return
		}
	}
	w.Errorf("%s: class %v (%v); want %v", what, de.Class, err, classes)
}

// survey is the first change of a Watch, which holds the specs.
func (w *world) survey(s driver.Session) *record {
	w.Helper()
	r, stop := w.watch(s, driver.Everything{})
	r.waitFull(w)
	stop()
	return r
}

func readable(specs []device.Spec) []device.Path {
	var out []device.Path
	for i := range specs {
		if specs[i].Access != device.W {
			out = append(out, specs[i].Path)
		}
	}
	return out
}
