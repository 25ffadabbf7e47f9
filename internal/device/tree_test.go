package device

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func good(p Path, n int64) Sample { return Sample{Path: p, Value: OfInt(n)} }

func ints(paths ...Path) []Spec {
	s := make([]Spec, len(paths))
	for i, p := range paths {
		s[i] = Spec{Path: p, Kind: Int, Rate: Normal, Access: R}
	}
	return s
}

// brief is a batch as text: path=value@seq, with marks for what is special.
func brief(b Batch) []string {
	var out []string
	if b.Reset {
		out = append(out, "reset")
	}
	for _, u := range b.Updates {
		s := u.Device + "/" + string(u.Spec.Path)
		switch {
		case u.Gone:
			s += " gone"
		case u.Sample.Quality == Bad:
			s += " " + u.Sample.Reason
		default:
			s += "=" + u.Sample.Value.String()
		}
		if u.SpecChanged {
			s += " spec"
		}
		if u.Merged > 0 {
			s += " +" + OfInt(int64(u.Merged)).String()
		}
		out = append(out, s)
	}
	return out
}

func next(t *testing.T, s Subscription) []string {
	t.Helper()
	b, err := s.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(b.Updates); i++ {
		if b.Updates[i].Seq <= b.Updates[i-1].Seq {
			t.Fatalf("sequence %d after %d", b.Updates[i].Seq, b.Updates[i-1].Seq)
		}
	}
	return brief(b)
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// idle fails when s has something to say.
func idle(t *testing.T, s Subscription) {
	t.Helper()
	if b, ok := s.(*subscription).collect(); ok {
		t.Errorf("got %v; want nothing new", brief(b))
	}
}

func TestSubscriberSeesNewestAndCount(t *testing.T) {
	tree := NewTree()
	tree.Apply("m", &Delta{Full: true, Specs: ints("a", "b", "c"), Samples: []Sample{good("a", 1), good("b", 2)}})
	s := tree.Subscribe(Filter{}, 0)
	defer s.Close()
	same(t, "first batch", next(t, s), "reset", "m/c not-reported spec", "m/a=1 spec", "m/b=2 spec")

	for i := range 5 {
		tree.Apply("m", &Delta{Samples: []Sample{good("a", int64(10+i))}})
	}
	tree.Apply("m", &Delta{Samples: []Sample{good("b", 3), good("a", 14)}})
	same(t, "merged", next(t, s), "m/a=14 +4", "m/b=3")
}

func TestIdenticalSamplesAreCountedAndRefreshed(t *testing.T) {
	tree := NewTree()
	t0, t1 := time.Unix(1, 0), time.Unix(2, 0)
	tree.Apply("m", &Delta{Specs: ints("a"), Samples: []Sample{{Path: "a", Value: OfInt(1), Received: t0}}})
	before, _ := tree.Point("m", "a")
	a := tree.Apply("m", &Delta{Samples: []Sample{{Path: "a", Value: OfInt(1), Received: t1}, good("nowhere", 1)}})
	if want := (Applied{Suppressed: 1, Unknown: 1}); a != want {
		t.Errorf("Apply = %+v, want %+v", a, want)
	}
	after, _ := tree.Point("m", "a")
	if after.Seq != before.Seq || !after.Sample.Received.Equal(t1) {
		t.Errorf("after the same value: seq %d → %d, received %v", before.Seq, after.Seq, after.Sample.Received)
	}
}

func TestValuesOfAnotherKindTurnThePointBad(t *testing.T) {
	tree := NewTree()
	a := tree.Apply("m", &Delta{Specs: ints("a", "b"), Samples: []Sample{{Path: "a", Value: OfString("x")}, {Path: "b"}}})
	if a.Invalid != 1 {
		t.Errorf("Invalid = %d", a.Invalid)
	}
	p, _ := tree.Point("m", "a")
	if p.Sample.Quality != Bad || p.Sample.Reason != ReasonInvalid || !p.Sample.Value.IsZero() {
		t.Errorf("a = %+v", p.Sample)
	}
	if p, _ := tree.Point("m", "b"); p.Sample.Quality != Bad || p.Sample.Reason != ReasonNotReported {
		t.Errorf("a good sample without value = %+v", p.Sample)
	}
}

func TestFullRemovesWhatItDoesNotName(t *testing.T) {
	tree := NewTree()
	tree.Apply("m", &Delta{Specs: ints("_link/state")})
	tree.Apply("m", &Delta{Full: true, Specs: ints("a", "b"), Keep: func(p Path) bool { return p == "_link/state" }})
	s := tree.Subscribe(Filter{}, tree.Seq())
	defer s.Close()
	tree.Apply("m", &Delta{Full: true, Specs: ints("b", "c"), Keep: func(p Path) bool { return p == "_link/state" }})
	same(t, "second full", next(t, s), "m/a gone", "m/c not-reported spec")
	tree.Apply("m", &Delta{Gone: []Path{"c"}})
	tree.Apply("m", &Delta{Specs: ints("c"), Samples: []Sample{good("c", 1)}})
	same(t, "gone and back", next(t, s), "m/c gone", "m/c=1 spec +1")
}

func TestGoneTakesSubtrees(t *testing.T) {
	tree := NewTree()
	tree.Apply("m", &Delta{Specs: ints("a", "a/b", "a/b/c", "ab", "d")})
	tree.Apply("m", &Delta{Gone: []Path{"a", "d"}})
	pts, _ := tree.Points(Filter{})
	if len(pts) != 1 || pts[0].Spec.Path != "ab" {
		t.Errorf("left: %v", pts)
	}
}

func TestMarkBadKeepsTheOldValue(t *testing.T) {
	tree := NewTree()
	at := time.Unix(5, 0)
	tree.Apply("m", &Delta{Specs: ints("a", "b", "_link/frames"),
		Samples: []Sample{{Path: "a", Value: OfInt(7), Received: at}, good("_link/frames", 3)}})
	s := tree.Subscribe(Filter{}, tree.Seq())
	defer s.Close()
	tree.MarkBad("m", ReasonLinkDown)
	same(t, "bad", next(t, s), "m/b link-down", "m/a link-down")
	tree.MarkBad("m", ReasonLinkDown)
	idle(t, s)
	p, _ := tree.Point("m", "a")
	if p.Sample.Value.Int() != 7 || !p.Sample.Received.Equal(at) {
		t.Errorf("old value is lost: %+v", p.Sample)
	}
	tree.Apply("m", &Delta{Full: true, Specs: ints("a", "b"), Samples: []Sample{good("a", 7)}})
	same(t, "up again, b says nothing", next(t, s), "m/_link/frames gone", "m/a=7", "m/b not-reported")
}

func TestSpecAndLabelChanges(t *testing.T) {
	tree := NewTree()
	set := func(text string) []LabelSet { return []LabelSet{{ID: "in", Items: []Label{{1, "1", text, ""}}}} }
	spec := Spec{Path: "src", Kind: Enum, Labels: "in"}
	tree.Apply("m", &Delta{Labels: set("Cam"), Specs: []Spec{spec}, Samples: []Sample{{Path: "src", Value: OfEnum(1)}}})
	s := tree.Subscribe(Filter{}, tree.Seq())
	defer s.Close()

	tree.Apply("m", &Delta{Labels: set("Cam"), Specs: []Spec{spec}})
	idle(t, s)
	tree.Apply("m", &Delta{Labels: set("Camera")})
	same(t, "labels", next(t, s), "m/src=1 spec")
	spec.Title = "Source"
	tree.Apply("m", &Delta{Specs: []Spec{spec}})
	same(t, "title", next(t, s), "m/src=1 spec")
	spec.Kind, spec.Labels = Int, ""
	tree.Apply("m", &Delta{Specs: []Spec{spec}})
	same(t, "kind", next(t, s), "m/src gone", "m/src not-reported spec")
	if got := tree.LabelSets("m")["in"].Items[0].Text; got != "Camera" {
		t.Errorf("label = %q", got)
	}
}

func TestFilters(t *testing.T) {
	tree := NewTree()
	role := ints("axes/x", "axes/y", "speed")
	role[0].Role = "cnc.position.absolute"
	s := tree.Subscribe(Filter{Devices: []string{"m"}, Under: []Path{"axes"}, Roles: []string{"cnc.position.absolute"}}, 0)
	defer s.Close()
	same(t, "empty tree", next(t, s), "reset")
	tree.Apply("other", &Delta{Specs: role})
	tree.Apply("m", &Delta{Specs: role})
	same(t, "one of six", next(t, s), "m/axes/x not-reported spec")
	tree.Apply("m", &Delta{Samples: []Sample{good("speed", 1)}})
	idle(t, s)
	tree.Remove("other")
	tree.Remove("m")
	same(t, "removed", next(t, s), "m/axes/x gone")
	if _, ok := tree.Point("m", "speed"); ok {
		t.Error("the device is still there")
	}
}

func TestOrderAcrossDevices(t *testing.T) {
	tree := NewTree()
	for _, d := range []string{"b", "a"} {
		tree.Apply(d, &Delta{Specs: ints("q", "p")})
	}
	pts, seq := tree.Points(Filter{})
	var got []string
	for _, p := range pts {
		got = append(got, p.Device+"/"+string(p.Spec.Path))
	}
	same(t, "snapshot", got, "a/p", "a/q", "b/p", "b/q")
	s := tree.Subscribe(Filter{}, seq)
	defer s.Close()
	tree.Apply("b", &Delta{Samples: []Sample{good("p", 1)}})
	tree.Apply("a", &Delta{Samples: []Sample{good("p", 2)}})
	tree.Apply("b", &Delta{Samples: []Sample{good("q", 3)}})
	same(t, "by sequence", next(t, s), "b/p=1", "a/p=2", "b/q=3")
}

func TestResume(t *testing.T) {
	tree := NewTree()
	tree.Apply("m", &Delta{Specs: ints("a", "b"), Samples: []Sample{good("a", 1)}})
	seq := tree.Seq()
	tree.Apply("m", &Delta{Samples: []Sample{good("b", 2)}})
	s := tree.Subscribe(Filter{}, seq)
	same(t, "resumed", next(t, s), "m/b=2")
	s.Close()
	s = tree.Subscribe(Filter{}, seq+1000)
	defer s.Close()
	same(t, "from the future", next(t, s), "reset", "m/a=1 spec", "m/b=2 spec")
}

func TestTooManyRemovalsReset(t *testing.T) {
	tree := NewTree()
	tree.dead.limit = 3
	tree.Apply("m", &Delta{Specs: ints("a", "b", "c", "d", "keep")})
	seq := tree.Seq()
	tree.Apply("m", &Delta{Gone: []Path{"a", "b", "c"}})
	s := tree.Subscribe(Filter{}, seq)
	same(t, "ring full", next(t, s), "m/a gone", "m/b gone", "m/c gone")
	s.Close()
	tree.Apply("m", &Delta{Gone: []Path{"d"}})
	s = tree.Subscribe(Filter{}, seq)
	defer s.Close()
	same(t, "ring too small", next(t, s), "reset", "m/keep not-reported spec")
}

func TestNextEndsWithCloseAndContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tree := NewTree()
		s := tree.Subscribe(Filter{}, tree.Seq()+0)
		next(t, s)
		done := make(chan error)
		go func() {
			_, err := s.Next(context.Background())
			done <- err
		}()
		synctest.Wait()
		s.Close()
		s.Close()
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Next after Close: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		s = tree.Subscribe(Filter{}, 0)
		defer s.Close()
		cancel()
		if _, err := s.Next(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Next after cancel: %v", err)
		}
	})
}

func TestWaitingReaderIsWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tree := NewTree()
		s := tree.Subscribe(Filter{Devices: []string{"m"}}, 0)
		defer s.Close()
		next(t, s)
		got := make(chan []string)
		go func() { got <- next(t, s) }()
		synctest.Wait()
		tree.Apply("other", &Delta{Specs: ints("x")})
		synctest.Wait()
		select {
		case b := <-got:
			t.Errorf("woken by another device: %v", b)
		default:
		}
		tree.Apply("m", &Delta{Specs: ints("a")})
		same(t, "woken", <-got, "m/a not-reported spec")
	})
}

func TestWanted(t *testing.T) {
	tree := NewTree()
	if tree.Wanted("m", "meters/1") {
		t.Error("wanted without subscription")
	}
	changed := tree.WantedChanged()
	f := Filter{Devices: []string{"m"}, Under: []Path{"meters"}, Roles: []string{"audio.meter"}}
	a, b := tree.Subscribe(f, 0), tree.Subscribe(f, 0)
	<-changed
	if !tree.Wanted("m", "meters/1") || tree.Wanted("m", "gain") || tree.Wanted("n", "meters/1") {
		t.Error("a point that is not known yet goes by device and path")
	}
	changed = tree.WantedChanged()
	tree.Apply("m", &Delta{Specs: []Spec{{Path: "meters/1", Kind: Int, Rate: Meter, Role: "audio.gain"}}})
	<-changed
	if tree.Wanted("m", "meters/1") {
		t.Error("the role does not fit")
	}
	changed = tree.WantedChanged()
	a.Close()
	select {
	case <-changed:
		t.Error("the same filter is still wanted")
	default:
	}
	b.Close()
	<-changed
	defer tree.Subscribe(Filter{Except: []string{"audio.gain"}}, 0).Close()
	if tree.Wanted("m", "meters/1") {
		t.Error("its role is left out")
	}
}

func TestCommandsAndStreams(t *testing.T) {
	tree := NewTree()
	tree.Apply("m", &Delta{Commands: []Command{{Path: "cut"}}, Streams: []Path{"ports/1"}})
	tree.Apply("m", &Delta{Specs: ints("a")})
	if c, s := tree.Commands("m"), tree.Streams("m"); len(c) != 1 || c[0].Path != "cut" || len(s) != 1 {
		t.Errorf("commands %v, streams %v", c, s)
	}
	tree.Apply("m", &Delta{Full: true})
	if c, s := tree.Commands("m"), tree.Streams("m"); len(c)+len(s) != 0 {
		t.Errorf("after a full change without any: %v, %v", c, s)
	}
	if tree.Commands("nobody") != nil || tree.LabelSets("nobody") != nil {
		t.Error("an unknown device has nothing")
	}
}

func TestCount(t *testing.T) {
	tree := NewTree()
	tree.Apply("mill1", &Delta{Specs: []Spec{{Path: "a", Kind: Int}, {Path: "b", Kind: Int}}})
	tree.Apply("press", &Delta{Specs: []Spec{{Path: "a", Kind: Int}}})
	tree.Apply("mill1", &Delta{Gone: []Path{"b"}})
	for dev, want := range map[string]int{"mill1": 1, "press": 1, "nobody": 0} {
		if got := tree.Count(dev); got != want {
			t.Errorf("%s has %d points, want %d", dev, got, want)
		}
	}
}
