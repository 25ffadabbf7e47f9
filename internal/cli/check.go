package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/certs"
	"github.com/patchbay-io/patchbay/internal/config"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/all"
	"github.com/patchbay-io/patchbay/internal/lab/simulate"
	"github.com/patchbay-io/patchbay/internal/plural"
)

// planner is a driver that can tell how it reads a device: which reads travel together, and how often.
type planner interface {
	Plan(ctx context.Context, env driver.Env, target driver.Target) ([]string, error)
}

func (a *app) checkCommand() *cobra.Command {
	var explain, schema bool
	c := &cobra.Command{
		Use:   "check [FILE] [URL…]",
		Short: "Check a configuration without connecting to anything",
		Long: `Check a configuration without connecting to anything. Without arguments it checks patchbay.yaml in this folder.

--explain prints the expanded form: every setting of every device with where its value came from; then which reads travel
together and how often, as tried with a simulated device.
--schema prints the JSON Schema of the file, for editors.`,
		Example: "  patchbay check shop.yaml\n  patchbay check --explain focas://192.0.2.21?poll=100ms\n  patchbay check --schema > patchbay.schema.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			if schema {
				b, err := config.Schema(all.Drivers(), simulate.Settings(), faces())
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
			if c.TLS.Cert != "" {
				if _, err := certs.Open(c.TLS.Cert, c.TLS.Key, slog.New(slog.DiscardHandler)); err != nil {
					return configFailure(err)
				}
			}
			if explain {
				return a.explain(cmd.Context(), c)
			}
			if a.json {
				told := map[string]any{"ok": true, "file": c.File, "devices": len(c.Devices)}
				if len(c.Notes) > 0 {
					told["notes"] = c.Notes
				}
				return a.printJSON(told)
			}
			for _, note := range c.Notes {
				fmt.Fprintf(a.Err, "note: %s\n", note)
			}
			name := c.File
			if name == "" {
				name = "the command line"
			}
			_, err = fmt.Fprintf(a.Out, "%s is in order: %s\n", name, plural.Of(len(c.Devices), "device"))
			return err
		},
	}
	c.Flags().BoolVar(&explain, "explain", false, "print the expanded form with where each value came from")
	c.Flags().BoolVar(&schema, "schema", false, "print the JSON Schema of the configuration file")
	return c
}

func (a *app) explain(ctx context.Context, c *config.Config) error {
	ctx, cancel := a.deadline(ctx)
	defer cancel()
	plans := map[string][]string{}
	for _, d := range c.Devices {
		lines, err := plan(ctx, d)
		if err != nil {
			return cause(ctx, fmt.Errorf("plan of %s: %w", d.Name, err))
		}
		plans[d.Name] = lines
	}
	if a.json {
		return a.printJSON(map[string]any{"explain": c.Explain(), "plans": plans})
	}
	if _, err := fmt.Fprint(a.Out, c.Explain()); err != nil {
		return err
	}
	for _, d := range c.Devices {
		for _, line := range plans[d.Name] {
			fmt.Fprintln(a.Out, strings.TrimSpace("# "+line))
		}
	}
	return nil
}

// plan is how a device would be read. As check connects to nothing, it is the plan for a simulated device with the same
// options.
func plan(ctx context.Context, d config.Device) ([]string, error) {
	p, ok := d.Driver.(planner)
	if !ok {
		return nil, nil
	}
	sim, err := simulate.NewLocal(d.Driver.Info().Name, d.TwinArg)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- sim.Run(ctx) }() // waited for below
	target := d.Target
	address := *target.URL
	address.Host = simulate.Host
	target.URL = &address
	lines, err := p.Plan(ctx, driver.Env{Dial: sim.Dial, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)}, target)
	cancel()
	return append([]string{"", "How " + d.Name + " is read, shown with a simulated device:"}, lines...), errors.Join(err, <-done)
}

// load reads the configuration that the arguments name: at most one file, and any number of device URLs.
func (a *app) load(args []string, flags config.Flags) (*config.Config, error) {
	in := config.Input{Getenv: a.env, Drivers: all.Drivers(), Twins: simulate.Settings(), Faces: faces(), Flags: flags}
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
		if _, none := os.Stat(in.File); len(args) > 0 && errors.Is(none, os.ErrNotExist) {
			hint = "A configuration file is given by its path, a device by its URL: " + exampleURL()
		}
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
