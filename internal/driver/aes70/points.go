package aes70

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/ocp1"
	"github.com/patchbay-io/patchbay/protocol/ocp1/ocaclient"
)

// point is one object as a point.
type point struct {
	spec    device.Spec
	object  *ocaclient.Object // nil: said once by the device manager
	kind    *kind
	labels  device.LabelSet // of an enum
	sample  device.Sample   // no time of receipt: not read yet
	enabled bool
	told    bool // the device tells its changes now
	wanted  bool // a meter that somebody watches
}

// floor is the value that stands for silence where a device says minus infinity and gives no finite lower limit.
const floor = -128

// finite is v where it is a number; silence and the absurd are the limits.
func (pt *point) finite(v device.Value) device.Value {
	f := v.Float()
	if v.Kind != device.Float || !math.IsInf(f, 0) {
		return v
	}
	switch {
	case f > 0:
		return device.OfFloat(pt.spec.Max)
	case pt.spec.HasRange():
		return device.OfFloat(pt.spec.Min)
	}
	return device.OfFloat(floor)
}

// take reads the values of a getter's answer: the value, and its limits where the object has them.
func (pt *point) take(values []byte, now time.Time) {
	p := ocp1.NewParams("value", values)
	v := pt.kind.read(&p)
	if p.Err() == nil && p.Len() > 0 {
		low, high := pt.kind.read(&p), pt.kind.read(&p)
		if p.End() == nil {
			pt.limits(number(low), number(high))
		}
	}
	pt.put(v, p.End(), now)
}

// number is a value as a float; enums and whole numbers too.
func number(v device.Value) float64 {
	if v.Kind == device.Float {
		return v.Float()
	}
	return float64(v.Int())
}

// limits sets the range, unless it is none.
func (pt *point) limits(low, high float64) {
	if pt.spec.Kind != device.Float && pt.spec.Kind != device.Int {
		return
	}
	if math.IsInf(low, -1) {
		low = floor
	}
	if low < high && !math.IsInf(high, 0) && math.Abs(low) <= math.MaxInt32 && math.Abs(high) <= math.MaxUint32 {
		pt.spec.Min, pt.spec.Max = low, high
	}
}

// What is kept of one object: a device could say more to every one of its objects, again and again.
const (
	maxText      = 16 << 10 // bytes of a text; a longer one is not shown
	maxName      = 256      // bytes of a role or label, and of the name of a position; the rest is cut off
	maxRolePath  = 2 << 10
	maxPositions = 1 << 10 // of a switch
)

// cut is s, or what of it has max bytes, without half a character.
func cut(s string, max int) string {
	if len(s) <= max {
		return s
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return strings.Clone(s[:max]) // the rest is not to be kept behind it
}

// put makes the sample.
func (pt *point) put(v device.Value, err error, now time.Time) {
	pt.sample = device.Sample{Path: pt.spec.Path, Received: now}
	if err != nil || v.Kind == device.Float && math.IsNaN(v.Float()) || v.Kind == device.String && len(v.Str()) > maxText {
		pt.sample.Quality, pt.sample.Reason = device.Bad, device.ReasonInvalid
		return
	}
	if pt.spec.Kind == device.Enum {
		if _, known := pt.labels.ByValue(v.Int()); !known { // a position beyond the names
			if len(pt.labels.Items) >= maxPositions {
				pt.sample.Quality, pt.sample.Reason = device.Bad, device.ReasonInvalid
				return
			}
			pt.labels.Items = append(pt.labels.Items, device.Label{Value: v.Int(), Key: "position-" + strconv.FormatInt(v.Int(), 10), Text: fmt.Sprintf("Position %d", v.Int())})
		}
	}
	pt.sample.Value = pt.finite(v)
}

// refuse makes the sample of a point that the device does not give.
func (pt *point) refuse(err error, now time.Time) {
	pt.sample = device.Sample{Path: pt.spec.Path, Quality: device.Bad, Reason: device.ReasonRefused, Received: now}
	if no, ok := err.(*ocp1.Error); ok && classOfStatus(no.Status) == unsupported {
		pt.sample.Reason = device.ReasonUnsupported
	}
}

// setNames makes the labels of an enum: positions count from first.
func (pt *point) setNames(names []string, first int64) {
	pt.labels = device.LabelSet{ID: pt.spec.Labels}
	names = slices.Clone(names[:min(len(names), maxPositions)])
	for i := range names {
		names[i] = cut(names[i], maxName)
	}
	for i, key := range device.Slugs(names) {
		pt.labels.Items = append(pt.labels.Items, device.Label{Value: first + int64(i), Key: key, Text: strings.ToValidUTF8(names[i], "\ufffd")})
	}
}

// setEnabled tells whether the point can be used now.
func (pt *point) setEnabled(on bool) {
	pt.enabled = on
	pt.spec.Access = device.R
	if pt.kind.writable() && on {
		pt.spec.Access = device.RW
	}
	enabled, why := "", ""
	if !on {
		enabled = "false"
		if pt.kind.writable() {
			why = errNotInUse.Error()
		}
	}
	pt.attribute("enabled", enabled)
	pt.attribute(device.AttrReadOnly, why)
}

// attribute changes one attribute on a copy, since specs that have been told keep theirs; empty takes it out.
func (pt *point) attribute(name, value string) {
	if pt.spec.Attributes[name] == value {
		return
	}
	m := make(map[string]string, len(pt.spec.Attributes)+1)
	for k, v := range pt.spec.Attributes {
		m[k] = v
	}
	if m[name] = value; value == "" {
		delete(m, name)
	}
	pt.spec.Attributes = m
}

// board is the points of one device.
type board struct {
	list   []*point
	byPath map[device.Path]*point
	byONo  map[ocp1.ONo]*point
	blocks map[ocp1.ONo]bool
}

// makeBoard makes the points of a tree: each object by the roles on the way to it, made into distinct segments block by block.
func makeBoard(root *ocaclient.Object) *board {
	b := &board{byPath: map[device.Path]*point{}, byONo: map[ocp1.ONo]*point{}, blocks: map[ocp1.ONo]bool{root.ONo: true}}
	b.block(root, "", 0)
	return b
}

// maxDepth is how deep blocks may be nested; deeper ones would make paths too long.
const maxDepth = 16

func (b *board) block(o *ocaclient.Object, at device.Path, depth int) {
	names := make([]string, len(o.Members))
	for i, m := range o.Members {
		names[i] = segment(m.Role, kindOf(m.Class.Class))
		if m.Role == "" {
			names[i] = "object-" + strconv.FormatUint(uint64(m.ONo), 10)
		}
	}
	for i, seg := range device.Slugs(names) {
		m := o.Members[i]
		path := at.Child(seg)
		if len(path) > device.MaxPath {
			continue
		}
		if m.Class.Class.IsA(ocp1.ClassBlock) {
			b.blocks[m.ONo] = true
			if depth < maxDepth {
				b.block(m, path, depth+1)
			}
			continue
		}
		b.object(m, path)
	}
}

// object makes the point of one object. One whose class nobody knows says what it is.
func (b *board) object(o *ocaclient.Object, path device.Path) {
	k := kindOf(o.Class.Class)
	spec := device.Spec{Path: path, Kind: device.String, Rate: device.Static, Access: device.R, Title: cut(o.Role, maxName), Grade: device.GradeSpec,
		Attributes: map[string]string{"role": cut(o.Role, maxName), "role-path": cut(o.RolePath(), maxRolePath), "class": className(o.Class.Class), "object-number": strconv.FormatUint(uint64(o.ONo), 10)}}
	pt := &point{object: o, kind: k, enabled: true}
	if k == nil {
		spec.Doc = "an object of a class that is not known here"
		pt.spec = spec
		pt.sample = device.Sample{Path: path, Value: device.OfString(className(o.Class.Class)), Received: time.Now()}
		pt.object = nil
		b.add(pt)
		return
	}
	spec.Kind, spec.Rate, spec.Unit = k.value, k.rate, k.unit
	spec.Role, spec.Hazard = roleOf(k, path), hazardOf(k, path)
	if k.value == device.Float {
		spec.Decimals = 1
	}
	if k.value == device.Enum {
		spec.Labels = string(path)
		pt.labels.ID = spec.Labels
	}
	if k.class == ocp1.ClassPanBalance {
		spec.Min, spec.Max, spec.Decimals = -1, 1, 2
	}
	if k.writable() {
		spec.Access, spec.Confirm = device.RW, device.ByNotify
	}
	pt.spec = spec
	b.add(pt)
	b.byONo[o.ONo] = pt
}

func (b *board) add(pt *point) {
	b.list = append(b.list, pt)
	b.byPath[pt.spec.Path] = pt
}

// said adds a point that the device manager says once, unless the tree has one of that path.
func (b *board) said(path device.Path, role, title, value string, now time.Time) {
	if pt := b.byPath[path]; pt != nil {
		if pt.spec.Kind == device.String && pt.spec.Access == device.R {
			pt.spec.Role = role
		}
		return
	}
	if value == "" {
		return
	}
	b.add(&point{spec: device.Spec{Path: path, Kind: device.String, Rate: device.Static, Access: device.R, Title: title, Role: role, Grade: device.GradeSpec},
		sample: device.Sample{Path: path, Value: device.OfString(value), Received: now}, enabled: true})
}
