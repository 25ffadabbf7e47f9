package serving_test

import (
	"context"
	"errors"
	"maps"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/serving"
)

// program is a client that counts.
type program struct {
	name   string
	done   atomic.Uint64
	closed error
}

func (p *program) Points() []serving.Point {
	return []serving.Point{
		{Name: "name", Kind: device.String, Value: serving.Text(p.name)},
		{Name: "done", Kind: device.Int, Value: serving.Count(p.done.Load)},
		{Name: "since", Kind: device.String, Value: serving.Moment(time.Unix(0, 0))},
	}
}

func (p *program) Close() error { return p.closed }

// sink keeps what is shown now.
type sink struct {
	mu       sync.Mutex
	values   map[device.Path]string
	changes  []int // samples in each change
	commands []device.Path
}

func (s *sink) Apply(c *driver.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, gone := range c.Gone {
		for p := range s.values {
			if p.Under(gone) {
				delete(s.values, p)
			}
		}
	}
	for _, sp := range c.Specs {
		s.values[sp.Path] = "?"
	}
	for _, v := range c.Samples {
		if _, ok := s.values[v.Path]; !ok {
			panic("a sample of " + string(v.Path) + ", which has no spec")
		}
		s.values[v.Path] = v.Value.String()
	}
	if c.Commands != nil {
		s.commands = nil
		for _, cmd := range c.Commands {
			s.commands = append(s.commands, cmd.Path)
		}
	}
	s.changes = append(s.changes, len(c.Samples))
}

// shown is what is shown now.
func (s *sink) shown() map[device.Path]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.values)
}

// told is how many samples the changes since the last call had.
func (s *sink) told() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.changes
	s.changes = nil
	return out
}

// pass lets time pass, and everything happen that is due.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{values: map[device.Path]string{}}
		clients := serving.NewClients[*program](serving.Options{Device: "desk", Sink: s, Noun: "program", Max: 2,
			Count: serving.Point{Name: "count", Kind: device.Int}, Server: []serving.Point{{Name: "listen", Kind: device.String, Value: serving.Text("here")}}})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { clients.Run(ctx) })
		a, b := &program{name: "a"}, &program{name: "b", closed: errors.New("stuck")}
		for id, p := range []*program{a, b} {
			if err := clients.Add(uint64(id+1), p, true); err != nil {
				t.Error(err)
			}
		}
		if err := clients.Add(3, &program{name: "c"}, true); !errors.Is(err, serving.ErrFull) {
			t.Errorf("one too many: %v", err)
		}
		if err := clients.Add(4, &program{name: "d"}, false); err != nil {
			t.Errorf("one that takes no room: %v", err)
		}
		pass(100 * time.Millisecond)
		want := map[device.Path]string{"_clients/count": "2", "_clients/listen": "here"}
		for id, name := range map[string]string{"1": "a", "2": "b", "4": "d"} {
			at := device.ClientsRoot.Child(id)
			want[at.Child("name")], want[at.Child("done")], want[at.Child("since")] = name, "0", "1970-01-01T00:00:00Z"
		}
		if d := cmp.Diff(want, s.shown()); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]device.Path{"_clients/1/disconnect", "_clients/2/disconnect", "_clients/4/disconnect"}, s.commands); d != "" {
			t.Error(d)
		}
		if n := len(s.told()); n > 3 {
			t.Errorf("%d changes for clients that came together", n)
		}
		a.done.Store(7)
		pass(serving.CountEvery)
		if d := cmp.Diff([]int{3}, s.told()); d != "" || s.shown()["_clients/1/done"] != "7" { // the server's two, and the one that is new
			t.Errorf("%s %v", d, s.shown())
		}

		do := func(p device.Path) (driver.Stage, driver.Class) {
			_, o := clients.Do(ctx, p, nil)
			return o.Stage, driver.ClassOf(o.Err)
		}
		if stage, _ := do("_clients/1/disconnect"); stage != driver.Acked {
			t.Error(stage)
		}
		a.closed = net.ErrClosed // it was just going
		if stage, _ := do("_clients/1/disconnect"); stage != driver.Acked {
			t.Error(stage)
		}
		if stage, class := do("_clients/2/disconnect"); stage != driver.Refused || class != driver.Internal {
			t.Error(stage, class)
		}
		for _, p := range []device.Path{"_clients/3/disconnect", "_clients/1", "_clients/x/disconnect", "other/1/disconnect"} {
			if stage, class := do(p); stage != driver.Refused || class != driver.Unsupported {
				t.Error(p, stage, class)
			}
		}

		clients.Remove(1)
		clients.Remove(1)
		clients.Remove(9)
		if _, ok := clients.Get(1); ok {
			t.Error("a client that is gone is there")
		}
		if err := clients.Add(5, &program{name: "e"}, true); err != nil {
			t.Errorf("the room of one that is gone is not free: %v", err)
		}
		clients.Remove(5) // before anybody was told
		pass(100 * time.Millisecond)
		if now := s.shown(); now["_clients/count"] != "1" || now["_clients/1/name"] != "" || now["_clients/5/name"] != "" {
			t.Errorf("%v", now)
		}
		cancel()
		wg.Wait()
		if len(s.values)+len(s.commands) != 0 {
			t.Errorf("left: %v %v", s.values, s.commands)
		}
	})
}

// A server with a prefix has names and commands of its own. A device that has forgotten everything is told again.
func TestClientsToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{values: map[device.Path]string{}}
		clients := serving.NewClients[*program](serving.Options{Device: "desk", Sink: s, Prefix: "lens-", Noun: "program", Count: serving.Point{Name: "count", Kind: device.Int}})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { clients.Run(ctx) })
		for id, name := range []string{"a", "b"} {
			if err := clients.Add(uint64(id+1), &program{name: name}, true); err != nil {
				t.Error(err)
			}
		}
		want := map[device.Path]string{"_clients/lens-count": "2"}
		for id, name := range map[string]string{"lens-1": "a", "lens-2": "b"} {
			at := device.ClientsRoot.Child(id)
			want[at.Child("name")], want[at.Child("done")], want[at.Child("since")] = name, "0", "1970-01-01T00:00:00Z"
		}
		check := func(when string) {
			t.Helper()
			pass(100 * time.Millisecond)
			if d := cmp.Diff(want, s.shown()); d != "" {
				t.Errorf("%s: %s", when, d)
			}
		}
		check("at first")
		if d := cmp.Diff([]device.Path{"_clients/lens-1/disconnect", "_clients/lens-2/disconnect"}, s.commands); d != "" {
			t.Error(d)
		}
		for p, want := range map[device.Path]driver.Stage{"_clients/lens-1/disconnect": driver.Acked, "_clients/1/disconnect": driver.Refused} {
			if _, o := clients.Do(ctx, p, nil); o.Stage != want {
				t.Errorf("%s: %v %v", p, o.Stage, o.Err)
			}
		}
		s.mu.Lock()
		clear(s.values)
		s.commands = nil
		s.mu.Unlock()
		clients.Again()
		check("again")
		if len(s.commands) != 2 {
			t.Errorf("commands again: %v", s.commands)
		}
		clients.Again()
		clients.Remove(2) // the device may still know it
		want["_clients/lens-count"] = "1"
		for _, name := range []string{"name", "done", "since"} {
			delete(want, device.Path("_clients/lens-2").Child(name))
		}
		check("one has gone meanwhile")
		if clients.Len() != 1 {
			t.Errorf("%d are there", clients.Len())
		}
		cancel()
		wg.Wait()
	})
}

// upstream hands out sessions.
type upstream struct{ sessions chan chan struct{} }

func (u *upstream) Name() string { return "desk" }

func (u *upstream) Session(ctx context.Context) (driver.Session, <-chan struct{}, error) {
	select {
	case gone := <-u.sessions:
		return nil, gone, nil
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := &upstream{sessions: make(chan chan struct{}, 3)}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		var began int
		var lost []bool
		ended := make(chan struct{})
		wg.Go(func() {
			serving.Follow(ctx, up, func(driver.Session) (<-chan struct{}, func(bool)) {
				began++
				var own <-chan struct{}
				if began == 2 {
					own = ended
				}
				return own, func(l bool) { lost = append(lost, l) }
			})
		})
		first, second, third := make(chan struct{}), make(chan struct{}), make(chan struct{})
		up.sessions <- first
		up.sessions <- second
		up.sessions <- third
		synctest.Wait()
		if began != 1 || len(lost) != 0 {
			t.Fatal(began, lost)
		}
		close(first)
		synctest.Wait()
		close(ended) // the connection is gone, and the gateway has not seen it
		synctest.Wait()
		if d := cmp.Diff([]bool{true, true}, lost); d != "" || began != 2 {
			t.Fatal(began, d)
		}
		close(second)
		synctest.Wait()
		cancel()
		wg.Wait()
		if d := cmp.Diff([]bool{true, true, false}, lost); d != "" || began != 3 {
			t.Error(began, d)
		}
	})
}
