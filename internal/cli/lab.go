package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/lab/decode"
)

func (a *app) labCommands() []*cobra.Command {
	return []*cobra.Command{a.simCommand(), a.probeCommand(), a.discoverCommand(), a.decodeCommand()}
}

func (a *app) decodeCommand() *cobra.Command {
	var o decode.Options
	var least float64
	c := &cobra.Command{
		Use:   "decode FILE | -",
		Short: "Show a recording or a hex dump field by field",
		Long: `Show a recording or a hex dump field by field, with the evidence behind each field. FILE is a transcript, or hex as xxd,
hexdump or a mail has it; - reads standard input. The protocol is the file's own, else it is guessed.`,
		Example: "  patchbay decode session.transcript\n  echo 'a0a0a0a0 0002 0101 0002 0002' | patchbay decode -",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.JSON = a.json
			return a.decode(cmd.Context(), args[0], o, least)
		},
	}
	c.Flags().StringVar(&o.Protocol, "protocol", "", "which protocol: "+strings.Join(decode.Names(), ", ")+" (default: the file's own, else a guess)")
	c.Flags().BoolVar(&o.Brief, "brief", false, "one line for each frame, no fields")
	c.Flags().Float64Var(&least, "least", 0, "fail when less than this share of the bytes is decoded, in percent")
	return c
}

func (a *app) decode(ctx context.Context, name string, o decode.Options, least float64) error {
	in := a.In
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("decode: %w", err)
		}
		defer f.Close()
		in = io.Reader(f)
	}
	res, err := decode.Decode(ctx, in, a.Out, o)
	switch {
	case errors.Is(err, decode.ErrProtocol):
		return &failure{code: exitUsage, kind: "unknown-protocol", err: err, hint: "Name it with --protocol."}
	case errors.Is(err, decode.ErrInput):
		return &failure{code: exitFailed, kind: "unknown-format", err: fmt.Errorf("%s: %w", name, err)}
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	case res.Share.Percent() < least:
		return &failure{code: exitFailed, kind: "share", err: fmt.Errorf("%s: %.1f %% of the bytes are decoded, less than %g %%", name, res.Share.Percent(), least)}
	}
	return nil
}
