package cli

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/lab/simulate"
	"github.com/patchbay-io/patchbay/protocol/fcxml/fcsim"
	"github.com/patchbay-io/patchbay/transcript"
)

// simFCXMLFlags are the flags of sim fcxml.
type simFCXMLFlags struct {
	listen, discovery, model, serial string
	seed                             uint64
	approved                         bool
	approve, faults                  []string
	record                           string
}

func (a *app) simFCXMLCommand() *cobra.Command {
	var f simFCXMLFlags
	c := &cobra.Command{
		Use:   "fcxml",
		Short: "Serve a simulated Focusrite Control with one audio interface",
		Long: `Serve a simulated Focusrite Control with one audio interface, until interrupted. The first line of standard output is the
address for programs, the second that of discovery.

As there, programs may look and not change anything until they are approved: with --approved everybody is, with --approve KEY
the program with that client key.

Faults (--fault NAME or NAME=VALUE, may be repeated):
  ` + strings.Join(simulate.FCXMLFaultNames(), ", "),
		Example: `  patchbay sim fcxml --model 18i20 --approved
  patchbay sim fcxml --model solo --fault cut=997 --record session.transcript`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.simFCXML(cmd.Context(), f) },
	}
	fl := c.Flags()
	fl.StringVar(&f.listen, "listen", "127.0.0.1:0", "address for programs; port 0 takes a free one, as the real one does")
	fl.StringVar(&f.discovery, "discovery", "127.0.0.1:30096", "address that answers programs which look for it, over UDP")
	fl.StringVar(&f.model, "model", "18i20", "which interface: "+strings.Join(fcsim.Models(), ", "))
	fl.StringVar(&f.serial, "serial", "", "serial number of the interface (default made up from the seed)")
	fl.Uint64Var(&f.seed, "seed", 1, "the same seed gives the same meters")
	fl.BoolVar(&f.approved, "approved", false, "every program may change things")
	fl.StringArrayVar(&f.approve, "approve", nil, "the program with this client key may change things; may be repeated")
	fl.StringArrayVar(&f.faults, "fault", nil, "make it misbehave, see above")
	fl.StringVar(&f.record, "record", "", "file that the conversation is written to")
	return c
}

func (a *app) simFCXML(ctx context.Context, f simFCXMLFlags) error {
	o, err := simulate.FCXMLOptions(url.Values{"model": {f.model}, "serial": {f.serial}, "seed": {strconv.FormatUint(f.seed, 10)},
		"approved": {strconv.FormatBool(f.approved)}})
	if err == nil {
		o.Faults, err = simulate.FCXMLFaults(f.faults)
	}
	if err != nil {
		return usageError(err)
	}
	sim, err := fcsim.New(o)
	if err != nil {
		return usageError(err)
	}
	for _, key := range f.approve {
		sim.Approve(key, true)
	}
	return a.serveSimulated(ctx, simulated{device: simulate.FCXMLDevice(sim), listen: []string{f.listen, f.discovery}, record: f.record,
		head: transcript.Header{Protocol: "fcxml", Device: "simulated " + f.model}})
}
