package devicemaster

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/devicemaster"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmclient"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmserver"
	"github.com/patchbay-io/patchbay/protocol/devicemaster/dmsim"
)

// bench is a simulated box and a session with it.
type bench struct {
	*testing.T
	net *testnet.Network
	sim *dmsim.Sim
	s   driver.Session
	end []func()
}

func onBench(t *testing.T, layout string, f func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sim, err := dmsim.New(dmsim.Options{Layout: layout})
		if err != nil {
			t.Fatal(err)
		}
		b := &bench{T: t, net: new(testnet.Network), sim: sim}
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		done := make(chan error, 1)
		ln := b.net.MustListen("192.0.2.31:4606")
		go func() { done <- sim.Serve(ctx, ln) }()
		b.s = b.open("devicemaster://192.0.2.31")
		f(b)
		for _, end := range b.end {
			end()
		}
		b.s.Close()
		cancel()
		<-done
	})
}

func (b *bench) open(at string) driver.Session {
	b.Helper()
	u, _ := url.Parse(at)
	s, err := New().Open(b.Context(), driver.Env{Dial: b.net.Dial, Log: slog.New(slog.DiscardHandler)}, driver.Target{Name: "box", URL: u, Options: defaults()})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func (b *bench) stream(path device.Path, l driver.Line) driver.Stream {
	b.Helper()
	st, err := b.s.Abilities().Streamer.OpenStream(b.Context(), path, l)
	if err != nil {
		b.Fatal(err)
	}
	return st
}

// tree is a Sink that keeps the newest of everything.
type tree struct {
	mu      sync.Mutex
	samples map[device.Path]device.Sample
	fulls   int
	gone    []device.Path
}

func (t *tree) Apply(c *driver.Change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.samples == nil {
		t.samples = map[device.Path]device.Sample{}
	}
	if c.Full {
		t.fulls++
	}
	t.gone = append(t.gone, c.Gone...)
	for _, s := range c.Samples {
		t.samples[s.Path] = s
	}
}

func (t *tree) text(p device.Path) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.samples[p]
	if s.Quality != device.Good {
		return s.Reason
	}
	return s.Value.String()
}

// What happens on a port shows in its points: at once for its state and lines, within a second for its counts.
func TestPointsOfAPort(t *testing.T) {
	onBench(t, "null,null,taken", func(b *bench) {
		tr := new(tree)
		ctx, cancel := context.WithCancel(b.Context())
		watched := make(chan error, 1)
		go func() { watched <- b.s.Watch(ctx, driver.Everything{}, tr) }()
		want := func(when string, rows ...string) {
			b.Helper()
			for _, row := range rows {
				p, v, _ := strings.Cut(row, "=")
				if got := tr.text(device.Path(p)); got != v {
					b.Errorf("%s: %s is %q, want %q", when, p, got, v)
				}
			}
		}
		time.Sleep(time.Second)
		want("at first", "ports/1/state=0", "ports/1/owner=", "ports/1/baud=9600", "ports/1/format=8N1", "ports/1/flow=1", "ports/1/mode=0", "ports/1/cts=not-reported",
			"ports/1/rts=not-reported", "ports/1/bytes-out=0", "port-count=3")
		on := true
		p := b.stream("ports/1", driver.Line{Baud: 57600, RTS: &on})
		q := b.stream("ports/2", driver.Line{RTS: &on, DTR: &on})
		time.Sleep(50 * time.Millisecond)
		want("open", "ports/1/state=1", "ports/1/owner=this gateway", "ports/1/baud=57600", "ports/1/rts=true", "ports/1/dtr=false", "ports/1/cts=true", "ports/1/cd=true",
			"ports/2/cts=true", "ports/2/dsr=false", "ports/2/baud=9600")
		if _, err := p.Write(make([]byte, 100)); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(q, make([]byte, 60)); err != nil {
			b.Fatal(err)
		}
		b.sim.Report(1, devicemaster.ParityError|devicemaster.Overflow)
		time.Sleep(2 * time.Second)
		want("after bytes", "ports/1/bytes-out=100", "ports/1/outstanding=0", "ports/2/bytes-in=100", "ports/2/errors/parity=1", "ports/2/errors/overrun=1", "ports/2/errors/framing=0", "ports/2/errors/break=0")
		b.sim.Release(1)
		time.Sleep(time.Second)
		want("released by somebody", "ports/2/state=3", "ports/2/cts=not-reported", "ports/1/cts=false")
		_, err := q.Read(make([]byte, 100))
		for err == nil {
			_, err = q.Read(make([]byte, 100))
		}
		if driver.ClassOf(err) != driver.Closed || !errors.Is(err, driver.ErrTaken) || driver.HintOf(err) == "" || err.Error() != "read ports/2 192.0.2.31:4606: the port was released by somebody else" {
			b.Errorf("%v, class %v, hint %q", err, driver.ClassOf(err), driver.HintOf(err))
		}
		if err := q.Close(); err != nil {
			b.Error(err)
		}
		if err := p.Close(); err != nil {
			b.Error(err)
		}
		if _, err := b.s.Abilities().Streamer.OpenStream(b.Context(), "ports/3", driver.Line{}); driver.ClassOf(err) != driver.Busy {
			b.Errorf("a port of another host: %v", err)
		}
		time.Sleep(time.Second)
		want("closed", "ports/1/state=0", "ports/2/state=3", "ports/3/state=2", "ports/3/owner=another host", "ports/1/bytes-out=100", "ports/1/baud=57600", "ports/1/rts=not-reported")
		p = b.stream("ports/1", driver.Line{})
		time.Sleep(time.Second)
		want("open again", "ports/1/baud=57600", "ports/1/rts=not-reported", "ports/1/bytes-out=100")
		p.Close()
		cancel()
		<-watched
		if tr.fulls != 1 {
			b.Errorf("%d full changes", tr.fulls)
		}
	})
}

// Writes to an open port reach the box before they are acknowledged; those to a closed one wait for its opening.
func TestWrites(t *testing.T) {
	onBench(t, "sink,sink", func(b *bench) {
		wr := b.s.Abilities().Writer
		write := func(p device.Path, v device.Value) driver.Outcome {
			b.Helper()
			out, err := wr.Write(b.Context(), []driver.Write{{Path: p, Value: v}})
			if err != nil || len(out) != 1 {
				b.Fatal(out, err)
			}
			return out[0]
		}
		st := b.stream("ports/1", driver.Line{})
		for p, v := range map[device.Path]device.Value{"ports/1/baud": device.OfInt(300), "ports/1/format": device.OfString("7o2"), "ports/1/flow": device.OfEnum(int64(driver.FlowXonXoff)),
			"ports/1/mode": device.OfEnum(1), "ports/1/rts": device.OfBool(true), "ports/1/dtr": device.OfBool(true), "ports/1/break": device.OfBool(true), "ports/2/baud": device.OfInt(600)} {
			if o := write(p, v); o.Stage != driver.Acked {
				b.Errorf("%s: %v, %v", p, o.Stage, o.Err)
			}
		}
		line, _ := devicemaster.Format(7, 'O', 2)
		if s := b.sim.Ports()[0].Settings; s.Baud != 300 || s.Line != line|devicemaster.XonXoff || s.Mode != devicemaster.RS422 ||
			s.Outputs != devicemaster.RTS|devicemaster.DTR|devicemaster.Break {
			b.Errorf("%+v", s)
		}
		b.stream("ports/2", driver.Line{})
		if s := b.sim.Ports()[1].Settings; s.Baud != 600 || s.Outputs != 0 {
			b.Errorf("%+v", s)
		}
		for p, v := range map[device.Path]device.Value{"ports/1/format": device.OfString("5N1"), "ports/1/baud": device.OfInt(-1), "ports/1/mode": device.OfEnum(9), "ports/1/flow": device.OfEnum(9),
			"ports/1/state": device.OfEnum(0), "ports/01/baud": device.OfInt(1), "ports/3/baud": device.OfInt(1)} {
			if o := write(p, v); o.Stage != driver.Refused || o.Err == nil {
				b.Errorf("%s = %v: %v", p, v, o.Stage)
			}
		}
		got, err := st.Set(b.Context(), driver.Line{Data: 5, Parity: 'M', HalfStops: 3})
		if err != nil || got.Format() != "7O2" {
			b.Errorf("what a box does not have: %v, %v; want what is in force", got.Format(), err)
		}
	})
}

// What the box has no part in is refused at once, also while it is silent.
func TestRefusalsOfASilentBox(t *testing.T) {
	onBench(t, "sink", func(b *bench) {
		b.sim.SetFaults(dmsim.Faults{OmitPings: true})
		ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		out, err := b.s.Abilities().Writer.Write(ctx, []driver.Write{{Path: "ports/1/dtr", Value: device.OfBool(true)}})
		if err != nil || len(out) != 1 || out[0].Stage != driver.Refused || !errors.Is(out[0].Err, errNotOpen) || time.Since(began) != 0 {
			b.Errorf("%v, %v after %v", out, err, time.Since(began))
		}
	})
}

func TestCommands(t *testing.T) {
	onBench(t, "null,null,sink", func(b *bench) {
		do := func(p device.Path) driver.Outcome {
			_, o := b.s.Abilities().Commander.Do(b.Context(), p, nil)
			return o
		}
		for _, p := range []device.Path{"ports/1/flush", "ports/1/break", "ports/9/release", "ports/1", "ports/1/reboot"} {
			if o := do(p); o.Stage != driver.Refused || o.Err == nil {
				b.Errorf("%s: %v", p, o.Stage)
			}
		}
		b.stream("ports/1", driver.Line{})
		q := b.stream("ports/2", driver.Line{})
		q.Event(b.Context())
		began := time.Now()
		if o := do("ports/1/break"); o.Stage != driver.Acked || time.Since(began) != breakTime {
			b.Errorf("break: %+v after %v", o, time.Since(began))
		}
		if e, err := q.Event(b.Context()); err != nil || !e.Break {
			b.Errorf("%+v, %v", e, err)
		}
		if b.sim.Ports()[0].Settings.Outputs != 0 {
			b.Error("the break is still held")
		}
		if o := do("ports/1/flush"); o.Stage != driver.Acked {
			b.Errorf("flush: %+v", o)
		}
		other := b.open("devicemaster://192.0.2.31")
		b.end = append(b.end, func() { other.Close() })
		st, err := other.Abilities().Streamer.OpenStream(b.Context(), "ports/3", driver.Line{})
		if err != nil {
			b.Fatal(err)
		}
		if o := do("ports/3/release"); o.Stage != driver.Acked {
			b.Errorf("release: %+v", o)
		}
		synctest.Wait()
		if _, err := st.Write([]byte("x")); driver.ClassOf(err) != driver.Closed {
			b.Errorf("the other host's write: %v", err)
		}
		b.stream("ports/3", driver.Line{})
	})
}

// gate allows all, or nothing.
type gate struct {
	mu   sync.Mutex
	deny error
	raw  []string
}

func (g *gate) Login(context.Context, string, string, net.Addr) (driver.Who, error) {
	return driver.Who{}, nil
}
func (g *gate) Allow(driver.Who, driver.Action) error { return g.deny }
func (g *gate) Done(_ driver.Who, a driver.Action, o driver.Outcome) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.raw = append(g.raw, a.Device+" "+a.Raw+" "+o.Stage.String())
}

type upstream struct{ s driver.Session }

func (u upstream) Name() string { return "box" }
func (u upstream) Session(context.Context) (driver.Session, <-chan struct{}, error) {
	return u.s, make(chan struct{}), nil
}

// A box is made of chosen ports, in their order, of this device and of others; a driver drives them, the gate is asked, and
// taking ports away needs the option.
func TestServeChosenPorts(t *testing.T) {
	for _, release := range []bool{false, true} {
		onBench(t, "sink,null,null,echo", func(b *bench) {
			o := serveDefaults()
			o.From = serving.Networks{netip.MustParsePrefix("192.0.2.0/24")}
			o.Listen, o.Ports, o.Release, o.MAC = "192.0.2.50:4606", []string{"ports/4", "other:ports/2"}, release, "02:00:00:00:00:07"
			if err := o.Validate(); err != nil {
				b.Fatal(err)
			}
			g, tr := new(gate), new(tree)
			ctx, cancel := context.WithCancel(b.Context())
			done := make(chan error, 1)
			var asked []string
			var box driver.Commander
			env := driver.ServeEnv{Commands: func(c driver.Commander) { box = c }, Listen: b.net.Listen, ListenPacket: b.net.ListenPacket, Upstreams: []driver.Upstream{upstream{b.s}}, Gate: g, Sink: tr, Log: slog.New(slog.DiscardHandler),
				OpenStream: func(ctx context.Context, dev string, p device.Path, l driver.Line) (driver.Stream, error) {
					asked = append(asked, dev+" "+string(p))
					return b.s.Abilities().Streamer.OpenStream(ctx, p, l)
				}}
			go func() { done <- Driver{}.Serve(ctx, env, o) }()
			synctest.Wait()
			l, err := dmclient.Dial(b.Context(), b.net.Dial, "192.0.2.50:4606", dmclient.Options{})
			if err != nil {
				b.Fatal(err)
			}
			id := l.ID()
			if l.Ports() != 2 || id.MAC.String() != "02:00:00:00:00:07" {
				b.Errorf("%d ports, %v", l.Ports(), id.MAC)
			}
			if _, err := l.Open(b.Context(), 1, dmclient.Settings{Baud: 1200}); err != nil {
				b.Error(err)
			}
			if s := b.sim.Ports()[1].Settings; s.Baud != 1200 || s.Given&dmserver.GivenOutputs != 0 {
				b.Errorf("%+v: outputs that nobody named were set", s)
			}
			line, out := devicemaster.RTSCTS, devicemaster.RTS
			p, err := l.Open(b.Context(), 0, dmclient.Settings{Baud: 4800, Line: &line, Outputs: &out, Mode: devicemaster.RS485})
			if err != nil {
				b.Fatal(err)
			}
			if s := b.sim.Ports()[3].Settings; s.Baud != 4800 || s.Line != line || s.Outputs != out || s.Mode != devicemaster.RS485 {
				b.Errorf("%+v", s)
			}
			p.Write([]byte("hello"))
			got := make([]byte, 5)
			if _, err := io.ReadFull(p, got); err != nil || string(got) != "hello" {
				b.Errorf("%q, %v", got, err)
			}
			b.sim.SetInputs(3, devicemaster.CD|devicemaster.RI)
			b.sim.Report(3, devicemaster.FramingError)
			time.Sleep(time.Second)
			if p.Inputs() != devicemaster.CD|devicemaster.RI || p.Counts().Framing != 1 {
				b.Errorf("inputs %v, %+v", p.Inputs(), p.Counts())
			}
			time.Sleep(time.Second)
			if got := tr.text("_clients/1/ports"); got != "1 2" {
				b.Errorf("the client's ports are %q", got)
			}
			m, err := dmclient.Dial(b.Context(), b.net.Dial, "192.0.2.50:4606", dmclient.Options{})
			if err != nil {
				b.Fatal(err)
			}
			if _, err := m.Open(b.Context(), 0, dmclient.Settings{}); !errors.Is(err, dmclient.ErrBusy) {
				b.Errorf("a second driver: %v", err)
			}
			if err := m.Release(b.Context(), 0); (err == nil) != release {
				b.Errorf("release: %v", err)
			}
			synctest.Wait() // until the owner has heard of it, and the second client is shown
			if err := p.Err(); (err == nil) == release {
				b.Errorf("the owner after a release: %v", err)
			}
			g.mu.Lock()
			if raw := strings.Join(g.raw, ", "); !strings.HasPrefix(raw, "other open ports/2 sent, box open ports/4 sent, box release ports/4 ") {
				b.Errorf("the gate was told %s", raw)
			}
			g.mu.Unlock()
			if len(asked) != 2 || asked[0] != "other ports/2" {
				b.Errorf("opened %q", asked)
			}
			if got := tr.text("_clients/2/address"); !strings.HasPrefix(got, "192.0.2.200:") {
				b.Errorf("the second client is %q", got)
			}
			if _, o := box.Do(b.Context(), "_clients/2/disconnect", nil); o.Stage != driver.Acked {
				b.Errorf("disconnect: %+v", o)
			}
			<-m.Done()
			if _, o := box.Do(b.Context(), "_clients/9/disconnect", nil); o.Stage != driver.Refused || o.Err == nil {
				b.Errorf("disconnect of nobody: %+v", o)
			}
			time.Sleep(time.Second)
			tr.mu.Lock()
			if len(tr.gone) != 1 || tr.gone[0] != "_clients/2" {
				b.Errorf("gone: %q", tr.gone)
			}
			tr.mu.Unlock()
			l.Close()
			m.Close()
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				b.Error(err)
			}
		})
	}
}

// Who is not named may not connect.
func TestServeFrom(t *testing.T) {
	onBench(t, "echo", func(b *bench) {
		o := serveDefaults()
		o.Listen, o.From = "192.0.2.50:4606", serving.Networks{netip.MustParsePrefix("198.51.100.0/24")}
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan error, 1)
		env := driver.ServeEnv{Listen: b.net.Listen, Upstreams: []driver.Upstream{upstream{b.s}}, Gate: new(gate), Log: slog.New(slog.DiscardHandler),
			OpenStream: func(context.Context, string, device.Path, driver.Line) (driver.Stream, error) {
				return nil, net.ErrClosed
			}}
		go func() { done <- Driver{}.Serve(ctx, env, o) }()
		synctest.Wait()
		if _, err := dmclient.Dial(b.Context(), b.net.Dial, "192.0.2.50:4606", dmclient.Options{}); err == nil {
			b.Error("somebody else has connected")
		}
		second := *o
		if err := (Driver{}).Serve(b.Context(), env, &second); driver.HintOf(err) == "" {
			b.Errorf("an address that is taken: %v", err)
		}
		cancel()
		<-done
	})
}

// A box that is none is made of ports of other devices, and says so when it has none.
func TestBoxOfOtherPorts(t *testing.T) {
	onBench(t, "echo", func(b *bench) {
		u, _ := url.Parse("devicemaster-box:front")
		s, err := New().Open(b.Context(), driver.Env{}, driver.Target{Name: "front", URL: u})
		if err != nil {
			b.Fatal(err)
		}
		tr := new(tree)
		watched := make(chan error, 1)
		go func() { watched <- s.Watch(b.Context(), driver.Everything{}, tr) }()
		got, err := s.Read(b.Context(), []device.Path{"box", "ports/1/baud"})
		if err != nil || got[0].Quality != device.Good || got[1].Reason != device.ReasonUnsupported {
			b.Errorf("%+v, %v", got, err)
		}
		env := driver.ServeEnv{Listen: b.net.Listen, Upstreams: []driver.Upstream{upstream{s}}, Gate: new(gate), Log: slog.New(slog.DiscardHandler),
			OpenStream: func(ctx context.Context, dev string, p device.Path, l driver.Line) (driver.Stream, error) {
				return b.s.Abilities().Streamer.OpenStream(ctx, p, l)
			}}
		if err := (Driver{}).Serve(b.Context(), env, nil); !errors.Is(err, errNoPorts) || driver.HintOf(err) == "" {
			b.Errorf("%v", err)
		}
		o := serveDefaults()
		o.Ports = []string{"usb0:ports/1"}
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan error, 1)
		go func() { done <- Driver{}.Serve(ctx, env, o) }()
		synctest.Wait()
		l, err := dmclient.Dial(b.Context(), b.net.Dial, "127.0.0.1:4606", dmclient.Options{})
		if err != nil {
			b.Fatal(err)
		}
		p, err := l.Open(b.Context(), 0, dmclient.Settings{})
		if err != nil {
			b.Fatal(err)
		}
		p.Write([]byte("x"))
		if n, err := p.Read(make([]byte, 9)); n != 1 || err != nil {
			b.Errorf("%d, %v", n, err)
		}
		l.Close()
		cancel()
		<-done
		if tr.text("box") == "" || s.Close() != nil || s.Close() != nil {
			b.Error("the session of a box that is none")
		}
		if err := <-watched; !errors.Is(err, net.ErrClosed) {
			b.Errorf("Watch: %v", err)
		}
		if _, err := s.Read(b.Context(), nil); !errors.Is(err, net.ErrClosed) {
			b.Errorf("Read after Close: %v", err)
		}
	})
}

func TestOptions(t *testing.T) {
	for _, change := range []func(*Options){
		func(o *Options) { o.Line = "fast" }, func(o *Options) { o.Line = "9600n51" }, func(o *Options) { o.Line = "9600m81" }, func(o *Options) { o.Line = "9600n81.5" },
		func(o *Options) { o.Flow = "dsr" }, func(o *Options) { o.Mode = "usb" }, func(o *Options) { o.ScanPeriod = 0 }, func(o *Options) { o.ScanPeriod = 256 },
		func(o *Options) { o.LinkTimeout = time.Second }, func(o *Options) { o.Timeout = 0 }, func(o *Options) { o.Idle = -1 },
	} {
		o := defaults()
		change(o)
		if o.Validate() == nil {
			t.Errorf("%+v is valid", o)
		}
	}
	o := defaults()
	o.Line, o.Flow, o.Mode, o.Idle = "115200 7E2", "rts-cts", "rs-485", 50*time.Millisecond
	s := o.settings()
	if s.Baud != 115200 || *s.Line != 0x97 || s.Mode != devicemaster.RS485 || *s.Idle != 50 || o.Validate() != nil {
		t.Errorf("%+v, %v", s, o.Validate())
	}
	for _, change := range []func(*ServeOptions){
		func(o *ServeOptions) { o.Listen = "4606" }, func(o *ServeOptions) { o.Ports = []string{":ports/1"} }, func(o *ServeOptions) { o.Ports = []string{"Ports 1"} },
		func(o *ServeOptions) { o.Ports = make([]string, 33) }, func(o *ServeOptions) { o.MaxClients = 0 }, func(o *ServeOptions) { o.Listen = ":4606" }, func(o *ServeOptions) { o.MAC = "1" },
	} {
		o := serveDefaults()
		change(o)
		if o.Validate() == nil {
			t.Errorf("%+v is valid", o)
		}
	}
}

func TestProbe(t *testing.T) {
	onBench(t, "echo", func(b *bench) {
		var conn *testnet.Conn
		dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := b.net.Dial(ctx, network, addr)
			conn = c.(*testnet.Conn)
			return c, err
		}
		f, err := Driver{}.Probe(b.Context(), driver.Env{Dial: dial}, "192.0.2.31:4606")
		if said, _ := conn.Out().Counts(); said != 8 || !conn.Closed() {
			b.Errorf("a probe says %d bytes; the question who is there has 8", said)
		}
		if err != nil || !f.Match || len(f.Reasons) != 3 || f.Reasons[0] != "SocketServer 11.34" || f.Reasons[2] != "model 5002110, 1 port" {
			b.Errorf("%+v, %v", f, err)
		}
		if _, err := (Driver{}).Probe(b.Context(), driver.Env{Dial: b.net.Dial}, "192.0.2.99:4606"); driver.ClassOf(err) != driver.RefusedConn || driver.HintOf(err) == "" {
			b.Errorf("%v", err)
		}
		if b.sim.Ports()[0].Owner != nil {
			b.Error("a probe holds a port")
		}
	})
}
