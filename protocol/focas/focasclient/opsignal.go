package focasclient

import (
	"context"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// OpSignals reads the state of the software operator's panel; mask -1 is all of it (cnc_rdopnlsgnl).
func (p Path) OpSignals(ctx context.Context, mask int32) (focas.OpSignal, error) {
	return call(ctx, p.c, "cnc_rdopnlsgnl", focas.OpSignalRequest(p.n, mask), focas.ParseOpSignal)
}

// OpModes reads the operation mode of each axis (cnc_rdopmode).
func (p Path) OpModes(ctx context.Context) ([]focas.U16, error) {
	list, err := call(ctx, p.c, "cnc_rdopmode", focas.OpModeRequest(p.n), focas.ParseWords)
	return list.Items, err
}
