package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/cli/gatewayclient"
)

func (a *app) watchCommand() *cobra.Command {
	var every time.Duration
	var end stop
	c := &cobra.Command{
		Use:   "watch [DEVICE[/PATH]… | URL [PATH…]]",
		Short: "Print points whenever they change, until interrupted",
		Long: `Print points whenever they change, until interrupted: first the present values, then every change. Changes that come
faster than --every are merged; the newest value is printed.`,
		Example: "  patchbay watch mill1/path/1/axes\n  patchbay watch --json --every 1s\n  patchbay watch focas://192.0.2.21 path/1/status",
		RunE: func(cmd *cobra.Command, args []string) error {
			if every != 0 && every < 10*time.Millisecond {
				return usageError(fmt.Errorf("--every %v is too short; give 10ms or more", every))
			}
			err := a.watch(cmd.Context(), args, every, end)
			if cmd.Context().Err() != nil && errors.Is(err, context.Canceled) {
				return nil
			}
			return err
		},
	}
	c.Flags().DurationVar(&every, "every", 0, "shortest time between two prints (default 100ms)")
	c.Flags().IntVar(&end.count, "count", 0, "stop after so many values (default: never)")
	c.Flags().StringVar(&end.value, "until", "", "stop as soon as a point has this value: what get prints, or an enum's key")
	return c
}

// stop says when watch has seen enough.
type stop struct {
	count int
	value string
}

func (s *stop) reached(p *gatewayclient.Point, unit string) bool {
	s.count--
	return s.count == 0 || s.value != "" && p.HasValue() && (s.value == p.Text || s.value == rawText(p.Value) || s.value == valueText(p, unit))
}

func (a *app) watch(ctx context.Context, args []string, every time.Duration, end stop) error {
	t, places, err := a.connect(ctx, args, nil)
	if err != nil {
		return err
	}
	defer t.close()
	if err := a.checkPlaces(ctx, t, places); err != nil {
		return err
	}
	sel := gatewayclient.Selection{Every: every}
	seen := map[string]bool{}
	for _, p := range places {
		if p.device != "" && !seen[p.device] {
			seen[p.device] = true
			sel.Device = append(sel.Device, p.device)
		}
		if p.path != "" {
			sel.Under = append(sel.Under, p.path)
		}
	}
	enough := errors.New("enough")
	u := map[string]units{}
	err = t.Events(ctx, sel, func(e *gatewayclient.Event) error {
		for _, s := range e.Specs.Specs {
			if u[s.Device] == nil {
				u[s.Device] = units{}
			}
			u[s.Device][s.Path] = s.Unit
		}
		for i := range e.Points {
			p := &e.Points[i]
			if !wanted(places, p) {
				continue
			}
			if err := a.printChange(p, u[p.Device][p.Path]); err != nil {
				return err
			}
			if end.reached(p, u[p.Device][p.Path]) {
				return enough
			}
		}
		for _, p := range e.Gone {
			if wanted(places, &p) {
				if err := a.printGone(p); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if errors.Is(err, enough) {
		return nil
	}
	return err
}

// checkPlaces finds a mistyped device or path before waiting for it for ever.
func (a *app) checkPlaces(ctx context.Context, t *target, places []place) error {
	ctx, cancel := a.deadline(ctx)
	defer cancel()
	for _, p := range places {
		if p.device == "" {
			continue
		}
		s, err := t.Specs(ctx, p.device, p.path)
		if err == nil && p.path != "" && len(s.Specs) == 0 {
			_, err = t.Value(ctx, p.device, p.path)
		}
		if err != nil {
			return cause(ctx, err)
		}
	}
	return nil
}

// wanted narrows a selection of several devices and several paths to the pairs that were named.
func wanted(places []place, p *gatewayclient.Point) bool {
	for _, w := range places {
		if (w.device == "" || w.device == p.Device) && (w.path == "" || w.path == p.Path || strings.HasPrefix(p.Path, w.path+"/")) {
			return true
		}
	}
	return false
}

func (a *app) printChange(p *gatewayclient.Point, unit string) error {
	if a.json {
		return a.printJSON(p)
	}
	at := time.Now()
	if p.Received != nil && !p.Received.IsZero() {
		at = *p.Received
	}
	line := fmt.Sprintf("%s  %-44s  %s", at.Local().Format("15:04:05.000"), p.Device+"/"+p.Path, oneLine(valueText(p, unit)))
	if q := qualityText(p); q != "" {
		line += "  " + q
	}
	_, err := fmt.Fprintln(a.Out, line)
	return err
}

func (a *app) printGone(p gatewayclient.Point) error {
	if a.json {
		return a.printJSON(map[string]any{"device": p.Device, "path": p.Path, "gone": true, "seq": p.Seq})
	}
	_, err := fmt.Fprintf(a.Out, "%s  %-44s  (gone)\n", time.Now().Format("15:04:05.000"), p.Device+"/"+p.Path)
	return err
}
