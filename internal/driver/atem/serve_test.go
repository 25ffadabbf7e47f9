package atem

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/atem/atemclient"
	"github.com/patchbay-io/patchbay/protocol/atem/atemserver"
	"github.com/patchbay-io/patchbay/protocol/openswitcher/oswclient"
)

const (
	farAddr  = "192.0.2.10:9910"
	udpFront = "192.0.2.30:9910"
	tcpFront = "192.0.2.30:4532"
)

// stage is a switcher, the one session with it, and the server in front of it.
type stage struct {
	t   *testing.T
	net testnet.Network
	far *far

	mu       sync.Mutex
	session  driver.Session // nil while the link is down
	gone     chan struct{}
	changed  chan struct{}
	deny     error
	log      bytes.Buffer
	actions  []string // what the gate was told of
	points   map[device.Path]device.Value
	commands []device.Path
	doer     driver.Commander

	stopFar func()
	stop    func()
}

func newStage(t *testing.T, change func(*ServeOptions)) *stage {
	t.Helper()
	s := &stage{t: t, far: newFar(atemserver.Options{}), changed: make(chan struct{}), points: map[device.Path]device.Value{}}
	pc, err := s.net.ListenPacket(t.Context(), "udp", farAddr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.far.servePackets(ctx, pc) })
	s.stopFar = func() { cancel(); wg.Wait() }
	s.linkUp()
	opts := serveDefaults()
	opts.ATEM, opts.OpenSwitcher = udpFront, tcpFront
	opts.From = network("192.0.2.0/24")
	if change != nil {
		change(opts)
	}
	inner, end := context.WithCancel(t.Context())
	served := make(chan error, 1)
	env := driver.ServeEnv{Listen: s.net.Listen, ListenPacket: s.net.ListenPacket, Upstreams: []driver.Upstream{s}, Gate: s, Sink: s,
		Commands: func(c driver.Commander) { s.mu.Lock(); s.doer = c; s.mu.Unlock() }, Log: slog.New(slog.NewTextHandler(&s.log, nil))}
	go func() { served <- Driver{}.Serve(inner, env, opts) }()
	s.stop = func() {
		end()
		if err := <-served; !errors.Is(err, context.Canceled) {
			t.Errorf("Serve: %v", err)
		}
		s.mu.Lock()
		if len(s.points) != 0 || len(s.commands) != 0 || s.doer != nil {
			t.Errorf("left behind: %v, %v", s.points, s.commands)
		}
		up := s.session
		s.mu.Unlock()
		if up != nil {
			up.Close()
		}
		s.stopFar()
	}
	synctest.Wait()
	return s
}

func network(text string) serving.Networks { return serving.Networks{netip.MustParsePrefix(text)} }

func commands(t *testing.T, words ...string) Commands {
	t.Helper()
	c, err := ParseCommands(words)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *stage) linkUp() {
	s.t.Helper()
	up, err := Driver{}.Open(s.t.Context(), driver.Env{ListenPacket: s.net.ListenPacket, Log: slog.New(slog.DiscardHandler)},
		driver.Target{Name: "studio", URL: &url.URL{Scheme: "atem", Host: farAddr}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.session, s.gone = up, make(chan struct{})
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *stage) linkDown() {
	s.mu.Lock()
	up := s.session
	s.session = nil
	close(s.gone)
	s.mu.Unlock()
	up.Close()
	synctest.Wait()
}

// Name implements driver.Upstream.
func (s *stage) Name() string { return "studio" }

// Session implements driver.Upstream.
func (s *stage) Session(ctx context.Context) (driver.Session, <-chan struct{}, error) {
	for {
		s.mu.Lock()
		up, gone, changed := s.session, s.gone, s.changed
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

// Login implements driver.Gate.
func (s *stage) Login(_ context.Context, user, secret string, from net.Addr) (driver.Who, error) {
	if secret != "secret" {
		return driver.Who{}, errors.New("wrong")
	}
	return driver.Who{User: user, Door: "atem", Addr: from.String()}, nil
}

// Allow implements driver.Gate.
func (s *stage) Allow(driver.Who, driver.Action) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.deny
}

// Done implements driver.Gate.
func (s *stage) Done(who driver.Who, a driver.Action, o driver.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stage := map[driver.Stage]string{driver.Refused: "refused", driver.Sent: "sent"}[o.Stage]
	s.actions = append(s.actions, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", who.User, a.Device, a.Value.Str(), stage)))
}

func (s *stage) told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.actions
	s.actions = nil
	return out
}

// Apply implements driver.Sink.
func (s *stage) Apply(c *driver.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, gone := range c.Gone {
		for p := range s.points {
			if p.Under(gone) {
				delete(s.points, p)
			}
		}
	}
	for _, x := range c.Samples {
		s.points[x.Path] = x.Value
	}
	if c.Commands != nil {
		s.commands = nil
		for _, x := range c.Commands {
			s.commands = append(s.commands, x.Path)
		}
	}
}

func (s *stage) point(path device.Path) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.points[path].String()
}

// ear keeps what a client hears.
type ear struct {
	mu      sync.Mutex
	packets []string // codes of each packet
	state   atem.State
}

func (e *ear) hear(payload []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var codes []string
	for f, err := range atem.Fields(payload) {
		if err != nil {
			codes = append(codes, err.Error())
			break
		}
		e.state.Apply(&f)
		word := f.Code.String()
		if kindOf(f.Code) == forXfer {
			word += fmt.Sprintf(" %d", f.Body[1])
		}
		codes = append(codes, word)
	}
	e.packets = append(e.packets, strings.Join(codes, " "))
}

// news are the packets since the last call.
func (e *ear) news() []string {
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	out := e.packets
	e.packets = nil
	return out
}

// player is a client over either transport.
type player interface {
	SendPayload([]byte) error
	Ready() <-chan struct{}
	Done() <-chan struct{}
	Close() error
}

func (s *stage) udp() (*atemclient.Client, *ear) {
	s.t.Helper()
	e := &ear{}
	c, err := atemclient.Dial(s.t.Context(), s.net.ListenPacket, udpFront, atemclient.Options{Handle: e.hear, Opens: 1})
	if err != nil {
		s.t.Fatal(err)
	}
	<-c.Ready()
	e.news()
	return c, e
}

func (s *stage) tcp(user string) (*oswclient.Client, *ear) {
	s.t.Helper()
	e := &ear{}
	c, err := oswclient.Dial(s.t.Context(), s.net.Dial, tcpFront, oswclient.Options{Handle: e.hear, User: user, Password: "secret"})
	if err != nil {
		s.t.Fatal(err)
	}
	<-c.Ready()
	e.news()
	return c, e
}

func payload(messages ...atem.Message) []byte {
	var b []byte
	for _, m := range messages {
		b = m.Append(b, farVersion)
	}
	return b
}

func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// Every client gets the whole state from memory, then every change, byte for byte and packet for packet, also of codes that
// nobody knows.
func TestEveryClientHearsEverything(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStage(t, nil)
		a, hearA := s.udp()
		b, hearB := s.tcp("")
		strange := []byte{0, 13, 0xcf, 0x60, 'X', 'y', 'Z', '1', 1, 2, 3, 4, 5}
		s.far.mu.Lock()
		s.far.tell(&atem.ProgramSource{Source: 3}, &atem.PreviewSource{Source: 1})
		for c := range s.far.conns {
			c.tell(append(payload(&atem.Timecode{}), strange...))
		}
		sessions := len(s.far.conns)
		s.far.mu.Unlock()
		for name, e := range map[string]*ear{"udp": hearA, "tcp": hearB} {
			if got := e.news(); !slices.Equal(got, []string{"PrgI PrvI", "Time XyZ1"}) {
				t.Errorf("%s: %q", name, got)
			}
		}
		if sessions != 1 {
			t.Errorf("%d sessions with the switcher", sessions)
		}
		// One that comes later has the same in its dump, with the padding that came.
		c, hearC := s.udp()
		d, hearD := s.tcp("")
		s.far.mu.Lock()
		want := s.far.state.Len() + 1
		s.far.mu.Unlock()
		for name, e := range map[string]*ear{"udp": hearC, "tcp": hearD} {
			found := false
			for f := range e.state.Fields() {
				found = found || f.Code.String() == "XyZ1" && f.Pad == [2]byte{0xcf, 0x60} && len(f.Body) == 5
			}
			p, _ := atem.Get[atem.ProgramSource](&e.state, 0)
			if e.state.Len() != want || !found || p.Source != 3 || !e.state.Complete() {
				t.Errorf("%s: %d fields of %d, %v, program %v", name, e.state.Len(), want, found, p.Source)
			}
		}
		time.Sleep(2 * time.Second)
		if s.point("_clients/count") != "4" || s.point("_clients/1/transport") != "udp" || s.point("_clients/2/transport") != "tcp" || s.point("_clients/1/may") != "watch" {
			t.Errorf("%v", s.points)
		}
		for _, x := range []player{a, b, c, d} {
			x.Close()
		}
		time.Sleep(2 * time.Second)
		if s.point("_clients/count") != "0" || len(s.commands) != 0 {
			t.Errorf("%v", s.points)
		}
		s.stop()
	})
}

// Nothing may be commanded without a word in the configuration; what is refused is counted, told, and shown with the line that
// would allow it. The packet goes as a whole or not at all.
func TestRights(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStage(t, func(o *ServeOptions) {
			o.Login = true
			o.Allow = commands(t, "CPvI", "aux/2")
			o.Rules = []Rule{{User: "anna", Allow: commands(t, "DCut me=1", "raw XyZ1")}, {From: network("192.0.2.99/32"), Allow: commands(t, "*")}}
		})
		u, hear := s.udp()
		a, _ := s.tcp("anna")
		program := func() int {
			s.far.mu.Lock()
			defer s.far.mu.Unlock()
			p, _ := atem.Get[atem.ProgramSource](&s.far.state, 0)
			return int(p.Source)
		}
		for _, row := range []struct {
			name string
			who  player
			send []byte
			want []string // what the gate was told
		}{
			{"everybody may", u, payload(&atem.SetPreviewSource{Source: 3}), []string{"studio CPvI me=1 source=3 sent"}},
			{"nobody may", u, payload(&atem.SetProgramSource{Source: 3}), []string{"studio CPgI me=1 source=3 refused"}},
			{"a refusal is told once", u, payload(&atem.SetProgramSource{Source: 3}), nil},
			{"a part of the switcher", u, payload(&atem.SetAuxSource{Mask: 1, Aux: 1, Source: 2}), []string{"studio CAuS mask=source aux=2 source=2 sent"}},
			{"another part", u, payload(&atem.SetAuxSource{Mask: 1, Aux: 0, Source: 2}), []string{"studio CAuS mask=source aux=1 source=2 refused"}},
			{"only who has logged in", u, payload(&atem.Cut{}), []string{"studio DCut me=1 refused"}},
			{"who has logged in", a, payload(&atem.Cut{}), []string{"anna studio DCut me=1 sent"}},
			{"with the value that is named", a, payload(&atem.Cut{ME: 1}), []string{"anna studio DCut me=2 refused"}},
			{"a code that nobody knows", a, []byte{0, 9, 0, 0, 'X', 'y', 'Z', '1', 7}, []string{"anna studio XyZ1 (1 byte) sent"}},
			{"another that nobody knows", a, []byte{0, 9, 0, 0, 'X', 'y', 'Z', '2', 7}, []string{"anna studio XyZ2 (1 byte) refused"}},
			{"together", a, payload(&atem.SetPreviewSource{Source: 1}, &atem.Cut{}), []string{"anna studio CPvI me=1 source=1 sent", "anna studio DCut me=1 sent"}},
			{"one of two is refused", a, payload(&atem.SetPreviewSource{Source: 2}, &atem.Auto{}), []string{"anna studio DAut me=1 refused", "anna studio CPvI me=1 source=2 refused"}},
		} {
			if err := row.who.SendPayload(row.send); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := s.told(); !slices.Equal(got, row.want) {
				t.Errorf("%s: %q, want %q", row.name, got, row.want)
			}
		}
		if program() != 1 {
			t.Errorf("program is %d", program())
		}
		if got := hear.news(); !slices.Equal(got, []string{"PrvI", "AuxS", "PrgI PrvI", "PrvI", "PrgI PrvI"}) {
			t.Errorf("%q", got)
		}
		time.Sleep(1500 * time.Millisecond)
		for path, want := range map[device.Path]string{
			"_clients/1/refused": "4", "_clients/1/commands": "6", "_clients/1/may": "CPvI, aux/2", "_clients/2/may": "CPvI, aux/2, DCut me=1, raw XyZ1",
			"_clients/2/user": "anna", "_clients/refused": "8", "_clients/forwarded": "6", "_clients/1/last-command": "CAuS mask=source aux=2 source=2",
			"_clients/1/last-refusal": `DCut me=1: allow it in the configuration: devices.studio.serve.allow: ["DCut me=1"]`,
		} {
			if got := s.point(path); got != want {
				t.Errorf("%s is %s, want %s", path, got, want)
			}
		}
		// What is no command is told once, and what stood before it counts.
		for range 3 {
			u.SendPayload(append(payload(&atem.SetPreviewSource{Source: 1}), 0, 1, 2, 3, 4, 5, 6, 7))
		}
		synctest.Wait()
		if n := strings.Count(s.log.String(), "what is no command"); n != 1 || len(s.told()) != 3 {
			t.Errorf("%s", s.log.String())
		}
		hear.news()
		// The gate has the last word.
		s.mu.Lock()
		s.deny = errors.New("not now")
		s.mu.Unlock()
		u.SendPayload(payload(&atem.SetPreviewSource{Source: 3}))
		synctest.Wait()
		if got := s.told(); !slices.Equal(got, []string{"studio CPvI me=1 source=3 refused"}) || len(hear.news()) != 0 {
			t.Errorf("%q", got)
		}
		// An operator ends a connection.
		if _, o := s.doer.Do(t.Context(), "_clients/1/disconnect", nil); o.Stage != driver.Acked {
			t.Errorf("%+v", o)
		}
		<-u.Done()
		if _, o := s.doer.Do(t.Context(), "_clients/77/disconnect", nil); o.Stage != driver.Refused {
			t.Errorf("%+v", o)
		}
		a.Close()
		s.stop()
	})
}

// Levels come to those who asked for them, with one subscription upstream while anybody does.
func TestLevelsAreShared(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStage(t, nil)
		a, hearA := s.udp()
		b, hearB := s.tcp("")
		c, hearC := s.udp()
		subscribed := func() bool {
			s.far.mu.Lock()
			defer s.far.mu.Unlock()
			for _, on := range s.far.meters {
				if on {
					return true
				}
			}
			return false
		}
		on, off := payload(&atem.SendClassicLevels{On: true}), payload(&atem.SendClassicLevels{})
		a.SendPayload(on)
		b.SendPayload(on)
		time.Sleep(time.Second)
		if x, y, z := len(hearA.news()), len(hearB.news()), len(hearC.news()); x < 9 || y < 9 || z != 0 || !subscribed() {
			t.Errorf("%d, %d, %d packets", x, y, z)
		}
		a.SendPayload(off)
		synctest.Wait()
		hearA.news()
		time.Sleep(time.Second)
		if x, y := len(hearA.news()), len(hearB.news()); x != 0 || y < 9 {
			t.Errorf("%d, %d packets", x, y)
		}
		// Those who watch the points come and go without a program noticing, and the other way round.
		watching, stop := context.WithCancel(t.Context())
		watched := make(chan error, 1)
		go func() { watched <- s.session.Watch(watching, driver.Everything{}, nobody{}) }()
		time.Sleep(time.Second)
		b.SendPayload(off)
		time.Sleep(time.Second)
		if !subscribed() {
			t.Error("somebody watches the levels")
		}
		b.SendPayload(on)
		synctest.Wait()
		stop()
		<-watched
		hearB.news()
		time.Sleep(time.Second)
		if n := len(hearB.news()); n < 9 {
			t.Errorf("%d packets", n)
		}
		b.Close()
		time.Sleep(time.Second)
		if subscribed() {
			t.Error("nobody wants levels any more")
		}
		if got := s.told(); len(got) != 0 {
			t.Errorf("levels are no commands: %q", got)
		}
		a.Close()
		c.Close()
		s.stop()
	})
}

// nobody is a sink that keeps nothing.
type nobody struct{}

func (nobody) Apply(*driver.Change) {}

// A store belongs to one client at a time, and is free when that one goes; transfers have the numbers of their own client.
func TestLocksAndTransfers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStage(t, func(o *ServeOptions) { o.Allow = commands(t, "media/*", "media") })
		up := s.switcherOfTransfers()
		a, hearA := s.udp()
		b, hearB := s.tcp("")
		lock := payload(&atem.Lock{Store: 0, Locked: true})
		a.SendPayload(lock)
		if got := hearA.news(); !slices.Equal(got, []string{"LKST", "LKOB"}) {
			t.Errorf("%q", got)
		}
		b.SendPayload(lock)
		if got := hearB.news(); !slices.Equal(got, []string{"LKST", "LKST"}) {
			t.Errorf("%q", got)
		}
		start := payload(&atem.StartUpload{Transfer: 7, Store: 0, Slot: 3})
		b.SendPayload(start) // has no lock
		a.SendPayload(start)
		synctest.Wait()
		if got := up.take(); got != "LOCK FTSD" {
			t.Errorf("upstream got %s", got)
		}
		if got := hearA.news(); !slices.Equal(got, []string{"FTCD 7"}) {
			t.Errorf("%q", got)
		}
		if got := hearB.news(); len(got) != 0 {
			t.Errorf("%q", got)
		}
		// Labels need no lock, and another client may use the same number at the same time.
		b.SendPayload(payload(&atem.StartUpload{Transfer: 7, Store: noLockNeeded, Slot: 1}))
		if got := hearB.news(); !slices.Equal(got, []string{"FTCD 7"}) {
			t.Errorf("%q", got)
		}
		a.SendPayload(payload(&atem.TransferData{Transfer: 7, Data: []byte("aaaa")}))
		b.SendPayload(payload(&atem.TransferData{Transfer: 7, Data: []byte("bbbb")}))
		b.SendPayload(payload(&atem.TransferData{Transfer: 8, Data: []byte("cccc")})) // was never begun
		synctest.Wait()
		if got := fmt.Sprint(up.data); got != "map[1:aaaa 2:bbbb]" {
			t.Errorf("%s", got)
		}
		if got := hearA.news(); !slices.Equal(got, []string{"FTDC 7"}) {
			t.Errorf("%q", got)
		}
		hearB.news()
		up.take()
		a.SendPayload(start)
		synctest.Wait()
		up.take()
		a.Close() // in the middle of a transfer
		synctest.Wait()
		if got := up.take(); got != "FTAD LOCK" {
			t.Errorf("upstream got %s", got)
		}
		hearB.news()
		b.SendPayload(lock)
		if got := hearB.news(); !slices.Equal(got, []string{"LKST", "LKOB"}) {
			t.Errorf("%q", got)
		}
		b.Close()
		s.stop()
	})
}

// A link that is lost ends every client at once; nobody gets in before there is another, and then everybody does.
func TestUpstreamIsLost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStage(t, nil)
		a, _ := s.udp()
		b, _ := s.tcp("")
		began := time.Now()
		s.linkDown()
		<-a.Done()
		<-b.Done()
		if time.Since(began) > 10*time.Millisecond || !errors.Is(a.Err(), atem.ErrPeerClosed) || !errors.Is(b.Err(), io.EOF) {
			t.Errorf("after %v: %v, %v", time.Since(began), a.Err(), b.Err())
		}
		if _, err := atemclient.Dial(t.Context(), s.net.ListenPacket, udpFront, atemclient.Options{}); !errors.Is(err, atem.ErrFull) {
			t.Errorf("udp without a switcher: %v", err)
		}
		c, err := oswclient.Dial(t.Context(), s.net.Dial, tcpFront, oswclient.Options{})
		if err == nil {
			<-c.Done()
		}
		s.linkUp()
		synctest.Wait()
		a, _ = s.udp()
		b, _ = s.tcp("")
		a.Close()
		b.Close()
		s.stop()
	})
}

// Strangers do not get in, and wrong logins are counted.
func TestWhoMayConnect(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStage(t, func(o *ServeOptions) { o.From = network("203.0.113.0/24"); o.Login = true })
		if _, err := atemclient.Dial(t.Context(), s.net.ListenPacket, udpFront, atemclient.Options{}); !errors.Is(err, atem.ErrFull) {
			t.Error(err)
		}
		if _, err := oswclient.Dial(t.Context(), s.net.Dial, tcpFront, oswclient.Options{User: "u", Password: "secret"}); err == nil {
			t.Error("a stranger is in")
		}
		atemclient.Dial(t.Context(), s.net.ListenPacket, udpFront, atemclient.Options{})
		s.stop()
		if n := strings.Count(s.log.String(), "serve.from does not hold its address"); n != 2 { // once for each host
			t.Errorf("%s", s.log.String())
		}
		s = newStage(t, func(o *ServeOptions) { o.Login = true })
		if _, err := oswclient.Dial(t.Context(), s.net.Dial, tcpFront, oswclient.Options{User: "u", Password: "guess"}); !errors.Is(err, oswclient.ErrLogin) {
			t.Error(err)
		}
		if _, err := oswclient.Dial(t.Context(), s.net.Dial, tcpFront, oswclient.Options{User: "u", Password: "secret", Device: "other"}); !errors.Is(err, oswclient.ErrNoDevice) {
			t.Error(err)
		}
		time.Sleep(2 * time.Second)
		if s.point("_clients/bad-logins") != "1" {
			t.Errorf("%v", s.points)
		}
		s.stop()
	})
}

// Questions that change nothing are for everybody, and not for the switcher each time.
func TestQuestions(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newStage(t, nil)
		a, _ := s.udp()
		var asked atomic.Int64
		s.far.mu.Lock()
		s.far.asked = func() { asked.Add(1) }
		s.far.mu.Unlock()
		for range 50 {
			a.SendPayload(payload(&atem.RequestTime{}))
		}
		synctest.Wait()
		if n := asked.Load(); n != 1 || len(s.told()) != 0 {
			t.Errorf("%d questions went to the switcher", n)
		}
		time.Sleep(questionEvery)
		a.SendPayload(payload(&atem.RequestTime{}))
		synctest.Wait()
		if n := asked.Load(); n != 2 {
			t.Errorf("%d questions went to the switcher", n)
		}
		a.Close()
		s.stop()
	})
}
