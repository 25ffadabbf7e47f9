package is12

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/is12"
	"github.com/patchbay-io/patchbay/protocol/is12/is12client"
)

// session is one conversation with one device.
type session struct {
	client *is12client.Client
	target string
	poll   time.Duration
	wake   chan struct{} // of size 1: renew or stale is for Watch

	mu    sync.Mutex
	board *board
	sink  driver.Sink     // nil: nobody watches
	renew bool            // the members of a block have changed
	stale map[*point]bool // sequences of which the device has told a part, which are asked for as a whole
}

// batch is how many commands travel in one message.
const batch = 100

// survey asks for the tree, the classes and all values.
func (s *session) survey(ctx context.Context) error {
	members, err := s.client.Members(ctx, is12.RootOid, true)
	if err != nil {
		return err
	}
	c := s.classes(ctx, members)
	if err := s.over(ctx); err != nil {
		return err
	}
	if c.room < 0 {
		return errClasses
	}
	b := newBoard()
	byOwner := map[uint32][]*is12.MemberDescriptor{}
	for i := range members {
		byOwner[members[i].Owner] = append(byOwner[members[i].Owner], &members[i])
		b.oids = append(b.oids, members[i].Oid)
		if members[i].ClassID.IsA(is12.ClassBlock) {
			b.blocks[members[i].Oid] = true
		}
	}
	b.members(is12.RootOid, "", byOwner, c, 0)
	if b.room < 0 {
		return errLarge
	}
	told, err := s.client.Subscribe(ctx, b.oids...)
	if err != nil {
		return err
	}
	for _, o := range told {
		b.told[o] = true
	}
	for _, pt := range b.list {
		if !b.told[pt.oid] && pt.spec.Confirm == device.ByNotify {
			pt.spec.Confirm = device.ByReadBack
		}
	}
	s.mu.Lock()
	s.board = b
	clear(s.stale)
	s.mu.Unlock()
	return s.refresh(ctx, b.list)
}

// maxDepth is how deep blocks may be nested; it also ends circles.
const maxDepth = 16

func (b *board) members(owner uint32, at device.Path, byOwner map[uint32][]*is12.MemberDescriptor, c *classes, depth int) {
	if depth > maxDepth {
		return
	}
	list := byOwner[owner]
	names := make([]string, len(list))
	for i, m := range list {
		names[i] = kebab(m.Role)
	}
	for i, seg := range device.Slugs(names) {
		path := at.Child(seg)
		b.object(path, list[i], c.class[list[i].ClassID.String()], c)
		if list[i].ClassID.IsA(is12.ClassBlock) {
			b.members(list[i].Oid, path, byOwner, c, depth+1)
		}
	}
}

// classes asks the class manager for the classes of the members, and for the datatypes that are not plain. What it does not tell is not
// shown.
func (s *session) classes(ctx context.Context, members []is12.MemberDescriptor) *classes {
	c := &classes{room: maxClasses, class: map[string]is12.ClassDescriptor{}, types: map[string]is12.DatatypeDescriptor{}}
	manager := uint32(0)
	for i := range members {
		if members[i].ClassID.IsA(is12.ClassClassManager) {
			manager = members[i].Oid
		}
	}
	if manager == 0 {
		return c
	}
	for i := range members {
		id := members[i].ClassID.String()
		if _, known := c.class[id]; known {
			continue
		}
		d, err := s.client.Class(ctx, manager, members[i].ClassID)
		if s.client.Err() != nil || ctx.Err() != nil {
			return c
		}
		c.class[id] = d
		c.room -= 256 + len(d.Name)
		for i := range d.Properties {
			p := &d.Properties[i]
			c.room -= 128 + len(p.Description) + len(p.Name) + len(p.TypeName)
		}
		if c.room < 0 {
			return c
		}
		if err != nil {
			continue
		}
		for _, p := range d.Properties {
			if s.datatype(ctx, manager, p.TypeName, c); c.room < 0 {
				return c
			}
		}
	}
	return c
}

func (s *session) datatype(ctx context.Context, manager uint32, name string, c *classes) {
	for range 8 {
		if _, known := c.types[name]; known || plain[name] != 0 || name == "" {
			return
		}
		d, err := s.client.Datatype(ctx, manager, name)
		if s.client.Err() != nil || ctx.Err() != nil {
			return
		}
		c.room -= 256 + len(d.Name) + len(d.ParentType)
		for i := range d.Items {
			c.room -= 64 + len(d.Items[i].Name) + len(d.Items[i].Description)
		}
		if c.types[name] = d; err != nil || d.Type != is12.DatatypeTypedef {
			return
		}
		name = d.ParentType
	}
}

// ask reads the properties of points, many in one message, and gives each result to take, which is called with the lock held.
func (s *session) ask(ctx context.Context, points []*point, take func(i int, r is12.Result)) error {
	for from := 0; from < len(points); from += batch {
		part := points[from:min(from+batch, len(points))]
		commands := make([]is12.Command, len(part))
		for i, pt := range part {
			args, err := json.Marshal(map[string]is12.ID{"id": pt.prop})
			if err != nil {
				return err
			}
			commands[i] = is12.Command{Oid: pt.oid, MethodID: is12.MethodGet, Arguments: args}
		}
		results, err := s.client.Do(ctx, commands...)
		if err != nil {
			return err
		}
		s.mu.Lock()
		for i, r := range results {
			take(from+i, r)
		}
		s.mu.Unlock()
	}
	return nil
}

func (pt *point) result(r is12.Result, now time.Time) {
	if r.Status.OK() {
		pt.take(r.Value, now)
	} else {
		pt.refuse(r.Status, now)
	}
}

func (s *session) refresh(ctx context.Context, points []*point) error {
	return s.ask(ctx, points, func(i int, r is12.Result) {
		if points[i].sample.Received.IsZero() { // else an event has come since the question
			points[i].result(r, time.Now())
		}
	})
}

// over is why nothing can be asked any more; nil while it can.
func (s *session) over(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.client.Err()
}

// Abilities: what is not read-only can be written.
func (s *session) Abilities() driver.Abilities { return driver.Abilities{Writer: s} }

// Close ends the session.
func (s *session) Close() error { return s.client.Close() }

// Read asks the device.
func (s *session) Read(ctx context.Context, paths []device.Path) ([]device.Sample, error) {
	if err := s.over(ctx); err != nil {
		return nil, wrap("read", s.target, err)
	}
	out := make([]device.Sample, len(paths))
	var points []*point
	var places []int
	s.mu.Lock()
	for i, p := range paths {
		if pt := s.board.byPath[p]; pt != nil {
			points, places = append(points, pt), append(places, i)
		} else {
			out[i] = device.Sample{Path: p, Quality: device.Bad, Reason: device.ReasonUnsupported, Received: time.Now()}
		}
	}
	s.mu.Unlock()
	err := s.ask(ctx, points, func(i int, r is12.Result) {
		shown := *points[i] // what the device tells by itself may be newer than this answer
		shown.room = nil
		shown.result(r, time.Now())
		out[places[i]] = shown.sample
	})
	if err != nil {
		return nil, wrap("read", s.target, err)
	}
	return out, nil
}
