package focasclient

import (
	"context"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// ModalG reads modal G codes as numbers within their groups (cnc_modal with types 0 to 99, -1 and -4); which is a group,
// [focas.ModalAll] or [focas.ModalSecond]. [Path.GCodes] gives names instead.
func (p Path) ModalG(ctx context.Context, which, block int32) ([]uint8, error) {
	list, err := call(ctx, p.c, "cnc_modal", focas.ModalGRequest(p.n, which, block), focas.ParseWords)
	codes := make([]uint8, len(list.Items))
	for i, w := range list.Items {
		codes[i] = focas.GroupCode(w)
	}
	return codes, err
}

// ModalAux reads what was commanded at addresses (cnc_modal with types 100 to 299, -2 and -3); which is a number of
// [focas.AuxAddress], [focas.ModalAll] or [focas.ModalSecond].
func (p Path) ModalAux(ctx context.Context, which, block int32) ([]focas.Aux, error) {
	list, err := call(ctx, p.c, "cnc_modal", focas.ModalAuxRequest(p.n, which, block), focas.ParseAuxes)
	return list.Items, err
}

// GCodes reads active G codes by name (cnc_rdgcode); typ is a group or [focas.ModalAll].
func (p Path) GCodes(ctx context.Context, typ, block int32) ([]focas.GCode, error) {
	list, err := call(ctx, p.c, "cnc_rdgcode", focas.GCodesRequest(p.n, typ, block), focas.ParseGCodes)
	return list.Items, err
}

// Commands reads the values commanded at addresses (cnc_rdcommand).
func (p Path) Commands(ctx context.Context, typ, block int32) ([]focas.Command, error) {
	list, err := call(ctx, p.c, "cnc_rdcommand", focas.CommandsRequest(p.n, typ, block), focas.ParseCommands)
	return list.Items, err
}
