package fc2

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2client"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaclient"
)

// front is the gateway around a server: its upstream, its gate, its sink.
type front struct {
	session driver.Session
	gone    chan struct{}

	mu        sync.Mutex
	points    map[device.Path]string
	commander driver.Commander
	asked     []device.Path
	done      []driver.Stage
}

func (*front) Name() string { return "studio" }
func (f *front) Session(context.Context) (driver.Session, <-chan struct{}, error) {
	return f.session, f.gone, nil
}
func (f *front) Login(context.Context, string, string, net.Addr) (driver.Who, error) {
	return driver.Who{}, nil
}
func (f *front) Allow(_ driver.Who, a driver.Action) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, a.Path)
	return nil
}
func (f *front) Done(_ driver.Who, _ driver.Action, o driver.Outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done = append(f.done, o.Stage)
}
func (f *front) Apply(c *driver.Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range c.Samples {
		f.points[s.Path] = s.Value.String()
	}
}
func (f *front) point(p device.Path) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.points[p]
}

// A program is let in by whoever runs the gateway, and changes what configuration names, through one shared session.
func TestServe(t *testing.T) {
	in(t, func(s *studio) {
		own, err := Identity(s.keys, nil, "192.0.2.50")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.sim.Clients().Approve(own.Public(), "gateway"); err != nil {
			t.Fatal(err)
		}
		session, err := s.open("fc2://192.0.2.50", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer session.Close()
		f := &front{session: session, gone: make(chan struct{}), points: map[device.Path]string{}}
		ctx, cancel := context.WithCancel(s.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = session.Watch(ctx, driver.Everything{}, s) })
		keys := store{}
		const secure, onboarding = "192.0.2.30:58322", "192.0.2.30:58323"
		free := map[string]string{"192.0.2.30:0": onboarding} // the port that the system gives
		listen := func(ctx context.Context, network, addr string) (net.Listener, error) {
			return s.net.Listen(ctx, network, cmp.Or(free[addr], addr))
		}
		opts := &ServeOptions{Secure: secure, Onboarding: "192.0.2.30:0", Allow: []string{"inputs/analogue-1/air"}, MaxClients: 4, Announce: true}
		announced := make(chan driver.Announcement, 1)
		served := make(chan error, 1)
		go func() {
			served <- New().(driver.Server).Serve(ctx, driver.ServeEnv{Listen: listen, Upstreams: []driver.Upstream{f}, Gate: f, Sink: f, Keys: keys,
				Announce: func(ctx context.Context, a driver.Announcement) error { announced <- a; <-ctx.Done(); return nil },
				Commands: func(c driver.Commander) { f.mu.Lock(); f.commander = c; f.mu.Unlock() }, Log: slog.New(slog.DiscardHandler)}, opts)
		}()
		synctest.Wait()

		server, err := fc2.ParsePublicKey(f.point("_clients/server-key"))
		if err != nil {
			t.Fatal(err)
		}
		a := <-announced
		if key, ok := fc2.KeyOfTXT(a.Text); !ok || key != server || a.Type != "_ocaws._tcp" || a.Addr.String() != secure {
			t.Errorf("the local network hears %+v", a)
		}
		if got := f.point("_clients/listen"); got != secure+", "+onboarding {
			t.Errorf("it says that it listens on %s", got)
		}
		phone, err := fc2.IdentityOf(bytes.Repeat([]byte{0x77}, fc2.KeySize))
		if err != nil {
			t.Fatal(err)
		}
		o := fc2client.Options{Identity: phone, Server: server}
		if _, err := fc2client.Dial(ctx, s.net.Dial, secure, o); !errors.Is(err, fc2client.ErrNotPaired) {
			t.Errorf("a stranger: %v", err)
		}
		b, err := fc2client.Onboard(ctx, s.net.Dial, onboarding, o)
		if err != nil {
			t.Fatal(err)
		}
		asked := make(chan error, 1)
		go func() { asked <- b.Request(ctx, "phone") }()
		time.Sleep(2 * time.Second)
		if n := f.point("_clients/pairing/name"); n != "phone" {
			t.Errorf("%q asks", n)
		}
		f.mu.Lock()
		commander := f.commander
		f.mu.Unlock()
		if _, out := commander.Do(ctx, approvePath, nil); out.Stage != driver.Acked {
			t.Errorf("%+v", out)
		}
		if err := <-asked; err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		code, err := hex.DecodeString(f.point("_clients/pairing/code"))
		if err != nil || len(code) == 0 {
			t.Fatalf("code %x, %v", code, err)
		}
		if err := b.Code(ctx, code); err != nil {
			t.Fatal(err)
		}
		b.Close()
		time.Sleep(2 * time.Second)
		if n := f.point("_clients/pairing/let-in"); n != "1" {
			t.Errorf("%s programs were let in", n)
		}
		if _, out := commander.Do(ctx, denyPath, nil); out.Stage != driver.Refused {
			t.Errorf("nobody asks: %+v", out)
		}
		if string(keys[ClientPrefix+phone.Public().String()]) != "phone" {
			t.Errorf("keys: %v", keys)
		}

		conn, err := fc2client.Dial(ctx, s.net.Dial, secure, o)
		if err != nil {
			t.Fatal(err)
		}
		c := ocaclient.New(conn, secure, ocaclient.Options{})
		tree, err := c.Tree(ctx)
		if err != nil {
			t.Fatal(err)
		}
		objects := map[string]ocp1.ONo{}
		tree.Walk(func(o *ocaclient.Object) bool { objects[o.RolePath()] = o.ONo; return true })
		set := func(path string, v bool) error {
			_, err := c.Do(ctx, objects[path], ocp1.ID{Level: 5, Index: 2}, 1, ocp1.AppendBool(nil, v))
			return err
		}
		if err := set("inputs/analogue-1/air", true); err != nil || !s.sim.Interface.Inputs[0].Air.Get() {
			t.Errorf("%v; air is %v", err, s.sim.Interface.Inputs[0].Air.Get())
		}
		var no *ocp1.Error
		if err := set("inputs/analogue-2/air", true); !errors.As(err, &no) || no.Status != ocp1.StatusPermissionDenied {
			t.Errorf("what is not allowed: %v", err)
		}
		f.mu.Lock()
		if len(f.asked) != 1 || len(f.done) != 2 || f.done[0] != driver.Acked || f.done[1] != driver.Refused {
			t.Errorf("the gate was asked %v and told %v", f.asked, f.done)
		}
		f.mu.Unlock()
		c.Close()
		cancel()
		if err := <-served; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		wg.Wait()
	})
}

func TestServeOptions(t *testing.T) {
	for _, change := range []func(*ServeOptions){func(o *ServeOptions) { o.Secure = "x" }, func(o *ServeOptions) { o.Onboarding = "" },
		func(o *ServeOptions) { o.MaxClients = 0 }, func(o *ServeOptions) { o.Announce = true }} {
		o := serveDefaults()
		change(o)
		if o.Validate() == nil {
			t.Errorf("%+v", o)
		}
	}
	if err := serveDefaults().Validate(); err != nil {
		t.Error(err)
	}
}
