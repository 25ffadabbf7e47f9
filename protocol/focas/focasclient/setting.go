package focasclient

import (
	"context"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// Setting reads one item of setting data (cnc_rdset), which is typed like a parameter. It is written with
// [Path.WriteParam]: of cnc_wrset only the question for the type was seen, which is the same.
func (p Path) Setting(ctx context.Context, number int32, axis int16) (focas.Record, error) {
	return call(ctx, p.c, "cnc_rdset", focas.SettingRequest(p.c.Dialect(), p.n, number, number, axis), p.c.record)
}

// SettingInfo2 describes count settings from a number on (cnc_rdsetinfo2).
func (p Path) SettingInfo2(ctx context.Context, from, count int32) (focas.NumberInfos2, error) {
	return call(ctx, p.c, "cnc_rdsetinfo2", focas.SettingInfo2Request(p.n, from, count), focas.ParseNumberInfos2)
}
