package cli

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/lab/simulate"
	"github.com/patchbay-io/patchbay/protocol/focas"
	"github.com/patchbay-io/patchbay/protocol/focas/focassim"
	"github.com/patchbay-io/patchbay/transcript"
	"github.com/patchbay-io/patchbay/transcript/tap"
)

func (a *app) simCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "sim",
		Short: "Serve a simulated device to other programs",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(a.simFOCASCommand())
	return c
}

// simFlags are the flags of sim focas.
type simFlags struct {
	listen, profile, scenario string
	seed                      uint64
	speed                     float64
	faults                    []string
	delay                     time.Duration
	sessions                  int
	protect, drain            bool
	answers, record           string
}

func (a *app) simFOCASCommand() *cobra.Command {
	var f simFlags
	c := &cobra.Command{
		Use:   "focas",
		Short: "Serve a simulated FANUC control over FOCAS",
		Long: `Serve a simulated FANUC control over FOCAS, until interrupted. The machine runs a part program; macros, parameters, PMC
areas, offsets and programs are memory in which reads and writes agree. The first line of standard output is the address.

Faults (--fault, may be repeated):
  ` + strings.Join(faultNames(), ", "),
		Example: "  patchbay sim focas --profile 31i\n  patchbay sim focas --fault stale --record session.transcript",
		Args:    usageArgs(cobra.NoArgs),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.simFOCAS(cmd.Context(), f) },
	}
	fl := c.Flags()
	fl.StringVar(&f.listen, "listen", "127.0.0.1:8193", "address to listen on; port 0 takes a free one")
	fl.StringVar(&f.profile, "profile", "30i", "which control: "+strings.Join(focassim.Profiles(), ", "))
	fl.StringVar(&f.scenario, "scenario", "quiet", "what happens to the machine: "+strings.Join(focassim.Scenarios(), ", "))
	fl.Uint64Var(&f.seed, "seed", 1, "the same seed gives the same machine")
	fl.Float64Var(&f.speed, "speed", 1, "seconds of the machine in one second")
	fl.StringArrayVar(&f.faults, "fault", nil, "make it misbehave, see above")
	fl.DurationVar(&f.delay, "delay", 0, "wait so long before each reply")
	fl.IntVar(&f.sessions, "sessions", 0, "most connections at the same time; 0 is no limit")
	fl.BoolVar(&f.protect, "protect", false, "set the memory protection: writes are refused")
	fl.StringVar(&f.answers, "answers", "", "file with exact bytes that chosen functions answer")
	fl.BoolVar(&f.drain, "drain", false, "answer nothing and print what clients send, as hex")
	fl.StringVar(&f.record, "record", "", "file that the conversation is written to")
	return c
}

// faultSwitches are the faults by the name that the command line has for them.
func faultSwitches() map[string]func(*focassim.Faults) {
	return map[string]func(*focassim.Faults){
		"silent":          func(f *focassim.Faults) { f.Silent = true },
		"silent-open":     func(f *focassim.Faults) { f.SilentOpen = true },
		"cut-frame":       func(f *focassim.Faults) { f.CutFrame = true },
		"stale":           func(f *focassim.Faults) { f.Stale = true },
		"error-frame":     func(f *focassim.Faults) { f.Refuse = focas.EWFunc },
		"reset-misplaced": func(f *focassim.Faults) { f.ResetMisplaced = true },
		"garbage":         func(f *focassim.Faults) { f.Garbage = true },
	}
}

func faultNames() []string { return slices.Sorted(maps.Keys(faultSwitches())) }

func (f *simFlags) faultSet(drained func(net.Addr, []byte)) (focassim.Faults, error) {
	out := focassim.Faults{Delay: f.delay, Drain: f.drain, Drained: drained}
	for _, name := range f.faults {
		set, ok := faultSwitches()[name]
		if !ok {
			return out, usageError(fmt.Errorf("--fault %s is unknown; known: %s", name, strings.Join(faultNames(), ", ")))
		}
		set(&out)
	}
	return out, nil
}

func (a *app) simFOCAS(ctx context.Context, f simFlags) (err error) {
	o, err := simulate.FOCASOptions(url.Values{"profile": {f.profile}, "scenario": {f.scenario},
		"seed": {strconv.FormatUint(f.seed, 10)}, "speed": {strconv.FormatFloat(f.speed, 'g', -1, 64)}})
	if err != nil {
		return usageError(err)
	}
	o.MaxSessions, o.Protect = f.sessions, f.protect
	if f.answers != "" {
		if o.Answers, err = readAnswers(f.answers); err != nil {
			return err
		}
	}
	faults, err := f.faultSet(a.printDrained())
	if err != nil {
		return err
	}
	if f.record != "" {
		r, closeRecord, err := startRecord(f.record, f.profile)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, closeRecord()) }()
		o.WrapConn = func(c net.Conn) net.Conn { return r.Conn(c, tap.Server) }
	}
	sim, err := focassim.New(o)
	if err != nil {
		return usageError(err)
	}
	sim.SetFaults(faults)
	l, err := net.Listen("tcp", f.listen)
	if err != nil {
		return fmt.Errorf("the simulator cannot listen on %s: %w", f.listen, err)
	}
	if err := a.printAddress("listen", l.Addr().String()); err != nil {
		return errors.Join(err, l.Close())
	}
	err = sim.Serve(ctx, l)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// printAddress prints where something is reached as the first line of standard output.
func (a *app) printAddress(key, addr string) error {
	if a.json {
		return a.printJSON(map[string]string{key: addr})
	}
	_, err := fmt.Fprintln(a.Out, addr)
	return err
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

// startRecord begins a recording of our own simulator, which is evidence of nothing and says so.
func startRecord(name, profile string) (r *tap.Recorder, end func() error, err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, nil, fmt.Errorf("--record: %w", err)
	}
	r, err = tap.NewRecorder(f, &transcript.Header{
		Protocol: "focas", Device: "simulated " + profile, Date: time.Now().Format(time.DateOnly),
		Server: transcript.Origin{Producer: transcript.OwnSimulator},
	})
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return r, func() error { return errors.Join(r.Err(), f.Close()) }, nil
}
