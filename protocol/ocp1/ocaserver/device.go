package ocaserver

import (
	"context"
	"slices"
	"sync"

	"github.com/patchbay-io/patchbay/protocol/ocp1"
)

// Info is what the device manager says about the device.
type Info struct {
	Model    ocp1.ModelDescription
	GUID     ocp1.ModelGUID
	Serial   string
	Name     string // given by people
	Role     string
	Revision string
}

// Device is a tree of objects with their values. All methods, and those of its objects, may be called at the same time, also
// while it is served.
type Device struct {
	mu      sync.RWMutex // of everything that objects hold
	objects map[ocp1.ONo]*Object
	next    ocp1.ONo
	root    *Block
	info    Info
}

// NewDevice makes a device with the mandatory objects: device manager (1), subscription manager (4) and an empty root block (100).
// Objects of the program are numbered from 4096 on, in the order in which they are made.
func NewDevice(info Info) *Device {
	d := &Device{objects: map[ocp1.ONo]*Object{}, next: ocp1.FirstONo, info: info}
	manager := d.make(ocp1.DeviceManagerONo, ocp1.ClassDeviceManager, "DeviceManager", nil)
	manager.own = deviceManager(d)
	d.publish(manager)
	subs := d.make(ocp1.SubscriptionManagerONo, ocp1.ClassSubscriptionManager, "SubscriptionManager", nil)
	subs.own = subscriptionManager()
	d.publish(subs)
	d.root = d.addBlock(ocp1.RootBlockONo, "Root", nil)
	return d
}

// SetInfo changes what the device manager says.
func (d *Device) SetInfo(info Info) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.info = info
}

func (d *Device) getInfo() Info {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.info
}

// Root is the root block.
func (d *Device) Root() *Block { return d.root }

// Len is the number of objects.
func (d *Device) Len() int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return len(d.objects)
}

// make makes an object that is not in the device yet; ono 0 takes the next free number.
func (d *Device) make(ono ocp1.ONo, class ocp1.ClassID, role string, owner *Block) *Object {
	d.mu.Lock()
	defer d.mu.Unlock()
	if ono == 0 {
		ono = d.next
		d.next++
	}
	o := &Object{device: d, ono: ono, class: ocp1.ClassIdentification{Class: class, Version: 2}, role: role, owner: owner, enabled: true}
	if c, ok := ocp1.ClassByID(class); ok {
		o.class.Version = c.Version
	}
	return o
}

// publish puts a finished object into the device.
func (d *Device) publish(o *Object) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.objects[o.ono] = o
	if o.owner != nil {
		o.owner.members = append(o.owner.members, o)
		o.owner.membersChanged()
	}
}

func (d *Device) addBlock(ono ocp1.ONo, role string, owner *Block) *Block {
	b := &Block{Object: d.make(ono, ocp1.ClassBlock, role, owner)}
	b.block, b.own = b, b.methods()
	d.publish(b.Object)
	return b
}

// Object finds an object by its number.
func (d *Device) Object(ono ocp1.ONo) (*Object, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	o, ok := d.objects[ono]
	return o, ok
}

// Object is one object of a device.
type Object struct {
	device *Device
	ono    ocp1.ONo
	class  ocp1.ClassIdentification
	role   string
	owner  *Block
	block  *Block // the object itself, when it is one

	own    map[ocp1.ID]method // what the object adds to the methods that all have
	custom CallFunc           // instead of own
	raw    CallFunc           // instead of everything

	// Guarded by device.mu.
	label   string
	enabled bool
	locked  ocp1.LockState
	holder  *Conn // of the lock
	subs    []*subscription
}

// method answers one method: it reads its parameters from p and appends what it returns to b.
type method struct {
	writes bool // a lock of another controller forbids it
	in     uint8
	call   func(ctx context.Context, c *Conn, p *ocp1.Params, b []byte) (out []byte, values uint8, err error)
}

// ONo is the object's number.
func (o *Object) ONo() ocp1.ONo { return o.ono }

// Class is the object's class.
func (o *Object) Class() ocp1.ClassIdentification { return o.class }

// Role is what the object is for in its block.
func (o *Object) Role() string { return o.role }

var (
	propLockState = ocp1.ID{Level: 1, Index: 6}
	propEnabled   = ocp1.ID{Level: 2, Index: 1}
	propLabel     = ocp1.ID{Level: 2, Index: 3}
	propMembers   = ocp1.ID{Level: 3, Index: 2}
)

// Subscriptions is how many subscriptions controllers have to the object.
func (o *Object) Subscriptions() int {
	o.device.mu.RLock()
	defer o.device.mu.RUnlock()
	return len(o.subs)
}

// SetLabel changes the label, which people give, and tells subscribers.
func (o *Object) SetLabel(label string) {
	o.device.mu.Lock()
	defer o.device.mu.Unlock()
	if o.label != label {
		o.label = label
		o.changed(propLabel, ocp1.AppendString(nil, label))
	}
}

// SetEnabled tells whether the object is in use now.
func (o *Object) SetEnabled(on bool) {
	o.device.mu.Lock()
	defer o.device.mu.Unlock()
	if o.enabled != on {
		o.enabled = on
		o.changed(propEnabled, ocp1.AppendBool(nil, on))
	}
}

// changed tells subscribers; the device is locked, and value is not used again.
func (o *Object) changed(prop ocp1.ID, value []byte) {
	if len(o.subs) == 0 {
		return
	}
	o.announce(prop, ocp1.PropertyChange{Property: prop, Value: value, Change: ocp1.CurrentChanged}.Append(make([]byte, 0, 5+len(value))))
}

// announce tells subscribers of a change of the property, encoded; the device is locked, and data is not used again.
func (o *Object) announce(prop ocp1.ID, data []byte) {
	for _, s := range o.subs {
		if s.only == (ocp1.ID{}) || s.only == prop {
			s.conn.post(s, prop, data)
		}
	}
}

// Remove takes the object out of the device, and everything below it when it is a block. Its number is not given again.
func (o *Object) Remove() {
	o.device.mu.Lock()
	defer o.device.mu.Unlock()
	if o.owner == nil || o.device.objects[o.ono] != o {
		return
	}
	o.owner.members = slices.DeleteFunc(o.owner.members, func(m *Object) bool { return m == o })
	o.forget()
	o.owner.membersChanged()
}

// forget takes out o and what is below; the device is locked.
func (o *Object) forget() {
	if o.block != nil {
		for _, m := range o.block.members {
			m.forget()
		}
	}
	delete(o.device.objects, o.ono)
	for _, s := range o.subs {
		s.conn.unsubscribed(s)
	}
	o.subs = nil
}

// getter is a method that takes nothing and returns one value.
func getter(put func(b []byte) []byte) method {
	return method{call: func(_ context.Context, _ *Conn, _ *ocp1.Params, b []byte) ([]byte, uint8, error) {
		return put(b), 1, nil
	}}
}

// deviceManager are the methods of object 1.
func deviceManager(d *Device) map[ocp1.ID]method {
	text := func(of func(Info) string) method {
		return getter(func(b []byte) []byte { return ocp1.AppendString(b, of(d.getInfo())) })
	}
	nothing := func(Info) string { return "" }
	m := func(index uint16) ocp1.ID { return ocp1.ID{Level: 3, Index: index} }
	return map[ocp1.ID]method{
		m(1): getter(func(b []byte) []byte { return ocp1.AppendU16(b, 2) }),
		m(2): getter(func(b []byte) []byte {
			guid := d.getInfo().GUID
			return append(b, guid[:]...)
		}),
		m(3):  text(func(i Info) string { return i.Serial }),
		m(4):  text(func(i Info) string { return i.Name }),
		m(5):  denied(1),
		m(6):  getter(func(b []byte) []byte { return ocp1.AppendModelDescription(b, d.getInfo().Model) }),
		m(7):  text(func(i Info) string { return i.Role }),
		m(8):  denied(1),
		m(9):  text(nothing),
		m(10): denied(1),
		m(11): getter(func(b []byte) []byte { return ocp1.AppendBool(b, true) }),
		m(12): denied(1),
		m(13): getter(func(b []byte) []byte { return ocp1.AppendU16(b, uint16(ocp1.DeviceOperational)) }),
		m(15): getter(func(b []byte) []byte { return append(b, 0) }), // power on
		m(16): denied(0),
		m(17): text(nothing),
		m(18): denied(1),
		m(19): getter(func(b []byte) []byte { return ocp1.AppendList(b, d.managers(), ocp1.AppendManagerDescriptor) }),
		m(20): text(func(i Info) string { return i.Revision }),
	}
}

func (d *Device) managers() []ocp1.ManagerDescriptor {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var list []ocp1.ManagerDescriptor
	for _, ono := range []ocp1.ONo{ocp1.DeviceManagerONo, ocp1.SubscriptionManagerONo} {
		o := d.objects[ono]
		list = append(list, ocp1.ManagerDescriptor{ONo: ono, Name: o.role, Class: o.class.Class, Version: o.class.Version})
	}
	return list
}
