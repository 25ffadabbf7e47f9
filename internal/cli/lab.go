package cli

import "github.com/spf13/cobra"

func (a *app) labCommands() []*cobra.Command {
	return []*cobra.Command{a.simCommand(), a.probeCommand(), a.discoverCommand(), a.replayCommand(), a.tapCommand(), a.decodeCommand()}
}
