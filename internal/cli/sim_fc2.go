package cli

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/lab/simulate"
	"github.com/patchbay-io/patchbay/protocol/fc2/fc2sim"
	"github.com/patchbay-io/patchbay/transcript"
)

// simFC2Flags are the flags of sim fc2.
type simFC2Flags struct {
	secure, onboarding, page, serial, record string
	inputs                                   int
	seed                                     uint64
	approve, ev1                             bool
	anyPorts                                 bool // nobody has said which
}

func (a *app) simFC2Command() *cobra.Command {
	var f simFC2Flags
	c := &cobra.Command{
		Use:   "fc2",
		Short: "Serve a simulated Focusrite Control 2 with one audio interface",
		Long: `Serve a simulated Focusrite Control 2 with one audio interface, until interrupted. The first line of standard output is the
address of the secure endpoint, the second that of the onboarding endpoint, where programs are paired, the third the screen of
its computer as a page: who asks to be let in, and the code to scan. The last line is the server's public key.

Without --secure and --onboarding the two ports are the first free neighbours from 58322 on, as those of the real one are.`,
		Example: `  patchbay sim fc2
  patchbay sim fc2 --approve --secure 127.0.0.1:0 --onboarding 127.0.0.1:0`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.anyPorts = !cmd.Flags().Changed("secure") && !cmd.Flags().Changed("onboarding")
			return a.simFC2(cmd.Context(), f)
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.secure, "secure", "127.0.0.1:58322", "address of the secure endpoint; port 0 takes a free one")
	fl.StringVar(&f.onboarding, "onboarding", "127.0.0.1:58323", "address of the onboarding endpoint")
	fl.StringVar(&f.page, "page", "127.0.0.1:0", "loopback address of the page on which a person approves")
	fl.StringVar(&f.serial, "serial", "", "serial number of the interface")
	fl.IntVar(&f.inputs, "inputs", 4, "analogue inputs")
	fl.Uint64Var(&f.seed, "seed", 1, "the same seed gives the same meters and the same key")
	fl.BoolVar(&f.approve, "approve", false, "let everybody in who asks; the code is still wanted")
	fl.BoolVar(&f.ev1, "ev1", false, "only the events of AES70-2018 and before")
	fl.StringVar(&f.record, "record", "", "file that the conversation is written to")
	return c
}

func (a *app) simFC2(ctx context.Context, f simFC2Flags) error {
	if err := simulate.CheckControlAddress(f.page); err != nil {
		return usageError(err)
	}
	o, err := simulate.FC2Options(url.Values{"inputs": {strconv.Itoa(f.inputs)}, "serial": {f.serial}, "seed": {strconv.FormatUint(f.seed, 10)},
		"approve": {strconv.FormatBool(f.approve)}, "ev1": {strconv.FormatBool(f.ev1)}})
	if err != nil {
		return usageError(err)
	}
	sim := fc2sim.New(o)
	d := simulate.FC2Device(sim)
	d.Services = append(d.Services, simulate.Service{Network: "tcp", Stream: func(ctx context.Context, l net.Listener) error {
		if err := a.printAddress("server_key", sim.PublicKey().String()); err != nil {
			return err
		}
		return servePage(ctx, l, d.Page)
	}})
	upward := 0
	if f.anyPorts {
		upward = 2
	}
	return a.serveSimulated(ctx, simulated{device: d, listen: []string{f.secure, f.onboarding, f.page}, page: true, upward: upward, record: f.record,
		head: transcript.Header{Protocol: "fc2", Device: "simulated Focusrite Control 2"}})
}

// servePage serves a handler to this machine until ctx ends.
func servePage(ctx context.Context, l net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: simulate.LoopbackOnly(h), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	err := srv.Serve(l)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
