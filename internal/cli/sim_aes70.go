package cli

import (
	"context"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/lab/simulate"
	"github.com/patchbay-io/patchbay/transcript"
)

// simAES70Flags are the flags of sim aes70.
type simAES70Flags struct {
	listen, ws, record              string
	inputs, outputs, mixes, objects int
	seed                            uint64
	ev1                             bool
}

func (a *app) simAES70Command() *cobra.Command {
	var f simAES70Flags
	c := &cobra.Command{
		Use:   "aes70",
		Short: "Serve a simulated AES70 audio interface over TCP and WebSocket",
		Long: `Serve a simulated AES70 (OCA) audio interface, until interrupted: inputs, outputs, mixes, a monitor section, a clock, and
meters that follow what is set. The first line of standard output is the address for TCP, the second that for WebSocket.`,
		Example: `  patchbay sim aes70
  patchbay sim aes70 --listen 127.0.0.1:0 --inputs 8 --record session.transcript`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.simAES70(cmd.Context(), f) },
	}
	fl := c.Flags()
	fl.StringVar(&f.listen, "listen", "127.0.0.1:65000", "address for controllers over TCP; port 0 takes a free one")
	fl.StringVar(&f.ws, "ws", "127.0.0.1:0", "address for controllers over WebSocket")
	fl.IntVar(&f.inputs, "inputs", 4, "analogue inputs")
	fl.IntVar(&f.outputs, "outputs", 2, "line outputs besides the monitors")
	fl.IntVar(&f.mixes, "mixes", 2, "mixes")
	fl.IntVar(&f.objects, "objects", 0, "so many gains more, to try what a large device does")
	fl.Uint64Var(&f.seed, "seed", 1, "the same seed gives the same meters")
	fl.BoolVar(&f.ev1, "ev1", false, "only the events of AES70-2018 and before")
	fl.StringVar(&f.record, "record", "", "file that the conversation is written to")
	return c
}

func (a *app) simAES70(ctx context.Context, f simAES70Flags) error {
	o, err := simulate.AES70Options(url.Values{"inputs": {strconv.Itoa(f.inputs)}, "outputs": {strconv.Itoa(f.outputs)}, "mixes": {strconv.Itoa(f.mixes)},
		"objects": {strconv.Itoa(f.objects)}, "seed": {strconv.FormatUint(f.seed, 10)}, "ev1": {strconv.FormatBool(f.ev1)}})
	if err != nil {
		return usageError(err)
	}
	return a.serveSimulated(ctx, simulated{device: simulate.AES70Device(o), listen: []string{f.listen, f.ws}, record: f.record,
		head: transcript.Header{Protocol: "aes70", Device: "simulated AES70 audio interface"}})
}
