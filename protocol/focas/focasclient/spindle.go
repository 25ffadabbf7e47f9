package focasclient

import (
	"context"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// ActualFeed reads the actual feed rate (cnc_actf).
func (p Path) ActualFeed(ctx context.Context) (focas.Value, error) {
	return call(ctx, p.c, "cnc_actf", focas.FeedRequest(p.n), focas.ParseValue)
}

// ActualSpindle reads the actual speed of the main spindle (cnc_acts).
func (p Path) ActualSpindle(ctx context.Context) (focas.Value, error) {
	return call(ctx, p.c, "cnc_acts", focas.SpindleSpeedRequest(p.n), focas.ParseValue)
}

// SpindleSpeeds reads the speed of a spindle, 1-based, or of all ([focas.AllAxes]) (cnc_acts2).
func (p Path) SpindleSpeeds(ctx context.Context, spindle int32) ([]focas.Value, error) {
	return p.spindles(ctx, "cnc_acts2", focas.SpindleSpeed, spindle)
}

// SpindleLoads reads the load of a spindle, 1-based, or of all, in percent (cnc_rdspload).
func (p Path) SpindleLoads(ctx context.Context, spindle int32) ([]focas.Value, error) {
	return p.spindles(ctx, "cnc_rdspload", focas.SpindleLoad, spindle)
}

// SpindleMaxRPM reads the greatest speed of a spindle, 1-based, or of all (cnc_rdspmaxrpm).
func (p Path) SpindleMaxRPM(ctx context.Context, spindle int32) ([]focas.Value, error) {
	return p.spindles(ctx, "cnc_rdspmaxrpm", focas.SpindleMaxRPM, spindle)
}

// SpindleGears reads the gear of a spindle, 1-based, or of all (cnc_rdspgear).
func (p Path) SpindleGears(ctx context.Context, spindle int32) ([]focas.Value, error) {
	return p.spindles(ctx, "cnc_rdspgear", focas.SpindleGear, spindle)
}

func (p Path) spindles(ctx context.Context, op string, kind, spindle int32) ([]focas.Value, error) {
	d := p.c.Dialect()
	return together(ctx, p.c, op, focas.BracketedSpindleRequests(d, p.n, kind, spindle), func(replies []focas.Reply) ([]focas.Value, error) {
		return focas.ParseBracketedSpindles(d, spindle, p.spindlesOrAll(), replies)
	})
}

// spindlesOrAll is the number of spindles, or a number above any when the open reply does not count them.
func (p Path) spindlesOrAll() int {
	if n := p.SpindleCount(); n > 0 {
		return n
	}
	return 1 << 16
}

// SpindleNames reads the names of the spindles (cnc_rdspdlname, cnc_exaxisname with 1).
func (p Path) SpindleNames(ctx context.Context) ([]focas.Name, error) {
	list, err := call(ctx, p.c, "cnc_rdspdlname", focas.SpindleNamesRequest(p.n, focas.SpindleNames), focas.ParseNames)
	return withoutPadding(list.Items), err
}

// SpindleMeter reads load and speed of the spindles with their names (cnc_rdspmeter, cnc_rdaxisdata class 3).
func (p Path) SpindleMeter(ctx context.Context) ([]focas.SpindleReading, error) {
	d := p.c.Dialect()
	return together(ctx, p.c, "cnc_rdspmeter", focas.SpindleMeterRequests(d, p.n), func(replies []focas.Reply) ([]focas.SpindleReading, error) {
		return focas.ParseSpindleMeter(d, p.spindlesOrAll(), replies)
	})
}

// Speeds reads feed rate and spindle speed as the control shows them (cnc_rdspeed, cnc_rdaxisdata class 5).
func (p Path) Speeds(ctx context.Context) (focas.Speeds, error) {
	d := p.c.Dialect()
	return together(ctx, p.c, "cnc_rdspeed", focas.SpeedRequests(d, p.n), func(replies []focas.Reply) (focas.Speeds, error) {
		return focas.ParseSpeeds(d, replies)
	})
}
