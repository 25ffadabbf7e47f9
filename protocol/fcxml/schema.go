package fcxml

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Schema is what a device has: its controls in the order of its document, found by number or by path. It never changes.
//
// A path says what a control is: "inputs/analogue-1/air", "outputs/monitor-output-1/gain", "mixer/mixes/a/inputs/3/gain",
// "monitoring/dim". It is made of the names of elements, of their attribute name, and of their place among equals where they
// have none, so that it stays the same when the numbers do not.
type Schema struct {
	ID      string // of this arrival; another after the device was plugged in again
	Model   string // "Scarlett 18i20"
	Class   string // "Scarlett", "Clarett"
	Serial  string // what state should be kept by
	Version string
	Root    *Element // the device element

	Items []Item // in document order

	byID   map[uint32]int
	byPath map[string]int
}

// Item is one control, or one source.
type Item struct {
	ID      uint32
	Path    string
	Kind    Kind
	Enum    []string // the only legal values, in the device's order; nil: none are named
	Element *Element
	Parent  *Element
	Group   *Element // the channel or slot that it belongs to; the device where there is none

	left int // place of the same control of the left channel of its pair, -1: this is no right channel
	pair int // place of the control that says whether the pair is linked, -1: none does
}

// Name is the device's own word for the control: the element's name.
func (it *Item) Name() string { return it.Element.Name }

// Resting is the value that a server does not report because it is the usual one; ok is false when there is none.
func (it *Item) Resting() (value string, ok bool) { return sparse(it) }

// Errors of a schema.
var (
	ErrNotADevice = errors.New("the element is no device")
	ErrTwice      = errors.New("a number stands for two controls")
	ErrLongPath   = fmt.Errorf("the path of a control is longer than %d bytes", MaxPath)
)

// MaxPath is the longest path in bytes; those seen have up to 45. Every control below a long name has a path of its own, so that
// a device of 1 MiB could ask for thousands of times as much.
const MaxPath = 512

// NewSchema reads the element of a device. Items with a number that is none are left out, as is number 0, which servers use
// for something else.
func NewSchema(device *Element) (*Schema, error) {
	if device == nil || device.Name != "device" || device.Attr("id") == "" {
		return nil, ErrNotADevice
	}
	n := count(device)
	s := &Schema{ID: device.Attr("id"), Model: device.Attr("model"), Class: device.Attr("class"), Serial: device.Attr("serial-number"),
		Version: device.Attr("version"), Root: device,
		Items: make([]Item, 0, n), byID: make(map[uint32]int, n), byPath: make(map[string]int, n)}
	w := walk{s: s, next: map[string]int{}}
	if err := w.children(device, "", device); err != nil {
		return nil, err
	}
	return s, nil
}

func count(e *Element) int {
	n := 0
	for _, c := range e.Children {
		if _, ok := c.Lookup("id"); ok {
			n++
		}
		n += count(c)
	}
	return n
}

// ByID finds a control by its number; nil when there is none.
func (s *Schema) ByID(id uint32) *Item {
	if i, ok := s.byID[id]; ok {
		return &s.Items[i]
	}
	return nil
}

// ByPath finds a control by its path; nil when there is none.
func (s *Schema) ByPath(path string) *Item {
	if i, ok := s.byPath[path]; ok {
		return &s.Items[i]
	}
	return nil
}

// Left gives, for a control of the right channel of a pair, the same control of the left one and the control that says
// whether the two are linked. While they are, the left one counts for both and the server ignores writes to the right one.
func (s *Schema) Left(it *Item) (left, linked *Item, ok bool) {
	if it.left < 0 || it.pair < 0 {
		return nil, nil, false
	}
	return &s.Items[it.left], &s.Items[it.pair], true
}

// Sources are the things that a reference can name, in document order.
func (s *Schema) Sources() []*Item {
	var out []*Item
	for i := range s.Items {
		if s.Items[i].Kind == KindSource {
			out = append(out, &s.Items[i])
		}
	}
	return out
}

// Label is what people call an item: the name that the device gives the element, else its path.
func (it *Item) Label() string {
	if n := it.Element.Attr("name"); n != "" {
		return n
	}
	return it.Path
}

// walk goes through a device.
type walk struct {
	s    *Schema
	next map[string]int // the number that the next control with the same path gets
}

// children gives each child its part of the path. group is the channel around them.
func (w *walk) children(parent *Element, path string, group *Element) error {
	placed := map[string]int{} // how many children have a part, or a name that repeats
	counts := named(parent)
	for _, c := range parent.Children {
		if c.Name == "enum" {
			continue
		}
		part := c.Name
		inner := group
		if name := c.Attr("name"); name != "" && (channels(parent) || counts.repeats(c.Name)) {
			part, inner = slug(trimWord(name, c.Name)), c
			if placed[part]++; placed[part] > 1 { // two channels of one name
				part = fmt.Sprintf("%s-%d", part, placed[part])
			}
		} else if counts.repeats(c.Name) {
			placed[c.Name]++
			part, inner = strconv.Itoa(placed[c.Name]), c
		}
		if parent.Name == "mix" && c.Name == "input" {
			part = "inputs/" + part
		}
		at := join(path, rename(parent, c, part))
		if len(at) > MaxPath {
			return fmt.Errorf("%w; it begins with %q", ErrLongPath, at[:60])
		}
		if _, ok := c.Lookup("id"); ok {
			if err := w.item(c, parent, inner, at); err != nil {
				return err
			}
		}
		if err := w.children(c, at, inner); err != nil {
			return err
		}
	}
	w.pairs(parent)
	return nil
}

// rename gives the parts of a path that people use instead of the document's. Some levels of the document say nothing.
func rename(parent, c *Element, part string) string {
	switch {
	case c.Name == "clocking":
		return "clock"
	case parent.Name == "clocking":
		return strings.TrimPrefix(part, "clock-")
	case c.Name == "hardware-controls":
		return ""
	case parent.Name == "hardware-controls" && c.Name == "gain":
		return "level"
	}
	return part
}

func (w *walk) item(c, parent, group *Element, path string) error {
	id, err := strconv.ParseUint(c.Attr("id"), 10, 32)
	if err != nil || id == 0 {
		return nil
	}
	s := w.s
	if _, taken := s.byID[uint32(id)]; taken {
		return fmt.Errorf("%w: %d", ErrTwice, id)
	}
	path = w.free(path)
	it := Item{ID: uint32(id), Path: path, Kind: kindOf(c), Element: c, Parent: parent, Group: group, left: -1, pair: -1}
	if c.Attr("name") != "" && it.Kind == KindUnknown && (parent.Name == "inputs" || parent.Name == "mixes") {
		it.Kind = KindSource
	}
	for _, e := range c.Children {
		if e.Name == "enum" {
			it.Enum = append(it.Enum, e.Attr("value"))
		}
	}
	s.byID[it.ID], s.byPath[path] = len(s.Items), len(s.Items)
	s.Items = append(s.Items, it)
	return nil
}

// free is the path, or with a number behind it when another control has it.
func (w *walk) free(path string) string {
	p, taken := path, path == ""
	if !taken {
		_, taken = w.s.byPath[p]
	}
	for taken {
		w.next[path] = max(w.next[path], 1) + 1
		p = fmt.Sprintf("%s-%d", path, w.next[path])
		_, taken = w.s.byPath[p]
	}
	return p
}

// pairs notes which channels of a container are the right half of a pair: a left one has a stereo-name, the one after it an
// empty one.
func (w *walk) pairs(parent *Element) {
	for i := 1; i < len(parent.Children); i++ {
		l, r := parent.Children[i-1], parent.Children[i]
		name, has := r.Lookup("stereo-name")
		if l.Name != r.Name || l.Attr("stereo-name") == "" || !has || name != "" {
			continue
		}
		linked := w.control(l, "stereo")
		if linked < 0 {
			continue
		}
		for _, name := range [...]string{"gain", "mute", "source", "assign-mix", "stereo"} {
			if right, left := w.control(r, name), w.control(l, name); right >= 0 && left >= 0 {
				w.s.Items[right].left, w.s.Items[right].pair = left, linked
			}
		}
	}
}

// control is the place of a child's item; -1 when it has none.
func (w *walk) control(of *Element, name string) int {
	if c := of.Child(name); c != nil {
		if id, err := strconv.ParseUint(c.Attr("id"), 10, 32); err == nil {
			if i, ok := w.s.byID[uint32(id)]; ok {
				return i
			}
		}
	}
	return -1
}

// channels tells the containers whose children are known by their names.
func channels(e *Element) bool {
	return e.Name == "inputs" || e.Name == "outputs" || e.Name == "mixes" || e.Name == "record-outputs"
}

// children counts the children of an element by their names.
type children map[string]int

func named(parent *Element) children {
	n := make(children, len(parent.Children))
	for _, c := range parent.Children {
		n[c.Name]++
	}
	return n
}

// repeats reports whether children of that name are numbered. What can be several is, also when there is one.
func (n children) repeats(name string) bool {
	return n[name] > 1 || name == "input" || name == "mix"
}

// trimWord leaves out a word that the path says already: "Mix A" in mixes is "A".
func trimWord(name, element string) string {
	if rest, ok := strings.CutPrefix(strings.ToLower(name), element+" "); ok && element == "mix" {
		return rest
	}
	return name
}

// slug turns a name into one part of a path: lower case, digits, single dashes.
func slug(name string) string {
	var b []byte
	for i := range len(name) {
		c := name[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			b = append(b, c)
		} else if len(b) > 0 && b[len(b)-1] != '-' {
			b = append(b, '-')
		}
	}
	if s := strings.TrimRight(string(b), "-"); s != "" {
		return s
	}
	return "unnamed"
}

func join(path, part string) string {
	switch {
	case part == "":
		return path
	case path == "":
		return part
	}
	return path + "/" + part
}
