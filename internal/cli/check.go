package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/config"
	"github.com/patchbay-io/patchbay/internal/driver/all"
	"github.com/patchbay-io/patchbay/internal/lab/simulate"
)

// planner is a driver that can tell, without a device, how it would read one.
type planner interface {
	Plan(options any) []string
}

func (a *app) checkCommand() *cobra.Command {
	var explain, schema bool
	c := &cobra.Command{
		Use:   "check [FILE] [URL…]",
		Short: "Check a configuration without connecting to anything",
		Long: `Check a configuration without connecting to anything. Without arguments it checks patchbay.yaml in this folder.

--explain prints the expanded form: every setting of every device with where its value came from.
--schema prints the JSON Schema of the file, for editors.`,
		Example: "  patchbay check shop.yaml\n  patchbay check --explain focas://192.0.2.21?poll=100ms\n  patchbay check --schema > patchbay.schema.json",
		RunE: func(_ *cobra.Command, args []string) error {
			if schema {
				b, err := config.Schema(all.Drivers(), simulate.Settings())
				if err != nil {
					return err
				}
				_, err = a.Out.Write(b)
				return err
			}
			c, err := a.load(args, config.Flags{})
			if err != nil {
				return err
			}
			if explain {
				return a.explain(c)
			}
			if a.json {
				return a.printJSON(map[string]any{"ok": true, "file": c.File, "devices": len(c.Devices)})
			}
			name := c.File
			if name == "" {
				name = "the command line"
			}
			_, err = fmt.Fprintf(a.Out, "%s is in order: %s\n", name, count(len(c.Devices), "device"))
			return err
		},
	}
	c.Flags().BoolVar(&explain, "explain", false, "print the expanded form with where each value came from")
	c.Flags().BoolVar(&schema, "schema", false, "print the JSON Schema of the configuration file")
	return c
}

func (a *app) explain(c *config.Config) error {
	if a.json {
		return a.printJSON(map[string]any{"explain": c.Explain()})
	}
	if _, err := fmt.Fprint(a.Out, c.Explain()); err != nil {
		return err
	}
	for _, d := range c.Devices {
		p, ok := d.Driver.(planner)
		if !ok {
			continue
		}
		fmt.Fprintf(a.Out, "\n# How %s is read\n", d.Name)
		for _, line := range p.Plan(d.Target.Options) {
			fmt.Fprintf(a.Out, "#   %s\n", line)
		}
	}
	return nil
}

// load reads the configuration that the arguments name: at most one file, and any number of device URLs.
func (a *app) load(args []string, flags config.Flags) (*config.Config, error) {
	in := config.Input{Getenv: a.env, Drivers: all.Drivers(), Twins: simulate.Settings(), Flags: flags}
	in.Flags.LogLevel, in.Flags.LogFormat = a.logLevel, a.logForm
	for _, arg := range args {
		if isURL(arg) {
			in.URLs = append(in.URLs, arg)
			continue
		}
		if in.File != "" {
			return nil, usageError(fmt.Errorf("two configuration files, %s and %s; give one", in.File, arg))
		}
		in.File = arg
	}
	if len(args) == 0 {
		in.File = "patchbay.yaml"
	}
	c, err := config.Load(in)
	if err != nil {
		var problems config.Problems
		if errors.As(err, &problems) {
			return nil, err
		}
		hint := ""
		if len(args) == 0 {
			hint = "Name a configuration file or a device URL: patchbay run " + exampleURL() + ". To see it work with no device: patchbay demo"
		}
		return nil, &failure{code: exitConfig, kind: "config", err: err, hint: hint}
	}
	a.secrets.Add(c.Secrets()...)
	return c, nil
}

func exampleURL() string {
	for _, d := range all.Drivers() {
		for _, s := range d.Info().Schemes {
			return s.Name + "://192.0.2.21"
		}
	}
	return "URL"
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
