package focas

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/focas"
)

// offsetKind is one part of a tool offset. The numbers are public code's; a control with a smaller offset memory refuses
// those that it does not have.
type offsetKind struct {
	kind    int32
	segment string
}

var millOffsets = []offsetKind{{0, "radius-wear"}, {1, "radius-geometry"}, {2, "length-wear"}, {3, "length-geometry"}}

var latheOffsets = []offsetKind{{0, "x-wear"}, {1, "x-geometry"}, {2, "z-wear"}, {3, "z-geometry"}, {4, "radius-wear"},
	{5, "radius-geometry"}}

func (s *session) addToolOffset(t *table, p *path, n int32) {
	kinds := millOffsets
	if p.lathe {
		kinds = latheOffsets
	}
	for _, k := range kinds {
		at := device.Join("offsets/tool", strconv.Itoa(int(n)), k.segment)
		s.addOffset(t, at, fmt.Sprintf("Offset %d %s", n, k.segment), "tool offset (cnc_rdtofs, cnc_wrtofs)", p.tool,
			focas.ToolOffsetRequest(p.number, n, k.kind),
			func(raw int32) focas.Request { return focas.WriteToolOffsetRequest(p.number, n, k.kind, raw) })
	}
}

func (s *session) addWorkOffset(t *table, p *path, n int32) {
	for i, a := range p.axes {
		var figure focas.Figure
		if i < len(p.work) {
			figure = p.work[i]
		}
		at := device.Join("offsets/work", strconv.Itoa(int(n)), a.segment)
		axis := int32(i + 1)
		s.addOffset(t, at, fmt.Sprintf("%s %s", workName(n), a.name), "work zero offset, 0 is the external one (cnc_rdzofs, cnc_wrzofs)", figure,
			focas.WorkOffsetRequest(p.number, n, n, axis),
			func(raw int32) focas.Request { return focas.WriteWorkOffsetRequest(p.number, n, axis, raw) })
	}
}

// workName is how a program calls a work offset.
func workName(n int32) string {
	switch {
	case n == 0:
		return "EXT"
	case n <= 6:
		return "G" + strconv.Itoa(int(53+n))
	}
	return "G54.1 P" + strconv.Itoa(int(n-6))
}

// addOffset makes one offset. Offsets travel as integers in the least input increment; its decimals are those of the
// answer, or of cnc_getfigure when the answer has none.
func (s *session) addOffset(t *table, at device.Path, title, doc string, figure focas.Figure, read focas.Request, write func(raw int32) focas.Request) {
	decimals := int(figure.In)
	t.add(&source{name: read.Func.String() + " " + string(at), request: read, payload: focas.ValueSize, rate: device.Normal,
		decode: func(b []byte, out *samples) error {
			v, err := focas.ParseValue(b)
			if err != nil {
				return err
			}
			if d := v.Decimals(); d > 0 {
				decimals = d
			}
			s.amend(at, look{decimals: decimals, step: math.Pow(10, -float64(decimals))})
			out.set(at, device.OfFloat(focas.Decimal(v.Mantissa, int16(decimals)).Float()))
			return nil
		}},
		device.Spec{Path: at, Kind: device.Float, Role: "cnc.offset", Title: title, Doc: doc})
	t.canWrite(at, device.HazardPlain, func(ctx context.Context, v device.Value) error {
		raw := math.Round(v.Float() * math.Pow(10, float64(decimals)))
		if math.Abs(raw) > 999_999_999 {
			return fmt.Errorf("%v does not fit an offset of %d decimals: at most nine digits", v, decimals)
		}
		return s.order(ctx, write(int32(raw)))
	})
}
