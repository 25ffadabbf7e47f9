package ocaclient

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/patchbay-io/patchbay/protocol/ocp1"
)

// What [Client.Tree] takes from a device at most. The largest that is known of has some thousands of objects, eight blocks deep.
const (
	MaxObjects = 1 << 16
	MaxDepth   = 64       // of blocks in blocks
	MaxTree    = 16 << 20 // bytes of members and roles
)

// What a device has too much of. Its bytes are an [ErrTooMuch].
var (
	ErrTooMany = fmt.Errorf("the device has more than %d objects", MaxObjects)
	ErrTooDeep = fmt.Errorf("the device has blocks that are nested more than %d deep", MaxDepth)
)

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
	s := survey{c: c, seen: map[ocp1.ONo]bool{root.ONo: true}}
	depth := 0
	for level := []*Object{root}; len(level) > 0; depth++ {
		if depth > MaxDepth {
			return nil, fmt.Errorf("oca %s: %w", c.name, ErrTooDeep)
		}
		found, err := s.members(ctx, level)
		if err != nil {
			return nil, err
		}
		if err := s.roles(ctx, found); err != nil {
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

// survey is one Tree.
type survey struct {
	c     *Client
	seen  map[ocp1.ONo]bool
	bytes int // of the answers so far
}

// ask asks one object after the other for the same thing and gives each answer to take, in order. How much a level may be asked for at a
// time is bounded, and what has come is looked through before more is asked for: a device that has no end is noticed early.
func (s *survey) ask(ctx context.Context, objects []*Object, method ocp1.ID, take func(o *Object, call *Call) error) error {
	calls := make([]Call, 0, min(len(objects), askAtOnce))
	for len(objects) > 0 {
		part := objects[:min(len(objects), askAtOnce)]
		objects, calls = objects[len(part):], calls[:0]
		for _, o := range part {
			calls = append(calls, Call{Target: o.ONo, Method: method})
		}
		if err := s.c.DoAll(ctx, calls); err != nil {
			return err
		}
		for i, o := range part {
			if s.bytes += len(calls[i].Values); s.bytes > MaxTree {
				return fmt.Errorf("oca %s: %w: more than %d bytes of members and roles", s.c.name, ErrTooMuch, MaxTree)
			}
			if err := take(o, &calls[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// askAtOnce is how many objects of a level are asked before the answers are looked at.
const askAtOnce = 4096

// members asks the blocks what is in them.
func (s *survey) members(ctx context.Context, blocks []*Object) (found []*Object, err error) {
	err = s.ask(ctx, blocks, ocp1.ID{Level: 3, Index: 5}, func(b *Object, call *Call) error {
		if call.Err != nil {
			if b.Parent == nil {
				return fmt.Errorf("oca %s: members of the root block: %w", s.c.name, call.Err)
			}
			return nil // a block that does not say what is in it is shown empty
		}
		p := ocp1.NewParams("GetMembers", call.Values)
		list := ocp1.ListOf(&p, "Members", p.ObjectIdentification)
		if err := p.End(); err != nil {
			return fmt.Errorf("oca %s: members of block %d: %w", s.c.name, b.ONo, err)
		}
		for _, m := range list {
			if s.seen[m.ONo] {
				continue
			}
			if s.seen[m.ONo] = true; len(s.seen) > MaxObjects {
				return fmt.Errorf("oca %s: %w", s.c.name, ErrTooMany)
			}
			o := &Object{ONo: m.ONo, Class: m.Class, Parent: b}
			b.Members = append(b.Members, o)
			found = append(found, o)
		}
		return nil
	})
	return found, err
}

func (s *survey) roles(ctx context.Context, objects []*Object) error {
	return s.ask(ctx, objects, ocp1.ID{Level: 1, Index: 5}, func(o *Object, call *Call) error {
		if call.Err != nil {
			return nil
		}
		p := ocp1.NewParams("GetRole", call.Values)
		o.Role = p.String("Role")
		if err := p.End(); err != nil {
			return fmt.Errorf("oca %s: role of object %d: %w", s.c.name, o.ONo, err)
		}
		return nil
	})
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
