package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/obs"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print which build this is",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			b := obs.BuildInfo()
			if a.json {
				return a.printJSON(b)
			}
			line := "patchbay " + b.Version
			if b.Revision != "" {
				line += " (" + b.Revision + ")"
			}
			_, err := fmt.Fprintf(a.Out, "%s, %s, %s\n", line, b.Go, b.Platform)
			return err
		},
	}
}
