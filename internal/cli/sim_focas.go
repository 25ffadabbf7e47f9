package cli

import (
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/lab/simulate"
	"github.com/patchbay-io/patchbay/protocol/focas/focassim"
	"github.com/patchbay-io/patchbay/transcript"
)

// simFOCASFlags are the flags of sim focas.
type simFOCASFlags struct {
	listen, profile, scenario string
	seed                      uint64
	speed                     float64
	faults                    []string
	delay                     time.Duration
	sessions                  int
	protect, drain            bool
	answers, record, control  string
	given                     func(flag string) bool
}

func (a *app) simFOCASCommand() *cobra.Command {
	var f simFOCASFlags
	c := &cobra.Command{
		Use:   "focas",
		Short: "Serve a simulated FANUC control over FOCAS",
		Long: `Serve a simulated FANUC control over FOCAS, until interrupted. The machine runs a part program; macros, parameters, PMC
areas, offsets and programs are memory in which reads and writes agree. The first line of standard output is the address.

A scenario file (--scenario FILE.yaml) says what happens at which time and which faults are on when; it is read again on
SIGHUP. With --control the second line is the address of a small HTTP interface that changes faults and lets events happen.

Faults (--fault NAME or NAME=VALUE, may be repeated):
  ` + strings.Join(simulate.FOCASFaultNames(), ", "),
		Example: `  patchbay sim focas --profile 31i
  patchbay sim focas --fault stale --record session.transcript
  patchbay sim focas --fault split=1 --fault gap=2ms
  patchbay sim focas --scenario night.yaml --control 127.0.0.1:0`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.given = cmd.Flags().Changed
			return a.simFOCAS(cmd.Context(), f)
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.listen, "listen", "127.0.0.1:8193", "address to listen on; port 0 takes a free one")
	fl.StringVar(&f.profile, "profile", "30i", "which control: "+strings.Join(focassim.Profiles(), ", "))
	fl.StringVar(&f.scenario, "scenario", "quiet", "what happens to the machine: "+strings.Join(focassim.Scenarios(), ", ")+", or a file that ends in .yaml")
	fl.Uint64Var(&f.seed, "seed", 1, "the same seed gives the same machine")
	fl.Float64Var(&f.speed, "speed", 1, "seconds of the machine in one second")
	fl.StringArrayVar(&f.faults, "fault", nil, "make it misbehave, see above")
	fl.DurationVar(&f.delay, "delay", 0, "wait so long before each reply")
	fl.IntVar(&f.sessions, "sessions", 0, "most connections at the same time; 0 is no limit")
	fl.BoolVar(&f.protect, "protect", false, "set the memory protection: writes are refused")
	fl.StringVar(&f.answers, "answers", "", "file with exact bytes that chosen functions answer")
	fl.BoolVar(&f.drain, "drain", false, "answer nothing and print what clients send, as hex")
	fl.StringVar(&f.record, "record", "", "file that the conversation is written to")
	fl.StringVar(&f.control, "control", "", "serve the control interface on this loopback address, such as 127.0.0.1:0")
	return c
}

// options are what the scenario file and the flags say together; flags win.
func (f *simFOCASFlags) options() (o focassim.Options, sc *simulate.FOCASScenario, err error) {
	settings := url.Values{"scenario": {f.scenario}}
	for key, value := range map[string]string{"profile": f.profile, "seed": strconv.FormatUint(f.seed, 10),
		"speed": strconv.FormatFloat(f.speed, 'g', -1, 64)} {
		if !simulate.IsFile(f.scenario) || f.given(key) {
			settings.Set(key, value)
		}
	}
	if o, sc, err = simulate.FOCASOptions(settings); err != nil {
		return o, nil, usageError(err)
	}
	if sc == nil || f.given("sessions") {
		o.MaxSessions = f.sessions
	}
	if sc == nil || f.given("protect") {
		o.Protect = f.protect
	}
	if f.answers != "" {
		o.Answers, err = readAnswers(f.answers)
	}
	return o, sc, err
}

// turnOn turns the faults of the command line on, beside those of the scenario file.
func (f *simFOCASFlags) turnOn(sim *simulate.FOCAS) error {
	faults := sim.Faults()
	if f.delay != 0 {
		faults.Connection.Delay = f.delay
	}
	for _, arg := range f.faults {
		if err := faults.Turn(arg); err != nil {
			return usageError(err)
		}
	}
	if err := faults.Check(); err != nil {
		return usageError(err)
	}
	sim.SetFaults(faults)
	return nil
}

func (a *app) simFOCAS(ctx context.Context, f simFOCASFlags) (err error) {
	o, sc, err := f.options()
	if err != nil {
		return err
	}
	sim, err := simulate.NewFOCAS(o, sc)
	if err != nil {
		return usageError(err)
	}
	if err := f.turnOn(sim); err != nil {
		return err
	}
	if f.drain {
		sim.Drain(a.printDrained())
	}
	s := simulated{device: sim.Device(), listen: []string{f.listen}, control: f.control, controlled: sim, record: f.record,
		head: transcript.Header{Protocol: "focas", Device: "simulated " + o.Profile}}
	if sc != nil {
		s.scenario = f.scenario
		s.reload = func() error {
			sc, err := simulate.ReadFOCASScenario(f.scenario)
			if err != nil {
				return err
			}
			return sim.Reload(sc)
		}
	}
	return a.serveSimulated(ctx, s)
}

// printDrained prints what clients send, a line for each read.
func (a *app) printDrained() func(net.Addr, []byte) {
	var mu sync.Mutex
	return func(from net.Addr, p []byte) {
		mu.Lock()
		defer mu.Unlock()
		if a.json {
			_ = a.printJSON(map[string]string{"from": from.String(), "data": hex.EncodeToString(p)}) // nobody reads it any more
			return
		}
		fmt.Fprintf(a.Out, "%s  % x\n", from, p)
	}
}

func readAnswers(name string) (focassim.Answers, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("--answers: %w", err)
	}
	defer f.Close()
	answers, err := focassim.ParseAnswers(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return answers, nil
}
