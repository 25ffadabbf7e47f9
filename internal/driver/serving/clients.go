package serving

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// Point is one point of a client, or of the server itself.
type Point struct {
	Name, Title, Doc string
	Kind             device.Kind
	// Value is called each second, and when a client comes, with the lock of [Clients] held: it must not call them.
	Value func(now time.Time) device.Value
}

// Client is a connection of a program.
type Client interface {
	// Points are what is shown of it below _clients/ID. It is called once.
	Points() []Point
	// Close ends the connection; somebody wants it gone.
	Close() error
}

// Options say how clients are shown.
type Options struct {
	Device string      // whose clients they are; the target of errors
	Sink   driver.Sink // nil: they are not shown
	Prefix string      // in front of every name below device.ClientsRoot, so that several servers of one device do not meet: "aes70-"
	Grade  string      // evidence of what is shown
	Server []Point     // of the server itself
	Count  Point       // how many there are; its Value is made here
	Noun   string      // what a client is called: "program"
	Max    int         // clients at a time that count; 0: not bounded here
}

// ErrFull refuses a client that is one too many.
var ErrFull = errors.New("as many as serve.max_clients are connected")

// Clients keeps the clients of a native server, or of a door, and shows them as points of its device. Its methods may be called by several
// goroutines.
type Clients[C Client] struct {
	opts Options
	news chan struct{} // somebody has come or gone

	mu        sync.Mutex
	clients   map[uint64]*entry[C]
	counted   int
	gone      []device.Path // not told yet
	described bool          // what the points of the server itself are has been told
}

// entry is a client and what was told of it.
type entry[C Client] struct {
	client C
	counts bool
	points []Point
	told   []device.Value // nil: nothing yet
	shown  bool           // it has been told once
}

// NewClients makes an empty set. [Clients.Run] has to be called for anything to be shown.
func NewClients[C Client](o Options) *Clients[C] {
	return &Clients[C]{opts: o, news: make(chan struct{}, 1), clients: map[uint64]*entry[C]{}}
}

// Add takes a client in. Its id is new; counts says whether it takes up room. ErrFull: there is none.
func (s *Clients[C]) Add(id uint64, client C, counts bool) error {
	points := client.Points()
	s.mu.Lock()
	defer s.mu.Unlock()
	if counts {
		if s.opts.Max > 0 && s.counted >= s.opts.Max {
			return ErrFull
		}
		s.counted++
	}
	s.clients[id] = &entry[C]{client: client, counts: counts, points: points}
	s.tellSoon()
	return nil
}

// Remove forgets a client; nothing happens when it is not there.
func (s *Clients[C]) Remove(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.clients[id]
	if e == nil {
		return
	}
	delete(s.clients, id)
	if e.counts {
		s.counted--
	}
	if e.shown {
		s.gone = append(s.gone, s.path(id))
	}
	s.tellSoon()
}

// Get finds a client.
func (s *Clients[C]) Get(id uint64) (C, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.clients[id]; e != nil {
		return e.client, true
	}
	var none C
	return none, false
}

// Len is how many clients take up room.
func (s *Clients[C]) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counted
}

// Again tells everything once more, for a device that is configured anew and has forgotten it.
func (s *Clients[C]) Again() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.described = false
	for _, e := range s.clients {
		e.told = nil
	}
	s.tellSoon()
}

func (s *Clients[C]) tellSoon() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// at is the path of a point of the server itself, or of a client.
func (s *Clients[C]) at(name string) device.Path {
	return device.ClientsRoot.Child(s.opts.Prefix + name)
}

func (s *Clients[C]) path(id uint64) device.Path { return s.at(strconv.FormatUint(id, 10)) }

// Do performs _clients/ID/disconnect.
func (s *Clients[C]) Do(_ context.Context, p device.Path, _ []device.Value) (device.Value, driver.Outcome) {
	refused := func(class driver.Class, err error) (device.Value, driver.Outcome) {
		return device.Value{}, driver.Outcome{Stage: driver.Refused, Err: &driver.Error{Op: "disconnect", Target: s.opts.Device, Class: class, Err: err}}
	}
	word, ok := strings.CutPrefix(string(p), string(device.ClientsRoot)+"/"+s.opts.Prefix)
	word, isDisconnect := strings.CutSuffix(word, "/disconnect")
	id, err := strconv.ParseUint(word, 10, 64)
	client, found := s.Get(id)
	if !ok || !isDisconnect || err != nil || !found {
		return refused(driver.Unsupported, fmt.Errorf("no %s %q is connected", s.opts.Noun, word))
	}
	if err := client.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return refused(driver.Internal, err)
	}
	return device.Value{}, driver.Outcome{Stage: driver.Acked}
}

// Clients come and go by the hundred when a device starts again, so what is new of them is told together.
const (
	CountEvery = time.Second           // what they do
	newsEvery  = 50 * time.Millisecond // who comes and goes, at the most
)

// Run shows the clients until ctx ends, and then takes everything back.
func (s *Clients[C]) Run(ctx context.Context) {
	if s.opts.Sink == nil {
		return
	}
	s.Again()
	defer s.opts.Sink.Apply(&driver.Change{Gone: []device.Path{device.ClientsRoot}, Commands: []device.Command{}})
	tick := time.NewTicker(CountEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.opts.Sink.Apply(s.counters(time.Now()))
			continue
		case <-s.news:
		}
		s.opts.Sink.Apply(s.comings(time.Now()))
		pause := time.NewTimer(newsEvery)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
		}
	}
}

// counters is what clients that are known have done.
func (s *Clients[C]) counters(now time.Time) *driver.Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &driver.Change{}
	if !s.described {
		return c // comings tells it
	}
	c.Samples = s.server(now)
	for id, e := range s.clients {
		if e.told != nil {
			c.Samples = e.samples(c.Samples, s.path(id), now)
		}
	}
	return c
}

// comings is who has come and who has gone, and what the server is when nobody knows yet.
func (s *Clients[C]) comings(now time.Time) *driver.Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &driver.Change{Gone: s.gone, Commands: []device.Command{}}
	s.gone = nil
	if !s.described {
		s.described = true
		for _, p := range append([]Point{s.opts.Count}, s.opts.Server...) {
			c.Specs = append(c.Specs, s.spec(s.at(p.Name), p))
		}
	}
	c.Samples = s.server(now)
	for _, id := range slices.Sorted(maps.Keys(s.clients)) {
		e, at := s.clients[id], s.path(id)
		c.Commands = append(c.Commands, device.Command{Path: at.Child("disconnect"), Title: "Disconnect",
			Doc: "ends the connection of this " + s.opts.Noun + "; it may connect again", Grade: s.opts.Grade})
		if e.told != nil {
			continue
		}
		for _, p := range e.points {
			c.Specs = append(c.Specs, s.spec(at.Child(p.Name), p))
		}
		e.shown = true
		e.told = make([]device.Value, len(e.points))
		c.Samples = e.samples(c.Samples, s.path(id), now)
	}
	return c
}

func (s *Clients[C]) spec(at device.Path, p Point) device.Spec {
	return device.Spec{Path: at, Kind: p.Kind, Rate: device.Normal, Access: device.R, Title: p.Title, Doc: p.Doc, Grade: s.opts.Grade}
}

// server is the samples of the server itself; the lock is held.
func (s *Clients[C]) server(now time.Time) []device.Sample {
	out := []device.Sample{{Path: s.at(s.opts.Count.Name), Value: device.OfInt(int64(s.counted)), Received: now}}
	for _, p := range s.opts.Server {
		out = append(out, device.Sample{Path: s.at(p.Name), Value: p.Value(now), Received: now})
	}
	return out
}

// samples appends what is new of a client; the lock is held.
func (e *entry[C]) samples(out []device.Sample, at device.Path, now time.Time) []device.Sample {
	for i, p := range e.points {
		if v := p.Value(now); !v.Equal(e.told[i]) {
			e.told[i] = v
			out = append(out, device.Sample{Path: at.Child(p.Name), Value: v, Received: now})
		}
	}
	return out
}

// Text is the value of a point that never changes.
func Text(v string) func(time.Time) device.Value {
	return func(time.Time) device.Value { return device.OfString(v) }
}

// Count is the value of a counter, which n reads.
func Count(n func() uint64) func(time.Time) device.Value {
	return func(time.Time) device.Value { return device.OfInt(int64(n())) }
}

// Moment is the value of a moment, RFC 3339.
func Moment(t time.Time) func(time.Time) device.Value { return Text(t.UTC().Format(time.RFC3339)) }
