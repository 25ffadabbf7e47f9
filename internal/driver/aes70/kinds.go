package aes70

import (
	"fmt"
	"math"
	"strings"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
)

// kind is how an object of one class becomes a point.
type kind struct {
	class ocp1.ClassID
	value device.Kind
	unit  string
	rate  device.Rate
	get   ocp1.ID
	set   ocp1.ID // zero: it can only be read
	prop  ocp1.ID // what is told when it changes
	read  func(p *ocp1.Params) device.Value
	put   func(b []byte, v device.Value) []byte
}

func (k *kind) writable() bool { return k.set != ocp1.ID{} }

func id(level, index uint16) ocp1.ID { return ocp1.ID{Level: level, Index: index} }

// kinds are the classes that become points, by their ids. Descendants of a class are points of its kind.
var kinds = makeKinds()

func makeKinds() map[ocp1.ClassID]*kind {
	f32 := func(p *ocp1.Params) device.Value { return device.OfFloat(float64(p.F32("value"))) }
	putF32 := func(b []byte, v device.Value) []byte { return ocp1.AppendF32(b, float32(v.Float())) }
	boolean := func(p *ocp1.Params) device.Value { return device.OfBool(p.Bool("value")) }
	putBool := func(b []byte, v device.Value) []byte { return ocp1.AppendBool(b, v.Bool()) }
	text := func(p *ocp1.Params) device.Value {
		return device.OfString(strings.ToValidUTF8(p.String("value"), "\ufffd"))
	}
	putText := func(b []byte, v device.Value) []byte { return ocp1.AppendString(b, v.Str()) }
	state := func(on, off uint8) (func(p *ocp1.Params) device.Value, func([]byte, device.Value) []byte) {
		return func(p *ocp1.Params) device.Value { return device.OfBool(p.U8("state") == on) },
			func(b []byte, v device.Value) []byte {
				if v.Bool() {
					return append(b, on)
				}
				return append(b, off)
			}
	}
	muted, putMuted := state(uint8(ocp1.Muted), uint8(ocp1.Unmuted))
	inverted, putInverted := state(uint8(ocp1.PolarityInverted), uint8(ocp1.PolarityNormal))
	list := []kind{
		{class: ocp1.ClassGain, value: device.Float, unit: "dB", get: id(4, 1), set: id(4, 2), read: f32, put: putF32},
		{class: ocp1.ClassMute, value: device.Bool, get: id(4, 1), set: id(4, 2), read: muted, put: putMuted},
		{class: ocp1.ClassPolarity, value: device.Bool, get: id(4, 1), set: id(4, 2), read: inverted, put: putInverted},
		{class: ocp1.ClassSwitch, value: device.Enum, get: id(4, 1), set: id(4, 2), read: func(p *ocp1.Params) device.Value { return device.OfEnum(int64(p.U16("value"))) },
			put: func(b []byte, v device.Value) []byte { return ocp1.AppendU16(b, uint16(v.Int())) }},
		{class: ocp1.ClassPanBalance, value: device.Float, get: id(4, 1), set: id(4, 2), read: f32, put: putF32},
		{class: ocp1.ClassDelay, value: device.Float, unit: "s", get: id(4, 1), set: id(4, 2), read: f32, put: putF32},
		{class: ocp1.ClassIdentifier, value: device.Bool, get: id(4, 1), set: id(4, 2), read: boolean, put: putBool},
		{class: ocp1.ClassLevelSensor, value: device.Float, unit: "dB", rate: device.Meter, get: id(4, 1), read: f32},
		{class: ocp1.ClassBooleanActuator, value: device.Bool, get: id(5, 1), set: id(5, 2), read: boolean, put: putBool},
		{class: ocp1.ClassBooleanSensor, value: device.Bool, get: id(5, 1), read: boolean},
		{class: ocp1.ClassStringActuator, value: device.String, get: id(5, 1), set: id(5, 2), read: text, put: putText},
		{class: ocp1.ClassStringSensor, value: device.String, get: id(5, 1), read: text},
		{class: ocp1.ClassFloat32Actuator, value: device.Float, get: id(5, 1), set: id(5, 2), read: f32, put: putF32},
		{class: ocp1.ClassFloat32Sensor, value: device.Float, get: id(5, 1), read: f32},
	}
	f64 := func(p *ocp1.Params) device.Value { return device.OfFloat(p.F64("value")) }
	list = append(list,
		kind{class: ocp1.ClassFloat64Actuator, value: device.Float, get: id(5, 1), set: id(5, 2), read: f64, put: func(b []byte, v device.Value) []byte { return ocp1.AppendF64(b, v.Float()) }},
		kind{class: ocp1.ClassFloat64Sensor, value: device.Float, get: id(5, 1), read: f64})
	for _, n := range integers() {
		list = append(list, kind{class: n.actuator, value: device.Int, get: id(5, 1), set: id(5, 2), read: n.read, put: n.put}, kind{class: n.sensor, value: device.Int, get: id(5, 1), read: n.read})
	}
	bits := func(p *ocp1.Params) device.Value {
		var b []byte
		for _, on := range p.Bits("value") {
			b = append(b, '0'+ocp1.AppendBool(nil, on)[0])
		}
		return device.OfString(string(b))
	}
	list = append(list, kind{class: ocp1.ClassBitstringActuator, value: device.String, get: id(5, 4), prop: id(5, 1), read: bits},
		kind{class: ocp1.ClassBitstringSensor, value: device.String, get: id(5, 3), prop: id(5, 1), read: bits})
	m := make(map[ocp1.ClassID]*kind, len(list))
	for _, k := range list {
		if k.rate == 0 {
			k.rate = device.Fast
		}
		if k.prop == (ocp1.ID{}) {
			k.prop = k.get
		}
		m[k.class] = &k
	}
	return m
}

type integer struct {
	actuator, sensor ocp1.ClassID
	read             func(p *ocp1.Params) device.Value
	put              func(b []byte, v device.Value) []byte
}

// integers are the whole numbers by width. Those of 64 bits without sign lose their top bit.
func integers() []integer {
	of := func(actuator, sensor ocp1.ClassID, bytes int, signed bool) integer {
		return integer{actuator, sensor, func(p *ocp1.Params) device.Value {
			var v uint64
			for _, c := range p.Bytes("value", bytes) {
				v = v<<8 | uint64(c)
			}
			if shift := 64 - 8*bytes; signed {
				return device.OfInt(int64(v<<shift) >> shift)
			}
			return device.OfInt(int64(v & math.MaxInt64))
		}, func(b []byte, v device.Value) []byte {
			for i := bytes - 1; i >= 0; i-- {
				b = append(b, byte(v.Int()>>(8*i)))
			}
			return b
		}}
	}
	return []integer{
		of(ocp1.ClassInt8Actuator, ocp1.ClassInt8Sensor, 1, true), of(ocp1.ClassInt16Actuator, ocp1.ClassInt16Sensor, 2, true),
		of(ocp1.ClassInt32Actuator, ocp1.ClassInt32Sensor, 4, true), of(ocp1.ClassInt64Actuator, ocp1.ClassInt64Sensor, 8, true),
		of(ocp1.ClassUint8Actuator, ocp1.ClassUint8Sensor, 1, false), of(ocp1.ClassUint16Actuator, ocp1.ClassUint16Sensor, 2, false),
		of(ocp1.ClassUint32Actuator, ocp1.ClassUint32Sensor, 4, false), of(ocp1.ClassUint64Actuator, ocp1.ClassUint64Sensor, 8, false),
	}
}

// kindOf finds the kind of a class or of its nearest ancestor that has one.
func kindOf(class ocp1.ClassID) *kind {
	for c := class; c.Len() > 0; c = c.Parent() {
		if k := kinds[c]; k != nil {
			return k
		}
	}
	return nil
}

// className is what people call a class.
func className(c ocp1.ClassID) string {
	if k, ok := ocp1.ClassByID(c); ok {
		return k.Name
	}
	if k := ocp1.NearestClass(c); k != nil {
		return fmt.Sprintf("%v, a kind of %s", c, k.Name)
	}
	return c.String()
}
