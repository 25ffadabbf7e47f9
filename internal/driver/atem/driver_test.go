package atem

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/testnet"
	"github.com/patchbay-io/patchbay/protocol/atem"
)

// studio is a simulated switcher with a session over UDP that is watched.
type studio struct {
	*testing.T
	far     *simulated
	session *session
	net     *testnet.Network

	mu      sync.Mutex
	changes []*driver.Change
	now     map[device.Path]device.Value
}

// Apply implements driver.Sink.
func (s *studio) Apply(c *driver.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	copied := *c
	copied.Samples, copied.Specs = slices.Clone(c.Samples), slices.Clone(c.Specs)
	s.changes = append(s.changes, &copied)
	for _, x := range c.Samples {
		s.now[x.Path] = x.Value
	}
}

func (s *studio) value(p device.Path) device.Value {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now[p]
}

// since are the changes after the first n.
func (s *studio) since(n int) []*driver.Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.changes[n:])
}

func (s *studio) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.changes)
}

// want checks a value once everything has settled.
func (s *studio) want(p device.Path, v device.Value) {
	s.Helper()
	synctest.Wait()
	if got := s.value(p); !got.Equal(v) {
		s.Errorf("%s is %v, want %v", p, got, v)
	}
}

func env(n *testnet.Network) driver.Env {
	return driver.Env{Dial: n.Dial, ListenPacket: n.ListenPacket, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)}
}

var studioURL = &url.URL{Scheme: "atem", Host: "192.0.2.10"}

// inStudio runs f in a bubble of simulated time with everything watched.
func inStudio(t *testing.T, model string, want driver.Interest, f func(s *studio)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &studio{T: t, far: newSimulated(t, model), net: new(testnet.Network), now: map[device.Path]device.Value{}}
		p, err := s.net.ListenPacket(t.Context(), "udp", "192.0.2.10:9910")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		var wg sync.WaitGroup
		wg.Go(func() { s.far.servePackets(5)(ctx, p) })
		opened, err := New().Open(ctx, env(s.net), driver.Target{Name: "studio", URL: studioURL, Options: defaults()})
		if err != nil {
			t.Fatal(err)
		}
		s.session = opened.(*session)
		wg.Go(func() { s.session.Watch(ctx, want, s) })
		synctest.Wait()
		f(s)
		if err := s.session.Close(); err != nil {
			t.Error(err)
		}
		cancel()
		wg.Wait()
	})
}

func (s *studio) do(path device.Path, args ...device.Value) driver.Outcome {
	s.Helper()
	_, o := s.session.Do(s.Context(), path, args)
	if o.Err != nil {
		s.Errorf("%s: %v, %v", path, o.Stage, o.Err)
	}
	return o
}

// Both sources of a mix are on air while it runs, by the switcher's own tally, and position and frames follow.
func TestTallyInATransition(t *testing.T) {
	inStudio(t, "mini", driver.Everything{}, func(s *studio) {
		s.want("inputs/1/tally", device.OfEnum(tallyProgram))
		s.want("inputs/2/tally", device.OfEnum(tallyPreview))
		if o := s.do("me/1/auto"); o.Stage != driver.Acked {
			s.Errorf("auto: %v", o.Stage)
		}
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		for _, p := range []device.Path{"inputs/1/tally", "inputs/2/tally"} {
			if v := s.value(p); v.Int()&tallyProgram == 0 {
				s.Errorf("%s is %v in the middle of a mix", p, v)
			}
		}
		if pos := s.value("me/1/transition/position").Float(); pos <= 0.2 || pos >= 0.8 {
			s.Errorf("position %v in the middle", pos)
		}
		s.want("me/1/transition/running", device.OfBool(true))
		time.Sleep(time.Second)
		s.want("me/1/transition/running", device.OfBool(false))
		s.want("inputs/2/tally", device.OfEnum(tallyProgram))
		s.want("inputs/1/tally", device.OfEnum(tallyPreview))
		s.want("me/1/program", device.OfEnum(2))
	})
}

// Program, preview and tally of one cut come in one change.
func TestACutIsOneChange(t *testing.T) {
	inStudio(t, "mini", driver.Everything{}, func(s *studio) {
		n := s.count()
		s.do("me/1/cut")
		synctest.Wait()
		for _, c := range s.since(n) {
			paths := map[device.Path]bool{}
			for _, x := range c.Samples {
				paths[x.Path] = true
			}
			if paths["me/1/program"] {
				if !paths["me/1/preview"] || !paths["inputs/1/tally"] || !paths["inputs/2/tally"] {
					s.Errorf("a cut came in pieces: %v", c.Samples)
				}
				return
			}
		}
		s.Error("no change of program")
	})
}

// A source that is called something else is so in the labels, in its point and in the attributes of its tally.
func TestRenamedInput(t *testing.T) {
	inStudio(t, "mini", driver.Everything{}, func(s *studio) {
		n := s.count()
		in, _ := atem.Get[atem.InputProperties](s.far.State(), 3)
		in.Name, in.Label = "Pulpit", "PULP"
		s.far.Set(&in)
		s.want("inputs/3/name", device.OfString("Pulpit"))
		var label device.Label
		words := map[string]string{}
		for _, c := range s.since(n) {
			for _, l := range c.Labels {
				if l.ID == labelsSources {
					label, _ = l.ByValue(3)
				}
			}
			for _, sp := range c.Specs {
				if sp.Path == "inputs/3/tally" {
					words = sp.Attributes
				}
			}
		}
		if label != (device.Label{Value: 3, Key: "3", Text: "Pulpit", Short: "PULP"}) || words["name"] != "Pulpit" || words["label"] != "PULP" {
			s.Errorf("%+v, %v", label, words)
		}
	})
}

// Layers of one write build on each other, and the last one cannot be taken away.
func TestLayers(t *testing.T) {
	inStudio(t, "2me-4k", driver.Everything{}, func(s *studio) {
		layer := func(n string) device.Path { return mePath(0, "transition/layers/"+n) }
		out, err := s.session.Write(s.Context(), []driver.Write{{Path: layer("key-1"), Value: device.OfBool(true)}, {Path: layer("key-2"), Value: device.OfBool(true)},
			{Path: layer("background"), Value: device.OfBool(false)}})
		if err != nil || out[0].Stage != driver.Acked || out[1].Stage != driver.Acked || out[2].Stage != driver.Acked {
			s.Fatalf("%+v, %v", out, err)
		}
		s.want(layer("key-1"), device.OfBool(true))
		s.want(layer("key-2"), device.OfBool(true))
		s.want(layer("background"), device.OfBool(false))
		out, _ = s.session.Write(s.Context(), []driver.Write{{Path: layer("key-1"), Value: device.OfBool(false)}, {Path: layer("key-2"), Value: device.OfBool(false)}})
		if out[1].Stage != driver.Refused || !strings.Contains(out[1].Err.Error(), "one layer at least") {
			s.Errorf("%+v", out)
		}
		if o := s.session.board.points["me/2/program"]; o == nil {
			s.Error("the second M/E is missing")
		}
	})
}

func TestWhatASwitcherRefuses(t *testing.T) {
	inStudio(t, "mini", driver.Everything{}, func(s *studio) {
		for _, tc := range []struct {
			path device.Path
			v    device.Value
			want string
		}{
			{"me/1/program", device.OfEnum(8001), "cannot be used on M/E 1"},
			{"me/1/program", device.OfString("x"), "kind"},
			{"inputs/1/name", device.OfString("a name that is longer than twenty bytes"), "room for 20"},
			{"inputs/1/tally", device.OfEnum(1), "only be read"},
			{"me/7/program", device.OfEnum(1), "no such point"},
		} {
			out, err := s.session.Write(s.Context(), []driver.Write{{Path: tc.path, Value: tc.v}})
			if err != nil || out[0].Stage != driver.Refused || !strings.Contains(out[0].Err.Error(), tc.want) {
				s.Errorf("%s = %v: %+v, %v", tc.path, tc.v, out, err)
			}
		}
		for _, path := range []device.Path{"me/9/cut", "me/1/program"} {
			if _, o := s.session.Do(s.Context(), path, nil); o.Stage != driver.Refused {
				s.Errorf("%s: %+v", path, o)
			}
		}
		if _, o := s.session.Do(s.Context(), "macros/record", nil); o.Stage != driver.Refused {
			s.Errorf("a command without its argument: %+v", o)
		}
		if n := s.far.writes.Load(); n != 0 {
			s.Errorf("%d commands were sent", n)
		}
	})
}

// Commands end when a field shows that they were carried out.
func TestCommands(t *testing.T) {
	inStudio(t, "mini-extreme-iso", driver.Everything{}, func(s *studio) {
		for _, c := range []device.Path{"ftb/1/auto", "dsk/1/auto", "stream/start", "record/start", "record/stop", "stream/stop"} {
			if o := s.do(c); o.Stage != driver.Acked {
				s.Errorf("%s: %v", c, o.Stage)
			}
			time.Sleep(5 * time.Second)
		}
		s.want("ftb/1/black", device.OfBool(true))
		s.want("dsk/1/on-air", device.OfBool(true))
		s.do("macros/record", device.OfInt(7), device.OfString("Opening"))
		s.want("macros/recording", device.OfEnum(6))
		s.do("me/1/cut")
		s.do("macros/stop-recording")
		s.want("macros/recording", device.OfEnum(none))
		s.want("macros/7/name", device.OfString("Opening"))
		if o := s.do("macros/7/run"); o.Stage != driver.Acked {
			s.Errorf("run: %v", o.Stage)
		}
		s.do("macros/7/delete")
		s.want("macros/7/used", device.OfBool(false))
		if _, o := s.session.Do(s.Context(), "macros/7/run", nil); o.Stage != driver.Refused {
			s.Errorf("a macro that is gone: %+v", o)
		}
	})
}

// The handle is moved to its end, where the switcher goes back to the beginning: the write is acknowledged all the same.
func TestTheHandle(t *testing.T) {
	inStudio(t, "mini", driver.Everything{}, func(s *studio) {
		for _, pos := range []float64{0.3, 0.7, 1} {
			out, err := s.session.Write(s.Context(), []driver.Write{{Path: "me/1/transition/position", Value: device.OfFloat(pos)}})
			if err != nil || out[0].Stage != driver.Acked {
				s.Errorf("%v: %+v, %v", pos, out, err)
			}
		}
		s.want("me/1/transition/position", device.OfFloat(0))
		s.want("me/1/program", device.OfEnum(2))
	})
}

// A switcher that begins again in the same session, as after a change of its video mode, is everything anew.
func TestSecondDump(t *testing.T) {
	s := newSession("x")
	var got []*driver.Change
	s.sink = sinkOf(func(c *driver.Change) { got = append(got, c) })
	f := newSimulated(t, "2me-4k")
	for _, p := range f.State().Dump(1400) {
		s.handle(p)
	}
	g := newSimulated(t, "mini")
	for _, p := range g.State().Dump(1400) {
		s.handle(p)
	}
	last := got[len(got)-1]
	if !last.Full || s.board.points["me/2/program"] != nil || s.board.points["me/1/program"] == nil {
		t.Errorf("full %v, %d points", last.Full, len(s.board.points))
	}
}

type sinkOf func(*driver.Change)

func (f sinkOf) Apply(c *driver.Change) { f(c) }

func TestAFullSwitcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := new(testnet.Network)
		p, err := n.ListenPacket(t.Context(), "udp", "192.0.2.10:9910")
		if err != nil {
			t.Fatal(err)
		}
		f := newSimulated(t, "mini")
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		var wg sync.WaitGroup
		wg.Go(func() { f.servePackets(1)(ctx, p) })
		first, err := New().Open(ctx, env(n), driver.Target{Name: "studio", URL: studioURL})
		if err != nil {
			t.Fatal(err)
		}
		_, err = New().Open(ctx, env(n), driver.Target{Name: "studio", URL: studioURL})
		if driver.ClassOf(err) != driver.Busy || !errors.Is(err, atem.ErrFull) || !strings.Contains(driver.HintOf(err), "patchbay instead") {
			t.Errorf("%v, %q", err, driver.HintOf(err))
		}
		found, err := Driver{}.Probe(ctx, env(n), "192.0.2.10:9910")
		if err != nil || !found.Match || !strings.Contains(found.Reasons[0], "no free session") {
			t.Errorf("%+v, %v", found, err)
		}
		if err := first.Close(); err != nil {
			t.Error(err)
		}
		// The place is free at once, and a probe gives it back.
		for range 3 {
			found, err := Driver{}.Probe(ctx, env(n), "192.0.2.10:9910")
			if err != nil || !found.Match || found.Reasons[0] != "ATEM Mini" {
				t.Errorf("%+v, %v", found, err)
			}
		}
		cancel()
		wg.Wait()
	})
}
