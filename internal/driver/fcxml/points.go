package fcxml

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/protocol/fcxml"
)

// point is one control of the device, or a thing that it says about itself.
type point struct {
	spec  device.Spec
	item  *fcxml.Item  // nil: the value is fixed
	fixed device.Value // of a point without an item
	owner *fcxml.Item  // the control that says whether the hardware owns this one; nil: there is none
}

// table is the points of one arrival.
type table struct {
	schema *fcxml.Schema
	points []point
	byPath map[device.Path]int
	byID   map[uint32]int
	labels []device.LabelSet
}

// sourcesSet is the label set of everything that can be routed.
const sourcesSet = "sources"

func newTable(schema *fcxml.Schema) *table {
	t := &table{schema: schema, byPath: map[device.Path]int{}, byID: map[uint32]int{}}
	fixed := func(path device.Path, role, title, doc, value string) {
		t.add(point{spec: device.Spec{Path: path, Kind: device.String, Access: device.R, Role: role, Title: title, Doc: doc, Grade: device.GradeSeen},
			fixed: device.OfString(text(value))})
	}
	fixed("model", "id.model", "Model", "model of the interface, as Focusrite Control names it", schema.Model)
	fixed("serial", "id.serial", "Serial number", "serial number of the interface", schema.Serial)
	fixed("class", "id.series", "Series", "family of the interface", schema.Class)
	t.sources()
	for i := range schema.Items {
		t.item(&schema.Items[i])
	}
	return t
}

func (t *table) add(p point) {
	if _, taken := t.byPath[p.spec.Path]; taken || p.spec.Path == "" {
		return // a path that the device has twice is shown once; the schema tells them apart before
	}
	t.byPath[p.spec.Path] = len(t.points)
	if p.item != nil {
		t.byID[p.item.ID] = len(t.points)
	}
	t.points = append(t.points, p)
}

// sources makes the labels of everything that can be routed. The key is the path, which stays when numbers change.
func (t *table) sources() {
	set := device.LabelSet{ID: sourcesSet, Items: []device.Label{{Value: 0, Key: "none", Text: "None"}}}
	for _, it := range t.schema.Sources() {
		set.Items = append(set.Items, device.Label{Value: int64(it.ID), Key: strings.TrimPrefix(it.Path, "inputs/"), Text: text(it.Label())})
	}
	t.labels = append(t.labels, set)
}

// item makes the point of a control. Controls that only do something (resets, snapshots, firmware updates) have none: what they
// do cannot be undone, and nobody has described them.
func (t *table) item(it *fcxml.Item) {
	sp := device.Spec{Path: device.Path(it.Path), Rate: device.Normal, Access: device.RW, Confirm: device.ByNotify, Grade: device.GradeSeen,
		Attributes: attributes(it)}
	p := point{item: it}
	switch it.Kind {
	case fcxml.KindSource, fcxml.KindCommand:
		return
	case fcxml.KindBool:
		sp.Kind = device.Bool
	case fcxml.KindDecibel:
		sp.Kind, sp.Unit, sp.Min, sp.Max = device.Float, "dB", fcxml.Silence, 0
		sp.Attributes["silence"] = strconv.Itoa(fcxml.Silence)
	case fcxml.KindEnum:
		sp.Kind, sp.Labels = device.Enum, t.enum(it)
		if len(it.Enum) == 0 {
			sp.Kind, sp.Labels, sp.Access = device.String, "", device.R
		}
	case fcxml.KindReference:
		sp.Kind, sp.Labels = device.Enum, sourcesSet
	case fcxml.KindText:
		sp.Kind = device.String
	case fcxml.KindInteger, fcxml.KindPan:
		sp.Kind = device.Int
	default: // nobody knows what it is: shown as it comes
		sp.Kind, sp.Access, sp.Grade = device.String, device.R, device.GradeGuess
		sp.Title, sp.Doc = channel(it)+words(it.Name()), "a control that has no description"
	}
	p.spec = sp
	t.describe(&p)
	if p.spec.Access == device.R {
		p.spec.Confirm = device.ByNothing
	}
	t.add(p)
}

// attributes are the device's own words.
func attributes(it *fcxml.Item) map[string]string {
	out := map[string]string{"item": strconv.FormatUint(uint64(it.ID), 10), "element": text(it.Name())}
	if n := it.Group.Attr("name"); n != "" {
		out["name"] = text(n)
	}
	if n := it.Group.Attr("stereo-name"); n != "" {
		out["stereo-name"] = text(n)
	}
	return out
}

// enum makes the labels of a list of texts: the text is the key, since it is what the device is told.
func (t *table) enum(it *fcxml.Item) string {
	set := device.LabelSet{ID: it.Path}
	for i, v := range it.Enum {
		set.Items = append(set.Items, device.Label{Value: int64(i), Key: text(v), Text: text(v)})
	}
	for _, other := range t.labels { // many inputs have the same choice
		if slices.Equal(other.Items, set.Items) {
			return other.ID
		}
	}
	t.labels = append(t.labels, set)
	return set.ID
}

// text is what a device says in UTF-8 that is valid.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// words turns a name of an element into words.
func words(name string) string { return strings.ReplaceAll(text(name), "-", " ") }

// channel is the name of the channel of a control with a colon, for titles.
func channel(it *fcxml.Item) string {
	if n := it.Group.Attr("name"); n != "" {
		return text(n) + ": "
	}
	return ""
}

// value turns the text of a control into the value of its point; false when it makes no sense.
func (t *table) value(p *point, s string) (device.Value, bool) {
	switch p.spec.Kind {
	case device.Bool:
		v, ok := fcxml.ParseBool(s)
		return device.OfBool(v), ok
	case device.Float:
		v, ok := fcxml.ParseDecibel(s)
		if math.IsInf(v, -1) {
			v = fcxml.Silence
		}
		return device.OfFloat(v), ok
	case device.Enum:
		if p.item.Kind == fcxml.KindReference {
			n, err := strconv.ParseUint(s, 10, 32)
			return device.OfEnum(int64(n)), err == nil
		}
		i := slices.Index(p.item.Enum, s)
		return device.OfEnum(int64(i)), i >= 0
	case device.Int:
		n, err := strconv.ParseInt(s, 10, 64)
		return device.OfInt(n), err == nil
	}
	return device.OfString(text(s)), true
}

// format is the text of a value for the wire; false when the value does not belong to the point.
func (t *table) format(p *point, v device.Value) (string, bool) {
	if v.Kind != p.spec.Kind {
		return "", false
	}
	switch p.spec.Kind {
	case device.Bool:
		return strconv.FormatBool(v.Bool()), true
	case device.Float:
		return fcxml.FormatDecibel(v.Float()), true
	case device.Enum:
		if p.item.Kind == fcxml.KindReference {
			return strconv.FormatInt(v.Int(), 10), v.Int() >= 0
		}
		if n := v.Int(); n >= 0 && n < int64(len(p.item.Enum)) {
			return p.item.Enum[n], true
		}
		return "", false
	case device.Int:
		return strconv.FormatInt(v.Int(), 10), true
	}
	return v.Str(), true
}

var _ driver.Session = (*session)(nil)
