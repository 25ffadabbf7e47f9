package north

import (
	"context"
	"iter"
	"maps"
	"net"
	"reflect"
	"sync"
)

// Offers are what a door offers, each under a name, with a configuration C and a life of its own: it starts when it is set and the
// door runs, and ends when it is set otherwise. All methods may be called at the same time.
type Offers[C, T any] struct {
	of  func(name string, c C) T
	run func(context.Context, T)

	mu    sync.Mutex
	now   map[string]*offered[C, T]
	start func(*offered[C, T]) // while running
}

type offered[C, T any] struct {
	config C
	thing  T
	cancel context.CancelFunc // of its run, with done: set when it starts
	done   chan struct{}
}

// NewOffers makes a set that is empty. of gives what is offered for a configuration; run offers it until its context ends, and
// returns when nothing of it is left.
func NewOffers[C, T any](of func(name string, c C) T, run func(context.Context, T)) *Offers[C, T] {
	return &Offers[C, T]{of: of, run: run, now: map[string]*offered[C, T]{}}
}

// Set makes next what is offered. What has the same configuration as before goes on; what has not ends before anything else starts, so that
// its addresses are free again.
func (o *Offers[C, T]) Set(next map[string]C) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := o.now
	o.now = map[string]*offered[C, T]{}
	var fresh []*offered[C, T]
	for name, c := range next {
		if old := before[name]; old != nil && reflect.DeepEqual(old.config, c) {
			o.now[name] = old
			continue
		}
		one := &offered[C, T]{config: c, thing: o.of(name, c)}
		o.now[name] = one
		fresh = append(fresh, one)
	}
	if o.start == nil {
		return
	}
	var ending []*offered[C, T]
	for name, old := range before {
		if o.now[name] != old {
			old.cancel()
			ending = append(ending, old)
		}
	}
	for _, old := range ending {
		<-old.done
	}
	for _, one := range fresh {
		o.start(one)
	}
}

// Run offers what is set until ctx ends, and returns when nothing of it is left. It may be called again then.
func (o *Offers[C, T]) Run(ctx context.Context) {
	var wg sync.WaitGroup
	o.mu.Lock()
	o.start = func(one *offered[C, T]) {
		mine, cancel := context.WithCancel(ctx)
		one.cancel, one.done = cancel, make(chan struct{})
		wg.Go(func() {
			defer close(one.done)
			defer cancel()
			o.run(mine, one.thing)
		})
	}
	for _, one := range o.now {
		o.start(one)
	}
	o.mu.Unlock()
	<-ctx.Done()
	o.mu.Lock()
	o.start = nil
	o.mu.Unlock()
	wg.Wait()
}

// All are the names and what is offered under them now, in no order.
func (o *Offers[C, T]) All() iter.Seq2[string, T] {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := make(map[string]T, len(o.now))
	for name, one := range o.now {
		all[name] = one.thing
	}
	return maps.All(all)
}

// Listen opens a listener on the network of this machine. It is what a door uses that decides by itself when a client is gone; others have
// [driver.Listen].
func Listen(ctx context.Context, network, addr string) (net.Listener, error) {
	return new(net.ListenConfig).Listen(ctx, network, addr)
}
