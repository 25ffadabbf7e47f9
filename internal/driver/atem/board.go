package atem

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/atem"
)

// board is the points of one switcher as the fields that have come make them. Fields are all it knows: a point exists once
// the field about it has come. It is not safe for concurrent use.
type board struct {
	ver      atem.Version
	complete bool // the dump has ended

	points   map[device.Path]*point
	order    []*point // as they appeared
	commands []command
	labels   map[string]device.LabelSet
	seen     switcher

	// What is new since the last change that was taken.
	dirty        []*point
	gone         []device.Path
	dirtyLabels  []string
	dirtyCommand bool
	full         bool // everything is new: the switcher began again

	unknown uint64 // fields that no code of the catalogue explains
	unread  uint64 // fields whose body no layout fits
	fields  uint64
	counted time.Time
}

// point is one point with what is known of it.
type point struct {
	spec   device.Spec
	sample device.Sample
	write  writing     // nil: read-only
	shows  []atem.Code // see def

	newSpec, newSample bool
	gone               bool
}

// writing makes the commands that set a point; it may refuse.
type writing func(b *board, v device.Value) ([]atem.Message, error)

// command is an action with the fields that do it and those that show that it was done.
type command struct {
	device.Command
	do    func(args []device.Value) []atem.Message
	shows []atem.Code
}

// def is what the points of one meaning share.
type def struct {
	kind       device.Kind
	rate       device.Rate
	unit       string
	min, max   float64
	step       float64
	decimals   int
	labels     string
	title, doc string
	role       string
	hazard     string
	grade      string      // of the state; empty: seen
	shows      []atem.Code // fields that show that a write was carried out, when the value that was written may never be reported
}

func newBoard() *board {
	b := &board{points: map[device.Path]*point{}, labels: map[string]device.LabelSet{}, seen: newSwitcher()}
	for _, l := range fixedLabels() {
		b.setLabels(l)
	}
	b.put("_link/fields", &defFields, device.OfInt(0), nil)
	b.put("_link/unknown-fields", &defUnknown, device.OfInt(0), nil)
	return b
}

var (
	defFields = def{kind: device.Int, rate: device.Normal, title: "Fields received", doc: "over this connection"}
	// Unknown fields are kept by nobody but the native server, which passes them on; this counts them.
	defUnknown = def{kind: device.Int, rate: device.Normal, title: "Unknown fields", doc: "fields received whose code, or whose size, is not in the catalogue"}
)

// maxPoints and maxLabels bound what a switcher can make of a board; the largest that is known has 1,500 points.
const (
	maxPoints = 50_000
	maxLabels = 4096
)

// put sets a point and makes it when it is new; w nil makes it read-only. Texts are made valid: switchers have no encoding.
func (b *board) put(path device.Path, d *def, v device.Value, w writing) *point {
	if v.Kind == device.String {
		v = device.OfString(valid(v.Str()))
	}
	p := b.declare(path, d, w)
	if p.sample.Received.IsZero() || !p.sample.Value.Equal(v) {
		p.sample = device.Sample{Path: path, Value: v, Received: time.Now()}
		b.touch(p)
		p.newSample = true
	}
	return p
}

// declare makes a point that has no value yet, if it is new.
func (b *board) declare(path device.Path, d *def, w writing) *point {
	if p := b.points[path]; p != nil {
		return p
	}
	p := &point{write: w, shows: d.shows, newSpec: true, spec: device.Spec{Path: path, Kind: d.kind, Rate: d.rate, Access: device.R, Unit: d.unit, Min: d.min, Max: d.max,
		Step: d.step, Decimals: d.decimals, Labels: d.labels, Title: d.title, Doc: d.doc, Role: d.role, Hazard: d.hazard, Grade: d.grade}}
	p.sample = device.Sample{Path: path, Quality: device.Bad, Reason: device.ReasonNotReported}
	if len(b.points) >= maxPoints {
		b.unread++
		p.gone = true // nobody will hear of it
		return p
	}
	if d.grade == "" {
		p.spec.Grade = device.GradeSeen
	}
	if w != nil {
		p.spec.Access = device.RW
		if p.shows == nil {
			p.spec.Confirm = device.ByNotify
		}
	}
	b.points[path] = p
	b.order = append(b.order, p)
	b.touch(p)
	return p
}

func (b *board) touch(p *point) {
	if p.gone {
		return
	}
	if !p.newSpec && !p.newSample || len(b.dirty) == 0 || b.dirty[len(b.dirty)-1] != p {
		b.dirty = append(b.dirty, p)
	}
}

// attributes sets the switcher's own words for a point.
func (b *board) attributes(p *point, words map[string]string) {
	if !maps.Equal(p.spec.Attributes, words) {
		p.spec.Attributes = words
		p.newSpec = true
		b.touch(p)
	}
}

// remove drops everything under path.
func (b *board) remove(path device.Path) {
	n := len(b.order)
	b.order = slices.DeleteFunc(b.order, func(p *point) bool {
		if p.spec.Path.Under(path) {
			p.gone = true
			delete(b.points, p.spec.Path)
			return true
		}
		return false
	})
	if len(b.order) < n {
		b.gone = append(b.gone, path)
	}
	if c := slices.DeleteFunc(b.commands, func(c command) bool { return c.Path.Under(path) }); len(c) < len(b.commands) {
		b.commands, b.dirtyCommand = c, true
	}
}

// command adds a command unless it is there.
func (b *board) command(c command) {
	if !slices.ContainsFunc(b.commands, func(x command) bool { return x.Path == c.Path }) {
		b.commands = append(b.commands, c)
		b.dirtyCommand = true
	}
}

func (b *board) removeCommand(path device.Path) {
	n := len(b.commands)
	b.commands = slices.DeleteFunc(b.commands, func(c command) bool { return c.Path == path })
	b.dirtyCommand = b.dirtyCommand || len(b.commands) < n
}

func (b *board) setLabels(l device.LabelSet) {
	if old, ok := b.labels[l.ID]; ok && slices.Equal(old.Items, l.Items) {
		return
	}
	b.labels[l.ID] = l
	if !slices.Contains(b.dirtyLabels, l.ID) {
		b.dirtyLabels = append(b.dirtyLabels, l.ID)
	}
}

// label sets one label of a set, which stays sorted by value.
func (b *board) label(set string, l device.Label) {
	l.Text, l.Short = valid(l.Text), valid(l.Short)
	items := b.labels[set].Items
	if len(items) >= maxLabels {
		return
	}
	i, ok := slices.BinarySearchFunc(items, l.Value, func(x device.Label, v int64) int { return int(x.Value - v) })
	switch {
	case ok && items[i] == l:
		return
	case ok:
		items = slices.Clone(items)
		items[i] = l
	default:
		items = slices.Insert(slices.Clone(items), i, l)
	}
	b.setLabels(device.LabelSet{ID: set, Items: items})
}

// feed takes one field.
func (b *board) feed(f *atem.Field) {
	b.fields++
	switch h, ok := handlers[f.Code]; {
	case ok && !h(b, f.Body):
		b.unread++
	case !ok && !known(f.Code):
		b.unknown++
	}
}

// countEvery is how often the counters are told; they change with every packet.
const countEvery = time.Second

// count brings the counters of fields into their points, unless that was done a moment ago.
func (b *board) count() {
	now := time.Now()
	if now.Sub(b.counted) < countEvery {
		return
	}
	b.counted = now
	b.put("_link/fields", &defFields, device.OfInt(int64(b.fields)), nil)
	b.put("_link/unknown-fields", &defUnknown, device.OfInt(int64(b.unknown+b.unread)), nil)
}

// take is what has changed since the last call; nil when nothing has.
func (b *board) take() *driver.Change {
	if b.full {
		return b.all()
	}
	if len(b.dirty) == 0 && len(b.gone) == 0 && len(b.dirtyLabels) == 0 && !b.dirtyCommand {
		return nil
	}
	c := &driver.Change{Gone: b.gone}
	for _, p := range b.dirty {
		if p.gone {
			continue
		}
		if p.newSpec {
			c.Specs = append(c.Specs, p.spec)
		}
		if p.newSample {
			c.Samples = append(c.Samples, p.sample)
		}
		p.newSpec, p.newSample = false, false
	}
	for _, id := range b.dirtyLabels {
		c.Labels = append(c.Labels, b.labels[id])
	}
	if b.dirtyCommand {
		c.Commands = b.deviceCommands()
	}
	b.clean()
	return c
}

// all is everything, as a full change.
func (b *board) all() *driver.Change {
	c := &driver.Change{Full: true, Commands: b.deviceCommands()}
	for _, p := range b.order {
		c.Specs = append(c.Specs, p.spec)
		if !p.sample.Received.IsZero() {
			c.Samples = append(c.Samples, p.sample)
		}
		p.newSpec, p.newSample = false, false
	}
	for _, id := range slices.Sorted(maps.Keys(b.labels)) {
		c.Labels = append(c.Labels, b.labels[id])
	}
	b.clean()
	return c
}

func (b *board) deviceCommands() []device.Command {
	out := make([]device.Command, 0, len(b.commands))
	for i := range b.commands {
		out = append(out, b.commands[i].Command)
	}
	return out
}

func (b *board) clean() {
	b.dirty, b.gone, b.dirtyLabels, b.dirtyCommand, b.full = b.dirty[:0], nil, nil, false, false
}

// valid is a text of the switcher as text.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// number is a path segment of something that the protocol counts from 0.
func number[T ~uint8 | ~uint16 | ~int](n T) string { return strconv.Itoa(int(n) + 1) }
