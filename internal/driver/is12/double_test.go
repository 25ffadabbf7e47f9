package is12

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"sync"

	"github.com/coder/websocket"

	"github.com/patchbay-io/patchbay/protocol/is12"
)

// double is a small device: a device manager (2), a class manager (3), and a block (10) with a gain (11) of a class of its maker's own. It is no
// simulator; it answers what the driver asks.
type double struct {
	mu     sync.Mutex
	values map[propKey]any
	extra  bool   // a second gain (12) is there
	silent uint32 // an object whose changes it does not tell
	writes int
	conns  map[*websocket.Conn]map[uint32]bool
	// instead, when not nil, gives answers in the place of the device's own; ok is false where it has none.
	instead func(method is12.ID) (value any, ok bool)
	asked   func() // nil, or called for each message with commands before it is answered; the lock is held
}

// presets is a sequence of texts of a gain.
var presets = is12.ID{Level: 3, Index: 3}

var gainClass = is12.ClassID{1, 2, 0, 1}

func newDouble() *double {
	return &double{conns: map[*websocket.Conn]map[uint32]bool{}, values: map[propKey]any{
		{1, is12.PropertyClassID}: is12.ClassBlock, {2, is12.PropertyUserLabel}: nil, {2, is12.ID{Level: 3, Index: 4}}: "SN-1", {2, is12.ID{Level: 3, Index: 6}}: "Desk",
		{2, is12.ID{Level: 3, Index: 2}}: map[string]any{"name": "Maker"}, {3, is12.PropertyUserLabel}: nil, {11, presets}: []string{"A"}, {12, presets}: []string{}, {10, is12.PropertyUserLabel}: "Left", {10, is12.ID{Level: 2, Index: 1}}: true,
		{11, is12.PropertyUserLabel}: "Mic", {11, is12.ID{Level: 2, Index: 1}}: true, {11, is12.ID{Level: 3, Index: 1}}: -6.5, {11, is12.ID{Level: 3, Index: 2}}: 1,
		{12, is12.PropertyUserLabel}: "", {12, is12.ID{Level: 2, Index: 1}}: true, {12, is12.ID{Level: 3, Index: 1}}: 0.0, {12, is12.ID{Level: 3, Index: 2}}: 0,
	}}
}

func (d *double) members() []is12.MemberDescriptor {
	list := []is12.MemberDescriptor{
		{Role: "DeviceManager", Oid: 2, ClassID: is12.ClassDeviceManager, Owner: 1}, {Role: "ClassManager", Oid: 3, ClassID: is12.ClassClassManager, Owner: 1},
		{Role: "stereoGain", Oid: 10, ClassID: is12.ClassBlock, UserLabel: "Left", Owner: 1}, {Role: "gain", Oid: 11, ClassID: gainClass, Owner: 10}}
	if d.extra {
		list = append(list, is12.MemberDescriptor{Role: "gain", Oid: 12, ClassID: gainClass, Owner: 10})
	}
	return list
}

func num(f float64) *float64 { return &f }

func classOfDouble(id is12.ClassID) is12.ClassDescriptor {
	d := is12.ClassDescriptor{ClassID: id, Name: "Nc" + id.String(), Properties: []is12.PropertyDescriptor{
		{ID: is12.PropertyClassID, Name: "classId", TypeName: "NcClassId", IsReadOnly: true}, {ID: is12.PropertyUserLabel, Name: "userLabel", TypeName: "NcString", IsNullable: true}}}
	add := func(level, index uint16, name, typ string, readOnly bool, c *is12.Constraints) {
		d.Properties = append(d.Properties, is12.PropertyDescriptor{ID: is12.ID{Level: level, Index: index}, Name: name, TypeName: typ, IsReadOnly: readOnly, Constraints: c})
	}
	switch {
	case id.IsA(is12.ClassBlock):
		add(2, 1, "enabled", "NcBoolean", true, nil)
		d.Properties = append(d.Properties, is12.PropertyDescriptor{ID: is12.PropertyMembers, Name: "members", TypeName: "NcBlockMemberDescriptor", IsReadOnly: true, IsSequence: true})
	case id.IsA(is12.ClassDeviceManager):
		add(3, 2, "manufacturer", "NcManufacturer", true, nil)
		add(3, 4, "serialNumber", "NcString", true, nil)
		add(3, 6, "deviceName", "NcString", false, nil)
	case id.IsA(gainClass):
		add(2, 1, "enabled", "NcBoolean", false, nil)
		add(3, 1, "gainValue", "Decibel", false, &is12.Constraints{Minimum: num(-80), Maximum: num(12)})
		add(3, 2, "curve", "Curve", false, nil)
		d.Properties = append(d.Properties, is12.PropertyDescriptor{ID: presets, Name: "presets", TypeName: "NcString", IsSequence: true})
	}
	return d
}

var typesOfDouble = map[string]is12.DatatypeDescriptor{
	"Decibel":        {Name: "Decibel", Type: is12.DatatypeTypedef, ParentType: "NcFloat32"},
	"Curve":          {Name: "Curve", Type: is12.DatatypeEnum, Items: []is12.EnumItem{{Name: "Linear", Value: 0}, {Name: "Log Two", Value: 1}}},
	"NcManufacturer": {Name: "NcManufacturer", Type: is12.DatatypeStruct},
}

// call answers one command; the lock is held.
func (d *double) call(c is12.Command) (r is12.Result, changed *is12.Notification) {
	var a struct {
		ID      is12.ID
		Value   json.RawMessage
		ClassID is12.ClassID
		Name    string
	}
	_ = json.Unmarshal(c.Arguments, &a)
	value := func(v any) is12.Result {
		b, _ := json.Marshal(v)
		return is12.Result{Status: is12.StatusOk, Value: b}
	}
	key := propKey{c.Oid, a.ID}
	if d.instead != nil {
		if v, ok := d.instead(c.MethodID); ok {
			return value(v), nil
		}
	}
	switch {
	case c.Oid == is12.RootOid && c.MethodID == is12.MethodGetMemberDescriptors:
		return value(d.members()), nil
	case c.Oid == 3 && c.MethodID == is12.MethodGetControlClass:
		return value(classOfDouble(a.ClassID)), nil
	case c.Oid == 3 && c.MethodID == is12.MethodGetDatatype:
		if t, ok := typesOfDouble[a.Name]; ok {
			return value(t), nil
		}
		return is12.Result{Status: is12.StatusParameterError, ErrorMessage: "no such type"}, nil
	case c.MethodID == is12.MethodGet:
		if v, ok := d.values[key]; ok {
			return value(v), nil
		}
		return is12.Result{Status: is12.StatusPropertyNotImplemented}, nil
	case c.MethodID == is12.MethodSet:
		if a.ID == (is12.ID{Level: 2, Index: 1}) {
			return is12.Result{Status: is12.StatusDeviceError, ErrorMessage: "the relay is stuck"}, nil
		}
		var v any
		_ = json.Unmarshal(a.Value, &v)
		d.values[key] = v
		d.writes++
		return is12.Result{Status: is12.StatusOk}, &is12.Notification{Oid: c.Oid, EventID: is12.PropertyChanged, EventData: is12.EventData{PropertyID: a.ID, Value: a.Value}}
	}
	return is12.Result{Status: is12.StatusMethodNotImplemented}, nil
}

// tell sends a notification to all who have subscribed; the lock is held.
func (d *double) tell(ctx context.Context, n is12.Notification) {
	b, _ := is12.Message{Type: is12.TypeNotification, Notifications: []is12.Notification{n}}.Marshal()
	for c, oids := range d.conns {
		if oids[n.Oid] {
			_ = c.Write(ctx, websocket.MessageText, b)
		}
	}
}

// add makes the device add a preset by itself, and tell of the new one alone.
func (d *double) add(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := propKey{11, presets}
	list := append(slices.Clone(d.values[key].([]string)), name)
	d.values[key] = list
	b, _ := json.Marshal(name)
	at := uint32(len(list) - 1)
	d.tell(context.Background(), is12.Notification{Oid: key.oid, EventID: is12.PropertyChanged,
		EventData: is12.EventData{PropertyID: key.prop, ChangeType: is12.ItemAdded, Value: b, SequenceItemIndex: &at}})
}

// change makes the device change a value by itself.
func (d *double) change(key propKey, v any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.values[key] = v
	b, _ := json.Marshal(v)
	d.tell(context.Background(), is12.Notification{Oid: key.oid, EventID: is12.PropertyChanged, EventData: is12.EventData{PropertyID: key.prop, Value: b}})
}

// ServeHTTP serves one controller.
func (d *double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != is12.Path {
		http.NotFound(w, r)
		return
	}
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow()
	d.mu.Lock()
	d.conns[c] = map[uint32]bool{}
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.conns, c)
	}()
	for {
		_, b, err := c.Read(r.Context())
		if err != nil {
			return
		}
		m, err := is12.Parse(b, 0)
		if err != nil {
			return
		}
		d.mu.Lock()
		var answer is12.Message
		switch m.Type {
		case is12.TypeCommand:
			answer.Type = is12.TypeCommandResponse
			if d.asked != nil {
				d.asked()
			}
			for _, cmd := range m.Commands {
				res, n := d.call(cmd)
				answer.Responses = append(answer.Responses, is12.Response{Handle: cmd.Handle, Result: res})
				if n != nil {
					d.tell(r.Context(), *n)
				}
			}
		case is12.TypeSubscription:
			answer = is12.Message{Type: is12.TypeSubscriptionResponse, Subscriptions: m.Subscriptions}
			clear(d.conns[c])
			answer.Subscriptions = slices.DeleteFunc(slices.Clone(m.Subscriptions), func(o uint32) bool { return o == d.silent })
			for _, o := range answer.Subscriptions {
				d.conns[c][o] = true
			}
		}
		b, _ = answer.Marshal()
		err = c.Write(r.Context(), websocket.MessageText, b)
		d.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Serve serves until ctx ends, and waits for all controllers.
func (d *double) Serve(ctx context.Context, l net.Listener) error {
	var wg sync.WaitGroup
	srv := &http.Server{BaseContext: func(net.Listener) context.Context { return ctx }, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wg.Add(1)
		defer wg.Done()
		d.ServeHTTP(w, r)
	})}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	err := srv.Serve(l)
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
