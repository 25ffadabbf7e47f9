package ocaserver

import (
	"context"
	"errors"

	"github.com/patchbay-io/patchbay/protocol/ocp1"
)

// Value is a property of an object: what actuators are set to, what sensors read.
type Value[T comparable] struct {
	*Object
	prop ocp1.ID
	put  func([]byte, T) []byte
	read func(*ocp1.Params) T
	ok   func(T) error // nil: all that can be read is good; besides the range

	// Guarded by device.mu.
	v        T
	min, max T
	ranged   bool
	less     func(a, b T) bool
	set      func(ctx context.Context, c *Conn, v T) error
}

// Get is the value now.
func (x *Value[T]) Get() T {
	x.device.mu.RLock()
	defer x.device.mu.RUnlock()
	return x.v
}

// Set changes the value and tells subscribers. It is for the program, and asks nobody.
func (x *Value[T]) Set(v T) {
	x.device.mu.Lock()
	defer x.device.mu.Unlock()
	if x.v != v {
		x.v = v
		x.changed(x.prop, x.put(nil, v))
	}
}

// OnSet gives the function that is called when a controller wants another value, which is in range. It does what is to be done and calls [Value.Set]
// when, and if, the value has changed. Commands of one controller wait for it. An error that is an *[ocp1.Error] goes out with its status, any other as
// ProcessingFailed. Without a function the value is taken as it is.
func (x *Value[T]) OnSet(f func(ctx context.Context, c *Conn, v T) error) {
	x.device.mu.Lock()
	defer x.device.mu.Unlock()
	x.set = f
}

// SetRange changes the limits. Subscribers are not told: few controllers look, and AES70 has an event for one limit at a time.
func (x *Value[T]) SetRange(low, high T) {
	x.device.mu.Lock()
	defer x.device.mu.Unlock()
	x.min, x.max = low, high
}

// status is an error whose status is all that matters.
func status(s ocp1.Status) error { return &ocp1.Error{Status: s} }

func (x *Value[T]) appendTo(b []byte) ([]byte, uint8) {
	x.device.mu.RLock()
	defer x.device.mu.RUnlock()
	b = x.put(b, x.v)
	if !x.ranged {
		return b, 1
	}
	return x.put(x.put(b, x.min), x.max), 3
}

func (x *Value[T]) getMethod() method {
	return method{call: func(_ context.Context, _ *Conn, _ *ocp1.Params, b []byte) ([]byte, uint8, error) {
		b, n := x.appendTo(b)
		return b, n, nil
	}}
}

func (x *Value[T]) setMethod() method {
	return method{writes: true, in: 1, call: func(ctx context.Context, c *Conn, p *ocp1.Params, b []byte) ([]byte, uint8, error) {
		v := x.read(p)
		if err := p.End(); errors.Is(err, errState) {
			return b, 0, status(ocp1.StatusParameterOutOfRange)
		} else if err != nil {
			return b, 0, status(ocp1.StatusBadFormat)
		}
		return b, 0, x.want(ctx, c, v)
	}}
}

// want is a controller's wish.
func (x *Value[T]) want(ctx context.Context, c *Conn, v T) error {
	if x.ok != nil {
		if err := x.ok(v); err != nil {
			return err
		}
	}
	x.device.mu.RLock()
	out := v != v || x.ranged && (x.less(v, x.min) || x.less(x.max, v)) // a NaN is not itself
	set := x.set
	x.device.mu.RUnlock()
	if out {
		return status(ocp1.StatusParameterOutOfRange)
	}
	if set == nil {
		x.Set(v)
		return nil
	}
	return set(ctx, c, v)
}

// number is what can have a range.
type number interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// newValue makes an object that is not in the device yet.
func newValue[T comparable](b *Block, class ocp1.ClassID, role string, put func([]byte, T) []byte, read func(*ocp1.Params) T, v T) *Value[T] {
	level := class.Level()
	x := &Value[T]{Object: b.device.make(0, class, role, b), prop: ocp1.ID{Level: level, Index: 1}, put: put, read: read, v: v}
	x.own = map[ocp1.ID]method{{Level: level, Index: 1}: x.getMethod()}
	switch {
	case class == ocp1.ClassAudioLevelSensor: // the reading is that of its parent
		x.prop.Level--
		x.own = map[ocp1.ID]method{x.prop: x.getMethod()}
	case !class.IsA(ocp1.ClassSensor):
		x.own[ocp1.ID{Level: level, Index: 2}] = x.setMethod()
	}
	if class.IsA(ocp1.ClassSensor) {
		x.own[ocp1.ID{Level: 3, Index: 1}] = getter(func(b []byte) []byte { return append(b, byte(ocp1.ReadingValid)) })
	}
	return x
}

func newRanged[T number](b *Block, class ocp1.ClassID, role string, put func([]byte, T) []byte, read func(*ocp1.Params) T, v, low, high T) *Value[T] {
	x := newValue(b, class, role, put, read, v)
	x.ranged, x.min, x.max = true, low, high
	x.less = func(a, b T) bool { return a < b }
	return x
}

func f32(p *ocp1.Params) float32 { return p.F32("value") }

// Gain makes an OcaGain, in dB.
func (b *Block) Gain(role string, v, low, high float32) *Value[float32] {
	return published(newRanged(b, ocp1.ClassGain, role, ocp1.AppendF32, f32, v, low, high))
}

// PanBalance makes an OcaPanBalance, -1 (left) to 1 (right).
func (b *Block) PanBalance(role string, v float32) *Value[float32] {
	return published(newRanged(b, ocp1.ClassPanBalance, role, ocp1.AppendF32, f32, v, -1, 1))
}

// Delay makes an OcaDelay, in seconds.
func (b *Block) Delay(role string, v, high float32) *Value[float32] {
	return published(newRanged(b, ocp1.ClassDelay, role, ocp1.AppendF32, f32, v, 0, high))
}

// Level makes an OcaLevelSensor, in dB.
func (b *Block) Level(role string, v, low, high float32) *Value[float32] {
	return published(newRanged(b, ocp1.ClassLevelSensor, role, ocp1.AppendF32, f32, v, low, high))
}

// AudioLevel makes an OcaAudioLevelSensor, in dB.
func (b *Block) AudioLevel(role string, v, low, high float32) *Value[float32] {
	x := newRanged(b, ocp1.ClassAudioLevelSensor, role, ocp1.AppendF32, f32, v, low, high)
	x.own[ocp1.ID{Level: 5, Index: 1}] = getter(func(b []byte) []byte { return append(b, 1) }) // VU
	x.own[ocp1.ID{Level: 5, Index: 2}] = denied(1)
	return published(x)
}

// Mute makes an OcaMute; true is muted.
func (b *Block) Mute(role string, muted bool) *Value[bool] {
	return b.twoStates(ocp1.ClassMute, role, uint8(ocp1.Muted), uint8(ocp1.Unmuted), muted)
}

// Polarity makes an OcaPolarity; true is inverted.
func (b *Block) Polarity(role string, inverted bool) *Value[bool] {
	return b.twoStates(ocp1.ClassPolarity, role, uint8(ocp1.PolarityInverted), uint8(ocp1.PolarityNormal), inverted)
}

// errState is the failure of reading a state that is neither of two.
var errState = errors.New("no such state")

func (b *Block) twoStates(class ocp1.ClassID, role string, on, off uint8, v bool) *Value[bool] {
	put := func(b []byte, v bool) []byte {
		if v {
			return append(b, on)
		}
		return append(b, off)
	}
	read := func(p *ocp1.Params) bool {
		s := p.U8("State")
		if s != on && s != off {
			p.Fail("State", errState)
		}
		return s == on
	}
	return published(newValue(b, class, role, put, read, v))
}

func published[T comparable](x *Value[T]) *Value[T] {
	x.device.publish(x.Object)
	return x
}

// Switch makes an OcaSwitch with the named positions, counted from 0.
type Switch struct {
	*Value[uint16]
	names    []string // guarded by device.mu
	enableds []bool
}

// Switch makes an OcaSwitch whose positions are counted from 0 and have the names.
func (b *Block) Switch(role string, position uint16, names ...string) *Switch {
	s := &Switch{Value: newRanged(b, ocp1.ClassSwitch, role, ocp1.AppendU16, func(p *ocp1.Params) uint16 { return p.U16("value") }, position, 0, uint16(max(len(names), 1)-1))}
	s.names = append(s.names, names...)
	for range names {
		s.enableds = append(s.enableds, true)
	}
	m := func(index uint16) ocp1.ID { return ocp1.ID{Level: 4, Index: index} }
	s.own[m(3)] = s.one(func(b []byte, i int) []byte { return ocp1.AppendString(b, s.names[i]) })
	s.own[m(5)] = s.all(func(b []byte) []byte { return ocp1.AppendList(b, s.names, ocp1.AppendString) })
	s.own[m(7)] = s.one(func(b []byte, i int) []byte { return ocp1.AppendBool(b, s.enableds[i]) })
	s.own[m(9)] = s.all(func(b []byte) []byte { return ocp1.AppendList(b, s.enableds, ocp1.AppendBool) })
	for index, in := range map[uint16]uint8{4: 2, 6: 1, 8: 2, 10: 1} { // names and what is in use are the device's
		s.own[m(index)] = denied(in)
	}
	published(s.Value)
	return s
}

// SetNames changes the names of the positions, and with them their number, and tells subscribers.
func (s *Switch) SetNames(names ...string) {
	s.device.mu.Lock()
	defer s.device.mu.Unlock()
	s.names, s.enableds = append([]string(nil), names...), nil
	for range names {
		s.enableds = append(s.enableds, true)
	}
	s.max = uint16(max(len(names), 1) - 1)
	s.changed(ocp1.ID{Level: 4, Index: 2}, ocp1.AppendList(nil, s.names, ocp1.AppendString))
}

// one is a getter of something about one position.
func (s *Switch) one(put func(b []byte, i int) []byte) method {
	return method{in: 1, call: func(_ context.Context, _ *Conn, p *ocp1.Params, b []byte) ([]byte, uint8, error) {
		i := int(p.U16("Index"))
		if p.End() != nil {
			return b, 0, status(ocp1.StatusBadFormat)
		}
		s.device.mu.RLock()
		defer s.device.mu.RUnlock()
		if i >= len(s.names) {
			return b, 0, status(ocp1.StatusParameterOutOfRange)
		}
		return put(b, i), 1, nil
	}}
}

func (s *Switch) all(put func(b []byte) []byte) method {
	return getter(func(b []byte) []byte {
		s.device.mu.RLock()
		defer s.device.mu.RUnlock()
		return put(b)
	})
}

func readBool(p *ocp1.Params) bool     { return p.Bool("value") }
func readString(p *ocp1.Params) string { return p.String("value") }

// Boolean makes an OcaBooleanActuator.
func (b *Block) Boolean(role string, v bool) *Value[bool] {
	return published(newValue(b, ocp1.ClassBooleanActuator, role, ocp1.AppendBool, readBool, v))
}

// BooleanSensor makes an OcaBooleanSensor.
func (b *Block) BooleanSensor(role string, v bool) *Value[bool] {
	return published(newValue(b, ocp1.ClassBooleanSensor, role, ocp1.AppendBool, readBool, v))
}

// Identify makes an OcaIdentificationActuator.
func (b *Block) Identify(role string) *Value[bool] {
	return published(newValue(b, ocp1.ClassIdentifier, role, ocp1.AppendBool, readBool, false))
}

// maxText is the longest text in bytes that a controller may set.
const maxText = 1024

// Text makes an OcaStringActuator.
func (b *Block) Text(role, v string) *Value[string] {
	x := newValue(b, ocp1.ClassStringActuator, role, ocp1.AppendString, readString, v)
	x.ok = func(s string) error {
		if len(s) > maxText {
			return status(ocp1.StatusParameterOutOfRange)
		}
		return nil
	}
	x.own[ocp1.ID{Level: 5, Index: 3}] = getter(func(b []byte) []byte { return ocp1.AppendU16(b, maxText) })
	return published(x)
}

// TextSensor makes an OcaStringSensor.
func (b *Block) TextSensor(role, v string) *Value[string] {
	x := newValue(b, ocp1.ClassStringSensor, role, ocp1.AppendString, readString, v)
	x.own[ocp1.ID{Level: 5, Index: 2}] = getter(func(b []byte) []byte { return ocp1.AppendU16(b, maxText) })
	x.own[ocp1.ID{Level: 5, Index: 3}] = denied(1)
	return published(x)
}

// Uint16 makes an OcaUint16Actuator.
func (b *Block) Uint16(role string, v, low, high uint16) *Value[uint16] {
	return published(newRanged(b, ocp1.ClassUint16Actuator, role, ocp1.AppendU16, func(p *ocp1.Params) uint16 { return p.U16("value") }, v, low, high))
}

// Int32 makes an OcaInt32Actuator.
func (b *Block) Int32(role string, v, low, high int32) *Value[int32] {
	return published(newRanged(b, ocp1.ClassInt32Actuator, role, func(b []byte, v int32) []byte { return ocp1.AppendU32(b, uint32(v)) },
		func(p *ocp1.Params) int32 { return p.I32("value") }, v, low, high))
}

// Float32 makes an OcaFloat32Actuator.
func (b *Block) Float32(role string, v, low, high float32) *Value[float32] {
	return published(newRanged(b, ocp1.ClassFloat32Actuator, role, ocp1.AppendF32, f32, v, low, high))
}

// Int32Sensor makes an OcaInt32Sensor.
func (b *Block) Int32Sensor(role string, v, low, high int32) *Value[int32] {
	return published(newRanged(b, ocp1.ClassInt32Sensor, role, func(b []byte, v int32) []byte { return ocp1.AppendU32(b, uint32(v)) },
		func(p *ocp1.Params) int32 { return p.I32("value") }, v, low, high))
}

// Float32Sensor makes an OcaFloat32Sensor.
func (b *Block) Float32Sensor(role string, v, low, high float32) *Value[float32] {
	return published(newRanged(b, ocp1.ClassFloat32Sensor, role, ocp1.AppendF32, f32, v, low, high))
}
