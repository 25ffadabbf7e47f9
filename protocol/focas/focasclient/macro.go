package focasclient

import (
	"context"
	"fmt"

	"github.com/patchbay-io/patchbay/protocol/focas"
)

// maxWriteValues is how many 8-byte values a write of one block holds within the largest request body.
const maxWriteValues = (focas.MaxRequestBody - 2 - focas.RequestBlockSize) / focas.ValueSize

// maxNumber bounds numbers of variables and offsets and addresses, far above any control's, so that sums stay in range.
const maxNumber = 1 << 30

// exactly checks that a control answered as many items as were asked for.
func exactly[T any](items []T, want int) ([]T, error) {
	if len(items) != want {
		return nil, fmt.Errorf("the control answered %d items, asked for %d", len(items), want)
	}
	return items, nil
}

func values(want int) func([]byte) ([]focas.Value, error) {
	return func(payload []byte) ([]focas.Value, error) {
		l, err := focas.ParseValues(payload)
		if err != nil {
			return nil, err
		}
		return exactly(l.Items, want)
	}
}

func oneValue(payload []byte) (focas.Value, error) {
	l, err := values(1)(payload)
	if err != nil {
		return focas.Value{}, err
	}
	return l[0], nil
}

// Macro reads one custom macro variable (cnc_rdmacro). A variable that holds nothing is vacant.
func (p Path) Macro(ctx context.Context, number int32) (focas.Value, error) {
	return call(ctx, p.c, "cnc_rdmacro", focas.MacroRequest(p.n, number, number), oneValue)
}

// Macros reads the variables from..to (cnc_rdmacror), at most [focas.MaxMacrosPerCall], in as many requests as needed:
// the values are from several moments when there are more than [focas.MaxMacrosPerRequest].
func (p Path) Macros(ctx context.Context, from, to int32) ([]focas.Value, error) {
	if err := checkMacros(from, int64(to)-int64(from)+1); err != nil {
		return nil, fmt.Errorf("cnc_rdmacror: %w", err)
	}
	var out []focas.Value
	for from <= to {
		last := min(to, from+focas.MaxMacrosPerRequest-1)
		vs, err := call(ctx, p.c, "cnc_rdmacror", focas.MacroRequest(p.n, from, last), values(int(last-from)+1))
		if err != nil {
			return out, err
		}
		out, from = append(out, vs...), last+1
	}
	return out, nil
}

func checkMacros(from int32, count int64) error {
	if from < 0 || from > maxNumber || count < 1 || count > focas.MaxMacrosPerCall {
		return fmt.Errorf("%d variables from #%d: 1 to %d can be asked for at once", count, from, focas.MaxMacrosPerCall)
	}
	return nil
}

// WriteMacro writes one variable (cnc_wrmacro). [focas.Vacant] empties it; [focas.DecimalOf] makes a value of a float.
func (p Path) WriteMacro(ctx context.Context, number int32, v focas.Value) error {
	return order(ctx, p.c, "cnc_wrmacro", focas.WriteMacroRequest(p.c.Dialect(), p.n, number, []focas.Value{v}))
}

// WriteMacros writes variables from a number on (cnc_wrmacror), at most [focas.MaxMacrosPerCall], in as many requests as
// needed; an error between two of them leaves the first ones written.
func (p Path) WriteMacros(ctx context.Context, from int32, vs ...focas.Value) error {
	if err := checkMacros(from, int64(len(vs))); err != nil {
		return fmt.Errorf("cnc_wrmacror: %w", err)
	}
	for len(vs) > 0 {
		n := min(len(vs), maxWriteValues)
		if err := order(ctx, p.c, "cnc_wrmacror", focas.WriteMacroRequest(p.c.Dialect(), p.n, from, vs[:n])); err != nil {
			return err
		}
		vs, from = vs[n:], from+int32(n)
	}
	return nil
}

// MacroDoubles reads count variables as doubles (cnc_rdmacror2); at most [focas.MaxMacrosPerRequest].
func (p Path) MacroDoubles(ctx context.Context, from, count int32) ([]float64, error) {
	if count < 1 || count > focas.MaxMacrosPerRequest {
		return nil, fmt.Errorf("cnc_rdmacror2: %d variables: 1 to %d can be asked for at once", count, focas.MaxMacrosPerRequest)
	}
	return call(ctx, p.c, "cnc_rdmacror2", focas.MacroDoubleRequest(p.n, from, count), func(payload []byte) ([]float64, error) {
		l, err := focas.ParseDoubles(payload)
		if err != nil {
			return nil, err
		}
		out := make([]float64, len(l.Items))
		for i, f := range l.Items {
			out[i] = float64(f)
		}
		return exactly(out, int(count))
	})
}

// WriteMacroDoubles writes variables as doubles (cnc_wrmacror2); at most [focas.MaxMacrosPerRequest] less two.
func (p Path) WriteMacroDoubles(ctx context.Context, from int32, vs ...float64) error {
	if len(vs) < 1 || len(vs) > maxWriteValues {
		return fmt.Errorf("cnc_wrmacror2: %d variables: 1 to %d can be written at once", len(vs), maxWriteValues)
	}
	return order(ctx, p.c, "cnc_wrmacror2", focas.WriteMacroDoubleRequest(p.n, from, vs))
}

// maxNamedMacros is how many named variables fit a reply body of 1450 bytes.
const maxNamedMacros = (1450 - 2 - focas.ReplyBlockSize) / (8 + focas.MacroNameSize)

// NamedMacros reads count variables with their names (cnc_rdmacror3), at most 35.
func (p Path) NamedMacros(ctx context.Context, from, count int32) ([]focas.NamedMacro, error) {
	if count < 1 || count > maxNamedMacros {
		return nil, fmt.Errorf("cnc_rdmacror3: %d variables: 1 to %d can be asked for at once", count, maxNamedMacros)
	}
	return call(ctx, p.c, "cnc_rdmacror3", focas.MacroNamedRequest(p.n, from, count), func(payload []byte) ([]focas.NamedMacro, error) {
		l, err := focas.ParseNamedMacros(payload)
		if err != nil {
			return nil, err
		}
		return exactly(l.Items, int(count))
	})
}

// MacroInfo says how many variables are in use (cnc_rdmacroinfo).
func (p Path) MacroInfo(ctx context.Context) (focas.MacroInfo, error) {
	return call(ctx, p.c, "cnc_rdmacroinfo", focas.MacroInfoRequest(p.n), focas.ParseMacroInfo)
}

// PMacro reads one P-code macro variable (cnc_rdpmacro).
func (p Path) PMacro(ctx context.Context, number int32) (focas.Value, error) {
	return call(ctx, p.c, "cnc_rdpmacro", focas.PMacroRequest(p.n, number, number), oneValue)
}

// WritePMacro writes one P-code macro variable (cnc_wrpmacro).
func (p Path) WritePMacro(ctx context.Context, number int32, v focas.Value) error {
	return order(ctx, p.c, "cnc_wrpmacro", focas.WritePMacroRequest(p.c.Dialect(), p.n, number, []focas.Value{v}))
}

// MacroNumber asks which variable has a name (cnc_rdmacronum); the answer is as the control sends it, its layout is unknown.
// A name longer than [focas.MacroByNameSize] bytes is cut.
func (p Path) MacroNumber(ctx context.Context, name string) ([]byte, error) {
	return call(ctx, p.c, "cnc_rdmacronum", focas.MacroByNameRequest(p.n, name), raw)
}
