package focasclient

import (
	"context"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// Selected is one number of a list that was asked for: its type and its values, or why the control gave none.
type Selected struct {
	Number int32
	Type   uint16 // as [Path.ParamType] has it, for parameters
	Record focas.Record
	Err    error
}

// ParamsOf reads any parameters in as few frames as the limits allow, each with its type (cnc_rdparam_ext). axis is as in
// [Path.Param]; FANUC's library asks with [focas.EveryAxis]. A number that the control refuses has its error; the error of
// the call is the session's.
func (p Path) ParamsOf(ctx context.Context, axis int16, numbers ...int32) ([]Selected, error) {
	return p.selected(ctx, numbers, func(number int32) (typ, value focas.Request) {
		d := p.c.Dialect()
		return focas.ParamTypeRequest(d, p.n, number), focas.ParamRequest(d, p.n, number, number, axis)
	})
}

// DiagsOf is [Path.ParamsOf] for diagnosis numbers (cnc_rddiag_ext).
func (p Path) DiagsOf(ctx context.Context, axis int16, numbers ...int32) ([]Selected, error) {
	return p.selected(ctx, numbers, func(number int32) (typ, value focas.Request) {
		d := p.c.Dialect()
		typ = focas.DiagInfo2Request(p.n, number, 1)
		if d == focas.Classic {
			typ = focas.DiagInfoRequest(p.n, number, 1)
		}
		return typ, focas.DiagRequest(d, p.n, number, number, axis)
	})
}

func (p Path) selected(ctx context.Context, numbers []int32, ask func(int32) (typ, value focas.Request)) ([]Selected, error) {
	b := p.c.Batch()
	for _, n := range numbers {
		typ, value := ask(n)
		b.AddTogether(Part{typ, numberInfoSize}, Part{value, p.c.ParamRecordSize()})
	}
	if err := b.Do(ctx, p.c); err != nil {
		return nil, err
	}
	out := make([]Selected, len(numbers))
	for i, n := range numbers {
		s := &out[i]
		s.Number = n
		if s.Type, s.Err = Result(b, 2*i, p.c.typeOf(n)); s.Err != nil {
			continue
		}
		if s.Record, s.Err = Result(b, 2*i+1, p.c.record); s.Err == nil && s.Record.Number != n {
			s.Err = &focas.Error{Code: focas.EWNumber}
		}
	}
	return out, nil
}

// numberInfoSize is the larger of the two answers about the type of one number, in bytes: the numbers before and after, and one
// description.
const numberInfoSize = 8 + focas.NumberInfo2Size

// typeOf reads the type of a number from the control's answer. A number that does not exist is an EW_NUMBER.
func (c *Client) typeOf(number int32) func([]byte) (uint16, error) {
	return func(payload []byte) (uint16, error) {
		if c.Dialect() == focas.Classic {
			l, err := focas.ParseNumberInfos(payload)
			for _, i := range l.Items {
				if i.Number == number {
					return i.Size(), err
				}
			}
			return 0, numberError(err)
		}
		l, err := focas.ParseNumberInfos2(payload)
		for _, i := range l.Items {
			if i.Number == number {
				return i.Size, err
			}
		}
		return 0, numberError(err)
	}
}

func numberError(err error) error {
	if err != nil {
		return err
	}
	return &focas.Error{Code: focas.EWNumber}
}
