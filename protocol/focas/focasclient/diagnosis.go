package focasclient

import (
	"context"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// Diag reads one diagnosis number (cnc_diagnoss). axis is [focas.NoAxis], an axis number from 1, or [focas.EveryAxis].
// See [focas.DiagType.Of] for what its slots mean.
func (p Path) Diag(ctx context.Context, number int32, axis int16) (focas.Record, error) {
	return call(ctx, p.c, "cnc_diagnoss", focas.DiagRequest(p.c.Dialect(), p.n, number, number, axis), p.c.record)
}

// Diags reads the diagnosis numbers from..to that exist (cnc_diagnosr). The range must fit one reply.
func (p Path) Diags(ctx context.Context, from, to int32, axis int16) ([]focas.Record, error) {
	return call(ctx, p.c, "cnc_diagnosr", focas.DiagRequest(p.c.Dialect(), p.n, from, to, axis), p.c.records)
}

// DiagNumbers is the range of diagnosis numbers (cnc_rddiagnum).
func (p Path) DiagNumbers(ctx context.Context) (focas.NumberRange, error) {
	return call(ctx, p.c, "cnc_rddiagnum", focas.DiagNumRequest(p.n), focas.ParseNumberRange)
}

// DiagInfo gives the types of count diagnosis numbers from a number on (cnc_rddiaginfo).
func (p Path) DiagInfo(ctx context.Context, from, count int32) (focas.NumberInfos, error) {
	return call(ctx, p.c, "cnc_rddiaginfo", focas.DiagInfoRequest(p.n, from, count), focas.ParseNumberInfos)
}

// DiagInfo2 describes count diagnosis numbers from a number on (cnc_rddiaginfo2).
func (p Path) DiagInfo2(ctx context.Context, from, count int32) (focas.NumberInfos2, error) {
	return call(ctx, p.c, "cnc_rddiaginfo2", focas.DiagInfo2Request(p.n, from, count), focas.ParseNumberInfos2)
}
