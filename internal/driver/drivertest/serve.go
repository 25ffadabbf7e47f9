package drivertest

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// serveHost is where the driver's own server listens, in front of the far end.
const serveHost = "192.0.2.30"

// server is the driver's native server over one upstream session, and the gate that it asks.
type server struct {
	*world
	url *url.URL

	mu      sync.Mutex
	up      driver.Session // nil while the link is down
	gone    chan struct{}
	changed chan struct{}
	deny    error
	asked   int
	done    []driver.Outcome
}

// behindServer starts the far end, a session with it, and the driver's server over that session.
func (w *world) behindServer() *server {
	w.Helper()
	if w.target.ServeOptions == nil {
		w.Skip("the target's driver has no server")
	}
	sd, ok := w.target.Driver.(driver.Server)
	if !ok || w.target.Driver.Info().Can&driver.CanServe == 0 {
		w.Fatal("the target has ServeOptions, and its driver cannot serve")
	}
	_, port, err := net.SplitHostPort(w.addr)
	if err != nil {
		w.Fatal(err)
	}
	s := &server{world: w, changed: make(chan struct{})}
	front := *w.url
	front.Host = net.JoinHostPort(serveHost, port)
	s.url = &front
	w.serve()
	s.linkUp()
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.Context()))
	ended := make(chan error, 1)
	env := driver.ServeEnv{Listen: w.net.Listen, ListenPacket: w.net.ListenPacket, Upstreams: []driver.Upstream{s}, OpenStream: s.openStream, Gate: s, Keys: w.keys, Log: slog.New(slog.DiscardHandler)}
	go func() { ended <- sd.Serve(ctx, env, w.target.ServeOptions(front.Host)) }()
	stopFar := w.stop
	w.stop = func() {
		cancel()
		w.within(w.target.Patience, "Serve after its context ended", func() {
			if err := <-ended; !errors.Is(err, context.Canceled) {
				w.Errorf("Serve returned %v after its context ended; want ctx.Err()", err)
			}
		})
		stopFar()
	}
	synctest.Wait()
	return s
}

// linkUp gives the server a session.
func (s *server) linkUp() {
	s.Helper()
	session := s.reopen()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.up, s.gone = session, make(chan struct{})
	close(s.changed)
	s.changed = make(chan struct{})
}

// linkDown takes it away, as a gateway does: the end is told, then the session is closed.
func (s *server) linkDown() {
	s.Helper()
	s.mu.Lock()
	session := s.up
	s.up = nil
	close(s.gone)
	s.mu.Unlock()
	if err := session.Close(); err != nil {
		s.Errorf("Close: %v", err)
	}
}

// Name implements driver.Upstream.
func (s *server) Name() string { return "device" }

// Session implements driver.Upstream.
func (s *server) Session(ctx context.Context) (driver.Session, <-chan struct{}, error) {
	for {
		s.mu.Lock()
		up, gone, changed := s.up, s.gone, s.changed
		s.mu.Unlock()
		if up != nil {
			return up, gone, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
}

// openStream is that of the present session, whatever the device's name.
func (s *server) openStream(ctx context.Context, _ string, path device.Path, line driver.Line) (driver.Stream, error) {
	s.mu.Lock()
	up := s.up
	s.mu.Unlock()
	if up == nil {
		return nil, &driver.Error{Op: "open", Target: string(path), Class: driver.Closed, Err: net.ErrClosed}
	}
	return up.Abilities().Streamer.OpenStream(ctx, path, line)
}

// Login implements driver.Gate.
func (s *server) Login(context.Context, string, string, net.Addr) (driver.Who, error) {
	return driver.Who{User: "somebody"}, nil
}

// Allow implements driver.Gate.
func (s *server) Allow(driver.Who, driver.Action) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.deny
}

// Done implements driver.Gate.
func (s *server) Done(_ driver.Who, _ driver.Action, o driver.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = append(s.done, o)
}

// heard is what the gate was asked and told so far. A protocol that does not answer a write gives no order to that.
func (s *server) heard() (asked int, done []driver.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked, append([]driver.Outcome(nil), s.done...)
}

// client opens a session with the server.
func (s *server) client() (driver.Session, error) {
	ctx, cancel := context.WithTimeout(s.Context(), s.target.Patience)
	defer cancel()
	return s.openAt(ctx, s.url, s.options())
}

func (s *server) mustClient() driver.Session {
	s.Helper()
	c, err := s.client()
	if err != nil {
		s.Fatalf("opening our own server: %v", err)
	}
	return c
}

func (s *server) wantPoints(c driver.Session) {
	s.Helper()
	for i, got := range s.read(c, s.some(c)...) {
		if want := s.target.Points[i]; got.Quality != device.Good || !got.Value.Equal(want.Value) {
			s.Errorf("through the server %s is %v (%v %s), want %v", want.Path, got.Value, got.Quality, got.Reason, want.Value)
		}
	}
}

func (s *server) carried() int {
	if s.far.Writes == nil {
		s.Skip("the far end does not count its writes")
	}
	return s.far.Writes()
}

func serveChecks() []check {
	return []check{
		{"shows-the-device", func(w *world) {
			s := w.behindServer()
			a, b := s.mustClient(), s.mustClient()
			s.wantPoints(a)
			s.wantPoints(b)
		}},
		{"asks-for-every-write", func(w *world) {
			s := w.behindServer()
			if len(w.target.Writes) == 0 {
				w.Skip("the target names no writes")
			}
			wr := s.mustClient().Abilities().Writer
			before := s.carried()
			for n, want := range w.target.Writes {
				o := w.write(wr, want)[0]
				if o.Err != nil {
					w.Errorf("write %s through the server: %v, %v", want.Path, o.Stage, o.Err)
				}
				synctest.Wait() // a client may see what comes of a write before the server has put it down
				if asked, done := s.heard(); asked != n+1 || len(done) != n+1 {
					w.Errorf("the gate was asked %d times and told of %d ends after %d writes", asked, len(done), n+1)
				}
				if got := s.carried() - before; got != n+1 {
					w.Errorf("the device carried out %d writes of %d", got, n+1)
				}
			}
		}},
		{"obeys-the-gate", func(w *world) {
			s := w.behindServer()
			if len(w.target.Writes) == 0 {
				w.Skip("the target names no writes")
			}
			c := s.mustClient()
			before := s.carried()
			s.mu.Lock()
			s.deny = errors.New("no")
			s.mu.Unlock()
			if o := w.write(c.Abilities().Writer, w.target.Writes[0])[0]; (o.Stage != driver.Refused || o.Err == nil) && (!w.target.Mute || o.Stage != driver.Sent) {
				w.Errorf("a write that the gate denies: %v, %v", o.Stage, o.Err)
			}
			if n := s.carried() - before; n != 0 {
				w.Errorf("the device carried out %d writes that the gate had denied", n)
			}
			if _, done := s.heard(); len(done) != 1 || done[0].Stage != driver.Refused {
				w.Errorf("the gate was told %v of a denied write", done)
			}
			s.wantPoints(c)
		}},
		{"upstream-lost", func(w *world) {
			s := w.behindServer()
			c := s.mustClient()
			s.wantPoints(c)
			s.linkDown()
			synctest.Wait()
			w.within(w.target.Patience, "Read without upstream", func() {
				if _, err := c.Read(w.Context(), w.some(c)); err == nil {
					w.Error("a client is served without upstream")
				}
			})
			w.within(w.target.Patience+time.Second, "Open without upstream", func() {
				if _, err := s.client(); err == nil {
					w.Error("a client may connect without upstream")
				}
			})
			s.linkUp()
			synctest.Wait()
			s.wantPoints(s.mustClient())
		}},
		{"ends-with-its-context", func(w *world) {
			s := w.behindServer()
			c := s.mustClient()
			w.stop()
			w.stop = func() {}
			w.within(w.target.Patience, "Read after the server's end", func() {
				if _, err := c.Read(w.Context(), w.some(c)); err == nil {
					w.Error("a client is served after the end of Serve")
				}
			})
		}},
	}
}
