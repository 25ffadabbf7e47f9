package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/patchbay-io/patchbay/internal/obs"
)

// Streams are the standard streams of the program.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Env looks up an environment variable, as os.LookupEnv does.
type Env func(name string) (string, bool)

// Main runs one command line, without the program's name, and returns the exit code. It blocks until the command has
// ended; ctx ends it early.
func Main(ctx context.Context, args []string, s Streams, env Env) int {
	a := &app{Streams: s, env: env, secrets: &obs.Secrets{}}
	a.Err = a.secrets.Writer(s.Err)
	a.Out = a.secrets.Writer(s.Out)
	a.outTerminal, a.errTerminal, a.inTerminal = isTerminal(s.Out), isTerminal(s.Err), isTerminal(s.In)
	root := a.root()
	root.SetArgs(negatives(root, args))
	root.SetIn(s.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	err := root.ExecuteContext(ctx)
	if err != nil {
		a.report(err)
	}
	return ExitCode(err)
}

// app is what all commands share.
type app struct {
	Streams
	env                                  Env
	secrets                              *obs.Secrets
	outTerminal, errTerminal, inTerminal bool

	json        bool
	gateway     string
	token       string
	ca          string
	fingerprint string
	timeout     time.Duration
	logLevel    string
	logForm     string
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "patchbay",
		Short: "A gateway for equipment that speaks only its maker's private protocol",
		Long: `patchbay reads, watches and sets equipment that speaks only its maker's private network protocol,
and shows it in the browser, over HTTP and on the command line.

  patchbay demo                           a simulated machine and its page, with no configuration
  patchbay run focas://192.0.2.21         the gateway over one real control
  patchbay get mill1/path/1/execution     one value of a running gateway
  patchbay get focas://192.0.2.21 alarms  one value straight from a device`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError(fmt.Errorf("%w; see %s --help", err, cmd.CommandPath()))
	})
	f := root.PersistentFlags()
	f.BoolVar(&a.json, "json", false, "print JSON lines, made for programs")
	f.StringVar(&a.gateway, "gateway", "", "address of a running gateway (default "+defaultGateway+", or PATCHBAY_GATEWAY)")
	f.StringVar(&a.token, "token", "", "token for a gateway with users; better in PATCHBAY_TOKEN, which other users of the machine do not see")
	f.StringVar(&a.ca, "ca", "", "file with the certificate that vouches for a gateway at https:// (or PATCHBAY_CA)")
	f.StringVar(&a.fingerprint, "fingerprint", "", "SHA-256 fingerprint of the certificate of a gateway at https:// (or PATCHBAY_FINGERPRINT)")
	f.DurationVar(&a.timeout, "timeout", 10*time.Second, "how long to wait for a gateway or device to answer")
	f.StringVar(&a.logLevel, "log-level", "", "least level that is logged: debug, info, warn, error")
	f.StringVar(&a.logForm, "log-format", "", "format of the log: auto, text, json")
	root.AddGroup(
		&cobra.Group{ID: "gateway", Title: "The gateway:"},
		&cobra.Group{ID: "points", Title: "Points of a running gateway, or straight of a device:"},
		&cobra.Group{ID: "lab", Title: "The lab:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			c.Args = usageArgs(c.Args)
			root.AddCommand(c)
		}
	}
	add("gateway", a.demoCommand(), a.runCommand(), a.checkCommand(), a.pairCommand(), a.reloadCommand(), a.userCommand())
	add("points", a.lsCommand(), a.getCommand(), a.setCommand(), a.watchCommand(), a.doCommand(), a.termCommand(), a.ptyCommand())
	add("lab", a.labCommands()...)
	add("", a.versionCommand())
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		if c.Name() == "help" {
			c.Run, c.RunE = nil, help // what cobra has there shows the help of patchbay for a word that it does not know
		}
	}
	return root
}

func help(cmd *cobra.Command, args []string) error {
	about, rest, err := cmd.Root().Find(args)
	if err == nil {
		err = noCommand(about, rest)
	}
	if err != nil {
		return err
	}
	return about.Help()
}

// noCommand explains a word that is no command.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	text := fmt.Sprintf("%q is no command of %s", args[0], cmd.CommandPath())
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		text += ". Did you mean " + strings.Join(near, " or ") + "?"
	} else {
		text += "; see " + cmd.CommandPath() + " --help"
	}
	return usageError(errors.New(text))
}

// noArgs refuses arguments of a command that takes flags alone.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usageError(fmt.Errorf("%s takes no argument such as %q; see %s --help", cmd.CommandPath(), args[0], cmd.CommandPath()))
}

// usageArgs makes usage errors of what a check of the arguments finds.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	if check == nil {
		return nil
	}
	return func(cmd *cobra.Command, args []string) error {
		var f *failure
		if err := check(cmd, args); errors.As(err, &f) {
			return err
		} else if err != nil {
			return usageError(fmt.Errorf("%w; usage: %s", err, cmd.UseLine()))
		}
		return nil
	}
}
