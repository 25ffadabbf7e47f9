package ocaclient

import (
	"context"
	"fmt"

	"github.com/patchbay-io/patchbay/protocol/ocp1"
)

// Ranged is a value and its limits as a device gives them.
type Ranged[T any] struct{ Value, Min, Max T }

// Property is a value of one object that can be read, and set where Set is not zero. It knows its encoding.
type Property[T any] struct {
	c      *Client
	object ocp1.ONo
	get    ocp1.ID
	set    ocp1.ID
	read   func(p *ocp1.Params) T
	put    func(b []byte, v T) []byte
}

// Get asks for the value. Limits that come with it are left out; see [Property.GetRanged].
func (q Property[T]) Get(ctx context.Context) (T, error) {
	r, err := q.GetRanged(ctx)
	return r.Value, err
}

// GetRanged asks for the value and its limits; those are zero where the object has none.
func (q Property[T]) GetRanged(ctx context.Context) (r Ranged[T], err error) {
	b, err := q.c.Do(ctx, q.object, q.get, 0, nil)
	if err != nil {
		return r, err
	}
	p := ocp1.NewParams("value", b)
	r.Value = q.read(&p)
	if p.Err() == nil && p.Len() > 0 {
		r.Min, r.Max = q.read(&p), q.read(&p)
	}
	if err := p.End(); err != nil {
		return r, fmt.Errorf("oca %s: object %d, method %v: %w", q.c.name, q.object, q.get, err)
	}
	return r, nil
}

// Set changes the value. It returns when the device has agreed; the event that tells the new value may come before or after.
func (q Property[T]) Set(ctx context.Context, v T) error {
	if q.set == (ocp1.ID{}) {
		return &ocp1.Error{Target: q.object, Method: q.get, Status: ocp1.StatusBadMethod}
	}
	_, err := q.c.Do(ctx, q.object, q.set, 1, q.put(nil, v))
	return err
}

func id(level, index uint16) ocp1.ID { return ocp1.ID{Level: level, Index: index} }

func readBool(p *ocp1.Params) bool     { return p.Bool("value") }
func readF32(p *ocp1.Params) float32   { return p.F32("value") }
func readU16(p *ocp1.Params) uint16    { return p.U16("value") }
func readString(p *ocp1.Params) string { return p.String("value") }

// Gain is the gain of an OcaGain, in dB.
func (c *Client) Gain(o ocp1.ONo) Property[float32] {
	return Property[float32]{c, o, id(4, 1), id(4, 2), readF32, ocp1.AppendF32}
}

// PanBalance is the position of an OcaPanBalance, -1 (left) to 1.
func (c *Client) PanBalance(o ocp1.ONo) Property[float32] {
	return Property[float32]{c, o, id(4, 1), id(4, 2), readF32, ocp1.AppendF32}
}

// Level is the reading of an OcaLevelSensor, in dB.
func (c *Client) Level(o ocp1.ONo) Property[float32] {
	return Property[float32]{c: c, object: o, get: id(4, 1), read: readF32}
}

// Mute is the state of an OcaMute; true is muted.
func (c *Client) Mute(o ocp1.ONo) Property[bool] {
	return Property[bool]{c, o, id(4, 1), id(4, 2),
		func(p *ocp1.Params) bool { return ocp1.MuteState(p.U8("state")) == ocp1.Muted },
		func(b []byte, muted bool) []byte {
			if muted {
				return append(b, byte(ocp1.Muted))
			}
			return append(b, byte(ocp1.Unmuted))
		}}
}

// Switch is the position of an OcaSwitch.
func (c *Client) Switch(o ocp1.ONo) Property[uint16] {
	return Property[uint16]{c, o, id(4, 1), id(4, 2), readU16, ocp1.AppendU16}
}

// Boolean is the setting of an OcaBooleanActuator. Of a sensor use the same; it has no Set.
func (c *Client) Boolean(o ocp1.ONo) Property[bool] {
	return Property[bool]{c, o, id(5, 1), id(5, 2), readBool, ocp1.AppendBool}
}

// Text is the setting of an OcaStringActuator, or the reading of an OcaStringSensor, which has no Set.
func (c *Client) Text(o ocp1.ONo) Property[string] {
	return Property[string]{c, o, id(5, 1), id(5, 2), readString, ocp1.AppendString}
}

// Uint16 is the setting of an OcaUint16Actuator, or the reading of a sensor, which has no Set.
func (c *Client) Uint16(o ocp1.ONo) Property[uint16] {
	return Property[uint16]{c, o, id(5, 1), id(5, 2), readU16, ocp1.AppendU16}
}

// Int32 is the setting of an OcaInt32Actuator, or the reading of a sensor, which has no Set.
func (c *Client) Int32(o ocp1.ONo) Property[int32] {
	return Property[int32]{c, o, id(5, 1), id(5, 2), func(p *ocp1.Params) int32 { return p.I32("value") },
		func(b []byte, v int32) []byte { return ocp1.AppendU32(b, uint32(v)) }}
}

// Enabled is whether a worker is in use; Focusrite Control 2 means "available now" by it.
func (c *Client) Enabled(o ocp1.ONo) Property[bool] {
	return Property[bool]{c, o, id(2, 1), id(2, 2), readBool, ocp1.AppendBool}
}

// Label is what people have named a worker.
func (c *Client) Label(o ocp1.ONo) Property[string] {
	return Property[string]{c, o, id(2, 8), id(2, 9), readString, ocp1.AppendString}
}

// PositionNames are the names of the positions of an OcaSwitch.
func (c *Client) PositionNames(ctx context.Context, o ocp1.ONo) ([]string, error) {
	b, err := c.Do(ctx, o, id(4, 5), 0, nil)
	if err != nil {
		return nil, err
	}
	p := ocp1.NewParams("GetPositionNames", b)
	list := ocp1.ListOf(&p, "Names", p.String)
	return list, p.End()
}

// Lock keeps other controllers from changing the object, and from reading it when reads is set, until [Client.Unlock] or the end of the session.
func (c *Client) Lock(ctx context.Context, o ocp1.ONo, reads bool) error {
	method := id(1, 6)
	if reads {
		method = id(1, 3)
	}
	_, err := c.Do(ctx, o, method, 0, nil)
	return err
}

// Unlock takes back a [Client.Lock].
func (c *Client) Unlock(ctx context.Context, o ocp1.ONo) error {
	_, err := c.Do(ctx, o, id(1, 4), 0, nil)
	return err
}
