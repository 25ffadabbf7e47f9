package is12

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/is12"
)

// point is one property of one object.
type point struct {
	spec   device.Spec
	oid    uint32
	prop   is12.ID
	json   bool // a structure or a sequence, shown as the text that it is on the wire
	labels device.LabelSet
	sample device.Sample
	events uint64 // how often the device has told it
	room   *int   // bytes that the texts of all points may grow by; nil: the sample is not kept
}

// board is the points of one device.
type board struct {
	list   []*point
	byPath map[device.Path]*point
	byProp map[propKey]*point
	blocks map[uint32]bool
	oids   []uint32
	told   map[uint32]bool // objects whose changes the device tells
	room   int             // bytes that further points may take
	texts  int             // bytes that the texts of the points may grow by
}

// What is kept of a device: it could describe and say more without an end.
const (
	maxBoard   = 32 << 20 // bytes of points, about
	maxClasses = 4 << 20  // bytes of descriptions of classes and datatypes, about
	maxTexts   = 16 << 20 // bytes of the texts of all points
	maxTitle   = 256      // bytes of a title; the rest is cut off
)

var (
	errLarge   = fmt.Errorf("the device has more points than fit into %d MiB", maxBoard>>20)
	errClasses = fmt.Errorf("the device describes its classes with more than %d MiB", maxClasses>>20)
)

// takes reports whether there is room for a point with this path, title and choices.
func (b *board) takes(path device.Path, title string, items []is12.EnumItem) bool {
	b.room -= 512 + len(path) + len(title)
	for i := range items {
		b.room -= 96 + len(items[i].Name)
	}
	return b.room >= 0
}

func newBoard() *board {
	return &board{byPath: map[device.Path]*point{}, byProp: map[propKey]*point{}, blocks: map[uint32]bool{is12.RootOid: true}, oids: []uint32{is12.RootOid}, told: map[uint32]bool{}, room: maxBoard, texts: maxTexts}
}

type propKey struct {
	oid  uint32
	prop is12.ID
}

// classes are what the class manager has said.
type classes struct {
	room  int // bytes that further descriptions may take
	class map[string]is12.ClassDescriptor
	types map[string]is12.DatatypeDescriptor
}

// plain are the types of the standard that are one value.
var plain = map[string]device.Kind{"NcBoolean": device.Bool, "NcString": device.String, "NcInt16": device.Int, "NcInt32": device.Int, "NcInt64": device.Int,
	"NcUint16": device.Int, "NcUint32": device.Int, "NcUint64": device.Int, "NcFloat32": device.Float, "NcFloat64": device.Float}

// resolve follows typedefs to a plain type or an enumeration; ok is false for anything else.
func (c *classes) resolve(name string) (k device.Kind, items []is12.EnumItem, ok bool) {
	for range 8 {
		if k, ok := plain[name]; ok {
			return k, nil, true
		}
		t, known := c.types[name]
		switch {
		case !known:
			return 0, nil, false
		case t.Type == is12.DatatypeEnum:
			return device.Enum, t.Items, true
		case t.Type != is12.DatatypeTypedef:
			return 0, nil, false
		}
		name = t.ParentType
	}
	return 0, nil, false
}

// kebab makes "userLabel" into "user-label".
func kebab(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return device.Slug(b.String())
}

// hidden are the properties that say what the tree and the points say already.
var hidden = []string{"classId", "oid", "constantOid", "owner", "role", "members", "controlClasses", "datatypes"}

// maxText is the longest structure or sequence in bytes that is shown.
const maxText = 64 << 10

// object makes the points of one object below a path.
func (b *board) object(at device.Path, m *is12.MemberDescriptor, class is12.ClassDescriptor, c *classes) {
	for _, p := range class.Properties {
		k, items, ok := c.resolve(p.TypeName)
		if !ok || p.IsSequence {
			k, items, ok = device.String, nil, false
		}
		path := at.Child(kebab(p.Name))
		if p.IsDeprecated || slices.Contains(hidden, p.Name) || len(path) > device.MaxPath || b.byPath[path] != nil {
			continue
		}
		title := p.Name
		if m.UserLabel != "" {
			title = m.UserLabel + " " + p.Name
		}
		title = cut(title)
		if !b.takes(path, title, items) {
			return
		}
		pt := &point{oid: m.Oid, prop: p.ID, json: !ok, room: &b.texts, spec: device.Spec{Path: path, Kind: k, Rate: device.Fast, Access: device.R, Title: title, Doc: p.Description, Grade: device.GradeSpec,
			Attributes: map[string]string{"role": m.Role, "object-number": strconv.FormatUint(uint64(m.Oid), 10), "class": class.Name, "property": p.ID.String()}}}
		if pt.json {
			pt.spec.Attributes["json"] = typeText(p)
		}
		if !p.IsReadOnly && !pt.json {
			pt.spec.Access, pt.spec.Confirm, pt.spec.Hazard = device.RW, device.ByNotify, hazardOf(k, p.Name)
		}
		if l := p.Constraints; l != nil && l.Minimum != nil && l.Maximum != nil && *l.Minimum < *l.Maximum {
			pt.spec.Min, pt.spec.Max = *l.Minimum, *l.Maximum
			if l.Step != nil {
				pt.spec.Step = *l.Step
			}
		}
		if k == device.Enum {
			pt.spec.Labels = string(path)
			pt.labels.ID = pt.spec.Labels
			names := make([]string, len(items))
			for i := range items {
				names[i] = items[i].Name
			}
			for i, key := range device.Slugs(names) {
				pt.labels.Items = append(pt.labels.Items, device.Label{Value: items[i].Value, Key: key, Text: items[i].Name})
			}
		}
		if m.ClassID.IsA(is12.ClassDeviceManager) && p.Name == "serialNumber" {
			pt.spec.Role = "id.serial"
		}
		b.list = append(b.list, pt)
		b.byPath[path] = pt
		b.byProp[propKey{m.Oid, p.ID}] = pt
	}
}

// cut is a title, or as much of it as people read.
func cut(s string) string {
	if len(s) <= maxTitle {
		return s
	}
	n := maxTitle
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.Clone(s[:n]) // the rest is not to be kept behind it
}

// typeText is the type of a property that is shown as JSON: "NcManufacturer", "sequence of NcTouchpoint".
func typeText(p is12.PropertyDescriptor) string {
	name := p.TypeName
	if name == "" {
		name = "any type"
	}
	if p.IsSequence {
		return "sequence of " + name
	}
	return name
}

// compact is a structure or a sequence as text without spaces, with its members in the device's order.
func compact(raw json.RawMessage) (device.Value, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return device.Value{}, err
	}
	if b.Len() > maxText {
		return device.Value{}, fmt.Errorf("%d bytes; at most %d are shown", b.Len(), maxText)
	}
	return device.OfString(strings.ToValidUTF8(b.String(), "\ufffd")), nil
}

// hazardOf weighs a write: labels are harmless, and what a control does nobody but its maker knows.
func hazardOf(k device.Kind, name string) string {
	for _, w := range []string{"reset", "firmware", "phantom", "clock"} {
		if strings.Contains(strings.ToLower(name), w) {
			return device.HazardMove
		}
	}
	if k == device.String {
		return device.HazardPlain
	}
	return device.HazardLive
}

// take makes the sample of a value in JSON.
func (pt *point) take(raw json.RawMessage, now time.Time) {
	before := pt.textSize()
	pt.sample = device.Sample{Path: pt.spec.Path, Received: now}
	v, err := pt.value(raw)
	if err == nil && v.Kind == device.String && (len(v.Str()) > maxText || pt.room != nil && *pt.room+before < len(v.Str())) {
		err = errors.New("more text than is kept")
	}
	if pt.room != nil {
		defer func() { *pt.room += before - pt.textSize() }()
	}
	if err != nil {
		pt.sample.Quality, pt.sample.Reason = device.Bad, device.ReasonInvalid
		return
	}
	if v.IsZero() { // null
		pt.sample.Quality, pt.sample.Reason = device.Bad, device.ReasonNotReported
		return
	}
	pt.sample.Value = v
}

// textSize is how many bytes the text of the sample has.
func (pt *point) textSize() int {
	if v := pt.sample.Value; v.Kind == device.String {
		return len(v.Str())
	}
	return 0
}

func (pt *point) value(raw json.RawMessage) (v device.Value, err error) {
	if string(raw) == "null" {
		return v, nil
	}
	if pt.json {
		return compact(raw)
	}
	switch pt.spec.Kind {
	case device.Bool:
		var b bool
		err = json.Unmarshal(raw, &b)
		v = device.OfBool(b)
	case device.Int:
		var n int64
		err = json.Unmarshal(raw, &n)
		v = device.OfInt(n)
	case device.Float:
		var f float64
		err = json.Unmarshal(raw, &f)
		v = device.OfFloat(f)
	case device.String:
		var s string
		err = json.Unmarshal(raw, &s)
		v = device.OfString(s)
	case device.Enum:
		var n int64
		if err = json.Unmarshal(raw, &n); err == nil {
			if _, ok := pt.labels.ByValue(n); !ok {
				err = fmt.Errorf("%d is no value of the enumeration", n)
			}
		}
		v = device.OfEnum(n)
	}
	return v, err
}

// plainValue is what a value is in JSON.
func plainValue(v device.Value) any {
	switch v.Kind {
	case device.Bool:
		return v.Bool()
	case device.Float:
		return v.Float()
	case device.String:
		return v.Str()
	}
	return v.Int()
}

// refuse makes the sample of a property that the device does not give.
func (pt *point) refuse(s is12.Status, now time.Time) {
	if pt.room != nil {
		*pt.room += pt.textSize()
	}
	pt.sample = device.Sample{Path: pt.spec.Path, Quality: device.Bad, Reason: device.ReasonRefused, Received: now}
	if s == is12.StatusPropertyNotImplemented || s == is12.StatusBadOid || s == is12.StatusMethodNotImplemented {
		pt.sample.Reason = device.ReasonUnsupported
	}
}
