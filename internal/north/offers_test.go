package north

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// addresses are what the offers of the test need for themselves, as doors need their TCP ports. An offer takes that of its configuration.
type addresses struct {
	t    *testing.T
	mu   sync.Mutex
	held map[string]bool
	log  []string
}

func (a *addresses) note(what, config string, held bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if held && a.held[config] {
		a.t.Errorf("%s is offered twice at a time", config)
	}
	a.held[config] = held
	a.log = append(a.log, what+" "+config)
}

func (a *addresses) take() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	log := a.log
	a.log = nil
	slices.Sort(log)
	return log
}

func TestOffers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &addresses{t: t, held: map[string]bool{}}
		o := NewOffers(func(_, config string) *string { return &config }, func(ctx context.Context, config *string) {
			a.note("start", *config, true)
			<-ctx.Done()
			time.Sleep(time.Second) // its connections end
			a.note("end", *config, false)
		})
		since := func(want ...string) {
			t.Helper()
			synctest.Wait()
			slices.Sort(want)
			if d := cmp.Diff(want, a.take()); d != "" {
				t.Error(d)
			}
		}
		names := func(want ...string) {
			t.Helper()
			if got := slices.Sorted(maps.Keys(maps.Collect(o.All()))); !slices.Equal(got, want) {
				t.Errorf("offered are %q, want %q", got, want)
			}
		}

		o.Set(map[string]string{"a": "1", "b": "2"})
		o.Set(map[string]string{"a": "1", "b": "3"})
		since()
		names("a", "b")
		for range 2 { // once more after it has ended
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() { defer close(done); o.Run(ctx) }()
			since("start 1", "start 3")

			same := maps.Collect(o.All())["a"]
			o.Set(map[string]string{"a": "1", "b": "4", "c": "3"}) // c takes what b had
			since("end 3", "start 3", "start 4")
			if maps.Collect(o.All())["a"] != same {
				t.Error("what stays the same is made anew")
			}

			o.Set(map[string]string{"a": "1", "b": "3"})
			since("end 3", "end 4", "start 3")
			names("a", "b")
			cancel()
			<-done
			if d := cmp.Diff([]string{"end 1", "end 3"}, a.take()); d != "" {
				t.Error("after Run:", d)
			}
			o.Set(map[string]string{"a": "2", "b": "3"})
			o.Set(map[string]string{"a": "1", "b": "3"})
			since()
		}
	})
}
