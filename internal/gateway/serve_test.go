package gateway

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// servingToy is a toy with a native server of one client.
type servingToy struct {
	*toy
	taken   error // what Serve returns at once
	listens string

	mu   sync.Mutex
	log  []string
	done []device.Path
}

func (s *servingToy) ServeOptions() any { return new(string) }

func (s *servingToy) note(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, text)
}

// refusal is what Serve returns at once, after change.
func (s *servingToy) refusal(change func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if change != nil {
		change()
	}
	return s.taken
}

func (s *servingToy) said() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.log
	s.log = nil
	return out
}

func (s *servingToy) Serve(ctx context.Context, env driver.ServeEnv, options any) error {
	s.note("serve " + *options.(*string))
	defer s.note("served")
	if err := s.refusal(nil); err != nil {
		return err
	}
	env.Commands(s)
	defer env.Commands(nil)
	env.Sink.Apply(&driver.Change{
		Specs:    []device.Spec{{Path: "_clients/1/address", Kind: device.String, Access: device.R}, {Path: "gain", Kind: device.Bool}},
		Commands: []device.Command{{Path: "_clients/1/disconnect"}, {Path: "cut2"}},
		Samples:  []device.Sample{{Path: "_clients/1/address", Value: device.OfString("here")}, {Path: "gain", Value: device.OfFloat(3)}},
	})
	if s.listens != "" {
		for range 2 { // servers tell it again with other things
			env.Sink.Apply(&driver.Change{Specs: []device.Spec{{Path: "_clients/listen", Kind: device.String, Access: device.R}},
				Samples: []device.Sample{{Path: "_clients/listen", Value: device.OfString(s.listens)}}})
		}
	}
	defer env.Sink.Apply(&driver.Change{Gone: []device.Path{"_clients"}, Commands: []device.Command{}})
	for {
		session, gone, err := env.Upstreams[0].Session(ctx)
		if err != nil {
			return ctx.Err()
		}
		if _, undecorated := session.(*toySession); !undecorated {
			s.note("a session of another kind")
		}
		s.note("up")
		select {
		case <-gone:
			s.note("gone")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *servingToy) Do(_ context.Context, p device.Path, _ []device.Value) (device.Value, driver.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = append(s.done, p)
	return device.Value{}, driver.Outcome{Stage: driver.Acked}
}

func (s *servingToy) sessionsOpened() int {
	s.toy.mu.Lock()
	defer s.toy.mu.Unlock()
	return s.toy.opened
}

func servingConf(s *servingToy, text string) DeviceConfig {
	c := conf("m", s)
	c.Serve, c.ServeSection = &text, text
	c.Writable = append(c.Writable, "_clients/*/disconnect")
	return c
}

func (s *servingToy) want(t *testing.T, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, s.said()); d != "" {
		t.Error(d)
	}
}

// A native server gets each live session, and hears of its end; its clients are points beside those of the device.
func TestNativeServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &servingToy{toy: newToy(), listens: "192.0.2.5:1"}
		var log said
		g := New(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		stop := runs(t, g, servingConf(s, "a"))
		synctest.Wait()
		s.want(t, "serve a", "up")
		if v := sample(t, g, "m", "_clients/1/address").Value; v.Str() != "here" {
			t.Errorf("address is %v", v)
		}
		if v := sample(t, g, "m", "gain").Value; v.Float() != -10 {
			t.Errorf("a server has changed a point of the device: %v", v)
		}
		do := func() string {
			state, err := g.Do(t.Context(), tester, "m", "_clients/1/disconnect", nil, north.WriteOptions{Wait: true})
			if err != nil {
				return err.Error()
			}
			return stages(&state.Items[0])
		}
		commands := func() (out []device.Path) {
			for _, c := range g.Tree().Commands("m") {
				out = append(out, c.Path)
			}
			return out
		}
		if got := do(); got != "accepted sent acknowledged" {
			t.Error(got)
		}
		s.toy.kill()
		synctest.Wait()
		s.want(t, "gone")
		if x := sample(t, g, "m", "_clients/1/address"); x.Quality != device.Good {
			t.Errorf("a client turned bad with the link: %v", x)
		}
		if got := do(); got != "accepted sent acknowledged" {
			t.Errorf("while the link is down: %s", got)
		}
		time.Sleep(5 * time.Second)
		s.want(t, "up")
		if d := cmp.Diff([]device.Path{"cut", "recall", "unlock", "_clients/1/disconnect"}, commands()); d != "" {
			t.Error(d)
		}

		// Another configuration of the server starts it anew and leaves the session alone.
		opened := s.sessionsOpened()
		if err := g.SetDevices([]DeviceConfig{servingConf(s, "b")}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s.want(t, "served", "serve b", "up")
		off := conf("m", s)
		if err := g.SetDevices([]DeviceConfig{off}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s.want(t, "served")
		if _, ok := g.Tree().Point("m", "_clients/1/address"); ok {
			t.Error("the clients outlive the server")
		}
		if d := cmp.Diff([]device.Path{"cut", "recall", "unlock"}, commands()); d != "" {
			t.Error(d)
		}
		if s.sessionsOpened() != opened {
			t.Error("the session was opened anew")
		}
		if err := g.SetDevices([]DeviceConfig{servingConf(s, "c")}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s.want(t, "serve c", "up")
		stop()
		if said := strings.Join(s.said(), " "); said != "served" && said != "gone served" { // session and server end side by side
			t.Error(said)
		}
		if n := strings.Count(log.String(), `msg="programs may connect" device=m address=192.0.2.5:1`); n != 3 {
			t.Errorf("it was begun 3 times, and the log says %d times where programs connect:\n%s", n, log.String())
		}
	})
}

// A server that cannot serve says why, and is started again; the device works on.
func TestNativeServerThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &servingToy{toy: newToy(), taken: &driver.Error{Op: "serve", Target: "127.0.0.1:1", Class: driver.Busy, Err: errors.New("taken"), Hint: "choose another"}}
		g, stop := running(t, servingConf(s, "a"))
		defer stop()
		synctest.Wait()
		s.want(t, "serve a", "served")
		if v := sample(t, g, "m", "_clients/error").Value.Str(); v != "serve 127.0.0.1:1: taken; choose another" {
			t.Errorf("error is %q", v)
		}
		if linkText(t, g, "m", "state") != "up" {
			t.Error("the device is not up")
		}
		_ = s.refusal(func() { s.taken = nil })
		time.Sleep(serveAgain)
		synctest.Wait()
		s.want(t, "serve a", "up")
		if _, ok := g.Tree().Point("m", "_clients/error"); ok {
			t.Error("the error stays")
		}
	})
}

// A driver without a server does nothing with the section.
func TestNoNativeServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := conf("m", newToy())
		c.Serve, c.ServeSection = new(string), "x"
		_, stop := running(t, c)
		synctest.Wait()
		stop()
	})
}
