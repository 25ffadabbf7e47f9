package fcsim

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/protocol/fcxml"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcserver"
)

// Options are those of a simulated server. The zero value is an 18i20 whose programs wait for approval.
type Options struct {
	Model  string // of [Models]; "": 18i20
	Serial string // "": made up from the seed
	// Device is a device to be instead of a model, with Values of its controls by number: what is not among them has not been
	// reported. Its meters move with [Sim.Report] alone. The element is not changed.
	Device   *fcxml.Element
	Values   map[uint32]string
	Seed     uint64 // of what is random
	Approved bool   // every program may change things at once
	// MeterEvery is the time between two messages of meters; 0: 40 milliseconds, below 0: no meters.
	MeterEvery time.Duration
	// GreetingPause is that of fcserver.Options.
	GreetingPause time.Duration
	Faults        fcserver.Faults
	WrapConn      func(net.Conn) net.Conn
}

// metersAtOnce is how many meters one message carries.
const metersAtOnce = 20

// Sim is a simulated server. All methods may be called at the same time. Make it with [New].
type Sim struct {
	opts      Options
	name      string                     // of the model, in errors
	device    func(n int) *fcxml.Element // as it arrives the n-th time
	server    *fcserver.Server
	approvals fcserver.Approvals

	mu       sync.Mutex
	plugged  bool
	arrivals int
	schema   *fcxml.Schema
	values   map[uint32]string
	sets     int
	rnd      *rand.Rand
	meters   []uint32
	nextOne  int
}

// New makes a simulated server; it starts nothing. The error is about the model.
func New(o Options) (*Sim, error) {
	if o.Model == "" {
		o.Model = "18i20"
	}
	if o.Device != nil {
		o.MeterEvery = -1
	}
	if o.MeterEvery == 0 {
		o.MeterEvery = 40 * time.Millisecond
	}
	s := &Sim{opts: o, rnd: rand.New(rand.NewPCG(o.Seed, 0x5ca71e77))}
	if o.Device != nil {
		s.name, s.device = o.Device.Attr("model"), arrivalsOf(o.Device)
		s.values = maps.Clone(o.Values)
	} else {
		m, err := modelOf(o.Model)
		if err != nil {
			return nil, err
		}
		serial := o.Serial
		if serial == "" {
			serial = fmt.Sprintf("SIM%011d", o.Seed)
		}
		s.name, s.device = m.title, func(n int) *fcxml.Element { return m.device(strconv.Itoa(n), serial) }
	}
	if o.Approved {
		s.approvals.ApproveAll()
	}
	s.server = fcserver.New(s, fcserver.Options{GreetingPause: o.GreetingPause, Faults: o.Faults, WrapConn: o.WrapConn})
	return s, s.arrive()
}

// arrivalsOf is a device at its n-th arrival: a server gives it another number each time.
func arrivalsOf(device *fcxml.Element) func(n int) *fcxml.Element {
	return func(n int) *fcxml.Element {
		if n == 1 {
			return device
		}
		again := *device
		again.Attrs = slices.Clone(device.Attrs)
		for i := range again.Attrs {
			if a := &again.Attrs[i]; a.Name == "id" {
				a.Value += "-" + strconv.Itoa(n)
			}
		}
		return &again
	}
}

// arrive plugs the device in; the lock is held, or nobody else knows the Sim yet. The error is about a device that is none.
func (s *Sim) arrive() error {
	schema, err := fcxml.NewSchema(s.device(s.arrivals + 1))
	if err != nil {
		return err
	}
	s.arrivals++
	if s.values == nil && s.opts.Device == nil {
		s.values = startValues(schema)
	}
	if s.values == nil {
		s.values = map[uint32]string{}
	}
	s.schema, s.plugged, s.meters = schema, true, nil
	for i := range schema.Items {
		if it := &schema.Items[i]; it.Name() == "meter" {
			s.meters = append(s.meters, it.ID)
		}
	}
	return nil
}

// Serve serves programs until ctx ends, and closes ln.
func (s *Sim) Serve(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	if s.opts.MeterEvery > 0 {
		wg.Go(func() { s.runMeters(ctx) })
	}
	err := s.server.Serve(ctx, ln)
	cancel()
	wg.Wait()
	return err
}

// Announce answers discoveries on pc until ctx ends.
func (s *Sim) Announce(ctx context.Context, pc net.PacketConn, port uint16) error {
	return fcserver.Announce(ctx, pc, "simulator", port)
}

func (s *Sim) runMeters(ctx context.Context) {
	tick := time.NewTicker(s.opts.MeterEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.moveMeters()
		}
	}
}

func (s *Sim) moveMeters() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.plugged || len(s.meters) == 0 {
		return
	}
	batch := make([]fcxml.Assign, 0, metersAtOnce)
	for range min(metersAtOnce, len(s.meters)) {
		id := s.meters[s.nextOne%len(s.meters)]
		s.nextOne++
		level, _ := fcxml.ParseDecibel(s.values[id])
		level = max(min(max(level, -60)+s.rnd.Float64()*12-6, -1), -80)
		s.values[id] = fcxml.FormatDecibel(level)
		batch = append(batch, fcxml.Assign{ID: id, Value: s.values[id]})
	}
	s.server.Push(s.schema.ID, batch)
}

// Details implements fcserver.Handler.
func (s *Sim) Details(c *fcserver.Conn, d fcxml.ClientDetails) error {
	me := s.approvals.Meet(d.Key, d.Hostname)
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Send(fcxml.ClientDetails{ID: me.ID})
	for _, other := range s.approvals.All() {
		c.Send(other.Approval())
	}
	if s.plugged {
		c.Send(fcxml.DeviceArrival{Devices: []*fcxml.Element{s.schema.Root}})
	}
	return nil
}

// Subscribe implements fcserver.Handler.
func (s *Sim) Subscribe(c *fcserver.Conn, device string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.plugged || device != s.schema.ID {
		return false
	}
	c.Snapshot(device, s.snapshot())
	return true
}

// snapshot is sparse: what rests is left out. The lock is held.
func (s *Sim) snapshot() []fcxml.Assign {
	out := make([]fcxml.Assign, 0, len(s.values)+3)
	add := func(it *fcxml.Item) {
		v, ok := s.values[it.ID]
		if rest, has := it.Resting(); !ok || has && rest == v {
			return
		}
		out = append(out, fcxml.Assign{ID: it.ID, Value: v})
	}
	first := s.schema.ByPath("quick-start/msd-mode")
	if first != nil {
		add(first)
	}
	// Real servers put these into every snapshot; nobody knows what they are.
	out = append(out, fcxml.Assign{ID: 0, Value: "2"}, fcxml.Assign{ID: 0, Value: "4"})
	for i := range s.schema.Items {
		if it := &s.schema.Items[i]; it != first {
			add(it)
		}
	}
	return out
}

// Set implements fcserver.Handler.
func (s *Sim) Set(_ context.Context, c *fcserver.Conn, m fcxml.Set) {
	if !s.approvals.Approved(c.Details().Key) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.plugged || m.Device != s.schema.ID {
		return
	}
	var done []fcxml.Assign
	for _, w := range m.Items {
		it := s.schema.ByID(w.ID)
		if it == nil || !s.takes(it, w.Value) {
			continue
		}
		s.sets++
		if it.Kind == fcxml.KindDecibel {
			v, _ := fcxml.ParseDecibel(w.Value)
			w.Value = fcxml.FormatDecibel(v)
		}
		done = append(done, s.assign(it, w.Value)...)
	}
	s.server.Push(m.Device, done)
}

// assign sets a value and what follows from it; the lock is held.
func (s *Sim) assign(it *fcxml.Item, value string) []fcxml.Assign {
	s.values[it.ID] = value
	return []fcxml.Assign{{ID: it.ID, Value: value}}
}

// Gone implements fcserver.Handler.
func (s *Sim) Gone(*fcserver.Conn) {}

// Approve lets the program with a key change things, or takes that back, and tells everybody.
func (s *Sim) Approve(key string, yes bool) {
	if c, changed := s.approvals.Set(key, yes); changed {
		s.server.Broadcast(c.Approval())
	}
}

// Clients are the programs that the server knows.
func (s *Sim) Clients() []fcserver.Client { return s.approvals.All() }

// Unplug takes the device away.
func (s *Sim) Unplug() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.plugged {
		s.plugged = false
		s.server.Broadcast(fcxml.DeviceRemoval{Device: s.schema.ID})
	}
}

// Plug puts the device back; it has another number then. Programs are told again of one that is there.
func (s *Sim) Plug() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.plugged || s.arrive() == nil { // it has arrived before
		s.server.Broadcast(fcxml.DeviceArrival{Devices: []*fcxml.Element{s.schema.Root}})
	}
}

// Turn changes a control by its path, as a hand on the device would; also what programs cannot change.
func (s *Sim) Turn(path, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	it := s.schema.ByPath(path)
	if it == nil {
		return fmt.Errorf("%s has no control %q", s.name, path)
	}
	if len(it.Enum) > 0 && !slices.Contains(it.Enum, value) {
		return fmt.Errorf("%s is one of %q, not %q", path, it.Enum, value)
	}
	if s.plugged {
		s.server.Push(s.schema.ID, s.assign(it, value))
	}
	return nil
}

// Report is what the device says by itself: values of controls by their numbers, as they are. Numbers that it has not are passed over.
func (s *Sim) Report(values []fcxml.Assign) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var told []fcxml.Assign
	for _, v := range values {
		if s.schema.ByID(v.ID) != nil {
			s.values[v.ID] = v.Value
			told = append(told, v)
		}
	}
	if s.plugged {
		s.server.Push(s.schema.ID, told)
	}
}

// Value is what a control is worth now; ok is false when it has no value.
func (s *Sim) Value(path string) (value string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	it := s.schema.ByPath(path)
	if it == nil {
		return "", false
	}
	value, ok = s.values[it.ID]
	return value, ok
}

// Schema is what the device has now.
func (s *Sim) Schema() *fcxml.Schema {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.schema
}

// Sets is how many values programs have changed.
func (s *Sim) Sets() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sets
}

// Drop ends every connection and keeps listening; with reset as when the program dies.
func (s *Sim) Drop(reset bool) { s.server.Drop(reset) }
