package gateway

import (
	"errors"
	"fmt"
	"math"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// target finds the link and the point of an item.
func (g *Gateway) target(dev string, path device.Path) (*link, device.Point, *north.WriteError) {
	l, e := g.reachable(dev, path)
	if e != nil {
		return nil, device.Point{}, e
	}
	pt, ok := g.tree.Point(dev, path)
	if ok {
		return l, pt, nil
	}
	if _, err := l.current(); err != nil {
		return nil, pt, linkDown(dev, path, err)
	}
	var names []string
	points, _ := g.tree.Points(device.Filter{Devices: []string{dev}})
	for i := range points {
		names = append(names, string(points[i].Spec.Path))
	}
	e = &north.WriteError{Code: "unknown-point", Device: dev, Path: path, Class: driver.Unsupported, Text: "the device has no such point"}
	e.DidYouMean, _ = device.Nearest(string(path), names)
	e.Hint = suggestion(e.DidYouMean, "list its points to see what it has")
	if c := l.condition(); c.Code != "" && e.DidYouMean == "" { // it may have the point once it has what it waits for
		e.Text = fmt.Sprintf("the device has no such point now; it is %s: %s", c.Code, c.Text)
	}
	return nil, pt, e
}

// reachable finds the link of a device.
func (g *Gateway) reachable(dev string, path device.Path) (*link, *north.WriteError) {
	if l := g.link(dev); l != nil {
		return l, nil
	}
	e := &north.WriteError{Code: "unknown-device", Device: dev, Path: path, Class: driver.Unsupported, Text: fmt.Sprintf("no device is called %q", dev)}
	e.DidYouMean, _ = device.Nearest(dev, g.names())
	e.Hint = suggestion(e.DidYouMean, "")
	return nil, e
}

func suggestion(word, other string) string {
	if word == "" {
		return other
	}
	return fmt.Sprintf("did you mean %q?", word)
}

func linkDown(dev string, path device.Path, err error) *north.WriteError {
	return &north.WriteError{Code: "link-down", Device: dev, Path: path, Class: driver.ClassOf(err),
		Text: "the device is not connected: " + err.Error(), Hint: driver.HintOf(err)}
}

func valueError(dev string, path device.Path, err error) *north.WriteError {
	e := &north.WriteError{Code: "wrong-type", Device: dev, Path: path, Class: driver.DeviceSaidNo, Text: err.Error()}
	var ve *device.ValueError
	if errors.As(err, &ve) {
		e.Text, e.Hint, e.DidYouMean = ve.Text, ve.Hint, ve.DidYouMean
		if ve.OutOfRange {
			e.Code = "out-of-range"
		}
		if ve.DidYouMean != "" {
			e.Hint = suggestion(ve.DidYouMean, "") + " " + ve.Hint
		}
	}
	return e
}

// checkItem passes everything that can be known before the device is asked.
func (g *Gateway) checkItem(who driver.Who, it *north.WriteItem, opt north.WriteOptions) (*link, device.Point, *north.WriteError) {
	l, pt, e := g.target(it.Device, it.Path)
	if e != nil {
		return nil, pt, e
	}
	if pt.Spec.Access&device.W == 0 {
		text := "the device does not let anyone write it"
		if why := pt.Spec.Attributes[device.AttrReadOnly]; why != "" {
			text += ": " + why
		}
		return l, pt, &north.WriteError{Code: "read-only", Device: it.Device, Path: it.Path, Class: driver.Unsupported, Text: text}
	}
	cfg := l.config()
	dev := cfg.north()
	a := driver.Action{Device: it.Device, Path: it.Path}
	if opt.Nameless && who.User == "" {
		e = granted(&dev, pt.Spec.Hazard, a)
	} else {
		e = g.authorize(who, &dev, pt.Spec.Hazard, a)
	}
	if e != nil {
		return l, pt, e
	}
	v, err := l.current()
	if err == nil && v.abilities.Writer == nil {
		return l, pt, &north.WriteError{Code: "read-only", Device: it.Device, Path: it.Path, Class: driver.Unsupported,
			Text: "this connection to the device cannot write"}
	}
	if it.Op == north.OpSet { // the type is worth saying even when the link is down
		if _, e := resolve(it, &pt); e != nil && e.Code != "if-value" && e.Code != "no-value" {
			return l, pt, e
		}
	}
	if err != nil {
		return l, pt, linkDown(it.Device, it.Path, err)
	}
	_, e = resolve(it, &pt)
	return l, pt, e
}

// resolve is the value that an item means, given what the point holds.
func resolve(it *north.WriteItem, pt *device.Point) (device.Value, *north.WriteError) {
	fail := func(code, text, hint string) (device.Value, *north.WriteError) {
		return device.Value{}, &north.WriteError{Code: code, Device: it.Device, Path: it.Path, Class: driver.DeviceSaidNo, Text: text, Hint: hint}
	}
	now := pt.Sample.Value
	known := isGood(&pt.Sample)
	if it.IfValue != nil {
		want, err := device.Coerce(pt.Spec, pt.Labels, it.IfValue)
		switch {
		case err != nil:
			e := valueError(it.Device, it.Path, err)
			e.Text = "if_value: " + e.Text
			return device.Value{}, e
		case !known:
			return fail("if-value", "its present value is not known, so if_value cannot be checked", "")
		case !want.Equal(now):
			return fail("if-value", "it holds "+device.Text(pt.Spec, pt.Labels, now)+" and not "+device.Text(pt.Spec, pt.Labels, want), "read it again")
		}
	}
	if it.Op != north.OpSet && !known {
		return fail("no-value", "its present value is not known, so it can be neither toggled nor added to", "write a value")
	}
	switch it.Op {
	case north.OpToggle:
		switch {
		case pt.Spec.Kind == device.Bool:
			return device.OfBool(!now.Bool()), nil
		case pt.Spec.Kind == device.Enum && pt.Labels != nil && len(pt.Labels.Items) == 2:
			if pt.Labels.Items[0].Value == now.Int() {
				return device.OfEnum(pt.Labels.Items[1].Value), nil
			}
			return device.OfEnum(pt.Labels.Items[0].Value), nil
		}
		return fail("wrong-type", "only a switch with two states can be toggled", "write a value")
	case north.OpAdd:
		return add(it, pt)
	}
	v, err := device.Coerce(pt.Spec, pt.Labels, it.Value)
	if err != nil {
		return device.Value{}, valueError(it.Device, it.Path, err)
	}
	return v, nil
}

// add clamps to the range instead of refusing: a button held down ends at the stop.
func add(it *north.WriteItem, pt *device.Point) (device.Value, *north.WriteError) {
	s := pt.Spec
	if s.Kind != device.Int && s.Kind != device.Float {
		return device.Value{}, &north.WriteError{Code: "wrong-type", Device: it.Device, Path: it.Path, Class: driver.DeviceSaidNo,
			Text: "only a number can be added to", Hint: "write a value"}
	}
	free := &device.Spec{Path: s.Path, Kind: s.Kind, Unit: s.Unit}
	d, err := device.Coerce(free, nil, it.Value)
	if err != nil {
		return device.Value{}, valueError(it.Device, it.Path, err)
	}
	if s.Kind == device.Float {
		f := pt.Sample.Value.Float() + d.Float()
		if s.HasRange() {
			f = min(max(f, s.Min), s.Max)
		}
		return device.OfFloat(f), nil
	}
	a, b := pt.Sample.Value.Int(), d.Int()
	sum := a + b
	switch {
	case b > 0 && sum < a:
		sum = math.MaxInt64
	case b < 0 && sum > a:
		sum = math.MinInt64
	}
	if s.HasRange() {
		sum = int64(min(max(float64(sum), s.Min), s.Max))
	}
	return device.OfInt(sum), nil
}
