package focasclient

import (
	"context"
	"fmt"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// Read reads PMC data (pmc_rdpmcrng): the bytes of r, items big-endian by r.Type. Ranges of more than
// [focas.MaxPMCRead] bytes take several requests, cut between items, and are then from several moments.
func (p PMC) Read(ctx context.Context, r focas.PMCRange) ([]byte, error) {
	if err := checkRange(r); err != nil {
		return nil, fmt.Errorf("pmc_rdpmcrng: %w", err)
	}
	var out []byte
	err := pieces(r, focas.MaxPMCRead, func(part focas.PMCRange) error {
		b, err := call(ctx, p.c, "pmc_rdpmcrng", focas.PMCRequest(p.n, part), func(payload []byte) ([]byte, error) {
			return exactly(payload, part.Len())
		})
		out = append(out, b...)
		return err
	})
	return out, err
}

// Write writes PMC data (pmc_wrpmcrng): data is the bytes of r, items big-endian by r.Type. Ranges of more than
// [focas.MaxPMCWrite] bytes take several requests, cut between items; an error between two of them leaves the first ones
// written.
func (p PMC) Write(ctx context.Context, r focas.PMCRange, data []byte) error {
	if err := checkRange(r); err != nil {
		return fmt.Errorf("pmc_wrpmcrng: %w", err)
	}
	if len(data) != r.Len() {
		return fmt.Errorf("pmc_wrpmcrng: %d bytes for a range of %d", len(data), r.Len())
	}
	return pieces(r, focas.MaxPMCWrite, func(part focas.PMCRange) error {
		n := part.Len()
		piece := data[:n]
		data = data[n:]
		return order(ctx, p.c, "pmc_wrpmcrng", focas.WritePMCRequest(p.n, part, piece))
	})
}

// maxPMCRange bounds what one call transfers, in bytes.
const maxPMCRange = 1 << 16

func checkRange(r focas.PMCRange) error {
	if n := int64(r.Last) - int64(r.First) + 1; r.First < 0 || r.First > maxNumber || n < 1 || n > maxPMCRange {
		return fmt.Errorf("bytes %d to %d: 1 to %d bytes can be asked for, first to last", r.First, r.Last, maxPMCRange)
	}
	return nil
}

func pieces(r focas.PMCRange, limit int, do func(focas.PMCRange) error) error {
	if size := r.Type.Size(); size > 1 {
		limit -= limit % size
	}
	for first := r.First; first <= r.Last; first += int32(limit) {
		part := r
		part.First, part.Last = first, min(r.Last, first+int32(limit)-1)
		if err := do(part); err != nil {
			return err
		}
	}
	return nil
}

// ReadItem reads one item as a number; a bit is 0 or 1.
func (p PMC) ReadItem(ctx context.Context, a focas.PMCAddress) (float64, error) {
	b, err := p.Read(ctx, a.Range())
	if err != nil {
		return 0, fmt.Errorf("%v: %w", a, err)
	}
	if a.Bit >= 0 {
		return float64(b[0] >> a.Bit & 1), nil
	}
	f, ok := a.Type.Float(b)
	if !ok {
		return 0, fmt.Errorf("%v: PMC data of %v cannot be read as a number", a, a.Type)
	}
	return f, nil
}

// WriteItem writes one item. A bit takes 0 and 1: its byte is read, changed and written, so that another writer of the
// same byte, the ladder among them, can be overwritten.
func (p PMC) WriteItem(ctx context.Context, a focas.PMCAddress, f float64) error {
	data, err := a.Type.AppendFloat(nil, f)
	if err == nil && a.Bit >= 0 && f != 0 && f != 1 {
		err = fmt.Errorf("%v is no bit: 0 or 1", f)
	}
	if err != nil {
		return fmt.Errorf("%v: %w", a, err)
	}
	if a.Bit >= 0 {
		if data, err = p.Read(ctx, a.Range()); err != nil {
			return fmt.Errorf("%v: %w", a, err)
		}
		data[0] &^= 1 << a.Bit
		data[0] |= byte(f) << a.Bit
	}
	if err := p.Write(ctx, a.Range(), data); err != nil {
		return fmt.Errorf("%v: %w", a, err)
	}
	return nil
}

// Info says where the area with this code begins and ends (pmc_rdpmcinfo).
func (p PMC) Info(ctx context.Context, area int32) (focas.PMCInfo, error) {
	return call(ctx, p.c, "pmc_rdpmcinfo", focas.PMCInfoRequest(p.n, area), focas.ParsePMCInfo)
}

// Count is the number of PMC units of the control (pmc_get_number_of_pmc).
func (p PMC) Count(ctx context.Context) (int, error) {
	n, err := call(ctx, p.c, "pmc_get_number_of_pmc", focas.PMCCountRequest(p.n), focas.ParseCounter)
	return int(n.N), err
}

// UnitTypes are the types of up to max PMC units (pmc_get_pmc_unit_types).
func (p PMC) UnitTypes(ctx context.Context, max int32) ([]focas.PMCUnitType, error) {
	l, err := call(ctx, p.c, "pmc_get_pmc_unit_types", focas.PMCUnitTypesRequest(p.n, max), focas.ParsePMCUnitTypes)
	return l.Items, err
}

// Select asks whether the control has this unit (pmc_select_pmc_unit). It is not needed before other calls: each request
// names its unit.
func (p PMC) Select(ctx context.Context) error {
	return order(ctx, p.c, "pmc_select_pmc_unit", focas.SelectPMCUnitRequest(p.n))
}

func raw(payload []byte) ([]byte, error) { return payload, nil }

// Title is the title of the ladder as the control sends it (pmc_rdpmctitle); its layout is unknown.
func (p PMC) Title(ctx context.Context) ([]byte, error) {
	return call(ctx, p.c, "pmc_rdpmctitle", focas.PMCTitleRequest(p.n), raw)
}

// Alarms are count PMC alarm messages from number first as the control sends them (pmc_rdalmmsg); the layout is unknown.
func (p PMC) Alarms(ctx context.Context, first, count int32) ([]byte, error) {
	return call(ctx, p.c, "pmc_rdalmmsg", focas.PMCAlarmRequest(p.n, first, count), raw)
}
