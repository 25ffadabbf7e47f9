package focasclient

import (
	"context"
	"fmt"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// ToolOffset reads one tool offset (cnc_rdtofs), an integer in the least input increment. What kind means depends on the
// control's offset memory.
func (p Path) ToolOffset(ctx context.Context, number, kind int32) (focas.Value, error) {
	return call(ctx, p.c, "cnc_rdtofs", focas.ToolOffsetRequest(p.n, number, kind), oneValue)
}

// ToolOffsets reads the tool offsets from..to (cnc_rdtofsr), at most [focas.MaxMacrosPerRequest]. With
// [focas.OffsetKindAll] each number has as many values as the offset memory has kinds.
func (p Path) ToolOffsets(ctx context.Context, from, to, kind int32) ([]focas.Value, error) {
	if err := checkOffsets(from, int64(to)-int64(from)+1, focas.MaxMacrosPerRequest); err != nil {
		return nil, fmt.Errorf("cnc_rdtofsr: %w", err)
	}
	return call(ctx, p.c, "cnc_rdtofsr", focas.ToolOffsetsRequest(p.n, from, to, kind), func(payload []byte) ([]focas.Value, error) {
		l, err := focas.ParseValues(payload)
		if err != nil || kind == focas.OffsetKindAll {
			return l.Items, err
		}
		return exactly(l.Items, int(to-from)+1)
	})
}

func checkOffsets(from int32, count, limit int64) error {
	if from < 0 || from > maxNumber || count < 1 || count > limit {
		return fmt.Errorf("%d offsets from number %d: 1 to %d at once", count, from, limit)
	}
	return nil
}

// WriteToolOffset writes one tool offset (cnc_wrtofs), in the least input increment.
func (p Path) WriteToolOffset(ctx context.Context, number, kind, value int32) error {
	return order(ctx, p.c, "cnc_wrtofs", focas.WriteToolOffsetRequest(p.n, number, kind, value))
}

// WriteToolOffsets writes tool offsets from a number on (cnc_wrtofsr).
func (p Path) WriteToolOffsets(ctx context.Context, from, kind int32, values ...int32) error {
	if err := checkOffsets(from, int64(len(values)), maxWriteValues); err != nil {
		return fmt.Errorf("cnc_wrtofsr: %w", err)
	}
	return order(ctx, p.c, "cnc_wrtofsr", focas.WriteToolOffsetsRequest(p.n, from, kind, values...))
}

// ToolOffsetInfo says how many tool offsets there are and how the memory is laid out (cnc_rdtofsinfo).
func (p Path) ToolOffsetInfo(ctx context.Context) (focas.ToolOffsetInfo, error) {
	return call(ctx, p.c, "cnc_rdtofsinfo", focas.ToolOffsetInfoRequest(p.n), focas.ParseToolOffsetInfo)
}

// WorkOffset reads one work zero offset of an axis (cnc_rdzofs): number 0 is the external one, 1 is G54.
func (p Path) WorkOffset(ctx context.Context, number, axis int32) (focas.Value, error) {
	return call(ctx, p.c, "cnc_rdzofs", focas.WorkOffsetRequest(p.n, number, number, axis), oneValue)
}

// WorkOffsets reads the work zero offsets from..to of an axis (cnc_rdzofsr), at most [focas.MaxMacrosPerRequest].
func (p Path) WorkOffsets(ctx context.Context, from, to, axis int32) ([]focas.Value, error) {
	if err := checkOffsets(from, int64(to)-int64(from)+1, focas.MaxMacrosPerRequest); err != nil {
		return nil, fmt.Errorf("cnc_rdzofsr: %w", err)
	}
	return call(ctx, p.c, "cnc_rdzofsr", focas.WorkOffsetRequest(p.n, from, to, axis), values(int(to-from)+1))
}

// WriteWorkOffset writes work zero offsets of an axis from a number on (cnc_wrzofs), in the least input increment.
func (p Path) WriteWorkOffset(ctx context.Context, from, axis int32, values ...int32) error {
	if err := checkOffsets(from, int64(len(values)), maxWriteValues); err != nil {
		return fmt.Errorf("cnc_wrzofs: %w", err)
	}
	return order(ctx, p.c, "cnc_wrzofs", focas.WriteWorkOffsetRequest(p.n, from, axis, values...))
}

// WorkOffsetMax is the largest number of a work zero offset (cnc_rdzofsinfo).
func (p Path) WorkOffsetMax(ctx context.Context) (int32, error) {
	n, err := call(ctx, p.c, "cnc_rdzofsinfo", focas.WorkOffsetInfoRequest(p.n), focas.ParseCounter)
	return n.N, err
}
