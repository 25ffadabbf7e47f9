package fcclient

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchbay-io/patchbay/protocol/fcxml"
)

// take takes in a message and says what is new.
func (c *Client) take(m fcxml.Message) []Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch m := m.(type) {
	case fcxml.KeepAlive:
		c.echoed++
		close(c.echo)
		c.echo = make(chan struct{})
	case fcxml.ClientDetails:
		if m.ID != "" && c.id == "" {
			c.id = m.ID
			close(c.greeted)
		}
	case fcxml.Approval:
		// Several programs may have one host name; the identity tells which is meant.
		if m.ID == c.id && c.id != "" {
			c.approval = ApprovalWaiting
			if m.Authorised {
				c.approval = ApprovalGiven
			}
			c.news()
			return []Event{{Approval: c.approval}}
		}
	case fcxml.DeviceArrival:
		var out []Event
		for _, e := range m.Devices {
			schema, err := fcxml.NewSchema(e)
			if err != nil {
				c.stats.unreadable.Add(1)
				out = append(out, Event{Unreadable: err})
				continue
			}
			c.devices = slices.DeleteFunc(c.devices, func(d *device) bool { return d.schema.ID == schema.ID })
			controls := len(schema.Items)
			for _, d := range c.devices {
				controls += len(d.schema.Items)
			}
			if len(c.devices) >= maxDevices || controls > maxControls {
				c.stats.refused.Add(1)
				continue
			}
			c.devices = append(c.devices, &device{schema: schema, values: make(map[uint32]string, len(schema.Items))})
			out = append(out, Event{Arrived: schema})
		}
		c.news()
		return out
	case fcxml.DeviceRemoval:
		c.devices = slices.DeleteFunc(c.devices, func(d *device) bool { return d.schema.ID == m.Device })
		c.news()
		return []Event{{Removed: m.Device}}
	case fcxml.Set:
		return c.values(m)
	case fcxml.Unknown:
		c.stats.unknown.Add(1)
		return []Event{{Unknown: m.Root}}
	}
	return nil
}

// values takes in a set; the lock is held.
func (c *Client) values(m fcxml.Set) []Event {
	d := c.find(m.Device)
	if d == nil || !d.wanted {
		return nil
	}
	for _, it := range m.Items {
		if d.schema.ByID(it.ID) == nil { // 0 is in every snapshot, several times; nobody knows what it is
			continue
		}
		if d.values[it.ID] != it.Value {
			d.values[it.ID] = keep(it.Value)
		}
	}
	e := Event{Device: m.Device, Values: m.Items, Snapshot: !d.snapshot}
	if !d.snapshot {
		d.snapshot = true
		c.news()
	}
	for _, w := range c.waiters {
		w.hear(m)
	}
	return []Event{e}
}

// keep makes a copy of a value, which is a part of the whole message, or finds one.
func keep(v string) string {
	switch v {
	case "true":
		return "true"
	case "false":
		return "false"
	case "0":
		return "0"
	}
	return strings.Clone(v)
}

// news wakes those who wait for the state to change; the lock is held.
func (c *Client) news() {
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *Client) find(id string) *device {
	for _, d := range c.devices {
		if d.schema.ID == id {
			return d
		}
	}
	return nil
}

// Approval is what is known of this program's approval.
func (c *Client) Approval() ApprovalState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.approval
}

// Devices are those that are there, in the order of their arrival.
func (c *Client) Devices() []*fcxml.Schema {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]*fcxml.Schema, len(c.devices))
	for i, d := range c.devices {
		out[i] = d.schema
	}
	return out
}

// Device waits for a device that pick accepts; a server announces its devices right after the greeting.
func (c *Client) Device(ctx context.Context, pick func(*fcxml.Schema) bool) (*fcxml.Schema, error) {
	for {
		c.mu.Lock()
		changed := c.changed
		for _, d := range c.devices {
			if pick(d.schema) {
				c.mu.Unlock()
				return d.schema, nil
			}
		}
		c.mu.Unlock()
		if err := c.wait(ctx, changed); err != nil {
			return nil, fmt.Errorf("fcxml %s: no device is connected: %w", c.addr, err)
		}
	}
}

// Subscribe asks for the values of a device and waits for the first of them, which are all that the server has to say.
func (c *Client) Subscribe(ctx context.Context, schema *fcxml.Schema) error {
	c.mu.Lock()
	d := c.find(schema.ID)
	if d != nil {
		d.wanted = true
	}
	c.mu.Unlock()
	if d == nil {
		return fmt.Errorf("fcxml subscribe %s: %w", c.addr, ErrGone)
	}
	if err := c.send(fcxml.DeviceSubscribe{Device: schema.ID, On: true}); err != nil {
		return fmt.Errorf("fcxml subscribe %s: %w", c.addr, err)
	}
	for {
		c.mu.Lock()
		changed, has, there := c.changed, d.snapshot, c.find(schema.ID) == d
		c.mu.Unlock()
		switch {
		case has:
			return nil
		case !there:
			return fmt.Errorf("fcxml subscribe %s: %w", c.addr, ErrGone)
		}
		if err := c.wait(ctx, changed); err != nil {
			return fmt.Errorf("fcxml subscribe %s: %w", c.addr, err)
		}
	}
}

func (c *Client) wait(ctx context.Context, changed <-chan struct{}) error {
	select {
	case <-changed:
		return nil
	case <-c.done:
		return c.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Value is what a control of a device is worth, and how that is known. While a pair is linked, the left channel's controls
// stand for the right one's.
func (c *Client) Value(schema *fcxml.Schema, it *fcxml.Item) (string, State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.find(schema.ID)
	if d == nil || d.schema != schema {
		return "", Unknown
	}
	return d.value(d.target(it))
}

func (d *device) value(it *fcxml.Item) (string, State) {
	if v, ok := d.values[it.ID]; ok {
		return v, Reported
	}
	if v, ok := it.Resting(); ok && d.snapshot {
		return v, Assumed
	}
	return "", Unknown
}

// target is the control that counts: that of the left channel while the pair is linked.
func (d *device) target(it *fcxml.Item) *fcxml.Item {
	if left, linked, ok := d.schema.Left(it); ok && it.Name() != "stereo" && d.values[linked.ID] == "true" {
		return left
	}
	return it
}

// Snapshot is everything that the server has said about a device, in document order; nil when the device is gone or has not
// been heard of.
func (c *Client) Snapshot(schema *fcxml.Schema) []fcxml.Assign {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.find(schema.ID)
	if d == nil || d.schema != schema || !d.snapshot {
		return nil
	}
	out := make([]fcxml.Assign, 0, len(d.values))
	for i := range schema.Items {
		if v, ok := d.values[schema.Items[i].ID]; ok {
			out = append(out, fcxml.Assign{ID: schema.Items[i].ID, Value: v})
		}
	}
	return out
}

// Sync waits until everything that the server had said has been taken in: it sends a keep-alive and waits for its echo.
func (c *Client) Sync(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("fcxml sync %s: %w", c.addr, err)
	}
	c.mu.Lock()
	c.asked++
	mine := c.asked
	c.mu.Unlock()
	if err := c.send(fcxml.KeepAlive{}); err != nil {
		return fmt.Errorf("fcxml sync %s: %w", c.addr, err)
	}
	for {
		c.mu.Lock()
		echo, heard := c.echo, c.echoed
		c.mu.Unlock()
		if heard >= mine {
			return nil
		}
		if err := c.wait(ctx, echo); err != nil {
			return fmt.Errorf("fcxml sync %s: %w", c.addr, err)
		}
	}
}
