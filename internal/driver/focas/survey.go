package focas

import (
	"context"
	"strconv"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasclient"
)

// control is what the survey found out about a control before the table is made.
type control struct {
	dialect focas.Dialect
	family  focas.Family
	paths   []*path
}

// path is one path of the control.
type path struct {
	number   uint16
	root     device.Path // "path/1"
	lathe    bool
	info     focas.SysInfo
	infoErr  error
	axes     []axis
	spindles []spindle
	slots    int // axes in an all-axes answer: 8 or 32 on known controls, found by asking
	tool     focas.Figure
	work     []focas.Figure
}

// axis is one controlled axis.
type axis struct {
	name    string // as the control writes it: "X", "X1"
	segment string
}

// spindle is one spindle of a path; spindles of the whole control are numbered through.
type spindle struct {
	number int // of the control, from 1
	name   string
}

// Sizes of answers that depend on how far a control pads its all-axes answers; 32 is the most.
const maxAxes = 32

// survey asks what the paths have.
func survey(ctx context.Context, c *focasclient.Client) (*control, error) {
	reply := c.OpenReply()
	ctl := &control{dialect: reply.Dialect()}
	spindles := 0
	for n, record := range reply.Paths() {
		p := &path{number: n, root: device.Join("path", strconv.Itoa(int(n)))}
		p.info, p.infoErr = c.SysInfo(n)
		p.lathe = p.infoErr == nil && len(p.info.KindText()) > 0 && p.info.KindText()[0] == 'T'
		if len(ctl.paths) == 0 {
			ctl.family = focas.FamilyOf(&reply, p.info)
		}
		if err := p.survey(ctx, c, int(record.Axes), int(record.Spindles), spindles); err != nil {
			return nil, err
		}
		spindles += len(p.spindles)
		ctl.paths = append(ctl.paths, p)
	}
	return ctl, nil
}

// survey asks one path for names. What it refuses is replaced by numbers: an axis without a name is "1".
func (p *path) survey(ctx context.Context, c *focasclient.Client, axes, spindles, before int) error {
	b := c.Batch()
	names := b.Add(focas.AxisNamesRequest(p.number), maxAxes*focas.NameSize)
	spindleNames := b.Add(focas.SpindleNamesRequest(p.number, focas.SpindleNames), maxAxes*focas.NameSize)
	positions := b.Add(focas.AxisRequest(p.number, focas.AxisAbsolute, focas.AllAxes), maxAxes*focas.ValueSize)
	tool := b.Add(focas.FigureRequest(p.number, focas.FigureToolOffset), 4+4*maxAxes)
	work := b.Add(focas.FigureRequest(p.number, focas.FigureWorkOffset), 4+4*maxAxes)
	if err := b.Do(ctx, c); err != nil {
		return err
	}
	found, _ := focasclient.Result(b, names, focas.ParseNames)
	if axes == 0 {
		axes = named(found)
	}
	values, _ := focasclient.Result(b, positions, focas.ParseValues)
	p.slots = len(values.Items)
	if p.slots == 0 {
		p.slots = maxAxes
	}
	axisNames := nameTexts(found, min(axes, maxAxes), "")
	segments := device.Slugs(axisNames)
	for i, name := range axisNames {
		p.axes = append(p.axes, axis{name, segments[i]})
	}
	foundSpindles, _ := focasclient.Result(b, spindleNames, focas.ParseNames)
	for i, name := range nameTexts(foundSpindles, min(spindles, maxAxes), "S") {
		p.spindles = append(p.spindles, spindle{before + i + 1, name})
	}
	if f, err := focasclient.Result(b, tool, focas.ParseFigures); err == nil && len(f.Items) > 0 {
		p.tool = f.Items[0]
	}
	if f, err := focasclient.Result(b, work, focas.ParseFigures); err == nil {
		p.work = f.Items
	}
	return nil
}

func named(names focas.Names) int {
	n := 0
	for _, name := range names.Items {
		if name.String() != "" {
			n++
		}
	}
	return n
}

// nameTexts is n names; a missing one is prefix and number.
func nameTexts(names focas.Names, n int, prefix string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = prefix + strconv.Itoa(i+1)
		if i < len(names.Items) && names.Items[i].String() != "" {
			out[i] = names.Items[i].String()
		}
	}
	return out
}

// axisName is the name of a 1-based axis number as alarms carry it; empty for none.
func (p *path) axisName(n int32) string {
	if n >= 1 && int(n) <= len(p.axes) {
		return p.axes[n-1].name
	}
	return ""
}
