package focas

import (
	"context"
	"fmt"
	"strconv"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focasclient"
)

// reasonVacant marks a macro variable that holds nothing, which is not the same as 0.
const reasonVacant = "vacant"

// addConfigured makes the macros, parameters, diagnosis numbers, PMC addresses and offsets that the options name. They
// are those of the first path.
func (s *session) addConfigured(ctx context.Context, t *table, ctl *control) error {
	p := ctl.paths[0]
	for _, n := range s.opts.Macros.All() {
		s.addMacro(t, ctl, p, n)
	}
	if err := s.addRecords(ctx, t, ctl, p, s.opts.Parameters.All(), parameters); err != nil {
		return err
	}
	if err := s.addRecords(ctx, t, ctl, p, s.opts.Diagnosis.All(), diagnosis); err != nil {
		return err
	}
	for _, a := range s.opts.PMC {
		s.addPMC(t, a)
	}
	for _, n := range s.opts.ToolOffsets.All() {
		s.addToolOffset(t, p, n)
	}
	for _, n := range s.opts.WorkOffsets.All() {
		s.addWorkOffset(t, p, n)
	}
	return nil
}

func (s *session) addMacro(t *table, ctl *control, p *path, n int32) {
	at := device.Join("macros", strconv.Itoa(int(n)))
	t.add(&source{name: "cnc_rdmacro " + strconv.Itoa(int(n)), request: focas.MacroRequest(p.number, n, n), payload: focas.ValueSize, rate: device.Normal,
		decode: func(b []byte, out *samples) error {
			v, err := focas.ParseValue(b)
			if err != nil {
				return err
			}
			if v.IsVacant() {
				out.note(at, device.Value{}, device.Uncertain, reasonVacant)
				return nil
			}
			out.set(at, device.OfFloat(v.Float()))
			return nil
		}},
		device.Spec{Path: at, Kind: device.Float, Role: "cnc.macro", Title: "#" + strconv.Itoa(int(n)), Doc: "custom macro variable (cnc_rdmacro, cnc_wrmacro)"})
	t.canWrite(at, device.HazardPlain, func(ctx context.Context, v device.Value) error {
		d, err := focas.DecimalOf(v.Float())
		if err != nil {
			return err
		}
		return s.order(ctx, focas.WriteMacroRequest(ctl.dialect, p.number, n, []focas.Value{d}))
	})
}

// recordKind is what parameters and diagnosis numbers have in common.
type recordKind struct {
	container, call, role, title string
	request                      func(d focas.Dialect, path uint16, from, to int32, axis int16) focas.Request
	of                           func(r *focas.Record, v focas.Value) focas.Value
	writable                     bool
}

var parameters = recordKind{"parameters", "cnc_rdparam", "cnc.parameter", "Parameter", focas.ParamRequest,
	func(r *focas.Record, v focas.Value) focas.Value { return paramType(r).Of(v) }, true}

var diagnosis = recordKind{"diagnosis", "cnc_diagnoss", "cnc.diagnosis", "Diagnosis", focas.DiagRequest,
	func(r *focas.Record, v focas.Value) focas.Value { return focas.DiagType(r.Type).Of(v) }, false}

// paramType is the type of a parameter's record; the classic dialect keeps attributes in the higher bits.
func paramType(r *focas.Record) focas.ParamType {
	if r.Dialect == focas.Classic {
		return focas.ParamType(r.Type & 3)
	}
	return focas.ParamType(r.Type)
}

// addRecords asks each number once for all axes, which tells whether it is of axis type, and makes one point or one for
// each axis. A number that the control refuses is one point, so that its refusal shows.
func (s *session) addRecords(ctx context.Context, t *table, ctl *control, p *path, numbers []int32, k recordKind) error {
	if len(numbers) == 0 {
		return nil
	}
	size := s.recordSize(ctl.dialect)
	b := s.client.Batch()
	for _, n := range numbers {
		b.Add(k.request(ctl.dialect, p.number, n, n, focas.EveryAxis), size)
	}
	if err := b.Do(ctx, s.client); err != nil {
		return err
	}
	for i, n := range numbers {
		first, err := focasclient.Result(b, i, func(b []byte) (focas.Record, error) { return focas.ParseRecord(ctl.dialect, b) })
		perAxis := err == nil && first.Axis == focas.EveryAxis
		s.addRecord(t, ctl, p, n, k, size, perAxis, err == nil && k.writable, first)
	}
	return nil
}

func (s *session) addRecord(t *table, ctl *control, p *path, n int32, k recordKind, size int, perAxis, canWrite bool, first focas.Record) {
	at := device.Join(k.container, strconv.Itoa(int(n)))
	targets, axisArg := []device.Path{at}, focas.NoAxis
	if perAxis {
		targets, axisArg = nil, focas.EveryAxis
		for _, a := range p.axes {
			targets = append(targets, at.Child(a.segment))
		}
	}
	var specs []device.Spec
	for i, target := range targets {
		title := fmt.Sprintf("%s %d", k.title, n)
		if perAxis {
			title += " " + p.axes[i].name
		}
		specs = append(specs, device.Spec{Path: target, Kind: device.Float, Role: k.role, Title: title, Doc: fmt.Sprintf("%s %d", k.call, n)})
	}
	t.add(&source{name: fmt.Sprintf("%s %d", k.call, n), request: k.request(ctl.dialect, p.number, n, n, axisArg), payload: size, rate: device.Normal, steady: true,
		decode: func(b []byte, out *samples) error {
			r, err := focas.ParseRecord(ctl.dialect, b)
			if err != nil {
				return err
			}
			values := r.Values()
			for i := range min(len(targets), len(values)) {
				v := k.of(&r, values[i])
				s.amend(targets[i], look{decimals: v.Decimals()})
				out.set(targets[i], device.OfFloat(v.Float()))
			}
			return nil
		}}, specs...)
	if !canWrite {
		return
	}
	for i, target := range targets {
		axis := focas.NoAxis
		if perAxis {
			axis = int16(i + 1)
		}
		t.canWrite(target, device.HazardMove, func(ctx context.Context, v device.Value) error {
			return s.writeParam(ctx, ctl, p, n, axis, paramType(&first), v)
		})
	}
}

func (s *session) writeParam(ctx context.Context, ctl *control, p *path, n int32, axis int16, typ focas.ParamType, v device.Value) error {
	d, err := focas.DecimalOf(v.Float())
	if err != nil {
		return err
	}
	slots := int(s.client.OpenReply().MaxAxes)
	if ctl.dialect == focas.Classic && (slots < 1 || slots > focas.MaxSlots) {
		slots = focas.ClassicSlots
	}
	record, err := focas.ParamRecord(ctl.dialect, slots, n, axis, typ, d)
	if err != nil {
		return err
	}
	return s.order(ctx, focas.WriteParamRequest(p.number, record))
}

// hazardAreas are the PMC areas whose change moves the machine or its periphery at once: inputs and outputs of control
// and machine, and the keep relays.
const hazardAreas = "GXYK"

func (s *session) addPMC(t *table, a focas.PMCAddress) {
	at := device.Join("pmc", device.Slug(pmcSegment(a)))
	kind := device.Int
	switch {
	case a.Bit >= 0:
		kind = device.Bool
	case a.Type == focas.PMCFloat32 || a.Type == focas.PMCFloat64:
		kind = device.Float
	}
	request := focas.PMCRequest(1, a.Range())
	t.add(&source{name: "pmc_rdpmcrng " + a.String(), request: request, payload: a.Range().Len(), rate: device.Normal,
		decode: func(b []byte, out *samples) error {
			f, ok := a.Type.Float(b)
			switch {
			case !ok:
				return errShortPMC
			case kind == device.Bool:
				out.set(at, device.OfBool(b[0]>>a.Bit&1 != 0))
			case kind == device.Int:
				out.set(at, device.OfInt(int64(f)))
			default:
				out.set(at, device.OfFloat(f))
			}
			return nil
		}},
		device.Spec{Path: at, Kind: kind, Role: "cnc.pmc", Title: a.String(), Doc: "PMC data of the first PMC (pmc_rdpmcrng, pmc_wrpmcrng)", Grade: pmcGrade(a)})
	hazard := device.HazardPlain
	for _, area := range []byte(hazardAreas) {
		if a.Letter == area {
			hazard = device.HazardMove
		}
	}
	t.canWrite(at, hazard, func(ctx context.Context, v device.Value) error { return s.writePMC(ctx, a, request, v) })
}

// pmcSegment is the address with its type behind a dash: "d100-word", "r10.3".
func pmcSegment(a focas.PMCAddress) string {
	s := string(a.Letter) + strconv.Itoa(int(a.Offset))
	switch {
	case a.Bit >= 0:
		return s + "." + strconv.Itoa(a.Bit)
	case a.Type == focas.PMCByte:
		return s
	}
	return s + "-" + a.Type.String()
}

// pmcGrade is how well the letter's code is known.
func pmcGrade(a focas.PMCAddress) string {
	if a.Letter == 'E' || a.Letter == 'Z' {
		return device.GradeGuess
	}
	return device.GradeInferred
}

// writePMC writes one item. A bit is read, changed and written as a byte, since the protocol has no smaller unit: what the
// PMC does to the other bits between the two is lost.
func (s *session) writePMC(ctx context.Context, a focas.PMCAddress, read focas.Request, v device.Value) error {
	if a.Bit < 0 {
		data, err := a.Type.AppendFloat(nil, v.Float())
		if err != nil {
			return err
		}
		return s.order(ctx, focas.WritePMCRequest(1, a.Range(), data))
	}
	replies, err := s.client.Exchange(ctx, []focas.Request{read})
	if err == nil {
		err = replies[0].Err()
	}
	if err != nil {
		return err
	}
	if len(replies[0].Payload) < 1 {
		return errShortPMC
	}
	b := replies[0].Payload[0] &^ (1 << a.Bit)
	if v.Bool() {
		b |= 1 << a.Bit
	}
	return s.order(ctx, focas.WritePMCRequest(1, a.Range(), []byte{b}))
}
