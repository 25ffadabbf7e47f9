package ocaserver

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"

	"github.com/patchbay-io/patchbay/protocol/ocp1"
)

// answer carries out one command and appends the response to b. It returns false when the response comes later.
func (c *Conn) answer(ctx context.Context, cmd ocp1.Command, rrq bool, b []byte) ([]byte, bool) {
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, cmd.Handle)
	b = append(b, 0, 0)
	o, ok := c.srv.device.Object(cmd.Target)
	if ok && o.custom != nil && cmd.Method.Level > 2 {
		c.later(ctx, o, cmd, rrq)
		return b[:at], false
	}
	values := len(b)
	var count uint8
	err := status(ocp1.StatusBadONo)
	if ok {
		b, count, err = o.do(ctx, c, cmd, b)
	}
	if err != nil {
		b, count = b[:values], 0
		c.refused.Add(1)
	}
	b[at+8], b[at+9] = byte(statusOf(err)), count
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at))
	return b, true
}

// statusOf is what a controller is told about err.
func statusOf(err error) ocp1.Status {
	var e *ocp1.Error
	switch {
	case err == nil:
		return ocp1.StatusOK
	case errors.As(err, &e) && e.Status != ocp1.StatusOK:
		return e.Status
	case errors.Is(err, context.DeadlineExceeded):
		return ocp1.StatusTimeout
	}
	return ocp1.StatusProcessingFailed
}

// maxLater is how many calls of custom objects one controller may have running.
const maxLater = 16

// later runs the call of a custom object beside the connection.
func (c *Conn) later(ctx context.Context, o *Object, cmd ocp1.Command, rrq bool) {
	if c.calls.Add(1) > maxLater {
		c.calls.Add(-1)
		c.refused.Add(1)
		if rrq {
			c.send(ocp1.AppendResponses(nil, c.protocol(), ocp1.Response{Handle: cmd.Handle, Status: ocp1.StatusBusy}))
		}
		return
	}
	cmd.Params = bytes.Clone(cmd.Params)
	c.wg.Go(func() {
		defer c.calls.Add(-1)
		count, values, err := o.custom(ctx, c, cmd)
		if err != nil {
			count, values = 0, nil
			c.refused.Add(1)
		}
		if rrq {
			c.send(ocp1.AppendResponses(nil, c.protocol(), ocp1.Response{Handle: cmd.Handle, Status: statusOf(err), Count: count, Params: values}))
		}
	})
}

// do finds the method and calls it when nothing is against it.
func (o *Object) do(ctx context.Context, c *Conn, cmd ocp1.Command, b []byte) ([]byte, uint8, error) {
	if o.raw != nil {
		count, values, err := o.raw(ctx, c, cmd)
		return append(b, values...), count, err
	}
	m, ok := o.common(cmd.Method)
	if !ok {
		m, ok = o.own[cmd.Method]
	}
	if !ok {
		if _, known := ocp1.MethodOf(o.class.Class, cmd.Method); known {
			return b, 0, status(ocp1.StatusNotImplemented)
		}
		return b, 0, status(ocp1.StatusBadMethod)
	}
	if cmd.Count != m.in || m.in == 0 && len(cmd.Params) > 0 {
		return b, 0, status(ocp1.StatusBadFormat)
	}
	if cmd.Method.Level > 1 && o.lockedFor(c, m.writes) {
		return b, 0, status(ocp1.StatusLocked)
	}
	p := ocp1.NewParams("command", cmd.Params)
	return m.call(ctx, c, &p, b)
}

// lockedFor reports whether a lock of another controller is in the way.
func (o *Object) lockedFor(c *Conn, writes bool) bool {
	o.device.mu.RLock()
	defer o.device.mu.RUnlock()
	return o.holder != nil && o.holder != c && (writes || o.locked == ocp1.LockNoReadWrite)
}

// common are the methods that classes share by their level.
func (o *Object) common(m ocp1.ID) (method, bool) {
	switch {
	case m.Level == 1:
		return o.rootMethod(m.Index)
	case m.Level == 2 && o.class.Class.IsA(ocp1.ClassWorker):
		return o.workerMethod(m.Index)
	case m.Level == 2 && o.class.Class.IsA(ocp1.ClassAgent):
		return o.agentMethod(m.Index)
	}
	return method{}, false
}

func (o *Object) rootMethod(index uint16) (method, bool) {
	switch index {
	case 1:
		return getter(func(b []byte) []byte { return ocp1.AppendClassIdentification(b, o.class) }), true
	case 2:
		return getter(func(b []byte) []byte { return ocp1.AppendBool(b, true) }), true
	case 3:
		return o.lockMethod(ocp1.LockNoReadWrite), true
	case 4:
		return method{call: func(_ context.Context, c *Conn, _ *ocp1.Params, b []byte) ([]byte, uint8, error) {
			return b, 0, o.unlock(c)
		}}, true
	case 5:
		return getter(func(b []byte) []byte { return ocp1.AppendString(b, o.role) }), true
	case 6:
		return o.lockMethod(ocp1.LockNoWrite), true
	case 7:
		return o.reading(func(b []byte) []byte { return append(b, byte(o.locked)) }), true
	}
	return method{}, false
}

// reading is a getter under the device's lock.
func (o *Object) reading(put func(b []byte) []byte) method {
	return getter(func(b []byte) []byte {
		o.device.mu.RLock()
		defer o.device.mu.RUnlock()
		return put(b)
	})
}

// denied is a setter with so many parameters that this server lets no controller use.
func denied(in uint8) method {
	return method{writes: true, in: in, call: func(_ context.Context, _ *Conn, _ *ocp1.Params, b []byte) ([]byte, uint8, error) {
		return b, 0, status(ocp1.StatusPermissionDenied)
	}}
}

func (o *Object) workerMethod(index uint16) (method, bool) {
	switch index {
	case 1:
		return o.reading(func(b []byte) []byte { return ocp1.AppendBool(b, o.enabled) }), true
	case 2, 9:
		return denied(1), true
	case 5:
		return getter(func(b []byte) []byte { return ocp1.AppendU16(b, 0) }), true // no ports
	case 8:
		return o.reading(func(b []byte) []byte { return ocp1.AppendString(b, o.label) }), true
	case 10:
		return o.ownerMethod(), true
	case 11:
		return getter(func(b []byte) []byte { return ocp1.AppendF32(b, 0) }), true // no latency that is known
	case 12:
		return denied(1), true
	case 13:
		return o.pathMethod(), true
	}
	return method{}, false
}

func (o *Object) agentMethod(index uint16) (method, bool) {
	switch index {
	case 1:
		return o.reading(func(b []byte) []byte { return ocp1.AppendString(b, o.label) }), true
	case 2:
		return denied(1), true
	case 3:
		return o.ownerMethod(), true
	case 4:
		return o.pathMethod(), true
	}
	return method{}, false
}

func (o *Object) ownerMethod() method {
	return getter(func(b []byte) []byte {
		if o.owner == nil {
			return ocp1.AppendONo(b, 0)
		}
		return ocp1.AppendONo(b, o.owner.ono)
	})
}

// pathMethod gives the roles and numbers of the blocks from the root block to the object.
func (o *Object) pathMethod() method {
	return method{call: func(_ context.Context, _ *Conn, _ *ocp1.Params, b []byte) ([]byte, uint8, error) {
		var path []*Object
		for x := o; x != nil; {
			path = append([]*Object{x}, path...)
			if x.owner == nil {
				break
			}
			x = x.owner.Object
		}
		b = ocp1.AppendList(b, path, func(b []byte, x *Object) []byte { return ocp1.AppendString(b, x.role) })
		return ocp1.AppendList(b, path, func(b []byte, x *Object) []byte { return ocp1.AppendONo(b, x.ono) }), 2, nil
	}}
}

func (o *Object) lockMethod(state ocp1.LockState) method {
	return method{call: func(_ context.Context, c *Conn, _ *ocp1.Params, b []byte) ([]byte, uint8, error) {
		o.device.mu.Lock()
		defer o.device.mu.Unlock()
		if o.holder != nil && o.holder != c {
			return b, 0, status(ocp1.StatusLocked)
		}
		o.setLock(c, state)
		return b, 0, nil
	}}
}

func (o *Object) unlock(c *Conn) error {
	o.device.mu.Lock()
	defer o.device.mu.Unlock()
	switch {
	case o.holder == nil:
		return status(ocp1.StatusInvalidRequest)
	case o.holder != c:
		return status(ocp1.StatusLocked)
	}
	o.setLock(nil, ocp1.NoLock)
	return nil
}

// setLock changes the lock; the device is locked.
func (o *Object) setLock(c *Conn, state ocp1.LockState) {
	if o.holder != nil {
		delete(o.holder.locks, o)
	}
	if o.holder = c; c != nil {
		c.locks[o] = struct{}{}
	}
	if o.locked != state {
		o.locked = state
		o.changed(propLockState, []byte{byte(state)})
	}
}
