package focasclient

import (
	"context"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// OpMessages reads the operator messages of a type (cnc_rdopmsg, cnc_rdopmsg2).
func (p Path) OpMessages(ctx context.Context, typ int32) ([]focas.OpMessage, error) {
	list, err := call(ctx, p.c, "cnc_rdopmsg", focas.OpMessageRequest(p.n, typ), focas.ParseOpMessages)
	return list.Items, err
}

// OpMessages3 reads at most max operator messages of a type (cnc_rdopmsg3). Classic controls have no such function and are
// asked as [Path.OpMessages] does.
func (p Path) OpMessages3(ctx context.Context, typ, max int32) ([]focas.OpMessage, error) {
	q := focas.OpMessages3Request(p.n, typ, max)
	if p.c.Dialect() == focas.Classic {
		q = focas.OpMessageRequest(p.n, typ)
	}
	list, err := call(ctx, p.c, "cnc_rdopmsg3", q, focas.ParseOpMessages)
	if n := len(list.Items); max >= 0 && n > int(max) {
		list.Items = list.Items[:max]
	}
	return list.Items, err
}
