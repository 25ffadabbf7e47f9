package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/cli/gatewayclient"
)

func (a *app) getCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "get DEVICE/PATH… | DEVICE PATH… | URL PATH…",
		Short: "Print the value of a point, or of all points below a path",
		Long: `Print the value of a point, or of all points below a path.

One point prints its value alone, with the unit. A value that is not good is followed by the reason, and the exit code
is then 6.`,
		Example: "  patchbay get mill1/path/1/execution\n  patchbay get mill1/path/1/axes\n  patchbay get focas://192.0.2.21 path/1/axes/x/absolute",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := a.deadline(cmd.Context())
			defer cancel()
			return cause(ctx, a.get(ctx, args))
		},
	}
}

func (a *app) get(ctx context.Context, args []string) error {
	t, places, err := a.connect(ctx, args, nil)
	if err != nil {
		return err
	}
	defer t.close()
	var rows [][]string
	bad := false
	for _, p := range places {
		points, specs, single, err := a.fetch(ctx, t, p)
		if err != nil {
			return err
		}
		u := unitsOf(specs)
		for i := range points {
			pt := &points[i]
			bad = bad || pt.Quality == "bad" && single
			switch {
			case a.json:
				if err := a.printJSON(pt); err != nil {
					return err
				}
			case single && len(places) == 1:
				line := valueText(pt, u[pt.Path])
				if q := qualityText(pt); q != "" {
					line += "  " + q
				}
				fmt.Fprintln(a.Out, line)
			default:
				rows = append(rows, []string{pt.Device + "/" + pt.Path, oneLine(valueText(pt, u[pt.Path])), qualityText(pt)})
			}
		}
	}
	if err := a.table(rows); err != nil {
		return err
	}
	if bad {
		return &failure{code: exitNoValue, err: errors.New("the value is not good"), kind: "no-value"}
	}
	return nil
}

// fetch reads one point, or a subtree when the path names no point but something below it.
func (a *app) fetch(ctx context.Context, t *target, p place) (points []gatewayclient.Point, specs []gatewayclient.Spec, single bool, err error) {
	s, err := t.Specs(ctx, p.device, p.path)
	if err != nil {
		return nil, nil, false, err
	}
	if p.path != "" && (len(s.Specs) == 0 || len(s.Specs) == 1 && s.Specs[0].Path == p.path) {
		pt, err := a.value(ctx, t, p)
		if err != nil {
			return nil, nil, false, err
		}
		return []gatewayclient.Point{pt}, s.Specs, true, nil
	}
	points, err = t.Points(ctx, p.device, p.path)
	return points, s.Specs, false, err
}

// value reads one point. Straight from a device it waits for the first value.
func (a *app) value(ctx context.Context, t *target, p place) (gatewayclient.Point, error) {
	pt, err := t.Value(ctx, p.device, p.path)
	if err != nil || !t.direct || arrived(&pt) {
		return pt, err
	}
	enough := errors.New("arrived")
	err = t.Events(ctx, gatewayclient.Selection{Device: []string{p.device}, Under: []string{p.path}}, func(e *gatewayclient.Event) error {
		for _, q := range e.Points {
			if q.Path == p.path && arrived(&q) {
				pt = q
				return enough
			}
		}
		return nil
	})
	if errors.Is(err, enough) || errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return pt, err
}

// arrived reports whether the device has said something about the point.
func arrived(p *gatewayclient.Point) bool {
	return p.HasValue() || p.Received != nil && !p.Received.IsZero() && p.Reason != "not-reported"
}
