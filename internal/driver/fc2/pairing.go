package fc2

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/fc2"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2client"
)

// The points and commands of pairing.
const (
	StatePath   device.Path = "pairing/state"
	NamePath    device.Path = "pairing/name"
	ResultPath  device.Path = "pairing/result"
	RequestPath device.Path = "pairing/request"
	CodePath    device.Path = "pairing/code"
	// CodeArg is the argument of CodePath: the text of the QR code.
	CodeArg device.Path = "code"
)

// The values of StatePath.
const (
	StateNotPaired = iota // nobody has been asked
	StateAsking           // a person is asked in Focusrite Control 2
	StateCode             // it shows a code, which is wanted here
	StatePaired
)

const statesSet = "pairing-states"

// lookEvery is how often a session in which nobody is asked looks whether this program has been let in elsewhere: for another device of
// the same computer, or by patchbay pair.
const lookEvery = 10 * time.Second

// approveWithin is the patience with a person who is asked.
const approveWithin = 5 * time.Minute

// ErrPaired is why a session for pairing ends well: the next one is the interface.
var ErrPaired error = renewal("this program has been let in; connecting again")

// pairing is a session with the onboarding endpoint.
type pairing struct {
	agent *fc2client.Onboarding
	addr  string
	name  string
	ctx   context.Context // ends with the session
	stop  context.CancelFunc
	wg    sync.WaitGroup
	wake  chan struct{}

	busy chan struct{} // of size 1: one command at a time

	mu     sync.Mutex
	state  int
	result string // how the last attempt ended
	cause  error  // why the session is over
}

// newPairing starts a session; letIn looks whether a new one has more to hope for: the server knows this program by now, or this program
// has another key pair. It is nil while that is not so.
func newPairing(agent *fc2client.Onboarding, addr, name string, letIn func(context.Context) error) *pairing {
	p := &pairing{agent: agent, addr: addr, name: name, wake: make(chan struct{}, 1), busy: make(chan struct{}, 1)}
	p.ctx, p.stop = context.WithCancel(context.Background())
	p.wg.Go(func() { p.lookOut(letIn) })
	return p
}

// lookOut ends the session when this program has been let in without it, or is another by now.
func (p *pairing) lookOut(letIn func(context.Context) error) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-p.agent.Done():
			return
		case <-tick.C:
		}
		if !p.waits() {
			continue
		}
		why := letIn(p.ctx)
		if why == nil {
			continue
		}
		select {
		case p.busy <- struct{}{}:
		default:
			continue // somebody is asked since
		}
		done := p.waits()
		if done {
			state := StateNotPaired
			if errors.Is(why, ErrPaired) {
				state = StatePaired
			}
			p.leave(why, state)
		}
		<-p.busy
		if done {
			return
		}
	}
}

// waits reports whether nobody is asked and no code is wanted.
func (p *pairing) waits() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state == StateNotPaired
}

// paired ends the session well.
func (p *pairing) paired() { p.leave(ErrPaired, StatePaired) }

// leave ends the session, for a new one.
func (p *pairing) leave(why error, state int) {
	p.over(&driver.Error{Op: "pair", Target: p.addr, Class: driver.Closed, Err: why})
	p.set(state, "")
}

// Abilities: pairing is commands.
func (p *pairing) Abilities() driver.Abilities { return driver.Abilities{Commander: p} }

// Close takes back a request that waits, and ends the connection.
func (p *pairing) Close() error {
	p.over(net.ErrClosed)
	p.stop()
	err := p.agent.Close()
	p.wg.Wait()
	return err
}

func (p *pairing) over(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cause == nil {
		p.cause = err
	}
}

// set notes where pairing is.
func (p *pairing) set(state int, result string) {
	p.mu.Lock()
	p.state, p.result = state, result
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// err is why the session is over; nil while it is not.
func (p *pairing) err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cause != nil {
		return p.cause
	}
	select {
	case <-p.agent.Done():
		return endedError{p.agent.Err()}
	default:
		return nil
	}
}

// endedError is the end of the connection for pairing. Whatever the reason was, the class is that of an end: a new connection may work.
type endedError struct{ why error }

func (e endedError) Error() string { return "the connection for pairing has ended: " + e.why.Error() }
func (endedError) Unwrap() error   { return net.ErrClosed }

// Read implements driver.Session.
func (p *pairing) Read(ctx context.Context, paths []device.Path) ([]device.Sample, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := p.err(); err != nil {
		return nil, wrap("read", p.addr, err)
	}
	now := time.Now()
	all := p.samples(now)
	out := make([]device.Sample, len(paths))
	for i, path := range paths {
		out[i] = device.Sample{Path: path, Quality: device.Bad, Reason: device.ReasonUnsupported, Received: now}
		for _, s := range all {
			if s.Path == path {
				out[i] = s
			}
		}
	}
	return out, nil
}

func (p *pairing) samples(now time.Time) []device.Sample {
	p.mu.Lock()
	defer p.mu.Unlock()
	return []device.Sample{
		{Path: StatePath, Value: device.OfEnum(int64(p.state)), Received: now},
		{Path: NamePath, Value: device.OfString(p.name), Received: now},
		{Path: ResultPath, Value: device.OfString(p.result), Received: now},
	}
}

// condition is what a person has to do next.
func (p *pairing) condition() *driver.Condition {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.state {
	case StateAsking:
		return &driver.Condition{Code: "waiting-for-approval", Text: fmt.Sprintf("in Focusrite Control 2, let %q in", p.name)}
	case StateCode:
		return &driver.Condition{Code: "waiting-for-code", Text: "Focusrite Control 2 shows a QR code: give its text to the command " + string(CodePath)}
	}
	return &driver.Condition{Code: "not-paired", Text: "Focusrite Control 2 does not know this program: run the command " + string(RequestPath) + ", or patchbay pair"}
}

func pairingSpecs() ([]device.Spec, []device.LabelSet, []device.Command) {
	spec := func(path device.Path, kind device.Kind, title, doc string) device.Spec {
		return device.Spec{Path: path, Kind: kind, Rate: device.Normal, Access: device.R, Title: title, Doc: doc, Grade: device.GradeSeen}
	}
	state := spec(StatePath, device.Enum, "Pairing", "how far pairing with Focusrite Control 2 is")
	state.Labels = statesSet
	return []device.Spec{state, spec(NamePath, device.String, "Name", "what the person in Focusrite Control 2 is shown"),
			spec(ResultPath, device.String, "Last attempt", "how the last attempt ended; empty: well, or there was none")},
		[]device.LabelSet{{ID: statesSet, Items: []device.Label{{Value: StateNotPaired, Key: "not-paired", Text: "Not paired"},
			{Value: StateAsking, Key: "asking", Text: "Waiting for approval"}, {Value: StateCode, Key: "code-wanted", Text: "Waiting for the code"},
			{Value: StatePaired, Key: "paired", Text: "Paired"}}}},
		[]device.Command{
			{Path: RequestPath, Title: "Pair", Doc: "asks the person in Focusrite Control 2 to let this program in", Grade: device.GradeSeen},
			{Path: CodePath, Title: "Code", Doc: "sends the text of the QR code that Focusrite Control 2 shows after that", Grade: device.GradeSeen,
				Args: []device.Spec{{Path: CodeArg, Kind: device.String, Title: "Code", Doc: "hexadecimal digits", Secret: true}}},
		}
}

// Watch implements driver.Session.
func (p *pairing) Watch(ctx context.Context, _ driver.Interest, sink driver.Sink) error {
	if err := p.err(); err != nil {
		return wrap("watch", p.addr, err)
	}
	specs, labels, commands := pairingSpecs()
	sink.Apply(&driver.Change{Full: true, Specs: specs, Labels: labels, Commands: commands, Samples: p.samples(time.Now()), Condition: p.condition()})
	for {
		select {
		case <-p.wake:
		case <-p.agent.Done():
			return wrap("watch", p.addr, p.err())
		case <-p.ctx.Done():
			return wrap("watch", p.addr, p.err())
		case <-ctx.Done():
			return ctx.Err()
		}
		c := &driver.Change{Samples: p.samples(time.Now()), Condition: p.condition()}
		if err := p.err(); err != nil {
			c.Condition = &driver.Condition{}
			sink.Apply(c)
			return wrap("watch", p.addr, err)
		}
		sink.Apply(c)
	}
}

// Do implements driver.Commander.
func (p *pairing) Do(ctx context.Context, path device.Path, args []device.Value) (device.Value, driver.Outcome) {
	refuse := func(class driver.Class, err error) (device.Value, driver.Outcome) {
		return device.Value{}, driver.Outcome{Stage: driver.Refused, Err: &driver.Error{Op: "pair", Target: p.addr, Class: class, Err: err}}
	}
	if err := p.err(); err != nil {
		return device.Value{}, driver.Outcome{Stage: driver.Refused, Err: wrap("pair", p.addr, err)}
	}
	select {
	case p.busy <- struct{}{}:
	default:
		return refuse(driver.Busy, errors.New("a person is being asked already"))
	}
	switch {
	case path == RequestPath:
		p.set(StateAsking, "")
		p.wg.Go(p.request) // it gives busy back
		return device.Value{}, driver.Outcome{Stage: driver.Acked}
	case path == CodePath && len(args) == 1:
		defer func() { <-p.busy }()
		code, err := fc2.ParseCode(args[0].Str())
		if err != nil {
			return refuse(driver.DeviceSaidNo, err)
		}
		return p.code(ctx, code)
	}
	<-p.busy
	return refuse(driver.Unsupported, fmt.Errorf("there is no command %q", path))
}

// request asks for approval, in the background: a person takes his time.
func (p *pairing) request() {
	defer func() { <-p.busy }()
	ctx, cancel := context.WithTimeout(p.ctx, approveWithin)
	defer cancel()
	if err := p.agent.Request(ctx, p.name); err != nil {
		result := err.Error()
		if errors.Is(err, fc2client.ErrUnread) { // the points have no place for a hint
			result += "; compare server_key with what it announces now (patchbay discover --lan)"
		}
		p.set(StateNotPaired, result)
		return
	}
	p.set(StateCode, "")
}

// code sends the code. When it is right the session is over.
func (p *pairing) code(ctx context.Context, code []byte) (device.Value, driver.Outcome) {
	err := p.agent.Code(ctx, code)
	if err != nil {
		state := StateNotPaired
		if s, e := p.agent.State(ctx); e == nil && s == fc2.StateScanning {
			state = StateCode
		}
		p.set(state, err.Error())
		return device.Value{}, driver.Outcome{Stage: driver.Refused, Err: wrap("pair", p.addr, err)}
	}
	p.paired()
	return device.Value{}, driver.Outcome{Stage: driver.Acked}
}
