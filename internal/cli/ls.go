package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/cli/gatewayclient"
)

func (a *app) lsCommand() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:     "ls [DEVICE[/PATH] | URL [PATH]]",
		Short:   "List the devices, or the points and commands of one",
		Example: "  patchbay ls\n  patchbay ls mill1/path/1/axes\n  patchbay ls focas://192.0.2.21",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := a.deadline(cmd.Context())
			defer cancel()
			return cause(ctx, a.ls(ctx, args, all))
		},
	}
	c.Flags().BoolVar(&all, "all", false, "show the points of the link too")
	return c
}

func (a *app) ls(ctx context.Context, args []string, all bool) error {
	t, places, err := a.connect(ctx, args, nil)
	if err != nil {
		return err
	}
	defer t.close()
	if len(args) == 0 {
		return a.lsDevices(ctx, t)
	}
	for _, p := range places {
		if err := a.lsPoints(ctx, t, p, all); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) lsDevices(ctx context.Context, t *target) error {
	devices, err := t.Devices(ctx)
	if err != nil {
		return err
	}
	rows := [][]string{{"DEVICE", "STATE", "POINTS", "URL", ""}}
	for _, d := range devices {
		if a.json {
			if err := a.printJSON(d); err != nil {
				return err
			}
			continue
		}
		note := d.Link.Error
		if d.Link.Condition != "" {
			note = d.Link.Condition
		}
		rows = append(rows, []string{d.Name, d.Link.State, fmt.Sprint(d.PointCount), d.URL, oneLine(note)})
	}
	if a.json {
		return nil
	}
	if len(devices) == 0 {
		fmt.Fprintln(a.Err, "The gateway has no devices. Name one in its configuration:\n  devices:\n    mill1: focas://192.0.2.21")
		return nil
	}
	return a.table(rows)
}

// commandLine is a command as a JSON line; IsCommand tells it from a point.
type commandLine struct {
	Device    string `json:"device"`
	IsCommand bool   `json:"command"`
	gatewayclient.Command
}

func (a *app) lsPoints(ctx context.Context, t *target, p place, all bool) error {
	s, err := t.Specs(ctx, p.device, p.path)
	if err != nil {
		return err
	}
	if len(s.Specs) == 0 && len(s.Commands) == 0 {
		if p.path == "" {
			fmt.Fprintf(a.Err, "%s has no points yet: it has not been reached so far. See patchbay get %s/_link\n", p.device, p.device)
			return nil
		}
		_, err := t.Value(ctx, p.device, p.path)
		return err
	}
	rows := [][]string{{"POINT", "KIND", "UNIT", "ACCESS", "TITLE"}}
	for _, sp := range s.Specs {
		if a.json {
			sp.Device = p.device
			if err := a.printJSON(sp); err != nil {
				return err
			}
			continue
		}
		if p.path == "" && !all && strings.HasPrefix(sp.Path, "_link/") {
			continue
		}
		rows = append(rows, []string{p.device + "/" + sp.Path, sp.Kind, sp.Unit, accessText(sp.Access, sp.Writable, sp.Hazard), title(sp.Title, sp.Doc)})
	}
	for _, c := range s.Commands {
		if a.json {
			if err := a.printJSON(commandLine{p.device, true, c}); err != nil {
				return err
			}
			continue
		}
		var names []string
		for _, arg := range c.Args {
			names = append(names, arg.Path+"="+strings.ToUpper(arg.Kind))
		}
		rows = append(rows, []string{p.device + "/" + c.Path, "command", strings.Join(names, " "), accessText("w", c.Writable, c.Hazard), title(c.Title, c.Doc)})
	}
	if a.json {
		return nil
	}
	return a.table(rows)
}

// accessText is r or rw as far as configuration allows it; "(w)" could be allowed, "!" is a hazard.
func accessText(access string, writable bool, hazard string) string {
	text := strings.ReplaceAll(access, "w", "")
	if strings.Contains(access, "w") {
		if writable {
			text += "w"
		} else {
			text += "(w)"
		}
		if hazard == "hazard" {
			text += "!"
		}
	}
	return text
}

func title(title, doc string) string {
	if title != "" {
		return title
	}
	first, _, _ := strings.Cut(doc, ". ")
	return first
}
