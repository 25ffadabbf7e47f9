package focasclient

import (
	"context"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// ServoMeter reads the loads of the servo axes with their names (cnc_rdsvmeter, cnc_rdaxisdata class 2). Loads keep their
// sign, which FANUC's library takes off.
func (p Path) ServoMeter(ctx context.Context) ([]focas.AxisLoad, error) {
	d := p.c.Dialect()
	return together(ctx, p.c, "cnc_rdsvmeter", focas.ServoMeterRequests(d, p.n), func(replies []focas.Reply) ([]focas.AxisLoad, error) {
		return focas.ParseServoMeter(d, p.axesOrAll(), replies)
	})
}

// Current reads the loads of the servo axes alone (cnc_rdcurrent).
func (p Path) Current(ctx context.Context) ([]focas.Value, error) {
	list, err := call(ctx, p.c, "cnc_rdcurrent", focas.ServoRequest(p.n, focas.ServoLoad), focas.ParseValues)
	return p.ofAxes(list.Items), err
}

// LoopGain reads the loop gains of the servo axes (cnc_rdloopgain).
func (p Path) LoopGain(ctx context.Context) ([]focas.Value, error) {
	list, err := call(ctx, p.c, "cnc_rdloopgain", focas.ServoRequest(p.n, focas.ServoLoopGain), focas.ParseValues)
	return p.ofAxes(list.Items), err
}
