package gateway

import (
	"context"
	"errors"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// toy is a device in memory and its driver. Its sessions push what the device holds.
type toy struct {
	open func(context.Context) error // nil: opens at once

	mu       sync.Mutex
	specs    []device.Spec
	labels   []device.LabelSet
	commands []device.Command
	values   map[device.Path]device.Value
	write    func(ctx context.Context, t *toy, w driver.Write) driver.Outcome
	sessions map[*toySession]bool
	opened   int
	waits    string // the condition that a session begins with
	sent     []driver.Write
	unread   error // what Read returns
	interest driver.Interest
	sink     driver.Sink // of the newest session
}

func newToy() *toy {
	return &toy{
		specs: []device.Spec{
			{Path: "gain", Kind: device.Float, Access: device.RW, Min: -60, Max: 12, Unit: "dB", Confirm: device.ByNotify},
			{Path: "mute", Kind: device.Bool, Access: device.RW, Confirm: device.ByNotify},
			{Path: "count", Kind: device.Int, Access: device.RW, Max: 100, Confirm: device.ByReadBack},
			{Path: "raw", Kind: device.Int, Access: device.RW},
			{Path: "speed", Kind: device.Int, Access: device.R, Attributes: map[string]string{device.AttrReadOnly: "the knob has it"}},
			{Path: "power", Kind: device.Bool, Access: device.RW, Hazard: device.HazardMove},
			{Path: "input", Kind: device.Enum, Access: device.RW, Labels: "inputs"},
		},
		labels: []device.LabelSet{{ID: "inputs", Items: []device.Label{{Value: 1, Key: "1", Text: "Camera"}, {Value: 2, Key: "2", Text: "Slides"}}}},
		commands: []device.Command{{Path: "cut"}, {Path: "recall", Args: []device.Spec{{Path: "number", Kind: device.Int, Min: 1, Max: 9}}},
			{Path: "unlock", Args: []device.Spec{{Path: "who", Kind: device.String}, {Path: "code", Kind: device.String, Secret: true}}}},
		values: map[device.Path]device.Value{
			"gain": device.OfFloat(-10), "mute": device.OfBool(false), "count": device.OfInt(5), "raw": device.OfInt(0),
			"speed": device.OfInt(0), "power": device.OfBool(false), "input": device.OfEnum(1),
		},
		sessions: map[*toySession]bool{},
	}
}

func (t *toy) Info() driver.Info { return driver.Info{Name: "toy", Title: "Toy", Can: driver.CanWrite} }
func (t *toy) Options() any      { return &struct{}{} }

func (t *toy) Open(ctx context.Context, _ driver.Env, _ driver.Target) (driver.Session, error) {
	if t.open != nil {
		if err := t.open(ctx); err != nil {
			return nil, err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &toySession{t: t, out: make(chan *driver.Change, 100), dead: make(chan error, 1), closed: make(chan struct{})}
	t.sessions[s] = true
	t.opened++
	return s, nil
}

// set changes a value as the device itself would and tells every session.
func (t *toy) set(p device.Path, v device.Value) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.values[p] = v
	t.tell(&driver.Change{Samples: []device.Sample{{Path: p, Value: v}}})
}

func (t *toy) say(c *driver.Change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tell(c)
}

func (t *toy) tell(c *driver.Change) {
	for s := range t.sessions {
		s.out <- c
	}
}

// kill ends every session as a broken connection would.
func (t *toy) kill() { t.end(net.ErrClosed) }

// end ends every session.
func (t *toy) end(why error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for s := range t.sessions {
		s.dead <- &driver.Error{Op: "read", Target: "toy", Class: driver.Closed, Err: why}
		delete(t.sessions, s)
	}
}

func (t *toy) full() *driver.Change {
	c := &driver.Change{Full: true, Specs: t.specs, Labels: t.labels, Commands: t.commands}
	if t.waits != "" {
		c.Condition = &driver.Condition{Code: t.waits}
	}
	for p, v := range t.values {
		c.Samples = append(c.Samples, device.Sample{Path: p, Value: v})
	}
	return c
}

type toySession struct {
	t      *toy
	out    chan *driver.Change
	dead   chan error
	closed chan struct{}
	once   sync.Once
}

func (s *toySession) Abilities() driver.Abilities { return driver.Abilities{Writer: s, Commander: s} }

func (s *toySession) Close() error {
	s.once.Do(func() {
		close(s.closed)
		s.t.mu.Lock()
		defer s.t.mu.Unlock()
		delete(s.t.sessions, s)
	})
	return nil
}

func (s *toySession) Watch(ctx context.Context, want driver.Interest, sink driver.Sink) error {
	s.t.mu.Lock()
	c := s.t.full()
	s.t.interest, s.t.sink = want, sink
	s.t.mu.Unlock()
	sink.Apply(c)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-s.dead:
			return err
		case c := <-s.out:
			sink.Apply(c)
		}
	}
}

func (s *toySession) Read(_ context.Context, paths []device.Path) ([]device.Sample, error) {
	s.t.mu.Lock()
	defer s.t.mu.Unlock()
	if s.t.unread != nil {
		return nil, s.t.unread
	}
	out := make([]device.Sample, len(paths))
	for i, p := range paths {
		out[i] = device.Sample{Path: p, Value: s.t.values[p]}
	}
	return out, nil
}

func (s *toySession) Write(ctx context.Context, writes []driver.Write) ([]driver.Outcome, error) {
	out := make([]driver.Outcome, len(writes))
	for i, w := range writes {
		s.t.mu.Lock()
		s.t.sent = append(s.t.sent, w)
		do := s.t.write
		s.t.mu.Unlock()
		if do == nil {
			do = obey
		}
		out[i] = do(ctx, s.t, w)
	}
	return out, nil
}

func (s *toySession) Do(_ context.Context, p device.Path, args []device.Value) (device.Value, driver.Outcome) {
	if p == "recall" && args[0].Int() == 9 {
		return device.Value{}, driver.Outcome{Stage: driver.Refused, Err: &driver.Error{Op: "recall", Target: "toy", Class: driver.DeviceSaidNo, Err: errEmpty}}
	}
	if p == "unlock" && (args[0].Str() != "anna" || args[1].Str() != "0815") {
		return device.Value{}, driver.Outcome{Stage: driver.Refused, Err: &driver.Error{Op: "unlock", Target: "toy", Class: driver.DeviceSaidNo, Err: errCode}}
	}
	return device.OfString("done"), driver.Outcome{Stage: driver.Acked}
}

var errCode = errors.New("wrong code")

var errEmpty = errors.New("memory is empty")

// obey is a device that does what it is told.
func obey(_ context.Context, t *toy, w driver.Write) driver.Outcome {
	t.set(w.Path, w.Value)
	return driver.Outcome{Stage: driver.Acked}
}

// conf is a device called name that lets everything but hazards be written.
func conf(name string, d driver.Driver) DeviceConfig {
	return DeviceConfig{Name: name, Driver: d, Target: driver.Target{Name: name, URL: &url.URL{Scheme: "toy", Host: name}},
		Writable: []string{"*"}, Section: "1", BackOff: BackOff{Min: time.Second, Max: 8 * time.Second}}
}

// running starts a gateway over devices inside a bubble and returns what ends it.
func running(t *testing.T, devices ...DeviceConfig) (g *Gateway, stop func()) {
	t.Helper()
	g = New(Options{})
	return g, runs(t, g, devices...)
}

// runs makes g run over devices until stop is called.
func runs(t *testing.T, g *Gateway, devices ...DeviceConfig) (stop func()) {
	t.Helper()
	if err := g.SetDevices(devices); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- g.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

// linkText is a point below _link as text.
func linkText(t *testing.T, g *Gateway, dev, name string) string {
	t.Helper()
	p, ok := g.Tree().Point(dev, device.LinkRoot.Child(name))
	if !ok {
		t.Fatalf("%s has no _link/%s", dev, name)
	}
	return device.Text(p.Spec, p.Labels, p.Sample.Value)
}

func sample(t *testing.T, g *Gateway, dev string, p device.Path) device.Sample {
	t.Helper()
	pt, ok := g.Tree().Point(dev, p)
	if !ok {
		t.Fatalf("%s has no %s", dev, p)
	}
	return pt.Sample
}

var tester = driver.Who{User: "anna", Door: "test", Addr: "here"}

func set(dev string, p device.Path, v any) north.WriteItem {
	return north.WriteItem{Device: dev, Path: p, Value: v}
}

// stages is the life of an item in one line.
func stages(it *north.ItemState) string {
	s := ""
	for i, st := range it.Steps {
		if i > 0 {
			s += " "
		}
		s += string(st.Stage)
	}
	return s
}
