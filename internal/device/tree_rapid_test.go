package device

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// mirror is what a reader holds who applies every batch.
type mirror map[string]string

func (m mirror) apply(b Batch) {
	if b.Reset {
		clear(m)
	}
	for _, u := range b.Updates {
		key := u.Device + ":" + string(u.Spec.Path)
		if u.Gone {
			delete(m, key)
			continue
		}
		m[key] = describe(&u.Point)
	}
}

func describe(p *Point) string {
	s := p.Spec.Kind.String() + " " + p.Spec.Title + " " + p.Spec.Role + " " + p.Sample.Quality.String() + " " + p.Sample.Reason + " " +
		p.Sample.Value.String()
	if l, ok := p.Labels.ByValue(p.Sample.Value.Int()); ok {
		s += " " + l.Text
	}
	return s
}

func (t *Tree) mirrorOf(f Filter) mirror {
	m := mirror{}
	points, _ := t.Points(f)
	for i := range points {
		m[points[i].Device+":"+string(points[i].Spec.Path)] = describe(&points[i])
	}
	return m
}

func drawDelta(t *rapid.T) *Delta {
	paths := rapid.SampledFrom([]Path{"a", "a/x", "a/y", "b", "b/x", "_link/n"})
	d := &Delta{Full: rapid.IntRange(0, 9).Draw(t, "full") == 0}
	for _, p := range rapid.SliceOfNDistinct(paths, 0, 4, rapid.ID).Draw(t, "specs") {
		s := Spec{Path: p, Kind: rapid.SampledFrom([]Kind{Int, Enum}).Draw(t, "kind"), Role: rapid.SampledFrom([]string{"", "r"}).Draw(t, "role"),
			Title: rapid.SampledFrom([]string{"", "t"}).Draw(t, "title")}
		if s.Kind == Enum {
			s.Labels = "set"
		}
		d.Specs = append(d.Specs, s)
	}
	if rapid.IntRange(0, 3).Draw(t, "labels") == 0 {
		d.Labels = []LabelSet{{ID: "set", Items: []Label{{1, "k", rapid.SampledFrom([]string{"one", "eins"}).Draw(t, "text"), rapid.SampledFrom([]string{"", "1"}).Draw(t, "short")}}}}
	}
	if rapid.IntRange(0, 4).Draw(t, "gone") == 0 {
		d.Gone = []Path{paths.Draw(t, "gone path")}
	}
	for _, p := range rapid.SliceOfN(paths, 0, 6).Draw(t, "samples") {
		n := int64(rapid.IntRange(0, 2).Draw(t, "value"))
		d.Samples = append(d.Samples, Sample{Path: p, Value: rapid.SampledFrom([]Value{OfInt(n), OfEnum(n)}).Draw(t, "of kind")})
	}
	return d
}

// A reader who looks at random moments, comes back after a break, or never looks until the end, holds the tree's state.
func TestReadersEndWithTheStateOfTheTree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := NewTree()
		tree.dead.limit = rapid.IntRange(1, 20).Draw(t, "tombstones")
		filter := rapid.SampledFrom([]Filter{{}, {Devices: []string{"m"}}, {Under: []Path{"a"}}, {Roles: []string{"r"}}, {Except: []string{"r"}},
			{Devices: []string{"m", "n"}, Under: []Path{"b", "a/x"}}}).Draw(t, "filter")
		steady, lazy := tree.Subscribe(filter, 0), tree.Subscribe(filter, 0)
		defer func() { steady.Close(); lazy.Close() }()
		held, late := mirror{}, mirror{}
		at := uint64(0)
		look := func(s Subscription, m mirror) {
			b, ok := s.(*subscription).collect()
			if !ok {
				return
			}
			last := uint64(0)
			for _, u := range b.Updates {
				if u.Seq <= last || u.Seq > b.Seq {
					t.Fatalf("sequence %d after %d in a batch to %d", u.Seq, last, b.Seq)
				}
				last = u.Seq
			}
			m.apply(b)
			if s == steady {
				at = b.Seq
			}
		}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			dev := rapid.SampledFrom([]string{"m", "n", "o"}).Draw(t, "device")
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0:
				tree.Remove(dev)
			case 1:
				tree.MarkBad(dev, ReasonLinkDown)
			case 2:
				look(lazy, late)
			case 3, 4:
				look(steady, held)
			case 5: // the reader goes away and resumes where it was
				steady.Close()
				steady = tree.Subscribe(filter, at)
			default:
				tree.Apply(dev, drawDelta(t))
			}
		}
		look(steady, held)
		look(lazy, late)
		want := tree.mirrorOf(filter)
		if diff := cmp.Diff(want, held); diff != "" {
			t.Fatalf("the steady reader (-tree +reader):\n%s", diff)
		}
		if diff := cmp.Diff(want, late); diff != "" {
			t.Fatalf("the lazy reader (-tree +reader):\n%s", diff)
		}
	})
}

// Every change is either delivered or counted as merged.
func TestNothingIsLostFromTheCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := NewTree()
		tree.Apply("m", &Delta{Specs: ints("a", "b")})
		s := tree.Subscribe(Filter{}, 0)
		defer s.Close()
		if _, err := s.Next(context.Background()); err != nil {
			t.Fatal(err)
		}
		changes, told := 0, 0
		look := func() {
			if b, ok := s.(*subscription).collect(); ok {
				for _, u := range b.Updates {
					told += 1 + int(u.Merged)
				}
			}
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			if rapid.IntRange(0, 4).Draw(t, "look") == 0 {
				look()
				continue
			}
			p := rapid.SampledFrom([]Path{"a", "b"}).Draw(t, "path")
			changes += tree.Apply("m", &Delta{Samples: []Sample{good(p, int64(rapid.IntRange(0, 3).Draw(t, "value")))}}).Changed
		}
		look()
		if told != changes {
			t.Fatalf("%d changes, %d told", changes, told)
		}
	})
}
