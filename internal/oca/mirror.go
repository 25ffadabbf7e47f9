package oca

import (
	"context"
	"math"
	"strconv"
	"strings"
	"sync"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaserver"
)

// Mirror is the points of any driver as a tree of AES70 objects: it takes the changes of a session and keeps the objects true.
// Each segment of a path is a block, the last one an actuator or sensor; which class it has goes by kind, unit and role. It implements
// driver.Sink, and is safe for concurrent use.
type Mirror struct {
	Device *ocaserver.Device
	write  WriteFunc

	mu     sync.Mutex
	blocks map[device.Path]*ocaserver.Block
	shown  map[device.Path]*shown
	labels map[string]device.LabelSet
	about  ocaserver.Info
}

// WriteFunc carries out what a controller wants, and brings the new value into the mirror before it returns nil. Its error goes out as
// a status. One controller's calls come one after the other, those of several at the same time.
type WriteFunc func(ctx context.Context, c *ocaserver.Conn, path device.Path, value device.Value) error

// floor is the value that stands for silence where a device names no lower limit.
const floor = -128

// shown is a point that has an object.
type shown struct {
	spec   device.Spec
	object *ocaserver.Object
	put    func(v device.Value)
	limit  func(s *device.Spec) // nil: it has no range that changes
	sw     *ocaserver.Switch
	values []int64 // of the positions of sw
}

// NewMirror makes a mirror without points, called name.
func NewMirror(name string, write WriteFunc) *Mirror {
	about := ocaserver.Info{Model: ocp1.ModelDescription{Manufacturer: "patchbay", Name: name}, Name: name}
	m := &Mirror{Device: ocaserver.NewDevice(about), write: write, blocks: map[device.Path]*ocaserver.Block{}, shown: map[device.Path]*shown{},
		labels: map[string]device.LabelSet{}, about: about}
	m.blocks[""] = m.Device.Root()
	return m
}

// Apply implements driver.Sink.
func (m *Mirror) Apply(c *driver.Change) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range c.Labels {
		m.labels[l.ID] = l
	}
	if c.Full {
		m.keep(c.Specs)
	}
	for _, gone := range c.Gone {
		for p := range m.shown {
			if p.Under(gone) {
				m.remove(p)
			}
		}
	}
	for i := range c.Specs { // all blocks come first, so that each point knows whether it is also one
		if s := &c.Specs[i]; isShown(s) {
			m.block(s.Path.Parent())
		}
	}
	for i := range c.Specs {
		m.spec(&c.Specs[i])
	}
	for _, l := range c.Labels {
		m.rename(l.ID)
	}
	for _, s := range c.Samples {
		m.sample(s)
	}
	m.Device.SetInfo(m.about)
}

// keep removes what a full change does not name.
func (m *Mirror) keep(specs []device.Spec) {
	named := make(map[device.Path]bool, len(specs))
	for i := range specs {
		named[specs[i].Path] = true
	}
	for p := range m.shown {
		if !named[p] {
			m.remove(p)
		}
	}
}

func (m *Mirror) remove(p device.Path) {
	m.shown[p].object.Remove()
	delete(m.shown, p)
}

// block makes the blocks on the way to a path.
func (m *Mirror) block(p device.Path) *ocaserver.Block {
	if b := m.blocks[p]; b != nil {
		return b
	}
	b := m.block(p.Parent()).Block(p.Base())
	m.blocks[p] = b
	return b
}

// isShown reports whether a point has an object: AES70 has a class for it, and it is not the gateway's own.
func isShown(s *device.Spec) bool {
	return !strings.HasPrefix(string(s.Path), "_") && classFor(s) != ocp1.ClassID{}
}

// place is where the object of a point goes: into the block of its path's parent. A point that has points below it is the object "value" in
// their block, since two members of a block with one role could not be told apart.
func (m *Mirror) place(p device.Path) (b *ocaserver.Block, role string) {
	if b := m.blocks[p]; b != nil {
		return b, "value"
	}
	return m.block(p.Parent()), p.Base()
}

// spec makes or changes the object of a point.
func (m *Mirror) spec(s *device.Spec) {
	if !isShown(s) {
		return
	}
	if old := m.shown[s.Path]; old != nil {
		// What cannot be written for now stays what it is, so that controllers keep their object.
		same := classFor(s) == old.object.Class().Class || s.Access&device.W == 0 && s.Kind == old.spec.Kind && s.Rate == old.spec.Rate
		old.spec = *s
		if same {
			old.object.SetLabel(label(s))
			if old.limit != nil {
				old.limit(s)
			}
			return
		}
		m.remove(s.Path)
	}
	x := m.make(s)
	x.object.SetLabel(label(s))
	m.shown[s.Path] = x
	if x.sw != nil {
		m.rename(s.Labels)
	}
}

// label is what people call a point: what they wrote into the device, or what the point is called here.
func label(s *device.Spec) string {
	if l := s.Attributes["label"]; l != "" {
		return l
	}
	return s.Title
}

// classFor is the class that a point is shown as; zero when it is not shown.
func classFor(s *device.Spec) ocp1.ClassID {
	writable := s.Access&device.W != 0
	either := func(actuator, sensor ocp1.ClassID) ocp1.ClassID {
		if writable {
			return actuator
		}
		return sensor
	}
	switch s.Kind {
	case device.Float:
		switch {
		case s.Rate == device.Meter:
			return ocp1.ClassLevelSensor
		case s.Unit == "dB" || s.Unit == "dBFS":
			return ocp1.ClassGain
		case strings.HasSuffix(s.Role, ".pan") || strings.HasSuffix(s.Role, ".balance"):
			return ocp1.ClassPanBalance
		}
		return either(ocp1.ClassFloat32Actuator, ocp1.ClassFloat32Sensor)
	case device.Bool:
		if strings.HasSuffix(s.Role, ".mute") {
			return ocp1.ClassMute
		}
		if s.Path.Base() == "identify" && writable {
			return ocp1.ClassIdentifier
		}
		return either(ocp1.ClassBooleanActuator, ocp1.ClassBooleanSensor)
	case device.Enum:
		return ocp1.ClassSwitch
	case device.Int:
		return either(ocp1.ClassInt32Actuator, ocp1.ClassInt32Sensor)
	case device.String:
		return either(ocp1.ClassStringActuator, ocp1.ClassStringSensor)
	}
	return ocp1.ClassID{}
}

// limits are a spec's range, or one that lets everything through.
func limits(s *device.Spec, low, high float64) (float32, float32) {
	if s.HasRange() {
		return float32(s.Min), float32(s.Max)
	}
	return float32(low), float32(high)
}

// make makes the object of a point that is shown.
func (m *Mirror) make(s *device.Spec) *shown {
	x := &shown{spec: *s}
	b, role := m.place(s.Path)
	switch classFor(s) {
	case ocp1.ClassLevelSensor:
		low, high := limits(s, floor, 0)
		bind(m, x, b.Level(role, low, low, high), fromFloat, toFloat)
	case ocp1.ClassGain:
		low, high := limits(s, floor, 40)
		gain := b.Gain(role, low, low, high)
		x.limit = func(s *device.Spec) { gain.SetRange(limits(s, floor, 40)) }
		bind(m, x, gain, fromFloat, toFloat)
	case ocp1.ClassPanBalance:
		bind(m, x, b.PanBalance(role, 0), fromFloat, toFloat)
	case ocp1.ClassFloat32Actuator:
		low, high := limits(s, -math.MaxFloat32, math.MaxFloat32)
		bind(m, x, b.Float32(role, 0, low, high), fromFloat, toFloat)
	case ocp1.ClassFloat32Sensor:
		low, high := limits(s, -math.MaxFloat32, math.MaxFloat32)
		bind(m, x, b.Float32Sensor(role, 0, low, high), fromFloat, toFloat)
	case ocp1.ClassMute:
		bind(m, x, b.Mute(role, false), device.OfBool, device.Value.Bool)
	case ocp1.ClassBooleanActuator:
		bind(m, x, b.Boolean(role, false), device.OfBool, device.Value.Bool)
	case ocp1.ClassBooleanSensor:
		bind(m, x, b.BooleanSensor(role, false), device.OfBool, device.Value.Bool)
	case ocp1.ClassIdentifier:
		bind(m, x, b.Identify(role), device.OfBool, device.Value.Bool)
	case ocp1.ClassInt32Actuator:
		low, high := limits(s, math.MinInt32, math.MaxInt32)
		bind(m, x, b.Int32(role, 0, toInt32(float64(low)), toInt32(float64(high))), fromInt, toInt)
	case ocp1.ClassInt32Sensor:
		low, high := limits(s, math.MinInt32, math.MaxInt32)
		bind(m, x, b.Int32Sensor(role, 0, toInt32(float64(low)), toInt32(float64(high))), fromInt, toInt)
	case ocp1.ClassStringActuator:
		bind(m, x, b.Text(role, ""), device.OfString, device.Value.Str)
	case ocp1.ClassStringSensor:
		bind(m, x, b.TextSensor(role, ""), device.OfString, device.Value.Str)
	case ocp1.ClassSwitch:
		x.sw = b.Switch(role, 0)
		m.bindSwitch(x)
	}
	return x
}

// fromFloat is the shortest decimal that is v: a controller that says -24.1 does not mean -24.100000381.
func fromFloat(v float32) device.Value {
	f, err := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'g', -1, 32), 64)
	if err != nil { // it is what FormatFloat has written
		f = float64(v)
	}
	return device.OfFloat(f)
}

func toFloat(v device.Value) float32 { return float32(v.Float()) }
func fromInt(v int32) device.Value   { return device.OfInt(int64(v)) }
func toInt(v device.Value) int32     { return toInt32(float64(v.Int())) }

func toInt32(f float64) int32 { return int32(min(max(f, math.MinInt32), math.MaxInt32)) }

// bind connects an object with its point: what the point has becomes the object's value, what a controller wants is asked for.
func bind[T comparable](m *Mirror, x *shown, o *ocaserver.Value[T], from func(T) device.Value, to func(device.Value) T) {
	x.object = o.Object
	x.put = func(v device.Value) { o.Set(to(v)) }
	path := x.spec.Path
	o.OnSet(func(ctx context.Context, c *ocaserver.Conn, v T) error { return m.write(ctx, c, path, from(v)) })
}

// bindSwitch does so for an enum: positions count from 0 in the order of its labels.
func (m *Mirror) bindSwitch(x *shown) {
	x.object = x.sw.Object
	path, sw := x.spec.Path, x.sw
	x.put = func(v device.Value) {
		for i, n := range x.values {
			if n == v.Int() {
				sw.Set(uint16(i))
			}
		}
	}
	sw.OnSet(func(ctx context.Context, c *ocaserver.Conn, position uint16) error {
		m.mu.Lock()
		values := x.values
		m.mu.Unlock()
		if int(position) >= len(values) {
			return &ocp1.Error{Status: ocp1.StatusParameterOutOfRange}
		}
		return m.write(ctx, c, path, device.OfEnum(values[position]))
	})
}

// rename gives the positions of the switches with a set of labels their names. The lock is held.
func (m *Mirror) rename(set string) {
	l, ok := m.labels[set]
	if !ok {
		return
	}
	for _, x := range m.shown {
		if x.sw == nil || x.spec.Labels != set {
			continue
		}
		names := make([]string, len(l.Items))
		values := make([]int64, len(l.Items))
		for i, it := range l.Items {
			names[i], values[i] = it.Text, it.Value
		}
		x.values = values
		x.sw.SetNames(names...)
	}
}

// sample takes a value. A point whose value is bad is one that is not in use now. The lock is held.
func (m *Mirror) sample(s device.Sample) {
	x := m.shown[s.Path]
	if x == nil {
		return
	}
	if x.spec.Rate == device.Meter && s.Reason == device.ReasonNotReported {
		x.object.SetEnabled(true) // it is produced once somebody subscribes
		return
	}
	good := s.Quality != device.Bad && !s.Value.IsZero()
	x.object.SetEnabled(good)
	if !good {
		return
	}
	x.put(s.Value)
	text := s.Value.Str()
	switch {
	case x.spec.Role == "id.model":
		m.about.Model.Name = text
	case x.spec.Role == "id.serial":
		m.about.Serial = text
	case x.spec.Role == "id.version":
		m.about.Model.Version, m.about.Revision = text, text
	case s.Path == "manufacturer":
		m.about.Model.Manufacturer = text
	}
}

// Took brings in the value that the device has agreed to, for a [WriteFunc].
func (m *Mirror) Took(p device.Path, v device.Value) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if x := m.shown[p]; x != nil {
		x.put(v)
	}
}

// Len is the number of points that are shown.
func (m *Mirror) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.shown)
}

// Watched are the meters that controllers have subscribed to.
func (m *Mirror) Watched() map[device.Path]bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[device.Path]bool{}
	for p, x := range m.shown {
		if x.spec.Rate == device.Meter && x.object.Subscriptions() > 0 {
			out[p] = true
		}
	}
	return out
}
