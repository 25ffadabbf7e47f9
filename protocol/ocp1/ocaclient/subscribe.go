package ocaclient

import (
	"context"
	"fmt"

	"github.com/patchbay-io/patchbay/protocol/ocp1"
)

// Subscribe asks for the property-changed events of the objects. The first call of a session finds out whether the device
// has events of the second kind (EV2), with the root block as its example, and takes those of the first (EV1) otherwise. It
// returns one error for each object, nil where the device agreed; the last result is about the session.
func (c *Client) Subscribe(ctx context.Context, objects ...ocp1.ONo) ([]error, error) {
	if err := c.findEvents(ctx); err != nil {
		return nil, err
	}
	return c.subscriptions(ctx, objects, true)
}

// Unsubscribe takes back what [Client.Subscribe] asked for.
func (c *Client) Unsubscribe(ctx context.Context, objects ...ocp1.ONo) ([]error, error) {
	if err := c.findEvents(ctx); err != nil {
		return nil, err
	}
	return c.subscriptions(ctx, objects, false)
}

// EV2 reports whether the device has events of the second kind; known after the first [Client.Subscribe].
func (c *Client) EV2() bool { return c.events2.Load() == ev2 }

const (
	ev2 = 1
	ev1 = 2
)

func (c *Client) findEvents(ctx context.Context) error {
	if c.events2.Load() != 0 {
		return nil
	}
	example := subscription(ev2, true, ocp1.RootBlockONo)
	if err := c.do(ctx, []*Call{&example}); err != nil {
		return err
	}
	if example.Err == nil {
		c.events2.Store(ev2)
	} else {
		c.events2.Store(ev1)
	}
	return nil
}

func (c *Client) subscriptions(ctx context.Context, objects []ocp1.ONo, on bool) ([]error, error) {
	kind := c.events2.Load()
	calls := make([]Call, len(objects))
	for i, o := range objects {
		calls[i] = subscription(kind, on, o)
	}
	if err := c.DoAll(ctx, calls); err != nil {
		return nil, err
	}
	errs := make([]error, len(objects))
	for i := range calls {
		if calls[i].Err != nil {
			errs[i] = fmt.Errorf("oca %s: subscribe to object %d: %w", c.name, objects[i], calls[i].Err)
		}
	}
	return errs, nil
}

func subscription(kind int32, on bool, o ocp1.ONo) Call {
	event := ocp1.Event{Emitter: o, ID: ocp1.PropertyChanged}
	call := Call{Target: ocp1.SubscriptionManagerONo}
	switch {
	case kind == ev2:
		call.Method, call.Count = ocp1.MethodAddSubscription2, ocp1.Subscription2Params
		if !on {
			call.Method = ocp1.MethodRemoveSubscription2
		}
		call.Params = ocp1.Subscription2{Event: event, Delivery: ocp1.DeliveryNormal}.Append(nil)
	case on:
		call.Method, call.Count = ocp1.MethodAddSubscription, ocp1.SubscriptionParams
		call.Params = ocp1.Subscription{Event: event, Subscriber: ocp1.SubscriberMethod, Delivery: ocp1.DeliveryNormal}.Append(nil)
	default:
		call.Method, call.Count = ocp1.MethodRemoveSubscription, 2
		call.Params = ocp1.AppendMethod(ocp1.AppendEvent(nil, event), ocp1.SubscriberMethod)
	}
	return call
}
