package fc2

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2client"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaclient"
)

// folder is a KeyStore that another process works on too.
type folder struct {
	mu   sync.Mutex
	keys store
	fail error // of Load
}

func (k *folder) Load(name string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail != nil {
		return nil, k.fail
	}
	return k.keys.Load(name)
}

func (k *folder) Store(name string, b []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.keys.Store(name, b)
}

func (k *folder) change(f func(keys store)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f(k.keys)
}

// Of three programs that are connected one is removed, by patchbay pair --remove beside the gateway: that one is disconnected and let
// in no more, and the others notice nothing. A folder that cannot be read for a while costs nobody the connection.
func TestRemovedProgramIsDisconnected(t *testing.T) {
	in(t, func(s *studio) {
		own, err := Identity(s.keys, nil, "192.0.2.50")
		if err == nil {
			err = s.sim.Clients().Approve(own.Public(), "gateway")
		}
		if err != nil {
			t.Fatal(err)
		}
		session, err := s.open("fc2://192.0.2.50", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer session.Close()
		f := &front{session: session, gone: make(chan struct{}), points: map[device.Path]string{}}
		ctx, cancel := context.WithCancel(s.Context())
		defer cancel()
		keys := &folder{keys: store{}}
		const secure = "192.0.2.30:58322"
		served := make(chan error, 1)
		go func() {
			served <- New().(driver.Server).Serve(ctx, driver.ServeEnv{Listen: s.net.Listen, Upstreams: []driver.Upstream{f}, Gate: f, Sink: f, Keys: keys,
				Log: slog.New(slog.DiscardHandler)}, &ServeOptions{Secure: secure, Onboarding: "192.0.2.30:58323", MaxClients: 8})
		}()
		synctest.Wait()
		server, err := fc2.ParsePublicKey(f.point("_clients/server-key"))
		if err != nil {
			t.Fatal(err)
		}
		var phones []*ocaclient.Client
		var options []fc2client.Options
		for i := range 3 {
			id, err := fc2.IdentityOf(bytes.Repeat([]byte{byte(0x70 + i)}, fc2.KeySize))
			if err != nil {
				t.Fatal(err)
			}
			keys.change(func(k store) { k[ClientPrefix+id.Public().String()] = []byte("phone") })
			o := fc2client.Options{Identity: id, Server: server}
			conn, err := fc2client.Dial(ctx, s.net.Dial, secure, o)
			if err != nil {
				t.Fatal(err)
			}
			c := ocaclient.New(conn, secure, ocaclient.Options{})
			defer c.Close()
			phones, options = append(phones, c), append(options, o)
		}
		alive := func(what string, want ...bool) {
			t.Helper()
			time.Sleep(10 * publishEvery)
			for i, c := range phones {
				if _, err := c.Model(ctx); (err == nil) != want[i] {
					t.Errorf("%s: phone %d hears %v", what, i, err)
				}
			}
		}
		alive("all are let in", true, true, true)
		keys.change(func(store) { keys.fail = errors.New("too many open files") })
		alive("the folder cannot be read", true, true, true)
		keys.change(func(k store) {
			keys.fail = nil
			delete(k, ClientPrefix+options[1].Identity.Public().String())
		})
		alive("the second one is removed", true, false, true)
		if _, err := fc2client.Dial(ctx, s.net.Dial, secure, options[1]); !errors.Is(err, fc2client.ErrNotPaired) {
			t.Errorf("the second one comes again: %v", err)
		}
		if n := f.point("_clients/count"); n != "2" {
			t.Errorf("%s programs are connected", n)
		}
		cancel()
		<-served
	})
}

// Who removes this program's key pair beside a gateway makes it a stranger, and who takes back what was forgotten makes it known
// again: sessions notice, and end so that the next one is the right one.
func TestRemovedIdentity(t *testing.T) {
	in(t, func(s *studio) {
		keys := &folder{keys: store{}}
		u, _ := url.Parse("fc2://192.0.2.50")
		o := defaults()
		o.ServerKey = s.sim.PublicKey().String()
		watch := func() (driver.Session, chan error) {
			i, err := New().Open(s.Context(), driver.Env{Dial: s.net.Dial, Keys: keys, Log: slog.New(slog.DiscardHandler)}, driver.Target{Name: "studio", URL: u, Options: o})
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- i.Watch(s.Context(), driver.Everything{}, s) }()
			return i, ended
		}
		goesOn := func(what string, ended chan error) {
			t.Helper()
			time.Sleep(10 * lookEvery)
			select {
			case err := <-ended:
				t.Fatalf("%s: %v", what, err)
			default:
			}
		}
		endsSoon := func(what string, i driver.Session, ended chan error) {
			t.Helper()
			began := time.Now()
			if err := <-ended; !errors.Is(err, ErrForgotten) || !driver.ClassOf(err).Retry() || time.Since(began) > lookEvery {
				t.Errorf("%s: %v after %v", what, err, time.Since(began))
			}
			i.Close()
		}
		id, err := Identity(keys, nil, "192.0.2.50")
		if err == nil {
			err = s.sim.Clients().Approve(id.Public(), "patchbay")
		}
		if err != nil {
			t.Fatal(err)
		}
		i, ended := watch()
		goesOn("nothing happens", ended)
		keys.change(func(store) { keys.fail = fs.ErrPermission })
		goesOn("the folder cannot be read", ended)
		var removed []byte
		keys.change(func(k store) {
			keys.fail, removed = nil, k[IdentityName]
			delete(k, IdentityName)
		})
		endsSoon("the key pair is removed", i, ended)
		i, ended = watch()
		if i.Abilities().Writer != nil {
			t.Error("a stranger is let in")
		}
		goesOn("a stranger waits", ended)
		keys.change(func(k store) { k[IdentityName] = removed })
		endsSoon("the key pair is back", i, ended)
		i, ended = watch()
		if i.Abilities().Writer == nil {
			t.Error("who was let in is a stranger")
		}
		if err := i.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
}
