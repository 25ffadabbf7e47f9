package fc2

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
)

// ForgetPath is the command of a session with the interface that forgets the pairing.
const ForgetPath device.Path = "pairing/forget"

// ErrForgotten is why a session ends after ForgetPath, or when its key pair has been removed: the next one is that of a stranger.
var ErrForgotten error = renewal("the pairing is forgotten; connecting again as a stranger")

// renewal is an end after which a session of another kind begins.
type renewal string

func (r renewal) Error() string { return string(r) }

// Is makes it a [driver.ErrRenew].
func (renewal) Is(target error) bool { return target == driver.ErrRenew }

// paired is a session with the interface that can be told to forget the pairing which it came by.
type paired struct {
	driver.Session // with the interface
	addr           string
	forget         func() error
	renounced      func() bool // whether the key pair that it came by is this program's no more

	busy chan struct{}   // of size 1: it is forgotten once
	over context.Context // ends when the pairing is forgotten, and only then
	end  context.CancelFunc
}

func newPaired(inner driver.Session, addr string, forget func() error, renounced func() bool) *paired {
	p := &paired{Session: inner, addr: addr, forget: forget, renounced: renounced, busy: make(chan struct{}, 1)}
	p.over, p.end = context.WithCancel(context.Background())
	return p
}

// Abilities are those of the interface, and the command.
func (p *paired) Abilities() driver.Abilities {
	a := p.Session.Abilities()
	a.Commander = forgetter{p, a.Commander}
	return a
}

// Watch ends when the pairing is forgotten, and adds the command to those of the interface.
func (p *paired) Watch(ctx context.Context, want driver.Interest, sink driver.Sink) error {
	inner, cancel := context.WithCancel(ctx)
	defer context.AfterFunc(p.over, cancel)()
	var wg sync.WaitGroup
	wg.Go(func() { p.lookOut(inner) })
	defer wg.Wait()
	defer cancel()
	err := p.Session.Watch(inner, want, withForget{sink})
	if ctx.Err() == nil && p.over.Err() != nil {
		return &driver.Error{Op: "watch", Target: p.addr, Class: driver.Closed, Err: ErrForgotten}
	}
	return err
}

// lookOut notices when the key pair is removed or replaced beside this session, as patchbay pair --remove does: who has done that counts on
// being a stranger from then on.
func (p *paired) lookOut(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if p.renounced() {
			p.end()
			return
		}
	}
}

// forgetter performs ForgetPath, and leaves the rest to the interface.
type forgetter struct {
	p     *paired
	inner driver.Commander // nil: the interface has no commands
}

// Do implements driver.Commander.
func (f forgetter) Do(ctx context.Context, path device.Path, args []device.Value) (device.Value, driver.Outcome) {
	refuse := func(class driver.Class, err error) (device.Value, driver.Outcome) {
		return device.Value{}, driver.Outcome{Stage: driver.Refused, Err: &driver.Error{Op: "pair", Target: f.p.addr, Class: class, Err: err}}
	}
	switch {
	case path != ForgetPath && f.inner != nil:
		return f.inner.Do(ctx, path, args)
	case path != ForgetPath:
		return refuse(driver.Unsupported, fmt.Errorf("there is no command %q", path))
	}
	select {
	case f.p.busy <- struct{}{}:
	default:
		return refuse(driver.Closed, ErrForgotten)
	}
	if err := f.p.forget(); err != nil {
		<-f.p.busy
		return refuse(driver.Internal, fmt.Errorf("the pairing stays: %w", err))
	}
	f.p.end()
	return device.Value{}, driver.Outcome{Stage: driver.Acked}
}

// withForget is a Sink that adds the command to what the interface has.
type withForget struct{ driver.Sink }

// Apply implements driver.Sink.
func (w withForget) Apply(c *driver.Change) {
	if c.Commands != nil || c.Full {
		all := *c
		all.Commands = append(slices.Clone(c.Commands), forgetCommand())
		c = &all
	}
	w.Sink.Apply(c)
}

func forgetCommand() device.Command {
	return device.Command{Path: ForgetPath, Title: "Forget this pairing", Hazard: device.HazardMove, Grade: device.GradeInferred,
		Doc: "makes this program a stranger to the computer of the device: a person there has to let it in again. Other computers are not concerned, and the entry there stays until it is removed there"}
}
