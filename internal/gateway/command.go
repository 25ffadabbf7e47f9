package gateway

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/patchbay-io/patchbay/internal/device"
	"github.com/patchbay-io/patchbay/internal/driver"
	"github.com/patchbay-io/patchbay/internal/north"
)

// command is one action that was accepted.
type command struct {
	path device.Path
	args []device.Value
	told []device.Value   // args, without what is secret
	by   driver.Commander // of the clients of a native server; nil: the session's
}

// Do performs a command. See north.Writes; the ctx bounds only the waiting of the caller.
func (g *Gateway) Do(ctx context.Context, who driver.Who, dev string, path device.Path, args map[string]any, opt north.WriteOptions) (north.WriteState, error) {
	if err := g.spend(who, 1); err != nil {
		return north.WriteState{}, err
	}
	l, c, e := g.checkCommand(who, dev, path, args)
	state := north.ItemState{Device: dev, Path: path, Command: true}
	if c != nil {
		state.Args = c.told
	}
	entry := g.book.begin(who, []north.ItemState{state})
	if e != nil {
		g.book.step(entry, 0, refusal(e), nil)
		return g.book.get(entry), e
	}
	if opt.DryRun {
		g.book.step(entry, 0, north.Step{Stage: north.StageDryRun}, nil)
		return g.book.get(entry), nil
	}
	g.book.step(entry, 0, north.Step{Stage: north.StageAccepted}, nil)
	l.submit(&job{entry: entry, index: []int{0}, command: c, deadline: deadlineOf(opt)})
	return g.await(ctx, entry, opt), nil
}

func (g *Gateway) checkCommand(who driver.Who, dev string, path device.Path, args map[string]any) (*link, *command, *north.WriteError) {
	l, e := g.reachable(dev, path)
	if e != nil {
		return nil, nil, e
	}
	v, err := l.current()
	commands := g.tree.Commands(dev)
	i := slices.IndexFunc(commands, func(c device.Command) bool { return c.Path == path })
	if i < 0 {
		if err != nil {
			return nil, nil, linkDown(dev, path, err)
		}
		e := &north.WriteError{Code: "unknown-command", Device: dev, Path: path, Class: driver.Unsupported, Text: "the device has no such command"}
		names := make([]string, len(commands))
		for k := range commands {
			names[k] = string(commands[k].Path)
		}
		e.DidYouMean, _ = device.Nearest(string(path), names)
		e.Hint = suggestion(e.DidYouMean, "")
		return nil, nil, e
	}
	cfg := l.config()
	nd := cfg.north()
	if e := g.authorize(who, &nd, commands[i].Hazard, driver.Action{Device: dev, Path: path}); e != nil {
		return nil, nil, e
	}
	values, e := g.arguments(dev, &commands[i], args)
	if e != nil {
		return nil, nil, e
	}
	told := withoutSecrets(&commands[i], values)
	clients := l.clientCommander(path)
	switch {
	case path.Under(device.ClientsRoot) && clients != nil:
		return l, &command{path: path, args: values, told: told, by: clients}, nil
	case err != nil:
		return nil, nil, linkDown(dev, path, err)
	case v.abilities.Commander == nil:
		return nil, nil, &north.WriteError{Code: "read-only", Device: dev, Path: path, Class: driver.Unsupported,
			Text: "this connection to the device cannot perform commands"}
	}
	return l, &command{path: path, args: values, told: told}, nil
}

// withoutSecrets is what may be told of the arguments, and written down.
func withoutSecrets(c *device.Command, values []device.Value) []device.Value {
	told := slices.Clone(values)
	for i := range c.Args {
		if c.Args[i].Secret {
			told[i] = device.OfString("(secret)")
		}
	}
	return told
}

// arguments brings args into the order of the command.
func (g *Gateway) arguments(dev string, c *device.Command, args map[string]any) ([]device.Value, *north.WriteError) {
	wrong := func(text string) *north.WriteError {
		names := make([]string, len(c.Args))
		for i := range c.Args {
			names[i] = string(c.Args[i].Path)
		}
		hint := "it takes no arguments"
		if len(names) > 0 {
			hint = "its arguments are " + strings.Join(names, ", ")
		}
		return &north.WriteError{Code: "wrong-type", Device: dev, Path: c.Path, Class: driver.DeviceSaidNo, Text: text, Hint: hint}
	}
	labels := g.tree.LabelSets(dev)
	values := make([]device.Value, len(c.Args))
	for i := range c.Args {
		a := &c.Args[i]
		in, ok := args[string(a.Path)]
		if !ok {
			return nil, wrong(fmt.Sprintf("argument %q is missing", a.Path))
		}
		v, err := device.Coerce(a, labels[a.Labels], in)
		if err != nil {
			e := valueError(dev, c.Path, err)
			e.Text = fmt.Sprintf("argument %q: %s", a.Path, e.Text)
			return nil, e
		}
		values[i] = v
	}
	for name := range args {
		if !slices.ContainsFunc(c.Args, func(a device.Spec) bool { return string(a.Path) == name }) {
			return nil, wrong(fmt.Sprintf("it has no argument %q", name))
		}
	}
	return values, nil
}

// command performs a job that is one; it ends with the device's answer.
func (l *link) command(ctx context.Context, by driver.Commander, j *job) {
	var out device.Value
	var o driver.Outcome
	err := l.guard("command", func() error {
		out, o = by.Do(ctx, j.command.path, j.command.args)
		return nil
	})
	if err != nil {
		o = driver.Outcome{Stage: driver.Uncertain, Err: err}
	}
	l.g.book.update(j.entry, j.index[0], func(s *north.ItemState) { s.Now = out })
	l.note(j, j.index[0], o, true)
}
