package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/patchbay-io/patchbay/internal/cli/gatewayclient"
)

// writeFlags are the flags of set and do.
type writeFlags struct {
	allow    []string
	yes      bool
	dryRun   bool
	deadline time.Duration
}

func (w *writeFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVar(&w.allow, "allow", nil, "with a device URL: pattern of points that may be written; may be repeated. A wildcard never grants a hazard point")
	f.BoolVar(&w.yes, "yes", false, "do not ask before a write that moves a machine or cannot be undone")
	f.BoolVar(&w.dryRun, "dry-run", false, "check everything and send nothing")
	f.DurationVar(&w.deadline, "deadline", 0, "how long the device may take to confirm (default 2s)")
}

func (w *writeFlags) deadlineText() string {
	if w.deadline == 0 {
		return ""
	}
	return w.deadline.String()
}

func (a *app) setCommand() *cobra.Command {
	var w writeFlags
	var add float64
	var ifValue string
	c := &cobra.Command{
		Use:   "set DEVICE/PATH VALUE | DEVICE PATH VALUE | URL PATH VALUE",
		Short: "Write a point and wait until the device confirms it",
		Long: `Write a point and wait until the device confirms it.

VALUE is a number, a text, true or false, or a label's key; "toggle" inverts a switch. --add 5 adds to the present value
instead. A running gateway allows what its configuration names under writable; a device URL needs --allow PATH.
A point that moves a machine or cannot be undone is asked about first, or needs --yes.`,
		Example: "  patchbay set mill1/macros/500 12.5\n  patchbay set desk monitoring/dim toggle\n  patchbay set desk outputs/line-output-5/gain -20\n  patchbay set focas://192.0.2.21 macros/500 12.5 --allow macros/500\n  patchbay set mill1/macros/500 --add 1",
		Args:    cobra.RangeArgs(1, 3),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := a.deadline(cmd.Context())
			defer cancel()
			item := gatewayclient.WriteItem{}
			if cmd.Flags().Changed("add") {
				item.Add = &add
			}
			if cmd.Flags().Changed("if-value") {
				item.IfValue = ifValue
			}
			where, value, err := splitSet(args, item.Add != nil)
			if err != nil {
				return err
			}
			return cause(ctx, a.set(ctx, where, value, item, w))
		},
	}
	w.add(c)
	c.Flags().Float64Var(&add, "add", 0, "add this to the present value, kept inside the range; takes the place of VALUE")
	c.Flags().StringVar(&ifValue, "if-value", "", "write only when the point has this value now")
	return c
}

// negatives moves a negative number that is the value of set behind "--", since -20 would be taken for flags.
func negatives(root *cobra.Command, args []string) []string {
	c, _, err := root.Find(args)
	if err != nil || c.Name() != "set" || slices.Contains(args, "--") {
		return args
	}
	for i, arg := range args {
		if _, err := strconv.ParseFloat(arg, 64); err != nil || !strings.HasPrefix(arg, "-") {
			continue
		}
		if i > 0 && wantsValue(c, args[i-1]) {
			continue
		}
		return append(slices.Delete(slices.Clone(args), i, i+1), "--", arg)
	}
	return args
}

// wantsValue reports whether an argument is a flag whose value is the next one.
func wantsValue(c *cobra.Command, arg string) bool {
	name, long := strings.CutPrefix(arg, "--")
	if !long || strings.Contains(name, "=") {
		return false
	}
	f := c.Flag(name)
	return f != nil && f.NoOptDefVal == ""
}

// splitSet tells the place from the value.
func splitSet(args []string, adds bool) (where []string, value string, err error) {
	wrong := usageError(errors.New("give a point and a value: patchbay set DEVICE/PATH VALUE, or patchbay set URL PATH VALUE"))
	if !adds {
		if len(args) < 2 {
			return nil, "", wrong
		}
		value, args = args[len(args)-1], args[:len(args)-1]
	}
	if len(args) == 1 && (isURL(args[0]) || !strings.Contains(args[0], "/")) || len(args) == 2 && !isURL(args[0]) && strings.Contains(args[0], "/") || len(args) > 2 {
		return nil, "", wrong
	}
	return args, value, nil
}

func (a *app) set(ctx context.Context, where []string, value string, item gatewayclient.WriteItem, w writeFlags) error {
	t, places, err := a.connect(ctx, where, w.allow)
	if err != nil {
		return err
	}
	defer t.close()
	p := places[0]
	s, err := t.Specs(ctx, p.device, p.path)
	if err != nil {
		return err
	}
	item.Device, item.Path = p.device, p.path
	unit := ""
	if i := slices.IndexFunc(s.Specs, func(s gatewayclient.Spec) bool { return s.Path == p.path }); i >= 0 {
		sp := s.Specs[i]
		unit = sp.Unit
		item.Toggle = item.Add == nil && value == "toggle" && sp.Kind != "string"
		if sp.Hazard == "hazard" && sp.Writable && !w.dryRun {
			if err := a.confirm(p.String(), sp.Title, w.yes); err != nil {
				return err
			}
		}
	}
	if !item.Toggle && item.Add == nil {
		item.Value = value
	}
	started := time.Now()
	done, err := t.Write(ctx, gatewayclient.WriteRequest{Writes: []gatewayclient.WriteItem{item}, Deadline: w.deadlineText(), DryRun: w.dryRun, Wait: true})
	if err != nil {
		return a.explainRefusal(err, t, p)
	}
	return a.printWrite(done, unit, time.Since(started))
}

// explainRefusal turns the gateway's hint about its configuration into the flag that does the same here.
func (a *app) explainRefusal(err error, t *target, p place) error {
	var problem *gatewayclient.Problem
	if t.direct && errors.As(err, &problem) && problem.Code == "not-writable" {
		return &failure{code: exitRefused, kind: problem.Code, err: problem, hint: "Nothing may be written to a device URL unless it is named. Add --allow " + p.path}
	}
	return err
}

// confirm asks a person at a terminal to type the last part of the path.
func (a *app) confirm(name, title string, yes bool) error {
	if yes {
		return nil
	}
	if !a.inTerminal || !a.errTerminal {
		return &failure{code: exitRefused, kind: "not-confirmed", err: fmt.Errorf("%s is a hazard point and nobody is there to confirm", name), hint: "Writing it can move a machine or cannot be undone. Add --yes if that is what you want."}
	}
	word := name[strings.LastIndexByte(name, '/')+1:]
	if title != "" {
		title = " (" + title + ")"
	}
	fmt.Fprintf(a.Err, "%s%s can move a machine or cannot be undone. Type %s to go on: ", name, title, word)
	line, _ := bufio.NewReader(a.In).ReadString('\n')
	if strings.TrimSpace(line) != word {
		return &failure{code: exitRefused, kind: "not-confirmed", err: errors.New("not confirmed; nothing was sent")}
	}
	return nil
}

// printWrite says what became of a write or command; one that did not succeed is an error.
func (a *app) printWrite(w gatewayclient.Write, unit string, took time.Duration) error {
	if a.json {
		if err := a.printJSON(w); err != nil {
			return err
		}
	}
	var failed error
	for i := range w.Items {
		item := &w.Items[i]
		last := item.Last()
		switch last.Stage {
		case "confirmed", "acknowledged", "sent", "dry-run":
			if !a.json {
				fmt.Fprintln(a.Out, doneText(item, last, unit, took))
			}
		default:
			text := last.Text
			if text == "" {
				text = "the write ended as " + last.Stage
			}
			code := exitRefused
			if c := codeOfClass(last.Class); c != exitFailed {
				code = c
			}
			failed = &failure{code: code, kind: last.Stage, hint: last.Hint, err: fmt.Errorf("%s/%s: %s: %s", item.Device, item.Path, last.Stage, text)}
		}
	}
	return failed
}

func doneText(item *gatewayclient.WriteDone, last gatewayclient.Step, unit string, took time.Duration) string {
	text := item.Device + "/" + item.Path
	if item.Command {
		text += "  done"
		if now := rawText(item.Now); now != "-" {
			text += ": " + now
		}
	} else {
		if unit != "" {
			unit = " " + unit
		}
		text += "  " + rawText(item.Old) + " → " + rawText(item.New) + unit
	}
	switch last.Stage {
	case "confirmed":
		return fmt.Sprintf("%s  confirmed in %v", text, took.Round(time.Millisecond))
	case "dry-run":
		return text + "  would be sent"
	}
	return fmt.Sprintf("%s  %s (this point cannot confirm)", text, last.Stage)
}

func (a *app) doCommand() *cobra.Command {
	var w writeFlags
	c := &cobra.Command{
		Use:     "do DEVICE/PATH [NAME=VALUE…] | DEVICE PATH [NAME=VALUE…] | URL PATH [NAME=VALUE…]",
		Short:   "Perform a command of a device",
		Example: "  patchbay do studio/me/1/cut\n  patchbay do studio macros/run macro=3",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := a.deadline(cmd.Context())
			defer cancel()
			return cause(ctx, a.do(ctx, args, w))
		},
	}
	w.add(c)
	return c
}

func (a *app) do(ctx context.Context, args []string, w writeFlags) error {
	n := 1
	if isURL(args[0]) || !strings.Contains(args[0], "/") {
		n = 2
	}
	if len(args) < n || strings.Contains(args[n-1], "=") && !isURL(args[n-1]) {
		return usageError(errors.New("give a command: patchbay do DEVICE/PATH, then its arguments as NAME=VALUE"))
	}
	named := map[string]any{}
	for _, arg := range args[n:] {
		name, value, ok := strings.Cut(arg, "=")
		if !ok {
			return usageError(fmt.Errorf("argument %q: write it as NAME=VALUE", arg))
		}
		named[name] = value
	}
	t, places, err := a.connect(ctx, args[:n], w.allow)
	if err != nil {
		return err
	}
	defer t.close()
	p := places[0]
	s, err := t.Specs(ctx, p.device, "")
	if err != nil {
		return err
	}
	for _, c := range s.Commands {
		if c.Path == p.path && c.Hazard == "hazard" && c.Writable && !w.dryRun {
			if err := a.confirm(p.String(), c.Title, w.yes); err != nil {
				return err
			}
		}
	}
	started := time.Now()
	done, err := t.Do(ctx, p.device, gatewayclient.CommandRequest{Path: p.path, Args: named, Deadline: w.deadlineText(), DryRun: w.dryRun, Wait: true})
	if err != nil {
		return a.explainRefusal(err, t, p)
	}
	return a.printWrite(done, "", time.Since(started))
}
