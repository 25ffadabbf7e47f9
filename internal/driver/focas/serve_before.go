package focas

import (
	"context"
	"encoding/hex"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/focas"
)

// readBefore is the question for what a write of a client is about to replace, so that the audit can show old and new.
// There is one for macros, parameters and PMC data whose length and range agree: what a client says of its own data must not
// make the gateway ask for more than that.
func readBefore(q *focas.Request) (focas.Request, bool) {
	r := focas.Request{Class: q.Class, Path: q.Path, Args: q.Args}
	span := int64(q.Args[1]) - int64(q.Args[0]) + 1
	switch q.Func {
	case focas.FuncWriteMacro:
		r.Func = focas.FuncReadMacro
		return r, span > 0 && span*focas.ValueSize == int64(len(q.Data))
	case focas.FuncWritePMC:
		r.Func = focas.FuncReadPMC
		return r, span > 0 && span == int64(len(q.Data))
	case focas.FuncWriteParam:
		return paramBefore(focas.Series30i, q)
	case focas.FuncWriteParamClassic:
		return paramBefore(focas.Classic, q)
	}
	return r, false
}

func paramBefore(d focas.Dialect, q *focas.Request) (focas.Request, bool) {
	rec, err := focas.ParseRecord(d, q.Data)
	if err != nil {
		return focas.Request{}, false
	}
	return focas.ParamRequest(d, q.Path, rec.Number, rec.Number, rec.Axis), true
}

// before asks the control for what the changes in a frame replace, in one frame of its own. olds has a place for each
// block; it is nil when there is nothing to ask, and a place is empty where the control does not say. The error is that of
// the connection: then nothing of the client's frame has been sent.
func (p *proxy) before(ctx context.Context, cl *client, blocks []focas.Request) (olds []device.Value, err error) {
	var ask []focas.Request
	var index []int
	for i := range blocks {
		if cl.frame.verdicts[i] != isChange {
			continue
		}
		if q, ok := readBefore(&blocks[i]); ok {
			ask, index = append(ask, q), append(index, i)
		}
	}
	if len(ask) == 0 {
		return nil, nil
	}
	got, err := cl.up.exchange(ctx, ask)
	if isRefusal(err) {
		return nil, nil // the control does not say; that is no reason to keep the write from it
	}
	if err != nil {
		return nil, err
	}
	olds = make([]device.Value, len(blocks))
	for k, i := range index {
		if got[k].Code == focas.EWOK {
			olds[i] = device.OfString("data " + shownData(got[k].Payload))
		}
	}
	return olds, nil
}

// shownData is the beginning of a block's content as the audit shows it.
func shownData(data []byte) string {
	shown := data[:min(len(data), maxShown)]
	text := hex.EncodeToString(shown)
	if len(shown) < len(data) {
		text += "…"
	}
	return text
}
