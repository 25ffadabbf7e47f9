package focas

import (
	"strconv"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/focas"
)

// unitOf is the symbol of the table of units for a FANUC unit; empty when there is none.
func unitOf(u focas.Unit) string {
	switch u {
	case focas.UnitInch:
		return "in"
	case focas.UnitInchPerMinute:
		return "in/min"
	case focas.UnitInchPerRevolution:
		return "in/rev"
	}
	if _, known := device.UnitOf(u.String()); known {
		return u.String()
	}
	return ""
}

// position is one of the four positions of an axis as the control's own screen shows it.
type position struct {
	segment, role, title, doc string
	kind                      focas.AxisKind
}

var positions = [...]position{
	{"absolute", "cnc.position.absolute", "Absolute", "position in the work coordinate system (cnc_rdposition, function 0x26 kind 0)", focas.AxisAbsolute},
	{"machine", "cnc.position.machine", "Machine", "position in the machine coordinate system (cnc_rdposition, function 0x26 kind 1)", focas.AxisMachine},
	{"relative", "cnc.position.relative", "Relative", "position relative to where it was zeroed (cnc_rdposition, function 0x26 kind 2)", focas.AxisRelative},
	{"distance-to-go", "cnc.position.distance-to-go", "Distance to go", "what is left of the move (cnc_rdposition, function 0x26 kind 3)", focas.AxisDistance},
}

// display is what the control says about its position screen; it comes with background sources.
type display struct {
	units   []focas.UnitPair // kind 1: First is the unit of absolute, relative and distance
	machine []focas.UnitPair // kind 2: Second is the unit of the machine position
	flags   []focas.U32
	flagged bool
}

func (d *display) unit(k focas.AxisKind, axis int) (focas.Unit, bool) {
	if k == focas.AxisMachine {
		if axis < len(d.machine) {
			return d.machine[axis].Second, true
		}
		return 0, false
	}
	if axis < len(d.units) {
		return d.units[axis].First, true
	}
	return 0, false
}

func (d *display) shows(k focas.AxisKind, axis int) bool {
	return !d.flagged || axis >= len(d.flags) || focas.DisplayFlags(d.flags[axis]).Shows(k)
}

// reasonHidden marks a position that the control's own screen does not show.
const reasonHidden = "not-displayed"

// addAxes makes positions, loads and currents.
func (s *session) addAxes(t *table, ctl *control, p *path) {
	if len(p.axes) == 0 {
		return
	}
	d := &display{}
	s.addDisplay(t, ctl, p, d)
	root := p.root.Child("axes")
	size := p.slots * focas.ValueSize
	for _, pos := range positions {
		var specs []device.Spec
		for _, a := range p.axes {
			specs = append(specs, device.Spec{Path: root.Child(a.segment).Child(pos.segment), Kind: device.Float, Role: pos.role,
				Title: a.name + " " + pos.title, Doc: pos.doc})
		}
		looks := make([]positionLook, len(specs))
		t.add(&source{name: "cnc_rdposition " + pos.segment, request: focas.AxisRequest(p.number, pos.kind, focas.AllAxes),
			payload: size, rate: device.Fast, group: int(p.number),
			decode: func(b []byte, out *samples) error {
				for i := range min(len(specs), len(b)/focas.ValueSize) {
					v, err := focas.ParseValue(b[i*focas.ValueSize:])
					if err != nil {
						return err
					}
					s.setPosition(specs[i].Path, &looks[i], v, d, pos.kind, i, out)
				}
				return nil
			}}, specs...)
	}
	s.addServo(t, p, root, size)
}

// positionLook is how a position is shown, in the control's own terms.
type positionLook struct {
	unit        focas.Unit
	known, told bool
	decimals    int
}

// setPosition shows one position; last is how it was shown before.
func (s *session) setPosition(path device.Path, last *positionLook, v focas.Value, d *display, k focas.AxisKind, axis int, out *samples) {
	if v.IsVacant() {
		return // the control blanks it: not-reported
	}
	shown := positionLook{decimals: v.Decimals(), told: true}
	shown.unit, shown.known = d.unit(k, axis)
	if shown != *last {
		*last = shown
		to := look{decimals: shown.decimals}
		if shown.known {
			to.unit = unitOf(shown.unit)
		}
		s.amend(path, to)
	}
	if !d.shows(k, axis) {
		out.note(path, device.OfFloat(v.Float()), device.Uncertain, reasonHidden)
		return
	}
	out.set(path, device.OfFloat(v.Float()))
}

// addDisplay makes the background sources that say which unit and which positions the screen shows.
func (s *session) addDisplay(t *table, ctl *control, p *path, d *display) {
	units := func(into ...*[]focas.UnitPair) func([]byte, *samples) error {
		return func(b []byte, _ *samples) error {
			list, err := focas.ParseUnitPairs(b)
			for _, to := range into {
				*to = list.Items
			}
			return err
		}
	}
	add := func(name string, request focas.Request, payload int, decode func([]byte, *samples) error) {
		t.add(&source{name: name, request: request, payload: payload, rate: device.Slow, decode: decode})
	}
	if ctl.dialect == focas.Classic {
		add("units", focas.UnitsRequest(p.number, focas.UnitsMachine), 4*p.slots, units(&d.units, &d.machine))
		return
	}
	add("units", focas.UnitsRequest(p.number, focas.UnitsPosition), 4*p.slots, units(&d.units))
	add("units machine", focas.UnitsRequest(p.number, focas.UnitsMachine), 4*p.slots, units(&d.machine))
	add("display flags", focas.DisplayFlagsRequest(p.number), 4*p.slots, func(b []byte, _ *samples) error {
		list, err := focas.ParseLongs(b)
		d.flags, d.flagged = list.Items, err == nil
		return err
	})
}

func (s *session) addServo(t *table, p *path, root device.Path, size int) {
	var specs []device.Spec
	for _, a := range p.axes {
		at := root.Child(a.segment)
		specs = append(specs,
			device.Spec{Path: at.Child("load"), Kind: device.Float, Unit: "%", Role: "cnc.axis.load", Title: a.name + " load",
				Doc: "servo load meter, without its sign (cnc_rdsvmeter, function 0x56)"},
			device.Spec{Path: at.Child("current"), Kind: device.Float, Role: "cnc.axis.current", Title: a.name + " current",
				Doc:   "servo load with its sign (cnc_rdcurrent, which asks the same function 0x56 as the load meter; its unit is not known)",
				Grade: device.GradeInferred})
	}
	t.add(&source{name: "cnc_rdsvmeter", request: focas.ServoRequest(p.number, focas.ServoLoad), payload: size, rate: device.Normal,
		decode: func(b []byte, out *samples) error {
			for i := range min(len(p.axes), len(b)/focas.ValueSize) {
				v, err := focas.ParseValue(b[i*focas.ValueSize:])
				if err != nil {
					return err
				}
				f := v.Float()
				out.set(specs[2*i].Path, device.OfFloat(max(f, -f)))
				out.set(specs[2*i+1].Path, device.OfFloat(f))
			}
			return nil
		}}, specs...)
}

// addFeed makes the path's feed rate.
func (s *session) addFeed(t *table, ctl *control, p *path) {
	actual := p.root.Child("feed/actual")
	unit := ""
	kind := focas.UnitsFeed
	if ctl.dialect == focas.Classic {
		kind = focas.UnitsClassicSpeed
	}
	t.add(&source{name: "units feed", request: focas.UnitsRequest(p.number, kind), payload: 4 * p.slots, rate: device.Slow,
		decode: func(b []byte, _ *samples) error {
			list, err := focas.ParseUnitPairs(b)
			if err != nil || len(list.Items) == 0 {
				return err
			}
			u := list.Items[0].First
			if ctl.dialect == focas.Classic {
				u += focas.UnitMMPerMinute // counts from mm/min there
			}
			unit = unitOf(u)
			return nil
		}})
	t.add(&source{name: "cnc_actf", request: focas.FeedRequest(p.number), payload: focas.ValueSize, rate: device.Fast,
		decode: func(b []byte, out *samples) error {
			v, err := focas.ParseValue(b)
			if err != nil {
				return err
			}
			s.amend(actual, look{unit: unit, decimals: v.Decimals()})
			out.set(actual, device.OfFloat(v.Float()))
			return nil
		}},
		device.Spec{Path: actual, Kind: device.Float, Role: "cnc.feed.actual", Title: "Feed rate", Doc: "actual path feed rate (cnc_actf)"})
}

// spindleRead is what function 0x40 reads of all spindles.
type spindleRead struct {
	segment, role, unit, title, doc string
	kind                            int32
	rate                            device.Rate
}

var spindleReads = [...]spindleRead{
	{"speed", "cnc.spindle.speed", "rpm", "speed", "actual speed (cnc_acts2, function 0x40 kind 3)", focas.SpindleSpeed, device.Fast},
	{"load", "cnc.spindle.load", "%", "load", "load meter (cnc_rdspmeter, function 0x40 kind 4)", focas.SpindleMeterLoad, device.Normal},
	{"gear", "cnc.spindle.gear", "", "gear", "gear in use (cnc_rdspgear, function 0x40 kind 2)", focas.SpindleGear, device.Slow},
	{"max-speed", "cnc.spindle.max-speed", "rpm", "maximum speed", "highest speed in this gear (cnc_rdspmaxrpm, function 0x40 kind 1)", focas.SpindleMaxRPM, device.Slow},
}

// addSpindles makes speeds, loads and gears.
func (s *session) addSpindles(t *table, p *path) {
	if len(p.spindles) == 0 {
		return
	}
	for _, r := range spindleReads {
		var specs []device.Spec
		for _, sp := range p.spindles {
			kind := device.Float
			if r.kind == focas.SpindleGear {
				kind = device.Int
			}
			specs = append(specs, device.Spec{Path: sp.path(r.segment), Kind: kind, Rate: r.rate, Unit: r.unit, Role: r.role,
				Title: sp.name + " " + r.title, Doc: r.doc})
		}
		t.add(&source{name: "0x40 " + r.segment, request: focas.SpindleRequest(p.number, r.kind, focas.AllAxes),
			payload: focas.ValueSize * max(len(p.spindles), 2), rate: r.rate, steady: true,
			decode: func(b []byte, out *samples) error {
				values, err := focas.ParseValues(b)
				if err != nil {
					return err
				}
				for i := range min(len(specs), len(values.Items)) {
					v, at := values.Items[i], specs[i].Path
					if r.kind == focas.SpindleGear {
						out.set(at, device.OfInt(int64(v.Float())))
						continue
					}
					out.set(at, device.OfFloat(v.Float()))
				}
				return nil
			}}, specs...)
	}
}

func (sp spindle) path(segment string) device.Path {
	return device.Join("spindles", strconv.Itoa(sp.number), segment)
}
