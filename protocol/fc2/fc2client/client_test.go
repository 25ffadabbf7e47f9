package fc2client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2sim"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaclient"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaws"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	secureAddr     = "192.0.2.50:58322"
	onboardingAddr = "192.0.2.50:58323"
)

// world is a simulated server in a network in memory.
type world struct {
	*testing.T
	net *testnet.Network
	sim *fc2sim.Sim
	id  fc2.Identity
}

func within(t *testing.T, o fc2sim.Options, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		id, err := fc2.IdentityOf(bytes.Repeat([]byte{0x11}, fc2.KeySize))
		if err != nil {
			t.Fatal(err)
		}
		w := &world{T: t, net: new(testnet.Network), sim: fc2sim.New(o), id: id}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		secure, onboarding := w.net.MustListen(secureAddr), w.net.MustListen(onboardingAddr)
		wg.Go(func() { _ = w.sim.ServeSecure(ctx, secure) })
		wg.Go(func() { _ = w.sim.ServeOnboarding(ctx, onboarding) })
		f(w)
		cancel()
		wg.Wait()
	})
}

func (w *world) options() Options { return Options{Identity: w.id, Server: w.sim.PublicKey()} }

func (w *world) onboard() *Onboarding {
	w.Helper()
	b, err := Onboard(w.Context(), w.net.Dial, onboardingAddr, w.options())
	if err != nil {
		w.Fatal(err)
	}
	return b
}

// decide waits until somebody asks, and clicks.
func (w *world) decide(approve bool) {
	for {
		p, changed := w.sim.Prompt()
		if p.Asks != nil {
			if err := w.sim.Decide(approve); err != nil {
				w.Error(err)
			}
			return
		}
		<-changed
	}
}

func (w *world) wantState(b *Onboarding, want string) {
	w.Helper()
	if got, err := b.State(w.Context()); err != nil || got != want {
		w.Errorf("state %q, %v; want %q", got, err, want)
	}
}

// A program pairs, and is let in from then on, until it is removed.
func TestPairAndControl(t *testing.T) {
	within(t, fc2sim.Options{}, func(w *world) {
		if _, err := Dial(w.Context(), w.net.Dial, secureAddr, w.options()); !errors.Is(err, ErrNotPaired) {
			t.Fatalf("before pairing: %v", err)
		}
		b := w.onboard()
		defer b.Close()
		if v, err := b.Version(w.Context()); err != nil || v != 1 {
			t.Errorf("version %d, %v", v, err)
		}
		w.wantState(b, fc2.StateReady)
		go func() {
			time.Sleep(30 * time.Second) // a person takes his time
			w.decide(true)
		}()
		if err := b.Request(w.Context(), "Grüße"); err != nil {
			t.Fatal(err)
		}
		w.wantState(b, fc2.StateScanning)
		p, _ := w.sim.Prompt()
		if p.Shows == nil || p.Shows.Name != "Grüße" || p.Shows.Key != w.id.Public() || len(p.Code) != 16 {
			t.Fatalf("%+v", p)
		}
		if err := b.Code(w.Context(), append([]byte{1}, p.Code[1:]...)); p.Code[0] != 1 && !errors.Is(err, ErrCode) {
			t.Errorf("a wrong code: %v", err)
		}
		if err := b.Code(w.Context(), p.Code); err != nil {
			t.Fatal(err)
		}
		w.wantState(b, fc2.StateReady)
		if list := w.sim.Clients().List(); len(list) != 1 || list[0].Name != "Grüße" || list[0].Key != w.id.Public() {
			t.Errorf("%+v", list)
		}
		w.control()
	})
}

// control uses the interface through the tunnel.
func (w *world) control() {
	w.Helper()
	conn, err := Dial(w.Context(), w.net.Dial, secureAddr, w.options())
	if err != nil {
		w.Fatal(err)
	}
	events := make(chan string, 10)
	c := ocaclient.New(conn, secureAddr, ocaclient.Options{Events: func(e ocaclient.Event) { events <- fmt.Sprintf("%d %x", e.Source.Emitter, e.Change.Value) }})
	defer c.Close()
	tree, err := c.Tree(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	var air *ocaclient.Object
	n := 0
	tree.Walk(func(o *ocaclient.Object) bool {
		n++
		if o.RolePath() == "Inputs/Analogue 1/Air" {
			air = o
		}
		return true
	})
	if air == nil || n < 50 {
		w.Fatalf("%d objects, air %v", n, air)
	}
	if errs, err := c.Subscribe(w.Context(), air.ONo); err != nil || errs[0] != nil {
		w.Fatal(errs, err)
	}
	if _, err := c.Do(w.Context(), air.ONo, ocp1.ID{Level: 5, Index: 2}, 1, ocp1.AppendBool(nil, true)); err != nil {
		w.Fatal(err)
	}
	if got, want := <-events, fmt.Sprintf("%d 01", air.ONo); got != want {
		w.Errorf("event %s, want %s", got, want)
	}
	if !w.sim.Interface.Inputs[0].Air.Get() {
		w.Error("air is off")
	}
	if !w.sim.Remove(w.id.Public()) {
		w.Error("it was not known")
	}
	<-c.Done()
	if _, err := Dial(w.Context(), w.net.Dial, secureAddr, w.options()); !errors.Is(err, ErrNotPaired) {
		w.Errorf("after its removal: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	within(t, fc2sim.Options{Every: time.Second, Burst: 10}, func(w *world) {
		b := w.onboard()
		defer b.Close()
		go w.decide(false)
		if err := b.Request(w.Context(), "no"); !errors.Is(err, ErrDenied) {
			t.Errorf("denied: %v", err)
		}
		w.wantState(b, fc2.StateReady)
		// nobody is there
		began := time.Now()
		if err := b.Request(w.Context(), "nobody"); !errors.Is(err, ErrDenied) || time.Since(began) != 2*time.Minute {
			t.Errorf("nobody there: %v after %v", err, time.Since(began))
		}
		// three wrong codes end it
		go w.decide(true)
		if err := b.Request(w.Context(), "guess"); err != nil {
			t.Fatal(err)
		}
		p, _ := w.sim.Prompt()
		for range 3 {
			if err := b.Code(w.Context(), []byte("guess")); !errors.Is(err, ErrCode) {
				t.Error(err)
			}
		}
		w.wantState(b, fc2.StateReady)
		if err := b.Code(w.Context(), p.Code); !errors.Is(err, ErrCode) {
			t.Errorf("the right one afterwards: %v", err)
		}
		// a code is good for two minutes, and for the connection that asked
		go w.decide(true)
		if err := b.Request(w.Context(), "slow"); err != nil {
			t.Fatal(err)
		}
		p, _ = w.sim.Prompt()
		other := w.onboard()
		defer other.Close()
		if err := other.Code(w.Context(), p.Code); !errors.Is(err, ErrCode) {
			t.Errorf("another connection's code: %v", err)
		}
		if err := other.Request(w.Context(), "other"); !errors.Is(err, ErrBusy) {
			t.Errorf("while another is paired: %v", err)
		}
		time.Sleep(2*time.Minute + time.Second)
		if err := b.Code(w.Context(), p.Code); !errors.Is(err, ErrCode) {
			t.Errorf("a code of yesterday: %v", err)
		}
		if n := len(w.sim.Clients().List()); n != 0 {
			t.Errorf("%d programs are in", n)
		}
		// a request goes away with its connection
		done := make(chan error, 1)
		third := w.onboard()
		go func() { done <- third.Request(w.Context(), "gone") }()
		for p, changed := w.sim.Prompt(); p.Asks == nil; p, changed = w.sim.Prompt() {
			<-changed
		}
		third.Close()
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
		synctest.Wait()
		if p, _ := w.sim.Prompt(); p.Asks != nil || p.State != fc2.StateReady {
			t.Errorf("%+v", p)
		}
	})
}

// Requests by the thousand: a few are shown to the person, the rest are refused at once.
func TestFlood(t *testing.T) {
	within(t, fc2sim.Options{}, func(w *world) {
		b := w.onboard()
		defer b.Close()
		stop := make(chan struct{})
		asked := 0
		var wg sync.WaitGroup
		wg.Go(func() {
			for {
				p, changed := w.sim.Prompt()
				if p.Asks != nil {
					asked++
					_ = w.sim.Decide(false)
				}
				select {
				case <-changed:
				case <-stop:
					return
				}
			}
		})
		busy := 0
		for range 2000 {
			if err := b.Request(w.Context(), "again"); errors.Is(err, ErrBusy) {
				busy++
			}
		}
		synctest.Wait()
		close(stop)
		wg.Wait()
		if busy < 1990 {
			t.Errorf("%d of 2000 requests were refused at once", busy)
		}
		time.Sleep(time.Minute)
		go w.decide(true)
		if err := b.Request(w.Context(), "a person"); err != nil {
			t.Errorf("after the flood: %v", err)
		}
	})
}

func TestWrongServerKey(t *testing.T) {
	within(t, fc2sim.Options{Approve: true}, func(w *world) {
		wrong, err := fc2.IdentityOf(bytes.Repeat([]byte{0x44}, fc2.KeySize))
		if err != nil {
			t.Fatal(err)
		}
		o := w.options()
		o.Server = wrong.Public()
		b, err := Onboard(w.Context(), w.net.Dial, onboardingAddr, o)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		var refusal *ocp1.Error
		if err := b.Request(w.Context(), "x"); !errors.Is(err, ErrUnread) || !errors.As(err, &refusal) || refusal.Status != ocp1.StatusParameterError {
			t.Errorf("a request for another server: %v", err)
		}
		if err := w.sim.Clients().Approve(w.id.Public(), "x"); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if c, err := Dial(w.Context(), w.net.Dial, secureAddr, o); err == nil || time.Since(began) > 5*time.Second {
			t.Errorf("%v, %v after %v", c, err, time.Since(began))
		}
	})
}

// What the endpoints are not: other protocols, other servers.
func TestElsewhere(t *testing.T) {
	within(t, fc2sim.Options{}, func(w *world) {
		if _, err := Onboard(w.Context(), w.net.Dial, secureAddr, w.options()); !errors.Is(err, ocaws.ErrNotUpgraded) {
			t.Errorf("onboarding at the secure endpoint: %v", err)
		}
		if _, err := Dial(w.Context(), w.net.Dial, "192.0.2.51:1", w.options()); err == nil {
			t.Error("nobody there")
		}
		l := w.net.MustListen("192.0.2.52:1")
		ws := ocaws.New(func(ctx context.Context, c net.Conn) { _ = w.sim.Interface.Server.ServeConn(ctx, c) }, ocaws.Options{})
		ctx, cancel := context.WithCancel(w.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = ws.Serve(ctx, l) }()
		if _, err := Onboard(w.Context(), w.net.Dial, "192.0.2.52:1", w.options()); !errors.Is(err, ErrNoAgent) {
			t.Errorf("an AES70 device: %v", err)
		}
		cancel()
		<-done
	})
}
