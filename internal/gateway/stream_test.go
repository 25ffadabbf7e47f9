package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/audit"
	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// box is a device with two serial ports, in memory.
type box struct {
	window int           // bytes that may be on their way
	drain  time.Duration // for each byte; 0: at once
	busy   bool
	raise  bool          // it leaves RTS and DTR down
	slow   time.Duration // how long opening a port takes
	parts  time.Duration // how long giving a port back takes

	mu       sync.Mutex
	sessions map[*boxSession]bool
	streams  []*boxStream // all there ever were
}

func (b *box) Info() driver.Info {
	return driver.Info{Name: "box", Title: "Box", Can: driver.CanStream}
}
func (b *box) Options() any { return &struct{}{} }
func (b *box) Open(context.Context, driver.Env, driver.Target) (driver.Session, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := &boxSession{b: b, dead: make(chan struct{})}
	if b.sessions == nil {
		b.sessions = map[*boxSession]bool{}
	}
	b.sessions[s] = true
	return s, nil
}

func (b *box) kill() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.sessions {
		close(s.dead)
		for _, st := range s.streams {
			st.end(io.ErrUnexpectedEOF)
		}
		delete(b.sessions, s)
	}
}

func (b *box) last() *boxStream {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.streams) == 0 {
		return nil
	}
	return b.streams[len(b.streams)-1]
}

type boxSession struct {
	b       *box
	dead    chan struct{}
	streams []*boxStream
}

func (s *boxSession) Abilities() driver.Abilities {
	return driver.Abilities{Streamer: s, Raise: s.b.raise}
}
func (s *boxSession) Close() error { return nil }
func (s *boxSession) Read(context.Context, []device.Path) ([]device.Sample, error) {
	return nil, nil
}

func (s *boxSession) Watch(ctx context.Context, _ driver.Interest, sink driver.Sink) error {
	sink.Apply(&driver.Change{Full: true, Streams: []device.Path{"ports/1", "ports/2"}})
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.dead:
		return &driver.Error{Op: "read", Target: "box", Class: driver.Closed, Err: io.EOF}
	}
}

func (s *boxSession) OpenStream(_ context.Context, path device.Path, line driver.Line) (driver.Stream, error) {
	time.Sleep(s.b.slow)
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	if s.b.busy {
		return nil, &driver.Error{Op: "open", Target: string(path), Class: driver.Busy, Err: errors.New("another computer has the port")}
	}
	st := &boxStream{b: s.b, line: line, first: true}
	st.cond.L = &st.mu
	s.streams = append(s.streams, st)
	s.b.streams = append(s.b.streams, st)
	return st, nil
}

type boxStream struct {
	b *box

	mu       sync.Mutex
	cond     sync.Cond
	in       []byte // from the line
	got      []byte // what the device has taken
	way      []byte // on the way
	err      error
	line     driver.Line
	first    bool
	sets     []driver.Line
	flushes  int
	draining bool
}

func (s *boxStream) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
		if n := len(s.way); n > 0 { // some of it arrives, and nobody hears of it
			s.got = append(s.got, s.way[:rand.IntN(n+1)]...)
		}
		s.cond.Broadcast()
	}
}

func (s *boxStream) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.in) == 0 {
		if s.err != nil {
			return 0, s.err
		}
		s.cond.Wait()
	}
	n := copy(p, s.in)
	s.in = s.in[n:]
	s.cond.Broadcast()
	return n, nil
}

// feed puts bytes on the line as the device does: it waits while nobody takes them.
func (s *boxStream) feed(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.in) > s.b.window && s.err == nil {
		s.cond.Wait()
	}
	s.in = append(s.in, b...)
	s.cond.Broadcast()
}

func (s *boxStream) Write(p []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n < len(p) {
		for len(s.way) >= s.b.window && s.err == nil {
			s.cond.Wait()
		}
		if s.err != nil {
			return n, s.err
		}
		k := min(len(p)-n, s.b.window-len(s.way))
		s.way = append(s.way, p[n:n+k]...)
		n += k
		s.take()
	}
	return n, nil
}

// take moves what is on the way into the device, later when it is slow.
func (s *boxStream) take() {
	if s.b.drain == 0 {
		s.got, s.way = append(s.got, s.way...), nil
		s.cond.Broadcast()
		return
	}
	if s.draining {
		return
	}
	s.draining = true
	time.AfterFunc(time.Duration(min(len(s.way), 50))*s.b.drain, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.draining = false
		if s.err == nil {
			k := min(len(s.way), 50)
			s.got, s.way = append(s.got, s.way[:k]...), s.way[k:]
			s.cond.Broadcast()
			if len(s.way) > 0 {
				s.take()
			}
		}
	})
}

func (s *boxStream) Close() error {
	time.Sleep(s.b.parts)
	s.end(net.ErrClosed)
	return nil
}
func (s *boxStream) SetDeadline(time.Time) error { return nil }
func (s *boxStream) Unacked() int                { s.mu.Lock(); defer s.mu.Unlock(); return len(s.way) }
func (s *boxStream) Set(_ context.Context, l driver.Line) (driver.Line, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l != (driver.Line{}) {
		s.sets = append(s.sets, l)
	}
	s.line = l.Over(s.line)
	return s.line, nil
}
func (s *boxStream) Flush(context.Context, bool, bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flushes++
	return nil
}
func (s *boxStream) Drain(ctx context.Context) error {
	for s.Unacked() > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}
func (s *boxStream) Event(ctx context.Context) (driver.LineEvent, error) {
	s.mu.Lock()
	first := s.first
	s.first = false
	s.mu.Unlock()
	if first {
		return driver.LineEvent{CTS: true, Break: true}, nil
	}
	<-ctx.Done()
	return driver.LineEvent{}, ctx.Err()
}

// withBox runs a gateway over one box inside a bubble.
func withBox(t *testing.T, b *box, do func(t *testing.T, g *Gateway)) {
	synctest.Test(t, func(t *testing.T) {
		log, err := audit.Open(audit.Options{})
		if err != nil {
			t.Fatal(err)
		}
		g := New(Options{Audit: log})
		if err := g.SetDevices([]DeviceConfig{{Name: "box", Driver: b, Target: driver.Target{Name: "box", URL: &url.URL{}}, Display: "box:", Section: "1",
			Writable: []string{"ports/1"}, BackOff: BackOff{Min: 10 * time.Millisecond, Max: 10 * time.Millisecond}}}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- g.Run(ctx) }()
		synctest.Wait()
		do(t, g)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func openBox(t *testing.T, g *Gateway, door string, opt north.StreamOptions) north.Stream {
	t.Helper()
	s, err := g.OpenStream(t.Context(), driver.Who{Door: door}, "box", "ports/1", opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func readAll(t *testing.T, s north.Stream, n int) string {
	t.Helper()
	b := make([]byte, n)
	s.SetReadDeadline(time.Now().Add(time.Minute))
	k, err := io.ReadFull(s, b)
	if err != nil {
		t.Errorf("%d of %d bytes: %v", k, n, err)
	}
	return string(b[:k])
}

func TestOwnerAndObservers(t *testing.T) {
	b := &box{window: 2000}
	withBox(t, b, func(t *testing.T, g *Gateway) {
		observer := openBox(t, g, "log", north.StreamOptions{})
		synctest.Wait()
		if b.last() != nil {
			t.Error("looking has opened the port")
		}
		yes := true
		owner := openBox(t, g, "http", north.StreamOptions{Own: true, Wait: true, Line: driver.Line{Baud: 9600, DTR: &yes}})
		synctest.Wait()
		if l := b.last().line; l.Baud != 9600 || l.DTR == nil || !*l.DTR || l.RTS != nil {
			t.Errorf("opened with %+v", l)
		}
		if n, err := owner.Write([]byte("hello")); n != 5 || err != nil {
			t.Error(n, err)
		}
		if _, err := observer.Write([]byte("x")); !errors.Is(err, north.ErrNotOwner) {
			t.Errorf("an observer writes: %v", err)
		}
		if _, err := observer.Set(t.Context(), driver.Line{Baud: 1}); !errors.Is(err, north.ErrNotOwner) {
			t.Errorf("an observer sets: %v", err)
		}
		if _, err := g.OpenStream(t.Context(), driver.Who{Door: "raw"}, "box", "ports/1", north.StreamOptions{Own: true}); driver.ClassOf(err) != driver.Busy {
			t.Errorf("a second owner: %v", err)
		}
		b.last().feed([]byte("world"))
		if a, o := readAll(t, owner, 5), readAll(t, observer, 5); a != "world" || o != "world" {
			t.Errorf("%q %q", a, o)
		}
		st, err := observer.State(t.Context())
		if err != nil || !st.Open || st.Owner != "http" || st.Observers != 1 || !st.Event.CTS || !st.Event.Break || st.Line.Baud != 9600 || st.Counts.In != 5 || st.Counts.Out != 5 {
			t.Errorf("%+v %v", st, err)
		}
		if got := string(b.last().got); got != "hello" {
			t.Errorf("the device got %q", got)
		}
		second := openBox(t, g, "raw", north.StreamOptions{Own: true, Take: true, Line: driver.Line{Baud: 300}})
		if _, err := owner.Read(make([]byte, 1)); !errors.Is(err, north.ErrStreamTaken) {
			t.Errorf("the owner that was turned out reads: %v", err)
		}
		if _, err := owner.Write([]byte("x")); !errors.Is(err, north.ErrStreamTaken) {
			t.Errorf("the owner that was turned out writes: %v", err)
		}
		if len(b.streams) != 1 || b.last().line.Baud != 300 {
			t.Errorf("%d streams, %+v", len(b.streams), b.last().line)
		}
		if st, err = observer.State(t.Context()); err != nil || st.Owner != "raw" || st.Event.Break {
			t.Errorf("%+v %v", st, err)
		}
		var took, refused int
		for _, e := range g.opt.Audit.Since(0, 0) {
			switch {
			case e.What == audit.Stream && e.Outcome == "ok" && e.Path == "ports/1":
				took++
			case e.What == audit.Stream && e.Why != "":
				refused++
			}
		}
		if took != 2 || refused != 1 {
			t.Errorf("the audit has %d owners and %d refusals", took, refused)
		}
		owner.Close()
		second.Close()
		second.Close()
		if b.last().err == nil {
			t.Error("the port is open though nobody wants it")
		}
		if st, err = observer.State(t.Context()); err != nil || st.Open || st.Why != "" {
			t.Errorf("a port that nobody wants: %+v %v", st, err)
		}
		time.Sleep(2 * time.Second)
		if p, ok := g.Tree().Point("box", "_streams/ports/1/bytes-in"); !ok || p.Sample.Value.Int() != 5 {
			t.Errorf("%+v", p)
		}
		observer.Close()
	})
}

func TestHoldKeepsThePortOpen(t *testing.T) {
	b := &box{window: 2000}
	withBox(t, b, func(t *testing.T, g *Gateway) {
		log := openBox(t, g, "log", north.StreamOptions{Hold: true, Wait: true})
		b.last().feed([]byte("boot"))
		if got := readAll(t, log, 4); got != "boot" {
			t.Errorf("%q", got)
		}
		owner := openBox(t, g, "http", north.StreamOptions{Own: true, Wait: true})
		owner.Close()
		if b.last().err != nil || len(b.streams) != 1 {
			t.Error("the port was closed although it is held")
		}
		log.Close()
		if b.last().err == nil {
			t.Error("still open")
		}
	})
}

func TestWhoMayOwn(t *testing.T) {
	withBox(t, &box{window: 2000}, func(t *testing.T, g *Gateway) {
		open := func(dev string, path device.Path, opt north.StreamOptions) error {
			s, err := g.OpenStream(t.Context(), driver.Who{Door: "http"}, dev, path, opt)
			if err == nil {
				s.Close()
			}
			return err
		}
		for _, row := range []struct {
			dev  string
			path device.Path
			opt  north.StreamOptions
			code string
		}{
			{"box", "ports/1", north.StreamOptions{Own: true}, ""},
			{"box", "ports/2", north.StreamOptions{}, ""},
			{"box", "ports/2", north.StreamOptions{Own: true}, "not-writable"},
			{"box", "ports/2", north.StreamOptions{Hold: true}, "not-writable"},
			{"box", "ports/2", north.StreamOptions{Own: true, Granted: true}, ""},
			{"box", "ports/9", north.StreamOptions{}, "unknown-stream"},
			{"bx", "ports/1", north.StreamOptions{}, "unknown-device"},
		} {
			err := open(row.dev, row.path, row.opt)
			var we *north.WriteError
			if errors.As(err, &we); row.code == "" && err != nil || row.code != "" && (we == nil || we.Code != row.code) {
				t.Errorf("%s/%s %+v: %v, want %q", row.dev, row.path, row.opt, err, row.code)
			}
		}
	})
}

// An owner that does not read holds the device up and loses nothing; an observer that does not is told how much it lost and where.
func TestSlowReaders(t *testing.T) {
	b := &box{window: 500}
	withBox(t, b, func(t *testing.T, g *Gateway) {
		owner := openBox(t, g, "http", north.StreamOptions{Own: true, Wait: true, Buffer: 1000})
		observer := openBox(t, g, "log", north.StreamOptions{Buffer: 300})
		data := make([]byte, 100_000)
		for i := range data {
			data[i] = byte(i ^ i>>8)
		}
		fed := make(chan struct{})
		go func() {
			defer close(fed)
			for at := 0; at < len(data); at += 100 {
				b.last().feed(data[at : at+100])
			}
		}()
		synctest.Wait()
		select {
		case <-fed:
			t.Error("the device was not held up")
		default:
		}
		early := readAll(t, observer, 300)
		if early != string(data[:300]) || observer.Lost() != 0 {
			t.Errorf("the first bytes, lost %d", observer.Lost())
		}
		got := readAll(t, owner, len(data)-200)
		synctest.Wait()
		rest := readAll(t, owner, 200)
		if got+rest != string(data) || owner.Lost() != 0 {
			t.Error("the owner got something else")
		}
		<-fed
		p := make([]byte, 1000)
		n, err := observer.Read(p)
		lost := int(observer.Lost())
		if err != nil || lost == 0 || !bytes.Equal(p[:n], data[300+lost:300+lost+n]) {
			t.Errorf("after a gap of %d: %d bytes, %v", lost, n, err)
		}
		owner.Close()
		observer.Close()
	})
}

func TestWithoutALink(t *testing.T) {
	b := &box{window: 100, drain: time.Millisecond}
	withBox(t, b, func(t *testing.T, g *Gateway) {
		owner := openBox(t, g, "http", north.StreamOptions{Own: true, Wait: true, Line: driver.Line{Baud: 9600}})
		if in, err := owner.Set(t.Context(), driver.Line{Baud: 300, Data: 7}); err != nil || in.Baud != 300 {
			t.Error(in, err)
		}
		b.kill()
		synctest.Wait()
		n, err := owner.Write([]byte("half a command"))
		if n != 0 || !errors.Is(err, north.ErrStreamDown) {
			t.Errorf("%d %v", n, err)
		}
		if in, err := owner.Set(t.Context(), driver.Line{Parity: 'E'}); err != nil || in.Parity != 'E' || in.Baud != 300 {
			t.Errorf("without a link: %+v %v", in, err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if l := b.last().line; len(b.streams) != 2 || l.Baud != 300 || l.Data != 7 || l.Parity != 'E' {
			t.Errorf("opened again with %+v", l)
		}
		if got := string(b.last().got); got != "" {
			t.Errorf("late bytes: %q", got)
		}
		if n, err := owner.Write([]byte("new")); n != 3 || err != nil {
			t.Error(n, err)
		}
		st, _ := owner.State(t.Context())
		if st.Counts.Dropped != 14 || st.Counts.Opens != 2 {
			t.Errorf("%+v", st.Counts)
		}
		owner.Close()
	})
}

// A link that dies because its far end is silent ends with a time that ran out. That is no deadline of the reader, which the stream
// would survive.
func TestSilentLink(t *testing.T) {
	b := &box{window: 10, drain: time.Hour}
	withBox(t, b, func(t *testing.T, g *Gateway) {
		owner := openBox(t, g, "raw", north.StreamOptions{Own: true, Wait: true})
		wrote := make(chan error, 1)
		go func() {
			_, err := owner.Write(make([]byte, 30))
			wrote <- err
		}()
		synctest.Wait()
		b.last().end(&driver.Error{Op: "read", Target: "box", Class: driver.Timeout, Err: os.ErrDeadlineExceeded})
		if err := <-wrote; !errors.Is(err, north.ErrStreamDown) {
			t.Errorf("the owner writes: %v", err)
		}
		time.Sleep(2 * reopenPause)
		synctest.Wait()
		if st, err := owner.State(t.Context()); err != nil || !st.Open || st.Counts.Opens != 2 || st.Counts.Dropped != 20 || st.Counts.Uncertain != 10 {
			t.Errorf("%+v, %v", st, err)
		}
		owner.Close()
	})
}

func TestKeptBytes(t *testing.T) {
	b := &box{window: 10, drain: time.Millisecond}
	withBox(t, b, func(t *testing.T, g *Gateway) {
		owner := openBox(t, g, "raw", north.StreamOptions{Own: true, Wait: true, Keep: true})
		data := bytes.Repeat([]byte("0123456789"), 20)
		done := make(chan int)
		go func() {
			n, err := owner.Write(data)
			if err != nil {
				t.Error(err)
			}
			done <- n
		}()
		time.Sleep(55 * time.Millisecond)
		b.kill()
		if n := <-done; n != len(data) {
			t.Errorf("%d bytes", n)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		st, _ := owner.State(t.Context())
		if st.Counts.Dropped != 0 || st.Counts.Out != 200 || st.Counts.Uncertain == 0 || st.Counts.Uncertain > 10 {
			t.Errorf("%+v", st.Counts)
		}
		owner.Close()
	})
}

func TestBusyAndGone(t *testing.T) {
	b := &box{window: 10, busy: true}
	withBox(t, b, func(t *testing.T, g *Gateway) {
		if _, err := g.OpenStream(t.Context(), driver.Who{}, "box", "ports/1", north.StreamOptions{Own: true, Wait: true}); driver.ClassOf(err) != driver.Busy {
			t.Errorf("%v", err)
		}
		owner := openBox(t, g, "raw", north.StreamOptions{Own: true})
		time.Sleep(10 * time.Millisecond)
		if st, _ := owner.State(t.Context()); st.Open || st.Why == "" {
			t.Errorf("%+v", st)
		}
		b.mu.Lock()
		b.busy = false
		b.mu.Unlock()
		time.Sleep(2 * reopenPause)
		synctest.Wait()
		if st, _ := owner.State(t.Context()); !st.Open || st.Why != "" {
			t.Errorf("%+v", st)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := owner.State(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("nothing changes, and State says %v", err)
		}
		owner.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := owner.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		owner.SetReadDeadline(time.Time{})
		if err := g.SetDevices(nil); err != nil {
			t.Error(err)
		}
		if _, err := owner.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the device is gone: %v", err)
		}
		owner.Close()
	})
}

// At a thousand link losses at random moments of a transfer every byte is in exactly one of delivered, dropped and uncertain.
func TestAThousandLinkLosses(t *testing.T) {
	b := &box{window: 2000, drain: 100 * time.Microsecond}
	withBox(t, b, func(t *testing.T, g *Gateway) {
		r := rand.New(rand.NewPCG(1, 2))
		owner := openBox(t, g, "raw", north.StreamOptions{Own: true, Wait: true})
		stop := make(chan struct{})
		go func() {
			for range 1000 {
				time.Sleep(time.Duration(r.IntN(400)) * time.Millisecond)
				b.kill()
			}
			close(stop)
		}()
		q := rand.New(rand.NewPCG(3, 4))
		var data []byte
		written, handed := uint64(0), uint64(0)
		for running := true; running; {
			select {
			case <-stop:
				running = false
			default:
			}
			p := make([]byte, 1+q.IntN(3000))
			for i := range p {
				p[i] = byte(q.Uint32())
			}
			data = append(data, p...)
			n, err := owner.Write(p)
			written, handed = written+uint64(len(p)), handed+uint64(n)
			if err != nil && !errors.Is(err, north.ErrStreamDown) {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(q.IntN(5000)) * time.Microsecond)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		st, err := owner.State(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c := st.Counts
		if c.Out != handed || c.Out+c.Dropped != written {
			t.Errorf("of %d bytes %d were handed over: out %d, dropped %d", written, handed, c.Out, c.Dropped)
		}
		got, onTheWay, at := 0, 0, 0
		for _, s := range b.streams {
			got += len(s.got)
			onTheWay += len(s.way)
			if len(s.got) >= 8 { // in order, nothing twice
				k := bytes.Index(data[at:], s.got)
				if k < 0 {
					t.Fatalf("a session got %d bytes that are not a piece of what comes next", len(s.got))
				}
				at += k + len(s.got)
			}
		}
		if c.Uncertain != uint64(onTheWay) || uint64(got) < c.Out-c.Uncertain || uint64(got) > c.Out {
			t.Errorf("the device got %d of %d, %d of them uncertain (it says %d)", got, c.Out, c.Uncertain, onTheWay)
		}
		if len(b.streams) < 500 || c.Dropped == 0 || c.Uncertain == 0 {
			t.Errorf("%d streams, %+v: the test tests nothing", len(b.streams), c)
		}
		owner.Close()
	})
}
