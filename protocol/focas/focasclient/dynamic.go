package focasclient

import (
	"context"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// Dynamic reads alarm bits, program and sequence numbers, speeds and the positions of an axis, 1-based, or of all
// ([focas.AllAxes]) in one frame (cnc_rddynamic2, cnc_rddynamic). Positions of all axes are cut to the axes of the path. When
// the control refuses a part, the error is the first refusal and the rest is in the result.
func (p Path) Dynamic(ctx context.Context, axis int32) (focas.Dynamic, error) {
	d, err := together(ctx, p.c, "cnc_rddynamic2", focas.DynamicRequests(p.n, axis), focas.ParseDynamic)
	if axis == focas.AllAxes {
		d.Absolute, d.Machine, d.Relative, d.Distance = p.ofAxes(d.Absolute), p.ofAxes(d.Machine), p.ofAxes(d.Relative), p.ofAxes(d.Distance)
	}
	return d, err
}
