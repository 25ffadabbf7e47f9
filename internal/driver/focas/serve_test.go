package focas

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/drivertest"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasclient"
	"github.com/patchbay-io/patchbay/protocol/focas/focassim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const serveAddr = "192.0.2.30:8193"

// upstream is a driver.Upstream over a control at an address: it opens a new session when the last one has ended.
type upstream struct {
	dial driver.Opener[net.Conn]

	mu   sync.Mutex
	s    driver.Session
	gone chan struct{}
	down bool
}

func (u *upstream) Name() string { return "mill" }

func (u *upstream) Session(ctx context.Context) (driver.Session, <-chan struct{}, error) {
	for {
		u.mu.Lock()
		if u.s == nil && !u.down {
			s, err := New().Open(ctx, driver.Env{Dial: u.dial}, driver.Target{Name: "mill", Options: suiteOptions(), URL: &url.URL{Scheme: "focas", Host: "192.0.2.21"}})
			if err == nil {
				u.s, u.gone = s, make(chan struct{})
			}
		}
		s, gone := u.s, u.gone
		u.mu.Unlock()
		if s != nil {
			return s, gone, nil
		}
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// end closes the session, as the gateway does when its link is lost; with stay no new one is opened.
func (u *upstream) end(stay bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.down = stay
	if u.s != nil {
		_ = u.s.Close()
		close(u.gone)
		u.s = nil
	}
}

// gate records what it is asked and told.
type gate struct {
	deny error

	mu    sync.Mutex
	asked []string
	done  []string
	olds  []string
}

func (g *gate) Login(context.Context, string, string, net.Addr) (driver.Who, error) {
	return driver.Who{}, errors.New("FOCAS has no logins")
}

func (g *gate) Allow(who driver.Who, a driver.Action) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked = append(g.asked, who.Door+" "+a.Device+" "+a.Raw)
	return g.deny
}

func (g *gate) Done(_ driver.Who, a driver.Action, o driver.Outcome) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.done = append(g.done, a.Raw+" "+o.Stage.String())
	g.olds = append(g.olds, a.Old.Str())
}

// points is a Sink that holds what it was told.
type points struct {
	mu       sync.Mutex
	samples  map[device.Path]device.Value
	specs    map[device.Path]bool
	commands []device.Path
}

func (p *points) Apply(c *driver.Change) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.samples == nil {
		p.samples, p.specs = map[device.Path]device.Value{}, map[device.Path]bool{}
	}
	for _, g := range c.Gone {
		for path := range p.specs {
			if path.Under(g) {
				delete(p.specs, path)
				delete(p.samples, path)
			}
		}
	}
	for _, s := range c.Specs {
		p.specs[s.Path] = true
	}
	if c.Commands != nil {
		p.commands = nil
		for _, cmd := range c.Commands {
			p.commands = append(p.commands, cmd.Path)
		}
	}
	for _, s := range c.Samples {
		if p.specs[s.Path] {
			p.samples[s.Path] = s.Value
		}
	}
}

func (p *points) at(path device.Path) device.Value {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.samples[path]
}

// served is a server before a simulated control.
type served struct {
	*testing.T
	net    *testnet.Network
	sim    *focassim.Sim
	up     *upstream
	gate   *gate
	points *points
	cmd    driver.Commander
	frames *frameCounter
}

// frameCounter counts the data frames and the bytes that a control gets.
type frameCounter struct{ frames, blocks atomic.Int64 }

func (f *frameCounter) wrap(c net.Conn) net.Conn { return &countedConn{Conn: c, f: f} }

type countedConn struct {
	net.Conn
	f    *frameCounter
	rest []byte
}

func (c *countedConn) Read(p []byte) (int, error) {
	n, readErr := c.Conn.Read(p)
	c.rest = append(c.rest, p[:n]...)
	for {
		f, rest, err := focas.ParseFrame(c.rest)
		if err != nil {
			return n, readErr
		}
		if f.Type == focas.TypeData {
			c.f.frames.Add(1)
			if bs, err := focas.RequestBlocks(f.Body); err == nil {
				c.f.blocks.Add(int64(bs.Count()))
			}
		}
		c.rest = rest
	}
}

// statInfo asks for the state of path 1.
var statInfo = focas.Request{Class: focas.ClassCNC, Path: 1, Func: focas.FuncStatInfo}

// withServer runs f with a server before a simulated control whose machine stands still.
func withServer(t *testing.T, profile string, change func(*ServeOptions), f func(ctx context.Context, s *served)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := &served{T: t, net: new(testnet.Network), gate: new(gate), points: new(points), frames: new(frameCounter)}
		var err error
		if s.sim, err = focassim.New(focassim.Options{Profile: profile, Seed: 1, Manual: true, WrapConn: s.frames.wrap}); err != nil {
			t.Fatal(err)
		}
		simDone, done := make(chan error, 1), make(chan error, 1)
		ln := s.net.MustListen(simAddr)
		go func() { simDone <- s.sim.Serve(ctx, ln) }()
		s.up = &upstream{dial: s.net.Dial}
		opts := serveDefaults()
		opts.Listen = serveAddr
		opts.From = serving.Networks{}
		if change != nil {
			change(opts)
		}
		env := driver.ServeEnv{Listen: s.net.Listen, Upstreams: []driver.Upstream{s.up}, Gate: s.gate, Sink: s.points,
			Commands: func(c driver.Commander) { s.cmd = c }, Log: slog.New(slog.DiscardHandler)}
		go func() { done <- Driver{}.Serve(ctx, env, opts) }()
		synctest.Wait()
		f(ctx, s)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Serve: %v", err)
		}
		s.up.end(true)
		<-simDone
		if n := len(s.points.specs); n != 0 {
			t.Errorf("%d points are left", n)
		}
	})
}

// program is one FOCAS program.
func (s *served) program(ctx context.Context) *focasclient.Client {
	s.Helper()
	c, err := focasclient.Dial(ctx, s.net.Dial, serveAddr, focasclient.Options{})
	if err != nil {
		s.Fatalf("a program cannot connect: %v", err)
	}
	s.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

func allow(t *testing.T, words ...string) func(*ServeOptions) {
	t.Helper()
	c, err := ParseCalls(words)
	if err != nil {
		t.Fatal(err)
	}
	return func(o *ServeOptions) { o.Allow, o.From = c, nil; o.Listen = "127.0.0.1:8193" }
}

// The whole suite of a driver, through the server: it is a control to the driver.
func TestServePassesTheSuite(t *testing.T) {
	all, err := ParseCalls([]string{"cnc_wrmacro", "cnc_wrparam", "pmc_wrpmcrng", "0xa8"})
	if err != nil {
		t.Fatal(err)
	}
	for profile, window := range map[string]time.Duration{"30i": 0, "16i": serveDefaults().Window} {
		t.Run(profile, func(t *testing.T) {
			drivertest.Run(t, suite(profile, func(_ *testing.T, sim *focassim.Sim) func(context.Context, net.Listener) error {
				return func(ctx context.Context, l net.Listener) error {
					inner := new(testnet.Network)
					ln := inner.MustListen(simAddr)
					up := &upstream{dial: inner.Dial}
					opts := serveDefaults()
					opts.Allow, opts.Window = all, window
					var wg sync.WaitGroup
					ctx, cancel := context.WithCancel(ctx)
					wg.Go(func() { _ = sim.Serve(ctx, ln) })
					err := Driver{}.Serve(ctx, driver.ServeEnv{Upstreams: []driver.Upstream{up}, Gate: new(gate), Log: slog.New(slog.DiscardHandler),
						Listen: func(context.Context, string, string) (net.Listener, error) { return &lateListener{Listener: l}, nil }}, opts)
					up.end(true)
					cancel()
					wg.Wait()
					return err
				}
			}))
		})
	}
}

// lateListener accepts nobody before the server has its upstream.
type lateListener struct {
	net.Listener
	once sync.Once
}

func (l *lateListener) Accept() (net.Conn, error) {
	l.once.Do(func() { time.Sleep(time.Millisecond) }) // simulated: everything else has come to rest
	return l.Listener.Accept()
}

// A program sees the same points as the gateway does.
func TestServeShowsTheSamePoints(t *testing.T) {
	for _, profile := range []string{"30i", "16i", "31i"} {
		withServer(t, profile, nil, func(ctx context.Context, s *served) {
			read := func(addr string) map[device.Path]string {
				sess, err := New().Open(ctx, driver.Env{Dial: s.net.Dial}, driver.Target{Name: "m", Options: suiteOptions(), URL: &url.URL{Scheme: "focas", Host: addr}})
				if err != nil {
					t.Fatal(err)
				}
				defer sess.Close()
				var paths []device.Path
				for _, sp := range sess.(*session).allSpecs() {
					if !isLinkPoint(sp.Path) {
						paths = append(paths, sp.Path)
					}
				}
				got, err := sess.Read(ctx, paths)
				if err != nil {
					t.Fatal(err)
				}
				out := map[device.Path]string{}
				for _, g := range got {
					out[g.Path] = fmt.Sprint(g.Value, g.Quality, g.Reason)
				}
				return out
			}
			direct, through := read(simAddr), read(serveAddr)
			if d := cmp.Diff(direct, through); d != "" || len(direct) < 50 {
				t.Errorf("%s: %d points, through the server:\n%s", profile, len(direct), d)
			}
		})
	}
}

// What is not named is refused with the code that a control gives in such a case, and nothing of it reaches the control.
func TestServeRefuses(t *testing.T) {
	withServer(t, "30i", nil, func(ctx context.Context, s *served) {
		c := s.program(ctx)
		before := s.frames.blocks.Load()
		for _, row := range []struct {
			q    focas.Request
			want focas.Code
		}{
			{focas.WriteMacroRequest(focas.Series30i, 1, 500, []focas.Value{{}}), focas.EWProt},
			{focas.Request{Class: focas.ClassCNC, Path: 1, Func: focas.FuncDelete}, focas.EWProt},
			{focas.Request{Class: focas.ClassCNC, Path: 1, Func: focas.FuncStart}, focas.EWReject},
			{focas.Request{Class: focas.ClassCNC, Path: 1, Func: focas.FuncReset}, focas.EWReject},
			{focas.Request{Class: focas.ClassCNC, Path: 1, Func: 0x7abc}, focas.EWFunc},
			{focas.Request{Class: focas.ClassPMC, Path: 1, Func: focas.FuncStatInfo}, focas.EWFunc},
			{focas.Request{Class: focas.ClassCNC, Path: 1, Func: focas.FuncReadPMC}, focas.EWFunc},
			{focas.Request{Class: 3, Path: 1, Func: focas.FuncStatInfo}, focas.EWFunc},
		} {
			for range 3 {
				got, err := c.Exchange(ctx, []focas.Request{row.q})
				if err != nil || got[0].Code != row.want {
					t.Errorf("%v %v: %v %v, want %v", row.q.Class, row.q.Func, got, err, row.want)
				}
			}
		}
		if n := s.frames.blocks.Load() - before; n != 0 {
			t.Errorf("%d refused blocks reached the control", n)
		}
		if len(s.gate.asked) != 0 || len(s.gate.done) != 7 { // once for each function
			t.Errorf("gate was asked %v and told %v", s.gate.asked, s.gate.done)
		}
		time.Sleep(2 * serving.CountEvery)
		if n := s.points.at("_clients/1/refused").Int(); n != 24 {
			t.Errorf("%d refused", n)
		}
		// A refusal in a frame spoils nothing else in it.
		got, err := c.Exchange(ctx, []focas.Request{statInfo, focas.WriteMacroRequest(focas.Series30i, 1, 500, []focas.Value{{}}), focas.SysInfoRequest(1)})
		if err != nil || got[0].Code != 0 || got[1].Code != focas.EWProt || got[2].Code != 0 || len(got[2].Payload) == 0 {
			t.Errorf("mixed frame: %v %v", got, err)
		}
	})
}

// What is named passes, when the gate agrees, and is told to it with its outcome.
func TestServeAllows(t *testing.T) {
	for _, words := range [][]string{{"cnc_wrmacro"}, {"0x16"}, {"22"}} {
		withServer(t, "30i", allow(t, words...), func(ctx context.Context, s *served) {
			c, err := focasclient.Dial(ctx, s.net.Dial, "127.0.0.1:8193", focasclient.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close(ctx)
			d, _ := focas.DecimalOf(12.5)
			write := []focas.Request{focas.WriteMacroRequest(focas.Classic, 1, 500, []focas.Value{d})}
			look := []focas.Request{focas.MacroRequest(1, 500, 500)}
			before, err := c.Exchange(ctx, look)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := c.Exchange(ctx, write); err != nil || got[0].Code != 0 {
				t.Fatalf("%v: %v %v", words, got, err)
			}
			// Within the window, and yet the new value.
			after, err := c.Exchange(ctx, look)
			if err != nil || slices.Equal(before[0].Payload, after[0].Payload) {
				t.Errorf("the read after the write shows %x, before it %x: %v", after[0].Payload, before[0].Payload, err)
			}
			s.gate.deny = errors.New("not now")
			if got, err := c.Exchange(ctx, write); err != nil || got[0].Code != focas.EWProt {
				t.Errorf("the gate said no: %v %v", got, err)
			}
			want := []string{"focas mill 0x0016", "focas mill 0x0016"}
			if d := cmp.Diff(want, s.gate.asked); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff([]string{"0x0016 acknowledged", "0x0016 refused"}, s.gate.done); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff([]string{"data " + hex.EncodeToString(before[0].Payload), ""}, s.gate.olds); d != "" {
				t.Errorf("what was there before: %s", d)
			}
		})
	}
}

// What a write replaces is asked for where range and data agree, and only there.
func TestReadBefore(t *testing.T) {
	two := []focas.Value{{}, {}}
	rec, err := focas.ParamRecord(focas.Series30i, 0, 6711, 0, 3, focas.Value{Mantissa: 7})
	if err != nil {
		t.Fatal(err)
	}
	old, err := focas.ParamRecord(focas.Classic, 8, 6711, -1, 3, focas.Value{Mantissa: 7})
	if err != nil {
		t.Fatal(err)
	}
	word := focas.PMCRange{Area: 9, First: 100, Last: 101, Type: 1}
	greedy := focas.WriteMacroRequest(focas.Classic, 1, 500, two)
	greedy.Args[1] = 100000
	backward := focas.WritePMCRequest(1, focas.PMCRange{First: 100, Last: 99}, nil)
	cut := focas.WriteParamRequest(1, rec)
	cut.Data = cut.Data[:3]
	for name, tt := range map[string]struct {
		write focas.Request
		want  focas.Request
		ok    bool
	}{
		"macros":            {focas.WriteMacroRequest(focas.Classic, 2, 500, two), focas.MacroRequest(2, 500, 501), true},
		"PMC":               {focas.WritePMCRequest(1, word, []byte{1, 2}), focas.PMCRequest(1, word), true},
		"parameter":         {focas.WriteParamRequest(1, rec), focas.ParamRequest(focas.Series30i, 1, 6711, 6711, 0), true},
		"classic parameter": {focas.WriteParamRequest(2, old), focas.ParamRequest(focas.Classic, 2, 6711, 6711, -1), true},
		"more than written": {write: greedy}, "nothing": {write: backward}, "cut": {write: cut}, "another": {write: statInfo},
	} {
		got, ok := readBefore(&tt.write)
		if ok != tt.ok {
			t.Errorf("%s: %v", name, ok)
		} else if d := cmp.Diff(tt.want, got); ok && d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// Fifty programs that read the same page cost the control the traffic of one.
func TestServeAsksOnceForAll(t *testing.T) {
	withServer(t, "30i", nil, func(ctx context.Context, s *served) {
		page := []focas.Request{statInfo, focas.AxisRequest(1, focas.AxisAbsolute, focas.AllAxes), focas.MacroRequest(1, 500, 509)}
		var clients []*focasclient.Client
		for range 50 {
			clients = append(clients, s.program(ctx))
		}
		time.Sleep(2 * serving.CountEvery)
		before, saved := s.frames.frames.Load(), s.points.at("_clients/saved").Int()
		for range 10 {
			var wg sync.WaitGroup
			for _, c := range clients {
				wg.Go(func() {
					if _, err := c.Exchange(ctx, page); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			time.Sleep(time.Second)
		}
		time.Sleep(2 * serving.CountEvery)
		if n := s.frames.frames.Load() - before; n != 10 {
			t.Errorf("the control got %d frames for 10 rounds of 50 programs", n)
		}
		if n := s.points.at("_clients/saved").Int() - saved; n != 49*3*10 {
			t.Errorf("saved is %d", n)
		}
		if _, err := focasclient.Dial(ctx, s.net.Dial, serveAddr, focasclient.Options{}); err == nil {
			t.Error("program 51 of 50 may connect")
		}
		if n := s.points.at("_clients/count").Int(); n != 50 {
			t.Errorf("count is %d", n)
		}
	})
}

// Different arguments, paths and data are different questions.
func TestAnswersAreByWholeQuestion(t *testing.T) {
	a := newAnswers(time.Second)
	base := focas.Request{Class: 1, Path: 1, Func: 2, Args: [4]int32{1, 2, 3, 4}, Flag: 0, Data: []byte{1}}
	questions := []focas.Request{base}
	for _, f := range []func(*focas.Request){
		func(q *focas.Request) { q.Class = 2 }, func(q *focas.Request) { q.Path = 2 }, func(q *focas.Request) { q.Func = 3 },
		func(q *focas.Request) { q.Args[3] = 5 }, func(q *focas.Request) { q.Flag = 1 }, func(q *focas.Request) { q.Data = []byte{2} },
		func(q *focas.Request) { q.Data = nil },
	} {
		q := base
		f(&q)
		questions = append(questions, q)
	}
	find := func(q *focas.Request, now time.Time, changes uint64) *shared {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.find(q, now, changes)
	}
	ask := func(q *focas.Request, changes uint64, payload []byte) {
		a.mu.Lock()
		s := a.claim(q, time.Now(), changes)
		a.mu.Unlock()
		if s == nil {
			t.Fatalf("%v was asked before", q)
		}
		a.settle(q, s, focas.Reply{Payload: payload}, nil)
	}
	for i := range questions {
		ask(&questions[i], 0, []byte{byte(i)})
	}
	for i := range questions {
		if s := find(&questions[i], time.Now(), 0); s == nil || s.reply.Payload[0] != byte(i) {
			t.Errorf("question %d: %v", i, s)
		}
	}
	if find(&base, time.Now(), 1) != nil {
		t.Error("an answer from before a change is used")
	}
	if find(&questions[1], time.Now().Add(2*time.Second), 0) != nil {
		t.Error("an answer lives longer than the window")
	}
	// A program that asks for ever new things does not fill the memory.
	for i := range int32(3 * maxAnswers) {
		q := focas.MacroRequest(1, i, i)
		ask(&q, 1, make([]byte, 2000))
	}
	if len(a.byKey) > maxAnswers || a.bytes > maxAnswerBytes+2000 {
		t.Errorf("%d answers of %d bytes are kept", len(a.byKey), a.bytes)
	}
	a.forget()
	if a.bytes != 0 || len(a.byKey) != 0 {
		t.Errorf("%d answers of %d bytes after forget", len(a.byKey), a.bytes)
	}
}

// A program's choice of a PMC unit is its own, and one that the control does not have is refused.
func TestServeSelectsUnits(t *testing.T) {
	withServer(t, "30i", nil, func(ctx context.Context, s *served) {
		c := s.program(ctx)
		for unit, want := range map[uint16]focas.Code{1: 0, 2: focas.EWNumber} {
			got, err := c.Exchange(ctx, []focas.Request{focas.SelectPMCUnitRequest(unit)})
			if err != nil || got[0].Code != want || len(got[0].Payload) != 0 {
				t.Errorf("unit %d: %v %v", unit, got, err)
			}
		}
	})
}

// When the link is lost, programs lose theirs, and come back when it does.
func TestServeFollowsTheLink(t *testing.T) {
	withServer(t, "30i", nil, func(ctx context.Context, s *served) {
		c := s.program(ctx)
		s.up.end(true)
		synctest.Wait()
		if _, err := c.Exchange(ctx, []focas.Request{focas.SysInfoRequest(1)}); err == nil {
			t.Error("a program is served without a control")
		}
		if _, err := focasclient.Dial(ctx, s.net.Dial, serveAddr, focasclient.Options{}); err == nil {
			t.Error("a program may connect while there is no control")
		}
		time.Sleep(serving.CountEvery)
		if n := s.points.at("_clients/count").Int(); n != 0 {
			t.Errorf("count is %d", n)
		}
		s.up.end(false)
		time.Sleep(time.Second)
		c = s.program(ctx)
		// The control goes away while a request is on its way.
		s.sim.SetFaults(focassim.Faults{Silent: true})
		start := time.Now()
		_, err := c.Exchange(ctx, []focas.Request{statInfo})
		if err == nil || time.Since(start) > 3*time.Second+time.Millisecond {
			t.Errorf("a silent control: %v after %v", err, time.Since(start))
		}
	})
}

// The names of points and the command of a client.
func TestServeDisconnects(t *testing.T) {
	withServer(t, "30i", nil, func(ctx context.Context, s *served) {
		a, b := s.program(ctx), s.program(ctx)
		time.Sleep(serving.CountEvery)
		synctest.Wait()
		if d := cmp.Diff([]device.Path{"_clients/1/disconnect", "_clients/2/disconnect"}, s.points.commands); d != "" {
			t.Error(d)
		}
		for range 5 {
			_, _ = b.Exchange(ctx, []focas.Request{focas.SysInfoRequest(1)})
		}
		time.Sleep(2 * serving.CountEvery)
		if v := s.points.at("_clients/2/requests"); v.Int() != 6 {
			t.Errorf("requests is %v", v)
		}
		if v := s.points.at("_clients/2/address"); v.Str() == "" {
			t.Error("no address")
		}
		if _, o := s.cmd.Do(ctx, "_clients/1/disconnect", nil); o.Stage != driver.Acked {
			t.Errorf("disconnect: %v", o)
		}
		synctest.Wait()
		if _, err := a.Exchange(ctx, []focas.Request{focas.SysInfoRequest(1)}); err == nil {
			t.Error("still connected")
		}
		if _, err := b.Exchange(ctx, []focas.Request{focas.SysInfoRequest(1)}); err != nil {
			t.Errorf("the other one: %v", err)
		}
		for _, p := range []device.Path{"_clients/1/disconnect", "_clients/x/disconnect", "_clients/2/requests", "other"} {
			if _, o := s.cmd.Do(ctx, p, nil); o.Stage != driver.Refused || o.Err == nil {
				t.Errorf("%s: %v", p, o)
			}
		}
		if s.points.at("_clients/1/address").Str() != "" {
			t.Error("the points of a client outlive it")
		}
	})
}

// Only the computers of serve.from may connect.
func TestServeFrom(t *testing.T) {
	for from, want := range map[string]bool{"192.0.2.200": true, "192.0.2.128/25": true, "2001:db8::/32": false, "192.0.2.0/25": false} {
		var list serving.Networks
		if err := yaml.Unmarshal([]byte(from), &list); err != nil {
			t.Fatal(err)
		}
		withServer(t, "30i", func(o *ServeOptions) { o.From = list }, func(ctx context.Context, s *served) {
			c, err := focasclient.Dial(ctx, s.net.Dial, serveAddr, focasclient.Options{})
			if (err == nil) != want {
				t.Errorf("from %s: %v", from, err)
			}
			if err == nil {
				_ = c.Close(ctx)
			}
		})
	}
}

// Bad programs disturb nobody and cost little.
func TestServeSurvivesBadClients(t *testing.T) {
	withServer(t, "30i", nil, func(ctx context.Context, s *served) {
		good := s.program(ctx)
		dial := func() *testnet.Conn {
			c, err := s.net.Dial(ctx, "tcp", serveAddr)
			if err != nil {
				t.Fatal(err)
			}
			return c.(*testnet.Conn)
		}
		ended := func(c net.Conn, within time.Duration) error {
			if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
				return err
			}
			_, err := io.Copy(io.Discard, c)
			return err
		}
		open := focas.AppendOpenRequest(nil, focas.ChannelData)
		silent, halfOpen, half, flood, deaf := dial(), dial(), dial(), dial(), dial()
		_, _ = halfOpen.Write(open[:7])
		_, _ = half.Write(append(open, focas.AppendRequests(nil, []focas.Request{focas.SysInfoRequest(1)})[:20]...))
		written := make(chan int64, 1)
		go func() {
			n, _ := io.Copy(flood, io.LimitReader(zeros{}, 64<<20))
			written <- n
		}()
		_, _ = deaf.Write(open)
		deaf.In().Stall()
		go func() {
			for {
				if _, err := deaf.Write(focas.AppendRequests(nil, []focas.Request{focas.SysInfoRequest(1)})); err != nil {
					return
				}
			}
		}()
		time.Sleep(time.Second)
		start := time.Now()
		if _, err := good.Exchange(ctx, []focas.Request{focas.SysInfoRequest(1)}); err != nil || time.Since(start) > time.Millisecond {
			t.Errorf("a good program is disturbed: %v after %v", err, time.Since(start))
		}
		for name, c := range map[string]net.Conn{"silent": silent, "half an open": halfOpen, "half a frame": half} {
			if err := ended(c, 15*time.Second); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s is still connected", name)
			}
		}
		if n := <-written; n > 1<<20 {
			t.Errorf("%d bytes of nonsense were taken", n)
		}
		deaf.Reset()
		if _, err := good.Exchange(ctx, []focas.Request{focas.SysInfoRequest(1)}); err != nil {
			t.Errorf("a good program is disturbed: %v", err)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
