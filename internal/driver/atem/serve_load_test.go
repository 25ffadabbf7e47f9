package atem

import (
	"bufio"
	"context"
	"encoding/gob"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/atem/atemclient"
	"github.com/patchbay-io/patchbay/protocol/atem/atemserver"
	"github.com/patchbay-io/patchbay/protocol/openswitcher"
	"github.com/patchbay-io/patchbay/protocol/openswitcher/oswclient"
)

var full = flag.Bool("full", false, "1,000 OpenSwitcher and 200 ATEM clients in a process of their own, with figures")

// audience is many clients of one server, and what they hear of changes that are numbered by the source on preview.
type audience struct {
	TCP, UDP     string // where the server is
	NTCP, NUDP   int
	Changes      int
	heard        []atomic.Int64 // Unix nanoseconds, by client and change
	missing      atomic.Int64
	all          []player
	connectTimes []time.Duration
}

// Report is what an audience tells.
type Report struct {
	Heard    []int64 // as in audience
	Connect  []time.Duration
	Problems []string
}

const firstChange = 20000

// seat connects the clients, some at a time.
func (a *audience) seat(ctx context.Context) error {
	n := a.NTCP + a.NUDP
	a.heard = make([]atomic.Int64, n*a.Changes)
	a.missing.Store(int64(len(a.heard)))
	a.all = make([]player, n)
	a.connectTimes = make([]time.Duration, n)
	var wg sync.WaitGroup
	var failed atomic.Value
	slots := make(chan struct{}, 32)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			began := time.Now()
			c, err := a.connect(ctx, i)
			if err != nil {
				failed.Store(err)
				return
			}
			select {
			case <-c.Ready():
			case <-time.After(2 * time.Minute):
				failed.Store(errors.New("no InCm"))
			}
			a.all[i], a.connectTimes[i] = c, time.Since(began)
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return err.(error)
	}
	return nil
}

func (a *audience) connect(ctx context.Context, i int) (player, error) {
	hear := func(payload []byte) {
		now := time.Now().UnixNano()
		for f, err := range atem.Fields(payload) {
			if err == nil && f.Code == atem.CodePrvI && len(f.Body) >= 4 {
				change := (int(f.Body[2])<<8 | int(f.Body[3])) - firstChange
				if change >= 0 && change < a.Changes && a.heard[i*a.Changes+change].Swap(now) == 0 {
					a.missing.Add(-1)
				}
			}
		}
	}
	if i < a.NTCP {
		return oswclient.Dial(ctx, (&net.Dialer{}).DialContext, a.TCP, oswclient.Options{Handle: hear})
	}
	return atemclient.Dial(ctx, (&net.ListenConfig{}).ListenPacket, a.UDP, atemclient.Options{Handle: hear})
}

// report waits until everybody has heard everything, and closes the clients.
func (a *audience) report(wait time.Duration) *Report {
	for end := time.Now().Add(wait); a.missing.Load() > 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	r := &Report{Heard: make([]int64, len(a.heard)), Connect: a.connectTimes}
	for i := range a.heard {
		r.Heard[i] = a.heard[i].Load()
	}
	var wg sync.WaitGroup
	for i, c := range a.all {
		select {
		case <-c.Done():
			r.Problems = append(r.Problems, fmt.Sprintf("client %d has ended", i))
		default:
		}
		wg.Go(func() { c.Close() })
	}
	wg.Wait()
	return r
}

// TestAudience is the process of the clients in the full run of TestFanOut; alone it does nothing.
func TestAudience(t *testing.T) {
	var a audience
	if n, err := fmt.Sscan(os.Getenv("PATCHBAY_AUDIENCE"), &a.TCP, &a.UDP, &a.NTCP, &a.NUDP, &a.Changes); n != 5 || err != nil {
		t.Skip("TestFanOut -full starts it")
	}
	out := gob.NewEncoder(os.Stderr)
	err := a.seat(t.Context())
	fmt.Fprintln(os.Stdout, "seated", err)
	if err != nil {
		t.Fatal(err)
	}
	bufio.NewReader(os.Stdin).ReadString('\n')
	if err := out.Encode(a.report(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
}

// house is a real server in front of a switcher, over loopback.
type house struct {
	far      *far
	session  *session
	tcp, udp string
	stop     func()
}

func newHouse(t testing.TB) *house {
	h := &house{far: newFar(atemserver.Options{})}
	for id := range 290 {
		h.far.say(&atem.InputProperties{Source: atem.SourceID(3000 + id), Name: fmt.Sprint("Source ", id), UsableIn: atem.UsableInAll})
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	wg.Go(func() { _ = h.far.server.Serve(ctx, pc) })
	log := slog.New(slog.DiscardHandler)
	s, err := Driver{}.Open(ctx, driver.Env{ListenPacket: (&net.ListenConfig{}).ListenPacket, Log: log},
		driver.Target{Name: "studio", URL: &url.URL{Scheme: "atem", Host: pc.LocalAddr().String()}})
	if err != nil {
		t.Fatal(err)
	}
	h.session = s.(*session)
	open := make(chan struct{}, 2)
	env := driver.ServeEnv{Upstreams: []driver.Upstream{still{s}}, Gate: &stage{}, Log: log,
		Listen: func(ctx context.Context, network, addr string) (net.Listener, error) {
			ln, err := (&net.ListenConfig{}).Listen(ctx, network, addr)
			if err == nil {
				h.tcp = ln.Addr().String()
			}
			open <- struct{}{}
			return ln, err
		},
		ListenPacket: func(ctx context.Context, network, addr string) (net.PacketConn, error) {
			pc, err := (&net.ListenConfig{}).ListenPacket(ctx, network, addr)
			if err == nil {
				h.udp = pc.LocalAddr().String()
			}
			open <- struct{}{}
			return pc, err
		}}
	opts := serveDefaults()
	opts.ATEM, opts.OpenSwitcher, opts.MaxClients = "127.0.0.1:0", "127.0.0.1:0", 2000
	wg.Go(func() { _ = Driver{}.Serve(ctx, env, opts) })
	<-open
	<-open
	h.stop = func() {
		cancel()
		s.Close()
		wg.Wait()
	}
	return h
}

// still is an upstream that never goes.
type still struct{ s driver.Session }

func (still) Name() string { return "studio" }

func (u still) Session(ctx context.Context) (driver.Session, <-chan struct{}, error) {
	return u.s, ctx.Done(), ctx.Err()
}

// memory is what this process holds after cleaning up.
func memory() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// Many clients over loopback: each hears every change, also while one of them takes nothing, and nobody is dropped. With -full
// it says how long that takes.
func TestFanOut(t *testing.T) {
	if !*full {
		fanOut(t, &audience{NTCP: 60, NUDP: 20, Changes: 20})
		return
	}
	for _, a := range []*audience{{NTCP: 100, NUDP: 1, Changes: 200}, {NTCP: 1, NUDP: 100, Changes: 200}, {NTCP: 1000, NUDP: 200, Changes: 400}} {
		t.Run(fmt.Sprintf("%d over TCP, %d over UDP", a.NTCP, a.NUDP), func(t *testing.T) { fanOut(t, a) })
	}
}

func fanOut(t *testing.T, a *audience) {
	h := newHouse(t)
	a.TCP, a.UDP = h.tcp, h.udp
	before := memory()
	finish := (&seats{t: t, a: a}).take()

	n := a.NTCP + a.NUDP
	perClient := (memory() - before) / int64(n)
	arrived := make([]atomic.Int64, a.Changes)
	unfollow := h.session.Follow(func(*atem.State) {}, func(payload []byte) {
		if f, _, err := atem.Next(payload); err == nil && f.Code == atem.CodePrvI {
			arrived[(int(f.Body[2])<<8|int(f.Body[3]))-firstChange].Store(time.Now().UnixNano())
		}
	})
	// The hub follows the session too, and before: move this follower to the front, so that it takes the time of the arrival.
	h.session.mu.Lock()
	slices.Reverse(h.session.follow)
	h.session.mu.Unlock()
	used, began := cpu(), time.Now()
	for i := range a.Changes {
		if i == a.Changes/2 {
			defer stalled(t, h.tcp).Close()
		}
		h.far.say(&atem.PreviewSource{Source: atem.SourceID(firstChange + i)})
		time.Sleep(40 * time.Millisecond)
	}
	used, took := cpu()-used, time.Since(began)
	r := finish()
	unfollow()
	h.stop()
	for _, p := range r.Problems {
		t.Error(p)
	}
	late := func(clients, changes [2]int) (all []time.Duration) {
		for c := clients[0]; c < clients[1]; c++ {
			for i := changes[0]; i < changes[1]; i++ {
				heard := r.Heard[c*a.Changes+i]
				if heard == 0 {
					t.Fatalf("client %d has not heard of change %d", c, i)
				}
				all = append(all, time.Duration(heard-arrived[i].Load()))
			}
		}
		slices.Sort(all)
		return all
	}
	half, every := a.Changes/2, [2]int{0, a.Changes}
	late([2]int{0, n}, every)
	if !*full {
		return
	}
	show := func(name string, d []time.Duration) {
		t.Logf("%-34s p50 %8v  p99 %8v  max %8v", name, d[len(d)/2].Round(time.Microsecond), d[len(d)*99/100].Round(time.Microsecond), d[len(d)-1].Round(time.Microsecond))
	}
	show(fmt.Sprintf("%d over TCP", a.NTCP), late([2]int{0, a.NTCP}, every))
	show(fmt.Sprintf("%d over UDP", a.NUDP), late([2]int{a.NTCP, n}, every))
	show("all, first half", late([2]int{0, n}, [2]int{0, half}))
	show("all, while one takes nothing", late([2]int{0, n}, [2]int{half, a.Changes}))
	slices.Sort(r.Connect)
	show("connect to InCm, 32 at a time", r.Connect)
	t.Logf("memory of the server per client %d kB; CPU for %d clients at 25 changes a second: %.1f %% of one core, %v per client and change",
		perClient>>10, n, 100*used.Seconds()/took.Seconds(), (used / time.Duration(n*a.Changes)).Round(10*time.Nanosecond))
}

// seats is where an audience sits: here, or in a process of its own.
type seats struct {
	t *testing.T
	a *audience
}

// take seats the audience; finish ends it and gives its report.
func (s *seats) take() (finish func() *Report) {
	if !*full {
		if err := s.a.seat(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
		return func() *Report { return s.a.report(2 * time.Minute) }
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestAudience$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("PATCHBAY_AUDIENCE=%s %s %d %d %d", s.a.TCP, s.a.UDP, s.a.NTCP, s.a.NUDP, s.a.Changes))
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	figures, _ := cmd.StderrPipe()
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); line != "seated <nil>\n" {
		s.t.Fatalf("%s %v", line, err)
	}
	return func() *Report {
		r := new(Report)
		io.WriteString(in, "done\n")
		go io.Copy(io.Discard, lines)
		if err := gob.NewDecoder(figures).Decode(r); err != nil {
			s.t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			s.t.Error(err)
		}
		return r
	}
}

// stalled is a client that goes through the handshake and takes nothing from then on.
func stalled(t *testing.T, addr string) net.Conn {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.(*net.TCPConn).SetReadBuffer(4096)
	for _, p := range [][]byte{openswitcher.AppendHello(nil), openswitcher.AppendChoice(nil, "studio")} {
		b, _ := openswitcher.AppendPacket(nil, p)
		c.Write(b)
	}
	return c
}
