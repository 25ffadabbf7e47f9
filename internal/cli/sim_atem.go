package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/config"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/driver/all"
	"github.com/patchbay-io/patchbay/internal/lab/simulate"
	"github.com/patchbay-io/patchbay/protocol/atem"
	"github.com/patchbay-io/patchbay/protocol/atem/atemsim"
	"github.com/patchbay-io/patchbay/transcript"
)

// simATEMFlags are the flags of sim atem.
type simATEMFlags struct {
	listen, relay, user   string
	model, dump, scenario string
	from, save            string
	redact                bool
	seed                  uint64
	sessions              int
	faults                []string
	record, control       string
}

func (a *app) simATEMCommand() *cobra.Command {
	var f simATEMFlags
	c := &cobra.Command{
		Use:   "atem",
		Short: "Serve a simulated video switcher over ATEM UDP",
		Long: `Serve a simulated video switcher over ATEM UDP, until interrupted. It cuts, mixes frame by frame, fades, keys, runs macros,
streams and records, and tells every client. The first line of standard output is the address.

Instead of a model it can begin with the state of a real switcher: --from atem://192.0.2.10 asks one for it, and --dump FILE is a
file with the hex of one packet's fields on each line. --save FILE writes such a file of the state and ends; --redact takes
names, texts, addresses and the key of the stream out of it.

With --relay the same switcher is served through an OpenSwitcher relay too, whose address is the next line; with --user its
clients must log in, with the password in $PATCHBAY_SIM_PASSWORD. With --control the last line is the address of a small HTTP
interface that turns the fault silent on and off and lets events happen: {"cut": 1}, {"auto": 1}, {"fade": 1},
{"program": {"me": 1, "source": 3}}, {"preview": …}, {"input": {"source": 3, "name": "Stage"}}, {"restart": true}.

Faults (--fault NAME or NAME=VALUE, may be repeated):
  ` + strings.Join(simulate.ATEMFaultNames(), ", "),
		Example: `  patchbay sim atem --model mini-extreme-iso --scenario show
  patchbay sim atem --fault loss=0.05 --fault reorder=0.02
  patchbay sim atem --from atem://192.0.2.10 --save studio.dump --redact
  patchbay sim atem --dump studio.dump --relay 127.0.0.1:4532`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.simATEM(cmd.Context(), f) },
	}
	fl := c.Flags()
	fl.StringVar(&f.listen, "listen", "127.0.0.1:9910", "UDP address to listen on; port 0 takes a free one")
	fl.StringVar(&f.relay, "relay", "", "TCP address of an OpenSwitcher relay in front of it, such as 127.0.0.1:4532")
	fl.StringVar(&f.user, "user", "", "who may use the relay; empty: everybody")
	fl.StringVar(&f.model, "model", "", "which switcher: "+strings.Join(atemsim.Models(), ", ")+" (default 2me-4k)")
	fl.StringVar(&f.dump, "dump", "", "file with the state to begin with, instead of a model")
	fl.StringVar(&f.from, "from", "", "URL of a switcher whose state it begins with, instead of a model")
	fl.StringVar(&f.scenario, "scenario", "quiet", "what happens by itself: "+strings.Join(simulate.ATEMScenarios(), ", "))
	fl.StringVar(&f.save, "save", "", "write the state to this file and end")
	fl.BoolVar(&f.redact, "redact", false, "take names and addresses out of what --save writes")
	fl.Uint64Var(&f.seed, "seed", 1, "the same seed gives the same show and the same noise of meters")
	fl.IntVar(&f.sessions, "sessions", 5, "most clients over UDP")
	fl.StringArrayVar(&f.faults, "fault", nil, "make it misbehave, see above")
	fl.StringVar(&f.record, "record", "", "file that the conversation is written to")
	fl.StringVar(&f.control, "control", "", "serve the control interface on this loopback address, such as 127.0.0.1:0")
	return c
}

func (a *app) simATEM(ctx context.Context, f simATEMFlags) error {
	o, err := simulate.ATEMOptionsOf(url.Values{"model": {f.model}, "dump": {f.dump}, "scenario": {f.scenario},
		"seed": {strconv.FormatUint(f.seed, 10)}, "sessions": {strconv.Itoa(f.sessions)}})
	if err != nil {
		return usageError(err)
	}
	if f.from != "" {
		if o.Model != "" || o.State != nil {
			return usageError(errors.New("--from: the state is that of the switcher; leave --model and --dump out"))
		}
		if o.State, err = a.stateOf(ctx, f.from); err != nil {
			return err
		}
	}
	for _, arg := range f.faults {
		if err := o.Faults.Turn(arg); err != nil {
			return usageError(err)
		}
	}
	sim, err := simulate.NewATEM(o)
	if err != nil {
		return usageError(err)
	}
	if f.save != "" {
		return saveDump(f.save, func(w *os.File) error { return sim.Switcher.Save(w, f.redact) })
	}
	s := simulated{device: sim.Device(), listen: []string{f.listen}, control: f.control, controlled: sim, record: f.record,
		head: transcript.Header{Protocol: "atem", Device: "simulated " + f.model + f.dump}}
	if f.relay != "" {
		password, _ := a.env("PATCHBAY_SIM_PASSWORD")
		if f.user != "" && password == "" {
			return usageError(errors.New("--user: the password stands in the environment, PATCHBAY_SIM_PASSWORD"))
		}
		s.device.Services = append(s.device.Services, sim.RelayService(f.user, password))
		s.listen = append(s.listen, f.relay)
	}
	return a.serveSimulated(ctx, s)
}

// followed is a session that knows everything its switcher has said.
type followed interface {
	Follow(begin func(*atem.State), handle func(payload []byte)) (stop func())
}

// stateOf asks the switcher at a device URL for everything that it is, over a session that ends with that.
func (a *app) stateOf(ctx context.Context, rawURL string) (*atem.State, error) {
	c, err := config.Load(config.Input{Flags: config.Flags{Listen: config.DefaultListen}, URLs: []string{"switcher=" + rawURL}, Getenv: a.env, Drivers: all.Drivers()})
	if err != nil {
		return nil, err
	}
	a.secrets.Add(c.Secrets()...)
	d := c.Devices[0]
	env := driver.Env{Dial: new(net.Dialer).DialContext, ListenPacket: listenPacket, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)}
	s, err := d.Driver.Open(ctx, env, d.Target)
	if err != nil {
		return nil, err
	}
	f, ok := s.(followed)
	if !ok {
		return nil, errors.Join(usageError(fmt.Errorf("--from: %s is no video switcher", d.Display)), s.Close())
	}
	var state *atem.State
	f.Follow(func(s *atem.State) { state = s }, func([]byte) {})()
	return state, s.Close()
}

// saveDump writes a new file.
func saveDump(name string, write func(*os.File) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // it may hold the key of a stream
	if err != nil {
		return fmt.Errorf("--save: %w", err)
	}
	return errors.Join(write(f), f.Close())
}
