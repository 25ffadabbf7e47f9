package focasclient

import (
	"context"
	"fmt"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// AxisCount is the number of controlled axes of the path, as the open reply says; it sends nothing.
func (p Path) AxisCount() int {
	r, _ := p.c.reply.Path(p.n)
	return int(r.Axes)
}

// SpindleCount is the number of spindles of the path, as the open reply says; it sends nothing.
func (p Path) SpindleCount() int {
	r, _ := p.c.reply.Path(p.n)
	return int(r.Spindles)
}

// Axis reads a kind of one axis, 1-based.
func (p Path) Axis(ctx context.Context, kind focas.AxisKind, axis int) (focas.Value, error) {
	return call(ctx, p.c, axisCall(kind), focas.AxisRequest(p.n, kind, int32(axis)), focas.ParseValue)
}

// Axes reads a kind of all controlled axes of the path; the padding that the control sends after them is cut off.
func (p Path) Axes(ctx context.Context, kind focas.AxisKind) ([]focas.Value, error) {
	list, err := call(ctx, p.c, axisCall(kind), focas.AxisRequest(p.n, kind, focas.AllAxes), focas.ParseValues)
	return p.ofAxes(list.Items), err
}

// ofAxes cuts padding off. An open reply that does not count axes leaves it on.
func (p Path) ofAxes(values []focas.Value) []focas.Value {
	if n := p.AxisCount(); n > 0 && n < len(values) {
		return values[:n]
	}
	return values
}

// axesOrAll is the number of axes, or a number above any when the open reply does not count them.
func (p Path) axesOrAll() int {
	if n := p.AxisCount(); n > 0 {
		return n
	}
	return 1 << 16
}

func axisCall(kind focas.AxisKind) string {
	names := [...]string{"cnc_absolute2", "cnc_machine", "cnc_relative2", "distance to go", "cnc_absolute", "",
		"cnc_relative", "cnc_distance", "cnc_skip", "cnc_srvdelay", "cnc_accdecdly"}
	if kind >= 0 && int(kind) < len(names) && names[kind] != "" {
		return names[kind]
	}
	return fmt.Sprintf("axis kind %d", kind)
}

// Absolute reads the absolute positions of all axes (cnc_absolute). The position screen shows [Path.Positions].
func (p Path) Absolute(ctx context.Context) ([]focas.Value, error) {
	return p.Axes(ctx, focas.AxisAbsoluteOld)
}

// Machine reads the machine positions of all axes (cnc_machine).
func (p Path) Machine(ctx context.Context) ([]focas.Value, error) {
	return p.Axes(ctx, focas.AxisMachine)
}

// Relative reads the relative positions of all axes (cnc_relative).
func (p Path) Relative(ctx context.Context) ([]focas.Value, error) {
	return p.Axes(ctx, focas.AxisRelativeOld)
}

// Distance reads the distances to go of all axes (cnc_distance).
func (p Path) Distance(ctx context.Context) ([]focas.Value, error) {
	return p.Axes(ctx, focas.AxisDistanceOld)
}

// Skip reads the skip positions of all axes (cnc_skip).
func (p Path) Skip(ctx context.Context) ([]focas.Value, error) { return p.Axes(ctx, focas.AxisSkip) }

// ServoDelay reads the servo delays of all axes (cnc_srvdelay).
func (p Path) ServoDelay(ctx context.Context) ([]focas.Value, error) {
	return p.Axes(ctx, focas.AxisServoDelay)
}

// AccDecDelay reads the acceleration delays of all axes (cnc_accdecdly).
func (p Path) AccDecDelay(ctx context.Context) ([]focas.Value, error) {
	return p.Axes(ctx, focas.AxisAccDecDelay)
}

// AxisNames reads the names of the axes (cnc_rdaxisname, cnc_exaxisname with 0).
func (p Path) AxisNames(ctx context.Context) ([]focas.Name, error) {
	list, err := call(ctx, p.c, "cnc_rdaxisname", focas.AxisNamesRequest(p.n), focas.ParseNames)
	return withoutPadding(list.Items), err
}

// withoutPadding cuts the empty names off the end.
func withoutPadding(names []focas.Name) []focas.Name {
	for len(names) > 0 && names[len(names)-1] == (focas.Name{}) {
		names = names[:len(names)-1]
	}
	return names
}

// Positions reads what the position screen shows (cnc_rdposition): the kinds given of 0 to 3, none is all four, for each axis
// shown there.
func (p Path) Positions(ctx context.Context, kinds ...focas.AxisKind) ([]focas.AxisPosition, error) {
	return together(ctx, p.c, "cnc_rdposition", focas.PositionRequests(p.c.Dialect(), p.n, kinds...), func(replies []focas.Reply) ([]focas.AxisPosition, error) {
		return focas.ParsePositions(p.c.Dialect(), p.axesOrAll(), replies, kinds...)
	})
}

// Figures reads how many decimals numbers of a kind have (cnc_getfigure).
func (p Path) Figures(ctx context.Context, kind int32) (focas.Figures, error) {
	return call(ctx, p.c, "cnc_getfigure", focas.FigureRequest(p.n, kind), focas.ParseFigures)
}

// together exchanges blocks that belong into one frame and joins their answers.
func together[T any](ctx context.Context, c *Client, op string, qs []focas.Request, parse func([]focas.Reply) (T, error)) (T, error) {
	var zero T
	replies, err := c.Exchange(ctx, qs)
	if err != nil {
		return zero, fmt.Errorf("%s: %w", op, err)
	}
	v, err := parse(replies)
	if err != nil {
		return v, fmt.Errorf("%s %s: %w", op, c.addr, err)
	}
	return v, nil
}
