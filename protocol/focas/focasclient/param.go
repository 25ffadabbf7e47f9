package focasclient

import (
	"context"
	"fmt"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// slots is how many axes a record of this control has.
func (c *Client) slots() int {
	switch n := int(c.reply.MaxAxes); {
	case c.Dialect() == focas.Series30i:
		return focas.MaxSlots
	case n < 1 || n > focas.MaxSlots:
		return focas.ClassicSlots
	default:
		return n
	}
}

func (c *Client) record(payload []byte) (focas.Record, error) {
	return focas.ParseRecord(c.Dialect(), payload)
}

func (c *Client) records(payload []byte) ([]focas.Record, error) {
	l, err := focas.ParseRecords(c.Dialect(), c.slots(), payload)
	return l.Items, err
}

// ParamRecordSize is the payload in bytes of one parameter, diagnosis number or setting of this control, for
// [Batch.Add].
func (c *Client) ParamRecordSize() int { return focas.RecordSize(c.Dialect(), c.slots()) }

// Param reads one parameter (cnc_rdparam). axis is [focas.NoAxis], an axis number from 1, or [focas.EveryAxis]. See
// [focas.ParamType.Of] for what its slots mean.
func (p Path) Param(ctx context.Context, number int32, axis int16) (focas.Record, error) {
	return call(ctx, p.c, "cnc_rdparam", focas.ParamRequest(p.c.Dialect(), p.n, number, number, axis), p.c.record)
}

// Params reads the parameters from..to that exist (cnc_rdparam with a range). The range must fit one reply.
func (p Path) Params(ctx context.Context, from, to int32, axis int16) ([]focas.Record, error) {
	return call(ctx, p.c, "cnc_rdparam", focas.ParamRequest(p.c.Dialect(), p.n, from, to, axis), p.c.records)
}

// ParamNumbers is the range of parameter numbers (cnc_rdparanum).
func (p Path) ParamNumbers(ctx context.Context) (focas.NumberRange, error) {
	return call(ctx, p.c, "cnc_rdparanum", focas.ParamNumRequest(p.n), focas.ParseNumberRange)
}

// ParamInfo gives the types of count parameters from a number on (cnc_rdparainfo).
func (p Path) ParamInfo(ctx context.Context, from, count int32) (focas.NumberInfos, error) {
	return call(ctx, p.c, "cnc_rdparainfo", focas.ParamInfoRequest(p.n, from, count), focas.ParseNumberInfos)
}

// ParamInfo2 describes count parameters from a number on (cnc_rdparainfo2).
func (p Path) ParamInfo2(ctx context.Context, from, count int32) (focas.NumberInfos2, error) {
	return call(ctx, p.c, "cnc_rdparainfo2", focas.ParamInfo2Request(p.n, from, count, 0), focas.ParseNumberInfos2)
}

// ParamInfo3 is [Path.ParamInfo2] with the flag word that cnc_rdparainfo3 sets.
func (p Path) ParamInfo3(ctx context.Context, from, count int32) (focas.NumberInfos2, error) {
	return call(ctx, p.c, "cnc_rdparainfo3", focas.ParamInfo2Request(p.n, from, count, 1), focas.ParseNumberInfos2)
}

// ParamType asks what type a parameter has, as FANUC's library does before each write. A number that does not exist is
// an EW_NUMBER.
func (p Path) ParamType(ctx context.Context, number int32) (focas.ParamType, error) {
	q := focas.ParamTypeRequest(p.c.Dialect(), p.n, number)
	typ, err := call(ctx, p.c, "type of parameter", q, p.c.typeOf(number))
	return focas.ParamType(typ), err
}

// WriteParam writes a parameter (cnc_wrparam): one value, or with [focas.EveryAxis] one per axis. It asks the
// parameter's type first; a value that does not fit it is an error and nothing is written. Not atomic for a reader in
// between.
func (p Path) WriteParam(ctx context.Context, number int32, axis int16, values ...focas.Value) error {
	t, err := p.ParamType(ctx, number)
	if err != nil {
		return fmt.Errorf("cnc_wrparam %d: %w", number, err)
	}
	r, err := focas.ParamRecord(p.c.Dialect(), p.c.slots(), number, axis, t, values...)
	if err != nil {
		return fmt.Errorf("cnc_wrparam: %w", err)
	}
	return order(ctx, p.c, "cnc_wrparam", focas.WriteParamRequest(p.n, r))
}
