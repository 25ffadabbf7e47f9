package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/config"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/all"
	"github.com/patchbay-io/patchbay/internal/lab/simulate"
	"github.com/patchbay-io/patchbay/internal/obs"
	"github.com/patchbay-io/patchbay/internal/obs/notify"
)

// demoConfig is the devices of the demo: some of every kind. There are a mill of one path and a lathe of two, and a video
// switcher on which somebody makes a show, a desk, and a serial server with two null modems and an instrument that talks.
const demoConfig = `
devices:
  mill1:
    url: sim+focas:?profile=30i
    scenario: shift
    labels: {site: demo, line: line-1, cell: cell-1}
    macros: [100-103, 500-503]
    parameters: 6711
    pmc: [D100:word, R10.3]
    tool_offsets: 1-4
    work_offsets: 0-2
  lathe1:
    url: sim+focas:?profile=31i
    scenario: shift
    seed: 2
    labels: {site: demo, line: line-1, cell: cell-2}
    macros: 500-503
  studio:
    url: sim+atem:?model=mini-extreme-iso
    scenario: show
    labels: {site: demo, area: studio}
  interface1:
    url: sim+fcxml:?model=18i20
    trust_defaults: true
    labels: {site: demo, area: studio}
  interface2:
    url: sim+fc2:?inputs=2
    labels: {site: demo, area: studio}
  desk1:
    url: sim+aes70:?inputs=4
    labels: {site: demo, area: studio}
  ports1:
    url: sim+devicemaster:?layout=null,null,null,null,instrument,echo
    labels: {site: demo, line: line-1}
`

func (a *app) demoCommand() *cobra.Command {
	var f config.Flags
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show simulated devices live in the browser, with no configuration",
		Long: `Show simulated devices live in the browser, with no configuration. The first line of standard output is the address of the
page. Everything of these devices may be written; they are memory in this process.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.LogLevel, f.LogFormat = a.logLevel, a.logForm
			c, err := config.Load(config.Input{File: "demo", Data: []byte(demoConfig), Getenv: a.env, Flags: f,
				Drivers: all.Drivers(), Twins: simulate.Settings(), Faces: faces()})
			if err != nil {
				return err
			}
			return a.serve(cmd.Context(), c, nil, true)
		},
	}
	c.Flags().StringVar(&f.Listen, "listen", "", "address of the page and the HTTP interface; port 0 takes a free one (default "+config.DefaultListen+")")
	return c
}

func (a *app) runCommand() *cobra.Command {
	var f config.Flags
	c := &cobra.Command{
		Use:   "run [FILE] [URL…]",
		Short: "Run the gateway over the devices of a file, of the command line, or both",
		Long: `Run the gateway over the devices of a file, of the command line, or both, until interrupted. Without arguments it reads
patchbay.yaml in this folder. The first line of standard output is the address of the page. On SIGHUP it reads the file
again; only devices whose section changed are opened anew.`,
		Example: "  patchbay run focas://192.0.2.21\n  patchbay run shop.yaml\n  patchbay run lathe=focas://192.0.2.22 sim+focas:?profile=30i",
		RunE: func(cmd *cobra.Command, args []string) error {
			load := func() (*config.Config, error) { return a.load(args, f) }
			c, err := load()
			if err != nil {
				return err
			}
			return a.serve(cmd.Context(), c, load, false)
		},
	}
	c.Flags().StringVar(&f.Listen, "listen", "", "address of the page and the HTTP interface; port 0 takes a free one (default "+config.DefaultListen+")")
	c.Flags().StringArrayVar(&f.Hosts, "host", nil, "accept this name in the Host header too; may be repeated")
	return c
}

// serve runs a gateway until ctx ends. reload, when not nil, reads the configuration again on SIGHUP.
func (a *app) serve(ctx context.Context, c *config.Config, reload func() (*config.Config, error), demo bool) error {
	log, err := obs.NewLogger(a.Streams.Err, obs.LogOptions{Level: c.Log.Level, Format: c.Log.Format, Terminal: a.errTerminal,
		Secrets: a.secrets, Every: summariseEvery})
	if err != nil {
		return usageError(err)
	}
	manager, err := notify.Open(a.env)
	if err != nil {
		return usageError(err)
	}
	h, err := newHost(c, hostOptions{writableAll: demo, log: log, load: reload, manager: manager, env: a.env, notice: a.Err, secrets: a.secrets})
	if err != nil {
		return err
	}
	if err := h.door.Listen(); err != nil {
		if driver.AddressTaken(err) {
			return &failure{code: exitFailed, kind: "failed", err: err,
				hint: "Another program has this address, perhaps a patchbay that runs already. --listen chooses another; port 0 is a free one."}
		}
		return err
	}
	h.note(c)
	var hangup chan os.Signal
	if reload != nil {
		hangup = make(chan os.Signal, 1)
		signal.Notify(hangup, syscall.SIGHUP)
		defer signal.Stop(hangup)
	}
	base := h.scheme() + "://" + reachable(h.door.Addr().String()) + "/"
	if err := a.printAddress("url", base); err != nil {
		return err
	}
	for _, name := range h.screens() {
		a.say("%ssimulated/%s/ plays the computer that %s hangs on, where a person lets programs in.", base, name, name)
	}
	err = h.run(ctx, hangup)
	h.tell(manager.Close())
	return err
}
