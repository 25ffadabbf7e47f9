package focassim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// axisConfig is one axis of a path.
type axisConfig struct {
	letter  byte
	rotary  bool
	rapid   float64 // mm/min or degrees/min
	cutting float64
	low     float64 // stored stroke limits, machine coordinates
	high    float64
	load    float64 // percent that holding the axis takes
}

// pathConfig is one path.
type pathConfig struct {
	lathe    bool
	axes     []axisConfig
	spindle  int      // the spindle that S and M03 of this path turn, 0-based
	first    int      // number of axes in the paths before
	programs []string // names in the program library, the first is the main program
}

// axis is the index of the axis with that letter, or -1.
func (c *pathConfig) axis(letter byte) int {
	return slices.IndexFunc(c.axes, func(a axisConfig) bool { return a.letter == letter })
}

// profile is what makes one control differ from another.
type profile struct {
	name     string
	version  focas.Version
	cnc      string // "30", " 0", "16"
	series   string
	edition  string
	addinfo  uint16
	model    uint16
	pad      int // values in a reply about all axes; records of parameters have as many slots
	spindles []string
	maxRPM   []float64
	paths    []pathConfig
}

func (p *profile) dialect() focas.Dialect { return p.version.Dialect() }

func (p *profile) axisCount() int {
	n := 0
	for i := range p.paths {
		n += len(p.paths[i].axes)
	}
	return n
}

func millAxes(rapid float64) []axisConfig {
	return []axisConfig{
		{letter: 'X', rapid: rapid, cutting: 12000, low: -650, high: 5, load: 2},
		{letter: 'Y', rapid: rapid, cutting: 12000, low: -450, high: 5, load: 3},
		{letter: 'Z', rapid: rapid * 0.8, cutting: 12000, low: -500, high: 5, load: 14},
	}
}

func mill() []pathConfig {
	return []pathConfig{{axes: millAxes(30000), programs: []string{"O1000", "O1001", "O8000", "O9001"}}}
}

func latheAxes(c bool) []axisConfig {
	axes := []axisConfig{
		{letter: 'X', rapid: 20000, cutting: 8000, low: -300, high: 5, load: 6},
		{letter: 'Z', rapid: 24000, cutting: 8000, low: -700, high: 5, load: 2},
	}
	if c {
		axes = append(axes, axisConfig{letter: 'C', rotary: true, rapid: 36000, cutting: 18000, low: -99999, high: 99999, load: 1})
	}
	return axes
}

// profiles are the controls that can be simulated. Series and edition are of the form that real ones have; versions and
// padding are those seen on real controls (public) where there is one: version 2 and 8 on a 160i, version 3 on a 0i-F,
// 32 on a 31i.
func profiles() []profile {
	mill2 := millAxes(36000)
	mill2 = append(mill2, axisConfig{letter: 'C', rotary: true, rapid: 36000, cutting: 18000, low: -99999, high: 99999, load: 1})
	return []profile{
		{name: "30i", version: 3, cnc: "30", series: "G301", edition: "27.0", addinfo: 0x0202, model: 7, pad: 32,
			spindles: []string{"S1"}, maxRPM: []float64{12000}, paths: mill()},
		{name: "16i", version: 2, cnc: "16", series: "B0F2", edition: "12.0", addinfo: 0x0202, model: 1, pad: 8,
			spindles: []string{"S1"}, maxRPM: []float64{8000}, paths: mill()},
		{name: "0i-d", version: 3, cnc: " 0", series: "D4F1", edition: "30.0", addinfo: 0x0442, model: 5, pad: 32,
			spindles: []string{"S1"}, maxRPM: []float64{8000}, paths: mill()},
		{name: "0i-f", version: 3, cnc: " 0", series: "D4G1", edition: "41.0", addinfo: 0x0602, model: 6, pad: 32,
			spindles: []string{"S1"}, maxRPM: []float64{10000}, paths: mill()},
		{name: "31i", version: 4, cnc: "31", series: "G421", edition: "51.0", addinfo: 0x0202, model: 8, pad: 32,
			spindles: []string{"S1", "S2"}, maxRPM: []float64{4500, 12000}, paths: []pathConfig{
				{lathe: true, axes: latheAxes(false), programs: []string{"O3000"}},
				{axes: mill2, spindle: 1, first: 2, programs: []string{"O4000", "O1001", "O8000"}},
			}},
	}
}

// Profiles are the names that [Options.Profile] takes.
func Profiles() []string {
	var names []string
	for _, p := range profiles() {
		names = append(names, p.name)
	}
	return names
}

func profileOf(name string) (*profile, error) {
	for _, p := range profiles() {
		if p.name == strings.ToLower(name) {
			return &p, nil
		}
	}
	return nil, fmt.Errorf("focassim: no profile %q: take one of %s", name, strings.Join(Profiles(), ", "))
}

// openReply is the answer to an open request.
func (p *profile) openReply() focas.OpenReply {
	n := uint16(p.axisCount())
	o := focas.OpenReply{Version: p.version, MaxAxes: uint16(p.pad), MaxSpindles: 8, ControlledPaths: uint16(len(p.paths)),
		Family: 0, MaxGroups: 1, Axes: n, ServoAxes: n, Spindles: uint16(len(p.spindles)), Groups: 1, Options: 1, Additional: p.addinfo}
	if p.dialect() == focas.Classic {
		o = focas.OpenReply{Version: p.version, MaxAxes: uint16(p.pad), MaxSpindles: 4, ControlledPaths: uint16(len(p.paths))}
	}
	for i := range p.paths {
		r := focas.PathRecord{System: 1, Attribute: 0, Axes: uint16(len(p.paths[i].axes)), Spindles: 1}
		if p.dialect() != focas.Classic {
			r.Group, r.MachineGroup = 1, 1
			r.Unknown[0] = r.Axes
		}
		o.Records = append(o.Records, r)
	}
	return o
}

// sysInfo is the answer of function 0x18 for a path.
func (p *profile) sysInfo(path int) focas.SysInfo {
	c := &p.paths[path]
	x := focas.SysInfo{AddInfo: p.addinfo, MaxAxis: uint16(p.pad)}
	copy(x.Type[:], p.cnc)
	copy(x.Kind[:], " M")
	if c.lathe {
		copy(x.Kind[:], " T")
	}
	copy(x.Series[:], p.series)
	copy(x.Edition[:], p.edition)
	copy(x.Axes[:], fmt.Sprintf("%02d", len(c.axes)))
	return x
}
