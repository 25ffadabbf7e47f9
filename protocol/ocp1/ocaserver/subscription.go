package ocaserver

import (
	"context"
	"slices"

	"github.com/patchbay-io/patchbay/protocol/ocp1"
)

// Limits of what one controller may ask for.
const (
	maxSubscriptions = 1 << 16
	maxContext       = 64 // bytes that are handed back with each event
)

// subscription is one wish of one controller to hear of one object.
type subscription struct {
	conn    *Conn
	object  *Object
	ev2     bool
	only    ocp1.ID     // property; zero: all
	method  ocp1.Method // EV1
	context []byte
}

// same reports whether two subscriptions are one.
func (s *subscription) same(t *subscription) bool {
	return s.conn == t.conn && s.ev2 == t.ev2 && s.only == t.only && s.method == t.method
}

func (s *subscription) append(b []byte, data []byte) []byte {
	event := ocp1.Event{Emitter: s.object.ono, ID: ocp1.PropertyChanged}
	if s.ev2 {
		return ocp1.Notification2{Event: event, Data: data}.Append(b)
	}
	return ocp1.Notification{Subscriber: s.method.ONo, Method: s.method.ID, Count: 2, Context: s.context, Event: event, Data: data}.Append(b)
}

// subscriptionManager are the methods of object 4.
func subscriptionManager() map[ocp1.ID]method {
	m := func(index uint16) ocp1.ID { return ocp1.ID{Level: 3, Index: index} }
	return map[ocp1.ID]method{
		m(1):  subscribing(5, true, false, false),
		m(2):  subscribing(2, false, false, false),
		m(3):  notifications(false),
		m(4):  notifications(true),
		m(5):  subscribing(6, true, false, true),
		m(6):  subscribing(3, false, false, true),
		m(7):  getter(func(b []byte) []byte { return ocp1.AppendU16(b, maxContext) }),
		m(8):  subscribing(3, true, true, false),
		m(9):  subscribing(3, false, true, false),
		m(10): subscribing(4, true, true, true),
		m(11): subscribing(4, false, true, true),
	}
}

// notifications lets a controller stop and restart its own events. AES70 means all controllers; one shall not silence another.
func notifications(on bool) method {
	return method{call: func(_ context.Context, c *Conn, _ *ocp1.Params, b []byte) ([]byte, uint8, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.quiet = !on
		return b, 0, nil
	}}
}

// subscribing is one of the methods that add or remove subscriptions: of the first or second kind, to all properties or one.
func subscribing(in uint8, add, ev2, property bool) method {
	return method{in: in, call: func(_ context.Context, c *Conn, p *ocp1.Params, b []byte) ([]byte, uint8, error) {
		if ev2 && c.srv.opts.EV1 {
			return b, 0, status(ocp1.StatusNotImplemented)
		}
		s := &subscription{conn: c, ev2: ev2}
		event := ocp1.Event{ID: ocp1.PropertyChanged}
		if property {
			event.Emitter, s.only = p.ONo("Emitter"), p.ID("Property")
		} else {
			event = p.Event("Event")
		}
		delivery := uint8(ocp1.DeliveryNormal)
		if !ev2 {
			s.method = p.Method("Subscriber")
			if add {
				s.context = slices.Clone(p.Blob("SubscriberContext"))
			}
		}
		if add || ev2 {
			delivery = p.U8("NotificationDeliveryMode")
			p.Blob("DestinationInformation")
		}
		switch {
		case p.End() != nil:
			return b, 0, status(ocp1.StatusBadFormat)
		case delivery != ocp1.DeliveryNormal:
			return b, 0, status(ocp1.StatusNotImplemented)
		case len(s.context) > maxContext:
			return b, 0, status(ocp1.StatusParameterOutOfRange)
		case event.ID != ocp1.PropertyChanged:
			return b, 0, status(ocp1.StatusParameterError)
		}
		d := c.srv.device
		d.mu.Lock()
		defer d.mu.Unlock()
		o, ok := d.objects[event.Emitter]
		if !ok {
			return b, 0, status(ocp1.StatusBadONo)
		}
		s.object = o
		if add {
			return b, 0, o.subscribe(s)
		}
		return b, 0, o.unsubscribe(s)
	}}
}

// subscribe adds s, or replaces the same one; the device is locked.
func (o *Object) subscribe(s *subscription) error {
	if i := slices.IndexFunc(o.subs, s.same); i >= 0 {
		o.subs[i].context = s.context
		return nil
	}
	if len(s.conn.subs) >= maxSubscriptions {
		return status(ocp1.StatusOutOfMemory)
	}
	o.subs = append(o.subs, s)
	s.conn.subs[s] = struct{}{}
	return nil
}

// unsubscribe takes out the subscription that is the same as s; the device is locked.
func (o *Object) unsubscribe(s *subscription) error {
	i := slices.IndexFunc(o.subs, s.same)
	if i < 0 {
		return status(ocp1.StatusInvalidRequest)
	}
	o.subs[i].conn.unsubscribed(o.subs[i])
	o.subs = slices.Delete(o.subs, i, i+1)
	return nil
}

// unsubscribed forgets a subscription of the connection; the device is locked.
func (c *Conn) unsubscribed(s *subscription) { delete(c.subs, s) }
