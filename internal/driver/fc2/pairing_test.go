package fc2

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2server"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2sim"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocasim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// store is a KeyStore in memory.
type store map[string][]byte

func (k store) Load(name string) ([]byte, error) {
	if b, ok := k[name]; ok {
		return b, nil
	}
	return nil, fs.ErrNotExist
}

func (k store) Store(name string, b []byte) error { k[name] = append([]byte(nil), b...); return nil }

// studio is a simulated Focusrite Control 2 and what a driver has opened with it.
type studio struct {
	*testing.T
	net  *testnet.Network
	sim  *fc2sim.Sim
	keys store

	mu        sync.Mutex
	state     int64
	result    string
	condition string
	commands  []device.Command
}

// Apply implements driver.Sink.
func (s *studio) Apply(c *driver.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range c.Samples {
		switch x.Path {
		case StatePath:
			s.state = x.Value.Int()
		case ResultPath:
			s.result = x.Value.Str()
		}
	}
	if c.Commands != nil {
		s.commands = c.Commands
	}
	if c.Condition != nil {
		s.condition = c.Condition.Code
	}
}

func in(t *testing.T, f func(s *studio)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &studio{T: t, net: new(testnet.Network), sim: fc2sim.New(fc2sim.Options{}), keys: store{}}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		secure, onboarding := s.net.MustListen("192.0.2.50:58322"), s.net.MustListen("192.0.2.50:58323")
		wg.Go(func() { _ = s.sim.ServeSecure(ctx, secure) })
		wg.Go(func() { _ = s.sim.ServeOnboarding(ctx, onboarding) })
		f(s)
		cancel()
		wg.Wait()
	})
}

func (s *studio) open(raw string, change func(*Options)) (driver.Session, error) {
	o := defaults()
	o.ServerKey, o.Hostname = s.sim.PublicKey().String(), "studio test"
	if change != nil {
		change(o)
	}
	u, _ := url.Parse(raw)
	return New().Open(s.Context(), driver.Env{Dial: s.net.Dial, Keys: s.keys, Log: slog.New(slog.DiscardHandler)}, driver.Target{Name: "studio", URL: u, Options: o})
}

func (s *studio) look(what string, state int64, condition string) {
	s.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != state || s.condition != condition {
		s.Errorf("%s: state %d, condition %q, want %d, %q; %s", what, s.state, s.condition, state, condition, s.result)
	}
}

// A person is led through pairing; the next session is the interface.
func TestPairing(t *testing.T) {
	in(t, func(s *studio) {
		p, err := s.open("fc2://192.0.2.50", nil)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- p.Watch(s.Context(), driver.Everything{}, s) }()
		s.look("at first", StateNotPaired, "not-paired")
		if len(s.commands) != 2 || p.Abilities().Writer != nil {
			t.Errorf("%+v", s.commands)
		}
		do := func(path device.Path, args ...device.Value) driver.Outcome {
			_, o := p.Abilities().Commander.Do(s.Context(), path, args)
			return o
		}
		if o := do("pairing/x"); o.Stage != driver.Refused || driver.ClassOf(o.Err) != driver.Unsupported {
			t.Errorf("%+v", o)
		}
		if o := do(CodePath, device.OfString("no code")); o.Stage != driver.Refused || !errors.Is(o.Err, fc2.ErrCode) {
			t.Errorf("%+v", o)
		}
		if o := do(CodePath, device.OfString("0011")); o.Stage != driver.Refused || driver.ClassOf(o.Err) != driver.DeviceSaidNo {
			t.Errorf("a code that nobody has asked for: %+v", o)
		}
		if o := do(RequestPath); o.Stage != driver.Acked {
			t.Errorf("%+v", o)
		}
		s.look("asked", StateAsking, "waiting-for-approval")
		if o := do(RequestPath); driver.ClassOf(o.Err) != driver.Busy {
			t.Errorf("asked twice: %+v", o)
		}
		if err := s.sim.Decide(false); err != nil {
			t.Fatal(err)
		}
		s.look("denied", StateNotPaired, "not-paired")
		if !strings.Contains(s.result, "not approved") {
			t.Errorf("result %q", s.result)
		}
		time.Sleep(time.Minute)
		do(RequestPath)
		synctest.Wait()
		if err := s.sim.Decide(true); err != nil {
			t.Fatal(err)
		}
		s.look("approved", StateCode, "waiting-for-code")
		prompt, _ := s.sim.Prompt()
		if prompt.Shows == nil || prompt.Shows.Name != "studio test" {
			t.Fatalf("%+v", prompt)
		}
		if o := do(CodePath, device.OfString("0011")); driver.ClassOf(o.Err) != driver.DeviceSaidNo {
			t.Errorf("a wrong code: %+v", o)
		}
		s.look("a wrong code", StateCode, "waiting-for-code")
		if o := do(CodePath, device.OfString(hex.EncodeToString(prompt.Code))); o.Stage != driver.Acked {
			t.Fatalf("%+v", o)
		}
		if err := <-ended; !errors.Is(err, ErrPaired) || !errors.Is(err, driver.ErrRenew) || driver.ClassOf(err) != driver.Closed || !driver.ClassOf(err).Retry() {
			t.Errorf("Watch ended with %v", err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		// Without the option: the server's key is kept once it has proved itself.
		for _, change := range []func(*Options){nil, func(o *Options) { o.ServerKey = "" }} {
			i, err := s.open("fc2://192.0.2.50", change)
			if err != nil {
				t.Fatal(err)
			}
			samples, err := i.Read(s.Context(), []device.Path{"inputs/analogue-1/air"})
			if err != nil || samples[0].Quality != device.Good {
				t.Errorf("%+v, %v", samples, err)
			}
			i.Close()
		}
		if string(s.keys[ServerName("192.0.2.50")]) != s.sim.PublicKey().String() || len(s.keys) != 2 {
			t.Errorf("keys: %v", s.keys)
		}
		// The port of pairing in the URL leads to the interface as well.
		i, err := s.open("fc2://192.0.2.50:58323", nil)
		if err != nil {
			t.Fatal(err)
		}
		i.Close()
	})
}

// This program is let in elsewhere while two sessions wait: the one in which nobody is asked notices, and the other goes on asking.
func TestLetInElsewhere(t *testing.T) {
	in(t, func(s *studio) {
		var sessions [2]driver.Session
		ended := make(chan error, 2)
		for i := range sessions {
			p, err := s.open("fc2://192.0.2.50", nil)
			if err != nil {
				t.Fatal(err)
			}
			sessions[i] = p
			go func() { ended <- p.Watch(s.Context(), driver.Everything{}, s) }()
		}
		if _, o := sessions[0].Abilities().Commander.Do(s.Context(), RequestPath, nil); o.Stage != driver.Acked {
			t.Fatalf("%+v", o)
		}
		time.Sleep(time.Minute)
		select {
		case err := <-ended:
			t.Fatalf("a stranger is let in: %v", err)
		default:
		}
		id, err := Identity(s.keys, nil, "192.0.2.50")
		if err == nil {
			err = s.sim.Clients().Approve(id.Public(), "studio test")
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !errors.Is(err, ErrPaired) || driver.ClassOf(err) != driver.Closed {
			t.Errorf("Watch ended with %v", err)
		}
		if _, o := sessions[1].Abilities().Commander.Do(s.Context(), RequestPath, nil); o.Stage != driver.Refused || !errors.Is(o.Err, ErrPaired) {
			t.Errorf("it can still be asked: %+v", o)
		}
		if prompt, _ := s.sim.Prompt(); prompt.Asks == nil {
			t.Error("the question is gone")
		}
		for _, p := range sessions {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("the one that asks ended with %v", err)
		}
	})
}

func TestOpenFails(t *testing.T) {
	in(t, func(s *studio) {
		_, err := s.open("fc2://192.0.2.50", func(o *Options) { o.ServerKey = "" })
		if !errors.Is(err, errNoServerKey) || driver.ClassOf(err) != driver.Auth || driver.HintOf(err) == "" {
			t.Errorf("%v", err)
		}
		id, _ := Identity(s.keys, nil, "192.0.2.50")
		if again, err := Identity(s.keys, nil, "192.0.2.50"); err != nil || again.Public() != id.Public() {
			t.Error("the identity changes")
		}
		if err := s.sim.Clients().Approve(id.Public(), "x"); err != nil {
			t.Fatal(err)
		}
		_, err = s.open("fc2://192.0.2.50", func(o *Options) { o.ServerKey = id.Public().String() })
		if driver.ClassOf(err) != driver.Auth || !strings.Contains(driver.HintOf(err), "server_key") {
			t.Errorf("a wrong server key: %v", err)
		}
		s.keys[IdentityName] = []byte("xyz")
		if _, err = s.open("fc2://192.0.2.50", nil); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%v", err)
		}
		delete(s.keys, IdentityName)
		if _, err = s.open("fc2://192.0.2.51", nil); driver.ClassOf(err) != driver.RefusedConn || driver.HintOf(err) == "" {
			t.Errorf("%v", err)
		}
	})
}

// The end of a connection is told once, in the words of whoever noticed it.
func TestEndOfPairingConnection(t *testing.T) {
	err := wrap("watch", "192.0.2.50:58323", endedError{io.EOF})
	if driver.ClassOf(err) != driver.Closed || err.Error() != "watch 192.0.2.50:58323: the connection for pairing has ended: EOF" {
		t.Errorf("%v, class %v", err, driver.ClassOf(err))
	}
}

// Whoever is let in and shut out at once is told of the interface, and not of other ways to speak AES70.
func TestInterfaceIsNotThere(t *testing.T) {
	in(t, func(s *studio) {
		id, err := Identity(s.keys, nil, "192.0.2.52")
		if err != nil {
			t.Fatal(err)
		}
		server := identityOf(t, 0x22)
		srv := fc2server.New(ocasim.New(ocasim.Options{}).Device, fc2server.Options{Identity: server, Store: only(id.Public()),
			OCA: ocaserver.Options{Connected: func(*ocaserver.Conn) error { return errors.New("no interface") }}})
		ctx, cancel := context.WithCancel(s.Context())
		l := s.net.MustListen("192.0.2.52:58322")
		var wg sync.WaitGroup
		wg.Go(func() { _ = srv.ServeSecure(ctx, l) })
		_, err = s.open("fc2://192.0.2.52", func(o *Options) { o.ServerKey = server.Public().String() })
		if driver.ClassOf(err) != driver.Closed || !strings.Contains(driver.HintOf(err), "its interface may not be connected") {
			t.Errorf("%v; %s", err, driver.HintOf(err))
		}
		cancel()
		wg.Wait()
	})
}

// A pairing is forgotten with one computer: the next session there is for pairing, and others know this program as before.
func TestForget(t *testing.T) {
	in(t, func(s *studio) {
		id, err := Identity(s.keys, nil, "192.0.2.50")
		if err != nil {
			t.Fatal(err)
		}
		letIn := func() fc2.PublicKey {
			t.Helper()
			id, err := Identity(s.keys, nil, "192.0.2.50")
			if err == nil {
				err = s.sim.Clients().Approve(id.Public(), "studio test")
			}
			if err != nil {
				t.Fatal(err)
			}
			return id.Public()
		}
		before := letIn()
		for range 2 { // a key that serves this computer alone is replaced
			i, err := s.open("fc2://192.0.2.50", nil)
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- i.Watch(s.Context(), driver.Everything{}, s) }()
			synctest.Wait()
			if len(s.commands) != 1 || s.commands[0].Path != ForgetPath || s.commands[0].Hazard != device.HazardMove {
				t.Errorf("%+v", s.commands)
			}
			do := func(path device.Path) driver.Outcome {
				_, o := i.Abilities().Commander.Do(s.Context(), path, nil)
				return o
			}
			if o := do("pairing/x"); o.Stage != driver.Refused || driver.ClassOf(o.Err) != driver.Unsupported {
				t.Errorf("%+v", o)
			}
			if o := do(ForgetPath); o.Stage != driver.Acked {
				t.Fatalf("%+v", o)
			}
			if o := do(ForgetPath); o.Stage != driver.Refused || !errors.Is(o.Err, ErrForgotten) {
				t.Errorf("forgotten twice: %+v", o)
			}
			if err := <-ended; !errors.Is(err, ErrForgotten) || !errors.Is(err, driver.ErrRenew) || driver.ClassOf(err) != driver.Closed || !driver.ClassOf(err).Retry() {
				t.Errorf("Watch ended with %v", err)
			}
			if err := i.Close(); err != nil {
				t.Error(err)
			}
			p, err := s.open("fc2://192.0.2.50", nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := p.(*pairing); !ok {
				t.Errorf("the next session is a %T", p)
			}
			p.Close()
			now := letIn()
			if now == before {
				t.Error("the key is the one before")
			}
			before = now
		}
		if other, err := Identity(s.keys, nil, "192.0.2.51"); err != nil || other.Public() != id.Public() {
			t.Errorf("another computer is asked with another key: %v", err)
		}
	})
}

// fullStore is a KeyStore that takes nothing any more.
type fullStore struct{ store }

func (fullStore) Store(string, []byte) error { return errors.New("the disk is full") }

// A pairing that cannot be forgotten stays, and so does the session; without a place for keys there is nothing to forget.
func TestForgetFails(t *testing.T) {
	in(t, func(s *studio) {
		id, err := Identity(s.keys, nil, "192.0.2.50")
		if err == nil {
			err = s.sim.Clients().Approve(id.Public(), "studio test")
		}
		if err != nil {
			t.Fatal(err)
		}
		kept := s.keys[IdentityName]
		u, _ := url.Parse("fc2://192.0.2.50")
		o := defaults()
		o.ServerKey = s.sim.PublicKey().String()
		log := slog.New(slog.DiscardHandler)
		i, err := New().Open(s.Context(), driver.Env{Dial: s.net.Dial, Keys: fullStore{s.keys}, Log: log}, driver.Target{Name: "studio", URL: u, Options: o})
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		for range 2 {
			if _, o := i.Abilities().Commander.Do(s.Context(), ForgetPath, nil); o.Stage != driver.Refused || driver.ClassOf(o.Err) != driver.Internal {
				t.Errorf("%+v", o)
			}
		}
		if _, err := i.Read(s.Context(), []device.Path{"inputs/analogue-1/air"}); err != nil || len(s.keys) != 1 || string(s.keys[IdentityName]) != string(kept) {
			t.Errorf("%v, %d keys", err, len(s.keys))
		}
		if p, err := New().Open(s.Context(), driver.Env{Dial: s.net.Dial, Log: log}, driver.Target{Name: "studio", URL: u, Options: o}); err != nil {
			t.Error(err)
		} else {
			if p.Abilities().Commander == nil {
				t.Error("a stranger cannot pair")
			}
			p.Close()
		}
	})
}

// shutStore is a KeyStore that does not give one of its keys.
type shutStore struct {
	store
	shut string
}

func (k shutStore) Load(name string) ([]byte, error) {
	if name == k.shut {
		return nil, fs.ErrPermission
	}
	return k.store.Load(name)
}

// A key that cannot be read is said, and stays what it is.
func TestKeysThatCannotBeRead(t *testing.T) {
	in(t, func(s *studio) {
		for _, name := range []string{IdentityName, ServerName("192.0.2.50")} {
			s.keys[name] = []byte("as it was")
			u, _ := url.Parse("fc2://192.0.2.50")
			_, err := New().Open(s.Context(), driver.Env{Dial: s.net.Dial, Keys: shutStore{s.keys, name}}, driver.Target{Name: "studio", URL: u, Options: defaults()})
			if !errors.Is(err, fs.ErrPermission) || string(s.keys[name]) != "as it was" {
				t.Errorf("%s: %v, and it is %q", name, err, s.keys[name])
			}
			delete(s.keys, name)
		}
	})
}

func TestProbe(t *testing.T) {
	in(t, func(s *studio) {
		env := driver.Env{Dial: s.net.Dial}
		for _, addr := range []string{"192.0.2.50:58322", "192.0.2.50:58323"} {
			f, err := New().(driver.Prober).Probe(s.Context(), env, addr)
			if err != nil || !f.Match {
				t.Errorf("%s: %+v, %v", addr, f, err)
			}
		}
		if p, _ := s.sim.Prompt(); p.Asks != nil || p.State != fc2.StateReady {
			t.Errorf("a probe has asked: %+v", p)
		}
		if f, err := New().(driver.Prober).Probe(s.Context(), env, "192.0.2.51:58322"); err == nil || f.Match {
			t.Errorf("%+v, %v", f, err)
		}
	})
}

func TestOptions(t *testing.T) {
	for name, change := range map[string]func(*Options){"server_key": func(o *Options) { o.ServerKey = "12" }, "hostname": func(o *Options) { o.Hostname = "" },
		"timeout": func(o *Options) { o.Timeout = 0 }} {
		o := defaults()
		change(o)
		if err := o.Validate(); err == nil || !strings.HasPrefix(err.Error(), name+":") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
