package ocaclient

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/patchbay-io/patchbay/protocol/ocp1"
)

// MaxObjects is how many objects [Client.Tree] takes from a device.
const MaxObjects = 1 << 16

// ErrTooMany is the error of a device with more than [MaxObjects] objects.
var ErrTooMany = fmt.Errorf("the device has more than %d objects", MaxObjects)

// Object is one object of a device's tree.
type Object struct {
	ONo     ocp1.ONo
	Class   ocp1.ClassIdentification
	Role    string // what it is for in its block; empty when the device does not say
	Parent  *Object
	Members []*Object // of a block, in the device's order
}

// RolePath is the roles from below the root block to the object, with slashes between: "Input1/Air". It is empty for the root block.
func (o *Object) RolePath() string {
	var roles []string
	for ; o.Parent != nil; o = o.Parent {
		roles = append(roles, o.Role)
	}
	var b strings.Builder
	for i := len(roles) - 1; i >= 0; i-- {
		b.WriteString(roles[i])
		if i > 0 {
			b.WriteByte('/')
		}
	}
	return b.String()
}

// Walk calls f for o and everything below it, blocks before their members, until f returns false.
func (o *Object) Walk(f func(*Object) bool) bool {
	if !f(o) {
		return false
	}
	for _, m := range o.Members {
		if !m.Walk(f) {
			return false
		}
	}
	return true
}

// Tree asks for the tree of objects from the root block on, level by level: the members of all blocks of a level in few
// messages, then the roles of all that were found. An object that appears a second time is left out there.
func (c *Client) Tree(ctx context.Context) (*Object, error) {
	root := &Object{ONo: ocp1.RootBlockONo, Class: ocp1.ClassIdentification{Class: ocp1.ClassBlock}}
	seen := map[ocp1.ONo]bool{root.ONo: true}
	for level := []*Object{root}; len(level) > 0; {
		found, err := c.members(ctx, level, seen)
		if err != nil {
			return nil, err
		}
		if err := c.roles(ctx, found); err != nil {
			return nil, err
		}
		level = level[:0]
		for _, o := range found {
			if o.Class.Class.IsA(ocp1.ClassBlock) {
				level = append(level, o)
			}
		}
	}
	return root, nil
}

// members asks the blocks what is in them.
func (c *Client) members(ctx context.Context, blocks []*Object, seen map[ocp1.ONo]bool) ([]*Object, error) {
	calls := make([]Call, len(blocks))
	for i, b := range blocks {
		calls[i] = Call{Target: b.ONo, Method: ocp1.ID{Level: 3, Index: 5}}
	}
	if err := c.DoAll(ctx, calls); err != nil {
		return nil, err
	}
	var found []*Object
	for i, b := range blocks {
		if err := calls[i].Err; err != nil {
			if b.Parent == nil {
				return nil, fmt.Errorf("oca %s: members of the root block: %w", c.name, err)
			}
			continue // a block that does not say what is in it is shown empty
		}
		p := ocp1.NewParams("GetMembers", calls[i].Values)
		list := ocp1.ListOf(&p, "Members", p.ObjectIdentification)
		if err := p.End(); err != nil {
			return nil, fmt.Errorf("oca %s: members of block %d: %w", c.name, b.ONo, err)
		}
		for _, m := range list {
			if seen[m.ONo] {
				continue
			}
			if seen[m.ONo] = true; len(seen) > MaxObjects {
				return nil, fmt.Errorf("oca %s: %w", c.name, ErrTooMany)
			}
			o := &Object{ONo: m.ONo, Class: m.Class, Parent: b}
			b.Members = append(b.Members, o)
			found = append(found, o)
		}
	}
	return found, nil
}

func (c *Client) roles(ctx context.Context, objects []*Object) error {
	calls := make([]Call, len(objects))
	for i, o := range objects {
		calls[i] = Call{Target: o.ONo, Method: ocp1.ID{Level: 1, Index: 5}}
	}
	if err := c.DoAll(ctx, calls); err != nil {
		return err
	}
	for i, o := range objects {
		if calls[i].Err != nil {
			continue
		}
		p := ocp1.NewParams("GetRole", calls[i].Values)
		o.Role = p.String("Role")
		if err := p.End(); err != nil {
			return fmt.Errorf("oca %s: role of object %d: %w", c.name, o.ONo, err)
		}
	}
	return nil
}

// Model asks what the device is.
func (c *Client) Model(ctx context.Context) (ocp1.ModelDescription, error) {
	b, err := c.Do(ctx, ocp1.DeviceManagerONo, ocp1.ID{Level: 3, Index: 6}, 0, nil)
	if err != nil {
		return ocp1.ModelDescription{}, err
	}
	p := ocp1.NewParams("GetModelDescription", b)
	m := p.ModelDescription("Description")
	return m, p.End()
}

// DeviceText asks the device manager for one of its texts: 3.3 is the serial number, 3.4 the device name, 3.7 the role, 3.20 the
// revision. A device that does not have it gives an empty text.
func (c *Client) DeviceText(ctx context.Context, method ocp1.ID) (string, error) {
	b, err := c.Do(ctx, ocp1.DeviceManagerONo, method, 0, nil)
	var no *ocp1.Error
	if errors.As(err, &no) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	p := ocp1.NewParams("device manager", b)
	s := p.String("text")
	return s, p.End()
}
