package ocaserver

import (
	"context"
	"math"
	"slices"

	"github.com/patchbay-io/patchbay/protocol/ocp1"
)

// Block is an object that holds others.
type Block struct {
	*Object
	members []*Object // guarded by device.mu
}

// Block makes a block in the block.
func (b *Block) Block(role string) *Block { return b.device.addBlock(0, role, b) }

// CallFunc answers the commands of a [Block.Custom] object with count encoded values. An error that is an *[ocp1.Error] goes out
// with its status, any other as ProcessingFailed.
type CallFunc func(ctx context.Context, c *Conn, cmd ocp1.Command) (count uint8, values []byte, err error)

// Custom makes an object of any class, whose methods above level 2 are answered by call. Each call has a goroutine of its own and
// may wait as long as ctx, which ends with the connection.
func (b *Block) Custom(class ocp1.ClassIdentification, role string, call CallFunc) *Object {
	o := b.device.make(0, class.Class, role, b)
	o.class, o.custom = class, call
	b.device.publish(o)
	return o
}

// Raw puts an object with the number into the device, in the place of another with that number. It is a member of no block: call
// answers all its commands, those of every object included, and must not block. Its subscribers hear what [Object.Announce] is given.
func (d *Device) Raw(ono ocp1.ONo, class ocp1.ClassIdentification, call CallFunc) *Object {
	o := d.make(ono, class.Class, "", nil)
	o.class, o.raw = class, call
	d.publish(o)
	return o
}

// Announce tells subscribers of a change.
func (o *Object) Announce(change ocp1.PropertyChange) {
	o.device.mu.Lock()
	defer o.device.mu.Unlock()
	o.announce(change.Property, change.Append(nil))
}

func (b *Block) appendMembers(to []byte) []byte {
	return ocp1.AppendList(to, b.members, func(to []byte, m *Object) []byte {
		return ocp1.AppendObjectIdentification(to, ocp1.ObjectIdentification{ONo: m.ono, Class: m.class})
	})
}

// membersChanged tells subscribers; the device is locked.
func (b *Block) membersChanged() {
	if len(b.subs) > 0 { // the list may be long
		b.changed(propMembers, b.appendMembers(nil))
	}
}

// walk calls f with each member, and with theirs when deep is set, in order of the tree; the device is locked.
func (b *Block) walk(deep bool, f func(*Object)) {
	for _, m := range b.members {
		f(m)
		if deep && m.block != nil {
			m.block.walk(deep, f)
		}
	}
}

func (b *Block) methods() map[ocp1.ID]method {
	noMap := getter(func(to []byte) []byte { return ocp1.AppendU16(to, 0) })
	return map[ocp1.ID]method{
		{Level: 3, Index: 1}: getter(func(to []byte) []byte { return ocp1.AppendU32(to, 1) }),
		{Level: 3, Index: 5}: b.reading(b.appendMembers),
		{Level: 3, Index: 6}: b.reading(func(to []byte) []byte {
			var list []ocp1.BlockMember
			b.walk(true, func(m *Object) {
				list = append(list, ocp1.BlockMember{Object: ocp1.ObjectIdentification{ONo: m.ono, Class: m.class}, Container: m.owner.ono})
			})
			return ocp1.AppendList(to, list, ocp1.AppendBlockMember)
		}),
		{Level: 3, Index: 9}:            noMap, // no signal paths
		{Level: 3, Index: 10}:           noMap,
		{Level: 3, Index: 16}:           noMap, // the numbers of no prototype
		ocp1.MethodFindByRole:           b.searching(func(o *Object) string { return o.role }, false),
		ocp1.MethodFindByRoleRecursive:  b.searching(func(o *Object) string { return o.role }, true),
		ocp1.MethodFindByLabelRecursive: b.searching(func(o *Object) string { return o.label }, true),
		ocp1.MethodFindByPath:           b.searchingPath(),
	}
}

// searching is a method that finds objects by a name.
func (b *Block) searching(name func(*Object) string, deep bool) method {
	return method{in: ocp1.SearchParams, call: func(_ context.Context, _ *Conn, p *ocp1.Params, to []byte) ([]byte, uint8, error) {
		s := p.Search()
		switch {
		case p.End() != nil:
			return to, 0, status(ocp1.StatusBadFormat)
		case !s.Comparison.Valid():
			return to, 0, status(ocp1.StatusParameterOutOfRange)
		}
		b.device.mu.RLock()
		defer b.device.mu.RUnlock()
		var found []*Object
		b.walk(deep, func(o *Object) {
			if s.Comparison.Match(name(o), s.Name) && (s.Class.Len() == 0 || o.class.Class.IsA(s.Class)) {
				found = append(found, o)
			}
		})
		return appendFound(to, found, s.Want)
	}}
}

// searchingPath is the method that finds objects by the roles on the way to them.
func (b *Block) searchingPath() method {
	return method{in: ocp1.PathSearchParams, call: func(_ context.Context, _ *Conn, p *ocp1.Params, to []byte) ([]byte, uint8, error) {
		s := p.PathSearch()
		if p.End() != nil {
			return to, 0, status(ocp1.StatusBadFormat)
		}
		b.device.mu.RLock()
		defer b.device.mu.RUnlock()
		at, found := []*Object{b.Object}, []*Object(nil)
		for _, role := range s.Path {
			found = nil
			for _, o := range at {
				if o.block != nil {
					found = append(found, slices.DeleteFunc(slices.Clone(o.block.members), func(m *Object) bool { return m.role != role })...)
				}
			}
			at = found
		}
		return appendFound(to, found, s.Want)
	}}
}

// appendFound appends what was found; the device is locked.
func appendFound(to []byte, found []*Object, want ocp1.SearchFlags) ([]byte, uint8, error) {
	if len(found) > math.MaxUint16 { // a list has no more items
		return to, 0, status(ocp1.StatusBufferOverflow)
	}
	return ocp1.AppendList(to, found, func(to []byte, o *Object) []byte {
		r := ocp1.SearchResult{ONo: o.ono, Class: o.class, Role: o.role, Label: o.label}
		for up := o.owner; up != nil; up = up.owner {
			r.ContainerPath = append(r.ContainerPath, up.ono)
		}
		slices.Reverse(r.ContainerPath)
		return ocp1.AppendSearchResult(to, r.Only(want))
	}), 1, nil
}
